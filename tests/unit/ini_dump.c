/* What a reader of configuration files makes of texts: ini_dump FILE..., or ini_dump --random N of texts that are put
 * together by chance, the same in every run. One line per event, with the number of the line that it comes from; then
 * what the reader returns. Names that begin with 'r' are refused. */

#include <ini.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MAXIMUM 60u

/* As collector/config.c reads: a line that does not fit ends it. */
struct reading {
    const char *text;
    int line;
};

static char *read_line(char *line, int size, void *context)
{
    struct reading *reading = context;
    size_t length = strcspn(reading->text, "\n");
    length += reading->text[length] == '\n';
    if (length == 0)
        return NULL;
    reading->line++;
    if (length >= (size_t)size) {
        printf("line %d is too long\n", reading->line);
        return NULL;
    }
    memcpy(line, reading->text, length);
    line[length] = 0;
    reading->text += length;
    return line;
}

static void print_text(const char *before, const char *text)
{
    fputs(before, stdout);
    for (; *text != 0; text++)
        if ((unsigned char)*text < ' ')
            printf("\\x%02x", (unsigned)*text);
        else
            putchar(*text);
}

static int event(void *context, const char *section, const char *name, const char *value)
{
    printf("line %d: [", ((struct reading *)context)->line);
    print_text("", section);
    print_text("] '", name);
    print_text("' = '", value);
    puts("'");
    return name[0] != 'r';
}

static void dump(const char *text)
{
    struct reading reading = {.text = text};
    int status = ini_parse_stream(read_line, &reading, event, &reading);
    printf("returns %d\n", status);
}

static uint64_t draw(uint64_t *state, uint64_t bound)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state % bound;
}

/* Older inihs leave the comment of a line that continues a value in that value, newer ones cut it off. */
static void without_continued_comments(char *text)
{
    for (char *line = text; *line != 0; line += strcspn(line, "\n"), line += *line != 0)
        if (strchr(" \t\v\r", *line) != NULL)
            for (char *at = line; *at != 0 && *at != '\n'; at++)
                if (*at == ';')
                    *at = ',';
}

static void dump_random(unsigned long count)
{
    static const char *const parts[] = {
        "\n",
        "\n",
        "\n",
        "\n",
        "\r\n",
        " ",
        " ",
        "\t",
        "\v",
        "\r",
        "=",
        "=",
        ":",
        ";",
        " ;",
        "#",
        " #",
        "[",
        "]",
        "name",
        "aggregator",
        "refused",
        "value",
        "a",
        "\xef\xbb\xbf",
        "\xc3\xa9",
        "\x01",
        "\\",
        "\"",
        "tcp://a:1",
        "a name and a value that are more than fifty letters long",
    };
    uint64_t state = 0x9e3779b97f4a7c15;
    char text[PARTS_MAXIMUM * 60 + 1];
    for (unsigned long i = 0; i < count; i++) {
        text[0] = 0;
        for (uint64_t left = draw(&state, PARTS_MAXIMUM); left > 0; left--)
            strcat(text, parts[draw(&state, sizeof parts / sizeof *parts)]);
        without_continued_comments(text);
        printf("text %lu\n", i);
        dump(text);
    }
}

static int dump_file(const char *path)
{
    char text[4096] = "";
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return 1;
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    printf("%s\n", strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path);
    dump(text);
    return 0;
}

int main(int argc, char **argv)
{
    int status = 0;
    if (argc == 3 && strcmp(argv[1], "--random") == 0)
        dump_random(strtoul(argv[2], NULL, 10));
    else
        for (int i = 1; i < argc; i++)
            status |= dump_file(argv[i]);
    return status;
}

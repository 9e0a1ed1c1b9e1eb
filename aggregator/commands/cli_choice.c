/* Which hosts a command is about, as its options name them. */

#include "cli.h"

#include "proto/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cli_choice_add(struct buffer *list, const char *word, size_t length)
{
    buffer_put_text(list, list->length == 0 ? "{\"" : ",\"");
    for (size_t i = 0; i < length; i++) {
        if (word[i] == '"' || word[i] == '\\')
            buffer_put_text(list, "\\");
        buffer_put(list, word + i, 1);
    }
    buffer_put_text(list, "\"");
}

static int no_memory(struct error *error)
{
    return error_set(error, ERROR_MEMORY, "no memory for the names of hosts");
}

static void close_list(FILE *const *file)
{
    if (*file != NULL && *file != stdin)
        fclose(*file);
}

int cli_choice_read(struct cli_choice *choice, const char *path, struct error *error)
{
    bool standard = strcmp(path, "-") == 0;
    const char *name = standard ? "standard input" : path;
    _cleanup_(close_list) FILE *file = standard ? stdin : fopen(path, "re");
    if (file == NULL)
        return error_set(error, ERROR_NOT_FOUND, "can't read '%s': %s", path, strerror(errno));
    _cleanup_free_ char *line = NULL;
    size_t size = 0, names = 0;
    for (ssize_t length; (length = getline(&line, &size, file)) >= 0;) {
        if (memchr(line, '\0', (size_t)length) != NULL)
            return error_set(error, ERROR_USAGE, "'%s' is no list of names: it has a NUL", name);
        line[strcspn(line, "#\r\n")] = '\0';
        const char *word = line + strspn(line, " \t");
        size_t end = strlen(word);
        while (end > 0 && (word[end - 1] == ' ' || word[end - 1] == '\t'))
            end--;
        if (end == 0)
            continue;
        cli_choice_add(&choice->hosts, word, end);
        names++;
    }
    if (ferror(file))
        return error_set(error, ERROR_IO, "can't read '%s': %s", name, strerror(errno));
    if (names == 0)
        return error_set(error, ERROR_USAGE, "'%s' names no host: one a line", name);
    return choice->hosts.failed ? no_memory(error) : 0;
}

static struct parameter list_parameter(struct buffer *list)
{
    if (list->length == 0)
        return PARAMETER_TEXT(NULL);
    if (list->data[list->length - 1] != '\0')
        buffer_put(list, "}", 2);
    /* What has no room is no array: the database refuses it. */
    return PARAMETER_TEXT(list->failed ? "{" : (const char *)list->data);
}

void cli_choice_parameters(struct cli_choice *choice, struct parameter parameters[3])
{
    parameters[0] = list_parameter(&choice->hosts);
    parameters[1] = list_parameter(&choice->groups);
    parameters[2] = list_parameter(&choice->excepted);
}

int cli_host(PGconn *connection, const char *word, struct cli_host *host, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *rows = database_query(
        connection, "select h.host_id, h.host from ops.host h where h.host_id = evenkeel.present_host($1)",
        &PARAMETER_TEXT(word), 1, false, error);
    if (rows == NULL)
        return -1;
    if (PQntuples(rows) == 0)
        return error_set(error, ERROR_NOT_FOUND, "the host '%s' was taken away just now", word);
    snprintf(host->host_id, sizeof host->host_id, "%s", PQgetvalue(rows, 0, 0));
    snprintf(host->name, sizeof host->name, "%s", PQgetvalue(rows, 0, 1));
    return 0;
}

PGresult *cli_chosen(PGconn *connection, struct cli_choice *choice, struct error *error)
{
    struct parameter parameters[3];
    cli_choice_parameters(choice, parameters);
    return database_query(connection, "select evenkeel.shown_choice($1::text[], $2::text[], $3::text[])::text",
                          parameters, 3, false, error);
}

bool cli_choice_is_given(const struct cli_choice *choice)
{
    return choice->hosts.length > 0 || choice->groups.length > 0 || choice->excepted.length > 0;
}

void cli_clear(struct cli *cli)
{
    buffer_clear(&cli->choice.hosts);
    buffer_clear(&cli->choice.groups);
    buffer_clear(&cli->choice.excepted);
}

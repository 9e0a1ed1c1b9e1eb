/* Which pages there are, and how one is made. */

#include "pages.h"

#include "page_html.h"
#include "page_query.h"

#include "proto/cleanup.h"
#include "proto/utf8.h"

#include <cJSON.h>
#include <stdlib.h>
#include <string.h>

#define BIT(parameter) (1u << (parameter))
#define PARAMETERS_MAXIMUM 6

/* A page: its function takes these parameters of the query, in this order, each as text or null. */
static const struct kind {
    const char *path, *query;
    enum query_parameter parameters[PARAMETERS_MAXIMUM];
    size_t count;
    const char *needs; /* what is said where the first one is not given */
    void (*put)(const cJSON *document, FILE *out);
} kinds[] = {
    {"/fleet",
     "select evenkeel.page_fleet($1, $2, $3, $4, $5::integer)::text",
     {QUERY_VERDICT, QUERY_GROUP, QUERY_PRODUCT, QUERY_SEARCH, QUERY_PAGE},
     5,
     NULL,
     page_fleet},
    {"/host",
     "select evenkeel.page_host($1::uuid, coalesce($2, 'overview'), $3, $4, $5, coalesce($6::integer, 1))::text",
     {QUERY_ID, QUERY_PART, QUERY_COMPONENT, QUERY_SEARCH, QUERY_SINCE, QUERY_PAGE},
     6,
     "Which host? The address wants id=HOST_ID or name=NAME.",
     page_host},
    {"/findings",
     "select evenkeel.page_findings($1, $2, coalesce($3, 'no') = 'yes', coalesce($4::integer, 1))::text",
     {QUERY_CHECK, QUERY_SEVERITY, QUERY_WAIVED, QUERY_PAGE},
     4,
     NULL,
     page_findings},
    {"/file",
     "select evenkeel.page_file($1, $2, coalesce($3::integer, 1))::text",
     {QUERY_NAME, QUERY_VERSION, QUERY_PAGE},
     3,
     "Which file? The address wants name=NAME, without its folder.",
     page_file},
    {"/patch",
     "select evenkeel.page_patch($1, $2, coalesce($3::integer, 1))::text",
     {QUERY_CODE, QUERY_SEARCH, QUERY_PAGE},
     3,
     NULL,
     page_patch},
};

static const struct kind named_host = {"/host",  "select evenkeel.page_host_named($1)::text", {QUERY_NAME}, 1, NULL,
                                       page_host};

static const struct kind *kind_of(const char *path)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].path, path) == 0)
            return &kinds[i];
    return NULL;
}

bool pages_holds(const char *path)
{
    return kind_of(path) != NULL;
}

void page_clear(struct page *page)
{
    free(page->body);
    *page = (struct page){0};
}

/* Closes what a page's body was written into. */
static void finish(FILE *out, unsigned status, const char *type, struct page *page)
{
    bool whole = out != NULL && fclose(out) == 0;
    page->status = whole ? status : 503;
    page->type = whole ? type : "text/plain; charset=utf-8";
    page->length = whole ? page->length : 0;
}

#define TYPE_HTML "text/html; charset=utf-8"
#define TYPE_JSON "application/json; charset=utf-8"

void pages_refuse(unsigned status, const char *sentence, struct page *page)
{
    *page = (struct page){0};
    FILE *out = open_memstream(&page->body, &page->length);
    if (out != NULL)
        page_sentence(status, sentence, out);
    finish(out, status, TYPE_HTML, page);
}

static void refuse_json(unsigned status, const char *sentence, struct page *page)
{
    *page = (struct page){0};
    FILE *out = open_memstream(&page->body, &page->length);
    cJSON *text = cJSON_CreateString(sentence);
    char *quoted = text != NULL ? cJSON_PrintUnformatted(text) : NULL;
    if (out != NULL && quoted != NULL) {
        fputs("{\"error\": ", out);
        utf8_print_json(quoted, out);
        fputs("}\n", out);
    }
    cJSON_free(quoted);
    cJSON_Delete(text);
    finish(out, status, TYPE_JSON, page);
}

/* The connection, tried before it is relied on; NULL with *error. */
static PGconn *living(const char *dsn, PGconn **connection, struct error *error)
{
    char statement[64];
    if (*connection != NULL && database_check_schema(*connection, error) < 0) {
        PQfinish(*connection);
        *connection = NULL;
    }
    if (*connection != NULL)
        return *connection;
    *connection = database_open_reading(dsn, error);
    snprintf(statement, sizeof statement, "set statement_timeout = '%ds'", PAGES_SECONDS);
    if (*connection != NULL && database_execute(*connection, statement, error) < 0) {
        PQfinish(*connection);
        *connection = NULL;
    }
    return *connection;
}

static PGresult *ask(PGconn *connection, const struct kind *kind, const struct page_query *query, struct error *error)
{
    struct parameter parameters[PARAMETERS_MAXIMUM];
    for (size_t i = 0; i < kind->count; i++)
        parameters[i] = PARAMETER_TEXT(query_value(query, kind->parameters[i]));
    return database_query(connection, kind->query, parameters, kind->count, false, error);
}

static void delete_document(cJSON **document)
{
    cJSON_Delete(*document);
}

/* What stands in the way of a page; 0 and *sentence unchanged: nothing. */
static unsigned objection(const cJSON *document, const char **sentence)
{
    const char *absent = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(document, "absent")),
               *refused = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(document, "refused"));
    if (absent != NULL)
        *sentence = absent;
    if (refused != NULL)
        *sentence = refused;
    return refused != NULL ? 400 : absent != NULL ? 404 : 0;
}

static void write_page(const struct kind *kind, const PGresult *rows, bool json,
                       void (*refuse)(unsigned, const char *, struct page *), struct page *page)
{
    const char *text = PQgetvalue(rows, 0, 0), *sentence = "There is no such host.";
    _cleanup_(delete_document) cJSON *document = cJSON_ParseWithLength(text, (size_t)PQgetlength(rows, 0, 0));
    unsigned status = PQgetisnull(rows, 0, 0) ? 404 : document == NULL ? 503 : objection(document, &sentence);
    if (status != 0) {
        refuse(status, status == 503 ? "There is no memory for this page now." : sentence, page);
        return;
    }
    FILE *out = open_memstream(&page->body, &page->length);
    if (out != NULL && json) {
        utf8_print_json(text, out);
        putc('\n', out);
    } else if (out != NULL) {
        kind->put(document, out);
    }
    finish(out, 200, json ? TYPE_JSON : TYPE_HTML, page);
}

void pages_make(const char *dsn, PGconn **connection, const char *path, const char *text, struct page *page)
{
    struct error error = {0};
    struct page_query query;
    const struct kind *kind = kind_of(path);
    unsigned allowed = 0;
    *page = (struct page){0};
    for (size_t i = 0; i < kind->count; i++)
        allowed |= BIT(kind->parameters[i]);
    if (kind->put == page_host)
        allowed |= BIT(QUERY_NAME);
    int result = query_read(text, allowed, &query, &error);
    const char *format = query_value(&query, QUERY_FORMAT);
    bool json = format != NULL && strcmp(format, "json") == 0;
    void (*refuse)(unsigned, const char *, struct page *) = json ? refuse_json : pages_refuse;
    if (kind->put == page_host && query_value(&query, QUERY_NAME) != NULL)
        kind = &named_host;
    if (result == 0 && kind->needs != NULL && query_value(&query, kind->parameters[0]) == NULL)
        result = error_set(&error, ERROR_USAGE, "%s", kind->needs);
    if (result < 0) {
        refuse(400, error.message, page);
        return;
    }
    _cleanup_(cleanup_result) PGresult *rows =
        living(dsn, connection, &error) != NULL ? ask(*connection, kind, &query, &error) : NULL;
    if (rows != NULL)
        write_page(kind, rows, json, refuse, page);
    else if (error.code == ERROR_BUSY)
        refuse(503, "The database did not answer in time; try again, or ask for less.", page);
    else
        refuse(503, error.message, page);
}

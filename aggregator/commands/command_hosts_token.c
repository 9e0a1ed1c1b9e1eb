/* evenkeel hosts token: enrolment tokens, shown once and kept as their digest only. */

#include "command_hosts.h"

#include "proto/cleanup.h"

#include <errno.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define TOKEN_BYTES 24 /* random; no guessing, and still short enough to be pasted */

/* '30m', '24h', '7d' as seconds; 0 where it is none of these. */
static long long seconds_of(const char *text)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    long long unit = *end == 'm' ? 60 : *end == 'h' ? 3600 : *end == 'd' ? 86400 : 0;
    if (end == text || unit == 0 || end[1] != 0 || errno != 0 || number < 1 || number > 366 * 86400 / unit)
        return 0;
    return number * unit;
}

static int make(const struct hosts_call *call, struct error *error)
{
    uint8_t random[TOKEN_BYTES], digest[SHA256_DIGEST_LENGTH];
    char token[sodium_base64_ENCODED_LEN(TOKEN_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING)], within[32];
    const char *uses = call->uses != NULL ? call->uses : "1";
    long long seconds = seconds_of(call->within != NULL ? call->within : "24h");
    char *end;
    errno = 0;
    long number = strtol(uses, &end, 10);
    if (end == uses || *end != 0 || errno != 0 || number < 1 || number > INT32_MAX)
        return error_set(error, ERROR_USAGE, "--uses '%s' is no number from 1 up", uses);
    if (call->within != NULL && call->until != NULL)
        return error_set(error, ERROR_USAGE, "--for and --until exclude each other");
    if (seconds == 0)
        return error_set(error, ERROR_USAGE, "--for '%s' is no time up to a year like 30m, 24h or 7d", call->within);
    snprintf(within, sizeof within, "%lld seconds", seconds);
    randombytes_buf(random, sizeof random);
    sodium_bin2base64(token, sizeof token, random, sizeof random, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    SHA256((const uint8_t *)token, strlen(token), digest);
    struct parameter parameters[] = {
        {.value = digest, .length = sizeof digest, .binary = true, .type = TYPE_BYTEA},
        PARAMETER_TEXT(uses),
        PARAMETER_TEXT(call->until),
        PARAMETER_TEXT(within),
        PARAMETER_TEXT(call->hosts != NULL ? call->hosts : "*"),
        PARAMETER_TEXT(call->note != NULL ? call->note : ""),
    };
    _cleanup_(cleanup_result) PGresult *made =
        database_query(call->connection,
                       "insert into evenkeel.token (token_digest, uses_left, expires_at, host_glob, note) "
                       "select $1, $2::integer, t.expires_at, evenkeel.host_glob($5::text), $6::text "
                       "from (select coalesce(evenkeel.waiver_end($3), now() + $4::interval) as expires_at) t "
                       "where t.expires_at > now() and isfinite(t.expires_at)",
                       parameters, sizeof parameters / sizeof *parameters, false, error);
    if (made == NULL)
        return -1;
    if (strcmp(PQcmdTuples(made), "1") != 0)
        return error_set(error, ERROR_USAGE, "--until '%s' is in the past, or never comes", call->until);
    puts(token);
    return 0;
}

static int list(const struct hosts_call *call, struct error *error)
{
    int rows;
    if (cli_print(call->connection,
                  "select left(encode(token_digest, 'hex'), 12) as id, uses_left, expires_at::timestamptz(0) as "
                  "expires_at, case when uses_left = 0 then 'used up' when expires_at <= now() then 'past its end' "
                  "else 'valid' end as state, host_glob as hosts, note from evenkeel.token order by created_at",
                  NULL, 0, call->format, &rows, error) < 0)
        return -1;
    if (rows == 0 && call->format == CLI_TEXT)
        puts("there are no tokens");
    return 0;
}

static int take_away(const struct hosts_call *call, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *done =
        database_query(call->connection,
                       "delete from evenkeel.token where length($1) >= 8 and "
                       "starts_with(encode(token_digest, 'hex'), lower($1::text))",
                       &PARAMETER_TEXT(call->words[1]), 1, false, error);
    if (done == NULL)
        return -1;
    if (strcmp(PQcmdTuples(done), "0") == 0)
        return error_set(error, ERROR_NOT_FOUND, "there is no token '%s'; 'evenkeel hosts token list' has their ids",
                         call->words[1]);
    return 0;
}

int hosts_token(const struct hosts_call *call, struct error *error)
{
    if (call->count == 0)
        return make(call, error);
    if (call->count == 1 && strcmp(call->words[0], "list") == 0)
        return list(call, error);
    if (call->count == 2 && strcmp(call->words[0], "remove") == 0)
        return take_away(call, error);
    return error_set(error, ERROR_USAGE, "'token %s' is not known: 'token', 'token list' and 'token remove ID' are",
                     call->words[0]);
}

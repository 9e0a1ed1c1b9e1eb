/* What is this machine only. */

#include "loopback.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* A decimal number from 0 to `most` without leading zeros, which some read as octal; *text is moved behind it. */
static bool take_number(const char **text, unsigned most, unsigned *value)
{
    const char *at = *text;
    *value = 0;
    while (*at >= '0' && *at <= '9' && *value <= most)
        *value = *value * 10 + (unsigned)(*at++ - '0');
    bool ok = at > *text && *value <= most && (**text != '0' || at == *text + 1);
    *text = at;
    return ok;
}

static bool is_in_127(const char *address)
{
    for (unsigned part = 0, value; part < 4; part++)
        if ((part > 0 && *address++ != '.') || !take_number(&address, 255, &value) || (part == 0 && value != 127))
            return false;
    return *address == 0;
}

bool loopback_is_host(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 || strcmp(host, "[::1]") == 0 ||
           is_in_127(host);
}

/* Where an authority's host ends: behind the bracket, at a colon, or where an URL goes on. */
static size_t host_length(const char *authority)
{
    if (*authority == '[') {
        size_t length = strcspn(authority, "]");
        return length + (authority[length] == ']');
    }
    return strcspn(authority, ":/?#");
}

/* Whether ':port' begins at `text`, and only a path behind it. */
static bool is_port(const char *text)
{
    unsigned port;
    return *text++ == ':' && take_number(&text, 65535, &port) && port > 0 && strcspn(text, "/?#") == 0;
}

bool loopback_is_authority(const char *authority)
{
    char host[64];
    size_t length = host_length(authority);
    const char *rest = authority + length;
    if (length >= sizeof host || (strcspn(rest, "/?#") > 0 && !is_port(rest)))
        return loopback_is_host(authority); /* ::1 without brackets */
    memcpy(host, authority, length);
    host[length] = 0;
    return loopback_is_host(host);
}

static bool has_no_host(const char *url)
{
    return strncmp(url, "ipc://", 6) == 0 || strncmp(url, "inproc://", 9) == 0;
}

bool loopback_is_url(const char *url)
{
    const char *separator = strstr(url, "://");
    return has_no_host(url) || (separator != NULL && loopback_is_authority(separator + 3));
}

bool loopback_url_has_port(const char *url)
{
    const char *separator = strstr(url, "://");
    return has_no_host(url) || (separator != NULL && is_port(separator + 3 + host_length(separator + 3)));
}

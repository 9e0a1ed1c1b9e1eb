/* A small certificate authority. */

#include "certificate_authority.h"

#include "proto/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

#define DAY 86400L
#define CA_DAYS 3650
#define SERVER_DAYS 825 /* what clients of the web accept at most; 'evenkeel init --ca DIR --renew' makes a new one */
#define NAME_LENGTH 253 /* of a host name, RFC 1035 */

static void free_key(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void free_certificate(X509 **certificate)
{
    X509_free(*certificate);
}

static int crypto_fail(const char *what, struct error *error)
{
    char reason[160];
    ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
    return error_set(error, ERROR_IO, "can't make %s: %s", what, reason);
}

static int path_in(const char *directory, const char *name, char path[PATH_MAX], struct error *error)
{
    if (snprintf(path, PATH_MAX, "%s/%s", directory, name) >= PATH_MAX)
        return error_set(error, ERROR_LIMIT, "the path '%.80s...' is too long", directory);
    return 0;
}

/* ---- files ---- */

/* Opens a file that gets its name only once it is whole; `key`: readable by its owner only. */
static FILE *create(const char *path, bool key, char temporary[PATH_MAX], struct error *error)
{
    if (snprintf(temporary, PATH_MAX, "%s.new", path) >= PATH_MAX) {
        error_set(error, ERROR_LIMIT, "the path '%.80s...' is too long", path);
        return NULL;
    }
    unlink(temporary);
    int fd = open(temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, key ? 0600 : 0644);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (file == NULL)
        error_set(error, ERROR_IO, "can't write '%s': %s", temporary, strerror(errno));
    return file;
}

static int finish(FILE *file, bool written, const char *temporary, const char *path, struct error *error)
{
    written = written && fflush(file) == 0 && fsync(fileno(file)) == 0;
    if (fclose(file) != 0 || !written || rename(temporary, path) < 0) {
        unlink(temporary);
        return error_set(error, ERROR_IO, "can't write '%s': %s", path, strerror(errno));
    }
    return 0;
}

static int write_key(const char *directory, const char *name, EVP_PKEY *key, struct error *error)
{
    char path[PATH_MAX], temporary[PATH_MAX];
    if (path_in(directory, name, path, error) < 0)
        return -1;
    FILE *file = create(path, true, temporary, error);
    return file != NULL
               ? finish(file, PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1, temporary, path, error)
               : -1;
}

static int write_certificate(const char *directory, const char *name, X509 *certificate, struct error *error)
{
    char path[PATH_MAX], temporary[PATH_MAX];
    if (path_in(directory, name, path, error) < 0)
        return -1;
    FILE *file = create(path, false, temporary, error);
    return file != NULL ? finish(file, PEM_write_X509(file, certificate) == 1, temporary, path, error) : -1;
}

/* ---- certificates ---- */

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_nconf_nid(NULL, &context, nid, value);
    bool added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

/* A certificate without extensions and signature; `issuer` NULL: its own. */
static X509 *new_certificate(EVP_PKEY *key, const char *common_name, X509 *issuer, long days)
{
    X509 *certificate = X509_new();
    BIGNUM *serial = BN_new();
    X509_NAME *name = certificate != NULL ? X509_get_subject_name(certificate) : NULL;
    bool fine =
        name != NULL && serial != NULL && X509_set_version(certificate, X509_VERSION_3) == 1 &&
        BN_rand(serial, 120, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
        BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) != NULL &&
        /* Hosts whose clock is a day slow should be heard too. */
        X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY) != NULL &&
        X509_time_adj_ex(X509_getm_notAfter(certificate), (int)days, 0, NULL) != NULL &&
        X509_set_pubkey(certificate, key) == 1 &&
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1, 0) == 1 &&
        X509_set_issuer_name(certificate, issuer != NULL ? X509_get_subject_name(issuer) : name) == 1;
    BN_free(serial);
    if (fine)
        return certificate;
    X509_free(certificate);
    return NULL;
}

static int make_ca(const char *directory, EVP_PKEY **key, X509 **certificate, struct error *error)
{
    char name[64];
    time_t now = time(NULL);
    struct tm day;
    gmtime_r(&now, &day);
    strftime(name, sizeof name, "Evenkeel CA made %Y-%m-%d", &day);
    *key = EVP_EC_gen("P-256");
    *certificate = *key != NULL ? new_certificate(*key, name, NULL, CA_DAYS) : NULL;
    if (*certificate == NULL ||
        !add_extension(*certificate, *certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
        !add_extension(*certificate, *certificate, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !add_extension(*certificate, *certificate, NID_subject_key_identifier, "hash") ||
        X509_sign(*certificate, *key, EVP_sha256()) == 0)
        return crypto_fail("a CA", error);
    /* The key first: a certificate without its key would be in the way of the next try. */
    return write_key(directory, "ca-key.pem", *key, error) < 0 ||
                   write_certificate(directory, "ca.pem", *certificate, error) < 0
               ? -1
               : 0;
}

/* 1 where there is a CA, 0 where there is none, -1 with *error. */
static int load_ca(const char *directory, EVP_PKEY **key, X509 **certificate, struct error *error)
{
    char path[PATH_MAX];
    if (path_in(directory, "ca.pem", path, error) < 0)
        return -1;
    _cleanup_fclose_ FILE *file = fopen(path, "re");
    if (file == NULL)
        return errno == ENOENT ? 0 : error_set(error, ERROR_IO, "can't read '%s': %s", path, strerror(errno));
    *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    if (*certificate == NULL)
        return error_set(error, ERROR_FORMAT, "'%s' holds no certificate: move it away, or name another folder", path);
    if (path_in(directory, "ca-key.pem", path, error) < 0)
        return -1;
    _cleanup_fclose_ FILE *key_file = fopen(path, "re");
    *key = key_file != NULL ? PEM_read_PrivateKey(key_file, NULL, NULL, NULL) : NULL;
    if (*key == NULL || X509_check_private_key(*certificate, *key) != 1)
        return error_set(error, ERROR_FORMAT,
                         "'%s' is not the key of the CA beside it: put the right one there, or name another folder",
                         path);
    return 1;
}

/* ---- names ---- */

static bool is_address(const char *name)
{
    struct in6_addr address;
    return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
}

int certificate_name_check(const char *name, struct error *error)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:";
    size_t length = strlen(name);
    if (length == 0 || length > NAME_LENGTH || strspn(name, allowed) != length)
        return error_set(error, ERROR_USAGE, "'%.80s' is no host name or address for a certificate", name);
    return 0;
}

/* Names of a certificate, each once, in the order in which they came. */
struct name_list {
    char names[CERTIFICATE_NAMES_MAXIMUM + 2][NAME_LENGTH + 1];
    size_t count;
};

static bool has_name(const struct name_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcasecmp(list->names[i], name) == 0)
            return true;
    return false;
}

static int add_name(struct name_list *list, const char *name, struct error *error)
{
    if (has_name(list, name))
        return 0;
    if (list->count == sizeof list->names / sizeof *list->names)
        return error_set(error, ERROR_LIMIT, "more than %d names for one certificate", CERTIFICATE_NAMES_MAXIMUM);
    snprintf(list->names[list->count++], sizeof *list->names, "%s", name);
    return 0;
}

/* mbed TLS 2.28, which collectors use, compares an address with DNS names only: so an address is stated as both. */
static void put_name(char *list, size_t size, const char *name)
{
    size_t at = strlen(list);
    snprintf(list + at, size - at, "%sDNS:%s", at > 0 ? "," : "", name);
    at = strlen(list);
    if (is_address(name))
        snprintf(list + at, size - at, ",IP:%s", name);
}

/* ---- the server's certificate ---- */

static int make_server(const char *directory, EVP_PKEY *ca_key, X509 *ca, const struct name_list *names,
                       struct error *error)
{
    char list[(CERTIFICATE_NAMES_MAXIMUM + 2) * (2 * NAME_LENGTH + 16)] = "", path[PATH_MAX];
    for (size_t i = 0; i < names->count; i++)
        put_name(list, sizeof list, names->names[i]);
    _cleanup_(free_key) EVP_PKEY *key = EVP_EC_gen("P-256");
    _cleanup_(free_certificate) X509 *certificate =
        key != NULL ? new_certificate(key, "evenkeel aggregator", ca, SERVER_DAYS) : NULL;
    if (certificate == NULL || !add_extension(certificate, ca, NID_basic_constraints, "critical,CA:FALSE") ||
        !add_extension(certificate, ca, NID_key_usage, "critical,digitalSignature") ||
        !add_extension(certificate, ca, NID_ext_key_usage, "serverAuth") ||
        !add_extension(certificate, ca, NID_subject_key_identifier, "hash") ||
        !add_extension(certificate, ca, NID_authority_key_identifier, "keyid") ||
        !add_extension(certificate, ca, NID_subject_alt_name, list) ||
        X509_sign(certificate, ca_key, EVP_sha256()) == 0)
        return crypto_fail("a server certificate", error);
    /* A certificate and a key that do not fit each other must never be there together. */
    if (path_in(directory, "server.pem", path, error) < 0)
        return -1;
    unlink(path);
    return write_key(directory, "server-key.pem", key, error) < 0 ||
                   write_certificate(directory, "server.pem", certificate, error) < 0
               ? -1
               : 0;
}

/* The certificate in the directory where this CA signed it and its key is beside it; else NULL. */
static X509 *load_server(const char *directory, X509 *ca)
{
    char path[PATH_MAX];
    struct error none = {0};
    if (path_in(directory, "server.pem", path, &none) < 0)
        return NULL;
    _cleanup_fclose_ FILE *file = fopen(path, "re");
    _cleanup_(free_certificate) X509 *certificate = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    if (certificate == NULL || path_in(directory, "server-key.pem", path, &none) < 0)
        return NULL;
    _cleanup_fclose_ FILE *key_file = fopen(path, "re");
    _cleanup_(free_key) EVP_PKEY *key = key_file != NULL ? PEM_read_PrivateKey(key_file, NULL, NULL, NULL) : NULL;
    if (key == NULL || X509_check_private_key(certificate, key) != 1 ||
        X509_verify(certificate, X509_get0_pubkey(ca)) != 1)
        return NULL;
    X509 *loaded = certificate;
    certificate = NULL;
    return loaded;
}

static int read_names(X509 *certificate, struct name_list *names, struct error *error)
{
    GENERAL_NAMES *list = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int status = 0;
    for (int i = 0; status == 0 && i < sk_GENERAL_NAME_num(list); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(list, i);
        char text[NAME_LENGTH + 1];
        if (name->type != GEN_DNS || ASN1_STRING_length(name->d.dNSName) >= (int)sizeof text)
            continue;
        snprintf(text, sizeof text, "%.*s", ASN1_STRING_length(name->d.dNSName),
                 (const char *)ASN1_STRING_get0_data(name->d.dNSName));
        status = add_name(names, text, error);
    }
    GENERAL_NAMES_free(list);
    return status;
}

static void tell_names(const struct name_list *names, struct certificate_authority *authority)
{
    size_t at = 0;
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->names[i], "localhost") == 0 || strcmp(names->names[i], "127.0.0.1") == 0)
            continue;
        at += (size_t)snprintf(authority->names + at, sizeof authority->names - at, "%s%s", at > 0 ? ", " : "",
                               names->names[i]);
        if (authority->first[0] == 0)
            snprintf(authority->first, sizeof authority->first, "%s", names->names[i]);
    }
    if (at == 0) {
        strcpy(authority->names, "localhost");
        strcpy(authority->first, "localhost");
    }
}

static int64_t end_of(const X509 *certificate)
{
    struct tm end = {0};
    return ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1 ? (int64_t)timegm(&end) : 0;
}

/* The server certificate: the one that is there, or a new one. */
static int keep_or_make(const char *directory, EVP_PKEY *ca_key, X509 *ca, const struct name_list *given, bool renew,
                        struct certificate_authority *authority, struct error *error)
{
    _cleanup_(free_certificate) X509 *there = load_server(directory, ca);
    struct name_list names = {.count = 0};
    if (there != NULL && read_names(there, &names, error) < 0)
        return -1;
    for (size_t i = 0; i < given->count; i++) {
        if (there != NULL && !renew && !has_name(&names, given->names[i]))
            return error_set(
                error, ERROR_USAGE,
                "the server certificate in '%s' is not for '%s': --renew makes a new one for that and all that "
                "it is for, which the aggregator uses once it is reloaded",
                directory, given->names[i]);
        if (add_name(&names, given->names[i], error) < 0)
            return -1;
    }
    authority->server_new = there == NULL || renew;
    tell_names(&names, authority);
    if (!authority->server_new) {
        authority->end = end_of(there);
        return 0;
    }
    authority->end = (int64_t)time(NULL) + SERVER_DAYS * DAY;
    return add_name(&names, "localhost", error) < 0 || add_name(&names, "127.0.0.1", error) < 0
               ? -1
               : make_server(directory, ca_key, ca, &names, error);
}

int certificate_authority_make(const char *directory, const char *const *names, size_t count, const char *own,
                               bool renew, struct certificate_authority *authority, struct error *error)
{
    _cleanup_(free_key) EVP_PKEY *key = NULL;
    _cleanup_(free_certificate) X509 *certificate = NULL;
    struct name_list given = {.count = 0};
    *authority = (struct certificate_authority){.made = false};
    if (count > CERTIFICATE_NAMES_MAXIMUM)
        return error_set(error, ERROR_LIMIT, "more than %d names for one certificate", CERTIFICATE_NAMES_MAXIMUM);
    for (size_t i = 0; i < count; i++)
        if (certificate_name_check(names[i], error) < 0 || add_name(&given, names[i], error) < 0)
            return -1;
    if (mkdir(directory, 0755) < 0 && errno != EEXIST)
        return error_set(error, ERROR_IO, "can't make the folder '%s': %s", directory, strerror(errno));
    int there = load_ca(directory, &key, &certificate, error);
    if (there < 0 || (there == 0 && make_ca(directory, &key, &certificate, error) < 0))
        return -1;
    authority->made = there == 0;
    _cleanup_(free_certificate) X509 *server = load_server(directory, certificate);
    if (count == 0 && server == NULL && (certificate_name_check(own, error) < 0 || add_name(&given, own, error) < 0))
        return -1;
    return keep_or_make(directory, key, certificate, &given, renew, authority, error);
}

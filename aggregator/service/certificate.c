/* The aggregator's own certificate. */

#include "certificate.h"

#include "proto/cleanup.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <time.h>

static void free_key(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void free_certificate(X509 **certificate)
{
    X509_free(*certificate);
}

/* Without this OpenSSL would ask the terminal for the password of an encrypted key. */
static int no_password(char *buffer, int size, int writing, void *context)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)context;
    return 0;
}

static void free_bio(BIO **bio)
{
    BIO_free(*bio);
}

int certificate_check_key(const char *certificate, const char *private_key, struct error *error)
{
    _cleanup_(free_bio) BIO *certificate_text = BIO_new_mem_buf(certificate, -1);
    _cleanup_(free_bio) BIO *key_text = BIO_new_mem_buf(private_key, -1);
    if (certificate_text == NULL || key_text == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a certificate");
    _cleanup_(free_certificate) X509 *read = PEM_read_bio_X509(certificate_text, NULL, no_password, NULL);
    _cleanup_(free_key) EVP_PKEY *key = PEM_read_bio_PrivateKey(key_text, NULL, no_password, NULL);
    if (read == NULL)
        return error_set(error, ERROR_FORMAT, "the certificate can't be read");
    if (key == NULL)
        return error_set(error, ERROR_FORMAT, "the private key can't be read: it must not be encrypted");
    if (X509_check_private_key(read, key) != 1)
        return error_set(error, ERROR_FORMAT, "the key belongs to another certificate");
    return 0;
}

int64_t certificate_end(const char *certificates)
{
    _cleanup_(free_bio) BIO *text = BIO_new_mem_buf(certificates, -1);
    int64_t first = 0;
    for (X509 *read; text != NULL && (read = PEM_read_bio_X509(text, NULL, no_password, NULL)) != NULL;) {
        struct tm parts;
        bool known = ASN1_TIME_to_tm(X509_get0_notAfter(read), &parts) == 1;
        int64_t end = known ? (int64_t)timegm(&parts) : 0;
        X509_free(read);
        if (known && (first == 0 || end < first))
            first = end;
    }
    ERR_clear_error();
    return first;
}

/* A certificate for who develops on this machine: made at once, known to nobody, so that browsers warn of it once. It
 * is written nowhere: the next start has another one. */
#include "net/tls_openssl.h"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

enum { DAY_SECONDS = 24 * 3600, SERIAL_BITS = 127 };

static const struct {
    int kind;
    const char *value;
} extensions[] = {
    { NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1" },
    { NID_basic_constraints, "critical,CA:FALSE" },
    { NID_key_usage, "critical,digitalSignature" },
    { NID_ext_key_usage, "serverAuth" },
};

static bool set_serial(X509 *certificate)
{
    BIGNUM *number = BN_new();
    bool set = number != NULL && BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
               BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return set;
}

static bool add_extensions(X509 *certificate)
{
    X509V3_CTX about;
    X509V3_set_ctx(&about, certificate, certificate, NULL, NULL, 0);
    for (size_t i = 0; i < sizeof extensions / sizeof extensions[0]; i++) {
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &about, extensions[i].kind, extensions[i].value);
        bool added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
        X509_EXTENSION_free(extension);
        if (!added)
            return false;
    }
    return true;
}

static bool fill(X509 *certificate, EVP_PKEY *key)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_SECONDS) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), (long)TLS_SELF_SIGNED_DAYS * DAY_SECONDS) != NULL &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
           add_extensions(certificate) && X509_sign(certificate, key, EVP_sha256()) > 0;
}

/* What was written, as a text of its own. NULL: no memory. */
static char *text_of(BIO *bio)
{
    char *written;
    long size = BIO_get_mem_data(bio, &written);
    return size > 0 ? strndup(written, (size_t)size) : NULL;
}

static bool write(struct tls_pair *pair, X509 *certificate, EVP_PKEY *key)
{
    BIO *chain = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_secmem());
    bool written = chain != NULL && secret != NULL && PEM_write_bio_X509(chain, certificate) == 1 &&
                   PEM_write_bio_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL) == 1;
    pair->chain = written ? text_of(chain) : NULL;
    pair->key = written ? text_of(secret) : NULL;
    BIO_free(chain);
    BIO_free(secret);
    return pair->chain != NULL && pair->key != NULL;
}

bool tls_self_signed(struct tls_pair *pair, struct why why)
{
    *pair = (struct tls_pair){ 0 };
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    bool made = key != NULL && certificate != NULL && fill(certificate, key) && write(pair, certificate, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    if (made)
        return true;
    tls_pair_free(pair);
    return why_refuse(why, SLICE("a certificate for localhost cannot be made"), "%s", tls_reason());
}

void tls_pair_free(struct tls_pair *pair)
{
    if (pair->key != NULL)
        OPENSSL_cleanse(pair->key, strlen(pair->key));
    free(pair->key);
    free(pair->chain);
    *pair = (struct tls_pair){ 0 };
}

/* Certificates for tests, made in memory: a subject, names, who signs it, and when it is valid. */
#ifndef TESTS_UNIT_TLS_MADE_H
#define TESTS_UNIT_TLS_MADE_H

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

enum { MADE_DAY = 24 * 3600 };

struct made {
    X509 *certificate;
    EVP_PKEY *key;
    char *chain, *secret; /* PEM */
};

struct made_plan {
    const char *subject, *names; /* "DNS:a,DNS:b", or NULL: none */
    const struct made *issuer;   /* NULL: itself */
    bool rsa, authority;
    long from_days, days;        /* 0, 0: valid now */
    long serial;
};

static inline void made_extend(X509 *certificate, int kind, const char *value)
{
    X509V3_CTX about;
    X509V3_set_ctx(&about, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &about, kind, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static inline char *made_text(X509 *certificate, EVP_PKEY *key, const char *password)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *written;
    if (certificate != NULL)
        assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
    else
        assert_int_equal(PEM_write_bio_PrivateKey(bio, key, password ? EVP_aes_256_cbc() : NULL, NULL, 0, NULL,
                                                  (void *)password), 1);
    long size = BIO_get_mem_data(bio, &written);
    char *text = strndup(written, (size_t)size);
    BIO_free(bio);
    return text;
}

static inline struct made made_new(struct made_plan plan)
{
    struct made made = { .certificate = X509_new(), .key = plan.rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256") };
    X509_NAME *name = X509_get_subject_name(made.certificate);
    const struct made *issuer = plan.issuer ? plan.issuer : &made;
    X509_set_version(made.certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), plan.serial ? plan.serial : 1);
    X509_gmtime_adj(X509_getm_notBefore(made.certificate), plan.from_days ? plan.from_days * MADE_DAY : -MADE_DAY);
    X509_gmtime_adj(X509_getm_notAfter(made.certificate), (plan.days ? plan.days : 10) * MADE_DAY);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)plan.subject, -1, -1, 0);
    X509_set_issuer_name(made.certificate, X509_get_subject_name(issuer->certificate));
    X509_set_pubkey(made.certificate, made.key);
    if (plan.names)
        made_extend(made.certificate, NID_subject_alt_name, plan.names);
    made_extend(made.certificate, NID_basic_constraints, plan.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    assert_true(X509_sign(made.certificate, issuer->key, EVP_sha256()) > 0);
    made.chain = made_text(made.certificate, NULL, NULL);
    made.secret = made_text(NULL, made.key, NULL);
    return made;
}

static inline void made_free(struct made *made)
{
    X509_free(made->certificate);
    EVP_PKEY_free(made->key);
    free(made->chain);
    free(made->secret);
}

static inline struct tls_certificate made_pair(const struct made *made)
{
    return (struct tls_certificate){
        .chain = { slice_text(made->chain), slice_text("cert.pem") },
        .key = { slice_text(made->secret), slice_text("key.pem") },
    };
}

#endif

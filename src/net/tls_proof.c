/* Reads what a server proves itself with: a chain of certificates and the key of the first, and finds out what is wrong
 * with them before a client does. It knows nothing of contexts and of who asks for which name. */
#include "net/tls_openssl.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

enum { SUBJECT_SIZE = 120 };

const char *tls_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return reason != NULL ? reason : "out of memory";
}

static void warn(const struct log *log, const struct tls_text *text, const char *what, const char *about)
{
    if (log != NULL)
        log_write(log, LOG_LEVEL_WARN, "%.*s: %s%s", (int)text->from.size, text->from.data, what, about);
}

/* ---- PEM ------------------------------------------------------------------------------------------------------ */

static BIO *open_text(const struct tls_text *text, struct why why)
{
    if (text->bytes.size > TLS_TEXT_MAX) {
        why_refuse(why, text->from, "larger than %d MiB: that is not a certificate or a key", TLS_TEXT_MAX >> 20);
        return NULL;
    }
    BIO *bio = BIO_new_mem_buf(text->bytes.size > 0 ? text->bytes.data : "", (int)text->bytes.size);
    if (bio == NULL)
        why_refuse(why, text->from, "%s", tls_reason());
    return bio;
}

/* Called where a password is needed: nobody is there to be asked for it. */
static int note_password(char *buffer, int size, int writing, void *asked)
{
    (void)buffer;
    (void)size;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

/* The end of a text is an error of the library's like any other. */
static bool at_end(void)
{
    unsigned long error = ERR_peek_last_error();
    return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

static bool read_all(BIO *bio, STACK_OF(X509) *all)
{
    bool asked = false;
    X509 *next;
    while ((next = PEM_read_bio_X509(bio, NULL, note_password, &asked)) != NULL) {
        if (sk_X509_push(all, next) > 0)
            continue;
        X509_free(next);
        return false;
    }
    return at_end();
}

STACK_OF(X509) *tls_certificates_read(const struct tls_text *text, struct why why)
{
    BIO *bio = open_text(text, why);
    if (bio == NULL)
        return NULL;
    STACK_OF(X509) *all = sk_X509_new_null();
    bool read = all != NULL && read_all(bio, all);
    BIO_free(bio);
    if (!read)
        why_refuse(why, text->from, "certificate %d in it cannot be read: %s", sk_X509_num(all) + 1, tls_reason());
    else if (sk_X509_num(all) == 0)
        why_refuse(why, text->from, "no certificate in it; give one in PEM, which begins -----BEGIN CERTIFICATE-----");
    ERR_clear_error();
    if (read && sk_X509_num(all) > 0)
        return all;
    sk_X509_pop_free(all, X509_free);
    return NULL;
}

static EVP_PKEY *read_key(const struct tls_text *text, struct why why)
{
    bool encrypted = false;
    BIO *bio = open_text(text, why);
    if (bio == NULL)
        return NULL;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, note_password, &encrypted);
    BIO_free(bio);
    if (key == NULL && encrypted)
        why_refuse(why, text->from, "the key is encrypted, and nobody is there to be asked for its password; "
                                    "store it without: openssl pkey -in KEY -out PLAIN");
    else if (key == NULL && memmem(text->bytes.data, text->bytes.size, "PRIVATE KEY-----", 16) == NULL)
        why_refuse(why, text->from, "no private key in it; give one in PEM, which begins -----BEGIN PRIVATE KEY-----");
    else if (key == NULL)
        why_refuse(why, text->from, "the private key in it cannot be read: %s", tls_reason());
    ERR_clear_error();
    return key;
}

/* ---- Names ---------------------------------------------------------------------------------------------------- */

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* What stands in no name of a host becomes what matches none: a NUL above all, behind which another might hide. */
static char *copy_name(const ASN1_IA5STRING *name)
{
    struct slice text = slice_make((const char *)ASN1_STRING_get0_data(name), (size_t)ASN1_STRING_length(name));
    char *copy = malloc(text.size + 1);
    if (copy == NULL)
        return NULL;
    for (size_t i = 0; i < text.size; i++)
        copy[i] = text.data[i] > ' ' && text.data[i] < 0x7f ? ascii_lower(text.data[i]) : '?';
    copy[text.size] = '\0';
    return copy;
}

static bool add_names(struct tls_proof *proof, const GENERAL_NAMES *all)
{
    int count = sk_GENERAL_NAME_num(all);
    proof->names = calloc(count > 0 ? (size_t)count : 1, sizeof *proof->names);
    if (proof->names == NULL)
        return false;
    for (int i = 0; i < count; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
        if (name->type != GEN_DNS)
            continue;
        char *text = copy_name(name->d.dNSName);
        if (text == NULL)
            return false;
        proof->names[proof->name_count++] = text;
    }
    qsort(proof->names, proof->name_count, sizeof *proof->names, compare_names);
    return true;
}

static bool read_names(struct tls_proof *proof)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(proof->certificate, NID_subject_alt_name, NULL, NULL);
    bool added = add_names(proof, all); /* none, or none that can be read: no names */
    GENERAL_NAMES_free(all);
    ERR_clear_error();
    return added;
}

/* ---- What may be wrong ---------------------------------------------------------------------------------------- */

static const char *subject_of(const X509 *certificate, char text[SUBJECT_SIZE])
{
    text[0] = '\0';
    X509_NAME_oneline(X509_get_subject_name(certificate), text, SUBJECT_SIZE);
    return text;
}

/* The key may be that of another one in the chain: then only their order is wrong. */
static bool check_key(const struct tls_proof *proof, const struct tls_certificate *given, struct why why)
{
    char subject[SUBJECT_SIZE];
    if (X509_check_private_key(proof->certificate, proof->key) == 1)
        return true;
    for (int i = 0; i < sk_X509_num(proof->chain); i++) {
        ERR_clear_error();
        if (X509_check_private_key(sk_X509_value(proof->chain, i), proof->key) != 1)
            continue;
        return why_refuse(why, given->chain.from, "out of order: the certificate of this key is number %d; the "
                                                  "server's own has to be the first", i + 2);
    }
    ERR_clear_error();
    return why_refuse(why, given->key.from, "not the key of the certificate in %.*s (%s)", (int)given->chain.from.size,
                      given->chain.from.data, subject_of(proof->certificate, subject));
}

/* TLS 1.3 allows any order (RFC 8446 4.4.2), and many clients find their way; some do not. */
static void check_order(const struct tls_proof *proof, const struct tls_text *text, const struct log *log)
{
    X509 *last = proof->certificate;
    char subject[SUBJECT_SIZE];
    for (int i = 0; i < sk_X509_num(proof->chain); i++) {
        X509 *next = sk_X509_value(proof->chain, i);
        if (X509_check_issued(next, last) != X509_V_OK) {
            warn(log, text, "the chain is out of order or broken: the one before did not come from ",
                 subject_of(next, subject));
            break;
        }
        last = next;
    }
    ERR_clear_error();
}

static void check_time(const struct tls_proof *proof, const struct tls_text *text, const struct log *log)
{
    char subject[SUBJECT_SIZE];
    if (X509_cmp_current_time(X509_get0_notAfter(proof->certificate)) < 0)
        warn(log, text, "the certificate has expired: ", subject_of(proof->certificate, subject));
    else if (X509_cmp_current_time(X509_get0_notBefore(proof->certificate)) > 0)
        warn(log, text, "the certificate is not valid yet: ", subject_of(proof->certificate, subject));
    ERR_clear_error();
}

static bool check(struct tls_proof *proof, const struct tls_certificate *given, const struct log *log, struct why why)
{
    struct tm until;
    if (!check_key(proof, given, why))
        return false;
    if (ASN1_TIME_to_tm(X509_get0_notAfter(proof->certificate), &until) != 1)
        return why_refuse(why, given->chain.from, "the certificate does not say how long it is valid");
    proof->expires = timegm(&until);
    check_time(proof, &given->chain, log);
    check_order(proof, &given->chain, log);
    if (proof->name_count == 0)
        warn(log, &given->chain, "the certificate has no host's name among its subjectAltNames", "");
    return true;
}

/* ---- The whole ------------------------------------------------------------------------------------------------ */

static bool read_parts(struct tls_proof *proof, const struct tls_certificate *given, struct why why)
{
    proof->chain = tls_certificates_read(&given->chain, why);
    if (proof->chain == NULL)
        return false;
    proof->certificate = sk_X509_shift(proof->chain);
    proof->key = read_key(&given->key, why);
    if (proof->key == NULL)
        return false;
    return read_names(proof) || why_refuse(why, given->chain.from, "out of memory");
}

struct tls_proof *tls_proof_read(const struct tls_certificate *given, const struct log *log, struct why why)
{
    struct tls_proof *proof = calloc(1, sizeof *proof);
    if (proof == NULL) {
        why_refuse(why, given->chain.from, "out of memory");
        return NULL;
    }
    if (!read_parts(proof, given, why) || !check(proof, given, log, why)) {
        tls_proof_free(proof);
        return NULL;
    }
    if (given->ocsp.bytes.size > 0)
        tls_staple_read(proof, &given->ocsp, log);
    return proof;
}

void tls_proof_free(struct tls_proof *proof)
{
    if (proof == NULL)
        return;
    for (unsigned i = 0; i < proof->name_count; i++)
        free(proof->names[i]);
    free(proof->names);
    free(proof->ocsp);
    ASN1_TIME_free(proof->ocsp_until);
    EVP_PKEY_free(proof->key);
    X509_free(proof->certificate);
    sk_X509_pop_free(proof->chain, X509_free);
    free(proof);
}

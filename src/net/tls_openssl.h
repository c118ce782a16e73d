/* OpenSSL, for the files net/tls_*.c alone (tools/check_layers): what they share of its types, and its queue of errors,
 * which is left empty by every function here, since a thread's next call would find in it what is none of its own. */
#ifndef NET_TLS_OPENSSL_H
#define NET_TLS_OPENSSL_H

#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

/* A certificate as it was given, read and checked. */
struct tls_proof {
    struct tls_proof *next; /* of the same identity */
    X509 *certificate;
    STACK_OF(X509) *chain;  /* behind it */
    EVP_PKEY *key;
    char **names;           /* lower case, sorted: "*.example.org", "example.org" */
    unsigned name_count;
    unsigned char *ocsp;    /* NULL: nothing is stapled */
    int ocsp_size;
    ASN1_TIME *ocsp_until;  /* NULL: it does not say */
    int64_t expires;
};

/* What a client is shown that asks for one of its names: one certificate for each kind of key. */
struct tls_identity {
    SSL_CTX *ssl;
    struct tls_proof *proofs; /* the first one given first */
};

struct tls_name {
    const char *text; /* the proof's */
    const struct tls_identity *identity;
};

struct tls_context {
    struct retired retired;
    atomic_uint references;
    struct tls_identity *identities; /* the first is the default */
    unsigned identity_count;
    struct tls_name *names;          /* sorted */
    unsigned name_count;
    struct tls_tickets *tickets;     /* NULL: none */
    BIO_METHOD *reader;              /* of streams */
    bool offers_h2;
    int64_t expires;
};

/* Reads and checks a certificate with what belongs to it. NULL: `why`. */
struct tls_proof *tls_proof_read(const struct tls_certificate *given, const struct log *log, struct why why);
void tls_proof_free(struct tls_proof *proof);

/* The certificates of a PEM text, at least one. NULL: `why`. */
STACK_OF(X509) *tls_certificates_read(const struct tls_text *text, struct why why);

/* What is to be stapled, if it fits; else a warning. */
void tls_staple_read(struct tls_proof *proof, const struct tls_text *text, const struct log *log);

/* How streams read their sockets. NULL: no memory. */
BIO_METHOD *tls_stream_reader(void);

/* What is chosen during a handshake: the identity, the protocol, what is stapled. */
void tls_choice_install(struct tls_identity *identity, struct tls_context *context);

/* Tickets are sealed with the keys of the context that is the app data of `ssl`. */
void tls_tickets_install(SSL_CTX *ssl);

/* The reason that the library gave last, as text; empties its queue. */
const char *tls_reason(void);

#endif

/* TLS as the rest of the server sees it: a context is what a server proves itself with, made of texts that the caller
 * has read, never changed once it is made, and replaced as a whole. Tickets are the keys of resumed sessions, which
 * outlive contexts.
 *
 * It opens no file, knows no listener and no request; and nobody outside net/tls_*.c sees a type of OpenSSL. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/log.h"
#include "base/qsbr.h"
#include "base/why.h"

struct tls_context;
struct tls_tickets;

/* False where the build has no TLS: then every context is refused with a line that says so. */
extern const bool tls_is_built;

/* ---- Contexts ------------------------------------------------------------------------------------------------ */

/* What was read, and what it is called in messages: a file's name. */
struct tls_text {
    struct slice bytes, from;
};

struct tls_certificate {
    struct tls_text chain; /* PEM: the server's own first, then those that vouch for it; other blocks are passed over */
    struct tls_text key;   /* PEM, not encrypted; it may be the same text as the chain */
    struct tls_text ocsp;  /* DER: what is stapled; no bytes: nothing. One that does not fit is warned of, left out */
};

enum tls_version { TLS_VERSION_1_2, TLS_VERSION_1_3 };

enum tls_clients {
    TLS_CLIENTS_OFF,      /* no certificate is asked for */
    TLS_CLIENTS_OPTIONAL, /* one that comes has to be good */
    TLS_CLIENTS_REQUIRED  /* without a good one there is no connection */
};

enum { TLS_CERTIFICATES_MAX = 256, TLS_TEXT_MAX = 4 << 20 };

struct tls_settings {
    /* The first is for names that none is for, and for clients that name nobody. The others are chosen by the name that
     * the client asks for (SNI): an exact one of their subjectAltNames, then a wildcard of one label. Of several for
     * the same name with keys of different kinds (EC, RSA) the client gets what it can use. */
    const struct tls_certificate *certificates;
    unsigned certificate_count;   /* 1 to TLS_CERTIFICATES_MAX */
    enum tls_version version_min;
    const char *ciphers;          /* of TLS 1.2, as OpenSSL lists them; NULL: TLS_CIPHERS */
    const char *ciphersuites;     /* of TLS 1.3; NULL: TLS_CIPHERSUITES */
    const char *groups;           /* NULL: TLS_GROUPS */
    enum tls_clients clients;
    struct tls_text client_ca;    /* PEM: whose certificates of clients are good; needed unless TLS_CLIENTS_OFF */
    bool offers_h2;               /* by ALPN, before http/1.1 */
    struct tls_tickets *tickets;  /* taken a reference on; NULL: no session is resumed */
    const struct log *log;        /* warnings about what is odd but works; NULL: none. Not kept. */
};

#define TLS_CIPHERS                                                                                                    \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"                         \
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define TLS_CIPHERSUITES "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define TLS_GROUPS "X25519:P-256:P-384"

/* Any thread that may take some milliseconds. NULL: `why` says what is wrong with which text, and what to do. */
struct tls_context *tls_context_new(const struct tls_settings *settings, struct why why);

struct tls_context *tls_context_ref(struct tls_context *context);
void tls_context_unref(struct tls_context *context); /* NULL is fine */

/* The names that the context has certificates for, for a line in a log or a table: "example.org, *.example.org". */
void tls_context_names(const struct tls_context *context, char *text, size_t size);

/* When the first of its certificates expires, in seconds since 1970. */
int64_t tls_context_expires(const struct tls_context *context);

/* ---- Where workers find the one that holds now --------------------------------------------------------------- */

struct tls_slot {
    _Atomic(struct tls_context *) now; /* a worker reads it, and takes a reference for what outlives its turn */
};

/* New connections get `next` from now on (taken over from the caller, never NULL); those that are there keep theirs.
 * Any thread, one at a time. Before workers run `qsbr` may be NULL. */
void tls_slot_publish(struct tls_slot *slot, struct tls_context *next, struct qsbr *qsbr);

/* When no worker runs any more. */
void tls_slot_fini(struct tls_slot *slot);

/* ---- Tickets (RFC 5077, RFC 8446 4.6.1) ---------------------------------------------------------------------- */

/* 80 bytes, in the order in which other servers keep them in files. */
struct tls_ticket_key {
    unsigned char name[16], mac[32], cipher[32];
};

enum {
    TLS_TICKET_KEYS_MAX = 32,            /* the one that new tickets get, and older ones */
    TLS_SESSION_SECONDS = 24 * 60 * 60   /* for so long a session may be resumed, if its ticket's key is still there */
};

/* With one random key. NULL: no memory, or no random bytes. */
struct tls_tickets *tls_tickets_new(void);
struct tls_tickets *tls_tickets_ref(struct tls_tickets *tickets);
void tls_tickets_unref(struct tls_tickets *tickets); /* NULL is fine; the keys are wiped with the last one */

/* Any thread: puts a new random key in front; of those behind it `kept` are still accepted (at most
 * TLS_TICKET_KEYS_MAX - 1). False: no random bytes, and nothing has changed. */
bool tls_tickets_rotate(struct tls_tickets *tickets, unsigned kept);

/* Any thread: these and no others from now on, the first for new tickets; 1 to TLS_TICKET_KEYS_MAX. */
void tls_tickets_set(struct tls_tickets *tickets, const struct tls_ticket_key *keys, unsigned count);

/* ---- A certificate for development --------------------------------------------------------------------------- */

struct tls_pair {
    char *chain, *key; /* PEM texts */
};

enum { TLS_SELF_SIGNED_DAYS = 90 };

/* For localhost, 127.0.0.1 and ::1, signed by itself: an EC key of P-256, valid from yesterday for
 * TLS_SELF_SIGNED_DAYS. False: `why`. */
bool tls_self_signed(struct tls_pair *pair, struct why why);
void tls_pair_free(struct tls_pair *pair); /* wipes the key */

#endif

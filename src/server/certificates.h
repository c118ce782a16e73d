/* What a server proves itself with: certificates, their keys and what belongs to them, from files that are followed. A
 * context is made of what is good, and published; what is bad is told, and never takes its place, nor keeps another
 * certificate's change from being taken.
 *
 * It knows neither listeners nor connections, and of TLS what net/tls.h says. */
#ifndef SERVER_CERTIFICATES_H
#define SERVER_CERTIFICATES_H

#include <pthread.h>

#include "base/arena.h"
#include "net/tls.h"
#include "rawhttp/tls.h"
#include "server/file_set.h"

enum {
    CERTIFICATES_LOOK_MS = 500,            /* between two looks at the files: a change is taken in the second one */
    CERTIFICATES_ROTATE_MS = 3600 * 1000,  /* the age of a ticket's key when the next one takes its place */
    CERTIFICATES_KEYS_KEPT = 24            /* how many of those before it are still accepted: a day */
};

/* Files, and the texts of them that are used. */
struct kept_files {
    struct file_set files;
    struct file_texts texts;
};

struct certificates {
    const struct log *log;
    struct arena memory;              /* of what the options say */
    struct tls_settings settings;     /* but for the texts */
    struct kept_files *kept;          /* settings.certificate_count of them: chain, key, OCSP */
    struct tls_certificate *given;    /* the same, as a context is told */
    struct kept_files client_ca, ticket_keys;
    bool self_signed;
    struct tls_pair made;             /* for that */
    struct tls_slot *slot;            /* where workers find the context */
    struct qsbr *qsbr;
    bool stale;                       /* what was taken is not published yet */
    _Atomic int64_t expires_s;
    _Atomic uint64_t taken, refused;
    unsigned look_ms, rotate_ms;
    pthread_t thread;
    int bell_fd;                      /* rung to end the thread; -1: there is none */
    _Alignas(16) char first[512];     /* of memory */
};

/* NULL: `why`. Options that an older program gives: so many bytes of each certificate are read. */
struct certificates *certificates_new(const rh_tls_options *options, size_t certificate_size, struct why why);

/* Reads the files and makes the first context, which is published there, as all later ones will be. False: `why`. */
bool certificates_load(struct certificates *certificates, struct tls_slot *slot, const struct log *log, struct why why)
    __attribute__((warn_unused_result));

/* Looks at the files, takes what is new and good, and publishes it. */
void certificates_look(struct certificates *certificates);

/* Does that again and again, and makes new keys for tickets, on a thread. False: errno. */
bool certificates_follow(struct certificates *certificates, struct qsbr *qsbr) __attribute__((warn_unused_result));
void certificates_stop(struct certificates *certificates);

/* NULL is allowed. What was published stays. */
void certificates_free(struct certificates *certificates);

#endif

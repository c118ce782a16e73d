/* A response that is prepared once and shared by any number of exchanges: pages, their 304s, error pages, constant
 * API replies. Immutable, but for the encoded heads, which are made at first use, one for each wire version.
 *
 * What a head looks like on a wire is wire's business: here it is a block of bytes with a place for the date. */
#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/hold.h"
#include "base/slice.h"

struct field_pair {
    struct slice name, value;
};

enum body_kind {
    BODY_NONE, /* Content-Length: 0, or none where the status has none */
    BODY_SPAN, /* bytes in memory */
    BODY_FILE, /* bytes of an open file, sent with sendfile */
    BODY_PULL, /* made while it is sent: chunked, or until close for 1.0 */
    BODY_PARTS /* several SPANs and FILEs, one behind the other, as in multipart/byteranges */
};

/* Writes up to `size` bytes; returns how many, 0 at the end, FAILED: the connection is cut so that the client can
 * tell; LATER: nothing now, the session will be woken. Runs on the worker's loop: must not block. */
enum { BODY_PULL_FAILED = -1, BODY_PULL_LATER = INT_MIN };
typedef long body_pull(void *user, char *out, size_t size);

/* What a response says of a file: it holds as long as nobody writes to that. Asked before each piece of the file is
 * sent, on the worker's loop. */
struct steady {
    bool (*holds)(const struct steady *steady);
};

struct body {
    enum body_kind kind;
    unsigned part_count; /* PARTS, at most OUTBOX_SPANS - 2; else 0 */
    uint64_t size;       /* SPAN and FILE; of all PARTS together; 0 for NONE */
    union {
        const char *data;         /* SPAN */
        const struct body *parts; /* PARTS: each with a hold of its own. The list is read until the response is in the
                                     outbox: in the exchange's arena it needs no hold */
        const struct steady *steady; /* FILE: lies where the hold is about; NULL: nobody asks */
    };
    int fd;              /* FILE; closed by the hold */
    uint64_t offset;     /* FILE */
    body_pull *pull;     /* PULL */
    void *user;          /* PULL */
    struct hold *hold;   /* what the bytes lie in; NULL: they outlive the server. Not counted by the body itself */
};

_Static_assert(sizeof(struct body) <= 64, "one lies in every exchange, and is cleared for every request");

/* A reference on everything that the body lies in, of its parts, too, and back. Between the two it must not change. */
void body_ref(const struct body *body);
void body_unref(const struct body *body);

enum answer_wire { ANSWER_H1, ANSWER_H2, ANSWER_WIRES };

/* A body no larger than this is kept behind each encoded head once more, so that head and body are one copy. */
enum { ENCODED_BODY_MAX = 2 * 1024 };

struct encoded {
    size_t whole_size;  /* HTTP/1: with the body behind it; 0: that is too large, or not in memory */
    size_t size;        /* with an ending, which depends on the server and the request: mostly it is the right one */
    size_t common_size; /* without */
    size_t date_at;     /* where the 29 bytes of the date belong */
    const void *ending; /* which one it is: wire's to know */
    char bytes[];
};

struct answer {
    struct hold hold;              /* its own; unused once it has been adopted */
    struct hold *life;             /* what keeps it and the bytes of its body alive: &hold, unless adopted */
    uint16_t status;
    uint16_t field_count;
    bool length_omitted;           /* 304 and 204: no Content-Length */
    struct body body;
    const struct field_pair *fields; /* in the order in which they are sent; those that only the server writes
                                        (field_settable, and Server) are not among them */
    _Atomic(struct encoded *) heads[ANSWER_WIRES];
    void (*release)(void *user);   /* called when the answer is gone, for memory that the body borrows; may be NULL */
    void *release_user;
};

struct answer_parts {
    unsigned status;
    const struct field_pair *fields;
    size_t field_count;
    struct slice body; /* borrowed, not copied, where `borrow` is set */
    bool borrow;
    void (*release)(void *user);
    void *release_user;
};

/* Copies the fields and, unless borrowed, the body, all into one block. Holds one reference, the caller's. A body for a
 * status that has none (204, 304) is dropped. NULL: no memory, or a status or field that is not valid (errno
 * EINVAL). */
struct answer *answer_new(const struct answer_parts *parts);

/* From now on the answer, which only the caller holds, lives as long as `hold`, as others may with it: references are
 * taken on that. Whoever is called when `hold` is gone frees the answer. */
void answer_adopt(struct answer *answer, struct hold *hold);

/* Frees an answer that was adopted, whose hold is gone or never began; nothing for NULL. */
void answer_free(struct answer *answer);

static inline void answer_ref(struct answer *answer)
{
    hold_ref(answer->life);
}

static inline void answer_unref(struct answer *answer)
{
    if (answer)
        hold_unref(answer->life);
}

#endif

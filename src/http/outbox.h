/* What waits to be sent, in order: small things copied side by side into one buffer, large bodies as spans of
 * memory or of a file, held by a counted reference until they have gone out.
 *
 * Sessions write here; only net/ takes out. A full outbox says so, and the session goes on when it has been drained. */
#ifndef HTTP_OUTBOX_H
#define HTTP_OUTBOX_H

#include "http/answer.h"

enum { OUTBOX_SPANS = 64, OUTBOX_COPIED_MAX = 16 * 1024 };

enum span_kind { SPAN_COPIED, SPAN_MEMORY, SPAN_FILE };

struct span {
    enum span_kind kind;
    int fd;            /* FILE */
    union {
        const char *data;            /* COPIED: within the outbox's buffer; MEMORY */
        const struct steady *steady; /* FILE: see struct body */
    };
    uint64_t offset;   /* FILE */
    uint64_t size;
    struct hold *hold; /* MEMORY, FILE: this span's own reference; may be NULL */
};

struct outbox {
    char *buffer;
    size_t size, used;
    unsigned count;
    struct span spans[OUTBOX_SPANS];
};

static inline void outbox_init(struct outbox *out, char *buffer, size_t size)
{
    out->buffer = buffer;
    out->size = size;
    out->used = 0;
    out->count = 0;
}

/* Room for `size` bytes in one piece, or NULL: full. Write there, then outbox_commit what was written. */
char *outbox_reserve(struct outbox *out, size_t size);
void outbox_commit(struct outbox *out, size_t size);

/* True where a response can be begun: room for `size` copied bytes, and for `spans` more spans behind them. */
bool outbox_fits(const struct outbox *out, size_t size, unsigned spans);

/* Copies. False: full, nothing changed. */
bool outbox_copy(struct outbox *out, struct slice bytes);

/* Take a reference of their own. False: full, nothing changed. Size 0 adds nothing. */
bool outbox_memory(struct outbox *out, struct slice bytes, struct hold *hold);
bool outbox_file(struct outbox *out, const struct body *file);

/* Lets go of everything unsent. */
void outbox_clear(struct outbox *out);

#endif

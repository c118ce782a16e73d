/* A bounded writer: bytes go into a buffer that somebody else owns, and what does not fit sets a sticky
 * mark instead of being written. So a caller writes a whole message and asks once, at its end.
 *
 * It knows nothing of what is written; no byte counting by hand anywhere else. */
#ifndef BASE_WRITER_H
#define BASE_WRITER_H

#include "base/copy.h"

struct writer {
    char *start, *at, *end;
    bool overflowed;
};

SLICE_NULL_PLUS_ZERO static inline struct writer writer_on(void *buffer, size_t size)
{
    char *start = buffer;
    return (struct writer){ start, start, start + size, false };
}

static inline size_t writer_used(const struct writer *w)
{
    return (size_t)(w->at - w->start);
}

static inline struct slice writer_slice(const struct writer *w)
{
    return (struct slice){ w->start, writer_used(w) };
}

/* Room for `size` bytes, not 0, which the caller fills. NULL: there is none, which is marked. */
static inline char *writer_take(struct writer *w, size_t size)
{
    if ((size_t)(w->end - w->at) < size) {
        w->overflowed = true;
        return NULL;
    }
    w->at += size;
    return w->at - size;
}

static inline void writer_bytes(struct writer *w, const void *data, size_t size)
{
    if ((size_t)(w->end - w->at) < size) {
        w->overflowed = true;
        return;
    }
    if (size == 0)
        return; /* `data` and the buffer may be NULL then, which memcpy does not take */
    memcpy(w->at, data, size);
    w->at += size;
}

static inline void writer_put(struct writer *w, struct slice s)
{
    writer_bytes(w, s.data, s.size);
}

/* Of what is short mostly. */
static inline __attribute__((always_inline)) void writer_short(struct writer *w, struct slice s)
{
    char *at = s.size > 0 ? writer_take(w, s.size) : NULL;
    if (at)
        copy_small(at, s);
}

static inline void writer_byte(struct writer *w, char c)
{
    writer_bytes(w, &c, 1);
}

static inline void writer_text(struct writer *w, const char *text)
{
    writer_bytes(w, text, strlen(text));
}

void writer_uint(struct writer *w, uint64_t value);
void writer_digits(struct writer *w, uint64_t value, unsigned digits); /* zero-padded to exactly `digits` */
void writer_hex(struct writer *w, uint64_t value);                     /* lower case, no leading zeros */

/* `text` as the inside of a JSON string (RFC 8259 part 7): quotes, backslashes and controls escaped; a byte
 * which is not part of valid UTF-8 becomes U+FFFD, so that the output is always valid JSON. */
void writer_json(struct writer *w, struct slice text);
void writer_json_string(struct writer *w, struct slice text); /* with the quotes around it */

/* `text` as a part of a line for people: bytes that are no character to be shown (utf8_shown) become \x1b. Where it
 * does not fit, what does is written, with no character and no escape cut. */
void writer_shown(struct writer *w, struct slice text);

/* `text` with &, <, >, " and ' as entities, for HTML text and attribute values. */
void writer_html(struct writer *w, struct slice text);

#endif

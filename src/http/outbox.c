/* Puts small things side by side and large ones in line behind them. Whoever sends takes from the front of the spans;
 * this file only adds at their end. */
#include "http/outbox.h"

/* The last span, if it is copied bytes that end where the next ones would begin; else NULL. */
static struct span *growing(struct outbox *out)
{
    struct span *last = out->count > 0 ? &out->spans[out->count - 1] : NULL;
    if (!last || last->kind != SPAN_COPIED || last->data + last->size != out->buffer + out->used)
        return NULL;
    return last;
}

char *outbox_reserve(struct outbox *out, size_t size)
{
    if (size > out->size - out->used)
        return NULL;
    if (__builtin_expect(out->count == OUTBOX_SPANS, 0) && !growing(out))
        return NULL;
    return out->buffer + out->used;
}

/* Only what is read of a run of copied bytes: all of a span is 12 instructions. */
static void begin_run(struct outbox *out, size_t size)
{
    struct span *span = &out->spans[out->count++];
    span->kind = SPAN_COPIED;
    span->data = out->buffer + out->used;
    span->size = size;
    span->hold = NULL;
}

void outbox_commit(struct outbox *out, size_t size)
{
    if (size == 0)
        return;
    struct span *last = growing(out);
    if (last)
        last->size += size;
    else
        begin_run(out, size);
    out->used += size;
}

bool outbox_fits(const struct outbox *out, size_t size, unsigned spans)
{
    return size <= out->size - out->used && spans < OUTBOX_SPANS - out->count;
}

bool outbox_copy(struct outbox *out, struct slice bytes)
{
    if (bytes.size == 0)
        return true;
    char *at = outbox_reserve(out, bytes.size);
    if (!at)
        return false;
    memcpy(at, bytes.data, bytes.size);
    outbox_commit(out, bytes.size);
    return true;
}

static bool append(struct outbox *out, const struct span *span)
{
    if (span->size == 0)
        return true;
    if (out->count == OUTBOX_SPANS)
        return false;
    hold_ref(span->hold);
    out->spans[out->count++] = *span;
    return true;
}

bool outbox_memory(struct outbox *out, struct slice bytes, struct hold *hold)
{
    return append(out, &(struct span){ .kind = SPAN_MEMORY, .data = bytes.data, .size = bytes.size, .hold = hold });
}

bool outbox_file(struct outbox *out, const struct body *file)
{
    return append(out, &(struct span){ .kind = SPAN_FILE, .fd = file->fd, .steady = file->steady,
                                       .offset = file->offset, .size = file->size, .hold = file->hold });
}

void outbox_clear(struct outbox *out)
{
    for (unsigned i = 0; i < out->count; i++)
        hold_unref(out->spans[i].hold);
    out->count = 0;
    out->used = 0;
}

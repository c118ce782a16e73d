/* The way out: spans to the socket, in order, as few calls as it takes. */
#include "net/sender.h"

static size_t advance(struct span *span, uint64_t size)
{
    size_t step = span->size < size ? (size_t)span->size : (size_t)size;
    span->size -= step;
    if (span->kind == SPAN_FILE)
        span->offset += step;
    else
        span->data += step;
    return step;
}

/* Takes `size` sent bytes off the front, letting go of each span that is out whole. */
static void forget(struct span *spans, unsigned *first, unsigned count, uint64_t size)
{
    while (*first < count) {
        struct span *span = &spans[*first];
        size -= advance(span, size);
        if (span->size > 0)
            return;
        hold_unref(span->hold);
        ++*first;
    }
}

static struct io push_file(struct transport *transport, const struct span *span)
{
    size_t share = span->size < SENDER_TURN_BYTES ? (size_t)span->size : SENDER_TURN_BYTES;
    if (span->steady != NULL && !span->steady->holds(span->steady))
        return (struct io){ IO_END, 0 };
    return transport->ops->sendfile(transport, span->fd, span->offset, share);
}

/* One system call: as many memory spans as stand in a row, or one file. */
static struct io push(struct transport *transport, const struct span *spans, unsigned first, unsigned count)
{
    const struct span *span = &spans[first];
    if (span->kind == SPAN_FILE)
        return push_file(transport, span);
    struct iovec pieces[OUTBOX_SPANS];
    unsigned used = 0;
    while (first + used < count && spans[first + used].kind != SPAN_FILE) {
        pieces[used].iov_base = (void *)spans[first + used].data;
        pieces[used].iov_len = (size_t)spans[first + used].size;
        used++;
    }
    return transport->ops->writev(transport, pieces, used, first + used < count);
}

static enum sent send_spans(struct transport *transport, struct span *spans, unsigned *first, unsigned count,
                            uint64_t *moved)
{
    while (*first < count) {
        if (*moved >= SENDER_TURN_BYTES)
            return SENT_PAUSED;
        struct io io = push(transport, spans, *first, count);
        switch (io.state) {
        case IO_DONE: break;
        case IO_AGAIN: return SENT_BLOCKED;
        case IO_END:    /* the file is no longer what the head says of it */
        case IO_FAILED: return SENT_BROKEN;
        }
        *moved += io.size;
        forget(spans, first, count, io.size);
    }
    return SENT_ALL;
}

/* The spans from `first` on, small bytes copied, since the outbox's buffer is the worker's and will be used again. */
static struct backlog *save(struct pages *pages, const struct outbox *out, unsigned first)
{
    size_t copied = 0, room;
    for (unsigned i = first; i < out->count; i++)
        copied += out->spans[i].kind == SPAN_COPIED ? (size_t)out->spans[i].size : 0;
    size_t spans_size = (out->count - first) * sizeof(struct span);
    struct backlog *backlog = pages_take(pages, sizeof *backlog + spans_size + copied, &room);
    if (backlog == NULL)
        return NULL;
    *backlog = (struct backlog){ .room = room, .count = out->count - first };
    char *at = (char *)backlog->spans + spans_size;
    for (unsigned i = 0; i < backlog->count; i++) {
        struct span *span = &backlog->spans[i];
        *span = out->spans[first + i];
        if (span->kind != SPAN_COPIED)
            continue;
        memcpy(at, span->data, (size_t)span->size);
        span->data = at;
        at += span->size;
    }
    return backlog;
}

static void release(const struct span *spans, unsigned first, unsigned count)
{
    for (unsigned i = first; i < count; i++)
        hold_unref(spans[i].hold);
}

bool sender_send_at_once(struct transport *transport, struct outbox *out)
{
    struct span *span = &out->spans[0];
    if (out->count != 1 || span->kind != SPAN_COPIED)
        return false;
    struct io io = transport->ops->write(transport, span->data, (size_t)span->size);
    if (io.size != span->size) {
        advance(span, io.size);
        return false;
    }
    out->count = 0;
    out->used = 0;
    return true;
}

enum sent sender_send(struct transport *transport, struct outbox *out, struct pages *pages, struct backlog **backlog,
                      uint64_t *moved)
{
    unsigned first = 0;
    enum sent sent = send_spans(transport, out->spans, &first, out->count, moved);
    if (sent == SENT_BLOCKED || sent == SENT_PAUSED) {
        *backlog = save(pages, out, first);
        if (*backlog == NULL)
            sent = SENT_BROKEN;
    }
    if (sent == SENT_BROKEN)
        release(out->spans, first, out->count);
    out->count = 0;
    out->used = 0;
    return sent;
}

enum sent sender_resume(struct transport *transport, struct pages *pages, struct backlog **backlog, uint64_t *moved)
{
    struct backlog *pending = *backlog;
    enum sent sent = send_spans(transport, pending->spans, &pending->first, pending->count, moved);
    if (sent == SENT_ALL) {
        pages_give(pages, pending, pending->room);
        *backlog = NULL;
    }
    return sent;
}

void backlog_free(struct pages *pages, struct backlog *backlog)
{
    if (backlog == NULL)
        return;
    release(backlog->spans, backlog->first, backlog->count);
    pages_give(pages, backlog, backlog->room);
}

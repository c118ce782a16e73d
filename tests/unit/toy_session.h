/* A session of lines, as small as one can be that has every phase, for tests of what drives sessions:
 *
 *     echo TEXT   is answered with "TEXT"       body N    takes N bytes, then says "got"
 *     big N       with N bytes, held, in spans  wait      is answered when the test says so
 *     bye         with "bye", then lingers      close     with "closing", then closes
 *     open        whatever comes is said back, raw; silence is answered with "there?", and more of it ends it; but
 *                 "pour N" is answered with N bytes, held, in spans, as long as no "stop" comes, and after "soon N" it
 *                 takes less silence, N milliseconds
 *
 * An unfinished line is a head. Who is late is told "late". It runs on a worker's thread: the book is how the test
 * knows. */
#ifndef TESTS_UNIT_TOY_SESSION_H
#define TESTS_UNIT_TOY_SESSION_H

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "http/session.h"

enum { TOY_PIECE = 8 * 1024 };

struct toy {
    struct session base;
    size_t left; /* of a big answer, or of a body */
    bool asked;  /* whether an open one is still there */
};

static struct {
    atomic_uint begun, gone, late, told; /* sessions; expired() and goodbye() calls */
    atomic_uint holds;                   /* pieces of big answers that are still held, but for the blob's own */
    _Atomic(struct session *) waiting;
} book;

static char toy_blob[TOY_PIECE];
static struct hold toy_hold;

static struct toy *toy_of(struct session *session)
{
    return (struct toy *)session;
}

static void toy_say(struct outbox *out, struct slice text)
{
    char *at = outbox_reserve(out, text.size + 1);
    assert(at);
    memcpy(at, text.data, text.size);
    at[text.size] = '\n';
    outbox_commit(out, text.size + 1);
}

static void toy_drain(struct session *session, struct outbox *out)
{
    struct toy *toy = toy_of(session);
    session->more = session->phase == SESSION_OPEN;
    while (toy->left > 0) {
        size_t piece = toy->left < TOY_PIECE ? toy->left : TOY_PIECE;
        if (!outbox_memory(out, slice_make(toy_blob, piece), &toy_hold))
            return;
        toy->left -= piece;
    }
    if (session->phase == SESSION_OPEN)
        session->more = false;
    else
        session->phase = SESSION_IDLE;
}

static size_t toy_number(struct slice line)
{
    uint64_t number = 0;
    slice_uint(slice_skip(line, slice_find(line, ' ') + 1), &number);
    return (size_t)number;
}

static void toy_act(struct session *session, struct slice line, struct outbox *out)
{
    struct toy *toy = toy_of(session);
    session->phase = SESSION_IDLE;
    if (slice_starts(line, SLICE("echo "))) {
        toy_say(out, slice_skip(line, 5));
    } else if (slice_starts(line, SLICE("body "))) {
        toy->left = toy_number(line);
        session->phase = SESSION_BODY;
    } else if (slice_starts(line, SLICE("big "))) {
        toy->left = toy_number(line);
        session->phase = SESSION_SENDING;
        toy_drain(session, out);
    } else if (slice_equal(line, SLICE("wait"))) {
        session->phase = SESSION_WAITING;
        atomic_store(&book.waiting, session);
    } else if (slice_equal(line, SLICE("open"))) {
        session->phase = SESSION_OPEN;
        atomic_store(&book.waiting, session);
    } else if (slice_equal(line, SLICE("bye"))) {
        toy_say(out, line);
        session->phase = SESSION_LINGER;
    } else {
        toy_say(out, SLICE("closing"));
        session->phase = SESSION_CLOSE;
    }
}

/* Returns how many bytes that was, whole; 0: it is nothing of the kind. */
static size_t toy_hear(struct session *session, struct slice bytes, struct outbox *out)
{
    struct toy *toy = toy_of(session);
    size_t end = slice_find(bytes, '\n');
    struct slice line = slice_part(bytes, 0, end);
    if (slice_starts(line, SLICE("pour "))) {
        toy->left = toy_number(line);
        toy_drain(session, out);
    } else if (slice_starts(line, SLICE("soon "))) {
        session->due_ms = session->host->clock->now_ms + toy_number(line);
    } else if (slice_equal(line, SLICE("stop"))) {
        toy->left = 0;
        session->more = false;
        toy_say(out, SLICE("stopped"));
    } else {
        return 0;
    }
    return end + 1;
}

static size_t toy_feed(struct session *session, struct slice bytes, struct outbox *out)
{
    struct toy *toy = toy_of(session);
    if (session->phase == SESSION_BODY) {
        size_t size = bytes.size < toy->left ? bytes.size : toy->left;
        toy->left -= size;
        if (toy->left > 0)
            return size;
        toy_say(out, SLICE("got"));
        session->phase = SESSION_IDLE;
        return size;
    }
    if (session->phase == SESSION_OPEN) {
        toy->asked = false;
        size_t heard = toy_hear(session, bytes, out);
        if (heard > 0)
            return heard;
        return outbox_copy(out, bytes) ? bytes.size : 0;
    }
    size_t end = slice_find(bytes, '\n');
    if (end == bytes.size) {
        session->phase = SESSION_HEAD;
        return 0;
    }
    toy_act(session, slice_part(bytes, 0, end), out);
    return end + 1;
}

static void toy_answered(struct session *session, struct exchange *exchange, struct outbox *out)
{
    (void)exchange;
    assert(session->phase == SESSION_WAITING);
    toy_say(out, SLICE("answered"));
    session->phase = SESSION_IDLE;
}

static void toy_woken(struct session *session, struct outbox *out)
{
    if (session->phase == SESSION_OPEN)
        toy_say(out, SLICE("woken"));
}

static void toy_expired(struct session *session, struct outbox *out)
{
    bool begun = session->phase == SESSION_HEAD || session->phase == SESSION_BODY;
    atomic_fetch_add(&book.late, 1);
    if (session->phase == SESSION_OPEN && !toy_of(session)->asked) {
        toy_of(session)->asked = true;
        session->due_ms = 0;
        toy_say(out, SLICE("there?"));
        return;
    }
    if (begun)
        toy_say(out, SLICE("late"));
    session->phase = begun ? SESSION_LINGER : SESSION_CLOSE;
}

static void toy_goodbye(struct session *session, struct outbox *out)
{
    if (session->phase == SESSION_OPEN)
        toy_say(out, SLICE("bye"));
    atomic_fetch_add(&book.told, 1);
    if (session->phase != SESSION_WAITING) /* its answer is still to come */
        session->phase = SESSION_CLOSE;
}

static bool toy_ended(struct session *session)
{
    return session->phase == SESSION_WAITING || session->phase == SESSION_SENDING;
}

static void toy_init(struct session *session)
{
    toy_of(session)->left = 0;
    toy_of(session)->asked = false;
    atomic_fetch_add(&book.begun, 1);
}

static void toy_fini(struct session *session)
{
    struct session *waiting = session;
    atomic_compare_exchange_strong(&book.waiting, &waiting, NULL);
    atomic_fetch_add(&book.gone, 1);
}

static const struct session_type toy_session_type = {
    .size = sizeof(struct toy), .init = toy_init, .feed = toy_feed, .drain = toy_drain, .answered = toy_answered,
    .woken = toy_woken,
    .expired = toy_expired, .goodbye = toy_goodbye, .ended = toy_ended, .fini = toy_fini,
};

#endif

/* Content that other threads write while it is sent: a queue under a lock, filled by anybody, emptied by the session of
 * its request, which is woken when it has found nothing and there is something again.
 *
 * The writer holds a reference and so does the response, so that either may go first. */
#include "server/listener.h"

#include "http/event.h"
#include "server/respond.h"
#include "server/sized.h"

#include <errno.h>
#include <stdlib.h>

enum { QUEUE_MAX = 256 * 1024 };

struct piece {
    struct piece *next;
    size_t size;
    char bytes[];
};

struct rh_pipe {
    struct listener listener;  /* its worker is not touched once `gone` */
    struct letter letter;
    rh_pipe_options options;
    struct exchange *exchange; /* the worker's alone */
    bool events;               /* ends when the server drains, or the client sends no more */
    pthread_mutex_t lock;      /* for what follows */
    struct piece *first, **end;
    size_t taken;              /* bytes of the first piece that have been sent */
    size_t queued;
    bool waits;                /* the session has found nothing, and has to be woken */
    bool posted;               /* the letter that wakes it is on its way */
    bool refused;              /* a write was: its writer wants to know when there is room */
    bool ended, broken;        /* by the writer */
    bool gone;                 /* the response is over */
};

static rh_pipe *of_listener(struct listener *listener)
{
    return LINK_OWNER(listener, rh_pipe, listener);
}

static void gone(struct hold *hold)
{
    rh_pipe *pipe = of_listener(LINK_OWNER(hold, struct listener, hold));
    pthread_mutex_destroy(&pipe->lock);
    free(pipe);
}

static struct pages *payer_of(const rh_pipe *pipe)
{
    return &pipe->listener.worker->net.pages;
}

/* One that was queued, and charged for. */
static void free_piece(rh_pipe *pipe, struct piece *piece)
{
    pages_discharge(payer_of(pipe), sizeof *piece + piece->size);
    free(piece);
}

/* ---- The reading end: on the worker's thread ---------------------------------------------------------------- */

/* Under the lock. */
static size_t take(rh_pipe *pipe, char *out, size_t size)
{
    size_t used = 0;
    while (pipe->first != NULL && used < size) {
        struct piece *piece = pipe->first;
        size_t left = piece->size - pipe->taken, part = left < size - used ? left : size - used;
        memcpy(out + used, piece->bytes + pipe->taken, part);
        used += part;
        pipe->taken += part;
        if (part < left)
            break;
        pipe->first = piece->next;
        pipe->taken = 0;
        free_piece(pipe, piece);
    }
    if (pipe->first == NULL)
        pipe->end = &pipe->first;
    pipe->queued -= used;
    return used;
}

/* An EventSource never closes only its own end; and where nothing happens, no write would tell that it has gone. */
static bool goes(const rh_pipe *pipe)
{
    return pipe->events && (pipe->exchange->session->host->draining || exchange_lost(pipe->exchange));
}

static long pull(void *user, char *out, size_t size)
{
    rh_pipe *pipe = user;
    pthread_mutex_lock(&pipe->lock);
    long used = (long)take(pipe, out, size);
    bool over = pipe->ended || goes(pipe), broken = pipe->broken;
    bool drained = pipe->refused && pipe->queued <= pipe->options.queue_max / 2;
    if (drained)
        pipe->refused = false;
    pipe->waits = used == 0 && !over && !broken;
    pthread_mutex_unlock(&pipe->lock);

    if (drained && pipe->options.drained != NULL)
        pipe->options.drained(pipe->options.user);
    if (broken)
        return BODY_PULL_FAILED;
    return used > 0 || over ? used : BODY_PULL_LATER;
}

static void done(void *user)
{
    rh_pipe *pipe = user;
    listener_close(&pipe->listener);
    pthread_mutex_lock(&pipe->lock);
    pipe->gone = true;
    pipe->exchange = NULL;
    while (pipe->first != NULL) {
        struct piece *piece = pipe->first;
        pipe->first = piece->next;
        free_piece(pipe, piece);
    }
    pipe->queued = 0;
    pthread_mutex_unlock(&pipe->lock);
    if (pipe->options.closed != NULL)
        pipe->options.closed(pipe->options.user);
    hold_unref(&pipe->listener.hold);
}

static void wake(struct letter *letter)
{
    rh_pipe *pipe = LINK_OWNER(letter, rh_pipe, letter);
    pthread_mutex_lock(&pipe->lock);
    pipe->posted = false;
    pthread_mutex_unlock(&pipe->lock);
    if (pipe->exchange != NULL && pipe->exchange->session != NULL)
        conn_woken(conn_of(pipe->exchange->session));
    hold_unref(&pipe->listener.hold);
}

/* ---- The writing end: any thread ---------------------------------------------------------------------------- */

/* Under the lock, so that the worker cannot go meanwhile. The session may wait again before the letter has arrived,
 * for it is woken by its client's going, too. */
static void post(rh_pipe *pipe)
{
    if (!pipe->waits || pipe->posted || pipe->gone)
        return;
    pipe->posted = true;
    hold_ref(&pipe->listener.hold);
    mailbox_post(&pipe->listener.worker->net.mailbox, &pipe->letter);
}

static struct piece *new_piece(size_t size)
{
    struct piece *piece = size < SIZE_MAX - sizeof *piece ? malloc(sizeof *piece + size) : NULL;
    if (piece != NULL) {
        piece->next = NULL;
        piece->size = size;
    }
    return piece;
}

/* Under the lock. What is queued may be more than the limit: an empty queue has taken one write of any length. */
static bool fits(const rh_pipe *pipe, size_t size)
{
    size_t max = pipe->options.queue_max, queued = pipe->queued;
    return queued == 0 || (queued <= max && size <= max - queued);
}

/* Takes the piece, or frees it. */
static bool append(rh_pipe *pipe, struct piece *piece)
{
    pthread_mutex_lock(&pipe->lock);
    bool open = !pipe->ended && !pipe->gone;
    bool taken = open && fits(pipe, piece->size) && pages_charge(payer_of(pipe), sizeof *piece + piece->size);
    pipe->refused |= open && !taken;
    if (taken) {
        *pipe->end = piece;
        pipe->end = &piece->next;
        pipe->queued += piece->size;
        post(pipe);
    }
    pthread_mutex_unlock(&pipe->lock);
    if (!taken)
        free(piece);
    return taken;
}

bool rh_pipe_write(rh_pipe *pipe, const void *data, size_t size)
{
    if (size == 0)
        return !rh_pipe_gone(pipe);
    struct piece *piece = new_piece(size);
    if (piece == NULL)
        return false;
    memcpy(piece->bytes, data, size);
    return append(pipe, piece);
}

size_t rh_pipe_queued(rh_pipe *pipe)
{
    pthread_mutex_lock(&pipe->lock);
    size_t queued = pipe->queued;
    pthread_mutex_unlock(&pipe->lock);
    return queued;
}

bool rh_pipe_gone(rh_pipe *pipe)
{
    pthread_mutex_lock(&pipe->lock);
    bool is = pipe->gone || pipe->ended;
    pthread_mutex_unlock(&pipe->lock);
    return is;
}

static void end(rh_pipe *pipe, bool broken)
{
    if (pipe == NULL)
        return;
    pthread_mutex_lock(&pipe->lock);
    pipe->ended = true;
    pipe->broken = broken;
    post(pipe);
    pthread_mutex_unlock(&pipe->lock);
    hold_unref(&pipe->listener.hold);
}

void rh_pipe_close(rh_pipe *pipe)
{
    end(pipe, false);
}

void rh_pipe_abort(rh_pipe *pipe)
{
    end(pipe, true);
}

/* ---- Events ------------------------------------------------------------------------------------------------- */

static struct slice text_of(const char *text)
{
    return text != NULL ? slice_text(text) : slice_make(NULL, 0);
}

static bool write_event(rh_pipe *pipe, const struct event *event)
{
    size_t bound = event_bound(event);
    struct piece *piece = new_piece(bound);
    if (piece == NULL)
        return false;
    struct writer w = writer_on(piece->bytes, bound);
    event_write(&w, event);
    piece->size = writer_used(&w);
    return append(pipe, piece);
}

bool rh_event_write(rh_pipe *pipe, const rh_event *given, size_t size)
{
    rh_event known;
    bool read = sized_read(&known, sizeof known, given, size);
    struct event event = { text_of(known.name), text_of(known.id), text_of(known.data), known.retry_ms };
    if (!read || !event_valid(&event)) {
        errno = EINVAL;
        return false;
    }
    return write_event(pipe, &event);
}

/* ---- As a member of topics ---------------------------------------------------------------------------------- */

/* A text becomes an event where events are awaited, and what is no text is nothing there. */
static enum heard hear(struct listener *listener, const struct broadcast *broadcast)
{
    rh_pipe *pipe = of_listener(listener);
    struct slice bytes = broadcast->payload;
    if (rh_pipe_gone(pipe) || (pipe->events && broadcast->kind != WS_TEXT))
        return HEARD;
    bool taken = pipe->events ? write_event(pipe, &(struct event){ .data = bytes })
                              : rh_pipe_write(pipe, bytes.data, bytes.size);
    return taken ? HEARD : HEARD_NOT;
}

static void cut(struct listener *listener)
{
    struct exchange *exchange = of_listener(listener)->exchange;
    if (exchange != NULL && exchange->session != NULL)
        conn_cut(conn_of(exchange->session), exchange);
}

static const struct listener_type pipe_listener = { .hear = hear, .cut = cut };

bool rh_topic_join_pipe(rh_topic *topic, rh_pipe *pipe)
{
    return listener_join(&pipe->listener, topic);
}

bool rh_topic_leave_pipe(rh_topic *topic, rh_pipe *pipe)
{
    return listener_leave(&pipe->listener, topic);
}

/* ---- Opening ------------------------------------------------------------------------------------------------ */

static rh_pipe *make(struct exchange *exchange, const rh_pipe_options *options)
{
    rh_pipe *pipe = malloc(sizeof *pipe);
    if (pipe == NULL)
        return NULL;
    *pipe = (rh_pipe){ .letter.open = wake, .exchange = exchange, .options = *options };
    if (pipe->options.queue_max == 0)
        pipe->options.queue_max = QUEUE_MAX;
    listener_init(&pipe->listener, &pipe_listener, exchange_worker(exchange), gone);
    hold_ref(&pipe->listener.hold); /* the response's */
    pthread_mutex_init(&pipe->lock, NULL);
    pipe->end = &pipe->first;
    return pipe;
}

static rh_pipe *answer_with(rh_request *request, rh_pipe *pipe, const char *type)
{
    if (pipe == NULL)
        respond_starved((struct exchange *)request);
    else
        rh_stream(request, type, pull, done, pipe);
    return pipe;
}

rh_pipe *rh_pipe_begin(rh_request *request, const rh_pipe_options *options, size_t options_size)
{
    struct exchange *exchange = (struct exchange *)request;
    rh_pipe_options known;
    if (respond_is_second(exchange) || !respond_take(exchange, &known, sizeof known, options, options_size))
        return NULL;
    return answer_with(request, make(exchange, &known), known.type != NULL ? known.type : "application/octet-stream");
}

/* Proxies that collect a response before they pass it on are asked not to. */
rh_pipe *rh_events_begin(rh_request *request, const rh_pipe_options *options, size_t options_size)
{
    struct exchange *exchange = (struct exchange *)request;
    rh_pipe_options known;
    if (respond_is_second(exchange) || !respond_take(exchange, &known, sizeof known, options, options_size))
        return NULL;
    rh_pipe *pipe = make(exchange, &known);
    if (pipe != NULL) {
        pipe->events = true;
        rh_set(request, "Cache-Control", "no-store");
        rh_set(request, "X-Accel-Buffering", "no");
    }
    return answer_with(request, pipe, "text/event-stream");
}

/* The writer's reference goes, and with it what could end the content: that is left to the response. */
void rh_topic_events(rh_topic *topic, rh_request *request)
{
    rh_pipe *pipe = rh_events_open(request, (rh_pipe_options){ .type = NULL });
    if (pipe == NULL)
        return;
    if (topic != NULL && rh_topic_join_pipe(topic, pipe))
        hold_unref(&pipe->listener.hold);
    else
        rh_pipe_abort(pipe);
}

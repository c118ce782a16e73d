/* The fake host, the fake connection and their record. */
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "parts.h"
#include "pieces.h"
#include "socket.h"
#include "wire/h1_memo.h"
#include "wire/h1_session.h"

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "stage: %s\n", what);
    abort();
}

/* ---- Texts -------------------------------------------------------------------------------------------------- */

void text_append(struct text *text, struct slice bytes)
{
    if (bytes.size == 0)
        return;
    if (bytes.size > text->room - text->size) {
        text->room = 2 * (text->size + bytes.size);
        text->data = realloc(text->data, text->room);
        require(text->data != NULL, "no memory");
    }
    memcpy(text->data + text->size, bytes.data, bytes.size);
    text->size += bytes.size;
}

void text_drop(struct text *text, size_t count)
{
    if (count == 0)
        return;
    memmove(text->data, text->data + count, text->size - count);
    text->size -= count;
}

void text_free(struct text *text)
{
    free(text->data);
    *text = (struct text){ 0 };
}

/* ---- Resources ---------------------------------------------------------------------------------------------- */

static void add_field(struct exchange *exchange, struct slice name, struct slice value)
{
    require(exchange_add_field(exchange, name, value), "a field was not added");
}

static void set_span(struct exchange *exchange, struct slice bytes, struct hold *hold)
{
    exchange->response.body = (struct body){ .kind = BODY_SPAN, .data = bytes.data, .size = bytes.size, .hold = hold };
}

static void answer_page(struct stage *stage, struct exchange *exchange)
{
    exchange_use(exchange, stage->page);
}

static void answer_large(struct stage *stage, struct exchange *exchange)
{
    exchange_use(exchange, stage->large);
}

static void answer_same(struct stage *stage, struct exchange *exchange)
{
    exchange_use(exchange, stage->same);
}

static void answer_text(struct stage *stage, struct exchange *exchange)
{
    (void)stage;
    exchange->response.status = 200;
    add_field(exchange, SLICE("Content-Type"), SLICE("text/plain"));
    add_field(exchange, SLICE("X-Second"), SLICE("two"));
    set_span(exchange, SLICE("Hello, text!\n"), NULL);
}

static void answer_none(struct stage *stage, struct exchange *exchange)
{
    (void)stage;
    exchange->response.status = 204;
}

static void answer_reset(struct stage *stage, struct exchange *exchange)
{
    (void)stage;
    exchange->response.status = 205;
    set_span(exchange, SLICE("never"), NULL);
}

static void answer_echo(struct stage *stage, struct exchange *exchange)
{
    (void)stage;
    exchange->response.status = 200;
    set_span(exchange, exchange->request.body, &exchange->hold);
}

static long pull(void *user, char *out, size_t size)
{
    struct exchange *exchange = user;
    uint64_t *offset = &exchange->response.body.offset;
    size_t left = 3 * STAGE_PIECE_SIZE - *offset;
    size_t piece = left < STAGE_PIECE_SIZE ? left : STAGE_PIECE_SIZE;
    if (exchange->response.status == 299 && *offset >= STAGE_PIECE_SIZE)
        return -1;
    if (piece > size)
        piece = size;
    for (size_t i = 0; i < piece; i++)
        out[i] = (char)('a' + (*offset + i) % 26);
    *offset += piece;
    return (long)piece;
}

static void answer_stream(struct stage *stage, struct exchange *exchange)
{
    (void)stage;
    exchange->response.status = 200;
    exchange->response.body = (struct body){ .kind = BODY_PULL, .pull = pull, .user = exchange };
}

static void answer_broken(struct stage *stage, struct exchange *exchange)
{
    answer_stream(stage, exchange);
    exchange->response.status = 299;
}

static void refuse(struct session_host *host, struct exchange *exchange, unsigned status)
{
    (void)host;
    exchange_clear_response(exchange);
    exchange->response.status = status;
    set_span(exchange, SLICE("refused\n"), NULL);
}

static void answer_parts(struct stage *stage, struct exchange *exchange)
{
    if (!parts_answer(stage, exchange))
        refuse(&stage->host, exchange, 503);
}

static void answer_socket(struct stage *stage, struct exchange *exchange)
{
    if (!socket_answer(stage, exchange))
        refuse(&stage->host, exchange, 503);
}

static void answer_later(struct stage *stage, struct exchange *exchange)
{
    if (!exchange_settle(exchange, exchange->head_size)) {
        refuse(&stage->host, exchange, 503);
        return;
    }
    hold_ref(&exchange->hold);
    exchange->deferred = true;
    stage->later = exchange;
}

struct resource {
    struct slice path;
    unsigned methods;
    enum body_plan plan;
    void (*answer)(struct stage *stage, struct exchange *exchange);
};

enum { READ = 1 << METHOD_GET | 1 << METHOD_HEAD, WRITE = 1 << METHOD_POST | 1 << METHOD_PUT };

static const struct resource resources[] = {
    { SLICE_INIT("/page"), READ, BODY_PLAN_DISCARD, answer_page },
    { SLICE_INIT("/"), READ, BODY_PLAN_DISCARD, answer_page },
    { SLICE_INIT("/a b/\xc3\xa4"), READ, BODY_PLAN_DISCARD, answer_page },
    { SLICE_INIT("/large"), READ, BODY_PLAN_DISCARD, answer_large },
    { SLICE_INIT("/text"), READ, BODY_PLAN_DISCARD, answer_text },
    { SLICE_INIT("/none"), READ, BODY_PLAN_DISCARD, answer_none },
    { SLICE_INIT("/reset"), READ, BODY_PLAN_DISCARD, answer_reset },
    { SLICE_INIT("/same"), READ, BODY_PLAN_DISCARD, answer_same },
    { SLICE_INIT("/stream"), READ, BODY_PLAN_DISCARD, answer_stream },
    { SLICE_INIT("/parts"), READ, BODY_PLAN_DISCARD, answer_parts },
    { SLICE_INIT("/broken"), READ, BODY_PLAN_DISCARD, answer_broken },
    { SLICE_INIT("/drip"), READ, BODY_PLAN_DISCARD, pieces_drip },
    { SLICE_INIT("/pieces"), WRITE, BODY_PLAN_STREAM, pieces_asked },
    { SLICE_INIT("/echo"), WRITE, BODY_PLAN_WHOLE, answer_echo },
    { SLICE_INIT("/ws"), READ, BODY_PLAN_DISCARD, answer_socket },
    { SLICE_INIT("/later"), READ | WRITE, BODY_PLAN_WHOLE, answer_later },
    { SLICE_INIT(""), 1 << METHOD_OPTIONS, BODY_PLAN_DISCARD, answer_none },
};

static void refuse_method(struct stage *stage, struct exchange *exchange, unsigned methods)
{
    char allow[64];
    struct writer w = writer_on(allow, sizeof allow);
    refuse(&stage->host, exchange, 405);
    method_write_allow(&w, methods);
    add_field(exchange, SLICE("Allow"), writer_slice(&w));
}

/* NULL: there is none, and the response says so. */
static const struct resource *find(struct stage *stage, struct exchange *exchange)
{
    const struct request *request = &exchange->request;
    if (request->method == METHOD_OTHER) {
        refuse(&stage->host, exchange, 501);
        return NULL;
    }
    for (size_t i = 0; i < sizeof resources / sizeof resources[0]; i++) {
        if (!slice_equal(resources[i].path, request->path))
            continue;
        if (resources[i].methods & method_bit(request->method))
            return &resources[i];
        refuse_method(stage, exchange, resources[i].methods);
        return NULL;
    }
    refuse(&stage->host, exchange, 404);
    return NULL;
}

/* ---- The host ----------------------------------------------------------------------------------------------- */

static void gone(struct hold *hold)
{
    struct exchange *exchange = LINK_OWNER(hold, struct exchange, hold);
    struct stage *stage = exchange->worker;
    exchange_release(exchange);
    stage->alive--;
    if (!stage->spare)
        stage->spare = exchange;
    else
        free(exchange);
}

static struct exchange *take(struct session_host *host)
{
    struct stage *stage = (struct stage *)host;
    struct exchange *exchange = stage->spare;
    stage->spare = NULL;
    if (!exchange) {
        exchange = malloc(sizeof *exchange);
        if (!exchange)
            return NULL;
        exchange_init(exchange, &stage->pages, 64 * 1024, gone);
    }
    exchange_reset(exchange);
    exchange->worker = stage;
    stage->alive++;
    stage->taken++;
    return exchange;
}

static enum body_plan head(struct session_host *host, struct exchange *exchange)
{
    struct stage *stage = (struct stage *)host;
    const struct resource *resource = find(stage, exchange);
    if (resource && resource->plan == BODY_PLAN_STREAM)
        exchange->body_max = stage->stream_max != 0 ? stage->stream_max : STAGE_STREAM_MAX;
    return resource ? resource->plan : BODY_PLAN_DISCARD;
}

static void record(struct writer *asked, const struct request *request)
{
    writer_put(asked, request->method_name);
    writer_byte(asked, ' ');
    writer_put(asked, request->path.size > 0 ? request->path : request->raw_target);
    if (request->target.has_query) {
        writer_byte(asked, '?');
        writer_put(asked, request->target.query);
    }
    if (request->body.size > 0) {
        writer_byte(asked, ' ');
        writer_put(asked, request->body);
    }
    writer_byte(asked, '\n');
}

static void request(struct session_host *host, struct exchange *exchange)
{
    struct stage *stage = (struct stage *)host;
    require(!exchange_answered(exchange), "asked for what was answered already");
    record(&stage->asked, &exchange->request);
    const struct resource *resource = find(stage, exchange);
    if (resource)
        resource->answer(stage, exchange);
}

/* Looks at all that a log would look at, so that whatever is no longer there is found. */
static void finished(struct session_host *host, struct exchange *exchange, uint64_t body_bytes)
{
    struct stage *stage = (struct stage *)host;
    const struct request *request = &exchange->request;
    const struct fields *fields = &request->fields;
    char copy[2048];
    struct writer w = writer_on(copy, sizeof copy);
    writer_put(&w, request->method_name);
    writer_put(&w, request->raw_target);
    writer_put(&w, request->path);
    writer_put(&w, request->peer);
    for (unsigned i = 0; i < fields->count; i++)
        writer_put(&w, fields_value(fields, i));
    stage->finished++;
    stage->last_status = exchange->response.status;
    stage->last_bytes = body_bytes;
    hold_unref(&exchange->hold);
}

/* ---- The stage ---------------------------------------------------------------------------------------------- */

static struct answer *prepare(unsigned status, struct slice body)
{
    static const struct field_pair type = { SLICE_INIT("Content-Type"), SLICE_INIT("text/plain") };
    struct answer *answer = answer_new(&(struct answer_parts){ status, &type, 1, body, .borrow = false });
    require(answer != NULL, "no memory");
    return answer;
}

static struct answer *prepare_large(void)
{
    char *bytes = malloc(STAGE_LARGE_SIZE);
    require(bytes != NULL, "no memory");
    for (size_t i = 0; i < STAGE_LARGE_SIZE; i++)
        bytes[i] = (char)('A' + i % 26);
    struct answer *answer = prepare(200, slice_make(bytes, STAGE_LARGE_SIZE));
    free(bytes);
    return answer;
}

void stage_init(struct stage *stage, size_t outbox_size)
{
    *stage = (struct stage){
        .host = { .server_field = true, .take = take, .head = head, .request = request,
                  .received = pieces_received, .refuse = refuse, .finished = finished },
        .limits = { .request_line_max = 200, .head_max = 1000, .fields_max = 20, .body_max = 100, .discard_max = 200,
                    .pipelined_max = 4 },
        .clock = { .now_ms = 1000, .unix_s = 784111777, .date = "Sun, 06 Nov 1994 08:49:37 GMT" },
    };
    stage->host.clock = &stage->clock;
    stage->host.limits = &stage->limits;
    stage->asked = writer_on(stage->asked_bytes, sizeof stage->asked_bytes);
    pages_init(&stage->pages, 1 << 20);
    stage->sockets.pages = &stage->pages;
    stage->limits.streams_max = 8;
    stage->limits.head_timeout_ms = stage->limits.body_timeout_ms = 10000;
    stage->limits.send_timeout_ms = stage->limits.quiet_timeout_ms = 20000;
    stage->limits.body_rate_min = 10;
    require(h2_worker_init(&stage->h2, &stage->pages, &stage->limits), "no memory");
    stage->host.h2 = &stage->h2;
    char *buffer = malloc(outbox_size);
    require(buffer != NULL, "no memory");
    outbox_init(&stage->outbox, buffer, outbox_size);
    stage->page = prepare(200, SLICE("Hello, page!\n"));
    stage->large = prepare_large();
    stage->file = parts_file(&stage->large->body);
    require(stage->file >= 0, "no file");
    hold_init(&stage->file_hold, NULL);
    stage->same = prepare(304, slice_make(NULL, 0));
}

void stage_remember(struct stage *stage)
{
    stage_forget(stage);
    stage->host.memo = h1_memo_new();
    require(stage->host.memo != NULL, "no memory");
}

void stage_forget(struct stage *stage)
{
    free(stage->host.memo);
    stage->host.memo = NULL;
}

void stage_fini(struct stage *stage)
{
    stage_close(stage);
    stage_forget(stage);
    require(stage->alive == 0, "an exchange was leaked");
    require(atomic_load(&stage->page->hold.count) == 1, "a reference on an answer was leaked");
    require(atomic_load(&stage->large->hold.count) == 1, "a reference on an answer was leaked");
    require(atomic_load(&stage->file_hold.count) == 1, "a reference on a file was leaked");
    close(stage->file);
    free(stage->spare);
    ws_inflater_free(stage->sockets.inflater);
    require(stage->h2.connections.taken_count == 0, "an HTTP/2 connection was leaked");
    require(stage->h2.streams.taken_count == 0, "a stream was leaked");
    h2_worker_fini(&stage->h2);
    require(stage->pages.taken_bytes == 0, "pages were leaked");
    answer_unref(stage->page);
    answer_unref(stage->large);
    answer_unref(stage->same);
    pages_fini(&stage->pages);
    free(stage->outbox.buffer);
    text_free(&stage->input);
    text_free(&stage->output);
}

void stage_open_as(struct stage *stage, const struct session_type *type)
{
    require(stage->session == NULL, "one connection at a time");
    struct session *session = malloc(type->size);
    require(session != NULL, "no memory");
    *session = (struct session){ .type = type, .host = &stage->host, .peer = "192.0.2.1", .peer_size = 9 };
    session->type->init(session);
    stage->session = session;
}

void stage_open(struct stage *stage)
{
    stage_open_as(stage, &h1_session_type);
}

void stage_close(struct stage *stage)
{
    if (!stage->session)
        return;
    stage->session->type->fini(stage->session);
    free(stage->session);
    stage->session = NULL;
    outbox_clear(&stage->outbox);
    text_drop(&stage->input, stage->input.size);
}

static void send_file(struct stage *stage, const struct span *span)
{
    char *block = malloc(span->size);
    require(block && pread(span->fd, block, span->size, (off_t)span->offset) == (ssize_t)span->size, "no such file");
    text_append(&stage->output, slice_make(block, span->size));
    free(block);
}

void stage_flush(struct stage *stage)
{
    for (unsigned i = 0; i < stage->outbox.count; i++) {
        const struct span *span = &stage->outbox.spans[i];
        if (span->kind == SPAN_FILE)
            send_file(stage, span);
        else
            text_append(&stage->output, slice_make(span->data, span->size));
    }
    outbox_clear(&stage->outbox);
}

static size_t feed(struct stage *stage)
{
    size_t size = stage->input.size;
    char *block = malloc(size);
    require(block != NULL, "no memory");
    memcpy(block, stage->input.data, size);
    stage->inside = true;
    size_t used = stage->session->type->feed(stage->session, slice_make(block, size), &stage->outbox);
    stage->inside = false;
    free(block);
    require(used <= size, "more was consumed than there was");
    text_drop(&stage->input, used);
    return used;
}

static void drain(struct stage *stage)
{
    stage->inside = true;
    stage->session->type->drain(stage->session, &stage->outbox);
    stage->inside = false;
    bool sends = stage->session->phase == SESSION_SENDING || stage->session->more;
    require(!sends || stage->outbox.count > 0, "it sends for ever, and nothing");
}

static void answer_deferred(struct exchange *exchange)
{
    char *copy = arena_take(&exchange->arena, 7 + exchange->request.body.size);
    struct writer w = writer_on(copy, copy ? 7 + exchange->request.body.size : 0);
    writer_text(&w, "later: ");
    writer_put(&w, exchange->request.body);
    exchange->response.status = 200;
    set_span(exchange, writer_slice(&w), &exchange->hold);
}

void stage_answer(struct stage *stage)
{
    struct exchange *exchange = stage->later;
    require(exchange != NULL, "nothing was deferred");
    stage->later = NULL;
    if (!pieces_return(exchange))
        answer_deferred(exchange);
    exchange->deferred = false;
    stage->inside = true;
    if (exchange->session)
        exchange->session->type->answered(exchange->session, exchange, &stage->outbox);
    stage->inside = false;
    hold_unref(&exchange->hold);
}

static void wake(struct stage *stage)
{
    stage->inside = true;
    stage->session->type->woken(stage->session, &stage->outbox);
    stage->inside = false;
}

/* One thing that a connection would do now. False: there is nothing. */
static bool turn(struct stage *stage)
{
    enum session_phase before = stage->session->phase;
    switch (before) {
    case SESSION_FRESH:
    case SESSION_IDLE:
    case SESSION_HEAD:
    case SESSION_BODY:
    case SESSION_LINGER:
    case SESSION_CLOSE:
        return stage->input.size > 0 && (feed(stage) > 0 || stage->session->phase != before);
    case SESSION_OPEN:
        if (stage->later && !stage->slow) {
            stage_answer(stage);
            return true;
        }
        if (stage->session->more && !stage->stuck) {
            drain(stage);
            return true;
        }
        return stage->input.size > 0 && (feed(stage) > 0 || stage->session->phase != before);
    case SESSION_WAITING:
        if (stage->slow)
            return false;
        if (stage->later)
            stage_answer(stage);
        else
            wake(stage);
        return true;
    case SESSION_SENDING:
        if (stage->stuck)
            return false;
        drain(stage);
        return true;
    }
    return false;
}

void stage_go_on(struct stage *stage)
{
    while (turn(stage))
        if (!stage->stuck)
            stage_flush(stage);
    if (!stage->stuck)
        stage_flush(stage);
}

void stage_send(struct stage *stage, struct slice bytes)
{
    text_append(&stage->input, bytes);
    stage_go_on(stage);
}

void stage_expire(struct stage *stage)
{
    stage->inside = true;
    stage->session->type->expired(stage->session, &stage->outbox);
    stage->inside = false;
    stage_go_on(stage);
}

void stage_goodbye(struct stage *stage)
{
    stage->session->type->goodbye(stage->session, &stage->outbox);
    stage_go_on(stage);
}

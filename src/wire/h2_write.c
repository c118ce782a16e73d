/* Heads. A prepared answer's is encoded once, without the connection's table, so that every connection can send it:
 * each response is then a copy with the date put in. Others are encoded with the table. */
#include "wire/h2_write.h"

#include <assert.h>
#include <stdlib.h>

#include "http/hsts.h"
#include "http/status.h"

static const struct body no_body = { .kind = BODY_NONE };

/* The part of a head that is not the same for all. */
struct head {
    unsigned status, field_count;
    const struct field_pair *fields;
    bool has_length;
    uint64_t length;
};

/* A block that is about to be written: encoded, or still to be. */
struct block {
    const struct encoded *encoded; /* or NULL */
    struct head head;
    const struct slice *hsts;      /* behind it; NULL: none */
    size_t bound;
};

static const struct slice server_name = SLICE_INIT("server"), server_value = SLICE_INIT("rawhttp");

enum { LENGTH_DIGITS = 20 };

/* ---- What is in it ------------------------------------------------------------------------------------------- */

const struct body *h2_content_of(const struct exchange *exchange)
{
    const struct response *response = &exchange->response;
    const struct body *body = response->answer ? &response->answer->body : &response->body;
    bool silent = exchange->request.method == METHOD_HEAD || status_contentless(response->status);
    return silent ? &no_body : body;
}

static struct head head_of_answer(const struct answer *answer)
{
    bool empty = answer->body.kind == BODY_NONE || status_contentless(answer->status);
    return (struct head){
        .status = answer->status, .fields = answer->fields, .field_count = answer->field_count,
        .has_length = !answer->length_omitted && !status_bodiless(answer->status),
        .length = empty ? 0 : answer->body.size,
    };
}

/* Content-Length is what GET would have: HEAD has the same fields (RFC 9110 9.3.2), and a BODY_NONE may announce a size
 * that was never loaded. */
static struct head head_of_response(const struct exchange *exchange)
{
    const struct response *response = &exchange->response;
    const struct body *body = &response->body;
    bool none = body->kind == BODY_NONE && exchange->request.method != METHOD_HEAD;
    return (struct head){
        .status = response->status, .fields = response->fields, .field_count = response->field_count,
        .has_length = !status_bodiless(response->status) && body->kind != BODY_PULL,
        .length = none || status_contentless(response->status) ? 0 : body->size,
    };
}

/* RFC 9113 8.2.2: what a handler says of the connection is for HTTP/1 alone. */
static bool speaks_of_connection(struct slice name)
{
    switch (name.size) {
    case sizeof "upgrade" - 1: return slice_equal_nocase(name, SLICE("upgrade"));
    case sizeof "keep-alive" - 1: return slice_equal_nocase(name, SLICE("keep-alive"));
    case sizeof "proxy-connection" - 1: return slice_equal_nocase(name, SLICE("proxy-connection"));
    default: return false;
    }
}

static size_t bound_of(const struct head *head)
{
    size_t bound = HPACK_STATUS_BOUND + HPACK_DATE_BOUND + hpack_encode_bound(server_name, server_value);
    bound += hpack_encode_bound(field_name(FIELD_CONTENT_LENGTH), slice_make(NULL, LENGTH_DIGITS));
    for (unsigned i = 0; i < head->field_count; i++)
        bound += hpack_encode_bound(head->fields[i].name, head->fields[i].value);
    return bound;
}

static struct slice length_text(const struct head *head, char digits[LENGTH_DIGITS])
{
    struct writer w = writer_on(digits, LENGTH_DIGITS);
    writer_uint(&w, head->length);
    return writer_slice(&w);
}

/* ---- Prepared ------------------------------------------------------------------------------------------------ */

/* All but Server. Returns where the date stands. */
static size_t encode(struct writer *w, const struct head *head, const char *date)
{
    char digits[LENGTH_DIGITS];
    hpack_encode_status(w, head->status);
    hpack_encode_date(w, date);
    size_t date_at = writer_used(w) - CLOCK_DATE_SIZE;
    for (unsigned i = 0; i < head->field_count; i++)
        if (!speaks_of_connection(head->fields[i].name))
            hpack_encode_field(w, head->fields[i].name, head->fields[i].value);
    if (head->has_length)
        hpack_encode_field(w, field_name(FIELD_CONTENT_LENGTH), length_text(head, digits));
    return date_at;
}

/* NULL: no memory. Two workers may both encode it: the first one to publish wins, and both encoded the same. */
RARE static struct encoded *encode_answer(struct answer *answer, const struct clock *clock)
{
    struct head head = head_of_answer(answer);
    size_t bound = bound_of(&head);
    struct encoded *made = malloc(sizeof *made + bound), *other = NULL;
    if (!made)
        return NULL;
    struct writer w = writer_on(made->bytes, bound);
    made->date_at = encode(&w, &head, clock->date);
    made->common_size = writer_used(&w);
    made->ending = NULL;
    hpack_encode_field(&w, server_name, server_value);
    made->size = writer_used(&w);
    assert(!w.overflowed);
    if (atomic_compare_exchange_strong_explicit(&answer->heads[ANSWER_H2], &other, made, memory_order_acq_rel,
                                                memory_order_acquire))
        return made;
    free(made);
    return other;
}

static struct block block_of(const struct exchange *exchange, const struct session_host *host)
{
    const struct clock *clock = host->clock;
    struct answer *answer = exchange->response.answer;
    struct block block = { .hsts = host->hsts.size > 0 && hsts_owed(exchange) ? &host->hsts : NULL };
    if (answer) {
        block.encoded = atomic_load_explicit(&answer->heads[ANSWER_H2], memory_order_acquire);
        if (!block.encoded)
            block.encoded = encode_answer(answer, clock);
        block.head = block.encoded ? block.head : head_of_answer(answer); /* no memory to keep it in */
    } else {
        block.head = head_of_response(exchange);
    }
    block.bound = HPACK_BEGIN_BOUND + (block.encoded ? block.encoded->size : bound_of(&block.head));
    if (block.hsts)
        block.bound += hpack_encode_bound(SLICE(HSTS_NAME), *block.hsts);
    return block;
}

static void put_encoded(struct writer *w, const struct encoded *encoded, const struct session_host *host)
{
    char *at = w->at;
    writer_bytes(w, encoded->bytes, host->server_field ? encoded->size : encoded->common_size);
    memcpy(at + encoded->date_at, host->clock->date, CLOCK_DATE_SIZE);
}

/* ---- Of the moment ------------------------------------------------------------------------------------------- */

RARE static void put_built(struct h2_connection *c, struct writer *w, const struct head *head)
{
    const struct session_host *host = h2_host(c);
    struct hpack_encoder *encoder = &c->encoder;
    char digits[LENGTH_DIGITS];
    hpack_encode_status(w, head->status);
    hpack_encode_date(w, host->clock->date);
    for (unsigned i = 0; i < head->field_count; i++)
        if (!speaks_of_connection(head->fields[i].name))
            hpack_encoder_field(encoder, w, head->fields[i].name, head->fields[i].value);
    if (head->has_length)
        hpack_encoder_field(encoder, w, field_name(FIELD_CONTENT_LENGTH), length_text(head, digits));
    if (host->server_field)
        hpack_encoder_field(encoder, w, server_name, server_value);
}

/* ---- Frames -------------------------------------------------------------------------------------------------- */

static size_t heads_size(size_t bound)
{
    return (1 + bound / H2_FRAME_MAX) * (size_t)H2_FRAME_HEAD;
}

/* Makes frames of a block that lies behind the place for the first one's head: HEADERS, and CONTINUATIONs where it is
 * too large (6.10). Returns how many bytes they have. */
static size_t frame_block(char *at, size_t size, uint32_t id, uint8_t flags)
{
    size_t frames = size == 0 ? 1 : (size + H2_FRAME_MAX - 1) / H2_FRAME_MAX;
    for (size_t i = frames; i-- > 0;) { /* from the last one on, each moves by the heads before it */
        bool last = i == frames - 1;
        size_t piece = last ? size - i * H2_FRAME_MAX : H2_FRAME_MAX;
        char *to = at + i * (H2_FRAME_MAX + H2_FRAME_HEAD);
        struct h2_frame frame = { .size = (uint32_t)piece, .id = id, .type = H2_CONTINUATION };
        if (i > 0)
            memmove(to + H2_FRAME_HEAD, at + H2_FRAME_HEAD + i * H2_FRAME_MAX, piece);
        else
            frame.type = H2_HEADERS;
        frame.flags = (uint8_t)((last ? H2_END_HEADERS : 0) | (i == 0 ? flags : 0));
        h2_frame_put(to, &frame);
    }
    return size + frames * H2_FRAME_HEAD;
}

static size_t put_data(char *at, uint32_t id, const struct body *body)
{
    const struct h2_frame frame = { .size = (uint32_t)body->size, .id = id, .type = H2_DATA, .flags = H2_END_STREAM };
    h2_frame_put(at, &frame);
    memcpy(at + H2_FRAME_HEAD, body->data, body->size);
    return H2_FRAME_HEAD + body->size;
}

/* Small enough to be copied behind its head, and to go at once. */
static bool goes_along(const struct h2_connection *c, const struct h2_stream *stream, const struct body *body)
{
    return body->kind == BODY_SPAN && body->size <= H2_FRAME_MAX && (int64_t)body->size <= c->send_window &&
           (int64_t)body->size <= stream->send_window;
}

static bool has_content(const struct body *body)
{
    return body->kind == BODY_PULL || (body->kind != BODY_NONE && body->size > 0);
}

enum h2_written h2_write_head(struct h2_connection *c, struct h2_stream *stream, bool along, struct outbox *out)
{
    const struct exchange *exchange = stream->exchange;
    const struct body *body = h2_content_of(exchange);
    struct block block = block_of(exchange, h2_host(c));
    bool content = has_content(body), copied = content && along && goes_along(c, stream, body);
    size_t size = heads_size(block.bound) + block.bound + (copied ? H2_FRAME_HEAD + (size_t)body->size : 0);
    if (!h2_has_room(out, size + H2_RESET_SIZE))
        return out->count == 0 ? H2_WRITTEN_BROKEN : H2_WRITTEN_FULL;
    char *at = outbox_reserve(out, size);
    struct writer w = writer_on(at + H2_FRAME_HEAD, block.bound);
    hpack_encoder_begin(&c->encoder, &w);
    if (block.encoded)
        put_encoded(&w, block.encoded, h2_host(c));
    else
        put_built(c, &w, &block.head);
    if (block.hsts)
        hpack_encode_field(&w, SLICE(HSTS_NAME), *block.hsts);
    assert(!w.overflowed);
    size_t used = frame_block(at, writer_used(&w), stream->turn.id, content ? 0 : H2_END_STREAM);
    if (copied) {
        used += put_data(at + used, stream->turn.id, body);
        c->send_window -= (int32_t)body->size;
        stream->sent = body->size;
    }
    outbox_commit(out, used);
    stream->head_sent = true;
    return content && !copied ? H2_WRITTEN_MORE : H2_WRITTEN_END;
}

bool h2_write_continue(struct h2_connection *c, uint32_t id, struct outbox *out)
{
    enum { BOUND = HPACK_BEGIN_BOUND + HPACK_STATUS_BOUND };
    if (!h2_has_room(out, H2_FRAME_HEAD + BOUND))
        return false;
    char *at = outbox_reserve(out, H2_FRAME_HEAD + BOUND);
    struct writer w = writer_on(at + H2_FRAME_HEAD, BOUND);
    hpack_encoder_begin(&c->encoder, &w);
    hpack_encode_status(&w, 100);
    outbox_commit(out, frame_block(at, writer_used(&w), id, 0));
    return true;
}

/* ---- Trailers ------------------------------------------------------------------------------------------------ */

enum h2_written h2_write_trailers(struct h2_connection *c, struct h2_stream *stream, struct outbox *out)
{
    const struct response *response = &stream->exchange->response;
    size_t bound = HPACK_BEGIN_BOUND;
    for (unsigned i = 0; i < response->trailer_count; i++)
        bound += hpack_encode_bound(response->trailers[i].name, response->trailers[i].value);
    size_t size = heads_size(bound) + bound;
    if (!h2_has_room(out, size + H2_RESET_SIZE))
        return out->count == 0 ? H2_WRITTEN_BROKEN : H2_WRITTEN_FULL;
    char *at = outbox_reserve(out, size);
    struct writer w = writer_on(at + H2_FRAME_HEAD, bound);
    hpack_encoder_begin(&c->encoder, &w);
    for (unsigned i = 0; i < response->trailer_count; i++)
        hpack_encoder_field(&c->encoder, &w, response->trailers[i].name, response->trailers[i].value);
    outbox_commit(out, frame_block(at, writer_used(&w), stream->turn.id, H2_END_STREAM));
    return H2_WRITTEN_END;
}

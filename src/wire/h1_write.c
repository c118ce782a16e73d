/* HTTP/1.x responses: heads and content into the outbox.
 *
 * A prepared answer's head is encoded once, up to where requests begin to differ; each response is then one reservation
 * and a few copies. It refuses to know where the bytes go afterwards and why a response is what it is. */
#include "wire/h1_write.h"

#include <assert.h>
#include <stdlib.h>

#include "base/writer.h"
#include "http/hsts.h"
#include "http/status.h"
#include "wire/h1_field.h"

/* What can stand at most around the reason phrase, in the Date line, and in the line that frames the content. */
enum { LINE_BOUND = 16, DATE_BOUND = 40, FRAMING_BOUND = 40 };

/* What stands around the value of Strict-Transport-Security. */
enum { HSTS_AROUND = sizeof HSTS_NAME ": \r\n" - 1 };

/* A part as small as what stands between two ranges is copied, if there is room: a run less, and no count touched. */
enum { PART_COPIED_MAX = 1024 };

enum framing { FRAMING_NONE, FRAMING_LENGTH, FRAMING_CHUNKED };

/* The part of a head that is the same for every request it answers. */
struct head {
    unsigned status;
    unsigned field_count;
    const struct field_pair *fields;
    enum framing framing;
    uint64_t length;
};

/* What one response puts behind that part. */
struct rest {
    const struct slice *ending; /* to the empty line */
    const struct slice *hsts;   /* before that; NULL: none */
    const struct body *body;    /* BODY_NONE where nothing is sent */
    size_t copied;              /* bytes of the body that are copied behind the head: all or none */
};

/* Out of line, so that a response with an encoded head, which is nearly every one, pays nothing for the rare ones. */
#define RARE __attribute__((noinline))
#define ALWAYS_INLINE inline __attribute__((always_inline))

static const struct body no_body = { .kind = BODY_NONE };

/* Server and Connection stand last because they depend on the server and on the request: an answer can be shared by
 * several servers of one process. */
enum persistence { PERSISTENCE_IMPLIED, PERSISTENCE_CLOSE, PERSISTENCE_KEEP_ALIVE };

static const struct slice endings[2][3] = {
    {
        [PERSISTENCE_IMPLIED] = SLICE_INIT("\r\n"),
        [PERSISTENCE_CLOSE] = SLICE_INIT("Connection: close\r\n\r\n"),
        [PERSISTENCE_KEEP_ALIVE] = SLICE_INIT("Connection: keep-alive\r\n\r\n"),
    },
    {
        [PERSISTENCE_IMPLIED] = SLICE_INIT("Server: rawhttp\r\n\r\n"),
        [PERSISTENCE_CLOSE] = SLICE_INIT("Server: rawhttp\r\nConnection: close\r\n\r\n"),
        [PERSISTENCE_KEEP_ALIVE] = SLICE_INIT("Server: rawhttp\r\nConnection: keep-alive\r\n\r\n"),
    },
};

static enum persistence persistence_of(const struct exchange *exchange)
{
    if (exchange->response.close)
        return PERSISTENCE_CLOSE;
    /* RFC 9112 9.3: a 1.0 client that asked to go on has to be told that it may. */
    return exchange->request.version < 11 ? PERSISTENCE_KEEP_ALIVE : PERSISTENCE_IMPLIED;
}

static size_t head_bound(const struct head *head)
{
    size_t bound = LINE_BOUND + status_reason(head->status).size + DATE_BOUND + FRAMING_BOUND;
    for (unsigned i = 0; i < head->field_count; i++)
        bound += h1_field_bound(&head->fields[i]);
    return bound;
}

static ALWAYS_INLINE void write_framing(struct writer *w, const struct head *head)
{
    if (head->framing == FRAMING_CHUNKED) {
        writer_short(w, SLICE("Transfer-Encoding: chunked\r\n"));
    } else if (head->framing == FRAMING_LENGTH) {
        writer_short(w, SLICE("Content-Length: "));
        writer_uint(w, head->length);
        writer_short(w, SLICE("\r\n"));
    }
}

/* The version is ours, not the request's (RFC 9110 2.5). */
RARE static struct writer write_status(struct writer w, unsigned status)
{
    writer_put(&w, SLICE("HTTP/1.1 "));
    writer_digits(&w, status, 3);
    writer_byte(&w, ' ');
    writer_put(&w, status_reason(status));
    writer_put(&w, SLICE("\r\nDate: "));
    return w;
}

/* All but the ending. Returns where the date stands. */
static ALWAYS_INLINE size_t encode(struct writer *w, const struct head *head, const struct clock *clock)
{
    if (head->status == 200)
        writer_short(w, SLICE("HTTP/1.1 200 OK\r\nDate: "));
    else
        *w = write_status(*w, head->status);
    size_t date_at = writer_used(w);
    writer_short(w, slice_make(clock->date, CLOCK_DATE_SIZE));
    writer_short(w, SLICE("\r\n"));
    for (unsigned i = 0; i < head->field_count; i++)
        h1_field_write(w, &head->fields[i]);
    write_framing(w, head);
    return date_at;
}

/* ---- Into the outbox --------------------------------------------------------------------------------------- */

static struct rest rest_of(const struct exchange *exchange, const struct session_host *host, const struct body *body)
{
    bool silent = exchange->request.method == METHOD_HEAD;
    return (struct rest){
        .ending = &endings[host->server_field][persistence_of(exchange)],
        .hsts = host->hsts.size > 0 && hsts_owed(exchange) ? &host->hsts : NULL,
        .body = silent ? &no_body : body,
    };
}

/* Room for a head of `size` bytes, its ending included, and what follows it; NULL where there is none now. */
static char *reserve(struct outbox *out, size_t size, struct rest *rest)
{
    const struct body *body = rest->body;
    if (body->kind == BODY_SPAN && body->size <= OUTBOX_COPIED_MAX && size + body->size <= out->size) {
        rest->copied = body->size;
        return outbox_reserve(out, size + rest->copied);
    }
    unsigned spans = 1 + body->part_count; /* one too many for parts: telling them apart costs a page 2 instructions */
    return outbox_fits(out, size, spans) ? outbox_reserve(out, size) : NULL;
}

/* An empty outbox that has no room will never have any. */
static enum h1_write_result no_room(const struct outbox *out)
{
    return out->count == 0 ? H1_WRITE_BROKEN : H1_WRITE_FULL;
}

static bool place_part(struct outbox *out, const struct body *part)
{
    if (part->kind == BODY_FILE)
        return outbox_file(out, part);
    assert(part->kind == BODY_SPAN);
    struct slice bytes = slice_make(part->data, part->size);
    return (bytes.size <= PART_COPIED_MAX && outbox_copy(out, bytes)) || outbox_memory(out, bytes, part->hold);
}

RARE static bool place_parts(struct outbox *out, const struct body *body)
{
    uint64_t size = 0;
    for (unsigned i = 0; i < body->part_count; i++) {
        if (!place_part(out, &body->parts[i]))
            return false;
        size += body->parts[i].size;
    }
    return size == body->size; /* the length that was announced */
}

/* Content that is sent from where it lies, or made on the way. */
static enum h1_write_result write_spans(struct outbox *out, const struct body *body, uint64_t *body_bytes)
{
    bool placed = true;
    *body_bytes = 0;
    switch (body->kind) {
    case BODY_NONE:
        return H1_WRITE_DONE;
    case BODY_PULL:
        return H1_WRITE_PULL;
    case BODY_SPAN:
        placed = outbox_memory(out, slice_make(body->data, body->size), body->hold);
        break;
    case BODY_FILE:
        placed = outbox_file(out, body);
        break;
    case BODY_PARTS:
        placed = place_parts(out, body);
        break;
    }
    assert(placed); /* reserve() made sure of the room */
    *body_bytes = body->size;
    return H1_WRITE_DONE;
}

/* The head is committed; now the content that was not copied with it. */
static inline enum h1_write_result write_content(struct outbox *out, const struct rest *rest, uint64_t *body_bytes)
{
    if (rest->copied == 0)
        return write_spans(out, rest->body, body_bytes);
    *body_bytes = rest->copied;
    return H1_WRITE_DONE;
}

/* ---- Prepared answers -------------------------------------------------------------------------------------- */

static struct head head_of_answer(const struct answer *answer)
{
    bool none = answer->length_omitted || status_bodiless(answer->status);
    bool empty = answer->body.kind == BODY_NONE || status_contentless(answer->status);
    return (struct head){
        .status = answer->status,
        .fields = answer->fields,
        .field_count = answer->field_count,
        .framing = none ? FRAMING_NONE : FRAMING_LENGTH,
        .length = empty ? 0 : answer->body.size,
    };
}

/* What is kept of the body behind its head. */
static struct slice kept_body(const struct body *body)
{
    bool small = body->kind == BODY_SPAN && body->size <= ENCODED_BODY_MAX;
    return small ? slice_make(body->data, body->size) : SLICE("");
}

/* NULL: no memory. Two workers may both encode it: the first one to publish wins, and both encoded the same. */
RARE static struct encoded *encode_answer(struct answer *answer, const struct session_host *host)
{
    struct head head = head_of_answer(answer);
    struct slice body = kept_body(&answer->body);
    const struct slice *ending = &endings[host->server_field][PERSISTENCE_IMPLIED];
    size_t bound = head_bound(&head) + ending->size + body.size;
    struct encoded *made = malloc(sizeof *made + bound);
    if (!made)
        return NULL;
    struct writer w = writer_on(made->bytes, bound);
    made->date_at = encode(&w, &head, host->clock);
    made->common_size = writer_used(&w);
    made->ending = ending;
    writer_put(&w, *ending);
    made->size = writer_used(&w);
    writer_put(&w, body);
    made->whole_size = answer->body.size == body.size ? writer_used(&w) : 0;
    assert(!w.overflowed);

    struct encoded *other = NULL;
    if (atomic_compare_exchange_strong_explicit(&answer->heads[ANSWER_H1], &other, made, memory_order_acq_rel,
                                                memory_order_acquire))
        return made;
    free(made);
    return other;
}

static const struct encoded *encoded_head(struct answer *answer, const struct session_host *host)
{
    const struct encoded *head = atomic_load_explicit(&answer->heads[ANSWER_H1], memory_order_acquire);
    return head ? head : encode_answer(answer, host);
}

static bool is_usual(const struct encoded *head, const struct exchange *exchange, const struct session_host *host)
{
    bool hsts = host->hsts.size > 0 && hsts_owed(exchange);
    return persistence_of(exchange) == PERSISTENCE_IMPLIED && exchange->request.method != METHOD_HEAD && !hsts &&
           head->ending == &endings[host->server_field][PERSISTENCE_IMPLIED];
}

/* The response is what was encoded, head and body. False: it does not fit. */
static bool write_whole(const struct encoded *head, const struct clock *clock, struct outbox *out,
                        uint64_t *body_bytes)
{
    char *at = outbox_reserve(out, head->whole_size);
    if (!at)
        return false;
    memcpy(at, head->bytes, head->whole_size);
    memcpy(at + head->date_at, clock->date, CLOCK_DATE_SIZE);
    outbox_commit(out, head->whole_size);
    *body_bytes = head->whole_size - head->size;
    return true;
}

static size_t rest_size(const struct rest *rest)
{
    return rest->ending->size + (rest->hsts ? HSTS_AROUND + rest->hsts->size : 0);
}

static ALWAYS_INLINE void write_rest(struct writer *w, const struct rest *rest)
{
    if (rest->hsts)
        h1_field_write(w, &(struct field_pair){ SLICE(HSTS_NAME), *rest->hsts });
    writer_short(w, *rest->ending);
}

/* What stands in the encoded head, but with another rest. */
RARE static void put_head(char *at, const struct encoded *head, const struct rest *rest)
{
    struct writer w = writer_on(at, head->common_size + rest_size(rest));
    writer_bytes(&w, head->bytes, head->common_size);
    write_rest(&w, rest);
}

/* With another ending, or a body that lies elsewhere or is not sent. */
RARE static enum h1_write_result write_encoded(const struct encoded *head, struct rest *rest, const struct clock *clock,
                                               struct outbox *out, uint64_t *body_bytes)
{
    bool usual = rest->ending == head->ending && !rest->hsts;
    size_t size = usual ? head->size : head->common_size + rest_size(rest);
    char *at = reserve(out, size, rest);
    if (!at)
        return no_room(out);
    if (usual)
        memcpy(at, head->bytes, size);
    else
        put_head(at, head, rest);
    memcpy(at + head->date_at, clock->date, CLOCK_DATE_SIZE);
    if (rest->copied != 0)
        memcpy(at + size, rest->body->data, rest->copied);
    outbox_commit(out, size + rest->copied);
    return write_content(out, rest, body_bytes);
}

/* ---- Responses of the moment ------------------------------------------------------------------------------- */

/* Content-Length is what GET would have: HEAD has the same fields (RFC 9110 9.3.2), and a BODY_NONE may announce a size
 * that was never loaded. */
static ALWAYS_INLINE struct head head_of_response(const struct exchange *exchange)
{
    const struct response *response = &exchange->response;
    const struct body *body = &response->body;
    struct head head = { response->status, response->field_count, response->fields, FRAMING_LENGTH, body->size };
    if (status_bodiless(response->status))
        head.framing = FRAMING_NONE;
    else if (status_contentless(response->status))
        head.length = 0;
    else if (body->kind == BODY_NONE && exchange->request.method != METHOD_HEAD)
        head.length = 0;
    else if (body->kind == BODY_PULL)
        head.framing = exchange->request.version < 11 ? FRAMING_NONE : FRAMING_CHUNKED;
    return head;
}

static ALWAYS_INLINE enum h1_write_result write_head(const struct head *head, struct rest *rest,
                                                     const struct clock *clock, struct outbox *out,
                                                     uint64_t *body_bytes)
{
    size_t bound = head_bound(head) + rest_size(rest);
    char *at = reserve(out, bound, rest);
    if (!at)
        return no_room(out);
    struct writer w = writer_on(at, bound + rest->copied);
    encode(&w, head, clock);
    write_rest(&w, rest);
    writer_short(&w, slice_make(rest->body->data, rest->copied));
    assert(!w.overflowed);
    outbox_commit(out, writer_used(&w));
    return write_content(out, rest, body_bytes);
}

/* Flat: a writer whose address nobody has lives in registers. */
__attribute__((flatten)) RARE static enum h1_write_result write_built(struct exchange *exchange,
                                                                      const struct session_host *host,
                                                                      struct outbox *out, uint64_t *body_bytes)
{
    struct response *response = &exchange->response;
    /* Without chunks only the end of the connection ends the content (RFC 9112 6.3). */
    if (response->body.kind == BODY_PULL && exchange->request.version < 11)
        response->close = true;
    struct head head = head_of_response(exchange);
    struct rest rest = rest_of(exchange, host, status_contentless(response->status) ? &no_body : &response->body);
    return write_head(&head, &rest, host->clock, out, body_bytes);
}

/* No memory to keep its head in: it is encoded for this one response. */
RARE static enum h1_write_result write_unkept(struct exchange *exchange, const struct session_host *host,
                                              struct outbox *out, uint64_t *body_bytes)
{
    const struct answer *answer = exchange->response.answer;
    struct head head = head_of_answer(answer);
    struct rest rest = rest_of(exchange, host, &answer->body);
    return write_head(&head, &rest, host->clock, out, body_bytes);
}

enum h1_write_result h1_write_response(struct exchange *exchange, const struct session_host *host, struct outbox *out,
                                       uint64_t *body_bytes)
{
    struct answer *answer = exchange->response.answer;
    if (!answer)
        return write_built(exchange, host, out, body_bytes);
    const struct encoded *head = encoded_head(answer, host);
    if (!head)
        return write_unkept(exchange, host, out, body_bytes);
    if (head->whole_size > 0 && is_usual(head, exchange, host) && write_whole(head, host->clock, out, body_bytes))
        return H1_WRITE_DONE;
    struct rest rest = rest_of(exchange, host, &answer->body);
    return write_encoded(head, &rest, host->clock, out, body_bytes);
}

/* ---- Without an exchange ------------------------------------------------------------------------------------- */

bool h1_write_continue(struct outbox *out)
{
    static const struct slice interim = SLICE_INIT("HTTP/1.1 100 Continue\r\n\r\n");
    char *at = outbox_reserve(out, interim.size);
    if (!at)
        return false;
    memcpy(at, interim.data, interim.size);
    outbox_commit(out, interim.size);
    return true;
}

void h1_write_unavailable(struct outbox *out, const struct session_host *host)
{
    const struct head head = { .status = 503, .framing = FRAMING_LENGTH };
    const struct slice ending = endings[host->server_field][PERSISTENCE_CLOSE];
    size_t bound = head_bound(&head) + ending.size;
    char *at = outbox_reserve(out, bound);
    if (!at)
        return;
    struct writer w = writer_on(at, bound);
    encode(&w, &head, host->clock);
    writer_put(&w, ending);
    outbox_commit(out, writer_used(&w));
}

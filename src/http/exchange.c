/* The memory and the bookkeeping of one request and its response. The large arrays in it are never cleared: what says
 * how much of them is in use is. It does not know who fills it or who sends it. */
#include "http/exchange.h"

void exchange_init(struct exchange *exchange, struct pages *pages, size_t arena_ceiling, void (*gone)(struct hold *))
{
    memset(exchange, 0, offsetof(struct exchange, first));
    hold_init(&exchange->hold, gone);
    exchange->pages = pages;
    arena_init(&exchange->arena, exchange->first, sizeof exchange->first, arena_ceiling);
    arena_reset(&exchange->arena, pages);
}

void exchange_lose(struct exchange *exchange)
{
    atomic_store_explicit(&exchange->lost, true, memory_order_relaxed);
    if (!exchange->deferred)
        return;
    exchange_call *call = atomic_exchange(&exchange->on_gone, NULL); /* or the completing thread takes it away first */
    if (call)
        call(exchange->gone_user);
}

void exchange_abandon(struct exchange *exchange)
{
    exchange->session = NULL;
    atomic_store_explicit(&exchange->abandoned, true, memory_order_relaxed);
    exchange_lose(exchange);
}

void exchange_release(struct exchange *exchange)
{
    if (exchange->done)
        exchange->done(exchange->done_user);
    exchange->done = NULL;
    arena_reset(&exchange->arena, exchange->pages);
    if (exchange->body_block) {
        pages_give(exchange->pages, exchange->body_block, exchange->body_room);
        exchange->body_block = NULL;
        exchange->body_room = 0;
    }
    if (exchange->held) {
        answer_unref(exchange->held);
        exchange->held = NULL;
    }
}

static void reset_response(struct response *response)
{
    response->status = 0;
    response->answer = NULL;
    response->body = (struct body){ .kind = BODY_NONE };
    response->fields = NULL;
    response->field_count = 0;
    response->field_room = 0;
    response->trailers = NULL;
    response->trailer_count = 0;
    response->upgrade = NULL;
    response->text = (struct reply_text){ NULL, 0, 0 };
    response->place = (struct json_place){ .depth = 0 };
    response->chosen = 0;
    response->refused = false;
    response->late = false;
    response->starved = false;
    response->pulled = false;
}

/* In pieces for which a compiler makes a few wide stores: for more at once it takes an instruction that needs longer to
 * begin than this takes in all. */
static inline __attribute__((always_inline)) void clear(char *at, size_t size)
{
    enum { PIECE = 64 };
#pragma GCC unroll 8
    for (; size > PIECE; at += PIECE, size -= PIECE)
        memset(at, 0, PIECE);
    memset(at, 0, size);
}

/* The arrays of the fields are large, and valid only as far as their count says: they are passed over. */
void exchange_renew(struct exchange *exchange)
{
    const size_t from = offsetof(struct exchange, session);
    const size_t to = offsetof(struct exchange, request) + offsetof(struct request, fields);
    atomic_store_explicit(&exchange->hold.count, 1, memory_order_relaxed);
    clear((char *)exchange + from, to - from);
    exchange->response.fields = exchange->few;
    exchange->response.field_room = EXCHANGE_FIELDS_FEW;
    fields_reset(&exchange->request.fields, NULL);
}

void exchange_reset(struct exchange *exchange)
{
    exchange_release(exchange);
    exchange_renew(exchange);
}

/* Moves a slice along with the head it lies in; one that lies elsewhere stays. */
static void rebase(struct slice *s, struct slice head, char *copy)
{
    uintptr_t offset = (uintptr_t)s->data - (uintptr_t)head.data;
    if (offset <= head.size) /* what begins in the head ends there */
        s->data = copy + offset;
}

bool exchange_settle(struct exchange *exchange, size_t head_size)
{
    if (exchange->settled)
        return true;
    struct request *request = &exchange->request;
    struct slice head = slice_make(request->fields.base, head_size);
    char *copy = arena_take(&exchange->arena, head.size + request->peer.size);
    if (!copy)
        return false;
    struct slice *slices[] = { &request->method_name, &request->raw_target, &request->target.path,
                               &request->target.query, &request->target.authority, &request->path };
    for (size_t i = 0; i < sizeof slices / sizeof slices[0]; i++)
        rebase(slices[i], head, copy);
    if (head.size > 0)
        memcpy(copy, head.data, head.size);
    if (request->peer.size > 0)
        memcpy(copy + head.size, request->peer.data, request->peer.size);
    request->fields.base = copy;
    request->peer.data = copy + head.size;
    exchange->settled = true;
    return true;
}

unsigned exchange_place_path(struct exchange *exchange)
{
    struct request *request = &exchange->request;
    const struct target *target = &request->target;
    request->path = target->path;
    if (target->plain || target->path.size == 0)
        return 0;
    char *normal = arena_take(&exchange->arena, target->path.size);
    if (!normal)
        return 503;
    size_t size;
    if (!target_normalise(target->path, normal, &size))
        return 400;
    request->path = slice_make(normal, size);
    return 0;
}

/* At least twice what it was, so that a body which comes in many pieces is copied at most twice over. */
static bool grow_body(struct exchange *exchange, size_t need)
{
    size_t got = 0, twice = 2 * exchange->body_room;
    char *block = pages_take(exchange->pages, need > twice ? need : twice, &got);
    if (!block)
        return false;
    struct slice *body = &exchange->request.body;
    if (body->size > 0)
        memcpy(block, body->data, body->size);
    pages_give(exchange->pages, exchange->body_block, exchange->body_room);
    exchange->body_block = block;
    exchange->body_room = got;
    body->data = block;
    return true;
}

bool exchange_body_append(struct exchange *exchange, struct slice bytes)
{
    if (bytes.size == 0)
        return true;
    struct slice *body = &exchange->request.body;
    if (bytes.size > exchange->body_room - body->size && !grow_body(exchange, body->size + bytes.size))
        return false;
    memcpy((char *)exchange->body_block + body->size, bytes.data, bytes.size);
    body->size += bytes.size;
    return true;
}

static bool grow_fields(struct exchange *exchange)
{
    struct response *response = &exchange->response;
    unsigned room = response->field_room ? 2 * response->field_room : EXCHANGE_FIELDS_FEW;
    if (room > EXCHANGE_FIELDS_MAX)
        room = EXCHANGE_FIELDS_MAX;
    struct field_pair *fields = arena_take(&exchange->arena, room * sizeof *fields);
    if (!fields)
        return false;
    if (response->field_count > 0)
        memcpy(fields, response->fields, response->field_count * sizeof *fields);
    response->fields = fields;
    response->field_room = room;
    return true;
}

bool exchange_add_further(struct exchange *exchange, struct field_pair field)
{
    if (exchange->response.field_count == EXCHANGE_FIELDS_MAX || !grow_fields(exchange))
        return false;
    return exchange_add_constant(exchange, field.name, field.value);
}

bool exchange_copy_field(struct exchange *exchange, struct field_pair field, struct field_pair *copy)
{
    if (!field_settable(field.name) || !field_value_valid(field.value))
        return false;
    copy->name = arena_copy(&exchange->arena, field.name);
    copy->value = arena_copy(&exchange->arena, field.value);
    return copy->name.data && copy->value.data;
}

bool exchange_add_field(struct exchange *exchange, struct slice name, struct slice value)
{
    struct field_pair copy;
    return exchange_copy_field(exchange, (struct field_pair){ name, value }, &copy) &&
           exchange_add_constant(exchange, copy.name, copy.value);
}

/* They are few: there is room for all from the first one on. */
bool exchange_add_trailer(struct exchange *exchange, struct slice name, struct slice value)
{
    struct response *response = &exchange->response;
    struct field_pair copy;
    if (!field_trails(name) || response->trailer_count == EXCHANGE_TRAILERS_MAX ||
        name.size + value.size > EXCHANGE_TRAILER_MAX)
        return false;
    if (!response->trailers)
        response->trailers = arena_take(&exchange->arena, EXCHANGE_TRAILERS_MAX * sizeof *response->trailers);
    if (!response->trailers || !exchange_copy_field(exchange, (struct field_pair){ name, value }, &copy))
        return false;
    response->trailers[response->trailer_count++] = copy;
    return true;
}

void exchange_clear_response(struct exchange *exchange)
{
    answer_unref(exchange->held);
    exchange->held = NULL;
    reset_response(&exchange->response);
}

const struct answer *exchange_unfold(struct exchange *exchange)
{
    struct response *response = &exchange->response;
    struct answer *answer = response->answer;
    if (!answer)
        return NULL;
    if (!exchange->held) {
        answer_ref(answer);
        exchange->held = answer;
    }
    response->answer = NULL;
    response->body = answer->body;
    response->fields = NULL;
    response->field_count = response->field_room = 0;
    return answer;
}

bool exchange_reopen(struct exchange *exchange)
{
    const struct answer *answer = exchange_unfold(exchange);
    for (unsigned i = 0; answer && i < answer->field_count; i++)
        if (!exchange_add_constant(exchange, answer->fields[i].name, answer->fields[i].value))
            return false;
    return true;
}

bool response_has_field(const struct response *response, unsigned count, struct slice name)
{
    for (unsigned i = 0; i < count; i++)
        if (slice_equal_nocase(response->fields[i].name, name))
            return true;
    return false;
}

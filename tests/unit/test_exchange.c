/* The exchange: settling, bodies that grow, response fields, what a reset leaves behind, and every lack of memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http/exchange.h"

static unsigned mallocs, malloc_fails_at; /* counted from 1; 0: never */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    mallocs++;
    return mallocs == malloc_fails_at ? NULL : __real_malloc(size);
}

enum { CEILING = 256 * 1024 };

static struct pages pages;
static struct exchange exchange;
static unsigned gone_count;

static void gone(struct hold *hold)
{
    (void)hold;
    gone_count++;
}

static int start(void **state)
{
    (void)state;
    mallocs = malloc_fails_at = 0;
    memset(&exchange, 0xA5, sizeof exchange); /* nothing relies on memory that happens to be zero */
    pages_init(&pages, 0);
    exchange_init(&exchange, &pages, CEILING, gone);
    exchange_reset(&exchange);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    exchange_release(&exchange);
    pages_fini(&pages); /* asserts that all has been given back */
    return 0;
}

/* A request as a session would leave it. Its head is on the heap, to be freed before what was settled is looked at. */
static char *fill_request(const char *text)
{
    struct request *request = &exchange.request;
    size_t size = strlen(text);
    char *head = __real_malloc(size);
    assert_non_null(head);
    memcpy(head, text, size);
    struct slice line = slice_make(head, size);
    size_t space = slice_find(line, ' ');
    request->method_name = slice_part(line, 0, space);
    request->method = method_from(request->method_name);
    request->raw_target = slice_part(line, space + 1, space + 1 + slice_find(slice_skip(line, space + 1), ' '));
    assert_true(target_parse(&request->target, request->raw_target, request->method));
    request->path = request->target.path;
    fields_reset(&request->fields, head);
    return head;
}

static void starts_empty(void **state)
{
    (void)state;
    assert_false(exchange_answered(&exchange));
    assert_int_equal(atomic_load(&exchange.hold.count), 1);
    assert_null(exchange.route);
    assert_null(exchange.params);
    assert_null(exchange.held);
    assert_false(exchange.deferred);
    assert_false(exchange.settled);
    assert_int_equal(exchange.request.method, METHOD_OTHER);
    assert_int_equal(exchange.request.fields.count, 0);
    assert_null(exchange.request.body.data);
    assert_int_equal(exchange.response.field_count, 0);
    assert_int_equal(exchange.response.body.kind, BODY_NONE);
    assert_false(exchange.response.close);
    hold_unref(&exchange.hold);
    assert_int_equal(gone_count, 1);
    gone_count = 0;
}

static void settles(void **state)
{
    static const char text[] = "POST http://h:1/a/b?c=d HTTP/1.1\r\nHost: h:1\r\n\r\n";
    char peer[] = "192.0.2.1";
    (void)state;
    char *head = fill_request(text);
    exchange.request.peer = slice_text(peer);
    exchange.request.fields.at[0] = (struct field){ 34, 4, 40, 3 };
    exchange.request.fields.count = 1;
    fields_note(&exchange.request.fields, 0, FIELD_HOST);

    assert_true(exchange_settle(&exchange, sizeof text - 1));
    assert_true(exchange.settled);
    memset(head, 'x', sizeof text - 1);
    free(head);
    memset(peer, 'x', sizeof peer);

    const struct request *request = &exchange.request;
    assert_true(slice_equal(request->method_name, SLICE("POST")));
    assert_true(slice_equal(request->raw_target, SLICE("http://h:1/a/b?c=d")));
    assert_true(slice_equal(request->target.authority, SLICE("h:1")));
    assert_true(slice_equal(request->target.path, SLICE("/a/b")));
    assert_true(slice_equal(request->target.query, SLICE("c=d")));
    assert_true(slice_equal(request->path, SLICE("/a/b")));
    assert_true(slice_equal(fields_get(&request->fields, FIELD_HOST), SLICE("h:1")));
    assert_true(slice_equal(request->peer, SLICE("192.0.2.1")));
    assert_int_equal(mallocs, 0); /* an ordinary head lies beside the exchange itself */
}

static void settles_once(void **state)
{
    static const char text[] = "GET /a HTTP/1.1\r\n\r\n";
    (void)state;
    char *head = fill_request(text);
    assert_true(exchange_settle(&exchange, sizeof text - 1));
    free(head);
    const char *base = exchange.request.fields.base;
    assert_true(exchange_settle(&exchange, sizeof text - 1));
    assert_ptr_equal(exchange.request.fields.base, base);
    assert_true(slice_equal(exchange.request.path, SLICE("/a")));
}

/* What does not lie in the head is not moved: a path in the arena, a static "/". */
static void leaves_alone_what_lies_elsewhere(void **state)
{
    static const char text[] = "GET http://h?q HTTP/1.1\r\n\r\n";
    (void)state;
    char *head = fill_request(text);
    const char *root = exchange.request.target.path.data;
    struct slice normal = arena_copy(&exchange.arena, SLICE("/normal"));
    exchange.request.path = normal;
    assert_true(exchange_settle(&exchange, sizeof text - 1));
    free(head);
    assert_ptr_equal(exchange.request.path.data, normal.data);
    assert_true(slice_equal(exchange.request.path, SLICE("/normal")));
    assert_ptr_equal(exchange.request.target.path.data, root);
    assert_true(slice_equal(exchange.request.target.query, SLICE("q")));
}

static void settles_a_broken_request(void **state)
{
    (void)state;
    assert_true(exchange_settle(&exchange, 0)); /* refused before there was anything */
    assert_true(exchange.settled);
    assert_int_equal(exchange.request.path.size, 0);
    assert_int_equal(exchange.request.peer.size, 0);
}

static void settles_the_largest_head(void **state)
{
    char *head = __real_malloc(FIELDS_HEAD_MAX);
    (void)state;
    assert_non_null(head);
    memset(head, 'h', FIELDS_HEAD_MAX);
    exchange.request.fields.base = head;
    exchange.request.raw_target = slice_make(head + FIELDS_HEAD_MAX - 1, 1);
    exchange.request.target.query = slice_make(head + FIELDS_HEAD_MAX, 0);
    malloc_fails_at = 1;
    assert_false(exchange_settle(&exchange, FIELDS_HEAD_MAX));
    assert_false(exchange.settled);
    assert_ptr_equal(exchange.request.fields.base, head);
    assert_ptr_equal(exchange.request.raw_target.data, head + FIELDS_HEAD_MAX - 1);
    assert_true(exchange_settle(&exchange, FIELDS_HEAD_MAX));
    free(head);
    assert_true(slice_equal(exchange.request.raw_target, SLICE("h")));
    assert_ptr_equal(exchange.request.target.query.data, exchange.request.fields.base + FIELDS_HEAD_MAX);
}

static char content(size_t at)
{
    return (char)(at * 31 + at / 256);
}

/* Appends in pieces of this size up to `total`; stops where there is no memory. */
static bool append(size_t total, size_t piece)
{
    char bytes[4096];
    for (size_t at = 0; at < total;) {
        size_t size = total - at < piece ? total - at : piece;
        for (size_t i = 0; i < size; i++)
            bytes[i] = content(at + i);
        if (!exchange_body_append(&exchange, slice_make(bytes, size)))
            return false;
        at += size;
    }
    return true;
}

static void check_body(size_t size)
{
    assert_int_equal(exchange.request.body.size, size);
    for (size_t i = 0; i < size; i++)
        if (exchange.request.body.data[i] != content(i))
            fail_msg("byte %zu of %zu", i, size);
}

static void appends_to_the_body(void **state)
{
    static const struct {
        size_t total, piece;
    } rows[] = { { 0, 1 }, { 1, 1 }, { 1023, 1023 }, { 1024, 1024 }, { 1025, 1 }, { 5000, 7 }, { 300000, 4096 } };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(append(rows[i].total, rows[i].piece));
        check_body(rows[i].total);
        assert_true(exchange_body_append(&exchange, SLICE("")));
        check_body(rows[i].total);
        exchange_reset(&exchange);
        assert_null(exchange.body_block);
        assert_int_equal(pages.taken_bytes, 0);
    }
}

static void doubles_the_room(void **state)
{
    (void)state;
    assert_true(append(64 * 1024, 16));
    assert_int_equal(exchange.body_room, 64 * 1024);
    assert_int_equal(mallocs, 7); /* 1, 2, 4 ... 64 KiB */
}

static void keeps_the_body_without_memory(void **state)
{
    (void)state;
    for (unsigned at = 1; at <= 7; at++) {
        exchange_reset(&exchange);
        mallocs = 0;
        malloc_fails_at = at;
        assert_false(append(64 * 1024, 16));
        check_body(at == 1 ? 0 : (size_t)512 << (at - 1));
        malloc_fails_at = 0;
        assert_true(exchange_body_append(&exchange, SLICE("x"))); /* the next one may have it */
    }
}

static void adds_fields(void **state)
{
    (void)state;
    for (unsigned i = 0; i < EXCHANGE_FIELDS_MAX; i++) {
        char name[16], value[16];
        snprintf(name, sizeof name, "X-%u", i);
        snprintf(value, sizeof value, "%u", i * i);
        assert_true(exchange_add_field(&exchange, slice_text(name), slice_text(value)));
    }
    assert_false(exchange_add_field(&exchange, SLICE("X-More"), SLICE("1")));
    assert_int_equal(exchange.response.field_count, EXCHANGE_FIELDS_MAX);
    for (unsigned i = 0; i < EXCHANGE_FIELDS_MAX; i++) {
        char name[16], value[16];
        snprintf(name, sizeof name, "X-%u", i);
        snprintf(value, sizeof value, "%u", i * i);
        assert_true(slice_equal(exchange.response.fields[i].name, slice_text(name)));
        assert_true(slice_equal(exchange.response.fields[i].value, slice_text(value)));
    }
}

static void refuses_fields(void **state)
{
    static const struct field_pair rows[] = {
        { SLICE_INIT(""), SLICE_INIT("a") },
        { SLICE_INIT("A B"), SLICE_INIT("a") },
        { SLICE_INIT("A"), SLICE_INIT("a\r\nSet-Cookie: b") },
        { SLICE_INIT("A"), SLICE_INIT("a\nb") },
        { SLICE_INIT("A"), SLICE_INIT("a ") },
        { SLICE_INIT("Content-Length"), SLICE_INIT("5") },
        { SLICE_INIT("Transfer-Encoding"), SLICE_INIT("gzip") },
        { SLICE_INIT("Connection"), SLICE_INIT("close") },
        { SLICE_INIT("Date"), SLICE_INIT("today") },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_false(exchange_add_field(&exchange, rows[i].name, rows[i].value));
    assert_int_equal(exchange.response.field_count, 0);
    assert_true(exchange_add_field(&exchange, SLICE("A"), SLICE("")));
    assert_int_equal(exchange.response.fields[0].value.size, 0);
}

/* Fills the arena to its last bytes, then adds until it fails: what was added before stays whole. */
static void keeps_fields_without_memory(void **state)
{
    (void)state;
    for (size_t left = 0; left <= 512; left += 16) {
        exchange_reset(&exchange);
        assert_non_null(arena_take(&exchange.arena, (size_t)(exchange.arena.end - exchange.arena.at) - left));
        unsigned added = 0;
        mallocs = 0;
        malloc_fails_at = 1;
        while (exchange_add_field(&exchange, SLICE("Name"), SLICE("value"))) {
            added++;
            assert_true(added < EXCHANGE_FIELDS_MAX);
        }
        assert_true(mallocs >= 1);
        assert_int_equal(exchange.response.field_count, added);
        assert_true(added <= left / 32);
        for (unsigned i = 0; i < added; i++) {
            assert_true(slice_equal(exchange.response.fields[i].name, SLICE("Name")));
            assert_true(slice_equal(exchange.response.fields[i].value, SLICE("value")));
        }
        assert_true(exchange_add_field(&exchange, SLICE("Name"), SLICE("value")));
    }
}

static void stops_at_the_ceiling(void **state)
{
    static char value[8 * 1024];
    unsigned added = 0;
    (void)state;
    memset(value, 'v', sizeof value);
    while (exchange_add_field(&exchange, SLICE("Name"), slice_make(value, sizeof value)))
        added++;
    assert_true(added >= CEILING / sizeof value / 2 && added <= CEILING / sizeof value);
}

static void clears_the_response(void **state)
{
    (void)state;
    struct answer *answer = answer_new(&(struct answer_parts){ .status = 404 });
    assert_non_null(answer);
    assert_true(exchange_add_field(&exchange, SLICE("A"), SLICE("b")));
    exchange_use(&exchange, answer);
    assert_true(exchange_answered(&exchange));
    assert_int_equal(exchange.response.status, 404);
    answer_ref(answer);
    exchange.held = answer;
    exchange.response.close = true;

    exchange_clear_response(&exchange);
    assert_false(exchange_answered(&exchange));
    assert_null(exchange.response.answer);
    assert_null(exchange.held);
    assert_int_equal(atomic_load(&answer->hold.count), 1);
    assert_int_equal(exchange.response.field_count, 0);
    assert_true(exchange.response.close); /* that is the connection's, whatever the response */
    assert_true(exchange_add_field(&exchange, SLICE("C"), SLICE("d")));
    assert_true(slice_equal(exchange.response.fields[0].name, SLICE("C")));
    exchange_clear_response(&exchange);
    answer_unref(answer);
}

static void count_up(void *user)
{
    ++*(unsigned *)user;
}

static void calls_done_once(void **state)
{
    unsigned done = 0;
    (void)state;
    exchange.done = count_up;
    exchange.done_user = &done;
    exchange_clear_response(&exchange);
    assert_int_equal(done, 0);
    exchange_release(&exchange);
    assert_int_equal(done, 1);
    exchange_release(&exchange);
    exchange_reset(&exchange);
    assert_int_equal(done, 1);
}

static void can_be_abandoned(void **state)
{
    int session;
    (void)state;
    exchange_reset(&exchange);
    exchange.session = (struct session *)&session; /* whoever takes the exchange sets it */
    assert_false(atomic_load(&exchange.abandoned));
    exchange_abandon(&exchange);
    assert_null(exchange.session);
    assert_true(atomic_load(&exchange.abandoned));
    exchange_reset(&exchange);
    assert_false(atomic_load(&exchange.abandoned));
}

static unsigned calls;

static void count_call(void *user)
{
    calls += user == &calls;
}

static void tells_once_that_the_client_has_gone(void **state)
{
    (void)state;
    calls = 0;
    for (int deferred = 0; deferred < 2; deferred++) {
        exchange_reset(&exchange);
        exchange.deferred = deferred;
        exchange_lose(&exchange); /* nobody has asked */
        atomic_store(&exchange.on_gone, count_call);
        exchange.gone_user = &calls;
        exchange_lose(&exchange);
        assert_true(atomic_load(&exchange.lost) && !exchange_abandoned(&exchange));
        exchange_abandon(&exchange);
        assert_true(atomic_load(&exchange.lost) && exchange_abandoned(&exchange));
        assert_int_equal(calls, deferred);
    }
    exchange_reset(&exchange);
    assert_true(atomic_load(&exchange.on_gone) == NULL);
}

static void gives_all_back_when_reset(void **state)
{
    static const char text[] = "POST /a?b HTTP/1.1\r\n\r\n";
    int route, param;
    (void)state;
    struct answer *answer = answer_new(&(struct answer_parts){ .status = 200 });
    assert_non_null(answer);
    char *head = fill_request(text);
    exchange.request.version = 11;
    exchange.request.persistent = true;
    exchange.request.body_bytes = 3000;
    assert_true(exchange_settle(&exchange, sizeof text - 1));
    free(head);
    assert_true(append(3000, 1000));
    assert_non_null(arena_take(&exchange.arena, 20000));
    exchange.head_size = sizeof text - 1;
    exchange.route = &route;
    exchange.params = &param;
    exchange.deferred = true;
    exchange.begun_ms = 5;
    exchange.response.close = true;
    exchange_use(&exchange, answer);
    exchange.held = answer; /* takes over the reference: if it is not dropped, the leak checker says so */
    fields_note(&exchange.request.fields, 0, FIELD_HOST);
    hold_ref(&exchange.hold);

    exchange_reset(&exchange);
    assert_int_equal(pages.taken_bytes, 0);
    starts_empty(state);
    assert_int_equal(exchange.head_size, 0);
    assert_int_equal(exchange.begun_ms, 0);
    assert_int_equal(exchange.request.version, 0);
    assert_false(exchange.request.persistent);
    assert_int_equal(exchange.request.body_bytes, 0);
    assert_int_equal(exchange.request.raw_target.size, 0);
    assert_int_equal(exchange.request.target.query.size, 0);
    assert_false(exchange.request.target.has_query);
    assert_int_equal(exchange.request.path.size, 0);
    assert_false(fields_has(&exchange.request.fields, FIELD_HOST));
    assert_null(exchange.response.answer);
    exchange_release(&exchange);
    exchange_release(&exchange);
    exchange_reset(&exchange);
}

/* What is built from a prepared response lies in it, so it is held; what a handler had set beside it is none of it. */
static void unfolds_what_was_prepared(void **state)
{
    const struct field_pair fields[] = { { SLICE_INIT("X-A"), SLICE_INIT("b") } };
    (void)state;
    struct answer *answer = answer_new(&(struct answer_parts){ .status = 404, .fields = fields, .field_count = 1,
                                                               .body = SLICE("body") });
    assert_non_null(answer);
    assert_null(exchange_unfold(&exchange));
    assert_true(exchange_add_constant(&exchange, SLICE("X-Set"), SLICE("before")));
    assert_null(exchange_unfold(&exchange));
    assert_int_equal(exchange.response.field_count, 1);
    exchange_use(&exchange, answer);
    for (int i = 0; i < 2; i++) { /* what is held already is not held once more */
        exchange.response.answer = answer;
        assert_ptr_equal(exchange_unfold(&exchange), answer);
        assert_null(exchange.response.answer);
        assert_int_equal(exchange.response.status, 404);
        assert_int_equal(exchange.response.field_count, 0);
        assert_ptr_equal(exchange.response.body.data, answer->body.data);
        assert_ptr_equal(exchange.held, answer);
        assert_int_equal(atomic_load(&answer->hold.count), 2);
    }
    answer_unref(answer);
    assert_memory_equal(exchange.response.body.data, "body", 4);
}

static void reopens_what_was_prepared(void **state)
{
    const struct field_pair fields[] = { { SLICE_INIT("X-A"), SLICE_INIT("b") },
                                         { SLICE_INIT("X-C"), SLICE_INIT("d") } };
    (void)state;
    struct answer *answer = answer_new(&(struct answer_parts){ .status = 404, .fields = fields, .field_count = 2 });
    assert_non_null(answer);
    exchange_use(&exchange, answer);
    for (int i = 0; i < 2; i++) {
        assert_true(exchange_reopen(&exchange));
        assert_int_equal(exchange.response.field_count, 2);
        assert_ptr_equal(exchange.response.fields[1].name.data, answer->fields[1].name.data);
    }
    assert_true(response_has_field(&exchange.response, 2, SLICE("x-c")));
    assert_false(response_has_field(&exchange.response, 1, SLICE("x-c")));
    assert_false(response_has_field(&exchange.response, 2, SLICE("X-")));

    exchange_clear_response(&exchange);
    exchange_use(&exchange, answer);
    exchange.arena.at = exchange.arena.end;
    exchange.arena.ceiling = exchange.arena.used;
    assert_false(exchange_reopen(&exchange));
    answer_unref(answer);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(starts_empty),
        TEST(settles),
        TEST(settles_once),
        TEST(leaves_alone_what_lies_elsewhere),
        TEST(settles_a_broken_request),
        TEST(settles_the_largest_head),
        TEST(appends_to_the_body),
        TEST(doubles_the_room),
        TEST(keeps_the_body_without_memory),
        TEST(adds_fields),
        TEST(refuses_fields),
        TEST(keeps_fields_without_memory),
        TEST(stops_at_the_ceiling),
        TEST(clears_the_response),
        TEST(unfolds_what_was_prepared),
        TEST(reopens_what_was_prepared),
        TEST(calls_done_once),
        TEST(can_be_abandoned),
        TEST(tells_once_that_the_client_has_gone),
        TEST(gives_all_back_when_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

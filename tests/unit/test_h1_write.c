/* Prepared answers as bytes, to the last CRLF and to the last byte of room, and what happens when there is no room or
 * no memory; and the two responses that need no exchange. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "response_scene.h"

#define FIELDS "Content-Type: text/plain\r\nX-Empty: \r\n"

static bool starved;
static struct answer *raced; /* another worker publishes a head for this one while ours is being made */
static unsigned allocations;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    allocations++;
    if (starved)
        return NULL;
    if (raced) {
        struct encoded *other = __real_malloc(sizeof *other + 64);
        struct writer w = writer_on(other->bytes, 64);
        writer_text(&w, "HTTP/1.1 200 Other\r\nDate: ");
        other->date_at = writer_used(&w);
        writer_text(&w, "Sun, 06 Nov 1994 08:49:37 GMT\r\n");
        other->size = other->common_size = writer_used(&w);
        other->whole_size = 0;
        other->ending = NULL;
        atomic_store(&raced->heads[ANSWER_H1], other);
        raced = NULL;
    }
    return __real_malloc(size);
}

static struct answer *prepare(unsigned status, struct slice body)
{
    static const struct field_pair fields[] = { { SLICE_INIT("Content-Type"), SLICE_INIT("text/plain") },
                                                { SLICE_INIT("X-Empty"), SLICE_INIT("") } };
    struct answer *answer = answer_new(&(struct answer_parts){ .status = status, .fields = fields, .field_count = 2,
                                                               .body = body });
    assert_non_null(answer);
    return answer;
}

static struct answer *prepare_sized(size_t size)
{
    char *bytes = test_malloc(size + 1);
    memset(bytes, 'b', size);
    struct answer *answer = prepare(200, slice_make(bytes, size));
    test_free(bytes);
    return answer;
}

/* ---- Prepared answers ---------------------------------------------------------------------------------------- */

static void encodes_once(void **state)
{
    struct scene *scene = *state;
    struct answer *answer = prepare(200, SLICE("hello"));
    exchange_use(&scene->exchange, answer);
    assert_wrote(scene, "HTTP/1.1 200 OK\r\n" DATE FIELDS "Content-Length: 5\r\n" SERVER "\r\nhello");
    assert_int_equal(scene->body_bytes, 5);
    struct encoded *head = atomic_load(&answer->heads[ANSWER_H1]);
    assert_non_null(head);

    memcpy(scene->clock.date, "Mon, 07 Nov 1994 00:00:00 GMT", CLOCK_DATE_SIZE);
    allocations = 0;
    assert_wrote(scene, "HTTP/1.1 200 OK\r\nDate: Mon, 07 Nov 1994 00:00:00 GMT\r\n" FIELDS "Content-Length: 5\r\n"
                        SERVER "\r\nhello");
    assert_int_equal(allocations, 0);
    assert_ptr_equal(atomic_load(&answer->heads[ANSWER_H1]), head);
    assert_int_equal(atomic_load(&answer->hold.count), 1);
    answer_unref(answer);
}

static void ends_the_head(void **state)
{
    static const struct {
        uint8_t version;
        bool close, server;
        const char *ending;
    } cases[] = {
        { 11, false, true, SERVER "\r\n" },
        { 11, true, true, SERVER "Connection: close\r\n\r\n" },
        { 10, false, true, SERVER "Connection: keep-alive\r\n\r\n" },
        { 10, true, true, SERVER "Connection: close\r\n\r\n" },
        { 0, true, true, SERVER "Connection: close\r\n\r\n" },
        { 11, false, false, "\r\n" },
        { 11, true, false, "Connection: close\r\n\r\n" },
        { 10, false, false, "Connection: keep-alive\r\n\r\n" },
        { 10, true, false, "Connection: close\r\n\r\n" },
    };
    struct scene *scene = *state;
    struct answer *answer = prepare(404, SLICE("no"));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[512];
        snprintf(expected, sizeof expected,
                 "HTTP/1.1 404 Not Found\r\n" DATE FIELDS "Content-Length: 2\r\n%sno",
                 cases[i].ending);
        scene->exchange.request.version = cases[i].version;
        scene->exchange.response.close = cases[i].close;
        scene->host.server_field = cases[i].server;
        exchange_use(&scene->exchange, answer);
        assert_wrote(scene, expected);
    }
    answer_unref(answer);
}

static void leaves_out_content(void **state)
{
    static const struct {
        enum method method;
        unsigned status;
        const char *line, *length, *body;
    } cases[] = {
        { METHOD_HEAD, 200, "200 OK", "Content-Length: 5\r\n", "" },
        { METHOD_GET, 204, "204 No Content", "", "" },
        { METHOD_GET, 304, "304 Not Modified", "", "" },
        { METHOD_GET, 205, "205 Reset Content", "Content-Length: 0\r\n", "" },
        { METHOD_HEAD, 205, "205 Reset Content", "Content-Length: 0\r\n", "" },
        { METHOD_POST, 599, "599 Unknown", "Content-Length: 5\r\n", "hello" },
    };
    struct scene *scene = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[512];
        struct answer *answer = prepare(cases[i].status, SLICE("hello"));
        snprintf(expected, sizeof expected,
                 "HTTP/1.1 %s\r\n" DATE FIELDS "%s" SERVER "\r\n%s", cases[i].line,
                 cases[i].length, cases[i].body);
        scene->exchange.request.method = cases[i].method;
        exchange_use(&scene->exchange, answer);
        assert_wrote(scene, expected);
        assert_int_equal(scene->body_bytes, strlen(cases[i].body));
        answer_unref(answer);
    }
}

static void says_zero_for_nothing(void **state)
{
    struct scene *scene = *state;
    struct answer *answer = prepare(200, SLICE(""));
    exchange_use(&scene->exchange, answer);
    assert_wrote(scene, "HTTP/1.1 200 OK\r\n" DATE FIELDS "Content-Length: 0\r\n" SERVER "\r\n");
    answer_unref(answer);
}

static void omits_a_length_on_demand(void **state)
{
    struct scene *scene = *state;
    struct answer *answer = prepare(200, SLICE("hello"));
    answer->length_omitted = true;
    scene->exchange.request.method = METHOD_HEAD;
    exchange_use(&scene->exchange, answer);
    assert_wrote(scene, "HTTP/1.1 200 OK\r\n" DATE FIELDS SERVER "\r\n");
    answer_unref(answer);
}

static void copies_up_to_a_limit(void **state)
{
    struct scene *scene = *state;
    for (size_t size = OUTBOX_COPIED_MAX; size <= OUTBOX_COPIED_MAX + 1; size++) {
        bool copied = size == OUTBOX_COPIED_MAX;
        struct answer *answer = prepare_sized(size);
        exchange_use(&scene->exchange, answer);
        assert_int_equal(respond(scene), H1_WRITE_DONE);
        assert_int_equal(scene->body_bytes, size);
        assert_int_equal(scene->out.count, copied ? 1 : 2);
        assert_int_equal(atomic_load(&answer->hold.count), copied ? 1 : 2);
        if (!copied) {
            assert_int_equal(scene->out.spans[1].kind, SPAN_MEMORY);
            assert_ptr_equal(scene->out.spans[1].data, answer->body.data);
            assert_int_equal(scene->out.spans[1].size, size);
        }
        outbox_clear(&scene->out);
        answer_unref(answer);
    }
}

/* Behind the head that is kept lies a small body, too; either way all of it is one run. */
static void keeps_a_small_body_with_its_head(void **state)
{
    static const struct {
        size_t size;
        bool kept;
    } cases[] = { { 0, true }, { 1, true }, { ENCODED_BODY_MAX, true }, { ENCODED_BODY_MAX + 1, false } };
    struct scene *scene = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = cases[i].size;
        struct answer *answer = prepare_sized(size);
        exchange_use(&scene->exchange, answer);
        for (unsigned round = 0; round < 2; round++) {
            assert_int_equal(respond(scene), H1_WRITE_DONE);
            const struct encoded *head = atomic_load(&answer->heads[ANSWER_H1]);
            assert_int_equal(head->whole_size, cases[i].kept ? head->size + size : 0);
            assert_int_equal(scene->body_bytes, size);
            assert_int_equal(scene->out.count, 1);
            assert_int_equal(scene->out.used, head->size + size);
            assert_memory_equal(scene->out.buffer + head->size, answer->body.data ? answer->body.data : "", size);
            outbox_clear(&scene->out);
        }
        answer_unref(answer);
    }
}

/* The head alone fits, head and content together never would: then the content goes out from where it is. */
static void does_not_copy_what_never_fits(void **state)
{
    struct scene *scene = *state;
    struct answer *answer = prepare_sized(1000);
    exchange_use(&scene->exchange, answer);
    limit(scene, 1000);
    assert_int_equal(respond(scene), H1_WRITE_DONE);
    assert_int_equal(scene->out.count, 2);
    assert_int_equal(scene->out.spans[1].size, 1000);
    outbox_clear(&scene->out);
    answer_unref(answer);
}

static void needs_room_to_the_byte(void **state)
{
    struct scene *scene = *state;
    struct answer *answer = prepare(200, SLICE("hello"));
    exchange_use(&scene->exchange, answer);
    assert_int_equal(respond(scene), H1_WRITE_DONE);
    size_t whole = scene->out.used;

    limit(scene, whole);
    assert_int_equal(respond(scene), H1_WRITE_DONE);
    assert_int_equal(respond(scene), H1_WRITE_FULL);
    assert_int_equal(scene->out.count, 1);
    assert_int_equal(scene->out.used, whole);

    limit(scene, whole - 5); /* the head only */
    assert_int_equal(respond(scene), H1_WRITE_DONE);
    assert_int_equal(scene->out.count, 2);
    limit(scene, whole - 6);
    assert_int_equal(respond(scene), H1_WRITE_BROKEN);
    assert_int_equal(scene->out.count, 0);
    answer_unref(answer);
}

static void needs_spans(void **state)
{
    struct scene *scene = *state;
    struct answer *large = prepare_sized(OUTBOX_COPIED_MAX + 1);
    exchange_use(&scene->exchange, large);
    for (unsigned i = 0; i < OUTBOX_SPANS / 2; i++)
        assert_int_equal(respond(scene), H1_WRITE_DONE);
    assert_int_equal(scene->out.count, OUTBOX_SPANS);
    assert_int_equal(respond(scene), H1_WRITE_FULL);
    assert_int_equal(scene->out.count, OUTBOX_SPANS);
    assert_int_equal(atomic_load(&large->hold.count), 1 + OUTBOX_SPANS / 2);
    outbox_clear(&scene->out);
    answer_unref(large);
}

static void does_without_memory(void **state)
{
    struct scene *scene = *state;
    struct answer *answer = prepare(200, SLICE("hello"));
    exchange_use(&scene->exchange, answer);
    starved = true;
    assert_wrote(scene, "HTTP/1.1 200 OK\r\n" DATE FIELDS "Content-Length: 5\r\n" SERVER "\r\nhello");
    assert_null(atomic_load(&answer->heads[ANSWER_H1]));
    limit(scene, 64);
    assert_int_equal(respond(scene), H1_WRITE_BROKEN);
    starved = false;
    limit(scene, sizeof scene->buffer);
    assert_int_equal(respond(scene), H1_WRITE_DONE);
    assert_non_null(atomic_load(&answer->heads[ANSWER_H1]));
    answer_unref(answer);
}

static void yields_to_the_first_to_publish(void **state)
{
    struct scene *scene = *state;
    struct answer *answer = prepare(200, SLICE("hello"));
    exchange_use(&scene->exchange, answer);
    raced = answer;
    assert_wrote(scene, "HTTP/1.1 200 Other\r\n" DATE SERVER "\r\nhello");
    answer_unref(answer);
}

/* ---- Strict-Transport-Security --------------------------------------------------------------------------------- */

#define HSTS "Strict-Transport-Security: max-age=60\r\n"

static void tells_secure_sessions_to_stay(void **state)
{
    static const struct {
        bool secure, close;
        const char *value, *ending;
    } cases[] = {
        { true, false, "max-age=60", HSTS SERVER },
        { true, true, "max-age=60", HSTS SERVER "Connection: close\r\n" },
        { false, false, "max-age=60", SERVER }, /* RFC 6797 7.2 */
        { true, false, "", SERVER },
    };
    struct scene *scene = *state;
    struct session session = { .host = &scene->host };
    struct answer *answer = prepare(404, SLICE("no"));
    scene->exchange.session = &session;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[512];
        session.secure = cases[i].secure;
        scene->host.hsts = slice_text(cases[i].value);
        scene->exchange.response.close = cases[i].close;
        exchange_use(&scene->exchange, answer);
        snprintf(expected, sizeof expected, "HTTP/1.1 404 Not Found\r\n" DATE FIELDS "Content-Length: 2\r\n%s\r\nno",
                 cases[i].ending);
        assert_wrote(scene, expected);
    }
    scene->exchange.session = NULL;
    answer_unref(answer);
}

/* RFC 6797 7.1: there is one such field; what the answer says itself holds. */
static void says_hsts_once(void **state)
{
    static const struct field_pair own = { SLICE_INIT("strict-transport-security"), SLICE_INIT("max-age=1") };
    struct scene *scene = *state;
    struct session session = { .host = &scene->host, .secure = true };
    struct answer *answer = answer_new(&(struct answer_parts){ .status = 200, .fields = &own, .field_count = 1 });
    scene->host.hsts = SLICE("max-age=60");
    scene->exchange.session = &session;
    exchange_use(&scene->exchange, answer);
    assert_wrote(scene, "HTTP/1.1 200 OK\r\n" DATE "strict-transport-security: max-age=1\r\nContent-Length: 0\r\n"
                        SERVER "\r\n");
    scene->exchange.session = NULL;
    answer_unref(answer);
}

static void has_room_for_hsts(void **state)
{
    struct scene *scene = *state;
    struct session session = { .host = &scene->host, .secure = true };
    struct answer *answer = prepare(200, SLICE("hello"));
    scene->host.hsts = SLICE("max-age=60");
    scene->exchange.session = &session;
    exchange_use(&scene->exchange, answer);
    assert_int_equal(respond(scene), H1_WRITE_DONE);
    size_t whole = scene->out.used;
    limit(scene, whole - 5); /* the head only */
    assert_int_equal(respond(scene), H1_WRITE_DONE);
    limit(scene, whole - 6);
    assert_int_equal(respond(scene), H1_WRITE_BROKEN);
    struct answer *unkept = prepare_sized(2);
    starved = true; /* its head cannot be kept */
    limit(scene, sizeof scene->buffer);
    exchange_use(&scene->exchange, unkept);
    assert_wrote(scene, "HTTP/1.1 200 OK\r\n" DATE FIELDS "Content-Length: 2\r\n" HSTS SERVER "\r\nbb");
    starved = false;
    answer_unref(unkept);
    scene->exchange.session = NULL;
    answer_unref(answer);
}

/* ---- Without an exchange ------------------------------------------------------------------------------------- */

static void says_continue(void **state)
{
    struct scene *scene = *state;
    limit(scene, 25);
    assert_true(h1_write_continue(&scene->out));
    assert_copied(&scene->out, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_false(h1_write_continue(&scene->out));
    limit(scene, 24);
    assert_false(h1_write_continue(&scene->out));
}

static void says_unavailable(void **state)
{
    struct scene *scene = *state;
    starved = true;
    h1_write_unavailable(&scene->out, &scene->host);
    starved = false;
    assert_copied(&scene->out, "HTTP/1.1 503 Service Unavailable\r\n" DATE "Content-Length: 0\r\n" SERVER
                               "Connection: close\r\n\r\n");
    limit(scene, 100);
    h1_write_unavailable(&scene->out, &scene->host);
    assert_int_equal(scene->out.count, 0);
    scene->host.server_field = false;
    limit(scene, 256);
    h1_write_unavailable(&scene->out, &scene->host);
    assert_copied(&scene->out, "HTTP/1.1 503 Service Unavailable\r\n" DATE "Content-Length: 0\r\n"
                               "Connection: close\r\n\r\n");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        SCENE_TEST(encodes_once),
        SCENE_TEST(ends_the_head),
        SCENE_TEST(leaves_out_content),
        SCENE_TEST(says_zero_for_nothing),
        SCENE_TEST(omits_a_length_on_demand),
        SCENE_TEST(copies_up_to_a_limit),
        SCENE_TEST(keeps_a_small_body_with_its_head),
        SCENE_TEST(does_not_copy_what_never_fits),
        SCENE_TEST(needs_room_to_the_byte),
        SCENE_TEST(needs_spans),
        SCENE_TEST(does_without_memory),
        SCENE_TEST(yields_to_the_first_to_publish),
        SCENE_TEST(tells_secure_sessions_to_stay),
        SCENE_TEST(says_hsts_once),
        SCENE_TEST(has_room_for_hsts),
        SCENE_TEST(says_continue),
        SCENE_TEST(says_unavailable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

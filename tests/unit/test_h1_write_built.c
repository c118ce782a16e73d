/* Responses that handlers build: how each is framed, where its content goes out from, and content that is pulled while
 * it is sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "response_scene.h"

static void set_body(struct scene *scene, struct body body)
{
    scene->exchange.response.body = body;
}

static void writes_what_was_built(void **state)
{
    struct scene *scene = *state;
    struct exchange *exchange = &scene->exchange;
    exchange->response.status = 201;
    assert_true(exchange_add_field(exchange, SLICE("Location"), SLICE("/users/1")));
    assert_true(exchange_add_field(exchange, SLICE("X"), SLICE("")));
    set_body(scene, (struct body){ .kind = BODY_SPAN, .data = "made", .size = 4 });
    assert_wrote(scene, "HTTP/1.1 201 Created\r\n" DATE "Location: /users/1\r\nX: \r\nContent-Length: 4\r\n" SERVER
                        "\r\nmade");
    assert_int_equal(scene->body_bytes, 4);
}

static void tells_secure_sessions_to_stay(void **state)
{
    struct scene *scene = *state;
    struct session session = { .host = &scene->host, .secure = true };
    scene->host.hsts = SLICE("max-age=60");
    scene->exchange.session = &session;
    scene->exchange.response.status = 204;
    assert_wrote(scene, "HTTP/1.1 204 No Content\r\n" DATE "Strict-Transport-Security: max-age=60\r\n" SERVER "\r\n");
    session.secure = false;
    assert_wrote(scene, "HTTP/1.1 204 No Content\r\n" DATE SERVER "\r\n");
    session.secure = true;
    assert_true(exchange_add_field(&scene->exchange, SLICE("Strict-Transport-Security"), SLICE("max-age=0")));
    assert_wrote(scene, "HTTP/1.1 204 No Content\r\n" DATE "Strict-Transport-Security: max-age=0\r\n" SERVER "\r\n");
}

static void frames_by_method_and_status(void **state)
{
    static const struct {
        enum method method;
        unsigned status;
        enum body_kind kind;
        uint64_t size;
        const char *expected;
    } cases[] = {
        { METHOD_GET, 200, BODY_NONE, 0, "200 OK\r\n" DATE "Content-Length: 0\r\n" SERVER "\r\n" },
        { METHOD_GET, 200, BODY_NONE, 77, "200 OK\r\n" DATE "Content-Length: 0\r\n" SERVER "\r\n" },
        { METHOD_HEAD, 200, BODY_NONE, UINT64_MAX,
          "200 OK\r\n" DATE "Content-Length: 18446744073709551615\r\n" SERVER "\r\n" },
        { METHOD_HEAD, 200, BODY_SPAN, 5, "200 OK\r\n" DATE "Content-Length: 5\r\n" SERVER "\r\n" },
        { METHOD_HEAD, 200, BODY_FILE, 5, "200 OK\r\n" DATE "Content-Length: 5\r\n" SERVER "\r\n" },
        { METHOD_GET, 200, BODY_SPAN, 0, "200 OK\r\n" DATE "Content-Length: 0\r\n" SERVER "\r\n" },
        { METHOD_GET, 200, BODY_FILE, 0, "200 OK\r\n" DATE "Content-Length: 0\r\n" SERVER "\r\n" },
        { METHOD_GET, 204, BODY_SPAN, 5, "204 No Content\r\n" DATE SERVER "\r\n" },
        { METHOD_GET, 304, BODY_SPAN, 5, "304 Not Modified\r\n" DATE SERVER "\r\n" },
        { METHOD_GET, 205, BODY_SPAN, 5, "205 Reset Content\r\n" DATE "Content-Length: 0\r\n" SERVER "\r\n" },
        { METHOD_GET, 205, BODY_PULL, 0, "205 Reset Content\r\n" DATE "Content-Length: 0\r\n" SERVER "\r\n" },
        { METHOD_GET, 204, BODY_PULL, 0, "204 No Content\r\n" DATE SERVER "\r\n" },
        { METHOD_HEAD, 200, BODY_PULL, 0, "200 OK\r\n" DATE "Transfer-Encoding: chunked\r\n" SERVER "\r\n" },
    };
    struct scene *scene = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[256];
        snprintf(expected, sizeof expected, "HTTP/1.1 %s", cases[i].expected);
        scene->exchange.request.method = cases[i].method;
        scene->exchange.response.status = cases[i].status;
        set_body(scene, (struct body){ .kind = cases[i].kind, .data = "hello", .size = cases[i].size });
        assert_wrote(scene, expected);
        assert_int_equal(scene->body_bytes, 0);
    }
}

static void sends_from_where_it_lies(void **state)
{
    struct scene *scene = *state;
    static char large[OUTBOX_COPIED_MAX + 1];
    struct hold *hold = &scene->exchange.hold;
    scene->exchange.response.status = 200;
    set_body(scene, (struct body){ .kind = BODY_SPAN, .data = large, .size = sizeof large, .hold = hold });
    assert_int_equal(respond(scene), H1_WRITE_DONE);
    assert_int_equal(scene->body_bytes, sizeof large);
    set_body(scene, (struct body){ .kind = BODY_FILE, .fd = 7, .offset = 100, .size = 50, .hold = hold });
    assert_int_equal(respond(scene), H1_WRITE_DONE);
    assert_int_equal(scene->body_bytes, 50);
    assert_int_equal(scene->out.count, 4);
    assert_ptr_equal(scene->out.spans[1].data, large);
    assert_int_equal(scene->out.spans[3].kind, SPAN_FILE);
    assert_int_equal(scene->out.spans[3].fd, 7);
    assert_int_equal(scene->out.spans[3].offset, 100);
    assert_int_equal(scene->out.spans[3].size, 50);
    assert_int_equal(atomic_load(&hold->count), 3);
    outbox_clear(&scene->out);
    assert_int_equal(atomic_load(&hold->count), 1);
}

/* The bound of a head is close to what it comes to, so a buffer that is a little larger will do. */
static void bounds_a_head(void **state)
{
    struct scene *scene = *state;
    struct exchange *exchange = &scene->exchange;
    exchange->response.status = 511;
    for (unsigned i = 0; i < EXCHANGE_FIELDS_MAX; i++)
        assert_true(exchange_add_field(exchange, SLICE("Name"), SLICE("value")));
    set_body(scene, (struct body){ .kind = BODY_NONE, .size = UINT64_MAX });
    exchange->request.method = METHOD_HEAD;
    assert_int_equal(respond(scene), H1_WRITE_DONE);
    size_t used = scene->out.used;
    limit(scene, used + 16);
    assert_int_equal(respond(scene), H1_WRITE_DONE);
    assert_int_equal(respond(scene), H1_WRITE_FULL);
    limit(scene, used - 1);
    assert_int_equal(respond(scene), H1_WRITE_BROKEN);
    assert_int_equal(scene->out.count, 0);
}

/* ---- Content that is pulled ---------------------------------------------------------------------------------- */

struct source {
    const long *pieces; /* 0: the end, -1: it fails */
    unsigned at;
    uint64_t total;
};

static long pull(void *user, char *out, size_t size)
{
    struct source *source = user;
    long piece = source->pieces[source->at];
    if (piece <= 0)
        return piece;
    source->at++;
    if ((size_t)piece > size)
        piece = (long)size;
    for (long i = 0; i < piece; i++)
        out[i] = (char)('a' + (source->total + (uint64_t)i) % 26);
    source->total += (uint64_t)piece;
    return piece;
}

static void begin_stream(struct scene *scene, struct source *source, uint8_t version)
{
    scene->exchange.request.version = version;
    scene->exchange.response.status = 200;
    set_body(scene, (struct body){ .kind = BODY_PULL, .pull = pull, .user = source });
    assert_int_equal(respond(scene), H1_WRITE_PULL);
    assert_int_equal(scene->body_bytes, 0);
    outbox_clear(&scene->out);
}

/* Takes a chunk off the front and checks what is in it. Returns its size. */
static size_t check_chunk(struct slice *bytes, uint64_t offset)
{
    char line[8] = "";
    size_t digits = slice_find(*bytes, '\r');
    assert_in_range(digits, 1, 4);
    memcpy(line, bytes->data, digits);
    size_t size = strtoul(line, NULL, 16);
    char canonical[8];
    snprintf(canonical, sizeof canonical, "%zx", size);
    assert_string_equal(line, canonical);
    *bytes = slice_skip(*bytes, digits + 2);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(bytes->data[i], 'a' + (offset + i) % 26);
    assert_memory_equal(bytes->data + size, "\r\n", 2);
    *bytes = slice_skip(*bytes, size + 2);
    return size;
}

static void chunks_of_every_width(void **state)
{
    static const long pieces[] = { 1, 15, 16, 255, 256, 4095, 4096, 16 * 1024 - 8, 1 << 20, 0 };
    struct scene *scene = *state;
    struct source source = { .pieces = pieces };
    begin_stream(scene, &source, 11);
    assert_int_equal(h1_write_pull(&scene->exchange, &scene->out, &scene->body_bytes), H1_PULL_END);
    assert_int_equal(scene->body_bytes, source.total);
    assert_int_equal(scene->out.count, 1);
    struct slice bytes = slice_make(scene->out.buffer, scene->out.used);
    uint64_t offset = 0;
    for (unsigned i = 0; i < source.at; i++) {
        size_t size = check_chunk(&bytes, offset);
        assert_int_equal(size, pieces[i] <= 16 * 1024 - 8 ? pieces[i] : 16 * 1024 - 8);
        offset += size;
    }
    assert_int_equal(bytes.size, 5);
    assert_memory_equal(bytes.data, "0\r\n\r\n", 5);
}

static void pulls_while_there_is_room(void **state)
{
    static const long pieces[] = { 1000, 1000, 1000, 1000, 1000, 0 };
    struct scene *scene = *state;
    struct source source = { .pieces = pieces };
    unsigned rounds = 0;
    limit(scene, 600);
    begin_stream(scene, &source, 11);
    uint64_t offset = 0;
    enum h1_pull_result result;
    do {
        result = h1_write_pull(&scene->exchange, &scene->out, &scene->body_bytes);
        struct slice bytes = slice_make(scene->out.buffer, scene->out.used);
        while (bytes.size > 5)
            offset += check_chunk(&bytes, offset);
        outbox_clear(&scene->out);
        rounds++;
    } while (result == H1_PULL_MORE);
    assert_int_equal(result, H1_PULL_END);
    assert_int_equal(offset, source.total);
    assert_int_equal(scene->body_bytes, source.total);
    assert_true(rounds > 4);
}

static void streams_raw_to_an_old_client(void **state)
{
    static const long pieces[] = { 3, 1, 0 };
    struct scene *scene = *state;
    struct source source = { .pieces = pieces };
    scene->exchange.request.version = 10;
    scene->exchange.response.status = 200;
    set_body(scene, (struct body){ .kind = BODY_PULL, .pull = pull, .user = &source });
    assert_int_equal(respond(scene), H1_WRITE_PULL);
    assert_true(scene->exchange.response.close);
    assert_int_equal(h1_write_pull(&scene->exchange, &scene->out, &scene->body_bytes), H1_PULL_END);
    assert_copied(&scene->out, "HTTP/1.1 200 OK\r\n" DATE SERVER "Connection: close\r\n\r\nabcd");
    assert_int_equal(scene->body_bytes, 4);
}

static void stops_where_the_source_fails(void **state)
{
    static const long pieces[] = { 3, -1 };
    struct scene *scene = *state;
    struct source source = { .pieces = pieces };
    begin_stream(scene, &source, 11);
    assert_int_equal(h1_write_pull(&scene->exchange, &scene->out, &scene->body_bytes), H1_PULL_FAILED);
    assert_copied(&scene->out, "3\r\nabc\r\n");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        SCENE_TEST(writes_what_was_built),
        SCENE_TEST(tells_secure_sessions_to_stay),
        SCENE_TEST(frames_by_method_and_status),
        SCENE_TEST(sends_from_where_it_lies),
        SCENE_TEST(bounds_a_head),
        SCENE_TEST(chunks_of_every_width),
        SCENE_TEST(pulls_while_there_is_room),
        SCENE_TEST(streams_raw_to_an_old_client),
        SCENE_TEST(stops_where_the_source_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A response about to be written: an exchange, a host whose clock stands still, an outbox. For tests of h1_write. */
#ifndef TESTS_UNIT_RESPONSE_SCENE_H
#define TESTS_UNIT_RESPONSE_SCENE_H

#include <stdlib.h>

#include "base/writer.h"
#include "wire/h1_write.h"

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define SERVER "Server: rawhttp\r\n"

static inline void scene_gone(struct hold *hold)
{
    (void)hold;
}

struct scene {
    struct clock clock;
    struct session_host host;
    struct pages pages;
    struct outbox out;
    struct exchange exchange;
    char buffer[64 * 1024];
    uint64_t body_bytes;
};

static inline void limit(struct scene *scene, size_t outbox_size)
{
    outbox_clear(&scene->out);
    outbox_init(&scene->out, scene->buffer, outbox_size);
}

static inline int scene_set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    memcpy(scene->clock.date, "Sun, 06 Nov 1994 08:49:37 GMT", CLOCK_DATE_SIZE);
    scene->host = (struct session_host){ .clock = &scene->clock, .server_field = true };
    pages_init(&scene->pages, 0);
    exchange_init(&scene->exchange, &scene->pages, 64 * 1024, scene_gone);
    exchange_reset(&scene->exchange);
    limit(scene, sizeof scene->buffer);
    scene->exchange.request.method = METHOD_GET;
    scene->exchange.request.version = 11;
    *state = scene;
    return 0;
}

static inline int scene_tear_down(void **state)
{
    struct scene *scene = *state;
    outbox_clear(&scene->out);
    exchange_release(&scene->exchange);
    pages_fini(&scene->pages);
    free(scene);
    return 0;
}

static inline enum h1_write_result respond(struct scene *scene)
{
    scene->body_bytes = 12345;
    return h1_write_response(&scene->exchange, &scene->host, &scene->out, &scene->body_bytes);
}

static inline void assert_copied(const struct outbox *out, const char *expected)
{
    assert_int_equal(out->count, 1);
    assert_int_equal(out->spans[0].kind, SPAN_COPIED);
    if (out->spans[0].size != strlen(expected) || memcmp(out->spans[0].data, expected, out->spans[0].size) != 0)
        fail_msg("wrote \"%.*s\" instead of \"%s\"", (int)out->spans[0].size, out->spans[0].data, expected);
}

static inline void assert_wrote(struct scene *scene, const char *expected)
{
    assert_int_equal(respond(scene), H1_WRITE_DONE);
    assert_copied(&scene->out, expected);
    outbox_clear(&scene->out);
}

#define SCENE_TEST(function) cmocka_unit_test_setup_teardown(function, scene_set_up, scene_tear_down)

#endif

/* A body of several parts: what of it is copied and what goes out from where it lies, when there is room for it, and
 * who holds what until all of it is out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../wire/stage.h"
#include "response_scene.h"
#include "wire/h1_session.h"

enum { PART_COPIED_MAX = 1024 /* h1_write's */, TIGHT = 512 };

#define HEAD "HTTP/1.1 206 Partial Content\r\n" DATE

static char large[PART_COPIED_MAX + 1];

static unsigned count_of(const struct hold *hold)
{
    return atomic_load(&hold->count);
}

/* ---- Into the outbox ------------------------------------------------------------------------------------------ */

/* Four parts: short, large, of a file, short. */
static void fill_four(struct body parts[4], struct hold *hold)
{
    memset(large, 'L', sizeof large);
    parts[0] = (struct body){ .kind = BODY_SPAN, .data = "first;", .size = 6, .hold = hold };
    parts[1] = (struct body){ .kind = BODY_SPAN, .data = large, .size = sizeof large, .hold = hold };
    parts[2] = (struct body){ .kind = BODY_FILE, .fd = 7, .offset = 100, .size = 50, .hold = hold };
    parts[3] = (struct body){ .kind = BODY_SPAN, .data = ";last", .size = 5, .hold = hold };
}

static void set_parts(struct scene *scene, const struct body *parts, unsigned count)
{
    struct body *body = &scene->exchange.response.body;
    scene->exchange.response.status = 206;
    *body = (struct body){ .kind = BODY_PARTS, .parts = parts, .part_count = count };
    for (unsigned i = 0; i < count; i++)
        body->size += parts[i].size;
}

static void assert_text(const struct span *span, const char *expected)
{
    assert_int_equal(span->kind, SPAN_COPIED);
    assert_int_equal(span->size, strlen(expected));
    assert_memory_equal(span->data, expected, strlen(expected));
}

/* What is behind the head of a response with the four parts. */
static void assert_four(const struct outbox *out, unsigned at)
{
    assert_int_equal(out->spans[at + 1].kind, SPAN_MEMORY);
    assert_ptr_equal(out->spans[at + 1].data, large);
    assert_int_equal(out->spans[at + 1].size, sizeof large);
    assert_int_equal(out->spans[at + 2].kind, SPAN_FILE);
    assert_int_equal(out->spans[at + 2].fd, 7);
    assert_int_equal(out->spans[at + 2].offset, 100);
    assert_int_equal(out->spans[at + 2].size, 50);
}

static void writes_parts_in_order(void **state)
{
    struct scene *scene = *state;
    struct hold *hold = &scene->exchange.hold;
    struct body parts[4];
    fill_four(parts, hold);
    set_parts(scene, parts, 4);
    assert_int_equal(respond(scene), H1_WRITE_DONE);
    assert_int_equal(scene->body_bytes, 6 + sizeof large + 50 + 5);
    assert_int_equal(scene->out.count, 4);
    assert_text(&scene->out.spans[0], HEAD "Content-Length: 1086\r\n" SERVER "\r\nfirst;");
    assert_four(&scene->out, 0);
    assert_text(&scene->out.spans[3], ";last");
    assert_int_equal(count_of(hold), 3);

    scene->exchange.request.version = 10; /* the next one, behind it in the same run */
    assert_int_equal(respond(scene), H1_WRITE_DONE);
    assert_int_equal(scene->out.count, 7);
    assert_text(&scene->out.spans[3], ";last" HEAD "Content-Length: 1086\r\n" SERVER
                                      "Connection: keep-alive\r\n\r\nfirst;");
    assert_four(&scene->out, 3);
    outbox_clear(&scene->out);
    assert_int_equal(count_of(hold), 1);
}

static void writes_prepared_parts(void **state)
{
    struct scene *scene = *state;
    struct answer *answer = answer_new(&(struct answer_parts){ .status = 206 });
    struct body parts[4];
    assert_non_null(answer);
    fill_four(parts, answer->life);
    answer->body = (struct body){ .kind = BODY_PARTS, .parts = parts, .part_count = 4, .size = 1086 };
    exchange_use(&scene->exchange, answer);
    for (unsigned i = 0; i < 2; i++) { /* with a head that is encoded for it, and with the kept one */
        assert_int_equal(respond(scene), H1_WRITE_DONE);
        assert_int_equal(scene->body_bytes, 1086);
        assert_text(&scene->out.spans[0], HEAD "Content-Length: 1086\r\n" SERVER "\r\nfirst;");
        assert_four(&scene->out, 0);
        assert_int_equal(count_of(answer->life), 3);
        outbox_clear(&scene->out);
    }
    scene->exchange.request.method = METHOD_HEAD;
    assert_wrote(scene, HEAD "Content-Length: 1086\r\n" SERVER "\r\n");
    assert_int_equal(count_of(answer->life), 1);
    answer_unref(answer);
}

static void sends_no_parts_where_there_is_no_content(void **state)
{
    static const struct {
        enum method method;
        unsigned status;
        const char *expected;
    } cases[] = {
        { METHOD_HEAD, 206, HEAD "Content-Length: 1086\r\n" SERVER "\r\n" },
        { METHOD_GET, 204, "HTTP/1.1 204 No Content\r\n" DATE SERVER "\r\n" },
        { METHOD_GET, 205, "HTTP/1.1 205 Reset Content\r\n" DATE "Content-Length: 0\r\n" SERVER "\r\n" },
        { METHOD_GET, 304, "HTTP/1.1 304 Not Modified\r\n" DATE SERVER "\r\n" },
    };
    struct scene *scene = *state;
    struct body parts[4];
    fill_four(parts, &scene->exchange.hold);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        set_parts(scene, parts, 4);
        scene->exchange.request.method = cases[i].method;
        scene->exchange.response.status = cases[i].status;
        assert_wrote(scene, cases[i].expected);
        assert_int_equal(scene->body_bytes, 0);
        assert_int_equal(count_of(&scene->exchange.hold), 1);
    }
}

static void writes_parts_without_bytes(void **state)
{
    static const struct body parts[] = { { .kind = BODY_SPAN }, { .kind = BODY_FILE, .fd = 7 },
                                         { .kind = BODY_SPAN, .data = "x", .size = 1 }, { .kind = BODY_SPAN } };
    struct scene *scene = *state;
    set_parts(scene, parts, 4);
    assert_wrote(scene, HEAD "Content-Length: 1\r\n" SERVER "\r\nx");
    set_parts(scene, parts, 2);
    assert_wrote(scene, HEAD "Content-Length: 0\r\n" SERVER "\r\n");
    set_parts(scene, NULL, 0);
    assert_wrote(scene, HEAD "Content-Length: 0\r\n" SERVER "\r\n");
}

static void copies_up_to_a_limit(void **state)
{
    struct scene *scene = *state;
    for (size_t size = PART_COPIED_MAX; size <= PART_COPIED_MAX + 1; size++) {
        const struct body part = { .kind = BODY_SPAN, .data = large, .size = size, .hold = &scene->exchange.hold };
        set_parts(scene, &part, 1);
        assert_int_equal(respond(scene), H1_WRITE_DONE);
        assert_int_equal(scene->out.count, size == PART_COPIED_MAX ? 1 : 2);
        assert_int_equal(count_of(&scene->exchange.hold), size == PART_COPIED_MAX ? 1 : 2);
        outbox_clear(&scene->out);
    }
}

/* ---- Room ------------------------------------------------------------------------------------------------------ */

static void assert_sent(const struct outbox *out, size_t head, struct slice expected)
{
    char sent[64];
    struct writer w = writer_on(sent, sizeof sent);
    for (unsigned i = 0; i < out->count; i++)
        writer_put(&w, slice_skip(slice_make(out->spans[i].data, out->spans[i].size), i == 0 ? head : 0));
    assert_true(slice_equal(writer_slice(&w), expected));
}

/* The head has to fit; of the parts, what cannot be copied goes out from where it is. */
static void refers_to_what_it_cannot_copy(void **state)
{
    static const struct {
        size_t copied;
        unsigned referred;
    } cases[] = { { 0, 3 }, { 0, 3 }, { 2, 2 }, { 3, 2 }, { 3, 2 }, { 5, 2 }, { 5, 2 },
                  { 7, 1 }, { 8, 1 }, { 8, 1 }, { 10, 0 }, { 10, 0 } }; /* for so many bytes behind the head */
    struct scene *scene = *state;
    struct answer *answer = answer_new(&(struct answer_parts){ .status = 206 });
    assert_non_null(answer);
    const struct body parts[] = { { .kind = BODY_SPAN, .data = "12345", .size = 5, .hold = answer->life },
                                  { .kind = BODY_SPAN, .data = "678", .size = 3, .hold = answer->life },
                                  { .kind = BODY_SPAN, .data = "90", .size = 2, .hold = answer->life } };
    answer->body = (struct body){ .kind = BODY_PARTS, .parts = parts, .part_count = 3, .size = 10 };
    exchange_use(&scene->exchange, answer);
    assert_int_equal(respond(scene), H1_WRITE_DONE);
    size_t head = scene->out.used - 10;
    for (size_t left = 0; left < sizeof cases / sizeof cases[0]; left++) {
        limit(scene, head + left);
        assert_int_equal(respond(scene), H1_WRITE_DONE);
        assert_int_equal(scene->body_bytes, 10);
        assert_int_equal(scene->out.used - head, cases[left].copied);
        assert_int_equal(count_of(answer->life), 1 + cases[left].referred);
        assert_sent(&scene->out, head, SLICE("1234567890"));
    }
    limit(scene, head - 1);
    assert_int_equal(respond(scene), H1_WRITE_BROKEN);
    answer_unref(answer);
}

static void needs_a_span_for_each_part(void **state)
{
    enum { MANY = 2 * 16 + 1 };
    struct scene *scene = *state;
    struct hold *hold = &scene->exchange.hold;
    struct body parts[MANY];
    for (unsigned i = 0; i < MANY; i++)
        parts[i] = (struct body){ .kind = BODY_FILE, .fd = 7, .offset = i, .size = 1, .hold = hold };
    set_parts(scene, parts, MANY);
    unsigned before = OUTBOX_SPANS - MANY - 2; /* the head, and one to spare */
    for (unsigned used = before; used <= before + 1; used++) {
        for (unsigned i = 0; i < used; i++)
            assert_true(outbox_memory(&scene->out, SLICE("x"), NULL));
        bool fits = used == before;
        assert_int_equal(respond(scene), fits ? H1_WRITE_DONE : H1_WRITE_FULL);
        assert_int_equal(scene->out.count, fits ? OUTBOX_SPANS - 1 : used);
        assert_int_equal(count_of(hold), fits ? 1 + MANY : 1);
        outbox_clear(&scene->out);
    }
    assert_int_equal(respond(scene), H1_WRITE_DONE);
    assert_int_equal(scene->out.count, 1 + MANY);
}

static void breaks_off_what_never_fits(void **state)
{
    struct scene *scene = *state;
    static struct body parts[OUTBOX_SPANS];
    for (unsigned i = 0; i < OUTBOX_SPANS; i++)
        parts[i] = (struct body){ .kind = BODY_FILE, .fd = 7, .offset = i, .size = 1 };
    set_parts(scene, parts, OUTBOX_SPANS - 2);
    assert_int_equal(respond(scene), H1_WRITE_DONE);
    assert_int_equal(respond(scene), H1_WRITE_FULL);
    outbox_clear(&scene->out);
    set_parts(scene, parts, OUTBOX_SPANS - 1);
    assert_int_equal(respond(scene), H1_WRITE_BROKEN);
    assert_int_equal(scene->out.count, 0);
    assert_true(outbox_memory(&scene->out, SLICE("x"), NULL));
    assert_int_equal(respond(scene), H1_WRITE_FULL);
    assert_int_equal(scene->out.count, 1);

    set_parts(scene, parts, 1);
    limit(scene, 64);
    assert_int_equal(respond(scene), H1_WRITE_BROKEN);
    assert_int_equal(scene->out.count, 0);
}

/* ---- In a session ---------------------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    struct stage *stage = malloc(sizeof *stage);
    assert_non_null(stage);
    stage_init(stage, TIGHT);
    stage_open(stage);
    *state = stage;
    return 0;
}

/* Every exchange is reported once, and nothing is held any more. */
static int tear_down(void **state)
{
    struct stage *stage = *state;
    stage_close(stage);
    assert_int_equal(stage->finished, stage->taken);
    stage_fini(stage);
    free(stage);
    return 0;
}

static void send(struct stage *stage)
{
    stage_send(stage, SLICE("GET /parts HTTP/1.1\r\nHost: a\r\n\r\n"));
}

static void fill(struct stage *stage, size_t size)
{
    memset(outbox_reserve(&stage->outbox, size), '.', size);
    outbox_commit(&stage->outbox, size);
}

static bool went_out(const struct stage *stage, const char *text)
{
    return memmem(stage->output.data, stage->output.size, text, strlen(text)) != NULL;
}

#define assert_phase(stage, expected) assert_int_equal((stage)->session->phase, expected)

#define CUT "\r\n--00000000000000000000000000000000"
#define PART(range) CUT "\r\nContent-Type: text/plain\r\nContent-Range: bytes " range "/20000\r\n\r\n"

/* What a body's parts lie in is held while it waits for room, once for each part, and then by what is in the outbox. */
static void keeps_what_does_not_fit(void **state)
{
    struct stage *stage = *state;
    fill(stage, TIGHT);
    stage->stuck = true;
    send(stage);
    assert_phase(stage, SESSION_SENDING);
    assert_int_equal(count_of(&stage->large->hold), 3);
    assert_int_equal(count_of(&stage->file_hold), 2);
    stage_flush(stage);
    stage->output.size = 0;
    h1_session_type.drain(stage->session, &stage->outbox);
    assert_phase(stage, SESSION_IDLE);
    assert_int_equal(stage->finished, 1);
    assert_int_equal(count_of(&stage->large->hold), 2); /* the short range was copied */
    assert_int_equal(count_of(&stage->file_hold), 2);
    stage_flush(stage);
    assert_int_equal(count_of(&stage->large->hold), 1);
    assert_int_equal(count_of(&stage->file_hold), 1);
    assert_int_equal(stage->alive, 0);
    assert_int_equal(stage->last_bytes, 7361);
    assert_true(went_out(stage, "\r\n\r\n" PART("0-4999") "ABCDEFGHIJKLM"));
    assert_true(went_out(stage, "EFGH" PART("5010-5019") "STUVWXYZAB" PART("18000-19999") "IJKLM"));
    assert_true(went_out(stage, "CDEF" CUT "--\r\n"));
}

/* When the connection breaks: all parts are in the outbox, the text of the later ones not copied, so that it holds the
 * exchange; or everything waits. */
static void lets_go_of_them(void **state)
{
    static const struct {
        size_t filled;
        enum session_phase phase;
        unsigned alive;
    } cases[] = { { 0, SESSION_IDLE, 0 }, { 200, SESSION_IDLE, 1 }, { TIGHT, SESSION_SENDING, 1 } };
    struct stage *stage = *state;
    stage->stuck = true;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fill(stage, cases[i].filled);
        send(stage);
        assert_phase(stage, cases[i].phase);
        assert_int_equal(stage->alive, cases[i].alive);
        assert_int_equal(count_of(&stage->file_hold), 2);
        stage_close(stage);
        assert_int_equal(count_of(&stage->large->hold), 1);
        assert_int_equal(count_of(&stage->file_hold), 1);
        assert_int_equal(stage->alive, 0);
        stage_open(stage);
    }
}

static struct hold parts_hold;

static void answer_with_too_many_parts(struct session_host *host, struct exchange *exchange)
{
    static struct body parts[OUTBOX_SPANS];
    (void)host;
    for (unsigned i = 0; i < OUTBOX_SPANS; i++)
        parts[i] = (struct body){ .kind = BODY_SPAN, .data = "x", .size = 1, .hold = &parts_hold };
    exchange->response.status = 206;
    exchange->response.body = (struct body){ .kind = BODY_PARTS, .parts = parts, .part_count = OUTBOX_SPANS,
                                             .size = OUTBOX_SPANS, .hold = &parts_hold };
}

static void gives_up_what_never_fits(void **state)
{
    struct stage *stage = *state;
    hold_init(&parts_hold, NULL);
    stage->host.request = answer_with_too_many_parts;
    fill(stage, TIGHT);
    stage->stuck = true;
    send(stage);
    assert_phase(stage, SESSION_SENDING); /* nobody can tell yet */
    assert_int_equal(count_of(&parts_hold), 1 + OUTBOX_SPANS + 1);
    stage->stuck = false;
    stage_flush(stage);
    stage_go_on(stage);
    assert_true(went_out(stage, "HTTP/1.1 503 "));
    assert_phase(stage, SESSION_LINGER);
    assert_int_equal(stage->last_status, 503);
    assert_int_equal(count_of(&parts_hold), 1);
}

#define STAGE_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        SCENE_TEST(writes_parts_in_order),
        SCENE_TEST(writes_prepared_parts),
        SCENE_TEST(sends_no_parts_where_there_is_no_content),
        SCENE_TEST(writes_parts_without_bytes),
        SCENE_TEST(copies_up_to_a_limit),
        SCENE_TEST(refers_to_what_it_cannot_copy),
        SCENE_TEST(needs_a_span_for_each_part),
        SCENE_TEST(breaks_off_what_never_fits),
        STAGE_TEST(keeps_what_does_not_fit),
        STAGE_TEST(lets_go_of_them),
        STAGE_TEST(gives_up_what_never_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

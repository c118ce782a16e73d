/* Memory: for every i, the i-th allocation in a request's life fails, and what comes of it is an answer, a 503 or a
 * close, never a leak or a crash; the next request is answered. And between two requests nothing is allocated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "../wire/stage.h"
#include "wire/h1_session.h"

static struct stage *stage; /* whose session is at work decides whether an allocation counts */
static unsigned allocations, failing; /* 0: none fails */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size);

static bool fails(void)
{
    return stage && stage->inside && ++allocations == failing;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return fails() ? NULL : __real_realloc(block, size);
}

#define A10 "aaaaaaaaaa"
#define A100 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10
#define A1000 A100 A100 A100 A100 A100 A100 A100 A100 A100 A100

/* Each ends with the connection idle where nothing fails. */
static const struct scenario {
    const char *name, *request;
    size_t outbox_size;
} scenarios[] = {
    { "a page", "GET /page HTTP/1.1\r\nHost: a\r\n\r\n", STAGE_OUTBOX_SIZE },
    { "a page, twice", "GET /page HTTP/1.1\r\nHost: a\r\n\r\nGET /page HTTP/1.1\r\nHost: a\r\n\r\n",
      STAGE_OUTBOX_SIZE },
    { "an answer of the moment", "GET /text HTTP/1.1\r\nHost: a\r\n\r\n", STAGE_OUTBOX_SIZE },
    { "a large page", "GET /large HTTP/1.1\r\nHost: a\r\n\r\n", STAGE_OUTBOX_SIZE },
    { "a stream", "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n", STAGE_OUTBOX_SIZE },
    { "a stream, little room", "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n", 512 },
    { "pages, little room",
      "GET /page HTTP/1.1\r\nHost: a\r\n\r\nGET /page HTTP/1.1\r\nHost: a\r\n\r\nGET /page HTTP/1.1\r\nHost: a\r\n\r\n"
      "GET /page HTTP/1.1\r\nHost: a\r\n\r\n", 512 },
    { "parts", "GET /parts HTTP/1.1\r\nHost: a\r\n\r\n", STAGE_OUTBOX_SIZE },
    { "parts, little room",
      "GET /parts HTTP/1.1\r\nHost: a\r\n\r\nGET /parts HTTP/1.1\r\nHost: a\r\n\r\n"
      "GET /parts HTTP/1.1\r\nHost: a\r\n\r\nGET /parts HTTP/1.1\r\nHost: a\r\n\r\n", 512 },
    { "parts behind a head too long for what lies in the exchange",
      "GET /parts HTTP/1.1\r\nHost: a\r\nX: " A1000 A1000 A1000 A1000 A1000 A1000 "\r\n\r\n", STAGE_OUTBOX_SIZE },
    { "a deferred answer", "GET /later HTTP/1.1\r\nHost: a\r\n\r\n", STAGE_OUTBOX_SIZE },
    { "a body", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n" A1000 A1000, STAGE_OUTBOX_SIZE },
    { "chunks", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" A1000 "\r\n3e8\r\n" A1000
                "\r\n0\r\n\r\n", STAGE_OUTBOX_SIZE },
    { "a body after its 100",
      "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2000\r\n\r\n" A1000 A1000,
      STAGE_OUTBOX_SIZE },
    { "a body that nobody wants", "POST /page HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" A1000,
      STAGE_OUTBOX_SIZE },
    { "a path too long for what lies in the exchange",
      "GET /%61" A1000 A1000 A1000 A1000 A1000 A1000 A1000 " HTTP/1.1\r\nHost: a\r\n\r\n", STAGE_OUTBOX_SIZE },
    { "a head too long for what lies in the exchange",
      "POST /echo HTTP/1.1\r\nHost: a\r\nX: " A1000 A1000 A1000 A1000 A1000 A1000 A1000
      "\r\nContent-Length: 5\r\n\r\nhello", STAGE_OUTBOX_SIZE },
    { "a long head, deferred",
      "GET /later HTTP/1.1\r\nHost: a\r\nX: " A1000 A1000 A1000 A1000 A1000 A1000 A1000 "\r\n\r\n", STAGE_OUTBOX_SIZE },
    { "a long head, little room",
      "GET /stream HTTP/1.1\r\nHost: a\r\nX: " A1000 A1000 A1000 A1000 A1000 A1000 A1000 "\r\n\r\n", 512 },
};

enum { SCENARIOS = sizeof scenarios / sizeof scenarios[0] };

static void open_stage(struct stage *made, size_t outbox_size)
{
    failing = 0;
    stage_init(made, outbox_size);
    made->limits.request_line_max = 8192;
    made->limits.head_max = 32 * 1024;
    made->limits.body_max = 8192;
    made->limits.discard_max = 8192;
    stage_open(made);
    stage = made;
}

static void close_stage(void)
{
    struct stage *closing = stage;
    failing = 0;
    stage_close(closing);
    assert_int_equal(closing->finished, closing->taken);
    stage = NULL;
    stage_fini(closing);
}

static bool went_out(const char *text)
{
    return memmem(stage->output.data, stage->output.size, text, strlen(text)) != NULL;
}

static void send(const char *text)
{
    stage_send(stage, slice_text(text));
}

/* Answered as usual, or by the host with a 503, or by the session with one that says close, or by the bare close where
 * not even that had room. */
static void check_outcome(const struct scenario *scenario, const struct text *usual)
{
    if (stage->session->phase == SESSION_IDLE) {
        bool same = slice_equal(text_slice(&stage->output), text_slice(usual));
        if (!same && !slice_starts(text_slice(&stage->output), SLICE("HTTP/1.1 503 ")))
            fail_msg("%s, allocation %u: another answer", scenario->name, failing);
        return;
    }
    if (stage->session->phase != SESSION_LINGER)
        fail_msg("%s, allocation %u: phase %d", scenario->name, failing, stage->session->phase);
    if (went_out("HTTP/1.1 503 "))
        assert_true(went_out("\r\nConnection: close\r\n"));
    assert_int_equal(stage->input.size, 0);
}

static void check_next(const struct scenario *scenario)
{
    failing = 0;
    stage_close(stage);
    stage_open(stage);
    stage->output.size = 0;
    send("GET /page HTTP/1.1\r\nHost: a\r\n\r\n");
    if (!went_out("HTTP/1.1 200 OK\r\n") || stage->session->phase != SESSION_IDLE)
        fail_msg("%s: the next request was not answered", scenario->name);
}

/* Returns how many allocations there are. */
static unsigned play_unharmed(const struct scenario *scenario, struct text *usual)
{
    struct stage made;
    open_stage(&made, scenario->outbox_size);
    allocations = 0;
    send(scenario->request);
    unsigned count = allocations;
    if (made.session->phase != SESSION_IDLE)
        fail_msg("%s: ends in phase %d", scenario->name, made.session->phase);
    text_append(usual, text_slice(&made.output));
    close_stage();
    return count;
}

static void survives_every_failure(void **state)
{
    unsigned all = 0;
    (void)state;
    for (size_t i = 0; i < SCENARIOS; i++) {
        struct text usual = { 0 };
        unsigned count = play_unharmed(&scenarios[i], &usual);
        all += count;
        assert_in_range(count, 1, 20); /* the exchange, at least */
        for (unsigned at = 1; at <= count; at++) {
            struct stage made;
            open_stage(&made, scenarios[i].outbox_size);
            allocations = 0;
            failing = at;
            send(scenarios[i].request);
            assert_true(allocations >= at);
            check_outcome(&scenarios[i], &usual);
            check_next(&scenarios[i]);
            close_stage();
        }
        text_free(&usual);
    }
    assert_true(all > SCENARIOS + SCENARIOS / 2); /* heads, bodies and arenas, beside the exchanges */
}

/* Deadlines, too, when there is no memory to be had. */
static void expires_without_memory(void **state)
{
    struct stage made;
    (void)state;
    open_stage(&made, STAGE_OUTBOX_SIZE);
    send("GET /pa");
    allocations = 0;
    failing = 1;
    stage_expire(stage);
    assert_true(went_out("HTTP/1.1 408 "));
    assert_int_equal(stage->session->phase, SESSION_LINGER);
    close_stage();
}

static void allocates_nothing_the_second_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCENARIOS; i++) {
        struct stage made;
        open_stage(&made, scenarios[i].outbox_size);
        send(scenarios[i].request);
        allocations = 0;
        send(scenarios[i].request);
        if (allocations != 0)
            fail_msg("%s: %u allocations", scenarios[i].name, allocations);
        assert_int_equal(made.session->phase, SESSION_IDLE);
        close_stage();
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_every_failure),
        cmocka_unit_test(expires_without_memory),
        cmocka_unit_test(allocates_nothing_the_second_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

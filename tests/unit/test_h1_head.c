/* The head parser: every rule as a case, and every case whole, cut at every byte and a byte at a time, with each
 * scanner, with what was read before forgotten and remembered, in buffers of exactly the right size that lie somewhere
 * else at every call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/writer.h"
#include "wire/h1_head.h"
#include "wire/h1_memo.h"

enum { DONE = 200 }; /* beside the statuses */

struct outcome {
    unsigned status;  /* DONE, a status, or 0: not yet */
    size_t seen;      /* bytes that were there when it was told */
    size_t head_size; /* DONE */
    char text[16 * 1024];
};

static const struct session_limits wide = { .request_line_max = 8192, .head_max = 32768, .fields_max = 100 };

static void write_slice(struct writer *w, struct slice s)
{
    writer_byte(w, '[');
    writer_put(w, s);
    writer_byte(w, ']');
}

/* All that a head says, as text. */
static void describe(const struct request *request, struct outcome *outcome)
{
    struct writer w = writer_on(outcome->text, sizeof outcome->text - 1);
    const struct target *target = &request->target;
    const struct slice parts[] = { request->method_name, request->raw_target, target->path, target->query,
                                   target->authority, request->path };

    writer_uint(&w, request->method);
    writer_byte(&w, ' ');
    writer_uint(&w, request->version);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        write_slice(&w, parts[i]);
    for (unsigned i = 0; i < request->fields.count; i++) {
        write_slice(&w, fields_name(&request->fields, i));
        write_slice(&w, fields_value(&request->fields, i));
        writer_uint(&w, request->fields.id[i]);
        assert_true(fields_has(&request->fields, request->fields.id[i]));
        assert_in_range(request->fields.first[request->fields.id[i]], 0, i);
    }
    assert_false(w.overflowed);
    *w.at = '\0';
}

/* Feeds what there is after `first` bytes and then after every `step` more, from a new place each time. */
static struct outcome *parse(const struct h1_scanner *scanner, struct slice text, size_t first, size_t step,
                             const struct session_host *host)
{
    struct outcome *outcome = calloc(1, sizeof *outcome);
    struct request *request = calloc(1, sizeof *request);
    struct h1_head head = { 0 };
    char *old = NULL;

    for (size_t seen = first; outcome->status == 0; seen = seen + step < text.size ? seen + step : text.size) {
        char *bytes = malloc(seen > 0 ? seen : 1);
        memcpy(bytes, text.data, seen);
        free(old);
        old = bytes;
        enum h1_head_result result = h1_head_parse(scanner, &head, request, slice_make(bytes, seen), host);
        outcome->seen = seen;
        if (result == H1_HEAD_DONE) {
            outcome->status = DONE;
            outcome->head_size = head.done;
            describe(request, outcome);
        } else if (result == H1_HEAD_BAD) {
            outcome->status = head.bad_status;
            assert_true(outcome->status >= 400);
        }
        if (seen == text.size)
            break;
    }
    free(old);
    free(request);
    return outcome;
}

static void assert_same(const struct outcome *a, const struct outcome *b, struct slice text, size_t cut)
{
    if (a->status == b->status && a->head_size == b->head_size && strcmp(a->text, b->text) == 0)
        return;
    fail_msg("cut at %zu: %u, not %u, for: %.*s", cut, b->status, a->status, (int)text.size, text.data);
}

/* The outcome of a byte at a time, the same for every other way. */
static struct outcome *parse_all_ways(struct slice text, const struct session_limits *limits)
{
    const struct h1_scanner *scanners[H1_SCANNERS];
    unsigned count = h1_scanner_list(scanners);
    const struct session_host forgetful = { .limits = limits };
    struct outcome *slow = parse(&h1_scanner_scalar, text, 0, 1, &forgetful);

    for (unsigned i = 0; i < 2 * count; i++) {
        struct session_host host = { .limits = limits, .memo = i < count ? NULL : h1_memo_new() };
        for (size_t cut = 0; cut <= text.size; cut++) {
            struct outcome *fast = parse(scanners[i % count], text, cut, text.size - cut, &host);
            assert_same(slow, fast, text, cut);
            free(fast);
        }
        struct outcome *bytes = parse(scanners[i % count], text, 0, 1, &host);
        assert_same(slow, bytes, text, 1);
        assert_int_equal(bytes->seen, slow->seen);
        free(bytes);
        free(host.memo);
    }
    return slow;
}

/* `seen` 0: told at the last byte. */
static void expect(struct slice text, const struct session_limits *limits, unsigned status, size_t seen)
{
    struct outcome *outcome = parse_all_ways(text, limits);
    if (outcome->status != status || (status != 0 && outcome->seen != (seen > 0 ? seen : text.size)))
        fail_msg("%u after %zu, not %u after %zu, for: %.*s", outcome->status, outcome->seen, status, seen,
                 (int)(text.size < 300 ? text.size : 300), text.data);
    free(outcome);
}

struct head_case {
    struct slice text;
    unsigned status;
    size_t seen; /* bytes after which it is told; 0: at the last one */
};

#define HOST "Host: a\r\n"
#define ROW(text, ...) { SLICE_INIT(text), __VA_ARGS__ }

static void check(const struct head_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect(cases[i].text, &wide, cases[i].status, cases[i].seen);
}

#define CHECK(cases) check(cases, sizeof(cases) / sizeof(cases)[0])

static void request_lines(void **state)
{
    static const struct head_case cases[] = {
        ROW("GET / HTTP/1.1\r\n" HOST "\r\n", DONE),
        ROW("GET / HTTP/1.0\r\n\r\n", DONE),
        ROW("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", DONE),
        ROW("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", DONE),
        ROW("GET http://a/ HTTP/1.1\r\n" HOST "\r\n", DONE),
        ROW("BREW /pot HTTP/1.1\r\n" HOST "\r\n", DONE),
        ROW("get / HTTP/1.1\r\n" HOST "\r\n", DONE),
        ROW("!#$%&'*+-.^_`|~09azAZ / HTTP/1.1\r\n" HOST "\r\n", DONE),
        ROW("GETS / HTTP/1.1\r\n" HOST "\r\n", DONE),
        ROW("G", 0),
        ROW("", 0),
        ROW("GET /", 0),
        ROW("GET / HTTP/1.1\r", 0),
        ROW("GET / HTTP/1.1\r\n", 0),
        ROW(" GET / HTTP/1.1\r\n", 400, 1),
        ROW("\tGET / HTTP/1.1\r\n", 400, 1),
        ROW("\nGET / HTTP/1.1\r\n", 400, 1),
        ROW("GE(T / HTTP/1.1\r\n", 400, 3),
        ROW("G\xC3\x84T / HTTP/1.1\r\n", 400, 2),
        ROW("GET\t/ HTTP/1.1\r\n", 400, 4),
        ROW("GET\r\n", 400, 4),
        ROW("GET  / HTTP/1.1\r\n", 400, 5),
        ROW("GET \t/ HTTP/1.1\r\n", 400, 5),
        ROW("GET /\r\n", 400, 6),
        ROW("GET /\n", 400, 6),
        ROW("GET /a\tb HTTP/1.1\r\n", 400, 7),
        ROW("GET /a\x7F HTTP/1.1\r\n", 400, 7),
        ROW("GET /a\x80 HTTP/1.1\r\n", 400, 7),
        ROW("GET /a\0b HTTP/1.1\r\n", 400, 7),
        ROW("GET / a HTTP/1.1\r\n", 400, 7),
        ROW("GET a HTTP/1.1\r\n", 400, 6),
        ROW("GET * HTTP/1.1\r\n", 400, 6),
        ROW("GET /%zz HTTP/1.1\r\n", 400, 9),
        ROW("GET /  HTTP/1.1\r\n", 400, 7),
        ROW("\x16\x03\x01\x02", 400, 1), /* TLS */
        ROW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, 6),
    };
    (void)state;
    CHECK(cases);
}

static void versions(void **state)
{
    static const struct head_case cases[] = {
        ROW("GET / HTTP/1.2\r\n" HOST "\r\n", DONE),
        ROW("GET / HTTP/1.9\r\n" HOST "\r\n", DONE),
        ROW("GET / HTTP/2.0\r\n", 505),
        ROW("GET / HTTP/9.9\r\n" HOST "\r\n", 505, 16),
        ROW("GET / HTTP/2.0\r", 0),
        ROW("GET / HTTP/2.0 \r\n", 400, 15),
        ROW("GET / HTTP/0.9\r\n", 400, 12),
        ROW("GET / HTTP/10.1\r\n", 400, 13),
        ROW("GET / HTTP/1.10\r\n", 400, 15),
        ROW("GET / HTTP/1.\r\n", 400, 14),
        ROW("GET / HTTP/1,1\r\n", 400, 13),
        ROW("GET / HTTP/x.1\r\n", 400, 12),
        ROW("GET / HTTP/+1.1\r\n", 400, 12),
        ROW("GET / HTTP 1.1\r\n", 400, 11),
        ROW("GET / http/1.1\r\n", 400, 7),
        ROW("GET / HTTPS/1.1\r\n", 400, 11),
        ROW("GET / HTTP/1.1 \r\n", 400, 15),
        ROW("GET / HTTP/1.1\n", 400, 15),
        ROW("GET / HTTP/1.1\r\r\n", 400, 16),
        ROW("GET / HTTP/1.1\rX", 400, 16),
        ROW("GET / \r\n", 400, 7),
    };
    (void)state;
    CHECK(cases);
}

static void empty_lines(void **state)
{
    static const struct head_case cases[] = {
        ROW("\r\nGET / HTTP/1.1\r\n" HOST "\r\n", DONE),
        ROW("\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", DONE),
        ROW("\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 400, 9),
        ROW("\r\n\r\n", 0),
        ROW("\r", 0),
        ROW("\r\r\n", 400, 2),
        ROW("\r\n\nGET", 400, 3),
        ROW("\rGET", 400, 2),
    };
    (void)state;
    CHECK(cases);
}

#define LINE "GET / HTTP/1.1\r\n" /* 16 bytes */

static void field_lines(void **state)
{
    static const struct head_case cases[] = {
        ROW(LINE HOST "A:\r\n\r\n", DONE),
        ROW(LINE HOST "A: \t \r\n\r\n", DONE),
        ROW(LINE HOST "A:b\r\n\r\n", DONE),
        ROW(LINE HOST "A: \t b \t c \t \r\n\r\n", DONE),
        ROW(LINE HOST "A: a:b, \"c\"; d=[{}]\r\n\r\n", DONE),
        ROW(LINE HOST "A: \x80\xFF\xC3\xBC\r\n\r\n", DONE),
        ROW(LINE HOST "!#$%&'*+-.^_`|~09azAZ: x\r\n\r\n", DONE),
        ROW(LINE HOST "A: b\r\n", 0),
        ROW(LINE HOST "\r", 0),
        ROW(LINE "\r\n", 400),
        ROW(LINE " Host: a\r\n\r\n", 400, 17),
        ROW(LINE "\tHost: a\r\n\r\n", 400, 17),
        ROW(LINE "\nHost: a\r\n\r\n", 400, 17),
        ROW(LINE ": a\r\n\r\n", 400, 17),
        ROW(LINE "Host : a\r\n\r\n", 400, 21),
        ROW(LINE "Host\t: a\r\n\r\n", 400, 21),
        ROW(LINE "Host\r\n\r\n", 400, 21),
        ROW(LINE "Ho\0st: a\r\n\r\n", 400, 19),
        ROW(LINE "Ho\xC3st: a\r\n\r\n", 400, 19),
        ROW(LINE "Ho/st: a\r\n\r\n", 400, 19),
        ROW(LINE "A: b\nHost: a\r\n\r\n", 400, 21),
        ROW(LINE "A: b\rHost: a\r\n\r\n", 400, 22),
        ROW(LINE "A: b\r\rHost: a\r\n\r\n", 400, 22),
        ROW(LINE "A: \0\r\n\r\n", 400, 20),
        ROW(LINE "A: \x1F\r\n\r\n", 400, 20),
        ROW(LINE "A: \x7F\r\n\r\n", 400, 20),
        ROW(LINE "A: \x0B\r\n\r\n", 400, 20),
        ROW(LINE "A: b\r\n c\r\n" HOST "\r\n", 400, 23),
        ROW(LINE "A: b\r\n\tc\r\n" HOST "\r\n", 400, 23),
        ROW(LINE HOST "\n", 400, 26),
        ROW(LINE HOST "\rX", 400, 27),
        ROW(LINE HOST "\r\r\n", 400, 27),
    };
    (void)state;
    CHECK(cases);
}

static void hosts(void **state)
{
    static const struct head_case cases[] = {
        ROW(LINE "HOST: www.example.org:8080\r\n\r\n", DONE),
        ROW(LINE "hoSt:[::1]:80\r\n\r\n", DONE),
        ROW("GET http://b/ HTTP/1.1\r\n" HOST "\r\n", DONE),
        ROW("GET / HTTP/1.0\r\nA: b\r\n\r\n", DONE),
        ROW("GET / HTTP/1.0\r\n" HOST "\r\n", DONE),
        ROW(LINE "A: b\r\n\r\n", 400),
        ROW("GET http://b/ HTTP/1.1\r\n\r\n", 400),
        ROW("GET / HTTP/1.2\r\n\r\n", 400),
        ROW(LINE HOST HOST "\r\n", 400),
        ROW(LINE HOST "A: b\r\nhost: a\r\n\r\n", 400),
        ROW(LINE "Host:\r\n\r\n", 400),
        ROW(LINE "Host: \t \r\n\r\n", 400),
        ROW(LINE "Host: a b\r\n\r\n", 400),
        ROW(LINE "Host: a, b\r\n\r\n", 400),
        ROW(LINE "Host: u@a\r\n\r\n", 400),
        ROW(LINE "Host: a:99999\r\n\r\n", 400),
        ROW("GET http://b/ HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        ROW("GET / HTTP/1.0\r\n" HOST HOST "\r\n", 400),
        ROW("GET / HTTP/1.0\r\nHost:\r\n\r\n", 400),
    };
    (void)state;
    CHECK(cases);
}

/* Where a line has several faults, the first one in the order of the bytes is told. */
static void first_fault_wins(void **state)
{
    static const struct head_case cases[] = {
        ROW("G(T a HTTP/2.0\n", 400, 2),
        ROW("GET a HTTP/2.0\r\n", 400, 6),
        ROW("GET / HTTP/2.0\n", 400, 15),
        ROW("GET / HTTP/2.0\r\n :\r\n", 505, 16),
        ROW(LINE HOST HOST " x\r\n\r\n", 400, 35),
    };
    static const struct session_limits tight = { .request_line_max = 20, .head_max = 40, .fields_max = 2 };

    (void)state;
    CHECK(cases);
    expect(SLICE("GET /23456789012345(7"), &tight, 414, 21);
    expect(SLICE("GET /2345678901234\x80 6789"), &tight, 400, 19);
    expect(SLICE("GET /23456789012345\x80"), &tight, 400, 20);
    expect(SLICE("GET /234567890123456\x80"), &tight, 414, 21);
    expect(SLICE("GET /345 HTTP/2.00\r\n"), &tight, 400, 18);
    expect(SLICE("GET /34567 HTTP/2.0\r\n"), &tight, 505, 21);
    expect(SLICE(LINE HOST "A:b\r\nC\x01"), &tight, 431, 31);
    expect(SLICE(LINE HOST "A:\x01"), &tight, 400, 28);
    expect(SLICE(LINE "A:678901234567890123456\x01"), &tight, 400, 40);
    expect(SLICE(LINE "A:6789012345678901234567\x01"), &tight, 431, 40);
}

static struct slice repeat(char *room, const char *front, char c, size_t count, const char *back)
{
    size_t size = strlen(front);
    memcpy(room, front, size);
    memset(room + size, c, count);
    strcpy(room + size + count, back);
    return slice_make(room, size + count + strlen(back));
}

static void long_request_lines(void **state)
{
    static const struct session_limits limits = { .request_line_max = 100, .head_max = 1000, .fields_max = 10 };
    char room[512];

    (void)state; /* "GET /" and " HTTP/1.1" are 14 bytes */
    expect(repeat(room, "GET /", 'a', 86, " HTTP/1.1\r\n" HOST "\r\n"), &limits, DONE, 0);
    expect(repeat(room, "GET /", 'a', 85, " HTTP/1.1\r\n" HOST "\r\n"), &limits, DONE, 0);
    expect(repeat(room, "GET /", 'a', 84, " HTTP/1.1\r\n" HOST "\r\n"), &limits, DONE, 0);
    expect(repeat(room, "GET /", 'a', 85, " HTTP/1.1\r"), &limits, 0, 0);
    expect(repeat(room, "GET /", 'a', 85, " HTTP/1.1\rX"), &limits, 414, 101);
    expect(repeat(room, "GET /", 'a', 84, " HTTP/1.1\rX"), &limits, 400, 100);
    expect(repeat(room, "GET /", 'a', 86, " HTTP/1.1\n"), &limits, 400, 101);
    expect(repeat(room, "GET /", 'a', 87, " HTTP/1.1\r\n" HOST "\r\n"), &limits, 414, 101);
    expect(repeat(room, "GET /", 'a', 87, " HTTP/1.1"), &limits, 414, 101);
    expect(repeat(room, "GET /", 'a', 86, " HTTP/1.1"), &limits, 0, 0);
    expect(repeat(room, "GET /", 'a', 86, " HTTP/1.1\r"), &limits, 0, 0);
    expect(repeat(room, "GET /", 'a', 86, " HTTP/1.1\rX"), &limits, 400, 102);
    expect(repeat(room, "GET /", 'a', 95, ""), &limits, 0, 0);
    expect(repeat(room, "GET /", 'a', 96, ""), &limits, 414, 101);
    expect(repeat(room, "GET /", 'a', 95, "\r"), &limits, 400, 101);
    expect(repeat(room, "", 'a', 100, ""), &limits, 0, 0);
    expect(repeat(room, "", 'a', 101, ""), &limits, 414, 101);
    expect(repeat(room, "\r\n\r\nGET /", 'a', 86, " HTTP/1.1\r\n" HOST "\r\n"), &limits, DONE, 0);
    expect(repeat(room, "\r\n\r\nGET /", 'a', 87, " HTTP/1.1\r\n"), &limits, 414, 105);
}

static void long_heads(void **state)
{
    static const struct session_limits limits = { .request_line_max = 200, .head_max = 100, .fields_max = 10 };
    char room[512];

    (void)state; /* the line, Host, "A:", its CRLF and the empty line are 31 bytes */
    expect(repeat(room, LINE HOST "A:", 'a', 69, "\r\n\r\n"), &limits, DONE, 0);
    expect(repeat(room, LINE HOST "A:", 'a', 70, "\r\n\r\n"), &limits, 431, 100);
    expect(repeat(room, LINE HOST "A:", 'a', 72, ""), &limits, 0, 0);
    expect(repeat(room, LINE HOST "A:", 'a', 73, ""), &limits, 431, 100);
    expect(repeat(room, LINE HOST, 'a', 100, ""), &limits, 431, 100);
    expect(repeat(room, "GET /", 'a', 200, ""), &limits, 431, 100);
    expect(repeat(room, LINE HOST "A:", 'a', 69, "\r\n\r\nGET / HTTP/1.1"), &limits, DONE, 100);
}

static void many_fields(void **state)
{
    static const struct session_limits two = { .request_line_max = 100, .head_max = 1000, .fields_max = 2 };
    static const struct session_limits none = { .request_line_max = 100, .head_max = 1000, .fields_max = 0 };

    (void)state;
    expect(SLICE(LINE HOST "A: b\r\n\r\n"), &two, DONE, 0);
    expect(SLICE(LINE HOST "A: b\r\n"), &two, 0, 0);
    expect(SLICE(LINE HOST "A: b\r\nC: d\r\n\r\n"), &two, 431, 32);
    expect(SLICE(LINE HOST "A: b\r\n (\r\n\r\n"), &two, 431, 32);
    expect(SLICE(LINE HOST "A: b\r\n\rX"), &two, 400, 33);
    expect(SLICE("GET / HTTP/1.0\r\n\r\n"), &none, DONE, 0);
    expect(SLICE("GET / HTTP/1.0\r\nA: b\r\n\r\n"), &none, 431, 17);
}

/* Whatever the options say, more than the struct can hold is too much; checked whole only, it is long. */
static void limits_of_the_struct(void **state)
{
    static const struct session_limits open = { .request_line_max = UINT32_MAX, .head_max = FIELDS_HEAD_MAX,
                                                .fields_max = FIELDS_MAX };
    static char room[FIELDS_HEAD_MAX + 100];
    size_t most = FIELDS_HEAD_MAX - sizeof(LINE HOST "A:\r\n\r\n") + 1;
    const struct session_host host = { .limits = &open };
    struct request *request = calloc(1, sizeof *request);

    (void)state;
    for (size_t more = 0; more < 2; more++) {
        struct h1_head head = { 0 };
        struct slice text = repeat(room, LINE HOST "A:", 'a', most + more, "\r\n\r\n");
        enum h1_head_result result = h1_head_parse(h1_scanner_best(), &head, request, text, &host);
        assert_int_equal(result, more ? H1_HEAD_BAD : H1_HEAD_DONE);
        assert_int_equal(more ? head.bad_status : head.done, more ? 431 : FIELDS_HEAD_MAX);
        assert_int_equal(request->fields.at[1].value_size, most + more);
    }
    for (unsigned count = FIELDS_MAX; count <= FIELDS_MAX + 1; count++) {
        struct writer w = writer_on(room, sizeof room);
        struct h1_head head = { 0 };
        writer_text(&w, LINE HOST);
        for (unsigned i = 1; i < count; i++)
            writer_text(&w, "A: b\r\n");
        writer_text(&w, "\r\n");
        enum h1_head_result result = h1_head_parse(h1_scanner_best(), &head, request, writer_slice(&w), &host);
        assert_int_equal(result, count > FIELDS_MAX ? H1_HEAD_BAD : H1_HEAD_DONE);
        assert_int_equal(request->fields.count, FIELDS_MAX);
    }
    free(request);
}

static void notes_all_it_saw(void **state)
{
    static const struct {
        struct slice text;
        const char *said;
        size_t head_size;
    } cases[] = {
        { SLICE_INIT("GET /a/b?c=d HTTP/1.1\r\nHost:  x.y:1 \r\nX-A:\r\nACCEPT: q\t\r\n\r\nrest"),
          "1 11[GET][/a/b?c=d][/a/b][c=d][][/a/b][Host][x.y:1]10[X-A][]0[ACCEPT][q]1", 58 },
        { SLICE_INIT("\r\nPOST /%41 HTTP/1.0\r\n\r\n"), "3 10[POST][/%41][/%41][][][]", 24 },
        { SLICE_INIT("FOO https://h:1/p HTTP/1.7\r\nHost: q\r\nte:x\r\nTE:y\r\n\r\n"),
          "0 11[FOO][https://h:1/p][/p][][h:1][/p][Host][q]10[te][x]19[TE][y]19", 51 },
    };

    (void)state;
    assert_int_equal(FIELD_ACCEPT, 1);
    assert_int_equal(FIELD_HOST, 10);
    assert_int_equal(FIELD_TE, 19);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct outcome *outcome = parse_all_ways(cases[i].text, &wide);
        assert_int_equal(outcome->status, DONE);
        assert_string_equal(outcome->text, cases[i].said);
        assert_int_equal(outcome->head_size, cases[i].head_size);
        free(outcome);
    }
}

/* Every byte in place of every byte of a head: whatever comes of it comes of it in every way. */
static void any_byte_anywhere(void **state)
{
    static const char text[] = "GET /a?b HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n";
    const struct session_host host = { .limits = &wide };
    char changed[sizeof text];
    unsigned done = 0, bad = 0;

    (void)state;
    for (size_t at = 0; at < sizeof text - 1; at++) {
        for (unsigned c = 0; c < 256; c += at % 7 + 1) {
            memcpy(changed, text, sizeof text);
            changed[at] = (char)c;
            struct slice whole = slice_make(changed, sizeof text - 1);
            struct outcome *slow = parse(&h1_scanner_scalar, whole, 0, 1, &host);
            struct outcome *fast = parse(h1_scanner_best(), whole, whole.size, 1, &host);
            assert_same(slow, fast, whole, 0);
            done += slow->status == DONE;
            bad += slow->status >= 400;
            free(slow);
            free(fast);
        }
    }
    assert_true(done > 100 && bad > 1000);
}

/* Every byte in place of every byte of a path, of which the head parser looks at 32 bytes by itself: what comes of it
 * is what target_parse makes of the same bytes. */
static void path_is_what_target_parse_says(void **state)
{
    static const char text[] = "GET /abc/.d/e.f/..g/h-i/jk/lm/no/p/q.html HTTP/1.1\r\nHost: www.example.org\r\n\r\n";
    const size_t begin = 4, end = (size_t)(strstr(text, " HTTP") - text);
    const struct h1_scanner *scanners[H1_SCANNERS];
    unsigned count = h1_scanner_list(scanners), done = 0;
    struct request *request = calloc(1, sizeof *request);
    const struct session_host host = { .limits = &wide };
    char changed[sizeof text];
    struct target target;

    (void)state;
    for (unsigned i = 0; i < count * 256 * (end - begin); i++) {
        size_t at = begin + i / count / 256;
        struct h1_head head = { 0 };
        memcpy(changed, text, sizeof text);
        changed[at] = (char)(i / count % 256);
        if (changed[at] == ' ')
            continue;
        struct slice raw = slice_make(changed + begin, end - begin), whole = slice_make(changed, sizeof text - 1);
        enum h1_head_result result = h1_head_parse(scanners[i % count], &head, request, whole, &host);
        assert_int_equal(result, target_parse(&target, raw, METHOD_GET) ? H1_HEAD_DONE : H1_HEAD_BAD);
        if (result != H1_HEAD_DONE)
            continue;
        done++;
        assert_true(slice_equal(request->raw_target, raw));
        assert_int_equal(request->target.plain, target.plain);
        assert_int_equal(request->target.has_query, target.has_query);
        assert_true(slice_equal(request->target.path, target.path) && slice_equal(request->target.query, target.query));
        assert_int_equal(request->path.size, target.plain ? target.path.size : 0);
    }
    assert_true(done > 1000);
    free(request);
}

/* A long head of many blocks, as browsers send it. */
static void long_head_is_the_same_every_way(void **state)
{
    static const char text[] =
        "GET /articles/2024/how-a-server-works.html?from=front HTTP/1.1\r\nHost: www.example.org\r\n"
        "Connection: keep-alive\r\nsec-ch-ua: \"Chromium\";v=\"124\", \"Not-A.Brand\";v=\"99\"\r\n"
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0\r\n"
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8\r\n"
        "Accept-Encoding: gzip, deflate, br, zstd\r\nIf-None-Match: \"0123456789abcdef\"\r\n\r\n";

    (void)state;
    struct outcome *outcome = parse_all_ways(slice_make(text, sizeof text - 1), &wide);
    assert_int_equal(outcome->status, DONE);
    free(outcome);
}

/* A request struct is used again and again, and a log must not show one client's words for another's. */
static void nothing_of_an_earlier_head_is_left(void **state)
{
    static const struct {
        const char *text;
        enum method method;
        const char *target;
    } cases[] = {
        { "\1", METHOD_OTHER, "" },         { "GET", METHOD_OTHER, "" },
        { "GET \1", METHOD_OTHER, "" },     { "GET /new HTTP/9.1\r\n", METHOD_GET, "/new" },
        { "GET /new HTT\1", METHOD_GET, "/new" },
    };
    static const struct session_limits limits = { .request_line_max = 1000, .head_max = 1000, .fields_max = 10 };
    const struct session_host host = { .limits = &limits };
    struct request *request = calloc(1, sizeof *request);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct h1_head head = { 0 };
        struct slice before = SLICE("HEAD http://secret/secret?secret HTTP/1.1\r\nHost: secret\r\nCookie: a\r\n\r\n");
        request->persistent = true;
        assert_int_equal(h1_head_parse(h1_scanner_best(), &head, request, before, &host), H1_HEAD_DONE);

        head = (struct h1_head){ 0 };
        request->fields.base = cases[i].text;
        if (h1_head_parse(h1_scanner_best(), &head, request, slice_text(cases[i].text), &host) == H1_HEAD_MORE)
            h1_head_forget(&head, request);
        assert_int_equal(request->method, cases[i].method);
        assert_int_equal(request->version, 0);
        assert_false(request->persistent);
        assert_true(slice_equal(request->raw_target, slice_text(cases[i].target)));
        assert_int_equal(request->target.authority.size, 0);
        assert_int_equal(request->target.query.size, 0);
        assert_true(slice_equal(request->path, slice_text(cases[i].target)));
        assert_int_equal(request->fields.count, 0);
        assert_false(fields_has(&request->fields, FIELD_HOST));
    }
    free(request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_lines),
        cmocka_unit_test(versions),
        cmocka_unit_test(empty_lines),
        cmocka_unit_test(field_lines),
        cmocka_unit_test(hosts),
        cmocka_unit_test(first_fault_wins),
        cmocka_unit_test(long_request_lines),
        cmocka_unit_test(long_heads),
        cmocka_unit_test(many_fields),
        cmocka_unit_test(limits_of_the_struct),
        cmocka_unit_test(notes_all_it_saw),
        cmocka_unit_test(nothing_of_an_earlier_head_is_left),
        cmocka_unit_test(any_byte_anywhere),
        cmocka_unit_test(path_is_what_target_parse_says),
        cmocka_unit_test(long_head_is_the_same_every_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

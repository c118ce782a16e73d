/* Chunked bodies: every rule as a case, each whole, cut at every byte and a byte at a time, in buffers of exactly the
 * right size; then each limit at its edge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/writer.h"
#include "wire/h1_chunked.h"

#define MORE H1_CHUNKED_MORE
#define DONE H1_CHUNKED_DONE
#define BAD H1_CHUNKED_BAD

struct outcome {
    enum h1_chunked_result result;
    size_t taken; /* bytes up to the verdict */
    char content[64 * 1024];
    size_t size;
};

static void collect(struct outcome *outcome, struct slice data)
{
    assert_true(data.size > 0 && outcome->size + data.size <= sizeof outcome->content);
    memcpy(outcome->content + outcome->size, data.data, data.size);
    outcome->size += data.size;
}

/* One piece of input, from a copy that ends where it ends. */
static void feed(struct h1_chunked *chunked, struct slice piece, struct outcome *outcome)
{
    char *copy = calloc(1, piece.size > 0 ? piece.size : 1);
    struct slice bytes = slice_make(copy, piece.size), data;

    memcpy(copy, piece.data, piece.size);
    while ((outcome->result = h1_chunked_next(chunked, &bytes, &data)) == H1_CHUNKED_DATA) {
        assert_true(data.data >= copy && data.data + data.size == bytes.data);
        collect(outcome, data);
    }
    outcome->taken += piece.size - bytes.size;
    if (outcome->result == H1_CHUNKED_MORE)
        assert_int_equal(bytes.size, 0);
    free(copy);
}

static struct outcome *decode(struct slice text, size_t first, size_t step)
{
    struct outcome *outcome = calloc(1, sizeof *outcome);
    struct h1_chunked chunked = { 0 };

    feed(&chunked, slice_part(text, 0, first), outcome);
    for (size_t at = first; at < text.size && outcome->result == H1_CHUNKED_MORE; at += step)
        feed(&chunked, slice_part(text, at, at + step < text.size ? at + step : text.size), outcome);
    return outcome;
}

static void assert_same(const struct outcome *a, const struct outcome *b, struct slice text, size_t cut)
{
    struct slice of_a = slice_make(a->content, a->size), of_b = slice_make(b->content, b->size);
    if (a->result != b->result || a->taken != b->taken || !slice_equal(of_a, of_b))
        fail_msg("cut at %zu: %d after %zu, not %d after %zu, for: %.*s", cut, b->result, b->taken, a->result, a->taken,
                 (int)text.size, text.data);
}

static struct outcome *decode_all_ways(struct slice text)
{
    struct outcome *slow = decode(text, 0, 1);
    for (size_t cut = 0; cut <= text.size; cut++) {
        struct outcome *fast = decode(text, cut, text.size - cut + 1);
        assert_same(slow, fast, text, cut);
        free(fast);
    }
    return slow;
}

/* `taken` 0: all of it. */
static void expect(struct slice text, enum h1_chunked_result result, size_t taken)
{
    struct outcome *outcome = decode_all_ways(text);
    if (outcome->result != result || outcome->taken != (taken > 0 ? taken : text.size))
        fail_msg("%d after %zu, not %d after %zu, for: %.*s", outcome->result, outcome->taken, result, taken,
                 (int)(text.size < 300 ? text.size : 300), text.data);
    free(outcome);
}

struct chunked_case {
    struct slice text;
    enum h1_chunked_result result;
    size_t taken;
};

#define ROW(text, ...) { SLICE_INIT(text), __VA_ARGS__ }
#define CHECK(cases) check(cases, sizeof(cases) / sizeof(cases)[0])

static void check(const struct chunked_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect(cases[i].text, cases[i].result, cases[i].taken);
}

static void contents(void **state)
{
    static const struct {
        struct slice text, content;
        size_t taken;
    } cases[] = {
        { SLICE_INIT("0\r\n\r\n"), SLICE_INIT(""), 5 },
        { SLICE_INIT("5\r\nhello\r\n0\r\n\r\n"), SLICE_INIT("hello"), 15 },
        { SLICE_INIT("1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\nGET"), SLICE_INIT("abcdef"), 26 },
        { SLICE_INIT("A\r\n0123456789\r\n005\r\n0\r\n\r\n\r\n0000\r\n\r\n0"), SLICE_INIT("01234567890\r\n\r\n"), 35 },
        { SLICE_INIT("4;a;b=c;d=\"e\\\"\";f\r\n\0\r\n\xFF\r\n0;x\r\nA: b\r\nC:\r\n\r\n"),
          SLICE_INIT("\0\r\n\xFF"), 42 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct outcome *outcome = decode_all_ways(cases[i].text);
        assert_int_equal(outcome->result, DONE);
        assert_int_equal(outcome->taken, cases[i].taken);
        assert_true(slice_equal(slice_make(outcome->content, outcome->size), cases[i].content));
        free(outcome);
    }
}

static void sizes(void **state)
{
    static const struct chunked_case cases[] = {
        ROW("", MORE),
        ROW("0", MORE),
        ROW("0\r", MORE),
        ROW("0\r\n", MORE),
        ROW("0\r\n\r", MORE),
        ROW("5\r\nhell", MORE),
        ROW("0000000000000000\r\n\r\n", DONE),
        ROW("000000000000000a\r\n0123456789\r\n0\r\n\r\n", DONE),
        ROW("00000000000000000\r\n\r\n", BAD, 17),
        ROW("7fffffffffffffff\r\n", MORE),
        ROW("7FFFFFFFFFFFFFFF\r\nabc", MORE),
        ROW("8000000000000000\r\n", BAD, 16),
        ROW("ffffffffffffffff\r\n", BAD, 16),
        ROW("10000000000000000\r\n", BAD, 17),
        ROW("\r\n", BAD, 1),
        ROW(";a\r\n", BAD, 1),
        ROW(" 5\r\n", BAD, 1),
        ROW("-5\r\n", BAD, 1),
        ROW("+5\r\n", BAD, 1),
        ROW("g\r\n", BAD, 1),
        ROW("0x5\r\n", BAD, 2),
        ROW("5h\r\n", BAD, 2),
        ROW("5_0\r\n", BAD, 2),
        ROW("5 \r\n", BAD, 3),
        ROW("5\t\r\n", BAD, 3),
        ROW("5 5\r\n", BAD, 3),
        ROW("5\n", BAD, 2),
        ROW("5\r\r\n", BAD, 3),
        ROW("5\rhello", BAD, 3),
        ROW("5\0\r\n", BAD, 2),
        ROW("5\xB2\r\n", BAD, 2),
    };
    (void)state;
    CHECK(cases);
}

static void data_ends(void **state)
{
    static const struct chunked_case cases[] = {
        ROW("1\r\naX", BAD, 5),
        ROW("1\r\na\n", BAD, 5),
        ROW("1\r\na\rX", BAD, 6),
        ROW("1\r\na\r\r\n", BAD, 6),
        ROW("1\r\nab\r\n0\r\n\r\n", BAD, 5),
        ROW("2\r\na\r\n0\r\n\r\n", BAD, 6),
        ROW("1\r\na\r\n\r\n", BAD, 7),
        ROW("1\r\na\r\n", MORE),
    };
    (void)state;
    CHECK(cases);
}

static void extensions(void **state)
{
    static const struct chunked_case cases[] = {
        ROW("0;a\r\n\r\n", DONE),
        ROW("0;a=b\r\n\r\n", DONE),
        ROW("0 \t; \ta \t= \tb \t;c\r\n\r\n", DONE),
        ROW("0;a=\"\"\r\n\r\n", DONE),
        ROW("0;a=\"b c\t;=\xFF\" ; d=e;f\r\n\r\n", DONE),
        ROW("0;a=\"\\\"\\\\\\ \\\t\\\x80\"\r\n\r\n", DONE),
        ROW("0;a=\"b\";c=\"d\"\r\n\r\n", DONE),
        ROW("0;\r\n\r\n", BAD, 3),
        ROW("0; \r\n\r\n", BAD, 4),
        ROW("0;;a\r\n", BAD, 3),
        ROW("0;=b\r\n", BAD, 3),
        ROW("0;a \r\n", BAD, 5),
        ROW("0;a b\r\n", BAD, 5),
        ROW("0;a=\r\n", BAD, 5),
        ROW("0;a= \r\n", BAD, 6),
        ROW("0;a==b\r\n", BAD, 5),
        ROW("0;a=;b\r\n", BAD, 5),
        ROW("0;a=b \r\n", BAD, 7),
        ROW("0;a=b c\r\n", BAD, 7),
        ROW("0;a=b=c\r\n", BAD, 6),
        ROW("0;a=b\"c\"\r\n", BAD, 6),
        ROW("0;a=\"b\"c\r\n", BAD, 8),
        ROW("0;a=\"b\" \r\n", BAD, 9),
        ROW("0;a=\"b\r\n", BAD, 7),
        ROW("0;a=\"b\\\r\n", BAD, 8),
        ROW("0;a=\"b\\\x7F", BAD, 8),
        ROW("0;a=\"b\0\"", BAD, 7),
        ROW("0;a=\"b\n\"", BAD, 7),
        ROW("0;\"a\"\r\n", BAD, 3),
        ROW("0;a\n\r\n", BAD, 4),
        ROW("0;a=b\n\r\n", BAD, 6),
        ROW("0;\n", BAD, 3),
        ROW("0;a\rb\r\n", BAD, 5),
        ROW("0;\xC3\xA4\r\n", BAD, 3),
        ROW("0;a=\x01\r\n", BAD, 5),
        ROW("0;a\xFF\r\n", BAD, 4),
    };
    (void)state;
    CHECK(cases);
}

static void trailers(void **state)
{
    static const struct chunked_case cases[] = {
        ROW("0\r\nA: b\r\n\r\n", DONE),
        ROW("0\r\nA:\r\nB: \t c \x80\t\r\n\r\nGET", DONE, 20),
        ROW("0\r\nDigest: a\r\nHosts: b\r\nHos: c\r\nT: d\r\nTee: e\r\n\r\n", DONE),
        ROW("0\r\nContent-Length-X: f\r\nUpgradE-: g\r\n\r\n", DONE),
        ROW("0\r\nA: b", MORE),
        ROW("0\r\nA: b\r\n", MORE),
        ROW("0\r\n : b\r\n", BAD, 4),
        ROW("0\r\n: b\r\n", BAD, 4),
        ROW("0\r\nA : b\r\n", BAD, 5),
        ROW("0\r\nA\r\n", BAD, 5),
        ROW("0\r\nA(: b\r\n", BAD, 5),
        ROW("0\r\n\xC3: b\r\n", BAD, 4),
        ROW("0\r\nA: b\n", BAD, 8),
        ROW("0\r\nA: b\rC", BAD, 9),
        ROW("0\r\nA: b\r\r\n", BAD, 9),
        ROW("0\r\nA: \0\r\n", BAD, 7),
        ROW("0\r\nA: \x7F\r\n", BAD, 7),
        ROW("0\r\nA: b\r\n c\r\n\r\n", BAD, 10),
        ROW("0\r\n\n", BAD, 4),
        ROW("0\r\n\rX", BAD, 5),
        ROW("0\r\nContent-Length: 5\r\n\r\n", BAD, 18),
        ROW("0\r\nTransfer-Encoding: chunked\r\n\r\n", BAD, 21),
        ROW("0\r\nHOST: a\r\n\r\n", BAD, 8),
        ROW("0\r\nA: b\r\ntrailer: a\r\n\r\n", BAD, 17),
        ROW("0\r\ntE: a\r\n\r\n", BAD, 6),
        ROW("0\r\nconnection: close\r\n\r\n", BAD, 14),
        ROW("0\r\nUpgrade: a\r\n\r\n", BAD, 11),
        ROW("0\r\nexpect:\r\n\r\n", BAD, 10),
    };
    (void)state;
    CHECK(cases);
}

static void put_many(struct writer *w, char c, size_t count)
{
    for (size_t i = 0; i < count; i++)
        writer_byte(w, c);
}

static void limits_a_size_line(void **state)
{
    char room[600];
    static const char front[] = "0;a=";

    (void)state;
    for (unsigned over = 0; over < 2; over++) {
        struct writer w = writer_on(room, sizeof room);
        writer_text(&w, front);
        put_many(&w, 'b', H1_CHUNK_LINE_MAX - strlen(front) + over);
        writer_text(&w, "\r\n\r\n");
        expect(writer_slice(&w), over ? BAD : DONE, over ? H1_CHUNK_LINE_MAX + 1 : 0);
    }
}

/* Whole and a byte at a time, but not cut everywhere: it is long. */
static void expect_long(struct slice text, enum h1_chunked_result result)
{
    struct outcome *fast = decode(text, text.size, 1), *slow = decode(text, 0, 1);
    assert_same(slow, fast, text, 0);
    assert_int_equal(fast->result, result);
    free(fast);
    free(slow);
}

static void limits_all_extensions(void **state)
{
    static char room[64 * 1024];

    (void)state;
    for (unsigned over = 0; over < 2; over++) {
        struct writer w = writer_on(room, sizeof room);
        for (unsigned i = 0; i < H1_CHUNK_EXTENSIONS_MAX / 128; i++) {
            writer_text(&w, "1;");
            put_many(&w, 'a', 127);
            writer_text(&w, "\r\nx\r\n");
        }
        writer_text(&w, over ? "0;" : "0");
        expect_long(writer_slice(&w), over ? BAD : MORE);
        assert_false(w.overflowed);
    }
}

static void limits_all_trailers(void **state)
{
    static char room[64 * 1024];

    (void)state;
    for (unsigned over = 0; over < 2; over++) {
        struct writer w = writer_on(room, sizeof room);
        writer_text(&w, "0\r\nA: b\r\nB:");
        put_many(&w, 'c', H1_TRAILER_MAX - 6 - 4 + over);
        writer_text(&w, "\r\n\r\n");
        expect_long(writer_slice(&w), over ? BAD : DONE);

        w = writer_on(room, sizeof room);
        writer_text(&w, "0\r\n");
        put_many(&w, 'n', H1_TRAILER_MAX + over);
        expect_long(writer_slice(&w), over ? BAD : MORE);
    }
}

static void verdicts_stay(void **state)
{
    static const struct slice texts[] = { SLICE_INIT("0\r\n\r\n"), SLICE_INIT("x") };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct h1_chunked chunked = { 0 };
        struct slice bytes = texts[i], data = slice_make(NULL, 0);
        enum h1_chunked_result verdict = h1_chunked_next(&chunked, &bytes, &data);
        assert_int_equal(verdict, i == 0 ? DONE : BAD);
        bytes = SLICE("0\r\n\r\n");
        assert_int_equal(h1_chunked_next(&chunked, &bytes, &data), verdict);
        assert_int_equal(bytes.size, 5);
        bytes = slice_make(NULL, 0);
        assert_int_equal(h1_chunked_next(&chunked, &bytes, &data), verdict);
    }
    assert_true(sizeof(struct h1_chunked) <= 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contents),
        cmocka_unit_test(sizes),
        cmocka_unit_test(data_ends),
        cmocka_unit_test(extensions),
        cmocka_unit_test(trailers),
        cmocka_unit_test(limits_a_size_line),
        cmocka_unit_test(limits_all_extensions),
        cmocka_unit_test(limits_all_trailers),
        cmocka_unit_test(verdicts_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

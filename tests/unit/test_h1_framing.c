/* Where a message ends: every combination of fields that has tempted two parsers to differ, and the answer to each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "made_fields.h"
#include "wire/h1_framing.h"

#define CL "Content-Length: "
#define TE "Transfer-Encoding: "

struct framing_case {
    const char *fields; /* lines */
    enum h1_body body;
    unsigned status;
    uint64_t length;
};

static struct h1_framing decide(const char *fields, uint8_t version)
{
    struct request *request = calloc(1, sizeof *request);
    request->version = version;
    made_fields(&request->fields, fields);
    struct h1_framing framing = h1_framing_decide(request);
    free(request);
    return framing;
}

static void check(const struct framing_case *c, uint8_t version)
{
    struct h1_framing framing = decide(c->fields, version);
    if (framing.body != c->body || framing.status != c->status || framing.length != c->length)
        fail_msg("%d %u %llu for %s", framing.body, framing.status, (unsigned long long)framing.length, c->fields);
    if (framing.body == H1_BODY_REFUSED)
        assert_false(framing.persistent || framing.expects);
}

static void lengths(void **state)
{
    static const struct framing_case cases[] = {
        { "", H1_BODY_NONE },
        { "Host: a", H1_BODY_NONE },
        { CL "0", H1_BODY_NONE },
        { CL "000", H1_BODY_NONE },
        { CL "1", H1_BODY_LENGTH, 0, 1 },
        { CL "0042", H1_BODY_LENGTH, 0, 42 },
        { CL "9223372036854775807", H1_BODY_LENGTH, 0, INT64_MAX },
        { CL "5\n" CL "5", H1_BODY_LENGTH, 0, 5 },
        { CL "5, 5", H1_BODY_LENGTH, 0, 5 },
        { CL "5 ,\t5\nHost: a\n" CL "5", H1_BODY_LENGTH, 0, 5 },
        { CL "9223372036854775808", H1_BODY_REFUSED, 400 },
        { CL "18446744073709551615", H1_BODY_REFUSED, 400 },
        { CL "18446744073709551616", H1_BODY_REFUSED, 400 },
        { CL "18446744073709551621", H1_BODY_REFUSED, 400 },
        { CL "99999999999999999999999999", H1_BODY_REFUSED, 400 },
        { CL "", H1_BODY_REFUSED, 400 },
        { CL "-1", H1_BODY_REFUSED, 400 },
        { CL "+1", H1_BODY_REFUSED, 400 },
        { CL "1.0", H1_BODY_REFUSED, 400 },
        { CL "0x5", H1_BODY_REFUSED, 400 },
        { CL "5 5", H1_BODY_REFUSED, 400 },
        { CL "1_000", H1_BODY_REFUSED, 400 },
        { CL "five", H1_BODY_REFUSED, 400 },
        { CL "\"5\"", H1_BODY_REFUSED, 400 },
        { CL "5;", H1_BODY_REFUSED, 400 },
        { CL "\xB2", H1_BODY_REFUSED, 400 },
        { CL "5, 6", H1_BODY_REFUSED, 400 },
        { CL "5\n" CL "6", H1_BODY_REFUSED, 400 },
        { CL "5\nHost: a\n" CL "05", H1_BODY_REFUSED, 400 },
        { CL "0\n" CL "00", H1_BODY_REFUSED, 400 },
        { CL "5, 5, 6", H1_BODY_REFUSED, 400 },
        { CL "5,", H1_BODY_REFUSED, 400 },
        { CL ",5", H1_BODY_REFUSED, 400 },
        { CL "5,,5", H1_BODY_REFUSED, 400 },
        { CL ",", H1_BODY_REFUSED, 400 },
        { CL "5\n" CL "", H1_BODY_REFUSED, 400 },
        { CL "\n" CL "5", H1_BODY_REFUSED, 400 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check(&cases[i], 11);
        check(&cases[i], 10);
    }
}

static void codings(void **state)
{
    static const struct framing_case cases[] = {
        { TE "chunked", H1_BODY_CHUNKED },
        { "transfer-encoding: CHUNKED", H1_BODY_CHUNKED },
        { TE "chunked\n" CL "5", H1_BODY_REFUSED, 400 },
        { CL "5\n" TE "chunked", H1_BODY_REFUSED, 400 },
        { CL "\n" TE "gzip, chunked", H1_BODY_REFUSED, 400 },
        { TE "gzip, chunked", H1_BODY_REFUSED, 501 },
        { TE "gzip\n" TE "chunked", H1_BODY_REFUSED, 501 },
        { TE "a, b , c,\tchunked", H1_BODY_REFUSED, 501 },
        { TE "identity, chunked", H1_BODY_REFUSED, 501 },
        { TE "xchunked, chunked", H1_BODY_REFUSED, 501 },
        { TE "gzip", H1_BODY_REFUSED, 400 },
        { TE "identity", H1_BODY_REFUSED, 400 },
        { TE "chunkedx", H1_BODY_REFUSED, 400 },
        { TE "chunke", H1_BODY_REFUSED, 400 },
        { TE "chunked, gzip", H1_BODY_REFUSED, 400 },
        { TE "chunked, chunked", H1_BODY_REFUSED, 400 },
        { TE "gzip, chunked, chunked", H1_BODY_REFUSED, 400 },
        { TE "chunked\n" TE "chunked", H1_BODY_REFUSED, 400 },
        { TE "chunked\n" TE "identity", H1_BODY_REFUSED, 400 },
        { TE "", H1_BODY_REFUSED, 400 },
        { TE ",", H1_BODY_REFUSED, 400 },
        { TE "chunked,", H1_BODY_REFUSED, 400 },
        { TE ",chunked", H1_BODY_REFUSED, 400 },
        { TE "gzip,,chunked", H1_BODY_REFUSED, 400 },
        { TE "chunked\n" TE "", H1_BODY_REFUSED, 400 },
        { TE "\n" TE "chunked", H1_BODY_REFUSED, 400 },
        { TE "chunked;x", H1_BODY_REFUSED, 400 },
        { TE "chunked; q=1", H1_BODY_REFUSED, 400 },
        { TE "gzip;q=1, chunked", H1_BODY_REFUSED, 400 },
        { TE "chunked chunked", H1_BODY_REFUSED, 400 },
        { TE "\"chunked\"", H1_BODY_REFUSED, 400 },
        { TE "gzip, \"a,chunked\"", H1_BODY_REFUSED, 400 },
        { TE "\xC3\xA7hunked", H1_BODY_REFUSED, 400 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check(&cases[i], 11);
        struct framing_case never = { cases[i].fields, H1_BODY_REFUSED, 400, 0 };
        check(&never, 10);
    }
}

static void expectations(void **state)
{
    static const struct {
        const char *fields;
        unsigned status;
        bool expects;
    } cases[] = {
        { "Expect: 100-continue\n" CL "1", 0, true },
        { "expect: 100-CONTINUE\n" TE "chunked", 0, true },
        { CL "1\nExpect: 100-continue, 100-continue", 0, true },
        { CL "1\nExpect: 100-continue\nExpect: 100-continue", 0, true },
        { CL "1\nExpect:", 0, false },
        { "Expect: 100-continue", 0, false },
        { "Expect: 100-continue\n" CL "0", 0, false },
        { "Expect: 200-ok", 417, false },
        { "Expect: 100-continue, x=y\n" CL "1", 417, false },
        { "Expect: 100-continue\nExpect: x\n" CL "1", 417, false },
        { "Expect: 100-continue;q=1\n" CL "1", 417, false },
        { "Expect: 100\n" CL "1", 417, false },
        { "Expect: x\n" CL "x", 400, false },
        { "Expect: x\n" TE "gzip, chunked", 501, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct h1_framing framing = decide(cases[i].fields, 11);
        assert_int_equal(framing.status, cases[i].status);
        assert_int_equal(framing.expects, cases[i].expects);
        assert_int_equal(framing.body == H1_BODY_REFUSED, cases[i].status != 0);
    }
    assert_false(decide("Expect: 100-continue\n" CL "1", 10).expects);
    assert_int_equal(decide("Expect: 100-continue\n" CL "1", 10).body, H1_BODY_LENGTH);
    assert_int_equal(decide("Expect: x\n" CL "1", 10).status, 417);
}

static void persistence(void **state)
{
    static const struct {
        const char *fields;
        bool persistent11, persistent10;
    } cases[] = {
        { "", true, false },
        { "Connection:", true, false },
        { "Connection: upgrade", true, false },
        { "Connection: keep-alive", true, true },
        { "Connection: KEEP-Alive", true, true },
        { "Connection: te, keep-alive", true, true },
        { "Connection: te\nConnection: keep-alive", true, true },
        { "Connection: close", false, false },
        { "connection: CLOSE", false, false },
        { "Connection: te , Close", false, false },
        { "Connection: te\nHost: a\nConnection: close", false, false },
        { "Connection: keep-alive, close", false, false },
        { "Connection: close\nConnection: keep-alive", false, false },
        { "Connection: closed", true, false },
        { "Connection: keep-alive-x", true, false },
        { "Connection: \"close\"", true, false },
        { "Keep-Alive: 1", true, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (decide(cases[i].fields, 11).persistent != cases[i].persistent11)
            fail_msg("1.1: %s", cases[i].fields);
        if (decide(cases[i].fields, 10).persistent != cases[i].persistent10)
            fail_msg("1.0: %s", cases[i].fields);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths),
        cmocka_unit_test(codings),
        cmocka_unit_test(expectations),
        cmocka_unit_test(persistence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

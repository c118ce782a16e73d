/* Status codes: their phrases, which ones a handler may send, which ones have no content. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/status.h"

static void has_phrases(void **state)
{
    static const struct {
        unsigned status;
        const char *reason;
    } rows[] = {
        { 100, "Continue" },         { 200, "OK" },
        { 204, "No Content" },       { 226, "IM Used" },
        { 304, "Not Modified" },     { 308, "Permanent Redirect" },
        { 400, "Bad Request" },      { 413, "Content Too Large" },
        { 418, "Unknown" },          { 422, "Unprocessable Content" },
        { 431, "Request Header Fields Too Large" },
        { 451, "Unavailable For Legal Reasons" },
        { 505, "HTTP Version Not Supported" },
        { 511, "Network Authentication Required" },
        { 0, "Unknown" },            { 99, "Unknown" },
        { 299, "Unknown" },          { 306, "Unknown" },
        { 512, "Unknown" },          { 599, "Unknown" },
        { 600, "Unknown" },          { 4000000000u, "Unknown" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!slice_equal(status_reason(rows[i].status), slice_text(rows[i].reason)))
            fail_msg("%u is not \"%s\"", rows[i].status, rows[i].reason);
}

/* A phrase goes onto the status line as it is: visible characters and single spaces (RFC 9112 4). */
static void has_clean_phrases(void **state)
{
    (void)state;
    for (unsigned status = 0; status < 700; status++) {
        struct slice reason = status_reason(status);
        assert_true(reason.size > 0 && reason.size < 40);
        for (size_t i = 0; i < reason.size; i++)
            assert_true(reason.data[i] >= ' ' && reason.data[i] < 0x7F);
    }
}

static void knows_what_may_be_sent(void **state)
{
    static const struct {
        unsigned status;
        bool valid, bodiless;
    } rows[] = {
        { 0, false, true },    { 100, false, true },  { 199, false, true },  { 200, true, false },
        { 204, true, true },   { 205, true, false },  { 304, true, true },   { 404, true, false },
        { 599, true, false },  { 600, false, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(status_valid(rows[i].status), rows[i].valid);
        assert_int_equal(status_bodiless(rows[i].status), rows[i].bodiless);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_phrases),
        cmocka_unit_test(has_clean_phrases),
        cmocka_unit_test(knows_what_may_be_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Field names by number, look-ups, lists, and the character classes against the grammars they stand for. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "made_fields.h"

static void identifies_every_name(void **state)
{
    (void)state;
    for (int id = FIELD_OTHER + 1; id < FIELD_ID_COUNT; id++) {
        struct slice name = field_name((enum field_id)id);
        char upper[32], mixed[32];
        for (size_t i = 0; i < name.size; i++) {
            upper[i] = (char)toupper(name.data[i]);
            mixed[i] = i % 2 ? upper[i] : name.data[i];
        }
        assert_int_equal(field_identify(name), id);
        assert_int_equal(field_identify(slice_make(upper, name.size)), id);
        assert_int_equal(field_identify(slice_make(mixed, name.size)), id);
    }
}

/* Any one bit of any byte turned over is another name, but for the case of a letter; so is a byte less or more. */
static void identifies_nothing_near_them(void **state)
{
    (void)state;
    for (int id = FIELD_OTHER + 1; id < FIELD_ID_COUNT; id++) {
        struct slice name = field_name((enum field_id)id);
        char near[32];
        for (size_t at = 0; at < name.size; at++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                memcpy(near, name.data, name.size);
                near[at] = (char)(near[at] ^ (1 << bit));
                enum field_id expected = bit == 5 && isalpha(name.data[at]) ? (enum field_id)id : FIELD_OTHER;
                assert_int_equal(field_identify(slice_make(near, name.size)), expected);
            }
        }
        memcpy(near, name.data, name.size);
        near[name.size] = 's';
        assert_int_equal(field_identify(slice_make(near, name.size - 1)), FIELD_OTHER);
        assert_int_equal(field_identify(slice_make(near, name.size + 1)), FIELD_OTHER);
    }
}

static void identifies_no_others(void **state)
{
    static const char *const others[] = { "", "x", "via", "date", "dnt", "x-forwarded-for", "sec-fetch-dest",
                                          "priority", "upgrade-insecure-requests", "sec-ch-ua-platform" };
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(field_identify(slice_text(others[i])), FIELD_OTHER);
}

static void finds_fields(void **state)
{
    struct fields fields;
    (void)state;
    made_fields(&fields, "Host: a\nX-One: 1\nAccept: b\nACCEPT: c\nx-one: 2\naccept: d\nX-Empty:");
    assert_int_equal(fields.count, 7);
    assert_true(fields_has(&fields, FIELD_HOST));
    assert_false(fields_has(&fields, FIELD_TE));
    assert_true(slice_equal(fields_get(&fields, FIELD_ACCEPT), SLICE("b")));
    assert_null(fields_get(&fields, FIELD_TE).data);

    assert_true(slice_equal(fields_find(&fields, SLICE("hOST")), SLICE("a")));
    assert_true(slice_equal(fields_find(&fields, SLICE("X-ONE")), SLICE("1")));
    assert_null(fields_find(&fields, SLICE("te")).data);
    assert_null(fields_find(&fields, SLICE("x-on")).data);
    assert_null(fields_find(&fields, SLICE("")).data);
    assert_non_null(fields_find(&fields, SLICE("x-empty")).data);
    assert_int_equal(fields_find(&fields, SLICE("x-empty")).size, 0);

    assert_int_equal(fields_next(&fields, FIELD_ACCEPT, 0), 2);
    assert_int_equal(fields_next(&fields, FIELD_ACCEPT, 3), 3);
    assert_int_equal(fields_next(&fields, FIELD_ACCEPT, 4), 5);
    assert_int_equal(fields_next(&fields, FIELD_ACCEPT, 6), -1);
    assert_int_equal(fields_next(&fields, FIELD_ACCEPT, 7), -1);
    assert_int_equal(fields_next(&fields, FIELD_TE, 0), -1);
    assert_true(slice_equal(fields_name(&fields, 4), SLICE("x-one")));
}

/* Offsets, not pointers: a copy of the head with another base is as good. */
static void moves_with_its_base(void **state)
{
    static const char text[] = "Host: a\nX-One: 1";
    char copy[sizeof text];
    struct fields fields;
    (void)state;
    made_fields(&fields, text);
    memcpy(copy, text, sizeof text);
    fields.base = copy;
    assert_true(slice_equal(fields_get(&fields, FIELD_HOST), SLICE("a")));
    assert_ptr_equal(fields_find(&fields, SLICE("x-one")).data, copy + 15);

    fields_reset(&fields, text);
    assert_int_equal(fields.count, 0);
    assert_false(fields_has(&fields, FIELD_HOST));
}

static void takes_lists_apart(void **state)
{
    static const struct {
        const char *value, *members; /* these joined by '\n' */
    } rows[] = {
        { "", "" },
        { " ", "" },
        { ",", "" },
        { " , ,\t,", "" },
        { "a", "a" },
        { " a ", "a" },
        { "a,b", "a\nb" },
        { ",a, ,b\t,", "a\nb" },
        { "a b, c", "a b\nc" },
        { "\"a,b\", c", "\"a,b\"\nc" },
        { "x=\"a\\\",b\",c", "x=\"a\\\",b\"\nc" },
        { "x=\"a\\\\\",c", "x=\"a\\\\\"\nc" },
        { "a\\,b", "a\\\nb" }, /* an escape is one only within quotes */
        { "\"a,b", "\"a,b" },  /* a string that never ends takes all the rest */
        { "\"a,b\\", "\"a,b\\" },
        { "\"\",\"\"", "\"\"\n\"\"" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slice rest = slice_text(rows[i].value), member;
        char joined[64] = "";
        while (list_next(&rest, &member)) {
            if (joined[0])
                strcat(joined, "\n");
            strncat(joined, member.data, member.size);
        }
        assert_string_equal(joined, rows[i].members);
        assert_int_equal(rest.size, 0);
        assert_false(list_next(&rest, &member));
    }
}

static bool among(int c, const char *characters)
{
    return c != 0 && strchr(characters, c) != NULL;
}

static void classifies_every_byte(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        bool alnum = c < 128 && isalnum(c);
        bool unreserved = alnum || among(c, "-._~"), delim = among(c, "!$&'()*+,;=");
        bool path = (unreserved && c != '.') || delim || among(c, ":@/|[]^");
        const struct {
            unsigned class;
            bool expected;
        } rows[] = {
            { CHAR_TOKEN, alnum || among(c, "!#$%&'*+-.^_`|~") },
            { CHAR_VALUE, c == '\t' || (c >= ' ' && c != 0x7F) },
            { CHAR_PATH, path },
            { CHAR_QUERY, path || among(c, ".%?`{}\\") },
            { CHAR_HEX, c < 128 && isxdigit(c) },
            { CHAR_HOST, unreserved || delim },
        };
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            if (char_is((char)c, rows[i].class) != rows[i].expected)
                fail_msg("byte 0x%02X, class %u", (unsigned)c, rows[i].class);
    }
}

static void runs_up_to_the_first_other(void **state)
{
    char text[27];
    (void)state;
    for (size_t size = 0; size <= sizeof text; size++) {
        for (size_t stop = 0; stop <= size; stop++) {
            memset(text, 'g', sizeof text);
            if (stop < size)
                text[stop] = '%';
            assert_int_equal(char_run(slice_make(text, size), CHAR_PATH), stop);
            assert_int_equal(char_run(slice_make(text, size), CHAR_PATH | CHAR_QUERY), size);
            assert_int_equal(char_run(slice_make(text, size), CHAR_HEX), 0);
        }
    }
    assert_int_equal(char_run(slice_make(NULL, 0), CHAR_PATH), 0);
}

static void validates_names_and_values(void **state)
{
    static const struct {
        struct slice text;
        bool name, value;
    } rows[] = {
        { SLICE_INIT(""), false, true },
        { SLICE_INIT("a"), true, true },
        { SLICE_INIT("X-!#$%&'*+.^_`|~9"), true, true },
        { SLICE_INIT("a b"), false, true },
        { SLICE_INIT("a\tb"), false, true },
        { SLICE_INIT("a:"), false, true },
        { SLICE_INIT(" a"), false, false },
        { SLICE_INIT("a "), false, false },
        { SLICE_INIT("\ta"), false, false },
        { SLICE_INIT("a\r\nb: c"), false, false },
        { SLICE_INIT("a\nb"), false, false },
        { SLICE_INIT("a\rb"), false, false },
        { SLICE_INIT("a\0b"), false, false },
        { SLICE_INIT("a\x7F"), false, false },
        { SLICE_INIT("a\x1F"), false, false },
        { SLICE_INIT("\xC3\xA4"), false, true },
        { SLICE_INIT("\"(a,b)\" <c>"), false, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(field_name_valid(rows[i].text), rows[i].name);
        assert_int_equal(field_value_valid(rows[i].text), rows[i].value);
    }
}

static void keeps_the_servers_own_names(void **state)
{
    static const char *const own[] = { "Connection", "content-length", "CONTENT-LENGTH", "Transfer-Encoding", "Date",
                                       "date", "DATE", "", "a b", "a\n" };
    static const char *const free[] = { "Content-Type", "content-lengths", "dates", "dat", "Upgrade", "X-Date" };
    (void)state;
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        assert_false(field_settable(slice_text(own[i])));
    for (size_t i = 0; i < sizeof free / sizeof free[0]; i++)
        assert_true(field_settable(slice_text(free[i])));
}

static void knows_what_may_stand_behind(void **state)
{
    static const char *const before[] = { "Connection", "Content-Length", "content-type", "Content-", "Date", "Host",
                                          "", "Set-Cookie", "TE", "trailer", "WWW-Authenticate", "a b" };
    static const char *const behind[] = { "X-Checksum", "Content", "c", "ETag", "Server-Timing", "Digest" };
    (void)state;
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++)
        assert_false(field_trails(slice_text(before[i])));
    for (size_t i = 0; i < sizeof behind / sizeof behind[0]; i++)
        assert_true(field_trails(slice_text(behind[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_what_may_stand_behind),
        cmocka_unit_test(identifies_every_name),
        cmocka_unit_test(identifies_nothing_near_them),
        cmocka_unit_test(identifies_no_others),
        cmocka_unit_test(finds_fields),
        cmocka_unit_test(moves_with_its_base),
        cmocka_unit_test(takes_lists_apart),
        cmocka_unit_test(classifies_every_byte),
        cmocka_unit_test(runs_up_to_the_first_other),
        cmocka_unit_test(validates_names_and_values),
        cmocka_unit_test(keeps_the_servers_own_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

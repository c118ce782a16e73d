/* Fields of rules: "Name: value" taken apart, and what is said of those that cannot be set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/rule_field.h"

#define FRAMING ": it says how the message is sent, which the server decides"
#define DESCRIBED ": it follows from the file that is sent, so the server writes it itself"

static void test_bad_fields_are_explained(void **state)
{
    static const struct {
        const char *line, *why;
    } rows[] = {
        { "", "a field is a name and a value; write for example X-Frame-Options: DENY" },
        { "X-Frame-Options DENY", "X-Frame-Options DENY: a field is a name and a value; write for example "
                                  "X-Frame-Options: DENY" },
        { ": DENY", "a field has a name; write for example X-Frame-Options: DENY" },
        { " : DENY", "a field has a name; write for example X-Frame-Options: DENY" },
        { "X Frame: DENY", "X Frame: a field's name has no spaces and no marks but a few such as - and _" },
        { "X\r\nY: z", "X??Y: a field's name has no spaces and no marks but a few such as - and _" },
        { "X: a\r\nY: b", "X: there is a control character in the value" },
        { "X: \x01", "X: there is a control character in the value" },
        { "Connection: close", "Connection" FRAMING },
        { "content-length: 1", "content-length" FRAMING },
        { "Keep-Alive: x", "Keep-Alive" FRAMING },
        { "Proxy-Connection: x", "Proxy-Connection" FRAMING },
        { "TE: x", "TE" FRAMING },
        { "Trailer: x", "Trailer" FRAMING },
        { "Transfer-Encoding: x", "Transfer-Encoding" FRAMING },
        { "Upgrade: x", "Upgrade" FRAMING },
        { "Accept-Ranges: x", "Accept-Ranges" DESCRIBED },
        { "Content-Encoding: x", "Content-Encoding" DESCRIBED },
        { "Content-Range: x", "Content-Range" DESCRIBED },
        { "ETag: x", "ETag" DESCRIBED },
        { "Last-Modified: x", "Last-Modified" DESCRIBED },
        { "Date: x", "Date: the server writes it itself" },
        { "Location: /", "Location: to send the client elsewhere write a redirect" },
        { "Server: x", "Server: the server writes it itself, or leaves it out, as an option says" },
        { "WWW-Authenticate: x", "WWW-Authenticate: to ask for a password write basic_auth" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char why[WHY_SIZE] = "";
        struct field_pair field;
        assert_false(rule_field_parse(slice_text(rows[i].line), &field, (struct why){ why, sizeof why }));
        assert_string_equal(why, rows[i].why);
    }
}

static void test_good_fields_are_taken_apart(void **state)
{
    static const struct {
        const char *line, *name, *value;
    } rows[] = {
        { "X-Frame-Options: DENY", "X-Frame-Options", "DENY" },
        { "x:y", "x", "y" },
        { " X\t: \t a: b  c \t", "X", "a: b  c" },
        { "X:", "X", "" },
        { "Link: </a.css>; rel=preload, </b>", "Link", "</a.css>; rel=preload, </b>" },
        { "Content-Type: text/plain", "Content-Type", "text/plain" },
        { "Vary: Cookie", "Vary", "Cookie" },
        { "Cache-Control: no-store", "Cache-Control", "no-store" },
        { "Access-Control-Allow-Origin: *", "Access-Control-Allow-Origin", "*" },
        { "X: \xc3\xbc\tz", "X", "\xc3\xbc\tz" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct field_pair field;
        assert_true(rule_field_parse(slice_text(rows[i].line), &field, (struct why){ NULL, 0 }));
        assert_true(slice_equal(field.name, slice_text(rows[i].name)));
        assert_true(slice_equal(field.value, slice_text(rows[i].value)));
    }
}

static void test_the_size_at_its_edge(void **state)
{
    static char line[RULE_FIELD_SIZE_MAX + 1];
    char why[WHY_SIZE];
    struct field_pair field;
    (void)state;
    memset(line, 'x', sizeof line);
    line[1] = ':';
    assert_true(rule_field_parse(slice_make(line, RULE_FIELD_SIZE_MAX), &field, (struct why){ why, sizeof why }));
    assert_int_equal(field.value.size, RULE_FIELD_SIZE_MAX - 2);
    assert_false(rule_field_parse(slice_make(line, sizeof line), &field, (struct why){ why, sizeof why }));
    assert_non_null(strstr(why, "the field is longer than 8192 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_fields_are_explained),
        cmocka_unit_test(test_good_fields_are_taken_apart),
        cmocka_unit_test(test_the_size_at_its_edge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Accept: weights, the closest range, parameters, malformed fields, and who gets JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/accept.h"
#include "made_fields.h"

struct weight {
    const char *fields, *type;
    int weight;
};

static void verify(const struct weight *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fields fields;
        made_fields(&fields, rows[i].fields);
        int weight = accept_weight(&fields, slice_text(rows[i].type));
        if (weight != rows[i].weight)
            fail_msg("%s: %s weighs %d", rows[i].fields, rows[i].type, weight);
    }
}

static void weighs(void **state)
{
    static const struct weight rows[] = {
        { "", "text/html", 1000 },
        { "Host: a", "text/html", 1000 },
        { "Accept:", "text/html", 1000 },
        { "Accept: ,", "text/html", 1000 },
        { "Accept: text/html", "text/html", 1000 },
        { "Accept: TEXT/HTML", "text/html", 1000 },
        { "Accept: text/plain", "text/html", 0 },
        { "Accept: text/*", "text/html", 1000 },
        { "Accept: image/*", "text/html", 0 },
        { "Accept: */*", "text/html", 1000 },
        { "Accept: text/html2", "text/html", 0 },
        { "Accept: text/htm", "text/html", 0 },
        { "Accept: tex/*", "text/html", 0 },

        { "Accept: text/html;q=0.5", "text/html", 500 },
        { "Accept: text/html ; Q=0.5", "text/html", 500 },
        { "Accept: text/html;q=0", "text/html", 0 },
        { "Accept: text/html;q=0.", "text/html", 0 },
        { "Accept: text/html;q=0.001", "text/html", 1 },
        { "Accept: text/html;q=0.12", "text/html", 120 },
        { "Accept: text/html;q=0.999", "text/html", 999 },
        { "Accept: text/html;q=1", "text/html", 1000 },
        { "Accept: text/html;q=1.000", "text/html", 1000 },
    };
    (void)state;
    verify(rows, sizeof rows / sizeof rows[0]);
}

/* Wherever it stands. */
static void goes_by_the_closest_range(void **state)
{
    static const struct weight rows[] = {
        { "Accept: */*, text/*;q=0.3, text/html;q=0.7", "text/html", 700 },
        { "Accept: text/html;q=0.7, text/*;q=0.3, */*", "text/html", 700 },
        { "Accept: */*, text/*;q=0.3, text/html;q=0.7", "text/plain", 300 },
        { "Accept: */*;q=0.1, text/*;q=0.3, text/html;q=0.7", "image/png", 100 },
        { "Accept: */*, text/html;q=0", "text/html", 0 },
        { "Accept: */*;q=0.5\nAccept: text/html;q=0.2", "text/html", 200 },
        { "Accept: text/html;q=0.2, text/html;q=0.4", "text/html", 400 },
        { "Accept: image/png, */*;q=0.2", "text/html", 200 },
    };
    (void)state;
    verify(rows, sizeof rows / sizeof rows[0]);
}

/* RFC 9110 12.5.1 */
static void weighs_as_in_the_example(void **state)
{
    static const char fields[] =
        "Accept: text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5";
    static const struct weight rows[] = {
        { fields, "text/plain;format=flowed", 1000 },
        { fields, "text/plain", 700 },
        { fields, "text/html", 300 },
        { fields, "image/jpeg", 500 },
        { fields, "text/plain;format=fixed", 400 },
    };
    (void)state;
    verify(rows, sizeof rows / sizeof rows[0]);
}

static void compares_parameters(void **state)
{
    static const struct weight rows[] = {
        { "Accept: text/html;level=1", "text/html", 0 },
        { "Accept: text/html;level=1;q=0.3", "text/html; level=1", 300 },
        { "Accept: text/html;level=\"1\"", "text/html; LEVEL=1", 1000 },
        { "Accept: text/html;level=2", "text/html; level=1", 0 },
        { "Accept: text/html;level=1;depth=2", "text/html; level=1", 0 },
        { "Accept: text/html;q=0.3;level=1", "text/html", 0 },
        { "Accept: text/html;level=1;q=0.1, text/html;q=0.9", "text/html;level=1", 100 },
        { "Accept: text/*;level=1;q=0.1, text/html;q=0.9", "text/html;level=1", 900 },
        { "Accept: text/html;x=\"a,b;c\\\"\";q=0.3, */*;q=0.2", "text/html", 200 },
        { "Accept: text/html;x=\"a;b\";q=0.3", "text/html;x=\"a;b\"", 300 },
        { "Accept: text/html;charset=utf-8", "text/html", 1000 },
        { "Accept: application/json; charset=\"utf-8\"; q=0.4", "application/json", 400 },
        { "Accept: text/html;x=1", "text/html;x=1", 1000 },
        { "Accept: text/html;x=1", "text/html; x", 0 },
        { "Accept: text/html;", "text/html", 1000 },
        { "Accept: text/html; ; q=0.2", "text/html", 200 },
    };
    (void)state;
    verify(rows, sizeof rows / sizeof rows[0]);
}

static void tells_malformed_fields(void **state)
{
    static const char *const values[] = {
        "text",        "text/",          "/html",           "/",
        "*",           "*/html",         "text/html/x",     "text html",
        "text/ html",  "te xt/html",     "text/(html)",     "text/html;q",
        "text/html;q=", "text/html;q=2", "text/html;q=1.1", "text/html;q=1.001",
        "text/html;q=0.1234",            "text/html;q=.5",  "text/html;q=-1",
        "text/html;q=0,5",               "text/html;q=0x1", "text/html;q=0.5x",
        "text/html;q =1",                "text/html;q= 1",  "text/html;q=\"1\"",
        "text/html;level",               "text/html;=1",    "text/html;level=",
        "text/html;level=a b",           "text/html;level=\"1", "text/html;level=\"1\"x",
        "text/html;level=\"",            "; q=1",           "text/html, ;",
        "text/html;q=0.-",               "text/html;a b=\"1\"", "text/html, x",
    };
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct fields fields;
        char text[64] = "Accept: ";
        made_fields(&fields, strcat(text, values[i]));
        if (accept_weight(&fields, SLICE("text/html")) != -1)
            fail_msg("%s weighs %d", values[i], accept_weight(&fields, SLICE("text/html")));
        assert_false(accept_prefers_json(&fields));
    }
}

static void tells_who_prefers_json(void **state)
{
    static const struct {
        const char *fields;
        bool json;
    } rows[] = {
        { "", false },
        { "Accept: */*", false }, /* curl: whatever we like */
        { "Accept:", false },
        { "Accept: application/*", false },
        { "Accept: application/json", true },
        { "Accept: application/problem+json", true },
        { "Accept: APPLICATION/JSON; charset=utf-8", true },
        { "Accept: application/json, text/plain, */*", true }, /* a tie, and only JSON has its name called */
        { "Accept: application/json, text/*", true },
        { "Accept: application/json, */*;q=0.8", true },
        { "Accept: application/json;q=0.5, */*", false },
        { "Accept: application/json, text/html", false },
        { "Accept: text/html, application/json;q=0.9", false },
        { "Accept: text/html;q=0.9, application/json", true },
        { "Accept: text/html;q=0.9, application/json;q=0.8, application/problem+json", true },
        { "Accept: text/html;q=0.9, application/problem+json;q=0.8", false },
        { "Accept: application/json;q=0", false },
        { "Accept: application/json;q=0, text/html;q=0", false },
        { "Accept: application/json;q=0.001", true },
        { "Accept: application/json;v=2", false },
        { "Accept: application/ld+json", false },
        { "Accept: text/plain\nAccept: application/json", true },
        { "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fields fields;
        made_fields(&fields, rows[i].fields);
        if (accept_prefers_json(&fields) != rows[i].json)
            fail_msg("%s", rows[i].fields);
    }
}

static void tells_what_is_named(void **state)
{
    static const struct {
        const char *fields;
        bool named;
    } rows[] = {
        { "", false },
        { "Accept:", false },
        { "Accept: */*", false },
        { "Accept: application/*", false },
        { "Accept: application/json", true },
        { "Accept: APPLICATION/Json", true },
        { "Accept: application/json;q=0.001", true },
        { "Accept: application/json ; charset=utf-8", true },
        { "Accept: application/json;q=0", false },
        { "Accept: application/json;q=0, */*", false },
        { "Accept: application/json;v=2", false }, /* another one */
        { "Accept: application/json;v=2, application/json", true },
        { "Accept: application/jsonp", false },
        { "Accept: application/problem+json", false },
        { "Accept: text/html, */*;q=0.8, application/json;q=0.1", true },
        { "Accept: text/html\nAccept: text/plain, application/json", true },
        { "Accept: application/json, text", false }, /* malformed */
        { "Accept: application/json;q=2", false },
        { "Accept: text/plain;x=\"application/json, application/json\"", false },
        { "Accept: ;application/json", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fields fields;
        made_fields(&fields, rows[i].fields);
        if (accept_names(&fields, SLICE("application/json")) != rows[i].named)
            fail_msg("%s", rows[i].fields);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weighs),
        cmocka_unit_test(goes_by_the_closest_range),
        cmocka_unit_test(weighs_as_in_the_example),
        cmocka_unit_test(compares_parameters),
        cmocka_unit_test(tells_malformed_fields),
        cmocka_unit_test(tells_who_prefers_json),
        cmocka_unit_test(tells_what_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

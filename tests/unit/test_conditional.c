/* Preconditions: each field alone, together in the precedence of RFC 9110 13.2.2, and the syntax of entity-tags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/conditional.h"
#include "made_fields.h"

#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define EXACTLY "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

enum { SEND = VERDICT_SEND, SAME = VERDICT_NOT_MODIFIED, FAILED = VERDICT_FAILED };

static const int64_t modified_s = 784111777, now_s = 1767225600;

struct row {
    const char *fields;
    int get, put; /* the verdicts for a safe method and another */
};

static void check(const struct row *row, const char *etag, int64_t modified)
{
    struct fields fields;
    made_fields(&fields, row->fields);
    int get = (int)conditional_evaluate(&fields, slice_text(etag), modified, true, now_s);
    int put = (int)conditional_evaluate(&fields, slice_text(etag), modified, false, now_s);
    if (get != row->get || put != row->put)
        fail_msg("%s (etag %s): %d for GET, %d for PUT", row->fields, etag, get, put);
}

static void evaluates_each_field(void **state)
{
    static const struct row rows[] = {
        { "", SEND, SEND },
        { "Host: a", SEND, SEND },
        { "If-None-Match: \"a\"", SAME, FAILED },
        { "If-None-Match: \"b\"", SEND, SEND },
        { "If-None-Match: W/\"a\"", SAME, FAILED }, /* weak comparison */
        { "If-None-Match: *", SAME, FAILED },
        { "If-Match: \"a\"", SEND, SEND },
        { "If-Match: \"b\"", FAILED, FAILED },
        { "If-Match: W/\"a\"", FAILED, FAILED }, /* strong comparison */
        { "If-Match: *", SEND, SEND },
        { "If-Modified-Since: " BEFORE, SEND, SEND },
        { "If-Modified-Since: " EXACTLY, SAME, SEND },
        { "If-Modified-Since: " AFTER, SAME, SEND },
        { "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT", SAME, SEND },
        { "If-Modified-Since: Sun Nov  6 08:49:37 1994", SAME, SEND },
        { "If-Modified-Since: yesterday", SEND, SEND },
        { "If-Modified-Since:", SEND, SEND },
        { "If-Modified-Since: " AFTER "\nIf-Modified-Since: " AFTER, SEND, SEND }, /* RFC 9110 13.1.3: one only */
        { "If-Unmodified-Since: " BEFORE, FAILED, FAILED },
        { "If-Unmodified-Since: " EXACTLY, SEND, SEND },
        { "If-Unmodified-Since: " AFTER, SEND, SEND },
        { "If-Unmodified-Since: yesterday", SEND, SEND },
        { "If-Unmodified-Since: " BEFORE "\nIf-Unmodified-Since: " BEFORE, SEND, SEND },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(&rows[i], "\"a\"", modified_s);
}

static void keeps_the_precedence(void **state)
{
    static const struct row rows[] = {
        /* If-Unmodified-Since counts only without If-Match */
        { "If-Match: \"a\"\nIf-Unmodified-Since: " BEFORE, SEND, SEND },
        { "If-Unmodified-Since: " AFTER "\nIf-Match: \"b\"", FAILED, FAILED },
        /* If-Modified-Since only without If-None-Match, be that as malformed as it likes */
        { "If-None-Match: \"b\"\nIf-Modified-Since: " AFTER, SEND, SEND },
        { "If-Modified-Since: " BEFORE "\nIf-None-Match: \"a\"", SAME, FAILED },
        { "If-None-Match:\nIf-Modified-Since: " AFTER, SEND, SEND },
        /* the positive ones first, then the negative ones */
        { "If-Match: \"a\"\nIf-None-Match: \"a\"", SAME, FAILED },
        { "If-Match: \"b\"\nIf-None-Match: \"a\"", FAILED, FAILED },
        { "If-Match: *\nIf-Modified-Since: " AFTER, SAME, SEND },
        { "If-Unmodified-Since: " AFTER "\nIf-None-Match: \"a\"", SAME, FAILED },
        { "If-Unmodified-Since: " BEFORE "\nIf-None-Match: \"b\"", FAILED, FAILED },
        { "If-Unmodified-Since: " EXACTLY "\nIf-Modified-Since: " EXACTLY, SAME, SEND },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(&rows[i], "\"a\"", modified_s);
}

static void reads_lists_of_tags(void **state)
{
    static const struct row rows[] = {
        { "If-None-Match: \"b\", \"a\"", SAME, FAILED },
        { "If-None-Match: \"b\",\"a\",\"c\"", SAME, FAILED },
        { "If-None-Match: ,, \"b\" ,\t, \"a\"", SAME, FAILED },
        { "If-None-Match: W/\"b\", W/\"a\"", SAME, FAILED },
        { "If-None-Match: \"b\"\nHost: x\nIf-None-Match: \"a\"", SAME, FAILED },
        { "If-None-Match: \"b\"\nIf-None-Match: *", SAME, FAILED },
        { "If-None-Match: \"b\", \"c\"\nIf-None-Match: \"d\"", SEND, SEND },
        { "If-Match: W/\"a\", \"a\"", SEND, SEND },
        { "If-Match: \"b\"\nIf-Match: \"a\"", SEND, SEND },
        /* what is no tag matches nothing, and does not hide the next one */
        { "If-None-Match: a", SEND, SEND },
        { "If-None-Match: \"a", SEND, SEND },
        { "If-None-Match: \"", SEND, SEND },
        { "If-None-Match: W/", SEND, SEND },
        { "If-None-Match: W/a", SEND, SEND },
        { "If-None-Match: w/\"a\"", SEND, SEND }, /* RFC 9110 8.8.3: case-sensitive */
        { "If-None-Match: W/ \"a\"", SEND, SEND },
        { "If-None-Match: 'a'", SEND, SEND },
        { "If-None-Match: \"a\"x", SEND, SEND },
        { "If-None-Match: \"a\" \"a\"", SEND, SEND },
        { "If-None-Match: *, \"b\"", SEND, SEND },
        { "If-None-Match: **", SEND, SEND },
        { "If-None-Match: a, \"a\"", SAME, FAILED },
        { "If-None-Match: \"a\"x, \"a\"", SAME, FAILED },
        { "If-None-Match: *, \"a\"", SAME, FAILED },
        { "If-Match: a", FAILED, FAILED },
        { "If-Match:", FAILED, FAILED },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(&rows[i], "\"a\"", modified_s);
}

/* A comma and a backslash are characters of a tag like any others. */
static void reads_odd_tags(void **state)
{
    static const struct {
        const char *etag;
        struct row row;
    } rows[] = {
        { "\"a,b\"", { "If-None-Match: \"a,b\"", SAME, FAILED } },
        { "\"a,b\"", { "If-None-Match: \"a\", \"b\"", SEND, SEND } },
        { "\"b\"", { "If-None-Match: \"a,\"b\"", SEND, SEND } },
        { "\"a\\\"", { "If-None-Match: \"a\\\"", SAME, FAILED } },
        { "\"b\"", { "If-None-Match: \"a\\\", \"b\"", SAME, FAILED } },
        { "\"\"", { "If-None-Match: \"\"", SAME, FAILED } },
        { "\"W/\"", { "If-Match: \"W/\"", SEND, SEND } },
        { "W/\"a\"", { "If-None-Match: \"a\"", SAME, FAILED } },
        { "W/\"a\"", { "If-None-Match: W/\"a\"", SAME, FAILED } },
        { "W/\"a\"", { "If-Match: W/\"a\"", FAILED, FAILED } }, /* two weak ones are not the same, strongly */
        { "W/\"a\"", { "If-Match: \"a\"", FAILED, FAILED } },
        { "W/\"a\"", { "If-Match: *", SEND, SEND } },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(&rows[i].row, rows[i].etag, modified_s);
}

static void works_without_validators(void **state)
{
    static const struct row rows[] = {
        { "If-None-Match: \"\"", SEND, SEND },
        { "If-None-Match: *", SAME, FAILED },
        { "If-Match: \"a\"", FAILED, FAILED },
        { "If-Match: *", SEND, SEND },
        { "If-Modified-Since: " AFTER, SEND, SEND },
        { "If-Unmodified-Since: " BEFORE, SEND, SEND },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(&rows[i], "", -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluates_each_field),
        cmocka_unit_test(keeps_the_precedence),
        cmocka_unit_test(reads_lists_of_tags),
        cmocka_unit_test(reads_odd_tags),
        cmocka_unit_test(works_without_validators),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

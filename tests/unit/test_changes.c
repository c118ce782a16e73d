/* What has changed: the order, what covers what, and which folders are touched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "serve/changes.h"

enum { MOST = 16 };

/* "a b/ c": folders; one with a slash at its end is changed with all beneath it. "/" is everything, "." the root
 * alone. */
static struct changes parse(const char *text, struct change at[MOST])
{
    struct changes changes = { .at = at };
    struct slice rest = slice_text(text);

    while (rest.size > 0) {
        struct slice word = slice_part(rest, 0, slice_find(rest, ' '));
        rest = slice_skip(rest, word.size + (word.size < rest.size));
        bool beneath = slice_ends(word, SLICE("/"));
        word.size -= beneath;
        if (slice_equal(word, SLICE(".")))
            word.size = 0;
        assert_true(changes.count < MOST);
        at[changes.count++] = (struct change){ word, beneath };
    }
    return changes;
}

static const char *print(const struct changes *changes)
{
    static char text[256];
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < changes->count; i++) {
        const struct change *change = &changes->at[i];
        bool root = change->folder.size == 0 && !change->beneath;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s%s", i ? " " : "", (int)change->folder.size,
                                 change->folder.data, root ? "." : change->beneath ? "/" : "");
    }
    return text;
}

static void sorted(void **state)
{
    static const struct {
        const char *from, *to;
    } rows[] = {
        { "", "" },
        { ".", "." },
        { "/", "/" },
        { "b a", "a b" },
        { "a a a", "a" },
        { "a a/", "a/" },
        { "a/ a", "a/" },
        { "a/b a", "a a/b" },
        { "a/b a/", "a/" },
        { "a/b/c a/ a/b", "a/" },
        { "a/b a-b a", "a a/b a-b" },   /* a slash comes before every other byte */
        { "a/b a-b a/ a.b a!/", "a/ a!/ a-b a.b" },
        { "a/b/ a-b/ a/b/c a-b/c a", "a a/b/ a-b/" },
        { "ab a/ abc", "a/ ab abc" },
        { "x / a/ .", "/" },
        { "x . a/", ". a/ x" },
        { "\xc3\xa4 z a", "a z \xc3\xa4" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct change at[MOST];
        struct changes changes = parse(rows[i].from, at);
        changes_sort(&changes);
        assert_string_equal(print(&changes), rows[i].to);
        assert_int_equal(changes_everything(&changes), strcmp(rows[i].to, "/") == 0);
    }
}

static void touched(void **state)
{
    static const struct {
        const char *changes, *folder;
        bool touched;
    } rows[] = {
        { "", "", false },
        { "", "a", false },
        { ".", "", true },
        { ".", "a", false },
        { "/", "", true },
        { "/", "a/b", true },
        { "a", "", false },
        { "a", "a", true },
        { "a", "a/b", false },
        { "a/", "a/b", true },
        { "a/", "a/b/c/d", true },
        { "a/", "a-b", false },
        { "a/", "ab", false },
        { "a/", "A", false },
        { "a/ a-b", "a/z", true },
        { "a a/b/ a-b c/ d", "a/b/c", true },
        { "a a/b/ a-b c/ d", "a/a", false },
        { "a a/b/ a-b c/ d", "a/c", false },
        { "a a/b/ a-b c/ d", "a-b", true },
        { "a a/b/ a-b c/ d", "a-b/c", false },
        { "a a/b/ a-b c/ d", "c", true },
        { "a a/b/ a-b c/ d", "c/x", true },
        { "a a/b/ a-b c/ d", "d", true },
        { "a a/b/ a-b c/ d", "e", false },
        { ". b/", "a", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct change at[MOST];
        struct changes changes = parse(rows[i].changes, at);
        changes_sort(&changes);
        if (changes_touch(&changes, slice_text(rows[i].folder)) != rows[i].touched)
            fail_msg("\"%s\" in \"%s\"", rows[i].folder, rows[i].changes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorted),
        cmocka_unit_test(touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

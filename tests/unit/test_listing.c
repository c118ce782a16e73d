/* Listings: their order, each piece of the page and of the JSON, names of all kinds, and that any room will do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http/answer.h"
#include "serve/listing.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define DAY INT64_C(1769849377) /* 2026-01-31T08:49:37Z */

enum { FOLDER = true, FILE_ = false };

static const struct listing_order by_name = { LISTING_BY_NAME, false };

/* All of a listing, pulled `room` bytes at a time; NUL-terminated, free it. */
static char *pull_all(struct listing *listing, size_t room, size_t *size)
{
    body_pull *pull = listing_pull;
    char *text = NULL, *piece = malloc(room);
    *size = 0;
    assert_non_null(piece);
    for (long got = 1; got > 0; *size += (size_t)got) {
        got = pull(listing, piece, room);
        assert_true(got >= 0 && (size_t)got <= room);
        text = realloc(text, *size + (size_t)got + 1);
        assert_non_null(text);
        memcpy(text + *size, piece, (size_t)got);
    }
    assert_int_equal(pull(listing, piece, room), 0); /* the end stays the end */
    text[*size] = '\0';
    free(piece);
    return text;
}

static char *list(const struct listing_folder *folder, enum listing_format format, struct listing_order order)
{
    struct listing listing;
    size_t size;
    listing_begin(&listing, folder, format, order);
    char *text = pull_all(&listing, 1000, &size);
    assert_int_equal(strlen(text), size);
    return text;
}

/* One file of this name in "/". */
static char *list_name(struct slice name, enum listing_format format)
{
    struct listing_entry entry = { name, 5, -1, FILE_ };
    return list(&(struct listing_folder){ SLICE("/"), &entry, 1 }, format, by_name);
}

static char *list_path(const char *path)
{
    return list(&(struct listing_folder){ slice_text(path), NULL, 0 }, LISTING_HTML, by_name);
}

/* Takes the text. */
static void check_holds(char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no %s in %s", part, strstr(text, "<main>") ? strstr(text, "<main>") : text);
    free(text);
}

/* ---- Order ---------------------------------------------------------------------------------------------------- */

static void reads_the_query(void **state)
{
    static const struct {
        const char *query;
        struct listing_order order;
    } rows[] = {
        { "", { LISTING_BY_NAME, false } },
        { "sort=name", { LISTING_BY_NAME, false } },
        { "sort=size", { LISTING_BY_SIZE, false } },
        { "sort=date", { LISTING_BY_DATE, false } },
        { "sort=name&order=asc", { LISTING_BY_NAME, false } },
        { "sort=name&order=desc", { LISTING_BY_NAME, true } },
        { "sort=size&order=asc", { LISTING_BY_SIZE, false } },
        { "sort=size&order=desc", { LISTING_BY_SIZE, true } },
        { "sort=date&order=asc", { LISTING_BY_DATE, false } },
        { "sort=date&order=desc", { LISTING_BY_DATE, true } },
        { "order=desc&sort=date", { LISTING_BY_DATE, true } },
        { "order=desc", { LISTING_BY_NAME, true } },
        { "a=b&sort=size&c", { LISTING_BY_SIZE, false } },
        { "sort=size&sort=date", { LISTING_BY_DATE, false } },
        { "order=desc&order=asc", { LISTING_BY_NAME, false } },
        { "sort=", { LISTING_BY_NAME, false } },
        { "sort", { LISTING_BY_NAME, false } },
        { "sort=SIZE", { LISTING_BY_NAME, false } },
        { "sort=sizes", { LISTING_BY_NAME, false } },
        { "sort=size&order=DESC", { LISTING_BY_SIZE, false } },
        { "order=descending", { LISTING_BY_NAME, false } },
        { "&&=&sort=size&", { LISTING_BY_SIZE, false } },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct listing_order order = listing_order_of(slice_text(rows[i].query));
        if (order.key != rows[i].order.key || order.descending != rows[i].order.descending)
            fail_msg("%s: %d, %d", rows[i].query, (int)order.key, order.descending);
    }
}

static void sorts(void **state)
{
    static const struct listing_entry entries[] = {
        { SLICE_INIT("c"), 2, 30, FILE_ },  { SLICE_INIT("x"), 99, 20, FOLDER }, { SLICE_INIT("a"), 3, 20, FILE_ },
        { SLICE_INIT("b"), 2, 10, FILE_ },  { SLICE_INIT("y"), 0, -1, FOLDER },  { SLICE_INIT("d"), 1, -1, FILE_ },
        { SLICE_INIT("w"), 50, 20, FOLDER }, { SLICE_INIT("e"), UINT64_MAX, INT64_MAX, FILE_ },
    };
    static const struct {
        struct listing_order order;
        const char *expected;
    } rows[] = {
        { { LISTING_BY_NAME, false }, "wxyabcde" }, { { LISTING_BY_NAME, true }, "yxwedcba" },
        { { LISTING_BY_SIZE, false }, "wxydbcae" }, { { LISTING_BY_SIZE, true }, "wxyeabcd" },
        { { LISTING_BY_DATE, false }, "ywxdbace" }, { { LISTING_BY_DATE, true }, "wxyecabd" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct listing listing;
        struct listing_entry sorted[COUNT(entries)];
        char names[COUNT(entries) + 1] = "";
        memcpy(sorted, entries, sizeof entries);
        listing_begin(&listing, &(struct listing_folder){ SLICE("/"), sorted, COUNT(sorted) }, LISTING_JSON,
                      rows[i].order);
        for (size_t at = 0; at < COUNT(sorted); at++)
            names[at] = sorted[at].name.data[0];
        assert_string_equal(names, rows[i].expected);
        assert_int_equal(listing.folder_count, 3);
        assert_int_equal(listing.bytes, UINT64_MAX + UINT64_C(8)); /* more than there can be: it wraps */
    }
}

/* ---- JSON ----------------------------------------------------------------------------------------------------- */

static void writes_json(void **state)
{
    struct listing_entry entries[] = {
        { SLICE("b.txt"), 0, 0, FILE_ },
        { SLICE("docs"), 7, DAY, FOLDER },
        { SLICE("a.bin"), UINT64_MAX, DAY, FILE_ },
        { SLICE("old"), 0, -1, FOLDER },
        { SLICE("z"), 1, -1, FILE_ },
    };
    char *text = list(&(struct listing_folder){ SLICE("/"), entries, COUNT(entries) }, LISTING_JSON, by_name);
    (void)state;
    assert_string_equal(
        text,
        "[\n"
        "{\"name\":\"docs\",\"type\":\"folder\",\"size\":null,\"modified\":\"2026-01-31T08:49:37Z\"},\n"
        "{\"name\":\"old\",\"type\":\"folder\",\"size\":null,\"modified\":null},\n"
        "{\"name\":\"a.bin\",\"type\":\"file\",\"size\":18446744073709551615,\"modified\":\"2026-01-31T08:49:37Z\"},\n"
        "{\"name\":\"b.txt\",\"type\":\"file\",\"size\":0,\"modified\":\"1970-01-01T00:00:00Z\"},\n"
        "{\"name\":\"z\",\"type\":\"file\",\"size\":1,\"modified\":null}\n"
        "]\n");
    free(text);
    text = list(&(struct listing_folder){ SLICE("/"), NULL, 0 }, LISTING_JSON, by_name);
    assert_string_equal(text, "[]\n");
    free(text);
}

static void escapes_names_in_json(void **state)
{
    (void)state;
    check_holds(list_name(SLICE("a\"b\\c\n\x01"), LISTING_JSON), "\"name\":\"a\\\"b\\\\c\\n\\u0001\",");
    check_holds(list_name(SLICE("gr\xc3\xbc\xc3\x9f" "e"), LISTING_JSON), "\"name\":\"gr\xc3\xbc\xc3\x9f" "e\",");
    check_holds(list_name(SLICE("\xff"), LISTING_JSON), "\"name\":\"\xef\xbf\xbd\",");
    check_holds(list_name(SLICE("</script>&'"), LISTING_JSON), "\"name\":\"</script>&'\",");
}

/* ---- HTML ----------------------------------------------------------------------------------------------------- */

static void writes_a_page(void **state)
{
    struct listing_entry entries[] = {
        { SLICE("b.txt"), 12345, DAY, FILE_ },
        { SLICE("docs"), 0, DAY, FOLDER },
        { SLICE("a"), 1, -1, FILE_ },
        { SLICE("old"), 0, -1, FOLDER },
    };
    char *text = list(&(struct listing_folder){ SLICE("/files/"), entries, COUNT(entries) }, LISTING_HTML, by_name);
    static const char start[] = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n";
    (void)state;
    assert_memory_equal(text, start, sizeof start - 1);
    assert_non_null(strstr(text, "<title>Index of files/</title>\n<style>\n"));
    assert_null(strstr(text, "<script"));
    assert_non_null(strstr(text, "<main>"));
    assert_string_equal(
        strstr(text, "<main>"),
        "<main>\n"
        "<h1><a href=\"../\">/</a>files/</h1>\n"
        "<p>2 folders, 2 files, 12.3 kB</p>\n"
        "<table aria-label=\"Content of this folder\">\n"
        "<thead>\n"
        "<tr><th scope=\"col\" aria-sort=\"ascending\"><a href=\"?sort=name&amp;order=desc\">Name</a>"
        "<th scope=\"col\"><a href=\"?sort=size&amp;order=desc\">Size</a>"
        "<th scope=\"col\"><a href=\"?sort=date&amp;order=desc\">Modified (UTC)</a>\n"
        "<tbody>\n"
        "<tr class=\"folder up\"><th scope=\"row\"><a href=\"../\">Parent folder</a><td><td>\n"
        "<tr class=\"folder\"><th scope=\"row\"><a href=\"./docs/\">docs/</a><td><td>"
        "<time datetime=\"2026-01-31T08:49:37Z\">2026-01-31 08:49</time>\n"
        "<tr class=\"folder\"><th scope=\"row\"><a href=\"./old/\">old/</a><td><td>\n"
        "<tr><th scope=\"row\"><a href=\"./a\">a</a><td title=\"1 byte\">1 B<td>\n"
        "<tr><th scope=\"row\"><a href=\"./b.txt\">b.txt</a><td title=\"12345 bytes\">12.3 kB<td>"
        "<time datetime=\"2026-01-31T08:49:37Z\">2026-01-31 08:49</time>\n"
        "</table>\n"
        "</main>\n"
        "</html>\n");
    free(text);
}

static void has_nothing_above_the_root(void **state)
{
    char *text = list_path("/");
    (void)state;
    assert_non_null(strstr(text, "<title>Index of /</title>"));
    assert_non_null(strstr(text, "<h1>/</h1>\n<p>This folder is empty.</p>\n"));
    assert_null(strstr(text, "../"));
    assert_non_null(strstr(text, "<tbody>\n</table>\n"));
    free(text);
}

static void links_each_segment(void **state)
{
    (void)state;
    check_holds(list_path("/a/"), "<h1><a href=\"../\">/</a>a/</h1>");
    check_holds(list_path("/a/b c/d/"),
                "<h1><a href=\"../../../\">/</a><a href=\"../../\">a/</a><a href=\"../\">b c/</a>d/</h1>");
    check_holds(list_path("/a/b c/d/"), "<title>Index of d/</title>");
    check_holds(list_path("/<b>/\xff&/"), "<a href=\"../\">&lt;b&gt;/</a>\xef\xbf\xbd&amp;/</h1>");
    check_holds(list_path("/a/<b>/"), "<title>Index of &lt;b&gt;/</title>");
}

/* Of a path of many segments the nearest ones are shown. */
static void shortens_deep_paths(void **state)
{
    char path[128] = "/";
    (void)state;
    for (int i = 0; i < 32; i++)
        strcat(path, "a/");
    char *text = list_path(path);
    assert_null(strstr(text, "\xe2\x80\xa6"));
    assert_non_null(strstr(text, "../\">/</a><a href"));
    free(text);
    text = list_path(strcat(path, "b/"));
    assert_non_null(strstr(text, "<h1>\xe2\x80\xa6/<a href=\"../../"));
    assert_null(strstr(text, "\">/</a>"));
    assert_non_null(strstr(text, "<a href=\"../\">a/</a>b/</h1>"));
    free(text);
}

static void shortens_long_segments(void **state)
{
    char path[1200];
    (void)state;
    memset(path, '"', sizeof path);
    path[0] = path[sizeof path - 2] = '/';
    path[sizeof path - 1] = '\0';
    check_holds(list_path(path), "&quot;</h1>");
    memset(path + 1, 'a', LISTING_NAME_MAX);
    strcpy(path + 1 + LISTING_NAME_MAX, "/");
    check_holds(list_path(path), "aaa/</h1>");
}

/* What stands between <th scope="col" and the title: the state where the listing is sorted by it, and the link. */
#define SORTED(state, key, order) " aria-sort=\"" state "ending\"><a href=\"?sort=" key "&amp;order=" order "\">"
#define COLUMN(key, order) "><a href=\"?sort=" key "&amp;order=" order "\">"

static void says_how_it_is_sorted(void **state)
{
    static const struct {
        const char *query, *name, *size, *date;
    } rows[] = {
        { "", SORTED("asc", "name", "desc"), COLUMN("size", "desc"), COLUMN("date", "desc") },
        { "sort=name&order=desc", SORTED("desc", "name", "asc"), COLUMN("size", "desc"), COLUMN("date", "desc") },
        { "sort=size", COLUMN("name", "asc"), SORTED("asc", "size", "desc"), COLUMN("date", "desc") },
        { "sort=size&order=desc", COLUMN("name", "asc"), SORTED("desc", "size", "asc"), COLUMN("date", "desc") },
        { "sort=date", COLUMN("name", "asc"), COLUMN("size", "desc"), SORTED("asc", "date", "desc") },
        { "sort=date&order=desc", COLUMN("name", "asc"), COLUMN("size", "desc"), SORTED("desc", "date", "asc") },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char expected[512];
        snprintf(expected, sizeof expected,
                 "<tr><th scope=\"col\"%sName</a><th scope=\"col\"%sSize</a><th scope=\"col\"%sModified (UTC)</a>\n",
                 rows[i].name, rows[i].size, rows[i].date);
        check_holds(list(&(struct listing_folder){ SLICE("/"), NULL, 0 }, LISTING_HTML,
                         listing_order_of(slice_text(rows[i].query))),
                    expected);
    }
}

static void escapes_names(void **state)
{
    static const struct {
        struct slice name;
        const char *link;
    } rows[] = {
        { SLICE_INIT("<script>"), "<a href=\"./%3Cscript%3E\">&lt;script&gt;</a>" },
        { SLICE_INIT("\"><b>'"), "<a href=\"./%22%3E%3Cb%3E&#39;\">&quot;&gt;&lt;b&gt;&#39;</a>" },
        { SLICE_INIT("a&lt"), "<a href=\"./a&amp;lt\">a&amp;lt</a>" },
        { SLICE_INIT("a?b#c%20d"), "<a href=\"./a%3Fb%23c%2520d\">a?b#c%20d</a>" },
        { SLICE_INIT("javascript:alert(1)"), "<a href=\"./javascript:alert(1)\">javascript:alert(1)</a>" },
        { SLICE_INIT("a b  c "), "<a href=\"./a%20b%20%20c%20\">a b  c </a>" },
        { SLICE_INIT("a\\b"), "<a href=\"./a%5Cb\">a\\b</a>" },
        { SLICE_INIT("gr\xc3\xbc\xc3\x9f" "e"), "<a href=\"./gr%C3%BC%C3%9Fe\">gr\xc3\xbc\xc3\x9f" "e</a>" },
        /* not UTF-8: a byte alone, one cut short, overlong, a surrogate */
        { SLICE_INIT("a\xff"), "<a href=\"./a%FF\">a\xef\xbf\xbd</a>" },
        { SLICE_INIT("\xe2\x82"), "<a href=\"./%E2%82\">\xef\xbf\xbd\xef\xbf\xbd</a>" },
        { SLICE_INIT("\xc0\xafx"), "<a href=\"./%C0%AFx\">\xef\xbf\xbd\xef\xbf\xbdx</a>" },
        { SLICE_INIT("\xed\xa0\x80"), "<a href=\"./%ED%A0%80\">\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd</a>" },
        /* controls */
        { SLICE_INIT("\nb\r\t~"), "<a href=\"./%0Ab%0D%09~\">\xef\xbf\xbd" "b\xef\xbf\xbd\xef\xbf\xbd~</a>" },
        { SLICE_INIT("\x01 \x1f\x7f"), "<a href=\"./%01%20%1F%7F\">\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd</a>" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_holds(list_name(rows[i].name, LISTING_HTML), rows[i].link);
}

static void writes_sizes(void **state)
{
    static const struct {
        uint64_t size;
        const char *text;
    } rows[] = {
        { 0, "<td title=\"0 bytes\">0 B<td>" },
        { 1, "<td title=\"1 byte\">1 B<td>" },
        { 2, "<td title=\"2 bytes\">2 B<td>" },
        { 999, "\">999 B<td>" },
        { 1000, "<td title=\"1000 bytes\">1.0 kB<td>" },
        { 1049, "\">1.0 kB<td>" },
        { 1050, "\">1.1 kB<td>" },
        { 1999, "\">2.0 kB<td>" },
        { 9949, "\">9.9 kB<td>" },
        { 9950, "\">10.0 kB<td>" },
        { 999949, "\">999.9 kB<td>" },
        { 999950, "\">1.0 MB<td>" }, /* not 1000.0 kB */
        { 1000000, "\">1.0 MB<td>" },
        { 12345678, "\">12.3 MB<td>" },
        { 999949999, "\">999.9 MB<td>" },
        { 999950000, "\">1.0 GB<td>" },
        { 4700000000, "\">4.7 GB<td>" },
        { 1500000000000, "\">1.5 TB<td>" },
        { 2500000000000000, "\">2.5 PB<td>" },
        { 999950000000000000, "\">1.0 EB<td>" },
        { UINT64_MAX, "<td title=\"18446744073709551615 bytes\">18.4 EB<td>" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct listing_entry entry = { SLICE("a"), rows[i].size, -1, FILE_ };
        check_holds(list(&(struct listing_folder){ SLICE("/"), &entry, 1 }, LISTING_HTML, by_name), rows[i].text);
    }
}

static void sums_up(void **state)
{
    struct listing_entry entries[] = {
        { SLICE("a"), 600, -1, FILE_ }, { SLICE("b"), 0, -1, FOLDER }, { SLICE("c"), 500, -1, FILE_ },
    };
    struct listing_entry file = entries[0], folder = entries[1];
    (void)state;
    check_holds(list(&(struct listing_folder){ SLICE("/"), entries, 3 }, LISTING_HTML, by_name),
                "<p>1 folder, 2 files, 1.1 kB</p>");
    check_holds(list(&(struct listing_folder){ SLICE("/"), &file, 1 }, LISTING_HTML, by_name),
                "<p>0 folders, 1 file, 600 B</p>");
    check_holds(list(&(struct listing_folder){ SLICE("/"), &folder, 1 }, LISTING_HTML, by_name),
                "<p>1 folder, 0 files, 0 B</p>");
}

static void knows_its_types(void **state)
{
    (void)state;
    assert_true(slice_equal(listing_type(LISTING_HTML), SLICE("text/html; charset=utf-8")));
    assert_true(slice_equal(listing_type(LISTING_JSON), SLICE("application/json")));
}

/* ---- Pieces --------------------------------------------------------------------------------------------------- */

/* What is worst for each of the ways to write a name, as long as they may be; one byte longer, it is left out. */
static void has_room_for_any_name(void **state)
{
    static const char bytes[] = { '&', '"', '\'', '\x01', '\xff', ' ', '<' };
    char name[LISTING_NAME_MAX + 1];
    (void)state;
    for (size_t i = 0; i < COUNT(bytes); i++) {
        memset(name, bytes[i], sizeof name);
        for (int format = LISTING_HTML; format <= LISTING_JSON; format++) {
            struct listing_entry entries[] = {
                { slice_make(name, LISTING_NAME_MAX), UINT64_MAX, DAY, FILE_ },
                { SLICE("last"), 7, DAY, FILE_ },
                { slice_make(name, LISTING_NAME_MAX + 1), 9, DAY, FILE_ },
            };
            struct listing_folder folder = { SLICE("/"), entries, COUNT(entries) };
            struct listing listing;
            size_t size;
            listing_begin(&listing, &folder, (enum listing_format)format, by_name);
            assert_int_equal(listing.folder.count, 2);
            assert_int_equal(listing.bytes, UINT64_MAX + UINT64_C(7));
            char *text = pull_all(&listing, 100, &size);
            assert_true(size > 2 * LISTING_NAME_MAX || format == LISTING_JSON);
            assert_non_null(strstr(text, "last"));
            free(text);
        }
    }
}

static void takes_any_room(void **state)
{
    (void)state;
    for (int format = LISTING_HTML; format <= LISTING_JSON; format++) {
        char *whole = NULL;
        size_t whole_size = 0;
        for (size_t room = 10000; room > 0; room = room > 500 ? room - 500 : room - 1) {
            struct listing_entry entries[] = {
                { SLICE("a & b"), 1, DAY, FILE_ }, { SLICE("c"), 2, DAY, FOLDER }, { SLICE("d"), 3, -1, FILE_ },
            };
            struct listing listing;
            size_t size;
            listing_begin(&listing, &(struct listing_folder){ SLICE("/x/y/"), entries, 3 },
                          (enum listing_format)format, by_name);
            char *text = pull_all(&listing, room, &size);
            if (!whole) {
                whole = text;
                whole_size = size;
                continue;
            }
            assert_int_equal(size, whole_size);
            assert_memory_equal(text, whole, size);
            free(text);
        }
        free(whole);
    }
}

/* A listing fills what room it gets, and what it writes at a time does not depend on how many entries there are. */
static void streams_many(void **state)
{
    enum { MANY = 100000, ROOM = 16384 };
    struct listing_entry *entries = malloc(MANY * sizeof *entries);
    char *names = malloc(MANY * 8), *out = malloc(ROOM);
    struct listing listing;
    size_t rows = 0;
    long got;
    (void)state;
    assert_true(entries && names && out);
    for (size_t i = 0; i < MANY; i++) {
        struct writer w = writer_on(names + 8 * i, 8);
        writer_digits(&w, i * 7919 % MANY, 8);
        entries[i] = (struct listing_entry){ writer_slice(&w), i, DAY, FILE_ };
    }
    listing_begin(&listing, &(struct listing_folder){ SLICE("/"), entries, MANY }, LISTING_HTML, by_name);
    for (size_t i = 0; i < MANY; i++)
        assert_true(i == 0 || memcmp(entries[i - 1].name.data, entries[i].name.data, 8) < 0);
    while ((got = listing_pull(&listing, out, ROOM)) == ROOM)
        for (size_t i = 0; i < ROOM; i++)
            rows += out[i] == '\n';
    for (long i = 0; i < got; i++)
        rows += out[i] == '\n';
    assert_int_equal(listing_pull(&listing, out, ROOM), 0);
    assert_in_range(rows, MANY + 1, MANY + 100);
    free(out);
    free(names);
    free(entries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_query),
        cmocka_unit_test(sorts),
        cmocka_unit_test(writes_json),
        cmocka_unit_test(escapes_names_in_json),
        cmocka_unit_test(writes_a_page),
        cmocka_unit_test(has_nothing_above_the_root),
        cmocka_unit_test(links_each_segment),
        cmocka_unit_test(shortens_deep_paths),
        cmocka_unit_test(shortens_long_segments),
        cmocka_unit_test(says_how_it_is_sorted),
        cmocka_unit_test(escapes_names),
        cmocka_unit_test(writes_sizes),
        cmocka_unit_test(sums_up),
        cmocka_unit_test(knows_its_types),
        cmocka_unit_test(has_room_for_any_name),
        cmocka_unit_test(takes_any_room),
        cmocka_unit_test(streams_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Media types by name: those that the web needs, the rules for charset, and that the table can be searched. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "http/fields.h"
#include "http/mime.h"

#define UNKNOWN "application/octet-stream"

static const struct {
    struct slice extension, type;
} table[] = {
#include "http/mime_table.h"
};

enum { ROWS = sizeof table / sizeof table[0] };

static void knows_the_web(void **state)
{
    static const struct {
        const char *name, *type;
    } rows[] = {
        { "index.html", "text/html; charset=utf-8" },
        { "a.htm", "text/html; charset=utf-8" },
        { "a.css", "text/css; charset=utf-8" },
        { "a.js", "text/javascript; charset=utf-8" },
        { "a.mjs", "text/javascript; charset=utf-8" },
        { "a.cjs", "text/javascript; charset=utf-8" },
        { "a.json", "application/json" },
        { "a.map", "application/json" },
        { "a.webmanifest", "application/manifest+json" },
        { "a.svg", "image/svg+xml; charset=utf-8" },
        { "a.svgz", "application/gzip" },
        { "a.xml", "application/xml; charset=utf-8" },
        { "a.xhtml", "application/xhtml+xml; charset=utf-8" },
        { "a.atom", "application/atom+xml; charset=utf-8" },
        { "a.rss", "application/rss+xml; charset=utf-8" },
        { "a.txt", "text/plain; charset=utf-8" },
        { "a.log", "text/plain; charset=utf-8" },
        { "a.md", "text/markdown; charset=utf-8" },
        { "a.csv", "text/csv; charset=utf-8" },
        { "a.vtt", "text/vtt; charset=utf-8" },
        { "a.ico", "image/vnd.microsoft.icon" },
        { "a.png", "image/png" },
        { "a.jpg", "image/jpeg" },
        { "a.jpeg", "image/jpeg" },
        { "a.gif", "image/gif" },
        { "a.webp", "image/webp" },
        { "a.avif", "image/avif" },
        { "a.woff", "font/woff" },
        { "a.woff2", "font/woff2" },
        { "a.ttf", "font/ttf" },
        { "a.otf", "font/otf" },
        { "a.wasm", "application/wasm" },
        { "a.pdf", "application/pdf" },
        { "a.zip", "application/zip" },
        { "a.gz", "application/gzip" },
        { "a.tar.gz", "application/gzip" },
        { "a.mp4", "video/mp4" },
        { "a.webm", "video/webm" },
        { "a.ts", "video/mp2t" },
        { "a.mp3", "audio/mpeg" },
        { "a.ogg", "audio/ogg" },
        { "a.yaml", "application/yaml" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!slice_equal(mime_type(slice_text(rows[i].name)), slice_text(rows[i].type)))
            fail_msg("%s is %s", rows[i].name, mime_type(slice_text(rows[i].name)).data);
}

static void finds_the_extension(void **state)
{
    static const struct {
        const char *name;
        bool html;
    } rows[] = {
        { "", false },
        { "html", false },
        { ".", false },
        { "a.", false },
        { "a.html.", false },
        { "a.htmlx", false },
        { "a.html~", false },
        { "a.html/b", false },
        { "a.html/", false },
        { "a.a-very-long-extension-that-nobody-has", false },
        { "a.\xC3\xA4", false },
        { "a.HTML", true },
        { "a.HtMl", true },
        { ".html", true },
        { "..html", true },
        { "a.txt.html", true },
        { "/a.txt/b.html", true },
        { "/srv/a.b/c.html", true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *expected = rows[i].html ? "text/html; charset=utf-8" : UNKNOWN;
        if (!slice_equal(mime_type(slice_text(rows[i].name)), slice_text(expected)))
            fail_msg("%s is %s", rows[i].name, mime_type(slice_text(rows[i].name)).data);
    }
}

/* Every row is found, so the table is in the order of the search, and by either case. */
static void finds_every_row(void **state)
{
    (void)state;
    assert_true(ROWS > 1000);
    for (size_t i = 0; i < ROWS; i++) {
        char name[64];
        int size = snprintf(name, sizeof name, "a.%s", table[i].extension.data);
        assert_true(slice_equal(mime_type(slice_make(name, (size_t)size)), table[i].type));
        for (int at = 0; at < size; at++)
            name[at] = (char)toupper(name[at]);
        assert_true(slice_equal(mime_type(slice_make(name, (size_t)size)), table[i].type));
    }
}

/* Types go out as field values, and carry a charset where they are text, never where they are JSON. */
static void has_sound_types(void **state)
{
    const struct slice charset = SLICE("; charset=utf-8");
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        struct slice type = table[i].type;
        assert_true(field_value_valid(type));
        assert_true(slice_find(type, '/') < type.size);
        bool has = slice_ends(type, charset);
        struct slice bare = has ? slice_part(type, 0, type.size - charset.size) : type;
        assert_int_equal(slice_find(bare, ';'), bare.size);
        if (slice_starts(bare, SLICE("text/")) || slice_ends(bare, SLICE("+xml")))
            assert_true(has);
        if (slice_ends(bare, SLICE("json")) || slice_starts(bare, SLICE("image/p")))
            assert_false(has);
    }
}

static void knows_what_can_be_compressed(void **state)
{
    static const char *const yes[] = {
        "text/html; charset=utf-8", "text/plain", "TEXT/CSS", "text/javascript;charset=utf-8", "text/x",
        "image/svg+xml; charset=utf-8", "application/manifest+json", "Application/LD+JSON",
        "application/atom+xml ; a=b", "application/openapi+yaml", "application/json", "application/jsonl",
        "APPLICATION/XML; charset=utf-8",
        "application/javascript", "application/wasm", "application/yaml", "application/toml", "font/ttf", "font/otf",
        "font/collection", "application/vnd.ms-fontobject", "image/bmp", "image/vnd.microsoft.icon", "image/x-icon",
        "application/rtf", "application/x-tar", "model/obj", "application/vnd.apple.mpegurl",
    };
    static const char *const no[] = {
        "", ";", "text", "text/", "text/; a=b", "+json", "+xml; charset=utf-8", "application/octet-stream", "image/png",
        "image/jpeg", "image/webp", "image/avif", "font/woff", "font/woff2", "video/mp4", "audio/mpeg",
        "application/pdf", "application/zip", "application/gzip", "application/zstd", "application/json2",
        "xapplication/json",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/epub+zip",
        "application/cbor+jsonx", "image/png; a=+json2", "video/mp2t", "textx/html", "application/x-text/html",
    };
    (void)state;
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        if (!mime_compressible(slice_text(yes[i])))
            fail_msg("%s is not", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        if (mime_compressible(slice_text(no[i])))
            fail_msg("%s is", no[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_web),
        cmocka_unit_test(finds_the_extension),
        cmocka_unit_test(finds_every_row),
        cmocka_unit_test(has_sound_types),
        cmocka_unit_test(knows_what_can_be_compressed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Forms of several parts: what is in them, cut at every byte and byte by byte; and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/writer.h"
#include "http/multipart.h"

#define PART(head, content) "--b\r\nContent-Disposition: form-data; " head "\r\n\r\n" content "\r\n"
#define END "--b--\r\n"

/* ---- The boundary ------------------------------------------------------------------------------------------- */

static void finds_the_boundary(void **state)
{
    static const char seventy[] = "1234567890123456789012345678901234567890123456789012345678901234567890";
    static const struct {
        const char *type, *boundary;
    } rows[] = {
        { "multipart/form-data; boundary=b", "b" },
        { "Multipart/Form-Data ; charset=utf-8;BOUNDARY=\"a b\"", "a b" },
        { "multipart/form-data; x=\"; boundary=no\"; boundary=yes", "yes" },
        { "multipart/form-data; boundary=----WebKitFormBoundaryAz09'()+_,-./:=?; more=1",
          "----WebKitFormBoundaryAz09'()+_,-./:=?" },
        { "multipart/form-data;; boundary=b ; ;x=y;", "b" },
        { "multipart/form-data; boundary=b; boundary=c", NULL },
        { "multipart/form-data; boundary=b; Boundary=b", NULL },
        { "multipart/form-data; boundary=b; x=\"", NULL },
        { "multipart/form-data; boundary=\"b\" x; y=z", NULL },
        { "multipart/form-data; x y; boundary=b", NULL },
        { "multipart/form-data; x; boundary=b", NULL },
        { "multipart/form-data; =x; boundary=b", NULL },
        { "multipart/mixed; boundary=b", NULL },
        { "multipart/form-data", NULL },
        { "multipart/form-data; boundary=", NULL },
        { "multipart/form-data; boundary=\"\"", NULL },
        { "multipart/form-data; boundary=\"b", NULL },
        { "multipart/form-data; boundary=\"b \"", NULL },
        { "multipart/form-data; boundary=a\"b", NULL },
        { "multipart/form-data; boundary=\"a\rb\"", NULL },
        { "", NULL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slice found = multipart_boundary(slice_text(rows[i].type));
        bool same = rows[i].boundary ? slice_equal(found, slice_text(rows[i].boundary)) : found.data == NULL;
        if (!same)
            fail_msg("%s: \"%.*s\"", rows[i].type, (int)found.size, found.data);
    }
    for (size_t extra = 0; extra < 2; extra++) {
        char type[160];
        snprintf(type, sizeof type, "multipart/form-data; boundary=%s%s", seventy, extra ? "x" : "");
        assert_int_equal(multipart_boundary(slice_text(type)).data != NULL, extra == 0);
    }
}

/* ---- Forms -------------------------------------------------------------------------------------------------- */

static void show(struct writer *w, const char *before, struct slice text)
{
    writer_text(w, before);
    if (text.data == NULL)
        writer_text(w, "-");
    else
        writer_put(w, text);
}

/* "name|filename|type=content;" for each part, "." for the end, "!" for what is no form, "~" for one that stops. */
static void read_piece(struct multipart *m, struct slice piece, struct writer *w)
{
    char *copy = malloc(piece.size); /* so that nothing can be looked at beyond it, or afterwards */
    memcpy(copy, piece.data, piece.size);
    struct slice bytes = slice_make(copy, piece.size), data;
    for (;;) {
        enum multipart_result result = multipart_next(m, &bytes, &data);
        if (result == MULTIPART_PART) {
            show(w, "", m->name);
            show(w, "|", m->filename);
            show(w, "|", m->type);
            writer_byte(w, '=');
        } else if (result == MULTIPART_DATA) {
            assert_true(data.size > 0);
            writer_put(w, data);
        } else if (result == MULTIPART_END) {
            writer_byte(w, ';');
        } else if (result == MULTIPART_DONE) {
            writer_byte(w, '.');
        } else {
            assert_true(result == MULTIPART_BAD || bytes.size == 0);
            break;
        }
    }
    free(copy);
}

static const char *read_cut(const char *form, size_t size, size_t cut, size_t step)
{
    static char text[1 << 16];
    struct multipart m;
    struct writer w = writer_on(text, sizeof text - 2);
    struct slice rest = slice_make(form, size), nothing = SLICE(""), data;
    multipart_init(&m, SLICE("b"));
    for (size_t done = 0; done < cut; done += step) {
        step = step < rest.size ? step : rest.size;
        read_piece(&m, slice_part(rest, 0, step), &w);
        rest = slice_skip(rest, step);
    }
    read_piece(&m, rest, &w);
    bool bad = multipart_next(&m, &nothing, &data) == MULTIPART_BAD;
    writer_text(&w, bad ? "!" : multipart_whole(&m) ? "" : "~");
    assert_false(w.overflowed);
    *w.at = '\0';
    return text;
}

static void check(const char *form, const char *expected)
{
    size_t size = strlen(form);
    for (size_t cut = 0; cut <= size; cut++)
        if (strcmp(read_cut(form, size, cut, cut ? cut : 1), expected) != 0)
            fail_msg("cut at %zu: %s\n%s", cut, form, read_cut(form, size, cut, cut ? cut : 1));
    assert_string_equal(read_cut(form, size, size, 1), expected);
}

static void reads_forms(void **state)
{
    static const struct {
        const char *form, *parts;
    } rows[] = {
        { END, "." },
        { "--b--", "." },
        { PART("name=a", "1") END, "a|-|-=1;." },
        { PART("name=\"a\"", "") PART("name=\"\"", "2") END, "a|-|-=;|-|-=2;." },
        { PART("name=\"f\"; filename=\"x y.txt\"\r\nContent-Type: text/plain; charset=utf-8", "hello\r\n") END,
          "f|x y.txt|text/plain; charset=utf-8=hello\r\n;." },
        { "a word before\r\n" PART("name=a", "1") END "and behind\r\n--b\r\n", "a|-|-=1;." },
        { "\r\n" PART("name=a", "1") END, "a|-|-=1;." },
        { PART("name=a", "\r\n--\r\n-\r\r\n--c\r\n--\r--b") END, "a|-|-=\r\n--\r\n-\r\r\n--c\r\n--\r--b;." },
        { PART("name=a", "\r\n\r") END, "a|-|-=\r\n\r;." },
        { "--b \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--", "a|-|-=1;." },
        { PART("name=\"%22%0d%0A%41\\\"\\x\"; filename=\"C:\\dir\\\"", "1") END, "\"\r\n%41\"\\x|C:\\dir\\|-=1;." },
        { PART("name=\"%22%0d%0A%41\\\"\\x\"; filename=\"C:\\dir\\f\"", "1") END, "\"\r\n%41\"\\x|C:\\dir\\f|-=1;." },
        { PART("NAME=a; filename*=UTF-8''no; x=1", "1") END, "a|-|-=1;." },
        { "--b\r\ncontent-type: a/b\r\nX-More: 1\r\ncontent-disposition:form-data;name=a\r\n\r\n1\r\n--b--",
          "a|-|a/b=1;." },
        { PART("name=a", "1") "--b", "a|-|-=1;~" },
        { PART("name=a", "1"), "a|-|-=1~" },
        { "", "~" },
        { "--b\r\nContent-Disposition: form-data; name=a\r\n", "~" },
        { "--b\r\n\r\n1\r\n--b--", "!" },
        { "--bx\r\n", "!" },
        { "--b-x\r\n", "!" },
        { "--b\rx", "!" },
        { "--b \rx", "!" },
        { "--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--", "!" },
        { "--b\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--b--", "!" },
        { "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n\r\n", "!" },
        { "--b\r\nContent-Type: a/b\r\nContent-Type: a/c\r\nContent-Disposition: form-data; name=a\r\n\r\n", "!" },
        { PART("name=a; name=b", "1"), "!" },
        { PART("name=a; filename=b; filename=c", "1"), "!" },
        { PART("name=a; x; filename=b", "1"), "!" },
        { PART("name=\"a\"b; filename=b", "1"), "!" },
        { PART("name=a; filename=\"b", "1"), "!" },
        { "--b\r\nContent-Disposition: form-data; name=a\nX: 1\r\n\r\n", "!" },
        { "--b\r\nContent-Disposition : form-data; name=a\r\n\r\n", "!" },
        { "--b\r\nno colon\r\n\r\n", "!" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(rows[i].form, rows[i].parts);
}

static void limits_heads(void **state)
{
    (void)state;
    for (size_t extra = 0; extra < 2; extra++) {
        static const char start[] = "Content-Disposition: form-data; name=a\r\nX: ";
        char *form = malloc(2 * MULTIPART_HEAD_MAX);
        size_t fill = MULTIPART_HEAD_MAX + extra - (sizeof start - 1) - 4;
        size_t size = (size_t)sprintf(form, "--b\r\n%s", start);
        memset(form + size, 'x', fill);
        size += fill;
        size += (size_t)sprintf(form + size, "\r\n\r\n1\r\n--b--");
        assert_string_equal(read_cut(form, size, size, 7), extra ? "!" : "a|-|-=1;.");
        free(form);
    }
}

/* Content that is all beginnings of a delimiter comes back as it was. */
static void gives_back_any_content(void **state)
{
    static const char letters[] = "\r\n-bx";
    (void)state;
    srand(1);
    for (unsigned round = 0; round < 2000; round++) {
        char content[41] = "", form[256], expected[256];
        for (int i = 0, size = rand() % 40; i < size; i++)
            content[i] = letters[rand() % 5];
        if (strstr(content, "\r\n--b"))
            continue;
        snprintf(form, sizeof form, PART("name=a", "%s") END, content);
        snprintf(expected, sizeof expected, "a|-|-=%s;.", content);
        assert_string_equal(read_cut(form, strlen(form), strlen(form), 1 + round % 9), expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_boundary),
        cmocka_unit_test(reads_forms),
        cmocka_unit_test(limits_heads),
        cmocka_unit_test(gives_back_any_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

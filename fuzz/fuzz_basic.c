/* Credentials: the input is a token as it stands in Authorization. What is taken is text without controls, and its
 * base64 is the very same token. */
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "base/writer.h"
#include "http/basic.h"

#define CHECK(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static void fail(const char *condition, int line)
{
    fprintf(stderr, "line %d: %s\n", line, condition);
    abort();
}

static void write_base64(struct writer *w, struct slice text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < text.size; i += 3) {
        unsigned bits = 0;
        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (i + j < text.size ? (unsigned char)text.data[i + j] : 0);
        for (unsigned j = 0; j < 4; j++)
            writer_byte(w, i + j > text.size ? '=' : digits[bits >> (18 - 6 * j) & 63]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice token = slice_make((const char *)data, size);
    struct basic basic;
    if (!basic_decode(token, &basic))
        return 0;
    struct slice text = slice_make(basic.text, basic.name.size + 1 + basic.password.size);
    CHECK(basic.name.data == text.data && basic.password.data == text.data + basic.name.size + 1);
    CHECK(text.size <= BASIC_TEXT_MAX && text.data[basic.name.size] == ':');
    CHECK(basic_name_valid(basic.name) && utf8_valid(text) && slice_find(text, '\0') == text.size);

    char again[4 * BASIC_TEXT_MAX / 3 + 4];
    struct writer w = writer_on(again, sizeof again);
    write_base64(&w, text);
    CHECK(!w.overflowed && slice_equal(writer_slice(&w), token));
    return 0;
}

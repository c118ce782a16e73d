/* Every scanner that this CPU can run, and the cursor on top of it, against the grammar written out once more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "wire/h1_cursor.h"

static bool is_one_of(unsigned char c, const char *others)
{
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
        return true;
    return c != '\0' && strchr(others, c) != NULL;
}

static bool is_token(unsigned char c)
{
    return is_one_of(c, "!#$%&'*+-.^_`|~");
}

/* What RFC 3986 and browsers have in a path, but for what wants a second look: "%" and ".". */
static bool is_path(unsigned char c)
{
    return is_one_of(c, "!$&'()*+,-/:;=@[]^_|~");
}

/* RFC 3986 3.2.2: unreserved and sub-delims. */
static bool is_host(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("-._~!$&'()*+,;=", c));
}

static bool is_text(unsigned char c)
{
    return (c >= 32 && c != 127) || c == '\t';
}

static void check_block(const struct h1_scanner *scanner, const char *data, size_t size, size_t begin)
{
    struct h1_masks masks = scanner->scan(data, size, begin);
    for (size_t i = 0; i < H1_BLOCK; i++) {
        bool there = begin + i < size;
        unsigned char c = there ? (unsigned char)data[begin + i] : 0;
        assert_int_equal(masks.token >> i & 1, there && is_token(c));
        assert_int_equal(masks.text >> i & 1, there && is_text(c));
    }
}

static void check_classes(const struct h1_scanner *scanner, const char bytes[H1_HALF])
{
    uint32_t mask = scanner->scan_path(bytes);
    for (unsigned i = 0; i < H1_HALF; i++)
        assert_int_equal(mask >> i & 1, is_path((unsigned char)bytes[i]));
    mask = scanner->scan_host(bytes);
    for (unsigned i = 0; i < H1_HALF; i++)
        assert_int_equal(mask >> i & 1, is_host((unsigned char)bytes[i]));
}

/* In a block that is whole, one that is not, the last of several, and one that is less than a half: by each of these
 * ways a scanner looks at other bytes. */
static void classifies_every_byte_everywhere(void **state)
{
    static const struct {
        size_t size, begin;
    } blocks[] = { { 64, 0 }, { 80, 0 }, { 45, 0 }, { 20, 0 }, { 100, 64 }, { 128, 64 } };
    const struct h1_scanner *scanners[H1_SCANNERS];
    unsigned count = h1_scanner_list(scanners);
    char data[128];

    (void)state;
    for (size_t b = 0; b < sizeof blocks / sizeof blocks[0]; b++) {
        for (unsigned c = 0; c < 256; c++) {
            for (size_t at = blocks[b].begin; at < blocks[b].size; at++) {
                memset(data, c % 2 ? 'a' : '\0', sizeof data);
                data[at] = (char)c;
                for (unsigned i = 0; i < count; i++)
                    check_block(scanners[i], data, blocks[b].size, blocks[b].begin);
            }
        }
    }
}

static void tells_path_and_host_characters_everywhere(void **state)
{
    const struct h1_scanner *scanners[H1_SCANNERS];
    unsigned count = h1_scanner_list(scanners);
    char bytes[H1_HALF];

    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        for (size_t at = 0; at < H1_HALF; at++) {
            memset(bytes, c % 2 ? 'a' : '%', sizeof bytes);
            bytes[at] = (char)c;
            for (unsigned i = 0; i < count; i++)
                check_classes(scanners[i], bytes);
        }
    }
}

/* Exactly sized, so that the address sanitizer sees a byte too much. Every block of each, and the empty one behind. */
static void scans_up_to_every_end(void **state)
{
    const struct h1_scanner *scanners[H1_SCANNERS];
    unsigned count = h1_scanner_list(scanners);

    (void)state;
    srand(1);
    for (size_t size = 0; size <= 4 * H1_BLOCK; size++) {
        char *bytes = malloc(size > 0 ? size : 1);
        for (size_t i = 0; i < size; i++)
            bytes[i] = (char)rand();
        for (unsigned i = 0; i < count; i++)
            for (size_t begin = 0; begin <= size; begin += H1_BLOCK)
                check_block(scanners[i], bytes, size, begin);
        free(bytes);
    }
}

static void chooses_the_first_and_ends_with_the_scalar(void **state)
{
    const struct h1_scanner *scanners[H1_SCANNERS];
    unsigned count = h1_scanner_list(scanners);

    (void)state;
    assert_in_range(count, 1, H1_SCANNERS);
    assert_ptr_equal(h1_scanner_best(), scanners[0]);
    assert_ptr_equal(scanners[count - 1], &h1_scanner_scalar);
    assert_string_equal(scanners[count - 1]->name, "scalar");
    for (unsigned i = 0; i + 1 < count; i++)
        assert_string_not_equal(scanners[i]->name, "scalar");
}

static size_t find(struct slice bytes, size_t at, bool (*passes)(unsigned char))
{
    while (at < bytes.size && passes((unsigned char)bytes.data[at]))
        at++;
    return at;
}

/* Goes through the bytes as a parser does, one search from where the other ended. */
static void check_walk(const struct h1_scanner *scanner, struct slice bytes)
{
    struct h1_cursor cursor;
    h1_cursor_init(&cursor, scanner, bytes, 0);
    for (size_t at = 0; at <= bytes.size; at++) {
        size_t found = h1_cursor_not_token(&cursor, at);
        assert_int_equal(found, find(bytes, at, is_token));
        at = h1_cursor_control(&cursor, found);
        assert_int_equal(at, find(bytes, found, is_text));
    }
}

static void finds_up_to_every_end(void **state)
{
    const struct h1_scanner *scanners[H1_SCANNERS];
    unsigned count = h1_scanner_list(scanners);

    (void)state;
    srand(2);
    for (size_t size = 0; size <= 11 * H1_BLOCK; size++) {
        char *bytes = malloc(size > 0 ? size : 1);
        for (size_t i = 0; i < size; i++) /* few stops, so that searches cross blocks */
            bytes[i] = rand() % 50 == 0 ? (char)rand() : 'a';
        for (unsigned i = 0; i < count; i++)
            check_walk(scanners[i], slice_make(bytes, size));
        free(bytes);
    }
}

static void starts_anywhere(void **state)
{
    char bytes[5 * H1_BLOCK];
    struct h1_cursor cursor;

    (void)state;
    memset(bytes, 'a', sizeof bytes);
    for (size_t size = 0; size <= sizeof bytes; size += 16) {
        for (size_t at = 0; at <= size; at++) {
            h1_cursor_init(&cursor, h1_scanner_best(), slice_make(bytes, size), at);
            assert_int_equal(h1_cursor_not_token(&cursor, at), size);
            assert_int_equal(h1_cursor_control(&cursor, size), size);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classifies_every_byte_everywhere),
        cmocka_unit_test(tells_path_and_host_characters_everywhere),
        cmocka_unit_test(scans_up_to_every_end),
        cmocka_unit_test(chooses_the_first_and_ends_with_the_scalar),
        cmocka_unit_test(finds_up_to_every_end),
        cmocka_unit_test(starts_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

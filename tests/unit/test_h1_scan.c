/* Every scanner that this CPU can run, and the cursor on top of it, against the grammar written out once more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "wire/h1_cursor.h"

enum { BLOCKS_MAX = 9 };

static bool is_token(unsigned char c)
{
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
        return true;
    return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool is_control(unsigned char c)
{
    return (c < 32 && c != '\t') || c == 127;
}

static void check_blocks(h1_scan *scan, const char *bytes, size_t blocks)
{
    uint64_t not_token[BLOCKS_MAX], control[BLOCKS_MAX];
    scan(bytes, blocks, not_token, control);
    for (size_t i = 0; i < blocks * H1_BLOCK; i++) {
        unsigned char c = (unsigned char)bytes[i];
        assert_int_equal(not_token[i / H1_BLOCK] >> i % H1_BLOCK & 1, !is_token(c));
        assert_int_equal(control[i / H1_BLOCK] >> i % H1_BLOCK & 1, is_control(c));
    }
}

static void classifies_every_byte_everywhere(void **state)
{
    h1_scan *versions[H1_SCAN_VERSIONS];
    const char *names[H1_SCAN_VERSIONS];
    unsigned count = h1_scan_versions(versions, names);
    char block[H1_BLOCK];

    (void)state;
    for (unsigned v = 0; v < count; v++) {
        for (unsigned c = 0; c < 256; c++) {
            memset(block, (int)c, sizeof block);
            check_blocks(versions[v], block, 1);
            for (unsigned at = 0; at < H1_BLOCK; at++) {
                memset(block, 'a', sizeof block);
                block[at] = (char)c;
                check_blocks(versions[v], block, 1);
            }
        }
    }
}

/* Exactly sized, so that the address sanitizer sees a byte too much. */
static void scans_several_blocks(void **state)
{
    h1_scan *versions[H1_SCAN_VERSIONS];
    const char *names[H1_SCAN_VERSIONS];
    unsigned count = h1_scan_versions(versions, names);

    (void)state;
    srand(1);
    for (size_t blocks = 0; blocks <= BLOCKS_MAX; blocks++) {
        char *bytes = malloc(blocks * H1_BLOCK + 1);
        for (size_t i = 0; i < blocks * H1_BLOCK; i++)
            bytes[i] = (char)rand();
        char *exact = realloc(bytes, blocks > 0 ? blocks * H1_BLOCK : 1);
        for (unsigned v = 0; v < count; v++)
            check_blocks(versions[v], exact, blocks);
        free(exact);
    }
}

static void chooses_the_first_and_ends_with_the_scalar(void **state)
{
    h1_scan *versions[H1_SCAN_VERSIONS];
    const char *names[H1_SCAN_VERSIONS];
    unsigned count = h1_scan_versions(versions, names);

    (void)state;
    assert_in_range(count, 1, H1_SCAN_VERSIONS);
    assert_ptr_equal(h1_scan_best(), versions[0]);
    assert_ptr_equal(versions[count - 1], h1_scan_scalar);
    assert_string_equal(names[count - 1], "scalar");
    for (unsigned v = 0; v + 1 < count; v++)
        assert_string_not_equal(names[v], "scalar");
}

static size_t find(const char *bytes, size_t size, size_t at, bool (*stops)(unsigned char))
{
    while (at < size && !stops((unsigned char)bytes[at]))
        at++;
    return at;
}

static bool is_not_token(unsigned char c)
{
    return !is_token(c);
}

/* Goes through the bytes as a parser does, one search from where the other ended. */
static void check_walk(h1_scan *scan, const char *bytes, size_t size)
{
    struct h1_cursor cursor;
    h1_cursor_init(&cursor, scan, bytes, size);
    for (size_t at = 0; at <= size; at++) {
        size_t found = h1_cursor_not_token(&cursor, at);
        assert_int_equal(found, find(bytes, size, at, is_not_token));
        at = h1_cursor_control(&cursor, found);
        assert_int_equal(at, find(bytes, size, found, is_control));
    }
}

static void finds_up_to_every_end(void **state)
{
    h1_scan *versions[H1_SCAN_VERSIONS];
    const char *names[H1_SCAN_VERSIONS];
    unsigned count = h1_scan_versions(versions, names);

    (void)state;
    srand(2);
    for (size_t size = 0; size <= 11 * H1_BLOCK; size++) {
        char *bytes = malloc(size > 0 ? size : 1);
        for (size_t i = 0; i < size; i++) /* few stops, so that searches cross blocks */
            bytes[i] = rand() % 50 == 0 ? (char)rand() : 'a';
        for (unsigned v = 0; v < count; v++)
            check_walk(versions[v], bytes, size);
        free(bytes);
    }
}

static void starts_anywhere_and_moves_its_end(void **state)
{
    char bytes[5 * H1_BLOCK];
    struct h1_cursor cursor;

    (void)state;
    memset(bytes, 'a', sizeof bytes);
    for (size_t at = 0; at < sizeof bytes; at += 7) {
        h1_cursor_init(&cursor, h1_scan_best(), bytes, at);
        assert_int_equal(h1_cursor_not_token(&cursor, at), at);
        h1_cursor_resize(&cursor, at);
        assert_int_equal(h1_cursor_control(&cursor, at), at);
        h1_cursor_resize(&cursor, sizeof bytes);
        assert_int_equal(h1_cursor_control(&cursor, at), sizeof bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classifies_every_byte_everywhere),
        cmocka_unit_test(scans_several_blocks),
        cmocka_unit_test(chooses_the_first_and_ends_with_the_scalar),
        cmocka_unit_test(finds_up_to_every_end),
        cmocka_unit_test(starts_anywhere_and_moves_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A buffer of pages: it grows, keeps what is in it, and where there is no memory nothing has changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/ws_buffer.h"

static void keeps_what_is_in_it(void **state)
{
    struct pages pages;
    struct ws_buffer buffer = { 0 };
    (void)state;
    pages_init(&pages, 1 << 20);
    assert_int_equal(ws_buffer_slice(&buffer).size, 0);
    assert_non_null(ws_buffer_slice(&buffer).data);
    for (size_t i = 0; i < 100000; i++) {
        char *at = ws_buffer_reserve(&buffer, &pages, 1);
        *at = (char)(i % 251);
        buffer.size++;
        assert_true(buffer.room < 4 * (i + 1024));
    }
    for (size_t i = 0; i < buffer.size; i++)
        assert_int_equal((unsigned char)buffer.bytes[i], i % 251);
    ws_buffer_free(&buffer, &pages);
    assert_int_equal(pages.taken_bytes, 0);
    assert_null(buffer.bytes);
    ws_buffer_free(&buffer, &pages);
    pages_fini(&pages);
}

static void stays_as_it_was_without_memory(void **state)
{
    struct pages pages;
    struct ws_buffer buffer = { 0 };
    (void)state;
    pages_init(&pages, 1 << 20);
    pages_limit(&pages, 2048);
    memcpy(ws_buffer_reserve(&buffer, &pages, 1000), "kept", 4);
    buffer.size = 1000;
    assert_null(ws_buffer_reserve(&buffer, &pages, 25)); /* 2048 beside the 1024 are too many */
    assert_int_equal(buffer.size, 1000);
    assert_memory_equal(buffer.bytes, "kept", 4);
    assert_non_null(ws_buffer_reserve(&buffer, &pages, 24));
    ws_buffer_free(&buffer, &pages);
    pages_fini(&pages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_is_in_it),
        cmocka_unit_test(stays_as_it_was_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

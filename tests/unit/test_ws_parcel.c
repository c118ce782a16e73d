/* Frames made to be shared, and their queue. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "failing_memory.h"
#include "wire/ws_parcel.h"

void *__real_realloc(void *at, size_t size);
void *__wrap_realloc(void *at, size_t size);

void *__wrap_realloc(void *at, size_t size)
{
    return allocation_allowed() ? __real_realloc(at, size) : NULL;
}

static void drop(struct ws_parcel *parcel)
{
    hold_unref(&parcel->hold);
}

static void makes_frames(void **state)
{
    (void)state;
    struct ws_parcel *parcel = ws_parcel_new(WS_TEXT, SLICE("Hello"));
    assert_true(slice_equal(parcel->frame, SLICE("\x81\x05Hello")));
    assert_int_equal(ws_parcel_opcode(parcel), WS_TEXT);
    drop(parcel);
    parcel = ws_parcel_new(WS_BINARY, slice_make(NULL, 0));
    assert_true(slice_equal(parcel->frame, SLICE("\x82\x00")));
    drop(parcel);
    char *large = calloc(1, 70000);
    parcel = ws_parcel_new(WS_BINARY, slice_make(large, 70000));
    assert_int_equal(parcel->frame.size, 70010);
    drop(parcel);
    free(large);
}

static void makes_control_frames_that_fit(void **state)
{
    (void)state;
    char bytes[126] = { 0 };
    assert_null(ws_parcel_new(WS_PING, slice_make(bytes, 126)));
    struct ws_parcel *parcel = ws_parcel_new(WS_PING, slice_make(bytes, 125));
    assert_int_equal(parcel->frame.size, 127);
    drop(parcel);
    parcel = ws_parcel_close(4000, SLICE("bye"));
    assert_true(slice_equal(parcel->frame, SLICE("\x88\x05\x0f\xa0" "bye")));
    assert_int_equal(ws_parcel_opcode(parcel), WS_CLOSE);
    drop(parcel);
    memset(bytes, 'x', sizeof bytes);
    parcel = ws_parcel_close(4000, slice_make(bytes, 126));
    assert_int_equal(parcel->frame.size, 127);
    drop(parcel);
}

static void makes_compressed_frames_where_that_helps(void **state)
{
    (void)state;
    struct ws_deflater *deflater = ws_deflater_new();
    char text[1000];
    memset(text, 'a', sizeof text);
    struct ws_parcel *parcel = ws_parcel_deflated(deflater, WS_TEXT, slice_make(text, sizeof text));
    assert_int_equal((unsigned char)parcel->frame.data[0], 0xC1);
    assert_int_equal(parcel->frame.data[1] + 2, parcel->frame.size);
    assert_in_range(parcel->frame.size, 3, 40);
    drop(parcel);
    assert_null(ws_parcel_deflated(deflater, WS_TEXT, SLICE("short")));
    allocations_left = 1; /* none for the shorter block: then it stays where it is */
    parcel = ws_parcel_deflated(deflater, WS_TEXT, slice_make(text, sizeof text));
    allocations_left = -1;
    assert_int_equal((unsigned char)parcel->frame.data[0], 0xC1);
    drop(parcel);
    ws_deflater_free(deflater);
}

static void queues_in_order(void **state)
{
    (void)state;
    struct ws_queue queue = { 0 };
    struct ws_parcel *shared = ws_parcel_new(WS_TEXT, SLICE("x"));
    assert_null(ws_queue_take(&queue));
    struct ws_post *posts[3];
    for (size_t i = 0; i < 3; i++) {
        hold_ref(&shared->hold);
        posts[i] = ws_post_new(shared);
        ws_queue_append(&queue, posts[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_ptr_equal(ws_queue_take(&queue), posts[i]);
        ws_post_free(posts[i]);
    }
    assert_null(ws_queue_take(&queue));
    assert_true(hold_sole(&shared->hold));
    ws_queue_append(&queue, ws_post_new(shared)); /* after it was empty */
    ws_post_free(ws_queue_take(&queue));
}

static void is_paid_for_until_it_goes(void **state)
{
    static const char bytes[1000];
    struct pages payer;
    struct ws_parcel *parcel = ws_parcel_new(WS_BINARY, slice_make(bytes, sizeof bytes));
    (void)state;
    pages_init(&payer, 0);
    pages_limit(&payer, 1000);
    assert_false(ws_parcel_charge(parcel, &payer));
    pages_limit(&payer, 2000);
    assert_true(ws_parcel_charge(parcel, &payer));
    assert_in_range(payer.charged_bytes, 1000, 1200);
    size_t alone = payer.charged_bytes;
    hold_ref(&parcel->hold);
    struct ws_post *post = ws_post_new(parcel);
    pages_limit(&payer, alone);
    assert_false(ws_post_charge(post, &payer));
    pages_limit(&payer, 2 * alone);
    assert_true(ws_post_charge(post, &payer));
    ws_post_free(post);
    assert_int_equal(payer.charged_bytes, alone);
    drop(parcel);
    pages_fini(&payer);
}

static void says_where_there_is_no_memory(void **state)
{
    (void)state;
    struct ws_deflater *deflater = ws_deflater_new();
    struct ws_parcel *parcel = ws_parcel_new(WS_TEXT, SLICE("x"));
    allocations_left = 0;
    assert_null(ws_parcel_new(WS_TEXT, SLICE("x")));
    assert_null(ws_parcel_close(1000, SLICE("")));
    assert_null(ws_parcel_deflated(deflater, WS_TEXT, SLICE("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")));
    assert_null(ws_post_new(parcel));
    allocations_left = -1;
    assert_null(ws_parcel_new(WS_TEXT, slice_make("", SIZE_MAX)));
    drop(parcel);
    ws_deflater_free(deflater);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_frames),
        cmocka_unit_test(makes_control_frames_that_fit),
        cmocka_unit_test(makes_compressed_frames_where_that_helps),
        cmocka_unit_test(queues_in_order),
        cmocka_unit_test(is_paid_for_until_it_goes),
        cmocka_unit_test(says_where_there_is_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

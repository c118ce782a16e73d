/* Prepared answers: what is copied, what is borrowed, what is refused, and that everything goes with the last holder,
 * its own or one that several share. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http/answer.h"

static bool malloc_fails;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return malloc_fails ? NULL : __real_malloc(size);
}

static void count_up(void *user)
{
    ++*(unsigned *)user;
}

static void copies_its_parts(void **state)
{
    char name[] = "Content-Type", value[] = "text/plain", body[] = "hello";
    const struct field_pair fields[] = { { slice_text(name), slice_text(value) }, { SLICE("X-Empty"), SLICE("") } };
    (void)state;
    struct answer *answer = answer_new(
        &(struct answer_parts){ .status = 200, .fields = fields, .field_count = 2, .body = slice_text(body) });
    assert_non_null(answer);
    memset(name, 'x', sizeof name);
    memset(value, 'x', sizeof value);
    memset(body, 'x', sizeof body);

    assert_int_equal(answer->status, 200);
    assert_false(answer->length_omitted);
    assert_int_equal(answer->field_count, 2);
    assert_true(slice_equal(answer->fields[0].name, SLICE("Content-Type")));
    assert_true(slice_equal(answer->fields[0].value, SLICE("text/plain")));
    assert_true(slice_equal(answer->fields[1].name, SLICE("X-Empty")));
    assert_int_equal(answer->fields[1].value.size, 0);
    assert_int_equal(answer->body.kind, BODY_SPAN);
    assert_true(slice_equal(slice_make(answer->body.data, answer->body.size), SLICE("hello")));
    assert_ptr_equal(answer->life, &answer->hold);
    assert_ptr_equal(answer->body.hold, &answer->hold);
    assert_null(atomic_load(&answer->heads[ANSWER_H1]));
    answer_unref(answer);
}

static void borrows_its_body(void **state)
{
    static const char body[] = "borrowed";
    unsigned released = 0;
    (void)state;
    struct answer *answer = answer_new(&(struct answer_parts){ .status = 404, .body = slice_text(body), .borrow = true,
                                                               .release = count_up, .release_user = &released });
    assert_non_null(answer);
    assert_ptr_equal(answer->body.data, body);
    assert_int_equal(answer->body.size, 8);
    assert_ptr_equal(answer->body.hold, &answer->hold);

    answer_ref(answer);
    answer_unref(answer);
    assert_int_equal(released, 0);
    answer_unref(answer);
    assert_int_equal(released, 1);
    answer_unref(NULL);
}

static void has_no_body_where_there_is_none(void **state)
{
    static const struct {
        unsigned status;
        struct slice body;
        bool omitted;
    } rows[] = {
        { 200, SLICE_INIT(""), false },
        { 204, SLICE_INIT(""), true },
        { 204, SLICE_INIT("dropped"), true }, /* RFC 9110 6.4.1 */
        { 304, SLICE_INIT("dropped"), true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int borrow = 0; borrow < 2; borrow++) {
            unsigned released = 0;
            struct answer *answer =
                answer_new(&(struct answer_parts){ .status = rows[i].status, .body = rows[i].body, .borrow = borrow,
                                                   .release = count_up, .release_user = &released });
            assert_non_null(answer);
            assert_int_equal(answer->body.kind, BODY_NONE);
            assert_true(answer->body.size == 0);
            assert_int_equal(answer->length_omitted, rows[i].omitted);
            answer_unref(answer);
            assert_int_equal(released, 1);
        }
    }
}

static void refuses(void **state)
{
    static const struct {
        unsigned status;
        struct field_pair field;
    } rows[] = {
        { 0, { SLICE_INIT("A"), SLICE_INIT("b") } },
        { 100, { SLICE_INIT("A"), SLICE_INIT("b") } },
        { 199, { SLICE_INIT("A"), SLICE_INIT("b") } },
        { 600, { SLICE_INIT("A"), SLICE_INIT("b") } },
        { 65736, { SLICE_INIT("A"), SLICE_INIT("b") } }, /* 200 in 16 bits */
        { 200, { SLICE_INIT(""), SLICE_INIT("b") } },
        { 200, { SLICE_INIT("A b"), SLICE_INIT("b") } },
        { 200, { SLICE_INIT("A:"), SLICE_INIT("b") } },
        { 200, { SLICE_INIT("A"), SLICE_INIT("b\r\nC: d") } },
        { 200, { SLICE_INIT("A"), SLICE_INIT("b\n") } },
        { 200, { SLICE_INIT("A"), SLICE_INIT("b\0c") } },
        { 200, { SLICE_INIT("A"), SLICE_INIT(" b") } },
        { 200, { SLICE_INIT("Content-Length"), SLICE_INIT("1") } },
        { 200, { SLICE_INIT("transfer-encoding"), SLICE_INIT("chunked") } },
        { 200, { SLICE_INIT("Connection"), SLICE_INIT("close") } },
        { 200, { SLICE_INIT("Date"), SLICE_INIT("now") } },
        { 200, { SLICE_INIT("Server"), SLICE_INIT("mine") } },
        { 200, { SLICE_INIT("sERVER"), SLICE_INIT("") } },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct field_pair fields[] = { { SLICE("Good"), SLICE("one") }, rows[i].field };
        unsigned released = 0;
        errno = 0;
        assert_null(answer_new(&(struct answer_parts){ .status = rows[i].status, .fields = fields, .field_count = 2,
                                                       .release = count_up, .release_user = &released }));
        assert_int_equal(errno, EINVAL);
        assert_int_equal(released, 0); /* what was borrowed stays the caller's */
    }
}

static void limits_the_number_of_fields(void **state)
{
    enum { MANY = UINT16_MAX };
    struct field_pair *fields = calloc(MANY + 1, sizeof *fields);
    (void)state;
    assert_non_null(fields);
    for (unsigned i = 0; i <= MANY; i++)
        fields[i] = (struct field_pair){ SLICE("A"), SLICE("b") };
    struct answer *answer =
        answer_new(&(struct answer_parts){ .status = 200, .fields = fields, .field_count = MANY });
    assert_non_null(answer);
    assert_int_equal(answer->field_count, MANY);
    assert_true(slice_equal(answer->fields[MANY - 1].value, SLICE("b")));
    answer_unref(answer);
    assert_null(answer_new(&(struct answer_parts){ .status = 200, .fields = fields, .field_count = MANY + 1 }));
    free(fields);
}

static void survives_without_memory(void **state)
{
    unsigned released = 0;
    (void)state;
    malloc_fails = true;
    struct answer *answer = answer_new(&(struct answer_parts){ .status = 200, .body = SLICE("x"), .release = count_up,
                                                               .release_user = &released });
    malloc_fails = false;
    assert_null(answer);
    assert_int_equal(released, 0);
}

/* A leak checker sees to it that the heads really go. */
static void frees_its_heads(void **state)
{
    (void)state;
    struct answer *answer = answer_new(&(struct answer_parts){ .status = 200, .body = SLICE("x") });
    assert_non_null(answer);
    struct encoded *head = malloc(sizeof *head + 4);
    assert_non_null(head);
    atomic_store(&answer->heads[ANSWER_H1], head);
    answer_unref(answer);
}

/* Several answers with one lifetime, the way that a page has them. */
struct family {
    struct hold hold;
    struct answer *members[3];
    unsigned released;
};

static void part(struct hold *hold)
{
    struct family *family = (struct family *)hold;
    for (size_t i = 0; i < sizeof family->members / sizeof family->members[0]; i++)
        answer_free(family->members[i]);
}

static void lives_as_long_as_what_adopted_it(void **state)
{
    struct family family = { .members = { NULL } };
    struct answer_parts parts = { .status = 200, .body = SLICE("one"), .release = count_up,
                                  .release_user = &family.released };
    (void)state;
    hold_init(&family.hold, part);
    family.members[0] = answer_new(&parts);
    parts.status = 304;
    family.members[2] = answer_new(&parts); /* the one between them is NULL, and stays away */
    assert_non_null(family.members[0]);
    assert_non_null(family.members[2]);
    struct answer *whole = family.members[0], *same = family.members[2];
    answer_adopt(whole, &family.hold);
    answer_adopt(same, &family.hold);
    assert_ptr_equal(whole->life, &family.hold);
    assert_ptr_equal(whole->body.hold, &family.hold);
    assert_int_equal(same->body.kind, BODY_NONE);
    assert_int_equal(atomic_load(&family.hold.count), 1);

    answer_ref(whole);
    hold_ref(whole->body.hold);
    answer_ref(same);
    assert_int_equal(atomic_load(&family.hold.count), 4);
    hold_unref(&family.hold);
    answer_unref(same);
    answer_unref(whole);
    assert_int_equal(family.released, 0);
    assert_true(slice_equal(slice_make(whole->body.data, whole->body.size), SLICE("one")));
    hold_unref(&family.hold); /* the body's bytes were the last to be held */
    assert_int_equal(family.released, 2);
}

static void adopted_before_anybody_holds_it(void **state)
{
    struct family family = { .members = { NULL } };
    (void)state;
    struct answer *answer = answer_new(&(struct answer_parts){ .status = 200, .body = SLICE("x"), .release = count_up,
                                                               .release_user = &family.released });
    assert_non_null(answer);
    answer_adopt(answer, &family.hold);
    answer_free(answer);
    assert_int_equal(family.released, 1);
}

/* ---- What a body lies in -------------------------------------------------------------------------------------- */

static unsigned gone_count;

static void count_gone(struct hold *hold)
{
    (void)hold;
    gone_count++;
}

static unsigned count_of(struct hold *hold)
{
    return atomic_load(&hold->count);
}

static void holds_a_body(void **state)
{
    struct hold hold;
    (void)state;
    hold_init(&hold, count_gone);
    const struct body bodies[] = {
        { .kind = BODY_NONE, .hold = &hold },
        { .kind = BODY_SPAN, .data = "x", .size = 1, .hold = &hold },
        { .kind = BODY_FILE, .fd = 3, .size = 1, .hold = &hold },
        { .kind = BODY_PULL, .hold = &hold },
        { .kind = BODY_PARTS, .hold = &hold },
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        body_ref(&bodies[i]);
        assert_int_equal(count_of(&hold), 2);
        body_unref(&bodies[i]);
        assert_int_equal(count_of(&hold), 1);
    }
    body_ref(&(struct body){ .kind = BODY_SPAN, .data = "constant", .size = 8 });
    body_unref(&(struct body){ .kind = BODY_SPAN, .data = "constant", .size = 8 });
}

static void holds_each_part(void **state)
{
    struct hold first, second, own;
    (void)state;
    hold_init(&first, count_gone);
    hold_init(&second, count_gone);
    hold_init(&own, count_gone);
    const struct body parts[] = {
        { .kind = BODY_SPAN, .data = "a", .size = 1, .hold = &first },
        { .kind = BODY_FILE, .fd = 3, .size = 1, .hold = &second },
        { .kind = BODY_SPAN, .data = "constant", .size = 8 },
        { .kind = BODY_SPAN, .data = "b", .size = 1, .hold = &first },
    };
    const struct body body = { .kind = BODY_PARTS, .parts = parts, .part_count = 4, .size = 11, .hold = &own };
    body_ref(&body);
    assert_int_equal(count_of(&first), 3);
    assert_int_equal(count_of(&second), 2);
    assert_int_equal(count_of(&own), 2);
    gone_count = 0;
    hold_unref(&first);
    hold_unref(&second);
    hold_unref(&own);
    assert_int_equal(gone_count, 0);
    body_unref(&body);
    assert_int_equal(gone_count, 3);
}

/* The parts and the body lie in what goes with the last reference: an address sanitizer sees what is read after it. */
struct parcel {
    struct hold hold;
    struct body parts[3], body;
};

static void open_parcel(struct hold *hold)
{
    free(hold);
}

static void goes_with_its_last_part(void **state)
{
    struct parcel *parcel = calloc(1, sizeof *parcel);
    (void)state;
    assert_non_null(parcel);
    hold_init(&parcel->hold, open_parcel);
    for (unsigned i = 0; i < 3; i++)
        parcel->parts[i] = (struct body){ .kind = BODY_SPAN, .data = "x", .size = 1, .hold = &parcel->hold };
    parcel->body = (struct body){ .kind = BODY_PARTS, .parts = parcel->parts, .part_count = 3, .size = 3,
                                  .hold = &parcel->hold };
    body_ref(&parcel->body);
    hold_unref(&parcel->hold);
    body_unref(&parcel->body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_its_parts),
        cmocka_unit_test(borrows_its_body),
        cmocka_unit_test(has_no_body_where_there_is_none),
        cmocka_unit_test(refuses),
        cmocka_unit_test(limits_the_number_of_fields),
        cmocka_unit_test(survives_without_memory),
        cmocka_unit_test(frees_its_heads),
        cmocka_unit_test(lives_as_long_as_what_adopted_it),
        cmocka_unit_test(adopted_before_anybody_holds_it),
        cmocka_unit_test(holds_a_body),
        cmocka_unit_test(holds_each_part),
        cmocka_unit_test(goes_with_its_last_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

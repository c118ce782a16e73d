/* The ring of links: order, removal from every place, and the owner of a link. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/list.h"

struct item {
    int number;
    struct link link;
};

/* The numbers in the list as decimal digits, forwards; checks the way back as well. */
static int digits(const struct link *list)
{
    int sum = 0;
    for (const struct link *link = list->next; link != list; link = link->next) {
        assert_ptr_equal(link->next->prev, link);
        assert_ptr_equal(link->prev->next, link);
        sum = sum * 10 + LINK_OWNER(link, struct item, link)->number;
    }
    assert_ptr_equal(list->next->prev, list);
    assert_ptr_equal(list->prev->next, list);
    return sum;
}

static void appends_in_order(void **state)
{
    struct link list;
    struct item items[3] = { { .number = 1 }, { .number = 2 }, { .number = 3 } };
    (void)state;
    list_init(&list);
    assert_true(list_empty(&list));
    assert_int_equal(digits(&list), 0);
    list_append(&list, &items[0].link);
    assert_false(list_empty(&list));
    assert_int_equal(digits(&list), 1);
    list_append(&list, &items[1].link);
    list_append(&list, &items[2].link);
    assert_int_equal(digits(&list), 123);
    assert_ptr_equal(LINK_OWNER(list.next, struct item, link), &items[0]);
    assert_ptr_equal(LINK_OWNER(list.prev, struct item, link), &items[2]);
}

static void removes_from_every_place(void **state)
{
    static const int left[] = { 23, 13, 12 };
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct link list;
        struct item items[3] = { { .number = 1 }, { .number = 2 }, { .number = 3 } };
        list_init(&list);
        for (int k = 0; k < 3; k++)
            list_append(&list, &items[k].link);
        list_remove(&items[i].link);
        assert_int_equal(digits(&list), left[i]);
        assert_true(list_empty(&items[i].link));
        list_remove(&items[i].link); /* twice does no harm */
        assert_int_equal(digits(&list), left[i]);
        list_append(&list, &items[i].link);
        assert_int_equal(digits(&list), left[i] * 10 + i + 1);
        while (!list_empty(&list))
            list_remove(list.next);
        assert_int_equal(digits(&list), 0);
    }
}

static void moves_between_lists(void **state)
{
    struct link a, b;
    struct item items[2] = { { .number = 1 }, { .number = 2 } };
    (void)state;
    list_init(&a);
    list_init(&b);
    list_append(&a, &items[0].link);
    list_append(&a, &items[1].link);
    list_remove(&items[0].link);
    list_append(&b, &items[0].link);
    assert_int_equal(digits(&a), 2);
    assert_int_equal(digits(&b), 1);
}

static void moves_all_of_a_list(void **state)
{
    struct link a, b;
    struct item items[4] = { { .number = 1 }, { .number = 2 }, { .number = 3 }, { .number = 4 } };
    (void)state;
    list_init(&a);
    list_init(&b);
    list_splice(&a, &b);
    assert_int_equal(digits(&a), 0);
    for (size_t i = 0; i < 4; i++)
        list_append(i < 2 ? &a : &b, &items[i].link);
    list_splice(&a, &b);
    assert_int_equal(digits(&a), 1234);
    assert_int_equal(digits(&b), 0);
    list_splice(&b, &a);
    assert_int_equal(digits(&b), 1234);
    assert_true(list_empty(&a));
    list_splice(&b, &a);
    assert_int_equal(digits(&b), 1234);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_in_order),
        cmocka_unit_test(removes_from_every_place),
        cmocka_unit_test(moves_between_lists),
        cmocka_unit_test(moves_all_of_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Sets of files: what is a change, when it has held still, and what cannot be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"
#include "server/file_set.h"

#include "failing_memory.h"

static struct scratch scratch;
static char one[100], two[100];

static int set_up(void **state)
{
    (void)state;
    scratch_open(&scratch);
    snprintf(one, sizeof one, "%s/one", scratch.folder);
    snprintf(two, sizeof two, "%s/two", scratch.folder);
    scratch_write(&scratch, "one", "first");
    scratch_write(&scratch, "two", "second");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_close(&scratch);
    return 0;
}

static struct file_set settled(void)
{
    struct file_set set = { .paths = { one, NULL, two } };
    struct file_texts texts;
    assert_true(file_set_read(&set, &texts, (struct why){ NULL, 0 }));
    file_texts_free(&texts);
    file_set_settle(&set);
    return set;
}

static void reads_all_there_are(void **state)
{
    struct file_set set = { .paths = { one, NULL, two } };
    struct file_texts texts;
    (void)state;
    assert_true(file_set_read(&set, &texts, (struct why){ NULL, 0 }));
    assert_true(slice_equal(texts.at[0], SLICE("first")));
    assert_null(texts.at[1].data);
    assert_true(slice_equal(texts.at[2], SLICE("second")));
    assert_true(file_set_held_still(&set));
    file_texts_free(&texts);
    assert_null(texts.at[0].data);
    file_texts_free(&texts);
}

/* One look finds the change, the next one that it has held still; settled, it is none any more. */
static void a_change_has_to_hold_still(void **state)
{
    struct file_set set = settled();
    (void)state;
    assert_false(file_set_changed(&set));
    assert_false(file_set_changed(&set));
    scratch_write(&scratch, "two", "other!");
    assert_false(file_set_changed(&set));
    scratch_write(&scratch, "two", "once more");
    assert_false(file_set_changed(&set));
    assert_true(file_set_changed(&set));
    assert_true(file_set_changed(&set));
    file_set_settle(&set);
    assert_false(file_set_changed(&set));
}

static void what_counts_as_a_change(void **state)
{
    struct file_set set = settled();
    (void)state;
    scratch_date(&scratch, "one", 1000, 7); /* of the same size */
    assert_false(file_set_changed(&set));
    assert_true(file_set_changed(&set));
    file_set_settle(&set);

    assert_int_equal(unlink(one), 0);
    assert_false(file_set_changed(&set));
    assert_true(file_set_changed(&set));
    file_set_settle(&set);

    scratch_link(&scratch, "one", "two"); /* what a link leads to */
    assert_false(file_set_changed(&set));
    assert_true(file_set_changed(&set));
    file_set_settle(&set);
    scratch_write(&scratch, "three", "third");
    scratch_link(&scratch, "fresh", "three");
    assert_int_equal(renameat(scratch.fd, "fresh", scratch.fd, "one"), 0);
    assert_false(file_set_changed(&set));
    assert_true(file_set_changed(&set));

    struct file_set nothing = { .paths = { NULL } };
    assert_false(file_set_changed(&nothing));
    assert_false(file_set_changed(&nothing));
}

static void does_not_hold_still_while_it_is_written(void **state)
{
    struct file_set set = settled();
    (void)state;
    assert_true(file_set_held_still(&set));
    scratch_write(&scratch, "one", "longer than before");
    assert_false(file_set_held_still(&set));
}

static void refuses(struct file_set set, const char *expected)
{
    struct file_texts texts;
    char why[WHY_SIZE] = "";
    assert_false(file_set_read(&set, &texts, (struct why){ why, sizeof why }));
    assert_null(texts.at[0].data);
    if (!strstr(why, expected))
        fail_msg("\"%s\" is not in \"%s\"", expected, why);
}

static void tells_what_cannot_be_read(void **state)
{
    static char nowhere[100], large[100], empty[100];
    char *noise = malloc(FILE_SET_BYTES_MAX + 1);
    struct file_texts texts;
    (void)state;
    memset(noise, 'x', FILE_SET_BYTES_MAX + 1);
    snprintf(nowhere, sizeof nowhere, "%s/nowhere", scratch.folder);
    snprintf(large, sizeof large, "%s/large", scratch.folder);
    snprintf(empty, sizeof empty, "%s/empty", scratch.folder);
    scratch_write_bytes(&scratch, "large", noise, FILE_SET_BYTES_MAX + 1);
    scratch_write(&scratch, "empty", "");
    refuses((struct file_set){ .paths = { one, nowhere } }, "/nowhere: cannot be read: No such file");
    refuses((struct file_set){ .paths = { one, two, large } }, "/large: it is larger than 1 MiB");
    refuses((struct file_set){ .paths = { empty } }, "/empty: it is empty");
    refuses((struct file_set){ .paths = { scratch.root } }, "/root: this is no file");

    scratch_write_bytes(&scratch, "large", noise, FILE_SET_BYTES_MAX);
    struct file_set most = { .paths = { large } };
    assert_true(file_set_read(&most, &texts, (struct why){ NULL, 0 }));
    assert_int_equal(texts.at[0].size, FILE_SET_BYTES_MAX);
    file_texts_free(&texts);
    free(noise);
}

static void tells_that_it_may_not_read(void **state)
{
    (void)state;
    assert_int_equal(chmod(one, 0), 0);
    scratch_drop_root();
    refuses((struct file_set){ .paths = { one } }, "/one: cannot be read: Permission denied");
    scratch_regain_root();
}

static void survives_without_memory(void **state)
{
    (void)state;
    for (long i = 0; i < 2; i++) {
        allocations_left = i;
        refuses((struct file_set){ .paths = { one, two } }, "out of memory");
        allocations_left = -1;
    }
}

static void knows_who_may_read_it(void **state)
{
    static const struct {
        mode_t mode;
        bool open;
    } rows[] = { { 0600, false }, { 0640, false }, { 0660, false }, { 0644, true }, { 0602, true } };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(chmod(one, rows[i].mode), 0);
        assert_int_equal(file_is_open_to_all(one), rows[i].open);
    }
    assert_false(file_is_open_to_all("/nowhere/at.all"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_all_there_are, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_change_has_to_hold_still, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_counts_as_a_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(does_not_hold_still_while_it_is_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_what_cannot_be_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_that_it_may_not_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(survives_without_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(knows_who_may_read_it, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

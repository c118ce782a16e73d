/* The tables: the static one against what RFC 7541 prints, and the dynamic one against a plain model of it, at the
 * edges of its size, through its growth, and without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "failing_memory.h"
#include "wire/hpack_table.h"

static bool add(struct hpack_table *table, struct slice name, struct slice value)
{
    struct hpack_added added = { name, value, hpack_identify(name), HPACK_VALID | HPACK_NAME_VALID };
    return hpack_table_add(table, &added);
}

static struct slice name_at(const struct hpack_table *table, size_t index)
{
    const char *texts;
    const struct hpack_entry *entry = hpack_table_get(table, index, &texts);
    return entry ? hpack_entry_name(entry, texts) : slice_make(NULL, 0);
}

static struct slice value_at(const struct hpack_table *table, size_t index)
{
    const char *texts;
    const struct hpack_entry *entry = hpack_table_get(table, index, &texts);
    return entry ? slice_make(texts + entry->name_size, entry->value_size) : slice_make(NULL, 0);
}

/* ---- The static one ---------------------------------------------------------------------------------------- */

static void names_of_the_static_table_are_found(void **state)
{
    struct hpack_table table;
    (void)state;
    hpack_table_init(&table);
    for (size_t i = 1; i <= HPACK_STATIC_COUNT; i++) {
        struct slice name = name_at(&table, i), value = value_at(&table, i);
        struct hpack_found found = hpack_static_find(name, value), other = hpack_static_find(name, SLICE("other"));
        assert_int_equal(found.field, i);
        assert_int_equal(other.field, 0);
        assert_int_equal(other.name, found.name);
        assert_true(found.name <= i && slice_equal(name_at(&table, found.name), name));
        assert_false(found.name > 1 && slice_equal(name_at(&table, found.name - 1), name));
        assert_int_equal(hpack_static_entries[i].id, hpack_identify(name));
        assert_int_equal(hpack_static_entries[i].valid, HPACK_VALID | HPACK_NAME_VALID);
    }
    assert_null(table.block);
}

static void other_names_are_not(void **state)
{
    static const char *const names[] = { "", "a", "agf", "aged", "Age", ":", ":protocol", "content-typ", "content-typf",
        "access-control-allow-origio", "access-control-allow-origins", "access-control-allow-credentials" };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct hpack_found found = hpack_static_find(slice_text(names[i]), SLICE(""));
        assert_int_equal(found.name, 0);
        assert_int_equal(found.field, 0);
    }
}

/* What RFC 7541, Appendix A, prints, as far as one can tell from here: where groups begin, and what has a value. */
static void the_static_table_is_that_of_the_rfc(void **state)
{
    static const struct {
        size_t index;
        const char *name, *value;
    } entries[] = {
        { 1, ":authority", "" }, { 2, ":method", "GET" }, { 3, ":method", "POST" }, { 4, ":path", "/" },
        { 5, ":path", "/index.html" }, { 6, ":scheme", "http" }, { 7, ":scheme", "https" }, { 8, ":status", "200" },
        { 9, ":status", "204" }, { 10, ":status", "206" }, { 11, ":status", "304" }, { 12, ":status", "400" },
        { 13, ":status", "404" }, { 14, ":status", "500" }, { 15, "accept-charset", "" },
        { 16, "accept-encoding", "gzip, deflate" }, { 19, "accept", "" }, { 23, "authorization", "" },
        { 28, "content-length", "" }, { 31, "content-type", "" }, { 32, "cookie", "" }, { 33, "date", "" },
        { 38, "host", "" }, { 44, "last-modified", "" }, { 50, "range", "" }, { 55, "set-cookie", "" },
        { 58, "user-agent", "" }, { 61, "www-authenticate", "" },
    };
    struct hpack_table table;
    (void)state;
    hpack_table_init(&table);
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        assert_true(slice_equal(name_at(&table, entries[i].index), slice_text(entries[i].name)));
        assert_true(slice_equal(value_at(&table, entries[i].index), slice_text(entries[i].value)));
    }
    for (size_t i = 16; i < HPACK_STATIC_COUNT; i++) /* from 15 on in the order of the alphabet, but for one */
        if (i != 19 && i != 18)
            assert_true(strncmp(name_at(&table, i).data, name_at(&table, i + 1).data, 32) < 0);
    assert_null(hpack_table_get(&table, 0, &(const char *){ NULL }));
    assert_null(hpack_table_get(&table, 62, &(const char *){ NULL }));
    assert_null(hpack_table_get(&table, SIZE_MAX, &(const char *){ NULL }));
}

static void pseudo_names(void **state)
{
    static const char *const names[] = { ":authority", ":method", ":path", ":protocol", ":scheme", ":status" };
    (void)state;
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint8_t id = hpack_identify(slice_text(names[i]));
        assert_int_equal(id, HPACK_AUTHORITY + i);
        assert_true(slice_equal(hpack_pseudo_name(id), slice_text(names[i])));
    }
    assert_int_equal(hpack_identify(SLICE(":")), HPACK_PSEUDO);
    assert_int_equal(hpack_identify(SLICE(":statuS")), HPACK_PSEUDO);
    assert_int_equal(hpack_identify(SLICE(":status ")), HPACK_PSEUDO);
    assert_int_equal(hpack_identify(SLICE("")), FIELD_OTHER);
    assert_int_equal(hpack_identify(SLICE("status")), FIELD_OTHER);
    assert_int_equal(hpack_identify(SLICE("host")), FIELD_HOST);
}

/* ---- The dynamic one --------------------------------------------------------------------------------------- */

static void latest_first(void **state)
{
    struct hpack_table table;
    (void)state;
    hpack_table_init(&table);
    assert_int_equal(table.size_max, 4096);
    assert_null(table.block);
    assert_true(add(&table, SLICE("a"), SLICE("1")));
    assert_true(add(&table, SLICE(""), SLICE("")));
    assert_true(add(&table, SLICE("cc"), SLICE("333")));
    assert_int_equal(table.size, 34 + 32 + 37);
    assert_true(slice_equal(name_at(&table, 62), SLICE("cc")));
    assert_true(slice_equal(value_at(&table, 62), SLICE("333")));
    assert_true(slice_equal(name_at(&table, 63), SLICE("")));
    assert_true(slice_equal(value_at(&table, 64), SLICE("1")));
    assert_null(hpack_table_get(&table, 65, &(const char *){ NULL }));
    hpack_table_fini(&table);
}

static void exactly_full_and_one_octet_over(void **state)
{
    char value[101];
    struct hpack_table table;
    (void)state;
    memset(value, 'v', sizeof value);
    hpack_table_init(&table);
    hpack_table_resize(&table, 34 + 132);
    assert_true(add(&table, SLICE("a"), SLICE("1")));
    assert_true(add(&table, SLICE(""), slice_make(value, 100)));
    assert_int_equal(table.size, 166);
    assert_int_equal(table.count, 2);
    assert_true(add(&table, SLICE(""), slice_make(value, 101))); /* 133: only room for itself */
    assert_int_equal(table.count, 1);
    assert_int_equal(table.size, 133);
    assert_true(add(&table, SLICE(""), slice_make(value, 101)));
    assert_int_equal(table.count, 1);
    hpack_table_resize(&table, 133);
    assert_int_equal(table.count, 1);
    hpack_table_resize(&table, 132);
    assert_int_equal(table.count, 0);
    assert_int_equal(table.size, 0);
    assert_true(add(&table, SLICE(""), slice_make(value, 100)));
    assert_int_equal(table.count, 1);
    assert_true(add(&table, SLICE(""), slice_make(value, 101))); /* larger than the table */
    assert_int_equal(table.count, 0);
    assert_int_equal(table.size, 0);
    hpack_table_resize(&table, 4096);
    assert_int_equal(table.count, 0);
    hpack_table_fini(&table);
}

static void a_table_of_no_size_holds_nothing(void **state)
{
    struct hpack_table table;
    (void)state;
    hpack_table_init(&table);
    assert_true(add(&table, SLICE("a"), SLICE("1")));
    assert_non_null(table.block);
    hpack_table_resize(&table, 0);
    assert_null(table.block);
    assert_true(add(&table, SLICE(""), SLICE("")));
    assert_int_equal(table.count, 0);
    assert_null(table.block);
    hpack_table_resize(&table, 31);
    assert_true(add(&table, SLICE(""), SLICE("")));
    assert_int_equal(table.count, 0);
    hpack_table_resize(&table, 32);
    assert_true(add(&table, SLICE(""), SLICE("")));
    assert_int_equal(table.count, 1);
    hpack_table_fini(&table);
}

/* The same as a list, whose texts are made again from a number. */
struct model {
    unsigned numbers[128], count, size, size_max;
};

/* Random sizes, small and large ones. */
static struct slice text_of(char *room, unsigned number)
{
    unsigned size = (number * 2654435761U >> 8) % (number % 7 == 0 ? 2000 : 60);
    memset(room, (int)('a' + number % 26), size);
    if (size >= 4)
        memcpy(room, &number, 4);
    return slice_make(room, size);
}

static unsigned cost_of(unsigned number)
{
    char room[2000];
    return (unsigned)(text_of(room, number).size + text_of(room, number + 1).size) + 32;
}

static void model_evict(struct model *model, unsigned room)
{
    while (model->count > 0 && model->size + room > model->size_max)
        model->size -= cost_of(model->numbers[--model->count]);
}

static void model_add(struct model *model, unsigned number)
{
    unsigned cost = cost_of(number);
    model_evict(model, cost);
    if (cost > model->size_max)
        return;
    memmove(model->numbers + 1, model->numbers, model->count * sizeof model->numbers[0]);
    model->numbers[0] = number;
    model->count++;
    model->size += cost;
}

static void compare(const struct hpack_table *table, const struct model *model)
{
    char name[2000], value[2000];
    assert_int_equal(table->count, model->count);
    assert_int_equal(table->size, model->size);
    for (unsigned i = 0; i < model->count; i++) {
        struct slice n = text_of(name, model->numbers[i]), v = text_of(value, model->numbers[i] + 1);
        assert_true(slice_equal(name_at(table, 62 + i), n));
        assert_true(slice_equal(value_at(table, 62 + i), v));
    }
}

static void follows_a_plain_model(void **state)
{
    static const unsigned sizes[] = { 4096, 0, 32, 33, 100, 1000, 4095, 4096 };
    char name[2000], value[2000];
    struct hpack_table table;
    struct model model = { .size_max = 4096 };
    (void)state;
    hpack_table_init(&table);
    for (unsigned number = 0; number < 20000; number++) {
        if (number % 97 == 0) {
            model.size_max = sizes[(number / 97) % 8];
            model_evict(&model, 0);
            hpack_table_resize(&table, model.size_max);
        }
        model_add(&model, number);
        assert_true(add(&table, text_of(name, number), text_of(value, number + 1)));
        assert_true(table.entries_max * sizeof(struct hpack_entry) + table.texts_max <= 4096 + 1024);
        if (number % 5 == 0 || number % 97 < 3)
            compare(&table, &model);
    }
    hpack_table_fini(&table);
}

/* 128 entries of nothing are the most there can be. */
static void full_of_empty_entries(void **state)
{
    struct hpack_table table;
    (void)state;
    hpack_table_init(&table);
    for (unsigned i = 0; i < 1000; i++)
        assert_true(add(&table, SLICE(""), SLICE("")));
    assert_int_equal(table.count, 128);
    assert_int_equal(table.entries_max, 128);
    assert_int_equal(table.size, 4096);
    hpack_table_fini(&table);
}

/* Memory grows with what is held: 256 bytes hold a small client's fields, and 1.5 KiB a browser's. */
static void a_small_table_takes_little(void **state)
{
    struct hpack_table table;
    (void)state;
    hpack_table_init(&table);
    assert_true(add(&table, SLICE(":authority"), SLICE("www.example.com")));
    assert_true(add(&table, SLICE("user-agent"), SLICE("curl/7.88.1")));
    assert_true(add(&table, SLICE("accept"), SLICE("*/*")));
    assert_true(table.entries_max * sizeof(struct hpack_entry) + table.texts_max + HPACK_TEXTS_SPARE <= 256);
    for (unsigned i = 0; i < 12; i++)
        assert_true(add(&table, SLICE("some-name-of-20-char"), SLICE("and a value of thirty octets..")));
    assert_true(table.entries_max * sizeof(struct hpack_entry) + table.texts_max + HPACK_TEXTS_SPARE <= 1536);
    hpack_table_fini(&table);
}

static void entries_are_found_latest_first(void **state)
{
    struct hpack_table table;
    (void)state;
    hpack_table_init(&table);
    struct hpack_found none = hpack_table_find(&table, SLICE("a"), SLICE("1"));
    assert_true(none.name == 0 && none.field == 0);
    assert_true(add(&table, SLICE("a"), SLICE("1")));
    assert_true(add(&table, SLICE("a"), SLICE("2")));
    assert_true(add(&table, SLICE("b"), SLICE("1")));
    assert_true(add(&table, SLICE("a"), SLICE("2")));
    struct hpack_found found = hpack_table_find(&table, SLICE("a"), SLICE("2"));
    assert_true(found.name == 62 && found.field == 62);
    found = hpack_table_find(&table, SLICE("a"), SLICE("1"));
    assert_true(found.name == 62 && found.field == 65);
    found = hpack_table_find(&table, SLICE("b"), SLICE("2"));
    assert_true(found.name == 63 && found.field == 0);
    found = hpack_table_find(&table, SLICE("A"), SLICE("1"));
    assert_true(found.name == 0 && found.field == 0);
    hpack_table_fini(&table);
}

/* The i-th allocation fails, for every i: it is said, and nothing leaks or is written where it must not. */
static void memory_that_runs_out(void **state)
{
    char name[2000], value[2000];
    bool failed = true;
    (void)state;
    for (long allowed = 0; failed; allowed++) {
        struct hpack_table table;
        hpack_table_init(&table);
        allocations_left = allowed;
        failed = false;
        for (unsigned number = 1; number < 200 && !failed; number++)
            failed = !add(&table, text_of(name, number), text_of(value, number + 1));
        allocations_left = -1;
        assert_true(failed || allowed > 3);
        assert_true(table.size <= table.size_max);
        hpack_table_fini(&table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_the_static_table_are_found),
        cmocka_unit_test(other_names_are_not),
        cmocka_unit_test(the_static_table_is_that_of_the_rfc),
        cmocka_unit_test(pseudo_names),
        cmocka_unit_test(latest_first),
        cmocka_unit_test(exactly_full_and_one_octet_over),
        cmocka_unit_test(a_table_of_no_size_holds_nothing),
        cmocka_unit_test(follows_a_plain_model),
        cmocka_unit_test(full_of_empty_entries),
        cmocka_unit_test(a_small_table_takes_little),
        cmocka_unit_test(entries_are_found_latest_first),
        cmocka_unit_test(memory_that_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Range fields against sizes: the syntax, every combination of specs on small representations against a model that has
 * a mark for each byte, the bounds, and If-Range with every pair of validators. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "http/range.h"
#include "made_fields.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* What became of a field, as text: "whole", "none", or the values of Content-Range without unit and size. */
static void describe(struct slice value, uint64_t size, char *out, size_t room)
{
    struct ranges ranges;
    struct writer w = writer_on(out, room);
    switch (range_parse(value, size, &ranges)) {
    case RANGE_WHOLE:
        writer_text(&w, "whole");
        break;
    case RANGE_UNSATISFIABLE:
        writer_text(&w, "none");
        break;
    case RANGE_PARTIAL:
        for (unsigned i = 0; i < ranges.count; i++) {
            writer_text(&w, i > 0 ? "," : "");
            writer_uint(&w, ranges.at[i].first);
            writer_byte(&w, '-');
            writer_uint(&w, ranges.at[i].first + ranges.at[i].size - 1);
        }
        break;
    }
    writer_byte(&w, '\0');
    assert_false(w.overflowed);
}

struct row {
    const char *value;
    uint64_t size;
    const char *expected;
};

static void check(const struct row *rows, size_t count)
{
    char text[1024];
    for (size_t i = 0; i < count; i++) {
        describe(slice_text(rows[i].value), rows[i].size, text, sizeof text);
        if (strcmp(text, rows[i].expected) != 0)
            fail_msg("\"%s\" of %llu: %s, not %s", rows[i].value, (unsigned long long)rows[i].size, text,
                     rows[i].expected);
    }
}

static void reads_one(void **state)
{
    static const struct row rows[] = {
        { "bytes=0-499", 10000, "0-499" },
        { "bytes=500-999", 10000, "500-999" },
        { "bytes=-500", 10000, "9500-9999" },
        { "bytes=9500-", 10000, "9500-9999" },
        { "bytes=0-0", 10000, "0-0" },
        { "bytes=-1", 10000, "9999-9999" },
        { "bytes=0-", 10000, "0-9999" },
        { "bytes=0-9999", 10000, "0-9999" },
        { "bytes=0-10000", 10000, "0-9999" }, /* as much as there is */
        { "bytes=9999-", 10000, "9999-9999" },
        { "bytes=9999-9999", 10000, "9999-9999" },
        { "bytes=9999-20000", 10000, "9999-9999" },
        { "bytes=10000-", 10000, "none" },
        { "bytes=10000-10000", 10000, "none" },
        { "bytes=10001-20000", 10000, "none" },
        { "bytes=-9999", 10000, "1-9999" },
        { "bytes=-10000", 10000, "0-9999" },
        { "bytes=-10001", 10000, "0-9999" },
        { "bytes=-0", 10000, "none" }, /* valid, but satisfies nobody (RFC 9110 14.1.2) */
        { "bytes=-00", 10000, "none" },
        { "bytes=00-01", 10000, "0-1" },
        { "bytes=0-0", 1, "0-0" },
        { "bytes=1-1", 1, "none" },
        { "BYTES=0-1", 10000, "0-1" }, /* RFC 9110 14.1: units are case-insensitive */
        { "Bytes=-2", 10000, "9998-9999" },
    };
    (void)state;
    check(rows, COUNT(rows));
}

static void reads_several(void **state)
{
    static const struct row rows[] = {
        { "bytes=0-0,-1", 10000, "0-0,9999-9999" },
        { "bytes= 0-999, 4500-5499, -1000", 10000, "0-999,4500-5499,9000-9999" },
        { "bytes=0-1,\t4-5 , 8-9", 10, "0-1,4-5,8-9" },
        { "bytes=,0-1,,4-5,", 10, "0-1,4-5" }, /* RFC 9110 5.6.1.2: empty members */
        /* the client's order */
        { "bytes=8-9,0-1,4-5", 10, "8-9,0-1,4-5" },
        { "bytes=-1,0-0", 10, "9-9,0-0" },
        /* some cannot be satisfied */
        { "bytes=10-,0-1", 10, "0-1" },
        { "bytes=0-1,10-,4-5,-0", 10, "0-1,4-5" },
        { "bytes=10-,11-12,-0", 10, "none" },
        /* overlapping, touching, neither */
        { "bytes=0-5,5-9", 20, "0-9" },
        { "bytes=0-4,5-9", 20, "0-9" },
        { "bytes=0-4,6-9", 20, "0-4,6-9" },
        { "bytes=500-600,601-999", 10000, "500-999" },
        { "bytes=500-700,601-999", 10000, "500-999" },
        { "bytes=5-9,0-4", 20, "0-9" },
        { "bytes=0-9,2-3", 20, "0-9" },
        { "bytes=2-3,0-9", 20, "0-9" },
        { "bytes=3-3,3-3,3-3", 20, "3-3" },
        { "bytes=0-,-5", 20, "0-19" },
        { "bytes=15-,-5", 20, "15-19" },
        { "bytes=-3,-7,-1", 20, "13-19" },
        /* one that joins others stands where the first of them stood */
        { "bytes=15-16,0-1,2-3", 20, "15-16,0-3" },
        { "bytes=0-1,15-16,1-3", 20, "0-3,15-16" },
        { "bytes=0-1,10-11,4-5,2-3", 20, "0-5,10-11" },
        { "bytes=10-11,4-5,0-1,15-16,2-3", 20, "10-11,0-5,15-16" },
        { "bytes=0-1,4-5,8-9,12-13,0-13", 20, "0-13" },
        { "bytes=18-18,0-1,4-5,14-15,8-9,2-7", 20, "18-18,0-9,14-15" },
    };
    (void)state;
    check(rows, COUNT(rows));
}

static void ignores_what_is_not_valid(void **state)
{
    static const char *const values[] = {
        "", "bytes", "bytes=", "bytes= ", "bytes=,", "bytes=, ,", "=0-1", "0-1", "bytes 0-1", "bytes:0-1",
        "items=0-1", "bytesx=0-1", "byte=0-1", "bytes =0-1", " bytes=0-1", "none=0-1",
        "bytes=-", "bytes=1", "bytes=x", "bytes=a-b", "bytes=0-x", "bytes=x-0", "bytes=0x0-1", "bytes=0-1x",
        "bytes=--1", "bytes=0--1", "bytes=-1-", "bytes=-1-2", "bytes=0-1-2", "bytes=+0-1", "bytes=0-+1",
        "bytes=0 -1", "bytes=0- 1", "bytes=- 1", "bytes=0 1", "bytes=0-1 2-3", "bytes=0-1;2-3", "bytes=0-1/10",
        "bytes=1-0", "bytes=5-4", "bytes=20-10", "bytes=0-0.5", "bytes=1e1-", "bytes=*", "bytes=\"0-1\"", "bytes=\"",
        "bytes=bytes=0-1", "bytes==0-1",
        /* one that is not valid makes the set so, whatever the others are (RFC 9110 14.1.1) */
        "bytes=0-1,x", "bytes=x,0-1", "bytes=0-1,2-1", "bytes=2-1,0-1", "bytes=10-,x", "bytes=0-1,-", "bytes=0-1,\"2-3",
        "bytes=100-99,0-0",
    };
    char text[1024];
    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        describe(slice_text(values[i]), 10, text, sizeof text);
        if (strcmp(text, "whole") != 0)
            fail_msg("\"%s\": %s", values[i], text);
    }
    describe(SLICE("bytes=0\0-1"), 10, text, sizeof text);
    assert_string_equal(text, "whole");
}

#define MAX "18446744073709551615"
#define MAX_1 "18446744073709551616"
#define HUGE "99999999999999999999999999999999999999999"

static void reads_large_numbers(void **state)
{
    static const struct row rows[] = {
        { "bytes=0-" MAX, 10, "0-9" },
        { "bytes=0-" MAX_1, 10, "0-9" },
        { "bytes=5-" HUGE, 10, "5-9" },
        { "bytes=-" MAX, 10, "0-9" },
        { "bytes=-" MAX_1, 10, "0-9" },
        { "bytes=-" HUGE, 10, "0-9" },
        { "bytes=" MAX "-", 10, "none" },
        { "bytes=" MAX_1 "-", 10, "none" },
        { "bytes=" HUGE "-" HUGE, 10, "none" },
        { "bytes=" MAX "-" MAX_1, 10, "none" },
        { "bytes=" MAX_1 "-" MAX, 10, "whole" }, /* the last before the first: not valid, however large */
        { "bytes=" HUGE "-" MAX_1, 10, "whole" },
        { "bytes=" HUGE "1-" HUGE "0", 10, "whole" },
        { "bytes=" HUGE "0-" HUGE "1", 10, "none" },
        { "bytes=0-0" HUGE, 10, "0-9" },
        { "bytes=0000000000000000000000000000003-0000000000000000000000000000000000004", 10, "3-4" },
        { "bytes=0000000000000000000000000000003-2", 10, "whole" },
        { "bytes=-0000000000000000000000000000000003", 10, "7-9" },
        /* a representation as large as they can be */
        { "bytes=0-", UINT64_MAX, "0-18446744073709551614" },
        { "bytes=-1", UINT64_MAX, "18446744073709551614-18446744073709551614" },
        { "bytes=18446744073709551614-" MAX, UINT64_MAX, "18446744073709551614-18446744073709551614" },
        { "bytes=" MAX "-", UINT64_MAX, "none" },
        { "bytes=-" HUGE, UINT64_MAX, "0-18446744073709551614" },
        { "bytes=0-0,18446744073709551614-,1-2", UINT64_MAX, "0-2,18446744073709551614-18446744073709551614" },
        { "bytes=1-,0-0", UINT64_MAX, "0-18446744073709551614" },
    };
    (void)state;
    check(rows, COUNT(rows));
}

/* RFC 9110 14.2: the field may be ignored; a range of no bytes could not be named. */
static void ignores_it_without_content(void **state)
{
    static const struct row rows[] = {
        { "bytes=0-", 0, "whole" }, { "bytes=0-0", 0, "whole" },  { "bytes=5-9", 0, "whole" },
        { "bytes=-5", 0, "whole" }, { "bytes=-0", 0, "whole" },   { "bytes=0-0,-1", 0, "whole" },
        { "bytes=x", 0, "whole" },  { "items=0-", 0, "whole" },   { "", 0, "whole" },
    };
    (void)state;
    check(rows, COUNT(rows));
}

/* `count` ranges of one byte, `step` apart, the first one first or last, and then `more`. */
static void describe_many(unsigned count, unsigned step, bool forward, const char *more, char *out, size_t room)
{
    char value[2048];
    struct writer w = writer_on(value, sizeof value);
    writer_text(&w, "bytes=");
    for (unsigned i = 0; i < count; i++) {
        unsigned at = step * (forward ? i : count - 1 - i);
        writer_text(&w, i > 0 ? "," : "");
        writer_uint(&w, at);
        writer_byte(&w, '-');
        writer_uint(&w, at);
    }
    writer_text(&w, more);
    assert_false(w.overflowed);
    describe(writer_slice(&w), 100000, out, room);
}

static unsigned parts_of(const char *text)
{
    unsigned count = 1;
    for (; *text; text++)
        count += *text == ',';
    return count;
}

static void has_bounds(void **state)
{
    char text[1024];
    (void)state;
    for (int forward = 0; forward < 2; forward++) {
        describe_many(RANGES_MAX, 2, forward, "", text, sizeof text);
        assert_int_equal(parts_of(text), RANGES_MAX);
        describe_many(RANGES_MAX + 1, 2, forward, "", text, sizeof text);
        assert_string_equal(text, "whole");
        /* what becomes one, or cannot be satisfied, does not count among the parts */
        describe_many(RANGES_MAX + 1, 2, forward, ",1-1", text, sizeof text);
        assert_int_equal(parts_of(text), RANGES_MAX);
        describe_many(RANGE_SPECS_MAX - 1, 2, forward, ",0-200", text, sizeof text);
        assert_string_equal(text, "0-200");
        describe_many(RANGES_MAX, 2, forward, ",100000-,-0", text, sizeof text);
        assert_int_equal(parts_of(text), RANGES_MAX);
        /* but among the specs */
        describe_many(RANGE_SPECS_MAX, 1, forward, "", text, sizeof text);
        assert_string_equal(text, "0-63");
        describe_many(RANGE_SPECS_MAX, 1, forward, ",,", text, sizeof text);
        assert_string_equal(text, "0-63");
        describe_many(RANGE_SPECS_MAX, 1, forward, ",0-0", text, sizeof text);
        assert_string_equal(text, "whole");
        describe_many(RANGE_SPECS_MAX, 1, forward, ",100000-", text, sizeof text);
        assert_string_equal(text, "whole");
        describe_many(RANGE_SPECS_MAX, 0, forward, "", text, sizeof text);
        assert_string_equal(text, "0-0");
    }
}

/* ---- Every combination, against marks ------------------------------------------------------------------------- */

enum { SIZE_MAX_TRIED = 5, POSITIONS = 7, SPECS_TRIED = 3 };

/* A spec as numbers; -1: not there. */
struct spec {
    int first, last;
};

struct model {
    bool valid, wanted[SIZE_MAX_TRIED];
};

static void mark(struct model *model, struct spec spec, int size)
{
    if ((spec.first < 0 && spec.last < 0) || (spec.first >= 0 && spec.last >= 0 && spec.last < spec.first))
        model->valid = false;
    for (int at = 0; at < size; at++) {
        bool within = spec.first >= 0 ? at >= spec.first && (spec.last < 0 || at <= spec.last) : at >= size - spec.last;
        model->wanted[at] |= within;
    }
}

static void write_spec(struct writer *w, struct spec spec)
{
    if (spec.first >= 0)
        writer_uint(w, (uint64_t)spec.first);
    writer_byte(w, '-');
    if (spec.last >= 0)
        writer_uint(w, (uint64_t)spec.last);
}

/* The ranges are runs of marked bytes, each once, with a byte between them that is not marked. */
static bool agrees(const struct model *model, int size, const struct ranges *ranges)
{
    bool sent[SIZE_MAX_TRIED + 1] = { false };
    for (unsigned i = 0; i < ranges->count; i++) {
        struct range range = ranges->at[i];
        if (range.size == 0 || range.first + range.size > (uint64_t)size)
            return false;
        if ((range.first > 0 && sent[range.first - 1]) || sent[range.first + range.size])
            return false;
        for (uint64_t at = range.first; at < range.first + range.size; at++) {
            if (sent[at])
                return false;
            sent[at] = true;
        }
    }
    return memcmp(sent, model->wanted, (size_t)size * sizeof sent[0]) == 0;
}

static enum range_result expected_result(const struct model *model, int size)
{
    bool any = false;
    if (!model->valid || size == 0)
        return RANGE_WHOLE;
    for (int at = 0; at < size; at++)
        any |= model->wanted[at];
    return any ? RANGE_PARTIAL : RANGE_UNSATISFIABLE;
}

static void try_specs(const struct spec *specs, int count, int size)
{
    struct model model = { .valid = true };
    struct ranges ranges;
    char value[64];
    struct writer w = writer_on(value, sizeof value);
    writer_text(&w, "bytes=");
    for (int i = 0; i < count; i++) {
        writer_text(&w, i > 0 ? "," : "");
        write_spec(&w, specs[i]);
        mark(&model, specs[i], size);
    }
    enum range_result result = range_parse(writer_slice(&w), (uint64_t)size, &ranges);
    if (result != expected_result(&model, size) || (result == RANGE_PARTIAL && !agrees(&model, size, &ranges)) ||
        (result != RANGE_PARTIAL && ranges.count != 0))
        fail_msg("%.*s of %d", (int)writer_used(&w), value, size);
}

/* Each spec is one of 7 x 7 pairs of positions from "not there" to 5, up to three of them, on sizes of 0 to 5 bytes. */
static void agrees_with_marks(void **state)
{
    const int kinds = POSITIONS * POSITIONS;
    (void)state;
    for (int count = 1, sets = kinds; count <= SPECS_TRIED; count++, sets *= kinds) {
        for (int set = 0; set < sets; set++) {
            struct spec specs[SPECS_TRIED];
            for (int i = 0, rest = set; i < count; i++, rest /= kinds)
                specs[i] = (struct spec){ rest % kinds / POSITIONS - 1, rest % POSITIONS - 1 };
            for (int size = 0; size <= SIZE_MAX_TRIED; size++)
                try_specs(specs, count, size);
        }
    }
}

/* ---- If-Range ------------------------------------------------------------------------------------------------- */

#define LAST "Sun, 06 Nov 1994 08:49:37 GMT"

static const int64_t last_s = 784111777, now_s = 1767225600;

/* What the field says, and which of these own validators it matches. */
enum { NEITHER, TAG_A, DATE, BOTH };

static const struct {
    const char *field;
    int matches;
} if_ranges[] = {
    { "If-Range: \"a\"", TAG_A },
    { "If-Range: \"b\"", NEITHER },
    { "If-Range: W/\"a\"", NEITHER },
    { "If-Range: w/\"a\"", NEITHER },
    { "If-Range: a", NEITHER },
    { "If-Range: \"a", NEITHER },
    { "If-Range: \"a\", \"b\"", NEITHER }, /* no list */
    { "If-Range: *", NEITHER },
    { "If-Range:", NEITHER },
    { "If-Range: " LAST, DATE },
    { "If-Range: Sunday, 06-Nov-94 08:49:37 GMT", DATE },
    { "If-Range: Sun Nov  6 08:49:37 1994", DATE },
    { "If-Range: Sun, 06 Nov 1994 08:49:36 GMT", NEITHER }, /* exactly, not "not later" */
    { "If-Range: Sun, 06 Nov 1994 08:49:38 GMT", NEITHER },
    { "If-Range: Wed, 31 Dec 1969 23:59:59 GMT", NEITHER }, /* -1 is no date of ours */
    { "If-Range: yesterday", NEITHER },
    { "If-Range: \"" LAST "\"", NEITHER },
    { "If-Range: \"a\"\nIf-Range: \"a\"", NEITHER },
    { "If-Range: " LAST "\nIf-Range: " LAST, NEITHER },
};

/* What a representation has, and which kinds of match it takes. */
static const struct representation {
    const char *etag;
    int64_t modified_s, now_s;
    int takes;
} representations[] = {
    { "\"a\"", 784111777, 1767225600, BOTH },
    { "\"a\"", -1, 1767225600, TAG_A },
    { "W/\"a\"", 784111777, 1767225600, DATE }, /* a weak tag is strongly equal to none, itself included */
    { "W/\"a\"", -1, 1767225600, NEITHER },
    { "", 784111777, 1767225600, DATE },
    { "", -1, 1767225600, NEITHER },
    /* the second is over, or not, or the clock was set back */
    { "\"a\"", 784111777, 784111778, BOTH },
    { "\"a\"", 784111777, 784111777, TAG_A },
    { "\"a\"", 784111777, 784111776, TAG_A },
    { "", 784111777, 784111777, NEITHER },
    { "\"a\"", 784111900, 1767225600, TAG_A }, /* modified since */
};

static const struct {
    const char *field;
    bool one;
} range_fields[] = {
    { "Range: bytes=0-1", true },
    { "Range: whatever", true }, /* what it says comes later */
    { "Host: a", false },
    { "Range: bytes=0-1\nHost: a\nRange: bytes=0-1", false },
};

static void check_applies(const char *text, const struct representation *r, bool expected)
{
    struct fields fields;
    made_fields(&fields, text);
    if (range_applies(&fields, slice_text(r->etag), r->modified_s, r->now_s) != expected)
        fail_msg("%s (ETag: %s, modified %lld, now %lld): not %d", text, r->etag, (long long)r->modified_s,
                 (long long)r->now_s, expected);
}

/* The two fields in either order, for every representation. */
static void check_pair(size_t range, size_t condition)
{
    const char *lines[] = { range_fields[range].field, if_ranges[condition].field };
    for (int order = 0; order < 2; order++) {
        char text[256];
        snprintf(text, sizeof text, "%s\n%s", lines[order], lines[1 - order]);
        for (size_t i = 0; i < COUNT(representations); i++) {
            bool holds = (if_ranges[condition].matches & representations[i].takes) != 0;
            check_applies(text, &representations[i], range_fields[range].one && holds);
        }
    }
}

static void compares_validators(void **state)
{
    (void)state;
    for (size_t range = 0; range < COUNT(range_fields); range++)
        for (size_t condition = 0; condition < COUNT(if_ranges); condition++)
            check_pair(range, condition);
}

static void applies_without_a_condition(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(range_fields); i++) {
        struct fields fields;
        made_fields(&fields, range_fields[i].field);
        assert_int_equal(range_applies(&fields, SLICE("\"a\""), last_s, now_s), range_fields[i].one);
        assert_int_equal(range_applies(&fields, SLICE(""), -1, now_s), range_fields[i].one);
    }
}

/* ---- Content-Range -------------------------------------------------------------------------------------------- */

static void writes_values(void **state)
{
    static const struct {
        struct range range;
        uint64_t size;
        const char *expected;
    } rows[] = {
        { { 42, 1192 }, 1234, "bytes 42-1233/1234" },
        { { 0, 1 }, 1, "bytes 0-0/1" },
        { { 0, UINT64_MAX }, UINT64_MAX, "bytes 0-18446744073709551614/18446744073709551615" },
        { { UINT64_MAX - 1, 1 }, UINT64_MAX,
          "bytes 18446744073709551614-18446744073709551614/18446744073709551615" },
    };
    char text[RANGE_VALUE_MAX];
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct writer w = writer_on(text, sizeof text);
        range_write(&w, rows[i].range, rows[i].size);
        assert_false(w.overflowed);
        assert_true(slice_equal(writer_slice(&w), slice_text(rows[i].expected)));
    }
    assert_int_equal(strlen(rows[3].expected), RANGE_VALUE_MAX);
    struct writer w = writer_on(text, sizeof text);
    range_write_unsatisfied(&w, 47022);
    assert_true(slice_equal(writer_slice(&w), SLICE("bytes */47022")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_one),
        cmocka_unit_test(reads_several),
        cmocka_unit_test(ignores_what_is_not_valid),
        cmocka_unit_test(reads_large_numbers),
        cmocka_unit_test(ignores_it_without_content),
        cmocka_unit_test(has_bounds),
        cmocka_unit_test(agrees_with_marks),
        cmocka_unit_test(compares_validators),
        cmocka_unit_test(applies_without_a_condition),
        cmocka_unit_test(writes_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

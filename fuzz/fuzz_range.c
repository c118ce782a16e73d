/* Range fields: the first 8 bytes of the input are the representation's size, the rest is the field's value.
 *
 * Whatever is chosen lies within the representation, keeps the bounds and does not overlap or touch. For a small
 * representation it is what a second, simple reader marks byte by byte. What is written around the parts has the length
 * that was said before. */
#include <stdio.h>
#include <stdlib.h>

#include "http/byteranges.h"

enum { MARKS = 256 };

#define CHECK(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static void fail(const char *condition, int line)
{
    fprintf(stderr, "line %d: %s\n", line, condition);
    abort();
}

/* ---- The second reader ---------------------------------------------------------------------------------------- */

struct reader {
    const char *at, *end;
};

static void skip_space(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t'))
        r->at++;
}

/* At most MARKS, which is beyond the end; -1: no digits. */
static int read_number(struct reader *r)
{
    int value = -1;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
        value = (value < 0 ? 0 : value) * 10 + (*r->at - '0');
        if (value > MARKS)
            value = MARKS;
    }
    return value;
}

/* False: not valid. `*doubtful`: the numbers are too large here for saying which one is the larger. */
static bool read_spec(struct reader *r, int size, bool *marks, bool *doubtful)
{
    int first = read_number(r);
    if (r->at == r->end || *r->at++ != '-')
        return false;
    int last = read_number(r);
    *doubtful |= first == MARKS && last == MARKS;
    if ((first < 0 && last < 0) || (first >= 0 && last >= 0 && last < first))
        return false;
    for (int at = 0; at < size; at++)
        if (first >= 0 ? at >= first && (last < 0 || at <= last) : at >= size - last)
            marks[at] = true;
    skip_space(r);
    return r->at == r->end || *r->at == ',';
}

static bool read_all(struct reader *r, int size, bool *marks, bool *doubtful)
{
    unsigned specs = 0;
    for (;;) {
        skip_space(r);
        if (r->at == r->end)
            return specs > 0;
        if (*r->at == ',')
            r->at++;
        else if (++specs > RANGE_SPECS_MAX || !read_spec(r, size, marks, doubtful))
            return false;
    }
}

static unsigned count_runs(const bool *marks, int size)
{
    unsigned runs = 0;
    for (int at = 0; at < size; at++)
        runs += marks[at] && (at == 0 || !marks[at - 1]);
    return runs;
}

static void check_marks(struct slice value, int size, enum range_result result, const struct ranges *ranges)
{
    bool marks[MARKS] = { false }, sent[MARKS] = { false }, doubtful = false;
    struct reader reader = { value.data, value.data + value.size };
    bool ours = value.size >= 6 && slice_equal_nocase(slice_part(value, 0, 6), SLICE("bytes="));
    reader.at += ours ? 6 : 0;
    bool valid = ours && size > 0 && read_all(&reader, size, marks, &doubtful);
    unsigned runs = count_runs(marks, size);
    if (doubtful)
        return;
    if (!valid || runs > RANGES_MAX) {
        CHECK(result == RANGE_WHOLE);
        return;
    }
    CHECK(result == (runs > 0 ? RANGE_PARTIAL : RANGE_UNSATISFIABLE));
    CHECK(ranges->count == runs);
    for (unsigned i = 0; i < ranges->count; i++)
        memset(sent + ranges->at[i].first, 1, ranges->at[i].size);
    CHECK(memcmp(sent, marks, sizeof sent) == 0);
}

/* ---- What holds for every size -------------------------------------------------------------------------------- */

static void check_ranges(const struct ranges *ranges, uint64_t size)
{
    CHECK(ranges->count >= 1 && ranges->count <= RANGES_MAX);
    for (unsigned i = 0; i < ranges->count; i++) {
        struct range a = ranges->at[i];
        CHECK(a.size > 0 && a.size <= size && a.first <= size - a.size);
        for (unsigned j = 0; j < i; j++) {
            struct range b = ranges->at[j];
            CHECK(a.first + a.size < b.first || b.first + b.size < a.first);
        }
    }
}

static void check_text(const struct ranges *ranges, uint64_t size)
{
    static const uint8_t random[BYTERANGES_RANDOM] = { 1, 2, 3 };
    struct byteranges parts;
    uint64_t length = 0;
    byteranges_init(&parts, SLICE("a/b"), size, random);
    for (unsigned i = 0; i < ranges->count; i++) {
        char head[BYTERANGES_HEAD_MAX + 3];
        struct writer w = writer_on(head, sizeof head);
        byteranges_head(&w, &parts, ranges->at[i]);
        CHECK(!w.overflowed);
        length += writer_used(&w) + ranges->at[i].size;
    }
    CHECK(byteranges_length(&parts, ranges) == length + BYTERANGES_END);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    uint64_t size;
    struct ranges ranges;
    if (length < sizeof size)
        return 0;
    memcpy(&size, data, sizeof size);
    struct slice value = slice_trim(slice_make((const char *)data + sizeof size, length - sizeof size));
    enum range_result result = range_parse(value, size, &ranges);
    CHECK((result == RANGE_PARTIAL) == (ranges.count > 0));
    if (result == RANGE_PARTIAL) {
        check_ranges(&ranges, size);
        check_text(&ranges, size);
    }
    int small = (int)(size % MARKS);
    result = range_parse(value, (uint64_t)small, &ranges);
    check_marks(value, small, result, &ranges);
    return 0;
}

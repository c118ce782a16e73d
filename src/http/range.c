/* Reads Range and If-Range fields and writes Content-Range (RFC 9110 14.1.2, 14.2, 13.1.5, 14.4). It knows of a
 * representation only its size and its validators. */
#include "http/range.h"

#include "http/date.h"

/* ---- If-Range ------------------------------------------------------------------------------------------------ */

static bool repeated(const struct fields *fields, enum field_id id)
{
    return fields_next(fields, id, fields->first[id] + 1u) >= 0;
}

/* RFC 9110 8.8.3.2: neither of the two is weak, and they are the same. */
static bool equal_strongly(struct slice tag, struct slice etag)
{
    return etag.size > 0 && etag.data[0] == '"' && slice_equal(tag, etag);
}

/* RFC 9110 8.8.2.2: a date is a strong validator only once its second is over; until then the file may change again
 * without a new date. A client is held to the same rule when its copy is made. */
static bool equal_date(struct slice text, int64_t modified_s, int64_t now_s)
{
    int64_t date;
    return date_parse(text, now_s, &date) && date == modified_s && modified_s >= 0 && modified_s < now_s;
}

/* Neither field is a list: where one stands twice, it is not valid (RFC 9110 5.3). A tag has quotes and a date has
 * none, so that each can be tried. */
bool range_applies(const struct fields *fields, struct slice etag, int64_t modified_s, int64_t now_s)
{
    if (!fields_has(fields, FIELD_RANGE) || repeated(fields, FIELD_RANGE))
        return false;
    if (!fields_has(fields, FIELD_IF_RANGE))
        return true;
    struct slice validator = fields_get(fields, FIELD_IF_RANGE);
    return !repeated(fields, FIELD_IF_RANGE) &&
           (equal_strongly(validator, etag) || equal_date(validator, modified_s, now_s));
}

/* ---- Range --------------------------------------------------------------------------------------------------- */

enum outcome { OUTCOME_INVALID, OUTCOME_BEYOND, OUTCOME_WITHIN };

/* Ranges that neither overlap nor touch, in the order in which they are sent. */
struct collected {
    unsigned count;
    struct range at[RANGE_SPECS_MAX];
};

static struct slice take_digits(struct slice *text)
{
    size_t count = 0;
    while (count < text->size && text->data[count] >= '0' && text->data[count] <= '9')
        count++;
    struct slice digits = slice_part(*text, 0, count);
    *text = slice_skip(*text, count);
    return digits;
}

/* What is too large for 64 bits is beyond the end of everything. */
static uint64_t clamped(struct slice digits)
{
    uint64_t value;
    return slice_uint(digits, &value) ? value : UINT64_MAX;
}

static struct slice without_zeros(struct slice digits)
{
    while (digits.size > 0 && digits.data[0] == '0')
        digits = slice_skip(digits, 1);
    return digits;
}

/* By the digits, because two numbers that are both clamped look the same. */
static bool is_less(struct slice a, struct slice b)
{
    a = without_zeros(a);
    b = without_zeros(b);
    if (a.size != b.size)
        return a.size < b.size;
    return a.size > 0 && memcmp(a.data, b.data, a.size) < 0;
}

/* suffix-range: the last `count` bytes. */
static enum outcome resolve_suffix(uint64_t count, uint64_t size, struct range *range)
{
    if (count == 0)
        return OUTCOME_BEYOND;
    range->size = count < size ? count : size;
    range->first = size - range->size;
    return OUTCOME_WITHIN;
}

/* int-range; without `last` up to the end. */
static enum outcome resolve_positions(struct slice first, struct slice last, uint64_t size, struct range *range)
{
    if (last.size > 0 && is_less(last, first))
        return OUTCOME_INVALID;
    range->first = clamped(first);
    if (range->first >= size)
        return OUTCOME_BEYOND;
    uint64_t end = last.size > 0 ? clamped(last) : UINT64_MAX;
    range->size = (end < size ? end + 1 : size) - range->first;
    return OUTCOME_WITHIN;
}

/* One range-spec (RFC 9110 14.1.1); the representation is not empty. */
static enum outcome resolve(struct slice spec, uint64_t size, struct range *range)
{
    struct slice first = take_digits(&spec);
    if (!slice_starts(spec, SLICE("-")))
        return OUTCOME_INVALID;
    spec = slice_skip(spec, 1);
    struct slice last = take_digits(&spec);
    if (spec.size > 0 || (first.size == 0 && last.size == 0))
        return OUTCOME_INVALID;
    return first.size == 0 ? resolve_suffix(clamped(last), size, range) : resolve_positions(first, last, size, range);
}

static bool joins(struct range a, struct range b)
{
    return a.first <= b.first + b.size && b.first <= a.first + a.size;
}

static struct range unite(struct range a, struct range b)
{
    uint64_t a_end = a.first + a.size, b_end = b.first + b.size;
    uint64_t first = a.first < b.first ? a.first : b.first;
    return (struct range){ first, (a_end > b_end ? a_end : b_end) - first };
}

/* The range takes in those which it joins, and stands where the first of them stood. */
static void collect(struct collected *list, struct range range)
{
    unsigned kept = 0, place = RANGE_SPECS_MAX;
    for (unsigned i = 0; i < list->count; i++) {
        if (!joins(list->at[i], range)) {
            list->at[kept++] = list->at[i];
            continue;
        }
        range = unite(list->at[i], range);
        if (place == RANGE_SPECS_MAX)
            place = kept++;
    }
    if (place == RANGE_SPECS_MAX)
        place = kept++;
    list->at[place] = range;
    list->count = kept;
}

/* False: the set is not valid, or has too many members. */
static bool collect_all(struct slice set, uint64_t size, struct collected *list)
{
    unsigned specs = 0;
    for (struct slice spec; list_next(&set, &spec); specs++) {
        struct range range;
        enum outcome outcome = specs < RANGE_SPECS_MAX ? resolve(spec, size, &range) : OUTCOME_INVALID;
        if (outcome == OUTCOME_INVALID)
            return false;
        if (outcome == OUTCOME_WITHIN)
            collect(list, range);
    }
    return specs > 0;
}

enum range_result range_parse(struct slice value, uint64_t size, struct ranges *ranges)
{
    struct collected list = { .count = 0 };
    size_t unit = slice_find(value, '=');
    ranges->count = 0;
    /* A range of nothing cannot be written as Content-Range; RFC 9110 14.2 lets an empty representation ignore it. */
    if (size == 0 || unit == value.size || !slice_equal_nocase(slice_part(value, 0, unit), SLICE("bytes")))
        return RANGE_WHOLE;
    if (!collect_all(slice_skip(value, unit + 1), size, &list) || list.count > RANGES_MAX)
        return RANGE_WHOLE;
    if (list.count == 0)
        return RANGE_UNSATISFIABLE;
    ranges->count = list.count;
    memcpy(ranges->at, list.at, list.count * sizeof list.at[0]);
    return RANGE_PARTIAL;
}

/* ---- Content-Range ------------------------------------------------------------------------------------------- */

void range_write(struct writer *w, struct range range, uint64_t size)
{
    writer_put(w, SLICE("bytes "));
    writer_uint(w, range.first);
    writer_byte(w, '-');
    writer_uint(w, range.first + range.size - 1);
    writer_byte(w, '/');
    writer_uint(w, size);
}

void range_write_unsatisfied(struct writer *w, uint64_t size)
{
    writer_put(w, SLICE("bytes */"));
    writer_uint(w, size);
}

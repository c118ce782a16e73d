/* Preconditions (RFC 9110 13.1 and 13.2.2). It knows of a representation only its validators, and of a method only
 * whether it is GET or HEAD; that a precondition applies at all is the caller's to know. */
#include "http/conditional.h"

#include "http/date.h"

struct tag {
    bool weak;
    struct slice opaque; /* with its quotes */
};

/* An entity-tag at the front of `*text` (RFC 9110 8.8.3). A tag has no escapes: a backslash is one of its characters,
 * and a comma may be another. */
static bool take_tag(struct slice *text, struct tag *tag)
{
    tag->weak = slice_starts(*text, SLICE("W/"));
    struct slice rest = tag->weak ? slice_skip(*text, 2) : *text;
    if (rest.size < 2 || rest.data[0] != '"')
        return false;
    size_t inside = slice_find(slice_skip(rest, 1), '"');
    if (inside + 2 > rest.size)
        return false;
    tag->opaque = slice_part(rest, 0, inside + 2);
    *text = slice_skip(rest, inside + 2);
    return true;
}

/* The next tag of a list. What is not one is passed over up to its comma: it matches nothing. */
static bool next_tag(struct slice *rest, struct tag *tag)
{
    while ((*rest = slice_trim(*rest)).size > 0) {
        bool taken = take_tag(rest, tag);
        struct slice behind = slice_trim(*rest);
        size_t comma = slice_find(*rest, ',');
        *rest = slice_skip(*rest, comma < rest->size ? comma + 1 : comma);
        if (taken && (behind.size == 0 || behind.data[0] == ','))
            return true;
    }
    return false;
}

/* RFC 9110 8.8.3.2. */
static bool equal(struct tag a, struct tag b, bool strong)
{
    return slice_equal(a.opaque, b.opaque) && !(strong && (a.weak || b.weak));
}

/* True where one of the tags in the fields of this id is ours, or "*" stands there, which any representation matches.
 * */
static bool matches(const struct fields *fields, enum field_id id, struct slice etag, bool strong)
{
    struct tag ours = { false, { NULL, 0 } }, theirs;
    bool have = take_tag(&etag, &ours);
    for (int i = fields_next(fields, id, 0); i >= 0; i = fields_next(fields, id, (unsigned)i + 1)) {
        struct slice rest = fields_value(fields, (unsigned)i);
        if (slice_equal(rest, SLICE("*")))
            return true;
        while (have && next_tag(&rest, &theirs))
            if (equal(ours, theirs, strong))
                return true;
    }
    return false;
}

/* True and the date where the field is there, once, with a valid date; else it is to be ignored (RFC 9110 13.1.3,
 * 13.1.4). */
static bool has_date(const struct fields *fields, enum field_id id, int64_t now_s, int64_t *date)
{
    if (!fields_has(fields, id) || fields_next(fields, id, fields->first[id] + 1u) >= 0)
        return false;
    return date_parse(fields_get(fields, id), now_s, date);
}

enum verdict conditional_evaluate(const struct fields *fields, struct slice etag, int64_t modified_s, bool safe,
                                  int64_t now_s)
{
    const uint32_t conditions = field_bit(FIELD_IF_MATCH) | field_bit(FIELD_IF_UNMODIFIED_SINCE) |
                                field_bit(FIELD_IF_NONE_MATCH) | field_bit(FIELD_IF_MODIFIED_SINCE);
    int64_t date;
    if (!fields_have(fields, conditions))
        return VERDICT_SEND;
    if (fields_has(fields, FIELD_IF_MATCH)) {
        if (!matches(fields, FIELD_IF_MATCH, etag, true))
            return VERDICT_FAILED;
    } else if (modified_s >= 0 && has_date(fields, FIELD_IF_UNMODIFIED_SINCE, now_s, &date) && modified_s > date) {
        return VERDICT_FAILED;
    }
    if (fields_has(fields, FIELD_IF_NONE_MATCH)) {
        if (!matches(fields, FIELD_IF_NONE_MATCH, etag, false))
            return VERDICT_SEND;
        return safe ? VERDICT_NOT_MODIFIED : VERDICT_FAILED;
    }
    if (safe && modified_s >= 0 && has_date(fields, FIELD_IF_MODIFIED_SINCE, now_s, &date) && modified_s <= date)
        return VERDICT_NOT_MODIFIED;
    return VERDICT_SEND;
}

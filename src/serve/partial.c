/* One range is the whole with another beginning and size; several are a body of parts. See partial.h. */
#include "serve/partial.h"

#include <sys/random.h>

#include "base/writer.h"
#include "http/byteranges.h"

static bool add_fields(struct exchange *exchange, const struct whole *whole, struct slice type)
{
    for (unsigned i = 0; i < whole->field_count; i++) {
        struct field_pair field = whole->fields[i];
        if (slice_equal(field.name, SLICE("Content-Type")))
            field.value = type;
        if (!exchange_add_constant(exchange, field.name, field.value))
            return false;
    }
    return true;
}

static struct body part_of(const struct body *whole, struct range range)
{
    struct body body = *whole;
    body.size = range.size;
    if (body.kind == BODY_SPAN)
        body.data += range.first;
    else
        body.offset += range.first;
    return body;
}

static bool answer_range(struct exchange *exchange, const struct whole *whole, struct range range)
{
    char text[RANGE_VALUE_MAX];
    struct writer w = writer_on(text, sizeof text);

    range_write(&w, range, whole->body.size);
    if (!add_fields(exchange, whole, whole->type) ||
        !exchange_add_field(exchange, SLICE("Content-Range"), writer_slice(&w)))
        return false;
    exchange->response.body = part_of(&whole->body, range);
    return true;
}

/* A piece of text between the ranges: it lies in the exchange. */
static struct body text_of(struct exchange *exchange, struct slice text)
{
    return (struct body){ .kind = BODY_SPAN, .data = text.data, .size = text.size, .fd = -1, .hold = &exchange->hold };
}

static bool answer_ranges(struct exchange *exchange, const struct whole *whole, const struct ranges *ranges)
{
    uint8_t random[BYTERANGES_RANDOM];
    struct byteranges multi;
    size_t room = BYTERANGES_TYPE + ranges->count * (BYTERANGES_HEAD_MAX + whole->type.size) + BYTERANGES_END;
    char *text = arena_take(&exchange->arena, room);
    struct body *parts = arena_take(&exchange->arena, (2 * ranges->count + 1) * sizeof *parts), *part = parts;
    struct writer w = writer_on(text, text ? room : 0);

    if (!text || !parts || getrandom(random, sizeof random, 0) != sizeof random)
        return false;
    byteranges_init(&multi, whole->type, whole->body.size, random);
    byteranges_type(&w, &multi);
    if (!add_fields(exchange, whole, writer_slice(&w)))
        return false;
    for (unsigned i = 0; i < ranges->count; i++) {
        char *from = w.at;
        byteranges_head(&w, &multi, ranges->at[i]);
        *part++ = text_of(exchange, slice_make(from, (size_t)(w.at - from)));
        *part++ = part_of(&whole->body, ranges->at[i]);
    }
    char *from = w.at;
    byteranges_end(&w, &multi);
    *part++ = text_of(exchange, slice_make(from, (size_t)(w.at - from)));
    exchange->response.body = (struct body){ .kind = BODY_PARTS, .size = byteranges_length(&multi, ranges), .fd = -1,
                                             .parts = parts, .part_count = (unsigned)(part - parts) };
    return true;
}

static enum static_result refuse_range(struct exchange *exchange, const struct whole *whole)
{
    char text[RANGE_VALUE_MAX];
    struct writer w = writer_on(text, sizeof text);

    range_write_unsatisfied(&w, whole->body.size);
    bool added = exchange_add_field(exchange, SLICE("Content-Range"), writer_slice(&w));
    return added ? STATIC_UNSATISFIABLE : STATIC_NO_MEMORY;
}

bool partial_take(struct exchange *exchange, const struct whole *whole, enum static_result *result)
{
    struct ranges ranges;
    bool made;

    switch (range_parse(fields_get(&exchange->request.fields, FIELD_RANGE), whole->body.size, &ranges)) {
    case RANGE_WHOLE:
        return false;
    case RANGE_UNSATISFIABLE:
        *result = refuse_range(exchange, whole);
        return true;
    case RANGE_PARTIAL:
        break;
    }
    made = ranges.count == 1 ? answer_range(exchange, whole, ranges.at[0]) : answer_ranges(exchange, whole, &ranges);
    exchange->response.status = made ? 206 : 0;
    *result = made ? STATIC_ANSWERED : STATIC_NO_MEMORY;
    return true;
}

bool partial_wanted(const struct exchange *exchange, struct slice etag, int64_t modified_s, int64_t now_s)
{
    const struct request *request = &exchange->request;
    return fields_has(&request->fields, FIELD_RANGE) && request->method == METHOD_GET &&
           range_applies(&request->fields, etag, modified_s, now_s);
}

/* Where a request ends, decided from its fields by RFC 9112 6.3, with none of the choices that it leaves to the
 * lenient.
 *
 * A refusal closes the connection, so nothing behind a doubtful message is ever read as a request. It looks at no
 * method: framing does not depend on it. */
#include "wire/h1_framing.h"

enum { BAD_REQUEST = 400, EXPECTATION_FAILED = 417, NOT_IMPLEMENTED = 501 };

/* Sizes are passed on as signed 64-bit offsets by much of the world; what would wrap there is refused here. */
static const uint64_t length_max = INT64_MAX;

static int find_first(const struct fields *fields, enum field_id id)
{
    return fields_has(fields, id) ? fields->first[id] : -1;
}

/* Takes the next member of a list in which, unlike list_next, an empty member counts: in these two fields it is a
 * reason to refuse. `rest->data` becomes NULL behind the last one. */
static bool take_member(struct slice *rest, struct slice *member)
{
    if (rest->data == NULL)
        return false;
    size_t comma = slice_find(*rest, ',');
    *member = slice_trim(slice_part(*rest, 0, comma));
    *rest = comma < rest->size ? slice_skip(*rest, comma + 1) : slice_make(NULL, 0);
    return true;
}

/* One length, or the same one several times, letter for letter (RFC 9112 6.3, item 5). */
static bool read_length(const struct fields *fields, uint64_t *length)
{
    struct slice same = slice_make(NULL, 0), member;

    for (int at = find_first(fields, FIELD_CONTENT_LENGTH); at >= 0;
         at = fields_next(fields, FIELD_CONTENT_LENGTH, (unsigned)at + 1)) {
        struct slice rest = fields_value(fields, (unsigned)at);
        while (take_member(&rest, &member)) {
            if (same.data == NULL)
                same = member;
            if (!slice_equal(member, same))
                return false;
        }
    }
    return slice_uint(same, length) && *length <= length_max;
}

/* 0 where the codings are just "chunked". A list that does not end in chunked has no end that could be found (RFC 9112
 * 6.3, item 4: 400), nor is chunked twice a coding; others before it are only not implemented. */
static uint16_t check_codings(const struct fields *fields)
{
    bool chunked = false, other = false;
    struct slice member;

    for (int at = find_first(fields, FIELD_TRANSFER_ENCODING); at >= 0;
         at = fields_next(fields, FIELD_TRANSFER_ENCODING, (unsigned)at + 1)) {
        struct slice rest = fields_value(fields, (unsigned)at);
        while (take_member(&rest, &member)) {
            if (chunked || !field_name_valid(member))
                return BAD_REQUEST;
            chunked = slice_equal_nocase(member, SLICE("chunked"));
            other |= !chunked;
        }
    }
    if (!chunked)
        return BAD_REQUEST;
    return other ? NOT_IMPLEMENTED : 0;
}

static void decide_body(struct h1_framing *framing, const struct request *request)
{
    const struct fields *fields = &request->fields;

    if (fields_has(fields, FIELD_TRANSFER_ENCODING)) {
        /* With a length beside it, or from a 1.0 client, somebody on the way did not understand it (RFC 9112 6.1). */
        bool doubtful = fields_has(fields, FIELD_CONTENT_LENGTH) || request->version == 10;
        framing->status = doubtful ? BAD_REQUEST : check_codings(fields);
        framing->body = H1_BODY_CHUNKED;
    } else if (fields_has(fields, FIELD_CONTENT_LENGTH)) {
        framing->status = read_length(fields, &framing->length) ? 0 : BAD_REQUEST;
        framing->body = framing->length > 0 ? H1_BODY_LENGTH : H1_BODY_NONE;
    }
}

/* RFC 9110 10.1.1: the only expectation there is; a 1.0 client cannot have it. */
static void decide_expectation(struct h1_framing *framing, const struct request *request)
{
    struct slice member;

    for (int at = find_first(&request->fields, FIELD_EXPECT); at >= 0;
         at = fields_next(&request->fields, FIELD_EXPECT, (unsigned)at + 1)) {
        struct slice rest = fields_value(&request->fields, (unsigned)at);
        while (list_next(&rest, &member)) {
            if (!slice_equal_nocase(member, SLICE("100-continue"))) {
                framing->status = EXPECTATION_FAILED;
                return;
            }
            framing->expects = request->version > 10 && framing->body != H1_BODY_NONE;
        }
    }
}

/* RFC 9112 9.3: "close" wins over all, 1.0 has to ask. */
static bool decide_persistence(const struct request *request)
{
    bool persistent = request->version > 10;
    struct slice member;

    for (int at = find_first(&request->fields, FIELD_CONNECTION); at >= 0;
         at = fields_next(&request->fields, FIELD_CONNECTION, (unsigned)at + 1)) {
        struct slice rest = fields_value(&request->fields, (unsigned)at);
        if (slice_equal(rest, SLICE("keep-alive"))) { /* what browsers send: no list to be read */
            persistent = true;
            continue;
        }
        while (list_next(&rest, &member)) {
            if (slice_equal_nocase(member, SLICE("close")))
                return false;
            persistent |= slice_equal_nocase(member, SLICE("keep-alive"));
        }
    }
    return persistent;
}

struct h1_framing h1_framing_decide(const struct request *request)
{
    struct h1_framing framing = { .body = H1_BODY_NONE };
    const struct fields *fields = &request->fields;

    decide_body(&framing, request);
    if (framing.status == 0 && fields_has(fields, FIELD_EXPECT))
        decide_expectation(&framing, request);
    if (framing.status != 0)
        return (struct h1_framing){ .body = H1_BODY_REFUSED, .status = framing.status };

    framing.persistent = decide_persistence(request);
    return framing;
}

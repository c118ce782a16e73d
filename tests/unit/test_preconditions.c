/* All the fields that make a request conditional, in every combination: the status that conditional and range together
 * give is the one that the steps of RFC 9110 13.2.2 lead to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "http/conditional.h"
#include "http/range.h"
#include "made_fields.h"

#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define EXACTLY "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

static const int64_t modified_s = 784111777, now_s = 1767225600;
static const uint64_t size = 1000;

/* What a field's condition comes to. An invalid date is the same as no field (RFC 9110 13.1.3, 13.1.4), but an invalid
 * list of tags is a list that ours is not in. */
enum { ABSENT, TRUE, FALSE };

struct choice {
    const char *field; /* with its line break */
    int value;
};

enum { IF_MATCHES = 5, IF_UNMODIFIEDS = 5, IF_NONES = 6, IF_MODIFIEDS = 5, IF_RANGES = 6, RANGES = 6 };

static const struct choice if_match[IF_MATCHES] = {
    { "", ABSENT },
    { "If-Match: \"b\", \"a\"\n", TRUE },
    { "If-Match: *\n", TRUE },
    { "If-Match: W/\"a\"\n", FALSE },
    { "If-Match: x\n", FALSE },
};

static const struct choice if_unmodified[IF_UNMODIFIEDS] = {
    { "", ABSENT },
    { "If-Unmodified-Since: " EXACTLY "\n", TRUE },
    { "If-Unmodified-Since: " AFTER "\n", TRUE },
    { "If-Unmodified-Since: " BEFORE "\n", FALSE },
    { "If-Unmodified-Since: x\n", ABSENT },
};

static const struct choice if_none[IF_NONES] = {
    { "", ABSENT },
    { "If-None-Match: \"b\"\n", TRUE },
    { "If-None-Match: \"b\", \"a\"\n", FALSE },
    { "If-None-Match: W/\"a\"\n", FALSE },
    { "If-None-Match: *\n", FALSE },
    { "If-None-Match: x\n", TRUE },
};

static const struct choice if_modified[IF_MODIFIEDS] = {
    { "", ABSENT },
    { "If-Modified-Since: " BEFORE "\n", TRUE },
    { "If-Modified-Since: " EXACTLY "\n", FALSE },
    { "If-Modified-Since: " AFTER "\n", FALSE },
    { "If-Modified-Since: x\n", ABSENT },
};

static const struct choice if_range[IF_RANGES] = {
    { "", ABSENT },
    { "If-Range: \"a\"\n", TRUE },
    { "If-Range: " EXACTLY "\n", TRUE },
    { "If-Range: W/\"a\"\n", FALSE },
    { "If-Range: " AFTER "\n", FALSE },
    { "If-Range: x\n", FALSE },
};

/* The status of a GET with this Range field and nothing else. */
static const struct choice range[RANGES] = {
    { "", 200 },
    { "Range: bytes=0-9\n", 206 },
    { "Range: bytes=0-9,-1\n", 206 },
    { "Range: bytes=1000-\n", 416 },
    { "Range: bytes=9-0\n", 200 },
    { "Range: items=0-9\n", 200 },
};

enum kind { KIND_GET, KIND_HEAD, KIND_PUT };

/* One of each. */
struct request {
    int match, unmodified, none, modified, if_range;
    unsigned range;
    enum kind kind;
};

/* Step by step as RFC 9110 13.2.2 has them. */
static unsigned expected_status(const struct request *r)
{
    bool safe = r->kind != KIND_PUT;
    if (r->match == FALSE)
        return 412;
    if (r->match == ABSENT && r->unmodified == FALSE)
        return 412;
    if (r->none == FALSE)
        return safe ? 304 : 412;
    if (safe && r->none == ABSENT && r->modified == FALSE)
        return 304;
    if (r->kind != KIND_GET || r->if_range == FALSE)
        return 200;
    return r->range;
}

static unsigned range_status(const struct fields *fields)
{
    struct ranges ranges;
    if (!range_applies(fields, SLICE("\"a\""), modified_s, now_s))
        return 200;
    switch (range_parse(fields_get(fields, FIELD_RANGE), size, &ranges)) {
    case RANGE_PARTIAL:
        return 206;
    case RANGE_UNSATISFIABLE:
        return 416;
    case RANGE_WHOLE:
        break;
    }
    return 200;
}

static unsigned status(const struct fields *fields, enum kind kind)
{
    switch (conditional_evaluate(fields, SLICE("\"a\""), modified_s, kind != KIND_PUT, now_s)) {
    case VERDICT_FAILED:
        return 412;
    case VERDICT_NOT_MODIFIED:
        return 304;
    case VERDICT_SEND:
        break;
    }
    return kind == KIND_GET ? range_status(fields) : 200;
}

static void try_one(const struct choice *const chosen[6])
{
    struct request request = { chosen[0]->value, chosen[1]->value, chosen[2]->value, chosen[3]->value,
                               chosen[4]->value, (unsigned)chosen[5]->value, KIND_GET };
    struct fields fields;
    char text[512] = "";
    struct writer w = writer_on(text, sizeof text - 1);
    for (int i = 0; i < 6; i++)
        writer_text(&w, chosen[i]->field);
    assert_false(w.overflowed);
    made_fields(&fields, text);
    for (request.kind = KIND_GET; request.kind <= KIND_PUT; request.kind++) {
        unsigned got = status(&fields, request.kind), expected = expected_status(&request);
        if (got != expected)
            fail_msg("kind %d: %u, not %u\n%s", (int)request.kind, got, expected, text);
    }
}

static void follows_the_steps(void **state)
{
    const unsigned all = IF_MATCHES * IF_UNMODIFIEDS * IF_NONES * IF_MODIFIEDS * IF_RANGES * RANGES;
    (void)state;
    for (unsigned i = 0; i < all; i++) {
        unsigned rest = i;
        const struct choice *chosen[6];
        chosen[0] = &if_match[rest % IF_MATCHES], rest /= IF_MATCHES;
        chosen[1] = &if_unmodified[rest % IF_UNMODIFIEDS], rest /= IF_UNMODIFIEDS;
        chosen[2] = &if_none[rest % IF_NONES], rest /= IF_NONES;
        chosen[3] = &if_modified[rest % IF_MODIFIEDS], rest /= IF_MODIFIEDS;
        chosen[4] = &if_range[rest % IF_RANGES], rest /= IF_RANGES;
        chosen[5] = &range[rest];
        try_one(chosen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(follows_the_steps) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Every combination of method, source, Accept-Encoding, precondition, Range and If-Range, against a model of what RFC
 * 9110 says to it: 12.5.3 chooses the representation, 13.2.2 says in which order it is asked about, part 14 what of it
 * is sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/conditional.h"
#include "http/range.h"
#include "static_fixture.h"

/* ---- What is combined ----------------------------------------------------------------------------------------- */

enum source { FROM_MEMORY, FROM_ENCODED_MEMORY, FROM_FILE, FROM_UNHASHED_FILE, FROM_CHANGED_FILE, SOURCE_COUNT };

enum { ENTITY_TAG = 1, DATE = 2 }; /* validators that a source has */

static const struct {
    const char *name;
    bool file, encoded;
    unsigned validators;
} sources[SOURCE_COUNT] = {
    { "memory", false, false, ENTITY_TAG | DATE },
    { "memory, with codings", false, true, ENTITY_TAG | DATE },
    { "file", true, false, ENTITY_TAG | DATE },
    { "file not yet hashed", true, false, DATE },
    { "file that has changed", true, false, 0 },
};

/* `encoded`: what is chosen where br (the smallest) and gzip are there, `plain`: where nothing is. */
static const struct {
    const char *field;
    unsigned encoded, plain;
} accepts[] = {
    { "", CODING_IDENTITY, CODING_IDENTITY },
    { "Accept-Encoding: gzip, deflate, br, zstd\n", CODING_BR, CODING_IDENTITY },
    { "Accept-Encoding: gzip\n", CODING_GZIP, CODING_IDENTITY },
    { "Accept-Encoding: x-gzip;q=1, br;q=0.5\n", CODING_GZIP, CODING_IDENTITY },
    { "Accept-Encoding: zstd\n", CODING_IDENTITY, CODING_IDENTITY },
    { "Accept-Encoding: identity, br;q=0.9\n", CODING_IDENTITY, CODING_IDENTITY },
    { "Accept-Encoding: *\n", CODING_BR, CODING_IDENTITY },
    { "Accept-Encoding:\n", CODING_IDENTITY, CODING_IDENTITY },
    { "Accept-Encoding: identity;q=0, gzip\n", CODING_GZIP, CODING_REFUSED },
    { "Accept-Encoding: *;q=0\n", CODING_REFUSED, CODING_REFUSED },
};

/* "$" is the entity-tag of the representation. The verdict depends on which validators there are: with both, with a
 * date alone, with none. */
enum { S = VERDICT_SEND, N = VERDICT_NOT_MODIFIED, F = VERDICT_FAILED };

static const struct {
    const char *field;
    unsigned both, date, none;
} conditions[] = {
    { "", S, S, S },
    { "If-Match: $\n", S, F, F },
    { "If-Match: \"x\", $\n", S, F, F },
    { "If-Match: W/$\n", F, F, F },
    { "If-Match: \"x\"\n", F, F, F },
    { "If-Match: *\n", S, S, S },
    { "If-Unmodified-Since: Tue, 14 Nov 2023 22:13:20 GMT\n", S, S, S },
    { "If-Unmodified-Since: Tue, 14 Nov 2023 22:13:19 GMT\n", F, F, S },
    { "If-Match: $\nIf-Unmodified-Since: Tue, 14 Nov 2023 22:13:19 GMT\n", S, F, F },
    { "If-None-Match: $\n", N, S, S },
    { "If-None-Match: \"x\", W/$\n", N, S, S },
    { "If-None-Match: \"x\"\n", S, S, S },
    { "If-None-Match: *\n", N, N, N },
    { "If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT\n", N, N, S },
    { "If-Modified-Since: Tuesday, 14-Nov-23 22:13:20 GMT\n", N, N, S },
    { "If-Modified-Since: Tue Nov 14 22:13:20 2023\n", N, N, S },
    { "If-Modified-Since: Tue, 14 Nov 2023 22:13:19 GMT\n", S, S, S },
    { "If-Modified-Since: long ago\n", S, S, S },
    { "If-None-Match: \"x\"\nIf-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT\n", S, S, S },
    { "If-None-Match: $\nIf-Modified-Since: Tue, 14 Nov 2023 22:13:19 GMT\n", N, S, S },
    { "If-Match: $\nIf-None-Match: $\n", N, F, F },
    { "If-Match: \"x\"\nIf-None-Match: $\n", F, F, F },
    { "If-Unmodified-Since: Tue, 14 Nov 2023 22:13:19 GMT\nIf-None-Match: $\n", F, F, S },
};

/* `first` < 0: so many bytes of the end. `last` < 0: to the end. */
struct asked {
    long first, last;
};

static const struct {
    const char *field;
    enum range_result result;
    unsigned count;
    struct asked at[3];
} ranges[] = {
    { "", RANGE_WHOLE, 0, { { 0, 0 } } },
    { "Range: bytes=0-\n", RANGE_PARTIAL, 1, { { 0, -1 } } },
    { "Range: bytes=0-0\n", RANGE_PARTIAL, 1, { { 0, 0 } } },
    { "Range: bytes=17-99\n", RANGE_PARTIAL, 1, { { 17, 99 } } },
    { "Range: BYTES=250-99999\n", RANGE_PARTIAL, 1, { { 250, -1 } } },
    { "Range: bytes=-7\n", RANGE_PARTIAL, 1, { { -7, -1 } } },
    { "Range: bytes=-99999\n", RANGE_PARTIAL, 1, { { 0, -1 } } },
    { "Range: bytes=10-20, 15-30\n", RANGE_PARTIAL, 1, { { 10, 30 } } },
    { "Range: bytes=0-0, 99999-\n", RANGE_PARTIAL, 1, { { 0, 0 } } },
    { "Range: bytes=0-0,-1\n", RANGE_PARTIAL, 2, { { 0, 0 }, { -1, -1 } } },
    { "Range: bytes=200-249, 0-9, 100-100\n", RANGE_PARTIAL, 3, { { 200, 249 }, { 0, 9 }, { 100, 100 } } },
    { "Range: bytes=99999-\n", RANGE_UNSATISFIABLE, 0, { { 0, 0 } } },
    { "Range: bytes=-0\n", RANGE_UNSATISFIABLE, 0, { { 0, 0 } } },
    { "Range: bytes=9-3\n", RANGE_WHOLE, 0, { { 0, 0 } } },
    { "Range: lines=1-2\n", RANGE_WHOLE, 0, { { 0, 0 } } },
    { "Range: bytes=0-0\nRange: bytes=1-1\n", RANGE_WHOLE, 0, { { 0, 0 } } },
};

/* `needs`: the validator with which it holds; 0: it always does; NEVER: it does not. */
enum { NEVER = 4 };

static const struct {
    const char *field;
    unsigned needs;
} if_ranges[] = {
    { "", 0 },
    { "If-Range: $\n", ENTITY_TAG },
    { "If-Range: W/$\n", NEVER },
    { "If-Range: \"x\"\n", NEVER },
    { "If-Range: Tue, 14 Nov 2023 22:13:20 GMT\n", DATE },
    { "If-Range: Tue, 14 Nov 2023 22:13:21 GMT\n", NEVER },
    { "If-Range: Tue, 14 Nov 2023 22:13:19 GMT\n", NEVER },
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- One of them ----------------------------------------------------------------------------------------------- */

struct combination {
    enum source source;
    enum method method;
    size_t accept, condition, range, if_range;
};

static struct content *plain, *encoded;

static unsigned expected_coding(const struct combination *c)
{
    return sources[c->source].encoded ? accepts[c->accept].encoded : accepts[c->accept].plain;
}

static size_t size_in(unsigned coding)
{
    return coding == CODING_BR ? BR_SIZE : coding == CODING_GZIP ? GZIP_SIZE : PAGE_SIZE;
}

/* Empty: this source has none. */
static struct slice tag_of(const struct combination *c, unsigned coding)
{
    if (!(sources[c->source].validators & ENTITY_TAG))
        return slice_make("", 0);
    const struct content *content = sources[c->source].encoded ? encoded : plain;
    return representation_etag(content_in(content, coding < CODING_COUNT ? coding : CODING_IDENTITY));
}

static const char *fields_of(const struct combination *c, struct slice tag)
{
    static char text[1024];
    const char *const parts[] = { accepts[c->accept].field, conditions[c->condition].field, ranges[c->range].field,
                                  if_ranges[c->if_range].field };
    struct writer w = writer_on(text, sizeof text);
    for (size_t i = 0; i < COUNT(parts); i++)
        for (const char *at = parts[i]; *at; at++)
            if (*at == '$')
                writer_put(&w, tag.size ? tag : SLICE("\"none\""));
            else
                writer_byte(&w, *at);
    writer_byte(&w, '\0');
    return text;
}

static unsigned expected_verdict(const struct combination *c)
{
    unsigned validators = sources[c->source].validators;
    return validators & ENTITY_TAG ? conditions[c->condition].both
                                   : validators & DATE ? conditions[c->condition].date : conditions[c->condition].none;
}

static enum range_result expected_range(const struct combination *c)
{
    unsigned needs = if_ranges[c->if_range].needs;
    bool holds = needs == 0 || (sources[c->source].validators & needs);
    return c->method == METHOD_GET && holds ? ranges[c->range].result : RANGE_WHOLE;
}

static enum static_result answer(const struct combination *c)
{
    if (!sources[c->source].file)
        return static_answer(sources[c->source].encoded ? encoded : plain, &exchange, NOW_S);
    struct static_file file = static_open(&store, &site->files, the_page());
    assert_non_null(file.descriptor);
    file.changed = c->source == FROM_CHANGED_FILE;
    enum static_result result = static_answer_file(the_page(), &dress, &file, &exchange, NOW_S);
    static_close(&file); /* nothing where an answer has taken it over */
    return result;
}

/* ---- What it has come to ----------------------------------------------------------------------------------------- */

static void check_content(const struct combination *c, unsigned coding)
{
    struct slice body = static_body();
    char bytes[PAGE_SIZE];
    size_t size = size_in(coding), count = ranges[c->range].count;
    bool whole = expected_range(c) == RANGE_WHOLE;
    const struct asked all = { 0, -1 };
    struct slice type = static_field("Content-Type"), boundary = slice_make("", 0);

    static_noise(bytes, size, coding);
    if (!whole && count > 1) {
        assert_true(slice_starts(type, SLICE("multipart/byteranges; boundary=")));
        boundary = slice_skip(type, sizeof "multipart/byteranges; boundary=" - 1);
        field_is("Content-Range", absent);
    } else {
        field_is("Content-Type", SLICE("text/html; charset=utf-8"));
        count = 1;
    }
    for (size_t i = 0; i < count; i++) {
        struct asked asked = whole ? all : ranges[c->range].at[i];
        size_t first = asked.first < 0 ? size - (size_t)-asked.first : (size_t)asked.first;
        size_t last = asked.last < 0 ? size - 1 : (size_t)asked.last;
        char text[256];
        snprintf(text, sizeof text, "bytes %zu-%zu/%zu", first, last, size);
        if (boundary.size == 0) {
            field_is("Content-Range", whole ? absent : slice_text(text));
        } else {
            char head[512];
            snprintf(head, sizeof head,
                     "\r\n--%.*s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Range: %s\r\n\r\n",
                     (int)boundary.size, boundary.data, text);
            assert_true(slice_starts(body, slice_text(head)));
            body = slice_skip(body, strlen(head));
        }
        assert_true(slice_starts(body, slice_make(bytes + first, last + 1 - first)));
        body = slice_skip(body, last + 1 - first);
    }
    char end[128] = "";
    if (boundary.size > 0)
        snprintf(end, sizeof end, "\r\n--%.*s--\r\n", (int)boundary.size, boundary.data);
    assert_true(slice_equal(body, slice_text(end)));
}

static void check_fields(const struct combination *c, unsigned coding, bool not_modified)
{
    struct slice tag = tag_of(c, coding);
    bool dated = !not_modified || (tag.size == 0 && (sources[c->source].validators & DATE));
    field_is("ETag", tag.size ? tag : absent);
    field_is("Last-Modified", dated ? slice_text(modified) : absent);
    field_is("Cache-Control", SLICE("no-cache"));
    field_is("Vary", SLICE("Accept-Encoding"));
    field_is("Accept-Ranges", not_modified ? absent : SLICE("bytes"));
    field_is("X-Content-Type-Options", not_modified ? absent : SLICE("nosniff"));
    field_is("Content-Encoding", not_modified || coding == CODING_IDENTITY ? absent : coding_name(coding));
}

static void check_answered(const struct combination *c, unsigned coding)
{
    if (expected_verdict(c) == VERDICT_NOT_MODIFIED) {
        assert_int_equal(exchange.response.status, 304);
        field_is("Content-Type", absent);
        assert_int_equal(static_body().size, 0);
        check_fields(c, coding, true);
        return;
    }
    assert_int_equal(exchange.response.status, expected_range(c) == RANGE_WHOLE ? 200 : 206);
    check_fields(c, coding, false);
    check_content(c, coding);
}

static enum static_result expected_result(const struct combination *c, unsigned coding)
{
    if (coding == CODING_REFUSED)
        return STATIC_NOT_ACCEPTABLE;
    if (expected_verdict(c) == VERDICT_FAILED)
        return STATIC_FAILED;
    bool beyond = expected_verdict(c) == VERDICT_SEND && expected_range(c) == RANGE_UNSATISFIABLE;
    return beyond ? STATIC_UNSATISFIABLE : STATIC_ANSWERED;
}

static const char *told; /* the combination at hand, for whoever has to find out what went wrong */

static void check(const struct combination *c)
{
    unsigned coding = expected_coding(c);
    char text[64];

    told = fields_of(c, tag_of(c, coding));
    static_ask(c->method, told);
    enum static_result result = answer(c), expected = expected_result(c, coding);
    if (result != expected)
        fail_msg("%s from %s: %d instead of %d\n%s", c->method == METHOD_GET ? "GET" : "HEAD", sources[c->source].name,
                 result, expected, told);
    if (result == STATIC_ANSWERED)
        check_answered(c, coding);
    else
        assert_int_equal(exchange.response.status, 0);
    if (result == STATIC_UNSATISFIABLE) {
        snprintf(text, sizeof text, "bytes */%zu", size_in(coding));
        field_is("Content-Range", slice_text(text));
        assert_int_equal(exchange.response.field_count, 1);
    }
}

static void check_source(enum source source)
{
    for (enum method method = METHOD_GET; method <= METHOD_HEAD; method++)
        for (size_t accept = 0; accept < COUNT(accepts); accept++)
            for (size_t condition = 0; condition < COUNT(conditions); condition++)
                for (size_t range = 0; range < COUNT(ranges); range++)
                    for (size_t if_range = 0; if_range < COUNT(if_ranges); if_range++)
                        check(&(struct combination){ source, method, accept, condition, range, if_range });
}

static void every_combination(void **state)
{
    (void)state;
    plain = static_load();
    struct cached *cached = page_cache_close(&store.cache, &the_page()->slot);
    assert_ptr_equal(content_of(cached), plain);
    char *bytes = memcpy(malloc(PAGE_SIZE), plain->identity.bytes, PAGE_SIZE);
    encoded = content_new(the_page(), bytes, 12345, &dress, NOW_S);
    assert_non_null(encoded);
    static_encode(encoded, CODING_BR, BR_SIZE);
    static_encode(encoded, CODING_GZIP, GZIP_SIZE);
    for (enum source source = 0; source < SOURCE_COUNT; source++) {
        if (source == FROM_FILE)
            loader_hash(&site->files, the_page());
        if (source == FROM_UNHASHED_FILE)
            atomic_store(&the_page()->hash, 0);
        check_source(source);
    }
    exchange_reset(&exchange);
    content_retire(plain, store.qsbr);
    hold_unref(&plain->hold); /* the test's own */
    hold_unref(&encoded->hold);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_combination, static_start, static_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

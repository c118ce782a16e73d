/* The head parser against itself: with every scanner, whole and cut and a byte at a time, remembering the fields of
 * earlier heads and not, behind another request line too, under wide limits and tight ones, the same verdict and the
 * same fields. The input is a head and whatever follows it. */
#include <stdio.h>
#include <stdlib.h>

#include "wire/h1_head.h"
#include "wire/h1_memo.h"

#define CHECK(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static void fail(const char *condition, int line)
{
    fprintf(stderr, "line %d: %s\n", line, condition);
    abort();
}

struct outcome {
    enum h1_head_result result;
    struct h1_head head;
    struct request request;
    char *bytes; /* exactly as many as were seen: a read behind them is found by the address sanitizer */
};

/* What the bytes are when `seen` of them have come; each time they lie somewhere else. */
static void see(struct outcome *outcome, const char *data, size_t seen)
{
    char *bytes = malloc(seen > 0 ? seen : 1);
    memcpy(bytes, data, seen);
    free(outcome->bytes);
    outcome->bytes = bytes;
}

static void parse(struct outcome *outcome, const struct h1_scanner *scanner, struct slice text, size_t first,
                  size_t step, const struct session_host *host)
{
    memset(outcome, 0, sizeof *outcome);
    for (size_t seen = first;; seen = text.size - seen > step ? seen + step : text.size) {
        see(outcome, text.data, seen);
        struct slice bytes = slice_make(outcome->bytes, seen);
        outcome->result = h1_head_parse(scanner, &outcome->head, &outcome->request, bytes, host);
        if (outcome->result != H1_HEAD_MORE || seen == text.size)
            return;
    }
}

static bool same_place(struct slice a, const struct outcome *of_a, struct slice b, const struct outcome *of_b)
{
    return a.size == b.size && (a.size == 0 || slice_equal(a, b)) &&
           (a.size == 0 || a.data - of_a->bytes == b.data - of_b->bytes || slice_equal(a, SLICE("/")));
}

static void compare(const struct outcome *a, const struct outcome *b)
{
    const struct request *ra = &a->request, *rb = &b->request;

    CHECK(a->result == b->result);
    CHECK(a->head.bad_status == b->head.bad_status);
    if (a->result != H1_HEAD_DONE)
        return;
    CHECK(a->head.done == b->head.done);
    CHECK(ra->method == rb->method && ra->version == rb->version);
    CHECK(same_place(ra->method_name, a, rb->method_name, b));
    CHECK(same_place(ra->raw_target, a, rb->raw_target, b));
    CHECK(same_place(ra->path, a, rb->path, b));
    CHECK(same_place(ra->target.path, a, rb->target.path, b));
    CHECK(same_place(ra->target.query, a, rb->target.query, b));
    CHECK(same_place(ra->target.authority, a, rb->target.authority, b));
    CHECK(ra->target.form == rb->target.form && ra->target.has_query == rb->target.has_query);
    CHECK(ra->fields.count == rb->fields.count);
    CHECK(memcmp(ra->fields.at, rb->fields.at, ra->fields.count * sizeof ra->fields.at[0]) == 0);
    CHECK(memcmp(ra->fields.id, rb->fields.id, ra->fields.count) == 0);
    CHECK(memcmp(ra->fields.first, rb->fields.first, sizeof ra->fields.first) == 0);
}

/* The target is what http/ makes of it, whatever of it the head parser has looked at itself. */
static void check_target(const struct request *request)
{
    struct target target;

    CHECK(target_parse(&target, request->raw_target, request->method));
    CHECK(target.form == request->target.form && target.plain == request->target.plain);
    CHECK(target.has_query == request->target.has_query);
    CHECK(slice_equal(target.path, request->target.path) && slice_equal(target.query, request->target.query));
    CHECK(slice_equal(target.authority, request->target.authority));
    CHECK(slice_equal(request->path, target.plain ? target.path : SLICE("")));
}

/* What a head that was accepted may not be, whoever accepted it. */
static void check_accepted(const struct outcome *outcome)
{
    const struct request *request = &outcome->request;
    struct slice head = slice_make(outcome->bytes, outcome->head.done);

    CHECK(slice_ends(head, SLICE("\r\n\r\n")));
    for (size_t i = 0; i < head.size; i++) {
        CHECK(head.data[i] != '\0' && (head.data[i] != '\n' || head.data[i - 1] == '\r'));
        CHECK(head.data[i] != '\r' || head.data[i + 1] == '\n');
    }
    CHECK(field_name_valid(request->method_name));
    check_target(request);
    CHECK(request->version == 10 || request->version == 11);
    CHECK(request->version == 10 || fields_has(&request->fields, FIELD_HOST));
    for (unsigned i = 0; i < request->fields.count; i++) {
        CHECK(field_name_valid(fields_name(&request->fields, i)));
        CHECK(field_value_valid(fields_value(&request->fields, i)));
        CHECK(request->fields.id[i] == field_identify(fields_name(&request->fields, i)));
    }
}

/* The same fields behind another request line, which is as long as it can be told here: what is remembered of one must
 * not be what it was worth behind the other. */
static void learn_elsewhere(struct slice text, const struct session_host *host)
{
    static const char line[] = "GET /elsewhere HTTP/1.0\r\n";
    static struct outcome outcome;
    size_t end = slice_find(text, '\n');

    if (end == text.size)
        return;
    struct slice rest = slice_skip(text, end + 1);
    char *moved = malloc(sizeof line - 1 + rest.size);
    memcpy(moved, line, sizeof line - 1);
    memcpy(moved + sizeof line - 1, rest.data, rest.size);
    struct slice whole = slice_make(moved, sizeof line - 1 + rest.size);
    parse(&outcome, &h1_scanner_scalar, whole, whole.size, 1, host);
    if (outcome.result == H1_HEAD_DONE)
        check_accepted(&outcome);
    free(outcome.bytes);
    free(moved);
}

static void check(const struct outcome *reference, const struct h1_scanner *scanner, struct slice text,
                  const struct session_host *host)
{
    static struct outcome other;
    size_t cut = 0;

    for (size_t i = 0; i < text.size; i++)
        cut += (unsigned char)text.data[i];
    parse(&other, scanner, text, text.size, 1, host);
    compare(reference, &other);
    if (other.result == H1_HEAD_DONE)
        check_accepted(&other);
    free(other.bytes);
    parse(&other, scanner, text, cut % (text.size + 1), 1 + cut % 97, host);
    compare(reference, &other);
    free(other.bytes);
}

static void run(struct slice text, const struct session_limits *limits)
{
    static struct outcome reference;
    const struct h1_scanner *scanners[H1_SCANNERS];
    unsigned count = h1_scanner_list(scanners);
    const struct session_host forgetful = { .limits = limits };
    struct session_host mindful = { .limits = limits, .memo = h1_memo_new() };

    parse(&reference, &h1_scanner_scalar, text, 0, 1, &forgetful);
    if (reference.result == H1_HEAD_DONE)
        check_accepted(&reference);
    learn_elsewhere(text, &mindful);
    for (unsigned i = 0; i < count; i++) {
        check(&reference, scanners[i], text, &forgetful);
        check(&reference, scanners[i], text, &mindful);
    }
    free(reference.bytes);
    free(mindful.memo);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct session_limits wide = { .request_line_max = 8192, .head_max = 32768, .fields_max = 100 };
    static const struct session_limits tight = { .request_line_max = 40, .head_max = 130, .fields_max = 3 };
    struct slice text = slice_make((const char *)data, size);

    run(text, &wide);
    run(text, &tight);
    return 0;
}

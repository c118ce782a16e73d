/* The router against a matcher that looks at every pattern in turn. The input is lines: patterns, then "METHOD /path".
 *
 * The reference knows the rules and nothing of tables or trees: a pattern matches a path or not, and of those that
 * match with the method the one that is more literal at the first difference wins. */
#include <stdio.h>
#include <stdlib.h>

#include "serve/router.h"

enum { PATTERNS_MAX = 64 };

#define CHECK(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static void fail(const char *condition, int line)
{
    fprintf(stderr, "line %d: %s\n", line, condition);
    abort();
}

struct known {
    enum method method;
    char *text;        /* what the router was given */
    struct slice path; /* within it */
};

struct reference {
    struct known at[PATTERNS_MAX];
    unsigned count;
};

static struct slice next_line(struct slice *rest)
{
    size_t size = slice_find(*rest, '\n');
    struct slice line = slice_part(*rest, 0, size);
    *rest = slice_skip(*rest, size < rest->size ? size + 1 : size);
    return line;
}

static enum method split(struct slice line, struct slice *path)
{
    size_t size = slice_find(line, ' ');
    *path = slice_skip(line, size);
    while (path->size > 0 && path->data[0] == ' ')
        *path = slice_skip(*path, 1);
    return method_from(slice_part(line, 0, size));
}

/* Takes the text up to the next slash and that slash; `*more` says whether there was one. */
static struct slice next_segment(struct slice *rest, bool *more)
{
    size_t size = slice_find(*rest, '/');
    struct slice segment = slice_part(*rest, 0, size);
    *more = size < rest->size;
    *rest = slice_skip(*rest, *more ? size + 1 : size);
    return segment;
}

/* 0: literal, 1: {name}, 2: {name...} */
static unsigned kind_of(struct slice segment)
{
    if (segment.size == 0 || segment.data[0] != '{')
        return 0;
    return slice_ends(segment, SLICE("...}")) ? 2 : 1;
}

static struct slice name_of(struct slice segment)
{
    return slice_part(segment, 1, segment.size - (kind_of(segment) == 2 ? 4 : 1));
}

struct values {
    unsigned count;
    struct router_param at[ROUTER_PARAMS_MAX];
};

static bool matches(struct slice pattern, struct slice path, struct values *values)
{
    bool pattern_more = true, path_more = true;
    pattern = slice_skip(pattern, 1);
    path = slice_skip(path, 1);
    values->count = 0;
    while (pattern_more && path_more) {
        struct slice whole = path;
        struct slice segment = next_segment(&pattern, &pattern_more), value = next_segment(&path, &path_more);
        unsigned kind = kind_of(segment);
        if (kind == 0 ? !slice_equal(segment, value) : kind == 1 && value.size == 0)
            return false;
        if (kind > 0)
            values->at[values->count++] = (struct router_param){ name_of(segment), kind == 1 ? value : whole };
        if (kind == 2)
            return true;
    }
    return pattern_more == path_more;
}

/* Below 0: `a` is more literal than `b`; 0: they have the same shape. */
static int compare(struct slice a, struct slice b)
{
    bool a_more = true, b_more = true;
    a = slice_skip(a, 1);
    b = slice_skip(b, 1);
    while (a_more && b_more) {
        int kind = (int)kind_of(next_segment(&a, &a_more)), other = (int)kind_of(next_segment(&b, &b_more));
        if (kind != other)
            return kind - other;
    }
    return 0; /* two patterns which match one path and agree in kinds so far end together */
}

static bool same_shape(struct slice a, struct slice b)
{
    bool a_more = true, b_more = true;
    a = slice_skip(a, 1);
    b = slice_skip(b, 1);
    while (a_more && b_more) {
        struct slice segment = next_segment(&a, &a_more), other = next_segment(&b, &b_more);
        if (kind_of(segment) != kind_of(other) || (kind_of(segment) == 0 && !slice_equal(segment, other)))
            return false;
    }
    return a_more == b_more;
}

static void add(struct router *router, struct reference *reference, struct slice line)
{
    if (reference->count == PATTERNS_MAX || memchr(line.data, '\0', line.size))
        return;
    struct known *known = &reference->at[reference->count];
    known->text = strndup(line.data, line.size);
    known->method = split(slice_text(known->text), &known->path);
    char why[128] = "";
    enum router_error error = router_add(router, known->text, known->text, why, sizeof why);

    bool taken = false;
    for (unsigned i = 0; error != ROUTER_BAD_PATTERN && i < reference->count; i++)
        taken |= reference->at[i].method == known->method && same_shape(reference->at[i].path, known->path);
    CHECK((error == ROUTER_CONFLICT) == taken);
    CHECK((error == ROUTER_OK) == (why[0] == '\0'));
    if (error == ROUTER_OK)
        reference->count++;
    else
        free(known->text);
}

/* GET answers HEAD where this very shape has no HEAD of its own. */
static bool answers(const struct reference *reference, const struct known *known, enum method method)
{
    if (known->method == method)
        return true;
    if (method != METHOD_HEAD || known->method != METHOD_GET)
        return false;
    for (unsigned i = 0; i < reference->count; i++)
        if (reference->at[i].method == METHOD_HEAD && same_shape(reference->at[i].path, known->path))
            return false;
    return true;
}

static const struct known *find(const struct reference *reference, struct slice path, enum method method,
                                unsigned *methods)
{
    const struct known *best = NULL;
    struct values values;
    *methods = 0;
    for (unsigned i = 0; i < reference->count; i++) {
        const struct known *known = &reference->at[i];
        if (!matches(known->path, path, &values))
            continue;
        *methods |= method_bit(known->method) | method_bit(METHOD_OPTIONS);
        if (known->method == METHOD_GET)
            *methods |= method_bit(METHOD_HEAD);
        if (answers(reference, known, method) && (!best || compare(known->path, best->path) < 0))
            best = known;
    }
    return best;
}

static void check(const struct router *router, const struct reference *reference, struct slice path, enum method method)
{
    struct router_match match;
    unsigned methods;
    router_find(router, path, method, &match);
    const struct known *best = find(reference, path, method, &methods);

    CHECK(match.found == (methods != 0));
    CHECK(match.target == (best ? best->text : NULL));
    CHECK((match.methods & ~methods) == 0);
    if (!best) {
        CHECK(match.methods == methods);
        CHECK(match.param_count == 0);
        return;
    }
    struct values values;
    CHECK(matches(best->path, path, &values));
    CHECK(match.param_count == values.count);
    for (unsigned i = 0; i < values.count; i++) {
        CHECK(slice_equal(match.params[i].name, values.at[i].name));
        CHECK(match.params[i].value.data == values.at[i].value.data);
        CHECK(match.params[i].value.size == values.at[i].value.size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_make((const char *)data, size);
    struct reference reference = { .count = 0 };
    struct router *router = router_new();
    CHECK(router);
    while (rest.size > 0) {
        struct slice line = next_line(&rest), path;
        if (rest.size > 0) {
            add(router, &reference, line);
            continue;
        }
        enum method method = split(line, &path);
        if (path.size > 0 && path.data[0] == '/')
            check(router, &reference, path, method);
    }
    CHECK(router_empty(router) == (reference.count == 0));
    router_free(router);
    for (unsigned i = 0; i < reference.count; i++)
        free(reference.at[i].text);
    return 0;
}

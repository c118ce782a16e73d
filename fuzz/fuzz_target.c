/* Targets: the first byte of the input chooses the method, the rest is the target as it stands on the request line.
 *
 * What is taken has to lie within what was sent; a normal path begins with "/", has no dot segment, is UTF-8, and, once
 * it is encoded again, is its own normal form. */
#include <stdio.h>
#include <stdlib.h>

#include "http/target.h"

#define CHECK(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static void fail(const char *condition, int line)
{
    fprintf(stderr, "line %d: %s\n", line, condition);
    abort();
}

/* Blocks of exactly the size that is promised to be enough, so that the sanitizer sees a byte too many. */
static char *allocate(size_t size)
{
    char *block = malloc(size ? size : 1);
    CHECK(block);
    return block;
}

static bool within(struct slice part, struct slice whole)
{
    return part.size == 0 || (part.data >= whole.data && part.data + part.size <= whole.data + whole.size);
}

static void check_segments(struct slice path)
{
    CHECK(path.size > 0 && path.data[0] == '/');
    while (path.size > 0) {
        path = slice_skip(path, 1);
        struct slice segment = slice_part(path, 0, slice_find(path, '/'));
        CHECK(!slice_equal(segment, SLICE(".")) && !slice_equal(segment, SLICE("..")));
        CHECK(slice_find(segment, '\0') == segment.size && slice_find(segment, '\\') == segment.size);
        path = slice_skip(path, segment.size);
    }
}

/* Every byte but "/" as an escape. */
static struct slice encode(struct slice path)
{
    static const char digits[] = "0123456789abcdef";
    char *out = allocate(3 * path.size);
    size_t used = 0;
    for (size_t i = 0; i < path.size; i++) {
        unsigned char c = (unsigned char)path.data[i];
        if (c == '/') {
            out[used++] = '/';
            continue;
        }
        out[used++] = '%';
        out[used++] = digits[c >> 4];
        out[used++] = digits[c & 15];
    }
    return slice_make(out, used);
}

static void check_path(struct slice path, bool plain)
{
    char *out = allocate(path.size);
    size_t size = 0;
    bool taken = target_normalise(path, out, &size);
    CHECK(taken || !plain);
    if (taken) {
        struct slice normal = slice_make(out, size);
        CHECK(size <= path.size);
        CHECK(utf8_valid(normal));
        check_segments(normal);
        CHECK(!plain || slice_equal(normal, path));

        struct slice encoded = encode(normal);
        char *again = allocate(encoded.size);
        size_t again_size = 0;
        CHECK(target_normalise(encoded, again, &again_size));
        CHECK(slice_equal(slice_make(again, again_size), normal));
        free(again);
        free((char *)encoded.data);
    }
    free(out);
}

static void check_query(struct slice query)
{
    struct slice rest = query, name, value;
    while (query_next(&rest, &name, &value)) {
        CHECK(within(name, query) && within(value, query) && within(rest, query));
        CHECK(slice_find(name, '&') == name.size && slice_find(value, '&') == value.size);
        CHECK(slice_find(name, '=') == name.size);
    }
    char *out = allocate(query.size);
    size_t size = 0;
    if (query_decode(query, out, &size))
        CHECK(size <= query.size);
    free(out);
}

static void check_target(const struct target *target, struct slice raw, enum method method)
{
    CHECK(within(target->query, raw) && within(target->authority, raw));
    CHECK((method == METHOD_CONNECT) == (target->form == TARGET_AUTHORITY));
    CHECK(target->form != TARGET_ASTERISK || method == METHOD_OPTIONS);
    CHECK(target->authority.size == 0 || authority_valid(target->authority));
    bool has_path = target->form == TARGET_ORIGIN || target->form == TARGET_ABSOLUTE;
    CHECK(has_path == (target->path.size > 0));
    if (!has_path)
        return;
    CHECK(within(target->path, raw) || slice_equal(target->path, SLICE("/")));
    check_path(target->path, target->plain);
    check_query(target->query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    enum method method = (enum method)(data[0] % METHOD_COUNT);
    struct slice raw = slice_make((const char *)data + 1, size - 1);
    struct target target;
    if (target_parse(&target, raw, method))
        check_target(&target, raw, method);
    check_path(raw, false);
    check_query(raw);
    return 0;
}

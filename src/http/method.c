/* Request methods by number. A method is told by its size, which leaves two at most to compare with. It does not know
 * which methods a resource has. */
#include "http/method.h"

#include "base/writer.h"

static const struct slice names[METHOD_COUNT] = {
    [METHOD_OTHER] = SLICE_INIT(""),
    [METHOD_GET] = SLICE_INIT("GET"),
    [METHOD_HEAD] = SLICE_INIT("HEAD"),
    [METHOD_POST] = SLICE_INIT("POST"),
    [METHOD_PUT] = SLICE_INIT("PUT"),
    [METHOD_DELETE] = SLICE_INIT("DELETE"),
    [METHOD_CONNECT] = SLICE_INIT("CONNECT"),
    [METHOD_OPTIONS] = SLICE_INIT("OPTIONS"),
    [METHOD_TRACE] = SLICE_INIT("TRACE"),
    [METHOD_PATCH] = SLICE_INIT("PATCH"),
};

/* Whether a token of the right size is this method. Where the method is a constant, this is a comparison of words: 4
 * instructions, and 18 where memcmp is called. */
static inline __attribute__((always_inline)) bool is(struct slice token, enum method method)
{
    return memcmp(token.data, names[method].data, names[method].size) == 0;
}

enum method method_from(struct slice token)
{
    switch (token.size) {
    case 3:
        return is(token, METHOD_GET) ? METHOD_GET : is(token, METHOD_PUT) ? METHOD_PUT : METHOD_OTHER;
    case 4:
        return is(token, METHOD_POST) ? METHOD_POST : is(token, METHOD_HEAD) ? METHOD_HEAD : METHOD_OTHER;
    case 5:
        return is(token, METHOD_PATCH) ? METHOD_PATCH : is(token, METHOD_TRACE) ? METHOD_TRACE : METHOD_OTHER;
    case 6:
        return is(token, METHOD_DELETE) ? METHOD_DELETE : METHOD_OTHER;
    case 7:
        return is(token, METHOD_OPTIONS) ? METHOD_OPTIONS : is(token, METHOD_CONNECT) ? METHOD_CONNECT : METHOD_OTHER;
    default:
        return METHOD_OTHER;
    }
}

void method_write_allow(struct writer *w, unsigned methods)
{
    const char *separator = "";
    for (enum method method = METHOD_GET; method < METHOD_COUNT; method++) {
        if (!(methods & method_bit(method)))
            continue;
        writer_text(w, separator);
        writer_put(w, names[method]);
        separator = ", ";
    }
}

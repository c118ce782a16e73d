/* Request methods by number. A method is told by its size, and where that leaves two by one letter, so a look-up
 * costs one comparison. It does not know which methods a resource has. */
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

static enum method candidate(struct slice token)
{
    switch (token.size) {
    case 3:
        return token.data[0] == 'G' ? METHOD_GET : METHOD_PUT;
    case 4:
        return token.data[0] == 'H' ? METHOD_HEAD : METHOD_POST;
    case 5:
        return token.data[0] == 'T' ? METHOD_TRACE : METHOD_PATCH;
    case 6:
        return METHOD_DELETE;
    case 7:
        return token.data[0] == 'O' ? METHOD_OPTIONS : METHOD_CONNECT;
    default:
        return METHOD_OTHER;
    }
}

enum method method_from(struct slice token)
{
    enum method method = candidate(token);
    return slice_equal(token, names[method]) ? method : METHOD_OTHER;
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

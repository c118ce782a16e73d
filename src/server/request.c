/* The public calls that look at a request. */
#include "server/server.h"

#include "base/utf8.h"

static const struct request *of(const rh_request *request)
{
    return &((const struct exchange *)request)->request;
}

static rh_slice out(struct slice s)
{
    return (rh_slice){ s.data, s.size };
}

rh_slice rh_method(const rh_request *request)
{
    return out(of(request)->method_name);
}

rh_slice rh_path(const rh_request *request)
{
    return out(of(request)->path);
}

rh_slice rh_query_raw(const rh_request *request)
{
    return out(of(request)->target.query);
}

rh_slice rh_body(const rh_request *request)
{
    return out(of(request)->body);
}

rh_slice rh_peer(const rh_request *request)
{
    return out(of(request)->peer);
}

rh_slice rh_field(const rh_request *request, const char *name)
{
    return out(fields_find(&of(request)->fields, slice_text(name)));
}

rh_slice rh_param(const rh_request *request, const char *name)
{
    const struct router_match *match = ((const struct exchange *)request)->params;
    for (unsigned i = 0; match != NULL && i < match->param_count; i++)
        if (slice_equal(match->params[i].name, slice_text(name)))
            return out(match->params[i].value);
    return (rh_slice){ NULL, 0 };
}

bool rh_slice_is(rh_slice slice, const char *text)
{
    return slice_equal(slice_make(slice.data, slice.size), slice_text(text));
}

static bool is_text(char c)
{
    return ((unsigned char)c >= 0x20 && c != 0x7f) || c == '\t' || c == '\n' || c == '\r';
}

bool rh_slice_is_text(rh_slice slice)
{
    for (size_t i = 0; i < slice.size; i++)
        if (!is_text(slice.data[i]))
            return false;
    return utf8_valid(slice_make(slice.data, slice.size));
}

bool rh_slice_uint(rh_slice slice, uint64_t *value)
{
    return slice_uint(slice_make(slice.data, slice.size), value);
}

bool rh_slice_int(rh_slice slice, int64_t *value)
{
    struct slice digits = slice_make(slice.data, slice.size);
    bool negative = digits.size > 0 && digits.data[0] == '-';
    uint64_t size;
    if (negative)
        digits = slice_skip(digits, 1);
    if (!slice_uint(digits, &size) || size > (uint64_t)INT64_MAX + negative)
        return false;
    *value = negative ? (int64_t)(0 - size) : (int64_t)size;
    return true;
}

/* The difference is collected in a variable that the compiler has to keep as it is, so that it cannot stop early. */
bool rh_slice_is_secret(rh_slice slice, const char *secret)
{
    struct slice expected = slice_text(secret);
    volatile unsigned char different = slice.size != expected.size;
    if (slice.data == NULL)
        return false;
    for (size_t i = 0; i < slice.size && i < expected.size; i++)
        different |= (unsigned char)(slice.data[i] ^ expected.data[i]);
    return different == 0;
}

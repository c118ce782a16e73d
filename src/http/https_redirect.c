/* What was asked for, as it was sent, behind another scheme and port. See https_redirect.h. */
#include "http/https_redirect.h"

enum { HTTPS_PORT = 443 };

bool https_redirect_parse(struct slice text, struct https_redirect *redirect, struct why why)
{
    uint64_t port;
    *redirect = (struct https_redirect){ .kind = HTTPS_REDIRECT_AUTO };
    if (slice_equal(text, SLICE("auto")))
        return true;
    redirect->kind = HTTPS_REDIRECT_OFF;
    if (slice_equal(text, SLICE("off")))
        return true;
    if (!slice_uint(text, &port) || port < 1 || port > UINT16_MAX)
        return why_refuse(why, text, "write auto, off, or the port to which https goes");
    redirect->kind = HTTPS_REDIRECT_PORT;
    redirect->port = (unsigned)port;
    return true;
}

bool https_redirect_applies(const struct request *request)
{
    return target_has_path(&request->target) && !slice_starts(request->path, SLICE("/.well-known/acme-challenge/"));
}

/* Valid, or empty: the head's reader has seen to that. */
static struct slice authority_of(const struct request *request)
{
    bool absolute = request->target.form == TARGET_ABSOLUTE;
    return absolute ? request->target.authority : fields_get(&request->fields, FIELD_HOST);
}

/* Without the port; the colons of an IPv6 address stand in brackets. */
static struct slice host_of(struct slice authority)
{
    size_t bracket = slice_find(authority, ']');
    size_t from = bracket < authority.size ? bracket : 0;
    return slice_part(authority, 0, from + slice_find(slice_skip(authority, from), ':'));
}

size_t https_redirect_room(const struct request *request)
{
    return sizeof "https://:65535?" + authority_of(request).size + request->target.path.size +
           request->target.query.size;
}

bool https_redirect_write(const struct request *request, unsigned port, struct writer *w)
{
    struct slice host = host_of(authority_of(request));
    if (host.size == 0)
        return false;
    writer_text(w, "https://");
    writer_put(w, host);
    if (port != HTTPS_PORT) {
        writer_byte(w, ':');
        writer_uint(w, port);
    }
    writer_put(w, request->target.path);
    if (request->target.has_query) {
        writer_byte(w, '?');
        writer_put(w, request->target.query);
    }
    return true;
}

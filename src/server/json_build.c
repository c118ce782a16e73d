/* JSON call by call: keeps track of what may stand next, so that it cannot come out invalid. How values are written is
 * base/json's. */
#include "server/respond.h"

enum { DEPTH_MAX = 64 };

static struct json_place *place_of(rh_request *request)
{
    return &((struct exchange *)request)->response.place;
}

static bool in_object(const struct json_place *place)
{
    return place->depth > 0 && (place->objects >> (place->depth - 1) & 1);
}

static void refuse(rh_request *request, const char *what)
{
    respond_refuse((struct exchange *)request, "built JSON that is none: %s", what);
}

/* What stands before a value: a comma, the member's name. False: it may not stand here. */
static bool begin(rh_request *request, const char *name)
{
    struct json_place *place = place_of(request);
    if (place->whole || in_object(place) != (name != NULL)) {
        refuse(request, place->whole ? "a second value behind the whole one"
                                     : name != NULL ? "a name outside of an object" : "no name within an object");
        return false;
    }
    const char *comma = place->follows ? "," : "";
    if (name != NULL)
        rh_json_add(request, "%j%s:", comma, name);
    else if (place->follows)
        rh_json_add(request, ",");
    place->begun = true;
    place->follows = true;
    place->whole = place->depth == 0;
    return true;
}

static void open(rh_request *request, const char *name, bool object)
{
    struct json_place *place = place_of(request);
    if (place->depth == DEPTH_MAX) {
        refuse(request, "more than 64 within each other");
        return;
    }
    if (!begin(request, name))
        return;
    rh_json_add(request, object ? "{" : "[");
    uint64_t bit = UINT64_C(1) << place->depth;
    place->objects = object ? place->objects | bit : place->objects & ~bit;
    place->depth++;
    place->follows = false;
    place->whole = false;
}

void rh_json_object(rh_request *request, const char *name)
{
    open(request, name, true);
}

void rh_json_array(rh_request *request, const char *name)
{
    open(request, name, false);
}

void rh_json_end(rh_request *request)
{
    struct json_place *place = place_of(request);
    if (place->depth == 0) {
        refuse(request, "an end of nothing");
        return;
    }
    rh_json_add(request, in_object(place) ? "}" : "]");
    place->depth--;
    place->follows = true;
    place->whole = place->depth == 0;
}

void rh_json_text(rh_request *request, const char *name, const char *value)
{
    if (begin(request, name))
        rh_json_add(request, "%s", value);
}

void rh_json_slice(rh_request *request, const char *name, rh_slice value)
{
    if (begin(request, name))
        rh_json_add(request, "%S", value);
}

void rh_json_int(rh_request *request, const char *name, int64_t value)
{
    if (begin(request, name))
        rh_json_add(request, "%lld", (long long)value);
}

void rh_json_uint(rh_request *request, const char *name, uint64_t value)
{
    if (begin(request, name))
        rh_json_add(request, "%llu", (unsigned long long)value);
}

void rh_json_double(rh_request *request, const char *name, double value)
{
    if (begin(request, name))
        rh_json_add(request, "%f", value);
}

void rh_json_bool(rh_request *request, const char *name, bool value)
{
    if (begin(request, name))
        rh_json_add(request, "%b", (int)value);
}

void rh_json_null(rh_request *request, const char *name)
{
    if (begin(request, name))
        rh_json_add(request, "null");
}

/* What holds without configuration. It knows paths and no content. */
#include "serve/defaults.h"

#include "serve/hashed_name.h"

struct slice defaults_cache_control(struct slice path, bool guarded)
{
    if (!hashed_name(path))
        return SLICE("no-cache");
    return guarded ? SLICE("private, max-age=31536000, immutable") : SLICE("public, max-age=31536000, immutable");
}

struct field_pair defaults_nosniff(void)
{
    return (struct field_pair){ SLICE("X-Content-Type-Options"), SLICE("nosniff") };
}

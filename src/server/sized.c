/* Structs that a program hands over with their size. See sized.h. */
#include "server/sized.h"

static bool is_zero(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

bool sized_read(void *known, size_t known_size, const void *given, size_t given_size)
{
    size_t both = given == NULL ? 0 : given_size < known_size ? given_size : known_size;
    memset(known, 0, known_size);
    if (both > 0)
        memcpy(known, given, both);
    return both < known_size || is_zero((const unsigned char *)given + both, given_size - both);
}

bool sized_take(rh_server *server, void *known, size_t known_size, const void *given, size_t given_size)
{
    return sized_read(known, known_size, given, given_size) || server_fail(server, "the program sets " SIZED_UNKNOWN);
}

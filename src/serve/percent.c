/* Percent-encoding of a path. It does not know what the path names, and decoding is target's. */
#include "serve/percent.h"

/* pchar and "/" (RFC 3986 3.3), without "%" itself. */
static bool stays(unsigned char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        return true;
    return c != 0 && strchr("-._~!$&'()*+,;=:@/", c) != NULL;
}

void percent_write(struct writer *w, struct slice path)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < path.size; i++) {
        unsigned char c = (unsigned char)path.data[i];
        char escape[] = { '%', digits[c >> 4], digits[c & 15] };
        if (stays(c))
            writer_byte(w, (char)c);
        else
            writer_bytes(w, escape, sizeof escape);
    }
}

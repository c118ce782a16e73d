/* What formats have in common: text that is copied as it stands, between conversions that begin with a percent sign. It
 * does not know what a conversion is. */
#ifndef BASE_FORMAT_H
#define BASE_FORMAT_H

#include "base/writer.h"

/* How many of eight bytes, as they lie in memory, stand before the first percent sign. */
static inline unsigned format_before_percent(uint64_t eight)
{
    const uint64_t percents = 0x2525252525252525, low_bits = 0x7f7f7f7f7f7f7f7f;
    uint64_t odd = eight ^ percents; /* 0 where one stands */
    uint64_t found = ~(((odd & low_bits) + low_bits) | odd | low_bits);
    if (found == 0)
        return 8;
    bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
    return (unsigned)(little ? __builtin_ctzll(found) : __builtin_clzll(found)) / 8;
}

/* Copies until the next percent sign or the end, and returns where that is. Most texts are a few bytes long: to search
 * and to copy at once is half the work of doing one after the other. */
static inline const char *format_literal(struct writer *w, const char *at, const char *end)
{
    char *to = w->at;
    while (end - at >= 8 && w->end - to >= 8) {
        uint64_t eight;
        memcpy(&eight, at, 8);
        memcpy(to, &eight, 8);
        unsigned taken = format_before_percent(eight);
        at += taken;
        to += taken;
        if (taken < 8)
            break;
    }
    w->at = to;
    for (; at < end && *at != '%'; at++)
        writer_byte(w, *at);
    return at;
}

#endif

/* Writes what surrounds the parts of multipart/byteranges. It knows nothing of how a response is sent. */
#include "http/byteranges.h"

void byteranges_init(struct byteranges *parts, struct slice type, uint64_t size,
                     const uint8_t random[static BYTERANGES_RANDOM])
{
    static const char digits[] = "0123456789abcdef";
    parts->type = type;
    parts->size = size;
    for (size_t i = 0; i < BYTERANGES_RANDOM; i++) {
        parts->boundary[2 * i] = digits[random[i] >> 4];
        parts->boundary[2 * i + 1] = digits[random[i] & 15];
    }
}

/* Without quotes, which not every client understands (RFC 9110 14.6). */
void byteranges_type(struct writer *w, const struct byteranges *parts)
{
    writer_put(w, SLICE("multipart/byteranges; boundary="));
    writer_bytes(w, parts->boundary, sizeof parts->boundary);
}

/* The line break belongs to the boundary, not to the part before it; before the first one it ends an empty preamble. */
static void write_boundary(struct writer *w, const struct byteranges *parts)
{
    writer_put(w, SLICE("\r\n--"));
    writer_bytes(w, parts->boundary, sizeof parts->boundary);
}

void byteranges_head(struct writer *w, const struct byteranges *parts, struct range range)
{
    write_boundary(w, parts);
    writer_put(w, SLICE("\r\nContent-Type: "));
    writer_put(w, parts->type);
    writer_put(w, SLICE("\r\nContent-Range: "));
    range_write(w, range, parts->size);
    writer_put(w, SLICE("\r\n\r\n"));
}

void byteranges_end(struct writer *w, const struct byteranges *parts)
{
    write_boundary(w, parts);
    writer_put(w, SLICE("--\r\n"));
}

/* By writing it, without the type, which may be long. */
static size_t head_size(const struct byteranges *parts, struct range range)
{
    char text[BYTERANGES_HEAD_MAX];
    struct writer w = writer_on(text, sizeof text);
    struct byteranges typeless = *parts;
    typeless.type = SLICE("");
    byteranges_head(&w, &typeless, range);
    return writer_used(&w) + parts->type.size;
}

uint64_t byteranges_length(const struct byteranges *parts, const struct ranges *ranges)
{
    uint64_t length = BYTERANGES_END;
    for (unsigned i = 0; i < ranges->count; i++)
        length += head_size(parts, ranges->at[i]) + ranges->at[i].size;
    return length;
}

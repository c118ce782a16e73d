/* The text between the ranges lies in the exchange, like the list of the parts; the ranges are sent from where they
 * lie. */
#include "parts.h"

#include <sys/mman.h>
#include <unistd.h>

#include "http/byteranges.h"

enum { RANGES = 3, PARTS = 2 * RANGES + 1, TEXT_SIZE = 1024 };

static const struct range ranges[RANGES] = { { 0, 5000 }, { 5010, 10 }, { 18000, 2000 } };

static struct body text_from(const char *from, const struct writer *w, struct exchange *exchange)
{
    return (struct body){ .kind = BODY_SPAN, .data = from, .size = (size_t)(w->at - from), .hold = &exchange->hold };
}

static struct body bytes_of(const struct stage *stage, struct range range)
{
    const struct body *large = &stage->large->body;
    return (struct body){ .kind = BODY_SPAN, .data = large->data + range.first, .size = range.size,
                          .hold = large->hold };
}

static struct body file_of(struct stage *stage, struct range range)
{
    return (struct body){ .kind = BODY_FILE, .fd = stage->file, .offset = range.first, .size = range.size,
                          .hold = &stage->file_hold };
}

static void fill(struct stage *stage, struct exchange *exchange, struct body *parts, struct writer *w)
{
    static const uint8_t random[BYTERANGES_RANDOM] = { 0 };
    struct byteranges multipart;
    byteranges_init(&multipart, SLICE("text/plain"), STAGE_LARGE_SIZE, random);
    for (unsigned i = 0; i < RANGES; i++) {
        const char *from = w->at;
        byteranges_head(w, &multipart, ranges[i]);
        parts[2 * i] = text_from(from, w, exchange);
        parts[2 * i + 1] = i == 2 ? file_of(stage, ranges[i]) : bytes_of(stage, ranges[i]);
    }
    const char *from = w->at;
    byteranges_end(w, &multipart);
    parts[2 * RANGES] = text_from(from, w, exchange);
}

int parts_file(const struct body *content)
{
    int fd = memfd_create("stage", MFD_CLOEXEC);
    return fd >= 0 && write(fd, content->data, content->size) == (ssize_t)content->size ? fd : -1;
}

bool parts_answer(struct stage *stage, struct exchange *exchange)
{
    struct body *parts = arena_take(&exchange->arena, PARTS * sizeof *parts);
    char *text = arena_take(&exchange->arena, TEXT_SIZE);
    if (!parts || !text)
        return false;
    struct writer w = writer_on(text, TEXT_SIZE);
    fill(stage, exchange, parts, &w);
    struct body *body = &exchange->response.body;
    exchange->response.status = 206;
    *body = (struct body){ .kind = BODY_PARTS, .parts = parts, .part_count = PARTS };
    for (unsigned i = 0; i < PARTS; i++)
        body->size += parts[i].size;
    return true;
}

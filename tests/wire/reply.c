/* A client's view of the bytes, and what must hold for every reply whatever it answers. */
#include "reply.h"

static const struct slice interim = SLICE_INIT("HTTP/1.1 100 Continue\r\n\r\n");
static const struct slice date = SLICE_INIT("Sun, 06 Nov 1994 08:49:37 GMT");

unsigned reply_strip_interim(struct text *output)
{
    unsigned count = 0;
    for (char *found; output->size > 0 && (found = memmem(output->data, output->size, interim.data, interim.size));) {
        size_t behind = output->size - (size_t)(found - output->data) - interim.size;
        memmove(found, found + interim.size, behind);
        output->size -= interim.size;
        count++;
    }
    return count;
}

/* A line that ends in CRLF, without it. */
static bool take_line(struct slice *bytes, struct slice *line)
{
    size_t end = slice_find(*bytes, '\r');
    if (end + 1 >= bytes->size || bytes->data[end + 1] != '\n')
        return false;
    *line = slice_part(*bytes, 0, end);
    *bytes = slice_skip(*bytes, end + 2);
    return true;
}

static void look_for(struct slice name, struct slice lines, struct slice *found, unsigned *count)
{
    struct slice line;
    while (take_line(&lines, &line)) {
        size_t colon = slice_find(line, ':');
        if (!slice_equal_nocase(slice_part(line, 0, colon), name))
            continue;
        *found = slice_trim(slice_skip(line, colon + 1));
        ++*count;
    }
}

struct slice reply_field(const struct reply *reply, struct slice name, unsigned *count)
{
    struct slice found = { NULL, 0 };
    *count = 0;
    look_for(name, reply->head, &found, count);
    look_for(name, reply->trailers, &found, count);
    return *count == 1 ? found : slice_make(NULL, 0);
}

static const char *take_status(struct slice *bytes, struct reply *reply)
{
    struct slice line;
    uint64_t status = 0;
    if (!take_line(bytes, &line) || !slice_starts(line, SLICE("HTTP/1.1 ")) || line.size < 14)
        return "no status line";
    if (!slice_uint(slice_part(line, 9, 12), &status) || line.data[12] != ' ')
        return "no status in the status line";
    reply->status = (unsigned)status;
    return NULL;
}

static const char *take_fields(struct slice *bytes, struct reply *reply)
{
    struct slice line;
    const char *start = bytes->data;
    for (;;) {
        reply->head = slice_make(start, (size_t)(bytes->data - start));
        if (!take_line(bytes, &line))
            return "a field line without CRLF";
        if (line.size == 0)
            return NULL;
        size_t colon = slice_find(line, ':');
        if (colon == 0 || colon + 1 >= line.size || slice_find(line, '\n') != line.size)
            return "a malformed field line";
    }
}

static bool bodiless(unsigned status)
{
    return status == 101 || status == 204 || status == 304;
}

static const char *check_fields(const struct reply *reply)
{
    unsigned dates, servers, lengths, codings, connections;
    struct slice said = reply_field(reply, SLICE("Date"), &dates);
    reply_field(reply, SLICE("Server"), &servers);
    reply_field(reply, SLICE("Content-Length"), &lengths);
    reply_field(reply, SLICE("Transfer-Encoding"), &codings);
    reply_field(reply, SLICE("Connection"), &connections);
    if (!slice_equal(said, date))
        return "not exactly one Date, of now";
    if (servers != 1)
        return "not exactly one Server";
    if (lengths + codings > 1)
        return "two ways to tell the length";
    if (connections > 1)
        return "several Connection fields";
    if (bodiless(reply->status) && lengths + codings > 0)
        return "a length where there is no content";
    return NULL;
}

static const char *take_trailers(struct slice *bytes, struct reply *reply)
{
    const char *start = bytes->data;
    for (struct slice line; take_line(bytes, &line);) {
        if (line.size > 0)
            continue;
        reply->trailers = slice_make(start, (size_t)(line.data - start));
        return NULL;
    }
    return "no empty line behind the last chunk";
}

static const char *take_chunks(struct slice *bytes, struct reply *reply)
{
    static const char digits[] = "0123456789abcdef";
    for (;;) {
        struct slice line;
        uint64_t size = 0;
        if (!take_line(bytes, &line) || line.size == 0 || line.size > 8)
            return "no chunk size";
        for (size_t i = 0; i < line.size; i++) {
            const char *digit = memchr(digits, line.data[i], sizeof digits - 1);
            if (!digit)
                return "a chunk size that is not hexadecimal";
            size = size * 16 + (uint64_t)(digit - digits);
        }
        if (size == 0)
            return take_trailers(bytes, reply);
        if (size > bytes->size)
            return "a chunk that ends too early";
        text_append(&reply->body, slice_part(*bytes, 0, size));
        *bytes = slice_skip(*bytes, size);
        if (!take_line(bytes, &line) || line.size != 0)
            return "a chunk that does not end in CRLF";
    }
}

static const char *take_body(struct slice *bytes, struct reply *reply)
{
    unsigned count;
    uint64_t size = 0;
    if (reply_field(reply, SLICE("Transfer-Encoding"), &count).data)
        return take_chunks(bytes, reply);
    struct slice length = reply_field(reply, SLICE("Content-Length"), &count);
    if (!length.data)
        size = bytes->size;
    else if (!slice_uint(length, &size) || size > bytes->size)
        return "a Content-Length that is not true";
    text_append(&reply->body, slice_part(*bytes, 0, size));
    *bytes = slice_skip(*bytes, size);
    return NULL;
}

const char *reply_take(struct slice *bytes, bool to_head, struct reply *reply)
{
    *reply = (struct reply){ 0 };
    const char *wrong = take_status(bytes, reply);
    if (!wrong)
        wrong = take_fields(bytes, reply);
    if (!wrong)
        wrong = check_fields(reply);
    if (wrong || to_head || bodiless(reply->status))
        return wrong;
    return take_body(bytes, reply);
}

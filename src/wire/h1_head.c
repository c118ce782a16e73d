/* The head parser: lines, field lines by a cursor, each checked byte for byte and noted as offsets.
 *
 * A step parses one line and gives a verdict: a line, not yet, or a status. Each step decides at the earliest byte that
 * shows its case, and nothing behind that byte can change it; that is why a split cannot change an answer.
 * It copies nothing, and it does not know what a field means, but for Host. */
#include "wire/h1_head.h"

#include "wire/h1_cursor.h"
#include "wire/h1_memo.h"

#define RARE __attribute__((noinline))

enum { EMPTY_LINES_MAX = 4, VERSION_SIZE = sizeof "HTTP/1.1" - 1, CRLF_SIZE = 2 };

enum verdict {
    LINE, /* complete; the position has moved behind its CRLF */
    MORE, /* legal as far as it goes */
    BAD_REQUEST = 400,
    URI_TOO_LONG = 414,
    HEAD_TOO_LARGE = 431,
    WRONG_VERSION = 505
};

static inline size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* A CRLF at the front of something that is not empty. */
static inline enum verdict take_crlf(struct slice rest)
{
    if (rest.data[0] != '\r')
        return BAD_REQUEST;
    if (rest.size < CRLF_SIZE)
        return MORE;
    return rest.data[1] == '\n' ? LINE : BAD_REQUEST;
}

/* HTTP-version and CRLF (RFC 9112 2.3). Version 2 and beyond is told only when the line is well-formed to its end. */
static RARE enum verdict take_any_version(struct slice rest, uint8_t *version)
{
    static const char pattern[VERSION_SIZE + 1] = "HTTP/0.0";
    const char *text = rest.data;
    size_t there = min_size(rest.size, VERSION_SIZE);

    for (size_t i = 0; i < there; i++) {
        bool fits = pattern[i] == '0' ? text[i] >= '0' && text[i] <= '9' : text[i] == pattern[i];
        if (!fits)
            return BAD_REQUEST;
    }
    if (there > 5 && text[5] == '0')
        return BAD_REQUEST; /* HTTP/0.9 has no version on its line, so HTTP/0.x is nothing at all */
    if (rest.size <= VERSION_SIZE)
        return MORE;

    enum verdict verdict = take_crlf(slice_skip(rest, VERSION_SIZE));
    if (verdict == LINE && text[5] != '1')
        return WRONG_VERSION;
    *version = text[7] == '0' ? 10 : 11; /* a higher minor version is spoken to as 1.1 (RFC 9110 2.5) */
    return verdict;
}

static inline enum verdict take_version(struct slice rest, uint8_t *version)
{
    static const char usual[] = "HTTP/1.1\r\n";

    if (rest.size < sizeof usual - 1 || memcmp(rest.data, usual, sizeof usual - 1) != 0)
        return take_any_version(rest, version);
    *version = 11;
    return LINE;
}

/* The method and its space. "GET " is met most and needs no search. */
static inline enum verdict take_method(struct slice bytes, size_t *at, enum method *method)
{
    struct slice rest = slice_skip(bytes, *at);

    if (rest.size >= 4 && memcmp(rest.data, "GET ", 4) == 0) {
        *method = METHOD_GET;
        *at += 4;
        return LINE;
    }
    size_t size = char_run(rest, CHAR_TOKEN);
    if (size == rest.size)
        return MORE;
    if (size == 0 || rest.data[size] != ' ')
        return BAD_REQUEST;
    *method = method_from(slice_part(rest, 0, size));
    *at += size + 1;
    return LINE;
}

/* How many bytes from `from` on, before which there is another one, are plain in a path: CHAR_PATH, and dots that
 * follow no slash. It looks at 32 bytes at a time and stops where there are less, so that a stop says nothing of the
 * byte there. Some 40 instructions, where target_parse takes 5 for each byte and more for each dot. */
static inline size_t run_plain(const struct h1_scanner *scanner, const char *from, const char *end)
{
    for (const char *at = from;; at += H1_HALF) {
        if (end - at < H1_HALF)
            return (size_t)(at - from);
        for (uint32_t stops = ~scanner->scan_path(at); stops != 0; stops &= stops - 1) {
            const char *stop = at + (unsigned)__builtin_ctz(stops);
            if (*stop != '.' || stop[-1] == '/')
                return (size_t)(stop - from);
        }
    }
}

/* The request-target and its space; of it the first `plain` bytes have been seen to be that. CHAR_QUERY is all that may
 * be in any target. */
static inline enum verdict take_target(const struct h1_scanner *scanner, struct slice bytes, size_t *at, size_t *plain)
{
    size_t size = run_plain(scanner, bytes.data + *at, bytes.data + bytes.size);
    struct slice rest = slice_skip(bytes, *at);

    *plain = size;
    if (size == rest.size || rest.data[size] != ' ')
        size += char_run(slice_skip(rest, size), CHAR_QUERY);
    if (size == rest.size)
        return MORE;
    if (size == 0 || rest.data[size] != ' ')
        return BAD_REQUEST;
    *at += size + 1;
    return LINE;
}

static RARE bool set_any_target(struct request *request, size_t plain)
{
    request->path = slice_make(NULL, 0);
    if (!target_parse_from(&request->target, request->raw_target, request->method, plain))
        return false;
    if (request->target.plain)
        request->path = request->target.path;
    return true;
}

/* Most targets are nothing but a plain path, of which all has been seen then. False where it is no target. */
static inline bool set_target(struct request *request, struct slice raw, size_t plain)
{
    request->raw_target = raw;
    if (plain < raw.size || raw.data[0] != '/' || request->method == METHOD_CONNECT)
        return set_any_target(request, plain);
    target_set_plain(&request->target, raw);
    request->path = raw;
    return true;
}

/* method SP request-target SP HTTP-version CRLF (RFC 9112 3), from `*at` on. */
static inline enum verdict take_request_line(const struct h1_scanner *scanner, struct slice bytes, struct h1_head *head,
                                             struct request *request, size_t *at)
{
    size_t begin = *at, plain;
    enum method method;

    enum verdict verdict = take_method(bytes, at, &method);
    if (verdict != LINE)
        return verdict;
    size_t target = *at;
    verdict = take_target(scanner, bytes, at, &plain);
    if (verdict != LINE)
        return verdict;

    head->method_size = (uint16_t)(target - 1 - begin);
    head->target_size = (uint16_t)(*at - 1 - target);
    request->method = method;
    request->version = 0;
    request->persistent = false;
    request->method_name = slice_part(bytes, begin, target - 1);
    if (!set_target(request, slice_part(bytes, target, *at - 1), plain))
        return BAD_REQUEST;

    verdict = take_version(slice_skip(bytes, *at), &request->version);
    *at += VERSION_SIZE + CRLF_SIZE;
    return verdict;
}

/* The slices of a request line that was parsed by an earlier call, when its bytes lie somewhere else now. */
static RARE void move_line(const struct h1_head *head, struct request *request, const char *base)
{
    const char *line = base + (size_t)head->empty_lines * CRLF_SIZE;

    if (request->method_name.data == line)
        return;
    request->method_name = slice_make(line, head->method_size);
    set_target(request, slice_make(line + head->method_size + 1, head->target_size), 0);
}

/* What there is to look at for the request line that begins at `at`: a line that is too long is told by the first byte
 * over the limit that is not its CR or LF, and that byte must not be looked at for anything else. */
static inline struct slice narrow(struct slice bytes, size_t at, size_t line_max)
{
    if (bytes.size - at <= line_max)
        return bytes;
    size_t over = at + line_max;
    if (bytes.data[over] == '\r')
        return slice_part(bytes, 0, min_size(bytes.size, over + CRLF_SIZE));
    return slice_part(bytes, 0, bytes.data[over] == '\n' ? over + 1 : over);
}

/* Empty lines, a few, then the request line. */
static inline enum verdict take_start(const struct h1_scanner *scanner, struct slice bytes, struct h1_head *head,
                                      struct request *request, size_t line_max)
{
    size_t at = head->done;

    while (at < bytes.size && bytes.data[at] == '\r' && head->empty_lines < EMPTY_LINES_MAX) {
        enum verdict verdict = take_crlf(slice_skip(bytes, at));
        if (verdict != LINE)
            return verdict;
        at += CRLF_SIZE;
        head->empty_lines++;
        head->done = (uint32_t)at;
    }

    struct slice window = narrow(bytes, at, line_max);
    enum verdict verdict = take_request_line(scanner, window, head, request, &at);
    if (verdict == MORE && window.size < bytes.size)
        return URI_TOO_LONG;
    if (verdict != LINE)
        return verdict;

    head->fields_at = (uint16_t)at;
    head->done = (uint32_t)at;
    fields_reset(&request->fields, bytes.data);
    return LINE;
}

void h1_head_forget(const struct h1_head *head, struct request *request)
{
    if (head->method_size == 0) {
        request->method = METHOD_OTHER;
        request->version = 0;
        request->persistent = false;
    }
    request->method_name = request->raw_target = request->path = slice_make(NULL, 0);
    request->target = (struct target){ .form = TARGET_ORIGIN };
    fields_reset(&request->fields, NULL);
}

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Behind the white space at `at`; the value's CR ends it. */
static RARE size_t skip_blanks(const char *data, size_t at)
{
    while (is_blank(data[at]))
        at++;
    return at;
}

/* The end of what begins at `begin` and has white space before `end`. */
static RARE size_t trim_blanks(const char *data, size_t begin, size_t end)
{
    while (end > begin && is_blank(data[end - 1]))
        end--;
    return end;
}

/* field-name ":" OWS field-value OWS CRLF (RFC 9112 5). A name that is empty or that has white space before or behind
 * it, an obs-fold among these, does not end at a colon; a value ends at its first control, which has to be the CR.
 * False where that is not what there is: judge_field says what to make of it. */
static inline bool take_field(struct h1_cursor *cursor, size_t *at, struct field *field)
{
    const char *data = cursor->data;
    size_t name = *at;
    size_t colon = h1_cursor_not_token(cursor, name), end = h1_cursor_control(cursor, colon);
    if (end + 1 >= cursor->size || memcmp(data + end, "\r\n", CRLF_SIZE) != 0 || data[colon] != ':' || colon == name)
        return false;

    *at = end + CRLF_SIZE;
    field->name = (uint16_t)name;
    field->name_size = (uint16_t)(colon - name);

    size_t value = colon + (data[colon + 1] == ' ' ? 2 : 1); /* mostly this is all the white space there is */
    if ((unsigned char)data[value] <= ' ')
        value = skip_blanks(data, value);
    if ((unsigned char)data[end - 1] <= ' ')
        end = trim_blanks(data, value, end);
    field->value = (uint16_t)value;
    field->value_size = (uint16_t)(end - value);
    return true;
}

/* What there is at `name`, no field and no empty line, is wrong or not all there yet. It has a cursor of its own: one
 * whose address nobody has lives in registers. */
static RARE enum verdict judge_field(const struct h1_scanner *scanner, struct slice bytes, size_t name)
{
    struct h1_cursor cursor;

    h1_cursor_init(&cursor, scanner, bytes, name);
    size_t colon = h1_cursor_not_token(&cursor, name), end = h1_cursor_control(&cursor, colon);
    if (colon == bytes.size)
        return MORE;
    if (bytes.data[colon] != ':' || colon == name)
        return BAD_REQUEST;
    return end == bytes.size || (end + 1 == bytes.size && bytes.data[end] == '\r') ? MORE : BAD_REQUEST;
}

static inline void note_field(struct h1_head *head, struct fields *fields, unsigned index)
{
    enum field_id id = field_identify(fields_name(fields, index));

    if (id == FIELD_HOST && fields_has(fields, FIELD_HOST))
        head->host_again = true;
    fields_note(fields, index, id);
}

/* The field lines and the empty line behind them, which is no field and so ends the loop: that no line is asked first
 * whether it is empty spares 4 instructions a field. One field too many is told by its first byte. */
static inline enum verdict take_fields(const struct h1_scanner *scanner, struct slice bytes, struct h1_head *head,
                                       struct fields *fields, size_t fields_max)
{
    size_t at = head->done;
    unsigned count = fields->count;
    struct h1_cursor cursor;

    h1_cursor_init(&cursor, scanner, bytes, at);
    for (; count < fields_max && take_field(&cursor, &at, &fields->at[count]); count++)
        note_field(head, fields, count);
    fields->count = count;
    head->done = (uint32_t)at;
    if (at == bytes.size)
        return MORE;
    if (bytes.data[at] != '\r')
        return count == fields_max ? HEAD_TOO_LARGE : judge_field(scanner, bytes, at);

    enum verdict verdict = take_crlf(slice_skip(bytes, at));
    if (verdict == LINE)
        head->done += CRLF_SIZE;
    return verdict;
}

/* How many bytes of this part of a head stand in a host's name for themselves; it may be told less than there are. The
 * 32 bytes looked at are those from its beginning on or the last ones of all. */
static inline size_t run_host(const struct h1_scanner *scanner, struct slice bytes, struct slice part)
{
    if (bytes.size < H1_HALF)
        return 0;
    size_t last = bytes.size - H1_HALF, at = min_size((size_t)(part.data - bytes.data), last);
    size_t before = (size_t)(part.data - bytes.data) - at;
    uint32_t others = ~scanner->scan_host(bytes.data + at) >> before;
    size_t run = others != 0 ? (unsigned)__builtin_ctz(others) : H1_HALF - before;
    return min_size(run, part.size);
}

/* Exactly one valid Host in 1.1, at most one in 1.0 (RFC 9112 3.2). An empty one is for URIs without an authority; an
 * http URI has one (RFC 9110 4.2.1), so it is not valid here. */
static inline bool host_valid(const struct h1_scanner *scanner, const struct h1_head *head,
                              const struct request *request, struct slice bytes)
{
    if (!fields_has(&request->fields, FIELD_HOST))
        return request->version == 10;
    struct slice host = fields_get(&request->fields, FIELD_HOST);
    return !head->host_again && authority_valid_from(host, run_host(scanner, bytes, host));
}

/* Nothing of an earlier head stays in one that ends within its request line. */
static RARE void forget_line(const struct h1_head *head, struct request *request)
{
    const char *base = request->fields.base;
    if (head->method_size == 0)
        h1_head_forget(head, request);
    fields_reset(&request->fields, base);
}

/* All the fields at once, where they are the same as in an earlier request. That one's were valid, with exactly one
 * valid Host, which is enough for 1.0 and 1.1. */
static inline bool recall(struct h1_memo *memo, struct h1_head *head, struct request *request, struct slice bytes)
{
    if (!memo || head->done != head->fields_at)
        return false;
    size_t size = h1_memo_recall(memo, head->slot, slice_skip(bytes, head->done), &request->fields);
    head->done += (uint32_t)size;
    return size > 0;
}

static RARE void learn(struct h1_memo *memo, struct h1_head *head, const struct request *request, struct slice bytes)
{
    struct slice block = slice_part(bytes, head->fields_at, head->done);
    if (fields_has(&request->fields, FIELD_HOST))
        head->slot = h1_memo_learn(memo, head->slot, block, &request->fields);
}

enum h1_head_result h1_head_parse(const struct h1_scanner *scanner, struct h1_head *head, struct request *request,
                                  struct slice bytes, const struct session_host *host)
{
    const struct session_limits *limits = host->limits;
    struct slice window = slice_part(bytes, 0, min_size(bytes.size, limits->head_max));
    enum verdict verdict = LINE;

    if (head->fields_at == 0)
        verdict = take_start(scanner, window, head, request, limits->request_line_max);
    else
        move_line(head, request, bytes.data);
    if (verdict == LINE) {
        request->fields.base = bytes.data;
        if (recall(host->memo, head, request, window))
            return H1_HEAD_DONE;
        verdict = take_fields(scanner, window, head, &request->fields, limits->fields_max);
    }

    if (verdict == MORE && bytes.size < limits->head_max)
        return H1_HEAD_MORE;
    if (verdict == MORE)
        verdict = HEAD_TOO_LARGE;
    if (verdict == LINE && host_valid(scanner, head, request, window)) {
        if (host->memo)
            learn(host->memo, head, request, window);
        return H1_HEAD_DONE;
    }
    if (head->fields_at == 0)
        forget_line(head, request);
    head->bad_status = verdict == LINE ? BAD_REQUEST : (uint16_t)verdict;
    return H1_HEAD_BAD;
}

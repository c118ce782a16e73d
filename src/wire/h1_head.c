/* The head parser: lines found by the cursor, each checked byte for byte and noted as offsets.
 *
 * A step parses one line and gives a verdict: a line, not yet, or a status. Each step decides at the earliest byte that
 * shows its case, and nothing behind that byte can change it; that is why a split cannot change an answer.
 * It copies nothing, and it does not know what a field means, but for Host. */
#include "wire/h1_head.h"

#include "wire/h1_cursor.h"

enum { EMPTY_LINES_MAX = 4, VERSION_SIZE = sizeof "HTTP/1.1" - 1, CRLF_SIZE = 2 };

enum verdict {
    LINE, /* complete; the position has moved behind its CRLF */
    MORE, /* legal as far as it goes */
    BAD_REQUEST = 400,
    URI_TOO_LONG = 414,
    HEAD_TOO_LARGE = 431,
    WRONG_VERSION = 505
};

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* A CRLF at `at`, which lies before the end. */
static inline enum verdict take_crlf(const struct h1_cursor *cursor, size_t at)
{
    if (cursor->data[at] != '\r')
        return BAD_REQUEST;
    if (at + 1 >= cursor->size)
        return MORE;
    return cursor->data[at + 1] == '\n' ? LINE : BAD_REQUEST;
}

/* HTTP-version and CRLF (RFC 9112 2.3). Version 2 and beyond is told only when the line is well-formed to its end. */
static enum verdict take_any_version(const struct h1_cursor *cursor, size_t at, uint8_t *version)
{
    static const char pattern[VERSION_SIZE + 1] = "HTTP/0.0";
    const char *text = cursor->data + at;
    size_t there = min_size(cursor->size - at, VERSION_SIZE);

    for (size_t i = 0; i < there; i++) {
        bool fits = pattern[i] == '0' ? text[i] >= '0' && text[i] <= '9' : text[i] == pattern[i];
        if (!fits)
            return BAD_REQUEST;
    }
    if (there > 5 && text[5] == '0')
        return BAD_REQUEST; /* HTTP/0.9 has no version on its line, so HTTP/0.x is nothing at all */
    if (cursor->size - at <= VERSION_SIZE)
        return MORE;

    enum verdict verdict = take_crlf(cursor, at + VERSION_SIZE);
    if (verdict == LINE && text[5] != '1')
        return WRONG_VERSION;
    *version = text[7] == '0' ? 10 : 11; /* a higher minor version is spoken to as 1.1 (RFC 9110 2.5) */
    return verdict;
}

static enum verdict take_version(const struct h1_cursor *cursor, size_t at, uint8_t *version)
{
    static const char usual[] = "HTTP/1.1\r\n";

    if (cursor->size - at < sizeof usual - 1 || memcmp(cursor->data + at, usual, sizeof usual - 1) != 0)
        return take_any_version(cursor, at, version);
    *version = 11;
    return LINE;
}

/* The first byte from `at` on that no target can have: a space, another control, or one beyond ASCII. The characters
 * that a target has and a token has not ("/", "?", "=") stop the search on its way; there are few. */
static size_t find_target_end(struct h1_cursor *cursor, size_t at)
{
    for (;; at++) {
        at = h1_cursor_not_token(cursor, at);
        if (at == cursor->size || (unsigned char)(cursor->data[at] - '!') > '~' - '!')
            return at;
    }
}

/* The method's end: "GET " is met most and needs no search. */
static inline size_t find_method_end(struct h1_cursor *cursor, size_t at)
{
    if (cursor->size - at >= 4 && memcmp(cursor->data + at, "GET ", 4) == 0)
        return at + 3;
    return h1_cursor_not_token(cursor, at);
}

/* Sets what the request knows of its line; false where the target is not one. */
static bool bind_line(const struct h1_head *head, struct request *request, const char *base)
{
    const char *line = base + (size_t)head->empty_lines * CRLF_SIZE;

    request->method_name = slice_make(line, head->method_size);
    request->raw_target = slice_make(line + head->method_size + 1, head->target_size);
    if (!target_parse(&request->target, request->raw_target, request->method))
        return false;
    request->path = request->target.plain ? request->target.path : slice_make(NULL, 0);
    return true;
}

/* method SP request-target SP HTTP-version CRLF (RFC 9112 3), from `*at` on. */
static enum verdict take_request_line(struct h1_cursor *cursor, struct h1_head *head, struct request *request,
                                      size_t *at)
{
    size_t method = *at;
    size_t method_end = find_method_end(cursor, method);
    if (method_end == cursor->size)
        return MORE;
    if (method_end == method || cursor->data[method_end] != ' ')
        return BAD_REQUEST;

    size_t target = method_end + 1;
    size_t target_end = find_target_end(cursor, target);
    if (target_end == cursor->size)
        return MORE;
    if (target_end == target || cursor->data[target_end] != ' ')
        return BAD_REQUEST;

    head->method_size = (uint16_t)(method_end - method);
    head->target_size = (uint16_t)(target_end - target);
    request->method = method_from(slice_make(cursor->data + method, head->method_size));
    if (!bind_line(head, request, cursor->data))
        return BAD_REQUEST;

    enum verdict verdict = take_version(cursor, target_end + 1, &request->version);
    *at = target_end + 1 + VERSION_SIZE + CRLF_SIZE;
    return verdict;
}

/* Where to stop looking at the request line that begins at `at`: a line that is too long is told by the first byte over
 * the limit that is not its CR or LF, and that byte must not be looked at for anything else. */
static size_t find_window(const struct h1_cursor *cursor, size_t at, size_t line_max)
{
    if (cursor->size - at <= line_max)
        return cursor->size;
    size_t over = at + line_max;
    if (cursor->data[over] == '\r')
        return min_size(cursor->size, over + CRLF_SIZE);
    return cursor->data[over] == '\n' ? over + 1 : over;
}

/* Empty lines, a few, then the request line. */
static enum verdict take_start(struct h1_cursor *cursor, struct h1_head *head, struct request *request, size_t line_max)
{
    size_t size = cursor->size, at = head->done;

    while (at < size && cursor->data[at] == '\r' && head->empty_lines < EMPTY_LINES_MAX) {
        enum verdict verdict = take_crlf(cursor, at);
        if (verdict != LINE)
            return verdict;
        at += CRLF_SIZE;
        head->empty_lines++;
        head->done = (uint32_t)at;
    }

    size_t window = find_window(cursor, at, line_max);
    h1_cursor_resize(cursor, window);
    enum verdict verdict = take_request_line(cursor, head, request, &at);
    h1_cursor_resize(cursor, size);
    if (verdict == MORE && window < size)
        return URI_TOO_LONG;
    if (verdict != LINE)
        return verdict;

    head->line_done = true;
    head->done = (uint32_t)at;
    fields_reset(&request->fields, cursor->data);
    return LINE;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The value without the white space around it; `end` is where its CR is, which ends the first loop. */
static __attribute__((noinline)) void trim_value(const char *data, size_t *value, size_t *end)
{
    while (is_blank(data[*value]))
        ++*value;
    while (*end > *value && is_blank(data[*end - 1]))
        --*end;
}

/* field-name ":" OWS field-value OWS CRLF (RFC 9112 5). A name that is empty or that has white space before or behind
 * it, an obs-fold among these, does not end at a colon; a value ends at its first control, which has to be the CR. */
static inline enum verdict take_field(struct h1_cursor *cursor, size_t *at, struct field *field)
{
    const char *data = cursor->data;
    size_t name = *at, size = cursor->size;
    size_t colon = h1_cursor_not_token(cursor, name);
    if (colon == size)
        return MORE;
    if (data[colon] != ':' || colon == name)
        return BAD_REQUEST;

    size_t value = colon + 1, end = h1_cursor_control(cursor, value);
    if (end + 1 >= size)
        return end == size || data[end] == '\r' ? MORE : BAD_REQUEST;
    if (memcmp(data + end, "\r\n", CRLF_SIZE) != 0)
        return BAD_REQUEST;

    *at = end + CRLF_SIZE;
    value += data[value] == ' '; /* mostly this is all the white space there is */
    if ((unsigned char)data[value] <= ' ' || (unsigned char)data[end - 1] <= ' ')
        trim_value(data, &value, &end);
    field->name = (uint16_t)name;
    field->name_size = (uint16_t)(colon - name);
    field->value = (uint16_t)value;
    field->value_size = (uint16_t)(end - value);
    return LINE;
}

static inline void note_field(struct h1_head *head, struct fields *fields, unsigned index)
{
    enum field_id id = field_identify(fields_name(fields, index));

    fields->id[index] = (uint8_t)id;
    if (fields->first[id] == 0)
        fields->first[id] = (uint8_t)(index + 1);
    else if (id == FIELD_HOST)
        head->host_again = true;
}

/* The field lines and the empty line behind them. One field too many is told by its first byte. */
static enum verdict take_fields(struct h1_cursor *cursor, struct h1_head *head, struct fields *fields,
                                unsigned fields_max)
{
    size_t at = head->done;
    unsigned count = fields->count;
    enum verdict verdict = LINE;

    for (; count < fields_max; count++) {
        verdict = take_field(cursor, &at, &fields->at[count]);
        if (verdict != LINE)
            break;
        note_field(head, fields, count);
    }
    fields->count = count;
    head->done = (uint32_t)at;
    if (at == cursor->size)
        return MORE;
    if (cursor->data[at] != '\r')
        return count < fields_max ? verdict : HEAD_TOO_LARGE;

    verdict = take_crlf(cursor, at);
    if (verdict == LINE)
        head->done += CRLF_SIZE;
    return verdict;
}

/* Exactly one valid Host in 1.1, at most one in 1.0 (RFC 9112 3.2). An empty one is for URIs without an authority; an
 * http URI has one (RFC 9110 4.2.1), so it is not valid here. */
static bool host_valid(const struct h1_head *head, const struct request *request)
{
    if (!fields_has(&request->fields, FIELD_HOST))
        return request->version == 10;
    return !head->host_again && authority_valid(fields_get(&request->fields, FIELD_HOST));
}

enum h1_head_result h1_head_parse_with(h1_scan *scan, struct h1_head *head, struct request *request, struct slice bytes,
                                       const struct session_limits *limits)
{
    size_t head_max = min_size(limits->head_max, FIELDS_HEAD_MAX);
    enum verdict verdict = LINE;
    struct h1_cursor cursor;

    h1_cursor_init(&cursor, scan, bytes.data, min_size(bytes.size, head_max));
    if (!head->line_done)
        verdict = take_start(&cursor, head, request, limits->request_line_max);
    else if (request->method_name.data != bytes.data + (size_t)head->empty_lines * CRLF_SIZE)
        bind_line(head, request, bytes.data);
    if (verdict == LINE) {
        request->fields.base = bytes.data;
        verdict = take_fields(&cursor, head, &request->fields, (unsigned)min_size(limits->fields_max, FIELDS_MAX));
    }

    if (verdict == MORE && bytes.size < head_max)
        return H1_HEAD_MORE;
    if (verdict == MORE)
        verdict = HEAD_TOO_LARGE;
    if (verdict == LINE && host_valid(head, request))
        return H1_HEAD_DONE;
    head->bad_status = verdict == LINE ? BAD_REQUEST : (uint16_t)verdict;
    return H1_HEAD_BAD;
}

enum h1_head_result h1_head_parse(struct h1_head *head, struct request *request, struct slice bytes,
                                  const struct session_limits *limits)
{
    return h1_head_parse_with(h1_scan_best(), head, request, bytes, limits);
}

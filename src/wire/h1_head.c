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
static enum verdict take_version(const struct h1_cursor *cursor, size_t at, uint8_t *version)
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

/* The first byte from `at` on that no target can have: a space, another control, or one beyond ASCII. The characters that
 * a target has and a token has not ("/", "?", "=") stop the search on its way; there are few. */
static size_t find_target_end(struct h1_cursor *cursor, size_t at)
{
    for (;; at++) {
        at = h1_cursor_not_token(cursor, at);
        if (at == cursor->size || (unsigned char)(cursor->data[at] - '!') > '~' - '!')
            return at;
    }
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
static enum verdict take_request_line(struct h1_cursor *cursor, struct h1_head *head, struct request *request, size_t *at)
{
    size_t method = *at;
    size_t method_end = h1_cursor_not_token(cursor, method);
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

/* Empty lines, a few, then the request line. A line that is too long is told by the first byte over the limit that is not
 * its CR; that byte must not be looked at for anything else, so the line is parsed in a window that ends before it. */
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

    size_t window = size;
    if (size - at > line_max)
        window = min_size(size, at + line_max + (cursor->data[at + line_max] == '\r' ? CRLF_SIZE : 0));
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

static inline void note_field(struct fields *fields, struct field field)
{
    unsigned index = fields->count++;
    enum field_id id = field_identify(slice_make(fields->base + field.name, field.name_size));

    fields->at[index] = field;
    fields->id[index] = (uint8_t)id;
    if (fields->first[id] == 0)
        fields->first[id] = (uint8_t)fields->count;
}

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* field-name ":" OWS field-value OWS CRLF (RFC 9112 5). A name that is empty or that has white space before or behind it, an
 * obs-fold among these, does not end at a colon; a value ends at its first control, which has to be the CR. */
static inline enum verdict take_field(struct h1_cursor *cursor, struct fields *fields, size_t *at)
{
    const char *data = cursor->data;
    size_t name = *at;
    size_t colon = h1_cursor_not_token(cursor, name);
    if (colon == cursor->size)
        return MORE;
    if (data[colon] != ':' || colon == name)
        return BAD_REQUEST;

    size_t value = colon + 1, line_end = h1_cursor_control(cursor, value);
    if (line_end == cursor->size)
        return MORE;
    enum verdict verdict = take_crlf(cursor, line_end);
    if (verdict != LINE)
        return verdict;

    size_t value_end = line_end;
    while (is_blank(data[value]))
        value++; /* the CR stops it */
    while (value_end > value && is_blank(data[value_end - 1]))
        value_end--;
    note_field(fields, (struct field){ (uint16_t)name, (uint16_t)(colon - name), (uint16_t)value,
                                       (uint16_t)(value_end - value) });
    *at = line_end + CRLF_SIZE;
    return LINE;
}

/* The field lines up to the empty line; `fields_max` is told by the first byte of the field that is too much. */
static enum verdict take_fields(struct h1_cursor *cursor, struct h1_head *head, struct fields *fields, unsigned fields_max)
{
    size_t at = head->done;
    enum verdict verdict = LINE;

    while (at < cursor->size && cursor->data[at] != '\r') {
        verdict = fields->count < fields_max ? take_field(cursor, fields, &at) : HEAD_TOO_LARGE;
        if (verdict != LINE)
            break;
    }
    head->done = (uint32_t)at;
    if (verdict != LINE)
        return verdict;
    if (at == cursor->size)
        return MORE;

    verdict = take_crlf(cursor, at);
    if (verdict == LINE)
        head->done += CRLF_SIZE;
    return verdict;
}

/* Exactly one valid Host in 1.1, at most one in 1.0 (RFC 9112 3.2). An empty one is for URIs without an authority; an http
 * URI has one (RFC 9110 4.2.1), so it is not valid here. */
static bool host_valid(const struct request *request)
{
    const struct fields *fields = &request->fields;
    unsigned behind = fields->first[FIELD_HOST];

    if (behind == 0)
        return request->version == 10;
    return fields_next(fields, FIELD_HOST, behind) < 0 && authority_valid(fields_value(fields, behind - 1));
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
    if (verdict == LINE && host_valid(request))
        return H1_HEAD_DONE;
    head->bad_status = verdict == LINE ? BAD_REQUEST : (uint16_t)verdict;
    return H1_HEAD_BAD;
}

enum h1_head_result h1_head_parse(struct h1_head *head, struct request *request, struct slice bytes,
                                  const struct session_limits *limits)
{
    return h1_head_parse_with(h1_scan_best(), head, request, bytes, limits);
}

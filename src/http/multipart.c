/* A machine over the bytes of a form. The delimiter begins with a CR, which no boundary has in it; so where a match
 * breaks off, only the byte that broke it can begin another one. */
#include "http/multipart.h"

#include "http/fields.h"

#include <string.h>

enum state {
    IN_PREAMBLE,  /* before the first delimiter; what stands there means nothing */
    IN_CONTENT,
    AT_DELIMITER, /* behind one: "--" or the rest of the line */
    AT_DASH,
    AT_LINE_END,  /* padding (RFC 2046 5.1.1), CR */
    AT_LF,
    IN_HEAD,
    IN_EPILOGUE,
    IS_BAD
};

/* ---- Parameters --------------------------------------------------------------------------------------------- */

/* How many bytes stand before the closing quote; as many as there are: none does. Browsers escape nothing with a
 * backslash, but some clients a quote: so a backslash at the very end may be either. */
static size_t quoted_size(struct slice text)
{
    size_t size = 0;
    while (size < text.size && text.data[size] != '"')
        size += text.data[size] == '\\' && size + 1 < text.size && text.data[size + 1] == '"' ? 2 : 1;
    return size < text.size ? size : slice_find(text, '"');
}

/* The next "; name=value" of a field's value, the value without quotes. False: there is none, and what is left is
 * nothing, or it is malformed. */
static bool next_parameter(struct slice *rest, struct slice *name, struct slice *value)
{
    *rest = slice_trim(*rest);
    bool follows = rest->size > 0 && rest->data[0] == ';';
    while (rest->size > 0 && rest->data[0] == ';') /* between two there may be nothing (RFC 9110 5.6.6) */
        *rest = slice_trim(slice_skip(*rest, 1));
    size_t equals = slice_find(*rest, '=');
    *name = slice_trim(slice_part(*rest, 0, equals));
    if (!follows || equals == rest->size || !field_name_valid(*name))
        return false;
    struct slice behind = slice_trim(slice_skip(*rest, equals + 1));
    size_t size = 0;
    bool quoted = behind.size > 0 && behind.data[0] == '"';
    if (quoted) {
        behind = slice_skip(behind, 1);
        size = quoted_size(behind);
        if (size == behind.size)
            return false;
    } else {
        size = slice_find(behind, ';');
    }
    *value = slice_part(behind, 0, size);
    *rest = slice_skip(behind, size + quoted);
    if (!quoted)
        *value = slice_trim(*value);
    return true;
}

/* `*value`; data NULL: there is none of that name. False: it stands there twice, or they are malformed, so that others
 * may read something else there. */
static bool find_parameter(struct slice field, struct slice wanted, struct slice *value)
{
    struct slice rest = slice_skip(field, slice_find(field, ';')), name, found;
    *value = slice_make(NULL, 0);
    while (next_parameter(&rest, &name, &found)) {
        if (!slice_equal_nocase(name, wanted))
            continue;
        if (value->data != NULL)
            return false;
        *value = found;
    }
    return rest.size == 0;
}

/* RFC 2046 5.1.1: bchars, which do not end in a space. */
static bool boundary_valid(struct slice boundary)
{
    static const char more[] = "'()+_,-./:=? ";
    for (size_t i = 0; i < boundary.size; i++) {
        char c = boundary.data[i], lower = ascii_lower(c);
        bool alphanumeric = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
        if (!alphanumeric && memchr(more, c, sizeof more - 1) == NULL)
            return false;
    }
    return boundary.size > 0 && boundary.size <= MULTIPART_BOUNDARY_MAX && boundary.data[boundary.size - 1] != ' ';
}

struct slice multipart_boundary(struct slice content_type)
{
    struct slice type = slice_trim(slice_part(content_type, 0, slice_find(content_type, ';')));
    struct slice boundary;
    bool good = slice_equal_nocase(type, SLICE("multipart/form-data")) &&
                find_parameter(content_type, SLICE("boundary"), &boundary) && boundary_valid(boundary);
    return good ? boundary : slice_make(NULL, 0);
}

/* ---- The head of a part ------------------------------------------------------------------------------------- */

static bool starts_nocase(struct slice text, struct slice start)
{
    return text.size >= start.size && slice_equal_nocase(slice_part(text, 0, start.size), start);
}

/* What browsers (HTML, "escape a multipart form data name") and curl write for a quote and for line breaks. Shorter or
 * as long, so it is undone in place. */
static struct slice unescape(struct multipart *m, struct slice text)
{
    static const struct slice escapes[] = { SLICE_INIT("%22"), SLICE_INIT("%0D"), SLICE_INIT("%0A"),
                                            SLICE_INIT("\\\"") };
    static const char meant[] = "\"\r\n\"";
    if (text.data == NULL)
        return text;
    char *to = m->head + (text.data - m->head);
    char *start = to;
    while (text.size > 0) {
        size_t i = 0;
        while (i < 4 && !starts_nocase(text, escapes[i]))
            i++;
        *to++ = i < 4 ? meant[i] : text.data[0];
        text = slice_skip(text, i < 4 ? escapes[i].size : 1);
    }
    return slice_make(start, (size_t)(to - start));
}

static bool read_disposition(struct multipart *m, struct slice value)
{
    struct slice kind = slice_trim(slice_part(value, 0, slice_find(value, ';')));
    if (!slice_equal_nocase(kind, SLICE("form-data")) || m->name.data != NULL)
        return false;
    struct slice name, filename;
    if (!find_parameter(value, SLICE("filename"), &filename) || !find_parameter(value, SLICE("name"), &name))
        return false;
    m->name = unescape(m, name);
    m->filename = unescape(m, filename);
    return m->name.data != NULL;
}

static bool read_line(struct multipart *m, struct slice line)
{
    size_t colon = slice_find(line, ':');
    struct slice name = slice_part(line, 0, colon);
    if (colon == line.size || !field_name_valid(name))
        return false;
    struct slice value = slice_trim(slice_skip(line, colon + 1));
    if (!field_value_valid(value))
        return false;
    if (slice_equal_nocase(name, SLICE("Content-Disposition")))
        return read_disposition(m, value);
    if (!slice_equal_nocase(name, SLICE("Content-Type")))
        return true;
    bool first = m->type.data == NULL;
    m->type = value;
    return first;
}

static bool read_head(struct multipart *m)
{
    struct slice rest = slice_make(m->head, m->head_size);
    m->name = m->filename = m->type = slice_make(NULL, 0);
    while (rest.size > 0) {
        size_t end = slice_find(rest, '\n');
        if (end == 0 || rest.data[end - 1] != '\r')
            return false;
        if (end > 1 && !read_line(m, slice_part(rest, 0, end - 1)))
            return false;
        rest = slice_skip(rest, end + 1);
    }
    return m->name.data != NULL;
}

/* ---- The machine -------------------------------------------------------------------------------------------- */

void multipart_init(struct multipart *m, struct slice boundary)
{
    *m = (struct multipart){ .state = IN_PREAMBLE, .matched = 2 }; /* it may begin with the delimiter, without a CRLF */
    memcpy(m->delimiter, "\r\n--", 4);
    memcpy(m->delimiter + 4, boundary.data, boundary.size);
    m->delimiter_size = (uint8_t)(4 + boundary.size);
}

static enum multipart_result fail(struct multipart *m)
{
    m->state = IS_BAD;
    return MULTIPART_BAD;
}

/* Content up to the delimiter. Where a match of that breaks off, what matched is content, too. */
static enum multipart_result read_content(struct multipart *m, struct slice *bytes, struct slice *data)
{
    bool part = m->state == IN_CONTENT;
    while (bytes->size > 0) {
        if (m->matched == 0) {
            size_t plain = slice_find(*bytes, '\r');
            *data = slice_part(*bytes, 0, plain);
            m->matched = plain < bytes->size;
            *bytes = slice_skip(*bytes, plain + m->matched);
            if (part && plain > 0)
                return MULTIPART_DATA;
        } else if (bytes->data[0] != m->delimiter[m->matched]) {
            *data = slice_make(m->delimiter, m->matched);
            m->matched = 0;
            if (part)
                return MULTIPART_DATA;
        } else {
            *bytes = slice_skip(*bytes, 1);
            if (++m->matched < m->delimiter_size)
                continue;
            m->matched = 0;
            m->state = AT_DELIMITER;
            return part ? MULTIPART_END : MULTIPART_MORE;
        }
    }
    return MULTIPART_MORE;
}

static enum multipart_result read_head_bytes(struct multipart *m, struct slice *bytes)
{
    while (bytes->size > 0) {
        if (m->head_size == MULTIPART_HEAD_MAX)
            return fail(m);
        char c = bytes->data[0];
        m->head[m->head_size++] = c;
        *bytes = slice_skip(*bytes, 1);
        struct slice head = slice_make(m->head, m->head_size);
        bool whole = slice_equal(head, SLICE("\r\n")) || slice_ends(head, SLICE("\r\n\r\n"));
        if (c != '\n' || !whole)
            continue;
        if (!read_head(m))
            return fail(m);
        m->state = IN_CONTENT;
        return MULTIPART_PART;
    }
    return MULTIPART_MORE;
}

/* One byte behind a delimiter. */
static enum state behind_delimiter(struct multipart *m, char c)
{
    bool padding = c == ' ' || c == '\t';
    switch ((enum state)m->state) {
    case AT_DELIMITER:
        if (c == '-')
            return AT_DASH;
        return c == '\r' ? AT_LF : padding ? AT_LINE_END : IS_BAD;
    case AT_DASH: return c == '-' ? IN_EPILOGUE : IS_BAD;
    case AT_LINE_END: return c == '\r' ? AT_LF : padding ? AT_LINE_END : IS_BAD;
    case AT_LF:
        m->head_size = 0;
        return c == '\n' ? IN_HEAD : IS_BAD;
    case IN_PREAMBLE:
    case IN_CONTENT:
    case IN_HEAD:
    case IN_EPILOGUE:
    case IS_BAD: break;
    }
    return IS_BAD;
}

enum multipart_result multipart_next(struct multipart *m, struct slice *bytes, struct slice *data)
{
    while (bytes->size > 0) {
        enum multipart_result result = MULTIPART_MORE;
        switch ((enum state)m->state) {
        case IN_PREAMBLE:
        case IN_CONTENT: result = read_content(m, bytes, data); break;
        case IN_HEAD: result = read_head_bytes(m, bytes); break;
        case AT_DELIMITER:
        case AT_DASH:
        case AT_LINE_END:
        case AT_LF:
            m->state = (uint8_t)behind_delimiter(m, bytes->data[0]);
            *bytes = slice_skip(*bytes, 1);
            result = m->state == IN_EPILOGUE ? MULTIPART_DONE : MULTIPART_MORE;
            break;
        case IN_EPILOGUE:
            *bytes = slice_skip(*bytes, bytes->size);
            break;
        case IS_BAD: return MULTIPART_BAD;
        }
        if (result != MULTIPART_MORE)
            return result;
    }
    return m->state == IS_BAD ? MULTIPART_BAD : MULTIPART_MORE;
}

bool multipart_whole(const struct multipart *m)
{
    return m->state == IN_EPILOGUE;
}

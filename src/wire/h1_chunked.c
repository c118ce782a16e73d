/* The chunked coding as a machine of one byte at a time, but for the data, which is passed on in runs.
 *
 * Every byte of a size line or a trailer is one step from a state to the next, so a split cannot matter, and each state
 * names the bytes it takes; any other is an error. It keeps no trailer: it only looks at their names. */
#include "wire/h1_chunked.h"

#include "http/fields.h"

enum state {
    SIZE_FIRST, /* all zero at the start */
    SIZE,
    EXTENSION_BLANK, /* white space that a ";" has to follow */
    EXTENSION,       /* behind ";", before the name */
    EXTENSION_NAME,
    EXTENSION_NAME_BLANK, /* white space that a "=" or ";" has to follow */
    EXTENSION_VALUE,      /* behind "=", before the value */
    EXTENSION_TOKEN,
    EXTENSION_QUOTED,
    EXTENSION_ESCAPED,
    EXTENSION_QUOTED_END,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER, /* the start of a line */
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    END_LF,
    DONE,
    BAD
};

enum { SIZE_DIGITS_MAX = 16 };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_text(char c)
{
    return char_is(c, CHAR_VALUE);
}

/* The value of a hex digit, 16 for any other byte. */
static unsigned hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* Up to 16 digits, leading zeros among them, and no more than 63 bits: elsewhere sizes are signed. */
static enum state add_digit(struct h1_chunked *chunked, char c)
{
    if (hex_value(c) > 15 || chunked->line > SIZE_DIGITS_MAX || chunked->left > INT64_MAX / 16)
        return BAD;
    chunked->left = chunked->left * 16 + hex_value(c);
    return SIZE;
}

/* What may follow a whole size or extension: another extension or the line's end. */
static enum state end_part(char c, enum state blank)
{
    if (c == ';')
        return EXTENSION;
    if (c == '\r')
        return SIZE_LF;
    return is_blank(c) ? blank : BAD;
}

/* chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ), RFC 9112 7.1.1. White space before the
 * line's end is not in it. */
static enum state step_extension(enum state state, char c)
{
    switch ((int)state) {
    case EXTENSION_BLANK:
        return is_blank(c) ? EXTENSION_BLANK : c == ';' ? EXTENSION : BAD;
    case EXTENSION:
        return is_blank(c) ? EXTENSION : char_is(c, CHAR_TOKEN) ? EXTENSION_NAME : BAD;
    case EXTENSION_NAME:
        if (char_is(c, CHAR_TOKEN))
            return EXTENSION_NAME;
        return c == '=' ? EXTENSION_VALUE : end_part(c, EXTENSION_NAME_BLANK);
    case EXTENSION_NAME_BLANK:
        if (is_blank(c))
            return EXTENSION_NAME_BLANK;
        return c == '=' ? EXTENSION_VALUE : c == ';' ? EXTENSION : BAD;
    case EXTENSION_VALUE:
        if (is_blank(c))
            return EXTENSION_VALUE;
        return c == '"' ? EXTENSION_QUOTED : char_is(c, CHAR_TOKEN) ? EXTENSION_TOKEN : BAD;
    case EXTENSION_TOKEN:
        return char_is(c, CHAR_TOKEN) ? EXTENSION_TOKEN : end_part(c, EXTENSION_BLANK);
    case EXTENSION_QUOTED:
        if (c == '"')
            return EXTENSION_QUOTED_END;
        return c == '\\' ? EXTENSION_ESCAPED : is_text(c) ? EXTENSION_QUOTED : BAD;
    case EXTENSION_ESCAPED:
        return is_text(c) ? EXTENSION_QUOTED : BAD;
    case EXTENSION_QUOTED_END:
        return end_part(c, EXTENSION_BLANK);
    }
    return BAD;
}

static enum state step_size(struct h1_chunked *chunked, enum state state, char c)
{
    if (state == SIZE_LF) {
        if (c != '\n')
            return BAD;
        chunked->line = 0;
        return chunked->left > 0 ? DATA : TRAILER;
    }
    if (c != '\r' && ++chunked->line > H1_CHUNK_LINE_MAX)
        return BAD;
    if (state == SIZE_FIRST)
        return add_digit(chunked, c);
    if (state == SIZE && hex_value(c) < 16)
        return add_digit(chunked, c);
    if (c != '\r' && ++chunked->extensions > H1_CHUNK_EXTENSIONS_MAX)
        return BAD;
    return state == SIZE ? end_part(c, EXTENSION_BLANK) : step_extension(state, c);
}

/* Where a message ends, whose it is and what becomes of the connection cannot be said behind it (RFC 9110 6.5.1). */
static const uint8_t refused_names[] = { FIELD_CONNECTION, FIELD_CONTENT_LENGTH,    FIELD_EXPECT, FIELD_HOST, FIELD_TE,
                                         FIELD_TRAILER,    FIELD_TRANSFER_ENCODING, FIELD_UPGRADE };

enum { REFUSED_COUNT = sizeof refused_names };

_Static_assert(REFUSED_COUNT <= 8, "a bit of h1_chunked.refused for each");

static enum state add_name(struct h1_chunked *chunked, char c)
{
    if (!char_is(c, CHAR_TOKEN))
        return BAD;
    for (unsigned i = 0; chunked->refused >> i != 0; i++) {
        struct slice name = field_name(refused_names[i]);
        if (chunked->name_size >= name.size || name.data[chunked->name_size] != ascii_lower(c))
            chunked->refused &= (uint8_t)~(1u << i);
    }
    chunked->name_size += chunked->name_size < UINT8_MAX;
    return TRAILER_NAME;
}

static enum state end_name(const struct h1_chunked *chunked)
{
    for (unsigned i = 0; chunked->refused >> i != 0; i++)
        if ((chunked->refused >> i & 1) && field_name(refused_names[i]).size == chunked->name_size)
            return BAD;
    return TRAILER_VALUE;
}

static enum state step_trailer(struct h1_chunked *chunked, enum state state, char c)
{
    if (state == TRAILER && c == '\r')
        return END_LF;
    if (state == END_LF)
        return c == '\n' ? DONE : BAD;
    if (++chunked->line > H1_TRAILER_MAX)
        return BAD;

    switch ((int)state) {
    case TRAILER:
        chunked->name_size = 0;
        chunked->refused = (1u << REFUSED_COUNT) - 1;
        return add_name(chunked, c);
    case TRAILER_NAME:
        return c == ':' ? end_name(chunked) : add_name(chunked, c);
    case TRAILER_VALUE:
        return c == '\r' ? TRAILER_LF : is_text(c) ? TRAILER_VALUE : BAD;
    case TRAILER_LF:
        return c == '\n' ? TRAILER : BAD;
    }
    return BAD;
}

static enum state step(struct h1_chunked *chunked, enum state state, char c)
{
    if (state <= SIZE_LF)
        return step_size(chunked, state, c);
    if (state == DATA_CR)
        return c == '\r' ? DATA_LF : BAD;
    if (state == DATA_LF)
        return c == '\n' ? SIZE_FIRST : BAD;
    return step_trailer(chunked, state, c);
}

static enum h1_chunked_result take_data(struct h1_chunked *chunked, struct slice *bytes, struct slice *data)
{
    size_t run = chunked->left < bytes->size ? (size_t)chunked->left : bytes->size;

    *data = slice_part(*bytes, 0, run);
    *bytes = slice_skip(*bytes, run);
    chunked->left -= run;
    if (chunked->left == 0)
        chunked->state = DATA_CR;
    return H1_CHUNKED_DATA;
}

enum h1_chunked_result h1_chunked_next(struct h1_chunked *chunked, struct slice *bytes, struct slice *data)
{
    while (bytes->size > 0 && chunked->state < DONE) {
        if (chunked->state == DATA)
            return take_data(chunked, bytes, data);
        chunked->state = (uint8_t)step(chunked, (enum state)chunked->state, bytes->data[0]);
        *bytes = slice_skip(*bytes, 1);
    }
    if (chunked->state == DONE)
        return H1_CHUNKED_DONE;
    return chunked->state == BAD ? H1_CHUNKED_BAD : H1_CHUNKED_MORE;
}

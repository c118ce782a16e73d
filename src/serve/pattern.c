/* Reads and checks the pattern of a route, and explains to a programmer what is wrong with one.
 *
 * A literal is compared with the decoded normal path (http/target.h), so whatever such a path can never contain is
 * refused here: a route that nothing can reach is a mistake, and the earlier it is told the better. */
#include "serve/pattern.h"

#include "base/utf8.h"
#include "http/fields.h"

struct parse {
    struct pattern *pattern;
    struct why why;
};

__attribute__((format(printf, 2, 3))) static bool refuse(const struct parse *parse, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    why_refuse_with(parse->why, parse->pattern->text, format, arguments);
    va_end(arguments);
    return false;
}

static bool read_method(struct parse *parse)
{
    struct pattern *pattern = parse->pattern;
    size_t size = slice_find(pattern->text, ' ');
    struct slice name = slice_part(pattern->text, 0, size);
    if (size == 0 || name.data[0] == '/')
        return refuse(parse, "a pattern begins with a method; write for example GET /hello");

    pattern->method = method_from(name);
    if (pattern->method == METHOD_OTHER)
        return refuse(parse, "%.*s is not a method that the server knows; write for example GET or POST, "
                      "in capital letters", (int)name.size, name.data);
    if (pattern->method == METHOD_CONNECT)
        return refuse(parse, "a CONNECT request has no path, so no route can answer it");

    pattern->path = slice_skip(pattern->text, size);
    while (pattern->path.size > 0 && pattern->path.data[0] == ' ')
        pattern->path = slice_skip(pattern->path, 1);
    if (pattern->path.size == 0 || pattern->path.data[0] != '/')
        return refuse(parse, "the path begins with a slash; write for example %.*s /hello", (int)name.size, name.data);
    return true;
}

/* What no normal path contains, or nobody means. */
static bool check_characters(struct parse *parse)
{
    struct slice path = parse->pattern->path;
    for (size_t i = 0; i < path.size; i++) {
        unsigned char c = (unsigned char)path.data[i];
        if (c < ' ' || c == 0x7f)
            return refuse(parse, "there is a control character in the path");
        if (c == '\\')
            return refuse(parse, "no path has a backslash in it; segments are separated by /");
        if (c == '?' || c == '#')
            return refuse(parse, "a pattern is of the path alone; it ends before the %c", c);
        if (c == '%' && path.size - i > 2 && char_is(path.data[i + 1], CHAR_HEX) && char_is(path.data[i + 2], CHAR_HEX))
            return refuse(parse, "%.3s is compared with the decoded path; write the character that it stands for",
                          path.data + i);
    }
    if (path.data[path.size - 1] == ' ')
        return refuse(parse, "there is a space at the end");
    if (!utf8_valid(path))
        return refuse(parse, "the path is not valid UTF-8");
    return true;
}

static bool name_valid(struct slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = ascii_lower(name.data[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return false;
    }
    return name.size > 0;
}

static bool name_taken(const struct pattern *pattern, struct slice name)
{
    for (unsigned i = 0; i < pattern->segment_count; i++)
        if (pattern->segments[i].kind != SEGMENT_LITERAL && slice_equal(pattern->segments[i].text, name))
            return true;
    return false;
}

/* `text` begins with "{" and is a whole segment. */
static bool read_parameter(struct parse *parse, struct slice text, struct segment *segment)
{
    struct slice inside = slice_skip(text, 1);
    size_t close = slice_find(inside, '}');
    if (close == inside.size)
        return refuse(parse, "a brace is not closed; write %.*s}", (int)text.size, text.data);
    if (close + 1 < inside.size)
        return refuse(parse, "a parameter is a whole segment; write %.*s}", (int)close + 1, text.data);

    segment->kind = SEGMENT_PARAMETER;
    segment->text = slice_part(inside, 0, close);
    if (slice_ends(segment->text, SLICE("..."))) {
        segment->kind = SEGMENT_REST;
        segment->text.size -= 3;
    }
    if (!name_valid(segment->text))
        return refuse(parse, "a parameter has a name of letters, digits, _ and -; write for example {id} or {rest...}");
    if (name_taken(parse->pattern, segment->text))
        return refuse(parse, "two parameters are called {%.*s}; give them different names",
                      (int)segment->text.size, segment->text.data);
    if (++parse->pattern->param_count > PATTERN_PARAMS_MAX)
        return refuse(parse, "it has more than %d parameters", PATTERN_PARAMS_MAX);
    return true;
}

static bool read_literal(struct parse *parse, struct slice text, struct segment *segment)
{
    if (slice_find(text, '{') < text.size)
        return refuse(parse, "a parameter is a whole segment; write a slash before the brace");
    if (slice_find(text, '}') < text.size)
        return refuse(parse, "a brace is closed that was not opened; write for example {id}");
    if (slice_equal(text, SLICE(".")) || slice_equal(text, SLICE("..")))
        return refuse(parse, "the segments . and .. are resolved before a path is looked up; leave them out");
    segment->kind = SEGMENT_LITERAL;
    segment->text = text;
    return true;
}

static bool read_segment(struct parse *parse, struct slice text, bool last)
{
    struct pattern *pattern = parse->pattern;
    if (pattern->segment_count == PATTERN_SEGMENTS_MAX)
        return refuse(parse, "it has more than %d segments", PATTERN_SEGMENTS_MAX);
    if (text.size == 0 && !last)
        return refuse(parse, "there are two slashes side by side; write one");

    struct segment *segment = &pattern->segments[pattern->segment_count];
    bool parameter = text.size > 0 && text.data[0] == '{';
    if (parameter ? !read_parameter(parse, text, segment) : !read_literal(parse, text, segment))
        return false;
    if (segment->kind == SEGMENT_REST && !last)
        return refuse(parse, "{%.*s...} takes all the rest, so it comes last", (int)segment->text.size,
                      segment->text.data);
    pattern->segment_count++;
    return true;
}

static bool read_path(struct parse *parse)
{
    struct slice rest = parse->pattern->path;
    parse->pattern->param_count = parse->pattern->segment_count = 0;
    if (!check_characters(parse))
        return false;
    while (rest.size > 0) {
        rest = slice_skip(rest, rest.data[0] == '/');
        size_t size = slice_find(rest, '/');
        if (!read_segment(parse, slice_part(rest, 0, size), size == rest.size))
            return false;
        rest = slice_skip(rest, size);
    }
    return true;
}

bool pattern_parse(struct pattern *pattern, const char *text, char *why, size_t why_size)
{
    struct parse parse = { pattern, { why, why_size } };
    pattern->text = slice_text(text);
    return read_method(&parse) && read_path(&parse);
}

bool pattern_parse_path(struct pattern *pattern, struct slice path, struct why why)
{
    struct parse parse = { pattern, why };
    pattern->text = pattern->path = path;
    pattern->method = METHOD_OTHER;
    if (path.size == 0)
        return refuse(&parse, "there is no path; write / for that of the first page");
    if (path.data[0] != '/' && path.data[0] != '*')
        return refuse(&parse, "a path begins with a slash; write /%.*s", (int)path.size, path.data);
    return read_path(&parse);
}

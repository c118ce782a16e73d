/* Checks targets and fills them in. It does not follow them: that a redirect leads in a circle is seen by rules, which
 * has them all. */
#include "serve/rule_target.h"

#include "http/fields.h"
#include "serve/percent.h"

/* Takes what stands before the next {name} and that name, which is empty at the end of the text. The braces are in
 * order: they have been checked. */
static bool next_piece(struct slice *rest, struct slice *literal, struct slice *name)
{
    if (rest->size == 0)
        return false;
    size_t open = slice_find(*rest, '{');
    *literal = slice_part(*rest, 0, open);
    *rest = slice_skip(*rest, open);
    *name = SLICE("");
    if (rest->size == 0)
        return true;
    size_t close = slice_find(*rest, '}');
    *name = slice_part(*rest, 1, close);
    *rest = slice_skip(*rest, close + 1);
    return true;
}

static struct slice value_of(const struct rule_target *target, struct slice name)
{
    return target->values->at[rule_path_param(target->rule_path, name)];
}

/* ---- Checking ---- */

struct check {
    struct slice text;
    const struct rule_path *rule_path;
    struct why why;
};

__attribute__((format(printf, 2, 3))) static bool refuse(const struct check *check, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    why_refuse_with(check->why, check->rule_path->text, format, arguments);
    va_end(arguments);
    return false;
}

static bool check_name(const struct check *check, struct slice name)
{
    struct slice path = check->rule_path->text;
    int size = (int)name.size;
    if (name.size > 0 && rule_path_param(check->rule_path, name) >= 0)
        return true;
    if (slice_ends(name, SLICE("...")))
        return refuse(check, "in what it leads to write {%.*s}, without the dots", size - 3, name.data);
    if (slice_find(path, '*') < path.size)
        return refuse(check, "the star has no name; for {%.*s} write {%.*s...} in its place, as a whole segment", size,
                      name.data, size, name.data);
    return refuse(check, "there is no {%.*s} in it, but in what it leads to", size, name.data);
}

static bool check_names(const struct check *check)
{
    struct slice rest = check->text;
    while (rest.size > 0) {
        size_t open = slice_find(rest, '{'), close = slice_find(rest, '}');
        if (open == rest.size && close == rest.size)
            return true;
        if (close < open)
            return refuse(check, "in what it leads to a brace is closed that was not opened");
        struct slice inside = slice_skip(rest, open + 1);
        close = slice_find(inside, '}');
        if (close == inside.size)
            return refuse(check, "in what it leads to a brace is not closed");
        if (!check_name(check, slice_part(inside, 0, close)))
            return false;
        rest = slice_skip(inside, close + 1);
    }
    return true;
}

static bool check_bytes(const struct check *check)
{
    struct slice text = check->text;
    if (text.size > RULE_TARGET_SIZE_MAX)
        return refuse(check, "what it leads to is longer than %d bytes", RULE_TARGET_SIZE_MAX);
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] < ' ' || text.data[i] == 0x7f || text.data[i] == '\\')
            return refuse(check, "what it leads to has a control character or a backslash in it");
    return utf8_valid(text) || refuse(check, "what it leads to is not valid UTF-8");
}

/* Where the next whole escape begins, or the size. */
static size_t find_escape(struct slice text)
{
    for (size_t i = 0; i + 2 < text.size; i++)
        if (text.data[i] == '%' && char_is(text.data[i + 1], CHAR_HEX) && char_is(text.data[i + 2], CHAR_HEX))
            return i;
    return text.size;
}

static bool check_escapes(const struct check *check)
{
    struct slice rest = check->text;
    for (;;) {
        size_t percent = slice_find(rest, '%');
        if (percent == rest.size)
            return true;
        if (find_escape(slice_skip(rest, percent)) != 0)
            return refuse(check, "in where it redirects to a percent sign is written %%25");
        rest = slice_skip(rest, percent + 3);
    }
}

/* The size of "https://host" at the front of a URL; 0: a path. */
static size_t origin_size(struct slice text)
{
    const char *mark = text.size > 0 && text.data[0] != '/' ? memmem(text.data, text.size, "://", 3) : NULL;
    if (!mark)
        return 0;
    size_t size = (size_t)(mark - text.data) + 3;
    while (size < text.size && !strchr("/?#", text.data[size]))
        size++;
    return size;
}

static bool check_origin(const struct check *check)
{
    struct slice text = check->text, origin = slice_part(text, 0, origin_size(text));
    if (slice_starts(text, SLICE("//")))
        return refuse(check, "another host is redirected to with its scheme; write https:%.*s", (int)text.size,
                      text.data);
    if (origin.size == 0)
        return slice_starts(text, SLICE("/")) ||
               refuse(check, "it redirects to a path, which begins with /, or to a URL, which begins with https://");

    size_t scheme = slice_find(origin, ':');
    if (!slice_equal_nocase(slice_part(origin, 0, scheme), SLICE("https")) &&
        !slice_equal_nocase(slice_part(origin, 0, scheme), SLICE("http")))
        return refuse(check, "it redirects to %.*s, but only https:// and http:// can be redirected to",
                      (int)scheme + 3, origin.data);
    if (slice_find(origin, '{') < origin.size)
        return refuse(check, "what a client asks for must not choose the host that it is redirected to; name the host");
    return authority_valid(slice_skip(origin, scheme + 3)) ||
           refuse(check, "there is no valid host in %.*s", (int)origin.size, origin.data);
}

bool rule_target_check_location(struct slice text, const struct rule_path *rule_path, struct why why)
{
    struct check check = { text, rule_path, why };
    if (slice_find(text, ' ') < text.size)
        return refuse(&check, "in where it redirects to a space is written %%20");
    return check_bytes(&check) && check_escapes(&check) && check_origin(&check) && check_names(&check);
}

static bool has_dot_segment(struct slice text)
{
    while (text.size > 0) {
        text = slice_skip(text, 1);
        struct slice segment = slice_part(text, 0, slice_find(text, '/'));
        if (slice_equal(segment, SLICE(".")) || slice_equal(segment, SLICE("..")))
            return true;
        text = slice_skip(text, segment.size);
    }
    return false;
}

bool rule_target_check_path(struct slice text, const struct rule_path *rule_path, struct why why)
{
    struct check check = { text, rule_path, why };
    size_t escape = find_escape(text);
    if (origin_size(text) > 0)
        return refuse(&check, "a rewrite leads to a path of this host; to send the client elsewhere write a redirect");
    if (!slice_starts(text, SLICE("/")))
        return refuse(&check, "a rewrite leads to a path, which begins with /");
    if (slice_find(text, '?') < text.size || slice_find(text, '#') < text.size)
        return refuse(&check, "a rewrite leads to a path alone, so there is no ? or # in it");
    if (escape < text.size)
        return refuse(&check, "a rewrite's path is not encoded; for %.3s write the character that it stands for",
                      text.data + escape);
    if (memmem(text.data, text.size, "//", 2) || has_dot_segment(text))
        return refuse(&check, "a rewrite leads to a path that is resolved: without two slashes side by side, . and ..");
    return check_bytes(&check) && check_names(&check);
}

/* ---- Filling in ---- */

size_t rule_target_room(const struct rule_target *target, struct slice query)
{
    struct slice rest = target->text, literal, name;
    size_t size = target->text.size;
    while (next_piece(&rest, &literal, &name))
        if (name.size > 0)
            size += value_of(target, name).size;
    return 3 * size + 1 + query.size;
}

typedef void encode(struct writer *w, struct slice text);

struct encoding {
    encode *literal, *value;
};

static void write_part(const struct rule_target *target, struct slice part, struct encoding encoding, struct writer *w)
{
    struct slice literal, name;
    while (next_piece(&part, &literal, &name)) {
        encoding.literal(w, literal);
        if (name.size > 0)
            encoding.value(w, value_of(target, name));
    }
}

/* What follows the slash that a path begins with must not be another one: "//name" is a host (RFC 3986 4.2). */
static struct slice no_second_slash(struct slice text, const struct writer *w, const char *start)
{
    while (w->at - start == 1 && text.size > 0 && text.data[0] == '/')
        text = slice_skip(text, 1);
    return text;
}

static void write_path(const struct rule_target *target, struct slice path, struct encoding encoding, struct writer *w)
{
    const char *start = w->at;
    struct slice literal, name;
    while (next_piece(&path, &literal, &name)) {
        encoding.literal(w, no_second_slash(literal, w, start));
        if (name.size > 0)
            encoding.value(w, no_second_slash(value_of(target, name), w, start));
    }
}

/* Cuts what begins at the first `mark` off; without the mark. */
static struct slice cut(struct slice *text, char mark)
{
    size_t at = slice_find(*text, mark);
    struct slice behind = at < text->size ? slice_skip(*text, at + 1) : slice_make(NULL, 0);
    text->size = at;
    return behind;
}

static void write_query(const struct rule_target *target, struct slice own, const struct target *request,
                        struct writer *w)
{
    static const struct encoding encoding = { percent_write_uri, percent_write_query };
    if (own.data || request->has_query)
        writer_byte(w, '?');
    write_part(target, own, encoding, w);
    if (own.size > 0 && request->query.size > 0)
        writer_byte(w, '&');
    writer_put(w, request->query);
}

void rule_target_location(const struct rule_target *target, const struct target *request, struct writer *w)
{
    static const struct encoding encoding = { percent_write_uri, percent_write };
    struct slice path = target->text;
    struct slice fragment = cut(&path, '#'), query = cut(&path, '?');
    size_t origin = origin_size(path);

    writer_put(w, slice_part(path, 0, origin));
    write_path(target, slice_skip(path, origin), encoding, w);
    write_query(target, query, request, w);
    if (fragment.data)
        writer_byte(w, '#');
    write_part(target, fragment, encoding, w);
}

void rule_target_path(const struct rule_target *target, struct writer *w)
{
    write_path(target, target->text, (struct encoding){ writer_put, writer_put }, w);
}

/* ---- Comparing ---- */

static unsigned hex_value(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

bool rule_target_names(struct slice location, struct slice path)
{
    cut(&location, '#');
    cut(&location, '?');
    size_t at = 0;
    for (size_t i = 0; i < path.size; i++) {
        if (at == location.size)
            return false;
        bool escaped = location.data[at] == '%' && location.size - at > 2;
        unsigned c = escaped ? hex_value(location.data[at + 1]) << 4 | hex_value(location.data[at + 2])
                             : (unsigned char)location.data[at];
        if (c != (unsigned char)path.data[i])
            return false;
        at += escaped ? 3 : 1;
    }
    return at == location.size;
}

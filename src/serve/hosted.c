/* Lines and paths. What the lines say is for redirects and headers to know. */
#include "serve/hosted.h"

#include <stdio.h>

#include "http/fields.h"
#include "http/target.h"

/* ---- Lines ---- */

void hosted_tell(struct hosted *file, const char *format, ...)
{
    char what[WHY_SIZE + 256];
    va_list arguments;
    if (++file->faults > HOSTED_TOLD_MAX)
        return;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    log_write(file->log, LOG_LEVEL_WARN, "%s:%u: %s", file->name, file->line, what);
}

void hosted_begin(struct hosted *file, const char *name, struct slice text, const struct log *log)
{
    static const struct slice mark = SLICE_INIT("\xef\xbb\xbf"); /* that some editors put in front of UTF-8 */
    *file = (struct hosted){ .name = name, .log = log, .rest = text };
    if (text.size > HOSTED_SIZE_MAX) {
        file->rest.size = HOSTED_SIZE_MAX;
        while (file->rest.size > 0 && file->rest.data[file->rest.size - 1] != '\n')
            file->rest.size--;
        log_write(log, LOG_LEVEL_WARN, "%s: it is larger than %d bytes; what is beyond is not read", name,
                  HOSTED_SIZE_MAX);
    }
    if (slice_starts(file->rest, mark))
        file->rest = slice_skip(file->rest, mark.size);
}

static struct slice take_line(struct hosted *file)
{
    size_t size = slice_find(file->rest, '\n');
    struct slice line = slice_part(file->rest, 0, size);
    file->rest = slice_skip(file->rest, size < file->rest.size ? size + 1 : size);
    file->line++;
    if (slice_ends(line, SLICE("\r")))
        line.size--;
    return slice_trim(line);
}

static bool sound(struct hosted *file, struct slice line)
{
    bool small = line.size <= HOSTED_LINE_MAX;
    if (small && char_run(line, CHAR_VALUE) == line.size)
        return true;
    if (small)
        hosted_tell(file, "there is a control character in the line");
    else
        hosted_tell(file, "the line is longer than %d bytes", HOSTED_LINE_MAX);
    return false;
}

static void tell_rest(const struct hosted *file)
{
    if (file->faults > HOSTED_TOLD_MAX)
        log_write(file->log, LOG_LEVEL_WARN, "%s: %u more lines are wrong and skipped", file->name,
                  file->faults - HOSTED_TOLD_MAX);
}

bool hosted_next(struct hosted *file, struct slice *line)
{
    while (file->rest.size > 0) {
        *line = take_line(file);
        if (line->size > 0 && line->data[0] != '#' && sound(file, *line))
            return true;
    }
    tell_rest(file);
    return false;
}

bool hosted_word(struct slice *line, struct slice *word)
{
    if (slice_word(line, word) && word->data[0] != '#')
        return true;
    *line = slice_make(NULL, 0);
    return false;
}

/* ---- Paths ---- */

static bool is_letter(char c)
{
    return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

/* The size of `:name` at the front of `text`, or 0. */
static size_t placeholder_size(struct slice text)
{
    if (text.size < 2 || text.data[0] != ':' || !is_letter(text.data[1]))
        return 0;
    size_t size = 2;
    while (size < text.size &&
           (is_letter(text.data[size]) || (text.data[size] >= '0' && text.data[size] <= '9') || text.data[size] == '_'))
        size++;
    return size;
}

static void write_name(struct writer *w, struct slice name, const char *end)
{
    writer_byte(w, '{');
    writer_put(w, name);
    writer_text(w, end);
}

static bool write_segment(struct slice segment, bool last, struct writer *w, struct why why)
{
    size_t name = placeholder_size(segment);
    if (name > 0 && name < segment.size)
        return why_refuse(why, segment, "a placeholder is a whole segment; write %.*s", (int)name, segment.data);
    if (name > 0)
        write_name(w, slice_skip(segment, 1), "}");
    else if (last && slice_equal(segment, SLICE("*")))
        write_name(w, SLICE("splat"), "...}");
    else
        writer_put(w, segment);
    return true;
}

static size_t count(struct slice text, char c)
{
    size_t found = 0;
    for (size_t i = 0; i < text.size; i++)
        found += text.data[i] == c;
    return found;
}

bool hosted_path(struct slice path, struct writer *w, struct why why)
{
    char normal[HOSTED_LINE_MAX];
    size_t size;
    if (path.size == 0 || path.data[0] != '/')
        return why_refuse(why, path, "a path begins with /; the file holds for one host, and does not name it");
    if (path.size > sizeof normal || !target_normalise(path, normal, &size))
        return why_refuse(why, path, "no request has such a path");
    struct slice rest = slice_make(normal, size);
    if (slice_find(rest, '{') < size || slice_find(rest, '}') < size || count(rest, '*') != count(path, '*'))
        return why_refuse(why, path, "a brace or an encoded star cannot be written in a path");

    while (rest.size > 0) {
        rest = slice_skip(rest, 1);
        struct slice segment = slice_part(rest, 0, slice_find(rest, '/'));
        rest = slice_skip(rest, segment.size);
        writer_byte(w, '/');
        if (!write_segment(segment, rest.size == 0, w, why))
            return false;
    }
    return true;
}

/* The rule's path has {name} or {name...}. */
static bool has_name(struct slice rule_path, struct slice name)
{
    for (size_t at = slice_find(rule_path, '{'); at < rule_path.size;) {
        struct slice inside = slice_skip(rule_path, at + 1);
        if (slice_starts(inside, name) && inside.size > name.size && strchr("}.", inside.data[name.size]))
            return true;
        at += 1 + slice_find(inside, '{');
    }
    return false;
}

void hosted_target(struct slice target, struct slice rule_path, struct writer *w)
{
    while (target.size > 0) {
        size_t size = placeholder_size(target);
        struct slice name = size > 0 ? slice_part(target, 1, size) : slice_make(NULL, 0);
        if (size > 0 && has_name(rule_path, name)) {
            write_name(w, name, "}");
        } else {
            size = 1;
            writer_put(w, target.data[0] == '{' ? SLICE("%7B") : target.data[0] == '}' ? SLICE("%7D")
                                                                                       : slice_part(target, 0, 1));
        }
        target = slice_skip(target, size);
    }
}

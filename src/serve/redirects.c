/* Lines of `_redirects` into rules. What is wrong with a rule, rules know. */
#include "serve/redirects.h"

#include "serve/hosted.h"

struct line {
    struct slice from, to;
    unsigned status;
    bool forced;
};

/* "301", "200!" */
static bool read_status(struct slice word, struct line *line)
{
    uint64_t status;
    line->forced = slice_ends(word, SLICE("!"));
    if (!slice_uint(slice_part(word, 0, word.size - line->forced), &status) || status < 100 || status > 999)
        return false;
    line->status = (unsigned)status;
    return true;
}

static bool is_address(struct slice word)
{
    return word.data[0] == '/' || memmem(word.data, word.size, "://", 3) != NULL;
}

/* A word that stands where none of its kind is understood. */
static bool reject(struct hosted *file, struct slice word, const char *otherwise)
{
    if (slice_find(word, '=') < word.size)
        hosted_tell(file, "%.*s: a condition is not understood, so the line is skipped", (int)word.size, word.data);
    else
        hosted_tell(file, "%.*s: %s", (int)word.size, word.data, otherwise);
    return false;
}

static bool read_line(struct hosted *file, struct slice text, struct line *line)
{
    struct slice word;
    *line = (struct line){ .status = 301 };
    if (!hosted_word(&text, &line->from) || !hosted_word(&text, &line->to)) {
        hosted_tell(file, "%.*s: it does not say where to; write another path or URL behind it", (int)line->from.size,
                    line->from.data);
        return false;
    }
    if (!is_address(line->to))
        return reject(file, line->to, "the second word is a path, which begins with /, or a URL");
    if (hosted_word(&text, &word) && !read_status(word, line))
        return reject(file, word, "the third word is a status; write for example 301, or 200!");
    if (hosted_word(&text, &word))
        return reject(file, word, "there is nothing behind the status");
    return true;
}

/* A rewrite's path is decoded in a rule. What is wrong with it is said of what was written. */
static struct slice decode(struct slice path, char *out)
{
    size_t size;
    bool alone = slice_find(path, '?') == path.size && slice_find(path, '#') == path.size;
    return alone && target_normalise(path, out, &size) ? slice_make(out, size) : path;
}

static bool add(struct rules *rules, const struct line *line, struct why why)
{
    char from[2 * HOSTED_LINE_MAX], to[3 * HOSTED_LINE_MAX], decoded[HOSTED_LINE_MAX];
    struct writer from_w = writer_on(from, sizeof from), to_w = writer_on(to, sizeof to);
    bool redirect = line->status >= 300 && line->status <= 399;
    if (!hosted_path(line->from, &from_w, why))
        return false;
    hosted_target(redirect ? line->to : decode(line->to, decoded), writer_slice(&from_w), &to_w);

    struct rule_spec spec = { .path = writer_slice(&from_w), .status = line->status, .unless_page = !line->forced };
    if (redirect)
        spec.redirect = writer_slice(&to_w);
    else
        spec.rewrite = writer_slice(&to_w);
    return rules_add(rules, &spec, why);
}

static void fill(struct rules *rules, struct hosted *file)
{
    struct slice text;
    struct line line;
    char why[WHY_SIZE];
    while (hosted_next(file, &text))
        if (read_line(file, text, &line) && !add(rules, &line, (struct why){ why, sizeof why }))
            hosted_tell(file, "%s", why);
}

struct rules *redirects_parse(struct slice text, const struct log *log)
{
    struct hosted file;
    struct rules *rules = rules_new();
    if (!rules) {
        log_write(log, LOG_LEVEL_ERROR, "_redirects: there is no memory for it");
        return NULL;
    }
    hosted_begin(&file, "_redirects", text, log);
    fill(rules, &file);
    if (rules_count(rules) > 0)
        return rules;
    rules_free(rules);
    return NULL;
}

/* The text of a configuration file, made ready for libconfuse. See config_text.h.
 *
 *     file = { statement }
 *     statement = key "=" value | key "=" "{" [ value { "," value } ] "}" | key title "{" { statement } "}"
 *
 * Where a statement departs from this, it is left to libconfuse to say so. */
#include "main/config_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXCERPT_MAX = 60 };

enum token_kind { TOKEN_END, TOKEN_TEXT, TOKEN_EQUALS, TOKEN_COMMA, TOKEN_OPEN, TOKEN_CLOSE };

struct token {
    enum token_kind kind;
    struct slice text; /* of a string: what is between the quotes */
    bool quoted;
};

/* What may come next. LOST: what came last was none of it. */
enum expected { EXPECT_KEY, EXPECT_EQUALS_OR_TITLE, EXPECT_VALUE, EXPECT_LIST, EXPECT_OPEN, LOST };

/* A section that is open. */
struct level {
    enum config_section section;
    unsigned line;
    unsigned first[CONFIG_KEYS_MAX]; /* the line in which each key stands; 0: nowhere yet */
};

struct scan {
    struct slice rest;
    unsigned line;
    const struct config_keys *keys;
    struct problems *problems;
    FILE *out;
    enum expected expected;
    const struct config_key *key; /* of the statement */
    unsigned depth, parts;
    struct level levels[CONFIG_SECTIONS]; /* the file itself, and at most a rule in a host */
    bool skipping;                /* a statement whose key is not known */
    unsigned skipped_depth;       /* its braces that are open */
};

/* ---- Tokens ---- */

static int excerpt(struct slice text)
{
    return text.size < EXCERPT_MAX ? (int)text.size : EXCERPT_MAX;
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Blanks, comments, line breaks, and bytes that belong to no text. Lines are kept in what goes out: libconfuse counts
 * them for its messages. */
static void skip_blanks(struct scan *scan)
{
    while (scan->rest.size > 0) {
        char c = scan->rest.data[0];
        size_t size = 1;
        if (c == '\n') {
            scan->line++;
            fputc('\n', scan->out);
        } else if (c == '#') {
            size = slice_find(scan->rest, '\n');
        } else if (c == ';') {
            problems_add(scan->problems, scan->line, "\";\" has no meaning here; a statement ends by itself");
        } else if (c != ' ' && c != '\t' && c != '\r') {
            if (!is_control(c))
                return;
            problems_add(scan->problems, scan->line, "a control character (0x%02x)", (unsigned char)c);
        }
        scan->rest = slice_skip(scan->rest, size);
    }
}

static bool is_escaped(struct slice text, size_t at)
{
    return text.data[at] == '\\' && at + 1 < text.size && (text.data[at + 1] == '"' || text.data[at + 1] == '\\');
}

/* Up to the closing quote, or the end of the line. */
static size_t measure_string(struct scan *scan, struct slice text, char quote)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == quote || c == '\n')
            return i;
        if (is_control(c) && !(c == '\r' && i + 1 < text.size && text.data[i + 1] == '\n'))
            problems_add(scan->problems, scan->line, "a control character (0x%02x) in a text", (unsigned char)c);
        if (is_escaped(text, i))
            i++;
        else if (c == '\\')
            problems_add(scan->problems, scan->line, "\"\\\" in a text goes before a quote or another \"\\\" only");
    }
    return text.size;
}

static struct token next_string(struct scan *scan)
{
    char quote = scan->rest.data[0];
    struct slice inner = slice_skip(scan->rest, 1);
    size_t size = measure_string(scan, inner, quote);
    bool closed = size < inner.size && inner.data[size] == quote;
    if (quote != '"')
        problems_add(scan->problems, scan->line, "a text stands in double quotes: \"%.*s\"",
                     excerpt(slice_part(inner, 0, size)), inner.data);
    if (!closed)
        problems_add(scan->problems, scan->line, "the text that begins here has no closing quote in its line");
    scan->rest = slice_skip(inner, size + closed);
    return (struct token){ TOKEN_TEXT, slice_part(inner, 0, size), true };
}

static size_t measure_word(struct slice text)
{
    size_t size = 0;
    while (size < text.size && !is_control(text.data[size]) && !strchr(" \"'{}=,#;", text.data[size]))
        size++;
    return size;
}

static struct token next(struct scan *scan)
{
    static const char marks[] = "=,{}";
    skip_blanks(scan);
    if (scan->rest.size == 0)
        return (struct token){ .kind = TOKEN_END };
    if (scan->rest.data[0] == '"' || scan->rest.data[0] == '\'')
        return next_string(scan);
    const char *mark = memchr(marks, scan->rest.data[0], sizeof marks - 1);
    size_t size = mark ? 1 : measure_word(scan->rest);
    struct token token = { mark ? TOKEN_EQUALS + (enum token_kind)(mark - marks) : TOKEN_TEXT,
                           slice_part(scan->rest, 0, size), false };
    scan->rest = slice_skip(scan->rest, size);
    return token;
}

/* ---- What goes out ---- */

/* A dollar is escaped because libconfuse would put variables of the environment in place of ${...}: what stands in the
 * file is what it says. */
static void put_text(struct scan *scan, const struct token *token)
{
    fprintf(scan->out, " \"%u:", scan->line);
    for (size_t i = 0; i < token->text.size; i++) {
        i += token->quoted && is_escaped(token->text, i);
        char c = token->text.data[i];
        if (c == '"' || c == '\\' || c == '$')
            fputc('\\', scan->out);
        if (!is_control(c))
            fputc(c, scan->out);
    }
    fputc('"', scan->out);
}

static void put(struct scan *scan, const struct token *token)
{
    if (token->kind == TOKEN_TEXT)
        put_text(scan, token);
    else
        fprintf(scan->out, " %.*s", (int)token->text.size, token->text.data);
}

/* ---- Statements ---- */

static struct level *innermost(struct scan *scan)
{
    return &scan->levels[scan->depth];
}

/* A key that is known, and not twice. Sections may stand as often as one likes, within reason. */
static bool check_key(struct scan *scan, struct slice name)
{
    struct level *level = innermost(scan);
    char hint[CONFIG_HINT_SIZE];
    scan->key = config_keys_find(scan->keys, level->section, name.data, name.size);
    if (!scan->key)
        return problems_add(scan->problems, scan->line, "unknown key %.*s%s", excerpt(name), name.data,
                            config_keys_hint(scan->keys, level->section, name.data, name.size, hint));
    if (scan->key->shape == CONFIG_SECTION && ++scan->parts > CONFIG_PARTS_MAX)
        return scan->parts == CONFIG_PARTS_MAX + 1 &&
               problems_add(scan->problems, scan->line, "more than %d hosts and rules", CONFIG_PARTS_MAX);
    unsigned *first = &level->first[scan->key - scan->keys->sections[level->section].keys];
    if (scan->key->shape != CONFIG_SECTION && *first > 0)
        return problems_add(scan->problems, scan->line, "%s stands here a second time, after line %u",
                            scan->key->name, *first);
    *first = scan->line;
    return true;
}

static enum expected begin_statement(struct scan *scan, const struct token *token)
{
    scan->skipping = !check_key(scan, token->text);
    if (!scan->skipping)
        fprintf(scan->out, " %s", scan->key->name);
    return EXPECT_EQUALS_OR_TITLE;
}

static enum expected open_section(struct scan *scan, const struct token *token)
{
    put(scan, token);
    if (scan->key->shape != CONFIG_SECTION)
        return LOST;
    scan->levels[++scan->depth] = (struct level){ .section = scan->key->inner, .line = scan->line };
    return EXPECT_KEY;
}

static enum expected close_section(struct scan *scan, const struct token *token)
{
    put(scan, token);
    if (scan->depth == 0)
        return LOST;
    scan->depth--;
    return EXPECT_KEY;
}

static enum expected pass(struct scan *scan, const struct token *token, enum expected then)
{
    put(scan, token);
    return then;
}

/* Past a statement whose key is not known, whatever it looks like: it may be of another program's configuration. */
static enum expected skip(struct scan *scan, const struct token *token)
{
    bool outermost = scan->skipped_depth == 0;
    switch (token->kind) {
    case TOKEN_OPEN:
        scan->skipped_depth++;
        return EXPECT_KEY;
    case TOKEN_CLOSE:
        scan->skipped_depth -= !outermost;
        scan->skipping = scan->skipped_depth > 0;
        return outermost ? close_section(scan, token) : EXPECT_KEY;
    case TOKEN_EQUALS:
        return EXPECT_VALUE;
    case TOKEN_TEXT:
        if (outermost && scan->expected == EXPECT_OPEN)
            return begin_statement(scan, token);
        scan->skipping = !outermost || scan->expected != EXPECT_VALUE;
        return scan->skipping ? EXPECT_OPEN : EXPECT_KEY;
    case TOKEN_COMMA:
    case TOKEN_END:
        break;
    }
    return scan->expected;
}

static enum expected step(struct scan *scan, const struct token *token)
{
    enum token_kind kind = token->kind;
    switch (scan->expected) {
    case EXPECT_KEY:
        if (kind == TOKEN_TEXT)
            return begin_statement(scan, token);
        return kind == TOKEN_CLOSE ? close_section(scan, token) : pass(scan, token, LOST);
    case EXPECT_EQUALS_OR_TITLE:
        if (kind == TOKEN_EQUALS)
            return pass(scan, token, EXPECT_VALUE);
        if (kind == TOKEN_TEXT)
            return pass(scan, token, EXPECT_OPEN);
        return kind == TOKEN_OPEN ? open_section(scan, token) : pass(scan, token, LOST);
    case EXPECT_VALUE:
        if (kind == TOKEN_TEXT)
            return pass(scan, token, EXPECT_KEY);
        return kind == TOKEN_OPEN ? pass(scan, token, EXPECT_LIST) : pass(scan, token, LOST);
    case EXPECT_LIST:
        if (kind == TOKEN_CLOSE)
            return pass(scan, token, EXPECT_KEY);
        return kind == TOKEN_TEXT || kind == TOKEN_COMMA ? pass(scan, token, EXPECT_LIST) : pass(scan, token, LOST);
    case EXPECT_OPEN:
        return kind == TOKEN_OPEN ? open_section(scan, token) : pass(scan, token, LOST);
    case LOST:
        return pass(scan, token, LOST);
    }
    abort();
}

/* So that what stands in a section without an end is read all the same. */
static void close_all(struct scan *scan)
{
    for (; scan->depth > 0; scan->depth--) {
        problems_add(scan->problems, innermost(scan)->line, "the \"{\" in this line is never closed");
        fputs(" }", scan->out);
    }
}

char *config_text_prepare(struct slice text, const struct config_keys *keys, struct problems *problems)
{
    char *prepared = NULL;
    size_t size;
    struct scan scan = { .rest = text, .line = 1, .keys = keys, .problems = problems };
    scan.out = open_memstream(&prepared, &size);
    if (!scan.out)
        return NULL;
    for (struct token token = next(&scan); token.kind != TOKEN_END; token = next(&scan))
        scan.expected = scan.skipping ? skip(&scan, &token) : step(&scan, &token);
    if (scan.expected == EXPECT_KEY || scan.skipping)
        close_all(&scan);
    bool failed = ferror(scan.out) != 0;
    if (fclose(scan.out) != 0 || failed) {
        free(prepared);
        return NULL;
    }
    return prepared;
}

const char *config_text_value(const char *prepared, unsigned *line)
{
    char *colon;
    *line = (unsigned)strtoul(prepared, &colon, 10);
    return colon + 1;
}

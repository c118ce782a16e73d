/* Rules, _redirects and _headers. The input is lines: it is read as each of the two files, and each line as a rule,
 * "path target", with {name} in both. Then each line's first word is a path that is looked up.
 *
 * The reference for a look-up is the first rule that matches, of all in turn. Of what comes out is checked what must
 * hold whatever the rules say: a Location is a URI on the host that the rule names, a field can be sent, a log line
 * is one. */
#include <stdio.h>
#include <stdlib.h>

#include "http/fields.h"
#include "http/target.h"
#include "serve/headers.h"
#include "serve/hosted.h"
#include "serve/redirects.h"

#define CHECK(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static void fail(const char *condition, int line)
{
    fprintf(stderr, "line %d: %s\n", line, condition);
    abort();
}

static void check_line(const char *line)
{
    for (; *line; line++)
        CHECK((unsigned char)*line >= ' ' && *line != 0x7f);
}

static void take_line(void *user, enum log_level level, const char *line)
{
    (void)user;
    CHECK(level == LOG_LEVEL_WARN);
    CHECK(*line);
    check_line(line);
}

static const struct log log_lines = { take_line, NULL };

static bool next_line(struct slice *rest, struct slice *line)
{
    if (rest->size == 0)
        return false;
    size_t size = slice_find(*rest, '\n');
    *line = slice_part(*rest, 0, size);
    *rest = slice_skip(*rest, size < rest->size ? size + 1 : size);
    return true;
}

/* ---- Rules ---- */

static const struct rule *first_of_all(const struct rules *rules, struct slice path, bool page)
{
    struct rule_values values;
    for (size_t i = 0; i < rules_count(rules); i++) {
        const struct rule *rule = rules_at(rules, i);
        CHECK(rule->place == i);
        if (!(page && rule->unless_page) && rule_path_match(rule->path, path, &values))
            return rule;
    }
    return NULL;
}

static bool is_uri(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool mark = c != '\0' && strchr("-._~!$&'()*+,;=:@/?#[]", c) != NULL;
        if (c == '%') {
            if (text.size - i < 3 || !char_is(text.data[i + 1], CHAR_HEX) || !char_is(text.data[i + 2], CHAR_HEX))
                return false;
        } else if (!mark && !(c >= '0' && c <= '9') && !(ascii_lower((char)c) >= 'a' && ascii_lower((char)c) <= 'z')) {
            return false;
        }
    }
    return true;
}

/* On this host, or on the one that the rule's target begins with. */
static void check_host(struct slice location, struct slice target)
{
    if (slice_starts(location, SLICE("/"))) {
        CHECK(!slice_starts(location, SLICE("//")));
        return;
    }
    size_t host = slice_find(target, ':') + 3;
    while (host < target.size && !strchr("/?#", target.data[host]))
        host++;
    CHECK(slice_starts(location, slice_part(target, 0, host)));
    CHECK(host == location.size || strchr("/?#", location.data[host]));
}

static void check_made(const struct rule_match *match)
{
    struct target request = { .has_query = true, .query = SLICE("q=1&r") };
    size_t room = rules_room(match, request.query);
    char *text = malloc(room);
    struct writer w = writer_on(text, room);
    CHECK(text);
    if (match->rule->action == RULE_REDIRECT) {
        bool elsewhere = rules_location(match, &request, &w);
        CHECK(is_uri(writer_slice(&w)));
        CHECK(memmem(text, writer_used(&w), "q=1&r", 5));
        check_host(writer_slice(&w), match->rule->target);
        if (!elsewhere)
            CHECK(slice_starts(writer_slice(&w), SLICE("/")));
    } else {
        rules_rewritten(match, &w);
        CHECK(slice_starts(writer_slice(&w), SLICE("/")));
        CHECK(!slice_starts(writer_slice(&w), SLICE("//")));
    }
    CHECK(!w.overflowed);
    free(text);
}

static void look_up(const struct rules *rules, struct slice path, bool page)
{
    struct rule_match match;
    const struct rule *rule = rules_find(rules, path, page, &match);
    if (!rules)
        return;
    CHECK(rule == first_of_all(rules, path, page));
    if (!rule)
        return;
    CHECK(match.values.count == rule->path->param_count);
    for (unsigned i = 0; i < match.values.count; i++)
        CHECK(match.values.at[i].data >= path.data &&
              match.values.at[i].data + match.values.at[i].size <= path.data + path.size);
    if (rule->action == RULE_REDIRECT || rule->action == RULE_REWRITE)
        check_made(&match);
}

/* A rule that is covered has nobody to match it: whoever comes later is found only where the earlier ones say no. */
static struct rules *read_rules(struct slice text)
{
    struct rules *rules = rules_new();
    struct slice line, path;
    CHECK(rules);
    while (next_line(&text, &line)) {
        char why[WHY_SIZE] = "";
        struct rule_spec spec = { .unless_page = line.size % 3 == 0 };
        slice_word(&line, &path);
        spec.path = path;
        if (line.size % 2)
            spec.redirect = slice_trim(line);
        else if (line.size > 0)
            spec.rewrite = slice_trim(line);
        bool added = rules_add(rules, &spec, (struct why){ why, sizeof why });
        CHECK(added == (why[0] == '\0'));
        check_line(why);
    }
    return rules;
}

/* ---- Fields ---- */

static void check_fields(const struct headers *headers, struct slice path)
{
    static struct header_set set;
    headers_find(headers, path, &set);
    CHECK(set.count <= HEADERS_SET_MAX);
    for (unsigned i = 0; i < set.count; i++) {
        CHECK(field_settable(set.at[i].name));
        CHECK(field_value_valid(set.at[i].value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make((const char *)data, size), rest = text, line, word;
    struct rules *redirects = redirects_parse(text, &log_lines), *rules = read_rules(text);
    struct headers *headers = headers_parse(text, &log_lines);
    while (next_line(&rest, &line)) {
        char *path = malloc(line.size + 1);
        size_t path_size;
        CHECK(path);
        if (slice_word(&line, &word) && target_normalise(word, path, &path_size)) {
            struct slice normal = slice_make(path, path_size);
            for (int page = 0; page < 2; page++) {
                look_up(redirects, normal, page);
                look_up(rules, normal, page);
            }
            check_fields(headers, normal);
        }
        free(path);
    }
    rules_free(redirects);
    rules_free(rules);
    headers_free(headers);
    return 0;
}

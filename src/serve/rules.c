/* The rules in their order: those of one path in a table, the others in a row that is walked, comparing eight bytes.
 * The order holds between the two: a rule of the table is found with its place, and only the row before that is
 * walked.
 *
 * How a rule is read is rule's business (rule.c); here is what several of them make together. */
#include "serve/rules.h"

#include "base/array.h"
#include "serve/literals.h"
#include "serve/rule.h"

/* A rule that is not found by its path: of that, as much as tells most paths apart. */
struct candidate {
    uint64_t first, mask;
    uint32_t place;
};

struct rules {
    struct rule **at;
    size_t count, room;
    struct literals exact; /* path -> the first rule with it */
    struct candidate *row;
    size_t row_count, row_room;
};

struct rules *rules_new(void)
{
    return calloc(1, sizeof(struct rules));
}

void rules_free(struct rules *rules)
{
    if (!rules)
        return;
    for (size_t i = 0; i < rules->count; i++)
        rule_free(rules->at[i]);
    literals_fini(&rules->exact);
    free(rules->row);
    free(rules->at);
    free(rules);
}

size_t rules_count(const struct rules *rules)
{
    return rules->count;
}

const struct rule *rules_at(const struct rules *rules, size_t place)
{
    return rules->at[place];
}

/* ---- Looking up ---- */

/* The first of `count` in the row that matches. */
static const struct rule *walk(const struct rules *rules, size_t count, bool page, struct rule_match *match)
{
    if (count == 0)
        return NULL; /* also because there may be no row yet */
    const struct candidate *end = rules->row + count;
    uint64_t first = rule_path_first(match->path);
    for (const struct candidate *candidate = rules->row; candidate != end; candidate++) {
        if ((first ^ candidate->first) & candidate->mask)
            continue;
        const struct rule *rule = rules->at[candidate->place];
        if (!(page && rule->unless_page) && rule_path_match(rule->path, match->path, &match->values))
            return rule;
    }
    return NULL;
}

const struct rule *rules_search(const struct rules *rules, struct slice path, bool page, struct rule_match *match)
{
    const struct rule *exact = literals_find(&rules->exact, path);
    if (exact && page && exact->unless_page)
        exact = NULL;
    match->path = path;
    match->rule = walk(rules, exact ? exact->row_before : rules->row_count, page, match);
    if (match->rule)
        return match->rule;
    match->rule = exact;
    match->values.count = 0;
    return exact;
}

static struct rule_target target_of(const struct rule_match *match)
{
    return (struct rule_target){ match->rule->target, match->rule->path, &match->values };
}

size_t rules_room(const struct rule_match *match, struct slice query)
{
    struct rule_target target = target_of(match);
    return rule_target_room(&target, query);
}

bool rules_location(const struct rule_match *match, const struct target *request, struct writer *w)
{
    struct rule_target target = target_of(match);
    size_t before = writer_used(w);
    rule_target_location(&target, request, w);
    return !rule_target_names(slice_skip(writer_slice(w), before), match->path);
}

void rules_rewritten(const struct rule_match *match, struct writer *w)
{
    struct rule_target target = target_of(match);
    rule_target_path(&target, w);
}

/* ---- What a new rule means beside the others ---- */

/* A rule before it that takes all its paths, or NULL. Where the new one holds for no page, so do both. */
static const struct rule *find_cover(const struct rules *rules, const struct rule *rule)
{
    struct rule_match match;
    if (rule->path->kind == RULE_PATH_EXACT)
        return rules_search(rules, rule->path->text, !rule->unless_page, &match);
    for (size_t i = 0; i < rules->row_count; i++) {
        const struct rule *before = rules->at[rules->row[i].place];
        if ((!before->unless_page || rule->unless_page) && rule_path_covers(before->path, rule->path))
            return before;
    }
    return NULL;
}

static bool check_reached(const struct rules *rules, const struct rule *rule, struct why why)
{
    const struct rule *cover = find_cover(rules, rule);
    if (!cover)
        return true;
    struct slice mine = rule->path->text, its = cover->path->text;
    if (slice_equal(mine, its))
        return why_refuse(why, mine, "there is a rule for it already; the first one decides, so remove one of them");
    return why_refuse(why, mine, "nothing gets to this rule, because %.*s stands before it; put it above that one",
                      (int)its.size, its.data);
}

enum { HOP_ROOM = 8192 };

/* Goes from a redirect to where it leads. False: there no rule redirects, or it could be a page, where what redirects
 * `unless_page` does not; `rule` is looked at behind the others, to which it will be added. */
static bool hop(const struct rules *rules, const struct rule *rule, struct rule_match *match, char *path)
{
    char location[HOP_ROOM];
    struct target none = { .form = TARGET_ORIGIN };
    struct rule_target target = target_of(match);
    struct writer w = writer_on(location, sizeof location);
    rule_target_location(&target, &none, &w);
    if (w.overflowed)
        return true; /* it has grown on its way: it goes on so */
    struct slice to = writer_slice(&w);
    to.size = slice_find(to, '#');
    to.size = slice_find(to, '?');
    size_t size;
    if (!target_normalise(to, path, &size))
        return false; /* also a URL, which does not begin with a slash */

    if (!rules_search(rules, slice_make(path, size), true, match)) {
        if (!rule_path_match(rule->path, match->path, &match->values))
            return false;
        match->rule = rule;
    }
    return match->rule->action == RULE_REDIRECT;
}

/* Follows a redirect from a path made up for it. The rule that closes a circle is a part of it, so it is enough to look
 * at each once, when it comes last. */
static bool check_ends(const struct rules *rules, const struct rule *rule, struct why why)
{
    char path[HOP_ROOM];
    struct rule_match match = { .rule = rule, .values.count = rule->path->param_count };
    if (rule->action != RULE_REDIRECT || rule->unless_page)
        return true;
    for (unsigned i = 0; i < match.values.count; i++)
        match.values.at[i] = SLICE("value");
    for (unsigned hops = 0; hops < RULES_HOPS_MAX; hops++)
        if (!hop(rules, rule, &match, path))
            return true;
    return why_refuse(why, rule->path->text, "it leads to %.*s, and from there in a circle, or on and on",
                      (int)rule->target.size, rule->target.data);
}

/* ---- Adding ---- */

/* A second rule with one path, which holds where the first does not, is found in the row. */
static bool list(struct rules *rules, struct rule *rule)
{
    const struct rule_path *path = rule->path;
    struct rule **at = array_grow(rules->at, &rules->room, rules->count, sizeof *at);
    if (!at)
        return false;
    rules->at = at;
    struct candidate *row = array_grow(rules->row, &rules->row_room, rules->row_count, sizeof *row);
    if (!row)
        return false;
    rules->row = row;

    bool exact = path->kind == RULE_PATH_EXACT && !literals_find(&rules->exact, path->text);
    if (exact && !literals_add(&rules->exact, path->text, rule))
        return false;
    if (!exact)
        row[rules->row_count++] = (struct candidate){ path->first, path->mask, rule->place };
    at[rules->count++] = rule;
    return true;
}

static bool check_room(const struct rules *rules, const struct rule *rule, struct why why)
{
    if (rules->count == RULES_MAX)
        return why_refuse(why, rule->path->text, "there are %d rules before it, and no more than that", RULES_MAX);
    return rule->path->kind == RULE_PATH_EXACT || rules->row_count < RULES_PATTERNS_MAX ||
           why_refuse(why, rule->path->text, "there are %d rules with a star or a {name} before it, and no more than "
                      "that", RULES_PATTERNS_MAX);
}

bool rules_add(struct rules *rules, const struct rule_spec *spec, struct why why)
{
    struct rule *rule = rule_new(spec, why);
    if (!rule)
        return false;
    rule->place = (uint32_t)rules->count;
    rule->row_before = (uint32_t)rules->row_count;
    if (check_room(rules, rule, why) && check_reached(rules, rule, why) && check_ends(rules, rule, why)) {
        if (list(rules, rule))
            return true;
        why_refuse(why, SLICE(""), "there is no memory for another rule");
    }
    rule_free(rule);
    return false;
}

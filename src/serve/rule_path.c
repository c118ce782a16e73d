/* Reads the path of a rule, which is a route's path and a star besides, and compares paths with it. What the rule says,
 * and which of several comes first, is rules' business. */
#include "serve/rule_path.h"

#include <stdlib.h>

/* ---- Reading ---- */

/* Takes the star at the end of a path with parameters for a rest without name. */
static bool place_star(struct pattern *pattern, size_t star, struct why why)
{
    struct segment *last = &pattern->segments[pattern->segment_count - 1];
    if (star + 1 < pattern->text.size || !slice_equal(last->text, SLICE("*")))
        return why_refuse(why, pattern->text, "beside {name} a star stands alone at the end, behind a slash");
    *last = (struct segment){ SEGMENT_REST, SLICE("") };
    return true;
}

static bool check_star(const struct pattern *pattern, size_t star, struct why why)
{
    struct slice behind = slice_skip(pattern->text, star + 1);
    if (pattern->text.size == 1)
        return why_refuse(why, pattern->text, "write /* for every path, or *.js for all that end so");
    if (slice_find(behind, '/') < behind.size)
        return why_refuse(why, pattern->text, "a star takes all that is beneath, slashes too, so nothing but a name's "
                          "ending follows it; for one segment write {name}");
    return true;
}

static bool read(struct pattern *pattern, enum rule_path_kind *kind, size_t *star, struct why why)
{
    struct slice text = pattern->text;
    if (text.size > RULE_PATH_SIZE_MAX)
        return why_refuse(why, slice_part(text, 0, 40), "the path is longer than %d bytes", RULE_PATH_SIZE_MAX);
    if (!pattern_parse_path(pattern, text, why))
        return false;

    *star = slice_find(text, '*');
    *kind = pattern->param_count > 0 ? RULE_PATH_SEGMENTS : *star < text.size ? RULE_PATH_STAR : RULE_PATH_EXACT;
    if (*star == text.size)
        return true;
    if (memchr(text.data + *star + 1, '*', text.size - *star - 1))
        return why_refuse(why, text, "there is more than one star; write {name} for one segment");
    return *kind == RULE_PATH_SEGMENTS ? place_star(pattern, *star, why) : check_star(pattern, *star, why);
}

/* What comes before the first star or brace. */
static void set_prefix(struct rule_path *rule_path, size_t star)
{
    struct slice text = rule_path->text;
    size_t brace = rule_path->kind == RULE_PATH_SEGMENTS ? slice_find(text, '{') : text.size;
    rule_path->prefix = slice_part(text, 0, brace < star ? brace : star);
    if (rule_path->kind == RULE_PATH_STAR)
        rule_path->suffix = slice_skip(text, star + 1);

    static const char ones[8] = "\xff\xff\xff\xff\xff\xff\xff\xff";
    size_t known = rule_path->prefix.size < 8 ? rule_path->prefix.size : 8;
    rule_path->first = rule_path_first(rule_path->prefix);
    rule_path->mask = rule_path_first(slice_make(ones, known));
}

struct rule_path *rule_path_new(struct slice text, struct why why)
{
    struct pattern pattern = { .text = text };
    enum rule_path_kind kind = RULE_PATH_EXACT;
    size_t star = text.size;
    if (!read(&pattern, &kind, &star, why))
        return NULL;

    unsigned segment_count = kind == RULE_PATH_SEGMENTS ? pattern.segment_count : 0;
    size_t segments_size = segment_count * sizeof(struct segment);
    struct rule_path *rule_path = malloc(sizeof *rule_path + segments_size + text.size);
    if (!rule_path) {
        why_refuse(why, SLICE(""), "there is no memory for another rule");
        return NULL;
    }
    char *copy = (char *)rule_path->segments + segments_size;
    memcpy(copy, text.data, text.size);
    *rule_path = (struct rule_path){ .kind = kind, .text = slice_make(copy, text.size),
                                     .param_count = pattern.param_count, .segment_count = segment_count };
    for (unsigned i = 0; i < segment_count; i++) {
        struct segment segment = pattern.segments[i];
        if (segment.text.size > 0)
            segment.text.data = copy + (segment.text.data - text.data);
        rule_path->segments[i] = segment;
    }
    set_prefix(rule_path, star);
    return rule_path;
}

int rule_path_param(const struct rule_path *rule_path, struct slice name)
{
    int place = 0;
    for (unsigned i = 0; i < rule_path->segment_count; i++) {
        const struct segment *segment = &rule_path->segments[i];
        if (segment->kind == SEGMENT_LITERAL || segment->text.size == 0)
            continue;
        if (slice_equal(segment->text, name))
            return place;
        place++;
    }
    return -1;
}

/* ---- Comparing ---- */

static void keep(struct rule_values *values, const struct segment *segment, struct slice value)
{
    if (segment->text.size > 0)
        values->at[values->count++] = value;
}

static bool match_segments(const struct rule_path *rule_path, struct slice path, struct rule_values *values)
{
    struct slice rest = path;
    for (unsigned i = 0; i < rule_path->segment_count; i++) {
        const struct segment *segment = &rule_path->segments[i];
        if (rest.size == 0)
            return false;
        rest = slice_skip(rest, 1);
        if (segment->kind == SEGMENT_REST) {
            keep(values, segment, rest);
            return true;
        }
        struct slice part = slice_part(rest, 0, slice_find(rest, '/'));
        if (segment->kind == SEGMENT_LITERAL ? !slice_equal(part, segment->text) : part.size == 0)
            return false;
        if (segment->kind == SEGMENT_PARAMETER)
            keep(values, segment, part);
        rest = slice_skip(rest, part.size);
    }
    return rest.size == 0;
}

bool rule_path_match(const struct rule_path *rule_path, struct slice path, struct rule_values *values)
{
    values->count = 0;
    switch (rule_path->kind) {
    case RULE_PATH_EXACT:
        return slice_equal(path, rule_path->text);
    case RULE_PATH_STAR:
        return path.size >= rule_path->prefix.size + rule_path->suffix.size && slice_starts(path, rule_path->prefix) &&
               slice_ends(path, rule_path->suffix);
    case RULE_PATH_SEGMENTS:
        return slice_starts(path, rule_path->prefix) && match_segments(rule_path, path, values);
    }
    return false;
}

/* Takes whatever begins with its prefix, which ends with a slash or is any text before a star. */
static bool takes_all(const struct rule_path *rule_path)
{
    if (rule_path->kind == RULE_PATH_STAR)
        return rule_path->suffix.size == 0;
    return rule_path->kind == RULE_PATH_SEGMENTS && rule_path->param_count == 1 &&
           rule_path->segments[rule_path->segment_count - 1].kind == SEGMENT_REST &&
           rule_path->segments[rule_path->segment_count - 1].text.size > 0;
}

/* Two that have segments, compared one by one. */
static bool covers_segments(const struct rule_path *rule_path, const struct rule_path *other)
{
    for (unsigned i = 0; i < rule_path->segment_count; i++) {
        if (i == other->segment_count)
            return false;
        const struct segment *mine = &rule_path->segments[i], *its = &other->segments[i];
        if (mine->kind == SEGMENT_REST)
            return true;
        if (its->kind == SEGMENT_REST)
            return false;
        bool literals = mine->kind == SEGMENT_LITERAL && its->kind == SEGMENT_LITERAL;
        bool value = mine->kind == SEGMENT_PARAMETER && its->text.size > 0; /* a literal, or the name of a parameter */
        if (!value && !(literals && slice_equal(mine->text, its->text)))
            return false;
    }
    return rule_path->segment_count == other->segment_count;
}

bool rule_path_covers(const struct rule_path *rule_path, const struct rule_path *other)
{
    struct rule_values values;
    if (takes_all(rule_path)) /* and every path begins with a slash, also where the other has only an ending */
        return rule_path->prefix.size <= 1 || slice_starts(other->prefix, rule_path->prefix);
    if (other->kind == RULE_PATH_EXACT)
        return rule_path_match(rule_path, other->text, &values);
    if (rule_path->kind == RULE_PATH_STAR && other->kind == RULE_PATH_STAR)
        return slice_starts(other->prefix, rule_path->prefix) && slice_ends(other->suffix, rule_path->suffix);
    if (rule_path->kind == RULE_PATH_SEGMENTS && other->kind == RULE_PATH_SEGMENTS)
        return covers_segments(rule_path, other);
    return false;
}

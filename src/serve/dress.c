/* First what good sense says, then `_headers`, then the rule: whoever comes later has the last word about a name. */
#include "serve/dress.h"

#include "serve/defaults.h"

static void drop(struct dress *dress, struct slice name)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < dress->count; i++)
        if (!slice_equal_nocase(dress->fields[i].name, name))
            dress->fields[kept++] = dress->fields[i];
    dress->count = kept;
}

static void append(struct dress *dress, struct field_pair field)
{
    if (dress->count < DRESS_FIELDS_MAX)
        dress->fields[dress->count++] = field;
}

/* What an answer depends on is told by everybody who knows: to leave one out would be to lie to caches. */
static void join_vary(struct dress *dress, struct slice names)
{
    if (names.size > 0 && dress->vary_count < DRESS_VARY_MAX)
        dress->vary[dress->vary_count++] = names;
}

/* The names that have a place of their own. False: it is none of them. */
static bool set_place(struct dress *dress, struct field_pair field)
{
    if (slice_equal_nocase(field.name, SLICE("Cache-Control")))
        dress->cache_control = field.value;
    else if (slice_equal_nocase(field.name, SLICE("Content-Type")))
        dress->type = field.value;
    else if (slice_equal_nocase(field.name, SLICE("Vary")))
        join_vary(dress, field.value);
    else
        return false;
    return true;
}

/* Several fields of one name may come from one source (Set-Cookie); they replace those of the source before. */
static void put_all(struct dress *dress, const struct field_pair *fields, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        drop(dress, fields[i].name);
    for (unsigned i = 0; i < count; i++)
        if (!set_place(dress, fields[i]) && fields[i].value.data)
            append(dress, fields[i]);
}

static void put_rule(struct dress *dress, const struct rule *rule, struct slice origin)
{
    if (rule->cache_control.data)
        dress->cache_control = rule->cache_control;
    put_all(dress, rule->fields, rule->field_count);
    if (rule->cors.count == 0)
        return;
    cors_actual(&rule->cors, origin, &dress->cors);
    put_all(dress, dress->cors.at, dress->cors.count);
}

static void put_words(struct dress *dress, const struct headers *headers, const struct occasion *occasion)
{
    headers_find(headers, occasion->path, &dress->set); /* where it is too much, what had room */
    put_all(dress, dress->set.at, dress->set.count);
    if (occasion->rule)
        put_rule(dress, occasion->rule, occasion->origin);
}

void dress_page(struct dress *dress, const struct wardrobe *wardrobe, const struct occasion *occasion)
{
    dress->type = slice_make(NULL, 0);
    dress->cache_control = defaults_cache_control(occasion->page, occasion->rule && occasion->rule->basic_auth.data);
    dress->count = dress->vary_count = 0;
    append(dress, defaults_nosniff());
    put_words(dress, wardrobe->headers, occasion);
}

static bool starts(struct slice name, struct slice start)
{
    return name.size >= start.size && slice_equal_nocase(slice_part(name, 0, start.size), start);
}

static bool ends(struct slice name, struct slice end)
{
    return name.size >= end.size && slice_equal_nocase(slice_skip(name, name.size - end.size), end);
}

/* Cache-Control has many a sister, for one cache each (RFC 9213). */
bool dress_of_page(struct slice name)
{
    static const struct slice names[] = { SLICE_INIT("Digest"), SLICE_INIT("Edge-Control"), SLICE_INIT("Expires"),
                                          SLICE_INIT("Link"), SLICE_INIT("Pragma"), SLICE_INIT("Repr-Digest"),
                                          SLICE_INIT("SourceMap"), SLICE_INIT("Surrogate-Control"),
                                          SLICE_INIT("X-Accel-Expires") };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_equal_nocase(name, names[i]))
            return true;
    return ends(name, SLICE("Cache-Control")) ||
           (starts(name, SLICE("Content-")) && !starts(name, SLICE("Content-Security-Policy")));
}

void dress_other(struct dress *dress, const struct wardrobe *wardrobe, struct slice path, struct slice origin)
{
    const struct occasion occasion = { .rule = dress_rule(wardrobe, path), .path = path, .origin = origin };
    unsigned kept = 0;
    dress->count = dress->vary_count = 0;
    put_words(dress, wardrobe->headers, &occasion);
    for (unsigned i = 0; i < dress->count; i++)
        if (!dress_of_page(dress->fields[i].name))
            dress->fields[kept++] = dress->fields[i];
    dress->count = kept;
}

const struct rule *dress_rule(const struct wardrobe *wardrobe, struct slice path)
{
    struct rule_match match;
    return rules_find(wardrobe->rules, path, true, &match);
}

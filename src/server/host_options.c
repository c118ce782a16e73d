/* Texts become slices in the host's own memory, rules become rules. See host_options.h. */
#include "server/host_options.h"

#include "server/sized.h"

#include <stdlib.h>
#include <string.h>

static bool run_out(struct why why)
{
    return why_refuse(why, SLICE(""), "out of memory");
}

/* With a NUL behind it; data is NULL where there is none, or no memory. */
static struct slice copy(struct vhost *vhost, const char *text)
{
    size_t size = text ? strlen(text) : 0;
    char *bytes = text ? arena_take(&vhost->memory, size + 1) : NULL;

    if (!bytes)
        return slice_make(NULL, 0);
    memcpy(bytes, text, size + 1);
    return slice_make(bytes, size);
}

static size_t count(const char *const *texts)
{
    size_t at = 0;
    while (texts && texts[at])
        at++;
    return at;
}

/* ---- Rules -------------------------------------------------------------------------------------------------- */

static bool add_rule(struct vhost *vhost, const rh_rule *rule, struct why why)
{
    size_t headers = count(rule->headers);
    struct slice *texts = malloc((headers + 1) * sizeof *texts);
    if (!texts)
        return run_out(why);
    for (size_t i = 0; i < headers; i++)
        texts[i] = slice_text(rule->headers[i]);
    struct rule_spec spec = {
        .path = slice_text(rule->path), .redirect = slice_text(rule->redirect), .rewrite = slice_text(rule->rewrite),
        .status = rule->status, .cache_control = slice_text(rule->cache_control), .headers = texts,
        .header_count = headers, .cors = slice_text(rule->cors), .basic_auth = slice_text(rule->basic_auth),
    };
    bool added = rules_add(vhost->rules, &spec, why);
    free(texts);
    return added;
}

static bool add_rules(struct vhost *vhost, const rh_host_options *options, size_t rule_size, struct why why)
{
    if (options->rule_count == 0)
        return true;
    vhost->rules = rules_new();
    if (!vhost->rules)
        return run_out(why);
    for (size_t i = 0; i < options->rule_count; i++) {
        rh_rule known;
        bool read = sized_read(&known, sizeof known, (const char *)options->rules + i * rule_size, rule_size);
        if (!read)
            return why_refuse(why, slice_text(known.path ? known.path : "a rule"), "it sets " SIZED_UNKNOWN);
        if (!known.path)
            return why_refuse(why, SLICE("a rule"), "it has no path; write one, such as \"/*\"");
        if (!add_rule(vhost, &known, why))
            return false;
    }
    vhost->config.rules = vhost->rules;
    return true;
}

/* ---- Types and error pages ---------------------------------------------------------------------------------- */

/* "first second" */
static bool split(struct slice text, struct slice *first, struct slice *second)
{
    size_t space = slice_find(text, ' ');
    *first = slice_part(text, 0, space);
    *second = slice_trim(slice_skip(text, space));
    return first->size > 0 && second->size > 0;
}

/* As much of "type/subtype" as has to be there; parameters may follow. */
static bool is_type(struct slice text)
{
    size_t slash = slice_find(text, '/');
    return slash > 0 && slash + 1 < text.size && field_value_valid(text);
}

/* "mjs text/javascript"; a dot in front of the ending does no harm. */
static bool read_type(struct slice text, struct site_type *type)
{
    if (slice_starts(text, SLICE(".")))
        text = slice_skip(text, 1);
    return split(text, &type->ending, &type->type) && is_type(type->type);
}

static bool add_types(struct vhost *vhost, const char *const *texts, struct why why)
{
    size_t many = count(texts);
    struct site_type *types = arena_take(&vhost->memory, (many + 1) * sizeof *types);

    if (!types)
        return run_out(why);
    for (size_t i = 0; i < many; i++) {
        struct slice text = copy(vhost, texts[i]);
        if (!text.data)
            return run_out(why);
        if (!read_type(text, &types[i]))
            return why_refuse(why, text, "a type is an ending and a media type; write \"mjs text/javascript\"");
    }
    vhost->config.types = types;
    vhost->config.type_count = many;
    return true;
}

static bool read_status(struct slice text, unsigned *status)
{
    *status = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || text.size != 3)
            return false;
        *status = *status * 10 + (unsigned)(text.data[i] - '0');
    }
    return *status >= 400 && *status <= 599;
}

static bool add_error_pages(struct vhost *vhost, const char *const *texts, struct why why)
{
    size_t many = count(texts);
    struct site_error_page *pages = arena_take(&vhost->memory, (many + 1) * sizeof *pages);

    if (!pages)
        return run_out(why);
    for (size_t i = 0; i < many; i++) {
        struct slice text = copy(vhost, texts[i]), status;
        if (!text.data)
            return run_out(why);
        if (!split(text, &status, &pages[i].path) || !read_status(status, &pages[i].status) ||
            pages[i].path.data[0] != '/')
            return why_refuse(why, text, "an error page is a status and a path; write \"404 /lost.html\"");
    }
    vhost->config.error_pages = pages;
    vhost->config.error_page_count = many;
    return true;
}

/* ---- All of it ---------------------------------------------------------------------------------------------- */

static bool set_text(struct vhost *vhost, const char **place, const char *text, struct why why)
{
    *place = copy(vhost, text).data;
    return !text || *place || run_out(why);
}

bool host_options_read(struct vhost *vhost, const rh_host_options *options, size_t rule_size, struct why why)
{
    if (options->fallback && options->fallback[0] != '/')
        return why_refuse(why, slice_text(options->fallback), "a fallback is the path of a page; write "
                                                            "\"/index.html\"");
    if (!set_text(vhost, &vhost->names, options->names, why) ||
        !set_text(vhost, &vhost->fallback, options->fallback, why) ||
        !set_text(vhost, &vhost->config.root, options->root, why))
        return false;
    vhost->config.lists = options->list;
    return add_types(vhost, options->types, why) && add_error_pages(vhost, options->error_pages, why) &&
           add_rules(vhost, options, rule_size, why);
}

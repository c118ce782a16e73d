/* Reads a rule part by part into a draft that borrows, and copies it into one block when all is well. Of other rules it
 * knows nothing. */
#include "serve/rule.h"

#include <stdlib.h>

#include "http/fields.h"
#include "serve/rule_field.h"

struct draft {
    const struct rule_spec *spec;
    struct slice path; /* what a mistake is said to be about */
    struct why why;
    struct rule rule;
    struct field_pair fields[RULE_FIELDS_MAX];
};

__attribute__((format(printf, 2, 3))) static bool refuse(const struct draft *draft, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    why_refuse_with(draft->why, draft->path, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- Reading ---- */

static bool one_of(unsigned status, const uint16_t *list)
{
    while (*list && *list != status)
        list++;
    return *list != 0;
}

static const uint16_t redirects[] = { 301, 302, 303, 307, 308, 0 }, errors[] = { 403, 404, 410, 451, 0 };

static bool read_redirect(struct draft *draft)
{
    const struct rule_spec *spec = draft->spec;
    struct rule *rule = &draft->rule;
    if (spec->rewrite.data)
        return refuse(draft, "a path is redirected or rewritten, not both; remove one");
    if (spec->status != 0 && !one_of(spec->status, redirects))
        return refuse(draft, "%u is not a redirect's status; write 301, 302, 303, 307 or 308", spec->status);
    rule->action = RULE_REDIRECT;
    rule->status = spec->status ? (uint16_t)spec->status : 301;
    rule->target = spec->redirect;
    return rule_target_check_location(spec->redirect, rule->path, draft->why);
}

static bool read_rewrite(struct draft *draft)
{
    const struct rule_spec *spec = draft->spec;
    struct rule *rule = &draft->rule;
    if (spec->status != 0 && spec->status != 200 && !one_of(spec->status, errors))
        return refuse(draft, "%u is not a rewrite's status; write 200, or 403, 404, 410 or 451", spec->status);
    rule->action = RULE_REWRITE;
    rule->status = spec->status ? (uint16_t)spec->status : 200;
    rule->target = spec->rewrite;
    return rule_target_check_path(spec->rewrite, rule->path, draft->why);
}

static bool read_action(struct draft *draft)
{
    unsigned status = draft->spec->status;
    if (draft->spec->redirect.data)
        return read_redirect(draft);
    if (draft->spec->rewrite.data)
        return read_rewrite(draft);
    if (one_of(status, redirects))
        return refuse(draft, "it does not say where to; write a redirect beside status %u", status);
    if (status != 0 && !one_of(status, errors))
        return refuse(draft, "%u is not an error's status here; write 403, 404, 410 or 451", status);
    draft->rule.action = status ? RULE_ERROR : RULE_PASS;
    draft->rule.status = (uint16_t)status;
    return true;
}

static bool has_field(const struct draft *draft, struct slice name)
{
    for (unsigned i = 0; i < draft->rule.field_count; i++)
        if (slice_equal_nocase(draft->fields[i].name, name))
            return true;
    return false;
}

/* Cache-Control goes to where the rule's other way to say it goes. */
static bool keep_field(struct draft *draft, struct field_pair field)
{
    struct rule *rule = &draft->rule;
    if (slice_equal_nocase(field.name, SLICE("cache-control"))) {
        if (rule->cache_control.data)
            return refuse(draft, "its Cache-Control is said twice; remove one");
        rule->cache_control = field.value;
        return true;
    }
    if (slice_equal_nocase(field.name, SLICE("content-type")) && has_field(draft, field.name))
        return refuse(draft, "its Content-Type is said twice; remove one");
    if (slice_equal_nocase(field.name, SLICE("access-control-allow-origin")) && draft->spec->cors.data)
        return refuse(draft, "cors says which origins may read it; remove that or %.*s", (int)field.name.size,
                      field.name.data);
    if (rule->field_count == RULE_FIELDS_MAX)
        return refuse(draft, "it has more than %d fields", RULE_FIELDS_MAX);
    draft->fields[rule->field_count++] = field;
    return true;
}

static bool read_fields(struct draft *draft)
{
    const struct rule_spec *spec = draft->spec;
    draft->rule.cache_control = spec->cache_control;
    if (spec->cache_control.size > RULE_FIELD_SIZE_MAX || !field_value_valid(spec->cache_control))
        return refuse(draft, "its cache_control is not the value of a field; write for example max-age=3600");
    for (size_t i = 0; i < spec->header_count; i++) {
        char why[WHY_SIZE] = "";
        struct field_pair field;
        if (!rule_field_parse(spec->headers[i], &field, (struct why){ why, sizeof why }))
            return refuse(draft, "%s", why);
        if (!keep_field(draft, field))
            return false;
    }
    return true;
}

static bool read_readers(struct draft *draft)
{
    const struct rule_spec *spec = draft->spec;
    char why[WHY_SIZE] = "";
    if (spec->cors.data && !cors_parse(&draft->rule.cors, spec->cors, (struct why){ why, sizeof why }))
        return refuse(draft, "%s", why);
    if (!spec->basic_auth.data)
        return true;
    draft->rule.basic_auth = spec->basic_auth;
    if (spec->basic_auth.size == 0)
        return refuse(draft, "basic_auth names no file; write the path of one with name:hash lines");
    if (slice_find(spec->basic_auth, '\0') < spec->basic_auth.size)
        return refuse(draft, "the name of a file has no NUL in it");
    return true;
}

/* ---- Settling ---- */

static size_t text_size(const struct draft *draft)
{
    const struct rule *rule = &draft->rule;
    size_t size = rule->target.size + rule->cache_control.size + rule->basic_auth.size + rule->cors.origins.size;
    for (unsigned i = 0; i < rule->field_count; i++)
        size += draft->fields[i].name.size + draft->fields[i].value.size;
    return size;
}

/* What is absent stays so, and what is empty does not become absent. */
static struct slice copy(struct writer *w, struct slice text)
{
    if (!text.data)
        return text;
    size_t before = writer_used(w);
    writer_put(w, text);
    return slice_skip(writer_slice(w), before);
}

static struct rule *settle(const struct draft *draft)
{
    size_t fields_size = draft->rule.field_count * sizeof(struct field_pair), size = text_size(draft);
    struct rule *rule = malloc(sizeof *rule + fields_size + size);
    if (!rule) {
        why_refuse(draft->why, SLICE(""), "there is no memory for another rule");
        return NULL;
    }
    struct field_pair *fields = (struct field_pair *)(rule + 1);
    struct writer w = writer_on((char *)fields + fields_size, size);
    *rule = draft->rule;
    rule->fields = fields;
    rule->target = copy(&w, rule->target);
    rule->cache_control = copy(&w, rule->cache_control);
    rule->basic_auth = copy(&w, rule->basic_auth);
    rule->cors.origins = copy(&w, rule->cors.origins);
    for (unsigned i = 0; i < rule->field_count; i++) {
        fields[i].name = copy(&w, draft->fields[i].name);
        fields[i].value = copy(&w, draft->fields[i].value);
    }
    return rule;
}

struct rule *rule_new(const struct rule_spec *spec, struct why why)
{
    struct draft draft = { .spec = spec, .path = spec->path, .why = why };
    struct rule_path *path = rule_path_new(spec->path, why);
    struct rule *rule = NULL;
    if (!path)
        return NULL;
    draft.rule.path = path;
    draft.rule.unless_page = spec->unless_page;
    if (read_action(&draft) && read_fields(&draft) && read_readers(&draft))
        rule = settle(&draft);
    if (!rule)
        free(path);
    return rule;
}

void rule_free(struct rule *rule)
{
    free((struct rule_path *)rule->path);
    free(rule);
}

/* The rules of a host in a configuration file. See config_rules.h.
 *
 * The set of rules that is made here serves nobody: it is there for its checks, of each rule and of what all make
 * together. What one value is wrong with alone is found out first, for the sake of its line. */
#include "main/config_rules.h"

#include "main/option_set.h"
#include "main/value.h"
#include "serve/rule_field.h"
#include "serve/rules.h"

#include <stdlib.h>

/* A rule that is being read. */
struct draft {
    struct part part;
    rh_rule *rule;
    struct rule_path *path; /* NULL: it is none */
    bool wrong;             /* one of its values alone */
    char text[WHY_SIZE];
    struct why why; /* into `text` */
};

static void refuse(struct draft *draft, unsigned line, const char *key)
{
    part_refuse(&draft->part, line, key, draft->text);
    draft->wrong = true;
}

static void take_path(struct draft *draft)
{
    draft->rule->path = part_title(&draft->part);
    if (!draft->rule->path)
        return;
    draft->path = rule_path_new(slice_text(draft->rule->path), draft->why);
    if (!draft->path)
        refuse(draft, draft->part.line, "rule");
}

static void take_targets(struct draft *draft)
{
    struct found redirect = part_find(&draft->part, "redirect", 0), rewrite = part_find(&draft->part, "rewrite", 0);
    draft->rule->redirect = redirect.text;
    draft->rule->rewrite = rewrite.text;
    if (!draft->path)
        return;
    if (redirect.text && !rule_target_check_location(slice_text(redirect.text), draft->path, draft->why))
        refuse(draft, redirect.line, "redirect");
    if (rewrite.text && !rule_target_check_path(slice_text(rewrite.text), draft->path, draft->why))
        refuse(draft, rewrite.line, "rewrite");
}

static void take_status(struct draft *draft)
{
    struct found found = part_find(&draft->part, "status", 0);
    uint64_t status = 0;
    if (found.text && (!value_number(found.text, &status) || status < 100 || status > 999)) {
        why_refuse(draft->why, slice_text(found.text), "a status is a number such as 301 or 404");
        refuse(draft, found.line, "status");
    }
    draft->rule->status = (unsigned)status;
}

static bool check_field(struct slice line, struct why why)
{
    struct field_pair field;
    return rule_field_parse(line, &field, why);
}

static void take_fields(struct draft *draft)
{
    struct found cache = part_find(&draft->part, "cache_control", 0), cors = part_find(&draft->part, "cors", 0);
    struct cors parsed;
    unsigned line, before = draft->part.options->problems.count;
    draft->rule->cache_control = cache.text;
    draft->rule->cors = cors.text;
    draft->rule->headers = part_list(&draft->part, "headers", check_field, &line);
    draft->wrong |= draft->part.options->problems.count > before;
    if (cors.text && !cors_parse(&parsed, slice_text(cors.text), draft->why))
        refuse(draft, cors.line, "cors");
}

static void take_basic_auth(struct draft *draft)
{
    struct found found = part_find(&draft->part, "basic_auth", 0);
    if (!found.text)
        return;
    draft->rule->basic_auth = found.text[0] ? option_keep_path(draft->part.options, found.text) : found.text;
    draft->part.failed |= !draft->rule->basic_auth;
}

static struct slice text_or_absent(const char *text)
{
    return text ? slice_text(text) : (struct slice){ NULL, 0 };
}

/* As serve wants it. One that is wrong by itself is added without content, for what stands behind it. */
static bool add(struct draft *draft, struct rules *rules)
{
    const rh_rule *rule = draft->rule;
    struct slice headers[RULE_FIELDS_MAX + 1];
    size_t count = 0;
    while (rule->headers && rule->headers[count] && count <= RULE_FIELDS_MAX) {
        headers[count] = slice_text(rule->headers[count]);
        count++;
    }
    const struct rule_spec bare = { .path = slice_text(rule->path) }, whole = {
        .path = bare.path,
        .redirect = text_or_absent(rule->redirect),
        .rewrite = text_or_absent(rule->rewrite),
        .status = rule->status,
        .cache_control = text_or_absent(rule->cache_control),
        .headers = headers,
        .header_count = count,
        .cors = text_or_absent(rule->cors),
        .basic_auth = text_or_absent(rule->basic_auth),
    };
    return rules_add(rules, draft->wrong ? &bare : &whole, draft->why);
}

static unsigned take_rule(struct part *host, cfg_t *cfg, rh_rule *rule, struct rules *rules)
{
    struct draft draft = { .part = { .options = host->options, .cfg = cfg }, .rule = rule };
    draft.why = (struct why){ draft.text, sizeof draft.text };
    take_path(&draft);
    take_targets(&draft);
    take_status(&draft);
    take_fields(&draft);
    take_basic_auth(&draft);
    if (draft.path && !draft.part.failed && !add(&draft, rules))
        refuse(&draft, draft.part.line, "rule");
    free(draft.path);
    host->failed |= draft.part.failed;
    return draft.part.line;
}

void config_rules_take(struct part *part, struct host *host)
{
    size_t count = cfg_size(part->cfg, "rule");
    rh_rule *taken = part_take(part, count, sizeof *taken);
    unsigned *lines = part_take(part, count, sizeof *lines);
    struct rules *rules = rules_new();
    part->failed |= !rules;
    for (size_t i = 0; !part->failed && i < count; i++)
        lines[i] = take_rule(part, cfg_getnsec(part->cfg, "rule", (unsigned)i), &taken[i], rules);
    rules_free(rules);
    if (part->failed)
        return;
    host->options.rules = taken;
    host->options.rule_count = count;
    host->rule_lines = lines;
}

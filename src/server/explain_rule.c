/* Rules: which of them hold for a path, and what they do. See explain_way.h. */
#include "server/explain_way.h"

#include <stdlib.h>

/* A password is asked for first, and a redirect that leads nowhere else does not hold: the order of server/pages. */
static enum deed deed_of(const struct way *way, const struct rule_match *match)
{
    const struct request *request = &way->exchange->request;
    const struct rule *rule = match->rule;
    unsigned status = way->exchange->response.status;
    if (rule->basic_auth.data && (status == 401 || status == 503))
        return DEED_REFUSED;
    if (rule->cors.count > 0 && cors_is_preflight(request))
        return DEED_PREFLIGHT;
    switch (rule->action) {
    case RULE_PASS: return DEED_NONE;
    case RULE_REWRITE: return DEED_REWRITTEN;
    case RULE_ERROR: return DEED_ERROR;
    case RULE_REDIRECT: break;
    }
    size_t room = rules_room(match, request->target.query);
    char *text = malloc(room);
    struct writer w = writer_on(text, text ? room : 0);
    bool holds = rules_location(match, &request->target, &w);
    free(text);
    return holds ? DEED_REDIRECTED : DEED_NONE;
}

static void find(struct way *way, const struct rules *rules, struct rule_match *match)
{
    bool page = way->match.found == SITE_PAGE;
    match->rule = way->deed == DEED_NONE ? rules_find(rules, way->exchange->request.path, page, match) : NULL;
    if (!match->rule)
        return;
    way->deed = deed_of(way, match);
    way->doer = way->deed != DEED_NONE ? match : NULL;
}

void way_find_rules(struct way *way)
{
    find(way, way->vhost->config.rules, &way->rule);
    find(way, way->site->redirects, &way->hosted);
}

/* ---- Telling ------------------------------------------------------------------------------------------------ */

static void tell_values(const struct rule_match *match, struct sheet *sheet)
{
    const struct rule_path *path = match->rule->path;
    for (unsigned i = 0, value = 0; i < path->segment_count && value < match->values.count; i++) {
        const struct segment *segment = &path->segments[i];
        if (segment->kind == SEGMENT_LITERAL || segment->text.size == 0)
            continue;
        sheet_fact(sheet, "", "{%.*s} is %.*s", SHEET_SLICE(segment->text), SHEET_SLICE(match->values.at[value]));
        value++;
    }
}

/* What answers is an error, and not one that the rule makes: then what it says of pages does not hold. */
static bool fails(const struct way *way, const struct rule_match *match)
{
    unsigned status = way->exchange->response.status;
    bool answers = way->deed == DEED_ERROR || (way->deed == DEED_REWRITTEN && way->page);
    return status >= 400 && !(way->doer == match && answers && match->rule->status == status);
}

static void tell_words(const struct way *way, const struct rule_match *match, struct sheet *sheet)
{
    const struct rule *rule = match->rule;
    const char *of_page = fails(way, match) ? " (of a page, so not with this error)" : "";
    if (rule->cache_control.data)
        sheet_fact(sheet, "says", "Cache-Control: %.*s%s", SHEET_SLICE(rule->cache_control), of_page);
    for (unsigned i = 0; i < rule->field_count; i++)
        sheet_fact(sheet, "says", "%.*s: %.*s%s", SHEET_SLICE(rule->fields[i].name),
                   SHEET_SLICE(rule->fields[i].value), dress_of_page(rule->fields[i].name) ? of_page : "");
    if (rule->cors.count > 0)
        sheet_fact(sheet, "cors", "%.*s", SHEET_SLICE(rule->cors.origins));
}

static void tell_password(const struct way *way, const struct rule_match *match, struct sheet *sheet)
{
    const struct request *request = &way->exchange->request;
    if (!match->rule->basic_auth.data)
        return;
    const char *outcome = "not a name and a password of it: 401";
    if (way->deed != DEED_REFUSED || way->doer != match)
        outcome = "the name and the password are right";
    else if (way->exchange->response.status == 503)
        outcome = "it could not be checked: 503";
    else if (!fields_has(&request->fields, FIELD_AUTHORIZATION))
        outcome = "no Authorization: 401";
    sheet_fact(sheet, "password", "%.*s: %s", SHEET_SLICE(match->rule->basic_auth), outcome);
}

static void tell_deed(const struct way *way, const struct rule_match *match, struct sheet *sheet)
{
    const struct rule *rule = match->rule;
    switch (way->doer == match ? way->deed : DEED_NONE) {
    case DEED_NONE:
        if (rule->action == RULE_REDIRECT)
            sheet_fact(sheet, "does", "nothing: its redirect would lead to this very path");
        else
            sheet_fact(sheet, "does", "lets pass");
        return;
    case DEED_REFUSED: sheet_fact(sheet, "does", "keeps out"); return;
    case DEED_PREFLIGHT: sheet_fact(sheet, "does", "answers the preflight"); return;
    case DEED_REDIRECTED:
        sheet_fact(sheet, "does", "redirects, %u, to %.*s", rule->status, SHEET_SLICE(rule->target));
        return;
    case DEED_REWRITTEN:
        sheet_fact(sheet, "does", "answers, %u, with the page at %.*s", rule->status, SHEET_SLICE(rule->target));
        return;
    case DEED_ERROR: sheet_fact(sheet, "does", "answers %u", rule->status); return;
    }
}

static void tell(const struct way *way, const struct rules *rules, const struct rule_match *match, struct sheet *sheet)
{
    const char *whose = match == &way->hosted ? "_redirects" : "rule";
    size_t count = rules ? rules_count(rules) : 0;
    const struct rule *rule = match->rule;
    if (!rule && count == 0)
        sheet_fact(sheet, whose, "there is none");
    else if (!rule)
        sheet_fact(sheet, whose, "none of %zu holds here", count);
    if (!rule)
        return;
    sheet_fact(sheet, whose, "%.*s, number %u of %zu", SHEET_SLICE(rule->path->text), rule->place + 1, count);
    tell_values(match, sheet);
    tell_password(way, match, sheet);
    tell_deed(way, match, sheet);
    tell_words(way, match, sheet);
}

void way_tell_rules(const struct way *way, struct sheet *sheet)
{
    sheet_step(sheet, "rule");
    tell(way, way->vhost->config.rules, &way->rule, sheet);
    if (way->site->redirects && (way->deed == DEED_NONE || way->doer == &way->hosted))
        tell(way, way->site->redirects, &way->hosted, sheet);
}

/* What a configuration says about paths: elsewhere, another page, an error, fields, who may read or see it. The first
 * rule that matches a path decides, whole: nothing is taken from another. Built before it is used, immutable
 * afterwards, read by every worker.
 *
 * It knows no request but for the query that a redirect keeps, and no page but for whether there is one. Who applies
 * a rule: serve to a page when a generation is built, server to what is no page. */
#ifndef SERVE_RULES_H
#define SERVE_RULES_H

#include "http/cors.h"
#include "serve/rule_target.h"

enum {
    RULES_MAX = 10000,         /* of one set */
    RULES_PATTERNS_MAX = 1000, /* of those, not of one path alone: they are looked at in turn */
    RULE_FIELDS_MAX = 32,
    RULES_HOPS_MAX = 20        /* redirects in a row, as many as browsers follow */
};

/* A rule as somebody wrote it. Absent: data NULL, 0. */
struct rule_spec {
    struct slice path;           /* see rule_path.h */
    struct slice redirect;       /* see rule_target.h */
    struct slice rewrite;
    unsigned status;             /* of a redirect 301 (default), 302, 303, 307, 308; else 403, 404, 410 or 451, of a
                                    rewrite also 200 (default) */
    struct slice cache_control;  /* empty, not absent: there is no such field */
    const struct slice *headers; /* "Name: value" each */
    size_t header_count;
    struct slice cors;           /* see cors.h */
    struct slice basic_auth;     /* a file; not opened here */
    bool unless_page;            /* holds only where there is no page: `_redirects` without "!" */
};

enum rule_action {
    RULE_PASS,     /* the path is answered as without the rule; fields, cors and basic_auth hold */
    RULE_REDIRECT, /* rules_location */
    RULE_REWRITE,  /* the page at rules_rewritten answers with `status`; no rule is looked up for it */
    RULE_ERROR     /* answered with `status` */
};

/* A rule as it is. Everything in it lies in one block with it. */
struct rule {
    const struct rule_path *path;
    enum rule_action action;
    uint16_t status;
    bool unless_page;
    uint32_t place;             /* among the rules, from 0 */
    uint32_t row_before;        /* rules before it that are not found by their path alone */
    struct slice target;
    struct slice cache_control; /* data NULL: nothing said; empty: there is to be no such field */
    struct slice basic_auth;    /* data NULL: everybody may see it */
    struct cors cors;           /* count 0: none */
    unsigned field_count;       /* neither Cache-Control nor what cors makes is among them. Each replaces what the
                                   server itself would send under that name, but Vary, which joins it */
    const struct field_pair *fields;
};

struct rules;

struct rules *rules_new(void); /* NULL: no memory */
void rules_free(struct rules *rules);

/* Adds one behind the others. False: nothing has changed; `why` begins with the rule's path and says what to write
 * instead. What is wrong may be the company: a rule that no path gets to, because those before it take them all, or a
 * redirect that ends in a circle. */
bool rules_add(struct rules *rules, const struct rule_spec *spec, struct why why) __attribute__((warn_unused_result));

size_t rules_count(const struct rules *rules);
const struct rule *rules_at(const struct rules *rules, size_t place);

struct rule_match {
    const struct rule *rule;
    struct slice path; /* what was looked up; the values are slices of it */
    struct rule_values values;
};

const struct rule *rules_search(const struct rules *rules, struct slice path, bool page, struct rule_match *match);

/* The first rule for a normal path, or NULL. `page`: the site has one there, so rules that hold only where there is
 * none are passed over. Without rules, which is NULL, nothing is done. A rule for one path is found by one hash, the
 * others are walked, 7 instructions each that does not begin alike. */
static inline const struct rule *rules_find(const struct rules *rules, struct slice path, bool page,
                                            struct rule_match *match)
{
    return rules == NULL ? NULL : rules_search(rules, path, page, match);
}

/* So many bytes are enough for what the next two write. `query`: the request's. */
size_t rules_room(const struct rule_match *match, struct slice query);

/* The value of Location for a RULE_REDIRECT. The request's query is kept: it is the location's, or stands behind the
 * location's own. False: it would lead to the very path that was asked for, so the rule does not hold there. */
bool rules_location(const struct rule_match *match, const struct target *request, struct writer *w)
    __attribute__((warn_unused_result));

/* The path of a RULE_REWRITE. */
void rules_rewritten(const struct rule_match *match, struct writer *w);

#endif

/* What is said with a page beside what it is: how long it may be kept, and the fields that rules, the site's
 * `_headers`, or good sense add. It is found out when a page is prepared, not for each request. */
#ifndef SERVE_DRESS_H
#define SERVE_DRESS_H

#include "serve/headers.h"
#include "serve/rules.h"

enum {
    DRESS_FIELDS_MAX = 1 + HEADERS_SET_MAX + RULE_FIELDS_MAX + CORS_FIELDS_MAX,
    DRESS_VARY_MAX = 1 + RULE_FIELDS_MAX + 1 /* `_headers` joins its own; the last is Origin, of cors */
};

/* What a site has to say about its pages. Both may be NULL. */
struct wardrobe {
    const struct rules *rules;
    const struct headers *headers;
};

struct dress {
    struct slice type;          /* in place of the page's own; empty: that */
    struct slice cache_control; /* empty: no such field */
    unsigned vary_count;
    struct slice vary[DRESS_VARY_MAX]; /* none is empty: each joins the others, and what the page varies by itself */
    unsigned count;
    struct field_pair fields[DRESS_FIELDS_MAX];
    struct header_set set;      /* what some of these slices lie in */
    struct cors_fields cors;
};

struct occasion {
    const struct rule *rule; /* the one that holds for the path, or NULL; only its fields are looked at */
    struct slice page;       /* its own path: how long it may be kept goes by its name, whatever was asked for */
    struct slice path;       /* what was asked for; its own, where the answer is prepared for all */
    struct slice origin;     /* the request's; data NULL: it has none, or there is no request */
};

void dress_page(struct dress *dress, const struct wardrobe *wardrobe, const struct occasion *occasion);

/* What is said at this path with what is no page, as an error is not: of the fields of `_headers` and of the rule those
 * that hold whatever is answered (who may frame it, which origins may read it), and what that varies by. */
void dress_other(struct dress *dress, const struct wardrobe *wardrobe, struct slice path, struct slice origin);

/* A field that speaks of the page: what it is, what belongs to it, how long it may be kept. Of an error it would be
 * wrong, and that a page is not there would be kept for a year. */
bool dress_of_page(struct slice name);

/* The rule by which the page at this path is prepared, or NULL. */
const struct rule *dress_rule(const struct wardrobe *wardrobe, struct slice path);

#endif

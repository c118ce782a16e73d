/* The steps of a request's way through the server, as an answered exchange shows them: each is asked again of the
 * function that took the decision, with the same arguments, in the turn in which the response went out. */
#ifndef SERVER_EXPLAIN_WAY_H
#define SERVER_EXPLAIN_WAY_H

#include "serve/site.h"
#include "server/server.h"
#include "server/sheet.h"

/* What a rule has done about a request. */
enum deed { DEED_NONE, DEED_REFUSED, DEED_PREFLIGHT, DEED_REDIRECTED, DEED_REWRITTEN, DEED_ERROR };

/* How a path leads to a page. */
enum found_as { ADDRESS_NONE, ADDRESS_EXACT, ADDRESS_CLEAN, ADDRESS_INDEX, ADDRESS_REDIRECT, ADDRESS_NAMED_REDIRECT,
               ADDRESS_LISTING, ADDRESS_LISTING_REDIRECT, ADDRESS_FALLBACK, ADDRESS_REWRITTEN };

/* As far as the request has come; what is beyond is NULL or 0. */
struct way {
    const struct exchange *exchange;
    unsigned refused;               /* by the session, with this status */
    struct router_match route;      /* its target is NULL where no handler answers */
    const struct vhost *vhost;
    struct site *site;
    struct site_match match;
    struct rule_match rule, hosted; /* the configuration's, the site's own; their rule is NULL where none holds */
    enum deed deed;                 /* of the one that has answered */
    const struct rule_match *doer;
    enum found_as address;
    struct page *page;              /* what is answered with */
};

/* A worker, when the exchange has its response. */
void way_find(struct way *way, const struct exchange *exchange, unsigned refused);

/* From the request to the page. */
void way_tell(const struct way *way, struct sheet *sheet);

/* From the page to its response: representation, conditions, range (explain_answer.c). */
void way_tell_answer(const struct way *way, struct sheet *sheet);

/* Which rules hold, and what comes of them (explain_rule.c). */
void way_find_rules(struct way *way);
void way_tell_rules(const struct way *way, struct sheet *sheet);

#endif

/* Who answers a path: patterns of literal, {name} and {name...} segments with methods, in a segment tree, so that a
 * thousand routes cost no more than ten. Built before the server starts, immutable afterwards, read by every worker.
 *
 * It knows nothing of exchanges: a path and a method in, the registered pointer and the parameters out. */
#ifndef SERVE_ROUTER_H
#define SERVE_ROUTER_H

#include "base/slice.h"
#include "http/method.h"

enum { ROUTER_PARAMS_MAX = 16 };

struct router;

struct router *router_new(void); /* NULL: no memory */
void router_free(struct router *router);

enum router_error { ROUTER_OK, ROUTER_NO_MEMORY, ROUTER_BAD_PATTERN, ROUTER_CONFLICT };

/* "METHOD /pattern". On an error `why` (`why_size` bytes) says what to do, with the pattern in it. `target` is what
 * router_find gives back. */
enum router_error router_add(struct router *router, const char *pattern, void *target, char *why, size_t why_size)
    __attribute__((warn_unused_result));

struct router_param {
    struct slice name, value; /* name: the router's memory; value: within the path */
};

struct router_match {
    bool found;           /* some route has this path; then `methods` is set */
    void *target;         /* NULL: not with this method */
    unsigned methods;     /* method_bit()s that routes with this path have (HEAD where GET is, OPTIONS always);
                             all of them where target is NULL, else those that were come across */
    unsigned param_count;
    struct router_param params[ROUTER_PARAMS_MAX];
};

/* `path` is normal (target_normalise). HEAD finds a GET route where there is none for HEAD. The most literal pattern
 * wins, segment by segment, with backtracking: /a/{x}/c is found beside /a/b/d, and POST /a/b finds "POST /a/{x}"
 * beside "GET /a/b". {name} takes no empty segment; /files/{rest...} takes "/files/" but not "/files". `router` may be
 * empty. */
void router_find(const struct router *router, struct slice path, enum method method, struct router_match *match);

bool router_empty(const struct router *router);

#endif

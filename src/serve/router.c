/* Patterns without parameters lie in one table by their whole path, the others in a tree of segments. A literal pattern
 * is always the most literal one, so the table is asked first and the common case ends there.
 *
 * The tree is searched with backtracking. Each of its nodes has one way to it, so a search comes to a node at most
 * once, whatever the path: the work is bounded by the number of segments registered, never by 2 to the path's depth. */
#include "serve/router.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "serve/literals.h"
#include "serve/pattern.h"

_Static_assert((int)ROUTER_PARAMS_MAX == (int)PATTERN_PARAMS_MAX, "a match has room for every pattern's parameters");

struct route {
    void *target;
    char *text; /* the pattern, behind the names */
    unsigned param_count;
    struct slice names[];
};

/* Where patterns of one shape end: a route for each method. */
struct ending {
    unsigned methods; /* what they answer, HEAD and OPTIONS included */
    struct route *routes[METHOD_COUNT];
};

struct node {
    struct literals literals; /* text of the next segment -> node */
    struct node *parameter;   /* {name} */
    struct ending *here;      /* patterns that end at this node */
    struct ending *rest;      /* {name...} */
    char text[];              /* what the parent's table borrows */
};

struct router {
    struct literals exact; /* path -> ending; the path is borrowed from one of the ending's routes */
    struct node *tree;
    bool filled;           /* there is a route */
};

/* ---- Building ---- */

static struct node *grow_node(struct slice text)
{
    struct node *node = calloc(1, sizeof *node + text.size);
    if (!node)
        return NULL;
    if (text.size > 0)
        memcpy(node->text, text.data, text.size);
    return node;
}

static void free_ending(struct ending *ending)
{
    if (!ending)
        return;
    for (unsigned i = 0; i < METHOD_COUNT; i++)
        free(ending->routes[i]);
    free(ending);
}

/* Recursion ends with the depth of patterns, PATTERN_SEGMENTS_MAX. */
static void free_node(struct node *node)
{
    if (!node)
        return;
    for (size_t i = 0; i < node->literals.room; i++)
        free_node(node->literals.at[i].value);
    literals_fini(&node->literals);
    free_node(node->parameter);
    free_ending(node->here);
    free_ending(node->rest);
    free(node);
}

struct router *router_new(void)
{
    struct router *router = calloc(1, sizeof *router);
    if (!router)
        return NULL;
    router->tree = grow_node(SLICE(""));
    if (router->tree)
        return router;
    router_free(router);
    return NULL;
}

void router_free(struct router *router)
{
    if (!router)
        return;
    for (size_t i = 0; i < router->exact.room; i++)
        free_ending(router->exact.at[i].value);
    literals_fini(&router->exact);
    free_node(router->tree);
    free(router);
}

static struct route *make_route(const struct pattern *pattern, void *target)
{
    size_t names_size = pattern->param_count * sizeof(struct slice);
    struct route *route = malloc(sizeof *route + names_size + pattern->text.size + 1);
    if (!route)
        return NULL;
    route->target = target;
    route->text = (char *)(route->names + pattern->param_count);
    memcpy(route->text, pattern->text.data, pattern->text.size + 1);

    route->param_count = 0;
    for (unsigned i = 0; i < pattern->segment_count; i++) {
        const struct segment *segment = &pattern->segments[i];
        size_t offset = (size_t)(segment->text.data - pattern->text.data);
        if (segment->kind != SEGMENT_LITERAL)
            route->names[route->param_count++] = slice_make(route->text + offset, segment->text.size);
    }
    return route;
}

static struct node *grow_literal(struct node *node, struct slice text)
{
    struct node *child = literals_find(&node->literals, text);
    if (child)
        return child;
    child = grow_node(text);
    if (!child || literals_add(&node->literals, slice_make(child->text, text.size), child))
        return child;
    free_node(child);
    return NULL;
}

/* The place for the ending of this pattern, made where it is not there yet; NULL: no memory. */
static struct ending **grow_place(struct router *router, const struct pattern *pattern)
{
    struct node *node = router->tree;
    for (unsigned i = 0; node && i < pattern->segment_count; i++) {
        const struct segment *segment = &pattern->segments[i];
        switch (segment->kind) {
        case SEGMENT_LITERAL:
            node = grow_literal(node, segment->text);
            break;
        case SEGMENT_PARAMETER:
            if (!node->parameter)
                node->parameter = grow_node(SLICE(""));
            node = node->parameter;
            break;
        case SEGMENT_REST:
            return &node->rest;
        }
    }
    return node ? &node->here : NULL;
}

static struct ending *grow_in_tree(struct router *router, const struct pattern *pattern)
{
    struct ending **place = grow_place(router, pattern);
    if (!place)
        return NULL;
    if (!*place)
        *place = calloc(1, sizeof **place);
    return *place;
}

static void settle(struct ending *ending, enum method method, struct route *route)
{
    ending->routes[method] = route;
    ending->methods |= method_bit(method) | method_bit(METHOD_OPTIONS);
    if (method == METHOD_GET)
        ending->methods |= method_bit(METHOD_HEAD);
}

static enum router_error run_out(char *why, size_t why_size)
{
    snprintf(why, why_size, "there is no memory for another route");
    return ROUTER_NO_MEMORY;
}

static enum router_error collide(const struct pattern *pattern, const struct route *other, char *why, size_t why_size)
{
    snprintf(why, why_size, "%s: it answers the same requests as %s, which is registered already; remove one of them",
             pattern->text.data, other->text);
    return ROUTER_CONFLICT;
}

/* A new ending in the table borrows its path from its first route, so both come to be or neither. */
static bool add_exact(struct router *router, const struct pattern *pattern, struct route *route)
{
    struct ending *ending = calloc(1, sizeof *ending);
    if (!ending)
        return false;
    size_t offset = (size_t)(pattern->path.data - pattern->text.data);
    if (!literals_add(&router->exact, slice_make(route->text + offset, pattern->path.size), ending)) {
        free(ending);
        return false;
    }
    settle(ending, pattern->method, route);
    return true;
}

static enum router_error add(struct router *router, const struct pattern *pattern, struct route *route, char *why,
                             size_t why_size)
{
    bool exact = pattern->param_count == 0;
    struct ending *ending = exact ? literals_find(&router->exact, pattern->path) : grow_in_tree(router, pattern);
    if (!ending)
        return exact && add_exact(router, pattern, route) ? ROUTER_OK : run_out(why, why_size);
    if (ending->routes[pattern->method])
        return collide(pattern, ending->routes[pattern->method], why, why_size);
    settle(ending, pattern->method, route);
    return ROUTER_OK;
}

enum router_error router_add(struct router *router, const char *text, void *target, char *why, size_t why_size)
{
    assert(target); /* NULL is how router_find says "not with this method" */
    struct pattern pattern;
    if (!pattern_parse(&pattern, text, why, why_size))
        return ROUTER_BAD_PATTERN;

    struct route *route = make_route(&pattern, target);
    if (!route)
        return run_out(why, why_size);
    enum router_error error = add(router, &pattern, route, why, why_size);
    if (error == ROUTER_OK)
        router->filled = true;
    else
        free(route);
    return error;
}

/* ---- Finding ---- */

/* True where this ending answers the method; otherwise its methods are noted, and the search goes on: POST /a/b is
 * answered by "POST /a/{x}" though "GET /a/b" is more literal. */
static bool take(const struct ending *ending, enum method method, struct router_match *match)
{
    if (!ending)
        return false;
    match->found = true;
    match->methods |= ending->methods;

    const struct route *route = ending->routes[method];
    if (!route && method == METHOD_HEAD)
        route = ending->routes[METHOD_GET];
    if (!route)
        return false;
    match->target = route->target;
    match->param_count = route->param_count;
    for (unsigned i = 0; i < route->param_count; i++)
        match->params[i].name = route->names[i];
    return true;
}

struct search {
    enum method method;
    unsigned depth; /* parameters bound on the way here */
    struct router_match *match;
};

static void bind(struct search *search, struct slice value)
{
    search->match->params[search->depth++].value = value;
}

static bool walk(struct search *search, const struct node *node, struct slice rest);

/* `size` bytes of `rest` led to `node`; what follows them is still to be matched. */
static bool enter(struct search *search, const struct node *node, struct slice rest, size_t size)
{
    if (!node)
        return false;
    if (size == rest.size)
        return take(node->here, search->method, search->match);
    return walk(search, node, slice_skip(rest, size + 1));
}

/* `rest` begins with a segment. Literal before parameter before rest. Recursion ends with the depth of the tree. */
static bool walk(struct search *search, const struct node *node, struct slice rest)
{
    size_t size = slice_find(rest, '/');
    struct slice segment = slice_part(rest, 0, size);
    if (enter(search, literals_find(&node->literals, segment), rest, size))
        return true;

    unsigned depth = search->depth;
    if (node->parameter && size > 0) {
        bind(search, segment);
        if (enter(search, node->parameter, rest, size))
            return true;
        search->depth = depth;
    }
    if (node->rest) {
        bind(search, rest);
        if (take(node->rest, search->method, search->match))
            return true;
        search->depth = depth;
    }
    return false;
}

/* Out of line: a path that is found in the table pays nothing for this. */
static __attribute__((noinline)) void search_tree(const struct router *router, struct slice path, enum method method,
                                                  struct router_match *match)
{
    struct search search = { method, 0, match };
    walk(&search, router->tree, slice_skip(path, 1));
}

void router_find(const struct router *router, struct slice path, enum method method, struct router_match *match)
{
    match->found = false;
    match->target = NULL;
    match->methods = 0;
    match->param_count = 0;
    if (path.size == 0 || path.data[0] != '/')
        return;
    if (take(literals_find(&router->exact, path), method, match))
        return;
    search_tree(router, path, method, match);
}

bool router_empty(const struct router *router)
{
    return !router->filled;
}

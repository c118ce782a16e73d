/* First the rules, then the table of addresses, then what is left. See pages.h. */
#include "server/pages.h"

#include "base/writer.h"
#include "http/accept.h"
#include "serve/percent.h"
#include "serve/site_folders.h"
#include "serve/site_table.h"
#include "server/folder_list.h"
#include "server/guard.h"
#include "server/reply.h"
#include "server/respond.h"
#include "server/said.h"

enum { PAGE_METHODS = 1u << METHOD_GET | 1u << METHOD_HEAD | 1u << METHOD_OPTIONS };

/* A request, and what is known of its path. */
struct asked {
    struct exchange *exchange;
    const struct vhost *vhost;
    struct site *site;       /* NULL: this host has no pages */
    struct site_match match;
    const struct rule *rule; /* of the configuration, or NULL: once it is known */
    unsigned allow;
};

static bool reads(enum method method)
{
    return method == METHOD_GET || method == METHOD_HEAD;
}

static uint64_t now_ms(const struct asked *asked)
{
    return asked->exchange->session->host->clock->now_ms;
}

/* ---- What rules say ----------------------------------------------------------------------------------------- */

static const struct rule *find_rule(const struct asked *asked, const struct rules *rules, struct rule_match *match)
{
    return rules_find(rules, asked->exchange->request.path, asked->match.found == SITE_PAGE, match);
}

static bool add_fields(struct exchange *exchange, const struct field_pair *fields, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (!exchange_add_field(exchange, fields[i].name, fields[i].value))
            return false;
    return true;
}

/* What the rule says with what is no page. A redirect too has to say who may read it, or no browser follows it to where
 * another origin may read (Fetch, "HTTP-redirect fetch"). */
static bool add_said(const struct asked *asked)
{
    struct exchange *exchange = asked->exchange;
    const struct rule *rule = asked->rule;
    struct cors_fields cors;
    if (!rule)
        return true;
    if (rule->cache_control.size > 0 && !exchange_add_field(exchange, SLICE("Cache-Control"), rule->cache_control))
        return false;
    cors_actual(&rule->cors, fields_get(&exchange->request.fields, FIELD_ORIGIN), &cors);
    return add_fields(exchange, rule->fields, rule->field_count) && add_fields(exchange, cors.at, cors.count);
}

/* ---- Redirects ---------------------------------------------------------------------------------------------- */

static void answer_moved(const struct asked *asked, unsigned status, struct slice location)
{
    if (add_said(asked))
        respond_moved(asked->exchange, status, location);
    else
        respond_unavailable(asked->exchange);
}

/* The canonical address of a folder, with the query kept. */
static void redirect_to_folder(const struct asked *asked, struct slice folder)
{
    struct exchange *exchange = asked->exchange;
    const struct target *target = &exchange->request.target;
    size_t size = 3 * folder.size + 2 + target->query.size; /* every byte may become %XX */
    char *text = arena_take(&exchange->arena, size);
    if (text == NULL) {
        respond_unavailable(exchange);
        return;
    }
    struct writer w = writer_on(text, size);
    percent_write(&w, folder);
    if (target->has_query) {
        writer_byte(&w, '?');
        writer_put(&w, target->query);
    }
    answer_moved(asked, 301, writer_slice(&w));
}

/* ---- Passwords ---------------------------------------------------------------------------------------------- */

static struct guard *guard_at(const struct vhost *vhost, struct slice path)
{
    struct rule_match match;
    const struct rule *rule = rules_find(vhost->config.rules, path, true, &match);
    return rule && rule->basic_auth.data ? guards_find(vhost->guards, rule->basic_auth) : NULL;
}

/* Of the path, or of another address of the same page: a page is not open at one door and closed at another. */
static struct guard *find_guard(const struct asked *asked)
{
    const struct vhost *vhost = asked->vhost;
    struct slice addresses[SITE_ADDRESSES_MAX];
    struct guard *guard = guard_at(vhost, asked->exchange->request.path);
    if (guard || asked->match.found == SITE_NOTHING)
        return guard;
    unsigned count = site_addresses(asked->match.page, addresses);
    for (unsigned i = 0; i < count && !guard; i++)
        guard = guard_at(vhost, addresses[i]);
    return guard;
}

/* What routes there are for other methods has been forgotten meanwhile. */
void pages_answer_again(struct exchange *exchange)
{
    struct router_match routes;
    router_find(exchange_worker(exchange)->server->router, exchange->request.path, exchange->request.method, &routes);
    pages_answer(exchange, routes.found ? routes.methods : 0);
}

/* A page that somebody else's word leads to, a rewrite or the fallback, is no more open there than at home. False: the
 * exchange has been answered, or waits. */
static bool may_show(const struct asked *asked, const struct page *page)
{
    struct slice addresses[SITE_ADDRESSES_MAX];
    struct guard *guard = NULL;
    if (asked->vhost->guards == NULL || page == asked->match.page)
        return true;
    unsigned count = site_addresses(page, addresses);
    for (unsigned i = 0; i < count && guard == NULL; i++)
        guard = guard_at(asked->vhost, addresses[i]);
    return guard == NULL || guard_admit(asked->exchange, guard, pages_answer_again);
}

/* ---- What rules do ------------------------------------------------------------------------------------------ */

/* False: it would lead to the path that was asked for, and so does not hold there. */
static bool redirect_by_rule(const struct asked *asked, const struct rule_match *match)
{
    struct exchange *exchange = asked->exchange;
    const struct target *target = &exchange->request.target;
    size_t room = rules_room(match, target->query);
    char *text = arena_take(&exchange->arena, room);
    if (text == NULL) {
        respond_unavailable(exchange);
        return true;
    }
    struct writer w = writer_on(text, room);
    if (!rules_location(match, target, &w))
        return false;
    answer_moved(asked, match->rule->status, writer_slice(&w));
    return true;
}

/* The page at this path, and whose it is; NULL: none. */
static struct page *find_page(const struct asked *asked, struct slice path, struct site **site)
{
    struct site_match found;
    if (asked->site == NULL)
        return NULL;
    *site = asked->site;
    site_find(asked->site, path, &found);
    if (found.found == SITE_NOTHING)
        return vhost_find_before(asked->vhost, path, now_ms(asked), site);
    return found.found == SITE_PAGE ? found.page : NULL;
}

static void rewrite_by_rule(const struct asked *asked, const struct rule_match *match)
{
    struct exchange *exchange = asked->exchange;
    size_t room = rules_room(match, SLICE(""));
    char *text = arena_take(&exchange->arena, room);
    struct writer w = writer_on(text, text ? room : 0);
    struct site *site;
    if (text == NULL) {
        respond_unavailable(exchange);
        return;
    }
    rules_rewritten(match, &w);
    struct page *page = find_page(asked, writer_slice(&w), &site);
    unsigned status = match->rule->status == 200 ? 0 : match->rule->status;
    if (page == NULL)
        respond_error(exchange, status != 0 ? status : 404, 0, SLICE(""));
    else if (exchange->request.method == METHOD_OPTIONS)
        respond_options(exchange, PAGE_METHODS);
    else if (!reads(exchange->request.method))
        respond_error(exchange, 405, PAGE_METHODS, SLICE(""));
    else if (may_show(asked, page))
        reply_with_page(exchange, &(struct page_reply){ .site = site, .page = page, .rule = asked->rule,
                                                        .status = status, .ruled = true });
}

/* An error that a rule makes has all that the rule says, Cache-Control too; with one that the site's own word makes
 * goes what goes with every error. */
static void fail_by_rule(const struct asked *asked, const struct rule *rule)
{
    if (rule != asked->rule || add_said(asked))
        rh_fail((rh_request *)asked->exchange, rule->status, ""); /* keeps the fields */
    else
        respond_unavailable(asked->exchange);
}

/* True: this was it. */
static bool answer_by_rule(const struct asked *asked, const struct rule_match *match)
{
    const struct rule *rule = match->rule;
    switch (rule->action) {
    case RULE_PASS: return false;
    case RULE_REDIRECT: return redirect_by_rule(asked, match);
    case RULE_REWRITE: rewrite_by_rule(asked, match); return true;
    case RULE_ERROR: fail_by_rule(asked, rule); return true;
    }
    return false;
}

/* ---- Pages -------------------------------------------------------------------------------------------------- */

/* A navigation, as a browser makes it when an address is entered or a link followed: not what a page loads. */
static bool navigates(const struct exchange *exchange)
{
    struct slice path = exchange->request.path;
    if (!reads(exchange->request.method) || !fields_has(&exchange->request.fields, FIELD_ACCEPT))
        return false;
    for (size_t at = path.size; at > 0 && path.data[at - 1] != '/'; at--)
        if (path.data[at - 1] == '.')
            return false;
    return accept_names(&exchange->request.fields, SLICE("text/html"));
}

static struct page *find_fallback(const struct asked *asked)
{
    struct site_match found;
    bool wanted = asked->site != NULL && asked->vhost->fallback != NULL && asked->match.found == SITE_NOTHING;
    if (!wanted || !navigates(asked->exchange))
        return NULL;
    site_find(asked->site, slice_text(asked->vhost->fallback), &found);
    return found.found == SITE_PAGE ? found.page : NULL;
}

/* "/docs" of a folder is at home at "/docs/". */
static void redirect_to_listing(const struct asked *asked)
{
    struct exchange *exchange = asked->exchange;
    struct slice path = exchange->request.path;
    char *text = arena_take(&exchange->arena, path.size + 1);
    struct writer w = writer_on(text, text ? path.size + 1 : 0);
    writer_put(&w, path);
    writer_byte(&w, '/');
    if (text)
        redirect_to_folder(asked, writer_slice(&w));
    else
        respond_unavailable(exchange);
}

/* A folder without an index page. */
static bool list_folder(const struct asked *asked)
{
    struct exchange *exchange = asked->exchange;
    struct slice path = exchange->request.path;
    size_t folder;
    if (asked->site == NULL || asked->match.found != SITE_NOTHING || !reads(exchange->request.method))
        return false;
    if (!site_folders_find(asked->site->folders, path, &folder))
        return false;
    if (path.data[path.size - 1] != '/')
        redirect_to_listing(asked);
    else
        folder_list_begin(exchange, asked->site, folder);
    return true;
}

static void answer_address(struct asked *asked)
{
    struct exchange *exchange = asked->exchange;
    enum method method = exchange->request.method;
    struct page *page = asked->match.found == SITE_PAGE ? asked->match.page : find_fallback(asked);
    if (page || asked->match.found == SITE_REDIRECT)
        asked->allow |= PAGE_METHODS;
    if (asked->allow == 0)
        respond_error(exchange, 404, 0, SLICE(""));
    else if (method == METHOD_OPTIONS)
        respond_options(exchange, asked->allow);
    else if (!reads(method) || (!page && asked->match.found != SITE_REDIRECT))
        respond_error(exchange, 405, asked->allow, SLICE(""));
    else if (!page)
        redirect_to_folder(asked, site_folder(asked->match.page));
    else if (may_show(asked, page))
        reply_with_page(exchange, &(struct page_reply){ .site = asked->site, .page = page, .rule = asked->rule,
                                                        .ruled = true });
}

/* What was a page a moment ago is answered for as if it still were one, whatever would take its place: the fallback, or
 * a rule for what is no page. */
static void look_before(struct asked *asked)
{
    struct page *page = vhost_find_before(asked->vhost, asked->exchange->request.path, now_ms(asked), &asked->site);
    if (page != NULL)
        asked->match = (struct site_match){ SITE_PAGE, page };
}

/* Whatever is not simply a page in memory. A browser asks whether it may ask (CORS) without a password. */
static void answer_with_rules(struct asked *asked)
{
    struct exchange *exchange = asked->exchange;
    struct rule_match match, hosted;
    if (asked->site != NULL && asked->match.found == SITE_NOTHING)
        look_before(asked);
    const struct rules *redirects = asked->site ? asked->site->redirects : NULL;
    const struct rule *rule = asked->rule = find_rule(asked, asked->vhost->config.rules, &match);
    if (rule && rule->cors.count > 0 && cors_is_preflight(&exchange->request)) {
        said_preflight(exchange, rule, asked->allow | PAGE_METHODS);
        return;
    }
    struct guard *guard = asked->vhost->guards ? find_guard(asked) : NULL;
    if (guard && !guard_admit(exchange, guard, pages_answer_again))
        return;
    if (rule && answer_by_rule(asked, &match))
        return;
    if (find_rule(asked, redirects, &hosted) && answer_by_rule(asked, &hosted)) /* the site's own word */
        return;
    if (!list_folder(asked))
        answer_address(asked);
}

/* Apart, so that the way of most requests needs no frame for all that may be. */
static __attribute__((noinline)) void answer_otherwise(struct exchange *exchange, const struct vhost *vhost,
                                                       struct site *site, struct site_match match, unsigned allow)
{
    struct asked *asked =
        &(struct asked){ .exchange = exchange, .vhost = vhost, .site = site, .match = match, .allow = allow };
    struct page *page = asked->match.found == SITE_PAGE ? asked->match.page : NULL;
    if (page && !page->ruled && reads(asked->exchange->request.method))
        reply_with_page(asked->exchange, &(struct page_reply){ .site = asked->site, .page = page });
    else
        answer_with_rules(asked);
}

void pages_answer(struct exchange *exchange, unsigned allow)
{
    const struct vhost *vhost = vhost_of(exchange);
    if (vhost == NULL) {
        respond_error(exchange, 421, 0, SLICE(""));
        return;
    }
    struct site *site = vhost_generation(vhost)->site;
    struct site_match match = { .found = SITE_NOTHING };
    if (site != NULL)
        match = site_match_of(site, exchange->request.path);
    bool plain = match.found == SITE_PAGE && !match.page->ruled && reads(exchange->request.method);
    if (!plain || !reply_at_once(exchange, match.page, site->store))
        answer_otherwise(exchange, vhost, site, match, allow);
}

void pages_answer_early(struct exchange *exchange, unsigned allow)
{
    const struct vhost *vhost = vhost_of(exchange);
    struct asked asked = { .exchange = exchange, .vhost = vhost, .allow = allow };
    if (vhost != NULL && vhost->guards != NULL) {
        asked.site = vhost_generation(vhost)->site;
        if (asked.site != NULL)
            site_find(asked.site, exchange->request.path, &asked.match);
        struct guard *guard = find_guard(&asked);
        if (guard != NULL) {
            guard_refuse(exchange, guard); /* or the password is looked at when the body has come */
            return;
        }
    }
    pages_answer(exchange, allow);
}

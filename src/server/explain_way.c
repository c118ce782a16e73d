/* From the request to the page. See explain_way.h. */
#include "server/explain_way.h"

#include <stdlib.h>

#include "serve/site_folders.h"
#include "wire/h1_framing.h"

/* ---- Finding ------------------------------------------------------------------------------------------------ */

static bool reads(const struct exchange *exchange)
{
    return exchange->request.method == METHOD_GET || exchange->request.method == METHOD_HEAD;
}

static bool ends_with_slash(struct slice path)
{
    return path.size > 0 && path.data[path.size - 1] == '/';
}

static void find_rewritten(struct way *way)
{
    size_t room = rules_room(way->doer, SLICE(""));
    char *text = malloc(room);
    struct writer w = writer_on(text, text ? room : 0);
    struct site_match found;
    rules_rewritten(way->doer, &w);
    site_find(way->site, writer_slice(&w), &found);
    if (found.found == SITE_PAGE) {
        way->page = found.page;
        way->address = ADDRESS_REWRITTEN;
    }
    free(text);
}

/* Whether the request was a navigation shows in its response: nothing else has an answer where nothing has the
 * address. */
static void find_fallback(struct way *way)
{
    struct site_match found = { .found = SITE_NOTHING };
    if (way->vhost->fallback && reads(way->exchange) && way->exchange->response.status != 404)
        site_find(way->site, slice_text(way->vhost->fallback), &found);
    if (found.found != SITE_PAGE)
        return;
    way->page = found.page;
    way->address = ADDRESS_FALLBACK;
}

static void find_nothing(struct way *way)
{
    struct slice path = way->exchange->request.path;
    size_t folder;
    if (reads(way->exchange) && site_folders_find(way->site->folders, path, &folder))
        way->address = ends_with_slash(path) ? ADDRESS_LISTING : ADDRESS_LISTING_REDIRECT;
    else
        find_fallback(way);
}

static bool redirects(const struct way *way)
{
    return way->address == ADDRESS_REDIRECT || way->address == ADDRESS_NAMED_REDIRECT;
}

static void find_page(struct way *way)
{
    struct slice path = way->exchange->request.path;
    switch (way->match.found) {
    case SITE_NOTHING: find_nothing(way); return;
    case SITE_REDIRECT:
        way->address = slice_starts(path, site_folder(way->match.page)) ? ADDRESS_NAMED_REDIRECT : ADDRESS_REDIRECT;
        return;
    case SITE_PAGE: break;
    }
    way->page = way->match.page;
    if (slice_equal(path, page_address(way->page)))
        way->address = ADDRESS_EXACT;
    else
        way->address = ends_with_slash(path) ? ADDRESS_INDEX : ADDRESS_CLEAN;
}

void way_find(struct way *way, const struct exchange *exchange, unsigned refused)
{
    const struct request *request = &exchange->request;
    *way = (struct way){ .exchange = exchange, .refused = refused };
    if (refused != 0 || request->method == METHOD_OTHER || !target_has_path(&request->target))
        return;
    router_find(exchange_worker(exchange)->server->router, request->path, request->method, &way->route);
    if (way->route.target)
        return;
    way->vhost = vhost_of(exchange);
    way->site = way->vhost ? vhost_generation(way->vhost)->site : NULL;
    if (!way->site)
        return;
    site_find(way->site, request->path, &way->match);
    way_find_rules(way);
    if (way->deed == DEED_REWRITTEN)
        find_rewritten(way);
    else if (way->deed == DEED_NONE)
        find_page(way);
}

/* ---- The request -------------------------------------------------------------------------------------------- */

static const char *const form_names[] = { "origin form", "absolute form", "authority form", "asterisk form" };

static void tell_fields(const struct fields *fields, struct sheet *sheet)
{
    for (unsigned i = 0; i < fields->count; i++)
        sheet_fact(sheet, i == 0 ? "fields" : "", "%.*s: %.*s", SHEET_SLICE(fields_name(fields, i)),
                   SHEET_SLICE(fields_value(fields, i)));
}

static void tell_target(const struct request *request, struct sheet *sheet)
{
    const struct target *target = &request->target;
    sheet_fact(sheet, "target", "%.*s (%s)", SHEET_SLICE(request->raw_target), form_names[target->form]);
    if (target->authority.size > 0)
        sheet_fact(sheet, "authority", "%.*s", SHEET_SLICE(target->authority));
    if (target_has_path(target) && request->path.data)
        sheet_fact(sheet, "path", "%.*s%s", SHEET_SLICE(request->path),
                   slice_equal(request->path, target->path) ? "" : " (made normal)");
    if (target->has_query)
        sheet_fact(sheet, "query", "%.*s", SHEET_SLICE(target->query));
}

static void tell_request(const struct request *request, struct sheet *sheet)
{
    sheet_step(sheet, "request");
    if (request->version == 0) /* of a request line that is none nothing is known */
        return;
    sheet_fact(sheet, "method", "%.*s, HTTP/%u.%u%s", SHEET_SLICE(request->method_name), request->version / 10u,
               request->version % 10u, request->method == METHOD_OTHER ? " (not one that is known here: 501)" : "");
    tell_target(request, sheet);
    tell_fields(&request->fields, sheet);
}

/* The line of the head at which reading stopped, or empty: it was read to its end. */
static struct slice stopped_at(const struct exchange *exchange)
{
    const struct request *request = &exchange->request;
    struct slice rest = slice_make(request->fields.base, exchange->head_size);
    unsigned lines = request->version == 0 ? 0 : 1 + request->fields.count;
    for (; lines > 0; lines--) {
        size_t end = slice_find(rest, '\n');
        rest = slice_skip(rest, end < rest.size ? end + 1 : end);
    }
    struct slice line = slice_part(rest, 0, slice_find(rest, '\n'));
    return slice_ends(line, SLICE("\r")) ? slice_part(line, 0, line.size - 1) : line;
}

static const char *reason_of(unsigned status)
{
    switch (status) {
    case 413: return "the body is too large (--max-body)";
    case 414: return "the request line is too long (--request-line-max)";
    case 431: return "the head is too large (--head-max, --fields-max)";
    case 505: return "a version that is not spoken here";
    default: return "malformed";
    }
}

/* The head as a whole: what is asked of it when every line is well by itself. */
static const char *fault_of_head(const struct request *request)
{
    bool one_host = fields_has(&request->fields, FIELD_HOST) &&
                    fields_next(&request->fields, FIELD_HOST, request->fields.first[FIELD_HOST] + 1u) < 0;
    if (!one_host && request->version >= 11)
        return "not exactly one Host (RFC 9112 3.2)";
    if (h1_framing_decide(request).body == H1_BODY_REFUSED)
        return "nobody could be sure where its body ends (RFC 9112 6), or what it expects (RFC 9110 10.1.1)";
    if (!request->target.plain)
        return "its path can be read in two ways, or leads above the root (RFC 3986 6.2.2)";
    return "a Host, or a target, that is none (RFC 9110 7.2)";
}

static void tell_refusal(const struct way *way, struct sheet *sheet)
{
    const struct exchange *exchange = way->exchange;
    struct slice line = stopped_at(exchange);
    sheet_fact(sheet, "refused", "%u, %s; the connection closes", way->refused, reason_of(way->refused));
    if (line.size > 0)
        sheet_fact(sheet, "at", "%s: %.*s", exchange->request.version == 0 ? "the request line" : "the line",
                   SHEET_SLICE(line));
    else if (way->refused == 400 || way->refused == 417 || way->refused == 501)
        sheet_fact(sheet, "because", "%s", fault_of_head(&exchange->request));
}

/* ---- The host ----------------------------------------------------------------------------------------------- */

/* The same look-up in a table of this name alone. */
static bool names(struct slice name, struct slice authority)
{
    struct hosts *hosts = NULL;
    bool made = hosts_new(&hosts, &name, 1, (struct why){ NULL, 0 });
    bool found = made && hosts && hosts_find(hosts, authority) == 0;
    hosts_free(hosts);
    return found;
}

/* By which of its names the host was found: of several stars the longest one decides, and an exact name before them. */
static struct slice name_of(const struct vhost *vhost, struct slice authority)
{
    struct slice rest = slice_text(vhost->names), word, best = SLICE("");
    while (slice_word(&rest, &word)) {
        if (!names(word, authority))
            continue;
        if (word.data[0] != '*')
            return word;
        if (word.size > best.size)
            best = word;
    }
    return best;
}

static void tell_host(const struct way *way, struct sheet *sheet)
{
    const struct request *request = &way->exchange->request;
    bool absolute = request->target.form == TARGET_ABSOLUTE;
    struct slice authority = absolute ? request->target.authority : fields_get(&request->fields, FIELD_HOST);
    sheet_step(sheet, "host");
    sheet_fact(sheet, "asked for", "%.*s (%s)", SHEET_SLICE(authority), absolute ? "of the target" : "Host");
    if (!way->vhost) {
        sheet_fact(sheet, "found", "none has that name, and none is the default: 421");
        return;
    }
    struct slice name = name_of(way->vhost, authority);
    if (name.size > 0)
        sheet_fact(sheet, "found", "%s, by %.*s", way->vhost->names, SHEET_SLICE(name));
    else
        sheet_fact(sheet, "found", "the default host");
    sheet_fact(sheet, "root", "%s", way->vhost->config.root ? way->vhost->config.root : "none, it has no pages");
}

/* ---- The page ----------------------------------------------------------------------------------------------- */

static void tell_nothing(const struct way *way, struct sheet *sheet)
{
    sheet_fact(sheet, "address", "nothing has it");
    if (way->vhost->fallback)
        sheet_fact(sheet, "fallback", "%s, for navigations alone: GET or HEAD, text/html in Accept, no extension",
                   way->vhost->fallback);
}

static void tell_address(const struct way *way, struct sheet *sheet)
{
    static const char *const kinds[] = {
        [ADDRESS_EXACT] = "the page itself",
        [ADDRESS_CLEAN] = "a clean address, without .html",
        [ADDRESS_INDEX] = "a folder, of which this is the index",
        [ADDRESS_REDIRECT] = "a folder's, but for its slash: redirects there",
        [ADDRESS_NAMED_REDIRECT] = "a folder's, but for the name of its index: redirects there",
        [ADDRESS_LISTING] = "a folder without index, which is listed",
        [ADDRESS_LISTING_REDIRECT] = "a listed folder's, but for its slash: redirects there",
        [ADDRESS_FALLBACK] = "nothing has it; a navigation, so the fallback answers",
        [ADDRESS_REWRITTEN] = "where the rule leads",
    };
    if (way->address == ADDRESS_NONE)
        tell_nothing(way, sheet);
    else
        sheet_fact(sheet, "address", "%s", kinds[way->address]);
    if (redirects(way))
        sheet_fact(sheet, "folder", "%.*s", SHEET_SLICE(site_folder(way->match.page)));
}

static void tell_page(const struct way *way, struct sheet *sheet)
{
    sheet_step(sheet, "page");
    if (!way->site) {
        sheet_fact(sheet, "address", "this host has no pages");
        return;
    }
    tell_address(way, sheet);
    if (way->page)
        sheet_fact(sheet, "file", "%.*s, %llu bytes, %.*s", SHEET_SLICE(page_address(way->page)),
                   (unsigned long long)way->page->size, SHEET_SLICE(way->page->type));
    bool answers = way->page || redirects(way);
    if (!reads(way->exchange) && answers)
        sheet_fact(sheet, "method", "pages have an answer for GET, HEAD and OPTIONS");
}

static void tell_route(const struct way *way, struct sheet *sheet)
{
    sheet_step(sheet, "route");
    if (way->route.target)
        sheet_fact(sheet, "found", "a handler answers");
    else if (router_empty(exchange_worker(way->exchange)->server->router))
        sheet_fact(sheet, "found", "there is none: only pages answer");
    else
        sheet_fact(sheet, "found", way->route.found ? "this path has none for the method" : "none has this path");
}

static void tell_beyond_request(const struct way *way, struct sheet *sheet)
{
    const struct exchange *exchange = way->exchange;
    if (exchange->request.method == METHOD_OTHER || !target_has_path(&exchange->request.target))
        return;
    tell_route(way, sheet);
    if (way->route.target)
        return;
    tell_host(way, sheet);
    if (way->site)
        way_tell_rules(way, sheet);
    if (way->vhost && (way->deed == DEED_NONE || way->deed == DEED_REWRITTEN))
        tell_page(way, sheet);
    if (way->page && reads(exchange))
        way_tell_answer(way, sheet);
}

void way_tell(const struct way *way, struct sheet *sheet)
{
    tell_request(&way->exchange->request, sheet);
    if (way->refused != 0)
        tell_refusal(way, sheet);
    else if (exchange_answered(way->exchange))
        tell_beyond_request(way, sheet);
    else
        sheet_fact(sheet, "no answer", "it waits for the body that the head announces, and none comes");
}

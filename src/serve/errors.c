/* One prepared answer in each form for every status that the server uses itself. What is special about a response (a
 * detail, a mask of methods, fields that a handler had set) is built in the exchange, from the prepared parts where
 * they fit.
 *
 * Errors are not to be cached: 404, 405, 410, 414 and 501 would be, by heuristics (RFC 9110 15.1), and a page that
 * appears or a mistake that is mended has to be seen at once. Without a validator to ask with, "no-store" says so most
 * plainly. */
#include "serve/errors.h"

#include <errno.h>
#include <stdlib.h>

#include "base/writer.h"
#include "http/accept.h"
#include "http/method.h"
#include "serve/error_page.h"
#include "serve/loader.h"

enum { STATUS_MIN = 400, STATUS_MAX = 599, FIELDS_PREPARED_MAX = 6, OWN_SIZE_MAX = 4 << 20 };

enum form { FORM_HTML, FORM_JSON, FORM_COUNT };

struct forms {
    struct answer *in[FORM_COUNT]; /* NULL: this status is not prepared */
};

/* The content of an error page of the site's own: for errors that it has to be ready for, whatever else fails. */
struct own {
    struct hold hold; /* a reference for each answer, and one of errors */
    struct slice type;
    size_t size;
    char *bytes; /* malloc */
};

struct errors {
    struct own *own_404, *own_50x; /* NULL: none */
    struct own **configured;       /* what config->error_pages name, one for each; NULL: not to be had */
    const struct site_config *config;
    struct forms prepared[STATUS_MAX - STATUS_MIN + 1];
    struct forms page_only; /* 405 for a page, which knows GET, HEAD and OPTIONS */
};

/* What is asked for. */
struct wish {
    unsigned status, allow;
    struct slice detail;
    enum form form;
};

static const unsigned page_methods = 1u << METHOD_GET | 1u << METHOD_HEAD | 1u << METHOD_OPTIONS;

/* ---- Preparing ---- */

static void own_gone(struct hold *hold)
{
    struct own *own = LINK_OWNER(hold, struct own, hold);
    free(own->bytes);
    free(own);
}

/* A blank page would explain nothing. NULL: there is none to be had, which is told if it should have been. */
static struct own *read_own(const struct site *site, struct slice path)
{
    const struct page *page = site ? site_page(site, path) : NULL;
    if (!page || page->size == 0)
        return NULL;
    struct own *own = malloc(sizeof *own);
    char *bytes = own ? loader_read(&site->files, page, OWN_SIZE_MAX) : NULL;
    if (!bytes) {
        log_write(site->store->log, LOG_LEVEL_WARN, "not used as an error page, %s: %s", strerror(errno), page->path);
        free(own);
        return NULL;
    }
    *own = (struct own){ .type = page->type, .size = (size_t)page->size, .bytes = bytes };
    hold_init(&own->hold, own_gone);
    return own;
}

static void unref_own(struct own *own)
{
    if (own)
        hold_unref(&own->hold);
}

static struct own *own_page(const struct errors *errors, unsigned status)
{
    for (size_t i = 0; errors->configured && i < errors->config->error_page_count; i++)
        if (errors->config->error_pages[i].status == status && errors->configured[i])
            return errors->configured[i];
    if (status == 404)
        return errors->own_404;
    return status >= 500 ? errors->own_50x : NULL;
}

struct field_list {
    struct field_pair at[FIELDS_PREPARED_MAX];
    size_t count;
};

static void append(struct field_list *list, struct slice name, struct slice value)
{
    list->at[list->count++] = (struct field_pair){ name, value };
}

/* RFC 9110 15.5.6: a 405 always has Allow. An empty one, where the methods are not known, claims nothing. */
static void append_common(struct field_list *list, unsigned status, struct slice allow)
{
    append(list, SLICE("Cache-Control"), SLICE("no-store"));
    append(list, SLICE("Vary"), SLICE("Accept"));
    if (status == 405)
        append(list, SLICE("Allow"), allow);
    if (status == 503) /* a shortage passes quickly, or another process takes over: a moment is enough */
        append(list, SLICE("Retry-After"), SLICE("1"));
}

static void let_go(void *user)
{
    unref_own(user);
}

static struct answer *prepare_own(struct own *own, unsigned status)
{
    struct field_list list = { .count = 0 };
    append(&list, SLICE("Content-Type"), own->type);
    append_common(&list, status, SLICE(""));
    struct answer *answer = answer_new(&(struct answer_parts){
        .status = status, .fields = list.at, .field_count = list.count, .borrow = true,
        .body = slice_make(own->bytes, own->size), .release = let_go, .release_user = own });
    if (answer)
        hold_ref(&own->hold);
    return answer;
}

static void append_type(struct field_list *list, enum form form)
{
    if (form == FORM_JSON) {
        append(list, SLICE("Content-Type"), SLICE("application/problem+json"));
        return;
    }
    append(list, SLICE("Content-Type"), SLICE("text/html; charset=utf-8"));
    append(list, SLICE("Content-Security-Policy"), SLICE("default-src 'none'; style-src 'unsafe-inline'; "
                                                         "base-uri 'none'; form-action 'none'"));
}

static void render(struct writer *w, unsigned status, enum form form, struct slice detail)
{
    if (form == FORM_JSON)
        error_page_json(w, status, detail);
    else
        error_page_html(w, status, detail);
}

static struct answer *prepare(const struct errors *errors, unsigned status, enum form form, struct slice allow)
{
    struct own *own = form == FORM_HTML ? own_page(errors, status) : NULL;
    if (own)
        return prepare_own(own, status);

    char *buffer = malloc(error_page_room(SLICE("")));
    if (!buffer)
        return NULL;
    struct writer w = writer_on(buffer, error_page_room(SLICE("")));
    render(&w, status, form, SLICE(""));
    struct field_list list = { .count = 0 };
    append_type(&list, form);
    append_common(&list, status, allow);
    struct answer *answer = answer_new(&(struct answer_parts){
        .status = status, .fields = list.at, .field_count = list.count, .body = writer_slice(&w) });
    free(buffer);
    return answer;
}

static bool prepare_forms(const struct errors *errors, struct forms *forms, unsigned status, struct slice allow)
{
    for (enum form form = 0; form < FORM_COUNT; form++) {
        forms->in[form] = prepare(errors, status, form, allow);
        if (!forms->in[form])
            return false;
    }
    return true;
}

/* A status that the server does not use itself, but the configuration has a page for. */
static bool prepare_configured(struct errors *errors)
{
    for (size_t i = 0; errors->configured && i < errors->config->error_page_count; i++) {
        unsigned status = errors->config->error_pages[i].status;
        struct forms *forms = &errors->prepared[status - STATUS_MIN];
        if (errors->configured[i] && !forms->in[FORM_HTML] && !prepare_forms(errors, forms, status, SLICE("")))
            return false;
    }
    return true;
}

static bool prepare_all(struct errors *errors)
{
    const struct error_text *text;
    for (size_t i = 0; (text = error_text_at(i)) != NULL; i++)
        if (!prepare_forms(errors, &errors->prepared[text->status - STATUS_MIN], text->status, SLICE("")))
            return false;

    char allow[64];
    struct writer w = writer_on(allow, sizeof allow);
    method_write_allow(&w, page_methods);
    return prepare_forms(errors, &errors->page_only, 405, writer_slice(&w)) && prepare_configured(errors);
}

/* False: no memory. */
static bool read_configured(struct errors *errors, const struct site *site)
{
    const struct site_config *config = site->config;
    errors->config = config;
    errors->configured = calloc(config->error_page_count + 1, sizeof *errors->configured);
    for (size_t i = 0; errors->configured && i < config->error_page_count; i++) {
        errors->configured[i] = read_own(site, config->error_pages[i].path);
        if (!errors->configured[i])
            log_write(site->store->log, LOG_LEVEL_WARN, "the error page for %u is not there: %.*s",
                      config->error_pages[i].status, (int)config->error_pages[i].path.size,
                      config->error_pages[i].path.data);
    }
    return errors->configured != NULL;
}

struct errors *errors_new(const struct site *site)
{
    struct errors *errors = calloc(1, sizeof *errors);
    if (!errors)
        return NULL;
    if (site && !read_configured(errors, site)) {
        errors_free(errors);
        return NULL;
    }
    errors->own_404 = read_own(site, SLICE("/404.html"));
    errors->own_50x = read_own(site, SLICE("/50x.html"));
    if (prepare_all(errors))
        return errors;
    errors_free(errors);
    return NULL;
}

static void unref_forms(const struct forms *forms)
{
    for (enum form form = 0; form < FORM_COUNT; form++)
        answer_unref(forms->in[form]);
}

void errors_free(struct errors *errors)
{
    if (!errors)
        return;
    for (size_t i = 0; i < sizeof errors->prepared / sizeof errors->prepared[0]; i++)
        unref_forms(&errors->prepared[i]);
    unref_forms(&errors->page_only);
    for (size_t i = 0; errors->configured && i < errors->config->error_page_count; i++)
        unref_own(errors->configured[i]);
    free(errors->configured);
    unref_own(errors->own_404);
    unref_own(errors->own_50x);
    free(errors);
}

/* ---- Answering ---- */

static struct answer *find_prepared(const struct errors *errors, unsigned status, enum form form)
{
    return errors->prepared[status - STATUS_MIN].in[form];
}

/* The prepared answer that says all that is wished for, or NULL. */
static struct answer *find_exact(const struct errors *errors, const struct wish *wish)
{
    bool own = wish->form == FORM_HTML && own_page(errors, wish->status);
    if (wish->detail.size > 0 && !own) /* a page of the site has no place for a detail */
        return NULL;
    if (wish->status == 405 && wish->allow == page_methods)
        return errors->page_only.in[wish->form];
    return wish->allow ? NULL : find_prepared(errors, wish->status, wish->form);
}

/* Fields of a response that was begun and will not be sent, which would be untrue of an error's content. */
static bool describes_content(struct slice name)
{
    static const struct slice names[] = {
        SLICE_INIT("Content-Type"), SLICE_INIT("Content-Encoding"), SLICE_INIT("Content-Language"),
        SLICE_INIT("Content-Location"), SLICE_INIT("ETag"), SLICE_INIT("Last-Modified"), SLICE_INIT("Accept-Ranges"),
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_equal_nocase(name, names[i]))
            return true;
    return false;
}

/* Drops the response but for fields that a handler may have set for the error's sake: WWW-Authenticate, Retry-After,
 * Content-Range. */
static void keep_fields(struct exchange *exchange)
{
    struct response begun = exchange->response;
    exchange_clear_response(exchange);
    struct response *response = &exchange->response;
    response->fields = begun.fields;
    response->field_room = begun.field_room;
    for (unsigned i = 0; i < begun.field_count; i++)
        if (!describes_content(begun.fields[i].name))
            response->fields[response->field_count++] = begun.fields[i];
}

/* What the handler said holds; but that the response was negotiated is true in any case. */
static bool add_fields(struct exchange *exchange, const struct answer *like)
{
    const struct response *response = &exchange->response;
    for (unsigned i = 0; i < like->field_count; i++) {
        const struct field_pair *field = &like->fields[i];
        bool wanted = slice_equal(field->name, SLICE("Vary")) ||
                      !response_has_field(response, response->field_count, field->name);
        if (wanted && !exchange_add_field(exchange, field->name, field->value))
            return false;
    }
    return true;
}

static bool add_allow(struct exchange *exchange, unsigned methods)
{
    if (methods == 0)
        return true;
    char allow[128];
    struct writer w = writer_on(allow, sizeof allow);
    method_write_allow(&w, methods);
    return exchange_add_field(exchange, SLICE("Allow"), writer_slice(&w));
}

static bool add_body(struct exchange *exchange, const struct wish *wish)
{
    size_t room = error_page_room(wish->detail);
    char *buffer = arena_take(&exchange->arena, room);
    if (!buffer)
        return false;
    struct writer w = writer_on(buffer, room);
    render(&w, wish->status, wish->form, wish->detail);
    exchange->response.body = (struct body){ .kind = BODY_SPAN, .data = buffer, .size = writer_used(&w), .fd = -1,
                                             .hold = &exchange->hold };
    return true;
}

/* `like` is the prepared answer of this status, or of the x00 of its class. */
static bool build(const struct errors *errors, struct exchange *exchange, const struct wish *wish,
                  const struct answer *like)
{
    bool own = wish->form == FORM_HTML && own_page(errors, wish->status);
    bool shared = own || (wish->detail.size == 0 && like->status == wish->status);
    if (shared)
        exchange->response.body = like->body;
    else if (!add_body(exchange, wish))
        return false;
    if (!add_allow(exchange, wish->allow) || !add_fields(exchange, like))
        return false;
    exchange->response.status = wish->status;
    return true;
}

void errors_answer(const struct errors *errors, struct exchange *exchange, unsigned status, unsigned allow,
                   struct slice detail)
{
    if (status < STATUS_MIN || status > STATUS_MAX)
        status = 500;
    bool json = accept_prefers_json(&exchange->request.fields);
    struct wish wish = { status, allow, detail, json ? FORM_JSON : FORM_HTML };
    keep_fields(exchange);

    struct answer *prepared = exchange->response.field_count == 0 ? find_exact(errors, &wish) : NULL;
    if (!prepared) {
        struct answer *like = find_prepared(errors, status, wish.form);
        if (!like)
            like = find_prepared(errors, status / 100 * 100, wish.form);
        if (build(errors, exchange, &wish, like))
            return;
        exchange_clear_response(exchange);
        prepared = like;
    }
    exchange_use(exchange, prepared);
}

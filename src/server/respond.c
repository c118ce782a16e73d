/* The public calls that build a response. Each is a few assignments in the exchange; nothing is encoded here. */
#include "server/respond.h"

#include "base/writer.h"
#include "http/status.h"
#include "server/middleware.h"
#include "server/offer.h"
#include "server/said.h"
#include "server/sized.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static struct exchange *of(rh_request *request)
{
    return (struct exchange *)request;
}

/* Of the default host where it is for nobody's. */
static const struct errors *errors_for(const struct exchange *exchange)
{
    const struct vhost *vhost = vhost_of(exchange);
    return vhost_generation(vhost ? vhost : exchange_worker(exchange)->server->vhosts[0])->errors;
}

/* Error pages belong to the generation of the site, which only a worker can look at. */
static void answer_late(struct exchange *exchange, unsigned status, struct slice detail)
{
    exchange->response.status = status;
    exchange->response.late = true;
    exchange->response.detail = arena_copy(&exchange->arena, detail); /* without memory it goes without */
}

/* Fields that a handler has set (WWW-Authenticate, Retry-After) stay. What else is said at the path goes without saying
 * where there is no memory for it: an error is always answered. */
static void answer_error(struct exchange *exchange, unsigned status, unsigned allow, struct slice detail)
{
    if (exchange->deferred) {
        answer_late(exchange, status, detail);
        return;
    }
    errors_answer(errors_for(exchange), exchange, status, allow, detail);
    (void)said_add(exchange);
}

void respond_error(struct exchange *exchange, unsigned status, unsigned allow, struct slice detail)
{
    exchange_clear_response(exchange);
    answer_error(exchange, status, allow, detail);
}

void respond_refused(struct exchange *exchange, unsigned status)
{
    exchange_clear_response(exchange);
    errors_answer(errors_for(exchange), exchange, status, 0, SLICE(""));
}

void respond_unavailable(struct exchange *exchange)
{
    respond_error(exchange, 503, 0, SLICE(""));
}

void respond_starved(struct exchange *exchange)
{
    respond_unavailable(exchange);
    exchange->response.starved = true;
}

/* ---- Mistakes of the program -------------------------------------------------------------------------------- */

/* "GET /users/7: the handler of GET /users/{id} gave no answer". */
static void complain(const struct exchange *exchange, const char *what, const char *outcome)
{
    const struct beside *beside = exchange->beside;
    const struct middleware *turn = beside != NULL ? beside->turn : NULL;
    const struct route *route = exchange->route;
    const char *name = turn != NULL ? turn->text : route != NULL ? route->pattern : "this request";
    struct slice method = exchange->request.method_name, path = exchange->request.path;
    log_write(&exchange_worker(exchange)->server->log, LOG_LEVEL_ERROR, "%.*s %.*s: the %s %s %s%s", (int)method.size,
              method.data, (int)(path.size < 200 ? path.size : 200), path.data,
              turn != NULL ? "middleware for" : "handler of", name, what, outcome);
}

void respond_refuse(struct exchange *exchange, const char *format, ...)
{
    char what[LOG_LINE_SIZE];
    va_list arguments;
    if (exchange->response.refused)
        return;
    exchange->response.refused = true;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    complain(exchange, what, "; answered 500");
}

void respond_complain_once(struct exchange *exchange, const char *what)
{
    struct beside *beside = beside_of(exchange);
    if (beside == NULL || beside->told)
        return;
    beside->told = true;
    complain(exchange, what, "");
}

bool respond_is_second(struct exchange *exchange)
{
    bool second = exchange_answered(exchange) || middleware_handed_on(exchange);
    if (second && !exchange->response.starved)
        respond_complain_once(exchange, "answers a second time; the first answer holds");
    return second;
}

bool respond_take(struct exchange *exchange, void *known, size_t known_size, const void *given, size_t given_size)
{
    if (sized_read(known, known_size, given, given_size))
        return true;
    respond_complain_once(exchange, "sets " SIZED_UNKNOWN);
    respond_error(exchange, 500, 0, SLICE(""));
    return false;
}

static unsigned status_of(enum static_result result)
{
    switch (result) {
    case STATIC_ANSWERED: return 0;
    case STATIC_FAILED: return 412;
    case STATIC_UNSATISFIABLE: return 416;
    case STATIC_NOT_ACCEPTABLE: return 406;
    case STATIC_NO_MEMORY: return 503;
    }
    return 0;
}

void respond_page(struct exchange *exchange, enum static_result result, bool negotiable)
{
    unsigned status = status_of(result);
    if (status == 0)
        return;
    if (status != 416) /* that has its Content-Range */
        exchange_clear_response(exchange);
    if (negotiable || status == 406)
        (void)exchange_add_constant(exchange, SLICE("Vary"), SLICE("Accept-Encoding"));
    answer_error(exchange, status, 0, SLICE(""));
}

/* Without what the rules say it is not sent, unless it is an error. */
static void add_said(struct exchange *exchange)
{
    bool ruled = exchange_worker(exchange)->server->ruled;
    if (ruled && said_by_program(exchange) && !said_add(exchange) && exchange->response.status < 400)
        respond_unavailable(exchange);
}

void respond_settle(struct exchange *exchange)
{
    if (exchange->response.late && !exchange->response.refused) {
        exchange->response.late = false;
        answer_error(exchange, exchange->response.status, 0, exchange->response.detail);
        return;
    }
    if (!exchange_answered(exchange))
        respond_refuse(exchange, "gave no answer, neither now nor deferred");
    if (exchange->response.refused) {
        respond_error(exchange, 500, 0, SLICE(""));
        return;
    }
    if (exchange->beside != NULL)
        offer_settle(exchange);
    add_said(exchange);
}

void respond_dress(struct exchange *exchange)
{
    if (!beside_dress(exchange))
        respond_unavailable(exchange);
}

/* ---- Building ----------------------------------------------------------------------------------------------- */

/* Why a field was not taken. */
static const char *fault_of(struct slice name, struct slice value)
{
    if (!field_name_valid(name))
        return "a name is a token: letters, digits, - _ . and their like";
    if (!field_settable(name))
        return "that is the server's own to set";
    if (!field_value_valid(value))
        return "its value has a control character in it, or spaces around it";
    return "there are too many fields, or there is no memory";
}

static void refuse_field(struct exchange *exchange, struct slice name, struct slice value)
{
    respond_refuse(exchange, "set the field \"%.*s\": %s", (int)(name.size < 80 ? name.size : 80),
                   name.data, fault_of(name, value));
}

static void add(struct exchange *exchange, struct slice name, struct slice value)
{
    if (!exchange_add_field(exchange, name, value))
        refuse_field(exchange, name, value);
}

static const struct slice content_type = SLICE_INIT("Content-Type");

static bool has_type(const struct exchange *exchange)
{
    return response_has_field(&exchange->response, exchange->response.field_count, content_type);
}

/* One of our own types, or what has become one: it needs no check. */
static void set_own_type(struct exchange *exchange, struct slice type)
{
    bool wanted = type.size > 0 && !has_type(exchange);
    if (wanted && !exchange_add_constant(exchange, content_type, type))
        refuse_field(exchange, content_type, type);
}

static void set_type(struct exchange *exchange, struct slice type)
{
    struct slice copy = field_value_valid(type) ? arena_copy(&exchange->arena, type) : SLICE("");
    if (copy.size == type.size)
        set_own_type(exchange, copy);
    else if (!has_type(exchange))
        refuse_field(exchange, content_type, type);
}

static unsigned chosen(const struct exchange *exchange, unsigned otherwise)
{
    return exchange->response.chosen != 0 ? exchange->response.chosen : otherwise;
}

/* `bytes` lie in the exchange's arena. */
static void set_body(struct exchange *exchange, struct slice bytes)
{
    struct response *response = &exchange->response;
    if (bytes.size > 0)
        response->body = (struct body){ .kind = BODY_SPAN, .size = bytes.size, .data = bytes.data, .fd = -1,
                                        .hold = &exchange->hold };
    response->status = chosen(exchange, 200);
}

void respond_bytes(struct exchange *exchange, struct slice type, struct slice bytes)
{
    if (exchange_answered(exchange))
        return;
    set_own_type(exchange, type);
    if (exchange->beside != NULL)
        bytes = offer_encode(exchange, bytes);
    set_body(exchange, bytes);
}

void respond_file(struct exchange *exchange, struct slice type, const struct body *body)
{
    set_type(exchange, type);
    exchange->response.body = *body;
    exchange->response.status = chosen(exchange, 200);
}

void respond_moved(struct exchange *exchange, unsigned status, struct slice location)
{
    static const struct slice start = SLICE_INIT("<!doctype html>\n<title>Moved</title>\n"
                                                 "<p>This page is at <a href=\"");
    static const struct slice end = SLICE_INIT("\">its proper address</a>.\n");
    size_t size = start.size + end.size + sizeof "&quot;" * location.size;
    char *text = arena_take(&exchange->arena, size);
    if (text == NULL || !exchange_add_field(exchange, SLICE("Location"), location)) {
        respond_unavailable(exchange);
        return;
    }
    struct writer w = writer_on(text, size);
    writer_put(&w, start);
    writer_html(&w, location);
    writer_put(&w, end);
    exchange->response.chosen = status;
    respond_bytes(exchange, SLICE("text/html; charset=utf-8"), writer_slice(&w));
}

static void send_copy(struct exchange *exchange, struct slice type, struct slice bytes)
{
    struct slice copy = arena_copy(&exchange->arena, bytes);
    if (copy.data == NULL)
        respond_starved(exchange);
    else
        respond_bytes(exchange, type, copy);
}

static void send_text(struct exchange *exchange, struct slice type, const char *text)
{
    if (!respond_is_second(exchange))
        send_copy(exchange, type, slice_text(text));
}

/* Kept for the response of what comes next, which is there already and may be a prepared one. */
static bool add_late(struct exchange *exchange, struct slice name, struct slice value)
{
    struct field_pair copy;
    return exchange_copy_field(exchange, (struct field_pair){ name, value }, &copy) && beside_keep(exchange, copy);
}

bool respond_field(struct exchange *exchange, struct slice name, struct slice value)
{
    bool late = middleware_handed_on(exchange);
    if (late ? !add_late(exchange, name, value) : !exchange_add_field(exchange, name, value))
        refuse_field(exchange, name, value);
    return !exchange->response.refused;
}

void respond_options(struct exchange *exchange, unsigned allow)
{
    char text[128];
    struct writer w = writer_on(text, sizeof text);
    method_write_allow(&w, allow);
    add(exchange, SLICE("Allow"), writer_slice(&w));
    exchange->response.status = 204;
}

void rh_status(rh_request *request, unsigned status)
{
    if (status_valid(status))
        of(request)->response.chosen = status;
    else
        respond_refuse(of(request), "set the status %u, and there is none but 200 to 599", status);
}

bool rh_set(rh_request *request, const char *name, const char *value)
{
    struct exchange *exchange = of(request);
    bool server = slice_equal_nocase(slice_text(name), SLICE("server"));
    if (!server || !exchange_worker(exchange)->server->config.server_field)
        return respond_field(exchange, slice_text(name), slice_text(value));
    respond_refuse(exchange, "set the field \"Server\": without no_server_field that is the server's");
    return false;
}

void rh_text(rh_request *request, const char *text)
{
    send_text(of(request), SLICE("text/plain; charset=utf-8"), text);
}

void rh_html(rh_request *request, const char *html)
{
    send_text(of(request), SLICE("text/html; charset=utf-8"), html);
}

void rh_bytes(rh_request *request, const char *type, const void *data, size_t size)
{
    if (respond_is_second(of(request)))
        return;
    set_type(of(request), slice_text(type));
    send_copy(of(request), SLICE(""), slice_make(data, size));
}

void rh_empty(rh_request *request)
{
    if (!respond_is_second(of(request)))
        of(request)->response.status = chosen(of(request), 204);
}

void rh_redirect(rh_request *request, unsigned status, const char *location)
{
    struct exchange *exchange = of(request);
    if (respond_is_second(exchange))
        return;
    add(exchange, SLICE("Location"), slice_text(location));
    if (status < 300 || status > 399 || status == 304)
        respond_refuse(exchange, "redirected with the status %u, which is none for that", status);
    exchange->response.status = status;
}

void rh_fail(rh_request *request, unsigned status, const char *detail)
{
    if (respond_is_second(of(request)) || of(request)->response.refused)
        return; /* respond_settle answers for a field that was refused */
    answer_error(of(request), status >= 400 && status <= 599 ? status : 500, 0, slice_text(detail));
}

void rh_stream(rh_request *request, const char *type, rh_pull *pull, void (*done)(void *user), void *user)
{
    struct exchange *exchange = of(request);
    if (respond_is_second(exchange)) {
        if (done != NULL)
            done(user);
        return;
    }
    exchange->done = done;
    exchange->done_user = user;
    set_type(exchange, slice_text(type));
    exchange->response.body = (struct body){ .kind = BODY_PULL, .pull = pull, .user = user, .fd = -1 };
    if (exchange->beside != NULL)
        offer_encode_stream(exchange);
    exchange->response.status = chosen(exchange, 200);
}

bool rh_trailer(rh_request *request, const char *name, const char *value)
{
    return exchange_add_trailer(of(request), slice_text(name), slice_text(value));
}

void rh_send(rh_request *request, rh_answer *prepared)
{
    struct exchange *exchange = of(request);
    struct answer *answer = (struct answer *)prepared;
    if (respond_is_second(exchange))
        return;
    if (answer == NULL) {
        respond_starved(exchange);
        return;
    }
    exchange_use(exchange, answer);
    if (exchange->deferred) {
        exchange->held = answer;
        answer_ref(answer);
    }
}

/* "Name: value" in two. */
static bool split(const char *line, struct field_pair *pair)
{
    struct slice text = slice_text(line);
    size_t colon = slice_find(text, ':');
    if (colon == text.size)
        return false;
    *pair = (struct field_pair){ slice_part(text, 0, colon), slice_trim(slice_skip(text, colon + 1)) };
    return true;
}

rh_answer *rh_answer_new(unsigned status, const char *type, const void *data, size_t size, const char *const *fields)
{
    struct field_pair pairs[EXCHANGE_FIELDS_MAX];
    size_t count = 0;
    if (type != NULL)
        pairs[count++] = (struct field_pair){ SLICE("Content-Type"), slice_text(type) };
    for (; fields != NULL && *fields != NULL; fields++) {
        if (count == EXCHANGE_FIELDS_MAX || !split(*fields, &pairs[count++])) {
            errno = EINVAL;
            return NULL;
        }
    }
    return (rh_answer *)answer_new(&(struct answer_parts){ .status = status, .fields = pairs, .field_count = count,
                                                           .body = slice_make(data, size) });
}

void rh_answer_free(rh_answer *answer)
{
    answer_unref((struct answer *)answer);
}

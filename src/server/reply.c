/* A prepared answer, or one that is built from what is prepared. See reply.h. */
#include "server/reply.h"

#include "serve/content.h"
#include "serve/encoder.h"
#include "server/miss.h"
#include "server/respond.h"

static int64_t now_s(const struct exchange *exchange)
{
    return exchange->session->host->clock->unix_s;
}

/* How long an error may be kept only that rule can say which makes it: what is said of all beneath a path, or a page's
 * own way, is for what is there. */
static struct slice error_cache_control(const struct rule *rule)
{
    bool made = rule && rule->action == RULE_REWRITE && rule->cache_control.data;
    return made ? rule->cache_control : SLICE("no-store");
}

static void dress_for(const struct exchange *exchange, const struct page_reply *reply, const struct rule *rule,
                      struct dress *dress)
{
    dress_page(dress, &reply->site->wardrobe, &(struct occasion){
        .rule = rule, .page = page_address(reply->page), .path = exchange->request.path,
        .origin = fields_get(&exchange->request.fields, FIELD_ORIGIN) });
    if (reply->status != 0)
        dress->cache_control = error_cache_control(rule);
}

/* Whether what is prepared is what this request is to get. */
static bool as_prepared(const struct exchange *exchange, const struct page_reply *reply)
{
    struct slice address = page_address(reply->page);
    bool same = reply->rule == dress_rule(&reply->site->wardrobe, address) &&
                headers_alike(reply->site->headers, exchange->request.path, address);
    bool constant = !reply->rule || reply->rule->cors.count == 0 || cors_constant(&reply->rule->cors);
    return same && constant && reply->status == 0;
}

/* What is about the content itself, whatever anybody says with it. */
static bool is_own(struct slice name)
{
    static const struct slice names[] = { SLICE_INIT("ETag"), SLICE_INIT("Last-Modified"), SLICE_INIT("Accept-Ranges"),
                                          SLICE_INIT("Content-Encoding"), SLICE_INIT("Content-Range") };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_equal(name, names[i]))
            return true;
    return false;
}

static bool add_own(struct exchange *exchange, const struct field_pair *fields, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (is_own(fields[i].name) && !exchange_add_constant(exchange, fields[i].name, fields[i].value))
            return false;
    return true;
}

/* A type that a range has made its own (multipart/byteranges) stays. */
static struct slice type_of(const struct field_pair *fields, unsigned count, struct slice otherwise)
{
    for (unsigned i = 0; i < count; i++)
        if (slice_equal(fields[i].name, SLICE("Content-Type")) && slice_starts(fields[i].value, SLICE("multipart/")))
            return fields[i].value;
    return otherwise;
}

static bool add_said(struct exchange *exchange, const struct page_reply *reply, const struct field_pair *prepared,
                     unsigned count)
{
    struct page_fields said;
    struct dress dress;

    dress_for(exchange, reply, reply->rule, &dress);
    page_fields_ok(&said, reply->page, &dress, SLICE(""), -1);
    for (unsigned i = 0; i < said.count; i++) {
        struct field_pair field = said.at[i];
        bool type = slice_equal(field.name, SLICE("Content-Type"));
        if (slice_equal(field.name, SLICE("Accept-Ranges")) || (type && exchange->response.status == 304))
            continue;
        if (type)
            field.value = type_of(prepared, count, field.value);
        if (!exchange_add_field(exchange, field.name, field.value))
            return false;
    }
    return true;
}

/* A 304 has no need of what describes content, but it does no harm: only the type is left out. */
static bool redress(struct exchange *exchange, const struct page_reply *reply)
{
    struct response before = exchange->response;
    const struct answer *answer = exchange_unfold(exchange);
    const struct field_pair *fields = answer ? answer->fields : before.fields;
    unsigned count = answer ? answer->field_count : before.field_count;

    exchange->response.fields = NULL;
    exchange->response.field_count = exchange->response.field_room = 0;
    if (before.status == 200 && reply->status != 0)
        exchange->response.status = reply->status;
    return add_own(exchange, fields, count) && add_said(exchange, reply, fields, count);
}

static void finish(struct exchange *exchange, const struct page_reply *reply, enum static_result result)
{
    if (result != STATIC_ANSWERED)
        respond_page(exchange, result, page_negotiable(reply->page));
    else if (reply->ruled && !as_prepared(exchange, reply) && !redress(exchange, reply))
        respond_unavailable(exchange);
}

void reply_with_content(struct exchange *exchange, const struct page_reply *reply, struct content *content)
{
    struct encoder *encoder = reply->site->store->encoder;
    enum static_result result = STATIC_ANSWERED;
    if (reply->status != 0)
        exchange_use(exchange, content->identity.ok); /* an error has no conditions and no ranges */
    else
        result = static_answer(content, exchange, now_s(exchange));
    if (encoder && content_unfinished(content))
        encoder_hasten(encoder, content, &exchange->request.fields);
    finish(exchange, reply, result);
}

void reply_with_file(struct exchange *exchange, const struct page_reply *reply, struct static_file *file)
{
    struct dress dress;
    const struct rule *rule =
        reply->ruled ? reply->rule : dress_rule(&reply->site->wardrobe, page_address(reply->page));

    dress_for(exchange, reply, rule, &dress);
    enum static_result result;
    if (reply->status != 0) /* see reply_with_content */
        result = static_send_file(reply->page, &dress, file, exchange, reply->status);
    else
        result = static_answer_file(reply->page, &dress, file, exchange, now_s(exchange));
    respond_page(exchange, result, page_negotiable(reply->page));
}

void reply_with_page(struct exchange *exchange, const struct page_reply *reply)
{
    const struct clock *clock = exchange->session->host->clock;
    const struct store *store = reply->site->store;
    struct cached *cached = page_cache_hit(&reply->page->slot, page_cache_stamp(&store->cache, clock->now_ms));
    if (cached == NULL)
        miss_begin(exchange, reply);
    else
        reply_with_content(exchange, reply, content_of(cached));
}

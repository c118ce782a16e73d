/* Conditions, ranges and codings of what handlers answer with. What they mean is known to http and serve; here they are
 * put together in the order of RFC 9110: the coding first, then the conditions, then the range. */
#include "server/offer.h"

#include "http/coding.h"
#include "http/conditional.h"
#include "serve/compress.h"
#include "serve/gzip_stream.h"
#include "serve/partial.h"
#include "server/respond.h"

#include <stdlib.h>

struct offer {
    unsigned coding;    /* in which it is sent; identity unless that was allowed */
    struct slice etag;  /* empty: none */
    struct slice weak;  /* the same as a weak one; empty: it is weak, or there is no coding in it */
    int64_t modified_s; /* -1: unknown */
    bool validated;
    bool settled;       /* what was asked for has been taken; with middleware a response is settled more than once */
};

/* What was offered; NULL: nothing, or no memory (503). */
static struct offer *find(const struct exchange *exchange)
{
    const struct beside *beside = exchange->beside;
    return beside != NULL ? beside->offer : NULL;
}

static struct offer *make(struct exchange *exchange)
{
    struct beside *beside = beside_of(exchange);
    if (beside == NULL)
        return NULL;
    if (beside->offer == NULL) {
        beside->offer = arena_take(&exchange->arena, sizeof *beside->offer);
        if (beside->offer != NULL)
            *beside->offer = (struct offer){ .coding = CODING_IDENTITY, .modified_s = -1 };
    }
    return beside->offer;
}

/* ---- Codings ------------------------------------------------------------------------------------------------ */

/* The quickest first: they are done for every request. */
static unsigned choose(const struct exchange *exchange)
{
    static const uint64_t ranks[CODING_COUNT] = { [CODING_ZSTD] = 1, [CODING_BR] = 2, [CODING_GZIP] = 3,
                                                  [CODING_IDENTITY] = 4 };
    unsigned coding = coding_choose(&exchange->request.fields, coding_order_by_size(ranks, compress_codings()));
    return coding == CODING_REFUSED ? CODING_IDENTITY : coding; /* rather that than nothing */
}

void rh_compress(rh_request *request)
{
    struct exchange *exchange = (struct exchange *)request;
    if (respond_is_second(exchange))
        return;
    struct offer *offer = make(exchange);
    if (offer == NULL) {
        respond_starved(exchange);
        return;
    }
    offer->coding = choose(exchange);
    respond_field(exchange, SLICE("Vary"), SLICE("Accept-Encoding"));
}

static bool encodable(const struct exchange *exchange, const struct offer *offer)
{
    const struct response *response = &exchange->response;
    bool usual = response->chosen == 0 || (response->chosen >= 200 && response->chosen != 204 &&
                                           response->chosen != 205 && response->chosen != 206);
    return offer != NULL && offer->coding != CODING_IDENTITY && usual &&
           !response_has_field(response, response->field_count, SLICE("Content-Encoding"));
}

struct slice offer_encode(struct exchange *exchange, struct slice content)
{
    const struct offer *offer = find(exchange);
    if (!encodable(exchange, offer) || content.size < COMPRESS_SIZE_MIN)
        return content;
    size_t room = content.size * 19 / 20;
    char *out = arena_take(&exchange->arena, room);
    size_t size = out != NULL ? compress_now(offer->coding, content, out, room) : 0;
    if (size == 0 || !exchange_add_constant(exchange, SLICE("Content-Encoding"), coding_name(offer->coding)))
        return content;
    return slice_make(out, size);
}

/* What a stream draws from, and what is to be called in the end. */
struct encoded_stream {
    struct gzip_stream *gzip;
    struct pages *payer; /* of the worker */
    void (*done)(void *user);
    void *user;
};

static void free_gzip(struct pages *payer, struct gzip_stream *gzip)
{
    gzip_stream_free(gzip);
    pages_discharge(payer, GZIP_STREAM_SIZE);
}

/* Counts against what the worker may lend. NULL: that is too much, or there is no memory. */
static struct gzip_stream *new_gzip(const struct exchange *exchange, const struct body *body)
{
    if (!pages_charge(exchange->pages, GZIP_STREAM_SIZE))
        return NULL;
    struct gzip_stream *gzip = gzip_stream_new(body->pull, body->user);
    if (gzip == NULL)
        pages_discharge(exchange->pages, GZIP_STREAM_SIZE);
    return gzip;
}

static void stream_done(void *user)
{
    struct encoded_stream *stream = user;
    free_gzip(stream->payer, stream->gzip);
    if (stream->done != NULL)
        stream->done(stream->user);
}

/* Its tag names the coding that content in memory would have; a stream has that of gzip, or none: what is the same to a
 * reader, but no longer byte for byte. */
static void weaken_tag(struct exchange *exchange, const struct offer *offer)
{
    struct response *response = &exchange->response;
    for (unsigned i = 0; i < response->field_count && offer->weak.size > 0; i++)
        if (slice_equal(response->fields[i].name, SLICE("ETag")))
            response->fields[i].value = offer->weak;
}

void offer_encode_stream(struct exchange *exchange)
{
    const struct offer *offer = find(exchange);
    struct body *body = &exchange->response.body;
    if (!encodable(exchange, offer))
        return;
    weaken_tag(exchange, offer);
    static const uint64_t ranks[CODING_COUNT] = { [CODING_GZIP] = 1, [CODING_IDENTITY] = 2 };
    struct coding_order order = coding_order_by_size(ranks, coding_bit(CODING_GZIP));
    if (coding_choose(&exchange->request.fields, order) != CODING_GZIP)
        return;
    struct encoded_stream *stream = arena_take(&exchange->arena, sizeof *stream);
    struct gzip_stream *gzip = stream != NULL ? new_gzip(exchange, body) : NULL;
    if (gzip == NULL)
        return;
    if (!exchange_add_constant(exchange, SLICE("Content-Encoding"), coding_name(CODING_GZIP))) {
        free_gzip(exchange->pages, gzip);
        return;
    }
    *stream = (struct encoded_stream){ gzip, exchange->pages, exchange->done, exchange->done_user };
    exchange->done = stream_done;
    exchange->done_user = stream;
    body->pull = gzip_stream_pull;
    body->user = gzip;
}

/* ---- Conditions --------------------------------------------------------------------------------------------- */

/* RFC 9110 8.8.3: etagc within quotes. */
static bool is_etag(struct slice etag)
{
    if (slice_starts(etag, SLICE("W/")))
        etag = slice_skip(etag, 2);
    if (etag.size < 2 || etag.data[0] != '"' || etag.data[etag.size - 1] != '"')
        return false;
    struct slice inner = slice_part(etag, 1, etag.size - 1);
    for (size_t i = 0; i < inner.size; i++) {
        unsigned char c = (unsigned char)inner.data[i];
        if (c <= 0x20 || c == '"' || c == 0x7f)
            return false;
    }
    return true;
}

/* A strong tag names one sequence of bytes: that in a coding is another one. False: no memory. */
static bool set_tag(struct exchange *exchange, struct offer *offer, struct slice etag)
{
    struct slice name = coding_name(offer->coding), mark = SLICE("W/");
    if (etag.size == 0 || offer->coding == CODING_IDENTITY || slice_starts(etag, mark)) {
        offer->etag = arena_copy(&exchange->arena, etag);
        return offer->etag.data != NULL;
    }
    size_t room = mark.size + etag.size + 1 + name.size;
    char *text = arena_take(&exchange->arena, room);
    if (text == NULL)
        return false;
    struct writer w = writer_on(text, room);
    writer_put(&w, mark);
    writer_put(&w, slice_part(etag, 0, etag.size - 1));
    writer_byte(&w, '-');
    writer_put(&w, name);
    writer_byte(&w, '"');
    offer->weak = writer_slice(&w);
    offer->etag = slice_skip(offer->weak, mark.size);
    return true;
}

static bool add_validators(struct exchange *exchange, const struct offer *offer)
{
    char date[CLOCK_DATE_SIZE];
    bool added = true;
    if (offer->etag.size > 0)
        added = exchange_add_field(exchange, SLICE("ETag"), offer->etag);
    if (offer->modified_s >= 0) {
        clock_format_date(offer->modified_s, date);
        added = added && exchange_add_field(exchange, SLICE("Last-Modified"), slice_make(date, sizeof date));
    }
    return added;
}

static bool evaluate(rh_request *request, const struct offer *offer)
{
    struct exchange *exchange = (struct exchange *)request;
    bool safe = exchange->request.method == METHOD_GET || exchange->request.method == METHOD_HEAD;
    struct clock clock = { .now_ms = 0 };
    clock_update(&clock);
    enum verdict verdict = conditional_evaluate(&exchange->request.fields, offer->etag, offer->modified_s, safe,
                                                clock.unix_s);
    if (verdict == VERDICT_FAILED) {
        rh_fail(request, 412, NULL);
        return false;
    }
    if (safe && !add_validators(exchange, offer)) {
        respond_starved(exchange);
        return false;
    }
    if (verdict == VERDICT_NOT_MODIFIED)
        exchange->response.status = 304;
    return verdict == VERDICT_SEND;
}

bool rh_validate(rh_request *request, const char *etag, int64_t modified_s)
{
    struct exchange *exchange = (struct exchange *)request;
    struct slice text = etag != NULL ? slice_text(etag) : SLICE("");
    if (respond_is_second(exchange))
        return false;
    if (text.size > 0 && !is_etag(text)) {
        respond_refuse(exchange, "gave an ETag that is none: it stands in quotes, as \"v1\" does");
        return true;
    }
    struct offer *offer = make(exchange);
    if (offer == NULL || !set_tag(exchange, offer, text)) {
        respond_starved(exchange);
        return false;
    }
    offer->modified_s = modified_s;
    offer->validated = true;
    return evaluate(request, offer);
}

bool offer_validated(const struct exchange *exchange)
{
    const struct offer *offer = find(exchange);
    return offer != NULL && offer->validated;
}

/* ---- Ranges ------------------------------------------------------------------------------------------------- */

static struct slice type_of(const struct response *response)
{
    for (unsigned i = 0; i < response->field_count; i++)
        if (slice_equal_nocase(response->fields[i].name, SLICE("Content-Type")))
            return response->fields[i].value;
    return SLICE("application/octet-stream");
}

/* All of a representation, from which parts can be taken: not what is made on the way. */
static bool is_whole(const struct response *response)
{
    bool there = response->body.kind == BODY_SPAN || response->body.kind == BODY_FILE;
    return response->status == 200 && response->answer == NULL && there;
}

/* Which part there is depends on what the whole depends on. */
static void keep_vary(struct exchange *exchange, const struct whole *whole)
{
    for (unsigned i = 0; i < whole->field_count; i++)
        if (slice_equal_nocase(whole->fields[i].name, SLICE("Vary")))
            (void)exchange_add_constant(exchange, SLICE("Vary"), whole->fields[i].value);
}

void offer_settle(struct exchange *exchange)
{
    struct response *response = &exchange->response;
    struct offer *offer = find(exchange);
    if (offer == NULL || !offer->validated || offer->settled || !is_whole(response))
        return;
    offer->settled = true;
    if (!exchange_add_constant(exchange, SLICE("Accept-Ranges"), SLICE("bytes")))
        return; /* there are too many fields, or no memory: then they are not offered */
    int64_t now_s = exchange->session->host->clock->unix_s;
    if (!partial_wanted(exchange, offer->etag, offer->modified_s, now_s))
        return;
    struct field_pair *fields = response->fields;
    unsigned count = response->field_count, room = response->field_room;
    struct whole whole = { .fields = fields, .field_count = count, .type = type_of(response), .body = response->body };
    enum static_result result;
    response->fields = NULL;
    response->field_count = response->field_room = 0;
    if (partial_take(exchange, &whole, &result)) {
        if (result == STATIC_UNSATISFIABLE)
            keep_vary(exchange, &whole);
        respond_page(exchange, result, false);
        return;
    }
    response->fields = fields;
    response->field_count = count;
    response->field_room = room;
}

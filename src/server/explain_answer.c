/* From the page to its response, in the order in which serve/static decides. See explain_way.h. */
#include "http/conditional.h"
#include "http/range.h"
#include "serve/content.h"
#include "serve/encoder.h"
#include "server/explain_way.h"

/* What is known of the representation that was chosen. */
struct chosen {
    const struct content *content; /* NULL: the page is sent from its file */
    unsigned coding;               /* CODING_REFUSED: none */
    uint64_t size;
    char tag[PAGE_ETAG_SIZE];
    struct slice etag;
    int64_t modified_s;
};

static int64_t now_s(const struct way *way)
{
    return exchange_worker(way->exchange)->net.clock.unix_s;
}

static bool is_error(const struct way *way)
{
    return way->address == ADDRESS_REWRITTEN && way->doer->rule->status != 200;
}

/* ---- The representation ------------------------------------------------------------------------------------- */

static void choose_etag(const struct way *way, struct chosen *chosen)
{
    const struct page *page = way->page;
    if (chosen->content) {
        const struct representation *representation = content_in(chosen->content, chosen->coding);
        chosen->etag = representation_etag(representation);
        chosen->modified_s = chosen->content->modified_s;
        chosen->size = representation->size;
        return;
    }
    uint64_t hash = atomic_load_explicit(&((struct page *)page)->hash, memory_order_acquire);
    chosen->etag = slice_make(chosen->tag, page_write_etag(chosen->tag, hash));
    chosen->modified_s = page_modified_s(page->modified_ns, now_s(way));
    chosen->size = page->size;
}

static void choose(const struct way *way, struct chosen *chosen)
{
    const struct fields *fields = &way->exchange->request.fields;
    struct cached *cached = page_cache_find(&way->page->slot);
    *chosen = (struct chosen){ .content = cached ? content_of(cached) : NULL };
    struct coding_order order = { 0 };
    if (chosen->content)
        order = content_order(chosen->content);
    if (!is_error(way) && fields_has(fields, FIELD_ACCEPT_ENCODING))
        chosen->coding = coding_choose(fields, order);
    if (chosen->coding != CODING_REFUSED)
        choose_etag(way, chosen);
}

static unsigned tell_codings(const struct content *content, struct sheet *sheet)
{
    unsigned count = 0;
    for (unsigned coding = 0; content && coding < CODING_COUNT; coding++) {
        const struct representation *there = content_in(content, coding);
        if (!there)
            continue;
        struct slice name = coding_name((enum coding)coding);
        sheet_fact(sheet, count++ == 0 ? "there are" : "", "%-8.*s %10llu bytes", SHEET_SLICE(name),
                   (unsigned long long)there->size);
    }
    return count;
}

static const char *why_alone(const struct way *way, const struct chosen *chosen)
{
    struct encoder *encoder = way->site->store->encoder;
    if (!chosen->content)
        return "what is sent from its file is not encoded";
    if (!page_negotiable(way->page))
        return "what it is, or its size, is not worth encoding";
    if (!encoder)
        return "nothing is encoded here (--no-encodings)";
    return encoder_idle(encoder) ? "no coding would make it 5% smaller" : "its codings are still being made";
}

static void tell_choice(const struct way *way, const struct chosen *chosen, unsigned count, struct sheet *sheet)
{
    struct slice asked = fields_get(&way->exchange->request.fields, FIELD_ACCEPT_ENCODING);
    if (chosen->coding == CODING_REFUSED) {
        sheet_fact(sheet, "chosen", "none: the client refuses every one that there is: 406");
        return;
    }
    const char *because = "of those to which the client gives its highest weight the smallest";
    if (is_error(way))
        because = "an error is not negotiated";
    else if (count <= 1)
        because = why_alone(way, chosen);
    else if (!asked.data)
        because = "a client that names no coding may know none";
    else if (chosen->coding == CODING_IDENTITY)
        because = "of the others the client takes none, or likes it less";
    sheet_fact(sheet, "chosen", "%.*s: %s", SHEET_SLICE(coding_name((enum coding)chosen->coding)), because);
}

static void tell_representation(const struct way *way, const struct chosen *chosen, struct sheet *sheet)
{
    struct slice asked = fields_get(&way->exchange->request.fields, FIELD_ACCEPT_ENCODING);
    sheet_step(sheet, "representation");
    sheet_fact(sheet, "lies", chosen->content ? "in memory" : "in its file: more than --cache-size gives one page");
    if (asked.data)
        sheet_fact(sheet, "accepts", "%.*s", SHEET_SLICE(asked));
    else
        sheet_fact(sheet, "accepts", "no Accept-Encoding");
    unsigned count = tell_codings(chosen->content, sheet);
    tell_choice(way, chosen, count, sheet);
    if (chosen->coding == CODING_REFUSED)
        return;
    if (chosen->etag.size > 0)
        sheet_fact(sheet, "etag", "%.*s", SHEET_SLICE(chosen->etag));
    else
        sheet_fact(sheet, "etag", "none, until the whole file has been read in the background");
}

/* ---- Conditions and ranges ---------------------------------------------------------------------------------- */

static enum verdict tell_conditions(const struct way *way, const struct chosen *chosen, struct sheet *sheet)
{
    static const enum field_id ids[] = { FIELD_IF_MATCH, FIELD_IF_UNMODIFIED_SINCE, FIELD_IF_NONE_MATCH,
                                         FIELD_IF_MODIFIED_SINCE };
    static const char *const outcomes[] = { [VERDICT_SEND] = "the page is sent",
                                            [VERDICT_NOT_MODIFIED] = "the client has it already: 304",
                                            [VERDICT_FAILED] = "a precondition fails: 412" };
    const struct fields *fields = &way->exchange->request.fields;
    bool any = false;
    sheet_step(sheet, "conditions");
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        for (int at = fields_next(fields, ids[i], 0); at >= 0; at = fields_next(fields, ids[i], (unsigned)at + 1)) {
            sheet_fact(sheet, any ? "" : "asked", "%.*s: %.*s", SHEET_SLICE(fields_name(fields, (unsigned)at)),
                       SHEET_SLICE(fields_value(fields, (unsigned)at)));
            any = true;
        }
    }
    enum verdict verdict = conditional_evaluate(fields, chosen->etag, chosen->modified_s, true, now_s(way));
    if (!any)
        sheet_fact(sheet, "asked", "none");
    sheet_fact(sheet, "result", "%s", outcomes[verdict]);
    return verdict;
}

static void tell_parts(const struct ranges *ranges, uint64_t size, struct sheet *sheet)
{
    for (unsigned i = 0; i < ranges->count; i++)
        sheet_fact(sheet, i == 0 ? "part" : "", "%llu to %llu, %llu of %llu bytes",
                   (unsigned long long)ranges->at[i].first,
                   (unsigned long long)(ranges->at[i].first + ranges->at[i].size - 1),
                   (unsigned long long)ranges->at[i].size, (unsigned long long)size);
}

static void tell_parsed(struct slice asked, uint64_t size, struct sheet *sheet)
{
    struct ranges ranges;
    switch (range_parse(asked, size, &ranges)) {
    case RANGE_WHOLE: sheet_fact(sheet, "result", "ignored: malformed, abusive, or of another unit"); return;
    case RANGE_UNSATISFIABLE: sheet_fact(sheet, "result", "none of it is there: 416"); return;
    case RANGE_PARTIAL: break;
    }
    sheet_fact(sheet, "result", ranges.count == 1 ? "one part: 206" : "several parts, multipart/byteranges: 206");
    tell_parts(&ranges, size, sheet);
}

static void tell_range(const struct way *way, const struct chosen *chosen, struct sheet *sheet)
{
    const struct request *request = &way->exchange->request;
    struct slice asked = fields_get(&request->fields, FIELD_RANGE);
    struct slice condition = fields_get(&request->fields, FIELD_IF_RANGE);
    sheet_step(sheet, "range");
    if (!asked.data) {
        sheet_fact(sheet, "asked", "for all of it");
        return;
    }
    sheet_fact(sheet, "asked", "%.*s", SHEET_SLICE(asked));
    if (condition.data)
        sheet_fact(sheet, "if-range", "%.*s", SHEET_SLICE(condition));
    if (request->method != METHOD_GET)
        sheet_fact(sheet, "result", "ignored: only GET has ranges (RFC 9110 14.2)");
    else if (!range_applies(&request->fields, chosen->etag, chosen->modified_s, now_s(way)))
        sheet_fact(sheet, "result", "ignored: there are several, or If-Range does not hold (RFC 9110 13.1.5)");
    else
        tell_parsed(asked, chosen->size, sheet);
}

void way_tell_answer(const struct way *way, struct sheet *sheet)
{
    struct chosen chosen;
    choose(way, &chosen);
    tell_representation(way, &chosen, sheet);
    if (chosen.coding != CODING_REFUSED && !is_error(way) && tell_conditions(way, &chosen, sheet) == VERDICT_SEND)
        tell_range(way, &chosen, sheet);
}

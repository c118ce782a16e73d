/* Content becomes prepared answers. All answers of a content share its lifetime. */
#include "serve/content.h"

#include <stdlib.h>

#include "base/writer.h"
#include "serve/digest.h"

/* A representation beside its bytes: two answers, their fields, and their encoded heads, which come at first use. */
enum { REPRESENTATION_WEIGHT = 1200 };

uint64_t content_weight_added(uint64_t size)
{
    uint64_t kept_again = size <= ENCODED_BODY_MAX ? size : 0;
    return size + kept_again + REPRESENTATION_WEIGHT;
}

uint64_t content_weight(uint64_t size)
{
    return sizeof(struct content) + content_weight_added(size);
}

uint64_t content_weight_all(const struct content *content)
{
    uint64_t sum = sizeof *content;
    for (unsigned coding = 0; coding < CODING_COUNT; coding++) {
        const struct representation *representation = content_in(content, coding);
        if (representation)
            sum += content_weight_added(representation->size);
    }
    return sum;
}

/* ---- Fields ------------------------------------------------------------------------------------------------- */

static void add(struct page_fields *fields, struct slice name, struct slice value)
{
    fields->at[fields->count++] = (struct field_pair){ name, value };
}

static void add_date(struct page_fields *fields, int64_t modified_s)
{
    clock_format_date(modified_s, fields->date);
    add(fields, SLICE("Last-Modified"), slice_make(fields->date, sizeof fields->date));
}

/* Too much for its place: then it varies by anything. */
static struct slice join_vary(struct page_fields *fields, const struct page *page, const struct dress *dress)
{
    struct writer w = writer_on(fields->vary, sizeof fields->vary);
    if (page_negotiable(page))
        writer_put(&w, SLICE("Accept-Encoding"));
    for (unsigned i = 0; i < dress->vary_count; i++) {
        if (writer_used(&w) > 0)
            writer_put(&w, SLICE(", "));
        writer_put(&w, dress->vary[i]);
    }
    return w.overflowed ? SLICE("*") : writer_slice(&w);
}

/* What caches need, of 200 and 304 alike. */
static void add_for_caches(struct page_fields *fields, const struct page *page, const struct dress *dress)
{
    if (dress->cache_control.size > 0)
        add(fields, SLICE("Cache-Control"), dress->cache_control);
    struct slice vary = join_vary(fields, page, dress);
    if (vary.size > 0)
        add(fields, SLICE("Vary"), vary);
}

void page_fields_ok(struct page_fields *fields, const struct page *page, const struct dress *dress, struct slice etag,
                    int64_t modified_s)
{
    fields->count = 0;
    add(fields, SLICE("Content-Type"), dress->type.size > 0 ? dress->type : page->type);
    if (etag.size > 0)
        add(fields, SLICE("ETag"), etag);
    if (modified_s >= 0)
        add_date(fields, modified_s);
    add_for_caches(fields, page, dress);
    add(fields, SLICE("Accept-Ranges"), SLICE("bytes"));
    for (unsigned i = 0; i < dress->count; i++)
        add(fields, dress->fields[i].name, dress->fields[i].value);
}

void page_fields_not_modified(struct page_fields *fields, const struct page *page, const struct dress *dress,
                              struct slice etag, int64_t modified_s)
{
    fields->count = 0;
    if (etag.size > 0)
        add(fields, SLICE("ETag"), etag);
    else if (modified_s >= 0)
        add_date(fields, modified_s);
    add_for_caches(fields, page, dress);
}

/* ---- Representations ---------------------------------------------------------------------------------------- */

static void clear(struct representation *representation)
{
    answer_free(representation->ok);
    answer_free(representation->not_modified);
    free(representation->bytes);
}

static struct answer *prepare(struct content *content, unsigned status, const struct page_fields *fields,
                              struct slice bytes)
{
    struct answer *answer = answer_new(&(struct answer_parts){ .status = status, .body = bytes, .borrow = true,
                                                               .fields = fields->at, .field_count = fields->count });
    if (answer)
        answer_adopt(answer, &content->hold);
    return answer;
}

/* False: no memory, and the bytes are not taken over. */
static bool fill(struct content *content, struct representation *representation, const struct page_fields *ok,
                 const struct page_fields *not_modified)
{
    representation->ok = prepare(content, 200, ok, slice_make(representation->bytes, representation->size));
    representation->not_modified = prepare(content, 304, not_modified, SLICE(""));
    if (representation->ok && representation->not_modified)
        return true;
    representation->bytes = NULL;
    clear(representation);
    return false;
}

static void gone(struct hold *hold)
{
    struct content *content = LINK_OWNER(hold, struct content, hold);
    for (unsigned coding = 1; coding < CODING_COUNT; coding++) {
        struct representation *representation = atomic_load_explicit(&content->at[coding], memory_order_relaxed);
        if (representation)
            clear(representation);
        free(representation);
    }
    clear(&content->identity);
    if (content->cache)
        page_cache_gone(content->cache, &content->cached);
    free(content);
}

struct content *content_new(const struct page *page, char *bytes, uint64_t hash, const struct dress *dress,
                            int64_t now_s)
{
    struct content *content = calloc(1, sizeof *content);
    if (!content)
        return NULL;
    struct representation *identity = &content->identity;
    hold_init(&content->hold, gone);
    content->modified_s = page_modified_s(page->modified_ns, now_s);
    *identity = (struct representation){ .bytes = bytes, .size = page->size };
    identity->etag_size = page_write_etag(identity->etag, hash);

    struct page_fields ok, not_modified;
    page_fields_ok(&ok, page, dress, representation_etag(identity), content->modified_s);
    page_fields_not_modified(&not_modified, page, dress, representation_etag(identity), content->modified_s);
    if (!fill(content, identity, &ok, &not_modified)) {
        free(content);
        return NULL;
    }
    list_init(&content->queue);
    content->cached.size = content_weight(page->size);
    atomic_init(&content->at[CODING_IDENTITY], identity);
    return content;
}

/* The fields of an answer of the identity's, for another representation of the same content. */
static void translate(struct page_fields *fields, const struct answer *answer, struct slice etag, enum coding coding)
{
    fields->count = 0;
    for (unsigned i = 0; i < answer->field_count; i++) {
        bool tag = slice_equal(answer->fields[i].name, SLICE("ETag"));
        add(fields, answer->fields[i].name, tag ? etag : answer->fields[i].value);
    }
    if (answer->status == 200)
        add(fields, SLICE("Content-Encoding"), coding_name(coding));
}

static void publish(struct content *content, enum coding coding, struct representation *representation)
{
    uint64_t sizes[CODING_COUNT] = { 0 };
    unsigned there = 0;

    atomic_store_explicit(&content->at[coding], representation, memory_order_release);
    for (unsigned i = 0; i < CODING_COUNT; i++) {
        const struct representation *other = content_in(content, i);
        sizes[i] = other ? other->size : 0;
        there |= other ? coding_bit(i) : 0;
    }
    atomic_store_explicit(&content->places, coding_order_by_size(sizes, there).places, memory_order_release);
}

bool content_add(struct content *content, enum coding coding, char *bytes, uint64_t size)
{
    struct representation *made = calloc(1, sizeof *made);
    struct page_fields ok, not_modified;

    if (!made)
        return false;
    *made = (struct representation){ .bytes = bytes, .size = size };
    made->etag_size = page_write_etag(made->etag, digest_bytes(slice_make(bytes, size)));
    translate(&ok, content->identity.ok, representation_etag(made), coding);
    translate(&not_modified, content->identity.not_modified, representation_etag(made), coding);
    if (!fill(content, made, &ok, &not_modified)) {
        free(made);
        return false;
    }
    publish(content, coding, made);
    return true;
}

static void let_go(struct retired *retired)
{
    hold_unref(&LINK_OWNER(retired, struct content, retired)->hold);
}

void content_retire(struct content *content, struct qsbr *qsbr)
{
    qsbr_retire(qsbr, &content->retired, let_go);
}

/* What is in memory of a page: its content, perhaps in several codings, each a representation with its prepared
 * answers.
 *
 * A response that is being sent holds it, and so does whoever encodes it. It never changes, but that representations
 * are added, each published by one store. It knows neither the page's file nor a client. */
#ifndef SERVE_CONTENT_H
#define SERVE_CONTENT_H

#include "base/clock.h"
#include "base/list.h"
#include "base/qsbr.h"
#include "http/answer.h"
#include "serve/dress.h"
#include "serve/page.h"

struct representation {
    struct answer *ok, *not_modified;
    char *bytes; /* malloc */
    uint64_t size;
    uint8_t etag_size;
    char etag[PAGE_ETAG_SIZE];
};

struct content {
    struct cached cached;
    struct hold hold;          /* the cache's reference, and one for each response or encoder that is at it */
    struct retired retired;
    struct page_cache *cache;  /* NULL: it was never given to one */
    struct link queue;         /* encoder's, as is the next */
    bool retiring;
    int64_t modified_s;        /* -1: none */
    _Atomic uint8_t wanted;    /* coding_bits still to be tried; encoder's, once the cache has it */
    _Atomic bool awaited;      /* somebody would have got one of those: see encoder_hasten */
    _Atomic uint8_t places;    /* coding_order of those that are there */
    _Atomic(struct representation *) at[CODING_COUNT];
    struct representation identity;
};

static inline struct content *content_of(struct cached *cached)
{
    return LINK_OWNER(cached, struct content, cached);
}

static inline struct slice representation_etag(const struct representation *representation)
{
    return slice_make(representation->etag, representation->etag_size);
}

/* The order is read before what it speaks of. */
static inline struct coding_order content_order(const struct content *content)
{
    return (struct coding_order){ atomic_load_explicit(&content->places, memory_order_acquire) };
}

static inline const struct representation *content_in(const struct content *content, unsigned coding)
{
    return atomic_load_explicit(&content->at[coding], memory_order_acquire);
}

/* Whether a request may have to do without a coding that is still to come. */
static inline bool content_unfinished(struct content *content)
{
    return atomic_load_explicit(&content->wanted, memory_order_relaxed) != 0 &&
           !atomic_load_explicit(&content->awaited, memory_order_relaxed);
}

/* How much memory content of this size takes in one representation, all counted. */
uint64_t content_weight(uint64_t size);

/* And how much more each further representation of this size. */
uint64_t content_weight_added(uint64_t size);

/* `bytes` (malloc, page->size of them) then belong to it. NULL: no memory, and they are still the caller's. */
struct content *content_new(const struct page *page, char *bytes, uint64_t hash, const struct dress *dress,
                            int64_t now_s);

/* `bytes` (malloc), what the content is in this coding, then belong to it; what they weigh has been seen to. One thread
 * at a time. False: no memory, and they are still the caller's. */
bool content_add(struct content *content, enum coding coding, char *bytes, uint64_t size);

/* What all its representations weigh. */
uint64_t content_weight_all(const struct content *content);

/* It has left the cache: the cache's reference goes when no worker can see it any more. */
void content_retire(struct content *content, struct qsbr *qsbr);

/* The fields of a response with a page, wherever its content comes from. */
enum { PAGE_FIELDS_MAX = 7 + DRESS_FIELDS_MAX, VARY_SIZE = 512 };
struct page_fields {
    unsigned count;
    struct field_pair at[PAGE_FIELDS_MAX];
    char date[CLOCK_DATE_SIZE];
    char vary[VARY_SIZE];
};

/* `etag` may be empty and `modified_s` -1: those fields are then left out. */
void page_fields_ok(struct page_fields *fields, const struct page *page, const struct dress *dress, struct slice etag,
                    int64_t modified_s);

/* RFC 9110 15.4.5: of what a 200 has, ETag, Cache-Control, Vary; Last-Modified only where it has to stand in for an
 * ETag. */
void page_fields_not_modified(struct page_fields *fields, const struct page *page, const struct dress *dress,
                              struct slice etag, int64_t modified_s);

#endif

/* What the tests of static.c share: a site of one page, of which the content may be in memory in several codings, an
 * exchange that asks for it, and what is to be seen of the response. */
#ifndef TESTS_UNIT_STATIC_FIXTURE_H
#define TESTS_UNIT_STATIC_FIXTURE_H

#include "failing_memory.h"
#include "made_fields.h"
#include "scratch.h"
#include "serve/loader.h"
#include "serve/site.h"
#include "serve/static.h"
#include "stored.h"

enum { NOW_S = 1800000000, MODIFIED_S = 1700000000, PAGE_SIZE = 1000, BR_SIZE = 300, GZIP_SIZE = 400 };

static const char modified[] = "Tue, 14 Nov 2023 22:13:20 GMT", earlier[] = "Tue, 14 Nov 2023 22:13:19 GMT";

static struct scratch scratch;
static struct store store;
static struct site_config config;
static struct site *site;
static struct pages pages;
static struct exchange exchange;
static struct dress dress; /* of the page */

static inline void static_never_gone(struct hold *hold)
{
    (void)hold;
    fail_msg("the exchange belongs to the test");
}

/* Bytes of which no two places look alike, others for each seed. */
static inline void static_noise(char *bytes, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)((i * 31 + (i >> 5) * 17 + seed * 101) & 0xff);
}

static inline void static_dress(void)
{
    dress_page(&dress, &site->wardrobe, &(struct occasion){ .page = SLICE("/a.html"), .path = SLICE("/a.html") });
}

static inline int static_start(void **state)
{
    char content[PAGE_SIZE];
    (void)state;
    static_noise(content, sizeof content, CODING_IDENTITY);
    scratch_open(&scratch);
    scratch_write_bytes(&scratch, "root/a.html", content, sizeof content);
    scratch_date(&scratch, "root/a.html", MODIFIED_S, 77);
    stored_open(&store, 1 << 20, &scratch.log);
    config = (struct site_config){ .root = scratch.root };
    site = site_build(&config, &store, NULL, NULL);
    assert_non_null(site);
    static_dress();
    pages_init(&pages, 0);
    exchange_init(&exchange, &pages, 64 * 1024, static_never_gone);
    exchange_reset(&exchange);
    return 0;
}

static inline int static_end(void **state)
{
    (void)state;
    exchange_release(&exchange);
    pages_fini(&pages);
    site_unref(site);
    stored_close(&store);
    scratch_close(&scratch);
    return 0;
}

static inline struct page *the_page(void)
{
    struct page *page = site_page(site, SLICE("/a.html"));
    assert_non_null(page);
    return page;
}

/* The page's content, held; it goes with static_drop. */
static inline struct content *static_load(void)
{
    struct content *content = NULL;
    struct page_load load;
    page_load_init(&load, &the_page()->slot, 0);
    assert_int_equal(page_cache_ask(&store.cache, &load, NULL), PAGE_CACHE_LOAD);
    assert_int_equal(loader_load(site, the_page(), &load, &content), LOADED);
    hold_ref(&content->hold);
    loader_end(&store, &load, content);
    return content;
}

static inline void static_encode(struct content *content, enum coding coding, size_t size)
{
    char *bytes = malloc(size);
    assert_non_null(bytes);
    static_noise(bytes, size, coding);
    assert_true(content_add(content, coding, bytes, size));
}

static inline void static_ask(enum method method, const char *fields)
{
    exchange_reset(&exchange);
    exchange.request.method = method;
    made_fields(&exchange.request.fields, fields);
}

static const struct slice absent = { NULL, 0 };

/* The response's value of a field, prepared or not; it may be there once. */
static inline struct slice static_field(const char *name)
{
    const struct response *response = &exchange.response;
    const struct field_pair *fields = response->answer ? response->answer->fields : response->fields;
    unsigned count = response->answer ? response->answer->field_count : response->field_count, found = 0;
    struct slice value = absent;
    for (unsigned i = 0; i < count; i++)
        if (slice_equal_nocase(fields[i].name, slice_text(name)) && found++ == 0)
            value = fields[i].value;
    assert_in_range(found, 0, 1);
    return value;
}

static inline void field_is(const char *name, struct slice value)
{
    struct slice is = static_field(name);
    if (is.size != value.size || (is.data == NULL) != (value.data == NULL) ||
        (value.size > 0 && memcmp(is.data, value.data, value.size) != 0))
        fail_msg("%s: \"%.*s\" instead of \"%.*s\"", name, (int)is.size, is.data ? is.data : "", (int)value.size,
                 value.data ? value.data : "");
}

static inline size_t static_copy_body(const struct body *body, char *out, size_t room)
{
    size_t used = 0;
    assert_true(body->size <= room);
    switch (body->kind) {
    case BODY_NONE:
        return 0;
    case BODY_SPAN:
        memcpy(out, body->data, body->size);
        return body->size;
    case BODY_FILE:
        assert_int_equal(pread(body->fd, out, body->size, (off_t)body->offset), body->size);
        return body->size;
    default:
        assert_int_equal(body->kind, BODY_PARTS);
        for (unsigned i = 0; i < body->part_count; i++)
            used += static_copy_body(&body->parts[i], out + used, room - used);
        assert_int_equal(used, body->size);
        return used;
    }
}

/* What a client would get. */
static inline struct slice static_body(void)
{
    static char bytes[64 * 1024];
    const struct response *response = &exchange.response;
    const struct body *body = response->answer ? &response->answer->body : &response->body;
    return slice_make(bytes, static_copy_body(body, bytes, sizeof bytes));
}

#endif

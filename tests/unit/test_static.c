/* A page's responses: from memory and from a file, with conditions and without, for files that have changed or gone
 * since, and with too little memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/date.h"
#include "made_fields.h"
#include "scratch.h"
#include "serve/site.h"
#include "serve/static.h"

enum { NOW_S = 1800000000, MODIFIED_S = 1700000000 };

static const char modified[] = "Tue, 14 Nov 2023 22:13:20 GMT", earlier[] = "Tue, 14 Nov 2023 22:13:19 GMT";

static struct scratch scratch;
static struct site *site;
static struct pages pages;
static struct exchange exchange;

/* ---- Faults ---------------------------------------------------------------------------------------------------- */

static int mallocs_left; /* -1: no limit */
static int open_error;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    if (mallocs_left == 0)
        return NULL;
    if (mallocs_left > 0)
        mallocs_left--;
    return __real_malloc(size);
}

int __real_files_open(const struct files *files, const char *path);
int __wrap_files_open(const struct files *files, const char *path);
int __wrap_files_open(const struct files *files, const char *path)
{
    if (open_error != 0) {
        errno = open_error;
        return -1;
    }
    return __real_files_open(files, path);
}

static void never_gone(struct hold *hold)
{
    (void)hold;
    fail_msg("the exchange belongs to the test");
}

/* ---- A site of a file and a request for it --------------------------------------------------------------------- */

static int start(void **state)
{
    (void)state;
    mallocs_left = -1;
    open_error = 0;
    scratch_open(&scratch);
    scratch_write(&scratch, "root/a.html", "hello");
    scratch_date(&scratch, "root/a.html", MODIFIED_S, 77);
    pages_init(&pages, 0);
    exchange_init(&exchange, &pages, 64 * 1024, never_gone);
    exchange_reset(&exchange);
    site = NULL;
    return 0;
}

static int end(void **state)
{
    (void)state;
    exchange_release(&exchange);
    pages_fini(&pages);
    site_free(site);
    scratch_close(&scratch);
    return 0;
}

static const struct page *load(uint64_t cache_bytes)
{
    site_free(site);
    site = site_load(&scratch.files, cache_bytes, 1, &scratch.log);
    assert_non_null(site);
    const struct page *page = site_page(site, SLICE("/a.html"));
    assert_non_null(page);
    assert_true((page->ok != NULL) == (cache_bytes > 0));
    return page;
}

static const struct page *in_memory(void)
{
    return load(1 << 20);
}

static const struct page *in_file(void)
{
    return load(0);
}

static void ask(enum method method, const char *fields)
{
    exchange_reset(&exchange);
    exchange.request.method = method;
    made_fields(&exchange.request.fields, fields);
}

static const char *etag_field(const struct page *page, const char *name)
{
    static char text[128];
    snprintf(text, sizeof text, "%s: %.*s", name, (int)page->etag_size, page->etag);
    return text;
}

/* The response's value of a field, prepared or not. */
static struct slice field(const char *name)
{
    const struct response *response = &exchange.response;
    const struct field_pair *fields = response->answer ? response->answer->fields : response->fields;
    unsigned count = response->answer ? response->answer->field_count : response->field_count;
    for (unsigned i = 0; i < count; i++)
        if (slice_equal_nocase(fields[i].name, slice_text(name)))
            return fields[i].value;
    return slice_make(NULL, 0);
}

static void field_is(const char *name, struct slice value)
{
    struct slice is = field(name);
    if (!slice_equal(is, value) || (is.data == NULL) != (value.data == NULL))
        fail_msg("%s: \"%.*s\" instead of \"%.*s\"", name, (int)is.size,
                 is.data ? is.data : "", (int)value.size, value.data ? value.data : "");
}

static const struct slice absent = { NULL, 0 };

static void ok_fields(const struct page *page)
{
    assert_int_equal(exchange.response.status, 200);
    field_is("Content-Type", SLICE("text/html; charset=utf-8"));
    field_is("ETag", page_etag(page));
    field_is("Last-Modified", slice_text(modified));
}

static void open_is(int fd, bool is)
{
    assert_int_equal(fcntl(fd, F_GETFD) >= 0, is);
}

/* ---- From memory ----------------------------------------------------------------------------------------------- */

static void get_and_head_from_memory(void **state)
{
    const struct page *page = in_memory();
    (void)state;

    for (enum method method = METHOD_GET; method <= METHOD_HEAD; method++) {
        ask(method, "");
        assert_int_equal(static_answer(page, &exchange, NOW_S), STATIC_ANSWERED);
        assert_ptr_equal(exchange.response.answer, page->ok);
        assert_null(exchange.held);
        ok_fields(page);
        assert_int_equal(page->ok->body.size, 5);
        assert_memory_equal(page->ok->body.data, "hello", 5);
    }
}

/* The 304 of a page in memory needs none of its own. */
static void not_modified_from_memory(void **state)
{
    const struct page *page = in_memory();
    (void)state;

    ask(METHOD_GET, etag_field(page, "If-None-Match"));
    mallocs_left = 0;
    assert_int_equal(static_answer(page, &exchange, NOW_S), STATIC_ANSWERED);
    assert_ptr_equal(exchange.response.answer, page->not_modified);
    assert_int_equal(exchange.response.status, 304);
    field_is("ETag", page_etag(page));
    field_is("Content-Type", absent);
    field_is("Last-Modified", absent);
}

static void conditions(void **state)
{
    static const struct {
        const char *fields;
        enum static_result result;
        unsigned status;
    } cases[] = {
        { "", STATIC_ANSWERED, 200 },
        { "If-None-Match: \"other\"", STATIC_ANSWERED, 200 },
        { "If-None-Match: *", STATIC_ANSWERED, 304 },
        { "If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT", STATIC_ANSWERED, 304 },
        { "If-Modified-Since: Tue, 14 Nov 2023 22:13:19 GMT", STATIC_ANSWERED, 200 },
        { "If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT\nIf-None-Match: \"other\"", STATIC_ANSWERED, 200 },
        { "If-Match: \"other\"", STATIC_FAILED, 0 },
        { "If-Match: *", STATIC_ANSWERED, 200 },
        { "If-Unmodified-Since: Tue, 14 Nov 2023 22:13:19 GMT", STATIC_FAILED, 0 },
        { "If-Unmodified-Since: Tue, 14 Nov 2023 22:13:20 GMT", STATIC_ANSWERED, 200 },
    };
    (void)state;

    for (int kept = 0; kept <= 1; kept++) {
        const struct page *page = kept ? in_memory() : in_file();
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            ask(METHOD_HEAD, cases[i].fields);
            enum static_result result = static_answer(page, &exchange, NOW_S);
            if (result != cases[i].result || exchange.response.status != cases[i].status)
                fail_msg("%s: %d, %u", cases[i].fields, result, exchange.response.status);
        }
    }
}

/* ---- From a file ----------------------------------------------------------------------------------------------- */

static void head_opens_nothing(void **state)
{
    const struct page *page = in_file();
    (void)state;

    assert_int_equal(unlinkat(scratch.fd, "root/a.html", 0), 0);
    ask(METHOD_HEAD, "");
    assert_int_equal(static_answer(page, &exchange, NOW_S), STATIC_ANSWERED);
    ok_fields(page);
    assert_null(exchange.response.answer);
    assert_int_equal(exchange.response.body.kind, BODY_FILE);
    assert_int_equal(exchange.response.body.size, 5);
    assert_int_equal(exchange.response.body.fd, -1);
    assert_null(exchange.response.body.hold);
}

static void not_modified_opens_nothing(void **state)
{
    const struct page *page = in_file();
    (void)state;

    assert_int_equal(unlinkat(scratch.fd, "root/a.html", 0), 0);
    ask(METHOD_GET, etag_field(page, "If-None-Match"));
    assert_int_equal(static_answer(page, &exchange, NOW_S), STATIC_ANSWERED);
    assert_int_equal(exchange.response.status, 304);
    assert_int_equal(exchange.response.body.kind, BODY_NONE);
    field_is("ETag", page_etag(page));
    field_is("Last-Modified", absent);
    field_is("Content-Type", absent);
}

static void get_sends_the_open_file(void **state)
{
    const struct page *page = in_file();
    char text[8] = "";
    (void)state;

    ask(METHOD_GET, "");
    assert_int_equal(static_answer(page, &exchange, NOW_S), STATIC_FILE);
    assert_int_equal(exchange.response.status, 0);
    struct static_file file = static_open(&scratch.files, page);
    assert_true(file.fd >= 0);
    assert_false(file.changed);
    assert_true(static_answer_file(page, &file, &exchange));

    ok_fields(page);
    const struct body *body = &exchange.response.answer->body;
    assert_int_equal(body->kind, BODY_FILE);
    assert_int_equal(body->size, 5);
    assert_int_equal(body->offset, 0);
    assert_int_equal(body->fd, file.fd);
    assert_int_equal(pread(body->fd, text, sizeof text, 0), 5);
    assert_string_equal(text, "hello");
}

/* The descriptor is closed with its last holder: the exchange, or a span that is still being sent. */
static void the_file_is_held_while_it_is_sent(void **state)
{
    const struct page *page = in_file();
    (void)state;

    for (int spans = 0; spans <= 1; spans++) {
        ask(METHOD_GET, "");
        struct static_file file = static_open(&scratch.files, page);
        assert_true(static_answer_file(page, &file, &exchange));
        struct hold *hold = exchange.response.answer->body.hold;
        if (spans)
            hold_ref(hold);
        exchange_reset(&exchange);
        open_is(file.fd, spans);
        if (spans)
            hold_unref(hold);
        open_is(file.fd, false);
    }
}

static void an_earlier_response_is_dropped(void **state)
{
    const struct page *page = in_file();
    (void)state;

    ask(METHOD_GET, "");
    struct static_file first = static_open(&scratch.files, page), second = static_open(&scratch.files, page);
    assert_true(static_answer_file(page, &first, &exchange));
    assert_true(static_answer_file(page, &second, &exchange));
    open_is(first.fd, false);
    open_is(second.fd, true);
}

/* ---- Files that have changed ----------------------------------------------------------------------------------- */

static void is_sent_without_etag(const struct page *page, uint64_t size)
{
    ask(METHOD_GET, "");
    struct static_file file = static_open(&scratch.files, page);
    assert_true(file.fd >= 0);
    assert_true(file.changed);
    assert_int_equal(file.size, size);
    assert_true(static_answer_file(page, &file, &exchange));
    assert_int_equal(exchange.response.status, 200);
    assert_int_equal(exchange.response.answer->body.size, size);
    field_is("ETag", absent);
    field_is("Content-Type", SLICE("text/html; charset=utf-8"));
}

static void other_size_or_time(void **state)
{
    const struct page *page = in_file();
    (void)state;

    scratch_date(&scratch, "root/a.html", MODIFIED_S, 78); /* a nanosecond */
    is_sent_without_etag(page, 5);
    field_is("Last-Modified", slice_text(modified));
    scratch_date(&scratch, "root/a.html", MODIFIED_S - 1, 77);
    is_sent_without_etag(page, 5);
    field_is("Last-Modified", slice_text(earlier));
    scratch_write(&scratch, "root/a.html", "hello, world");
    scratch_date(&scratch, "root/a.html", MODIFIED_S, 77);
    is_sent_without_etag(page, 12);
    scratch_write(&scratch, "root/a.html", "");
    is_sent_without_etag(page, 0);
}

static void changed_in_the_future(void **state)
{
    const struct page *page = in_file();
    struct clock clock = { .now_ms = 0 };
    int64_t told = 0;
    (void)state;

    scratch_date(&scratch, "root/a.html", 4000000000, 0);
    is_sent_without_etag(page, 5);
    clock_update(&clock);
    assert_true(date_parse(field("Last-Modified"), clock.unix_s, &told));
    assert_true(told <= clock.unix_s && told > clock.unix_s - 100);
    scratch_date(&scratch, "root/a.html", -5, 0);
    is_sent_without_etag(page, 5);
    field_is("Last-Modified", absent);
}

/* What would not hold still when the site was loaded is looked at for every request, HEAD too, and has no 304. */
static void without_validators(void **state)
{
    const struct page *loaded = in_file();
    struct page page = *loaded;
    (void)state;

    page_unsettle(&page);
    for (enum method method = METHOD_GET; method <= METHOD_HEAD; method++) {
        ask(method, "If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT");
        assert_int_equal(static_answer(&page, &exchange, NOW_S), STATIC_FILE);
    }
    is_sent_without_etag(&page, 5);
    field_is("Last-Modified", slice_text(modified));
}

/* ---- Files that cannot be had ---------------------------------------------------------------------------------- */

static void not_to_be_had(const struct page *page, int error)
{
    struct static_file file = static_open(&scratch.files, page);
    assert_int_equal(file.fd, -1);
    assert_int_equal(file.error, error);
}

static void gone_or_something_else(void **state)
{
    const struct page *page = in_file();
    (void)state;

    assert_int_equal(unlinkat(scratch.fd, "root/a.html", 0), 0);
    not_to_be_had(page, ENOENT);
    scratch_mkdir(&scratch, "root/a.html");
    not_to_be_had(page, ENOENT);
    assert_int_equal(unlinkat(scratch.fd, "root/a.html", AT_REMOVEDIR), 0);
    assert_int_equal(mkfifoat(scratch.fd, "root/a.html", 0644), 0);
    not_to_be_had(page, ENOENT);
    assert_int_equal(unlinkat(scratch.fd, "root/a.html", 0), 0);
    scratch_write(&scratch, "secret", "secret");
    scratch_link(&scratch, "root/a.html", "../secret");
    not_to_be_had(page, ENOENT);
}

static void our_own_trouble(void **state)
{
    static const int errors[][2] = {
        { ENOENT, ENOENT }, { ENOTDIR, ENOENT }, { ELOOP, ENOENT }, { EACCES, ENOENT }, { EPERM, ENOENT },
        { EMFILE, EMFILE }, { ENFILE, ENFILE }, { EIO, EIO }, { ENOMEM, ENOMEM },
    };
    const struct page *page = in_file();
    (void)state;

    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        open_error = errors[i][0];
        not_to_be_had(page, errors[i][1]);
    }
}

static void no_memory_for_an_answer(void **state)
{
    const struct page *page = in_file();
    (void)state;

    ask(METHOD_GET, "");
    struct static_file file = static_open(&scratch.files, page);
    mallocs_left = 0;
    assert_false(static_answer_file(page, &file, &exchange));
    open_is(file.fd, false);
    assert_int_equal(exchange.response.status, 0);
}

/* HEAD and 304 of a file then go the way of the file, where there is an outcome for it. */
static void no_memory_for_fields(void **state)
{
    const struct page *page = in_file();
    const char *const fields[] = { "", etag_field(page, "If-None-Match") };
    (void)state;

    for (size_t i = 0; i < 2; i++) {
        for (size_t room = 0; room < 512; room += 16) {
            ask(METHOD_HEAD, fields[i]);
            while ((size_t)(exchange.arena.end - exchange.arena.at) > room)
                assert_non_null(arena_take(&exchange.arena, 16));
            mallocs_left = 0;
            enum static_result result = static_answer(page, &exchange, NOW_S);
            mallocs_left = -1;
            assert_int_equal(exchange.response.status, result == STATIC_FILE ? 0 : i == 0 ? 200 : 304);
            assert_int_equal(exchange.response.field_count, result == STATIC_FILE ? 0 : i == 0 ? 3 : 1);
            assert_true(room != 0 || result == STATIC_FILE);
            assert_true(room != 496 || result == STATIC_ANSWERED);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(get_and_head_from_memory, start, end),
        cmocka_unit_test_setup_teardown(not_modified_from_memory, start, end),
        cmocka_unit_test_setup_teardown(conditions, start, end),
        cmocka_unit_test_setup_teardown(head_opens_nothing, start, end),
        cmocka_unit_test_setup_teardown(not_modified_opens_nothing, start, end),
        cmocka_unit_test_setup_teardown(get_sends_the_open_file, start, end),
        cmocka_unit_test_setup_teardown(the_file_is_held_while_it_is_sent, start, end),
        cmocka_unit_test_setup_teardown(an_earlier_response_is_dropped, start, end),
        cmocka_unit_test_setup_teardown(other_size_or_time, start, end),
        cmocka_unit_test_setup_teardown(changed_in_the_future, start, end),
        cmocka_unit_test_setup_teardown(without_validators, start, end),
        cmocka_unit_test_setup_teardown(gone_or_something_else, start, end),
        cmocka_unit_test_setup_teardown(our_own_trouble, start, end),
        cmocka_unit_test_setup_teardown(no_memory_for_an_answer, start, end),
        cmocka_unit_test_setup_teardown(no_memory_for_fields, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

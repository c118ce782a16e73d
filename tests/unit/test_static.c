/* Where a page's bytes come from, how long they live, and what becomes of files that have changed or gone since, and of
 * requests for which there is too little memory. Which response a request gets is in test_static_table.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/random.h>

#include "http/date.h"
#include "static_fixture.h"

/* ---- Faults ---------------------------------------------------------------------------------------------------- */

static int open_error;
static bool no_random;

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

ssize_t __real_getrandom(void *out, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *out, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *out, size_t size, unsigned flags)
{
    return no_random ? -1 : __real_getrandom(out, size, flags);
}

static int start(void **state)
{
    allocations_left = -1;
    open_error = 0;
    no_random = false;
    return static_start(state);
}

static struct static_file open_page(void)
{
    struct static_file file = static_open(&store, &site->files, the_page());
    assert_non_null(file.descriptor);
    return file;
}

static void open_is(int fd, bool is)
{
    assert_int_equal(fcntl(fd, F_GETFD) >= 0, is);
}

/* ---- What lives how long --------------------------------------------------------------------------------------- */

/* Nothing is taken or counted for a page in memory, be it sent or only confirmed. */
static void from_memory_without_memory(void **state)
{
    static const char *const fields[] = { "", "If-None-Match: *", "Accept-Encoding: br, gzip" };
    struct content *content = static_load();
    (void)state;
    allocations_left = 0;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        static_ask(METHOD_GET, fields[i]);
        assert_int_equal(static_answer(content, &exchange, NOW_S), STATIC_ANSWERED);
        assert_ptr_equal(exchange.response.answer, i == 1 ? content->identity.not_modified : content->identity.ok);
        assert_null(exchange.held);
        assert_true(exchange_untouched(&exchange));
    }
    allocations_left = -1;
    hold_unref(&content->hold);
}

/* Parts lie in the content, and the text between them in the exchange: both are held for as long as they are sent. */
static void parts_are_held(void **state)
{
    struct content *content = static_load();
    (void)state;
    static_ask(METHOD_GET, "Range: bytes=0-9,100-109");
    assert_int_equal(static_answer(content, &exchange, NOW_S), STATIC_ANSWERED);
    const struct body *body = &exchange.response.body;
    assert_int_equal(body->kind, BODY_PARTS);
    assert_int_equal(body->part_count, 5);
    for (unsigned i = 0; i < body->part_count; i++)
        assert_ptr_equal(body->parts[i].hold, i % 2 ? &content->hold : &exchange.hold);
    hold_unref(&content->hold);
}

/* The descriptor is closed with its last holder: the exchange, or a span that is still being sent. */
static void the_file_is_held_while_it_is_sent(void **state)
{
    static const char *const fields[] = { "", "Range: bytes=1-3", "Range: bytes=1-3,7-9" };
    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        for (int spans = 0; spans <= 1; spans++) {
            static_ask(METHOD_GET, fields[i]);
            struct static_file file = open_page();
            int fd = file.descriptor->fd;
            assert_int_equal(static_answer_file(the_page(), &dress, &file, &exchange, NOW_S), STATIC_ANSWERED);
            assert_null(file.descriptor);
            struct body body = exchange.response.answer ? exchange.response.answer->body : exchange.response.body;
            if (body.part_count > 0)
                body = body.parts[1];
            assert_int_equal(body.fd, fd);
            assert_true(body.steady->holds(body.steady));
            if (spans)
                hold_ref(body.hold);
            descriptors_forget(&store.descriptors, the_page());
            exchange_reset(&exchange);
            open_is(fd, spans);
            if (spans)
                hold_unref(body.hold);
            open_is(fd, false);
        }
    }
}

static void a_file_is_opened_once(void **state)
{
    (void)state;
    struct static_file first = open_page();
    open_error = EMFILE;
    struct static_file second = open_page();
    assert_ptr_equal(first.descriptor, second.descriptor);
    static_close(&first);
    static_close(&first); /* once more is nothing */
    open_is(second.descriptor->fd, true);
    static_close(&second);
}

/* 304 and 412 send nothing of the file. */
static void what_needs_no_content(void **state)
{
    (void)state;
    static_ask(METHOD_GET, "If-None-Match: *");
    struct static_file file = open_page();
    assert_int_equal(static_answer_file(the_page(), &dress, &file, &exchange, NOW_S), STATIC_ANSWERED);
    assert_int_equal(exchange.response.answer->body.kind, BODY_NONE);
    static_ask(METHOD_GET, "If-Match: \"x\"");
    file = open_page();
    assert_int_equal(static_answer_file(the_page(), &dress, &file, &exchange, NOW_S), STATIC_FAILED);
    assert_non_null(file.descriptor); /* still the caller's */
    static_close(&file);
}

static void what_cannot_be_negotiated_has_no_vary(void **state)
{
    (void)state;
    scratch_write_bytes(&scratch, "root/p.png", "not really", 10);
    scratch_write_bytes(&scratch, "root/short.html", "short", 5);
    site_unref(site);
    site = site_build(&config, &store, NULL, NULL);
    assert_non_null(site);
    const struct slice paths[] = { SLICE_INIT("/p.png"), SLICE_INIT("/short.html"), SLICE_INIT("/a.html") };
    for (size_t i = 0; i < 3; i++) {
        struct page *page = site_page(site, paths[i]);
        static_ask(METHOD_GET, "");
        struct static_file file = static_open(&store, &site->files, page);
        assert_int_equal(static_answer_file(page, &dress, &file, &exchange, NOW_S), STATIC_ANSWERED);
        field_is("Vary", i == 2 ? SLICE("Accept-Encoding") : absent);
    }
}

/* ---- What is said with it --------------------------------------------------------------------------------------- */

/* A request that says something of these has to be looked at. */
static void plain_is_what_says_nothing(void **state)
{
    static const struct {
        const char *fields;
        bool plain;
    } rows[] = {
        { "", true },
        { "Host: a\nAccept: text/html\nUser-Agent: x\nOrigin: https://a.example", true },
        { "If-Range: \"x\"", true }, /* without Range it says nothing */
        { "Accept-Encoding: gzip", false },
        { "Accept-Encoding:", false },
        { "If-Match: *", false },
        { "If-None-Match: *", false },
        { "If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT", false },
        { "If-Unmodified-Since: Tue, 14 Nov 2023 22:13:20 GMT", false },
        { "Range: bytes=0-0", false },
    };
    struct content *content = static_load();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static_ask(METHOD_GET, rows[i].fields);
        if (static_answer_plain(content, &exchange) != rows[i].plain)
            fail_msg("%s", rows[i].fields);
        assert_ptr_equal(exchange.response.answer, rows[i].plain ? content->identity.ok : NULL);
        assert_int_equal(exchange.response.status, rows[i].plain ? 200 : 0);
        if (rows[i].plain) { /* and it is the answer to it */
            assert_int_equal(static_answer(content, &exchange, NOW_S), STATIC_ANSWERED);
            assert_ptr_equal(exchange.response.answer, content->identity.ok);
        }
    }
    exchange_reset(&exchange);
    hold_unref(&content->hold);
}

static enum static_result answer_from(struct content *content)
{
    if (content)
        return static_answer(content, &exchange, NOW_S);
    struct static_file file = open_page();
    return static_answer_file(the_page(), &dress, &file, &exchange, NOW_S);
}

/* Of a range and of each of several, too. */
static void the_type_that_is_said(void **state)
{
    static const char type[] = "Content-Type: text/x-said\r\nContent-Range: bytes 2-2/1000\r\n";
    (void)state;
    scratch_write(&scratch, "root/_headers", "/a.html\n  Content-Type: text/x-said\n  X-Said: yes\n");
    site_unref(site);
    site = site_build(&config, &store, NULL, NULL);
    assert_non_null(site);
    static_dress();
    struct content *loaded = static_load();
    for (unsigned from = 0; from < 2; from++) {
        struct content *content = from == 0 ? loaded : NULL;
        static_ask(METHOD_GET, "");
        assert_int_equal(answer_from(content), STATIC_ANSWERED);
        field_is("Content-Type", SLICE("text/x-said"));
        field_is("X-Said", SLICE("yes"));
        static_ask(METHOD_GET, "Range: bytes=0-0");
        assert_int_equal(answer_from(content), STATIC_ANSWERED);
        assert_int_equal(exchange.response.status, 206);
        field_is("Content-Type", SLICE("text/x-said"));
        field_is("X-Said", SLICE("yes"));
        static_ask(METHOD_GET, "Range: bytes=0-0,2-2");
        assert_int_equal(answer_from(content), STATIC_ANSWERED);
        assert_true(slice_starts(static_field("Content-Type"), SLICE("multipart/byteranges")));
        struct slice body = static_body();
        assert_non_null(memmem(body.data, body.size, type, sizeof type - 1));
    }
    exchange_reset(&exchange);
    hold_unref(&loaded->hold);
}

/* ---- Files that have changed ----------------------------------------------------------------------------------- */

/* It has neither a 304 nor a range that a client could join to what it has of the old one. */
static void is_sent_whole(uint64_t size)
{
    atomic_store(&the_page()->hash, 12345);
    static_ask(METHOD_GET, "If-None-Match: \"0000000000003039\"\nIf-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT\n"
                           "Range: bytes=0-0\nIf-Range: Tue, 14 Nov 2023 22:13:20 GMT");
    struct static_file file = open_page();
    assert_true(file.changed);
    assert_int_equal(file.size, size);
    assert_int_equal(static_answer_file(the_page(), &dress, &file, &exchange, NOW_S), STATIC_ANSWERED);
    assert_int_equal(exchange.response.status, 200);
    assert_int_equal(static_body().size, size);
    field_is("ETag", absent);
    field_is("Content-Type", SLICE("text/html; charset=utf-8"));
}

/* That the file is open already hides nothing. */
static void other_size_or_time(void **state)
{
    (void)state;
    struct static_file before = open_page();
    static_close(&before);
    scratch_date(&scratch, "root/a.html", MODIFIED_S, 78); /* a nanosecond */
    is_sent_whole(PAGE_SIZE);
    field_is("Last-Modified", slice_text(modified));
    scratch_date(&scratch, "root/a.html", MODIFIED_S - 1, 77);
    is_sent_whole(PAGE_SIZE);
    field_is("Last-Modified", slice_text(earlier));
    scratch_write(&scratch, "root/a.html", "hello, world");
    scratch_date(&scratch, "root/a.html", MODIFIED_S, 77);
    is_sent_whole(12);
    scratch_write(&scratch, "root/a.html", "");
    is_sent_whole(0);
}

static void another_file_of_that_name(void **state)
{
    struct stat before, after;
    (void)state;
    struct static_file file = open_page();
    assert_int_equal(fstat(file.descriptor->fd, &before), 0);
    static_close(&file);
    char content[PAGE_SIZE] = "another one, as large and as old";
    scratch_write_bytes(&scratch, "root/b.html", content, sizeof content);
    scratch_date(&scratch, "root/b.html", MODIFIED_S, 77);
    assert_int_equal(renameat(scratch.fd, "root/b.html", scratch.fd, "root/a.html"), 0);
    file = open_page();
    assert_int_equal(fstat(file.descriptor->fd, &after), 0);
    assert_true(before.st_ino != after.st_ino);
    assert_true(file.changed);
    static_close(&file);
}

/* Whoever sends it is told that it is not what was promised, also where it was not the page's to begin with. */
static void written_to_while_it_is_sent(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        static_ask(METHOD_GET, "");
        struct static_file file = open_page();
        assert_int_equal(file.changed, i > 0);
        assert_int_equal(static_answer_file(the_page(), &dress, &file, &exchange, NOW_S), STATIC_ANSWERED);
        const struct steady *steady = exchange.response.answer->body.steady;
        assert_true(steady->holds(steady));
        scratch_write(&scratch, "root/a.html", i ? "less" : "shorter");
        assert_false(steady->holds(steady));
    }
    assert_non_null(strstr(scratch.lines, "cut off, somebody wrote to it while it was sent: /a.html\n"));
}

static void how_long_ago_it_was_written_to(void **state)
{
    (void)state;
    struct static_file file = open_page();
    assert_true(file.age_ms > 1000);
    static_close(&file);
    scratch_write(&scratch, "root/a.html", "now");
    file = open_page();
    assert_true(file.age_ms < 1000 * 1000);
    static_close(&file);
    scratch_date(&scratch, "root/a.html", 4000000000, 0);
    file = open_page();
    assert_int_equal(file.age_ms, UINT_MAX);
    static_close(&file);
    scratch_date(&scratch, "root/a.html", -1000000000, 0);
    file = open_page();
    assert_int_equal(file.age_ms, UINT_MAX);
    static_close(&file);
}

static void changed_in_the_future(void **state)
{
    struct clock clock = { .now_ms = 0 };
    int64_t said = 0;
    (void)state;
    scratch_date(&scratch, "root/a.html", 4000000000, 0);
    is_sent_whole(PAGE_SIZE);
    clock_update(&clock);
    assert_true(date_parse(static_field("Last-Modified"), clock.unix_s, &said));
    assert_true(said <= clock.unix_s && said > clock.unix_s - 100);
    scratch_date(&scratch, "root/a.html", -5, 0);
    is_sent_whole(PAGE_SIZE);
    field_is("Last-Modified", absent);
}

/* ---- Files that cannot be had ---------------------------------------------------------------------------------- */

static void not_to_be_had(int error)
{
    struct static_file file = static_open(&store, &site->files, the_page());
    assert_null(file.descriptor);
    assert_int_equal(file.error, error);
    static_close(&file);
}

static void gone_or_something_else(void **state)
{
    (void)state;
    struct static_file before = open_page();
    static_close(&before); /* it stays open, and has no name any more */
    assert_int_equal(unlinkat(scratch.fd, "root/a.html", 0), 0);
    not_to_be_had(ENOENT);
    scratch_mkdir(&scratch, "root/a.html");
    not_to_be_had(ENOENT);
    assert_int_equal(unlinkat(scratch.fd, "root/a.html", AT_REMOVEDIR), 0);
    assert_int_equal(mkfifoat(scratch.fd, "root/a.html", 0644), 0);
    not_to_be_had(ENOENT);
    assert_int_equal(unlinkat(scratch.fd, "root/a.html", 0), 0);
    scratch_write(&scratch, "secret", "secret");
    scratch_link(&scratch, "root/a.html", "../secret");
    not_to_be_had(ENOENT);
}

static void our_own_trouble(void **state)
{
    static const int errors[][2] = {
        { ENOENT, ENOENT }, { ENOTDIR, ENOENT }, { ELOOP, ENOENT }, { EXDEV, ENOENT }, { EACCES, EACCES },
        { EPERM, EACCES }, { EMFILE, EMFILE }, { ENFILE, ENFILE }, { EIO, EIO }, { ENOMEM, ENOMEM },
    };
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        open_error = errors[i][0];
        not_to_be_had(errors[i][1]);
    }
    open_error = 0;
    allocations_left = 0;
    not_to_be_had(ENOMEM);
    allocations_left = -1;
}

/* ---- Too little memory ----------------------------------------------------------------------------------------- */

static void no_memory_for_an_answer(void **state)
{
    static const char *const fields[] = { "", "If-None-Match: *", "Range: bytes=0-0" };
    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        static_ask(METHOD_GET, fields[i]);
        for (int left = 0; left < 2; left++) {
            struct static_file file = open_page();
            allocations_left = left;
            assert_int_equal(static_answer_file(the_page(), &dress, &file, &exchange, NOW_S), STATIC_NO_MEMORY);
            allocations_left = -1;
            assert_int_equal(exchange.response.status, 0);
            assert_non_null(file.descriptor); /* still the caller's */
            static_close(&file);
        }
    }
}

/* Whatever is left of the exchange's own memory, a range is answered, or nothing is. */
static void no_memory_for_ranges(void **state)
{
    static const struct {
        const char *fields;
        enum static_result full;
    } rows[] = {
        { "Range: bytes=0-0", STATIC_ANSWERED },
        { "Range: bytes=0-0,2-2,4-4", STATIC_ANSWERED },
        { "Range: bytes=1000-", STATIC_UNSATISFIABLE },
    };
    struct content *content = static_load();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum static_result result = STATIC_NO_MEMORY;
        for (size_t room = 0; room <= EXCHANGE_INLINE - 1024; room += 16) {
            static_ask(METHOD_GET, rows[i].fields);
            exchange.arena.ceiling = 0;
            while ((size_t)(exchange.arena.end - exchange.arena.at) > room)
                assert_non_null(arena_take(&exchange.arena, 16));
            enum static_result before = result;
            result = static_answer(content, &exchange, NOW_S);
            assert_int_equal(result, result == STATIC_NO_MEMORY ? before : rows[i].full); /* never worse with more */
            assert_int_equal(exchange.response.status, result == STATIC_ANSWERED ? 206 : 0);
            assert_true(room != 0 || result == STATIC_NO_MEMORY);
        }
        assert_int_equal(result, rows[i].full);
    }
    exchange.arena.ceiling = 64 * 1024;
    hold_unref(&content->hold);
}

/* Without a boundary that nobody can guess there are no parts. */
static void no_random_for_a_boundary(void **state)
{
    struct content *content = static_load();
    (void)state;
    no_random = true;
    static_ask(METHOD_GET, "Range: bytes=0-0,2-2");
    assert_int_equal(static_answer(content, &exchange, NOW_S), STATIC_NO_MEMORY);
    static_ask(METHOD_GET, "Range: bytes=0-0");
    assert_int_equal(static_answer(content, &exchange, NOW_S), STATIC_ANSWERED);
    hold_unref(&content->hold);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, static_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(from_memory_without_memory),
        TEST(parts_are_held),
        TEST(the_file_is_held_while_it_is_sent),
        TEST(a_file_is_opened_once),
        TEST(what_needs_no_content),
        TEST(what_cannot_be_negotiated_has_no_vary),
        TEST(plain_is_what_says_nothing),
        TEST(the_type_that_is_said),
        TEST(other_size_or_time),
        TEST(another_file_of_that_name),
        TEST(written_to_while_it_is_sent),
        TEST(how_long_ago_it_was_written_to),
        TEST(changed_in_the_future),
        TEST(gone_or_something_else),
        TEST(our_own_trouble),
        TEST(no_memory_for_an_answer),
        TEST(no_memory_for_ranges),
        TEST(no_random_for_a_boundary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

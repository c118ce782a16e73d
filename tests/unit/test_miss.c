/* Pages that are not in memory: what becomes of the requests that wait for one, whatever becomes of the load, of the
 * clients and of the server. Meant to be run in a build with -Db_sanitize=thread, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "api_fixture.h"
#include "scratch.h"
#include "serve/content.h"
#include "server/miss.h"

enum { CLIENTS = 20, CACHE_BYTES = 1 << 20, LARGE = CACHE_BYTES / 4 };

static struct notes notes = NOTES_INIT;
static struct scratch scratch;
static rh_server *server;

/* ---- The disk, and the cache, as the test wants them ------------------------------------------------------------ */

static atomic_bool shut;           /* opening a page's file takes until this is over */
static atomic_int open_error;      /* or fails */
static atomic_uint opened, missed; /* how often: files of pages, requests */
static atomic_int asked;           /* what the cache says, if this is set; else what is so */
static atomic_bool refuses, without_memory;
static atomic_bool written;        /* somebody is always just writing to the files that are opened */
static atomic_uint looked;         /* how often they were looked at */

enum { NOT_SAID = -1 };

static bool is_page(const char *path)
{
    size_t size = strlen(path);
    return size > 4 && strcmp(path + size - 4, ".txt") == 0;
}

int __real_files_open(const struct files *files, const char *path);
int __wrap_files_open(const struct files *files, const char *path);
int __wrap_files_open(const struct files *files, const char *path)
{
    if (!is_page(path))
        return __real_files_open(files, path);
    atomic_fetch_add(&opened, 1);
    while (atomic_load(&shut))
        usleep(500);
    errno = atomic_load(&open_error);
    return errno != 0 ? -1 : __real_files_open(files, path);
}

void __real_miss_begin(struct exchange *exchange, struct site *site, struct page *page);
void __wrap_miss_begin(struct exchange *exchange, struct site *site, struct page *page);
void __wrap_miss_begin(struct exchange *exchange, struct site *site, struct page *page)
{
    __real_miss_begin(exchange, site, page);
    atomic_fetch_add(&missed, 1);
}

enum page_cache_asked __real_page_cache_ask(struct page_cache *cache, struct page_load *load,
                                             struct page_waiter *waiter);
enum page_cache_asked __wrap_page_cache_ask(struct page_cache *cache, struct page_load *load,
                                             struct page_waiter *waiter);
enum page_cache_asked __wrap_page_cache_ask(struct page_cache *cache, struct page_load *load,
                                             struct page_waiter *waiter)
{
    int say = atomic_load(&asked);
    return say == NOT_SAID ? __real_page_cache_ask(cache, load, waiter) : (enum page_cache_asked)say;
}

bool __real_page_cache_reserve(struct page_cache *cache, struct page_load *load, uint64_t size, struct link *leavers);
bool __wrap_page_cache_reserve(struct page_cache *cache, struct page_load *load, uint64_t size, struct link *leavers);
bool __wrap_page_cache_reserve(struct page_cache *cache, struct page_load *load, uint64_t size, struct link *leavers)
{
    return !atomic_load(&refuses) && __real_page_cache_reserve(cache, load, size, leavers);
}

struct content *__real_content_new(const struct page *page, char *bytes, uint64_t hash, const struct dress *dress,
                                   int64_t now_s);
struct content *__wrap_content_new(const struct page *page, char *bytes, uint64_t hash, const struct dress *dress,
                                   int64_t now_s);
struct content *__wrap_content_new(const struct page *page, char *bytes, uint64_t hash, const struct dress *dress,
                                   int64_t now_s)
{
    return atomic_load(&without_memory) ? NULL : __real_content_new(page, bytes, hash, dress, now_s);
}

struct static_file __real_static_open(struct store *store, const struct files *files, const struct page *page);
struct static_file __wrap_static_open(struct store *store, const struct files *files, const struct page *page);
struct static_file __wrap_static_open(struct store *store, const struct files *files, const struct page *page)
{
    struct static_file file = __real_static_open(store, files, page);
    if (atomic_load(&written))
        file.age_ms = 0;
    atomic_fetch_add(&looked, 1);
    return file;
}

/* ---- A server of which no page is in memory ---------------------------------------------------------------------- */

static int start_watching(const char *watch)
{
    static char large[LARGE];
    memset(large, 'l', sizeof large);
    scratch_open(&scratch);
    scratch_write(&scratch, "root/page.txt", "the page");
    scratch_write(&scratch, "root/other.txt", "another");
    scratch_write_bytes(&scratch, "root/large.txt", large, sizeof large);
    scratch_date(&scratch, "root/large.txt", 1700000000, 0);
    atomic_store(&shut, false);
    atomic_store(&asked, NOT_SAID);
    atomic_store(&refuses, false);
    atomic_store(&without_memory, false);
    atomic_store(&open_error, EIO); /* while the server starts, which would read all */
    server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .workers = 2, .background = 2, .root = scratch.root,
                                         .cache_bytes = CACHE_BYTES, .no_encodings = true, .watch = watch,
                                         .log = note, .log_user = &notes });
    assert_non_null(server);
    start_server(server);
    atomic_store(&open_error, 0);
    atomic_store(&opened, 0);
    atomic_store(&missed, 0);
    atomic_store(&looked, 0);
    return 0;
}

static int start(void **state)
{
    (void)state;
    return start_watching("off");
}

static int start_following(void **state)
{
    (void)state;
    return start_watching("auto");
}

static int end(void **state)
{
    (void)state;
    atomic_store(&shut, false);
    atomic_store(&written, false);
    rh_server_free(server);
    scratch_close(&scratch);
    return 0;
}

/* The warmer, too, has the page for a moment; what counts is that all is over. */
static void await(atomic_uint *count, unsigned least)
{
    for (int i = 0; atomic_load(count) < least && i < PATIENCE_S * 1000; i++)
        usleep(1000);
    assert_true(atomic_load(count) >= least);
}

static void ask_all(int *clients, const char *path)
{
    char request[256];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", path);
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = client_connect(server);
        client_send(clients[i], request);
    }
    await(&missed, CLIENTS);
}

static void all_get(const int *clients, int status, const char *body)
{
    static struct reply reply;
    for (size_t i = 0; i < CLIENTS; i++) {
        client_read(clients[i], &reply);
        assert_int_equal(reply.status, status);
        if (body)
            assert_string_equal(reply.body, body);
    }
}

static void one_load_for_all(void **state)
{
    int clients[CLIENTS];
    (void)state;
    atomic_store(&shut, true);
    ask_all(clients, "/page.txt");
    atomic_store(&shut, false);
    all_get(clients, 200, "the page");
    assert_int_equal(atomic_load(&opened), 1);
    expect(server, "GET /page.txt", 200, "the page"); /* from memory */
    assert_int_equal(atomic_load(&opened), 1);
    assert_int_equal(atomic_load(&missed), CLIENTS);
}

/* Others are served meanwhile, by the same workers. */
static void who_waits_holds_up_nobody(void **state)
{
    int clients[CLIENTS];
    (void)state;
    expect(server, "GET /other.txt", 200, "another");
    atomic_store(&missed, 0);
    atomic_store(&shut, true);
    ask_all(clients, "/page.txt");
    for (int i = 0; i < 8; i++)
        expect(server, "GET /other.txt", 200, "another");
    atomic_store(&shut, false);
    all_get(clients, 200, "the page");
}

static void a_load_that_fails(void **state)
{
    int clients[CLIENTS];
    (void)state;
    atomic_store(&shut, true);
    ask_all(clients, "/page.txt");
    atomic_store(&open_error, EMFILE);
    atomic_store(&shut, false);
    all_get(clients, 503, NULL);
    static const int errors[][2] = { { EACCES, 403 }, { EPERM, 403 }, { ENOENT, 404 }, { EIO, 503 } };
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        atomic_store(&open_error, errors[i][0]);
        assert_int_equal(ask(server, "GET /page.txt")->status, errors[i][1]);
        assert_int_equal(ask(server, "GET /large.txt")->status, errors[i][1]); /* which is not read, but opened */
        assert_int_equal(ask(server, "GET /none.txt")->status, 404);
    }
    atomic_store(&open_error, 0);
    expect(server, "GET /page.txt", 200, "the page");
}

static void a_page_that_vanishes(void **state)
{
    int clients[CLIENTS];
    (void)state;
    atomic_store(&shut, true);
    ask_all(clients, "/page.txt");
    assert_int_equal(unlinkat(scratch.fd, "root/page.txt", 0), 0);
    atomic_store(&shut, false);
    all_get(clients, 404, NULL);
}

/* It is sent as it is now, and never kept under the name of what it was. */
static void a_page_that_changes(void **state)
{
    int clients[CLIENTS];
    (void)state;
    atomic_store(&shut, true);
    ask_all(clients, "/page.txt");
    scratch_write(&scratch, "root/page.txt", "the page, changed");
    atomic_store(&shut, false);
    all_get(clients, 200, "the page, changed");
    struct reply *reply = ask(server, "GET /page.txt");
    assert_string_equal(reply->body, "the page, changed");
    assert_null(strstr(reply->head, "ETag"));
    assert_int_equal(atomic_load(&missed), CLIENTS + 1);
}

static void clients_that_go_away(void **state)
{
    int clients[CLIENTS];
    (void)state;
    atomic_store(&shut, true);
    ask_all(clients, "/page.txt");
    for (size_t i = 0; i < CLIENTS; i++)
        client_reset(clients[i]);
    for (int i = 0; i < 8; i++) /* on both workers, which meanwhile notice */
        assert_int_equal(ask(server, "GET /nothing/at/all")->status, 404);
    atomic_store(&shut, false);
    expect(server, "GET /page.txt", 200, "the page");
}

static void *stop_and_wait(void *user)
{
    (void)user;
    rh_stop(server);
    rh_wait(server);
    return NULL;
}

static void a_server_that_ends_meanwhile(void **state)
{
    int clients[CLIENTS];
    pthread_t thread;
    (void)state;
    atomic_store(&shut, true);
    ask_all(clients, "/page.txt");
    assert_int_equal(pthread_create(&thread, NULL, stop_and_wait, NULL), 0);
    pthread_join(thread, NULL);
    atomic_store(&shut, false); /* and then it is freed, while they may still be on their way home */
    all_get(clients, 0, "");
}

/* ---- What is not for memory ------------------------------------------------------------------------------------ */

static void is_sent_from_its_file(const char *body)
{
    unsigned before = atomic_load(&missed);
    for (unsigned i = 1; i <= 3; i++) {
        expect(server, "GET /page.txt", 200, body);
        assert_int_equal(atomic_load(&missed), before + i);
    }
}

static void too_large(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 3; i++) {
        struct reply *reply = ask(server, "GET /large.txt");
        assert_int_equal(reply->status, 200);
        assert_int_equal(reply->body_size, LARGE);
        assert_int_equal(atomic_load(&missed), i);
    }
    assert_in_range(atomic_load(&opened), 1, 2); /* it stays open; the other one is for its hash */
}

static void refused_by_the_cache(void **state)
{
    (void)state;
    atomic_store(&refuses, true);
    is_sent_from_its_file("the page");
    atomic_store(&refuses, false);
    expect(server, "GET /page.txt", 200, "the page");
}

/* It came, and went again, between the look and the question; or the page has left the site. */
static void there_a_moment_ago(void **state)
{
    static const enum page_cache_asked said[] = { PAGE_CACHE_PRESENT, PAGE_CACHE_CLOSED };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        atomic_store(&asked, said[i]);
        is_sent_from_its_file("the page");
    }
    atomic_store(&asked, NOT_SAID);
}

static void no_memory_for_it(void **state)
{
    (void)state;
    atomic_store(&without_memory, true);
    is_sent_from_its_file("the page");
}

/* ---- What is not as the table knows it ------------------------------------------------------------------------- */

/* Where the disk is followed a request waits for the generation that knows it, and gets it with its validators; if that
 * comes too late, as on a busy machine, then without. */
static void a_page_that_changes_is_waited_for(void **state)
{
    static const char *const names[] = { "page", "large" };
    bool validated[2] = { false, false };
    (void)state;
    for (unsigned i = 0; i < 40 && !(validated[0] && validated[1]); i++) {
        char path[32], request[32];
        snprintf(path, sizeof path, "root/%s.txt", names[i % 2]);
        snprintf(request, sizeof request, "GET /%s.txt", names[i % 2]);
        scratch_write(&scratch, path, "changed");
        struct reply *reply = ask(server, request);
        assert_int_equal(reply->status, 200);
        bool between = reply->body_size == 0; /* a generation of the moment when the file was cut and not yet written */
        if (!between)
            assert_string_equal(reply->body, "changed");
        validated[i % 2] |= !between && strstr(reply->head, "ETag") != NULL;
        end(state);
        start_following(state);
    }
    assert_true(validated[0] && validated[1]);
}

/* It is not sent half, nor is it waited for without end. */
static void a_large_one_that_never_holds_still(void **state)
{
    (void)state;
    atomic_store(&written, true);
    struct reply *reply = ask(server, "GET /large.txt");
    assert_int_equal(reply->status, 503);
    assert_true(has_line(reply, "Retry-After: 1"));
    assert_true(atomic_load(&looked) > 1);
    atomic_store(&written, false);
    assert_int_equal(ask(server, "GET /large.txt")->body_size, LARGE);
}

static void a_small_one_that_never_holds_still(void **state)
{
    (void)state;
    atomic_store(&written, true);
    atomic_store(&refuses, true);
    expect(server, "GET /other.txt", 200, "another");
    assert_true(atomic_load(&looked) > 1);
}

/* There is nothing to be waited for. */
static void a_large_one_where_nobody_follows(void **state)
{
    (void)state;
    atomic_store(&written, true);
    assert_int_equal(ask(server, "GET /large.txt")->body_size, LARGE);
    assert_int_equal(atomic_load(&looked), 1);
}

static void a_server_that_ends_while_somebody_waits(void **state)
{
    int clients[CLIENTS];
    pthread_t thread;
    (void)state;
    atomic_store(&written, true);
    ask_all(clients, "/large.txt");
    await(&looked, CLIENTS);
    assert_int_equal(pthread_create(&thread, NULL, stop_and_wait, NULL), 0);
    pthread_join(thread, NULL);
    rh_server_free(server);
    server = NULL;
    all_get(clients, 0, "");
}

static void clients_that_go_away_while_they_wait(void **state)
{
    int clients[CLIENTS];
    (void)state;
    atomic_store(&written, true);
    ask_all(clients, "/large.txt");
    await(&looked, CLIENTS);
    for (size_t i = 0; i < CLIENTS; i++)
        client_reset(clients[i]);
    assert_int_equal(ask(server, "GET /large.txt")->status, 503);
    atomic_store(&written, false);
    assert_int_equal(ask(server, "GET /large.txt")->body_size, LARGE);
}

/* Conditions and ranges are looked at when it is there, in memory or in its file. */
static void conditions_and_ranges(void **state)
{
    static const struct {
        const char *fields;
        int status;
        const char *body;
    } rows[] = {
        { "If-None-Match: *\r\n", 304, "" },
        { "Range: bytes=4-7\r\n", 206, "page" },
        { "Range: bytes=100-\r\n", 416, NULL },
        { "If-Match: \"x\"\r\n", 412, NULL },
        { "Accept-Encoding: identity;q=0\r\n", 406, NULL },
    };
    for (size_t i = 0; i < 2 * (sizeof rows / sizeof *rows); i++) {
        atomic_store(&refuses, i % 2 == 1);
        struct reply *reply = ask_with(server, "GET /page.txt", rows[i / 2].fields, "");
        assert_int_equal(atomic_load(&missed), 1);
        assert_int_equal(reply->status, rows[i / 2].status);
        if (rows[i / 2].body)
            assert_string_equal(reply->body, rows[i / 2].body);
        assert_int_equal(has_line(reply, "Content-Range: bytes */8"), reply->status == 416);
        assert_int_equal(has_line(reply, "Vary: Accept-Encoding"), reply->status == 406);
        end(state);
        start(state);
    }
}

/* Those that wait keep their places among what was asked before and after on their connections. */
static void the_order_of_a_connection(void **state)
{
    static struct reply reply;
    (void)state;
    expect(server, "GET /other.txt", 200, "another");
    atomic_store(&shut, true);
    int fd = client_connect(server);
    client_send(fd, "GET /other.txt HTTP/1.1\r\nHost: a\r\n\r\nGET /page.txt HTTP/1.1\r\nHost: a\r\n\r\n"
                    "GET /other.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    await(&missed, 2);
    atomic_store(&shut, false);
    client_read(fd, &reply);
    char *page = strstr(reply.body, "\r\n\r\nthe page"), *other = page ? strstr(page, "\r\n\r\nanother") : NULL;
    assert_memory_equal(reply.body, "another", 7);
    assert_non_null(other);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, end)
#define FOLLOWING(function) cmocka_unit_test_setup_teardown(function, start_following, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_load_for_all),
        TEST(who_waits_holds_up_nobody),
        TEST(a_load_that_fails),
        TEST(a_page_that_vanishes),
        TEST(a_page_that_changes),
        TEST(clients_that_go_away),
        TEST(a_server_that_ends_meanwhile),
        TEST(too_large),
        TEST(refused_by_the_cache),
        TEST(there_a_moment_ago),
        TEST(no_memory_for_it),
        FOLLOWING(a_page_that_changes_is_waited_for),
        FOLLOWING(a_large_one_that_never_holds_still),
        FOLLOWING(a_small_one_that_never_holds_still),
        TEST(a_large_one_where_nobody_follows),
        FOLLOWING(a_server_that_ends_while_somebody_waits),
        FOLLOWING(clients_that_go_away_while_they_wait),
        TEST(conditions_and_ranges),
        TEST(the_order_of_a_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What is asked for is encoded first: through a whole server, whose encoder is held up until all have asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "api_fixture.h"
#include "scratch.h"
#include "serve/compress.h"

enum { PAGES = 12, PAGE_SIZE = 600, CALLS_MAX = 3 * PAGES };

static struct scratch scratch;
static rh_server *server;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool held;
static unsigned calls;
static unsigned encoded[CALLS_MAX]; /* the numbers of the pages, in the order in which they were begun */

char *__wrap_compress_content(enum coding coding, struct slice content, size_t *size);
char *__wrap_compress_content(enum coding coding, struct slice content, size_t *size)
{
    (void)coding;
    pthread_mutex_lock(&lock);
    if (calls < CALLS_MAX)
        encoded[calls] = (unsigned)atoi(content.data + strlen("page "));
    calls++;
    pthread_cond_broadcast(&changed);
    while (held)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    *size = 0;
    return NULL; /* it would not become smaller */
}

static void hold_encoder(bool hold)
{
    pthread_mutex_lock(&lock);
    held = hold;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void wait_for_calls(unsigned count)
{
    pthread_mutex_lock(&lock);
    while (calls < count)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static int start(void **state)
{
    char path[64], text[PAGE_SIZE + 1];
    (void)state;
    scratch_open(&scratch);
    for (unsigned i = 0; i < PAGES; i++) {
        memset(text, 'x', PAGE_SIZE);
        text[PAGE_SIZE] = '\0';
        text[snprintf(text, sizeof text, "page %u", i)] = ' ';
        snprintf(path, sizeof path, "root/%u.txt", i);
        scratch_write(&scratch, path, text);
    }
    calls = 0;
    hold_encoder(true);
    server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .workers = 2, .background = 2, .root = scratch.root,
                                         .watch = "off" });
    assert_non_null(server);
    start_server(server);
    wait_for_calls(1);
    return 0;
}

static int end(void **state)
{
    (void)state;
    hold_encoder(false);
    rh_server_free(server);
    scratch_close(&scratch);
    return 0;
}

static void get(unsigned page, const char *fields)
{
    char line[32];
    snprintf(line, sizeof line, "GET /%u.txt", page);
    assert_int_equal(ask_with(server, line, fields, "")->status, 200);
}

/* The one that is being encoded goes on behind those; the rest come when it is their turn. */
static void first_those_that_are_asked_for(void **state)
{
    unsigned codings = (unsigned)__builtin_popcount(compress_codings()), next = 1;
    (void)state;
    unsigned first = encoded[0], asked[3], count = 0;
    for (unsigned page = PAGES; count < 3; page--)
        if (page - 1 != first)
            asked[count++] = page - 1;
    for (unsigned i = 0; i < 3; i++) {
        get(asked[i], "Accept-Encoding: gzip, br\r\n");
        get(asked[0], "Accept-Encoding: gzip, br\r\n"); /* the first time has counted */
    }
    hold_encoder(false);
    wait_for_calls(codings * PAGES);
    for (unsigned i = 0; i < 3; i++)
        for (unsigned coding = 0; coding < codings; coding++)
            assert_int_equal(encoded[next++], asked[i]);
    for (unsigned coding = 1; coding < codings; coding++)
        assert_int_equal(encoded[next++], first);
}

static void but_not_for_who_would_not_take_it(void **state)
{
    unsigned codings = (unsigned)__builtin_popcount(compress_codings());
    (void)state;
    unsigned first = encoded[0], page = first == PAGES - 1 ? 0 : PAGES - 1;
    get(page, "");
    get(page, "Accept-Encoding: deflate\r\n");
    get(page, "Accept-Encoding: identity, br;q=0.5\r\n");
    get(page, "Accept-Encoding: br;q=0, gzip;q=0, zstd;q=0\r\n");
    hold_encoder(false);
    wait_for_calls(codings * PAGES);
    for (unsigned coding = 1; coding < codings; coding++)
        assert_int_equal(encoded[coding], first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(first_those_that_are_asked_for, start, end),
        cmocka_unit_test_setup_teardown(but_not_for_who_would_not_take_it, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

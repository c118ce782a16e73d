/* Memory that runs out, at every allocation of ours and of OpenSSL's: a context is refused with a reason, a stream is
 * not opened, a handshake fails; nothing leaks, and nothing stays in the queue of errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failing_memory.h"
#include "tls_scene.h"
#include "tls_made.h"

/* Only the thread that is tested runs out. */
static _Thread_local bool tested;

static void *give(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return tested && !allocation_allowed() ? NULL : __real_malloc(size);
}

static void *give_more(void *at, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return tested && !allocation_allowed() ? NULL : realloc(at, size);
}

static void take_back(void *at, const char *file, int line)
{
    (void)file;
    (void)line;
    free(at);
}

static char why_text[WHY_SIZE];
static const struct why why = { why_text, sizeof why_text };
static struct made site, authority;

static void begin(long allocations)
{
    tested = true;
    allocations_left = allocations;
}

/* True: it was not for want of memory if something went wrong. */
static bool end(void)
{
    bool enough = allocations_left > 0;
    tested = false;
    allocations_left = -1;
    assert_int_equal(ERR_peek_error(), 0);
    return enough;
}

static struct tls_context *try_context(struct tls_tickets *tickets)
{
    struct tls_certificate one = made_pair(&site);
    struct tls_settings settings = { .certificates = &one, .certificate_count = 1, .tickets = tickets,
        .clients = TLS_CLIENTS_OPTIONAL, .client_ca.bytes = slice_text(authority.chain) };
    return tls_context_new(&settings, why);
}

static void a_context_is_made_or_refused(void **state)
{
    struct tls_tickets *tickets = tls_tickets_new();
    (void)state;
    tls_context_unref(try_context(tickets)); /* what the library keeps for ever */
    for (long i = 0;; i += i < 200 ? 1 : 7) {
        why_text[0] = '\0';
        begin(i);
        struct tls_context *context = try_context(tickets);
        bool enough = end();
        if (context == NULL)
            assert_true(why_text[0] != '\0');
        tls_context_unref(context);
        if (enough && context != NULL)
            break;
        assert_false(enough);
    }
    tls_tickets_unref(tickets);
}

static void tickets_and_pairs_as_well(void **state)
{
    (void)state;
    bool enough = false;
    for (long i = 0; !enough; i++) {
        begin(i);
        struct tls_tickets *tickets = tls_tickets_new();
        enough = end();
        assert_true(enough || tickets == NULL || i > 0);
        tls_tickets_unref(tickets);
    }
    enough = false;
    for (long i = 0; !enough; i++) {
        struct tls_pair pair;
        begin(i);
        bool made = tls_self_signed(&pair, why);
        enough = end();
        assert_int_equal(made, pair.chain != NULL && pair.key != NULL);
        tls_pair_free(&pair);
    }
}

static void a_stream_is_opened_or_not(void **state)
{
    struct tls_context *context = scene_context();
    static char record[TLS_RECORD_SIZE];
    bool enough = false;
    (void)state;
    for (long i = 0; !enough; i++) {
        struct transport transport = { .ops = NULL };
        int ends[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        begin(i);
        bool opened = tls_open(&transport, context, ends[0], record);
        enough = end() && opened;
        if (opened)
            transport.ops->close(&transport);
        else
            close(ends[0]); /* it stays the caller's */
        close(ends[1]);
    }
    tls_context_unref(context);
}

static void *shake_short_of_memory(void *user)
{
    struct tls_scene *scene = user;
    tested = true;
    while ((scene->step = tls_handshake(&scene->transport, &scene->reason)) == TLS_STEP_AGAIN)
        scene_wait(scene->fd, POLLIN);
    tested = false;
    if (scene->step != TLS_STEP_DONE)
        shutdown(scene->fd, SHUT_RDWR); /* there may have been no memory for an alert */
    assert_int_equal(ERR_peek_error(), 0);
    return NULL;
}

static void a_handshake_is_done_or_fails(void **state)
{
    struct tls_context *context = scene_context();
    bool enough = false;
    struct tls_scene first;
    (void)state;
    struct tls_client warm = scene_meet(&first, context, 0, TLS1_3_VERSION); /* what the library keeps for ever */
    scene_close(&first);
    tls_client_free(&warm);
    for (long i = 0; !enough; i += 7) {
        struct tls_scene scene;
        struct tls_client client = tls_client_make(scene_open(&scene, context, 0));
        pthread_t thread;
        allocations_left = i;
        assert_int_equal(pthread_create(&thread, NULL, shake_short_of_memory, &scene), 0);
        int reason = tls_client_shake(&client);
        shutdown(client.fd, SHUT_WR);
        assert_int_equal(pthread_join(thread, NULL), 0);
        enough = allocations_left > 0 && scene.step == TLS_STEP_DONE;
        assert_true(scene.step != TLS_STEP_DONE || reason == 0);
        allocations_left = -1;
        scene_close(&scene);
        tls_client_free(&client);
    }
    tls_context_unref(context);
}

static int prepare(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    authority = made_new((struct made_plan){ .subject = "authority", .authority = true });
    site = made_new((struct made_plan){ .subject = "site", .names = "DNS:a,DNS:b", .issuer = &authority });
    return 0;
}

static int finish(void **state)
{
    (void)state;
    made_free(&site);
    made_free(&authority);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_context_is_made_or_refused),
        cmocka_unit_test(tickets_and_pairs_as_well),
        cmocka_unit_test(a_stream_is_opened_or_not),
        cmocka_unit_test(a_handshake_is_done_or_fails),
    };
    if (CRYPTO_set_mem_functions(give, give_more, take_back) != 1)
        return 1;
    return cmocka_run_group_tests(tests, prepare, finish);
}

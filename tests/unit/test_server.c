/* The life of a server through its public calls: in which order, and from how many threads, it may be ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "rawhttp.h"

enum { WAITERS = 4 };

static rh_server *make(void)
{
    rh_server *server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .workers = 2 });
    assert_non_null(server);
    return server;
}

static void *wait_for(void *server)
{
    rh_wait(server);
    return NULL;
}

static void any_number_of_threads_may_wait(void **state)
{
    pthread_t waiters[WAITERS];
    rh_server *server = make();
    (void)state;
    assert_int_equal(rh_start(server), 0);
    for (unsigned i = 0; i < WAITERS; i++)
        assert_int_equal(pthread_create(&waiters[i], NULL, wait_for, server), 0);
    rh_stop(server);
    rh_wait(server);
    for (unsigned i = 0; i < WAITERS; i++)
        assert_int_equal(pthread_join(waiters[i], NULL), 0);
    rh_wait(server); /* and once more when all is over */
    rh_server_free(server);
}

static void stop_before_start_holds(void **state)
{
    rh_server *server = make();
    (void)state;
    rh_stop(server);
    rh_drain(server); /* takes nothing back */
    assert_int_equal(rh_run(server), 0);
    rh_server_free(server);
}

static void drain_before_start_holds(void **state)
{
    rh_server *server = make();
    (void)state;
    rh_drain(server);
    assert_int_equal(rh_run(server), 0);
    rh_server_free(server);
}

static void starts_once(void **state)
{
    rh_server *server = make();
    (void)state;
    assert_int_equal(rh_start(server), 0);
    assert_int_equal(rh_start(server), -1);
    rh_stop(server);
    rh_wait(server);
    assert_int_equal(rh_start(server), -1);
    rh_server_free(server);
}

static void never_started_is_freed(void **state)
{
    (void)state;
    rh_server *server = make();
    rh_wait(server);
    rh_server_free(server);
}

static void null_is_harmless(void **state)
{
    (void)state;
    rh_stop(NULL);
    rh_drain(NULL);
    rh_wait(NULL);
    rh_server_free(NULL);
    assert_int_equal(rh_start(NULL), -1);
    assert_int_equal(rh_run(NULL), 1);
    assert_string_equal(rh_error(NULL), "out of memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_threads_may_wait), cmocka_unit_test(stop_before_start_holds),
        cmocka_unit_test(drain_before_start_holds),       cmocka_unit_test(starts_once),
        cmocka_unit_test(never_started_is_freed),         cmocka_unit_test(null_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

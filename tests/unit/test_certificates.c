/* What a program may say of certificates, and what becomes of their files: the good is taken, the bad is told, once,
 * and a hundred changes while clients shake hands disturb none of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_fixture.h"
#include "scratch.h"
#include "server/certificates.h"
#include "server/server.h"
#include "tls_client.h"

enum { SWAPS = 100, CLIENTS = 2 };

static struct scratch scratch;
static char chain[100], key[100], second[100], tickets[100];

static const struct why nobody = { NULL, 0 };

static void put(const char *name, const char *text, size_t size)
{
    scratch_write_bytes(&scratch, "fresh", text, size);
    assert_int_equal(fchmodat(scratch.fd, "fresh", 0600, 0), 0);
    assert_int_equal(renameat(scratch.fd, "fresh", scratch.fd, name), 0);
}

/* A new one, in two files. */
static void put_pair(const char *chain_name, const char *key_name)
{
    struct tls_pair pair;
    assert_true(tls_self_signed(&pair, nobody));
    put(chain_name, pair.chain, strlen(pair.chain));
    put(key_name, pair.key, strlen(pair.key));
    tls_pair_free(&pair);
}

static int set_up(void **state)
{
    (void)state;
    scratch_open(&scratch);
    snprintf(chain, sizeof chain, "%s/chain", scratch.folder);
    snprintf(key, sizeof key, "%s/key", scratch.folder);
    snprintf(second, sizeof second, "%s/second", scratch.folder);
    snprintf(tickets, sizeof tickets, "%s/tickets", scratch.folder);
    put_pair("chain", "key");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_close(&scratch);
    return 0;
}

/* ---- Options ---- */

static void refuses(rh_tls_options options, size_t certificate_size, const char *expected)
{
    char why[WHY_SIZE] = "";
    assert_null(certificates_new(&options, certificate_size, (struct why){ why, sizeof why }));
    if (!strstr(why, expected))
        fail_msg("\"%s\" is not in \"%s\"", expected, why);
}

static void tells_mistakes_in_options(void **state)
{
    static const rh_certificate good = { .chain = "c", .key = "k" }, none = { .key = "k" };
    static const struct {
        rh_certificate known;
        const char *later;
    } newer = { { .chain = "c" }, "what is that?" };
    size_t size = sizeof good;
    (void)state;
    refuses((rh_tls_options){ 0 }, size, "certificates: there is none");
    refuses((rh_tls_options){ .certificates = &good, .certificate_count = 1, .self_signed = true }, size,
            "self_signed: there are certificates");
    refuses((rh_tls_options){ .certificates = &good, .certificate_count = TLS_CERTIFICATES_MAX + 1 }, size,
            "there are more than 256");
    refuses((rh_tls_options){ .certificates = &none, .certificate_count = 1 }, size, "one of them names no file");
    refuses((rh_tls_options){ .certificates = &newer.known, .certificate_count = 1 }, sizeof newer, "of a newer one");
    refuses((rh_tls_options){ .self_signed = true, .min_version = "1.1" }, size, "min_version: \"1.1\"; write \"1.2\"");
    refuses((rh_tls_options){ .self_signed = true, .client_certificate = "yes" }, size,
            "client_certificate: \"yes\"; write \"off\", \"optional\" or \"required\"");
    refuses((rh_tls_options){ .self_signed = true, .client_certificate = "required" }, size, "it needs client_ca");
    refuses((rh_tls_options){ .self_signed = true, .client_ca = "ca" }, size, "no client is asked");
}

static void takes_what_is_said(void **state)
{
    const rh_certificate list[] = { { chain, key, second }, { chain, NULL, NULL } };
    const rh_tls_options options = { .certificates = list, .certificate_count = 2, .min_version = "1.3",
                                     .ciphers = "C", .ciphersuites = "S", .groups = "G",
                                     .client_certificate = "optional", .client_ca = "ca", .ticket_keys = tickets };
    struct certificates *made = certificates_new(&options, sizeof *list, nobody);
    (void)state;
    assert_non_null(made);
    assert_int_equal(made->settings.certificate_count, 2);
    assert_string_equal(made->kept[0].files.paths[1], key);
    assert_string_equal(made->kept[0].files.paths[2], second);
    assert_string_equal(made->kept[1].files.paths[1], chain); /* the key is in the same file */
    assert_null(made->kept[1].files.paths[2]);
    assert_int_equal(made->settings.version_min, TLS_VERSION_1_3);
    assert_int_equal(made->settings.clients, TLS_CLIENTS_OPTIONAL);
    assert_string_equal(made->settings.ciphers, "C");
    assert_string_equal(made->settings.ciphersuites, "S");
    assert_string_equal(made->settings.groups, "G");
    assert_string_equal(made->client_ca.files.paths[0], "ca");
    assert_string_equal(made->ticket_keys.files.paths[0], tickets);
    certificates_free(made);
    certificates_free(NULL);
    certificates_stop(NULL);
}

static void is_said_once_and_before_the_start(void **state)
{
    const rh_tls_options made = { .self_signed = true };
    rh_server *server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .workers = 1 });
    (void)state;
    assert_int_equal(rh_tls(NULL, &made), -1);
    assert_int_equal(rh_tls_state(NULL).certificates, 0);
    assert_int_equal(rh_tls_state(server).certificates, 0);
    assert_int_equal(rh_tls(server, &made), 0);
    assert_int_equal(rh_start(server), 0);
    assert_int_equal(rh_tls_state(server).certificates, 1);
    assert_true(rh_tls_state(server).expires_s > 0);
    assert_int_equal(rh_tls(server, &made), -1); /* and that does no harm */
    rh_server_free(server);

    server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .workers = 1 });
    assert_int_equal(rh_tls(server, &made), 0);
    assert_int_equal(rh_tls(server, &made), -1);
    assert_non_null(strstr(rh_error(server), "rh_tls: it has been called already"));
    assert_int_equal(rh_start(server), -1);
    rh_server_free(server);
}

/* ---- Files, a look at a time ---- */

static struct tls_slot slot;

static struct certificates *load(rh_tls_options options)
{
    char why[WHY_SIZE] = "";
    struct certificates *made = certificates_new(&options, sizeof *options.certificates, nobody);
    assert_non_null(made);
    if (!certificates_load(made, &slot, &scratch.log, (struct why){ why, sizeof why }))
        fail_msg("%s", why);
    return made;
}

static void unload(struct certificates *certificates)
{
    certificates_free(certificates);
    tls_slot_fini(&slot);
}

/* One look finds what is new, the next one that it has held still. */
static void look(struct certificates *certificates)
{
    certificates_look(certificates);
    certificates_look(certificates);
}

static void counts(const struct certificates *certificates, uint64_t taken, uint64_t refused)
{
    assert_int_equal(atomic_load(&certificates->taken), taken);
    assert_int_equal(atomic_load(&certificates->refused), refused);
}

static void takes_the_good_and_tells_the_bad_once(void **state)
{
    const rh_certificate list[] = { { .chain = chain, .key = key } };
    struct certificates *made = load((rh_tls_options){ .certificates = list, .certificate_count = 1 });
    const struct tls_context *first = atomic_load(&slot.now);
    (void)state;
    look(made);
    assert_ptr_equal(atomic_load(&slot.now), first);

    put("chain", "nothing", 7);
    look(made);
    look(made);
    counts(made, 0, 1);
    assert_ptr_equal(atomic_load(&slot.now), first);
    assert_non_null(strstr(scratch.lines, "what was used before is still used"));

    assert_int_equal(unlinkat(scratch.fd, "key", 0), 0);
    look(made);
    look(made);
    counts(made, 0, 2);
    assert_non_null(strstr(scratch.lines, "/key: cannot be read: No such file"));

    put_pair("chain", "key");
    certificates_look(made);
    counts(made, 0, 2); /* it has not held still yet */
    certificates_look(made);
    counts(made, 1, 2);
    assert_ptr_not_equal(atomic_load(&slot.now), first);
    assert_non_null(strstr(scratch.lines, "/chain: this certificate is used from now on; for "));
    look(made);
    counts(made, 1, 2);
    unload(made);
}

static void takes_each_by_itself(void **state)
{
    char other[100];
    const rh_certificate list[] = { { .chain = chain, .key = key }, { .chain = second, .key = other } };
    snprintf(other, sizeof other, "%s/other", scratch.folder);
    put_pair("second", "other");
    struct certificates *made = load((rh_tls_options){ .certificates = list, .certificate_count = 2 });
    (void)state;
    put("chain", "nothing", 7);
    put_pair("second", "other");
    look(made);
    counts(made, 1, 1);
    put_pair("second", "other"); /* while the first one is still bad */
    look(made);
    counts(made, 2, 1);
    unload(made);
}

static void follows_whom_it_trusts(void **state)
{
    const rh_tls_options options = { .self_signed = true, .client_certificate = "required", .client_ca = second };
    put_pair("second", "other");
    struct certificates *made = load(options);
    (void)state;
    put("second", "nobody", 6);
    look(made);
    counts(made, 0, 1);
    put_pair("second", "other");
    look(made);
    counts(made, 1, 1);
    assert_non_null(strstr(scratch.lines, "/second: whom this names is trusted from now on"));
    unload(made);
}

static void follows_keys_of_tickets(void **state)
{
    static const char keys[(TLS_TICKET_KEYS_MAX + 1) * sizeof(struct tls_ticket_key)];
    const size_t size = sizeof(struct tls_ticket_key), wrong[] = { 1, size - 1, size + 1, sizeof keys };
    const rh_tls_options options = { .self_signed = true, .ticket_keys = tickets };
    char why[WHY_SIZE] = "";
    (void)state;
    put("tickets", keys, size - 1);
    struct certificates *bad = certificates_new(&options, sizeof(rh_certificate), nobody);
    assert_false(certificates_load(bad, &slot, &scratch.log, (struct why){ why, sizeof why }));
    assert_non_null(strstr(why, "/tickets: 79 bytes; each key has 80, up to 32 of them"));
    unload(bad);

    put("tickets", keys, size);
    struct certificates *made = load(options);
    for (unsigned i = 0; i < 4; i++) {
        put("tickets", keys, wrong[i]);
        look(made);
        counts(made, 0, i + 1);
    }
    put("tickets", keys, TLS_TICKET_KEYS_MAX * size);
    look(made);
    counts(made, 1, 4);
    unload(made);
}

static void warns_of_secrets_that_all_can_read(void **state)
{
    const rh_certificate list[] = { { .chain = chain, .key = key } };
    (void)state;
    unload(load((rh_tls_options){ .certificates = list, .certificate_count = 1 }));
    assert_string_equal(scratch.lines, "");
    assert_int_equal(chmod(key, 0644), 0);
    unload(load((rh_tls_options){ .certificates = list, .certificate_count = 1 }));
    assert_non_null(strstr(scratch.lines, "/key: everybody on this machine can read or write this secret; chmod o= "));
}

/* ---- A hundred swaps ---- */

struct crowd {
    rh_server *server;
    atomic_bool over;
    atomic_uint done, failed;
};

static int connect_to(const rh_server *server)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)rh_port(server)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool shake(const rh_server *server, SSL_CTX *context)
{
    int fd = connect_to(server);
    SSL *ssl = SSL_new(context);
    char answer[16];
    static const char question[] = "GET / HTTP/1.0\r\n\r\n";
    bool good = fd >= 0 && SSL_set_fd(ssl, fd) == 1 && SSL_connect(ssl) == 1 &&
                SSL_write(ssl, question, sizeof question - 1) > 0 && SSL_read(ssl, answer, sizeof answer) > 0;
    SSL_free(ssl);
    close(fd);
    return good;
}

static void *crowd(void *argument)
{
    struct crowd *crowd = argument;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    while (!atomic_load(&crowd->over))
        atomic_fetch_add(shake(crowd->server, context) ? &crowd->done : &crowd->failed, 1);
    SSL_CTX_free(context);
    return NULL;
}

/* Until something counted is more than `before`; false: that takes too long. */
static bool comes(const struct crowd *crowd, uint64_t taken, unsigned done)
{
    for (unsigned tries = 0; tries < 20 * 1000; tries++) {
        if (rh_tls_state(crowd->server).taken > taken && atomic_load(&crowd->done) > done)
            return true;
        usleep(1000);
    }
    return false;
}

static void a_hundred_swaps_disturb_nobody(void **state)
{
    const rh_certificate list[] = { { .chain = chain, .key = key } };
    struct crowd all = { .server = rh_server_new((rh_options){ .listen = "https://127.0.0.1:0", .workers = 2 }) };
    pthread_t threads[CLIENTS];
    bool came = true;
    (void)state;
    assert_int_equal(rh_tls(all.server, &(rh_tls_options){ .certificates = list, .certificate_count = 1 }), 0);
    all.server->certificates->look_ms = 1;
    all.server->certificates->rotate_ms = 1; /* the keys of tickets change as fast as that */
    start_server(all.server);
    for (unsigned i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, crowd, &all), 0);
    for (unsigned i = 0; came && i < SWAPS; i++) {
        unsigned done = atomic_load(&all.done);
        put_pair("chain", "key");
        came = comes(&all, i, done);
    }
    atomic_store(&all.over, true);
    for (unsigned i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    assert_true(came);
    assert_int_equal(atomic_load(&all.failed), 0);
    assert_true(atomic_load(&all.done) >= SWAPS);
    assert_int_equal(rh_tls_state(all.server).taken, SWAPS);
    rh_server_free(all.server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_mistakes_in_options, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_what_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_said_once_and_before_the_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_the_good_and_tells_the_bad_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_each_by_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(follows_whom_it_trusts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(follows_keys_of_tickets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(warns_of_secrets_that_all_can_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_hundred_swaps_disturb_nobody, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

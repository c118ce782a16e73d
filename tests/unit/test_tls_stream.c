/* A stream against OpenSSL's client: whatever the socket takes at a time, all arrives, once and in order; an end is
 * told from a cut; and nothing is left in the queue of errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/sender.h"
#include "tls_scene.h"

#include <linux/sockios.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>

enum { BIG = 300 * 1000, TINY = 4096 };

static char big[BIG], got[3 * BIG];
static struct tls_context *context;
static struct hold held;

static void never(struct hold *hold)
{
    (void)hold;
    abort();
}

static int prepare(void **state)
{
    (void)state;
    uint32_t x = 1;
    signal(SIGPIPE, SIG_IGN); /* worker threads block it */
    for (size_t i = 0; i < BIG; i++)
        big[i] = (char)((x = x * 1664525 + 1013904223) >> 24);
    hold_init(&held, never);
    context = scene_context();
    return 0;
}

static int finish(void **state)
{
    (void)state;
    tls_context_unref(context);
    return 0;
}

static int make_file(size_t size)
{
    int fd = fileno(tmpfile());
    assert_int_equal(write(fd, big, size), size);
    return fd;
}

/* ---- Sending ---- */

struct hearing {
    struct tls_client *client;
    size_t size;
};

static void *hear(void *user)
{
    struct hearing *hearing = user;
    hearing->size = tls_client_hear(hearing->client, got, sizeof got);
    return NULL;
}

/* Sends what is in the outbox as a connection does, to the end, while the client reads. */
static void send_all(struct tls_scene *scene, struct tls_client *client, struct outbox *out, size_t expected)
{
    struct hearing hearing = { client, 0 };
    struct backlog *backlog = NULL;
    struct pages pages;
    uint64_t moved = 0;
    pthread_t thread;
    pages_init(&pages, 1 << 20);
    enum sent sent = SENT_ALL;
    if (!sender_send_at_once(&scene->transport, out))
        sent = sender_send(&scene->transport, out, &pages, &backlog, &moved);
    assert_int_equal(pthread_create(&thread, NULL, hear, &hearing), 0);
    while (sent != SENT_ALL) {
        assert_true(sent == SENT_BLOCKED || sent == SENT_PAUSED);
        if (sent == SENT_BLOCKED)
            scene_wait(scene->fd, POLLOUT);
        uint64_t step = 0;
        sent = sender_resume(&scene->transport, &pages, &backlog, &step);
        assert_int_equal(ERR_peek_error(), 0);
    }
    while (!scene->transport.ops->shutdown(&scene->transport))
        scene_wait(scene->fd, POLLOUT);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(hearing.size, expected);
    assert_true(SSL_get_shutdown(client->ssl) & SSL_RECEIVED_SHUTDOWN);
    pages_fini(&pages);
}

static void put_copy(struct outbox *out, size_t size)
{
    assert_true(outbox_copy(out, slice_make(big, size)));
}

/* Heads, spans and files of all sizes around a record's, by a socket that takes a part of a record at a time. */
static void sends_through_any_socket(void **state)
{
    static const size_t sizes[] = { 1, 200, 16383, 16384, 16385, 40000, BIG };
    static const int rooms[] = { TINY, 40000, 0 };
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
    char *buffer = malloc(BIG);
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes * 6; i++) {
        struct tls_scene scene;
        struct tls_client client = scene_meet(&scene, context, rooms[i % 3], versions[i % 2]);
        size_t size = sizes[i / 6];
        int fd = make_file(size);
        struct body file = { .kind = BODY_FILE, .fd = fd, .size = size };
        struct outbox out;
        outbox_init(&out, buffer, BIG);
        put_copy(&out, 300);
        assert_true(outbox_memory(&out, slice_make(big, size), &held));
        put_copy(&out, 77);
        assert_true(outbox_file(&out, &file));
        put_copy(&out, 5);
        send_all(&scene, &client, &out, 382 + 2 * size);
        assert_memory_equal(got, big, 300);
        assert_memory_equal(got + 300, big, size);
        assert_memory_equal(got + 300 + size, big, 77);
        assert_memory_equal(got + 377 + size, big, size);
        assert_memory_equal(got + 377 + 2 * size, big, 5);
        tls_client_free(&client);
        scene_close(&scene);
        close(fd);
    }
    assert_int_equal(atomic_load(&held.count), 1);
    free(buffer);
}

/* One run of small answers, which is tried at once, and begins again in pieces. */
static void sends_at_once(void **state)
{
    static const size_t sizes[] = { 10, 16384, 16385, BIG - 10 };
    char *buffer = malloc(BIG);
    (void)state;
    for (size_t i = 0; i < 8; i++) {
        struct tls_scene scene;
        struct tls_client client = scene_meet(&scene, context, i < 4 ? TINY : 0, TLS1_3_VERSION);
        struct outbox out;
        outbox_init(&out, buffer, BIG);
        put_copy(&out, sizes[i % 4]);
        send_all(&scene, &client, &out, sizes[i % 4]);
        assert_memory_equal(got, big, sizes[i % 4]);
        tls_client_free(&client);
        scene_close(&scene);
    }
    free(buffer);
}

/* A head and its body are one record: the client gets both with its first read. */
static void gathers_small_pieces(void **state)
{
    struct tls_scene scene;
    struct tls_client client = scene_meet(&scene, context, 0, TLS1_3_VERSION);
    const struct iovec pieces[] = { { big, 100 }, { big, 0 }, { big + 100, 1000 }, { big + 1100, 20000 } };
    (void)state;
    struct io io = scene.transport.ops->writev(&scene.transport, pieces, 4, 0);
    assert_int_equal(io.size, 21100);
    assert_int_equal(SSL_read(client.ssl, got, sizeof got), 16384);
    assert_int_equal(SSL_read(client.ssl, got + 16384, sizeof got - 16384), 21100 - 16384);
    assert_memory_equal(got, big, 21100);
    tls_client_free(&client);
    scene_close(&scene);
}

static void knows_a_file_that_is_too_short(void **state)
{
    struct tls_scene scene;
    struct tls_client client = scene_meet(&scene, context, 0, TLS1_3_VERSION);
    int fd = make_file(20000);
    (void)state;
    struct io io = scene.transport.ops->sendfile(&scene.transport, fd, 0, 30000);
    assert_int_equal(io.state, IO_DONE);
    assert_int_equal(io.size, 20000);
    assert_int_equal(scene.transport.ops->sendfile(&scene.transport, fd, 20000, 10000).state, IO_END);
    assert_int_equal(scene.transport.ops->sendfile(&scene.transport, -1, 0, 10).state, IO_FAILED);
    close(fd);
    tls_client_free(&client);
    scene_close(&scene);
}

static void cannot_send_to_who_has_gone(void **state)
{
    struct tls_scene scene;
    struct tls_client client = scene_meet(&scene, context, 0, TLS1_3_VERSION);
    (void)state;
    tls_client_free(&client);
    struct iovec piece = { big, 100 };
    assert_int_equal(scene.transport.ops->write(&scene.transport, big, 100).state, IO_FAILED);
    assert_int_equal(scene.transport.ops->writev(&scene.transport, &piece, 1, 0).state, IO_FAILED);
    assert_int_equal(scene_read(&scene, got, 10).state, IO_FAILED);
    scene_close(&scene);
}

/* ---- Reading ---- */

struct telling {
    struct tls_client *client;
    size_t size;
};

static void *tell(void *user)
{
    struct telling *telling = user;
    for (size_t used = 0, step; used < telling->size; used += step)
        assert_int_equal(SSL_write_ex(telling->client->ssl, big + used, telling->size - used, &step), 1);
    return NULL;
}

static void reads_in_any_pieces(void **state)
{
    static const size_t sizes[] = { 1, 100, 16384, 16385, 98304 };
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct tls_scene scene;
        struct tls_client client = scene_meet(&scene, context, 0, i % 2 ? TLS1_2_VERSION : TLS1_3_VERSION);
        struct telling telling = { &client, sizes[i] > 1 ? BIG : 5000 };
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, tell, &telling), 0);
        for (size_t used = 0; used < telling.size;) {
            struct io io = scene_read(&scene, got + used, sizes[i]);
            if (io.state == IO_AGAIN)
                scene_wait(scene.fd, POLLIN);
            else
                assert_int_equal(io.state, IO_DONE);
            used += io.size;
        }
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_memory_equal(got, big, telling.size);
        assert_int_equal(scene_read(&scene, got, 1).state, IO_AGAIN);
        tls_client_free(&client);
        scene_close(&scene);
    }
}

/* What lies in the stream already is announced by no socket: a full read is followed by another. */
static void a_short_read_means_drained(void **state)
{
    struct tls_scene scene;
    struct tls_client client = scene_meet(&scene, context, 0, TLS1_3_VERSION);
    (void)state;
    tls_client_say(&client, "one");
    tls_client_say(&client, "two");
    tls_client_say(&client, "three");
    assert_int_equal(scene_read(&scene, got, 4).size, 4);
    assert_int_equal(scene_read(&scene, got + 4, 100).size, 7);
    assert_memory_equal(got, "onetwothree", 11);
    tls_client_free(&client);
    scene_close(&scene);
}

/* ---- Ends ---- */

static void tells_an_end_from_a_cut(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        bool cut = i & 1, bytes = i & 2;
        struct tls_scene scene;
        struct tls_client client = scene_meet(&scene, context, 0, i & 4 ? TLS1_2_VERSION : TLS1_3_VERSION);
        if (bytes)
            tls_client_say(&client, "last");
        if (!cut)
            SSL_shutdown(client.ssl);
        else
            shutdown(client.fd, SHUT_WR);
        if (bytes)
            scene_take(&scene, got, 4);
        struct io io;
        while ((io = scene_read(&scene, got, 100)).state == IO_AGAIN)
            scene_wait(scene.fd, POLLIN);
        assert_int_equal(io.state, cut ? IO_FAILED : IO_END);
        assert_int_equal(scene_read(&scene, got, 100).state, cut ? IO_FAILED : IO_END);
        tls_client_free(&client);
        scene_close(&scene);
    }
}

/* The client says that it sends no more, and leaves the socket open: the loop hears of it all the same. */
static void an_end_behind_bytes_is_announced(void **state)
{
    struct tls_scene scene;
    struct tls_client client = scene_meet(&scene, context, 0, TLS1_3_VERSION);
    (void)state;
    tls_client_say(&client, "last");
    SSL_shutdown(client.ssl);
    assert_int_equal(scene_read(&scene, got, 100).size, 4);
    scene_wait(scene.fd, POLLRDHUP);
    assert_int_equal(scene_read(&scene, got, 100).state, IO_END);
    assert_int_equal(scene.transport.ops->write(&scene.transport, "bye", 3).state, IO_DONE); /* one way */
    tls_client_expect(&client, "bye");
    scene_close(&scene);
    assert_true(tls_client_ended(&client));
    tls_client_free(&client);
}

static void rubbish_breaks_it(void **state)
{
    struct tls_scene scene;
    struct tls_client client = scene_meet(&scene, context, 0, TLS1_3_VERSION);
    static const char record[] = "\x17\x03\x03\x00\x20" "0123456789abcdef0123456789abcdef";
    (void)state;
    assert_int_equal(send(client.fd, record, sizeof record - 1, 0), sizeof record - 1);
    assert_int_equal(scene_read(&scene, got, 100).state, IO_FAILED);
    assert_int_equal(scene.transport.ops->write(&scene.transport, "x", 1).state, IO_FAILED);
    tls_client_free(&client);
    scene_close(&scene);
}

static void says_that_it_closes(void **state)
{
    struct tls_scene scene;
    struct tls_client client = scene_meet(&scene, context, 0, TLS1_3_VERSION);
    (void)state;
    scene_close(&scene);
    assert_true(tls_client_ended(&client));
    tls_client_free(&client);
}

/* The last record has just filled the socket: the end is told when there is room again, and not before that. */
static void says_that_it_closes_when_there_is_room(void **state)
{
    struct tls_scene scene;
    struct tls_client client = scene_meet(&scene, context, TINY, TLS1_3_VERSION);
    int room = 0, used = 0;
    socklen_t size = sizeof room;
    size_t sent = 0;
    (void)state;
    assert_int_equal(getsockopt(scene.fd, SOL_SOCKET, SO_SNDBUF, &room, &size), 0);
    for (; used < room; sent += 100) {
        assert_int_equal(scene.transport.ops->write(&scene.transport, big, 100).size, 100);
        assert_int_equal(ioctl(scene.fd, SIOCOUTQ, &used), 0);
    }
    assert_false(scene.transport.ops->shutdown(&scene.transport));
    assert_false(scene.transport.ops->shutdown(&scene.transport));
    while (sent > 0)
        sent -= (size_t)SSL_read(client.ssl, got, sizeof got);
    assert_true(scene.transport.ops->shutdown(&scene.transport));
    assert_true(scene.transport.ops->shutdown(&scene.transport));
    assert_true(tls_client_ended(&client));
    tls_client_free(&client);
    scene_close(&scene);
}

/* ---- What a client may wish ---- */

static void changes_keys(void **state)
{
    struct tls_scene scene;
    struct tls_client client = scene_meet(&scene, context, 0, TLS1_3_VERSION);
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(SSL_key_update(client.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        tls_client_say(&client, "ping");
        scene_take(&scene, got, 4);
        assert_int_equal(scene.transport.ops->write(&scene.transport, "pong", 4).state, IO_DONE);
        tls_client_expect(&client, "pong");
    }
    tls_client_free(&client);
    scene_close(&scene);
}

/* Made beforehand, so that there is always one more to be read. */
static void does_not_change_keys_for_ever(void **state)
{
    enum { CHANGES = 5500 }; /* more than eight reads of the library's hold, and all in the socket at once */
    struct tls_scene scene;
    struct tls_client client = scene_meet(&scene, context, 0, TLS1_3_VERSION);
    BIO *made = BIO_new(BIO_s_mem());
    char *bytes;
    (void)state;
    SSL_set0_wbio(client.ssl, made);
    for (unsigned i = 0; i < CHANGES; i++) {
        assert_int_equal(SSL_key_update(client.ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(client.ssl), 1);
    }
    long size = BIO_get_mem_data(made, &bytes);
    assert_int_equal(send(client.fd, bytes, (size_t)size, MSG_DONTWAIT), size);
    assert_int_equal(scene_read(&scene, got, 100).state, IO_FAILED);
    tls_client_free(&client);
    scene_close(&scene);
}

static void does_not_negotiate_again(void **state)
{
    struct tls_scene scene;
    struct tls_client client = scene_meet(&scene, context, 0, TLS1_2_VERSION);
    (void)state;
    assert_int_equal(SSL_renegotiate(client.ssl), 1);
    SSL_set_mode(client.ssl, SSL_MODE_AUTO_RETRY);
    struct timeval soon = { .tv_usec = 1000 };
    setsockopt(client.fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
    assert_true(SSL_do_handshake(client.ssl) <= 0);
    struct io io = scene_read(&scene, got, 100);
    assert_true(io.state == IO_AGAIN || io.state == IO_FAILED);
    assert_true(SSL_do_handshake(client.ssl) <= 0);
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
    ERR_clear_error();
    tls_client_free(&client);
    scene_close(&scene);
}

/* ---- Who does not shake hands ---- */

static void knows_who_speaks_no_tls(void **state)
{
    static const struct {
        struct slice said;
        enum tls_step step;
    } cases[] = {
        { SLICE_INIT("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), TLS_STEP_PLAIN },
        { SLICE_INIT("get it"), TLS_STEP_PLAIN },
        { SLICE_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), TLS_STEP_PLAIN },
        { SLICE_INIT("\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10"), TLS_STEP_FAILED },
        { SLICE_INIT("\x16\x03\x01\x00\x05hello"), TLS_STEP_FAILED },
        { SLICE_INIT("\r\n\r\n\r\n\r\n\r\n\r\n"), TLS_STEP_FAILED },
        { SLICE_INIT("\x16\x03"), TLS_STEP_FAILED },
        { SLICE_INIT(""), TLS_STEP_FAILED },
        { SLICE_INIT("G"), TLS_STEP_PLAIN },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_scene scene;
        int fd = scene_open(&scene, context, 0);
        assert_int_equal(tls_handshake(&scene.transport, &scene.reason), TLS_STEP_AGAIN);
        assert_int_equal(send(fd, cases[i].said.data, cases[i].said.size, 0), cases[i].said.size);
        shutdown(fd, SHUT_WR);
        scene_shake_on(&scene);
        if (scene.step != cases[i].step)
            fail_msg("%zu: %d (%s)", i, scene.step, scene.reason);
        assert_true(scene.reason[0] != '\0');
        tls_leave(&scene.transport);
        assert_false(tls_carries(&scene.transport));
        assert_int_equal(scene.transport.ops->write(&scene.transport, "words", 5).state, IO_DONE);
        scene.transport.ops->close(&scene.transport);
        close(fd);
    }
}

static void goes_in_the_middle_of_a_handshake(void **state)
{
    struct tls_scene scene;
    int fd = scene_open(&scene, context, 0);
    (void)state;
    assert_int_equal(tls_handshake(&scene.transport, &scene.reason), TLS_STEP_AGAIN);
    scene_close(&scene);
    assert_int_equal(recv(fd, got, 10, 0), 0); /* no word of an end: nothing had begun */
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_through_any_socket),
        cmocka_unit_test(sends_at_once),
        cmocka_unit_test(gathers_small_pieces),
        cmocka_unit_test(knows_a_file_that_is_too_short),
        cmocka_unit_test(cannot_send_to_who_has_gone),
        cmocka_unit_test(reads_in_any_pieces),
        cmocka_unit_test(a_short_read_means_drained),
        cmocka_unit_test(tells_an_end_from_a_cut),
        cmocka_unit_test(an_end_behind_bytes_is_announced),
        cmocka_unit_test(rubbish_breaks_it),
        cmocka_unit_test(says_that_it_closes),
        cmocka_unit_test(says_that_it_closes_when_there_is_room),
        cmocka_unit_test(changes_keys),
        cmocka_unit_test(does_not_change_keys_for_ever),
        cmocka_unit_test(does_not_negotiate_again),
        cmocka_unit_test(knows_who_speaks_no_tls),
        cmocka_unit_test(goes_in_the_middle_of_a_handshake),
    };
    return cmocka_run_group_tests(tests, prepare, finish);
}

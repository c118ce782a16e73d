/* A stream as a server has it on one end of a pair of sockets that holds little, and OpenSSL's client on the other. */
#ifndef TESTS_UNIT_TLS_SCENE_H
#define TESTS_UNIT_TLS_SCENE_H

#include "net/tls_stream.h"
#include "tls_client.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>

struct tls_scene {
    struct transport transport;
    int fd;
    char record[TLS_RECORD_SIZE];
    const char *reason;
    enum tls_step step;
};

static inline struct tls_context *scene_context(void)
{
    struct tls_pair pair;
    struct why nobody = { NULL, 0 };
    assert_true(tls_self_signed(&pair, nobody));
    struct tls_certificate one = { .chain.bytes = slice_text(pair.chain), .key.bytes = slice_text(pair.key) };
    struct tls_tickets *tickets = tls_tickets_new();
    struct tls_context *context = tls_context_new(&(struct tls_settings){ .certificates = &one,
        .certificate_count = 1, .tickets = tickets }, nobody);
    assert_non_null(context);
    tls_tickets_unref(tickets);
    tls_pair_free(&pair);
    return context;
}

static inline void scene_wait(int fd, short events)
{
    struct pollfd poll_fd = { fd, events, 0 };
    assert_int_equal(poll(&poll_fd, 1, TLS_CLIENT_PATIENCE_S * 1000), 1);
}

/* Returns the client's end. `room`: bytes that the socket holds, as far as the system goes along; 0: as usual. */
static inline int scene_open(struct tls_scene *scene, struct tls_context *context, int room)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    if (room > 0)
        assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room), 0);
    *scene = (struct tls_scene){ .fd = ends[0] };
    assert_true(tls_open(&scene->transport, context, ends[0], scene->record));
    assert_true(tls_carries(&scene->transport));
    return ends[1];
}

static inline void *scene_shake_on(void *user)
{
    struct tls_scene *scene = user;
    while ((scene->step = tls_handshake(&scene->transport, &scene->reason)) == TLS_STEP_AGAIN)
        scene_wait(scene->fd, POLLIN);
    assert_int_equal(ERR_peek_error(), 0);
    return NULL;
}

/* Both shake hands; what is left of it in the sockets is read by nobody yet. */
static inline struct tls_client scene_meet(struct tls_scene *scene, struct tls_context *context, int room, int version)
{
    struct tls_client client = tls_client_make(scene_open(scene, context, room));
    pthread_t thread;
    SSL_CTX_sess_set_new_cb(client.context, NULL); /* it is returned, and lies elsewhere then */
    SSL_set_max_proto_version(client.ssl, version);
    assert_int_equal(pthread_create(&thread, NULL, scene_shake_on, scene), 0);
    assert_int_equal(tls_client_shake(&client), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(scene->step, TLS_STEP_DONE);
    return client;
}

static inline struct io scene_read(struct tls_scene *scene, void *buffer, size_t size)
{
    struct io io = scene->transport.ops->read(&scene->transport, buffer, size);
    assert_int_equal(ERR_peek_error(), 0);
    return io;
}

/* Reads this many bytes, when they come. */
static inline void scene_take(struct tls_scene *scene, char *buffer, size_t size)
{
    for (size_t used = 0; used < size;) {
        struct io io = scene_read(scene, buffer + used, size - used);
        if (io.state == IO_AGAIN)
            scene_wait(scene->fd, POLLIN);
        else
            assert_int_equal(io.state, IO_DONE);
        used += io.size;
    }
}

static inline void scene_close(struct tls_scene *scene)
{
    scene->transport.ops->close(&scene->transport);
    assert_int_equal(ERR_peek_error(), 0);
}

#endif

/* Sockets without a network: two workers that are nothing but mailboxes, connections that are nothing but memory, and
 * one thread that is all of them by turns. What the connection would be told (conn_woken, conn_close) comes here, by
 * the linker's --wrap. */
#ifndef TESTS_UNIT_SOCKET_SCENE_H
#define TESTS_UNIT_SOCKET_SCENE_H

#include "failing_memory.h"
#include "server/packer.h"
#include "server/socket.h"

#include <stdlib.h>

enum { SCENE_WORKERS = 2, SCENE_OUT = 16 * 1024, SCENE_NOTES = 4096 };

void *__real_realloc(void *at, size_t size);
void *__wrap_realloc(void *at, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_conn_woken(struct conn *conn);
void __wrap_conn_close(struct conn *conn);

void *__wrap_realloc(void *at, size_t size)
{
    return allocation_allowed() ? __real_realloc(at, size) : NULL;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return allocation_allowed() ? __real_aligned_alloc(alignment, size) : NULL;
}

/* A connection with its client. */
struct peer {
    struct conn conn;       /* first; its session's own state follows */
    char state[128];
    rh_socket *socket;
    struct outbox out;
    char out_bytes[SCENE_OUT];
    bool stuck;             /* the client reads nothing */
    unsigned woken;
    char notes[SCENE_NOTES];
    void (*when_told)(struct peer *peer); /* by a message, at its closing; may be NULL */
};

struct scene {
    rh_server *server;
    struct clock clock;
};

void __wrap_conn_woken(struct conn *conn)
{
    struct peer *peer = (struct peer *)conn;
    peer->woken++;
    if (!peer->stuck)
        conn->session.type->woken(&conn->session, &peer->out);
}

void __wrap_conn_close(struct conn *conn)
{
    conn->session.type->fini(&conn->session);
}

static inline struct server_worker *scene_worker(struct scene *scene, unsigned index)
{
    return &scene->server->workers[index];
}

static inline void scene_open(struct scene *scene)
{
    *scene = (struct scene){ .clock.now_ms = 1000 };
    scene->server = calloc(1, sizeof *scene->server);
    scene->server->workers = aligned_alloc(CACHE_LINE, SCENE_WORKERS * sizeof *scene->server->workers);
    memset(scene->server->workers, 0, SCENE_WORKERS * sizeof *scene->server->workers);
    scene->server->config.workers = scene->server->workers_made = SCENE_WORKERS;
    for (unsigned i = 0; i < SCENE_WORKERS; i++) {
        struct server_worker *worker = scene_worker(scene, i);
        worker->server = scene->server;
        worker->net.index = i;
        worker->host.clock = &scene->clock;
        worker->sockets.pages = &worker->net.pages;
        pages_init(&worker->net.pages, 1 << 20);
        packer_init(&worker->packer, &worker->net.pages);
        assert_true(mailbox_init(&worker->net.mailbox));
    }
}

/* Nothing may be left of all that was sent. */
static inline void scene_close(struct scene *scene)
{
    for (unsigned i = 0; i < SCENE_WORKERS; i++) {
        struct server_worker *worker = scene_worker(scene, i);
        assert_true(mailbox_empty(&worker->net.mailbox));
        mailbox_fini(&worker->net.mailbox);
        packer_fini(&worker->packer);
        ws_inflater_free(worker->sockets.inflater);
        pages_fini(&worker->net.pages);
    }
    free(scene->server->workers);
    free(scene->server);
}

/* The workers do what there is to do. */
static inline void scene_turn(struct scene *scene)
{
    for (unsigned i = 0; i < SCENE_WORKERS; i++)
        mailbox_open(&scene_worker(scene, i)->net.mailbox);
}

static inline void peer_note(struct peer *peer, const char *text, size_t size)
{
    size_t used = strlen(peer->notes);
    assert_true(used + size < sizeof peer->notes);
    memcpy(peer->notes + used, text, size);
    peer->notes[used + size] = '\0';
}

static inline void peer_opened(rh_socket *socket, void *user)
{
    struct peer *peer = user;
    peer->socket = socket;
    peer_note(peer, "opened;", 7);
}

static inline void peer_message(rh_socket *socket, void *user, enum rh_message_kind kind, rh_slice bytes)
{
    struct peer *peer = user;
    (void)socket;
    (void)kind;
    peer_note(peer, bytes.data, bytes.size);
    peer_note(peer, ";", 1);
    if (peer->when_told != NULL)
        peer->when_told(peer);
}

static inline void peer_writable(rh_socket *socket, void *user)
{
    (void)socket;
    peer_note(user, "writable;", 9);
}

static inline void peer_closed(rh_socket *socket, void *user, unsigned code, rh_slice reason)
{
    struct peer *peer = user;
    char text[16];
    struct writer w = writer_on(text, sizeof text);
    (void)socket;
    writer_text(&w, "closed ");
    writer_uint(&w, code);
    peer_note(peer, text, writer_used(&w));
    peer_note(peer, reason.data, reason.size);
    peer_note(peer, ";", 1);
    peer->socket = NULL;
    if (peer->when_told != NULL)
        peer->when_told(peer);
}

static const rh_websocket_options peer_options = { .opened = peer_opened, .message = peer_message,
                                                   .closed = peer_closed, .writable = peer_writable,
                                                   .queue_max = 1000 };

/* On this worker; as the server does it. */
static inline struct peer *peer_open(struct scene *scene, unsigned worker, bool deflate)
{
    static const struct session_type before = { .size = sizeof(struct session) + 128 };
    struct peer *peer = calloc(1, sizeof *peer);
    rh_socket *socket = socket_new(scene_worker(scene, worker), &peer_options, peer, SLICE("v1"));
    assert_non_null(socket);
    socket->wire.deflate = socket->listener.packs = deflate;
    socket->window = 15;
    outbox_init(&peer->out, peer->out_bytes, sizeof peer->out_bytes);
    peer->conn.session = (struct session){ .type = &before, .host = &scene_worker(scene, worker)->host };
    socket->wire.upgrade.become(&socket->wire.upgrade, &peer->conn.session);
    socket_let_go(socket);
    assert_ptr_equal(peer->socket, socket);
    return peer;
}

static inline void peer_free(struct peer *peer)
{
    peer->when_told = NULL;
    peer->conn.session.type->fini(&peer->conn.session);
    outbox_clear(&peer->out);
    free(peer);
}

/* The client reads all there is, and more comes, until nothing does. */
static inline void peer_read(struct peer *peer, char *all, size_t *size)
{
    *size = 0;
    peer->stuck = false;
    __wrap_conn_woken(&peer->conn);
    while (peer->out.count > 0) {
        for (unsigned i = 0; i < peer->out.count; i++) {
            memcpy(all + *size, peer->out.spans[i].data, peer->out.spans[i].size);
            *size += peer->out.spans[i].size;
        }
        outbox_clear(&peer->out);
        peer->conn.session.type->drain(&peer->conn.session, &peer->out);
    }
}

static inline void peer_expect(struct peer *peer, struct slice expected)
{
    char *all = malloc(1 << 20);
    size_t size;
    peer_read(peer, all, &size);
    if (!slice_equal(slice_make(all, size), expected))
        fail_msg("%zu bytes went out, not %zu: %.*s", size, expected.size, (int)(size < 100 ? size : 100), all);
    free(all);
}

static inline void peer_expect_notes(struct peer *peer, const char *expected)
{
    assert_string_equal(peer->notes, expected);
    peer->notes[0] = '\0';
}

/* A text of less than 126 bytes from the client, with a mask of zeros. */
static inline void peer_says(struct peer *peer, const char *text)
{
    char frame[256] = { (char)0x81, (char)(0x80 | strlen(text)) };
    memcpy(frame + 6, text, strlen(text));
    struct session *session = &peer->conn.session;
    assert_int_equal(session->type->feed(session, slice_make(frame, 6 + strlen(text)), &peer->out), 6 + strlen(text));
}

#endif

/* A WebSocket session with a socket that notes what it is told, and a client's side: frames to feed, and what went out.
 * Bytes are fed from blocks of their very size. */
#ifndef TESTS_UNIT_WS_SCENE_H
#define TESTS_UNIT_WS_SCENE_H

#include <stdlib.h>

#include "base/list.h"
#include "wire/ws_session.h"

enum { SCENE_OUTBOX = 64 * 1024, SCENE_NOTES = 4096 };

struct scene {
    struct ws_socket socket; /* first */
    struct ws_worker worker;
    struct pages pages;
    struct clock clock;
    struct session_host host;
    struct outbox out;
    char out_bytes[SCENE_OUTBOX];
    char *memory;                /* of the session */
    struct session *session;
    struct writer notes;         /* "opened;text Hello;closed 1000 bye;" */
    char notes_bytes[SCENE_NOTES];
    struct ws_queue later;       /* what collect brings */
    bool echo;
    unsigned drained;
    struct ws_parcel *when_drained; /* sent again by drained, so many times */
    unsigned times;
};

static struct scene *scene_of(struct ws_socket *socket)
{
    return (struct scene *)socket;
}

static void scene_queue(struct scene *scene, struct ws_queue *queue, struct ws_parcel *parcel)
{
    struct ws_post *post = ws_post_new(parcel);
    assert_non_null(post);
    atomic_fetch_add(&scene->socket.queued, parcel->frame.size);
    ws_queue_append(queue, post);
}

static void scene_opened(struct ws_socket *socket)
{
    writer_text(&scene_of(socket)->notes, "opened;");
}

static void scene_message(struct ws_socket *socket, enum ws_opcode kind, struct slice bytes)
{
    struct scene *scene = scene_of(socket);
    writer_text(&scene->notes, kind == WS_TEXT ? "text " : "binary ");
    writer_put(&scene->notes, bytes.size < 100 ? bytes : SLICE("(long)"));
    writer_text(&scene->notes, ";");
    if (scene->echo)
        scene_queue(scene, &socket->queue, ws_parcel_new(kind, bytes));
}

static void scene_collect(struct ws_socket *socket)
{
    struct ws_post *post;
    while ((post = ws_queue_take(&scene_of(socket)->later)) != NULL)
        ws_queue_append(&socket->queue, post);
}

static void scene_drained(struct ws_socket *socket)
{
    struct scene *scene = scene_of(socket);
    scene->drained++;
    if (scene->times == 0)
        return;
    scene->times--;
    hold_ref(&scene->when_drained->hold);
    scene_queue(scene, &socket->queue, scene->when_drained);
}

static void scene_closed(struct ws_socket *socket, unsigned code, struct slice reason)
{
    struct scene *scene = scene_of(socket);
    assert_null(socket->session);
    assert_int_equal(atomic_load(&socket->queued), 0);
    writer_text(&scene->notes, "closed ");
    writer_uint(&scene->notes, code);
    if (reason.size > 0)
        writer_text(&scene->notes, " ");
    writer_put(&scene->notes, reason);
    writer_text(&scene->notes, ";");
}

static const struct ws_socket_type scene_type = {
    .opened = scene_opened, .message = scene_message, .collect = scene_collect, .drained = scene_drained,
    .closed = scene_closed,
};

/* As an HTTP/1.1 session that is about to become a WebSocket. */
static const struct session_type scene_before = { .size = 128 };

static struct scene *scene_new(size_t outbox_size)
{
    struct scene *scene = calloc(1, sizeof *scene);
    assert_true(outbox_size <= SCENE_OUTBOX);
    pages_init(&scene->pages, 1 << 20);
    scene->clock.now_ms = 1000;
    scene->host.clock = &scene->clock;
    scene->worker.pages = &scene->pages;
    outbox_init(&scene->out, scene->out_bytes, outbox_size);
    scene->notes = writer_on(scene->notes_bytes, SCENE_NOTES);
    ws_socket_init(&scene->socket);
    scene->socket.type = &scene_type;
    scene->socket.worker = &scene->worker;
    scene->socket.message_max = 1000;
    scene->socket.deflate = true;
    scene->memory = calloc(1, scene_before.size);
    scene->session = (struct session *)scene->memory;
    *scene->session = (struct session){ .type = &scene_before, .host = &scene->host };
    scene->socket.upgrade.become(&scene->socket.upgrade, scene->session);
    return scene;
}

static void scene_free(struct scene *scene)
{
    scene->session->type->fini(scene->session);
    outbox_clear(&scene->out);
    ws_inflater_free(scene->worker.inflater);
    assert_int_equal(scene->pages.taken_bytes, 0);
    pages_fini(&scene->pages);
    free(scene->memory);
    free(scene);
}

/* Returns how much was taken. */
static size_t scene_feed(struct scene *scene, struct slice bytes)
{
    char *exact = malloc(bytes.size > 0 ? bytes.size : 1);
    memcpy(exact, bytes.data, bytes.size);
    size_t used = scene->session->type->feed(scene->session, slice_make(exact, bytes.size), &scene->out);
    free(exact);
    return used;
}

/* A frame as a client writes it. */
static struct slice scene_frame(char *room, unsigned first, struct slice payload)
{
    static const char mask[] = { 0x37, (char)0xfa, 0x21, 0x3d };
    struct writer w = writer_on(room, payload.size + 14);
    writer_byte(&w, (char)first);
    if (payload.size < 126) {
        writer_byte(&w, (char)(0x80 | payload.size));
    } else {
        writer_byte(&w, (char)0xfe);
        writer_byte(&w, (char)(payload.size >> 8));
        writer_byte(&w, (char)payload.size);
    }
    writer_bytes(&w, mask, sizeof mask);
    for (size_t i = 0; i < payload.size; i++)
        writer_byte(&w, (char)(payload.data[i] ^ mask[i % 4]));
    return writer_slice(&w);
}

static void scene_send(struct scene *scene, unsigned first, struct slice payload)
{
    char *room = malloc(payload.size + 14);
    struct slice frame = scene_frame(room, first, payload);
    assert_int_equal(scene_feed(scene, frame), frame.size);
    free(room);
}

/* All that went out since the last time is this. */
static void scene_expect_out(struct scene *scene, struct slice expected)
{
    char *all = malloc(1 << 20);
    struct writer w = writer_on(all, 1 << 20);
    for (unsigned i = 0; i < scene->out.count; i++)
        writer_bytes(&w, scene->out.spans[i].data, scene->out.spans[i].size);
    outbox_clear(&scene->out);
    if (!slice_equal(writer_slice(&w), expected))
        fail_msg("%zu bytes went out, not %zu; they begin with %02x %02x %02x %02x", writer_used(&w), expected.size,
                 (uint8_t)all[0], (uint8_t)all[1], (uint8_t)all[2], (uint8_t)all[3]);
    free(all);
}

static void scene_expect_notes(struct scene *scene, const char *expected)
{
    struct slice notes = writer_slice(&scene->notes);
    if (!slice_equal(notes, slice_text(expected)))
        fail_msg("%.*s\nnot %s", (int)notes.size, notes.data, expected);
    scene->notes.at = scene->notes.start;
}

static void scene_expect_phase(const struct scene *scene, enum session_phase phase)
{
    assert_int_equal(scene->session->phase, phase);
}

#endif

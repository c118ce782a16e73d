/* Streams, pipes and events: each is counted where it begins and where it is over. */
#include "everything.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stream {
    rh_request *request;
    int left; /* pieces; at -1 it fails */
};

static long pull(void *user, char *out, size_t size)
{
    struct stream *stream = user;
    if (stream->left <= 0) {
        rh_trailer(stream->request, "X-Sum", "0");
        return stream->left;
    }
    stream->left--;
    size_t part = size < PIECE ? size : PIECE;
    memset(out, 's', part);
    return (long)part;
}

static void stream_done(void *user)
{
    free(user);
    atomic_fetch_add(&all.streams_done, 1);
}

static void stream_pieces(rh_request *request, int pieces)
{
    struct stream *stream = malloc(sizeof *stream);
    if (stream == NULL) {
        rh_fail(request, 503, NULL);
        return;
    }
    *stream = (struct stream){ request, pieces };
    atomic_fetch_add(&all.streams, 1);
    rh_stream(request, "text/plain", pull, stream_done, stream);
}

void stream(rh_request *request, void *user)
{
    (void)user;
    rh_compress(request);
    stream_pieces(request, PIECES);
}

void broken_stream(rh_request *request, void *user)
{
    (void)user;
    stream_pieces(request, -1);
}

static void pipe_closed(void *user)
{
    (void)user;
    atomic_fetch_add(&all.pipes_closed, 1);
}

/* Writes from a thread of its own until all is written or nobody reads; then closes, or for odd ones breaks off. */
static void *write_pipe(void *user)
{
    static atomic_int turn;
    rh_pipe *pipe = user;
    char piece[PIECE];
    memset(piece, 'p', sizeof piece);
    for (int i = 0; i < WRITES && !rh_pipe_gone(pipe);) {
        bool sent = i % 2 ? rh_pipe_write(pipe, piece, sizeof piece) : rh_event_send(pipe, (rh_event){ .data = "x" });
        i += sent;
        usleep(200);
    }
    if (atomic_fetch_add(&turn, 1) % 2)
        rh_pipe_abort(pipe);
    else
        rh_pipe_close(pipe);
    atomic_fetch_sub(&all.writers, 1);
    return NULL;
}

static void begin_pipe(rh_pipe *pipe)
{
    pthread_t thread;
    if (pipe == NULL)
        return;
    atomic_fetch_add(&all.pipes, 1);
    atomic_fetch_add(&all.writers, 1);
    if (pthread_create(&thread, NULL, write_pipe, pipe) == 0) {
        pthread_detach(thread);
        return;
    }
    atomic_fetch_sub(&all.writers, 1);
    rh_pipe_abort(pipe);
}

static const rh_pipe_options pipe_options = { .queue_max = 8 * PIECE, .closed = pipe_closed };

void open_pipe(rh_request *request, void *user)
{
    (void)user;
    begin_pipe(rh_pipe_open(request, pipe_options));
}

void events(rh_request *request, void *user)
{
    (void)user;
    rh_compress(request);
    begin_pipe(rh_events_open(request, pipe_options));
}

static void topic_over(void *user)
{
    rh_pipe **pipe = user;
    pipe_closed(NULL);
    rh_pipe_close(*pipe);
    free(pipe);
}

void topic_events(rh_request *request, void *user)
{
    rh_pipe **pipe = malloc(sizeof *pipe);
    (void)user;
    if (pipe == NULL) {
        rh_fail(request, 503, NULL);
        return;
    }
    *pipe = rh_events_open(request, (rh_pipe_options){ .closed = topic_over, .user = pipe });
    if (*pipe == NULL) {
        free(pipe);
        return;
    }
    atomic_fetch_add(&all.pipes, 1);
    rh_topic_join_pipe(all.topic, *pipe);
    rh_event_send(*pipe, (rh_event){ .data = "joined" });
}

/* A connection without a socket. See journey.h. */
#include "server/journey.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* ---- The ear at the host ------------------------------------------------------------------------------------ */

static struct journey *journey_of(struct session_host *host)
{
    return LINK_OWNER(host, struct journey, host);
}

static struct session_host *inner_of(struct session_host *host)
{
    return journey_of(host)->inner;
}

static struct exchange *take(struct session_host *host)
{
    return inner_of(host)->take(inner_of(host));
}

static enum body_plan head(struct session_host *host, struct exchange *exchange)
{
    return inner_of(host)->head(inner_of(host), exchange);
}

static void request(struct session_host *host, struct exchange *exchange)
{
    inner_of(host)->request(inner_of(host), exchange);
}

static void refuse(struct session_host *host, struct exchange *exchange, unsigned status)
{
    journey_of(host)->refused = status;
    inner_of(host)->refuse(inner_of(host), exchange, status);
}

static void finished(struct session_host *host, struct exchange *exchange, uint64_t body_bytes)
{
    struct journey *journey = journey_of(host);
    const struct response *response = &exchange->response;
    journey->pulled = !response->answer && response->body.kind == BODY_PULL;
    journey->arrived(journey, exchange);
    inner_of(host)->finished(inner_of(host), exchange, body_bytes);
}

static void listen_at(struct journey *journey, struct session_host *inner)
{
    journey->inner = inner;
    journey->host = *inner;
    journey->host.take = take;
    journey->host.head = head;
    journey->host.request = request;
    journey->host.refuse = refuse;
    journey->host.finished = finished;
}

/* ---- The transport ------------------------------------------------------------------------------------------ */

static struct conn *conn_at(struct transport *transport)
{
    return LINK_OWNER(transport, struct conn, transport);
}

static struct journey *riding(struct transport *transport)
{
    return journey_of(conn_at(transport)->session.host);
}

static struct io read_request(struct transport *transport, void *buffer, size_t size)
{
    struct journey *journey = riding(transport);
    struct slice rest = slice_skip(journey->request, journey->read);
    if (rest.size < size)
        size = rest.size;
    if (size == 0)
        return (struct io){ IO_END, 0 };
    memcpy(buffer, rest.data, size);
    journey->read += size;
    return (struct io){ IO_DONE, size };
}

/* What is copied lies in the worker's outbox, or in what was saved of it. */
static bool lies_in_outbox(const struct conn *conn, const char *bytes)
{
    const struct outbox *out = &conn->worker->out;
    const char *saved = (const char *)conn->output;
    return (bytes >= out->buffer && bytes < out->buffer + out->size) ||
           (saved && bytes >= saved && bytes < saved + conn->output->room);
}

/* An interim response (RFC 9110 15.2) has another head behind it. */
static bool ends_head(struct slice text)
{
    static const struct slice interim = SLICE_INIT("HTTP/1.1 1"), end = SLICE_INIT("\r\n\r\n");
    if (!slice_ends(text, end))
        return false;
    return !slice_starts(text, interim) || memmem(text.data, text.size - 1, end.data, end.size) != NULL;
}

/* Returns how many of these bytes belong to the head. */
static size_t take_head(struct journey *journey, struct slice bytes)
{
    size_t taken = 0;
    while (!journey->headed && taken < bytes.size) {
        writer_byte(&journey->head, bytes.data[taken++]);
        journey->headed = journey->head.overflowed || ends_head(writer_slice(&journey->head));
    }
    return taken;
}

static void note(struct transport *transport, struct slice bytes)
{
    struct journey *journey = riding(transport);
    size_t content = bytes.size - take_head(journey, bytes);
    if (lies_in_outbox(conn_at(transport), bytes.data))
        journey->copied += content;
    else
        journey->memory += content;
}

static struct io note_bytes(struct transport *transport, const void *bytes, size_t size)
{
    note(transport, slice_make(bytes, size));
    return (struct io){ IO_DONE, size };
}

static struct io note_pieces(struct transport *transport, const struct iovec *pieces, unsigned count, int more)
{
    size_t sum = 0;
    (void)more;
    for (unsigned i = 0; i < count; i++) {
        note(transport, slice_make(pieces[i].iov_base, pieces[i].iov_len));
        sum += pieces[i].iov_len;
    }
    return (struct io){ IO_DONE, sum };
}

static struct io note_file(struct transport *transport, int fd, uint64_t offset, size_t size)
{
    (void)fd;
    (void)offset;
    riding(transport)->file += size;
    return (struct io){ IO_DONE, size };
}

static bool shut(struct transport *transport)
{
    (void)transport;
    return true;
}

static void end(struct transport *transport)
{
    close(transport->fd);
    sem_post(&riding(transport)->over);
}

static const struct transport_ops recorder = { read_request, note_bytes, note_pieces, note_file, shut, end };

/* ---- The way ------------------------------------------------------------------------------------------------ */

/* What the acceptor does. The descriptor stands for a socket in the worker's loop; nothing ever happens to it, so the
 * connection is told that there is something to read, and behind that an end. */
static bool depart(struct journey *journey, struct worker *worker)
{
    const struct sockaddr_in peer = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct conn *conn = fd >= 0 ? conn_open(worker, fd, (const struct sockaddr *)&peer) : NULL;
    if (conn == NULL)
        return false;
    listen_at(journey, conn->session.host);
    conn->session.host = &journey->host;
    conn->transport.ops = &recorder;
    conn->readable = conn->hung_up = true;
    journey->begun = true;
    conn_run(conn);
    return true;
}

static void open_letter(struct letter *letter)
{
    struct journey *journey = LINK_OWNER(letter, struct journey, letter);
    struct worker *worker = &journey->worker->net;
    if (!depart(journey, worker))
        sem_post(&journey->over);
}

bool journey_make(struct journey *journey, struct server_worker *worker, struct slice request)
{
    size_t room = worker->net.out.size; /* no head is larger */
    journey->request = request;
    journey->worker = worker;
    journey->room = malloc(room);
    if (!journey->room)
        return false;
    journey->head = writer_on(journey->room, room);
    journey->letter.open = open_letter;
    sem_init(&journey->over, 0, 0);
    mailbox_post(&worker->net.mailbox, &journey->letter);
    while (sem_wait(&journey->over) != 0)
        ; /* EINTR: a signal of the program's */
    sem_destroy(&journey->over);
    errno = journey->begun ? 0 : EMFILE;
    return journey->begun;
}

void journey_fini(struct journey *journey)
{
    free(journey->room);
    journey->room = NULL;
}

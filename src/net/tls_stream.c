/* Moves bytes through a TLS connection: as many records as there are in one call, each as full as can be, and no call
 * of the system's that is known to bring nothing. What a call could not send is sent by the next one, which is given
 * the same bytes again (net/transport.h); nothing is kept back. */
#include "net/tls_stream.h"

#include "net/tls_openssl.h"

#include <errno.h>
#include <openssl/bio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    TURN_BYTES = 256 * 1024, /* written by one call, before the sender looks whether others should have a turn */
    READS_MAX = 8            /* of the socket, of a record's size each, in search of data */
};

struct tls_stream {
    SSL *ssl;
    struct tls_context *context;
    char *record;  /* the worker's */
    int fd;
    unsigned reads; /* of the socket, since there was data */
    bool drained;  /* the socket has no more at present */
    bool ended;    /* nor will it */
    bool begun;    /* something has come */
    bool plain;    /* what came first is no TLS */
    bool broken;   /* nothing more can be done with it */
    bool shut;     /* we have said that we send no more */
};

static const struct transport_ops transport_tls;

/* ---- The socket ----------------------------------------------------------------------------------------------- */

/* What began like this was meant for a port without TLS: a method. (0x16 is a handshake's record, RFC 8446 5.1; other
 * bytes may be SSLv2, which would make nothing of a text.) */
static bool may_be_http(unsigned char first)
{
    return (first >= 'A' && first <= 'Z') || (first >= 'a' && first <= 'z');
}

static void note_first(struct tls_stream *stream, char first)
{
    if (!stream->begun)
        stream->plain = may_be_http((unsigned char)first);
    stream->begun = true;
}

/* The library reads once more after the last record, to find out that there is no other. Where the read before brought
 * less than there was room for, it is told so without a call of the system's.
 *
 * Nor is one more made after so many that brought no data. Messages about the connection, such as KeyUpdate (RFC 8446
 * 4.6.3), the library takes as long as there are any: a client that has made a million of them beforehand would have
 * the worker for itself. */
static int receive(BIO *bio, char *bytes, size_t size, size_t *got)
{
    struct tls_stream *stream = BIO_get_data(bio);
    bool quiet = stream->drained || stream->reads++ == READS_MAX;
    ssize_t result = quiet ? -1 : recv(stream->fd, bytes, size, 0);
    BIO_clear_retry_flags(bio);
    if (result > 0) {
        note_first(stream, bytes[0]);
        stream->drained = (size_t)result < size;
        *got = (size_t)result;
        return 1;
    }
    stream->ended = result == 0;
    if (quiet || (result < 0 && errno == EAGAIN))
        BIO_set_retry_read(bio);
    return 0;
}

static long tell(BIO *bio, int what, long number, void *pointer)
{
    const struct tls_stream *stream = BIO_get_data(bio);
    (void)number;
    (void)pointer;
    return what == BIO_CTRL_EOF && stream->ended;
}

BIO_METHOD *tls_stream_reader(void)
{
    BIO_METHOD *reader = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "rawhttp");
    if (reader == NULL)
        return NULL;
    BIO_meth_set_read_ex(reader, receive);
    BIO_meth_set_ctrl(reader, tell);
    return reader;
}

/* It writes through a socket of the library's, which also knows how to have the kernel encrypt. */
static bool make_ends(struct tls_stream *stream)
{
    BIO *in = BIO_new(stream->context->reader), *out = BIO_new_socket(stream->fd, BIO_NOCLOSE);
    if (in != NULL && out != NULL) {
        BIO_set_data(in, stream);
        BIO_set_init(in, 1);
        SSL_set0_rbio(stream->ssl, in);
        SSL_set0_wbio(stream->ssl, out);
        return true;
    }
    BIO_free(in);
    BIO_free(out);
    return false;
}

/* ---- The beginning -------------------------------------------------------------------------------------------- */

static void free_stream(struct tls_stream *stream)
{
    SSL_free(stream->ssl);
    tls_context_unref(stream->context);
    free(stream);
    ERR_clear_error();
}

bool tls_open(struct transport *transport, struct tls_context *context, int fd, char *record)
{
    struct tls_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return false;
    *stream = (struct tls_stream){ .context = tls_context_ref(context), .fd = fd, .record = record };
    stream->ssl = SSL_new(context->identities[0].ssl);
    if (stream->ssl == NULL || !make_ends(stream)) {
        free_stream(stream);
        return false;
    }
    SSL_set_accept_state(stream->ssl);
    *transport = (struct transport){ .ops = &transport_tls, .tls = stream };
    return true;
}

void tls_leave(struct transport *transport)
{
    struct tls_stream *stream = transport->tls;
    *transport = (struct transport){ .ops = &transport_tcp, .fd = stream->fd };
    free_stream(stream);
}

/* What the library says of a call that did not move anything. To want more where it has had enough is a failure. */
static struct io outcome(struct tls_stream *stream, int result)
{
    enum io_state state = IO_FAILED;
    int error = SSL_get_error(stream->ssl, result);
    if (error == SSL_ERROR_WANT_READ && stream->reads > READS_MAX)
        error = SSL_ERROR_SSL;
    switch (error) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: state = IO_AGAIN; break;
    case SSL_ERROR_ZERO_RETURN: state = IO_END; break; /* close_notify: RFC 8446 6.1 */
    default: stream->broken = true; break;
    }
    return (struct io){ state, 0 };
}

enum tls_step tls_handshake(struct transport *transport, const char **reason)
{
    struct tls_stream *stream = transport->tls;
    stream->drained = false;
    stream->reads = 0;
    int result = SSL_do_handshake(stream->ssl);
    if (result == 1)
        return TLS_STEP_DONE;
    struct io io = outcome(stream, result);
    *reason = io.state != IO_AGAIN ? tls_reason() : "";
    if (io.state == IO_AGAIN)
        return TLS_STEP_AGAIN;
    stream->broken = true;
    return stream->plain ? TLS_STEP_PLAIN : TLS_STEP_FAILED;
}

/* ---- Reading -------------------------------------------------------------------------------------------------- */

/* An end or a failure behind bytes that are handed on first: an ended socket is announced by the loop, which then has
 * the transport read once more. */
static struct io end_behind(const struct tls_stream *stream, struct io io, size_t used)
{
    if (used == 0)
        return io;
    if (io.state != IO_AGAIN)
        shutdown(stream->fd, SHUT_RD);
    return (struct io){ IO_DONE, used };
}

/* What ends without a close_notify may have been cut by anybody: that is a failure, not an end. A wish to write while
 * reading (the answer to a KeyUpdate) that the socket has no room for is one as well: nobody would tell the reader when
 * it has. */
static struct io tls_read(struct transport *transport, void *buffer, size_t size)
{
    struct tls_stream *stream = transport->tls;
    size_t used = 0, got;
    if (stream->broken)
        return (struct io){ IO_FAILED, 0 };
    stream->drained = false;
    while (used < size) {
        if (stream->drained && !SSL_has_pending(stream->ssl))
            return end_behind(stream, (struct io){ IO_AGAIN, 0 }, used);
        stream->reads = 0;
        int result = SSL_read_ex(stream->ssl, (char *)buffer + used, size - used, &got);
        if (result != 1) {
            struct io io = outcome(stream, result);
            if (io.state == IO_AGAIN && SSL_want_write(stream->ssl)) {
                stream->broken = true;
                io.state = IO_FAILED;
            }
            ERR_clear_error();
            return end_behind(stream, io, used);
        }
        used += got;
    }
    return (struct io){ IO_DONE, used };
}

/* ---- Writing -------------------------------------------------------------------------------------------------- */

/* At most a record. Where the socket does not take it, it has been encrypted all the same, and is what goes out next:
 * the same bytes have to come again, no fewer. */
static struct io put(struct tls_stream *stream, const char *bytes, size_t size)
{
    size_t written;
    if (stream->broken)
        return (struct io){ IO_FAILED, 0 };
    int result = SSL_write_ex(stream->ssl, bytes, size, &written);
    if (result == 1)
        return (struct io){ IO_DONE, written };
    struct io io = outcome(stream, result);
    ERR_clear_error();
    return io;
}

/* Where in the pieces the next record begins. */
struct place {
    const struct iovec *pieces;
    unsigned count;
    size_t at; /* in the first one */
};

static void advance(struct place *place, size_t size)
{
    place->at += size;
    while (place->count > 0 && place->at >= place->pieces[0].iov_len) {
        place->at -= place->pieces[0].iov_len;
        place->pieces++;
        place->count--;
    }
}

/* Copies what the next record takes of several pieces. */
static struct slice gather(struct place place, char *record)
{
    size_t used = 0;
    for (; place.count > 0 && used < TLS_RECORD_SIZE; place.pieces++, place.count--, place.at = 0) {
        size_t left = place.pieces[0].iov_len - place.at, room = TLS_RECORD_SIZE - used;
        size_t size = left < room ? left : room;
        memcpy(record + used, (const char *)place.pieces[0].iov_base + place.at, size);
        used += size;
    }
    return slice_make(record, used);
}

/* A head and the small body behind it are one record: one lock's worth of work for the client, one call for us. */
static struct slice next_record(const struct place *place, char *record)
{
    size_t left = place->pieces[0].iov_len - place->at;
    if (left < TLS_RECORD_SIZE && place->count > 1)
        return gather(*place, record);
    const char *bytes = (const char *)place->pieces[0].iov_base + place->at;
    return slice_make(bytes, left < TLS_RECORD_SIZE ? left : TLS_RECORD_SIZE);
}

static struct io tls_writev(struct transport *transport, const struct iovec *pieces, unsigned count, int more)
{
    struct tls_stream *stream = transport->tls;
    struct place place = { pieces, count, 0 };
    size_t moved = 0;
    (void)more;
    for (advance(&place, 0); place.count > 0 && moved < TURN_BYTES;) {
        struct slice bytes = next_record(&place, stream->record);
        struct io io = put(stream, bytes.data, bytes.size);
        if (io.state != IO_DONE)
            return moved > 0 ? (struct io){ IO_DONE, moved } : io;
        moved += io.size;
        advance(&place, io.size);
    }
    return (struct io){ IO_DONE, moved };
}

static struct io tls_write(struct transport *transport, const void *bytes, size_t size)
{
    if (size <= TLS_RECORD_SIZE)
        return put(transport->tls, bytes, size);
    const struct iovec piece = { (void *)bytes, size };
    return tls_writev(transport, &piece, 1, 0);
}

/* The kernel encrypts (Linux's kTLS, where module, cipher and version allow): a file goes out as without TLS. */
static struct io send_by_kernel(struct tls_stream *stream, int fd, uint64_t offset, size_t size)
{
    ossl_ssize_t sent = SSL_sendfile(stream->ssl, fd, (off_t)offset, size, 0);
    if (sent >= 0)
        return (struct io){ sent > 0 ? IO_DONE : IO_END, (size_t)sent };
    struct io io = outcome(stream, (int)sent);
    ERR_clear_error();
    return io;
}

static struct io tls_sendfile(struct transport *transport, int fd, uint64_t offset, size_t size)
{
    struct tls_stream *stream = transport->tls;
    size_t moved = 0;
    if (!stream->broken && BIO_get_ktls_send(SSL_get_wbio(stream->ssl)))
        return send_by_kernel(stream, fd, offset, size);
    while (moved < size && moved < TURN_BYTES) {
        size_t room = size - moved < TLS_RECORD_SIZE ? size - moved : TLS_RECORD_SIZE;
        ssize_t got = pread(fd, stream->record, room, (off_t)(offset + moved));
        struct io io = { got < 0 ? IO_FAILED : IO_END, 0 };
        if (got > 0)
            io = put(stream, stream->record, (size_t)got);
        if (io.state != IO_DONE)
            return moved > 0 ? (struct io){ IO_DONE, moved } : io;
        moved += io.size;
    }
    return (struct io){ IO_DONE, moved };
}

/* ---- The end -------------------------------------------------------------------------------------------------- */

/* RFC 8446 6.1: each side says so before it closes; whether the other one does too is not waited for here. False: there
 * is no room for it, and to end without it would look as if the last response had been cut. */
static bool say_end(struct tls_stream *stream)
{
    bool said = true;
    if (!stream->shut && !stream->broken && SSL_is_init_finished(stream->ssl)) {
        int result = SSL_shutdown(stream->ssl);
        said = result >= 0 || SSL_get_error(stream->ssl, result) != SSL_ERROR_WANT_WRITE;
    }
    stream->shut = said;
    ERR_clear_error();
    return said;
}

static bool tls_shutdown(struct transport *transport)
{
    if (!say_end(transport->tls))
        return false;
    shutdown(transport->tls->fd, SHUT_WR);
    return true;
}

static void tls_close(struct transport *transport)
{
    struct tls_stream *stream = transport->tls;
    say_end(stream);
    close(stream->fd);
    free_stream(stream);
    transport->tls = NULL;
}

static const struct transport_ops transport_tls = { tls_read, tls_write, tls_writev, tls_sendfile, tls_shutdown,
                                                    tls_close };

/* ---- What has been agreed on ---------------------------------------------------------------------------------- */

bool tls_carries(const struct transport *transport)
{
    return transport->ops == &transport_tls;
}

bool tls_speaks_h2(const struct transport *transport)
{
    const unsigned char *name;
    unsigned size;
    SSL_get0_alpn_selected(transport->tls->ssl, &name, &size);
    return slice_equal(slice_make((const char *)name, size), SLICE("h2"));
}

bool tls_resumed(const struct transport *transport)
{
    return SSL_session_reused(transport->tls->ssl) == 1;
}

uint16_t tls_cipher(const struct transport *transport)
{
    return SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(transport->tls->ssl));
}

size_t tls_client_subject(const struct transport *transport, char *text, size_t size)
{
    const X509 *certificate = SSL_get0_peer_certificate(transport->tls->ssl);
    BIO *bio = certificate != NULL ? BIO_new(BIO_s_mem()) : NULL;
    char *written;
    if (bio == NULL)
        return 0;
    X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
    size_t length = (size_t)BIO_get_mem_data(bio, &written);
    if (length > size)
        length = size;
    memcpy(text, written, length);
    BIO_free(bio);
    ERR_clear_error();
    return length;
}

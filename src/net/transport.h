/* A transport moves bytes between a connection and its peer: plain TCP (and unix sockets) here, TLS in tls_stream, a
 * pipe in memory in tests. It knows nothing of what the bytes mean, and keeps nothing back: what was not moved is
 * offered again, the same bytes and no fewer, before any others (TLS has encrypted some of them already). */
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum io_state {
    IO_DONE,   /* `size` bytes were moved, at least one; reading: fewer than there was room for means that no more is
                  there until the loop says so */
    IO_AGAIN,  /* nothing can be moved now */
    IO_END,    /* reading: the peer sends no more; sending a file: it is shorter than was said */
    IO_FAILED  /* the connection is broken, or was cut where it may not end */
};

struct io {
    enum io_state state;
    size_t size;
};

struct tls_stream;

struct transport {
    const struct transport_ops *ops;
    union {
        int fd;
        struct tls_stream *tls; /* which has the descriptor */
    };
};

struct transport_ops {
    struct io (*read)(struct transport *transport, void *buffer, size_t size);

    struct io (*write)(struct transport *transport, const void *bytes, size_t size);

    /* `more`: something follows at once, so a part-filled packet may wait for it. */
    struct io (*writev)(struct transport *transport, const struct iovec *pieces, unsigned count, int more);

    struct io (*sendfile)(struct transport *transport, int fd, uint64_t offset, size_t size);

    /* We send no more. False: the peer cannot be told before the socket takes something again: call it once more. */
    bool (*shutdown)(struct transport *transport);
    void (*close)(struct transport *transport);
};

extern const struct transport_ops transport_tcp;

#endif

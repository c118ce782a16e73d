/* The plain transport: each call is one system call on a non-blocking socket. */
#include "net/transport.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net/kernel.h"

/* No EINTR: signals are blocked in the threads that call this, and nothing here waits. */
static struct io outcome(long moved)
{
    if (moved > 0)
        return (struct io){ IO_DONE, (size_t)moved };
    if (moved == 0)
        return (struct io){ IO_END, 0 };
    return (struct io){ moved == -EAGAIN ? IO_AGAIN : IO_FAILED, 0 };
}

/* The two calls that every request makes go to the kernel directly: recv() and send() of the C library are cancellation
 * points, too, which no thread here needs, and that costs another 60 instructions a request. */
static struct io tcp_read(struct transport *transport, void *buffer, size_t size)
{
    return outcome(kernel_call(SYS_recvfrom, transport->fd, (long)buffer, (long)size, 0, 0, 0));
}

static struct io tcp_write(struct transport *transport, const void *bytes, size_t size)
{
    return outcome(kernel_call(SYS_sendto, transport->fd, (long)bytes, (long)size, MSG_NOSIGNAL, 0, 0));
}

static struct io tcp_writev(struct transport *transport, const struct iovec *pieces, unsigned count, int more)
{
    struct msghdr message = { .msg_iov = (struct iovec *)pieces, .msg_iovlen = count };
    ssize_t moved = sendmsg(transport->fd, &message, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    return outcome(moved < 0 ? -errno : moved);
}

/* sendfile raises SIGPIPE and has no flag against it: worker threads block that signal. */
static struct io tcp_sendfile(struct transport *transport, int fd, uint64_t offset, size_t size)
{
    off_t at = (off_t)offset;
    ssize_t moved = sendfile(transport->fd, fd, &at, size);
    return outcome(moved < 0 ? -errno : moved);
}

static bool tcp_shutdown(struct transport *transport)
{
    shutdown(transport->fd, SHUT_WR);
    return true;
}

static void tcp_close(struct transport *transport)
{
    close(transport->fd);
    transport->fd = -1;
}

const struct transport_ops transport_tcp = { tcp_read, tcp_write, tcp_writev, tcp_sendfile, tcp_shutdown, tcp_close };

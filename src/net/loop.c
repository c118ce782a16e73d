/* epoll, thinly. */
#include "net/loop.h"

#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net/kernel.h"

bool loop_init(struct loop *loop)
{
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return loop->epoll_fd >= 0;
}

void loop_fini(struct loop *loop)
{
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    loop->epoll_fd = -1;
}

static bool control(struct loop *loop, int operation, int fd, struct epoll_event event)
{
    return epoll_ctl(loop->epoll_fd, operation, fd, &event) == 0;
}

bool loop_add(struct loop *loop, int fd, uint32_t events, struct watch *watch)
{
    return control(loop, EPOLL_CTL_ADD, fd, (struct epoll_event){ .events = events, .data.ptr = watch });
}

bool loop_change(struct loop *loop, int fd, uint32_t events, struct watch *watch)
{
    return control(loop, EPOLL_CTL_MOD, fd, (struct epoll_event){ .events = events, .data.ptr = watch });
}

void loop_remove(struct loop *loop, int fd)
{
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

/* Not through the C library, for which waiting is a cancellation point. Newer architectures have the longer call
 * only. */
#ifdef SYS_epoll_wait
static long await(int fd, struct epoll_event *events, int wait_ms)
{
    return kernel_call(SYS_epoll_wait, fd, (long)events, LOOP_EVENTS, wait_ms, 0, 0);
}
#else
static long await(int fd, struct epoll_event *events, int wait_ms)
{
    return kernel_call(SYS_epoll_pwait, fd, (long)events, LOOP_EVENTS, wait_ms, 0, 0);
}
#endif

/* An interrupted wait counts as one without events. */
unsigned loop_wait(struct loop *loop, int wait_ms)
{
    long count = await(loop->epoll_fd, loop->events, wait_ms);
    return count > 0 ? (unsigned)count : 0;
}

/* The readiness loop: epoll, and whoever watches a descriptor is called when something happens to it.
 *
 * It knows descriptors and nothing behind them. One loop belongs to one thread. */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

/* Lies at the front of what is called. */
struct watch {
    void (*ready)(struct watch *watch, uint32_t events);
};

enum { LOOP_EVENTS = 256 };

struct loop {
    int epoll_fd;
    struct epoll_event events[LOOP_EVENTS];
};

bool loop_init(struct loop *loop); /* false: errno */
void loop_fini(struct loop *loop);
bool loop_add(struct loop *loop, int fd, uint32_t events, struct watch *watch); /* false: errno */
bool loop_change(struct loop *loop, int fd, uint32_t events, struct watch *watch); /* false: errno */
void loop_remove(struct loop *loop, int fd);

/* Waits up to `wait_ms` (-1: for ever) and returns how many events lie in loop->events. */
unsigned loop_wait(struct loop *loop, int wait_ms);

static inline void loop_dispatch(struct loop *loop, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct watch *watch = loop->events[i].data.ptr;
        watch->ready(watch, loop->events[i].events);
    }
}

#endif

/* Turns on the program's thread, and the timer that asks for them. */
#include "net/driven.h"

#include "net/worker.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <sys/timerfd.h>
#include <unistd.h>

static void ring(struct watch *watch, uint32_t events)
{
    struct driven *driven = (struct driven *)watch;
    uint64_t times;
    (void)events;
    ssize_t got = read(driven->timer_fd, &times, sizeof times);
    (void)got; /* it cannot be there without having fired */
    driven->armed_ms = UINT64_MAX;
}

bool driven_begin(struct driven *driven, struct worker *worker)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    *driven = (struct driven){ .watch.ready = ring, .timer_fd = fd, .armed_ms = UINT64_MAX };
    if (fd < 0)
        return false;
    if (!loop_add(&worker->loop, fd, EPOLLIN, &driven->watch)) {
        int error = errno;
        close(fd);
        errno = error;
        return false;
    }
    driven->worker = worker;
    driven->turning = true;
    worker_begin(worker);
    driven->turning = false;
    driven_arm(driven);
    return true;
}

/* 0 would disarm it: what is due already is due since the first millisecond of the clock. */
void driven_arm(struct driven *driven)
{
    uint64_t due_ms = worker_due_ms(driven->worker);
    if (driven->turning || driven->armed_ms == due_ms)
        return;
    uint64_t at_ms = due_ms > 0 ? due_ms : 1;
    struct itimerspec at = { .it_value = { (time_t)(at_ms / 1000), (long)(at_ms % 1000) * 1000000 } };
    timerfd_settime(driven->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
    driven->armed_ms = due_ms;
}

/* sendfile raises SIGPIPE, which a worker's own thread blocks. Here one of ours must not be seen by the program; one
 * that is blocked already is the program's business. */
static bool turn_quietly(struct worker *worker, int wait_ms)
{
    const struct timespec at_once = { 0 };
    sigset_t pipe, before;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    bool goes_on = worker_turn(worker, wait_ms);
    if (sigismember(&before, SIGPIPE) == 0) {
        while (sigtimedwait(&pipe, NULL, &at_once) < 0 && errno == EINTR)
            continue;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    return goes_on;
}

static void end(struct driven *driven)
{
    worker_end(driven->worker);
    close(driven->timer_fd);
    driven->worker = NULL;
}

bool driven_turn(struct driven *driven, int wait_ms)
{
    if (driven->worker == NULL)
        return false;
    assert(worker_here(driven->worker) && !driven->turning); /* on its thread, and not from within itself */
    driven->turning = true;
    bool goes_on = turn_quietly(driven->worker, wait_ms);
    if (!goes_on)
        end(driven);
    driven->turning = false;
    if (goes_on)
        driven_arm(driven);
    return goes_on;
}

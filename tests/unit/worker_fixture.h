/* A worker with the toy session on a thread of its own, and clients of it at the other end of socket pairs. */
#ifndef TESTS_UNIT_WORKER_FIXTURE_H
#define TESTS_UNIT_WORKER_FIXTURE_H

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/worker.h"
#include "toy_session.h"

enum { PATIENCE_S = 20 };

struct stage {
    struct worker worker;
    struct worker_settings settings;
    struct session_host host;
};

static inline void toy_hold_gone(struct hold *hold)
{
    (void)hold;
    abort(); /* the blob outlives all */
}

static inline int clear_book(void **state)
{
    (void)state;
    memset(&book, 0, sizeof book);
    hold_init(&toy_hold, toy_hold_gone);
    return 0;
}

/* Not running yet: listeners can be added. */
static inline struct stage *stage_make(const struct worker_settings *settings)
{
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    stage->settings = *settings;
    stage->host.clock = &stage->worker.clock;
    assert_true(worker_init(&stage->worker, &stage->settings, &stage->host));
    return stage;
}

static inline struct stage *stage_begin(const struct worker_settings *settings)
{
    struct stage *stage = stage_make(settings);
    assert_true(worker_start(&stage->worker));
    return stage;
}

/* Every session that began has gone then, and so has what was held for them. */
static inline void stage_free(struct stage *stage)
{
    worker_join(&stage->worker);
    worker_fini(&stage->worker); /* asserts that all memory came back */
    free(stage);
    assert_int_equal(atomic_load(&book.begun), atomic_load(&book.gone));
    assert_int_equal(atomic_load(&toy_hold.count), 1);
}

static inline void stage_end(struct stage *stage)
{
    worker_want(&stage->worker, WORKER_ENDED);
    stage_free(stage);
}

/* ---- On the worker's thread ---- */

struct errand {
    struct letter letter;
    struct worker *worker;
    int fd;
    atomic_bool done;
};

static inline void run_errand(struct stage *stage, struct errand *errand, void (*open)(struct letter *))
{
    errand->letter.open = open;
    errand->worker = &stage->worker;
    mailbox_post(&stage->worker.mailbox, &errand->letter);
    while (!atomic_load(&errand->done))
        usleep(100);
}

static inline void open_conn(struct letter *letter)
{
    struct errand *errand = LINK_OWNER(letter, struct errand, letter);
    conn_open(errand->worker, errand->fd, &(struct sockaddr){ .sa_family = AF_UNIX });
    atomic_store(&errand->done, true);
}

static inline void answer_waiting(struct letter *letter)
{
    static struct exchange exchange;
    struct errand *errand = LINK_OWNER(letter, struct errand, letter);
    struct session *waiting = atomic_exchange(&book.waiting, NULL);
    if (waiting)
        conn_answered(conn_of(waiting), &exchange);
    atomic_store(&errand->done, true);
}

static inline void await(atomic_uint *count, unsigned least)
{
    for (int i = 0; atomic_load(count) < least && i < PATIENCE_S * 1000; i++)
        usleep(1000);
    assert_true(atomic_load(count) >= least);
}

static inline void await_waiting(void)
{
    for (int i = 0; atomic_load(&book.waiting) == NULL && i < PATIENCE_S * 1000; i++)
        usleep(1000);
    assert_non_null(atomic_load(&book.waiting));
}

/* Answers the session that waits, once there is one. */
static inline void stage_answer(struct stage *stage)
{
    struct errand errand = { .fd = -1 };
    await_waiting();
    run_errand(stage, &errand, answer_waiting);
}

/* ---- Clients ---- */

static inline void be_patient(int fd)
{
    struct timeval patience = { .tv_sec = PATIENCE_S };
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
}

static inline int stage_connect(struct stage *stage)
{
    int ends[2], theirs;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    /* Only the worker's end does not block; dup would share that. */
    theirs = ends[0];
    assert_int_equal(fcntl(theirs, F_SETFL, 0), 0);
    be_patient(theirs);
    struct errand errand = { .fd = ends[1] };
    run_errand(stage, &errand, open_conn);
    return theirs;
}

static inline bool try_to_tell(int fd, const char *text)
{
    return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

static inline void tell_bytes(int fd, const char *text, size_t size)
{
    assert_int_equal(send(fd, text, size, MSG_NOSIGNAL), size);
}

static inline void tell(int fd, const char *text)
{
    tell_bytes(fd, text, strlen(text));
}

struct telling {
    int fd;
    const char *text;
};

static inline void *tell_on(void *user)
{
    struct telling telling = *(struct telling *)user;
    free(user);
    try_to_tell(telling.fd, telling.text);
    return NULL;
}

/* Sends more than the socket may hold, while the caller reads. */
static inline pthread_t tell_meanwhile(int fd, const char *text)
{
    pthread_t thread;
    struct telling *telling = malloc(sizeof *telling);
    *telling = (struct telling){ fd, text };
    assert_int_equal(pthread_create(&thread, NULL, tell_on, telling), 0);
    return thread;
}

/* The next bytes are these. */
static inline void expect(int fd, const char *text)
{
    size_t size = strlen(text), used = 0;
    char *got = calloc(1, size + 1);
    for (ssize_t more; used < size && (more = recv(fd, got + used, size - used, 0)) > 0;)
        used += (size_t)more;
    if (used != size || memcmp(got, text, size) != 0)
        fail_msg("\"%.80s\" instead of \"%.80s\"", got, text);
    free(got);
}

/* Reads this many bytes, or to the end; returns how many there were. */
static inline size_t read_off(int fd, size_t size)
{
    static char bytes[65536];
    size_t used = 0;
    for (ssize_t more; used < size; used += (size_t)more) {
        size_t piece = size - used < sizeof bytes ? size - used : sizeof bytes;
        if ((more = recv(fd, bytes, piece, 0)) <= 0)
            break;
    }
    return used;
}

static inline void expect_end(int fd)
{
    char byte;
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
}

#endif

/* rawhttp: the loops, for programs that wait for more than requests. Included by rawhttp.h.
 *
 * Each worker of a server is a thread with a loop: it waits, calls what is ready, and waits again. A request lives on
 * one loop from its head to its end. Here a program has its own calls made there: soon, at a time, or when a
 * descriptor is ready, such as that of a database's connection. Since all calls of one loop are made one after the
 * other, what only they touch needs no lock. None may block.
 *
 *     static void ask(rh_request *request, void *user)     on the loop of the request, as are the others
 *     {
 *         struct question *question = ...;
 *         rh_defer(request);
 *         question->timer = rh_after(rh_loop_of(request), 5000, give_up, question);
 *         question->watcher = rh_watch(rh_loop_of(request), socket, RH_READABLE, read_reply, question);
 *     }
 *
 * Or there is no such thread, and a loop of the program's own drives the server: see "Embedding". */
#ifndef RAWHTTP_LOOP_H
#define RAWHTTP_LOOP_H

#include <rawhttp.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rh_loop rh_loop; /* one worker's loop; valid until rh_server_free */

typedef void rh_call(void *user);

/* The loop on which a request lives. Any thread, as long as it has the request. */
RH_API rh_loop *rh_loop_of(const rh_request *request);

/* The loops of a server, from 0; NULL beyond the last one, and where rh_start has not made them. Any thread. */
RH_API rh_loop *rh_loop_at(const rh_server *server, unsigned index);

/* Has `call` called soon on the loop's thread, in the order of posting. Any thread, also that of the loop: then it is
 * called when the caller has returned. True: it will be called, once, whatever comes; where the loop ends meanwhile,
 * as one of its last acts, after its connections have been closed and before the calls of rh_on_loop. False: no
 * memory, or the loop has ended; it is not called. */
RH_API bool rh_post(rh_loop *loop, rh_call *call, void *user);

/* ---- Timers: on the loop's thread (or an assertion fails) ---------------------------------------------------- */

/* A timer that was set, or, all zero, none: copy it, keep it, or never look at it. It is a name, not the thing:
 * stopping one that has been called, was stopped, or never was, does nothing, so nobody has to keep track. */
typedef struct rh_timer {
    rh_loop *loop;   /* NULL: none */
    uint64_t number; /* never given twice in one loop */
} rh_timer;

/* Calls once in so many milliseconds: never earlier, and about a millisecond later, unless the loop is busy then.
 * `loop` is NULL in what it returns if it could not be set: no memory, 1048576 timers in this loop, or the loop is
 * ending. Timers that are left when the loop ends are not called. */
RH_API rh_timer rh_after(rh_loop *loop, uint32_t ms, rh_call *call, void *user);

/* The same again and again, in so many milliseconds (at least 1) and then at that distance, without drifting; times
 * that a busy loop missed are left out. Stops with rh_timer_stop, or with the loop. */
RH_API rh_timer rh_every(rh_loop *loop, uint32_t ms, rh_call *call, void *user);

/* It is not called any more. Also from within its own call. */
RH_API void rh_timer_stop(rh_timer timer);

/* ---- Descriptors: on the loop's thread (or an assertion fails) ----------------------------------------------- */

typedef struct rh_watcher rh_watcher;

enum { RH_READABLE = 1, RH_WRITABLE = 2 };

/* `events` are those watched for that are there. An error, or an end at the other side, counts as all of them: whoever
 * reads or writes then finds it. */
typedef void rh_ready(void *user, unsigned events);

/* Calls again and again, as long as one of the events is there (level-triggered). The descriptor stays the caller's,
 * and should not block; one watcher for each and loop. NULL, and errno: no memory, EEXIST, EPERM for a file, EINVAL,
 * or ECANCELED: the loop is ending. Stop it before the descriptor is closed: a number that is used again for
 * something else would be taken for that. */
RH_API rh_watcher *rh_watch(rh_loop *loop, int fd, unsigned events, rh_ready *ready, void *user);

/* Watches for these events instead, or for none (0) for a while. False: errno, and it watches as before. */
RH_API bool rh_watch_change(rh_watcher *watcher, unsigned events);

/* It is not called any more and must not be used again. Once for each, also from within a call; those left are
 * stopped when the loop has ended. NULL does nothing. */
RH_API void rh_watch_stop(rh_watcher *watcher);

/* ---- What belongs to a loop ---------------------------------------------------------------------------------- */

typedef void rh_loop_call(rh_loop *loop, void *user);

/* For what every loop has one of, as a connection to a database: `begin` is called on each loop's thread before its
 * first request, `end` after its last one and all else, when its connections have been closed. Either may be NULL.
 * Several are begun in the order in which they were added, and ended the other way round. Both may block. Only what
 * began is ended. A deferred request that `end` still finds is to be completed there. Before rh_start; later it is -1
 * and changes nothing. 0, or -1: no memory, which rh_error and rh_start say, too. */
RH_API int rh_on_loop(rh_server *server, rh_loop_call *begin, rh_loop_call *end, void *user);

/* A pointer of the program's for each loop and key, NULL until it is set. The key is any address that is the
 * program's own, so that parts of a program do not meet; up to 16 keys in a loop. False: there are too many. On the
 * loop's thread. */
RH_API bool rh_loop_set(rh_loop *loop, const void *key, void *value);
RH_API void *rh_loop_get(const rh_loop *loop, const void *key);

/* ---- When the client goes away -------------------------------------------------------------------------------- */

/* Has `call` called once on the loop's thread, if the client goes away (see rh_gone) while the request is deferred, so
 * that what is done for it can be cancelled; completing it stays the owner's duty. In the handler, before or after
 * rh_defer, or later in a call on the loop's thread; another one replaces it. False: the client has gone already, and
 * it is not called.
 *
 * It is not called after rh_complete. Where another thread completes, the call may be under way at that moment, so what
 * `user` points to must outlive that: take it from rh_memory, or have it freed by rh_on_end, or by rh_post to this loop
 * after rh_complete. */
RH_API bool rh_on_gone(rh_request *request, rh_call *call, void *user);

/* ---- Embedding ------------------------------------------------------------------------------------------------ */

/* With rh_options.embedded rh_start starts no worker: the program runs the one loop itself, on the thread that has
 * called rh_start, where all handlers and calls are made then. Background work, the log and the watching of files
 * keep threads of their own, which block all signals. Several embedded servers can live in one loop of the program's.
 *
 *     while (rh_poll(server, -1) == 1) ;           which is what rh_run and rh_wait do with such a server
 *
 *     wait until rh_fd(server) is readable;        or, in a loop of the program's
 *     if (rh_poll(server, 0) != 1) forget it;
 *
 * What other threads publish (a page that has changed) waits for the next turn and never holds up the program.
 * Deferred requests must be completed before rh_server_free, or by what it calls: rh_on_gone or the end of
 * rh_on_loop. */

/* A descriptor that is readable whenever rh_poll has something to do: for poll, epoll or a library's loop, and for
 * nothing else. -1: not embedded, or not started. */
RH_API int rh_fd(const rh_server *server);

/* One turn of the loop: waits up to timeout_ms (0: not at all, -1: until there is something to do, a minute at most)
 * and does what there is to do. A signal ends the waiting. 1; 0 when the server has ended (rh_drain, rh_stop), and
 * from then on; -1: not embedded, or not started. Not from within a call of the same server. */
RH_API int rh_poll(rh_server *server, int timeout_ms);

#ifdef __cplusplus
}
#endif

#endif

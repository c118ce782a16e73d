/* The public calls for what a program has on the loops beside requests. A loop is its worker; what is called there
 * and when is net's (alarms, foreign), and how others reach it base's (mailbox). */
#include "server/server.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

_Static_assert((int)RH_READABLE == FOREIGN_READABLE && (int)RH_WRITABLE == FOREIGN_WRITABLE, "passed on as they are");

static struct server_worker *worker_of(const rh_loop *loop)
{
    return (struct server_worker *)loop;
}

/* The loop's worker, for what can be called on its thread only. */
static struct server_worker *worker_here_of(const rh_loop *loop)
{
    struct server_worker *worker = worker_of(loop);
    assert(worker_here(&worker->net));
    return worker;
}

rh_loop *rh_loop_of(const rh_request *request)
{
    return (rh_loop *)exchange_worker((const struct exchange *)request);
}

rh_loop *rh_loop_at(const rh_server *server, unsigned index)
{
    bool there = server != NULL && index < atomic_load(&server->workers_live);
    return there ? (rh_loop *)&server->workers[index] : NULL;
}

/* ---- Posting ------------------------------------------------------------------------------------------------ */

struct posted {
    struct letter letter;
    rh_call *call;
    void *user;
};

static void open_posted(struct letter *letter)
{
    struct posted posted = *(struct posted *)letter;
    free(letter);
    posted.call(posted.user);
}

bool rh_post(rh_loop *loop, rh_call *call, void *user)
{
    struct posted *posted = malloc(sizeof *posted);
    if (posted == NULL)
        return false;
    *posted = (struct posted){ { .open = open_posted }, call, user };
    if (mailbox_offer(&worker_of(loop)->net.mailbox, &posted->letter))
        return true;
    free(posted);
    return false;
}

/* ---- Timers ------------------------------------------------------------------------------------------------- */

/* A turn re-arms the timer of an embedded loop at its end, but the program may call between two. */
static void look_again(struct server_worker *worker)
{
    if (worker->server->driven.worker != NULL)
        driven_arm(&worker->server->driven);
}

/* The clock's reading is rounded down, so a millisecond more is never too early. */
static rh_timer set_timer(rh_loop *loop, uint32_t ms, uint32_t every_ms, rh_call *call, void *user)
{
    struct server_worker *worker = worker_here_of(loop);
    if (worker->net.state == WORKER_ENDED)
        return (rh_timer){ NULL, 0 };
    uint64_t number = alarms_add(&worker->net.alarms, clock_fine_ms() + ms + 1, every_ms, call, user);
    look_again(worker);
    return (rh_timer){ number != 0 ? loop : NULL, number };
}

rh_timer rh_after(rh_loop *loop, uint32_t ms, rh_call *call, void *user)
{
    return set_timer(loop, ms, 0, call, user);
}

rh_timer rh_every(rh_loop *loop, uint32_t ms, rh_call *call, void *user)
{
    uint32_t every_ms = ms > 0 ? ms : 1;
    return set_timer(loop, every_ms, every_ms, call, user);
}

void rh_timer_stop(rh_timer timer)
{
    if (timer.loop != NULL)
        alarms_cancel(&worker_here_of(timer.loop)->net.alarms, timer.number);
}

/* ---- Descriptors -------------------------------------------------------------------------------------------- */

rh_watcher *rh_watch(rh_loop *loop, int fd, unsigned events, rh_ready *ready, void *user)
{
    struct server_worker *worker = worker_here_of(loop);
    if (worker->net.state != WORKER_ENDED)
        return (rh_watcher *)foreign_watch(&worker->net, fd, events, ready, user);
    errno = ECANCELED;
    return NULL;
}

bool rh_watch_change(rh_watcher *watcher, unsigned events)
{
    struct foreign *foreign = (struct foreign *)watcher;
    assert(worker_here(foreign->worker));
    return foreign_change(foreign, events);
}

void rh_watch_stop(rh_watcher *watcher)
{
    struct foreign *foreign = (struct foreign *)watcher;
    if (foreign == NULL)
        return;
    assert(worker_here(foreign->worker));
    foreign_stop(foreign);
}

/* ---- What belongs to a loop --------------------------------------------------------------------------------- */

static struct loop_hook *hook_of(struct link *link)
{
    return LINK_OWNER(link, struct loop_hook, link);
}

int rh_on_loop(rh_server *server, rh_loop_call *begin, rh_loop_call *end, void *user)
{
    if (server == NULL || server_was_started(server, "rh_on_loop"))
        return -1;
    struct loop_hook *hook = malloc(sizeof *hook);
    if (hook == NULL) {
        server_fail(server, "out of memory");
        return -1;
    }
    *hook = (struct loop_hook){ .begin = begin, .end = end, .user = user };
    list_append(&server->loop_hooks, &hook->link);
    return 0;
}

static void begin(struct worker *net)
{
    struct server_worker *worker = LINK_OWNER(net, struct server_worker, net);
    struct link *hooks = &worker->server->loop_hooks;
    for (struct link *link = hooks->next; link != hooks; link = link->next)
        if (hook_of(link)->begin != NULL)
            hook_of(link)->begin((rh_loop *)worker, hook_of(link)->user);
}

static void end(struct worker *net)
{
    struct server_worker *worker = LINK_OWNER(net, struct server_worker, net);
    struct link *hooks = &worker->server->loop_hooks;
    for (struct link *link = hooks->prev; link != hooks; link = link->prev)
        if (hook_of(link)->end != NULL)
            hook_of(link)->end((rh_loop *)worker, hook_of(link)->user);
}

void loops_init(struct worker *worker)
{
    worker->begin = begin;
    worker->end = end;
}

void loops_free_hooks(rh_server *server)
{
    struct link *hooks = &server->loop_hooks;
    for (struct link *link = hooks->next, *next; link != hooks; link = next) {
        next = link->next;
        free(hook_of(link));
    }
    list_init(hooks);
}

static struct loop_value *find_value(struct server_worker *worker, const void *key)
{
    for (unsigned i = 0; i < worker->value_count; i++)
        if (worker->values[i].key == key)
            return &worker->values[i];
    return NULL;
}

bool rh_loop_set(rh_loop *loop, const void *key, void *value)
{
    struct server_worker *worker = worker_here_of(loop);
    struct loop_value *found = find_value(worker, key);
    if (found == NULL && worker->value_count == LOOP_VALUES_MAX)
        return false;
    if (found == NULL)
        found = &worker->values[worker->value_count++];
    *found = (struct loop_value){ key, value };
    return true;
}

void *rh_loop_get(const rh_loop *loop, const void *key)
{
    const struct loop_value *found = find_value(worker_here_of(loop), key);
    return found != NULL ? found->value : NULL;
}

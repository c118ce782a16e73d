/* Paths behind basic authentication (RFC 7617): a request gets in at once where its credentials were right a moment
 * ago, else it waits until they have been checked, on threads of their own, so that hashes which are slow on purpose
 * never starve the loading of pages.
 *
 * It knows neither which rule holds for a path nor what is behind it: who is let in is handed back. */
#ifndef SERVER_GUARD_H
#define SERVER_GUARD_H

#include "serve/password_file.h"
#include "serve/rules.h"
#include "server/server.h"

enum {
    GUARD_THREADS = 2,
    GUARD_CHECKS_MAX = 64 /* that wait or are under way, in a server: beyond it 503 */
};

/* Of a server: where passwords are checked. */
struct guard_pool {
    struct qsbr *qsbr;
    const struct log *log;
    struct background *threads; /* NULL: nothing is guarded */
    atomic_uint checks;
};

void guard_pool_init(struct guard_pool *pool, struct qsbr *qsbr, const struct log *log);

/* Workers have ended, and the background threads too, which hand checks on to these; those that deferred_await waits
 * for are then on their way home. */
void guard_pool_fini(struct guard_pool *pool);

/* A path's guard: one for each password file, so that a rule for "/a/" and one for "/b/" with the same file ask for a
 * password once. */
struct guard;

/* Those of a virtual host. */
struct guards;

/* One for each file that the rules, which may be NULL, name. `*guards` is NULL where they name none. False: `why`,
 * which begins with the path of the rule; there is a file that cannot be used, or no memory or threads. */
bool guards_new(struct guards **guards, struct guard_pool *pool, const struct rules *rules, struct why why)
    __attribute__((warn_unused_result));
void guards_free(struct guards *guards); /* the pool's threads have ended */

/* That of rule->basic_auth, or NULL where that names no file. */
struct guard *guards_find(const struct guards *guards, struct slice file);

/* True: the exchange, which has no response yet, may go on. False: it has been answered, 401 or 503, or is deferred.
 * Then, once the credentials have been found right, `go_on` is called on its worker, in a later turn. It may answer,
 * defer it again, or dispatch it as if it had just come in: its guard admits it then. Its head may be moved meanwhile,
 * so nobody may keep slices of it. */
bool guard_admit(struct exchange *exchange, struct guard *guard, void (*go_on)(struct exchange *exchange));

/* For a request whose body has still to come: true where it has no credentials at all, and has been answered. It is
 * never deferred. */
bool guard_refuse(struct exchange *exchange, const struct guard *guard);

#endif

/* A connection to PostgreSQL for each loop: libpq does the work, rh_watch says when. */
#include "pg.h"

#include <stdlib.h>

/* Lies in the memory of its request. */
struct query {
    struct query *next;
    rh_request *request;
    struct database *database;
    const char *sql, *parameter;
    pg_answer *answer;
    bool gone;
};

struct database {
    rh_loop *loop;
    const char *where;
    PGconn *connection; /* NULL until there is a query */
    rh_watcher *watcher;
    bool connected, sent; /* the first query is under way */
    struct query *first, **last;
};

static const char key; /* under which a loop has its database */

static void finish(struct database *database)
{
    rh_request *request = database->first->request;
    database->first = database->first->next;
    if (database->first == NULL)
        database->last = &database->first;
    database->sent = false;
    rh_complete(request);
}

static void disconnect(struct database *database)
{
    rh_watch_stop(database->watcher); /* before libpq closes its descriptor */
    PQfinish(database->connection);
    database->watcher = NULL;
    database->connection = NULL;
    database->connected = database->sent = false;
}

static void give_up(struct database *database)
{
    for (disconnect(database); database->first != NULL; finish(database))
        rh_fail(database->first->request, 503, "the database cannot be reached");
}

/* What has come, and what is to be sent next. False: the connection is broken. */
static bool work(struct database *database)
{
    PGconn *connection = database->connection;
    bool works = PQconsumeInput(connection);
    for (struct query *query; works && (query = database->first) != NULL && !PQisBusy(connection);) {
        PGresult *result = database->sent ? PQgetResult(connection) : NULL;
        if (result != NULL)
            query->answer(query->request, result);
        else if (database->sent || query->gone)
            finish(database); /* there are no more results */
        else
            works = database->sent =
                PQsendQueryParams(connection, query->sql, 1, NULL, &query->parameter, NULL, NULL, 0);
        PQclear(result);
    }
    int unsent = works ? PQflush(connection) : -1;
    return unsent >= 0 && rh_watch_change(database->watcher, RH_READABLE | (unsent > 0 ? RH_WRITABLE : 0));
}

static void go_on(void *user, unsigned events);

static bool go_on_connecting(struct database *database)
{
    PGconn *connection = database->connection;
    rh_watch_stop(database->watcher); /* libpq may close its descriptor now, and open another one */
    PostgresPollingStatusType next = PQconnectPoll(connection);
    database->connected = next == PGRES_POLLING_OK && PQsetnonblocking(connection, 1) == 0;
    unsigned wanted = next == PGRES_POLLING_WRITING ? RH_WRITABLE : RH_READABLE;
    database->watcher = rh_watch(database->loop, PQsocket(connection), wanted, go_on, database);
    bool works = next != PGRES_POLLING_FAILED && database->watcher != NULL;
    return works && (!database->connected || work(database));
}

static void go_on(void *user, unsigned events)
{
    struct database *database = user;
    (void)events;
    if (!(database->connected ? work(database) : go_on_connecting(database)))
        give_up(database);
}

/* Who closes a connection has the database end its query, if it is told to look for that. */
static void connect_to(struct database *database)
{
    const char *const names[] = { "dbname", "options", NULL };
    const char *const values[] = { database->where, "-c client_connection_check_interval=200", NULL };
    database->connection = PQconnectStartParams(names, values, 1);
    if (PQstatus(database->connection) != CONNECTION_BAD)
        database->watcher = rh_watch(database->loop, PQsocket(database->connection), RH_WRITABLE, go_on, database);
    if (database->watcher == NULL)
        give_up(database);
}

static void cancel(void *user)
{
    struct query *query = user;
    query->gone = true; /* when it is its turn, it is passed over */
    if (query->database->sent && query->database->first == query) {
        disconnect(query->database);
        connect_to(query->database);
    }
}

void pg_query(rh_request *request, const char *sql, const char *parameter, pg_answer *answer)
{
    struct database *database = rh_loop_get(rh_loop_of(request), &key);
    struct query *query = rh_memory(request, sizeof *query);
    if (database == NULL || query == NULL || parameter == NULL) {
        rh_fail(request, 503, NULL);
        return;
    }
    *query = (struct query){ NULL, request, database, sql, parameter, answer, false };
    rh_defer(request);
    rh_on_gone(request, cancel, query);
    *database->last = query;
    database->last = &query->next;
    if (database->connection == NULL)
        connect_to(database);
    else if (database->connected && !database->sent)
        go_on(database, 0);
}

void pg_begin(rh_loop *loop, void *where)
{
    struct database *database = calloc(1, sizeof *database);
    if (database != NULL && rh_loop_set(loop, &key, database))
        *database = (struct database){ .loop = loop, .where = where, .last = &database->first };
}

void pg_end(rh_loop *loop, void *where)
{
    struct database *database = rh_loop_get(loop, &key);
    (void)where;
    if (database != NULL)
        give_up(database);
    free(database);
}

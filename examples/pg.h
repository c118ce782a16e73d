/* Queries to PostgreSQL that do not block: a connection for each loop. See postgres.c, which uses it. */
#ifndef EXAMPLES_PG_H
#define EXAMPLES_PG_H

#include <libpq-fe.h>
#include <rawhttp.h>

/* For rh_on_loop, with a connection string. */
void pg_begin(rh_loop *loop, void *where);
void pg_end(rh_loop *loop, void *where);

/* Answers the request from what the database says. */
typedef void pg_answer(rh_request *request, const PGresult *result);

/* Defers the request, has `sql` run with `parameter` for its $1, then `answer` called and the request completed. Both
 * texts must live as long as the request; it is a 503 if `parameter` is NULL or the database cannot be reached. One
 * after the other for each loop. If the client goes away, the query is cancelled, for which the connection is closed.
 *  */
void pg_query(rh_request *request, const char *sql, const char *parameter, pg_answer *answer);

#endif

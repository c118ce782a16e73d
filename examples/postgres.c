/* Notes in PostgreSQL, asked without blocking: no thread waits for the database, so a few serve any number of clients.
 * pg.c has the connection that each loop has.
 *
 *     ./dev build && build/examples/postgres dbname=postgres
 *
 *     curl -d 'Buy milk' http://localhost:8080/notes
 *     curl http://localhost:8080/notes
 *     curl http://localhost:8080/sleep/60       Ctrl+C here ends the query there
 */
#include <rawhttp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg.h"

static const char schema[] =
    "SET client_min_messages = warning;"
    "CREATE TABLE IF NOT EXISTS notes (id serial PRIMARY KEY, text text NOT NULL)";

static void answer(rh_request *request, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        bool bad_value = state != NULL && strncmp(state, "22", 2) == 0;
        rh_fail(request, bad_value ? 400 : 500, bad_value ? "that is no value for the database" : NULL);
        return;
    }
    rh_json_array(request, NULL);
    for (int row = 0; row < PQntuples(result); row++) {
        rh_json_object(request, NULL);
        rh_json_int(request, "id", atoi(PQgetvalue(result, row, 0)));
        rh_json_text(request, "text", PQgetvalue(result, row, 1));
        rh_json_end(request);
    }
    rh_json_end(request);
    rh_json_send(request);
}

/* As libpq wants it; NULL without memory. */
static const char *text_of(rh_request *request, rh_slice slice)
{
    char *text = rh_memory(request, slice.size + 1);
    return text != NULL && slice.size > 0 ? memcpy(text, slice.data, slice.size) : text;
}

static void list_notes(rh_request *request, void *user)
{
    (void)user;
    pg_query(request, "SELECT id, text FROM notes WHERE text LIKE '%' || $1 || '%' ORDER BY id LIMIT 1000",
             text_of(request, rh_query(request, "with")), answer);
}

static void add_note(rh_request *request, void *user)
{
    rh_slice text = rh_body(request);
    (void)user;
    if (text.size == 0 || memchr(text.data, '\0', text.size) != NULL) {
        rh_fail(request, 400, "send the text of a note");
        return;
    }
    rh_status(request, 201);
    pg_query(request, "INSERT INTO notes (text) VALUES ($1) RETURNING id, text", text_of(request, text), answer);
}

static void doze(rh_request *request, void *user)
{
    (void)user;
    pg_query(request, "SELECT 0, 'slept' FROM pg_sleep($1::float8)",
             text_of(request, rh_param(request, "seconds")), answer);
}

static bool prepare(const char *where)
{
    PGconn *connection = PQconnectdb(where);
    PGresult *result = PQexec(connection, schema);
    bool prepared = PQresultStatus(result) == PGRES_COMMAND_OK;
    if (!prepared)
        fprintf(stderr, "postgres: %s", PQerrorMessage(connection));
    PQclear(result);
    PQfinish(connection);
    return prepared;
}

/* The library leaves signals to the program. Blocked before the server starts, so that its threads inherit that, Ctrl+C
 * and SIGTERM wait for wait_for_end. */
static void block_ends(sigset_t *ends)
{
    sigemptyset(ends);
    sigaddset(ends, SIGINT);
    sigaddset(ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, ends, NULL);
}

static void wait_for_end(rh_server *server, const sigset_t *ends)
{
    int number;
    sigwait(ends, &number);
    pthread_sigmask(SIG_UNBLOCK, ends, NULL); /* the next one is at once */
    rh_drain(server);
    rh_wait(server);
}

int main(int count, char **arguments)
{
    static char standard[] = "dbname=postgres", *where = standard;
    const char *listen = getenv("LISTEN");
    sigset_t ends;
    if (count > 1)
        where = arguments[1];
    if (!prepare(where))
        return 1;
    rh_server *server = rh_server_new((rh_options){
        .listen = listen ? listen : "localhost:8080", .workers = 2, .log = rh_log_stderr });
    rh_on_loop(server, pg_begin, pg_end, where);
    rh_route(server, "GET /notes", list_notes, NULL);
    rh_route(server, "POST /notes", add_note, NULL);
    rh_route(server, "GET /sleep/{seconds}", doze, NULL);
    block_ends(&ends);
    int status = rh_start(server);
    if (status == 0) {
        fprintf(stderr, "postgres: serving http://localhost:%u/notes; Ctrl+C stops\n", rh_port(server));
        wait_for_end(server, &ends);
    }
    rh_server_free(server);
    return status == 0 ? 0 : 1;
}

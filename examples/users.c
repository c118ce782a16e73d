/* A small API over an SQLite file, beside a folder of pages. SQLite may block, so each handler hands its work to a
 * background thread, which answers.
 *
 *     ./dev build && build/examples/users users.db examples/site
 *
 *     curl http://localhost:8080/api/getusers
 *     curl http://localhost:8080/api/users/1
 *     curl -d '{"name": "Grace Hopper", "email": "grace@example.org"}' http://localhost:8080/api/users
 */
#include <rawhttp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE);"
    "INSERT INTO users (name, email) SELECT column1, column2 FROM (VALUES"
    " ('Ada Lovelace', 'ada@example.org'), ('Alan Turing', 'alan@example.org'),"
    " ('Katherine Johnson', 'katherine@example.org'))"
    " WHERE NOT EXISTS (SELECT 1 FROM users);";

static sqlite3_stmt *prepare(rh_request *request, sqlite3 *database, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK)
        rh_fail(request, 500, "the database could not be read");
    return statement;
}

static void add_user(rh_request *request, sqlite3_stmt *row)
{
    rh_json_add(request, "{\"id\":%lld,\"name\":%s,\"email\":%s}", (long long)sqlite3_column_int64(row, 0),
                (const char *)sqlite3_column_text(row, 1), (const char *)sqlite3_column_text(row, 2));
}

static void list_users(rh_request *request, void *database)
{
    sqlite3_stmt *statement = prepare(request, database, "SELECT id, name, email FROM users ORDER BY id LIMIT 1000");
    if (statement == NULL)
        return;
    const char *separator = "";
    int step;
    rh_json_add(request, "{\"users\":[");
    for (; (step = sqlite3_step(statement)) == SQLITE_ROW; separator = ",") {
        rh_json_add(request, "%j", separator);
        add_user(request, statement);
    }
    sqlite3_finalize(statement);
    if (step != SQLITE_DONE) {
        rh_fail(request, 500, "the database could not be read");
        return;
    }
    rh_json_add(request, "]}");
    rh_json_send(request);
}

static void show_user(rh_request *request, void *database)
{
    int64_t id;
    if (!rh_slice_int(rh_param(request, "id"), &id)) {
        rh_fail(request, 400, "a user's id is a number");
        return;
    }
    sqlite3_stmt *statement = prepare(request, database, "SELECT id, name, email FROM users WHERE id = ?1");
    if (statement == NULL)
        return;
    sqlite3_bind_int64(statement, 1, id);
    if (sqlite3_step(statement) == SQLITE_ROW) {
        add_user(request, statement);
        rh_json_send(request);
    } else {
        rh_fail(request, 404, "there is no user with this id");
    }
    sqlite3_finalize(statement);
}

/* SQLite reads the JSON; RETURNING gives the new row, so that two requests at once cannot get each other's. */
static void create_user(rh_request *request, void *database)
{
    static const char sql[] =
        "INSERT INTO users (name, email) SELECT json_extract(?1, '$.name'), json_extract(?1, '$.email')"
        " WHERE json_valid(?1) AND json_type(?1, '$.name') = 'text' AND json_type(?1, '$.email') = 'text'"
        " RETURNING id, name, email";
    sqlite3_stmt *statement = prepare(request, database, sql);
    if (statement == NULL)
        return;
    rh_slice body = rh_body(request);
    sqlite3_bind_text(statement, 1, body.data ? body.data : "", (int)body.size, SQLITE_STATIC);
    int step = sqlite3_step(statement);
    if (step == SQLITE_ROW) {
        char location[64];
        snprintf(location, sizeof location, "/api/users/%lld", (long long)sqlite3_column_int64(statement, 0));
        rh_status(request, 201);
        rh_set(request, "Location", location);
        add_user(request, statement);
        rh_json_send(request);
    } else if (step == SQLITE_CONSTRAINT) {
        rh_fail(request, 409, "there is a user with this email already");
    } else if (step == SQLITE_DONE) {
        rh_fail(request, 400, "send {\"name\": \"...\", \"email\": \"...\"}");
    } else {
        rh_fail(request, 500, "the database could not be written");
    }
    sqlite3_finalize(statement);
}

/* Each route's user pointer says what to do in the background, and with which database. */
struct task {
    rh_handler *work;
    sqlite3 *database;
};

static void in_background(rh_request *request, void *user)
{
    const struct task *task = user;
    rh_background(request, task->work, task->database);
}

/* The library leaves signals to the program. Blocked before the server starts, so that its threads inherit that, Ctrl+C
 * and SIGTERM wait for serve() below. */
static sigset_t block_ends(void)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    return ends;
}

/* Until told to end; what has been asked until then is still answered, unless one is told twice. */
static void serve(rh_server *server, const sigset_t *ends)
{
    int number;
    sigwait(ends, &number);
    pthread_sigmask(SIG_UNBLOCK, ends, NULL);
    rh_drain(server);
    rh_wait(server);
}

int main(int count, char **arguments)
{
    const char *file = count > 1 ? arguments[1] : "users.db", *root = count > 2 ? arguments[2] : NULL;
    const char *listen = getenv("LISTEN");
    sqlite3 *database;
    if (sqlite3_open(file, &database) != SQLITE_OK || sqlite3_busy_timeout(database, 5000) != SQLITE_OK ||
        sqlite3_exec(database, schema, NULL, NULL, NULL) != SQLITE_OK) {
        fprintf(stderr, "users: %s: %s\n", file, sqlite3_errmsg(database));
        return 1;
    }
    struct task list = { list_users, database }, show = { show_user, database }, create = { create_user, database };
    rh_server *server = rh_server_new((rh_options){
        .listen = listen ? listen : "localhost:8080", .root = root, .access_log = "-", .log = rh_log_stderr });
    rh_route(server, "GET /api/getusers", in_background, &list);
    rh_route(server, "GET /api/users/{id}", in_background, &show);
    rh_route(server, "POST /api/users", in_background, &create);
    const sigset_t ends = block_ends();
    int status = rh_start(server);
    if (status == 0) {
        fprintf(stderr, "users: serving http://localhost:%u/ and its /api/getusers; Ctrl+C stops\n", rh_port(server));
        serve(server, &ends);
    }
    rh_server_free(server);
    sqlite3_close(database);
    return status == 0 ? 0 : 1;
}

/* A small API over an SQLite file, beside a folder of pages. SQLite may block, so each handler hands its work to a
 * background thread, which answers. It is a module for rawhttpd; with alone.c around it, a program of its own.
 *
 *     ./dev build && build/rawhttpd --module "build/examples/users.so users.db" examples/site
 *     ./dev build && build/examples/users users.db examples/site
 *
 *     curl http://localhost:8080/api/getusers
 *     curl http://localhost:8080/api/users/1
 *     curl -d '{"name": "Grace Hopper", "email": "grace@example.org"}' http://localhost:8080/api/users
 */
#include <rawhttp.h>
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

static void list_users_behind(rh_request *request, void *database)
{
    rh_background(request, list_users, database);
}

static void show_user_behind(rh_request *request, void *database)
{
    rh_background(request, show_user, database);
}

static void create_user_behind(rh_request *request, void *database)
{
    rh_background(request, create_user, database);
}

static void end(void *database)
{
    sqlite3_close(database);
}

static int begin(rh_server *server, const char *settings, void **user)
{
    const char *file = *settings ? settings : "users.db";
    sqlite3 *database;
    bool opened = sqlite3_open(file, &database) == SQLITE_OK && sqlite3_busy_timeout(database, 5000) == SQLITE_OK &&
                  sqlite3_exec(database, schema, NULL, NULL, NULL) == SQLITE_OK;
    *user = database;
    if (!opened)
        return rh_module_refuse(server, "%s: %s", file, sqlite3_errmsg(database));
    rh_route(server, "GET /api/getusers", list_users_behind, database);
    rh_route(server, "GET /api/users/{id}", show_user_behind, database);
    return rh_route(server, "POST /api/users", create_user_behind, database);
}

const rh_module rawhttp_module = { .abi = RH_ABI, .size = sizeof(rh_module), .name = "users", .version = "1.0",
                                   .begin = begin, .end = end };

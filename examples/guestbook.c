/* A guest book: a form that works without scripts, entries in SQLite, and other open pages that show a new entry at
 * once, told by server-sent events. Its style and script are pages beside the routes.
 *
 *     ./dev build && build/examples/guestbook guestbook.db examples/guestbook     and open http://localhost:8080/
 */
#include <ctype.h>
#include <rawhttp.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

/* The form counts 50 and 1000 UTF-16 units, as browsers do; none takes more than 3 bytes. */
enum { NAME_MAX_BYTES = 150, TEXT_MAX_BYTES = 3000 };

/* The trigger is the limit of the book. */
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, text TEXT NOT NULL,"
    " at TEXT NOT NULL DEFAULT (datetime('now')));"
    "CREATE TRIGGER IF NOT EXISTS forget AFTER INSERT ON entries"
    " BEGIN DELETE FROM entries WHERE id <= new.id - 10000; END;";

static const char page_begin[] =
    "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
    "<title>Guest book</title><link rel=icon href=data:,><link rel=stylesheet href=/style.css>"
    "<script src=/script.js defer></script><h1>Guest book</h1>"
    "<form method=post action=/sign><label>Your name <input name=name maxlength=50 required></label>"
    "<label>Your words <textarea name=text maxlength=1000 rows=4 required></textarea></label>"
    "<button>Sign</button></form>"
    "<ol id=entries reversed aria-live=polite>";

struct book {
    sqlite3 *database;
    rh_topic *readers; /* pages that are open: they are told that there is something new, and load it */
};

/* The newest first. %s escapes, so what a guest wrote is never markup. False: they cannot be read. */
static bool add_entries(rh_request *request, const struct book *book)
{
    static const char sql[] = "SELECT name, text, at FROM entries ORDER BY id DESC LIMIT 100";
    sqlite3_stmt *row = NULL;
    int step;
    sqlite3_prepare_v2(book->database, sql, -1, &row, NULL);
    while ((step = sqlite3_step(row)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(row, 0), *text = (const char *)sqlite3_column_text(row, 1);
        const char *at = (const char *)sqlite3_column_text(row, 2);
        rh_html_add(request, "<li><p>%s</p><cite>%s</cite> <time datetime='%sZ'>%s UTC</time></li>\n", text, name,
                    at, at);
    }
    sqlite3_finalize(row);
    return step == SQLITE_DONE;
}

static void show_page(rh_request *request, void *book)
{
    rh_html_add(request, "%h", page_begin);
    if (!add_entries(request, book)) {
        rh_fail(request, 500, "the book cannot be read");
        return;
    }
    rh_html_add(request, "</ol></html>\n");
    rh_set(request, "Content-Security-Policy", "default-src 'self'; img-src data:; form-action 'self'");
    rh_html_send(request);
}

static bool is_filled_in(rh_slice value, size_t max)
{
    size_t blank = 0;
    while (blank < value.size && isspace((unsigned char)value.data[blank]))
        blank++;
    return blank < value.size && value.size <= max && rh_slice_is_text(value);
}

static bool insert(const struct book *book, rh_slice name, rh_slice text)
{
    sqlite3_stmt *entry = NULL;
    sqlite3_prepare_v2(book->database, "INSERT INTO entries (name, text) VALUES (?1, ?2)", -1, &entry, NULL);
    sqlite3_bind_text(entry, 1, name.data, (int)name.size, SQLITE_STATIC);
    sqlite3_bind_text(entry, 2, text.data, (int)text.size, SQLITE_STATIC);
    bool inserted = sqlite3_step(entry) == SQLITE_DONE;
    sqlite3_finalize(entry);
    return inserted;
}

/* After a POST comes a redirect, so that to reload the page signs nothing twice. */
static void sign(rh_request *request, void *user)
{
    struct book *book = user;
    rh_slice name = rh_form(request, "name"), text = rh_form(request, "text");
    if (rh_slice_is(rh_field(request, "Sec-Fetch-Site"), "cross-site")) {
        rh_fail(request, 403, "sign on the page of the book itself");
    } else if (!is_filled_in(name, NAME_MAX_BYTES) || !is_filled_in(text, TEXT_MAX_BYTES)) {
        rh_fail(request, 422, "a name of up to 50 characters is needed, and up to 1000 of text");
    } else if (!insert(book, name, text)) {
        rh_fail(request, 500, "the book cannot be written");
    } else {
        rh_topic_send(book->readers, RH_TEXT, "new", 3);
        rh_redirect(request, 303, "/");
    }
}

static void events(rh_request *request, void *user)
{
    struct book *book = user;
    rh_topic_events(book->readers, request);
}

/* SQLite may block. What a route does in the background, and with which book: */
struct task {
    rh_handler *work;
    struct book *book;
};

static void in_background(rh_request *request, void *user)
{
    const struct task *task = user;
    rh_background(request, task->work, task->book);
}

static bool open_book(struct book *book, const char *file)
{
    bool opened = sqlite3_open(file, &book->database) == SQLITE_OK &&
                  sqlite3_busy_timeout(book->database, 5000) == SQLITE_OK &&
                  sqlite3_exec(book->database, schema, NULL, NULL, NULL) == SQLITE_OK;
    if (!opened)
        fprintf(stderr, "guestbook: %s: %s\n", file, sqlite3_errmsg(book->database));
    return opened;
}

int main(int count, char **words)
{
    const char *root = count > 2 ? words[2] : "examples/guestbook";
    struct book book;
    bool opened = open_book(&book, count > 1 ? words[1] : "guestbook.db");
    struct task page = { show_page, &book }, post = { sign, &book };
    rh_server *server = rh_server_new((rh_options){ .listen = getenv("LISTEN"), .root = root, .log = rh_log_stderr });
    book.readers = rh_topic_new(server, (rh_topic_options){ 0 });
    rh_use_rate_limit(server, "/sign", (rh_rate_limit_options){ .requests = 10, .per_s = 60 });
    rh_route(server, "GET /", in_background, &page);
    rh_route(server, "POST /sign", in_background, &post);
    rh_route(server, "GET /events", events, &book);
    bool started = opened && rh_start(server) == 0;
    if (started)
        fprintf(stderr, "guestbook: http://localhost:%u/\n", rh_port(server));
    rh_wait(server);
    rh_topic_free(book.readers);
    rh_server_free(server);
    sqlite3_close(book.database);
    return started ? 0 : 1;
}

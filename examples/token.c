/* Notes behind a token: a JSON API, and before it, as middleware, what every request needs: a name, a line in the log,
 * a word to browsers of other origins, a limit for each client, the token.
 *
 *     ./dev build && TOKENS="ada:sesame alan:enigma" build/examples/token
 *
 *     curl -H "Authorization: Bearer sesame" -d "text=Buy milk" http://localhost:8080/api/notes
 *     curl -H "Authorization: Bearer sesame" http://localhost:8080/api/notes
 */
#include <pthread.h>
#include <rawhttp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USERS_MAX = 16, NOTES_MAX = 1000, TEXT_MAX = 200 };

struct user {
    const char *name, *token;
};

struct note {
    const struct user *owner;
    char text[TEXT_MAX + 1];
};

/* What the handlers work on, several of them at a time: each worker is a thread. */
struct app {
    struct user users[USERS_MAX];
    size_t user_count;
    pthread_mutex_t lock; /* of what follows; held for a moment, so a handler may wait for it */
    size_t note_count;
    struct note notes[NOTES_MAX];
};

static const char user_key; /* its address is the key under which a request carries its user */

static void tell(rh_request *request, const rh_end *end, void *program)
{
    const struct user *user = rh_attached(request, &user_key);
    rh_slice id = rh_request_id_of(request), path = rh_path(request);
    fprintf(stderr, "%s: %.*s %s %.*s: %u, %llu ms\n", (char *)program, (int)id.size, id.data,
            user != NULL ? user->name : "-", (int)path.size, path.data, end->status, (unsigned long long)end->ms);
}

static void tell_at_the_end(rh_request *request, void *program)
{
    rh_on_end(request, tell, program);
    rh_next(request);
}

/* All tokens are compared, each of them whole: how long that takes says nothing about them. */
static struct user *find_user(struct app *app, rh_slice token)
{
    struct user *found = NULL;
    for (size_t i = 0; i < app->user_count; i++)
        if (rh_slice_is_secret(token, app->users[i].token))
            found = &app->users[i];
    return found;
}

/* "Authorization: Bearer token" (RFC 6750 2.1). Whose it is goes along with the request. */
static void need_token(rh_request *request, void *app)
{
    static const char scheme[] = "Bearer ";
    const size_t size = sizeof scheme - 1;
    rh_slice given = rh_field(request, "Authorization");
    bool bearer = given.size > size && strncasecmp(given.data, scheme, size) == 0;
    struct user *user = bearer ? find_user(app, (rh_slice){ given.data + size, given.size - size }) : NULL;
    if (user != NULL && rh_attach(request, &user_key, user)) {
        rh_next(request);
        return;
    }
    rh_set(request, "WWW-Authenticate", "Bearer");
    rh_fail(request, 401, "send Authorization: Bearer and a token");
}

static void list_notes(rh_request *request, void *user)
{
    struct app *app = user;
    rh_json_array(request, NULL);
    pthread_mutex_lock(&app->lock);
    for (size_t i = 0; i < app->note_count; i++)
        if (app->notes[i].owner == rh_attached(request, &user_key))
            rh_json_text(request, NULL, app->notes[i].text);
    pthread_mutex_unlock(&app->lock);
    rh_json_end(request);
    rh_json_send(request);
}

static bool add(struct app *app, const struct user *owner, rh_slice text)
{
    pthread_mutex_lock(&app->lock);
    bool room = app->note_count < NOTES_MAX;
    if (room) {
        struct note *note = &app->notes[app->note_count++];
        note->owner = owner;
        snprintf(note->text, sizeof note->text, "%.*s", (int)text.size, text.data);
    }
    pthread_mutex_unlock(&app->lock);
    return room;
}

static void add_note(rh_request *request, void *app)
{
    rh_slice text = rh_form(request, "text");
    if (text.size == 0 || text.size > TEXT_MAX) {
        rh_fail(request, 422, "send a form with text=..., up to 200 bytes");
    } else if (!add(app, rh_attached(request, &user_key), text)) {
        rh_fail(request, 507, "there is no room for another note");
    } else {
        rh_status(request, 201);
        rh_json(request, "%S", text);
    }
}

/* "name:token name:token", which is cut up. */
static void read_users(struct app *app, char *text)
{
    for (char *word; (word = strsep(&text, " ")) != NULL && app->user_count < USERS_MAX;) {
        const char *name = strsep(&word, ":");
        if (word != NULL && *word != '\0')
            app->users[app->user_count++] = (struct user){ name, word };
    }
}

int main(void)
{
    static struct app app = { .lock = PTHREAD_MUTEX_INITIALIZER };
    read_users(&app, getenv("TOKENS"));
    if (app.user_count == 0) {
        fprintf(stderr, "token: say who may come: TOKENS=\"name:token name:token\"\n");
        return 2;
    }
    rh_server *server = rh_server_new((rh_options){ .listen = getenv("LISTEN"), .log = rh_log_stderr });
    /* In this order: a request without a token has a name, too, and is counted. */
    rh_use_request_id(server, "/", (rh_request_id_options){ 0 });
    rh_use(server, "/", tell_at_the_end, (void *)"token");
    rh_use_cors(server, "/api/", (rh_cors_options){ .origins = "http://localhost:3000", .expose = "X-Request-Id" });
    rh_use_rate_limit(server, "/api/", (rh_rate_limit_options){ .requests = 10, .burst = 50 });
    rh_use(server, "/api/", need_token, &app);
    rh_route(server, "GET /api/notes", list_notes, &app);
    rh_route(server, "POST /api/notes", add_note, &app);
    int failed = rh_start(server);
    if (failed == 0)
        fprintf(stderr, "token: http://localhost:%u/api/notes\n", rh_port(server));
    rh_wait(server);
    rh_server_free(server);
    return failed != 0;
}

/* A server with a folder and rules, made with the public header alone; pages are in memory, or, where a test is run
 * TWICE, sent from their files the second time. */
#ifndef TESTS_UNIT_PAGE_RULES_FIXTURE_H
#define TESTS_UNIT_PAGE_RULES_FIXTURE_H

#include "api_fixture.h"
#include "credentials.h"
#include "scratch.h"

#define ORIGIN "Origin: https://a.example\r\n"
#define PREFLIGHT ORIGIN "Access-Control-Request-Method: GET\r\n"
#define TWO_ORIGINS "https://a.example https://b.example"
#define NAVIGATES "Accept: text/html,*/*;q=0.8\r\n"

static struct scratch scratch;
static char users[128];
static uint64_t cache_bytes; /* 1: everything is sent from files */
static rh_server *server;

static inline int start(void **state)
{
    (void)state;
    scratch_open(&scratch);
    snprintf(users, sizeof users, "%s/users", scratch.folder);
    scratch_write(&scratch, "users", ANNA BERTA);
    scratch_write(&scratch, "root/index.html", "<p>home");
    scratch_write(&scratch, "root/about.html", "<p>about");
    scratch_write(&scratch, "root/lost.html", "<p>lost");
    scratch_write(&scratch, "root/secret.html", "<p>secret");
    scratch_write(&scratch, "root/a.txt", "0123456789");
    scratch_mkdir(&scratch, "root/docs");
    scratch_write(&scratch, "root/docs/index.html", "<p>docs");
    scratch_mkdir(&scratch, "root/list");
    scratch_write(&scratch, "root/list/b.txt", "b");
    return 0;
}

static inline int start_without_memory(void **state)
{
    cache_bytes = 1;
    return start(state);
}

static inline int end(void **state)
{
    (void)state;
    rh_server_free(server);
    server = NULL;
    cache_bytes = 0;
    scratch_close(&scratch);
    return 0;
}

static inline void begin(rh_host_options host)
{
    server = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .workers = 1, .root = scratch.root,
                                         .cache_bytes = cache_bytes });
    assert_non_null(server);
    if (rh_host(server, &host) != 0)
        fail_msg("%s", rh_error(server));
}

#define TEXTS(...) (const char *const[]){ __VA_ARGS__, NULL }
#define HOST(...) (rh_host_options){ .rules = (const rh_rule[]){ __VA_ARGS__ }, \
    .rule_count = sizeof((const rh_rule[]){ __VA_ARGS__ }) / sizeof(rh_rule) }

static inline void serve(rh_host_options host)
{
    begin(host);
    start_server(server);
}

/* The next answer, which has this status. */
static inline struct reply *get(const char *line, const char *fields, int status)
{
    struct reply *reply = ask_with(server, line, fields, "");
    if (reply->status != status)
        fail_msg("%s: %d, not %d\n%s", line, reply->status, status, reply->head);
    return reply;
}

static inline void gets(const char *line, const char *fields, int status, const char *body)
{
    struct reply *reply = get(line, fields, status);
    if (strcmp(reply->body, body) != 0)
        fail_msg("%s: \"%s\", not \"%s\"", line, reply->body, body);
}

static inline void has(const struct reply *reply, const char *line)
{
    if (!has_line(reply, line))
        fail_msg("no \"%s\" in\n%s", line, reply->head);
}

static inline void has_no(const struct reply *reply, const char *name)
{
    char start_of_line[64];
    snprintf(start_of_line, sizeof start_of_line, "\n%s:", name);
    if (strstr(reply->head, start_of_line))
        fail_msg("%s in\n%s", name, reply->head);
}

static inline const char *password(const char *text)
{
    static char field[256];
    snprintf(field, sizeof field, "Authorization: Basic %.200s\r\n", credentials(text));
    return field;
}

/* The value of a field; valid until the next answer. */
static inline const char *value_of(const struct reply *reply, const char *name)
{
    static char value[256];
    char start_of_line[64];
    snprintf(start_of_line, sizeof start_of_line, "\n%s: ", name);
    const char *found = strstr(reply->head, start_of_line);
    if (!found)
        fail_msg("no %s in\n%s", name, reply->head);
    found += strlen(start_of_line);
    snprintf(value, sizeof value, "%.*s", (int)strcspn(found, "\r"), found);
    return value;
}

static inline void hello(rh_request *request, void *user)
{
    (void)user;
    rh_text(request, "hello");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, end)
#define TWICE(function) TEST(function), { #function " from files", function, start_without_memory, end, NULL }

#endif

/* JSON call by call: what it says, and, for calls in any order, that it is JSON or a 500 and never anything else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "api_fixture.h"

enum { DEEP = 64, SCRIPTS = 3000, SCRIPT_MAX = 12 };

/* A call for each letter of the script, with a name where "=" stands behind it. */
static void play(rh_request *request, const char *script)
{
    for (const char *at = script; *at; at++) {
        const char *name = at[1] == '=' ? "n\"" : NULL;
        switch (*at) {
        case '{': rh_json_object(request, name); break;
        case '[': rh_json_array(request, name); break;
        case ')': rh_json_end(request); break;
        case 's': rh_json_text(request, name, "a\"\xff"); break;
        case 'S': rh_json_slice(request, name, (rh_slice){ "xyz", 2 }); break;
        case 'i': rh_json_int(request, name, INT64_MIN); break;
        case 'u': rh_json_uint(request, name, UINT64_MAX); break;
        case 'd': rh_json_double(request, name, 0.5); break;
        case 'N': rh_json_double(request, name, NAN); break;
        case 'b': rh_json_bool(request, name, true); break;
        case 'f': rh_json_bool(request, name, false); break;
        case 'n': rh_json_null(request, name); break;
        case 'z': rh_json_text(request, name, NULL); break;
        default: break;
        }
    }
    rh_json_send(request);
}

static void answer(rh_request *request, void *user)
{
    char script[512];
    (void)user;
    rh_slice body = rh_body(request);
    snprintf(script, sizeof script, "%.*s", (int)body.size, body.data);
    play(request, script);
}

static rh_server *server;

static struct reply *ask_for(const char *script)
{
    char length[64];
    snprintf(length, sizeof length, "Content-Length: %zu\r\n", strlen(script));
    return ask_with(server, "POST /", length, script);
}

static void says_what_was_put(void **state)
{
    static const struct {
        const char *script, *json;
    } rows[] = {
        { "{)", "{}" },
        { "[)", "[]" },
        { "s", "\"a\\\"\xef\xbf\xbd\"" },
        { "n", "null" },
        { "[sSiudNbfnz)", "[\"a\\\"\xef\xbf\xbd\",\"xy\",-9223372036854775808,18446744073709551615,0.5,null,true,false,"
                          "null,null]" },
        { "{i=[=[)u){=d=)z=)",
          "{\"n\\\"\":-9223372036854775808,\"n\\\"\":[[],18446744073709551615],\"n\\\"\":{\"n\\\"\":0.5},"
          "\"n\\\"\":null}" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct reply *reply = ask_for(rows[i].script);
        assert_int_equal(reply->status, 200);
        assert_true(has_line(reply, "Content-Type: application/json"));
        assert_string_equal(reply->body, rows[i].json);
    }
}

static void refuses_what_is_none(void **state)
{
    static const char *const scripts[] = { "", "[", "{", ")", "[))", "ss", "[)[)", "{i)", "[i=)", "i=", "{i=", "{[=)" };
    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
        assert_int_equal(ask_for(scripts[i])->status, 500);
}

static void nests_so_deep(void **state)
{
    char script[3 * DEEP] = "";
    (void)state;
    memset(script, '[', DEEP);
    memset(script + DEEP, ')', DEEP);
    assert_int_equal(ask_for(script)->status, 200);
    memset(script, '[', DEEP + 1);
    memset(script + DEEP + 1, ')', DEEP + 1);
    assert_int_equal(ask_for(script)->status, 500);
}

/* ---- Whether it is JSON ------------------------------------------------------------------------------------- */

static const char *skip_value(const char *at);

static const char *skip_string(const char *at)
{
    if (*at != '"')
        return NULL;
    for (at++; *at && *at != '"'; at++)
        at += *at == '\\';
    return *at ? at + 1 : NULL;
}

static const char *skip_members(const char *at, bool object)
{
    char end = object ? '}' : ']';
    if (*++at == end)
        return at + 1;
    for (;; at++) {
        if (object && ((at = skip_string(at)) == NULL || *at++ != ':'))
            return NULL;
        if ((at = skip_value(at)) == NULL || (*at != ',' && *at != end))
            return NULL;
        if (*at == end)
            return at + 1;
    }
}

static const char *skip_value(const char *at)
{
    static const char *const words[] = { "null", "true", "false", "-9223372036854775808", "18446744073709551615",
                                         "0.5" };
    if (*at == '{' || *at == '[')
        return skip_members(at, *at == '{');
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strncmp(at, words[i], strlen(words[i])) == 0)
            return at + strlen(words[i]);
    return skip_string(at);
}

static void is_json_or_nothing(void **state)
{
    static const char letters[] = "{[))))siuNbn={=[=s=i=";
    unsigned good = 0;
    (void)state;
    srand(1);
    for (unsigned i = 0; i < SCRIPTS; i++) {
        char script[SCRIPT_MAX + 1] = "";
        for (int size = 1 + rand() % SCRIPT_MAX, k = 0; k < size; k++)
            script[k] = letters[rand() % (int)(sizeof letters - 1)];
        struct reply *reply = ask_for(script);
        const char *end = reply->status == 200 ? skip_value(reply->body) : NULL;
        if (reply->status != 500 && (reply->status != 200 || end == NULL || *end != '\0'))
            fail_msg("%s: %d %s", script, reply->status, reply->body);
        good += reply->status == 200;
    }
    assert_true(good > 100);
}

static int set_up(void **state)
{
    (void)state;
    server = make_server(NULL);
    add_route(server, "POST /", answer, NULL);
    start_server(server);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rh_server_free(server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_was_put),
        cmocka_unit_test(refuses_what_is_none),
        cmocka_unit_test(nests_so_deep),
        cmocka_unit_test(is_json_or_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

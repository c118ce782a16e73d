/* What the environment sets, and which of flag, environment and file holds. */
#include "main/config_file.h"
#include "main/environment.h"
#include "main/option_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { VARIABLES_MAX = 6, ARGUMENTS_MAX = 8 };

/* A command line and an environment, one text each, their parts separated by "|"; `copy` outlives *options. */
struct told {
    char copy[2][200];
};

static int split(char *copy, const char *line, char **out, int max)
{
    int count = 0;
    strcpy(copy, line);
    for (char *next = *line ? copy : NULL; next;) {
        assert_true(count < max);
        out[count++] = strsep(&next, "|");
    }
    out[count] = NULL;
    return count;
}

static enum options_outcome parse(struct options *options, struct told *told, const char *environment, const char *line)
{
    char *variables[VARIABLES_MAX + 1], *arguments[ARGUMENTS_MAX + 1] = { (char *)(uintptr_t)"rawhttpd" };
    int argc = 1 + split(told->copy[0], line, arguments + 1, ARGUMENTS_MAX - 1);
    split(told->copy[1], environment, variables, VARIABLES_MAX);
    return options_parse(options, &(struct options_given){ argc, arguments, variables });
}

static enum origin_kind origin(struct options *options, const char *name)
{
    return option_origin(options, option_find(name, strlen(name)))->kind;
}

static void every_option_is_a_variable(void **state)
{
    (void)state;
    for (const struct option_row *row = options_table; row->name; row++) {
        char variable[80], label[OPTION_LABEL_SIZE];
        struct options options;
        struct told told;
        const struct origin environment = { .kind = ORIGIN_ENVIRONMENT };
        snprintf(variable, sizeof variable, "%s=\x01", option_label(row, environment, label));
        if (row->scope == SCOPE_FLAG) {
            assert_int_equal(parse(&options, &told, variable, ""), OPTIONS_SERVE);
        } else if (parse(&options, &told, variable, "") == OPTIONS_SERVE) {
            assert_int_equal(origin(&options, row->name), ORIGIN_ENVIRONMENT);
        } else {
            const char *named = row->kind == OPTION_FILE ? "\x01: No such file" : label;
            assert_ptr_equal(strstr(options.problem, named), options.problem);
        }
        options_fini(&options);
    }
}

static void variables(void **state)
{
    static const struct {
        const char *environment, *line, *listen, *root;
        unsigned workers;
        bool quiet;
    } cases[] = {
        { "", "", "localhost:8080", ".", 0, false },
        { "RAWHTTP_WORKERS=3|RAWHTTP_ROOT=a|RAWHTTP_QUIET=1", "", "localhost:8080", "a", 3, true },
        { "RAWHTTP_WORKERS=3|RAWHTTP_ROOT=a|RAWHTTP_QUIET=yes", "b|--workers=4|--quiet=no", "localhost:8080", "b", 4,
          false },
        { "RAWHTTP_WORKERS=|RAWHTTP_ROOT=|PORT=|RAWHTTP_LISTEN=", "", "localhost:8080", ".", 0, false },
        { "RAWHTTP_WORKERSX=3|XRAWHTTP_WORKERS=3|WORKERS=3|RAWHTTP_SERVICE_HOST=10.0.0.1", "", "localhost:8080", ".", 0,
          false },
        { "RAWHTTP_LISTEN=:80  http://[::1]:81 ", "", ":80 [::1]:81", ".", 0, false },
        { "RAWHTTP_LISTEN=:80", "-l:81|-l:82", ":81 :82", ".", 0, false },
        { "RAWHTTP_LISTEN= ", "", "localhost:8080", ".", 0, false },
        { "PORT=3000", "", ":3000", ".", 0, false },
        { "PORT=65535", "", ":65535", ".", 0, false },
        { "PORT=3000|RAWHTTP_LISTEN=:80", "", ":80", ".", 0, false },
        { "PORT=nonsense|RAWHTTP_LISTEN=:80", "", ":80", ".", 0, false },
        { "PORT=3000", "-l:81", ":81", ".", 0, false },
        { "PORT=3000|RAWHTTP_PUBLIC=true", "", ":3000", ".", 0, false },
        { "PORT=3000", "--public", ":8080", ".", 0, false },
        { "RAWHTTP_PUBLIC=true", "", ":8080", ".", 0, false },
        { "RAWHTTP_PUBLIC=true", "--public=no", "localhost:8080", ".", 0, false },
        { "RAWHTTP_PUBLIC=true", "-l:81", ":81", ".", 0, false },
        { "RAWHTTP_LISTEN=:80", "--public", ":8080", ".", 0, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct options options;
        struct told told;
        if (parse(&options, &told, cases[i].environment, cases[i].line) != OPTIONS_SERVE)
            fail_msg("%s, %s: %s", cases[i].environment, cases[i].line, options.problem);
        assert_string_equal(options.server.listen, cases[i].listen);
        assert_string_equal(options.server.root, cases[i].root);
        assert_int_equal(options.server.workers, cases[i].workers);
        assert_int_equal(options.quiet, cases[i].quiet);
        options_fini(&options);
    }
}

static void mistakes(void **state)
{
    static const struct {
        const char *environment, *line, *problem;
    } cases[] = {
        { "RAWHTTP_WORKERS=x", "", "RAWHTTP_WORKERS: \"x\" is not a number from 1 to 256" },
        { "RAWHTTP_WORKERS=x", "--workers=3", "RAWHTTP_WORKERS: \"x\" is not a number from 1 to 256" },
        { "RAWHTTP_QUIET=2", "", "RAWHTTP_QUIET: \"2\" is neither true nor false" },
        { "RAWHTTP_WATCH=x", "", "RAWHTTP_WATCH: \"x\" is none of these: auto rescan off" },
        { "PORT=0", "", "PORT: \"0\" is not a port from 1 to 65535" },
        { "PORT=65536", "", "PORT: \"65536\" is not a port from 1 to 65535" },
        { "PORT=:80", "", "PORT: \":80\" is not a port from 1 to 65535" },
        { "RAWHTTP_PUBLIC=on|RAWHTTP_LISTEN=:80", "",
          "RAWHTTP_PUBLIC and RAWHTTP_LISTEN exclude each other; for all interfaces listen on :PORT" },
        { "RAWHTTP_CONFIG=/nowhere/at.all", "", "/nowhere/at.all: No such file or directory" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct options options;
        struct told told;
        assert_int_equal(parse(&options, &told, cases[i].environment, cases[i].line), OPTIONS_WRONG);
        assert_string_equal(options.problem, cases[i].problem);
        options_fini(&options);
    }
}

/* What asks for nothing to be served is not stopped by what is wrong with serving. */
static void only_serving_asks_the_environment(void **state)
{
    static const char *const lines[] = { "--help", "--version", "--health=http://localhost/" };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct options options;
        struct told told;
        assert_int_not_equal(parse(&options, &told, "RAWHTTP_WORKERS=x|RAWHTTP_CONFIG=/nowhere", lines[i]),
                             OPTIONS_WRONG);
        options_fini(&options);
    }
}

/* Each of the three sets what those before it did not; the file here says all. */
static void the_strongest_holds(void **state)
{
    char name[] = "/tmp/rawhttp-test-XXXXXX", line[100];
    static const char text[] = "workers = 5\nlisten = {\":5\", \":55\"}\nquiet = true\nbackground = 5\n"
                               "watch = rescan\n";
    struct options options;
    struct told told;
    int fd = mkstemp(name);
    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    snprintf(line, sizeof line, "--config=%s|--workers=1|--quiet=no", name);
    static const char environment[] = "RAWHTTP_WORKERS=2|RAWHTTP_BACKGROUND=2|RAWHTTP_LISTEN=:2";
    enum options_outcome outcome = parse(&options, &told, environment, line);
    unlink(name);
    assert_int_equal(outcome, OPTIONS_SERVE);
    assert_int_equal(options.server.workers, 1);
    assert_int_equal(options.server.background, 2);
    assert_string_equal(options.server.watch, "rescan");
    assert_string_equal(options.server.listen, ":2");
    assert_false(options.quiet);
    assert_int_equal(origin(&options, "workers"), ORIGIN_FLAG);
    assert_int_equal(origin(&options, "quiet"), ORIGIN_FLAG);
    assert_int_equal(origin(&options, "background"), ORIGIN_ENVIRONMENT);
    assert_int_equal(origin(&options, "listen"), ORIGIN_ENVIRONMENT);
    assert_int_equal(origin(&options, "watch"), ORIGIN_FILE);
    assert_int_equal(origin(&options, "root"), ORIGIN_DEFAULT);
    options_fini(&options);
}

/* Those of a weaker origin do not load beside those of a stronger one, as with addresses. */
static void the_strongest_names_the_modules(void **state)
{
    char name[] = "/tmp/rawhttp-test-XXXXXX", line[100];
    static const char text[] = "module a.so { }\nmodule b.so { settings = c }\n";
    static const struct {
        const char *environment, *more, *last;
        size_t count;
    } cases[] = {
        { "", "", "/tmp/b.so", 2 },
        { "RAWHTTP_MODULE=d.so e f", "", "d.so", 1 },
        { "RAWHTTP_MODULE=d.so", "|--module=g.so|--module=h.so|--module=i.so", "i.so", 3 },
        { "", "|--module=g.so", "g.so", 1 },
    };
    int fd = mkstemp(name);
    (void)state;
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct options options;
        struct told told;
        snprintf(line, sizeof line, "--config=%s%s", name, cases[i].more);
        assert_int_equal(parse(&options, &told, cases[i].environment, line), OPTIONS_SERVE);
        assert_int_equal(options.module_count, cases[i].count);
        assert_string_equal(options.modules[cases[i].count - 1].file, cases[i].last);
        options_fini(&options);
    }
    unlink(name);
}

static void what_sets_nothing(void **state)
{
    static const struct {
        const char *variable, *text; /* NULL: nothing is said */
    } cases[] = {
        { "RAWHTTP_CASHE_SIZE=1M", "RAWHTTP_CASHE_SIZE sets nothing; did you mean RAWHTTP_CACHE_SIZE?" },
        { "RAWHTTP_cache_size=1M", "RAWHTTP_cache_size sets nothing; did you mean RAWHTTP_CACHE_SIZE?" },
        { "RAWHTTP_CACHE-SIZE=1M", "RAWHTTP_CACHE-SIZE sets nothing; did you mean RAWHTTP_CACHE_SIZE?" },
        { "RAWHTTP_WORKERSX=3", "RAWHTTP_WORKERSX sets nothing; did you mean RAWHTTP_WORKERS?" },
        { "RAWHTTP_DOCROOT=a", "RAWHTTP_DOCROOT sets nothing; did you mean RAWHTTP_ROOT?" },
        { "RAWHTTP_PORT=3000", "RAWHTTP_PORT sets nothing; did you mean RAWHTTP_LISTEN?" },
        { "RAWHTTP_CHECK=1", "RAWHTTP_CHECK sets nothing; it can only be said as --check" },
        { "RAWHTTP_QWERTZUIOP=1", "RAWHTTP_QWERTZUIOP sets nothing; see rawhttpd --help" },
        { "RAWHTTP_=1", "RAWHTTP_ sets nothing; see rawhttpd --help" },
        { "RAWHTTP_CASHE_SIZE=", NULL },
        { "RAWHTTP_CASHE_SIZE", NULL },
        { "RAWHTTP_CACHE_SIZE=1M", NULL },
        { "RAWHTTPD=1", NULL },
        { "XRAWHTTP_X=1", NULL },
        { "RAWHTTP_SERVICE_HOST=10.0.0.1", NULL },
        { "RAWHTTP_SERVICE_PORT_HTTP=80", NULL },
        { "RAWHTTP_PORT=tcp://10.0.0.1:80", NULL },
        { "RAWHTTP_PORT_80_TCP_ADDR=10.0.0.1", NULL },
    };
    char text[ENVIRONMENT_STRAY_SIZE], name[400];
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *const variables[] = { (char *)(uintptr_t)cases[i].variable, NULL }, *const *at = variables;
        if (environment_stray(&at, text) != (cases[i].text != NULL) || (cases[i].text && strcmp(text, cases[i].text)))
            fail_msg("%s: %s", cases[i].variable, text);
        assert_null(*at);
    }

    /* One after another, and of a name of any length. */
    memset(name, 'X', sizeof name);
    memcpy(name, "RAWHTTP_", 8);
    name[390] = '=';
    name[399] = '\0';
    char *const variables[] = { (char *)(uintptr_t)"PATH=/", name, (char *)(uintptr_t)"RAWHTTP_ROT=a", NULL };
    char *const *at = variables;
    assert_true(environment_stray(&at, text));
    assert_ptr_equal(strstr(text, "RAWHTTP_XXXX"), text);
    assert_true(environment_stray(&at, text));
    assert_string_equal(text, "RAWHTTP_ROT sets nothing; did you mean RAWHTTP_ROOT?");
    assert_false(environment_stray(&at, text));
    assert_false(environment_stray(&at, text));
}

/* And so it is with certificates. A key from somewhere else is none of theirs. */
static void the_strongest_names_the_certificates(void **state)
{
    char name[] = "/tmp/rawhttp-test-XXXXXX", line[100];
    static const char text[] = "certificate a.pem { key = a.key }\ncertificate b.pem { }\n";
    static const struct {
        const char *environment, *more, *chain, *key, *listen;
        size_t count;
    } cases[] = {
        { "", "", "/tmp/a.pem", "/tmp/a.key", "https://localhost:8443", 2 },
        { "RAWHTTP_TLS_CERT=c.pem", "", "c.pem", NULL, "https://localhost:8443", 1 },
        { "RAWHTTP_TLS_CERT=c.pem|RAWHTTP_TLS_KEY=c.key|PORT=3000", "", "c.pem", "c.key", "https://:3000", 1 },
        { "RAWHTTP_TLS_KEY=c.key", "|--tls-cert=d.pem", "d.pem", NULL, "https://localhost:8443", 1 },
        { "RAWHTTP_TLS_CERT=c.pem", "|--tls-self-signed", NULL, NULL, "https://localhost:8443", 0 },
        { "RAWHTTP_TLS_SELF_SIGNED=yes", "|--tls-cert=d.pem", "d.pem", NULL, "https://localhost:8443", 1 },
    };
    int fd = mkstemp(name);
    (void)state;
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct options options;
        struct told told;
        snprintf(line, sizeof line, "--config=%s%s", name, cases[i].more);
        if (parse(&options, &told, cases[i].environment, line) != OPTIONS_SERVE)
            fail_msg("%zu: %s", i, options.problem);
        const rh_certificate *first = options.tls.certificates;
        assert_int_equal(options.tls.certificate_count, cases[i].count);
        assert_int_equal(options.tls.self_signed, cases[i].count == 0);
        assert_string_equal(options.server.listen, cases[i].listen);
        if (cases[i].chain)
            assert_string_equal(first->chain, cases[i].chain);
        assert_true(cases[i].count == 0 || (first->key != NULL) == (cases[i].key != NULL));
        if (cases[i].key)
            assert_string_equal(first->key, cases[i].key);
        options_fini(&options);
    }
    unlink(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_is_a_variable),
        cmocka_unit_test(variables),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(only_serving_asks_the_environment),
        cmocka_unit_test(the_strongest_holds),
        cmocka_unit_test(the_strongest_names_the_modules),
        cmocka_unit_test(what_sets_nothing),
        cmocka_unit_test(the_strongest_names_the_certificates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

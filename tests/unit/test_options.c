/* The command line: what each option sets, every message, and that the table, its limits and the help are well made.
 * The environment and what is stronger than what have test_environment.c. */
#include "main/help.h"
#include "main/option_set.h"
#include "main/options.h"
#include "main/suggest.h"
#include "main/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { ARGUMENTS_MAX = 12 };

/* The arguments are one text, separated by "|"; `copy` has to outlive *options. */
static enum options_outcome parse(struct options *options, char *copy, const char *line)
{
    char *argv[ARGUMENTS_MAX] = { (char *)(uintptr_t)"rawhttpd" };
    int argc = 1;
    strcpy(copy, line);
    for (char *next = *line ? copy : NULL; next;) {
        assert_true(argc < ARGUMENTS_MAX);
        argv[argc++] = strsep(&next, "|");
    }
    static char *const nothing[] = { NULL };
    return options_parse(options, &(struct options_given){ argc, argv, nothing });
}

static void defaults(void **state)
{
    struct options options;
    char copy[200];
    (void)state;
    assert_int_equal(parse(&options, copy, ""), OPTIONS_SERVE);
    assert_string_equal(options.server.listen, "localhost:8080");
    assert_string_equal(options.server.root, ".");
    assert_string_equal(options.server.access_log, "-");
    assert_false(options.quiet);
    assert_null(options.health_url);
    for (const struct option_row *row = options_table; row->name; row++) { /* to the library zero is the default */
        static const char zeros[sizeof(uint64_t)];
        if (row->kind != OPTION_FILE && row->kind != OPTION_ADDRESS)
            assert_memory_equal((char *)&options + row->offset, zeros, row->width);
    }
    options_fini(&options);
}

static void without_even_a_name(void **state)
{
    struct options options;
    char *const nothing[] = { NULL };
    (void)state;
    assert_int_equal(options_parse(&options, &(struct options_given){ 0, nothing, nothing }), OPTIONS_SERVE);
    options_fini(&options);
}

static void lines(void **state)
{
    static const struct {
        const char *line, *listen, *root, *access_log;
        bool quiet;
    } cases[] = {
        { "site", "localhost:8080", "site", "-", false },
        { "-", "localhost:8080", "-", "-", false },
        { "--|-q", "localhost:8080", "-q", "-", false },
        { "-q|--|--help", "localhost:8080", "--help", "-", true },
        { "--public", ":8080", ".", "-", false },
        { "--public|--public", ":8080", ".", "-", false },
        { "site|--listen|:80", ":80", "site", "-", false },
        { "--listen=:80|site", ":80", "site", "-", false },
        { "-l|:80", ":80", ".", "-", false },
        { "-l:80", ":80", ".", "-", false },
        { "-ql:80", ":80", ".", "-", true },
        { "-ql|:80", ":80", ".", "-", true },
        { "-l|:80|--listen=unix:/a=b|-l[::1]:1", ":80 unix:/a=b [::1]:1", ".", "-", false },
        { "--access-log|off", "localhost:8080", ".", NULL, false },
        { "--access-log=-", "localhost:8080", ".", "-", false },
        { "--access-log=off|--access-log|a.log", "localhost:8080", ".", "a.log", false },
        { "--access-log=--quiet", "localhost:8080", ".", "--quiet", false },
        { "--quiet", "localhost:8080", ".", "-", true },
        { "--quiet=yes", "localhost:8080", ".", "-", true },
        { "--quiet|--quiet=no", "localhost:8080", ".", "-", false },
        { "--public=off", "localhost:8080", ".", "-", false },
        { "--root|site", "localhost:8080", "site", "-", false },
        { "--root=a/b", "localhost:8080", "a/b", "-", false },
        { "-l|http://:80|-lhttp://[::1]:1", ":80 [::1]:1", ".", "-", false },
        { "--tls-self-signed|-lhttps://:443|-lhttp://:80", "https://:443 :80", ".", "-", false },
        { "--tls-self-signed", "https://localhost:8443", ".", "-", false },
        { "--tls-cert=c.pem|--public", "https://:8443", ".", "-", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct options options;
        char copy[200];
        if (parse(&options, copy, cases[i].line) != OPTIONS_SERVE)
            fail_msg("%s: %s", cases[i].line, options.problem);
        assert_string_equal(options.server.listen, cases[i].listen);
        assert_string_equal(options.server.root, cases[i].root);
        if (cases[i].access_log)
            assert_string_equal(options.server.access_log, cases[i].access_log);
        else
            assert_null(options.server.access_log);
        assert_int_equal(options.quiet, cases[i].quiet);
        options_fini(&options);
    }
}

static void assert_same_text(const char *got, const char *expected)
{
    assert_int_equal(got != NULL, expected != NULL);
    if (expected)
        assert_string_equal(got, expected);
}

/* Each number option at its least and its most, in its own field and in no other. */
static void numbers(void **state)
{
    static const struct {
        const char *line;
        rh_options expected;
    } cases[] = {
        { "--workers|1", { .workers = 1 } },
        { "--workers=256", { .workers = 256 } },
        { "--background=7", { .background = 7 } },
        { "--cache-size=64M", { .cache_bytes = 64 << 20 } },
        { "--cache-size=6G", { .cache_bytes = UINT64_C(6) << 30 } },
        { "--cache-size=0", { .cache_bytes = 1 } },
        { "--buffer-memory=512M", { .buffer_memory = 512 << 20 } },
        { "--buffer-memory=1048576G", { .buffer_memory = UINT64_C(1) << 50 } },
        { "--request-line-max=16K", { .request_line_max = 16384 } },
        { "--head-max=65535", { .head_max = 65535 } },
        { "--fields-max=250", { .fields_max = 250 } },
        { "--max-body=5G", { .body_max = UINT64_C(5) << 30 } },
        { "--head-timeout=500ms", { .head_timeout_ms = 500 } },
        { "--body-timeout=2m", { .body_timeout_ms = 120000 } },
        { "--body-rate-min=1K", { .body_rate_min = 1024 } },
        { "--body-rate-min=0", { .body_rate_min = RH_OFF } },
        { "--idle-timeout=5", { .idle_timeout_ms = 5000 } },
        { "--send-timeout=24h", { .send_timeout_ms = 86400000 } },
        { "--handshake-timeout=3s", { .handshake_timeout_ms = 3000 } },
        { "--drain-timeout=1ms", { .drain_timeout_ms = 1 } },
        { "--pipelined-max=1", { .pipelined_max = 1 } },
        { "--http2-streams-max=1", { .http2_streams_max = 1 } },
        { "--max-connections=100000", { .connections_max = 100000 } },
        { "--no-server-header", { .no_server_field = true } },
        { "--no-http2", { .no_http2 = true } },
        { "--trusted-proxies=unix ::1", { .trusted_proxies = "unix ::1" } },
        { "--https-redirect=8443", { .https_redirect = "8443" } },
        { "--hsts=60 preload", { .hsts = "60 preload" } },
        { "--workers=3|--workers=4", { .workers = 4 } },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct options options;
        char copy[200];
        if (parse(&options, copy, cases[i].line) != OPTIONS_SERVE)
            fail_msg("%s: %s", cases[i].line, options.problem);
        rh_options expected = cases[i].expected, got = options.server;
        expected.listen = got.listen, expected.root = got.root, expected.access_log = got.access_log;
        assert_int_equal(got.workers, expected.workers);
        assert_int_equal(got.background, expected.background);
        assert_int_equal(got.cache_bytes, expected.cache_bytes);
        assert_int_equal(got.buffer_memory, expected.buffer_memory);
        assert_int_equal(got.request_line_max, expected.request_line_max);
        assert_int_equal(got.head_max, expected.head_max);
        assert_int_equal(got.fields_max, expected.fields_max);
        assert_int_equal(got.body_max, expected.body_max);
        assert_int_equal(got.head_timeout_ms, expected.head_timeout_ms);
        assert_int_equal(got.body_timeout_ms, expected.body_timeout_ms);
        assert_int_equal(got.body_rate_min, expected.body_rate_min);
        assert_int_equal(got.idle_timeout_ms, expected.idle_timeout_ms);
        assert_int_equal(got.send_timeout_ms, expected.send_timeout_ms);
        assert_int_equal(got.handshake_timeout_ms, expected.handshake_timeout_ms);
        assert_int_equal(got.drain_timeout_ms, expected.drain_timeout_ms);
        assert_int_equal(got.pipelined_max, expected.pipelined_max);
        assert_int_equal(got.http2_streams_max, expected.http2_streams_max);
        assert_int_equal(got.connections_max, expected.connections_max);
        assert_int_equal(got.no_server_field, expected.no_server_field);
        assert_int_equal(got.no_http2, expected.no_http2);
        assert_same_text(got.trusted_proxies, expected.trusted_proxies);
        assert_same_text(got.https_redirect, expected.https_redirect);
        assert_same_text(got.hsts, expected.hsts);
        options_fini(&options);
    }
}

/* In order: the n-th key goes with the n-th certificate. */
static void pairs_certificates_with_keys(void **state)
{
    static const char line[] = "--tls-cert=a.pem|--tls-key=a.key|--tls-key=b.key|--tls-cert=b.pem|--tls-cert=both.pem";
    static const char *const expected[][2] = { { "a.pem", "a.key" }, { "b.pem", "b.key" }, { "both.pem", NULL } };
    struct options options;
    char copy[200];
    (void)state;
    assert_int_equal(parse(&options, copy, line), OPTIONS_SERVE);
    assert_int_equal(options.tls.certificate_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_same_text(options.tls.certificates[i].chain, expected[i][0]);
        assert_same_text(options.tls.certificates[i].key, expected[i][1]);
        assert_null(options.tls.certificates[i].ocsp);
    }
    options_fini(&options);
}

static void takes_what_is_said_of_tls(void **state)
{
    static const char line[] = "--tls-cert=a|--tls-min-version=1.3|--tls-ciphers=C|--tls-ciphersuites=S|--tls-groups=G|"
                               "--tls-client-cert=required|--tls-client-ca=ca.pem|--tls-ticket-keys=keys";
    struct options options;
    char copy[200];
    (void)state;
    assert_int_equal(parse(&options, copy, line), OPTIONS_SERVE);
    assert_string_equal(options.tls.min_version, "1.3");
    assert_string_equal(options.tls.ciphers, "C");
    assert_string_equal(options.tls.ciphersuites, "S");
    assert_string_equal(options.tls.groups, "G");
    assert_string_equal(options.tls.client_certificate, "required");
    assert_string_equal(options.tls.client_ca, "ca.pem");
    assert_string_equal(options.tls.ticket_keys, "keys");
    assert_false(options.tls.self_signed);
    options_fini(&options);
}

static bool takes_number(const struct option_row *row)
{
    return row->kind == OPTION_NUMBER || row->kind == OPTION_SIZE || row->kind == OPTION_TIME;
}

static enum options_outcome parse_number(const struct option_row *row, uint64_t number)
{
    char line[100], copy[100];
    struct options options;
    snprintf(line, sizeof line, "--%s=%llu%s", row->name, (unsigned long long)number,
             row->kind == OPTION_TIME ? "ms" : "");
    enum options_outcome outcome = parse(&options, copy, line);
    options_fini(&options);
    return outcome;
}

static void ranges_hold_at_their_edges(void **state)
{
    (void)state;
    for (const struct option_row *row = options_table; row->name; row++) {
        if (!takes_number(row))
            continue;
        assert_int_equal(parse_number(row, row->min), OPTIONS_SERVE);
        assert_int_equal(parse_number(row, row->max), OPTIONS_SERVE);
        assert_int_equal(parse_number(row, row->max + 1), OPTIONS_WRONG);
        if (row->min > 0)
            assert_int_equal(parse_number(row, row->min - 1), OPTIONS_WRONG);
    }
}

static void outcomes(void **state)
{
    static const struct {
        const char *line;
        enum options_outcome outcome;
    } cases[] = {
        { "-h", OPTIONS_HELP },
        { "--help", OPTIONS_HELP },
        { "--help|--nonsense", OPTIONS_HELP },
        { "-qh", OPTIONS_HELP },
        { "--nonsense|--help", OPTIONS_WRONG },
        { "-V", OPTIONS_VERSION },
        { "--version|a|b", OPTIONS_VERSION },
        { "--health|http://localhost:8080/", OPTIONS_HEALTH },
        { "--health=unix:/a|--quiet", OPTIONS_HEALTH },
        { "--print-config", OPTIONS_PRINT },
        { "--explain|GET /", OPTIONS_EXPLAIN },
        { "--print-config|--explain|GET /", OPTIONS_PRINT },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct options options;
        char copy[200];
        if (parse(&options, copy, cases[i].line) != cases[i].outcome)
            fail_msg("%s", cases[i].line);
        options_fini(&options);
    }
}

static void problems(void **state)
{
    static const struct {
        const char *line, *problem;
    } cases[] = {
        { "--cashe-size=1", "unknown option --cashe-size; did you mean --cache-size?" },
        { "--cashe-size|1", "unknown option --cashe-size; did you mean --cache-size?" },
        { "--port|80", "unknown option --port; did you mean --listen?" },
        { "--xyzzy", "unknown option --xyzzy; see rawhttpd --help" },
        { "--=1", "unknown option --; see rawhttpd --help" },
        { "---", "unknown option ---; see rawhttpd --help" },
        { "-p", "unknown option -p; see rawhttpd --help" },
        { "-qx", "unknown option -x; see rawhttpd --help" },
        { "--work=1", "unknown option --work; see rawhttpd --help" },
        { "--workers=x", "--workers: \"x\" is not a number from 1 to 256" },
        { "--workers|-1", "--workers: \"-1\" is not a number from 1 to 256" },
        { "--workers=0", "--workers: \"0\" is not a number from 1 to 256" },
        { "--workers=4K", "--workers: \"4K\" is not a number from 1 to 256" },
        { "--head-max=1M", "--head-max: \"1M\" is not a size from 256 to 65535, such as 16K or 2M" },
        { "--idle-timeout=0", "--idle-timeout: \"0\" is not a time from 1ms to 24h, such as 500ms, 10s or 2m" },
        { "--workers", "--workers needs a value: --workers N" },
        { "--workers|--quiet", "--workers needs a value: --workers N" },
        { "--access-log|--quiet", "--access-log needs a value: --access-log FILE|-|off" },
        { "-l", "--listen needs a value: --listen ADDR" },
        { "--listen=", "--listen: the value is empty; it needs ADDR" },
        { "--listen|", "--listen: the value is empty; it needs ADDR" },
        { "--listen=:80 :81", "--listen: \":80 :81\" has a space in it; for several addresses repeat --listen" },
        { "--quiet=maybe", "--quiet: \"maybe\" is neither true nor false" },
        { "--quiet=", "--quiet: the value is empty; it needs true or false" },
        { "--public|-l:80", "--public and --listen exclude each other; for all interfaces listen on :PORT" },
        { "-l:80|--public", "--public and --listen exclude each other; for all interfaces listen on :PORT" },
        { "a|--root=b", "one folder can be served, not both \"a\" and \"b\"" },
        { "--root=b|a", "one folder can be served, not both \"b\" and \"a\"" },
        { "--fallback=index.html",
          "--fallback: \"index.html\" does not begin with a slash; did you mean \"/index.html\"?" },
        { "--watch=never", "--watch: \"never\" is none of these: auto rescan off" },
        { "--trusted-proxies=10.0.0.1/8",
          "--trusted-proxies: 10.0.0.1/8: the network begins with 10.0.0.0; write that before the slash" },
        { "--https-redirect=on", "--https-redirect: on: write auto, off, or the port to which https goes" },
        { "--tls-key=k.pem", "--tls-key: k.pem has no certificate; name its file with --tls-cert" },
        { "--tls-cert=c.pem|--tls-key=k.pem|--tls-key=l.pem",
          "--tls-key: l.pem has no certificate; name its file with --tls-cert" },
        { "--tls-cert=c.pem|--tls-self-signed",
          "a certificate was named, and one is to be made: leave out --tls-self-signed or --tls-cert" },
        { "-lhttps://:443", "https needs a certificate: --tls-cert FILE --tls-key FILE, or --tls-self-signed for "
                            "development" },
        { "--tls-cert=c.pem|-l:443", "there is a certificate, and no address for https; for all interfaces listen on "
                                     "https://:443" },
        { "--tls-min-version=1.1", "--tls-min-version: \"1.1\" is none of these: 1.2 1.3" },
        { "--tls-client-cert=on", "--tls-client-cert: \"on\" is none of these: off optional required" },
        { "--tls-cert=", "--tls-cert: the value is empty; it needs FILE" },
        { "--hsts=year", "--hsts: year: seconds come first; write for example 31536000, which is a year" },
        { "--hsts=", "--hsts: the value is empty; it needs SECONDS" },
        { "--trusted-proxies", "--trusted-proxies needs a value: --trusted-proxies NETS" },
        { "--cache-policy=fifo", "--cache-policy: \"fifo\" is none of these: sieve lru" },
        { "-t", "--check needs a configuration file: rawhttpd -t -c FILE" },
        { "-H|A: b", "--header is for --explain: rawhttpd --explain 'GET /' -H 'Name: value'" },
        { "--explain=GET /|-H|A", "--header: \"A\" is not a field; write \"Name: value\"" },
        { "--explain=GET /|-H|A : b", "--header: \"A : b\" is not a field; write \"Name: value\"" },
        { "--module= a.so", "--module: it begins with a space; the file comes first, then its settings" },
        { "--module=", "--module: the value is empty; it needs FILE" },
        { "-c|/nowhere/at.all", "/nowhere/at.all: No such file or directory" },
        { "a|b", "one folder can be served, not both \"a\" and \"b\"" },
        { "a||", "the folder's name is empty; for the current folder leave it out" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct options options;
        char copy[200];
        if (parse(&options, copy, cases[i].line) != OPTIONS_WRONG)
            fail_msg("%s was taken", cases[i].line);
        assert_string_equal(options.problem, cases[i].problem);
        options_fini(&options);
    }
}

static void problems_have_an_end(void **state)
{
    char line[5000], copy[5000];
    struct options options;
    static const char *const starts[] = { "--", "-l ", "--workers=", "a|" };
    (void)state;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        memset(line, 'z', sizeof line);
        memcpy(line, starts[i], strlen(starts[i]));
        line[sizeof line - 1] = '\0';
        assert_int_equal(parse(&options, copy, line), OPTIONS_WRONG);
        assert_in_range(strlen(options.problem), 20, OPTIONS_PROBLEM_SIZE - 1);
        options_fini(&options);
    }
}

static void fields_to_explain_with(void **state)
{
    struct options options;
    char copy[200];
    (void)state;
    assert_int_equal(parse(&options, copy, "--explain=GET /a|-H|A: b|-HC:|site"), OPTIONS_EXPLAIN);
    assert_string_equal(options.explain, "GET /a");
    assert_string_equal(options.server.root, "site");
    assert_int_equal(options.field_count, 2);
    assert_string_equal(options.fields[0], "A: b");
    assert_string_equal(options.fields[1], "C:");
    options_fini(&options);
}

static void modules(void **state)
{
    struct options options;
    char copy[200];
    (void)state;
    assert_int_equal(parse(&options, copy, "--module|./users.so  database=/var/a b.db|--module=/b.so|site|--module=c "),
                     OPTIONS_SERVE);
    assert_int_equal(options.module_count, 3);
    assert_string_equal(options.modules[0].file, "./users.so");
    assert_string_equal(options.modules[0].settings, "database=/var/a b.db");
    assert_string_equal(options.modules[1].file, "/b.so");
    assert_string_equal(options.modules[1].settings, "");
    assert_string_equal(options.modules[2].file, "c");
    assert_string_equal(options.modules[2].settings, "");
    assert_int_equal(options.modules[2].origin.kind, ORIGIN_FLAG);
    options_fini(&options);
}

static void what_is_served(void **state)
{
    struct options options;
    char copy[200];
    (void)state;
    assert_int_equal(parse(&options, copy, "--fallback=/app.html|--list|--no-encodings|--watch=rescan|"
                                           "--cache-policy=lru"), OPTIONS_SERVE);
    assert_string_equal(options.site.options.fallback, "/app.html");
    assert_true(options.site.options.list);
    assert_true(options.server.no_encodings);
    assert_string_equal(options.server.watch, "rescan");
    assert_string_equal(options.server.cache_policy, "lru");
    assert_int_equal(option_origin(&options, option_find("watch", 5))->kind, ORIGIN_FLAG);
    assert_int_equal(option_origin(&options, option_find("root", 4))->kind, ORIGIN_DEFAULT);
    options_fini(&options);
}

static void suggestions(void **state)
{
    static const struct {
        const char *name, *meant;
    } cases[] = {
        { "worker", "workers" },       { "wrokers", "workers" },          { "Workers", "workers" },
        { "threads", "workers" },      { "idle-timout", "idle-timeout" }, { "drian-timeout", "drain-timeout" },
        { "accesslog", "access-log" }, { "max-bodyy", "max-body" },       { "body-max", "max-body" },
        { "port", "listen" },          { "cache", "cache-size" },         { "hlep", "help" },
        { "publik", "public" },        { "quite", "quiet" },              { "versoin", "version" },
        { "location", NULL },           { "compress", "no-encodings" },     { "spa", "fallback" },
        { "conf", "config" },          { "max_body", "max-body" },
        { "por", NULL },               { "", NULL },                      { "nonsense", NULL },
        { "a-name-that-is-longer-than-every-option-there-is", NULL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *meant = suggest_option(cases[i].name, strlen(cases[i].name));
        if (!cases[i].meant && meant)
            fail_msg("%s: %s", cases[i].name, meant);
        if (cases[i].meant && (!meant || strcmp(meant, cases[i].meant) != 0))
            fail_msg("%s: %s", cases[i].name, meant ? meant : "nothing");
    }
}

static void the_table_is_well_made(void **state)
{
    (void)state;
    for (const struct option_row *row = options_table; row->name; row++) {
        assert_true(strlen(row->name) <= 32);
        assert_ptr_equal(suggest_option(row->name, strlen(row->name)), row->name);
        assert_int_equal(row->argument == NULL, row->kind == OPTION_FLAG);
        assert_true(row->kind == OPTION_ADDRESS || row->width != 0);
        assert_true(!row->also || (row->also[0] == ' ' && row->also[strlen(row->also) - 1] == ' '));
        assert_true(!row->words || (row->words[0] == ' ' && row->words[strlen(row->words) - 1] == ' '));
        assert_true(row->kind != OPTION_CHOICE || row->words);
        assert_int_equal(row->check != NULL, row->kind == OPTION_CHECKED);
        assert_true(row - options_table < OPTIONS_ROWS_MAX);
        assert_int_equal(row->settled_width != 0, takes_number(row));
        if (takes_number(row)) {
            assert_true(row->width == sizeof(uint32_t) || row->width == sizeof(uint64_t));
            assert_true(row->width == sizeof(uint64_t) || row->max < RH_OFF);
            assert_true(row->min > 0 || row->zero != 0);
        }
        for (const struct option_row *other = row + 1; other->name; other++) {
            assert_string_not_equal(row->name, other->name);
            assert_true(row->letter == 0 || row->letter != other->letter);
        }
    }
}

static void help_is_complete_and_narrow(void **state)
{
    char *text = NULL, *rest;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    (void)state;
    assert_non_null(out);
    help_print(out);
    fclose(out);
    for (const struct option_row *row = options_table; row->name; row++) {
        char name[80];
        snprintf(name, sizeof name, "%s--%s%s%s ", row->letter ? ", " : "      ", row->name, row->argument ? " " : "",
                 row->argument ? row->argument : "");
        if (!strstr(text, name))
            fail_msg("help does not show \"%s\"", name);
    }
    rest = text;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (strlen(line) > 80)
            fail_msg("%zu columns: %s", strlen(line), line);
        assert_true(*line == '\0' || line[strlen(line) - 1] != ' ');
    }
    free(text);
}

static void version_is_one_line(void **state)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    (void)state;
    assert_non_null(out);
    help_print_version(out);
    fclose(out);
    assert_string_equal(text, "rawhttpd " RH_VERSION "\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(without_even_a_name),
        cmocka_unit_test(lines),
        cmocka_unit_test(pairs_certificates_with_keys),
        cmocka_unit_test(takes_what_is_said_of_tls),
        cmocka_unit_test(numbers),
        cmocka_unit_test(ranges_hold_at_their_edges),
        cmocka_unit_test(outcomes),
        cmocka_unit_test(problems),
        cmocka_unit_test(problems_have_an_end),
        cmocka_unit_test(fields_to_explain_with),
        cmocka_unit_test(modules),
        cmocka_unit_test(what_is_served),
        cmocka_unit_test(suggestions),
        cmocka_unit_test(the_table_is_well_made),
        cmocka_unit_test(help_is_complete_and_narrow),
        cmocka_unit_test(version_is_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The configuration file: what it sets, every message about it with its line, and how it is read from the disk. */
#include "main/config_check.h"
#include "main/config_file.h"
#include "main/config_text.h"
#include "main/option_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* As options_parse leaves them to config_file_read. */
static void begin(struct options *options)
{
    *options = (struct options){ .server = { .access_log = "-" }, .folder = strdup("/etc/site") };
    arena_init(&options->memory, NULL, 0, 64 << 20);
}

static void take(struct options *options, const char *text)
{
    begin(options);
    if (!config_file_parse(options, slice_text(text)))
        fail_msg("%s\n%s", text, options->problems.count ? options->problems.at[0].text : "?");
    assert_string_equal(options->problem, "");
}

static void options_of_the_program(void **state)
{
    struct options options;
    (void)state;
    take(&options, "listen = {\"http://:80\", \"unix:/run/x\", \"unix:x\"}\n"
                   "root = \"www\"\nfallback = \"/app.html\"\nlist = yes\nno_encodings = on\nwatch = off\n"
                   "trusted_proxies = \"loopback\"\n"
                   "cache_size = 1G\ncache_policy = lru\nworkers = \"3\"\nidle_timeout = \"90s\"\nbody_rate_min = 0\n"
                   "access_log = \"logs/a\"\n");
    assert_string_equal(options.listen, ":80 unix:/run/x unix:/etc/site/x");
    assert_string_equal(options.server.root, "/etc/site/www");
    assert_string_equal(options.site.options.fallback, "/app.html");
    assert_true(options.site.options.list);
    assert_true(options.server.no_encodings);
    assert_string_equal(options.server.watch, "off");
    assert_string_equal(options.server.trusted_proxies, "loopback");
    assert_int_equal(options.server.cache_bytes, 1 << 30);
    assert_string_equal(options.server.cache_policy, "lru");
    assert_int_equal(options.server.workers, 3);
    assert_int_equal(options.server.idle_timeout_ms, 90000);
    assert_int_equal(options.server.body_rate_min, RH_OFF);
    assert_string_equal(options.server.access_log, "/etc/site/logs/a");
    assert_int_equal(option_origin(&options, option_find("list", 4))->kind, ORIGIN_FILE);
    assert_int_equal(option_origin(&options, option_find("list", 4))->line, 4);
    assert_int_equal(option_origin(&options, option_find("quiet", 5))->kind, ORIGIN_DEFAULT);
    options_fini(&options);
}

static void certificates(void **state)
{
    static const struct {
        const char *chain, *key, *ocsp;
        unsigned line;
    } expected[] = {
        { "/etc/site/a.pem", "/etc/site/a.key", NULL, 1 },
        { "/both.pem", NULL, NULL, 2 },
        { "/etc/site/b.pem", "/b.key", "/etc/site/b.der", 4 }, /* of a host, behind those at the top */
    };
    struct options options;
    (void)state;
    take(&options, "certificate \"a.pem\" { key = \"a.key\" }\ncertificate /both.pem { }\n"
                   "host example.org { root = www\n certificate b.pem { key = /b.key ocsp = b.der } }\n"
                   "tls_min_version = \"1.3\"\ntls_client_ca = ca.pem\ntls_client_cert = optional\n"
                   "tls_ticket_keys = keys\nhsts = \"60 preload\"\n");
    assert_int_equal(options.certificate_count, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct certificate_option *certificate = &options.certificates[i];
        assert_string_equal(certificate->chain, expected[i].chain);
        assert_int_equal(certificate->key != NULL, expected[i].key != NULL);
        if (expected[i].key)
            assert_string_equal(certificate->key, expected[i].key);
        if (expected[i].ocsp)
            assert_string_equal(certificate->ocsp, expected[i].ocsp);
        assert_int_equal(certificate->origin.line, expected[i].line);
    }
    assert_string_equal(options.tls.min_version, "1.3");
    assert_string_equal(options.tls.client_ca, "/etc/site/ca.pem");
    assert_string_equal(options.tls.client_certificate, "optional");
    assert_string_equal(options.tls.ticket_keys, "/etc/site/keys");
    assert_string_equal(options.server.hsts, "60 preload");
    options_fini(&options);
}

static void texts_and_paths(void **state)
{
    static const struct {
        const char *folder, *text, *root, *access_log;
    } cases[] = {
        { "/etc", "root = /srv", "/srv", "-" },
        { "/etc", "root = .", "/etc/.", "-" },
        { "/", "root = www", "/www", "-" },
        { "/etc", "root = \"a b # c\"", "/etc/a b # c", "-" },
        { "/etc", "root = \"/${HOME}/\\\"\\\\\"", "/${HOME}/\"\\", "-" },
        { "/etc", "root = a access_log = off", "/etc/a", "off" },
        { "/etc", "root = a access_log = -", "/etc/a", "-" },
        { "/etc", "root = a # access_log = b\n# root = c", "/etc/a", "-" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct options options;
        begin(&options);
        free(options.folder);
        options.folder = strdup(cases[i].folder);
        assert_true(config_file_parse(&options, slice_text(cases[i].text)));
        assert_string_equal(options.server.root, cases[i].root);
        assert_string_equal(options.server.access_log, cases[i].access_log);
        options_fini(&options);
    }
}

static void an_empty_file_says_nothing(void **state)
{
    static const char *const texts[] = { "", "\n\n", "# nothing", "\r\n", "listen = {}", "types = {}" };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct options options;
        take(&options, texts[i]);
        assert_null(options.listen);
        assert_int_equal(options.host_count, 0);
        assert_int_equal(options.site.options.rule_count, 0);
        assert_null(options.site.options.types);
        options_fini(&options);
    }
}

/* That of the issue. */
static void hosts_and_rules(void **state)
{
    struct options options;
    (void)state;
    take(&options, "rule \"/assets/*\"  { cache_control = \"public, max-age=31536000, immutable\" }\n"
                   "rule \"/old/{rest...}\" { redirect = \"/new/{rest}\"  status = 308 }\n"
                   "rule \"/private/*\" { basic_auth = \"htpasswd\" }\n"
                   "rule \"/gone\" { status = 410 }\n"
                   "rule \"/app/{page}\" { rewrite = \"/pages/{page}.html\"\n cache_control = \"\" }\n"
                   "rule \"/*\" { headers = {\"X-Frame-Options: DENY\", \"X-B:b\"}  cors = \"https://app.example\" }\n"
                   "host \"docs.example.org *.docs.example.org\" { root = docs fallback = \"/index.html\" list = true\n"
                   "  types = \"mjs text/javascript; charset=utf-8\"\n"
                   "  error_pages = {\"404 /lost.html\", \"500 /oops\"} rule \"*.js\" { } }\n"
                   "host \"[::1]\" { }\n"
                   "types = {\"a b/c\"}\n");
    const rh_rule *rules = options.site.options.rules;
    assert_int_equal(options.site.options.rule_count, 6);
    assert_string_equal(rules[0].path, "/assets/*");
    assert_string_equal(rules[0].cache_control, "public, max-age=31536000, immutable");
    assert_null(rules[0].headers);
    assert_string_equal(rules[1].redirect, "/new/{rest}");
    assert_int_equal(rules[1].status, 308);
    assert_null(rules[1].cache_control);
    assert_string_equal(rules[2].basic_auth, "/etc/site/htpasswd");
    assert_int_equal(rules[3].status, 410);
    assert_string_equal(rules[4].rewrite, "/pages/{page}.html");
    assert_string_equal(rules[4].cache_control, "");
    assert_string_equal(rules[5].headers[0], "X-Frame-Options: DENY");
    assert_string_equal(rules[5].headers[1], "X-B:b");
    assert_null(rules[5].headers[2]);
    assert_string_equal(rules[5].cors, "https://app.example");
    assert_int_equal(options.site.rule_lines[4], 5);
    assert_int_equal(options.site.rule_lines[5], 7);
    assert_string_equal(options.site.options.types[0], "a b/c");
    assert_int_equal(options.site.types_line, 12);
    assert_null(options.site.options.names);

    assert_int_equal(options.host_count, 2);
    const struct host *docs = &options.hosts[0];
    assert_string_equal(docs->options.names, "docs.example.org *.docs.example.org");
    assert_int_equal(docs->line, 8);
    assert_string_equal(docs->options.root, "/etc/site/docs");
    assert_string_equal(docs->options.fallback, "/index.html");
    assert_true(docs->options.list);
    assert_string_equal(docs->options.types[0], "mjs text/javascript; charset=utf-8");
    assert_null(docs->options.types[1]);
    assert_string_equal(docs->options.error_pages[1], "500 /oops");
    assert_int_equal(docs->error_pages_line, 10);
    assert_int_equal(docs->options.rule_count, 1);
    assert_string_equal(docs->options.rules[0].path, "*.js");
    assert_string_equal(options.hosts[1].options.names, "[::1]");
    assert_null(options.hosts[1].options.root);
    options_fini(&options);
}

static void modules(void **state)
{
    struct options options;
    (void)state;
    take(&options, "module \"./users.so\" { settings = \"database=/var/lib/users.db\" }\n\n"
                   "module \"/usr/lib/a b.so\" {}\nmodule \"./users.so\" { settings = \"\" }\n");
    assert_int_equal(options.module_count, 3);
    assert_string_equal(options.modules[0].file, "/etc/site/./users.so");
    assert_string_equal(options.modules[0].settings, "database=/var/lib/users.db");
    assert_int_equal(options.modules[0].origin.kind, ORIGIN_FILE);
    assert_int_equal(options.modules[0].origin.line, 1);
    assert_string_equal(options.modules[1].file, "/usr/lib/a b.so");
    assert_string_equal(options.modules[1].settings, "");
    assert_int_equal(options.modules[1].origin.line, 3);
    assert_string_equal(options.modules[2].settings, "");
    options_fini(&options);
    assert_null(options.modules);
}

static void modules_that_are_too_many(void **state)
{
    struct options options;
    char text[OPTIONS_MODULES_MAX * 16 + 32];
    (void)state;
    for (int count = OPTIONS_MODULES_MAX; count <= OPTIONS_MODULES_MAX + 1; count++) {
        text[0] = '\0';
        for (int i = 0; i < count; i++)
            strcat(text, "module a {}\n");
        begin(&options);
        assert_int_equal(config_file_parse(&options, slice_text(text)), count == OPTIONS_MODULES_MAX);
        assert_int_equal(options.module_count, OPTIONS_MODULES_MAX);
        if (count > OPTIONS_MODULES_MAX) {
            assert_int_equal(options.problems.count, 1);
            assert_int_equal(options.problems.at[0].line, OPTIONS_MODULES_MAX + 1);
            assert_string_equal(options.problems.at[0].text, "module: more than 64 modules");
        }
        options_fini(&options);
    }
}

struct mistake {
    const char *text, *problem; /* its beginning */
    unsigned line;
};

static void verify(const struct mistake *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct options options;
        begin(&options);
        if (config_file_parse(&options, slice_text(cases[i].text)))
            fail_msg("taken: %s", cases[i].text);
        const struct problem *problem = &options.problems.at[0];
        if (strncmp(problem->text, cases[i].problem, strlen(cases[i].problem)) != 0)
            fail_msg("%s: %s", cases[i].text, problem->text);
        if (problem->line != cases[i].line)
            fail_msg("%s: line %u", cases[i].text, problem->line);
        if (options.problems.count != 1)
            fail_msg("%s: also %s", cases[i].text, options.problems.at[1].text);
        options_fini(&options);
    }
}

static void mistakes_in_options(void **state)
{
    static const struct mistake cases[] = {
        { "\nworkers = many", "workers: \"many\" is not a number from 1 to 256", 2 },
        { "listen = {\":80 :81\"}", "listen: \":80 :81\" has a space in it; for several addresses write", 1 },
        { "listen = {a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,\na}", "listen: more than 16 addresses; \":port\" is all", 2 },
        { "root = \"\"", "root: the value is empty; it needs DIR", 1 },
        { "list = maybe", "list: \"maybe\" is neither true nor false", 1 },
        { "fallback = index.html", "fallback: \"index.html\" does not begin with a slash", 1 },
        { "watch = never", "watch: \"never\" is none of these: auto rescan off", 1 },
        { "types = {\"a b/c\",\n\".mjs text/javascript\"}", "types: .mjs text/javascript: the ending of a name", 2 },
        { "types = \"mjs\"", "types: mjs: behind the ending comes a media type", 1 },
        { "types = \"mjs /javascript\"", "types: mjs /javascript: behind the ending comes a media type", 1 },
        { "types = \"mjs text/\"", "types: mjs text/: behind the ending comes a media type", 1 },
        { "types = \"\"", "types: the ending of a name", 1 },
        { "error_pages = {\"200 /a\"}", "error_pages: 200 /a: a status from 400 to 599", 1 },
        { "error_pages = {\"600 /a\"}", "error_pages: 600 /a: a status from 400 to 599", 1 },
        { "error_pages = {\"404 a\"}", "error_pages: 404 a: behind the status comes the path", 1 },
        { "error_pages = {\"404\"}", "error_pages: 404: behind the status comes the path", 1 },
    };
    (void)state;
    verify(cases, sizeof cases / sizeof *cases);
}

static void mistakes_in_rules(void **state)
{
    static const struct mistake cases[] = {
        { "\nrule a { }", "rule: a: a path begins with a slash", 2 },
        { "rule /a {\nredirect = b }", "redirect: /a: it redirects to a path", 2 },
        { "rule /a {\nredirect = \"/{b}\" }", "redirect: /a: there is no {b} in it", 2 },
        { "rule /a {\n\nrewrite = b }", "rewrite: /a: a rewrite leads to a path", 3 },
        { "rule /a {\nredirect = /b rewrite = /c }", "rule: /a: a path is redirected or rewritten, not both", 1 },
        { "rule /a {\nstatus = moved }", "status: moved: a status is a number", 2 },
        { "rule /a { status = 99 }", "status: 99: a status is a number", 1 },
        { "rule /a { status = 1000 }", "status: 1000: a status is a number", 1 },
        { "rule /a { status = 200 }", "rule: /a: 200 is not an error's status here", 1 },
        { "rule /a { redirect = /b status = 404 }", "rule: /a: 404 is not a redirect's status", 1 },
        { "rule /a {\nheaders = {\"A: b\",\n\"A\"} }", "headers: A: a field is a name and a value", 3 },
        { "rule /a { headers = \"Date: b\" }", "headers: Date: the server writes it itself", 1 },
        { "rule /a {\n cors = app.example }", "cors: app.example: an origin is", 2 },
        { "rule /a { basic_auth = \"\" }", "rule: /a: basic_auth names no file", 1 },
        { "rule /* { }\nrule /a { }", "rule: /a: nothing gets to this rule, because /* stands before it", 2 },
        { "rule /a { redirect = /b }\nrule /b { redirect = /a }",
          "rule: /b: it leads to /a, and from there in a circle", 2 },
    };
    (void)state;
    verify(cases, sizeof cases / sizeof *cases);
}

static void mistakes_in_hosts(void **state)
{
    static const struct mistake cases[] = {
        { "host \"\" { }", "host: it has no name", 1 },
        { "host \" \" { }", "host: it has no name", 1 },
        { "host \"a A\" { }", "host: a: two hosts, or one twice, are called so", 1 },
        { "host a { }\nhost \"b  A\" { }", "host: a: it is the name of the host in line 1 already", 2 },
        { "host \"[::1]\" { }\nhost \"[0::1]\" { }", "host: [0::1]: two hosts, or one twice, are called so", 2 },
        { "host a:80 { }", "host: a:80: a name holds for every port", 1 },
        { "host a* { }", "host: a*: a star stands alone in front", 1 },
        { "host *. { }", "host: *.: this is not the name of a host", 1 },
        { "host * { }", "host: *: the host without names", 1 },
        { "host a {\nroot = \"\" }", "root: the value is empty", 2 },
        { "host a {\nfallback = a }", "fallback: it begins with a slash", 2 },
        { "host a {\nlist = a }", "list: it is true or false", 2 },
        { "host a {\nrule b { } }", "rule: b: a path begins with a slash", 2 },
    };
    (void)state;
    verify(cases, sizeof cases / sizeof *cases);
}

static void mistakes_of_grammar(void **state)
{
    static const struct mistake cases[] = {
        { "root =\n", "the file ends in the middle of a statement", 2 },
        { "root = a }", "this \"}\" closes nothing", 1 },
        { "root = = a", "\"=\" cannot stand here; a statement is", 1 },
        { "root = {a}", "\"{\" cannot stand here; a statement is", 1 },
        { "types = {\"a b/c\" b}", "\"b\" cannot stand here; a statement is", 1 },
        { "\n\nroot\na = b", "root has no value; write an equals sign", 4 },
        { "rule a = b", "rule has no content; write { ... } behind its name", 1 },
        { "rule { }", "rule has no name; write one in double quotes", 1 },
        { "host|x = a", "unknown key host|x", 1 },
        { "list = true }\n", "this \"}\" closes nothing", 1 },
        { "host = a", "host has no name", 1 },
        { "rule /a { status = 404 } } root = b", "this \"}\" closes nothing", 1 },
    };
    (void)state;
    verify(cases, sizeof cases / sizeof *cases);
}

static void names_without_case(void **state)
{
    struct options options;
    (void)state;
    take(&options, "host \" A.Example  *.B \" { }");
    assert_string_equal(options.hosts[0].options.names, " a.example  *.b ");
    options_fini(&options);
}

/* It still stands before those behind it. */
static void a_rule_that_is_wrong_counts(void **state)
{
    struct options options;
    (void)state;
    begin(&options);
    assert_false(config_file_parse(&options, slice_text("rule /a { cors = x }\nrule /a { }")));
    assert_int_equal(options.problems.count, 2);
    assert_int_equal(options.problems.at[1].line, 2);
    assert_non_null(strstr(options.problems.at[1].text, "there is a rule for it already"));
    options_fini(&options);
}

/* What is wrong in one place does not hide what is wrong in another, nor does the first mistake of grammar hide what
 * stands before it. */
static void all_are_found(void **state)
{
    static const char text[] = "workers = x\ncashe_size = 1\nrule a { cors = b }\nhost \"\" { rule c { status = 1 } }\n"
                               "list = 2\nroot = { }\nquiet = 3\n";
    static const unsigned lines[] = { 1, 2, 3, 3, 4, 4, 4, 5, 6 };
    struct options options;
    (void)state;
    begin(&options);
    assert_false(config_file_parse(&options, slice_text(text)));
    assert_int_equal(options.problems.count, sizeof lines / sizeof *lines);
    for (unsigned i = 0; i < options.problems.count; i++)
        assert_int_equal(options.problems.at[i].line, lines[i]);
    options_fini(&options);
}

/* libconfuse keeps a state of its own between two files. */
static void a_broken_file_does_not_break_the_next(void **state)
{
    static const char *const broken[] = { "root = \"a", "rule \"a", "root =", "}", "types = {", "host a { rule b {" };
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct options options;
        begin(&options);
        assert_false(config_file_parse(&options, slice_text(broken[i])));
        options_fini(&options);
        take(&options, "root = \"b\"");
        assert_string_equal(options.server.root, "/etc/site/b");
        options_fini(&options);
    }
}

/* ---- From the disk ---- */

struct disk {
    char folder[64], file[80];
};

static int set_up(void **state)
{
    struct disk *disk = malloc(sizeof *disk);
    strcpy(disk->folder, "/tmp/rawhttp-test-XXXXXX");
    *state = disk;
    if (!mkdtemp(disk->folder))
        return -1;
    snprintf(disk->file, sizeof disk->file, "%s/site.conf", disk->folder);
    return 0;
}

static int tear_down(void **state)
{
    struct disk *disk = *state;
    unlink(disk->file);
    rmdir(disk->folder);
    free(disk);
    return 0;
}

static void put(const struct disk *disk, const void *bytes, size_t size)
{
    int fd = open(disk->file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
}

static bool read_file(struct options *options, const char *name)
{
    begin(options);
    free(options->folder);
    options->folder = NULL;
    options->config = name;
    return config_file_read(options);
}

static void relative_to_the_file(void **state)
{
    struct disk *disk = *state;
    struct options options;
    char expected[100], here[PATH_MAX];
    put(disk, "root = www", 10);
    assert_true(read_file(&options, disk->file));
    snprintf(expected, sizeof expected, "%s/www", disk->folder);
    assert_string_equal(options.server.root, expected);
    options_fini(&options);

    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(disk->folder), 0);
    assert_true(read_file(&options, "site.conf"));
    assert_string_equal(options.server.root, expected);
    options_fini(&options);
    assert_int_equal(chdir(here), 0);
}

/* `-c <(...)`: a pipe lies nowhere. */
static void relative_to_no_file(void **state)
{
    char name[40], here[PATH_MAX];
    int ends[2];
    struct options options;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "root = www", 10), 10);
    close(ends[1]);
    snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
    assert_true(read_file(&options, name));
    close(ends[0]);
    assert_non_null(getcwd(here, sizeof here - 4));
    strcat(here, "/www");
    assert_string_equal(options.server.root, here);
    options_fini(&options);
}

static void what_cannot_be_read(void **state)
{
    struct disk *disk = *state;
    struct options options;
    assert_false(read_file(&options, "/nowhere/at.all"));
    assert_string_equal(options.problem, "/nowhere/at.all: No such file or directory");
    options_fini(&options);
    assert_false(read_file(&options, "/tmp"));
    assert_string_equal(options.problem, "/tmp: Is a directory");
    options_fini(&options);

    char *bytes = malloc(CONFIG_TEXT_MAX + 1);
    memset(bytes, '\n', CONFIG_TEXT_MAX + 1);
    put(disk, bytes, CONFIG_TEXT_MAX);
    assert_true(read_file(&options, disk->file));
    options_fini(&options);
    put(disk, bytes, CONFIG_TEXT_MAX + 1);
    assert_false(read_file(&options, disk->file));
    assert_non_null(strstr(options.problem, "larger than 1 MiB"));
    options_fini(&options);
    free(bytes);
}

static void bytes_that_are_no_text(void **state)
{
    struct disk *disk = *state;
    struct options options;
    put(disk, "root = a\n\0root = b", 18);
    assert_false(read_file(&options, disk->file));
    assert_int_equal(options.problems.count, 1);
    assert_int_equal(options.problems.at[0].line, 2);
    assert_string_equal(options.problems.at[0].text, "a NUL byte: this is not a text");
    options_fini(&options);

    put(disk, "\xef\xbb\xbfroot = /a\r\nlist = \"true\"\r\n", 29);
    assert_true(read_file(&options, disk->file));
    assert_string_equal(options.server.root, "/a");
    options_fini(&options);
}

static void what_is_missing_on_the_disk(void **state)
{
    struct disk *disk = *state;
    struct options options;
    static const char text[] = "root = .\nrule /a { basic_auth = site.conf }\nhost a {\nroot = b\n}\n"
                               "host b { root = .\nrule /b {\nbasic_auth = c } }";
    put(disk, text, sizeof text - 1);
    assert_true(read_file(&options, disk->file));
    assert_false(config_check_disk(&options));
    assert_int_equal(options.problems.count, 3);
    assert_int_equal(options.problems.at[0].line, 2); /* this is there, but it is no list of passwords */
    assert_non_null(strstr(options.problems.at[0].text, "site.conf:1: no colon"));
    assert_int_equal(options.problems.at[1].line, 3);
    assert_non_null(strstr(options.problems.at[1].text, "/b: No such file or directory"));
    assert_int_equal(options.problems.at[2].line, 7);
    assert_ptr_equal(strstr(options.problems.at[2].text, "basic_auth: /"), options.problems.at[2].text);
    options_fini(&options);

    put(disk, "root = site.conf", 16);
    assert_true(read_file(&options, disk->file));
    assert_false(config_check_disk(&options));
    assert_int_equal(options.problems.at[0].line, 1);
    assert_non_null(strstr(options.problems.at[0].text, "site.conf: Not a directory"));
    options_fini(&options);

    put(disk, "list = true", 11); /* a root that the file does not name is not in one of its lines */
    assert_true(read_file(&options, disk->file));
    assert_true(config_check_disk(&options));
    options.server.root = "/nowhere/at/all";
    assert_false(config_check_disk(&options));
    assert_int_equal(options.problems.count, 0);
    assert_string_equal(options.problem, "root: /nowhere/at/all: No such file or directory");
    options_fini(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_of_the_program),
        cmocka_unit_test(certificates),
        cmocka_unit_test(texts_and_paths),
        cmocka_unit_test(an_empty_file_says_nothing),
        cmocka_unit_test(hosts_and_rules),
        cmocka_unit_test(modules),
        cmocka_unit_test(modules_that_are_too_many),
        cmocka_unit_test(mistakes_in_options),
        cmocka_unit_test(mistakes_in_rules),
        cmocka_unit_test(mistakes_in_hosts),
        cmocka_unit_test(mistakes_of_grammar),
        cmocka_unit_test(names_without_case),
        cmocka_unit_test(a_rule_that_is_wrong_counts),
        cmocka_unit_test(all_are_found),
        cmocka_unit_test(a_broken_file_does_not_break_the_next),
        cmocka_unit_test_setup_teardown(relative_to_the_file, set_up, tear_down),
        cmocka_unit_test(relative_to_no_file),
        cmocka_unit_test_setup_teardown(what_cannot_be_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_that_are_no_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_missing_on_the_disk, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

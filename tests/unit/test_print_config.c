/* What --print-config shows: every value with its origin, in a form that says the same when it is read. */
#include "main/print_config.h"

#include "main/config_file.h"
#include "main/option_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { ARGUMENTS_MAX = 8 };

/* In a file of its own; arguments are separated by "|". */
static char *show(const char *text, const char *line, char *const *environment)
{
    char name[] = "/tmp/rawhttp-test-XXXXXX", copy[200], why[CONFIG_WHY_SIZE], *page = NULL;
    char *argv[ARGUMENTS_MAX] = { (char *)(uintptr_t)"rawhttpd", (char *)(uintptr_t)"-c", name };
    size_t size;
    int argc = 3, fd = mkstemp(name);
    struct options options;
    struct config config;
    strcpy(copy, line);
    for (char *next = *line ? copy : NULL; next;)
        argv[argc++] = strsep(&next, "|");
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    enum options_outcome outcome = options_parse(&options, &(struct options_given){ argc, argv, environment });
    unlink(name);
    if (outcome != OPTIONS_SERVE)
        fail_msg("%s%s", options.problem, options.problems.count ? options.problems.at[0].text : "");
    assert_true(config_init(&config, &options.server, why));
    options.config = "site.conf";
    FILE *out = open_memstream(&page, &size);
    assert_true(print_config(&options, &config, out));
    fclose(out);
    config_fini(&config);
    options_fini(&options);
    return page;
}

static char *const nothing[] = { NULL };

static void shows(const char *page, const char *line)
{
    if (!strstr(page, line))
        fail_msg("no \"%s\" in:\n%s", line, page);
}

static void values_and_where_they_come_from(void **state)
{
    static char *const environment[] = { (char *)(uintptr_t)"RAWHTTP_BACKGROUND=7", (char *)(uintptr_t)"PORT=3000",
                                         NULL };
    char here[4000], root[4100];
    (void)state;
    char *page = show("\nworkers = 3\nroot = /srv/www\naccess_log = off\nfallback = /app.html # here\n",
                      "--cache-size=1M", environment);
    shows(page, "listen = {\":3000\"}                              # environment PORT\n");
    shows(page, "\nroot = \"/srv/www\"                               # file site.conf:3\n");
    shows(page, "\nworkers = 3                                     # file site.conf:2\n");
    shows(page, "\nbackground = 7                                  # environment RAWHTTP_BACKGROUND\n");
    shows(page, "\ncache_size = \"1M\"                               # flag\n");
    shows(page, "\naccess_log = \"off\"                              # file site.conf:4\n");
    shows(page, "\nfallback = \"/app.html\"                          # file site.conf:5\n");
    shows(page, "\nidle_timeout = \"1m\"                             # default\n");
    shows(page, "\nwatch = \"auto\"                                  # default\n");
    shows(page, "\nlist = false                                    # default\n");
    assert_null(strstr(page, "public"));
    assert_null(strstr(page, "help"));
    free(page);

    page = show("cache_size = 0\nbody_rate_min = 0", "--public|-q", nothing);
    shows(page, "listen = {\":8080\"}                              # flag\n");
    shows(page, "\n# fallback is not set                           # default\n");
    shows(page, "\ncache_size = \"0\" ");
    shows(page, "\nbody_rate_min = \"0\" ");
    shows(page, "\nquiet = true                                    # flag\n");
    assert_non_null(getcwd(here, sizeof here));
    snprintf(root, sizeof root, "\nroot = \"%s\"", here);
    shows(page, root);
    free(page);

    page = show("module a { }", "--module=/b.so c", nothing);
    shows(page, "\nmodule \"/b.so\" {                                # flag\n    settings = \"c\"\n}\n");
    assert_null(strstr(page, "\"/tmp/a\""));
    free(page);

    page = show("certificate c.pem { key = k.pem ocsp = /o.der }", "-lhttps://:443", nothing);
    shows(page, "listen = {\"https://:443\"}");
    shows(page, "\ncertificate \"/tmp/c.pem\" {                      # file site.conf:1\n    key = \"/tmp/k.pem\"\n"
                "    ocsp = \"/o.der\"\n}\n");
    free(page);
    page = show("certificate c.pem { }", "--tls-cert=/d.pem", nothing);
    shows(page, "listen = {\"https://localhost:8443\"}");
    shows(page, "\ncertificate \"/d.pem\" {                          # flag\n}\n");
    assert_null(strstr(page, "c.pem"));
    free(page);

    page = show("host a { }", "-l|unix:a|-l|unix:/b", nothing);
    shows(page, "\n# root is not set                               # default\n");
    snprintf(root, sizeof root, "listen = {\"unix:%s/a\", \"unix:/b\"}", here);
    shows(page, root);
    free(page);
}

static void every_key_is_shown_once(void **state)
{
    char *page = show("", "", nothing);
    (void)state;
    for (const struct option_row *row = options_table; row->name; row++) {
        char label[OPTION_LABEL_SIZE], line[OPTION_LABEL_SIZE + 8];
        const struct origin file = { .kind = ORIGIN_FILE };
        snprintf(line, sizeof line, "\n%s ", option_label(row, file, label));
        bool unset = !row->words && (row->kind == OPTION_PAGE || row->kind == OPTION_CHECKED ||
                                     row->kind == OPTION_TEXT || row->kind == OPTION_FILE);
        if (row->scope == SCOPE_ALL && row->kind != OPTION_ADDRESS && (!unset || strcmp(row->name, "root") == 0) &&
            strcmp(row->name, "public") != 0)
            shows(page, line);
    }
    shows(page, "\n# trusted_proxies is not set");
    shows(page, "\nhttps_redirect = \"auto\"");
    shows(page, "\n# hsts is not set");
    shows(page, "\n# tls_ciphers is not set");
    shows(page, "\ntls_min_version = \"1.2\"");
    shows(page, "\ntls_client_cert = \"off\"");
    free(page);
}

/* All but the comments behind values. */
static void strip_origins(char *page)
{
    char *out = page;
    for (char *line, *rest = page; (line = strsep(&rest, "\n")) != NULL;) {
        char *comment = strstr(line, " # ");
        if (comment)
            *comment = '\0';
        size_t size = strlen(line);
        while (size > 0 && line[size - 1] == ' ')
            size--;
        memmove(out, line, size);
        out += size;
        *out++ = '\n';
    }
    out[-1] = '\0';
}

static void what_is_shown_can_be_read(void **state)
{
    static const char text[] =
        "listen = {\"unix:a\", \":80\"} root = \"a \\\"b\\\" \\\\ ${c}\" workers = 2 max_connections = 77\n"
        "types = {\"a b/c\", \"d e/f\"} error_pages = \"404 /x\" fallback = /f list = 1 quiet = 1 access_log = b\n"
        "rule /a { redirect = /b status = 302 headers = {\"A: \\\"b\\\"\"} }\n"
        "rule \"/{c}\" { rewrite = \"/{c}.html\" cache_control = \"\" cors = \"*\" basic_auth = d }\n"
        "host \"x.org *.x.org\" { root = e fallback = /g list = on types = \"a b/c\" rule *.js { status = 404 } }\n"
        "host y.org { }\n"
        "module \"a b.so\" { settings = \"\\\"c\\\" d\" } module /e.so { }\n";
    (void)state;
    char *page = show(text, "", nothing);
    char *again = show(page, "", nothing);
    strip_origins(page);
    strip_origins(again);
    assert_string_equal(page, again);
    shows(page, "\nrule \"/a\" {\n    redirect = \"/b\"\n    status = 302\n    headers = {\"A: \\\"b\\\"\"}\n}\n");
    shows(page, "\n    basic_auth = \"/tmp/d\"\n");
    shows(page, "\nhost \"x.org *.x.org\" {\n    root = \"/tmp/e\"\n");
    shows(page, "\n    rule \"*.js\" {\n        status = 404\n    }\n}\n");
    shows(page, "\nmodule \"/tmp/a b.so\" {\n    settings = \"\\\"c\\\" d\"\n}\nmodule \"/e.so\" {\n}\n");
    shows(page, "\nhost \"y.org\" {\n    list = false\n}");
    free(page);
    free(again);
}

/* Nothing breaks out of its line, or reaches the terminal as a command. */
static void controls_are_masked(void **state)
{
    char *page = show("", "--root=a\033[2J\nworkers = 9", nothing);
    (void)state;
    shows(page, "/a?[2J?workers = 9\"");
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_where_they_come_from),
        cmocka_unit_test(every_key_is_shown_once),
        cmocka_unit_test(what_is_shown_can_be_read),
        cmocka_unit_test(controls_are_masked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

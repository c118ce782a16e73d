/* The banner and its line for a log: places, pages, plurals. */
#include "main/banner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static char *print(void (*form)(const struct banner *banner, FILE *out), const struct banner *banner)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    form(banner, out);
    fclose(out);
    return text;
}

static void log_lines(void **state)
{
    static const struct {
        const char *listen;
        unsigned port;
        rh_site_info site;
        const char *line;
    } cases[] = {
        { "localhost:8080", 8080, { 3, 3, 1536, 1536 },
          "listening on http://localhost:8080; serving /srv/www: 3 pages, 1.5 KiB, all in memory" },
        { ":8080", 8080, { 1, 1, 1, 1 },
          "listening on http://localhost:8080 (all interfaces); serving /srv/www: 1 page, 1 byte, all in memory" },
        { "*:80", 80, { 0, 0, 0, 0 },
          "listening on http://localhost (all interfaces); serving /srv/www: 0 pages, 0 bytes, all in memory" },
        { "0.0.0.0:81 [::]:82", 81, { 2, 1, 3 << 20, 1 << 20 },
          "listening on http://localhost:81 (all IPv4 interfaces), http://localhost:82 (all IPv6 interfaces); "
          "serving /srv/www: 2 pages, 3 MiB, 1 of them (1 MiB) in memory" },
        { " 127.0.0.1:0  [::1]:5 unix:/run/a:1 ", 4321, { 2, 2, 2, 2 },
          "listening on http://127.0.0.1:4321, http://[::1]:5, unix:/run/a:1; serving /srv/www: "
          "2 pages, 2 bytes, all in memory" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct banner banner = { "/srv/www", cases[i].listen, cases[i].port, 2, cases[i].site };
        char *text = print(banner_print_line, &banner);
        assert_string_equal(text, cases[i].line);
        free(text);
    }
}

static void a_terminal_gets_all_of_it(void **state)
{
    static const char *const listen = ":8080 unix:/run/a https://127.0.0.1:443 https://localhost:80";
    struct banner banner = { "/srv/www", listen, 8080, 4, { 5, 5, 2048, 2048 } };
    static const char *const words[] = { "/srv/www", "http://localhost:8080 (all interfaces)",
                                         "\n           unix:/run/a",
                                         "\n           https://127.0.0.1\n", "\n           https://localhost:80",
                                         "5 pages, 2 KiB, all in memory", "4", "Press Ctrl+C to stop", RH_VERSION };
    char *text = print(banner_print, &banner);
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strstr(text, words[i]))
            fail_msg("\"%s\" is not in the banner:\n%s", words[i], text);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_lines),
        cmocka_unit_test(a_terminal_gets_all_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

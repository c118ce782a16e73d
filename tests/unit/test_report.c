/* The program's own messages: levels, quiet, no control character gets out, and a reader that has gone harms nobody. */
#include "main/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const char *written(int fd)
{
    static char text[4096];
    ssize_t got = read(fd, text, sizeof text - 1);
    text[got > 0 ? got : 0] = '\0';
    return text;
}

static void levels(void **state)
{
    static const struct {
        bool quiet;
        enum rh_log_level level;
        const char *line;
    } cases[] = {
        { false, RH_LOG_ERROR, "rawhttpd: error: it is so\n.\n" },
        { false, RH_LOG_WARN, "rawhttpd: warning: it is so\n.\n" },
        { false, RH_LOG_INFO, "rawhttpd: it is so\n.\n" },
        { false, RH_LOG_DEBUG, ".\n" },
        { true, RH_LOG_ERROR, "rawhttpd: error: it is so\n.\n" },
        { true, RH_LOG_WARN, "rawhttpd: warning: it is so\n.\n" },
        { true, RH_LOG_INFO, ".\n" },
        { true, RH_LOG_DEBUG, ".\n" },
    };
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct report report = { .fd = ends[1], .quiet = cases[i].quiet };
        report_log(&report, cases[i].level, "it is so");
        assert_int_equal(write(ends[1], ".\n", 2), 2); /* an end to read up to, where nothing was written */
        assert_string_equal(written(ends[0]), cases[i].line);
    }
    close(ends[0]);
    close(ends[1]);
}

static void colours_only_the_level(void **state)
{
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    struct report report = { .fd = ends[1], .terminal = true };
    report_line(&report, RH_LOG_WARN, "a \033[2J b");
    assert_string_equal(written(ends[0]), "rawhttpd: \033[1;33mwarning:\033[0m a \\x1b[2J b\n");
    close(ends[0]);
    close(ends[1]);
}

static void one_line_whatever_is_in_it(void **state)
{
    char big[3000];
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    struct report report = { .fd = ends[1], .quiet = true };
    report_fatal(&report, "%s", "a\nb\tc\r\x7f\xc3\xa4");
    assert_string_equal(written(ends[0]), "rawhttpd: a\\x0ab\\x09c\\x0d\\x7f\xc3\xa4\n");
    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = '\0';
    report_fatal(&report, "%s", big);
    const char *line = written(ends[0]);
    assert_int_equal(strlen(line), 1024);
    assert_int_equal(line[strlen(line) - 1], '\n');
    close(ends[0]);
    close(ends[1]);
}

static void lines_of_a_file(void **state)
{
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    struct report report = { .fd = ends[1], .terminal = true, .quiet = true };
    report_problem(&report, "a\nb.conf", 12, "it is wrong");
    assert_string_equal(written(ends[0]), "a\\x0ab.conf:12: it is wrong\n");
    report_problem(&report, "a.conf", 0, "it is wrong");
    assert_string_equal(written(ends[0]), "a.conf: it is wrong\n");
    close(ends[0]);
    close(ends[1]);
}

static void a_broken_pipe_harms_nobody(void **state)
{
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    struct report report = { .fd = ends[1] };
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    close(ends[0]);
    report_line(&report, RH_LOG_ERROR, "nobody reads this");
    close(ends[1]);
    report_line(&report, RH_LOG_ERROR, "nor this");
    signal(SIGPIPE, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels),
        cmocka_unit_test(colours_only_the_level),
        cmocka_unit_test(one_line_whatever_is_in_it),
        cmocka_unit_test(lines_of_a_file),
        cmocka_unit_test(a_broken_pipe_harms_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the program tells its operator: one line each on standard error. See report.h.
 *
 * Whatever becomes of standard error (closed, a full disk, a broken pipe), the program goes on: nothing here can
 * fail. */
#include "main/report.h"

#include "base/writer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { REPORT_LINE_SIZE = 1024 }; /* longer lines are cut */

static const struct prefix {
    const char *plain, *coloured;
} prefixes[] = {
    [RH_LOG_ERROR] = { "rawhttpd: error: ", "rawhttpd: \033[1;31merror:\033[0m " },
    [RH_LOG_WARN] = { "rawhttpd: warning: ", "rawhttpd: \033[1;33mwarning:\033[0m " },
    [RH_LOG_INFO] = { "rawhttpd: ", "rawhttpd: " },
};

struct report report_new(bool quiet)
{
    return (struct report){ .fd = STDERR_FILENO, .terminal = isatty(STDERR_FILENO) == 1, .quiet = quiet };
}

/* Not dprintf, which would ask for memory. */
__attribute__((format(printf, 3, 0)))
static void write_line(const struct report *report, const char *prefix, const char *format, va_list arguments)
{
    char text[REPORT_LINE_SIZE], line[REPORT_LINE_SIZE];
    struct writer w = writer_on(line, sizeof line - 1);
    vsnprintf(text, sizeof text, format, arguments);
    writer_text(&w, prefix);
    writer_shown(&w, slice_text(text));
    *w.at++ = '\n'; /* there is room */
    while (write(report->fd, line, writer_used(&w)) < 0 && errno == EINTR)
        continue;
}

__attribute__((format(printf, 2, 3)))
static void write_bare(const struct report *report, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line(report, "", format, arguments);
    va_end(arguments);
}

void report_line(const struct report *report, enum rh_log_level level, const char *format, ...)
{
    if (level == RH_LOG_DEBUG || (report->quiet && level == RH_LOG_INFO))
        return;
    va_list arguments;
    va_start(arguments, format);
    write_line(report, report->terminal ? prefixes[level].coloured : prefixes[level].plain, format, arguments);
    va_end(arguments);
}

void report_fatal(const struct report *report, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line(report, "rawhttpd: ", format, arguments);
    va_end(arguments);
}

void report_problem(const struct report *report, const char *file, unsigned line, const char *text)
{
    if (line > 0)
        write_bare(report, "%.400s:%u: %s", file, line, text);
    else
        write_bare(report, "%.400s: %s", file, text);
}

void report_log(void *user, enum rh_log_level level, const char *line)
{
    report_line(user, level, "%s", line);
}

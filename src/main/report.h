/* What the program tells its operator: one line each on standard error, "rawhttpd: warning: ...". It is also the
 * library's log. It writes no access log (the library does) and refuses to know what the lines are about. */
#ifndef MAIN_REPORT_H
#define MAIN_REPORT_H

#include "rawhttp.h"

struct report {
    int fd;
    bool terminal; /* a person reads it */
    bool quiet;  /* no information, only warnings and errors */
};

/* On standard error. */
struct report report_new(bool quiet);

/* Any thread; a line is one write, so that lines of several threads do not mix. What is no text, as in the
 * name of a file, is escaped (writer_shown): nothing breaks the line or reaches the terminal as a command. */
void report_line(const struct report *report, enum rh_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The last words of a program that ends because of them: "rawhttpd: ..." without the level. */
void report_fatal(const struct report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What is wrong in a line of a file, in the form in which compilers say it and editors find it: "FILE:3: ..."; of the
 * whole file where the line is 0. */
void report_problem(const struct report *report, const char *file, unsigned line, const char *text);

/* An rh_log callback; `user` is a struct report. */
void report_log(void *user, enum rh_log_level level, const char *line);

#endif

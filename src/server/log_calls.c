/* The public calls about the log: a line of the program's own, and a place for lines to go. */
#include "server/server.h"

#include <stdarg.h>
#include <stdio.h>

void rh_log_write(rh_server *server, enum rh_log_level level, const char *format, ...)
{
    va_list arguments;
    if (server == NULL)
        return;
    va_start(arguments, format);
    log_write_with(&server->log, (unsigned)level <= RH_LOG_DEBUG ? (enum log_level)level : LOG_LEVEL_ERROR, format,
                   arguments);
    va_end(arguments);
}

void rh_log_stderr(void *user, enum rh_log_level level, const char *line)
{
    static const char *const names[] = { "error", "warning", "info", "debug" };
    (void)user;
    fprintf(stderr, "rawhttp: %s: %s\n", names[level], line);
}

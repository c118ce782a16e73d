/* What the server has to tell its operator goes to a callback of the embedding program; the library itself
 * never prints. Lines are whole sentences without a line break, in UTF-8;
 * what is no text in them, as in the name of a file, is escaped (writer_shown). Any thread may call log_write. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum { LOG_LINE_SIZE = 1024 }; /* bytes; what is longer is cut */

struct log {
    void (*write)(void *user, enum log_level level, const char *line); /* NULL: silence */
    void *user;
};

void log_write(const struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void log_write_with(const struct log *log, enum log_level level, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

#endif

/* Makes a line of a message and hands it on. It does not know where the lines go, nor when it is.
 *
 * Messages may quote what came from a peer or a file name, so controls are taken out here, once for all. */
#include "base/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Where to cut `line` so that no UTF-8 character is cut in two: bytes 10xxxxxx continue one. */
static size_t cut_before(const char *line, size_t size)
{
    while (size > 0 && ((unsigned char)line[size] & 0xC0) == 0x80)
        size--;
    return size;
}

/* U+0080 to U+009F, in UTF-8 C2 and 80 to 9F, are controls too, and some terminals obey them. */
static void clean(char *line)
{
    for (; *line; line++) {
        bool high = (unsigned char)line[0] == 0xC2 && ((unsigned char)line[1] & 0xE0) == 0x80;
        if (high || (unsigned char)*line < 0x20 || *line == 0x7f)
            *line = ' ';
        if (high)
            *++line = ' ';
    }
}

void log_write_with(const struct log *log, enum log_level level, const char *format, va_list arguments)
{
    static const char more[] = "...";
    char line[LOG_LINE_SIZE];

    if (!log->write)
        return;
    int size = vsnprintf(line, sizeof line, format, arguments);
    if (size < 0) { /* better the bare words than none */
        log->write(log->user, level, format);
        return;
    }
    if ((size_t)size >= sizeof line)
        memcpy(line + cut_before(line, sizeof line - sizeof more), more, sizeof more);
    clean(line);
    log->write(log->user, level, line);
}

void log_write(const struct log *log, enum log_level level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_write_with(log, level, format, arguments);
    va_end(arguments);
}

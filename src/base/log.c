/* Makes a line of a message and hands it on. It does not know where the lines go, nor when it is.
 *
 * Messages may quote what came from a peer or a file name, so what is no text is escaped here, once for all. */
#include "base/log.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/writer.h"

/* Where to cut `line` so that no UTF-8 character is cut in two: bytes 10xxxxxx continue one. */
static size_t cut_before(const char *line, size_t size)
{
    while (size > 0 && ((unsigned char)line[size] & 0xC0) == 0x80)
        size--;
    return size;
}

/* NUL-terminated. False: it does not fit, and `out` has its beginning. */
static bool write_line(struct slice message, char *out, size_t room)
{
    struct writer w = writer_on(out, room - 1);
    writer_shown(&w, message);
    *w.at = '\0';
    return !w.overflowed;
}

void log_write_with(const struct log *log, enum log_level level, const char *format, va_list arguments)
{
    static const char more[] = "...";
    char message[LOG_LINE_SIZE], line[LOG_LINE_SIZE];

    if (!log->write)
        return;
    int size = vsnprintf(message, sizeof message, format, arguments);
    if (size < 0) { /* better the bare words than none */
        log->write(log->user, level, format);
        return;
    }
    bool whole = (size_t)size < sizeof message;
    size_t kept = whole ? (size_t)size : cut_before(message, sizeof message - sizeof more);
    if (!write_line(slice_make(message, kept), line, sizeof line) || !whole) {
        (void)write_line(slice_make(message, kept), line, sizeof line - (sizeof more - 1));
        strcat(line, more);
    }
    log->write(log->user, level, line);
}

void log_write(const struct log *log, enum log_level level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_write_with(log, level, format, arguments);
    va_end(arguments);
}

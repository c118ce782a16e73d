/* Steps and facts. See sheet.h. */
#include "server/sheet.h"

#include "base/utf8.h"
#include "base/writer.h"

#include <stdarg.h>
#include <stdlib.h>

static const char *emphasis(const struct sheet *sheet, const char *sequence)
{
    return sheet->colour ? sequence : "";
}

/* A control in a path would be a command to the terminal, or break the line. */
static void put(FILE *out, struct slice text)
{
    char shown[sizeof "\\x1b"]; /* one character at a time, since there is no limit to the text */
    while (text.size > 0) {
        size_t size = utf8_shown(text);
        struct slice first = slice_part(text, 0, size > 0 ? size : 1);
        struct writer w = writer_on(shown, sizeof shown);
        writer_shown(&w, first);
        fwrite(shown, 1, writer_used(&w), out);
        text = slice_skip(text, first.size);
    }
    fputc('\n', out);
}

void sheet_step(struct sheet *sheet, const char *name)
{
    fprintf(sheet->out, "%s%s%s%s\n", sheet->begun ? "\n" : "", emphasis(sheet, "\x1b[1m"), name,
            emphasis(sheet, "\x1b[0m"));
    sheet->begun = true;
}

void sheet_fact(struct sheet *sheet, const char *label, const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    int size = vasprintf(&text, format, arguments);
    va_end(arguments);
    fprintf(sheet->out, "  %s%-11s%s ", emphasis(sheet, "\x1b[2m"), label, emphasis(sheet, "\x1b[0m"));
    put(sheet->out, size < 0 ? SLICE("(out of memory)") : slice_make(text, (size_t)size));
    if (size >= 0)
        free(text);
}

void sheet_line(struct sheet *sheet, struct slice line)
{
    fputs("  ", sheet->out);
    put(sheet->out, line);
}

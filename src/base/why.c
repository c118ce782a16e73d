/* Puts the line together. Who reads it, and where, is not known here. */
#include "base/why.h"

#include <stdio.h>

static void flatten(char *line)
{
    for (; *line; line++)
        if ((unsigned char)*line < ' ' || *line == 0x7f)
            *line = '?';
}

bool why_refuse_with(struct why why, struct slice about, const char *format, va_list arguments)
{
    int used = 0;
    if (why.size == 0)
        return false;
    if (about.size > 0)
        used = snprintf(why.text, why.size, "%.*s: ", (int)about.size, about.data);
    if (used >= 0 && (size_t)used < why.size)
        vsnprintf(why.text + used, why.size - (size_t)used, format, arguments);
    flatten(why.text);
    return false;
}

bool why_refuse(struct why why, struct slice about, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    why_refuse_with(why, about, format, arguments);
    va_end(arguments);
    return false;
}

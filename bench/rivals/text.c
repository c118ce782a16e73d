/* JSON as programs make it that have only the C library for it. It knows neither servers nor requests. */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEM_SIZE_MAX = 4096, HEAD_SIZE_MAX = 64 }; /* of our data set, by far */

static char *put(char *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsprintf(at, format, arguments);
    va_end(arguments);
    return at + size;
}

static char *put_string(char *at, const char *text)
{
    *at++ = '"';
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20) {
            at = put(at, "\\u%04x", *text);
            continue;
        }
        if (*text == '"' || *text == '\\')
            *at++ = '\\';
        *at++ = *text;
    }
    *at++ = '"';
    return at;
}

static char *put_item(char *at, const struct item *item, long long m)
{
    at = put(at, "{\"id\":%d,\"name\":", item->id);
    at = put_string(at, item->name);
    at = put(at, ",\"category\":");
    at = put_string(at, item->category);
    at = put(at, ",\"price\":%d,\"quantity\":%d,\"active\":%s,\"rating\":{\"score\":%d,\"count\":%d},\"total\":%lld,",
             item->price, item->quantity, item->active ? "true" : "false", item->score, item->ratings,
             item->price * m * item->quantity);
    at = put(at, "\"tags\":[");
    for (size_t i = 0; i < item->tag_count; i++) {
        if (i > 0)
            *at++ = ',';
        at = put_string(at, item->tags[i]);
    }
    *at++ = ']';
    *at++ = '}';
    return at;
}

char *text_make(const struct items *items, size_t count, long long m, size_t *size)
{
    size_t room = 16384, item_room = ITEM_SIZE_MAX + HEAD_SIZE_MAX;
    char *start = malloc(room), *at = start;
    if (start == NULL)
        return NULL;
    at = put(at, "{\"count\":%zu,\"items\":[", count);
    for (size_t i = 0; i < count; i++) {
        size_t used = (size_t)(at - start);
        if (room - used < item_room) {
            char *more = realloc(start, room *= 2);
            if (more == NULL) {
                free(start);
                return NULL;
            }
            start = more;
            at = start + used;
        }
        if (i > 0)
            *at++ = ',';
        at = put_item(at, &items->at[i], m);
    }
    at = put(at, "]}");
    *size = (size_t)(at - start);
    return start;
}

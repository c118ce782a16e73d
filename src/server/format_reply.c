/* JSON and HTML replies of handlers: pieces are formatted (base/json, base/html) into memory of the exchange that grows
 * as needed. */
#include "server/respond.h"

#include "base/html.h"
#include "base/json.h"
#include "base/writer.h"

#include <stdarg.h>

enum { FIRST_ROOM = 512 };

typedef bool formatter(struct writer *w, const char *format, va_list *arguments);

_Static_assert(sizeof(rh_slice) == sizeof(struct slice) && offsetof(rh_slice, size) == offsetof(struct slice, size),
               "the formatters take a struct slice where a program passes an rh_slice");

/* Twice the room, with what is there. False: no memory, or the exchange's ceiling. */
static bool grow(struct exchange *exchange)
{
    struct reply_text *text = &exchange->response.text;
    size_t room = text->room ? 2 * text->room : FIRST_ROOM;
    char *data = arena_take(&exchange->arena, room);
    if (data == NULL)
        return false;
    if (text->used > 0)
        memcpy(data, text->data, text->used);
    *text = (struct reply_text){ data, text->used, room };
    return true;
}

/* True: there is more room now, for the piece to be written again, from its first argument on. */
SLICE_NULL_PLUS_ZERO
static inline bool append(struct exchange *exchange, formatter *write, const char *format, va_list *arguments)
{
    struct reply_text *text = &exchange->response.text;
    if (exchange_answered(exchange))
        return false;
    struct writer w = writer_on(text->data + text->used, text->room - text->used);
    if (!write(&w, format, arguments))
        respond_refuse(exchange, "used a format that is none: %.80s", format); /* half of a text is none either */
    if (!w.overflowed) {
        text->used += writer_used(&w);
        return false;
    }
    if (grow(exchange))
        return true;
    respond_starved(exchange);
    return false;
}

static void finish(struct exchange *exchange, struct slice type)
{
    struct reply_text *text = &exchange->response.text;
    if (respond_is_second(exchange))
        return;
    if (text->used == 0 || (exchange->response.place.begun && !exchange->response.place.whole))
        respond_refuse(exchange, "sent a text that is empty, or JSON that has not been ended");
    respond_bytes(exchange, type, slice_make(text->data, text->used));
}

void rh_json(rh_request *request, const char *format, ...)
{
    va_list arguments;
    bool again;
    do {
        va_start(arguments, format);
        again = append((struct exchange *)request, json_format, format, &arguments);
        va_end(arguments);
    } while (again);
    rh_json_send(request);
}

void rh_json_add(rh_request *request, const char *format, ...)
{
    va_list arguments;
    bool again;
    do {
        va_start(arguments, format);
        again = append((struct exchange *)request, json_format, format, &arguments);
        va_end(arguments);
    } while (again);
}

void rh_json_send(rh_request *request)
{
    finish((struct exchange *)request, SLICE("application/json"));
}

void rh_html_add(rh_request *request, const char *format, ...)
{
    va_list arguments;
    bool again;
    do {
        va_start(arguments, format);
        again = append((struct exchange *)request, html_format, format, &arguments);
        va_end(arguments);
    } while (again);
}

void rh_html_send(rh_request *request)
{
    finish((struct exchange *)request, SLICE("text/html; charset=utf-8"));
}

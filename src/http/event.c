/* Server-sent events as text. Who sends them to whom, and when, is not known here. */
#include "http/event.h"

#include "base/utf8.h"

static bool is_line(struct slice text)
{
    return slice_find(text, '\n') == text.size && slice_find(text, '\r') == text.size && utf8_valid(text);
}

bool event_valid(const struct event *event)
{
    return is_line(event->name) && is_line(event->id) && slice_find(event->id, '\0') == event->id.size &&
           utf8_valid(event->data);
}

/* CRLF, LF and CR all end a line. Returns the line, and moves past its end. */
static struct slice take_line(struct slice *rest, bool *more)
{
    size_t end = slice_find(*rest, '\n'), cr = slice_find(*rest, '\r');
    if (cr < end)
        end = cr;
    struct slice line = slice_part(*rest, 0, end);
    *more = end < rest->size;
    bool both = end + 1 < rest->size && rest->data[end] == '\r' && rest->data[end + 1] == '\n';
    *rest = slice_skip(*rest, *more ? end + 1 + both : end);
    return line;
}

size_t event_bound(const struct event *event)
{
    size_t lines = 1;
    for (size_t i = 0; i < event->data.size; i++)
        lines += event->data.data[i] == '\n' || event->data.data[i] == '\r';
    return sizeof "event: \nid: \nretry: 4294967295\n:\n\n" + event->name.size + event->id.size + event->data.size +
           lines * (sizeof "data: \n" - 1);
}

static void write_line(struct writer *w, struct slice name, struct slice value)
{
    writer_put(w, name);
    writer_put(w, SLICE(": "));
    writer_put(w, value);
    writer_put(w, SLICE("\n"));
}

/* The data last: an identifier and a time to come back hold even where there is none. */
void event_write(struct writer *w, const struct event *event)
{
    bool nothing = !event->name.data && !event->id.data && !event->data.data && event->retry_ms == 0;
    if (nothing)
        writer_put(w, SLICE(":\n"));
    if (event->name.data)
        write_line(w, SLICE("event"), event->name);
    if (event->id.data)
        write_line(w, SLICE("id"), event->id);
    if (event->retry_ms != 0) {
        writer_put(w, SLICE("retry: "));
        writer_uint(w, event->retry_ms);
        writer_put(w, SLICE("\n"));
    }
    struct slice rest = event->data;
    for (bool more = event->data.data != NULL; more;)
        write_line(w, SLICE("data"), take_line(&rest, &more));
    writer_put(w, SLICE("\n"));
}

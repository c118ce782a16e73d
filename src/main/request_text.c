/* A request from the words of a command line. See request_text.h. */
#include "main/request_text.h"

#include "base/writer.h"

#include <stdlib.h>
#include <strings.h>

static const struct slice version = SLICE_INIT(" HTTP/1.1"), host = SLICE_INIT("Host: localhost\r\n"),
                          line_end = SLICE_INIT("\r\n");

/* 0 where there is more or less than one space between two of them. */
static unsigned count_words(const char *line)
{
    unsigned words = 1;
    for (const char *at = line; *at; at++) {
        if (*at == ' ' && (at == line || at[1] == ' ' || at[1] == '\0'))
            return 0;
        words += *at == ' ';
    }
    return words;
}

static bool is_one_line(const char *text)
{
    return text[strcspn(text, "\r\n")] == '\0';
}

static bool is_host(const char *field)
{
    return strncasecmp(field, "host:", strlen("host:")) == 0;
}

static bool check(const struct request_parts *parts, struct why why)
{
    unsigned words = count_words(parts->line);
    if (!is_one_line(parts->line) || words < 2 || words > 3)
        return why_refuse(why, slice_text(parts->line), "a request is a method and a target: 'GET /path'");
    for (size_t i = 0; i < parts->field_count; i++)
        if (!is_one_line(parts->fields[i]))
            return why_refuse(why, slice_text(parts->fields[i]), "a field is one line: 'Name: value'");
    return true;
}

static size_t room_for(const struct request_parts *parts)
{
    size_t room = strlen(parts->line) + version.size + host.size + 2 * line_end.size;
    for (size_t i = 0; i < parts->field_count; i++)
        room += strlen(parts->fields[i]) + line_end.size;
    return room;
}

static void write_fields(struct writer *w, const struct request_parts *parts)
{
    bool named = false;
    for (size_t i = 0; i < parts->field_count; i++)
        named |= is_host(parts->fields[i]);
    if (!named)
        writer_put(w, host);
    for (size_t i = 0; i < parts->field_count; i++) {
        writer_text(w, parts->fields[i]);
        writer_put(w, line_end);
    }
}

struct slice request_text(const struct request_parts *parts, struct why why)
{
    if (!check(parts, why))
        return slice_make(NULL, 0);
    size_t room = room_for(parts);
    char *text = malloc(room);
    if (!text) {
        why_refuse(why, SLICE(""), "out of memory");
        return slice_make(NULL, 0);
    }
    struct writer w = writer_on(text, room);
    writer_text(&w, parts->line);
    if (count_words(parts->line) == 2)
        writer_put(&w, version);
    writer_put(&w, line_end);
    write_fields(&w, parts);
    writer_put(&w, line_end);
    return writer_slice(&w);
}

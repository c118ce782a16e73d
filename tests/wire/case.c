/* The reader of case files: a line at a time, what it means by its first word. */
#include "case.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "frames.h"

static void fail(const struct case_reader *reader, const char *what)
{
    fprintf(stderr, "%s:%u: %s\n", reader->path, reader->line, what);
    exit(1);
}

void case_open(struct case_reader *reader, const char *path)
{
    *reader = (struct case_reader){ .path = path };
    FILE *file = fopen(path, "rb");
    if (!file)
        fail(reader, strerror(errno));
    char block[4096];
    for (size_t got; (got = fread(block, 1, sizeof block, file)) > 0;)
        text_append(&reader->file, slice_make(block, got));
    fclose(file);
}

void case_close(struct case_reader *reader)
{
    text_free(&reader->file);
}

void case_free(struct wire_case *wire_case)
{
    text_free(&wire_case->input);
    text_free(&wire_case->frames);
    text_free(&wire_case->asked);
}

/* The next line without its break; false at the end. */
static bool next_line(struct case_reader *reader, struct slice *line)
{
    struct slice rest = slice_skip(text_slice(&reader->file), reader->at);
    if (rest.size == 0)
        return false;
    *line = slice_part(rest, 0, slice_find(rest, '\n'));
    reader->at += line->size < rest.size ? line->size + 1 : line->size;
    reader->line++;
    return true;
}

static unsigned hex_digit(const struct case_reader *reader, char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    c = ascii_lower(c);
    if (c < 'a' || c > 'f')
        fail(reader, "\\x wants two hexadecimal digits");
    return (unsigned)(c - 'a' + 10);
}

/* Resolves \r \n \t \s \0 \\ and \xNN, in place since that only shrinks. */
static struct slice unescape(struct case_reader *reader, struct slice text)
{
    static const char names[] = "rnts0\\", values[] = "\r\n\t \0\\";
    char *out = reader->file.data + (text.data - reader->file.data);
    size_t used = 0;
    for (size_t at = 0; at < text.size; at++) {
        if (text.data[at] != '\\') {
            out[used++] = text.data[at];
            continue;
        }
        char name = ++at < text.size ? text.data[at] : 'x';
        const char *found = name != '\0' ? strchr(names, name) : NULL;
        if (found) {
            out[used++] = values[found - names];
            continue;
        }
        if (name != 'x' || at + 2 >= text.size)
            fail(reader, "unknown escape");
        out[used++] = (char)(hex_digit(reader, text.data[at + 1]) * 16 + hex_digit(reader, text.data[at + 2]));
        at += 2;
    }
    return slice_make(out, used);
}

static struct slice take_word(struct slice *line)
{
    struct slice word = slice_part(*line, 0, slice_find(*line, ' '));
    *line = slice_skip(*line, word.size < line->size ? word.size + 1 : word.size);
    return word;
}

static uint64_t take_number(const struct case_reader *reader, struct slice *line)
{
    uint64_t number = 0;
    if (!slice_uint(take_word(line), &number))
        fail(reader, "a number is missing");
    return number;
}

static void set_limit(const struct case_reader *reader, struct session_limits *limits, struct slice setting)
{
    size_t equals = slice_find(setting, '=');
    struct slice name = slice_part(setting, 0, equals);
    uint64_t value = 0;
    if (equals == setting.size || !slice_uint(slice_skip(setting, equals + 1), &value))
        fail(reader, "limit=number is wanted");
    if (slice_equal(name, SLICE("line_max")))
        limits->request_line_max = (uint32_t)value;
    else if (slice_equal(name, SLICE("head_max")))
        limits->head_max = (uint32_t)value;
    else if (slice_equal(name, SLICE("fields_max")))
        limits->fields_max = (uint32_t)value;
    else if (slice_equal(name, SLICE("body_max")))
        limits->body_max = value;
    else if (slice_equal(name, SLICE("discard_max")))
        limits->discard_max = value;
    else
        fail(reader, "unknown limit");
}

static void add_input(struct case_reader *reader, struct wire_case *made, struct slice word, struct slice rest)
{
    uint64_t times = 1;
    if (word.size > 1 && (word.data[1] != '*' || !slice_uint(slice_skip(word, 2), &times)))
        fail(reader, ">*number is wanted");
    struct slice bytes = unescape(reader, rest);
    for (uint64_t i = 0; i < times; i++)
        text_append(&made->input, bytes);
}

/* ">f" and "<f": a frame of the client, of the server. */
static void add_frame(struct case_reader *reader, struct text *text, struct slice rest, bool client)
{
    struct slice word = take_word(&rest);
    if (!frames_add(text, word, unescape(reader, rest), client))
        fail(reader, "unknown frame");
}

/* The opening handshake of a WebSocket, and that it is agreed to. */
static void add_opening(const struct case_reader *reader, struct wire_case *made, struct slice rest)
{
    bool deflate = slice_equal(rest, SLICE("deflate"));
    if (rest.size > 0 && !deflate)
        fail(reader, "only \"deflate\" can stand behind \"opens\"");
    frames_open(&made->input, deflate);
    made->replies[made->reply_count++] = (struct expected_reply){ .status = 101 };
    text_append(&made->asked, SLICE("GET /ws\n"));
}

static void add_reply(const struct case_reader *reader, struct wire_case *made, struct slice rest)
{
    if (made->reply_count == CASE_REPLIES_MAX)
        fail(reader, "too many replies");
    struct expected_reply *reply = &made->replies[made->reply_count++];
    *reply = (struct expected_reply){ .status = (unsigned)take_number(reader, &rest) };
    reply->to_head = slice_equal(rest, SLICE("head"));
    if (rest.size > 0 && !reply->to_head)
        fail(reader, "only \"head\" can stand behind a status");
}

static void add_field(const struct case_reader *reader, struct expected_reply *reply, struct slice rest, bool there)
{
    if (reply->field_count == CASE_FIELDS_MAX)
        fail(reader, "too many fields");
    size_t colon = there ? slice_find(rest, ':') : rest.size;
    if (there && colon + 2 > rest.size)
        fail(reader, "name: value is wanted");
    struct slice value = there ? slice_trim(slice_skip(rest, colon + 1)) : slice_make(NULL, 0);
    reply->fields[reply->field_count++] = (struct expected_field){ slice_part(rest, 0, colon), value };
}

/* "<" alone begins a reply; "<:", "<!", "<=" and "<#" say more of the last one. */
static void read_reply(struct case_reader *reader, struct wire_case *made, struct slice word, struct slice rest)
{
    if (word.size == 1) {
        add_reply(reader, made, rest);
        return;
    }
    if (word.size != 2 || made->reply_count == 0)
        fail(reader, "this does not belong to a reply");
    struct expected_reply *reply = &made->replies[made->reply_count - 1];
    switch (word.data[1]) {
    case ':':
        add_field(reader, reply, rest, true);
        return;
    case '!':
        add_field(reader, reply, rest, false);
        return;
    case '=':
        reply->body = unescape(reader, rest);
        return;
    case '#':
        reply->sized = true;
        reply->size = take_number(reader, &rest);
        return;
    }
    fail(reader, "unknown line");
}

static void read_line(struct case_reader *reader, struct wire_case *made, struct slice line)
{
    struct slice word = take_word(&line);
    if (slice_equal(word, SLICE(">f"))) {
        add_frame(reader, &made->input, line, true);
    } else if (slice_equal(word, SLICE("<f"))) {
        add_frame(reader, &made->frames, line, false);
    } else if (slice_equal(word, SLICE("opens"))) {
        add_opening(reader, made, line);
    } else if (word.data[0] == '>') {
        add_input(reader, made, word, line);
    } else if (word.data[0] == '<') {
        read_reply(reader, made, word, line);
    } else if (slice_equal(word, SLICE("?"))) {
        text_append(&made->asked, unescape(reader, line));
        text_append(&made->asked, SLICE("\n"));
    } else if (slice_equal(word, SLICE("with"))) {
        while (line.size > 0)
            set_limit(reader, &made->limits, take_word(&line));
    } else if (slice_equal(word, SLICE("100"))) {
        made->interim_whole = (unsigned)take_number(reader, &line);
        made->interim_bytes = (unsigned)take_number(reader, &line);
    } else if (slice_equal(word, SLICE("expires"))) {
        made->expires = true;
    } else if (slice_equal(word, SLICE("ends"))) {
        made->ends = line;
    } else {
        fail(reader, "unknown line");
    }
}

static bool blank(struct slice line)
{
    return slice_trim(line).size == 0 || line.data[0] == '#';
}

bool case_next(struct case_reader *reader, const struct session_limits *limits, struct wire_case *made)
{
    struct slice line;
    do {
        if (!next_line(reader, &line))
            return false;
    } while (blank(line));
    if (!slice_starts(line, SLICE("case ")))
        fail(reader, "a case begins with \"case\" and its name");
    *made = (struct wire_case){ .name = slice_skip(line, 5), .line = reader->line, .limits = *limits };

    for (;;) {
        size_t before = reader->at;
        if (!next_line(reader, &line))
            break;
        if (slice_starts(line, SLICE("case "))) {
            reader->at = before;
            reader->line--;
            break;
        }
        if (!blank(line))
            read_line(reader, made, line);
    }
    if (made->ends.size == 0)
        fail(reader, "the case before this line does not say how it ends");
    return true;
}

/* A client of HTTP/2 for tests: frames from a few words each, and what comes back as words again, stream by stream, so
 * that the order in which streams get on makes no difference.
 *
 *     get ID PATH [NAME=VALUE...]      HEADERS with END_STREAM and the pseudo fields of a GET (host "a")
 *     post ID PATH [NAME=VALUE...]     the same for a POST, without END_STREAM
 *     head ID FLAGS [NAME=VALUE...]    HEADERS with these fields only
 *     data ID TEXT, last ID TEXT       DATA, the second one with END_STREAM; "-" is no text
 *     fill ID N, fill! ID N            N bytes of it in frames of at most 16384, the second one with END_STREAM
 *     frame TYPE FLAGS ID HEX          any frame; "-" is no payload
 *     rst ID CODE    window ID N    settings [NUMBER=VALUE...]    ack    ping TEXT    goaway
 *     preface                          24 octets
 *     raw HEX
 *
 * What comes back: "0: settings window+983041 ack; 1: 200 13.; 3: 404 8." A status, how many bytes of content, and a
 * dot for END_STREAM; rst-CODE, goaway-LAST-CODE, ping-TEXT, pong-TEXT, window+N; T+ and names for trailers. */
#ifndef TESTS_UNIT_H2_SCENE_H
#define TESTS_UNIT_H2_SCENE_H

#include <stdio.h>
#include <stdlib.h>

#include "../wire/stage.h"
#include "wire/h2_frame.h"
#include "wire/h2_session.h"
#include "wire/hpack_decode.h"
#include "wire/hpack_encode.h"

enum { H2_SCENE_STREAMS = 64, H2_SCENE_NOTE = 600 };

struct h2_note {
    uint32_t id;
    bool headed;    /* a status has come */
    uint64_t bytes; /* of content since the last word */
    char text[H2_SCENE_NOTE];
    struct writer words;
};

struct h2_listener {
    struct hpack_decoder decoder;
    struct h2_note notes[H2_SCENE_STREAMS];
    unsigned count;
    char summary[H2_SCENE_STREAMS * 64];
};

/* ---- Saying ---------------------------------------------------------------------------------------------------- */

static void h2_say_frame(struct text *to, struct h2_frame frame, struct slice payload)
{
    char head[H2_FRAME_HEAD];
    frame.size = (uint32_t)payload.size;
    h2_put32(head, frame.size << 8 | frame.type);
    head[4] = (char)frame.flags;
    h2_put32(head + 5, frame.id);
    text_append(to, slice_make(head, sizeof head));
    text_append(to, payload);
}

static void h2_say_number(struct text *to, struct h2_frame frame, uint32_t number)
{
    char bytes[4];
    h2_put32(bytes, number);
    h2_say_frame(to, frame, slice_make(bytes, sizeof bytes));
}

static size_t h2_from_hex(const char *hex, char *bytes)
{
    size_t size = 0;
    for (unsigned value; strcmp(hex, "-") != 0 && sscanf(hex + 2 * size, "%2x", &value) == 1; size++)
        bytes[size] = (char)value;
    return size;
}

static void h2_put_pair(struct writer *w, const char *name, const char *value)
{
    hpack_encode_field(w, slice_text(name), slice_text(value));
}

/* A field name may have a colon in front; so it ends at the first "=". */
static void h2_put_words(struct writer *w, char *rest)
{
    char *state;
    for (char *word = strtok_r(rest, " ", &state); word != NULL; word = strtok_r(NULL, " ", &state)) {
        char *equals = strchr(word, '=');
        *equals = '\0';
        for (char *c = equals + 1; *c != '\0'; c++)
            *c = *c == '_' ? ' ' : *c; /* there is no other way to have a space */
        h2_put_pair(w, word, equals + 1);
    }
}

static void h2_say_request(struct text *to, const char *method, uint32_t id, char *path, char *rest)
{
    char block[4096];
    struct writer w = writer_on(block, sizeof block);
    h2_put_pair(&w, ":method", method);
    h2_put_pair(&w, ":scheme", "http");
    h2_put_pair(&w, ":authority", "a");
    h2_put_pair(&w, ":path", path);
    h2_put_words(&w, rest);
    uint8_t flags = H2_END_HEADERS | (strcmp(method, "GET") == 0 ? H2_END_STREAM : 0);
    h2_say_frame(to, (struct h2_frame){ .type = H2_HEADERS, .flags = flags, .id = id }, writer_slice(&w));
}

static void h2_say_fields(struct text *to, uint32_t id, uint8_t flags, char *rest)
{
    char block[4096];
    struct writer w = writer_on(block, sizeof block);
    h2_put_words(&w, rest);
    h2_say_frame(to, (struct h2_frame){ .type = H2_HEADERS, .flags = flags, .id = id }, writer_slice(&w));
}

static void h2_say_fill(struct text *to, uint32_t id, size_t size, bool last)
{
    static const char zeros[H2_FRAME_MAX];
    do {
        size_t piece = size < sizeof zeros ? size : sizeof zeros;
        size -= piece;
        uint8_t flags = last && size == 0 ? H2_END_STREAM : 0;
        h2_say_frame(to, (struct h2_frame){ .type = H2_DATA, .flags = flags, .id = id }, slice_make(zeros, piece));
    } while (size > 0);
}

static void h2_say_settings(struct text *to, char *rest)
{
    char payload[256], *state;
    size_t size = 0;
    for (char *word = strtok_r(rest, " ", &state); word != NULL; word = strtok_r(NULL, " ", &state), size += 6) {
        payload[size] = 0;
        payload[size + 1] = (char)atoi(word);
        h2_put32(payload + size + 2, (uint32_t)strtoul(strchr(word, '=') + 1, NULL, 10));
    }
    h2_say_frame(to, (struct h2_frame){ .type = H2_SETTINGS }, slice_make(payload, size));
}

static void h2_say_data(struct text *to, uint32_t id, uint8_t flags, const char *text)
{
    struct slice payload = strcmp(text, "-") == 0 ? SLICE("") : slice_text(text);
    h2_say_frame(to, (struct h2_frame){ .type = H2_DATA, .flags = flags, .id = id }, payload);
}

static void h2_say_hex(struct text *to, const char *rest)
{
    char bytes[1024], hex[2048] = "-";
    unsigned type, flags, id;
    sscanf(rest, "%u %u %u %2047s", &type, &flags, &id, hex);
    size_t size = h2_from_hex(hex, bytes);
    struct h2_frame frame = { .type = (uint8_t)type, .flags = (uint8_t)flags, .id = id };
    h2_say_frame(to, frame, slice_make(bytes, size));
}

static bool h2_is(const char *verb, const char *line, char **rest)
{
    size_t size = strlen(verb);
    if (strncmp(line, verb, size) != 0 || (line[size] != ' ' && line[size] != '\0'))
        return false;
    *rest = (char *)line + size + (line[size] == ' ');
    return true;
}

static void h2_say_line(struct text *to, char *line)
{
    char bytes[1024], path[512], *rest;
    unsigned id = 0, number = 0;
    int at = 0;
    if (h2_is("preface", line, &rest))
        text_append(to, SLICE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    else if (h2_is("get", line, &rest) && sscanf(rest, "%u %511s%n", &id, path, &at) == 2)
        h2_say_request(to, "GET", id, path, rest + at);
    else if (h2_is("post", line, &rest) && sscanf(rest, "%u %511s%n", &id, path, &at) == 2)
        h2_say_request(to, "POST", id, path, rest + at);
    else if (h2_is("head", line, &rest) && sscanf(rest, "%u %u%n", &id, &number, &at) == 2)
        h2_say_fields(to, id, (uint8_t)number, rest + at);
    else if (h2_is("data", line, &rest) && sscanf(rest, "%u %n", &id, &at) == 1)
        h2_say_data(to, id, 0, rest + at);
    else if (h2_is("last", line, &rest) && sscanf(rest, "%u %n", &id, &at) == 1)
        h2_say_data(to, id, H2_END_STREAM, rest + at);
    else if (h2_is("fill", line, &rest) && sscanf(rest, "%u %u", &id, &number) == 2)
        h2_say_fill(to, id, number, false);
    else if (h2_is("fill!", line, &rest) && sscanf(rest, "%u %u", &id, &number) == 2)
        h2_say_fill(to, id, number, true);
    else if (h2_is("frame", line, &rest))
        h2_say_hex(to, rest);
    else if (h2_is("rst", line, &rest) && sscanf(rest, "%u %u", &id, &number) == 2)
        h2_say_number(to, (struct h2_frame){ .type = H2_RST_STREAM, .id = id }, number);
    else if (h2_is("window", line, &rest) && sscanf(rest, "%u %u", &id, &number) == 2)
        h2_say_number(to, (struct h2_frame){ .type = H2_WINDOW_UPDATE, .id = id }, number);
    else if (h2_is("settings", line, &rest))
        h2_say_settings(to, rest);
    else if (h2_is("ack", line, &rest))
        h2_say_frame(to, (struct h2_frame){ .type = H2_SETTINGS, .flags = H2_ACK }, SLICE(""));
    else if (h2_is("ping", line, &rest))
        h2_say_frame(to, (struct h2_frame){ .type = H2_PING }, slice_text(rest));
    else if (h2_is("pong", line, &rest))
        h2_say_frame(to, (struct h2_frame){ .type = H2_PING, .flags = H2_ACK }, slice_text(rest));
    else if (h2_is("goaway", line, &rest))
        h2_say_frame(to, (struct h2_frame){ .type = H2_GOAWAY }, SLICE("\0\0\0\0\0\0\0\0"));
    else if (h2_is("raw", line, &rest))
        text_append(to, slice_make(bytes, h2_from_hex(rest, bytes)));
    else
        fail_msg("what is \"%s\"?", line);
}

/* Lines, each ended by a line break or the end. */
static struct text h2_say(const char *script)
{
    struct text said = { 0 };
    char *copy = strdup(script), *state;
    for (char *line = strtok_r(copy, "\n", &state); line != NULL; line = strtok_r(NULL, "\n", &state))
        h2_say_line(&said, line);
    free(copy);
    return said;
}

/* ---- Hearing --------------------------------------------------------------------------------------------------- */

static struct h2_note *h2_note_of(struct h2_listener *listener, uint32_t id)
{
    for (unsigned i = 0; i < listener->count; i++)
        if (listener->notes[i].id == id)
            return &listener->notes[i];
    assert_true(listener->count < H2_SCENE_STREAMS);
    struct h2_note *note = &listener->notes[listener->count++];
    *note = (struct h2_note){ .id = id };
    note->words = writer_on(note->text, sizeof note->text - 1);
    return note;
}

static void h2_note_bytes(struct h2_note *note)
{
    if (note->bytes == 0)
        return;
    writer_byte(&note->words, ' ');
    writer_uint(&note->words, note->bytes);
    note->bytes = 0;
}

static __attribute__((format(printf, 2, 3))) void h2_note_word(struct h2_note *note, const char *format, ...)
{
    char word[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(word, sizeof word, format, arguments);
    va_end(arguments);
    h2_note_bytes(note);
    writer_byte(&note->words, ' ');
    writer_text(&note->words, word);
}

static void h2_hear_fields(struct h2_listener *listener, struct h2_note *note, struct slice block)
{
    char bytes[65000];
    struct writer text = writer_on(bytes, sizeof bytes);
    struct hpack_decode decode;
    struct hpack_field field;
    enum hpack_result result;
    bool interim = false;
    hpack_decode_begin(&decode, &listener->decoder, block, &text);
    while ((result = hpack_decode_next(&decode, &field)) == HPACK_FIELD) {
        if (field.id == HPACK_STATUS)
            h2_note_word(note, "%.*s", field.at.value_size, bytes + field.at.value);
        else if (note->headed)
            h2_note_word(note, "T+%.*s", field.at.name_size, bytes + field.at.name);
        else
            assert_true(field.valid);
        interim |= field.id == HPACK_STATUS && bytes[field.at.value] == '1';
    }
    note->headed = !interim;
    assert_int_equal(result, HPACK_END);
}

static void h2_hear_control(struct h2_note *note, const struct h2_frame *frame, struct slice payload)
{
    static const char *const names[] = { "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR",
        "CONNECT_ERROR", "ENHANCE_YOUR_CALM" };
    switch (frame->type) {
    case H2_RST_STREAM: h2_note_word(note, "rst-%s", names[h2_get32(payload.data)]); return;
    case H2_SETTINGS: h2_note_word(note, frame->flags & H2_ACK ? "ack" : "settings"); return;
    case H2_PING:
        h2_note_word(note, "%s-%.8s", frame->flags & H2_ACK ? "pong" : "ping", payload.data);
        return;
    case H2_GOAWAY:
        h2_note_word(note, "goaway-%u-%s", h2_get32(payload.data), names[h2_get32(payload.data + 4)]);
        return;
    case H2_WINDOW_UPDATE: h2_note_word(note, "window+%u", h2_get32(payload.data)); return;
    default: fail_msg("a frame of type %u", frame->type);
    }
}

static int h2_by_id(const void *a, const void *b)
{
    const struct h2_note *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* All that there is, from the beginning of the connection on. */
static const char *h2_hear(struct h2_listener *listener, struct slice bytes)
{
    struct writer summary = writer_on(listener->summary, sizeof listener->summary - 1);
    listener->count = 0;
    hpack_decoder_init(&listener->decoder);
    while (bytes.size >= H2_FRAME_HEAD) {
        struct h2_frame frame = h2_frame_read(bytes.data);
        assert_true(frame.size <= bytes.size - H2_FRAME_HEAD && frame.size <= H2_FRAME_MAX);
        struct slice payload = slice_part(bytes, H2_FRAME_HEAD, H2_FRAME_HEAD + frame.size);
        struct h2_note *note = h2_note_of(listener, frame.id);
        bytes = slice_skip(bytes, H2_FRAME_HEAD + frame.size);
        if (frame.type == H2_HEADERS)
            h2_hear_fields(listener, note, payload);
        else if (frame.type == H2_DATA)
            note->bytes += frame.size;
        else
            h2_hear_control(note, &frame, payload);
        if (frame.type <= H2_HEADERS && frame.flags & H2_END_STREAM) {
            h2_note_bytes(note);
            writer_byte(&note->words, '.');
        }
    }
    assert_int_equal(bytes.size, 0);
    hpack_decoder_fini(&listener->decoder);
    qsort(listener->notes, listener->count, sizeof listener->notes[0], h2_by_id);
    for (unsigned i = 0; i < listener->count; i++) {
        struct h2_note *note = &listener->notes[i];
        h2_note_bytes(note);
        note->words.start = note->text; /* it has moved */
        if (i > 0)
            writer_text(&summary, "; ");
        writer_uint(&summary, note->id);
        writer_byte(&summary, ':');
        writer_text(&summary, note->text);
    }
    assert_false(summary.overflowed);
    *summary.at = '\0';
    return listener->summary;
}

/* ---- A stage with a connection ---------------------------------------------------------------------------------- */

#define HELLO "preface\nsettings\n"
#define GREETED "0: settings window+983041 ack"

static void open_stage(struct stage *stage, size_t outbox_size)
{
    stage_init(stage, outbox_size);
    stage_open_as(stage, &h2_session_type);
}

struct scene {
    struct stage stage; /* first */
    struct h2_listener listener;
};

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    open_stage(&scene->stage, STAGE_OUTBOX_SIZE);
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    stage_close(&scene->stage);
    assert_int_equal(scene->stage.finished, scene->stage.taken);
    stage_fini(&scene->stage);
    free(scene);
    return 0;
}

static void say(struct scene *scene, const char *script)
{
    struct text said = h2_say(script);
    stage_send(&scene->stage, text_slice(&said));
    text_free(&said);
}

#define assert_heard(scene, expected) \
    assert_string_equal(h2_hear(&(scene)->listener, text_slice(&(scene)->stage.output)), expected)
#define assert_phase(scene, expected) assert_int_equal((scene)->stage.session->phase, expected)

#endif

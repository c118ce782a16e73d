/* The HTTP/2 session, whole and in pieces, with a roomy outbox and with one that is full all the time. What goes out
 * are whole frames, of streams that the client has opened, with header blocks that can be read, nothing behind the end
 * of a stream, and no more content than the windows allowed that were ever given. Whatever comes, nothing is leaked.
 *
 * Which streams get how far depends on the cut, as it does on a network, so that outcomes are not compared. Bit 0 of
 * the first byte: the client's preface and SETTINGS are put in front. */
#include <stdio.h>
#include <stdlib.h>

#include "../tests/wire/stage.h"
#include "wire/h2_frame.h"
#include "wire/h2_session.h"
#include "wire/hpack_decode.h"

enum { TIGHT_OUTBOX = 700, BYTEWISE_MAX = 2048, STREAMS = 256 };

#define CHECK(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static void fail(const char *condition, int line)
{
    fprintf(stderr, "line %d: %s\n", line, condition);
    abort();
}

/* Bits of a stream, by its number modulo STREAMS, where numbers beyond that are not looked at. */
struct heard {
    bool ended[STREAMS];
    bool over; /* GOAWAY with an error: the last word */
};

static void read_block(struct hpack_decoder *decoder, struct slice block)
{
    char bytes[65000];
    struct writer text = writer_on(bytes, sizeof bytes);
    struct hpack_decode decode;
    struct hpack_field field;
    enum hpack_result result;
    hpack_decode_begin(&decode, decoder, block, &text);
    while ((result = hpack_decode_next(&decode, &field)) == HPACK_FIELD)
        CHECK(field.id >= HPACK_PSEUDO || field.valid);
    CHECK(result == HPACK_END);
}

static void hear(struct heard *heard, struct hpack_decoder *decoder, const struct h2_frame *frame, struct slice payload)
{
    bool content = frame->type == H2_DATA || frame->type == H2_HEADERS;
    CHECK(!heard->over);
    CHECK(frame->type <= H2_CONTINUATION && frame->type != H2_PUSH_PROMISE && frame->type != H2_PRIORITY);
    CHECK(!content || frame->id % 2 == 1);
    if (frame->type == H2_HEADERS)
        read_block(decoder, payload);
    if (frame->type == H2_GOAWAY)
        heard->over = h2_get32(payload.data + 4) != H2_NO_ERROR;
    if (frame->id >= STREAMS || !content)
        return;
    CHECK(!heard->ended[frame->id]);
    heard->ended[frame->id] = frame->flags & H2_END_STREAM;
}

static void hear_all(struct slice bytes)
{
    struct heard heard = { .over = false };
    struct hpack_decoder decoder;
    hpack_decoder_init(&decoder);
    while (bytes.size > 0) {
        CHECK(bytes.size >= H2_FRAME_HEAD);
        struct h2_frame frame = h2_frame_read(bytes.data);
        CHECK(frame.size <= H2_FRAME_MAX && frame.size <= bytes.size - H2_FRAME_HEAD);
        hear(&heard, &decoder, &frame, slice_part(bytes, H2_FRAME_HEAD, H2_FRAME_HEAD + frame.size));
        bytes = slice_skip(bytes, H2_FRAME_HEAD + frame.size);
    }
    hpack_decoder_fini(&decoder);
}

/* In pieces of up to `piece_max` bytes, whose sizes are taken from the bytes themselves. A table of another size than
 * the usual is not for the one who listens here, so it is not asked for. */
static void play(size_t outbox_size, bool greets, struct slice input, size_t piece_max)
{
    struct stage stage;
    stage_init(&stage, outbox_size);
    stage_open_as(&stage, &h2_session_type);
    if (greets)
        stage_send(&stage, SLICE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"));
    while (input.size > 0) {
        size_t size = piece_max < input.size ? 1 + (unsigned char)input.data[0] % piece_max : input.size;
        stage_send(&stage, slice_part(input, 0, size));
        input = slice_skip(input, size);
    }
    hear_all(text_slice(&stage.output));
    stage_expire(&stage);
    stage_goodbye(&stage);
    stage.session->type->ended(stage.session);
    stage_close(&stage);
    if (stage.later)
        stage_answer(&stage);
    stage_fini(&stage);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    bool greets = data[0] & 1;
    struct slice input = slice_make((const char *)data + 1, size - 1);
    play(STAGE_OUTBOX_SIZE, greets, input, SIZE_MAX);
    play(STAGE_OUTBOX_SIZE, greets, input, 64);
    play(TIGHT_OUTBOX, greets, input, SIZE_MAX);
    if (size <= BYTEWISE_MAX)
        play(TIGHT_OUTBOX, greets, input, 1);
    return 0;
}

/* The WebSocket session whole against cut: the same frames go out, the same messages reach the host, the same phase in
 * the end; with a roomy outbox and with one that is full all the time. The first byte says whether compression was
 * agreed on, the rest is what a client sends behind the opening handshake; where it is cut follows from its bytes. */
#include <stdio.h>
#include <stdlib.h>

#include "../tests/wire/frames.h"

enum { TIGHT_OUTBOX = 1024, BYTEWISE_MAX = 512 };

#define CHECK(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static void fail(const char *condition, int line)
{
    fprintf(stderr, "line %d: %s\n", line, condition);
    abort();
}

struct outcome {
    struct text output, asked;
    enum session_phase phase;
};

static void open_socket(struct stage *stage, bool deflate)
{
    struct text opening = { 0 };
    frames_open(&opening, deflate);
    stage_open(stage);
    stage_send(stage, text_slice(&opening));
    CHECK(stage->session->phase == SESSION_OPEN);
    text_free(&opening);
}

/* In pieces of up to `piece_max` bytes, whose sizes are taken from the bytes themselves. */
static void play(size_t outbox_size, struct slice input, size_t piece_max, struct outcome *outcome)
{
    struct stage stage;
    stage_init(&stage, outbox_size);
    open_socket(&stage, (input.data[0] & 1) != 0);
    input = slice_skip(input, 1);
    while (input.size > 0) {
        size_t size = piece_max < input.size ? 1 + (unsigned char)input.data[0] % piece_max : input.size;
        stage_send(&stage, slice_part(input, 0, size));
        input = slice_skip(input, size);
    }
    *outcome = (struct outcome){ .phase = stage.session->phase };
    text_append(&outcome->output, text_slice(&stage.output));
    text_append(&outcome->asked, writer_slice(&stage.asked));
    stage_close(&stage);
    stage_fini(&stage);
}

static void forget(struct outcome *outcome)
{
    text_free(&outcome->output);
    text_free(&outcome->asked);
}

static void compare(const struct outcome *whole, size_t outbox_size, struct slice input, size_t piece_max)
{
    struct outcome cut;
    play(outbox_size, input, piece_max, &cut);
    CHECK(cut.phase == whole->phase);
    CHECK(slice_equal(text_slice(&cut.asked), text_slice(&whole->asked)));
    CHECK(slice_equal(text_slice(&cut.output), text_slice(&whole->output)));
    forget(&cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_make((const char *)data, size);
    struct outcome whole;
    if (size == 0)
        return 0;
    play(STAGE_OUTBOX_SIZE, input, size, &whole);
    compare(&whole, STAGE_OUTBOX_SIZE, input, size / 2 + 1);
    compare(&whole, STAGE_OUTBOX_SIZE, input, 16);
    compare(&whole, TIGHT_OUTBOX, input, 64);
    if (size <= BYTEWISE_MAX)
        compare(&whole, STAGE_OUTBOX_SIZE, input, 1);
    forget(&whole);
    return 0;
}

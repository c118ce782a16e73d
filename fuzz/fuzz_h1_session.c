/* The HTTP/1.x session whole against cut, and without a memory of earlier fields against with one: the same replies,
 * the same requests reach the host, the same phase in the end; with a roomy outbox and with one that is full all the
 * time. The input is what a client sends; where it is cut follows from its bytes. The seeds are wire cases
 * (tests/wire/README.md). */
#include <stdio.h>
#include <stdlib.h>

#include "../tests/wire/reply.h"
#include "../tests/wire/stage.h"
#include "wire/h1_memo.h"

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
    unsigned finished;
};

/* FNV-1a, and then a xorshift: the cuts of an input are always the same. */
static uint64_t seed_of(struct slice input)
{
    uint64_t seed = 0xcbf29ce484222325u;
    for (size_t i = 0; i < input.size; i++)
        seed = (seed ^ (unsigned char)input.data[i]) * 0x100000001b3u;
    return seed | 1;
}

static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* In pieces of up to `piece_max` bytes. `memo`: NULL, or what earlier plays have left. */
static void play(size_t outbox_size, struct slice input, size_t piece_max, struct h1_memo *memo,
                 struct outcome *outcome)
{
    struct stage stage;
    uint64_t state = seed_of(input);
    stage_init(&stage, outbox_size);
    stage.host.memo = memo;
    stage_open(&stage);
    while (input.size > 0) {
        size_t size = piece_max < input.size ? 1 + next(&state) % piece_max : input.size;
        stage_send(&stage, slice_part(input, 0, size));
        input = slice_skip(input, size);
    }
    *outcome = (struct outcome){ .phase = stage.session->phase, .finished = stage.finished };
    text_append(&outcome->output, text_slice(&stage.output));
    text_append(&outcome->asked, writer_slice(&stage.asked));
    reply_strip_interim(&outcome->output);
    stage_close(&stage);
    stage.host.memo = NULL;
    CHECK(stage.finished == stage.taken);
    stage_fini(&stage);
}

static void forget(struct outcome *outcome)
{
    text_free(&outcome->output);
    text_free(&outcome->asked);
}

/* What is pulled is cut into other chunks where there is other room, so then the bytes themselves may differ. */
static void compare(const struct outcome *whole, struct outcome *cut, bool bytes)
{
    CHECK(cut->phase == whole->phase);
    CHECK(cut->finished == whole->finished);
    CHECK(slice_equal(text_slice(&cut->asked), text_slice(&whole->asked)));
    CHECK(!bytes || slice_equal(text_slice(&cut->output), text_slice(&whole->output)));
    forget(cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_make((const char *)data, size);
    struct outcome whole, cut;
    struct h1_memo *memo = h1_memo_new();

    play(STAGE_OUTBOX_SIZE, input, size, NULL, &whole);
    for (unsigned i = 0; i < 2; i++) {
        play(STAGE_OUTBOX_SIZE, input, size, memo, &cut);
        compare(&whole, &cut, true);
    }
    play(STAGE_OUTBOX_SIZE, input, size / 2 + 1, memo, &cut);
    compare(&whole, &cut, true);
    play(STAGE_OUTBOX_SIZE, input, 16, NULL, &cut);
    compare(&whole, &cut, true);
    play(TIGHT_OUTBOX, input, 64, memo, &cut);
    compare(&whole, &cut, false);
    if (size <= BYTEWISE_MAX) {
        play(STAGE_OUTBOX_SIZE, input, 1, NULL, &cut);
        compare(&whole, &cut, true);
    }
    forget(&whole);
    free(memo);
    return 0;
}

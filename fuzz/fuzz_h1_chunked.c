/* The chunked coding whole against cut and a byte at a time: the same content, the same end, the same verdict. The
 * input is a chunked body and whatever follows it. */
#include <stdio.h>
#include <stdlib.h>

#include "wire/h1_chunked.h"

#define CHECK(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static void fail(const char *condition, int line)
{
    fprintf(stderr, "line %d: %s\n", line, condition);
    abort();
}

struct outcome {
    enum h1_chunked_result result;
    size_t taken, size;
    char *content; /* room for the input, which is more than its content */
};

static void feed(struct h1_chunked *chunked, struct slice piece, struct outcome *outcome)
{
    char *copy = malloc(piece.size > 0 ? piece.size : 1);
    struct slice bytes = slice_make(copy, piece.size), data;

    memcpy(copy, piece.data, piece.size);
    while ((outcome->result = h1_chunked_next(chunked, &bytes, &data)) == H1_CHUNKED_DATA) {
        CHECK(data.size > 0 && data.data >= copy && data.data + data.size == bytes.data);
        memcpy(outcome->content + outcome->size, data.data, data.size);
        outcome->size += data.size;
    }
    CHECK(outcome->result != H1_CHUNKED_MORE || bytes.size == 0);
    outcome->taken += piece.size - bytes.size;
    free(copy);
}

static struct outcome decode(struct slice text, size_t first, size_t step)
{
    struct outcome outcome = { .content = malloc(text.size > 0 ? text.size : 1) };
    struct h1_chunked chunked = { 0 };

    feed(&chunked, slice_part(text, 0, first), &outcome);
    for (size_t at = first; at < text.size && outcome.result == H1_CHUNKED_MORE; at += step)
        feed(&chunked, slice_part(text, at, text.size - at > step ? at + step : text.size), &outcome);
    return outcome;
}

static void compare(const struct outcome *a, struct outcome b)
{
    CHECK(a->result == b.result);
    CHECK(a->taken == b.taken);
    CHECK(a->size == b.size);
    CHECK(memcmp(a->content, b.content, a->size) == 0);
    free(b.content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make((const char *)data, size);
    struct outcome reference = decode(text, 0, 1);
    size_t cut = 0;

    for (size_t i = 0; i < size; i++)
        cut += data[i];
    compare(&reference, decode(text, size, 1));
    compare(&reference, decode(text, cut % (size + 1), 1 + cut % 61));
    if (reference.result == H1_CHUNKED_DONE)
        CHECK(slice_ends(slice_part(text, 0, reference.taken), SLICE("\r\n\r\n")));
    free(reference.content);
    return 0;
}

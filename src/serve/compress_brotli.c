/* br (RFC 7932) by libbrotli. */
#include <brotli/decode.h>
#include <brotli/encode.h>

#include "serve/encoders.h"

/* 4 MiB. A larger one makes 8 MiB 0 to 3% smaller, and costs the client, who has to keep the window, up to 16 MiB; and
 * us 33 MiB more. */
enum { WINDOW_BITS_MAX = 22, WINDOW_GAP = 16 /* RFC 7932 9.1: a window is 16 bytes less than its power of two */ };

/* The smallest window that holds all of it. */
static int choose_window(size_t size)
{
    int bits = BROTLI_MIN_WINDOW_BITS;
    while (bits < WINDOW_BITS_MAX && ((size_t)1 << bits) - WINDOW_GAP < size)
        bits++;
    return bits;
}

/* The mode is generic, for text too: the encoder finds out by itself what is UTF-8, and BROTLI_MODE_TEXT makes the same
 * bytes. */
size_t compress_brotli(struct slice content, int level, char *out, size_t room)
{
    size_t size = room;
    bool done = BrotliEncoderCompress(level, choose_window(content.size), BROTLI_MODE_GENERIC, content.size,
                                      (const uint8_t *)content.data, &size, (uint8_t *)out);
    return done ? size : 0;
}

/* As a stream, for that says how much it has read: nothing may stand behind the end. */
bool decompress_brotli(struct slice encoded, struct slice plain, char *room)
{
    BrotliDecoderState *state = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    const uint8_t *in = (const uint8_t *)encoded.data;
    uint8_t *out = (uint8_t *)room;
    size_t unread = encoded.size, left = plain.size;

    if (!state)
        return false;
    BrotliDecoderResult result = BrotliDecoderDecompressStream(state, &unread, &in, &left, &out, NULL);
    BrotliDecoderDestroyInstance(state);
    bool whole = result == BROTLI_DECODER_RESULT_SUCCESS && unread == 0;
    return whole && slice_equal(slice_make(room, plain.size - left), plain);
}

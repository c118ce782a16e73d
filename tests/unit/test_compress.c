/* Encoders: what they make is read back with each library's own decoder, and is not made where it is not worth it. The
 * libraries' failures come from wrapped functions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <libdeflate.h>
#include <zstd.h>

#include "base/writer.h"
#include "serve/compress.h"

enum { GZIP = 1 << CODING_GZIP, BR = 1 << CODING_BR, ZSTD = 1 << CODING_ZSTD };

static const enum coding encoded[] = { CODING_GZIP, CODING_BR, CODING_ZSTD };

#define EACH_CODING(i) (size_t i = 0; i < sizeof encoded / sizeof encoded[0]; i++)

/* ---- Faults ------------------------------------------------------------------------------------------------- */

static struct {
    bool no_room, no_fit, no_encoder, no_parameter, no_decoder;
    int level_seen;
} fault;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return fault.no_room ? NULL : __real_malloc(size);
}

void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size)
{
    return fault.no_fit ? NULL : __real_realloc(block, size);
}

struct libdeflate_compressor *__real_libdeflate_alloc_compressor(int level);
struct libdeflate_compressor *__wrap_libdeflate_alloc_compressor(int level);
struct libdeflate_compressor *__wrap_libdeflate_alloc_compressor(int level)
{
    fault.level_seen = level;
    return fault.no_encoder ? NULL : __real_libdeflate_alloc_compressor(level);
}

ZSTD_CCtx *__real_ZSTD_createCCtx(void);
ZSTD_CCtx *__wrap_ZSTD_createCCtx(void);
ZSTD_CCtx *__wrap_ZSTD_createCCtx(void)
{
    return fault.no_encoder ? NULL : __real_ZSTD_createCCtx();
}

size_t __real_ZSTD_CCtx_setParameter(ZSTD_CCtx *context, ZSTD_cParameter parameter, int value);
size_t __wrap_ZSTD_CCtx_setParameter(ZSTD_CCtx *context, ZSTD_cParameter parameter, int value);
size_t __wrap_ZSTD_CCtx_setParameter(ZSTD_CCtx *context, ZSTD_cParameter parameter, int value)
{
    if (parameter == ZSTD_c_compressionLevel)
        fault.level_seen = value;
    return __real_ZSTD_CCtx_setParameter(context, parameter, fault.no_parameter ? 1000 : value);
}

BROTLI_BOOL __real_BrotliEncoderCompress(int level, int window, BrotliEncoderMode mode, size_t size, const uint8_t *in,
                                         size_t *out_size, uint8_t *out);
BROTLI_BOOL __wrap_BrotliEncoderCompress(int level, int window, BrotliEncoderMode mode, size_t size, const uint8_t *in,
                                         size_t *out_size, uint8_t *out);
BROTLI_BOOL __wrap_BrotliEncoderCompress(int level, int window, BrotliEncoderMode mode, size_t size, const uint8_t *in,
                                         size_t *out_size, uint8_t *out)
{
    fault.level_seen = level;
    return fault.no_encoder ? BROTLI_FALSE : __real_BrotliEncoderCompress(level, window, mode, size, in, out_size, out);
}

struct libdeflate_decompressor *__real_libdeflate_alloc_decompressor(void);
struct libdeflate_decompressor *__wrap_libdeflate_alloc_decompressor(void);
struct libdeflate_decompressor *__wrap_libdeflate_alloc_decompressor(void)
{
    return fault.no_decoder ? NULL : __real_libdeflate_alloc_decompressor();
}

BrotliDecoderState *__real_BrotliDecoderCreateInstance(brotli_alloc_func allocate, brotli_free_func release,
                                                       void *user);
BrotliDecoderState *__wrap_BrotliDecoderCreateInstance(brotli_alloc_func allocate, brotli_free_func release,
                                                       void *user);
BrotliDecoderState *__wrap_BrotliDecoderCreateInstance(brotli_alloc_func allocate, brotli_free_func release, void *user)
{
    return fault.no_decoder ? NULL : __real_BrotliDecoderCreateInstance(allocate, release, user);
}

/* ---- Decoding ----------------------------------------------------------------------------------------------- */

static size_t decode_gzip(struct slice in, char *out, size_t room)
{
    size_t read, written;
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    enum libdeflate_result result =
        libdeflate_gzip_decompress_ex(decompressor, in.data, in.size, out, room, &read, &written);
    libdeflate_free_decompressor(decompressor);
    assert_int_equal(result, LIBDEFLATE_SUCCESS);
    assert_int_equal(read, in.size);
    return written;
}

static size_t decode_br(struct slice in, char *out, size_t room)
{
    size_t written = room;
    assert_int_equal(BrotliDecoderDecompress(in.size, (const uint8_t *)in.data, &written, (uint8_t *)out),
                     BROTLI_DECODER_RESULT_SUCCESS);
    return written;
}

/* As a browser does: in a stream, and with no window over 8 MiB (RFC 9659). */
static size_t decode_zstd(struct slice in, char *out, size_t room)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    assert_false(ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 23)));
    ZSTD_inBuffer from = { in.data, in.size, 0 };
    ZSTD_outBuffer to = { out, room, 0 };
    size_t left = 1;
    while (left != 0 && (from.pos < from.size || to.pos < to.size)) {
        left = ZSTD_decompressStream(context, &to, &from);
        assert_false(ZSTD_isError(left));
    }
    assert_int_equal(left, 0);
    assert_int_equal(from.pos, in.size);
    ZSTD_freeDCtx(context);
    return to.pos;
}

static size_t decode(enum coding coding, struct slice in, char *out, size_t room)
{
    if (coding == CODING_GZIP)
        return decode_gzip(in, out, room);
    return coding == CODING_BR ? decode_br(in, out, room) : decode_zstd(in, out, room);
}

static void assert_decodes(enum coding coding, struct slice in, struct slice content)
{
    char *out = malloc(content.size + 1);
    assert_non_null(out);
    assert_int_equal(decode(coding, in, out, content.size + 1), content.size);
    assert_memory_equal(out, content.data, content.size);
    free(out);
}

/* ---- Content ------------------------------------------------------------------------------------------------ */

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 24; /* the low bits come again soon */
}

/* Words out of a few, so that it becomes much smaller. */
static struct slice make_text(size_t size)
{
    static const char *const words[] = { "the ", "server ", "<p>", "</p>\n", "of ", "socket ", "h\xc3\xa9 ", "and " };
    uint32_t random = (uint32_t)size;
    char *text = malloc(size);
    assert_non_null(text);
    for (size_t at = 0; at < size;) {
        const char *word = words[next_random(&random) % 8];
        size_t part = strlen(word) < size - at ? strlen(word) : size - at;
        memcpy(text + at, word, part);
        at += part;
    }
    return slice_make(text, size);
}

/* Bytes that no encoder can make anything of. */
static struct slice make_run(size_t size)
{
    char *run = malloc(size);
    assert_non_null(run);
    return slice_make(memset(run, 'a', size), size);
}

static struct slice make_noise(size_t size)
{
    uint32_t random = 7;
    char *noise = malloc(size);
    assert_non_null(noise);
    for (size_t i = 0; i < size; i++)
        noise[i] = (char)next_random(&random);
    return slice_make(noise, size);
}

static void discard(struct slice content)
{
    free((char *)content.data);
}

/* ---- Tests -------------------------------------------------------------------------------------------------- */

static void has_all_encoders(void **state)
{
    (void)state;
    assert_int_equal(compress_codings(), GZIP | BR | ZSTD);
}

static void makes_what_decoders_read(void **state)
{
    static const size_t sizes[] = { COMPRESS_SIZE_MIN, 1000, 1023, 1024, 1025, 65520, 65521, 300000 };
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct slice content = make_text(sizes[i]);
        for EACH_CODING (j) {
            size_t size = 0;
            char *out = compress_content(encoded[j], content, &size);
            assert_non_null(out);
            assert_in_range(size, 1, content.size * 19 / 20);
            assert_decodes(encoded[j], slice_make(out, size), content);
            free(out);
        }
        discard(content);
    }
}

static void makes_the_same_again(void **state)
{
    struct slice content = make_text(5000), copy = make_text(5000);
    (void)state;
    for EACH_CODING (i) {
        size_t size = 0, again_size = 0;
        char *out = compress_content(encoded[i], content, &size);
        char *again = compress_content(encoded[i], copy, &again_size);
        assert_int_equal(size, again_size);
        assert_memory_equal(out, again, size);
        free(out);
        free(again);
    }
    discard(content);
    discard(copy);
}

/* RFC 1952 2.3: magic, deflate, no flags (so no name), no time. */
static void gzip_has_a_bare_header(void **state)
{
    static const char header[] = { 0x1f, (char)0x8b, 8, 0, 0, 0, 0, 0 };
    struct slice content = make_text(1000);
    size_t size = 0;
    char *out = compress_content(CODING_GZIP, content, &size);
    (void)state;
    assert_true(size > sizeof header);
    assert_memory_equal(out, header, sizeof header);
    free(out);
    discard(content);
}

static void assert_nothing(enum coding coding, struct slice content)
{
    size_t size = 0;
    assert_null(compress_content(coding, content, &size));
}

static void leaves_what_is_not_worth_it(void **state)
{
    struct slice text = make_text(1000), noise = make_noise(100000);
    (void)state;
    assert_nothing(CODING_IDENTITY, text);
    for EACH_CODING (i) {
        assert_nothing(encoded[i], slice_make(NULL, 0));
        assert_nothing(encoded[i], slice_part(text, 0, COMPRESS_SIZE_MIN - 1));
        assert_nothing(encoded[i], noise);
        assert_nothing(encoded[i], slice_make(text.data, (size_t)COMPRESS_SIZE_MAX + 1)); /* not looked at */
    }
    discard(text);
    discard(noise);
}

/* Noise with zeros behind it: somewhere between none and 10% of zeros lies the edge of 5%; what is made is never over
 * it. */
static void keeps_only_what_is_a_twentieth_smaller(void **state)
{
    enum { SIZE = 4000 };
    (void)state;
    for EACH_CODING (i) {
        unsigned kept = 0;
        for (size_t zeros = 0; zeros <= SIZE / 10; zeros += 4) {
            struct slice content = make_noise(SIZE);
            size_t size = 0;
            memset((char *)content.data + SIZE - zeros, 0, zeros);
            char *out = compress_content(encoded[i], content, &size);
            assert_true(out || kept == 0); /* more zeros are never less worth it */
            assert_true(!out || size <= SIZE * 19 / 20);
            assert_true(out || zeros < SIZE / 20 + 100);
            assert_true(!out || zeros > SIZE / 20);
            kept += out != NULL;
            free(out);
            discard(content);
        }
        assert_true(kept > 20);
    }
}

/* Zeros, so that even the slow levels are quick; at both ends the same noise, which only a window of more than 8 MiB
 * could find again. */
static void takes_a_quick_level_for_large_content(void **state)
{
    static const int thorough[] = { 12, 11, 19 }, quick[] = { 12, 9, 12 };
    enum { BLOCK = 100000, LARGE = COMPRESS_THOROUGH_MAX + 2 * BLOCK };
    char *large = calloc(1, LARGE);
    struct slice noise = make_noise(BLOCK);
    (void)state;
    assert_non_null(large);
    memcpy(large, noise.data, BLOCK);
    memcpy(large + LARGE - BLOCK, noise.data, BLOCK);
    for EACH_CODING (i) {
        size_t size = 0;
        char *out = compress_content(encoded[i], slice_make(large, COMPRESS_THOROUGH_MAX), &size);
        assert_non_null(out);
        assert_int_equal(fault.level_seen, thorough[i]);
        assert_decodes(encoded[i], slice_make(out, size), slice_make(large, COMPRESS_THOROUGH_MAX));
        free(out);

        out = compress_content(encoded[i], slice_make(large, LARGE), &size);
        assert_non_null(out);
        assert_int_equal(fault.level_seen, quick[i]);
        assert_true(size > 2 * BLOCK);
        assert_decodes(encoded[i], slice_make(out, size), slice_make(large, LARGE));
        free(out);
    }
    discard(noise);
    free(large);
}

static void survives_no_memory(void **state)
{
    struct slice content = make_text(1000);
    (void)state;
    for EACH_CODING (i) {
        size_t size = 0;
        fault.no_room = true;
        char *out = compress_content(encoded[i], content, &size);
        fault.no_room = false;
        assert_null(out);

        fault.no_encoder = true;
        out = compress_content(encoded[i], content, &size);
        fault.no_encoder = false;
        assert_null(out);

        fault.no_fit = true; /* then it stays in a block that is too large */
        out = compress_content(encoded[i], content, &size);
        fault.no_fit = false;
        assert_decodes(encoded[i], slice_make(out, size), content);
        free(out);
    }
    fault.no_parameter = true;
    assert_nothing(CODING_ZSTD, content);
    fault.no_parameter = false;
    discard(content);
}

/* ---- What others have encoded ------------------------------------------------------------------------------- */

static void holds_what_it_was_made_of(void **state)
{
    struct slice content = make_text(1000);
    (void)state;

    for EACH_CODING (i) {
        size_t size = 0;
        char *out = compress_content(encoded[i], content, &size);
        struct slice whole = slice_make(out, size);
        assert_true(compress_holds(encoded[i], whole, content));
        assert_false(compress_holds(encoded[i], whole, slice_part(content, 0, content.size - 1)));
        assert_false(compress_holds(encoded[i], whole, SLICE("")));
        assert_false(compress_holds(encoded[i], content, content));
        assert_false(compress_holds(encoded[i], SLICE(""), content));
        for (size_t cut = 1; cut < size; cut++)
            assert_false(compress_holds(encoded[i], slice_part(whole, 0, size - cut), content));
        free(out);
    }
    discard(content);
}

static void holds_nothing_but_that(void **state)
{
    struct slice content = make_text(1000), other = make_text(1000);
    (void)state;

    ((char *)other.data)[999] ^= 1;
    for EACH_CODING (i) {
        size_t size = 0;
        char *out = compress_content(encoded[i], content, &size), *longer = malloc(size + 1);
        assert_false(compress_holds(encoded[i], slice_make(out, size), other));
        memcpy(longer, out, size);
        longer[size] = 'x'; /* behind the end */
        assert_false(compress_holds(encoded[i], slice_make(longer, size + 1), content));
        free(longer);
        free(out);
    }
    discard(other);
    discard(content);
}

static void holds_an_unknown_coding(void **state)
{
    (void)state;
    assert_true(compress_holds(CODING_IDENTITY, SLICE("x"), SLICE("y"))); /* as any that was not built */
}

static void holds_nothing_without_memory(void **state)
{
    struct slice content = make_text(1000);
    (void)state;

    for EACH_CODING (i) {
        size_t size = 0;
        char *out = compress_content(encoded[i], content, &size);
        fault.no_room = true;
        assert_false(compress_holds(encoded[i], slice_make(out, size), content));
        fault.no_room = false;
        fault.no_decoder = true;
        assert_int_equal(compress_holds(encoded[i], slice_make(out, size), content), encoded[i] == CODING_ZSTD);
        fault.no_decoder = false;
        free(out);
    }
    discard(content);
}

/* ---- What clients can decode -------------------------------------------------------------------------------- */

enum { BLOCK_MAX = 128 << 10 };

/* A zstd frame of so many bytes "a": its header, and blocks that say one byte and how often it stands (RFC 8878
 * 3.1.1.2). */
static struct slice put_frame(char *out, struct slice header, size_t size)
{
    struct writer w = writer_on(out, 4096);
    writer_put(&w, SLICE("\x28\xb5\x2f\xfd"));
    writer_put(&w, header);
    while (size > 0) {
        size_t part = size < BLOCK_MAX ? size : BLOCK_MAX;
        size -= part;
        unsigned block = (unsigned)part << 3 | 1 << 1 | (size == 0);
        for (unsigned shift = 0; shift < 24; shift += 8)
            writer_byte(&w, (char)(block >> shift));
        writer_byte(&w, 'a');
    }
    assert_false(w.overflowed);
    return writer_slice(&w);
}

#define HEADER(...) slice_make((const char[]){ __VA_ARGS__ }, sizeof((const char[]){ __VA_ARGS__ }))

static void windows_that_clients_have(void **state)
{
    static const struct { unsigned char window; bool bearable; } rows[] = {
        { 0x00, true }, { 0x50, true }, { 0x67, true }, { 0x68, true }, /* 1 KiB, 1 MiB, 7.5 MiB, 8 MiB */
        { 0x69, false }, { 0x70, false }, { 0x88, false }, { 0xa8, false }, /* 9, 16, 128 MiB, 2 GiB */
    };
    char frame[4096];
    struct slice content = make_run(1000);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slice encoded_run = put_frame(frame, HEADER(0, (char)rows[i].window), 1000);
        assert_true(compress_holds(CODING_ZSTD, encoded_run, content));
        if (compress_bearable(CODING_ZSTD, encoded_run) != rows[i].bearable)
            fail_msg("%02x", rows[i].window);
    }
    discard(content);
}

/* A frame that says how much it holds and has no window of its own: it is its window. */
static void frames_that_are_their_own_window(void **state)
{
    const size_t most = 8 << 20;
    char frame[4096];
    (void)state;
    for (size_t size = most - 1; size <= most + 1; size++) {
        struct slice content = make_run(size);
        struct slice header = HEADER((char)0xa0, (char)size, (char)(size >> 8), (char)(size >> 16), (char)(size >> 24));
        struct slice encoded_run = put_frame(frame, header, size);
        assert_true(compress_holds(CODING_ZSTD, encoded_run, content));
        assert_int_equal(compress_bearable(CODING_ZSTD, encoded_run), size <= most);
        discard(content);
    }
}

static void every_frame_counts(void **state)
{
    static const char skipped[] = "\x5a\x2a\x4d\x18\x06\0\0\0\x88\x88\x88\x88\x88\x88";
    char frames[8192], frame[4096];
    struct slice content = make_run(2000);
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct writer w = writer_on(frames, sizeof frames);
        writer_put(&w, put_frame(frame, HEADER(0, 0x50), 1000));
        writer_put(&w, slice_make(skipped, sizeof skipped - 1));
        writer_put(&w, put_frame(frame, HEADER(0, i == 0 ? 0x68 : 0x70), 1000));
        assert_true(compress_holds(CODING_ZSTD, writer_slice(&w), content));
        assert_int_equal(compress_bearable(CODING_ZSTD, writer_slice(&w)), i == 0);
        assert_false(compress_bearable(CODING_ZSTD, slice_part(writer_slice(&w), 0, writer_used(&w) - 1)));
    }
    discard(content);
}

/* Also of more content than one window holds. */
static void ours_can_be_decoded(void **state)
{
    struct slice small = make_text(1000), large = make_run((8 << 20) + 1);
    (void)state;
    for EACH_CODING (i) {
        const struct slice contents[] = { small, large };
        for (size_t k = 0; k < 2; k++) {
            size_t size = 0;
            char *out = compress_content(encoded[i], contents[k], &size);
            assert_non_null(out);
            assert_true(compress_bearable(encoded[i], slice_make(out, size)));
            free(out);
        }
    }
    assert_true(compress_bearable(CODING_IDENTITY, SLICE("x")));
    discard(large);
    discard(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_all_encoders),
        cmocka_unit_test(makes_what_decoders_read),
        cmocka_unit_test(makes_the_same_again),
        cmocka_unit_test(gzip_has_a_bare_header),
        cmocka_unit_test(leaves_what_is_not_worth_it),
        cmocka_unit_test(keeps_only_what_is_a_twentieth_smaller),
        cmocka_unit_test(takes_a_quick_level_for_large_content),
        cmocka_unit_test(survives_no_memory),
        cmocka_unit_test(holds_what_it_was_made_of),
        cmocka_unit_test(holds_nothing_but_that),
        cmocka_unit_test(holds_an_unknown_coding),
        cmocka_unit_test(holds_nothing_without_memory),
        cmocka_unit_test(windows_that_clients_have),
        cmocka_unit_test(frames_that_are_their_own_window),
        cmocka_unit_test(every_frame_counts),
        cmocka_unit_test(ours_can_be_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

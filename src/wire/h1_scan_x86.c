/* The scanner for x86-64: two widths of one idea, and the choice between them by what the CPU has. A third one, of 64
 * bytes for AVX-512, was no faster.
 *
 * A byte is classified by its two halves: the low one looks up which groups of characters it may belong to, the high
 * one which groups live in its row of the ASCII table, and their intersection is not empty where both agree. Eight
 * groups fit into a byte and are just enough. Bytes from 0x80 on are in no group: no token character and no control. */
#include "wire/h1_scan.h"

#include <immintrin.h>
#include <stdbool.h>

#define SSSE3 __attribute__((target("ssse3")))
#define AVX2 __attribute__((target("avx2,bmi,bmi2")))

enum {
    ALPHA = 0x01, /* rows 4 and 6 without their first column: A-O, a-o */
    DIGIT = 0x02, /* columns 0 to 9: the digits; with ALPHA all of row 6, which begins with the backtick */
    UPPER = 0x04, /* row 5: P-Z ^ _ */
    LOWER = 0x08, /* row 7: p-z | ~ */
    PUNCT = 0x10, /* row 2: ! # $ % & ' * + - . */
    BELOW = 0x20, /* rows 0 and 1 but for column 9, where the tab is */
    NINTH = 0x40, /* row 1, column 9, which BELOW left out */
    FINAL = 0x80, /* row 7, column 15: DEL */

    TOKEN = ALPHA | DIGIT | UPPER | LOWER | PUNCT /* 0x1F: a control's byte is larger, nothing's is 0 */
};

/* Each table stands here twice, as a lookup works within 16 bytes. */
static const uint8_t columns[2][16] = { [0 ... 1] = {
    DIGIT | UPPER | LOWER | BELOW,                 /* SP 0 @ P ` p */
    ALPHA | DIGIT | UPPER | LOWER | PUNCT | BELOW, /* !  1 A Q a q */
    ALPHA | DIGIT | UPPER | LOWER | BELOW,         /* "  2 B R b r */
    ALPHA | DIGIT | UPPER | LOWER | PUNCT | BELOW, /* #  3 C S c s */
    ALPHA | DIGIT | UPPER | LOWER | PUNCT | BELOW, /* $  4 D T d t */
    ALPHA | DIGIT | UPPER | LOWER | PUNCT | BELOW, /* %  5 E U e u */
    ALPHA | DIGIT | UPPER | LOWER | PUNCT | BELOW, /* &  6 F V f v */
    ALPHA | DIGIT | UPPER | LOWER | PUNCT | BELOW, /* '  7 G W g w */
    ALPHA | DIGIT | UPPER | LOWER | BELOW,         /* (  8 H X h x */
    ALPHA | DIGIT | UPPER | LOWER | NINTH,         /* )  9 I Y i y */
    ALPHA | UPPER | LOWER | PUNCT | BELOW,         /* *  : J Z j z */
    ALPHA | PUNCT | BELOW,                         /* +  ; K [ k { */
    ALPHA | LOWER | BELOW,                         /* ,  < L \ l | */
    ALPHA | PUNCT | BELOW,                         /* -  = M ] m } */
    ALPHA | UPPER | LOWER | PUNCT | BELOW,         /* .  > N ^ n ~ */
    ALPHA | UPPER | BELOW | FINAL,                 /* /  ? O _ o DEL */
} };

static const uint8_t rows[2][16] = { [0 ... 1] = {
    BELOW, BELOW | NINTH, PUNCT, DIGIT, ALPHA, UPPER, ALPHA | DIGIT, LOWER | FINAL,
} };

/* What is left of this without the groups has its highest bit where they are no control, and is less than this (as
 * signed bytes are compared) where they are a token's: two instructions for two questions. */
static const uint8_t limits[32] = { [0 ... 31] = 0x80 | TOKEN };

static const uint8_t nibbles[32] = { [0 ... 31] = 0x0F };

/* CHAR_PATH and CHAR_HOST need no more groups than they have rows: bit r of a column says that its character in row r
 * is one. */
static const uint8_t path_columns[2][16] = { [0 ... 1] = {
    0xB8, /*   0 @ P   p */
    0xFC, /* ! 1 A Q a q */
    0xF8, /*   2 B R b r */
    0xF8, /*   3 C S c s */
    0xFC, /* $ 4 D T d t */
    0xF8, /*   5 E U e u */
    0xFC, /* & 6 F V f v */
    0xFC, /* ' 7 G W g w */
    0xFC, /* ( 8 H X h x */
    0xFC, /* ) 9 I Y i y */
    0xFC, /* * : J Z j z */
    0x7C, /* + ; K [ k   */
    0xD4, /* ,   L   l | */
    0x7C, /* - = M ] m   */
    0xF0, /*     N ^ n ~ */
    0x74, /* /   O _ o   */
} };

static const uint8_t host_columns[2][16] = { [0 ... 1] = {
    0xA8, /*   0   P   p */
    0xFC, /* ! 1 A Q a q */
    0xF8, /*   2 B R b r */
    0xF8, /*   3 C S c s */
    0xFC, /* $ 4 D T d t */
    0xF8, /*   5 E U e u */
    0xFC, /* & 6 F V f v */
    0xFC, /* ' 7 G W g w */
    0xFC, /* ( 8 H X h x */
    0xFC, /* ) 9 I Y i y */
    0xF4, /* *   J Z j z */
    0x5C, /* + ; K   k   */
    0x54, /* ,   L   l   */
    0x5C, /* - = M   m   */
    0xD4, /* .   N   n ~ */
    0x70, /*     O _ o   */
} };

static const uint8_t bit_rows[2][16] = { [0 ... 1] = { 0, 0, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80 } };

/* ---- Whole and partial blocks ------------------------------------------------------------------------------- */

typedef struct h1_masks scan_half(const char *bytes); /* 32 bytes */

/* Those of `low`, and those of `high` from byte `at` on. Where they overlap, they agree. */
static inline struct h1_masks join(struct h1_masks low, struct h1_masks high, size_t at)
{
    return (struct h1_masks){ .token = low.token | high.token << at, .text = low.text | high.text << at };
}

/* Without the first 64 - `rest`; in two steps, as the rest may be 0 and a shift by 64 is undefined. */
static inline struct h1_masks keep_last(struct h1_masks masks, size_t rest)
{
    size_t others = H1_BLOCK - 1 - rest;
    return (struct h1_masks){ .token = masks.token >> others >> 1, .text = masks.text >> others >> 1 };
}

/* Less than a half, by way of a copy that is filled up with NULs, which are neither token nor text. Few heads are that
 * short, but for the first bytes of one that comes slowly. Apart, as it needs a frame. */
static __attribute__((noinline)) struct h1_masks scan_less(scan_half *half, const char *data, size_t size)
{
    char copy[H1_HALF] = { 0 };
    for (size_t i = 0; i < size; i++)
        copy[i] = data[i];
    return half(copy);
}

/* A block is two halves. Where there is no whole block, it is the last 64 bytes, without those of the block before; and
 * where there is none before, two halves that overlap: neither needs a copy, and both cost as much as a block. */
static inline __attribute__((always_inline)) struct h1_masks scan_with(scan_half *half, const char *data, size_t size,
                                                                       size_t begin)
{
    const char *block = data + begin, *end = data + size;
    size_t rest = size - begin;

    if (rest >= H1_BLOCK)
        return join(half(block), half(block + H1_HALF), H1_HALF);
    if (size >= H1_BLOCK)
        return keep_last(join(half(end - H1_BLOCK), half(end - H1_HALF), H1_HALF), rest);
    if (size >= H1_HALF)
        return join(half(data), half(end - H1_HALF), size - H1_HALF);
    return scan_less(half, data, size);
}

/* ---- 16 bytes at a time ------------------------------------------------------------------------------------- */

SSSE3 static inline __m128i load16(const void *bytes)
{
    return _mm_loadu_si128(bytes);
}

/* Of each byte, the groups that both its halves are in. The instruction that looks up gives 0 for an index from 0x80
 * on, which is what the columns should say there: only the shifted half has to be masked. */
SSSE3 static inline __m128i classify16(const char *bytes, const void *by_column, const void *by_row)
{
    __m128i text = load16(bytes), high = _mm_and_si128(_mm_srli_epi16(text, 4), load16(nibbles));
    return _mm_and_si128(_mm_shuffle_epi8(load16(by_column), text), _mm_shuffle_epi8(load16(by_row), high));
}

SSSE3 static inline struct h1_masks scan16(const char *bytes)
{
    __m128i limit = load16(limits), left = _mm_sub_epi8(limit, classify16(bytes, columns, rows));
    return (struct h1_masks){ .token = (uint32_t)_mm_movemask_epi8(_mm_cmplt_epi8(left, limit)),
                              .text = (uint32_t)_mm_movemask_epi8(left) };
}

SSSE3 static inline uint32_t class16(const char *bytes, const void *by_column)
{
    __m128i others = _mm_cmpeq_epi8(classify16(bytes, by_column, bit_rows), _mm_setzero_si128());
    return (uint32_t)_mm_movemask_epi8(others) ^ 0xFFFF;
}

SSSE3 static inline struct h1_masks half_ssse3(const char *bytes)
{
    return join(scan16(bytes), scan16(bytes + 16), 16);
}

SSSE3 static struct h1_masks scan_ssse3(const char *data, size_t size, size_t begin)
{
    return scan_with(half_ssse3, data, size, begin);
}

SSSE3 static uint32_t path_ssse3(const char *bytes)
{
    return class16(bytes, path_columns) | class16(bytes + 16, path_columns) << 16;
}

SSSE3 static uint32_t host_ssse3(const char *bytes)
{
    return class16(bytes, host_columns) | class16(bytes + 16, host_columns) << 16;
}

static const struct h1_scanner ssse3 = { "ssse3", scan_ssse3, path_ssse3, host_ssse3 };

/* ---- 32 bytes at a time ------------------------------------------------------------------------------------- */

AVX2 static inline __m256i load32(const void *bytes)
{
    return _mm256_loadu_si256(bytes);
}

AVX2 static inline __m256i classify32(const char *bytes, const void *by_column, const void *by_row)
{
    __m256i text = load32(bytes), high = _mm256_and_si256(_mm256_srli_epi16(text, 4), load32(nibbles));
    return _mm256_and_si256(_mm256_shuffle_epi8(load32(by_column), text), _mm256_shuffle_epi8(load32(by_row), high));
}

AVX2 static inline struct h1_masks half_avx2(const char *bytes)
{
    __m256i limit = load32(limits), left = _mm256_sub_epi8(limit, classify32(bytes, columns, rows));
    return (struct h1_masks){ .token = (uint32_t)_mm256_movemask_epi8(_mm256_cmpgt_epi8(limit, left)),
                              .text = (uint32_t)_mm256_movemask_epi8(left) };
}

AVX2 static struct h1_masks scan_avx2(const char *data, size_t size, size_t begin)
{
    return scan_with(half_avx2, data, size, begin);
}

AVX2 static inline uint32_t class32(const char *bytes, const void *by_column)
{
    __m256i others = _mm256_cmpeq_epi8(classify32(bytes, by_column, bit_rows), _mm256_setzero_si256());
    return ~(uint32_t)_mm256_movemask_epi8(others);
}

AVX2 static uint32_t path_avx2(const char *bytes)
{
    return class32(bytes, path_columns);
}

AVX2 static uint32_t host_avx2(const char *bytes)
{
    return class32(bytes, host_columns);
}

static const struct h1_scanner avx2 = { "avx2", scan_avx2, path_avx2, host_avx2 };

/* ---- The choice --------------------------------------------------------------------------------------------- */

/* No CPU has BMI2 and not BMI. */
static inline bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
}

const struct h1_scanner *h1_scanner_best(void)
{
    if (has_avx2())
        return &avx2;
    return __builtin_cpu_supports("ssse3") ? &ssse3 : &h1_scanner_scalar;
}

unsigned h1_scanner_list(const struct h1_scanner *scanners[H1_SCANNERS])
{
    unsigned count = 0;

    if (has_avx2())
        scanners[count++] = &avx2;
    if (__builtin_cpu_supports("ssse3"))
        scanners[count++] = &ssse3;
    scanners[count++] = &h1_scanner_scalar;
    return count;
}

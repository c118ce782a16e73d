/* The scanner for x86-64: three widths of one idea, and the choice between them by what the CPU has.
 *
 * A byte is classified by its two halves: the low one looks up which groups of characters it may belong to, the high
 * one which groups live in its row of the ASCII table, and their intersection is not empty where both agree. Eight
 * groups fit into a byte and are just enough. Bytes from 0x80 on are in no group: no token character and no control. */
#include "wire/h1_scan.h"

#include <immintrin.h>
#include <stdbool.h>

#define BYTES16(table) _mm_loadu_si128((const __m128i *)(table))

enum {
    ALPHA = 0x01, /* rows 4 and 6 without their first column: A-O, a-o */
    DIGIT = 0x02, /* columns 0 to 9: the digits; with ALPHA all of row 6, which begins with the backtick */
    UPPER = 0x04, /* row 5: P-Z ^ _ */
    LOWER = 0x08, /* row 7: p-z | ~ */
    PUNCT = 0x10, /* row 2: ! # $ % & ' * + - . */
    BELOW = 0x20, /* rows 0 and 1 but for column 9, where the tab is */
    NINTH = 0x40, /* row 1, column 9, which BELOW left out */
    FINAL = 0x80, /* row 7, column 15: DEL */

    TOKEN = ALPHA | DIGIT | UPPER | LOWER | PUNCT, /* 0x1F: a control's byte is larger, nothing's is 0 */
    CONTROL = BELOW | NINTH | FINAL
};

static const uint8_t columns[16] = {
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
};

static const uint8_t rows[16] = { BELOW, BELOW | NINTH, PUNCT, DIGIT, ALPHA, UPPER, ALPHA | DIGIT, LOWER | FINAL };

/* The instruction that looks up by nibbles gives 0 for an index from 0x80 on, which is what columns[] should say
 * there: only the shifted half has to be masked. */
__attribute__((target("ssse3"))) static void scan_ssse3(const char *bytes, size_t blocks, uint64_t *not_token,
                                                        uint64_t *control)
{
    const __m128i column = BYTES16(columns), row = BYTES16(rows), nibble = _mm_set1_epi8(0x0F);
    const __m128i token = _mm_set1_epi8(TOKEN), raise = _mm_set1_epi8(0x7F - TOKEN), none = _mm_setzero_si128();

    for (size_t block = 0; block < blocks; block++, bytes += H1_BLOCK) {
        uint64_t masks[2] = { 0, 0 };
        for (unsigned part = 0; part < H1_BLOCK; part += 16) {
            __m128i text = _mm_loadu_si128((const __m128i *)(bytes + part));
            __m128i high = _mm_and_si128(_mm_srli_epi16(text, 4), nibble);
            __m128i group = _mm_and_si128(_mm_shuffle_epi8(column, text), _mm_shuffle_epi8(row, high));
            __m128i no_token = _mm_cmpeq_epi8(_mm_and_si128(group, token), none);
            masks[0] |= (uint64_t)(uint32_t)_mm_movemask_epi8(no_token) << part;
            masks[1] |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_adds_epu8(group, raise)) << part;
        }
        not_token[block] = masks[0];
        control[block] = masks[1];
    }
}

__attribute__((target("avx2"))) static void scan_avx2(const char *bytes, size_t blocks, uint64_t *not_token,
                                                      uint64_t *control)
{
    const __m256i column = _mm256_broadcastsi128_si256(BYTES16(columns));
    const __m256i row = _mm256_broadcastsi128_si256(BYTES16(rows));
    const __m256i nibble = _mm256_set1_epi8(0x0F), token = _mm256_set1_epi8(TOKEN);
    const __m256i raise = _mm256_set1_epi8(0x7F - TOKEN), none = _mm256_setzero_si256();

    for (size_t block = 0; block < blocks; block++, bytes += H1_BLOCK) {
        uint64_t masks[2] = { 0, 0 };
        for (unsigned part = 0; part < H1_BLOCK; part += 32) {
            __m256i text = _mm256_loadu_si256((const __m256i *)(bytes + part));
            __m256i high = _mm256_and_si256(_mm256_srli_epi16(text, 4), nibble);
            __m256i group = _mm256_and_si256(_mm256_shuffle_epi8(column, text), _mm256_shuffle_epi8(row, high));
            __m256i no_token = _mm256_cmpeq_epi8(_mm256_and_si256(group, token), none);
            masks[0] |= (uint64_t)(uint32_t)_mm256_movemask_epi8(no_token) << part;
            masks[1] |= (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_adds_epu8(group, raise)) << part;
        }
        not_token[block] = masks[0];
        control[block] = masks[1];
    }
}

__attribute__((target("avx512bw"))) static void scan_avx512(const char *bytes, size_t blocks, uint64_t *not_token,
                                                            uint64_t *control)
{
    const __m512i column = _mm512_broadcast_i32x4(BYTES16(columns)), row = _mm512_broadcast_i32x4(BYTES16(rows));
    const __m512i nibble = _mm512_set1_epi8(0x0F), token = _mm512_set1_epi8(TOKEN);
    const __m512i other = _mm512_set1_epi8((char)CONTROL);

    for (size_t block = 0; block < blocks; block++, bytes += H1_BLOCK) {
        __m512i text = _mm512_loadu_si512(bytes);
        __m512i high = _mm512_and_si512(_mm512_srli_epi16(text, 4), nibble);
        __m512i group = _mm512_and_si512(_mm512_shuffle_epi8(column, text), _mm512_shuffle_epi8(row, high));
        not_token[block] = _mm512_testn_epi8_mask(group, token);
        control[block] = _mm512_test_epi8_mask(group, other);
    }
}

h1_scan *h1_scan_best(void)
{
    if (__builtin_cpu_supports("avx512bw"))
        return scan_avx512;
    if (__builtin_cpu_supports("avx2"))
        return scan_avx2;
    if (__builtin_cpu_supports("ssse3"))
        return scan_ssse3;
    return h1_scan_scalar;
}

unsigned h1_scan_versions(h1_scan *versions[H1_SCAN_VERSIONS], const char *names[H1_SCAN_VERSIONS])
{
    const struct {
        h1_scan *scan;
        const char *name;
        bool available;
    } all[H1_SCAN_VERSIONS] = {
        { scan_avx512, "avx512", __builtin_cpu_supports("avx512bw") },
        { scan_avx2, "avx2", __builtin_cpu_supports("avx2") },
        { scan_ssse3, "ssse3", __builtin_cpu_supports("ssse3") },
        { h1_scan_scalar, "scalar", true },
    };
    unsigned count = 0;

    for (unsigned i = 0; i < H1_SCAN_VERSIONS; i++) {
        if (!all[i].available)
            continue;
        versions[count] = all[i].scan;
        names[count++] = all[i].name;
    }
    return count;
}

/* Content codings: names, the order of sizes, values read to the letter, and every combination of weights. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "http/coding.h"
#include "made_fields.h"

enum {
    GZIP = 1 << CODING_GZIP,
    BR = 1 << CODING_BR,
    ZSTD = 1 << CODING_ZSTD,
    IDENTITY = 1 << CODING_IDENTITY,
    ALL = GZIP | BR | ZSTD | IDENTITY
};

static const uint64_t usual_sizes[CODING_COUNT] = {
    [CODING_IDENTITY] = 1000, [CODING_GZIP] = 300, [CODING_BR] = 200, [CODING_ZSTD] = 250
};

static struct coding_order usual_order(unsigned available)
{
    return coding_order_by_size(usual_sizes, available);
}

/* br, zstd, gzip, identity, or "none" for 406. */
static const char *choice(const char *text, struct coding_order order)
{
    struct fields fields;
    made_fields(&fields, text);
    unsigned chosen = coding_choose(&fields, order);
    return chosen == CODING_REFUSED ? "none" : coding_name(chosen).data;
}

static void has_names(void **state)
{
    static const struct {
        enum coding coding;
        const char *name, *suffix;
    } rows[] = {
        { CODING_IDENTITY, "identity", "" },
        { CODING_GZIP, "gzip", ".gz" },
        { CODING_BR, "br", ".br" },
        { CODING_ZSTD, "zstd", ".zst" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(slice_equal(coding_name(rows[i].coding), slice_text(rows[i].name)));
        assert_true(slice_equal(coding_suffix(rows[i].coding), slice_text(rows[i].suffix)));
    }
}

static void orders_by_size(void **state)
{
    static const struct {
        uint64_t gzip, br, zstd, identity;
        unsigned available;
        enum coding order[CODING_COUNT];
    } rows[] = {
        { 3, 1, 2, 4, ALL, { CODING_BR, CODING_ZSTD, CODING_GZIP, CODING_IDENTITY } },
        { 1, 2, 3, 4, ALL, { CODING_GZIP, CODING_BR, CODING_ZSTD, CODING_IDENTITY } },
        { 2, 3, 1, 4, ALL, { CODING_ZSTD, CODING_GZIP, CODING_BR, CODING_IDENTITY } },
        { 7, 7, 7, 7, ALL, { CODING_BR, CODING_ZSTD, CODING_GZIP, CODING_IDENTITY } },
        { 7, 7, 7, 7, GZIP | ZSTD, { CODING_ZSTD, CODING_GZIP } },
        { 8, 1, 2, 4, ALL, { CODING_BR, CODING_ZSTD, CODING_IDENTITY, CODING_GZIP } },
        { 8, 9, 7, 4, ALL, { CODING_IDENTITY, CODING_ZSTD, CODING_GZIP, CODING_BR } },
        { 3, 0, 0, 4, GZIP, { CODING_GZIP, CODING_IDENTITY } },
        { UINT64_MAX, UINT64_MAX, 0, UINT64_MAX, BR, { CODING_BR, CODING_IDENTITY } },
        { 1, 1, 1, 4, 0, { CODING_IDENTITY } },
        { 1, 1, 1, 4, IDENTITY, { CODING_IDENTITY } },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const uint64_t sizes[CODING_COUNT] = { [CODING_IDENTITY] = rows[i].identity, [CODING_GZIP] = rows[i].gzip,
                                               [CODING_BR] = rows[i].br, [CODING_ZSTD] = rows[i].zstd };
        struct coding_order order = coding_order_by_size(sizes, rows[i].available);
        for (unsigned place = 0; place < CODING_COUNT; place++)
            assert_int_equal(order.places >> 2 * place & 3, rows[i].order[place]);
    }
}

static const struct {
    const char *fields;
    unsigned available;
    const char *choice;
} choices[] = {
    { "", ALL, "identity" },
    { "Host: a", ALL, "identity" },
    { "Accept-Encoding:", ALL, "identity" },
    { "Accept-Encoding: ,", ALL, "identity" },

    /* as browsers and programs send it */
    { "Accept-Encoding: gzip, deflate, br, zstd", ALL, "br" },
    { "Accept-Encoding: gzip, deflate, br, zstd", GZIP | ZSTD, "zstd" },
    { "Accept-Encoding: gzip, deflate, br, zstd", GZIP, "gzip" },
    { "Accept-Encoding: gzip, deflate, br, zstd", IDENTITY, "identity" },
    { "Accept-Encoding: deflate, gzip, br, zstd", ALL, "br" },
    { "Accept-Encoding: deflate, gzip, br, zstd", GZIP, "gzip" },
    { "Accept-Encoding: gzip, deflate, br", ALL, "br" },
    { "Accept-Encoding: gzip, deflate, br", ZSTD, "identity" },
    { "Accept-Encoding: gzip, deflate, br", GZIP | ZSTD, "gzip" },
    { "Accept-Encoding: gzip, deflate", ALL, "gzip" },
    { "Accept-Encoding: gzip, deflate", BR | ZSTD, "identity" },
    { "Accept-Encoding: br", ALL, "br" },
    { "Accept-Encoding: br", GZIP, "identity" },
    { "Accept-Encoding: gzip", ALL, "gzip" },
    { "Accept-Encoding: gzip", BR, "identity" },
    { "Accept-Encoding: zstd", ALL, "zstd" },
    { "Accept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3", ALL, "gzip" }, /* Ruby */
    { "Accept-Encoding: gzip, x-gzip, deflate", ALL, "gzip" }, /* Apache's client for Java */
    { "Accept-Encoding: identity", ALL, "identity" },
    { "Accept-Encoding: identity;q=1, *;q=0", ALL, "identity" }, /* video in Chromium */

    /* RFC 9110 12.5.3, its examples */
    { "Accept-Encoding: compress, gzip", ALL, "gzip" },
    { "Accept-Encoding: *", ALL, "br" },
    { "Accept-Encoding: *", GZIP | ZSTD, "zstd" },
    { "Accept-Encoding: *", 0, "identity" },
    { "Accept-Encoding: compress;q=0.5, gzip;q=1.0", ALL, "gzip" },
    { "Accept-Encoding: gzip;q=1.0, identity; q=0.5, *;q=0", ALL, "gzip" },
    { "Accept-Encoding: gzip;q=1.0, identity; q=0.5, *;q=0", BR | ZSTD, "identity" },

    /* spelling */
    { "Accept-Encoding: GZIP", ALL, "gzip" },
    { "Accept-Encoding: X-GZip", ALL, "gzip" },
    { "Accept-Encoding: x-gzip", BR, "identity" },
    { "Accept-Encoding: \t ,, gzip\t,\t", ALL, "gzip" },
    { "Accept-Encoding: gzip,br", ALL, "br" },
    { "Accept-Encoding: deflate,br,gzip", ALL, "br" },
    { "Accept-Encoding: br;q=0.9 , gzip \t;\t Q=0.95 ,x", ALL, "gzip" },
    { "Accept-Encoding: brotli, gzi, gzipx, zst, zstdx, identitx, **", ALL, "identity" },
    { "Accept-Encoding: compress, deflate, sdch, dcb, dcz, exi, aes128gcm", ALL, "identity" },

    /* weights */
    { "Accept-Encoding: br;q=0.5, gzip;q=0.8, zstd;q=0.3", ALL, "gzip" },
    { "Accept-Encoding: br;q=0.5, gzip;q=0.8, zstd;q=0.3", BR | ZSTD, "br" },
    { "Accept-Encoding: br;q=0.123, gzip;q=0.124", ALL, "gzip" },
    { "Accept-Encoding: br;q=0.12, gzip;q=0.120", ALL, "br" },
    { "Accept-Encoding: br;q=1., gzip;q=1.000", ALL, "br" },
    { "Accept-Encoding: gzip;q=0.001", ALL, "gzip" }, /* rather than identity, which has no weight */
    { "Accept-Encoding: gzip;q=0.001, identity;q=0.002", ALL, "identity" },
    { "Accept-Encoding: gzip;q=0.002, identity;q=0.002", ALL, "gzip" },
    { "Accept-Encoding: gzip;q=0", ALL, "identity" },
    { "Accept-Encoding: gzip;q=0.0", ALL, "identity" },
    { "Accept-Encoding: gzip;q=0.", ALL, "identity" },
    { "Accept-Encoding: gzip;q=0.000, br", GZIP, "identity" },

    /* the asterisk is for those that are not listed, wherever it stands */
    { "Accept-Encoding: *;q=0.5, gzip;q=0.1", GZIP, "identity" },
    { "Accept-Encoding: *;q=0.5, br;q=0.1", ALL, "zstd" },
    { "Accept-Encoding: br;q=0.1, *;q=0.5", ALL, "zstd" },
    { "Accept-Encoding: *, br;q=0", ALL, "zstd" },
    { "Accept-Encoding: *;q=0, gzip", ALL, "gzip" },
    { "Accept-Encoding: *;q=0.1, identity;q=0", ALL, "br" },
    { "Accept-Encoding: *;q=0.1, identity;q=0", 0, "none" },

    /* identity refused */
    { "Accept-Encoding: identity;q=0", 0, "none" },
    { "Accept-Encoding: identity;q=0", ALL, "none" },
    { "Accept-Encoding: *;q=0", ALL, "none" },
    { "Accept-Encoding: gzip, *;q=0", BR, "none" },
    { "Accept-Encoding: gzip, identity;q=0", BR, "none" },
    { "Accept-Encoding: gzip, identity;q=0", GZIP, "gzip" },
    { "Accept-Encoding: gzip;q=0, identity;q=0", GZIP, "none" },
    { "Accept-Encoding: identity;q=0.001, *;q=0", ALL, "identity" },

    /* of several for one coding the heaviest */
    { "Accept-Encoding: gzip;q=0, gzip;q=0.5", ALL, "gzip" },
    { "Accept-Encoding: gzip;q=0.5, gzip;q=0", ALL, "gzip" },
    { "Accept-Encoding: x-gzip;q=0.7, gzip;q=0.5, br;q=0.6", ALL, "gzip" },
    { "Accept-Encoding: identity;q=0, identity", 0, "identity" },

    /* several fields are one list (RFC 9110 5.3) */
    { "Accept-Encoding: gzip\nHost: a\nAccept-Encoding: br", ALL, "br" },
    { "Accept-Encoding: gzip\nAccept-Encoding: br;q=0.5\nAccept-Encoding: zstd;q=0.7", BR | ZSTD, "zstd" },
    { "Accept-Encoding: gzip, deflate, br\nAccept-Encoding: br;q=0", ALL, "br" },
    { "Accept-Encoding:\nAccept-Encoding: identity;q=0", ALL, "none" },
};

static void chooses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
        const char *chosen = choice(choices[i].fields, usual_order(choices[i].available));
        if (strcmp(chosen, choices[i].choice) != 0)
            fail_msg("%s (of %x): %s", choices[i].fields, choices[i].available, chosen);
    }
}

/* A member that breaks the grammar counts for nothing, and the others for what they are. */
static void passes_over_malformed_members(void **state)
{
    static const char *const members[] = {
        "br;",         "br;q",         "br;q=",        "br;q=2",       "br;q=1.1",   "br;q=1.001", "br;q=0.1234",
        "br;q=1.0000", "br;q=.5",      "br;q=-1",      "br;q=+1",      "br;q=0x1",   "br;q=0.5x",  "br;q=0.5 x",
        "br;q =1",     "br;q= 1",      "br;q=\"1\"",   "br;q=1;q=1",   "br;x=1;q=1", "br;q=1;x=1", "br; ;q=1",
        "br x",        "br=1",         "br/x",         ";q=1",         "\"br\"",     "(br)",       "br;level=1",
        "br;qq=1",     "br;q=1.2",     "br q=1",       "\"br, br\"",   "br;q=01",    "br;q=10",    "=br", "br\\",
    };
    (void)state;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        char text[96];
        snprintf(text, sizeof text, "Accept-Encoding: %s", members[i]);
        assert_string_equal(choice(text, usual_order(ALL)), "identity");
        snprintf(text, sizeof text, "Accept-Encoding: %s, gzip;q=0.5", members[i]);
        assert_string_equal(choice(text, usual_order(ALL)), "gzip");
        snprintf(text, sizeof text, "Accept-Encoding: gzip;q=0.5,%s", members[i]);
        assert_string_equal(choice(text, usual_order(ALL)), "gzip");
    }
}

/* ---- Every combination -------------------------------------------------------------------------------------- */

enum { ANY = CODING_COUNT, RANGES };

static const char *const range_names[RANGES] = { "identity", "gzip", "br", "zstd", "*" };
static const char *const weight_texts[] = { NULL, ";q=0", ";q=0.5", "" }; /* NULL: not listed */

/* The rules of 12.5.3 again, for one coding at a time: 0 refused, 1 identity by default, else by weight. */
static int rank(const unsigned *weights, enum coding coding)
{
    unsigned weight = weights[coding] ? weights[coding] : weights[ANY];
    if (weight == 0)
        return coding == CODING_IDENTITY;
    return weight == 1 ? 0 : (int)weight;
}

static const char *expected(const unsigned *weights, unsigned available)
{
    static const enum coding by_size[] = { CODING_BR, CODING_ZSTD, CODING_GZIP, CODING_IDENTITY };
    const char *best = "none";
    int best_rank = 0;
    for (size_t i = 0; i < CODING_COUNT; i++)
        if (((available | IDENTITY) & coding_bit(by_size[i])) && rank(weights, by_size[i]) > best_rank) {
            best = range_names[by_size[i]];
            best_rank = rank(weights, by_size[i]);
        }
    return best;
}

/* `backwards` and `fields`: the order of members and how they are divided must not matter. */
static void write_members(char *text, const unsigned *weights, bool backwards, bool fields)
{
    strcpy(text, "Accept-Encoding:");
    for (size_t i = 0; i < RANGES; i++) {
        size_t range = backwards ? RANGES - 1 - i : i;
        if (weights[range] == 0)
            continue;
        strcat(strcat(text, range_names[range]), weight_texts[weights[range]]);
        strcat(text, fields ? "\nAccept-Encoding:" : " , ");
    }
}

static void obeys_every_combination(void **state)
{
    (void)state;
    for (unsigned combination = 0; combination < 1024; combination++) {
        unsigned weights[RANGES];
        for (unsigned i = 0; i < RANGES; i++)
            weights[i] = combination >> 2 * i & 3;
        for (unsigned available = 0; available <= ALL; available++)
            for (unsigned way = 0; way < 4; way++) {
                char text[256];
                write_members(text, weights, way & 1, way & 2);
                const char *chosen = choice(text, usual_order(available));
                if (strcmp(chosen, expected(weights, available)) != 0)
                    fail_msg("%s (of %x): %s, not %s", text, available, chosen, expected(weights, available));
            }
    }
}

/* What is known as a whole means the same as what is read. */
static void reads_usual_values_alike(void **state)
{
    static const char *const values[] = { "gzip, deflate, br, zstd", "deflate, gzip, br, zstd", "gzip, deflate, br",
                                          "gzip, deflate", "gzip", "br" };
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        for (unsigned places = 0; places < 256; places++) {
            struct coding_order order = { (uint8_t)places };
            char whole[64], read[64];
            snprintf(whole, sizeof whole, "Accept-Encoding: %s", values[i]);
            snprintf(read, sizeof read, "Accept-Encoding: %s,", values[i]);
            assert_string_equal(choice(whole, order), choice(read, order));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_names),
        cmocka_unit_test(orders_by_size),
        cmocka_unit_test(chooses),
        cmocka_unit_test(passes_over_malformed_members),
        cmocka_unit_test(obeys_every_combination),
        cmocka_unit_test(reads_usual_values_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Reads Accept-Encoding (RFC 9110 12.5.3) once from left to right into a weight for each coding, then looks for the
 * first of the heaviest in the order that the page has. Values as browsers send them are known as a whole. */
#include "http/coding.h"

enum { WEIGHT_REFUSED = 0, WEIGHT_FULL = 1000 };

enum { RANGE_ANY = CODING_COUNT, RANGE_COUNT, RANGE_UNKNOWN }; /* beside the codings */

struct wishes {
    unsigned listed;              /* bits of codings and of RANGE_ANY */
    uint16_t weight[RANGE_COUNT]; /* 0..1000, of those listed */
};

struct slice coding_name(enum coding coding)
{
    static const struct slice names[CODING_COUNT] = {
        [CODING_IDENTITY] = SLICE_INIT("identity"),
        [CODING_GZIP] = SLICE_INIT("gzip"),
        [CODING_BR] = SLICE_INIT("br"),
        [CODING_ZSTD] = SLICE_INIT("zstd"),
    };
    return names[coding];
}

struct slice coding_suffix(enum coding coding)
{
    static const struct slice suffixes[CODING_COUNT] = {
        [CODING_IDENTITY] = SLICE_INIT(""),
        [CODING_GZIP] = SLICE_INIT(".gz"),
        [CODING_BR] = SLICE_INIT(".br"),
        [CODING_ZSTD] = SLICE_INIT(".zst"),
    };
    return suffixes[coding];
}

/* ---- The order ---------------------------------------------------------------------------------------------- */

struct coding_order coding_order_by_size(const uint64_t size[static CODING_COUNT], unsigned available)
{
    static const enum coding preferred[CODING_COUNT] = { CODING_BR, CODING_ZSTD, CODING_GZIP, CODING_IDENTITY };
    struct coding_order order = { 0 };
    unsigned left = available | coding_bit(CODING_IDENTITY);
    for (unsigned place = 0; left; place++) {
        enum coding best = CODING_COUNT;
        for (unsigned i = 0; i < CODING_COUNT; i++)
            if ((left & coding_bit(preferred[i])) && (best == CODING_COUNT || size[preferred[i]] < size[best]))
                best = preferred[i];
        order.places |= (uint8_t)(best << 2 * place);
        left &= ~coding_bit(best);
    }
    return order;
}

/* The first of the order among these; identity where none of them is there. */
static enum coding first_of(unsigned codings, struct coding_order order)
{
    for (unsigned places = order.places; places; places >>= 2)
        if (codings & coding_bit(places & 3))
            return places & 3;
    return CODING_IDENTITY;
}

static unsigned codings_in(struct coding_order order)
{
    unsigned p = order.places;
    return 1u << (p & 3) | 1u << (p >> 2 & 3) | 1u << (p >> 4 & 3) | 1u << (p >> 6) | coding_bit(CODING_IDENTITY);
}

/* ---- Reading a member --------------------------------------------------------------------------------------- */

static bool at_end(struct slice rest)
{
    return rest.size == 0 || rest.data[0] == ',';
}

static bool take(struct slice *rest, char c)
{
    if (rest->size == 0 || rest->data[0] != c)
        return false;
    *rest = slice_skip(*rest, 1);
    return true;
}

static void skip_space(struct slice *rest)
{
    while (take(rest, ' ') || take(rest, '\t'))
        ;
}

/* RFC 9110 12.4.2: "0" or "1", with up to three decimals. False: it is not that, or more than 1. */
static bool take_weight(struct slice *rest, unsigned *weight)
{
    bool one = take(rest, '1');
    if (!one && !take(rest, '0'))
        return false;
    *weight = one ? WEIGHT_FULL : 0;
    if (!take(rest, '.'))
        return true;
    for (unsigned unit = 100; unit > 0 && rest->size > 0; unit /= 10) {
        unsigned digit = (unsigned)(rest->data[0] - '0');
        if (digit > 9)
            break;
        *weight += digit * unit;
        *rest = slice_skip(*rest, 1);
    }
    return *weight <= WEIGHT_FULL;
}

/* codings [ OWS ";" OWS "q=" qvalue ] OWS, up to the next comma. False: it is not that. */
static bool take_member(struct slice *rest, struct slice *name, unsigned *weight)
{
    *name = slice_part(*rest, 0, char_run(*rest, CHAR_TOKEN));
    *rest = slice_skip(*rest, name->size);
    *weight = WEIGHT_FULL;
    skip_space(rest);
    if (take(rest, ';')) {
        skip_space(rest);
        if (!(take(rest, 'q') || take(rest, 'Q')) || !take(rest, '=') || !take_weight(rest, weight))
            return false;
        skip_space(rest);
    }
    return name->size > 0 && at_end(*rest);
}

static unsigned identify(struct slice name)
{
    static const struct {
        struct slice name;
        unsigned range;
    } ranges[] = {
        { SLICE_INIT("gzip"), CODING_GZIP },
        { SLICE_INIT("br"), CODING_BR },
        { SLICE_INIT("zstd"), CODING_ZSTD },
        { SLICE_INIT("identity"), CODING_IDENTITY },
        { SLICE_INIT("*"), RANGE_ANY },
        { SLICE_INIT("x-gzip"), CODING_GZIP }, /* RFC 9110 8.4.1.3 */
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (slice_equal_nocase(name, ranges[i].name))
            return ranges[i].range;
    return RANGE_UNKNOWN;
}

static void wish(struct wishes *wishes, unsigned range, unsigned weight)
{
    if (!(wishes->listed & 1u << range) || weight > wishes->weight[range])
        wishes->weight[range] = (uint16_t)weight;
    wishes->listed |= 1u << range;
}

static void read_value(struct wishes *wishes, struct slice rest)
{
    while (rest.size > 0) {
        struct slice name;
        unsigned weight;
        skip_space(&rest);
        if (take_member(&rest, &name, &weight)) {
            unsigned range = identify(name);
            if (range != RANGE_UNKNOWN)
                wish(wishes, range, weight);
        }
        rest = slice_skip(rest, slice_find(rest, ','));
        take(&rest, ',');
    }
}

/* ---- Choosing ----------------------------------------------------------------------------------------------- */

/* What "*" says holds for all that are not listed (identity, too: 12.5.3, rule 2). */
static void spread(struct wishes *wishes)
{
    if (!(wishes->listed & 1u << RANGE_ANY))
        return;
    for (unsigned coding = 0; coding < CODING_COUNT; coding++)
        if (!(wishes->listed & coding_bit(coding)))
            wish(wishes, coding, wishes->weight[RANGE_ANY]);
}

static unsigned choose(const struct wishes *wishes, struct coding_order order)
{
    unsigned available = codings_in(order), heaviest = 0, weight = WEIGHT_REFUSED;
    for (unsigned coding = 0; coding < CODING_COUNT; coding++) {
        if (!(wishes->listed & available & coding_bit(coding)) || wishes->weight[coding] < weight)
            continue;
        heaviest = wishes->weight[coding] > weight ? coding_bit(coding) : heaviest | coding_bit(coding);
        weight = wishes->weight[coding];
    }
    if (weight > WEIGHT_REFUSED)
        return first_of(heaviest, order);
    return wishes->listed & coding_bit(CODING_IDENTITY) ? CODING_REFUSED : CODING_IDENTITY;
}

/* What browsers and the usual programs send, each in one comparison: the codings listed, all of them at full weight. 0:
 * it is something else. */
static unsigned usual_codings(struct slice value)
{
    enum { GZIP = 1 << CODING_GZIP, BR = 1 << CODING_BR, ZSTD = 1 << CODING_ZSTD };
    if (slice_equal(value, SLICE("gzip, deflate, br, zstd")) || slice_equal(value, SLICE("deflate, gzip, br, zstd")))
        return GZIP | BR | ZSTD;
    if (slice_equal(value, SLICE("gzip, deflate, br")))
        return GZIP | BR;
    if (slice_equal(value, SLICE("gzip, deflate")) || slice_equal(value, SLICE("gzip")))
        return GZIP;
    return slice_equal(value, SLICE("br")) ? BR : 0;
}

unsigned coding_choose(const struct fields *fields, struct coding_order order)
{
    if (!fields_has(fields, FIELD_ACCEPT_ENCODING))
        return CODING_IDENTITY;
    unsigned index = fields->first[FIELD_ACCEPT_ENCODING];
    int next = fields_next(fields, FIELD_ACCEPT_ENCODING, index + 1);
    unsigned usual = next < 0 ? usual_codings(fields_value(fields, index)) : 0;
    if (usual)
        return first_of(usual, order);

    struct wishes wishes = { 0 };
    read_value(&wishes, fields_value(fields, index));
    for (; next >= 0; next = fields_next(fields, FIELD_ACCEPT_ENCODING, (unsigned)next + 1))
        read_value(&wishes, fields_value(fields, (unsigned)next));
    spread(&wishes);
    return choose(&wishes, order);
}

/* Addresses by hand, for this room calls nothing that could reach a resolver; their grammar is that of RFC 3986
 * 3.2.2. */
#include "http/networks.h"

#include "http/fields.h"

static const uint8_t v4_prefix[12] = { [10] = 0xff, [11] = 0xff };

/* ---- Reading ------------------------------------------------------------------------------------------------ */

/* Four numbers up to 255 without leading zeros. */
static bool parse_v4(struct slice text, uint8_t out[4])
{
    for (unsigned i = 0; i < 4; i++) {
        struct slice number = slice_part(text, 0, slice_find(text, '.'));
        uint64_t value;
        bool last = number.size == text.size;
        if (!slice_uint(number, &value) || value > 255 || (number.size > 1 && number.data[0] == '0') ||
            last != (i == 3))
            return false;
        out[i] = (uint8_t)value;
        text = slice_skip(text, last ? number.size : number.size + 1);
    }
    return true;
}

static unsigned hex_value(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(ascii_lower(c) - 'a' + 10);
}

/* Groups of four digits, separated by colons, at most 16 bytes of them; an IPv4 address may be the last one. Returns
 * how many bytes, or -1. */
static int parse_groups(struct slice text, uint8_t out[16])
{
    int used = 0;
    while (text.size > 0) {
        struct slice group = slice_part(text, 0, slice_find(text, ':'));
        bool last = group.size == text.size;
        if (last && slice_find(group, '.') < group.size)
            return used <= 12 && parse_v4(group, out + used) ? used + 4 : -1;
        if (used > 14 || group.size < 1 || group.size > 4 || char_run(group, CHAR_HEX) != group.size)
            return -1;
        unsigned value = 0;
        for (size_t i = 0; i < group.size; i++)
            value = value << 4 | hex_value(group.data[i]);
        out[used++] = (uint8_t)(value >> 8);
        out[used++] = (uint8_t)value;
        text = slice_skip(text, last ? group.size : group.size + 1);
        if (!last && text.size == 0)
            return -1;
    }
    return used;
}

/* All groups, or fewer around one "::", which stands for at least one. */
static bool parse_v6(struct slice text, struct ip *ip)
{
    const char *gap = text.size > 0 ? memmem(text.data, text.size, "::", 2) : NULL;
    size_t at = gap ? (size_t)(gap - text.data) : text.size;
    uint8_t tail[16];
    memset(ip, 0, sizeof *ip);
    int before = parse_groups(slice_part(text, 0, at), ip->at);
    if (!gap)
        return before == 16;
    int after = parse_groups(slice_skip(text, at + 2), tail);
    bool dotted = slice_find(slice_part(text, 0, at), '.') < at; /* an IPv4 address stands last, if at all */
    if (before < 0 || after < 0 || before + after > 14 || dotted)
        return false;
    memcpy(ip->at + 16 - after, tail, (size_t)after);
    return true;
}

bool ip_parse(struct slice text, struct ip *ip)
{
    if (slice_find(text, ':') < text.size)
        return parse_v6(text, ip);
    memcpy(ip->at, v4_prefix, sizeof v4_prefix);
    return parse_v4(text, ip->at + sizeof v4_prefix);
}

bool ip_is_v4(const struct ip *ip)
{
    return memcmp(ip->at, v4_prefix, sizeof v4_prefix) == 0;
}

/* ---- Writing ------------------------------------------------------------------------------------------------ */

static unsigned group_of(const struct ip *ip, unsigned i)
{
    return (unsigned)ip->at[2 * i] << 8 | ip->at[2 * i + 1];
}

/* RFC 5952 4.2: the longest run of two zeros or more, of several the first. */
static unsigned find_gap(const struct ip *ip, unsigned *size)
{
    unsigned best = 0;
    *size = 1;
    for (unsigned from = 0, to; from < 8; from = to + 1) {
        for (to = from; to < 8 && group_of(ip, to) == 0; to++)
            continue;
        if (to - from > *size) {
            *size = to - from;
            best = from;
        }
    }
    *size = *size > 1 ? *size : 0;
    return best;
}

static void write_v6(struct writer *w, const struct ip *ip)
{
    unsigned gap_size, gap = find_gap(ip, &gap_size);
    for (unsigned i = 0; i < 8;) {
        if (gap_size > 0 && i == gap) {
            writer_put(w, SLICE("::"));
            i += gap_size;
            continue;
        }
        if (i > 0 && !(gap_size > 0 && i == gap + gap_size))
            writer_byte(w, ':');
        writer_hex(w, group_of(ip, i++));
    }
}

void ip_write(struct writer *w, const struct ip *ip)
{
    if (!ip_is_v4(ip)) {
        write_v6(w, ip);
        return;
    }
    for (unsigned i = 12; i < 16; i++) {
        writer_uint(w, ip->at[i]);
        if (i < 15)
            writer_byte(w, '.');
    }
}

/* ---- Networks ----------------------------------------------------------------------------------------------- */

/* Whether the first `bits` of both are the same. */
static bool alike(const struct ip *a, const struct ip *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a->at, b->at, whole) != 0)
        return false;
    return rest == 0 || (a->at[whole] ^ b->at[whole]) >> (8 - rest) == 0;
}

/* The address with no bit beyond its network's. */
static struct ip first_of(const struct network *network)
{
    struct ip first = network->ip;
    for (unsigned bit = network->bits; bit < 128; bit++)
        first.at[bit / 8] &= (uint8_t)~(0x80 >> bit % 8);
    return first;
}

static bool refuse_bits(const struct network *network, struct slice word, struct why why)
{
    char text[IP_TEXT_MAX];
    struct ip first = first_of(network);
    struct writer w = writer_on(text, sizeof text);
    ip_write(&w, &first);
    return why_refuse(why, word, "the network begins with %.*s; write that before the slash", (int)writer_used(&w),
                      text);
}

static bool parse_network(struct slice word, struct network *network, struct why why)
{
    size_t slash = slice_find(word, '/');
    uint64_t bits = 128;
    if (!ip_parse(slice_part(word, 0, slash), &network->ip))
        return why_refuse(why, word, "write an address, a network such as 10.0.0.0/8, or loopback, private or unix");
    bool v4 = ip_is_v4(&network->ip) && slice_find(word, ':') == word.size;
    if (slash < word.size) {
        if (!slice_uint(slice_skip(word, slash + 1), &bits) || bits > (v4 ? 32 : 128))
            return why_refuse(why, word, "behind the slash stands a number of bits up to %d", v4 ? 32 : 128);
        bits += v4 ? 96 : 0;
    }
    network->bits = (uint8_t)bits;
    struct ip first = first_of(network);
    return alike(&first, &network->ip, 128) || refuse_bits(network, word, why);
}

static bool add(struct networks *networks, struct slice word, struct why why)
{
    if (networks->count == NETWORKS_MAX)
        return why_refuse(why, word, "there are more than %d networks", NETWORKS_MAX);
    return parse_network(word, &networks->at[networks->count++], why);
}

static bool add_word(struct networks *networks, struct slice word, struct why why)
{
    static const struct slice loopback[] = { SLICE_INIT("127.0.0.0/8"), SLICE_INIT("::1") };
    static const struct slice own[] = { SLICE_INIT("10.0.0.0/8"), SLICE_INIT("172.16.0.0/12"),
                                        SLICE_INIT("192.168.0.0/16"), SLICE_INIT("fc00::/7") };
    if (slice_equal(word, SLICE("unix"))) {
        networks->unix_peers = true;
        return true;
    }
    bool named = slice_equal(word, SLICE("loopback")), private = slice_equal(word, SLICE("private"));
    const struct slice *words = named ? loopback : private ? own : &word;
    size_t count = named ? 2 : private ? 4 : 1;
    for (size_t i = 0; i < count; i++)
        if (!add(networks, words[i], why))
            return false;
    return true;
}

bool networks_parse(struct networks *networks, struct slice text, struct why why)
{
    struct slice word;
    networks->unix_peers = false;
    networks->count = 0;
    while (slice_word(&text, &word))
        if (!add_word(networks, word, why))
            return false;
    return true;
}

bool networks_have(const struct networks *networks, const struct ip *ip)
{
    for (unsigned i = 0; i < networks->count; i++)
        if (alike(&networks->at[i].ip, ip, networks->at[i].bits))
            return true;
    return false;
}

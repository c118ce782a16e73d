/* host[:port] (RFC 3986 3.2.2, 3.2.3), of a Host field or a target. It says whether the text is one, nothing more: no
 * name is looked up and none is normalised. */
#include "http/fields.h"
#include "http/target.h"

#define RARE __attribute__((noinline))

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Four numbers up to 255 without leading zeros. */
static bool ipv4_valid(struct slice text)
{
    unsigned numbers = 0;
    for (;;) {
        size_t digits = 0;
        unsigned number = 0;
        while (digits < text.size && digits < 3 && is_digit(text.data[digits]))
            number = number * 10 + (unsigned)(text.data[digits++] - '0');
        if (digits == 0 || number > 255 || (digits > 1 && text.data[0] == '0'))
            return false;
        text = slice_skip(text, digits);
        if (++numbers == 4)
            return text.size == 0;
        if (text.size == 0 || text.data[0] != '.')
            return false;
        text = slice_skip(text, 1);
    }
}

/* How many 16-bit pieces a run of groups has ("" is none), or -1 where it is not one. Only the last run of an address
 * may end with an IPv4 address, which stands for two. */
static int ipv6_pieces(struct slice run, bool last)
{
    int pieces = 0;
    while (run.size > 0) {
        size_t digits = 0;
        while (digits < run.size && char_is(run.data[digits], CHAR_HEX))
            digits++;
        if (last && digits < run.size && run.data[digits] == '.')
            return ipv4_valid(run) ? pieces + 2 : -1;
        if (digits == 0 || digits > 4)
            return -1;
        pieces++;
        run = slice_skip(run, digits);
        if (run.size == 0)
            return pieces;
        if (run.data[0] != ':' || run.size == 1)
            return -1;
        run = slice_skip(run, 1);
    }
    return pieces;
}

/* Eight pieces, or fewer around one "::", which stands for at least one. No zone (RFC 9844) and no IPvFuture. */
static bool ipv6_valid(struct slice text)
{
    const char *gap = text.size >= 2 ? memmem(text.data, text.size, "::", 2) : NULL;
    if (!gap)
        return ipv6_pieces(text, true) == 8;
    size_t at = (size_t)(gap - text.data);
    int before = ipv6_pieces(slice_part(text, 0, at), false);
    int after = ipv6_pieces(slice_skip(text, at + 2), true);
    return before >= 0 && after >= 0 && before + after <= 7;
}

/* The size of the registered name at the front of `text`, or of the IPv4 address, which looks like one; 0: none. */
static size_t name_size(struct slice text)
{
    size_t at = 0;
    for (;;) {
        at += char_run(slice_skip(text, at), CHAR_HOST);
        if (text.size - at < 3 || text.data[at] != '%')
            return at;
        if (!char_is(text.data[at + 1], CHAR_HEX) || !char_is(text.data[at + 2], CHAR_HEX))
            return at;
        at += 3;
    }
}

static size_t host_size(struct slice text)
{
    if (text.size == 0 || text.data[0] != '[')
        return name_size(text);
    size_t close = slice_find(text, ']');
    if (close == text.size || !ipv6_valid(slice_part(text, 1, close)))
        return 0;
    return close + 1;
}

/* Four bytes as one word: the highest bit of a byte is set by the subtraction where it is below '0' and by the addition
 * where it is above '9'. What is borrowed or carried comes from a byte that has failed already. */
static bool four_digits(const char *text)
{
    uint32_t word;
    memcpy(&word, text, sizeof word);
    return (((word - 0x30303030) | (word + 0x46464646)) & 0x80808080) == 0;
}

/* ":" and digits up to 65535, which may be none and may begin with zeros. The ports that get written are mostly of four
 * digits, which are never too many: 8 instructions where the loop takes 45. */
static bool port_valid(struct slice text)
{
    unsigned port = 0;
    if (text.data[0] != ':')
        return false;
    if (text.size == 5)
        return four_digits(text.data + 1);
    for (size_t i = 1; i < text.size; i++) {
        port = port * 10 + (unsigned)(text.data[i] - '0');
        if (!is_digit(text.data[i]) || port > UINT16_MAX)
            return false;
    }
    return true;
}

static RARE bool others_valid(struct slice authority)
{
    size_t host = host_size(authority);
    if (host == 0)
        return false;
    return host == authority.size || port_valid(slice_skip(authority, host));
}

/* Nearly every host is a name without escapes. The others are apart, so that it needs no frame: 20 instructions. */
bool authority_valid_from(struct slice authority, size_t plain)
{
    size_t host = plain == authority.size ? plain : plain + char_run(slice_skip(authority, plain), CHAR_HOST);
    if (host == authority.size)
        return host > 0;
    if (host == 0 || authority.data[host] == '%')
        return others_valid(authority);
    return port_valid(slice_skip(authority, host));
}

bool authority_valid(struct slice authority)
{
    return authority_valid_from(authority, 0);
}

/* host[:port] (RFC 3986 3.2.2, 3.2.3), of a Host field or a target. It says whether the text is one, nothing more: no
 * name is looked up and none is normalised. */
#include "http/fields.h"
#include "http/target.h"

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
        while (at < text.size && char_is(text.data[at], CHAR_HOST))
            at++;
        if (at + 2 >= text.size || text.data[at] != '%')
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

bool authority_valid(struct slice authority)
{
    size_t host = host_size(authority);
    if (host == 0)
        return false;
    struct slice rest = slice_skip(authority, host);
    if (rest.size == 0)
        return true;
    if (rest.data[0] != ':')
        return false;
    uint64_t port = 0;
    return rest.size == 1 || (slice_uint(slice_skip(rest, 1), &port) && port <= UINT16_MAX);
}

/* Compares names piece by piece, where a piece is a letter or a whole number. It knows no language. */
#include "serve/natural.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Without its leading zeros: of two of these the longer one is the larger, however many digits they have. */
static struct slice take_number(struct slice *text)
{
    size_t zeros = 0, end;
    while (zeros < text->size && text->data[zeros] == '0')
        zeros++;
    for (end = zeros; end < text->size && is_digit(text->data[end]);)
        end++;
    struct slice number = slice_part(*text, zeros, end);
    *text = slice_skip(*text, end);
    return number;
}

/* By size, then by bytes. */
static int compare_numbers(struct slice a, struct slice b)
{
    if (a.size != b.size)
        return a.size < b.size ? -1 : 1;
    return a.size > 0 ? memcmp(a.data, b.data, a.size) : 0;
}

static int compare_letters(struct slice *a, struct slice *b)
{
    int order = (unsigned char)ascii_lower(a->data[0]) - (unsigned char)ascii_lower(b->data[0]);
    *a = slice_skip(*a, 1);
    *b = slice_skip(*b, 1);
    return order;
}

static int compare_pieces(struct slice a, struct slice b)
{
    while (a.size > 0 && b.size > 0) {
        bool numbers = is_digit(a.data[0]) && is_digit(b.data[0]);
        int order = numbers ? compare_numbers(take_number(&a), take_number(&b)) : compare_letters(&a, &b);
        if (order != 0)
            return order;
    }
    return (a.size > 0) - (b.size > 0);
}

static int compare_bytes(struct slice a, struct slice b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common > 0 ? memcmp(a.data, b.data, common) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

int natural_compare(struct slice a, struct slice b)
{
    int order = compare_pieces(a, b);
    return order != 0 ? order : compare_bytes(a, b);
}

/* What was probably meant by a name that does not exist. See suggest.h. */
#include "main/suggest.h"

#include "main/options.h"

#include <string.h>

enum { SUGGEST_NAME_MAX = 32 }; /* nothing longer is like any name */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool differ(char a, char b)
{
    return (a == '_' ? '-' : a) != (b == '_' ? '-' : b);
}

/* How many letters must be put in, left out, replaced or swapped with their neighbour to make one name of the other
 * (the "optimal string alignment" distance). Row i holds the distances from the first i letters of `a`. */
static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t rows[SUGGEST_NAME_MAX + 1][SUGGEST_NAME_MAX + 1];
    for (size_t j = 0; j <= b_size; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        rows[i][0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t replaced = rows[i - 1][j - 1] + differ(a[i - 1], b[j - 1]);
            rows[i][j] = least(replaced, 1 + least(rows[i - 1][j], rows[i][j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1);
        }
    }
    return rows[a_size][b_size];
}

static bool begins(const char *text, const char *word, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] == '\0' || differ(text[i], word[i]))
            return false;
    return true;
}

static bool lists_word(const char *words, const char *word, size_t size)
{
    for (const char *at = words; at && (at = strchr(at, ' ')) != NULL; at++)
        if (begins(at + 1, word, size) && at[1 + size] == ' ')
            return true;
    return false;
}

bool suggest_lists(const char *words, const char *word)
{
    return lists_word(words, word, strlen(word));
}

/* A third of the letters wrong is a typing error, more is another word. */
struct suggest suggest_begin(const char *name, size_t size)
{
    bool hopeless = size == 0 || size > SUGGEST_NAME_MAX;
    return (struct suggest){ .name = name, .size = size, .distance = hopeless ? 0 : size / 3 + 1 };
}

void suggest_offer(struct suggest *suggest, const char *known, const char *also)
{
    if (suggest->distance == 0)
        return;
    size_t between = lists_word(also, suggest->name, suggest->size)
                         ? 0 : distance(suggest->name, suggest->size, known, strlen(known));
    if (between < suggest->distance) {
        suggest->nearest = known;
        suggest->distance = between;
    }
}

const char *suggest_option(const char *name, size_t size)
{
    struct suggest suggest = suggest_begin(name, size);
    for (const struct option_row *row = options_table; row->name; row++)
        suggest_offer(&suggest, row->name, row->also);
    return suggest.nearest;
}

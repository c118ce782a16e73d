/* What was probably meant by an option that does not exist. See suggest.h. */
#include "main/suggest.h"

#include "main/options.h"

#include <string.h>

enum { SUGGEST_NAME_MAX = 32 }; /* nothing longer is like any option */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
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
            size_t replaced = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            rows[i][j] = least(replaced, 1 + least(rows[i - 1][j], rows[i][j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1);
        }
    }
    return rows[a_size][b_size];
}

static bool lists_word(const char *words, const char *word, size_t size)
{
    for (const char *at = words; at && (at = strchr(at, ' ')) != NULL; at++)
        if (strncmp(at + 1, word, size) == 0 && at[1 + size] == ' ')
            return true;
    return false;
}

const char *suggest_option(const char *name, size_t size)
{
    const char *nearest = NULL;
    size_t nearest_distance = size / 3 + 1; /* a third of the letters wrong is a typing error, more is another word */
    if (size == 0 || size > SUGGEST_NAME_MAX)
        return NULL;
    for (const struct option_row *row = options_table; row->name; row++) {
        if (lists_word(row->also, name, size))
            return row->name;
        size_t between = distance(name, size, row->name, strlen(row->name));
        if (between < nearest_distance) {
            nearest = row->name;
            nearest_distance = between;
        }
    }
    return nearest;
}

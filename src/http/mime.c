/* Looks up a file name's extension in the table that tools/mime_table made. It never looks at what is in the file. */
#include "http/mime.h"

enum { EXTENSION_MAX = 32 }; /* more than the longest one in the table */

struct row {
    struct slice extension, type;
};

static const struct row rows[] = {
#include "http/mime_table.h"
};

/* What is behind the last dot of the last segment; empty where there is no dot. */
static struct slice find_extension(struct slice name)
{
    for (size_t at = name.size; at > 0 && name.data[at - 1] != '/'; at--)
        if (name.data[at - 1] == '.')
            return slice_skip(name, at);
    return slice_make(NULL, 0);
}

/* Byte by byte, then by size: how tools/mime_table sorts. */
static int compare(struct slice a, struct slice b)
{
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
    if (order != 0)
        return order;
    return (a.size > b.size) - (a.size < b.size);
}

struct slice mime_type(struct slice name)
{
    const struct slice unknown = SLICE("application/octet-stream");
    struct slice extension = find_extension(name);
    if (extension.size == 0 || extension.size > EXTENSION_MAX)
        return unknown;

    char lower[EXTENSION_MAX];
    for (size_t i = 0; i < extension.size; i++)
        lower[i] = ascii_lower(extension.data[i]);
    extension.data = lower;

    size_t low = 0, high = sizeof rows / sizeof rows[0];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(extension, rows[middle].extension);
        if (order == 0)
            return rows[middle].type;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return unknown;
}

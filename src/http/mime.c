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

/* Suffixes say what a format is made of (RFC 6839). */
static bool of_text_family(struct slice type)
{
    static const struct slice families[] = { SLICE_INIT("+json"), SLICE_INIT("+xml"), SLICE_INIT("+yaml") };
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        if (type.size > families[i].size &&
            slice_equal_nocase(slice_skip(type, type.size - families[i].size), families[i]))
            return true;
    return false;
}

/* Text that is not called text, and binary formats that hold numbers as they are. Not PDF, office documents, WOFF,
 * audio and most images, which are compressed inside; nor application/octet-stream, which may be anything. */
static bool listed(struct slice type)
{
    static const struct slice types[] = {
        SLICE_INIT("application/ecmascript"),        SLICE_INIT("application/graphql"),
        SLICE_INIT("application/javascript"),        SLICE_INIT("application/json"),
        SLICE_INIT("application/jsonl"),             SLICE_INIT("application/link-format"),
        SLICE_INIT("application/n-quads"),           SLICE_INIT("application/n-triples"),
        SLICE_INIT("application/postscript"),        SLICE_INIT("application/rtf"),
        SLICE_INIT("application/sql"),               SLICE_INIT("application/toml"),
        SLICE_INIT("application/trig"),              SLICE_INIT("application/vnd.apple.mpegurl"),
        SLICE_INIT("application/vnd.ms-fontobject"), SLICE_INIT("application/vnd.sqlite3"),
        SLICE_INIT("application/wasm"),              SLICE_INIT("application/x-javascript"),
        SLICE_INIT("application/x-sh"),              SLICE_INIT("application/x-tar"),
        SLICE_INIT("application/xml"),               SLICE_INIT("application/xml-dtd"),
        SLICE_INIT("application/yaml"),              SLICE_INIT("font/collection"),
        SLICE_INIT("font/otf"),                      SLICE_INIT("font/ttf"),
        SLICE_INIT("image/bmp"),                     SLICE_INIT("image/vnd.microsoft.icon"),
        SLICE_INIT("image/x-icon"),                  SLICE_INIT("model/gltf-binary"),
        SLICE_INIT("model/mtl"),                     SLICE_INIT("model/obj"),
        SLICE_INIT("model/stl"),
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (slice_equal_nocase(type, types[i]))
            return true;
    return false;
}

bool mime_compressible(struct slice type)
{
    const struct slice text = SLICE("text/");
    struct slice bare = slice_trim(slice_part(type, 0, slice_find(type, ';')));
    if (bare.size > text.size && slice_equal_nocase(slice_part(bare, 0, text.size), text))
        return true;
    return of_text_family(bare) || listed(bare);
}

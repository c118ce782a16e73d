/* The data set of bench.c, read with jansson. What is done with it, the server says. */
#include "items.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static bool read_item(json_t *from, struct item *item)
{
    json_t *tags;
    if (json_unpack(from, "{s:i, s:s, s:s, s:i, s:i, s:b, s:o, s:{s:i, s:i}}", "id", &item->id, "name", &item->name,
                    "category", &item->category, "price", &item->price, "quantity", &item->quantity, "active",
                    &item->active, "tags", &tags, "rating", "score", &item->score, "count", &item->ratings) != 0)
        return false;
    for (size_t i = 0; i < json_array_size(tags) && i < sizeof item->tags / sizeof item->tags[0]; i++)
        item->tags[item->tag_count++] = json_string_value(json_array_get(tags, i));
    return true;
}

/* Its strings stay in the JSON, which is kept while the program runs. */
bool items_read(const char *path, struct items *items)
{
    json_error_t error;
    json_t *array = json_load_file(path, 0, &error);
    if (array == NULL)
        return fprintf(stderr, "%s:%d: %s\n", path, error.line, error.text) < 0;
    size_t size = json_array_size(array);
    items->at = calloc(size + 1, sizeof *items->at);
    while (items->at && items->count < size && read_item(json_array_get(array, items->count), &items->at[items->count]))
        items->count++;
    if (items->count == size)
        return true;
    fprintf(stderr, "%s: item %zu is not as it should be\n", path, items->count);
    return false;
}

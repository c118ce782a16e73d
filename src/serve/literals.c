/* Filling the table of literals; looking up is in the header, to be inlined. Nothing is ever removed. */
#include "serve/literals.h"

#include <stdlib.h>

enum { ROOM_MIN = 4 };

static bool grow(struct literals *literals)
{
    struct literals bigger = { .room = literals->room ? 2 * literals->room : ROOM_MIN, .count = literals->count };
    bigger.at = calloc(bigger.room, sizeof *bigger.at);
    if (!bigger.at)
        return false;
    for (size_t i = 0; i < literals->room; i++)
        if (literals->at[i].value)
            *literals_probe(&bigger, literals->at[i].text, literals->at[i].hash) = literals->at[i];
    free(literals->at);
    *literals = bigger;
    return true;
}

bool literals_add(struct literals *literals, struct slice text, void *value)
{
    if (literals->count >= literals->room / 2 && !grow(literals))
        return false;
    uint64_t hash = literals_hash(text);
    *literals_probe(literals, text, hash) = (struct literal){ text, hash, value };
    literals->count++;
    return true;
}

void literals_fini(struct literals *literals)
{
    free(literals->at);
    *literals = (struct literals){ .at = NULL };
}

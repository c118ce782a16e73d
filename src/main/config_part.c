/* A section of a configuration file on its way into the options. See config_part.h. */
#include "main/config_part.h"

#include "main/config_text.h"
#include "main/option_set.h"

#include <string.h>

void *part_take(struct part *part, size_t count, size_t size)
{
    size_t all = count > 0 ? count * size : 1;
    void *memory = arena_take(&part->options->memory, all);
    if (memory)
        memset(memory, 0, all);
    else
        part->failed = true;
    return memory;
}

struct found part_find(struct part *part, const char *key, unsigned place)
{
    struct found found = { .text = NULL };
    cfg_opt_t *option = cfg_getopt(part->cfg, key);
    if (place >= cfg_opt_size(option))
        return found;
    found.text = option_keep(part->options, config_text_value(cfg_opt_getnstr(option, place), &found.line));
    part->failed |= !found.text;
    return found;
}

const char *part_title(struct part *part)
{
    const char *title = option_keep(part->options, config_text_value(cfg_title(part->cfg), &part->line));
    part->failed |= !title;
    return title;
}

bool part_refuse(struct part *part, unsigned line, const char *key, const char *why)
{
    return problems_add(&part->options->problems, line, "%s: %s", key, why);
}

const char *const *part_list(struct part *part, const char *key, part_check *check, unsigned *line)
{
    unsigned count = cfg_opt_size(cfg_getopt(part->cfg, key));
    const char **list = count ? part_take(part, count + 1, sizeof *list) : NULL;
    char text[WHY_SIZE];
    for (unsigned i = 0; list && i < count; i++) {
        struct found found = part_find(part, key, i);
        if (found.text && !check(slice_text(found.text), (struct why){ text, sizeof text }))
            part_refuse(part, found.line, key, text);
        if (i == 0)
            *line = found.line;
        list[i] = found.text;
    }
    return list;
}

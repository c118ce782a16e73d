/* The modules of a configuration file. See config_module.h. */
#include "main/config_module.h"

#include "main/config_part.h"
#include "main/option_set.h"

static void take_module(struct part *part)
{
    const char *title = part_title(part);
    struct found settings = part_find(part, "settings", 0);
    const char *file = part->failed ? NULL : option_keep_path(part->options, title);
    part->failed |= !file;
    if (part->failed)
        return;
    if (title[0] == '\0')
        part_refuse(part, part->line, "module", "it has no name; write that of a shared object, \"./users.so\"");
    else if (!option_add_module(part->options, (struct module_option){
                 .file = file,
                 .settings = settings.text ? settings.text : "",
                 .origin = { .kind = ORIGIN_FILE, .line = part->line },
             }))
        problems_add(&part->options->problems, part->line, "%s", part->options->problem);
    part->options->problem[0] = '\0'; /* it is among the problems */
}

bool config_modules_take(struct options *options, cfg_t *cfg)
{
    size_t count = cfg_size(cfg, "module");
    struct part part = { .options = options };
    for (size_t i = 0; !part.failed && i < count; i++) {
        part.cfg = cfg_getnsec(cfg, "module", (unsigned)i);
        take_module(&part);
    }
    return !part.failed;
}

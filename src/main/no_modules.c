/* No modules: for a static program, which has no way to load shared objects. Stands in the place of module.c. */
#include "main/module.h"

#include "main/option_set.h"

bool modules_load(struct modules *modules, struct options *options)
{
    *modules = (struct modules){ .options = options };
    if (options->module_count == 0)
        return true;
    return option_fail(options, "module: %.100s: this rawhttpd is static, and cannot load modules; "
                       "take one that was built without -Dstatic=true", options->modules[0].file);
}

bool modules_begin(struct modules *modules, rh_server *server)
{
    (void)modules;
    (void)server;
    return true;
}

void modules_end(struct modules *modules)
{
    (void)modules;
}

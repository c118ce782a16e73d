/* Modules: shared objects that answer requests (rawhttp/module.h). Loaded, checked, begun and ended; what they register
 * is between them and the server. In a static program no_modules.c stands here, and refuses all of them. */
#ifndef MAIN_MODULE_H
#define MAIN_MODULE_H

#include "main/options.h"

/* One that is loaded. */
struct module {
    const struct module_option *option;
    rh_module told; /* its own rawhttp_module */
    void *user;
};

/* All zero: there are none. */
struct modules {
    struct options *options; /* which name them, and take what is wrong with them: `problems` or `problem` */
    struct module *at;       /* options->module_count of them */
    size_t begun;            /* the first so many, with one that has failed */
};

/* Loads and checks all that the options name; nothing of them is called. False: the options say what is wrong. */
bool modules_load(struct modules *modules, struct options *options);

/* Before the server is started. False: as above, and the server cannot be started. */
bool modules_begin(struct modules *modules, rh_server *server);

/* Once the server has been freed; also after either has failed. */
void modules_end(struct modules *modules);

#endif

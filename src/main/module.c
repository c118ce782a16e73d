/* Modules: shared objects, checked before anything of them is called. See module.h.
 *
 * None is ever unloaded: threads that it has started, and what it registered to be called at exit, may outlive its
 * `end`. */
#include "main/module.h"

#include "base/why.h"
#include "main/option_set.h"
#include "server/sized.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- A shared object ---- */

/* Of a file that is none at all, dlopen says "invalid ELF header" or "file too short". */
static bool check_head(int fd, struct why why)
{
    unsigned char head[SELFMAG];
    ssize_t got = read(fd, head, sizeof head);
    if (got < 0)
        return why_refuse(why, SLICE(""), "%s", strerror(errno));
    return (got == sizeof head && memcmp(head, ELFMAG, SELFMAG) == 0) ||
           why_refuse(why, SLICE(""), "it is no shared object; make one of its source: cc -shared -fPIC");
}

static bool check_file(const char *path, struct why why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return why_refuse(why, SLICE(""), "%s", strerror(errno));
    bool good = check_head(fd, why);
    close(fd);
    return good;
}

/* The name in "...: undefined symbol: rh_new, version X", or no bytes. */
static struct slice missing_symbol(const char *error)
{
    static const char before[] = "undefined symbol: ";
    const char *at = strstr(error, before);
    struct slice name = slice_text(at ? at + strlen(before) : "");
    return slice_part(name, 0, strcspn(name.data, " ,("));
}

static bool refuse_load(const char *error, struct why why)
{
    struct slice missing = missing_symbol(error);
    if (missing.size == 0)
        return why_refuse(why, SLICE(""), "it cannot be loaded: %s", error);
    if (slice_starts(missing, SLICE("rh_")))
        return why_refuse(why, SLICE(""), "it calls %.*s, which this rawhttpd (" RH_VERSION ") does not have; "
                          "it needs a newer one", (int)missing.size, missing.data);
    return why_refuse(why, SLICE(""), "it calls %.*s, which is nowhere; link it with the library that has it",
                      (int)missing.size, missing.data);
}

/* ---- A module ---- */

enum { SIZE_LEAST = sizeof(rh_module) /* of the first version of this interface */ };

/* The interface first: with another one everything behind it may lie elsewhere. */
static bool check_told(struct module *module, const rh_module *told, struct why why)
{
    if (told->abi != RH_ABI)
        return why_refuse(why, SLICE(""), "it was built for interface %u, this rawhttpd (" RH_VERSION ") has %u; "
                          "rebuild it with this version's rawhttp.h", told->abi, RH_ABI);
    if (told->size < SIZE_LEAST)
        return why_refuse(why, SLICE(""), "its rawhttp_module is not filled in: size has to be sizeof(rh_module)");
    if (!sized_read(&module->told, sizeof module->told, told, told->size))
        return why_refuse(why, SLICE(""), "it was built for a newer rawhttpd, and asks for what this one "
                          "(" RH_VERSION ") does not know");
    return (told->name && told->begin) ||
           why_refuse(why, SLICE(""), "its rawhttp_module is not filled in: it has no %s",
                      told->name ? "begin" : "name");
}

static bool load(struct module *module, const char *path, struct why why)
{
    void *object = check_file(path, why) ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!object)
        return why.text[0] == '\0' && refuse_load(dlerror(), why);
    const rh_module *told = dlsym(object, "rawhttp_module");
    return told ? check_told(module, told, why)
                : why_refuse(why, SLICE(""), "it is no module for rawhttpd: it has no rawhttp_module");
}

/* A name without a slash is that of a file all the same; dlopen would look for it where libraries are. */
static bool load_option(struct module *module, struct options *options, struct why why)
{
    const char *file = module->option->file;
    char *path = arena_take(&options->memory, strlen(file) + sizeof "./");
    if (!path)
        return why_refuse(why, SLICE(""), "out of memory");
    strcpy(stpcpy(path, strchr(file, '/') ? "" : "./"), file);
    return load(module, path, why);
}

/* ---- All of them ---- */

/* Always false. What a file names is told with its line, whatever else is wrong there. */
static bool fail(struct options *options, const struct module_option *option, const char *why)
{
    char label[OPTION_LABEL_SIZE];
    option_label(option_find("module", strlen("module")), option->origin, label);
    if (option->origin.kind == ORIGIN_FILE)
        return problems_add(&options->problems, option->origin.line, "%s: %s: %s", label, option->file, why);
    return option_fail(options, "%s: %.100s: %s", label, option->file, why);
}

bool modules_load(struct modules *modules, struct options *options)
{
    *modules = (struct modules){ .options = options };
    modules->at = calloc(options->module_count + 1, sizeof *modules->at);
    if (!modules->at)
        return option_fail(options, "out of memory");
    bool good = true;
    for (size_t i = 0; i < options->module_count; i++) {
        char text[WHY_SIZE] = "";
        modules->at[i].option = &options->modules[i];
        if (!load_option(&modules->at[i], options, (struct why){ text, sizeof text }))
            good = fail(options, &options->modules[i], text);
    }
    return good;
}

bool modules_begin(struct modules *modules, rh_server *server)
{
    while (modules->begun < modules->options->module_count) {
        struct module *module = &modules->at[modules->begun++];
        int result = module->told.begin(server, module->option->settings, &module->user);
        const char *error = rh_error(server);
        if (result != 0 || *error)
            return fail(modules->options, module->option, *error ? error : "it does not begin, and does not say why");
    }
    return true;
}

void modules_end(struct modules *modules)
{
    while (modules->begun > 0) {
        struct module *module = &modules->at[--modules->begun];
        if (module->told.end)
            module->told.end(module->user);
    }
    free(modules->at);
    modules->at = NULL;
}

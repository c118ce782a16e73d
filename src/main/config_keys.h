/* The keys that a configuration file may have: at its top every option of the program and what there is besides, in a
 * host, a rule, a module and a certificate what belongs there. What they lead to is not known here. */
#ifndef MAIN_CONFIG_KEYS_H
#define MAIN_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>

enum config_section { CONFIG_TOP, CONFIG_HOST, CONFIG_RULE, CONFIG_MODULE, CONFIG_CERTIFICATE,
                      CONFIG_SECTIONS };

enum config_shape {
    CONFIG_VALUE,   /* key = "value" */
    CONFIG_LIST,    /* key = {"value", "value"}, or one value */
    CONFIG_SECTION, /* key "title" { ... } */
};

enum { CONFIG_NAME_SIZE = 48, CONFIG_KEYS_MAX = 64 };

struct config_key {
    char name[CONFIG_NAME_SIZE];
    enum config_shape shape;
    enum config_section inner; /* of a section */
    const char *also;          /* other names under which people look for it, each with a space before and behind */
};

struct config_keys {
    struct {
        struct config_key keys[CONFIG_KEYS_MAX];
        unsigned count;
    } sections[CONFIG_SECTIONS];
};

void config_keys_init(struct config_keys *keys);

/* NULL: this section has no such key. */
const struct config_key *config_keys_find(const struct config_keys *keys, enum config_section section,
                                          const char *name, size_t size);

enum { CONFIG_HINT_SIZE = 120 };

/* What to do about a key that is not there: "; did you mean ...?", or where it belongs; or "". */
const char *config_keys_hint(const struct config_keys *keys, enum config_section section, const char *name, size_t size,
                             char out[static CONFIG_HINT_SIZE]);

#endif

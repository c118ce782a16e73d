/* The keys that a configuration file may have. See config_keys.h. */
#include "main/config_keys.h"

#include "main/option_set.h"
#include "main/suggest.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Beside the options, of which root, fallback and list belong to the default host. */
static const struct config_key top[] = {
    { .name = "rule", .shape = CONFIG_SECTION, .inner = CONFIG_RULE, .also = " location path route match " },
    { .name = "host", .shape = CONFIG_SECTION, .inner = CONFIG_HOST, .also = " server vhost virtualhost site domain " },
    { .name = "module", .shape = CONFIG_SECTION, .inner = CONFIG_MODULE,
      .also = " plugin plugins load load-module modules extension " },
    { .name = "certificate", .shape = CONFIG_SECTION, .inner = CONFIG_CERTIFICATE,
      .also = " cert tls ssl tls-cert tls-key ssl-certificate " },
    { .name = "types", .shape = CONFIG_LIST, .also = " mime mime-types mimetypes type " },
    { .name = "error_pages", .shape = CONFIG_LIST, .also = " error-page error-document errordocument errors " },
    { .name = "" },
};

static const struct config_key host[] = {
    { .name = "root", .also = " dir directory folder docroot document-root www " },
    { .name = "fallback", .also = " spa single try-files " },
    { .name = "list", .also = " listing listings autoindex browse " },
    { .name = "rule", .shape = CONFIG_SECTION, .inner = CONFIG_RULE, .also = " location path route match " },
    { .name = "certificate", .shape = CONFIG_SECTION, .inner = CONFIG_CERTIFICATE,
      .also = " cert tls ssl tls-cert tls-key ssl-certificate " },
    { .name = "types", .shape = CONFIG_LIST, .also = " mime mime-types mimetypes type " },
    { .name = "error_pages", .shape = CONFIG_LIST, .also = " error-page error-document errordocument errors " },
    { .name = "" },
};

static const struct config_key rule[] = {
    { .name = "redirect", .also = " return location to " },
    { .name = "rewrite", .also = " alias " },
    { .name = "status", .also = " code deny " },
    { .name = "cache_control", .also = " cache expires max-age " },
    { .name = "headers", .shape = CONFIG_LIST, .also = " header add-header field fields " },
    { .name = "cors", .also = " origin origins allow-origin access-control-allow-origin " },
    { .name = "basic_auth", .also = " auth htpasswd auth-basic password " },
    { .name = "" },
};

static const struct config_key module[] = {
    { .name = "settings", .also = " options arguments args config parameters " },
    { .name = "" },
};

static const struct config_key certificate[] = {
    { .name = "key", .also = " private-key privkey ssl-certificate-key tls-key " },
    { .name = "ocsp", .also = " staple stapling ocsp-file ssl-stapling-file " },
    { .name = "" },
};

static void add(struct config_keys *keys, enum config_section section, const struct config_key *key)
{
    unsigned place = keys->sections[section].count++;
    assert(place < CONFIG_KEYS_MAX);
    keys->sections[section].keys[place] = *key;
}

static void add_all(struct config_keys *keys, enum config_section section, const struct config_key *key)
{
    for (; key->name[0]; key++)
        add(keys, section, key);
}

void config_keys_init(struct config_keys *keys)
{
    memset(keys, 0, sizeof *keys);
    for (const struct option_row *row = options_table; row->name; row++) {
        struct config_key key = { .shape = row->kind == OPTION_ADDRESS ? CONFIG_LIST : CONFIG_VALUE,
                                  .also = row->also };
        option_label(row, (struct origin){ .kind = ORIGIN_FILE }, key.name);
        if (row->scope == SCOPE_ALL)
            add(keys, CONFIG_TOP, &key);
    }
    add_all(keys, CONFIG_TOP, top);
    add_all(keys, CONFIG_HOST, host);
    add_all(keys, CONFIG_RULE, rule);
    add_all(keys, CONFIG_MODULE, module);
    add_all(keys, CONFIG_CERTIFICATE, certificate);
}

const struct config_key *config_keys_find(const struct config_keys *keys, enum config_section section,
                                          const char *name, size_t size)
{
    for (unsigned i = 0; i < keys->sections[section].count; i++) {
        const struct config_key *key = &keys->sections[section].keys[i];
        if (strlen(key->name) == size && memcmp(key->name, name, size) == 0)
            return key;
    }
    return NULL;
}

static const char *const places[] = {
    [CONFIG_TOP] = "at the top of the file, outside of host, rule, module and certificate",
    [CONFIG_HOST] = "into host \"name\" { ... }",
    [CONFIG_RULE] = "into rule \"/path\" { ... }",
    [CONFIG_CERTIFICATE] = "into certificate \"file\" { ... }",
    [CONFIG_MODULE] = "into module \"file\" { ... }",
};

const char *config_keys_hint(const struct config_keys *keys, enum config_section section, const char *name, size_t size,
                             char out[static CONFIG_HINT_SIZE])
{
    struct suggest suggest = suggest_begin(name, size);
    out[0] = '\0';
    for (enum config_section other = CONFIG_TOP; other < CONFIG_SECTIONS; other++)
        if (config_keys_find(keys, other, name, size)) {
            snprintf(out, CONFIG_HINT_SIZE, "; it belongs %s", places[other]);
            return out;
        }
    for (unsigned i = 0; i < keys->sections[section].count; i++)
        suggest_offer(&suggest, keys->sections[section].keys[i].name, keys->sections[section].keys[i].also);
    if (suggest.nearest)
        snprintf(out, CONFIG_HINT_SIZE, "; did you mean %s?", suggest.nearest);
    return out;
}

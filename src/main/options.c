/* The command line by the table of options, then the environment and the configuration file, and what follows from all
 * of them. See options.h.
 *
 * Not getopt_long: it prints its own messages, takes any prefix of an option for the option, and would need a second
 * table. */
#include "main/options.h"

#include "main/config_file.h"
#include "main/environment.h"
#include "main/option_certificate.h"
#include "main/option_set.h"
#include "main/suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MEMORY_MAX = 64 << 20 }; /* many times what a configuration file of the largest size takes */

static const struct origin flag = { .kind = ORIGIN_FLAG };

struct arguments {
    char *const *at, *const *end;
};

static const struct option_row *find(const char *name)
{
    return option_find(name, strlen(name));
}

/* DIR, and --root, which is another way to write it. */
static bool take_folder(struct options *options, const char *text)
{
    if (text[0] == '\0')
        return option_fail(options, "the folder's name is empty; for the current folder leave it out");
    if (options->server.root)
        return option_fail(options, "one folder can be served, not both \"%.60s\" and \"%.60s\"", options->server.root,
                           text);
    return option_set(options, find("root"), text, flag);
}

static bool take_value(struct options *options, const struct option_row *row, const char *text)
{
    return row == find("root") ? take_folder(options, text) : option_set(options, row, text, flag);
}

/* The value that follows as an argument of its own. What looks like a long option is one: "--access-log --quiet"
 * forgot the file rather than means a file called --quiet (for which there is the form with "="). */
static bool take_next(struct options *options, const struct option_row *row, struct arguments *rest)
{
    if (rest->at == rest->end || strncmp(*rest->at, "--", 2) == 0)
        return option_fail(options, "--%s needs a value: --%s %s", row->name, row->name, row->argument);
    return take_value(options, row, *rest->at++);
}

static bool reject(struct options *options, const char *name, size_t size)
{
    const char *near = suggest_option(name, size);
    if (near)
        return option_fail(options, "unknown option --%.*s; did you mean --%s?", size < 60 ? (int)size : 60, name,
                           near);
    return option_fail(options, "unknown option --%.*s; see rawhttpd --help", size < 60 ? (int)size : 60, name);
}

static const struct option_row *find_letter(char letter)
{
    for (const struct option_row *row = options_table; row->name; row++)
        if (row->letter == letter)
            return row;
    return NULL;
}

/* "--name", "--name=value" or "--name value"; `text` is what is behind the dashes. */
static bool take_long(struct options *options, const char *text, struct arguments *rest)
{
    size_t size = strcspn(text, "=");
    const struct option_row *row = option_find(text, size);
    if (!row)
        return reject(options, text, size);
    if (text[size] == '=')
        return take_value(options, row, text + size + 1);
    return row->kind == OPTION_FLAG ? option_set(options, row, "true", flag) : take_next(options, row, rest);
}

/* "-q", "-l value", "-lvalue", "-ql value"; `text` is what is behind the dash. */
static bool take_letters(struct options *options, const char *text, struct arguments *rest)
{
    for (; *text; text++) {
        const struct option_row *row = find_letter(*text);
        if (!row)
            return option_fail(options, "unknown option -%c; see rawhttpd --help", *text);
        if (row->kind != OPTION_FLAG)
            return text[1] ? take_value(options, row, text + 1) : take_next(options, row, rest);
        if (!option_set(options, row, "true", flag))
            return false;
    }
    return true;
}

static bool take_all(struct options *options, struct arguments *rest)
{
    bool only_operands = false;
    while (rest->at != rest->end && !options->help && !options->version) {
        const char *text = *rest->at++;
        bool ok = true;
        if (only_operands || text[0] != '-' || text[1] == '\0')
            ok = take_folder(options, text);
        else if (text[1] != '-')
            ok = take_letters(options, text + 1, rest);
        else if (text[2] != '\0')
            ok = take_long(options, text + 2, rest);
        else
            only_operands = true;
        if (!ok)
            return false;
    }
    return true;
}

/* With a certificate for it, https is what is wanted. */
static const char *default_address(const struct options *options)
{
    static const char *const addresses[2][2] = { { "localhost:8080", ":8080" },
                                                 { "https://localhost:8443", "https://:8443" } };
    return addresses[option_is_secure(options)][options->everywhere];
}

/* That of PORT, which says nothing of what is spoken there. */
static bool make_secure(struct options *options)
{
    char *address;
    if (asprintf(&address, "https://%s", options->listen) < 0)
        return option_fail(options, "out of memory");
    free(options->listen);
    options->listen = address;
    return true;
}

static bool settle_https(struct options *options)
{
    bool secure = strstr(options->server.listen, "https://") != NULL;
    if (secure && !option_is_secure(options))
        return option_fail(options, "https needs a certificate: --tls-cert FILE --tls-key FILE, or --tls-self-signed "
                           "for development");
    if (!secure && option_is_secure(options))
        return option_fail(options, "there is a certificate, and no address for https; for all interfaces listen on "
                           "https://:443");
    return true;
}

/* --public is a way to write --listen: what was said where it counts more holds, and in one place only one of the two
 * can be meant. PORT, which a platform sets, is no contradiction to RAWHTTP_PUBLIC. */
static bool settle_listen(struct options *options)
{
    struct origin *listen = option_origin(options, find("listen"));
    const struct origin *everywhere = option_origin(options, find("public"));
    enum origin_kind kind = options->everywhere ? everywhere->kind : ORIGIN_DEFAULT;
    char label[OPTION_LABEL_SIZE], other[OPTION_LABEL_SIZE];
    if (kind != ORIGIN_DEFAULT && kind == listen->kind && !listen->variable)
        return option_fail(options, "%s and %s exclude each other; for all interfaces listen on :PORT",
                           option_label(find("public"), *everywhere, label),
                           option_label(find("listen"), *listen, other));
    if (kind > listen->kind) {
        free(options->listen);
        options->listen = NULL;
        *listen = *everywhere;
    }
    if (listen->variable && option_is_secure(options) && !make_secure(options))
        return false;
    options->server.listen = options->listen ? options->listen : default_address(options);
    return settle_https(options);
}

/* What was left out, and what only makes sense once everything is known. */
static bool settle(struct options *options)
{
    rh_options *server = &options->server;
    if (!option_settle_certificates(options) || !settle_listen(options))
        return false;
    if (!server->root && options->host_count == 0) /* with hosts, a default host is there for who asks for it */
        server->root = ".";
    if (strcmp(server->access_log, "off") == 0)
        server->access_log = NULL;
    if (options->check && !options->config)
        return option_fail(options, "--check needs a configuration file: rawhttpd -t -c FILE");
    if (options->field_count > 0 && !options->explain)
        return option_fail(options, "--header is for --explain: rawhttpd --explain 'GET /' -H 'Name: value'");
    return true;
}

/* Beside serving there is one thing to do at a time; what changes nothing goes first. */
static enum options_outcome choose(const struct options *options)
{
    if (options->check)
        return OPTIONS_CHECK;
    if (options->print_config)
        return OPTIONS_PRINT;
    return options->explain ? OPTIONS_EXPLAIN : OPTIONS_SERVE;
}

/* The strongest first: it says where the file is. */
enum options_outcome options_parse(struct options *options, const struct options_given *given)
{
    struct arguments rest = { given->argv + (given->argc > 0), given->argv + given->argc };
    *options = (struct options){ .server = { .access_log = "-" } };
    arena_init(&options->memory, NULL, 0, OPTIONS_MEMORY_MAX);
    if (!take_all(options, &rest))
        return OPTIONS_WRONG;
    if (options->help)
        return OPTIONS_HELP;
    if (options->version)
        return OPTIONS_VERSION;
    if (options->health_url)
        return OPTIONS_HEALTH;
    if (!environment_read(options, given->environment))
        return OPTIONS_WRONG;
    if (options->config && !config_file_read(options))
        return OPTIONS_WRONG;
    return settle(options) ? choose(options) : OPTIONS_WRONG;
}

void options_fini(struct options *options)
{
    free(options->listen);
    free(options->folder);
    free(options->fields);
    free(options->modules);
    free(options->certificates);
    problems_fini(&options->problems);
    arena_give_back(&options->memory);
    options->listen = options->folder = NULL;
    options->fields = NULL;
    options->field_count = 0;
    options->modules = NULL;
    options->module_count = 0;
    options->certificates = NULL;
    options->certificate_count = 0;
    options->server.listen = NULL;
}

/* Reading the command line by the table of options. See options.h.
 *
 * Not getopt_long: it prints its own messages, takes any prefix of an option for the option, and would need a second
 * table. */
#include "main/options.h"

#include "main/suggest.h"
#include "main/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
    char *const *at, *const *end;
};

/* Always false, so that a check can end with it. */
__attribute__((format(printf, 2, 3))) static bool fail(struct options *options, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(options->problem, sizeof options->problem, format, arguments);
    va_end(arguments);
    return false;
}

static void store(struct options *options, const struct option_row *row, uint64_t value)
{
    char *field = (char *)options + row->offset;
    if (row->width == sizeof(uint64_t))
        *(uint64_t *)(void *)field = value;
    else
        *(uint32_t *)(void *)field = (uint32_t)value;
}

static bool take_number(struct options *options, const struct option_row *row, const char *text)
{
    uint64_t value;
    if (!value_number(text, &value) || value < row->min || value > row->max)
        return fail(options, "--%s: \"%.60s\" is not a number from %llu to %llu", row->name, text,
                    (unsigned long long)row->min, (unsigned long long)row->max);
    store(options, row, value == 0 ? row->zero : value);
    return true;
}

static bool take_size(struct options *options, const struct option_row *row, const char *text)
{
    uint64_t value;
    char min[VALUE_TEXT_SIZE], max[VALUE_TEXT_SIZE];
    if (!value_size(text, &value) || value < row->min || value > row->max)
        return fail(options, "--%s: \"%.60s\" is not a size from %s to %s, such as 16K or 2M", row->name, text,
                    value_size_exact_text(row->min, min), value_size_exact_text(row->max, max));
    store(options, row, value == 0 ? row->zero : value);
    return true;
}

static bool take_time(struct options *options, const struct option_row *row, const char *text)
{
    uint64_t value;
    char min[VALUE_TEXT_SIZE], max[VALUE_TEXT_SIZE];
    if (!value_time(text, &value) || value < row->min || value > row->max)
        return fail(options, "--%s: \"%.60s\" is not a time from %s to %s, such as 500ms, 10s or 2m", row->name, text,
                    value_time_exact_text(row->min, min), value_time_exact_text(row->max, max));
    store(options, row, value);
    return true;
}

/* The library takes several addresses separated by spaces, so none may have one inside. */
static bool take_address(struct options *options, const char *text)
{
    if (text[strcspn(text, " \t\r\n")] != '\0')
        return fail(options, "--listen: \"%.60s\" has a space in it; for several addresses repeat --listen", text);
    char *joined;
    if (asprintf(&joined, "%s%s%s", options->listen ? options->listen : "", options->listen ? " " : "", text) < 0)
        return fail(options, "--listen: out of memory");
    free(options->listen);
    options->listen = joined;
    return true;
}

static bool take_value(struct options *options, const struct option_row *row, const char *text)
{
    if (text[0] == '\0')
        return fail(options, "--%s: the value is empty; it needs %s", row->name, row->argument);
    switch (row->kind) {
    case OPTION_NUMBER:
        return take_number(options, row, text);
    case OPTION_SIZE:
        return take_size(options, row, text);
    case OPTION_TIME:
        return take_time(options, row, text);
    case OPTION_ADDRESS:
        return take_address(options, text);
    case OPTION_TEXT:
        memcpy((char *)options + row->offset, &text, sizeof text);
        return true;
    case OPTION_FLAG:
        break; /* has no value */
    }
    abort();
}

/* The value that follows as an argument of its own. What looks like a long option is one: "--access-log --quiet"
 * forgot the file rather than means a file called --quiet (for which there is the form with "="). */
static bool take_next(struct options *options, const struct option_row *row, struct arguments *rest)
{
    if (rest->at == rest->end || strncmp(*rest->at, "--", 2) == 0)
        return fail(options, "--%s needs a value: --%s %s", row->name, row->name, row->argument);
    return take_value(options, row, *rest->at++);
}

static bool set_flag(struct options *options, const struct option_row *row)
{
    *(bool *)((char *)options + row->offset) = true;
    return true;
}

static bool reject(struct options *options, const char *name, size_t size)
{
    const char *near = suggest_option(name, size);
    if (near)
        return fail(options, "unknown option --%.*s; did you mean --%s?", size < 60 ? (int)size : 60, name, near);
    return fail(options, "unknown option --%.*s; see rawhttpd --help", size < 60 ? (int)size : 60, name);
}

static const struct option_row *find_name(const char *name, size_t size)
{
    for (const struct option_row *row = options_table; row->name; row++)
        if (strlen(row->name) == size && memcmp(row->name, name, size) == 0)
            return row;
    return NULL;
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
    const struct option_row *row = find_name(text, size);
    if (!row)
        return reject(options, text, size);
    bool has_value = text[size] == '=';
    if (row->kind != OPTION_FLAG)
        return has_value ? take_value(options, row, text + size + 1) : take_next(options, row, rest);
    if (has_value)
        return fail(options, "--%s takes no value", row->name);
    return set_flag(options, row);
}

/* "-q", "-l value", "-lvalue", "-ql value"; `text` is what is behind the dash. */
static bool take_letters(struct options *options, const char *text, struct arguments *rest)
{
    for (; *text; text++) {
        const struct option_row *row = find_letter(*text);
        if (!row)
            return fail(options, "unknown option -%c; see rawhttpd --help", *text);
        if (row->kind != OPTION_FLAG)
            return text[1] ? take_value(options, row, text + 1) : take_next(options, row, rest);
        set_flag(options, row);
    }
    return true;
}

static bool take_folder(struct options *options, const char *text)
{
    if (text[0] == '\0')
        return fail(options, "the folder's name is empty; for the current folder leave it out");
    if (options->server.root)
        return fail(options, "one folder can be served, not both \"%.60s\" and \"%.60s\"", options->server.root, text);
    options->server.root = text;
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

/* What was left out, and what only makes sense once everything is known. */
static bool settle(struct options *options)
{
    rh_options *server = &options->server;
    if (options->everywhere && options->listen)
        return fail(options, "--public and --listen exclude each other; for all interfaces say --listen :PORT");
    server->listen = options->listen ? options->listen : options->everywhere ? ":8080" : "localhost:8080";
    if (!server->root)
        server->root = ".";
    if (strcmp(server->access_log, "off") == 0)
        server->access_log = NULL;
    return true;
}

enum options_outcome options_parse(struct options *options, int argc, char *const *argv)
{
    *options = (struct options){ .server = { .access_log = "-" } };
    struct arguments rest = { argv + (argc > 0), argv + argc };
    if (!take_all(options, &rest))
        return OPTIONS_WRONG;
    if (options->help)
        return OPTIONS_HELP;
    if (options->version)
        return OPTIONS_VERSION;
    if (!settle(options))
        return OPTIONS_WRONG;
    return options->health_url ? OPTIONS_HEALTH : OPTIONS_SERVE;
}

void options_fini(struct options *options)
{
    free(options->listen);
    options->listen = NULL;
    options->server.listen = NULL;
}

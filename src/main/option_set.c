/* One value of one option: checked, and stored unless a stronger one has been. See option_set.h. */
#include "main/option_set.h"

#include "main/option_certificate.h"
#include "main/suggest.h"
#include "main/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is being set. */
struct setting {
    struct options *options;
    const struct option_row *row;
    const char *text;
    struct origin origin;
    char label[OPTION_LABEL_SIZE];
};

bool option_fail(struct options *options, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(options->problem, sizeof options->problem, format, arguments);
    va_end(arguments);
    return false;
}

const struct option_row *option_find(const char *name, size_t size)
{
    for (const struct option_row *row = options_table; row->name; row++)
        if (strlen(row->name) == size && memcmp(row->name, name, size) == 0)
            return row;
    return NULL;
}

struct origin *option_origin(struct options *options, const struct option_row *row)
{
    return &options->origins[row - options_table];
}

/* Names are of letters of ASCII and dashes. */
static void spell(const char *name, bool upper, char *out)
{
    for (; *name; name++)
        *out++ = (char)(*name == '-' ? '_' : upper ? *name & ~0x20 : *name);
    *out = '\0';
}

const char *option_label(const struct option_row *row, struct origin origin, char out[static OPTION_LABEL_SIZE])
{
    if (origin.variable)
        return origin.variable;
    if (origin.kind == ORIGIN_FILE)
        spell(row->name, false, out);
    else if (origin.kind == ORIGIN_ENVIRONMENT)
        spell(row->name, true, stpcpy(out, "RAWHTTP_"));
    else
        snprintf(out, OPTION_LABEL_SIZE, "--%s", row->name);
    return out;
}

const char *option_keep(struct options *options, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = arena_take(&options->memory, size);
    return copy ? memcpy(copy, text, size) : NULL;
}

const char *option_keep_path(struct options *options, const char *path)
{
    if (path[0] == '/' || !options->folder)
        return option_keep(options, path);
    size_t size = strlen(options->folder) + strlen(path) + 2;
    char *joined = arena_take(&options->memory, size);
    if (joined)
        snprintf(joined, size, "%s/%s", strcmp(options->folder, "/") == 0 ? "" : options->folder, path);
    return joined;
}

/* Something stronger has said it already. */
static bool is_outranked(const struct setting *setting)
{
    return option_origin(setting->options, setting->row)->kind > setting->origin.kind;
}

static void *field_of(const struct setting *setting)
{
    return (char *)setting->options + setting->row->offset;
}

static bool store_number(const struct setting *setting, uint64_t value)
{
    if (is_outranked(setting))
        return true;
    if (setting->row->width == sizeof(uint64_t))
        *(uint64_t *)field_of(setting) = value;
    else
        *(uint32_t *)field_of(setting) = (uint32_t)value;
    *option_origin(setting->options, setting->row) = setting->origin;
    return true;
}

static bool store_text(const struct setting *setting, const char *text)
{
    if (!text)
        return option_fail(setting->options, "%s: out of memory", setting->label);
    if (is_outranked(setting))
        return true;
    *(const char **)field_of(setting) = text;
    *option_origin(setting->options, setting->row) = setting->origin;
    return true;
}

static bool is_within(const struct option_row *row, uint64_t value)
{
    return value >= row->min && value <= row->max;
}

static bool set_number(const struct setting *setting)
{
    const struct option_row *row = setting->row;
    uint64_t value;
    if (!value_number(setting->text, &value) || !is_within(row, value))
        return option_fail(setting->options, "%s: \"%.60s\" is not a number from %llu to %llu", setting->label,
                           setting->text, (unsigned long long)row->min, (unsigned long long)row->max);
    return store_number(setting, value == 0 ? row->zero : value);
}

static bool set_size(const struct setting *setting)
{
    const struct option_row *row = setting->row;
    uint64_t value;
    char min[VALUE_TEXT_SIZE], max[VALUE_TEXT_SIZE];
    if (!value_size(setting->text, &value) || !is_within(row, value))
        return option_fail(setting->options, "%s: \"%.60s\" is not a size from %s to %s, such as 16K or 2M",
                           setting->label, setting->text, value_size_exact_text(row->min, min),
                           value_size_exact_text(row->max, max));
    return store_number(setting, value == 0 ? row->zero : value);
}

static bool set_time(const struct setting *setting)
{
    const struct option_row *row = setting->row;
    uint64_t value;
    char min[VALUE_TEXT_SIZE], max[VALUE_TEXT_SIZE];
    if (!value_time(setting->text, &value) || !is_within(row, value))
        return option_fail(setting->options, "%s: \"%.60s\" is not a time from %s to %s, such as 500ms, 10s or 2m",
                           setting->label, setting->text, value_time_exact_text(row->min, min),
                           value_time_exact_text(row->max, max));
    return store_number(setting, value);
}

static bool set_flag(const struct setting *setting)
{
    bool value;
    if (!value_bool(setting->text, &value))
        return option_fail(setting->options, "%s: \"%.60s\" is neither true nor false", setting->label, setting->text);
    if (is_outranked(setting))
        return true;
    *(bool *)field_of(setting) = value;
    *option_origin(setting->options, setting->row) = setting->origin;
    return true;
}

/* What the command line and the environment say outlives *options, what a file says does not. */
static bool set_text(const struct setting *setting)
{
    bool lasts = setting->origin.kind != ORIGIN_FILE;
    return store_text(setting, lasts ? setting->text : option_keep(setting->options, setting->text));
}

static bool set_file(const struct setting *setting)
{
    if (setting->origin.kind != ORIGIN_FILE || suggest_lists(setting->row->words, setting->text))
        return set_text(setting);
    return store_text(setting, option_keep_path(setting->options, setting->text));
}

static bool set_page(const struct setting *setting)
{
    if (setting->text[0] != '/')
        return option_fail(setting->options, "%s: \"%.60s\" does not begin with a slash; did you mean \"/%.60s\"?",
                           setting->label, setting->text, setting->text);
    return set_text(setting);
}

static bool set_checked(const struct setting *setting)
{
    char why[OPTIONS_PROBLEM_SIZE / 2] = "";
    if (setting->row->check(slice_text(setting->text), (struct why){ why, sizeof why }))
        return set_text(setting);
    return option_fail(setting->options, "%s: %s", setting->label, why);
}

static bool set_choice(const struct setting *setting)
{
    const char *words = setting->row->words + 1; /* each has one space behind it */
    if (suggest_lists(setting->row->words, setting->text))
        return set_text(setting);
    return option_fail(setting->options, "%s: \"%.60s\" is none of these: %.*s", setting->label, setting->text,
                       (int)strlen(words) - 1, words);
}

static unsigned count_addresses(const char *listen)
{
    unsigned count = 1;
    for (; *listen; listen++)
        count += *listen == ' ';
    return count;
}

/* Several of the same origin are one list; those of a stronger one are put in place of all that were. */
static bool add_address(const struct setting *setting, const char *address)
{
    struct options *options = setting->options;
    bool first = option_origin(options, setting->row)->kind < setting->origin.kind;
    char *joined;
    if (is_outranked(setting))
        return true;
    if (!first && count_addresses(options->listen) >= OPTIONS_LISTEN_MAX)
        return option_fail(options, "%s: more than %d addresses; \":port\" is all interfaces", setting->label,
                           OPTIONS_LISTEN_MAX);
    if (asprintf(&joined, "%s%s%s", first ? "" : options->listen, first ? "" : " ", address) < 0)
        return option_fail(options, "%s: out of memory", setting->label);
    free(options->listen);
    options->listen = joined;
    *option_origin(options, setting->row) = setting->origin;
    return true;
}

/* "https://:443": an address may say what is spoken there. The library takes several addresses separated by
 * spaces, so none may have one inside. */
static bool set_address(const struct setting *setting)
{
    static const char http[] = "http://", https[] = "https://", local[] = "unix:";
    const char *text = setting->text, *scheme = "";
    if (text[strcspn(text, " \t\r\n")] != '\0')
        return option_fail(setting->options, "%s: \"%.60s\" has a space in it; for several addresses %s",
                           setting->label, text,
                           setting->origin.kind == ORIGIN_FILE ? "write {\":80\", \":81\"}" : "repeat --listen");
    if (strncmp(text, https, strlen(https)) == 0)
        scheme = https;
    if (strncmp(text, http, strlen(http)) == 0)
        text += strlen(http);
    const char *place = text + strlen(scheme);
    if (setting->origin.kind != ORIGIN_FILE || strncmp(place, local, strlen(local)) != 0)
        return add_address(setting, text);
    char *address;
    const char *path = option_keep_path(setting->options, place + strlen(local));
    if (!path || asprintf(&address, "%s%s%s", scheme, local, path) < 0)
        return option_fail(setting->options, "%s: out of memory", setting->label);
    bool added = add_address(setting, address);
    free(address);
    return added;
}

/* For --explain: a name and a value. */
static bool set_field(const struct setting *setting)
{
    struct options *options = setting->options;
    size_t name = strcspn(setting->text, ": \t");
    if (name == 0 || setting->text[name] != ':')
        return option_fail(options, "%s: \"%.60s\" is not a field; write \"Name: value\"", setting->label,
                           setting->text);
    const char **grown = reallocarray(options->fields, options->field_count + 1, sizeof *grown);
    if (!grown)
        return option_fail(options, "%s: out of memory", setting->label);
    options->fields = grown;
    options->fields[options->field_count++] = setting->text;
    return true;
}

bool option_add_module(struct options *options, struct module_option module)
{
    const struct option_row *row = option_find("module", strlen("module"));
    struct origin *origin = option_origin(options, row);
    char label[OPTION_LABEL_SIZE];
    if (origin->kind > module.origin.kind)
        return true;
    if (origin->kind < module.origin.kind)
        options->module_count = 0;
    if (options->module_count >= OPTIONS_MODULES_MAX)
        return option_fail(options, "%s: more than %d modules", option_label(row, module.origin, label),
                           OPTIONS_MODULES_MAX);
    struct module_option *grown = reallocarray(options->modules, options->module_count + 1, sizeof *grown);
    if (!grown)
        return option_fail(options, "%s: out of memory", option_label(row, module.origin, label));
    options->modules = grown;
    options->modules[options->module_count++] = module;
    *origin = module.origin;
    return true;
}

/* "FILE" or "FILE settings". */
static bool set_module(const struct setting *setting)
{
    struct options *options = setting->options;
    size_t size = strcspn(setting->text, " ");
    if (size == 0)
        return option_fail(options, "%s: it begins with a space; the file comes first, then its settings",
                           setting->label);
    char *file = arena_take(&options->memory, size + 1);
    if (!file)
        return option_fail(options, "%s: out of memory", setting->label);
    *(char *)mempcpy(file, setting->text, size) = '\0';
    const char *settings = setting->text + size;
    return option_add_module(options, (struct module_option){ file, settings + strspn(settings, " "),
                                                              setting->origin });
}

bool option_set(struct options *options, const struct option_row *row, const char *text, struct origin origin)
{
    struct setting setting = { .options = options, .row = row, .text = text, .origin = origin };
    char label[OPTION_LABEL_SIZE];
    snprintf(setting.label, sizeof setting.label, "%s", option_label(row, origin, label));
    if (text[0] == '\0')
        return option_fail(options, "%s: the value is empty; it needs %s", setting.label,
                           row->argument ? row->argument : "true or false");
    switch (row->kind) {
    case OPTION_FLAG:
        return set_flag(&setting);
    case OPTION_TEXT:
        return set_text(&setting);
    case OPTION_FILE:
        return set_file(&setting);
    case OPTION_PAGE:
        return set_page(&setting);
    case OPTION_CHECKED:
        return set_checked(&setting);
    case OPTION_CHOICE:
        return set_choice(&setting);
    case OPTION_ADDRESS:
        return set_address(&setting);
    case OPTION_FIELD:
        return set_field(&setting);
    case OPTION_CERTIFICATE:
        return option_set_certificate(options, text, origin);
    case OPTION_KEY:
        return option_set_key(options, text, origin);
    case OPTION_MODULE:
        return set_module(&setting);
    case OPTION_NUMBER:
        return set_number(&setting);
    case OPTION_SIZE:
        return set_size(&setting);
    case OPTION_TIME:
        return set_time(&setting);
    }
    abort();
}

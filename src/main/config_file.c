/* The configuration file: read from the disk, taken apart by libconfuse, put into the options. See config_file.h. */
#include "main/config_file.h"

#include "main/config_certificate.h"
#include "main/config_host.h"
#include "main/config_keys.h"
#include "main/config_module.h"
#include "main/config_text.h"
#include "main/option_set.h"

#include <confuse.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- libconfuse ---- */

/* The options of libconfuse are made from our keys. It hands no pointer of ours to the function that reports errors,
 * but keeps the one of a "simple" option: the first in each section, whose empty name no file can write. */
struct grammar {
    cfg_opt_t sections[CONFIG_SECTIONS][CONFIG_KEYS_MAX + 2];
};

static cfg_opt_t make_option(struct grammar *grammar, const struct config_key *key)
{
    switch (key->shape) {
    case CONFIG_VALUE:
        return (cfg_opt_t)CFG_STR(key->name, NULL, CFGF_NODEFAULT);
    case CONFIG_LIST:
        return (cfg_opt_t)CFG_STR_LIST(key->name, NULL, CFGF_NODEFAULT);
    case CONFIG_SECTION:
        return (cfg_opt_t)CFG_SEC(key->name, grammar->sections[key->inner], CFGF_MULTI | CFGF_TITLE);
    }
    abort();
}

static void make_grammar(struct grammar *grammar, const struct config_keys *keys, struct problems *problems)
{
    memset(grammar, 0, sizeof *grammar); /* the last option of each section is one of zeros */
    for (unsigned section = 0; section < CONFIG_SECTIONS; section++) {
        cfg_opt_t *option = grammar->sections[section];
        *option++ = (cfg_opt_t){ .name = "", .type = CFGT_STR, .simple_value = { .ptr = (void **)problems } };
        for (unsigned i = 0; i < keys->sections[section].count; i++)
            *option++ = make_option(grammar, &keys->sections[section].keys[i]);
    }
}

/* What libconfuse says, and what we say before and behind the key or what else was found there. */
static const struct wording {
    const char *theirs, *before, *behind;
} wordings[] = {
    { "premature end of file", "the file ends in the middle of a statement", "" },
    { "unexpected closing brace", "this \"}\" closes nothing", "" },
    { "unexpected token '%s'", "\"", "\" cannot stand here; a statement is key = \"value\", "
                                    "key = {\"value\", \"value\"} or key \"name\" { ... }" },
    { "missing equal sign after option '%s'", "", " has no value; write an equals sign and the value behind it" },
    { "missing opening brace for section '%s'", "", " has no content; write { ... } behind its name" },
    { "missing title for section '%s'", "", " has no name; write one in double quotes before the \"{\"" },
    { "no such option '%s'", "\"", "\" is not a key" },
};

/* Values have the number of their line in front. */
static const char *skip_line_number(const char *found)
{
    size_t digits = strspn(found, "0123456789");
    return digits > 0 && found[digits] == ':' ? found + digits + 1 : found;
}

static void report(cfg_t *cfg, const char *format, va_list arguments)
{
    struct problems *problems = (struct problems *)cfg->opts[0].simple_value.ptr;
    const char *found = strstr(format, "%s") ? skip_line_number(va_arg(arguments, const char *)) : "";
    size_t i = 0, count = sizeof wordings / sizeof *wordings;
    while (i < count && strcmp(wordings[i].theirs, format) != 0)
        i++;
    if (i < count)
        problems_add(problems, (unsigned)cfg->line, "%s%.60s%s", wordings[i].before, found, wordings[i].behind);
    else
        problems_add(problems, (unsigned)cfg->line, "%.60s: this cannot be read", found);
}

/* What is wrong has been reported when it returns. */
static void parse_text(cfg_t *cfg, const char *text, struct problems *problems)
{
    FILE *in = *text ? fmemopen((void *)(uintptr_t)text, strlen(text), "r") : NULL;
    if (!in && *text)
        problems_add(problems, 0, "out of memory");
    if (!in)
        return;
    if (cfg_parse_fp(cfg, in) != CFG_SUCCESS && !problems_any(problems))
        problems_add(problems, (unsigned)cfg->line, "this cannot be read");
    fclose(in);
}

/* ---- What the file says ---- */

static bool take_value(struct options *options, const struct option_row *row, const char *prepared)
{
    struct origin origin = { .kind = ORIGIN_FILE };
    const char *text = config_text_value(prepared, &origin.line);
    return option_set(options, row, text, origin) || problems_add(&options->problems, origin.line, "%s",
                                                                  options->problem);
}

static void take_options(struct options *options, cfg_t *cfg)
{
    char name[OPTION_LABEL_SIZE];
    for (const struct option_row *row = options_table; row->name; row++) {
        const struct origin origin = { .kind = ORIGIN_FILE };
        cfg_opt_t *found = row->scope == SCOPE_ALL ? cfg_getopt(cfg, option_label(row, origin, name)) : NULL;
        for (unsigned i = 0; i < cfg_opt_size(found); i++)
            take_value(options, row, cfg_opt_getnstr(found, i));
    }
    options->problem[0] = '\0'; /* it is among the problems */
}

static void take_all(struct options *options, cfg_t *cfg)
{
    take_options(options, cfg);
    if (!config_certificates_take(options, cfg) || !config_hosts_take(options, cfg) ||
        !config_modules_take(options, cfg))
        problems_add(&options->problems, 0, "out of memory");
}

/* What was found before a mistake of grammar is looked at all the same: its mistakes are reported with it. */
static void read_prepared(struct options *options, const struct config_keys *keys, const char *prepared)
{
    struct grammar grammar;
    make_grammar(&grammar, keys, &options->problems);
    cfg_t *cfg = cfg_init(grammar.sections[CONFIG_TOP], CFGF_NONE);
    if (!cfg) {
        problems_add(&options->problems, 0, "out of memory");
        return;
    }
    cfg_set_error_function(cfg, report);
    parse_text(cfg, prepared, &options->problems);
    take_all(options, cfg);
    cfg_free(cfg);
}

bool config_file_parse(struct options *options, struct slice text)
{
    struct config_keys keys;
    config_keys_init(&keys);
    char *prepared = config_text_prepare(text, &keys, &options->problems);
    if (prepared)
        read_prepared(options, &keys, prepared);
    else
        problems_add(&options->problems, 0, "out of memory");
    free(prepared);
    return !problems_any(&options->problems);
}

/* ---- From the disk ---- */

/* The whole file, up to so many bytes. False: errno. */
static bool read_all(int fd, char *out, size_t room, size_t *size)
{
    ssize_t got = 1;
    for (*size = 0; got != 0 && *size < room; *size += got > 0 ? (size_t)got : 0) {
        got = read(fd, out + *size, room - *size);
        if (got < 0 && errno != EINTR)
            return false;
    }
    return true;
}

/* Of an ordinary file, its own; of a pipe (`-c <(...)`), which lies nowhere, the current one. */
static char *find_folder(int fd, const char *name)
{
    struct stat status;
    const char *slash = strrchr(name, '/');
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || !slash)
        return realpath(".", NULL);
    if (slash == name)
        return strdup("/");
    char *folder = strndup(name, (size_t)(slash - name));
    char *absolute = folder ? realpath(folder, NULL) : NULL;
    free(folder);
    return absolute;
}

static unsigned count_lines(struct slice text)
{
    unsigned lines = 1;
    for (size_t i = 0; i < text.size; i++)
        lines += text.data[i] == '\n';
    return lines;
}

static bool parse_bytes(struct options *options, struct slice text)
{
    size_t nul = slice_find(text, '\0');
    if (nul < text.size)
        return problems_add(&options->problems, count_lines(slice_part(text, 0, nul)),
                            "a NUL byte: this is not a text");
    if (slice_starts(text, SLICE("\xef\xbb\xbf"))) /* what some editors put before UTF-8 */
        text = slice_skip(text, 3);
    return config_file_parse(options, text);
}

static bool read_open(struct options *options, int fd)
{
    size_t room = CONFIG_TEXT_MAX + 1, size; /* one byte too many tells that there are more */
    char *bytes = malloc(room);
    options->folder = find_folder(fd, options->config);
    bool taken = false;
    if (!bytes || !options->folder || !read_all(fd, bytes, room, &size))
        option_fail(options, "%.200s: %s", options->config, strerror(errno));
    else if (size == room)
        option_fail(options, "%.200s: larger than 1 MiB; this is no configuration file", options->config);
    else
        taken = parse_bytes(options, slice_make(bytes, size));
    free(bytes);
    return taken;
}

bool config_file_read(struct options *options)
{
    int fd = open(options->config, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return option_fail(options, "%.200s: %s", options->config, strerror(errno));
    bool taken = read_open(options, fd);
    close(fd);
    return taken;
}

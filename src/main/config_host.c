/* The hosts of a configuration file, each with its rules. See config_host.h. */
#include "main/config_host.h"

#include "http/fields.h"
#include "main/config_certificate.h"
#include "main/config_rules.h"
#include "main/option_set.h"
#include "main/value.h"
#include "serve/hosts.h"
#include "serve/literals.h"

#include <stdlib.h>

/* ---- Lists ---- */

/* "ending media-type" and "status path": the two words. */
static struct slice split(struct slice text, struct slice *behind)
{
    size_t size = slice_find(text, ' ');
    *behind = slice_trim(slice_skip(text, size));
    return slice_part(text, 0, size);
}

/* RFC 9110 8.3.1, as far as it takes to tell a media type from another word. */
static bool is_media_type(struct slice text)
{
    struct slice type = slice_part(text, 0, slice_find(text, '/'));
    struct slice rest = slice_skip(text, type.size < text.size ? type.size + 1 : type.size);
    struct slice subtype = slice_trim(slice_part(rest, 0, slice_find(rest, ';')));
    return field_name_valid(type) && field_name_valid(subtype) && field_value_valid(text);
}

static bool check_type(struct slice text, struct why why)
{
    struct slice media, ending = split(text, &media);
    if (ending.size == 0 || slice_find(ending, '.') < ending.size || slice_find(ending, '/') < ending.size)
        return why_refuse(why, text, "the ending of a name comes first, without dot: \"mjs text/javascript\"");
    return is_media_type(media) ||
           why_refuse(why, text, "behind the ending comes a media type: \"mjs text/javascript\"");
}

static bool check_error_page(struct slice text, struct why why)
{
    struct slice path, number = split(text, &path);
    uint64_t status;
    if (!slice_uint(number, &status) || status < 400 || status > 599)
        return why_refuse(why, text, "a status from 400 to 599 comes first: \"404 /lost.html\"");
    return slice_starts(path, SLICE("/")) ||
           why_refuse(why, text, "behind the status comes the path of the page: \"404 /lost.html\"");
}

static void take_lists(struct part *part, struct host *host)
{
    host->options.types = part_list(part, "types", check_type, &host->types_line);
    host->options.error_pages = part_list(part, "error_pages", check_error_page, &host->error_pages_line);
}

/* ---- Names ---- */

/* The next of the names, which spaces separate; false: there is no other. */
static bool next_name(struct slice *rest, struct slice *name)
{
    *rest = slice_trim(*rest);
    *name = slice_part(*rest, 0, slice_find(*rest, ' '));
    *rest = slice_skip(*rest, name->size);
    return name->size > 0;
}

/* serve/hosts.h knows what a name is, and would say of a second host with one that there are two, but not where. */
static bool check_names(struct slice names, struct why why)
{
    struct hosts *made;
    bool good = hosts_new(&made, &names, 1, why);
    hosts_free(made);
    return good;
}

/* Whose name it is already, or that it is this host's from now on. */
static bool take_name(struct part *part, struct literals *names, struct slice name, struct host *host, struct why why)
{
    const struct host *other = literals_find(names, name);
    if (other)
        return why_refuse(why, name, "it is the name of the host in line %u already", other->line);
    part->failed |= !literals_add(names, name, host);
    return true;
}

/* Case makes no difference (RFC 3986 3.2.2), so they are kept without. */
static char *lower(const char *kept)
{
    char *names = (char *)(uintptr_t)kept; /* in the memory of the options, which is ours */
    for (char *at = names; *at; at++)
        *at = ascii_lower(*at);
    return names;
}

static void take_names(struct part *part, struct literals *names, struct host *host)
{
    char text[WHY_SIZE] = "";
    struct why why = { text, sizeof text };
    struct slice rest = slice_trim(slice_text(lower(host->options.names))), name;
    bool good = rest.size > 0 ||
                why_refuse(why, rest, "it has no name; what is for all others stands at the top of the file");
    good = good && check_names(rest, why);
    while (good && next_name(&rest, &name))
        good = take_name(part, names, name, host, why);
    if (!good)
        part_refuse(part, part->line, "host", text);
}

/* ---- Hosts ---- */

static void take_places(struct part *part, struct host *host)
{
    struct found root = part_find(part, "root", 0), fallback = part_find(part, "fallback", 0);
    struct found list = part_find(part, "list", 0);
    if (root.text && root.text[0] == '\0')
        part_refuse(part, root.line, "root", "the value is empty; it needs DIR");
    if (fallback.text && fallback.text[0] != '/')
        part_refuse(part, fallback.line, "fallback", "it begins with a slash, such as \"/index.html\"");
    if (list.text && !value_bool(list.text, &host->options.list))
        part_refuse(part, list.line, "list", "it is true or false");
    host->options.fallback = fallback.text;
    host->options.root = root.text ? option_keep_path(part->options, root.text) : NULL;
    part->failed |= root.text && !host->options.root;
}

static void take_host(struct part *part, struct literals *names, struct host *host)
{
    host->options.names = part_title(part);
    host->line = part->line;
    if (part->failed)
        return;
    take_names(part, names, host);
    take_places(part, host);
    take_lists(part, host);
    config_rules_take(part, host);
    part->failed |= !config_certificates_take(part->options, part->cfg);
}

/* What only all of them together show: there are too many, or two write one address in two ways. */
static void check_all(struct part *top, const struct host *hosts, size_t count)
{
    char text[WHY_SIZE] = "";
    struct hosts *made = NULL;
    struct slice *names = calloc(count + 1, sizeof *names);
    for (size_t i = 0; names && i < count; i++)
        names[i] = slice_text(hosts[i].options.names);
    if (!names)
        top->failed = true;
    else if (!hosts_new(&made, names, count, (struct why){ text, sizeof text }))
        part_refuse(top, hosts[count - 1].line, "host", text);
    hosts_free(made);
    free(names);
}

bool config_hosts_take(struct options *options, cfg_t *cfg)
{
    struct part top = { .options = options, .cfg = cfg };
    size_t count = cfg_size(cfg, "host");
    struct host *hosts = part_take(&top, count, sizeof *hosts);
    struct literals names = { .room = 0 }; /* each name to its host */
    take_lists(&top, &options->site);
    config_rules_take(&top, &options->site);
    for (size_t i = 0; !top.failed && i < count; i++) {
        struct part part = { .options = options, .cfg = cfg_getnsec(cfg, "host", (unsigned)i) };
        take_host(&part, &names, &hosts[i]);
        top.failed |= part.failed;
    }
    literals_fini(&names);
    if (!top.failed && count > 0 && !problems_any(&options->problems))
        check_all(&top, hosts, count);
    options->hosts = hosts;
    options->host_count = top.failed ? 0 : count;
    return !top.failed;
}

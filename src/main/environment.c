/* The options that the environment sets. See environment.h. */
#include "main/environment.h"

#include "main/option_set.h"
#include "main/suggest.h"
#include "main/value.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char prefix[] = "RAWHTTP_";

/* Its value; NULL where it is not set or empty. */
static const char *find(char *const *environment, const char *name)
{
    size_t size = strlen(name);
    for (; *environment; environment++)
        if (strncmp(*environment, name, size) == 0 && (*environment)[size] == '=')
            return (*environment)[size + 1] ? *environment + size + 1 : NULL;
    return NULL;
}

/* Several, separated by spaces. */
static bool set_addresses(struct options *options, const struct option_row *row, const char *list)
{
    const struct origin origin = { .kind = ORIGIN_ENVIRONMENT };
    const char *copy = option_keep(options, list);
    if (!copy)
        return option_fail(options, "out of memory");
    for (char *rest = (char *)(uintptr_t)copy, *address; (address = strsep(&rest, " ")) != NULL;)
        if (*address && !option_set(options, row, address, origin))
            return false;
    return true;
}

static bool set(struct options *options, const struct option_row *row, const char *text)
{
    if (row->kind == OPTION_ADDRESS)
        return set_addresses(options, row, text);
    return option_set(options, row, text, (struct origin){ .kind = ORIGIN_ENVIRONMENT });
}

/* Platforms that run other people's programs (Heroku, Cloud Run and their kin) say with PORT where they will knock,
 * from outside: all interfaces. What is said about this program by name goes first. */
static bool set_port(struct options *options, const char *text)
{
    const struct option_row *row = option_find("listen", strlen("listen"));
    uint64_t port;
    char address[16];
    if (!text || option_origin(options, row)->kind >= ORIGIN_ENVIRONMENT)
        return true;
    if (!value_number(text, &port) || port < 1 || port > 65535)
        return option_fail(options, "PORT: \"%.60s\" is not a port from 1 to 65535", text);
    snprintf(address, sizeof address, ":%u", (unsigned)port);
    return option_set(options, row, address, (struct origin){ .kind = ORIGIN_ENVIRONMENT, .variable = "PORT" });
}

bool environment_read(struct options *options, char *const *environment)
{
    char name[OPTION_LABEL_SIZE];
    for (const struct option_row *row = options_table; row->name; row++) {
        const char *text = find(environment, option_label(row, (struct origin){ .kind = ORIGIN_ENVIRONMENT }, name));
        if (row->scope != SCOPE_FLAG && text && !set(options, row, text))
            return false;
    }
    return set_port(options, find(environment, "PORT"));
}

/* ---- What sets nothing ---- */

/* "CACHE_SIZE" as the option is called, in small letters; what is too long for any is cut. */
static size_t spell_small(const char *name, size_t size, char out[static OPTION_LABEL_SIZE])
{
    if (size >= OPTION_LABEL_SIZE)
        size = OPTION_LABEL_SIZE - 1;
    for (size_t i = 0; i < size; i++)
        out[i] = (char)tolower((unsigned char)name[i]);
    return size;
}

/* The links that Kubernetes sets for each service of a namespace: RAWHTTP_SERVICE_HOST, RAWHTTP_PORT=tcp://10.0.0.1:80,
 * RAWHTTP_PORT_80_TCP_ADDR. */
static bool is_link(const char *name, const char *value)
{
    bool port = strncmp(name, "PORT=", 5) == 0;
    return strncmp(name, "SERVICE_", 8) == 0 || strncmp(name, "PORT_", 5) == 0 || (port && strstr(value, "://"));
}

static const struct option_row *find_row(const char *name, size_t size)
{
    char label[OPTION_LABEL_SIZE];
    for (const struct option_row *row = options_table; row->name; row++) {
        option_label(row, (struct origin){ .kind = ORIGIN_ENVIRONMENT }, label);
        const char *known = label + sizeof prefix - 1;
        if (strlen(known) == size && strncmp(known, name, size) == 0)
            return row;
    }
    return NULL;
}

static const struct option_row *suggest_row(const char *name, size_t size)
{
    char small[OPTION_LABEL_SIZE];
    struct suggest suggest = suggest_begin(small, spell_small(name, size, small));
    for (const struct option_row *row = options_table; row->name; row++)
        if (row->scope != SCOPE_FLAG)
            suggest_offer(&suggest, row->name, row->also);
    return suggest.nearest ? option_find(suggest.nearest, strlen(suggest.nearest)) : NULL;
}

/* False: it is none of ours, or it sets something. `name` is without the prefix. */
static bool describe(const char *name, char text[static ENVIRONMENT_STRAY_SIZE])
{
    size_t size = strcspn(name, "=");
    const char *value = name + size + (name[size] == '=');
    const struct option_row *row = find_row(name, size);
    char label[OPTION_LABEL_SIZE];
    if (*value == '\0' || is_link(name, value) || (row && row->scope != SCOPE_FLAG))
        return false;
    int shown = size < 60 ? (int)size : 60;
    if (row) {
        snprintf(text, ENVIRONMENT_STRAY_SIZE, "%s%.*s sets nothing; it can only be said as --%s", prefix, shown, name,
                 row->name);
        return true;
    }
    row = suggest_row(name, size);
    if (row)
        snprintf(text, ENVIRONMENT_STRAY_SIZE, "%s%.*s sets nothing; did you mean %s?", prefix, shown, name,
                 option_label(row, (struct origin){ .kind = ORIGIN_ENVIRONMENT }, label));
    else
        snprintf(text, ENVIRONMENT_STRAY_SIZE, "%s%.*s sets nothing; see rawhttpd --help", prefix, shown, name);
    return true;
}

bool environment_stray(char *const **at, char text[static ENVIRONMENT_STRAY_SIZE])
{
    while (**at) {
        const char *variable = *(*at)++;
        if (strncmp(variable, prefix, sizeof prefix - 1) == 0 && describe(variable + sizeof prefix - 1, text))
            return true;
    }
    return false;
}

/* The options that the environment sets. See environment.h. */
#include "main/environment.h"

#include "main/option_set.h"
#include "main/value.h"

#include <stdio.h>
#include <string.h>

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

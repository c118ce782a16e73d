/* What a configuration names on the disk. See config_check.h. */
#include "main/config_check.h"

#include "main/option_set.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Opened, because only that tells what a user and a mount allow. */
static bool can_open(const char *path, int flags)
{
    int fd = open(path, flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void check_root(struct options *options, const char *root, unsigned line)
{
    if (root && !can_open(root, O_DIRECTORY))
        problems_add(&options->problems, line, "root: %.200s: %s", root, strerror(errno));
}

static void check_rules(struct options *options, const struct host *host)
{
    for (size_t i = 0; i < host->options.rule_count; i++) {
        const char *file = host->options.rules[i].basic_auth;
        if (file && !can_open(file, 0))
            problems_add(&options->problems, host->rule_lines[i], "basic_auth: %.200s: %s", file, strerror(errno));
    }
}

bool config_check_disk(struct options *options)
{
    const struct origin *root = option_origin(options, option_find("root", strlen("root")));
    check_root(options, options->server.root, root->line);
    check_rules(options, &options->site);
    for (size_t i = 0; i < options->host_count; i++) {
        check_root(options, options->hosts[i].options.root, options->hosts[i].line);
        check_rules(options, &options->hosts[i]);
    }
    return !problems_any(&options->problems);
}

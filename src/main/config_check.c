/* What a configuration names on the disk. See config_check.h. */
#include "main/config_check.h"

#include "main/option_set.h"
#include "serve/passwords.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Opened, because only that tells what a user and a mount allow. */
static bool can_open_folder(const char *path)
{
    int fd = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void check_host_root(struct options *options, const struct host *host)
{
    const char *root = host->options.root;
    if (root && !can_open_folder(root))
        problems_add(&options->problems, host->line, "root: %.200s: %s", root, strerror(errno));
}

/* The one that may come from elsewhere. */
static bool check_root(struct options *options)
{
    const struct origin *origin = option_origin(options, option_find("root", strlen("root")));
    const char *root = options->server.root;
    if (!root || can_open_folder(root))
        return true;
    if (origin->kind == ORIGIN_FILE)
        return problems_add(&options->problems, origin->line, "root: %.200s: %s", root, strerror(errno));
    return option_fail(options, "root: %.200s: %s", root, strerror(errno));
}

/* Read as the server reads it, which wants to know more than whether it is there. */
static void check_passwords(struct options *options, const char *file, unsigned line)
{
    char text[WHY_SIZE] = "";
    struct passwords *passwords = passwords_read(file, (struct why){ text, sizeof text });
    if (!passwords)
        problems_add(&options->problems, line, "basic_auth: %s", text);
    passwords_free(passwords);
}

static void check_rules(struct options *options, const struct host *host)
{
    for (size_t i = 0; i < host->options.rule_count; i++)
        if (host->options.rules[i].basic_auth && host->options.rules[i].basic_auth[0]) /* else that was told */
            check_passwords(options, host->options.rules[i].basic_auth, host->rule_lines[i]);
}

bool config_check_disk(struct options *options)
{
    bool rooted = check_root(options);
    check_rules(options, &options->site);
    for (size_t i = 0; i < options->host_count; i++) {
        check_host_root(options, &options->hosts[i]);
        check_rules(options, &options->hosts[i]);
    }
    return rooted && !problems_any(&options->problems);
}

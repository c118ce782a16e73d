/* Control groups form a tree, and the limit of each holds for all beneath it: the least on the way from our own up to
 * the root counts. Where a container sees the path of its group but not the folders on it, the root it sees is its own.
 *
 * It reads both versions of them; see cgroups(7). */
#include "base/memory_limit.h"

#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NAME_SIZE = 2 * PATH_MAX, LINE_SIZE = PATH_MAX + 256 };

struct hierarchy {
    const char *mount, *file;
};

static const struct hierarchy unified = { "/sys/fs/cgroup", "memory.max" };
static const struct hierarchy legacy = { "/sys/fs/cgroup/memory", "memory.limit_in_bytes" };

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t machine_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : UINT64_MAX;
}

/* A file that is not there, or says "max", limits nothing. */
static uint64_t read_limit(const char *name)
{
    uint64_t limit;
    FILE *file = fopen(name, "re");
    if (file == NULL)
        return UINT64_MAX;
    if (fscanf(file, "%20" SCNu64, &limit) != 1)
        limit = UINT64_MAX;
    fclose(file);
    return limit;
}

/* The least limit of the group at `path`, which is used up, and of those above it. */
static uint64_t group_limit(const char *root, const struct hierarchy *hierarchy, char *path)
{
    uint64_t least = UINT64_MAX;
    for (;;) {
        char name[NAME_SIZE];
        int size = snprintf(name, sizeof name, "%s%s%s/%s", root, hierarchy->mount, path, hierarchy->file);
        if (size > 0 && (size_t)size < sizeof name)
            least = lesser(least, read_limit(name));
        char *end = strrchr(path, '/');
        if (end == NULL)
            return least;
        *end = '\0';
    }
}

/* One of a list of names with commas between them. */
static bool names_memory(const char *list)
{
    static const char name[] = "memory";
    for (; *list != '\0'; list += strcspn(list, ","), list += *list == ',')
        if (strncmp(list, name, sizeof name - 1) == 0 && strchr(",", list[sizeof name - 1]) != NULL)
            return true;
    return false;
}

/* A line "number:controllers:path". That of version 2 names no controllers. */
static uint64_t line_limit(const char *root, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
    if (path == NULL)
        return UINT64_MAX;
    *controllers++ = '\0';
    *path++ = '\0';
    if (*controllers == '\0')
        return group_limit(root, &unified, path);
    return names_memory(controllers) ? group_limit(root, &legacy, path) : UINT64_MAX;
}

uint64_t memory_limit_beneath(const char *root)
{
    char name[NAME_SIZE], line[LINE_SIZE];
    uint64_t least = machine_memory();
    snprintf(name, sizeof name, "%s/proc/self/cgroup", root);
    FILE *file = fopen(name, "re");
    if (file == NULL)
        return least;
    while (fgets(line, sizeof line, file) != NULL)
        least = lesser(least, line_limit(root, line));
    fclose(file);
    return least;
}

uint64_t memory_limit(void)
{
    return memory_limit_beneath("");
}

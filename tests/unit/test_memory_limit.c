/* How much memory there is: the machine's, and control groups of both versions as files in a temporary folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory_limit.h"

enum { MACHINE = 65536000 }; /* bytes, of pages of any size */

static char root[64];
static long machine_pages;

/* The rest is for whoever else asks: a sanitizer linked into this program does. */
long __real_sysconf(int name);
long __wrap_sysconf(int name);
long __wrap_sysconf(int name)
{
    return name == _SC_PHYS_PAGES ? machine_pages : __real_sysconf(name);
}

static int start(void **state)
{
    (void)state;
    machine_pages = MACHINE / sysconf(_SC_PAGESIZE);
    strcpy(root, "/tmp/rawhttp-test-XXXXXX");
    return mkdtemp(root) == NULL;
}

static int take_away(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

static int end(void **state)
{
    (void)state;
    return nftw(root, take_away, 8, FTW_DEPTH | FTW_PHYS);
}

/* A file beneath the root, with the folders on its way. */
static void put(const char *path, const char *text)
{
    char name[512];
    snprintf(name, sizeof name, "%s%s", root, path);
    for (char *slash = name + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(name, 0755);
        *slash = '/';
    }
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void is_the_machines_without_groups(void **state)
{
    (void)state;
    assert_int_equal(memory_limit_beneath(root), MACHINE);
    put("/proc/self/cgroup", "");
    assert_int_equal(memory_limit_beneath(root), MACHINE);
    machine_pages = -1;
    assert_true(memory_limit_beneath(root) == UINT64_MAX);
}

static void is_the_least_of_the_groups(void **state)
{
    static const struct {
        const char *own, *above, *top;
        uint64_t limit;
    } rows[] = {
        { "max\n", "max\n", NULL, MACHINE },           { "1000000\n", "max\n", NULL, 1000000 },
        { "1000000\n", "999999\n", NULL, 999999 },     { "1000000\n", "2000000\n", NULL, 1000000 },
        { "max\n", "max\n", "77\n", 77 },              { "65535999\n", "max\n", NULL, 65535999 },
        { "65536000\n", "max\n", NULL, MACHINE },      { "65536001\n", "max\n", NULL, MACHINE },
        { "9223372036854771712\n", "max\n", NULL, MACHINE }, /* what version 1 says for "none" */
        { "0\n", "max\n", NULL, 0 },                   { "", "nonsense\n", NULL, MACHINE },
    };
    (void)state;
    put("/proc/self/cgroup", "0::/a/b\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        put("/sys/fs/cgroup/a/b/memory.max", rows[i].own);
        put("/sys/fs/cgroup/a/memory.max", rows[i].above);
        put("/sys/fs/cgroup/memory.max", rows[i].top ? rows[i].top : "max\n");
        assert_int_equal(memory_limit_beneath(root), rows[i].limit);
    }
}

/* Of a container: its own group is the root that it sees, whatever the path says. */
static void finds_the_group_in_its_root(void **state)
{
    (void)state;
    put("/sys/fs/cgroup/memory.max", "5000\n");
    put("/proc/self/cgroup", "0::/\n");
    assert_int_equal(memory_limit_beneath(root), 5000);
    put("/proc/self/cgroup", "0::/system.slice/of-the-host.scope (deleted)\n");
    assert_int_equal(memory_limit_beneath(root), 5000);
    put("/proc/self/cgroup", "0::\n");
    assert_int_equal(memory_limit_beneath(root), 5000);
}

static void knows_version_1(void **state)
{
    static const struct {
        const char *lines;
        uint64_t limit;
    } rows[] = {
        { "7:cpu,cpuacct:/x\n4:memory:/x\n0::/x\n", 6000 }, { "4:hugetlb,memory:/x\n", 6000 },
        { "4:memory,hugetlb:/x\n", 6000 },                  { "4:hugetlb,memory:/elsewhere\n", 7000 },
        { "4:memory2:/x\n", MACHINE },                  { "4:nomemory:/x\n", MACHINE },
        { "1:name=systemd:/x\n", MACHINE },             { "4:memory", MACHINE },
        { "4\n", MACHINE },                             { "\n", MACHINE },
        { "4:memory:/x", 6000 },                            { "4:,memory:/x", 6000 },
    };
    (void)state;
    put("/sys/fs/cgroup/memory/x/memory.limit_in_bytes", "6000\n");
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "7000\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        put("/proc/self/cgroup", rows[i].lines);
        if (memory_limit_beneath(root) != rows[i].limit)
            fail_msg("%s: %llu", rows[i].lines, (unsigned long long)memory_limit_beneath(root));
    }
}

/* Longer than any name can be: as far as it goes it is looked for, and not found; lines behind it count. */
static void survives_a_very_long_path(void **state)
{
    static char lines[20000];
    (void)state;
    memset(lines, 'x', sizeof lines - 1);
    memcpy(lines, "0::/a/", 6);
    strcpy(lines + 19000, "\n0::/b\n");
    put("/proc/self/cgroup", lines);
    put("/sys/fs/cgroup/b/memory.max", "8000\n");
    assert_int_equal(memory_limit_beneath(root), 8000);
}

static void reads_that_of_this_process(void **state)
{
    (void)state;
    assert_in_range(memory_limit(), 1, MACHINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_the_machines_without_groups, start, end),
        cmocka_unit_test_setup_teardown(is_the_least_of_the_groups, start, end),
        cmocka_unit_test_setup_teardown(finds_the_group_in_its_root, start, end),
        cmocka_unit_test_setup_teardown(knows_version_1, start, end),
        cmocka_unit_test_setup_teardown(survives_a_very_long_path, start, end),
        cmocka_unit_test_setup_teardown(reads_that_of_this_process, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

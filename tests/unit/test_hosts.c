/* The table of hosts: which names are accepted, what is said of the others, and whose an authority is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failing_memory.h"
#include "serve/hosts.h"

/* `names`: one host each, NULL at the end. */
static bool try(struct hosts **hosts, const char *const *names, char *why)
{
    struct slice list[8];
    size_t count = 0;
    for (; names[count]; count++)
        list[count] = slice_text(names[count]);
    return hosts_new(hosts, list, count, (struct why){ why, WHY_SIZE });
}

static struct hosts *made(const char *const *names)
{
    char why[WHY_SIZE] = "";
    struct hosts *hosts;
    if (!try(&hosts, names, why))
        fail_msg("%s", why);
    return hosts;
}

#define NO_NAME ": this is not the name of a host; write for example www.example.org"
#define LABEL63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_bad_names_are_explained(void **state)
{
    static const struct {
        const char *names[4], *why;
    } rows[] = {
        { { "*" }, "*: the host without names is the one for all others; leave the names out" },
        { { "a *" }, "*: the host without names is the one for all others; leave the names out" },
        { { "https://a.example" }, "https://a.example: write the name alone, without https:// and path" },
        { { "a.example/" }, "a.example/: write the name alone, without https:// and path" },
        { { "a.example:80" },
          "a.example:80: a name holds for every port, so it has none; an IPv6 address stands in brackets" },
        { { "[::1]:80" }, "[::1]:80: a name holds for every port, so it has none; an IPv6 address stands in brackets" },
        { { "::1" }, "::1: a name holds for every port, so it has none; an IPv6 address stands in brackets" },
        { { "[::g]" }, "[::g]: there is no valid address in the brackets" },
        { { "[]" }, "[]: there is no valid address in the brackets" },
        { { "*.[::1]" }, "*.[::1]: no name is beneath an address; leave out the star" },
        { { "a.*.example" }, "a.*.example: a star stands alone in front, with a dot behind; write for example "
                             "*.example.org" },
        { { "*a.example" }, "*a.example: a star stands alone in front, with a dot behind; write for example "
                            "*.example.org" },
        { { "*.*.a" }, "*.*.a: a star stands alone in front, with a dot behind; write for example *.example.org" },
        { { "m\xc3\xbcller.example" }, "m\xc3\xbcller.example: clients send such a name in its ASCII form; write that, "
                                       "which begins with xn--" },
        { { "a..example" }, "a..example" NO_NAME },
        { { ".example" }, ".example" NO_NAME },
        { { "." }, "." NO_NAME },
        { { "*." }, "*." NO_NAME },
        { { "a.." }, "a.." NO_NAME },
        { { "a,b" }, "a,b" NO_NAME },
        { { "a~b" }, "a~b" NO_NAME },
        { { "a;b" }, "a;b" NO_NAME },
        { { "a%20b" }, "a%20b" NO_NAME },
        { { LABEL63 "a.b" }, LABEL63 "a.b" NO_NAME },
        { { "a.example a.example" }, "a.example: two hosts, or one twice, are called so; remove one of them" },
        { { "a.example", "b A.Example." }, "A.Example.: two hosts, or one twice, are called so; remove one of them" },
        { { "*.a", "*.A" }, "*.A: two hosts, or one twice, are called so; remove one of them" },
        { { "[::1]", "[0:0::1]" }, "[0:0::1]: two hosts, or one twice, are called so; remove one of them" },
        { { "", "a", " " }, "two hosts are without names; only one can be that for all others" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char why[WHY_SIZE] = "";
        struct hosts *hosts;
        assert_false(try(&hosts, rows[i].names, why));
        assert_null(hosts);
        assert_string_equal(why, rows[i].why);
    }
}

static void test_the_size_of_a_name_at_its_edge(void **state)
{
    char name[256], why[WHY_SIZE];
    const char *const names[] = { name, NULL };
    struct hosts *hosts;
    (void)state;
    snprintf(name, sizeof name, "%s.%s.%s.%.61s", LABEL63, LABEL63, LABEL63, LABEL63);
    assert_int_equal(strlen(name), HOSTS_NAME_SIZE_MAX);
    assert_true(try(&hosts, names, why));
    assert_int_equal(hosts_find(hosts, slice_text(name)), 0);
    hosts_free(hosts);
    snprintf(name, sizeof name, "%s.%s.%s.%.62s", LABEL63, LABEL63, LABEL63, LABEL63);
    assert_false(try(&hosts, names, why));
}

static void test_only_a_default_is_no_table(void **state)
{
    (void)state;
    assert_null(made((const char *const[]){ "", NULL }));
    assert_null(made((const char *const[]){ " ", NULL }));
    assert_int_equal(hosts_find(NULL, SLICE("whoever.example")), 0);
    assert_int_equal(hosts_find(NULL, SLICE("")), 0);
    hosts_free(NULL);
}

struct row {
    const char *authority;
    int place;
};

static void check(const char *const *names, const struct row *rows, size_t count)
{
    struct hosts *hosts = made(names);
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(rows[i].authority);
        char *copy = malloc(size); /* no byte is behind it that could be looked at */
        if (size > 0)
            memcpy(copy, rows[i].authority, size);
        int place = hosts_find(hosts, slice_make(copy, size));
        if (place != rows[i].place)
            fail_msg("%s: %d is not %d", rows[i].authority, place, rows[i].place);
        free(copy);
    }
    hosts_free(hosts);
}

static void test_one_name(void **state)
{
    static const struct row rows[] = {
        { "a.example", 1 }, { "A.EXAMPLE", 1 }, { "a.example:8080", 1 }, { "a.example:", 1 }, { "a.example.", 1 },
        { "a.example.:80", 1 }, { "a.example..", 0 }, { "b.example", 0 }, { "a.exampl", 0 }, { "xa.example", 0 },
        { "", 0 }, { ":80", 0 }, { ".", 0 }, { "[::1]", 0 }, { "[::1]:80", 0 }, { "127.0.0.1:80", 0 },
    };
    static const struct row marks[] = { { "a_b-9.Z0.example:80", 1 }, { "a_b-9.example", 0 } };
    static const struct row without_default[] = { { "a.example", 0 }, { "b.example", HOSTS_UNKNOWN }, { "", -1 } };
    (void)state;
    check((const char *const[]){ "", "a.Example.", NULL }, rows, sizeof rows / sizeof rows[0]);
    check((const char *const[]){ "", "a_B-9.z0.example", NULL }, marks, 2);
    check((const char *const[]){ "A.example", NULL }, without_default, 3);
}

static void test_many_names(void **state)
{
    static const struct row rows[] = {
        { "example.org", 0 }, { "www.example.org", 0 }, { "EXAMPLE.org.:443", 0 }, { "docs.example.org", 1 },
        { "a.example.org", 3 }, { "a.b.example.org", 3 }, { "a.b.c.example.org:8080", 3 }, { ".example.org", 2 },
        { "a..example.org", 2 }, { "x.deep.example.org", 4 }, { "x.y.deep.example.org", 4 }, { "deep.example.org", 3 },
        { "xexample.org", 2 }, { "org", 2 }, { "example.org.evil", 2 }, { "", 2 }, { "..", 2 }, { "a.", 2 },
        { "10.0.0.1", 4 }, { "10.0.0.1:80", 4 }, { "0.0.1", 2 },
        { "[2001:db8::1]", 4 }, { "[2001:DB8:0:0::1]:443", 4 }, { "[2001:db8::2]", 2 }, { "[::ffff:10.0.0.1]", 1 },
        { "[0:0:0:0:0:ffff:a00:1]", 1 },
    };
    static char longer[400];
    (void)state;
    check((const char *const[]){ "example.org www.example.org", "docs.example.org\t[::FFFF:10.0.0.1]", "",
                                 "*.example.org", "*.deep.example.org 10.0.0.1 [2001:0db8::0:1]", NULL },
          rows, sizeof rows / sizeof rows[0]);
    memset(longer, 'a', sizeof longer - 1);
    memcpy(longer + sizeof longer - 13, ".example.org", 12);
    check((const char *const[]){ "", "*.example.org", NULL }, &(struct row){ longer, 0 }, 1);
}

static void test_only_stars_or_an_address(void **state)
{
    static const struct row stars[] = { { "a.b", 0 }, { "b", HOSTS_UNKNOWN }, { "a.c", HOSTS_UNKNOWN } };
    static const struct row address[] = { { "[::1]", 0 }, { "[0::1]:80", 0 }, { "[::2]", HOSTS_UNKNOWN } };
    static const struct row broken[] = { { "[::1", HOSTS_UNKNOWN }, { "[", HOSTS_UNKNOWN }, { "[]", HOSTS_UNKNOWN },
                                         { "[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa]", HOSTS_UNKNOWN } };
    (void)state;
    check((const char *const[]){ "*.b", NULL }, stars, 3);
    check((const char *const[]){ "[::1]", NULL }, address, 3);
    check((const char *const[]){ "[::1]", NULL }, broken, 4);
    check((const char *const[]){ NULL }, &(struct row){ "a", HOSTS_UNKNOWN }, 1);
}

static void test_numbers_at_their_edge(void **state)
{
    static struct slice names[HOSTS_MAX + 1];
    static char many[6 * (HOSTS_NAMES_MAX + 2)], texts[HOSTS_MAX + 1][8];
    char why[WHY_SIZE];
    struct hosts *hosts;
    (void)state;
    for (int i = 0; i <= HOSTS_MAX; i++)
        names[i] = slice_make(texts[i], (size_t)snprintf(texts[i], sizeof texts[i], "h%d", i));
    assert_true(hosts_new(&hosts, names, HOSTS_MAX, (struct why){ why, sizeof why }));
    assert_int_equal(hosts_find(hosts, SLICE("h777")), 777);
    hosts_free(hosts);
    assert_false(hosts_new(&hosts, names, HOSTS_MAX + 1, (struct why){ why, sizeof why }));
    assert_string_equal(why, "there are 1001 hosts with 1001 names; at most 1000 and 10000 are possible");

    size_t used = 0;
    for (int i = 0; i < HOSTS_NAMES_MAX; i++)
        used += (size_t)snprintf(many + used, sizeof many - used, "h%d ", i);
    struct slice one = slice_make(many, used);
    assert_true(hosts_new(&hosts, &one, 1, (struct why){ why, sizeof why }));
    hosts_free(hosts);
    one.size += (size_t)snprintf(many + used, sizeof many - used, "x");
    assert_false(hosts_new(&hosts, &one, 1, (struct why){ why, sizeof why }));
}

static void test_no_memory(void **state)
{
    char why[WHY_SIZE];
    struct hosts *hosts;
    long left = 0;
    (void)state;
    for (;; left++) {
        allocations_left = left;
        bool good = try(&hosts, (const char *const[]){ "a b", "*.c", "", NULL }, why);
        allocations_left = -1;
        if (good)
            break;
        assert_null(hosts);
        assert_string_equal(why, "there is no memory for another host");
    }
    assert_true(left >= 6);
    assert_int_equal(hosts_find(hosts, SLICE("x.c")), 1);
    hosts_free(hosts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_names_are_explained),
        cmocka_unit_test(test_the_size_of_a_name_at_its_edge),
        cmocka_unit_test(test_only_a_default_is_no_table),
        cmocka_unit_test(test_one_name),
        cmocka_unit_test(test_many_names),
        cmocka_unit_test(test_only_stars_or_an_address),
        cmocka_unit_test(test_numbers_at_their_edge),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

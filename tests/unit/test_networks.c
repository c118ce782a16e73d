/* Addresses and networks: what is read, how it is written again, who belongs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "http/networks.h"

static const char *again(const char *text)
{
    static char out[IP_TEXT_MAX + 1];
    struct ip ip;
    if (!ip_parse(slice_text(text), &ip))
        return "none";
    struct writer w = writer_on(out, IP_TEXT_MAX);
    ip_write(&w, &ip);
    assert_false(w.overflowed);
    *w.at = '\0';
    return out;
}

static void reads_and_writes_addresses(void **state)
{
    static const char *const rows[][2] = {
        { "0.0.0.0", "0.0.0.0" },
        { "192.0.2.1", "192.0.2.1" },
        { "255.255.255.255", "255.255.255.255" },
        { "::", "::" },
        { "::1", "::1" },
        { "1::", "1::" },
        { "2001:DB8:0:0:1::1", "2001:db8::1:0:0:1" }, /* RFC 5952 4.2.3: the first of two equal runs */
        { "2001:db8:0:0:0:0:2:1", "2001:db8::2:1" },
        { "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" }, /* 4.2.2: not for one group */
        { "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
        { "0:0:1:1:1:1:0:0", "::1:1:1:1:0:0" },
        { "1:1:1:1:1:0:0:0", "1:1:1:1:1::" },
        { "fe80:0001:0010:0100:1000:aBcD:0:0001", "fe80:1:10:100:1000:abcd:0:1" },
        { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
        { "::ffff:192.0.2.1", "192.0.2.1" },
        { "::ffff:c000:201", "192.0.2.1" },
        { "64:ff9b::192.0.2.33", "64:ff9b::c000:221" },
        { "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304" },
        { "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
        { "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(again(rows[i][0]), rows[i][1]);
}

static void refuses_what_is_no_address(void **state)
{
    static const char *const rows[] = {
        "", ".", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "256.0.0.1", "01.2.3.4", "1.2.3.4 ",
        " 1.2.3.4", "1.2.3.-4", "0x1.2.3.4", "1.2.3.99999999999999999999", "1.2.3.4/8", "localhost", ":", ":::", "1",
        "1:2", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1::2::3", "12345::",
        "::g", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "::1.2.3.4:5", "1.2.3.4::",
        "::1.2.3.4.", "1:2:3:4:5:1.2.3.4", "[::1]", "::1%lo", "fe80::1%25eth0", "::1/128", "v1.x",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(again(rows[i]), "none") != 0)
            fail_msg("\"%s\" is an address: %s", rows[i], again(rows[i]));
}

static bool has(const char *networks, const char *address)
{
    struct networks parsed;
    struct ip ip;
    char why[WHY_SIZE];
    if (!networks_parse(&parsed, slice_text(networks), (struct why){ why, sizeof why }))
        fail_msg("%s", why);
    assert_true(ip_parse(slice_text(address), &ip));
    return networks_have(&parsed, &ip);
}

static void knows_who_belongs(void **state)
{
    static const struct {
        const char *networks, *address;
        bool has;
    } rows[] = {
        { "", "127.0.0.1", false },
        { "unix", "127.0.0.1", false },
        { "192.0.2.1", "192.0.2.1", true },
        { "192.0.2.1", "192.0.2.0", false },
        { "192.0.2.1", "::ffff:192.0.2.1", true },
        { "::ffff:192.0.2.1", "192.0.2.1", true },
        { "10.0.0.0/8", "10.255.255.255", true },
        { "10.0.0.0/8", "11.0.0.0", false },
        { "10.0.0.0/8", "9.255.255.255", false },
        { "10.0.0.0/9", "10.127.255.255", true },
        { "10.0.0.0/9", "10.128.0.0", false },
        { "192.0.2.128/25", "192.0.2.127", false },
        { "192.0.2.4/31", "192.0.2.5", true },
        { "192.0.2.4/31", "192.0.2.6", false },
        { "192.0.2.4/32", "192.0.2.4", true },
        { "192.0.2.4/32", "192.0.2.5", false },
        { "0.0.0.0/0", "203.0.113.9", true },
        { "0.0.0.0/0", "2001:db8::1", false },
        { "::/0", "203.0.113.9", true },
        { "::/0", "2001:db8::1", true },
        { "::ffff:0:0/96", "203.0.113.9", true },
        { "2001:db8::/32", "2001:db8:ffff::1", true },
        { "2001:db8::/33", "2001:db8:8000::", false },
        { "2001:db8::1/128", "2001:db8::1", true },
        { "loopback", "127.9.9.9", true },
        { "loopback", "::1", true },
        { "loopback", "::2", false },
        { "loopback", "128.0.0.1", false },
        { "private", "10.1.2.3", true },
        { "private", "172.15.255.255", false },
        { "private", "172.16.0.0", true },
        { "private", "172.31.255.255", true },
        { "private", "172.32.0.0", false },
        { "private", "192.168.0.1", true },
        { "private", "192.169.0.1", false },
        { "private", "fdff::1", true },
        { "private", "fe80::1", false },
        { "private", "127.0.0.1", false },
        { " 192.0.2.1\tloopback   unix ", "127.0.0.1", true },
        { " 192.0.2.1\tloopback   unix ", "192.0.2.1", true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (has(rows[i].networks, rows[i].address) != rows[i].has)
            fail_msg("%s in \"%s\"", rows[i].address, rows[i].networks);
}

static void tells_what_is_wrong(void **state)
{
    static const char *const rows[][2] = {
        { "1.2.3", "1.2.3: write an address, a network" },
        { "unix Loopback", "Loopback: write an address, a network" },
        { "1.2.3.4,", "1.2.3.4,: write an address" },
        { "/8", "/8: write an address" },
        { "10.0.0.0/", "10.0.0.0/: behind the slash stands a number of bits up to 32" },
        { "10.0.0.0/33", "up to 32" },
        { "10.0.0.0/-1", "up to 32" },
        { "10.0.0.0/8/8", "up to 32" },
        { "::/129", "::/129: behind the slash stands a number of bits up to 128" },
        { "::ffff:1.2.3.4/24", "the network begins with ::; write that before the slash" },
        { "10.0.0.1/8", "10.0.0.1/8: the network begins with 10.0.0.0; write that before the slash" },
        { "192.0.2.129/25", "begins with 192.0.2.128" },
        { "2001:db8::1/32", "begins with 2001:db8::;" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct networks networks;
        char why[WHY_SIZE] = "";
        if (networks_parse(&networks, slice_text(rows[i][0]), (struct why){ why, sizeof why }) ||
            strstr(why, rows[i][1]) == NULL)
            fail_msg("\"%s\": \"%s\" is not in \"%s\"", rows[i][0], rows[i][1], why);
    }
}

static void has_a_limit(void **state)
{
    char text[NETWORKS_MAX * 8 + 16], why[WHY_SIZE];
    struct networks networks;
    (void)state;
    for (size_t i = 0; i < NETWORKS_MAX; i++)
        memcpy(text + 8 * i, "1.1.1.1 ", 8);
    assert_true(networks_parse(&networks, slice_make(text, NETWORKS_MAX * 8), (struct why){ why, sizeof why }));
    assert_int_equal(networks.count, NETWORKS_MAX);
    memcpy(text + NETWORKS_MAX * 8, "unix", 4); /* which takes no room */
    assert_true(networks_parse(&networks, slice_make(text, NETWORKS_MAX * 8 + 4), (struct why){ why, sizeof why }));
    memcpy(text + NETWORKS_MAX * 8, "::1 ", 4);
    assert_false(networks_parse(&networks, slice_make(text, NETWORKS_MAX * 8 + 4), (struct why){ why, sizeof why }));
    assert_string_equal(why, "::1: there are more than 64 networks");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes_addresses),
        cmocka_unit_test(refuses_what_is_no_address),
        cmocka_unit_test(knows_who_belongs),
        cmocka_unit_test(tells_what_is_wrong),
        cmocka_unit_test(has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

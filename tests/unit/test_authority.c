/* host[:port]: names, IPv4 and IPv6 addresses, ports, at their edges. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "http/target.h"

struct spelling {
    const char *text;
    bool valid;
};

static void verify(const struct spelling *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (authority_valid(slice_text(rows[i].text)) != rows[i].valid)
            fail_msg("%s should be %s", rows[i].text, rows[i].valid ? "valid" : "invalid");
}

static void tells_names(void **state)
{
    static const struct spelling rows[] = {
        { "localhost", true },
        { "example.com", true },
        { "EXAMPLE.com.", true },
        { "a_b-c~d", true },
        { "xn--bcher-kva.example", true },
        { "a!$&'()*+,;=b", true },
        { "b%C3%BCcher", true },
        { "%41", true },
        { "192.0.2.1", true },
        { "999.999.999.999", true }, /* a name that looks like an address is a name */
        { "", false },
        { "a b", false },
        { "a/b", false },
        { "a?b", false },
        { "a#b", false },
        { "a\\b", false },
        { "a@b", false },
        { "u:p@b", false },
        { "a%", false },
        { "a%4", false },
        { "a%4g", false },
        { "a%g4", false },
        { "b\xC3\xBC", false },
        { "a\"", false },
        { "a[", false },
        { "a]", false },
        { "<a>", false },
    };
    (void)state;
    verify(rows, sizeof rows / sizeof rows[0]);
}

static void tells_ports(void **state)
{
    static const struct spelling rows[] = {
        { "a:", true }, /* RFC 3986 3.2.3 */
        { "a:0", true },
        { "a:80", true },
        { "a:65535", true },
        { "a:8080", true },
        { "a:0000", true },
        { "a:9999", true },
        { "a:0000080", true },
        { "a:65536", false },
        { "a:99999999999999999999999", false },
        { "a:-1", false },
        { "a:+1", false },
        { "a:8x", false },
        { "a: 80", false },
        { "a:80:80", false },
        { "a::80", false },
        { ":80", false },
        { ":", false },
        { "::1", false }, /* without brackets it could be a host and a port */
    };
    (void)state;
    verify(rows, sizeof rows / sizeof rows[0]);
}

static void tells_addresses_in_brackets(void **state)
{
    static const struct spelling rows[] = {
        { "[::1]", true },
        { "[::1]:", true },
        { "[::1]:8080", true },
        { "[::1]:65536", false },
        { "[::1]8080", false },
        { "[::1]a", false },
        { "[::1", false },
        { "[", false },
        { "[]", false },
        { "[]:80", false },
        { "[127.0.0.1]", false },
        { "[a]", false },
        { "[::1]]", false },
        { "[[::1]]", false },
        { "[v1.a:b]", false },     /* IPvFuture: nobody has one */
        { "[fe80::1%25eth0]", false }, /* RFC 9844: a zone is for the client alone */
        { "[fe80::1%eth0]", false },
    };
    (void)state;
    verify(rows, sizeof rows / sizeof rows[0]);
}

/* In every place of a name and of a port, each byte is accepted or refused as the grammar says. */
static void checks_every_byte(void **state)
{
    static const char name[] = "www.long-or-not.host-in.org", others[] = "-._~!$&'()*+,;=";
    (void)state;
    for (int c = 0; c < 256; c++) {
        bool digit = c >= '0' && c <= '9', letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        for (size_t at = 1; at < sizeof name - 2; at++) {
            char text[sizeof name];
            memcpy(text, name, sizeof name);
            text[at] = (char)c; /* what follows is neither hexadecimal nor a port */
            bool valid = digit || letter || (c && strchr(others, c));
            assert_int_equal(authority_valid(slice_make(text, sizeof name - 1)), valid);
        }
        for (size_t digits = 1; digits <= 5; digits++) {
            for (size_t at = 0; at < digits; at++) {
                char port[] = "a:12345";
                port[2 + at] = (char)c;
                bool fits = digits < 5 || at > 0 || c <= '6';
                assert_int_equal(authority_valid(slice_make(port, 2 + digits)), digit && fits);
            }
        }
    }
}

/* An IPv6 address between brackets is what inet_pton takes for one. */
static void agrees_with_the_c_library(void **state)
{
    static const char *const rows[] = {
        "::", "::1", "1::", "1::2", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3::5:6:7:8",
        "abcd:EF01::", "2001:db8::ff00:42:8329", "::ffff:192.0.2.1", "::192.0.2.1", "1:2:3:4:5:6:192.0.2.1",
        "64:ff9b::192.0.2.33", "::0.0.0.0", "::255.255.255.255", "0001:0::",
        ":", ":::", "1", "1:", ":1", "1:2", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8", "12345::", "::12345", "::g", "g::", "1:::2", ":1::", "::1:", "1::2:",
        "::256.0.0.1", "::1.2.3", "::1.2.3.4.5", "::1.2.3.", "::.1.2.3", "::1..2.3", "::01.2.3.4", "::1.2.3.00",
        "::1.2.3.04", "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:1.2.3.4", "::1.2.3.4a",
        "1:2:3:4:5:6::1.2.3.4", "1:2:3:4:5::1.2.3.4", "::1234.1.1.1", "::a.1.1.1", "1.2.3.4", "::1.2.3.4 ", " ::1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct in6_addr address;
        char text[64];
        snprintf(text, sizeof text, "[%s]", rows[i]);
        if (authority_valid(slice_text(text)) != (inet_pton(AF_INET6, rows[i], &address) == 1))
            fail_msg("%s: the C library thinks otherwise", text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_names),
        cmocka_unit_test(tells_ports),
        cmocka_unit_test(tells_addresses_in_brackets),
        cmocka_unit_test(checks_every_byte),
        cmocka_unit_test(agrees_with_the_c_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

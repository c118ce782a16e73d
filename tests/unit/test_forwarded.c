/* Hops and who of them is the client, whatever a client itself writes into the fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "http/forwarded.h"
#include "made_fields.h"

/* Of these fields, "Name: value" lines, with 10.0.0.0/8 and fd00::/8 trusted: the client, or "peer"; and "s" for
 * https. */
static const char *read(const char *lines)
{
    static char text[IP_TEXT_MAX + 8];
    struct networks trusted;
    struct forwarded forwarded;
    static struct fields fields;
    made_fields(&fields, lines);
    assert_true(networks_parse(&trusted, SLICE("10.0.0.0/8 fd00::/8"), (struct why){ NULL, 0 }));
    forwarded_read(&fields, &trusted, &forwarded);
    struct writer w = writer_on(text, sizeof text - 1);
    if (forwarded.known)
        ip_write(&w, &forwarded.client);
    else
        writer_put(&w, SLICE("peer"));
    writer_put(&w, forwarded.https ? SLICE(" s") : SLICE(""));
    *w.at = '\0';
    return text;
}

/* Fields, and the last hop that is not trusted. */
struct row {
    const char *fields, *client;
};

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(read(rows[i].fields), rows[i].client) != 0)
            fail_msg("%s\nis of %s, not of %s", rows[i].fields, read(rows[i].fields), rows[i].client);
}

static void reads_x_forwarded_for(void **state)
{
    static const struct row rows[] = {
        { "X-Forwarded-For: 192.0.2.1", "192.0.2.1" },
        { "x-forwarded-for: 192.0.2.1, 198.51.100.2", "198.51.100.2" },
        { "X-Forwarded-For: 192.0.2.1, 198.51.100.2, 10.0.0.1", "198.51.100.2" },
        { "X-Forwarded-For: 192.0.2.1,10.0.0.2,10.0.0.1", "192.0.2.1" },
        { "X-Forwarded-For: 10.0.0.3, 10.0.0.2", "10.0.0.3" },
        { "X-Forwarded-For: 192.0.2.1\nX-Forwarded-For: 10.0.0.1", "192.0.2.1" },
        { "X-Forwarded-For: 192.0.2.1\nX-Forwarded-For: 198.51.100.2\nX-Forwarded-For: 10.0.0.1", "198.51.100.2" },
        { "X-Forwarded-For: 2001:DB8:0::1", "2001:db8::1" },
        { "X-Forwarded-For: [2001:db8::1]", "2001:db8::1" },
        { "X-Forwarded-For: [2001:db8::1]:4711", "2001:db8::1" },
        { "X-Forwarded-For: 192.0.2.1:4711", "192.0.2.1" },
        { "X-Forwarded-For: ::ffff:192.0.2.1", "192.0.2.1" },
        { "X-Forwarded-For: ::ffff:10.0.0.1", "10.0.0.1" },
        { "X-Forwarded-For: , 192.0.2.1,, ,", "192.0.2.1" },
        { "X-Forwarded-For: ", "peer" },
        { "X-Forwarded-For: unknown", "peer" },
        { "X-Forwarded-For: 192.0.2.1, unknown", "peer" },
        { "X-Forwarded-For: 192.0.2.1, unknown, 10.0.0.1", "10.0.0.1" },
        { "X-Forwarded-For: unknown, 192.0.2.1", "192.0.2.1" },
        { "X-Forwarded-For: 192.0.2.1, 10.0.0.2, nonsense, 10.0.0.3, 10.0.0.1", "10.0.0.3" },
        { "X-Forwarded-For: 192.0.2.1 198.51.100.2", "peer" },
        { "X-Forwarded-For: \"192.0.2.1\"", "peer" },
        { "X-Forwarded-For: \", 192.0.2.1", "peer" },
        { "X-Forwarded-For: 192.0.2.1:", "peer" },
        { "X-Forwarded-For: 192.0.2.1:a", "peer" },
        { "X-Forwarded-For: [192.0.2.1]", "peer" },
        { "X-Forwarded-For: [2001:db8::1", "peer" },
        { "X-Forwarded-For: [2001:db8::1]x", "peer" },
        { "X-Forwarded-For: [2001:db8::1]:", "peer" },
        { "X-Forwarded-For: []", "peer" },
        { "X-Forwarded-For: :80", "peer" },
    };
    (void)state;
    check(rows, sizeof rows / sizeof *rows);
}

static void reads_forwarded(void **state)
{
    static const struct row rows[] = {
        { "Forwarded: for=192.0.2.1", "192.0.2.1" },
        { "forwarded: For=192.0.2.1;proto=http;by=10.0.0.1;host=\"example.org:80\"", "192.0.2.1" },
        { "Forwarded: proto=http ; for = 192.0.2.1 ", "192.0.2.1" },
        { "Forwarded: for=\"192.0.2.1\"", "192.0.2.1" },
        { "Forwarded: for=\"192.0.2.1:4711\"", "192.0.2.1" },
        { "Forwarded: for=192.0.2.1:4711", "192.0.2.1" },
        { "Forwarded: for=\"192.0.2.1:_p.o-r_t\"", "192.0.2.1" },
        { "Forwarded: for=\"[2001:db8::1]\"", "2001:db8::1" },
        { "Forwarded: for=\"[2001:db8::1]:4711\"", "2001:db8::1" },
        { "Forwarded: for=[2001:db8::1]", "2001:db8::1" },
        { "Forwarded: for=192.0.2.1, for=10.0.0.1;by=x, for=\"[fd00::1]\"", "192.0.2.1" },
        { "Forwarded: for=192.0.2.1\nForwarded: for=198.51.100.2, for=10.0.0.1", "198.51.100.2" },
        { "Forwarded: for=10.0.0.2, for=10.0.0.1", "10.0.0.2" },
        { "Forwarded: for=_hidden", "peer" },
        { "Forwarded: for=192.0.2.1, for=_hidden", "peer" },
        { "Forwarded: for=_hidden, for=10.0.0.1", "10.0.0.1" },
        { "Forwarded: for=unknown, for=192.0.2.1", "192.0.2.1" },
        { "Forwarded: proto=http", "peer" },
        { "Forwarded: for=192.0.2.1, proto=http", "peer" },
        { "Forwarded: for=192.0.2.1;for=192.0.2.1", "peer" },
        { "Forwarded: for=192.0.2.1;proto=http;proto=http", "peer" },
        { "Forwarded: for=\"2001:db8::1\"", "peer" },
        { "Forwarded: for=", "peer" },
        { "Forwarded: for", "peer" },
        { "Forwarded: =192.0.2.1", "peer" },
        { "Forwarded: for=192.0.2.1;;by=x", "peer" },
        { "Forwarded: for=\"192.0.2.1", "peer" },
        { "Forwarded: for=\"192.0.2.1\\", "peer" },
        { "Forwarded: for=\"192.0.2.1\"x", "peer" },
        { "Forwarded: for=192.0.2.1\"x\"", "peer" },
        { "Forwarded: for=\"192.0.2\\.1\"", "peer" },
        { "Forwarded: for=\"192.0.2.1:_\"", "peer" },
        { "Forwarded: for=\"192.0.2.1:_a b\"", "peer" },
        { "Forwarded: by=\"a\\\"b, for=198.51.100.2\";for=192.0.2.1", "192.0.2.1" },
        { "Forwarded: for=192.0.2.1;", "192.0.2.1" },
        /* A client opens a quote, and what a proxy adds behind it is no longer what it was. */
        { "Forwarded: for=\", for=192.0.2.1", "peer" },
        { "Forwarded: for=198.51.100.2;by=\", for=\"[2001:db8::1]:1\"", "peer" },
        { "Forwarded: for=198.51.100.2;by=\", for=\"[2001:db8::1]:1\", for=10.0.0.1", "peer" },
        { "Forwarded: for=198.51.100.2;by=\"\\, for=\"[2001:db8::1]:1\";proto=\"http\"", "peer" },
    };
    (void)state;
    check(rows, sizeof rows / sizeof *rows);
}

static void believes_neither_where_they_differ(void **state)
{
    static const struct row rows[] = {
        { "", "peer" },
        { "X: y", "peer" },
        { "Forwarded: for=192.0.2.1\nX-Forwarded-For: 192.0.2.1", "192.0.2.1" },
        { "Forwarded: for=192.0.2.1\nX-Forwarded-For: 192.0.2.1, 10.0.0.1", "192.0.2.1" },
        { "Forwarded: for=198.51.100.2\nX-Forwarded-For: 192.0.2.1", "peer" },
        { "Forwarded: for=192.0.2.1\nX-Forwarded-For: unknown", "peer" },
        { "Forwarded: for=unknown\nX-Forwarded-For: 192.0.2.1", "peer" },
        { "Forwarded: nonsense\nX-Forwarded-For: nonsense", "peer" },
        { "Forwarded: \nX-Forwarded-For: 192.0.2.1", "192.0.2.1" },
    };
    (void)state;
    check(rows, sizeof rows / sizeof *rows);
}

static void knows_the_scheme(void **state)
{
    static const char *const rows[][2] = {
        { "X-Forwarded-Proto: https", "peer s" },
        { "X-Forwarded-Proto: HTTPS", "peer s" },
        { "X-Forwarded-Proto: http", "peer" },
        { "X-Forwarded-Proto: https, http", "peer" },
        { "X-Forwarded-Proto: https\nX-Forwarded-Proto: https", "peer s" },
        { "X-Forwarded-Proto: https\nX-Forwarded-Proto: http", "peer" },
        { "X-Forwarded-For: 192.0.2.1\nX-Forwarded-Proto: https", "192.0.2.1 s" },
        { "Forwarded: for=192.0.2.1;proto=https", "192.0.2.1 s" },
        { "Forwarded: for=192.0.2.1;proto=\"HTTPS\"", "192.0.2.1 s" },
        { "Forwarded: for=192.0.2.1;proto=http, for=10.0.0.1;proto=https", "192.0.2.1" },
        { "Forwarded: for=192.0.2.1;proto=https, for=10.0.0.1;proto=http", "192.0.2.1 s" },
        { "Forwarded: for=192.0.2.1;proto=https, for=unknown", "peer" },
        { "Forwarded: for=192.0.2.1;proto=http\nX-Forwarded-Proto: https", "192.0.2.1" },
        { "Forwarded: for=192.0.2.1;proto=https\nX-Forwarded-For: 192.0.2.1\nX-Forwarded-Proto: https", "192.0.2.1 s" },
        { "Forwarded: for=192.0.2.1;proto=https\nX-Forwarded-For: 192.0.2.1", "192.0.2.1" },
        { "Forwarded: for=192.0.2.1;proto=https\nX-Forwarded-For: 192.0.2.2\nX-Forwarded-Proto: https", "peer" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(read(rows[i][0]), rows[i][1]) != 0)
            fail_msg("%s\nis of %s, not of %s", rows[i][0], read(rows[i][0]), rows[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_x_forwarded_for),
        cmocka_unit_test(reads_forwarded),
        cmocka_unit_test(believes_neither_where_they_differ),
        cmocka_unit_test(knows_the_scheme),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a client writes into Forwarded or X-Forwarded-For before a trusted proxy adds the client's address to it:
 * whatever that is, it never makes the client somebody else. And an address is the same when it is written and read
 * again. */
#include <stdio.h>
#include <stdlib.h>

#include "../tests/unit/made_fields.h"
#include "http/forwarded.h"

#define CHECK(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

enum { INPUT_MAX = 4096 };

static void fail(const char *condition, int line)
{
    fprintf(stderr, "line %d: %s\n", line, condition);
    abort();
}

static void check_again(struct slice text)
{
    struct ip ip, again;
    char written[IP_TEXT_MAX];
    struct writer w = writer_on(written, sizeof written);
    if (!ip_parse(text, &ip))
        return;
    ip_write(&w, &ip);
    CHECK(!w.overflowed && ip_parse(writer_slice(&w), &again) && memcmp(&ip, &again, sizeof ip) == 0);
}

/* `name` and `text` of the client's, then what the proxy adds. */
static void check_client(const char *name, struct slice text, const char *added, const char *client)
{
    static struct networks trusted;
    static struct fields fields;
    char line[INPUT_MAX + 256];
    struct forwarded forwarded;
    struct ip ip;
    struct writer w = writer_on(line, sizeof line);
    writer_text(&w, name);
    writer_put(&w, text);
    writer_text(&w, added);
    writer_byte(&w, '\0');
    CHECK(!w.overflowed && ip_parse(slice_text(client), &ip));
    CHECK(networks_parse(&trusted, SLICE("10.0.0.0/8"), (struct why){ NULL, 0 }));
    made_fields(&fields, line);
    forwarded_read(&fields, &trusted, &forwarded);
    CHECK(!forwarded.known || memcmp(&forwarded.client, &ip, sizeof ip) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make((const char *)data, size);
    if (size > INPUT_MAX || slice_find(text, '\n') < size || slice_find(text, '\0') < size)
        return 0;
    check_again(text);
    check_client("X-Forwarded-For: ", text, ", 192.0.2.9", "192.0.2.9");
    check_client("X-Forwarded-For: ", text, ", [2001:db8::9]:4711", "2001:db8::9");
    check_client("Forwarded: ", text, ", for=192.0.2.9", "192.0.2.9");
    check_client("Forwarded: ", text, ", for=\"[2001:db8::9]:4711\";proto=https;by=\"10.0.0.1\"", "2001:db8::9");
    check_client("X-Forwarded-For: ", text, "\nX-Forwarded-For: 192.0.2.9", "192.0.2.9");
    check_client("Forwarded: ", text, "\nForwarded: proto=https;for=192.0.2.9", "192.0.2.9");
    return 0;
}

/* The opening handshake: the example of RFC 6455, each rule broken by itself, subprotocols, and every kind of offer of
 * permessage-deflate (RFC 7692). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "made_fields.h"
#include "wire/ws_handshake.h"

#define UPGRADE "Host: a\nUpgrade: websocket\nConnection: Upgrade\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n"
#define VERSION "Sec-WebSocket-Version: 13\n"
#define GOOD UPGRADE KEY VERSION

static struct ws_handshake handshake_of(const char *fields, const char *protocols, bool compression)
{
    static struct request request; /* the protocol chosen lies in its fields */
    struct ws_handshake handshake;
    request.method = METHOD_GET;
    request.version = 11;
    request.body_bytes = 0;
    made_fields(&request.fields, fields);
    ws_handshake_read(&request, slice_text(protocols), compression, &handshake);
    return handshake;
}

static void answers_the_example(void **state)
{
    (void)state;
    struct ws_handshake handshake = handshake_of(GOOD, "", true);
    assert_int_equal(handshake.status, 101);
    assert_null(handshake.refusal);
    assert_memory_equal(handshake.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", WS_ACCEPT_SIZE); /* RFC 6455 1.3 */
    assert_null(handshake.protocol.data);
    assert_false(handshake.deflate);
}

static void keeps_every_rule(void **state)
{
    static const struct {
        const char *fields;
        unsigned status;
    } rows[] = {
        { GOOD, 101 },
        { "upgrade: h2c, WebSocket\nCONNECTION: keep-alive, UPGRADE\n" KEY VERSION, 101 }, /* Firefox */
        { "Upgrade: h2c\nUpgrade: websocket\nConnection: close\nConnection: upgrade\n" KEY VERSION, 101 },
        { "Host: a\n" KEY VERSION, 426 },
        { "Upgrade: websockets\nConnection: Upgrade\n" KEY VERSION, 426 },
        { "Upgrade: websocket\n" KEY VERSION, 400 },
        { "Upgrade: websocket\nConnection: keep-alive\n" KEY VERSION, 400 },
        { UPGRADE KEY, 400 },
        { UPGRADE KEY "Sec-WebSocket-Version: 8\n", 426 },
        { UPGRADE KEY "Sec-WebSocket-Version: 13, 8\n", 426 },
        { UPGRADE KEY "Sec-WebSocket-Version: 013\n", 426 },
        { UPGRADE KEY VERSION VERSION, 400 },
        { UPGRADE VERSION, 400 },
        { UPGRADE VERSION KEY KEY, 400 },
        { UPGRADE VERSION "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4P", 400 },     /* 15 bytes */
        { UPGRADE VERSION "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEBE=", 400 }, /* 17 */
        { UPGRADE VERSION "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA=", 400 },
        { UPGRADE VERSION "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEB==", 400 }, /* bits that mean nothing */
        { UPGRADE VERSION "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==", 101 },
        { UPGRADE VERSION "Sec-WebSocket-Key:", 400 },
        { GOOD "Sec-WebSocket-Protocol: a b\n", 400 },
        { GOOD "Sec-WebSocket-Protocol: \"a\"\n", 400 },
        { GOOD "Sec-WebSocket-Protocol: ,\n", 101 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ws_handshake handshake = handshake_of(rows[i].fields, "", true);
        if (handshake.status != rows[i].status || (handshake.refusal == NULL) != (rows[i].status == 101))
            fail_msg("%u, not %u, for:\n%s", handshake.status, rows[i].status, rows[i].fields);
    }
}

static void wants_a_get_of_1_1_without_a_body(void **state)
{
    (void)state;
    static struct request request;
    struct ws_handshake handshake;
    static const struct {
        enum method method;
        uint8_t version;
        const char *fields;
        unsigned status;
    } rows[] = { { METHOD_GET, 11, GOOD, 101 }, { METHOD_POST, 11, GOOD, 400 }, { METHOD_HEAD, 11, GOOD, 400 },
                 { METHOD_GET, 10, GOOD, 400 }, { METHOD_GET, 20, GOOD, 400 },
                 { METHOD_GET, 11, GOOD "Content-Length: 0", 101 },
                 { METHOD_GET, 11, GOOD "Content-Length: 1", 400 },
                 { METHOD_GET, 11, GOOD "Transfer-Encoding: chunked", 400 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        request.method = rows[i].method;
        request.version = rows[i].version;
        made_fields(&request.fields, rows[i].fields);
        ws_handshake_read(&request, SLICE(""), true, &handshake);
        assert_int_equal(handshake.status, rows[i].status);
    }
}

static void chooses_the_clients_first_protocol(void **state)
{
    static const struct {
        const char *fields, *spoken, *chosen;
    } rows[] = {
        { "", "chat", NULL },
        { "Sec-WebSocket-Protocol: chat", "", NULL },
        { "Sec-WebSocket-Protocol: chat", "chat", "chat" },
        { "Sec-WebSocket-Protocol: Chat", "chat", NULL }, /* names are compared as they are */
        { "Sec-WebSocket-Protocol: v2, v1", "v1 v2", "v2" },
        { "Sec-WebSocket-Protocol: v3, v1", "  v1   v2 ", "v1" },
        { "Sec-WebSocket-Protocol: v3\nSec-WebSocket-Protocol: v2,v1", "v1 v2", "v2" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char fields[512];
        struct writer w = writer_on(fields, sizeof fields - 1);
        writer_text(&w, GOOD);
        writer_text(&w, rows[i].fields);
        *w.at = '\0';
        struct ws_handshake handshake = handshake_of(fields, rows[i].spoken, true);
        assert_int_equal(handshake.status, 101);
        if (!slice_equal(handshake.protocol, slice_text(rows[i].chosen)))
            fail_msg("%.*s, for %s", (int)handshake.protocol.size, handshake.protocol.data, rows[i].fields);
    }
}

#define AGREED "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
#define DECLINED ""
#define MALFORMED NULL

struct offer {
    const char *offer, *answer;
};

static const struct offer offers[] = {
    { "permessage-deflate", AGREED },
    { "permessage-deflate; client_max_window_bits", AGREED }, /* Chromium, Firefox, python3-websockets */
    { "permessage-deflate;client_max_window_bits=8;server_no_context_takeover ; client_no_context_takeover", AGREED },
    { "permessage-deflate; client_max_window_bits=\"15\"", AGREED },
    { "permessage-deflate; server_max_window_bits=15", AGREED "; server_max_window_bits=15" },
    { "permessage-deflate; server_max_window_bits = 8", AGREED "; server_max_window_bits=8" },
    { "permessage-deflate; server_max_window_bits=\"10\"", AGREED "; server_max_window_bits=10" },
    { "x-unknown, permessage-deflate", AGREED },
    { "x-unknown; a; b=c; d=\"e\" , permessage-deflate", AGREED },
    /* the first that we can keep to */
    { "permessage-deflate; a, permessage-deflate; server_max_window_bits=9, permessage-deflate",
      AGREED "; server_max_window_bits=9" },
    { "permessage-deflate, permessage-deflate; server_max_window_bits=9", AGREED },
    /* declined, one by one */
    { "permessage-deflate; unknown", DECLINED },
    { "permessage-deflate; server_no_context_takeover=1", DECLINED },
    { "permessage-deflate; client_no_context_takeover=\"true\"", DECLINED },
    { "permessage-deflate; server_no_context_takeover; server_no_context_takeover", DECLINED },
    { "permessage-deflate; client_max_window_bits; client_max_window_bits", DECLINED },
    { "permessage-deflate; server_max_window_bits", DECLINED },
    { "permessage-deflate; server_max_window_bits=7", DECLINED },
    { "permessage-deflate; server_max_window_bits=16", DECLINED },
    { "permessage-deflate; server_max_window_bits=08", DECLINED },
    { "permessage-deflate; server_max_window_bits=+8", DECLINED },
    { "permessage-deflate; server_max_window_bits=18446744073709551624", DECLINED },
    { "permessage-deflate; client_max_window_bits=7", DECLINED },
    { "permessage-deflate; client_max_window_bits=x", DECLINED },
    { "Permessage-Deflate", DECLINED },
    { "permessage-bzip2", DECLINED },
    { "", DECLINED },
    /* not what the grammar has (RFC 6455 9.1) */
    { "permessage-deflate; =8", MALFORMED },
    { "permessage-deflate; server_max_window_bits=", MALFORMED },
    { "permessage-deflate; server_max_window_bits=\"8", MALFORMED },
    { "permessage-deflate; server_max_window_bits=\"\"", MALFORMED },
    { "permessage-deflate; server_max_window_bits=\"8 \"", MALFORMED },
    { "permessage-deflate; server_max_window_bits=8 9", MALFORMED },
    { "permessage-deflate server_max_window_bits", MALFORMED },
    { "permessage-deflate;", MALFORMED },
    { "permessage-deflate;;server_no_context_takeover", MALFORMED },
    { "permessage-deflate, ;a", MALFORMED },
    { "permessage-deflate, \"x\"", MALFORMED },
};

static struct ws_handshake offered(const char *offer, bool compression)
{
    char fields[1024];
    struct writer w = writer_on(fields, sizeof fields - 1);
    writer_text(&w, GOOD "Sec-WebSocket-Extensions: ");
    writer_text(&w, offer);
    *w.at = '\0';
    return handshake_of(fields, "", compression);
}

static void takes_or_declines_offers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++) {
        char answer[WS_EXTENSIONS_ROOM];
        struct writer w = writer_on(answer, sizeof answer);
        struct ws_handshake handshake = offered(offers[i].offer, true);
        if (handshake.deflate)
            ws_handshake_extensions(&handshake, &w);
        assert_false(w.overflowed);
        bool good = offers[i].answer != NULL && slice_equal(writer_slice(&w), slice_text(offers[i].answer));
        if (handshake.status != (offers[i].answer ? 101u : 400u) || (offers[i].answer && !good))
            fail_msg("%u \"%.*s\", for %s", handshake.status, (int)writer_used(&w), answer, offers[i].offer);
    }
}

static void tells_the_window(void **state)
{
    (void)state;
    assert_int_equal(offered("permessage-deflate", true).window, 15);
    assert_int_equal(offered("permessage-deflate; server_max_window_bits=8", true).window, 8);
    assert_int_equal(offered("permessage-deflate; server_max_window_bits=8; bad, permessage-deflate", true).window, 15);
}

static void declines_all_where_compression_is_off(void **state)
{
    (void)state;
    struct ws_handshake handshake = offered("permessage-deflate", false);
    assert_int_equal(handshake.status, 101);
    assert_false(handshake.deflate);
    assert_int_equal(offered("permessage-deflate;", false).status, 400); /* malformed all the same */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_the_example),
        cmocka_unit_test(keeps_every_rule),
        cmocka_unit_test(wants_a_get_of_1_1_without_a_body),
        cmocka_unit_test(chooses_the_clients_first_protocol),
        cmocka_unit_test(takes_or_declines_offers),
        cmocka_unit_test(tells_the_window),
        cmocka_unit_test(declines_all_where_compression_is_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

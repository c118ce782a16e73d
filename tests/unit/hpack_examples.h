/* The examples of RFC 7541, Appendix C: blocks, what they say, and the size of the dynamic table behind each. Those
 * with one number (C.3, ...) are blocks of one connection, in this order. */
#ifndef TESTS_HPACK_EXAMPLES_H
#define TESTS_HPACK_EXAMPLES_H

#include <stddef.h>

struct hpack_example {
    const char *number;
    size_t table_max;
    struct {
        const char *block, *lines;
        size_t table_size;
    } steps[3];
};

#define FIRST_REQUEST ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n"
#define SECOND_REQUEST FIRST_REQUEST "cache-control: no-cache\n"
#define THIRD_REQUEST \
    ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\ncustom-key: custom-value\n"
#define RESPONSE(status, second)                                                          \
    ":status: " status "\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:" second   \
    " GMT\nlocation: https://www.example.com\n"
#define THIRD_RESPONSE \
    RESPONSE("200", "22") "content-encoding: gzip\n" \
    "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1\n"

static const struct hpack_example hpack_examples[] = {
    { "C.2.1", 4096, {
        { "400a637573746f6d2d6b65790d637573746f6d2d686561646572", "custom-key: custom-header\n", 55 } } },
    { "C.2.2", 4096, { { "040c2f73616d706c652f70617468", ":path: /sample/path\n", 0 } } },
    { "C.2.3", 4096, { { "100870617373776f726406736563726574", "password: secret\n", 0 } } },
    { "C.2.4", 4096, { { "82", ":method: GET\n", 0 } } },
    { "C.3", 4096, {
        { "828684410f7777772e6578616d706c652e636f6d", FIRST_REQUEST, 57 },
        { "828684be58086e6f2d6361636865", SECOND_REQUEST, 110 },
        { "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565", THIRD_REQUEST, 164 } } },
    { "C.4", 4096, {
        { "828684418cf1e3c2e5f23a6ba0ab90f4ff", FIRST_REQUEST, 57 },
        { "828684be5886a8eb10649cbf", SECOND_REQUEST, 110 },
        { "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf", THIRD_REQUEST, 164 } } },
    { "C.5", 256, {
        { "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f"
          "2f7777772e6578616d706c652e636f6d", RESPONSE("302", "21"), 222 },
        { "4803333037c1c0bf", RESPONSE("307", "21"), 222 },
        { "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b"
          "425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31", THIRD_RESPONSE,
          215 } } },
    { "C.6", 256, {
        { "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9"
          "ae82ae43d3",
          RESPONSE("302", "21"), 222 },
        { "4883640effc1c0bf", RESPONSE("307", "21"), 222 },
        { "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af2708"
          "7f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007", THIRD_RESPONSE, 215 } } },
};

enum { HPACK_EXAMPLES = sizeof hpack_examples / sizeof hpack_examples[0] };

#endif

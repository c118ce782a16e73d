/* Each rule of RFC 6455 4.2.1 is a guard: the first one that is broken is what the client is told. Offers of extensions
 * are read one after the other (RFC 7692 5.1); the first that we can keep to is taken. */
#include "wire/ws_handshake.h"

#include <sha1.h>

#include "base/base64.h"

enum { KEY_SIZE = 16, BAD_REQUEST = 400, UPGRADE_REQUIRED = 426 };

static const struct slice key_field = SLICE_INIT("sec-websocket-key");
static const struct slice version_field = SLICE_INIT("sec-websocket-version");
static const struct slice protocol_field = SLICE_INIT("sec-websocket-protocol");
static const struct slice extensions_field = SLICE_INIT("sec-websocket-extensions");

/* ---- Fields ------------------------------------------------------------------------------------------------- */

/* Takes the next field of that name from `*at` on. */
static bool next_field(const struct fields *fields, struct slice name, unsigned *at, struct slice *value)
{
    for (; *at < fields->count; ++*at) {
        if (!slice_equal_nocase(fields_name(fields, *at), name))
            continue;
        *value = fields_value(fields, (*at)++);
        return true;
    }
    return false;
}

/* One token of a list, in any of the fields of that name. */
static bool list_has(const struct fields *fields, struct slice name, struct slice token)
{
    struct slice rest, member;
    for (unsigned at = 0; next_field(fields, name, &at, &rest);)
        while (list_next(&rest, &member))
            if (slice_equal_nocase(member, token))
                return true;
    return false;
}

/* False: there is none of that name, or more than one. */
static bool only_field(const struct fields *fields, struct slice name, struct slice *value)
{
    struct slice second;
    unsigned at = 0;
    return next_field(fields, name, &at, value) && !next_field(fields, name, &at, &second);
}

/* ---- The key (4.2.2, item 5.4) ------------------------------------------------------------------------------ */

static bool key_valid(struct slice key)
{
    char bytes[KEY_SIZE];
    size_t size;
    return base64_decode(key, bytes, sizeof bytes, &size) && size == KEY_SIZE;
}

static void answer_key(struct slice key, char accept[WS_ACCEPT_SIZE])
{
    static const struct slice guid = SLICE_INIT("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    SHA1_CTX sha;
    uint8_t digest[SHA1_DIGEST_LENGTH];
    SHA1Init(&sha);
    SHA1Update(&sha, (const uint8_t *)key.data, key.size);
    SHA1Update(&sha, (const uint8_t *)guid.data, guid.size);
    SHA1Final(digest, &sha);
    struct writer w = writer_on(accept, WS_ACCEPT_SIZE);
    base64_write(&w, slice_make((const char *)digest, sizeof digest));
}

/* ---- Subprotocols (4.2.1, item 8) --------------------------------------------------------------------------- */

static bool speaks(struct slice protocols, struct slice protocol)
{
    struct slice word;
    while (slice_word(&protocols, &word))
        if (slice_equal(word, protocol))
            return true;
    return false;
}

/* False: what the client names is no token. */
static bool choose_protocol(const struct fields *fields, struct slice protocols, struct ws_handshake *handshake)
{
    struct slice rest, protocol;
    for (unsigned at = 0; next_field(fields, protocol_field, &at, &rest);) {
        while (list_next(&rest, &protocol)) {
            if (!field_name_valid(protocol))
                return false;
            if (handshake->protocol.data == NULL && speaks(protocols, protocol))
                handshake->protocol = protocol;
        }
    }
    return true;
}

/* ---- Extensions (9.1, RFC 7692 part 7) ---------------------------------------------------------------------- */

struct parameter {
    struct slice name, value; /* the value's data is NULL where there is none */
};

static struct slice take_token(struct slice *rest)
{
    *rest = slice_trim(*rest);
    struct slice token = slice_part(*rest, 0, char_run(*rest, CHAR_TOKEN));
    *rest = slice_trim(slice_skip(*rest, token.size));
    return token;
}

static bool take_byte(struct slice *rest, char c)
{
    if (rest->size == 0 || rest->data[0] != c)
        return false;
    *rest = slice_skip(*rest, 1);
    return true;
}

/* A token, or one in quotes; with backslashes in it, it would be no token once they are resolved. */
static bool take_value(struct slice *rest, struct slice *value)
{
    *rest = slice_trim(*rest);
    bool quoted = take_byte(rest, '"');
    *value = slice_part(*rest, 0, char_run(*rest, CHAR_TOKEN));
    *rest = slice_skip(*rest, value->size);
    bool closed = !quoted || take_byte(rest, '"');
    *rest = slice_trim(*rest);
    return value->size > 0 && closed;
}

/* `*rest` begins with a semicolon. False: it is not well-formed. */
static bool take_parameter(struct slice *rest, struct parameter *parameter)
{
    if (!take_byte(rest, ';'))
        return false;
    *parameter = (struct parameter){ .name = take_token(rest) };
    if (parameter->name.size == 0)
        return false;
    return !take_byte(rest, '=') || take_value(rest, &parameter->value);
}

/* 7.1.2: 8 to 15, without leading zeros. 0: it is not that. */
static uint8_t window_bits(struct slice value)
{
    uint64_t bits;
    bool valid = slice_uint(value, &bits) && value.data[0] != '0' && bits >= 8 && bits <= WS_WINDOW_MAX;
    return valid ? (uint8_t)bits : 0;
}

enum known {
    SERVER_TAKEOVER = 1,
    CLIENT_TAKEOVER = 2,
    SERVER_WINDOW = 4,
    CLIENT_WINDOW = 8
};

static enum known parameter_known(struct slice name)
{
    if (slice_equal(name, SLICE("server_no_context_takeover")))
        return SERVER_TAKEOVER;
    if (slice_equal(name, SLICE("client_no_context_takeover")))
        return CLIENT_TAKEOVER;
    if (slice_equal(name, SLICE("server_max_window_bits")))
        return SERVER_WINDOW;
    return slice_equal(name, SLICE("client_max_window_bits")) ? CLIENT_WINDOW : 0;
}

/* 7.1: a parameter that is unknown, stands twice or has no valid value makes the offer one that we decline. */
static bool accept_parameter(const struct parameter *parameter, unsigned *seen, struct ws_handshake *handshake)
{
    enum known known = parameter_known(parameter->name);
    bool valued = parameter->value.data != NULL;
    if (known == 0 || (*seen & known))
        return false;
    *seen |= known;
    switch (known) {
    case SERVER_TAKEOVER:
    case CLIENT_TAKEOVER:
        return !valued;
    case SERVER_WINDOW:
        handshake->window = window_bits(parameter->value);
        handshake->window_wanted = true;
        return valued && handshake->window > 0;
    case CLIENT_WINDOW: /* we can read with any window */
        return !valued || window_bits(parameter->value) > 0;
    }
    return false;
}

/* False: it is not well-formed. Whether it is one that we take, the handshake then says. */
static bool read_offer(struct slice offer, bool compression, struct ws_handshake *handshake)
{
    struct ws_handshake agreed = *handshake;
    struct parameter parameter;
    struct slice name = take_token(&offer);
    bool good = compression && !handshake->deflate && slice_equal(name, SLICE("permessage-deflate"));
    unsigned seen = 0;
    if (name.size == 0)
        return false;
    agreed.deflate = true;
    while (offer.size > 0) {
        if (!take_parameter(&offer, &parameter))
            return false;
        good = good && accept_parameter(&parameter, &seen, &agreed);
    }
    if (good)
        *handshake = agreed;
    return true;
}

static bool choose_extensions(const struct fields *fields, bool compression, struct ws_handshake *handshake)
{
    struct slice rest, offer;
    for (unsigned at = 0; next_field(fields, extensions_field, &at, &rest);)
        while (list_next(&rest, &offer))
            if (!read_offer(offer, compression, handshake))
                return false;
    return true;
}

/* ---- The request -------------------------------------------------------------------------------------------- */

static void refuse(struct ws_handshake *handshake, unsigned status, const char *why)
{
    handshake->status = status;
    handshake->refusal = why;
}

/* Whether it has come by now or not: what is still to come of it would be taken for frames. */
static bool announces_body(const struct fields *fields)
{
    return fields_has(fields, FIELD_TRANSFER_ENCODING) ||
           (fields_has(fields, FIELD_CONTENT_LENGTH) &&
            !slice_equal(fields_get(fields, FIELD_CONTENT_LENGTH), SLICE("0")));
}

void ws_handshake_read(const struct request *request, struct slice protocols, bool compression,
                       struct ws_handshake *handshake)
{
    const struct fields *fields = &request->fields;
    struct slice version, key;
    *handshake = (struct ws_handshake){ .status = 101, .window = WS_WINDOW_MAX };
    if (request->method != METHOD_GET || request->version != 11 || announces_body(fields))
        refuse(handshake, BAD_REQUEST, "a WebSocket is opened with a GET of HTTP/1.1 without a body");
    else if (!list_has(fields, field_name(FIELD_UPGRADE), SLICE("websocket")))
        refuse(handshake, UPGRADE_REQUIRED, "here WebSocket is spoken");
    else if (!list_has(fields, field_name(FIELD_CONNECTION), SLICE("upgrade")))
        refuse(handshake, BAD_REQUEST, "the Connection field does not say upgrade");
    else if (!only_field(fields, version_field, &version))
        refuse(handshake, BAD_REQUEST, "there is not one Sec-WebSocket-Version");
    else if (!slice_equal(version, SLICE("13")))
        refuse(handshake, UPGRADE_REQUIRED, "only version 13 of WebSocket is spoken here");
    else if (!only_field(fields, key_field, &key) || !key_valid(key))
        refuse(handshake, BAD_REQUEST, "Sec-WebSocket-Key is not 16 bytes in base64");
    else if (!choose_protocol(fields, protocols, handshake))
        refuse(handshake, BAD_REQUEST, "Sec-WebSocket-Protocol is not a list of tokens");
    else if (!choose_extensions(fields, compression, handshake))
        refuse(handshake, BAD_REQUEST, "Sec-WebSocket-Extensions is malformed");
    else
        answer_key(key, handshake->accept);
}

void ws_handshake_extensions(const struct ws_handshake *handshake, struct writer *w)
{
    writer_text(w, "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
    if (!handshake->window_wanted)
        return;
    writer_text(w, "; server_max_window_bits=");
    writer_uint(w, handshake->window);
}

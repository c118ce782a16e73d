"""What RFC 9113 and RFC 7541 ask of a server, case by case (those that h2spec has, and more): what is sent, and the stream
or connection error that it has to become, or that it has to be taken."""
import struct
from collections import namedtuple

import h2client as h2
import pytest
from h2client import (ACK, COMPRESSION_ERROR, CONTINUATION, DATA, END_HEADERS, END_STREAM, FLOW_CONTROL_ERROR,
                      FRAME_SIZE_ERROR, GOAWAY, HEADERS, PADDED, PING, PRIORITY, PRIORITY_UPDATE, PROTOCOL_ERROR,
                      PUSH_PROMISE, REFUSED_STREAM, RST_STREAM, SETTINGS, STREAM_CLOSED, WINDOW_UPDATE, WITH_PRIORITY,
                      Connection, fields_of, frame, ping, reset, settings, window_update)
from program import RAWHTTPD, Program

ALIVE = {"alive"}
STALLED = ((h2.INITIAL_WINDOW_SIZE, 0),)  # no response can be sent: streams stay half-closed
WHOLE = END_STREAM | END_HEADERS

Case = namedtuple("Case", "section what make expected greet", defaults=[()])


def stream_error(*codes):
    return {("stream", code) for code in codes}


def connection_error(*codes):
    return {("connection", code) for code in codes}


def either(code):
    return stream_error(code) | connection_error(code)


# ---- What is sent; each is called with the connection, of which stream 1 is still idle ----

def get(c, stream=1, flags=WHOLE, *, before=b"", behind=b"", fields=None):
    return frame(HEADERS, flags, stream, before + c.block(fields or fields_of(path="/text")) + behind)


def post(c, stream=1, *, more=(), path="/receive"):
    """A request whose body is still to come."""
    return get(c, stream, END_HEADERS, fields=fields_of("POST", path, more))


def fields(c, *more, **pseudo):
    return get(c, fields=fields_of(path=pseudo.pop("path", "/text"), more=more, **pseudo))


def after_get(make):
    """Stream 1 has been answered and is closed."""
    def made(c):
        assert c.get("/text").status == 200
        return make(c)
    return made


def after_reset(make):
    return lambda c: post(c) + reset(1) + make(c)


def trailers(c, *more):
    return frame(HEADERS, WHOLE, 1, c.block(list(more)))


def split(c, *between, last=CONTINUATION):
    """A header block in three frames, with something in between."""
    block = c.block(fields_of(path="/text"))
    third = len(block) // 3
    return frame(HEADERS, END_STREAM, 1, block[:third]) + frame(CONTINUATION, 0, 1, block[third:2 * third]) + \
        b"".join(between) + frame(last, END_HEADERS, 1, block[2 * third:])


def weight(depends_on=0, value=16):
    return struct.pack(">IB", depends_on, value)


def raw(block):
    return lambda c: frame(HEADERS, WHOLE, 1, bytes.fromhex("8286 04052f74657874 010474657374" + block))


CASES = [
    # RFC 9113 3.4, 4: the preface and frames
    Case("3.4", "SETTINGS must come first", lambda c: h2.PREFACE + ping(), connection_error(PROTOCOL_ERROR), None),
    Case("3.4", "the preface cut in two", lambda c: h2.PREFACE + settings() + get(c), {200}, None),
    Case("3.4", "a second preface", lambda c: h2.PREFACE, connection_error(FRAME_SIZE_ERROR, PROTOCOL_ERROR)),
    Case("4.1", "a frame of a type that nobody knows", lambda c: frame(0x77, 0xFF, 1, b"x" * 99) + get(c), {200}),
    Case("4.1", "one on stream 0", lambda c: frame(0x77, 0, 0, b"") + get(c), {200}),
    Case("4.1", "flags that nobody knows", lambda c: frame(PING, 0xFE, 0, b"12345678") + get(c, 1, WHOLE | 0xD2 & ~0x28), {200}),
    Case("4.1", "the reserved bit", lambda c: frame(PING, 0, 1 << 31, b"12345678") + get(c, 1 | 1 << 31), {200}),
    Case("4.2", "DATA of 2^14 octets", lambda c: post(c) + frame(DATA, END_STREAM, 1, b"x" * 16384), {200}),
    Case("4.2", "DATA larger than that", lambda c: post(c) + frame(DATA, END_STREAM, 1, b"x" * 16385),
         either(FRAME_SIZE_ERROR)),
    Case("4.2", "HEADERS larger than that", lambda c: get(c, behind=b"\x00\x01x\x01y" * 4000),
         connection_error(FRAME_SIZE_ERROR)),
    Case("4.2", "an unknown frame larger than that", lambda c: frame(0x77, 0, 0, b"x" * 16385),
         connection_error(FRAME_SIZE_ERROR)),
    Case("4.3", "a block that cannot be decoded", lambda c: get(c, behind=b"\xff\xff\xff\xff\xff\xff"),
         connection_error(COMPRESSION_ERROR)),
    Case("4.3", "and on a stream that was refused", lambda c: post(c) + reset(1) + get(c, 3, behind=b"\x80"),
         connection_error(COMPRESSION_ERROR)),
    Case("4.3", "PRIORITY within a block", lambda c: split(c, frame(PRIORITY, 0, 1, weight())),
         connection_error(PROTOCOL_ERROR)),
    Case("4.3", "HEADERS of another stream within a block", lambda c: split(c, get(c, 3)), connection_error(PROTOCOL_ERROR)),

    # RFC 9113 5.1: the states of streams
    Case("5.1", "idle: DATA", lambda c: frame(DATA, END_STREAM, 1, b"x"), connection_error(PROTOCOL_ERROR)),
    Case("5.1", "idle: RST_STREAM", lambda c: reset(1), connection_error(PROTOCOL_ERROR)),
    Case("5.1", "idle: WINDOW_UPDATE", lambda c: window_update(1, 100), connection_error(PROTOCOL_ERROR)),
    Case("5.1", "idle: CONTINUATION", lambda c: frame(CONTINUATION, END_HEADERS, 1, c.block(fields_of())),
         connection_error(PROTOCOL_ERROR)),
    Case("5.1", "idle: PRIORITY", lambda c: frame(PRIORITY, 0, 1, weight()) + get(c), {200}),
    Case("5.1", "half-closed: DATA", lambda c: get(c) + frame(DATA, END_STREAM, 1, b"x"), either(STREAM_CLOSED), STALLED),
    Case("5.1", "half-closed: HEADERS", lambda c: get(c) + get(c), either(STREAM_CLOSED), STALLED),
    Case("5.1", "half-closed: CONTINUATION", lambda c: get(c) + frame(CONTINUATION, END_HEADERS, 1, c.block(fields_of())),
         connection_error(PROTOCOL_ERROR, STREAM_CLOSED), STALLED),
    Case("5.1", "half-closed: WINDOW_UPDATE", lambda c: get(c) + window_update(1, 100000), {200}, STALLED),
    Case("5.1", "half-closed: PRIORITY", lambda c: get(c) + frame(PRIORITY, 0, 1, weight()) + window_update(1, 9999),
         {200}, STALLED),
    Case("5.1", "half-closed: RST_STREAM", lambda c: get(c) + reset(1) + get(c, 3), ALIVE, STALLED),
    Case("5.1", "closed by the client's reset: DATA", after_reset(lambda c: frame(DATA, END_STREAM, 1, b"x")),
         either(STREAM_CLOSED)),
    Case("5.1", "closed by the client's reset: HEADERS", after_reset(get), either(STREAM_CLOSED)),
    Case("5.1", "closed by the client's reset: CONTINUATION",
         after_reset(lambda c: frame(CONTINUATION, END_HEADERS, 1, c.block(fields_of()))),
         connection_error(PROTOCOL_ERROR, STREAM_CLOSED)),
    Case("5.1", "closed: DATA", after_get(lambda c: frame(DATA, END_STREAM, 1, b"x")), either(STREAM_CLOSED)),
    Case("5.1", "closed: HEADERS", after_get(get), connection_error(STREAM_CLOSED, PROTOCOL_ERROR)),
    Case("5.1", "closed: CONTINUATION", after_get(lambda c: frame(CONTINUATION, END_HEADERS, 1, c.block(fields_of()))),
         connection_error(PROTOCOL_ERROR, STREAM_CLOSED)),
    Case("5.1", "closed: PRIORITY", after_get(lambda c: frame(PRIORITY, 0, 1, weight())), ALIVE),
    Case("5.1", "closed: WINDOW_UPDATE", after_get(lambda c: window_update(1, 100)), ALIVE),
    Case("5.1", "closed: RST_STREAM", after_get(lambda c: reset(1)), ALIVE),
    Case("5.1.1", "an even stream", lambda c: get(c, 2), connection_error(PROTOCOL_ERROR)),
    Case("5.1.1", "a stream below one that was used", lambda c: get(c, 5) + get(c, 3),
         connection_error(PROTOCOL_ERROR, STREAM_CLOSED), STALLED),
    Case("5.1.1", "streams may be left out", lambda c: get(c, 2**31 - 1), {200}),
    Case("5.1.2", "more streams than there may be", lambda c: b"".join(get(c, 2 * n + 1) for n in range(129)),
         stream_error(REFUSED_STREAM, PROTOCOL_ERROR), STALLED),
    # As RFC 7540 5.3.1 had it; of priorities of old that is all that is left.
    Case("5.3", "HEADERS that depend on themselves", lambda c: get(c, 1, WHOLE | WITH_PRIORITY, before=weight(1)),
         stream_error(PROTOCOL_ERROR)),
    Case("5.3", "PRIORITY that depends on itself", lambda c: post(c) + frame(PRIORITY, 0, 1, weight(1)),
         stream_error(PROTOCOL_ERROR)),
    Case("5.4.1", "an error of the connection ends it", lambda c: frame(PING, 0, 0, b"short"),
         connection_error(FRAME_SIZE_ERROR)),
    Case("5.5", "an unknown frame within a block", lambda c: split(c, frame(0x77, 0, 1, b"x")),
         connection_error(PROTOCOL_ERROR)),

    # RFC 9113 6: every frame
    Case("6.1", "DATA on stream 0", lambda c: frame(DATA, END_STREAM, 0, b"x"), connection_error(PROTOCOL_ERROR)),
    Case("6.1", "as much padding as there is frame", lambda c: post(c) + frame(DATA, END_STREAM | PADDED, 1, b"\x06test!"),
         connection_error(PROTOCOL_ERROR)),
    Case("6.1", "more padding than there is frame", lambda c: post(c) + frame(DATA, END_STREAM | PADDED, 1, b"\xfftest"),
         connection_error(PROTOCOL_ERROR)),
    Case("6.1", "padded, and empty", lambda c: post(c) + frame(DATA, END_STREAM | PADDED, 1, b""),
         connection_error(FRAME_SIZE_ERROR, PROTOCOL_ERROR)),
    Case("6.1", "nothing but padding", lambda c: post(c) + frame(DATA, END_STREAM | PADDED, 1, b"\x05\0\0\0\0\0"), {200}),
    Case("6.2", "HEADERS on stream 0", lambda c: get(c, 0), connection_error(PROTOCOL_ERROR)),
    Case("6.2", "more padding than there is frame", lambda c: get(c, 1, WHOLE | PADDED, before=b"\xff"),
         connection_error(PROTOCOL_ERROR)),
    Case("6.2", "padding", lambda c: get(c, 1, WHOLE | PADDED, before=b"\x09", behind=b"\0" * 9), {200}),
    Case("6.2", "padding and a priority", lambda c: get(c, 1, WHOLE | PADDED | WITH_PRIORITY, before=b"\x09" + weight(),
                                                        behind=b"\0" * 9), {200}),
    Case("6.2", "a priority that is cut", lambda c: frame(HEADERS, WHOLE | WITH_PRIORITY, 1, b"\0\0\0"),
         connection_error(FRAME_SIZE_ERROR, PROTOCOL_ERROR)),
    Case("6.2", "no content at all", lambda c: frame(HEADERS, WHOLE, 1, b""), stream_error(PROTOCOL_ERROR)),
    Case("6.3", "PRIORITY on stream 0", lambda c: frame(PRIORITY, 0, 0, weight()), connection_error(PROTOCOL_ERROR)),
    Case("6.3", "PRIORITY of 4 octets", lambda c: post(c) + frame(PRIORITY, 0, 1, b"\0\0\0\0"), stream_error(FRAME_SIZE_ERROR)),
    Case("6.4", "RST_STREAM on stream 0", lambda c: reset(0), connection_error(PROTOCOL_ERROR)),
    Case("6.4", "RST_STREAM of 3 octets", lambda c: post(c) + frame(RST_STREAM, 0, 1, b"\0\0\0"),
         connection_error(FRAME_SIZE_ERROR)),
    Case("6.4", "RST_STREAM of 5 octets", lambda c: post(c) + frame(RST_STREAM, 0, 1, b"\0\0\0\0\0"),
         connection_error(FRAME_SIZE_ERROR)),
    Case("6.5", "an acknowledgement with content", lambda c: frame(SETTINGS, ACK, 0, b"\0" * 6),
         connection_error(FRAME_SIZE_ERROR)),
    Case("6.5", "SETTINGS on a stream", lambda c: frame(SETTINGS, 0, 1, b""), connection_error(PROTOCOL_ERROR)),
    Case("6.5", "SETTINGS of 5 octets", lambda c: frame(SETTINGS, 0, 0, b"\0" * 5), connection_error(FRAME_SIZE_ERROR)),
    Case("6.5.2", "ENABLE_PUSH of 2", lambda c: settings((h2.ENABLE_PUSH, 2)), connection_error(PROTOCOL_ERROR)),
    Case("6.5.2", "ENABLE_PUSH of 1", lambda c: settings((h2.ENABLE_PUSH, 1)), ALIVE),
    Case("6.5.2", "a window of 2^31", lambda c: settings((h2.INITIAL_WINDOW_SIZE, 1 << 31)),
         connection_error(FLOW_CONTROL_ERROR)),
    Case("6.5.2", "frames of less than 2^14", lambda c: settings((h2.MAX_FRAME_SIZE, 16383)), connection_error(PROTOCOL_ERROR)),
    Case("6.5.2", "frames of 2^24", lambda c: settings((h2.MAX_FRAME_SIZE, 1 << 24)), connection_error(PROTOCOL_ERROR)),
    Case("6.5.2", "frames of 2^24 - 1", lambda c: settings((h2.MAX_FRAME_SIZE, (1 << 24) - 1)) + get(c), {200}),
    Case("6.5.2", "a setting that nobody knows", lambda c: settings((0xFFFF, 7)) + get(c), {200}),
    Case("6.5.3", "the last of two values counts", lambda c: settings((h2.INITIAL_WINDOW_SIZE, 1 << 20),
         (h2.INITIAL_WINDOW_SIZE, 0), (h2.INITIAL_WINDOW_SIZE, 100)) + get(c), {200}, STALLED),
    Case("6.6", "PUSH_PROMISE from a client", lambda c: post(c) + frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2" +
         c.block(fields_of())), connection_error(PROTOCOL_ERROR)),
    Case("6.7", "PING on a stream", lambda c: frame(PING, 0, 1, b"12345678"), connection_error(PROTOCOL_ERROR)),
    Case("6.7", "PING of 7 octets", lambda c: frame(PING, 0, 0, b"1234567"), connection_error(FRAME_SIZE_ERROR)),
    Case("6.7", "PING of 9 octets", lambda c: frame(PING, 0, 0, b"123456789"), connection_error(FRAME_SIZE_ERROR)),
    Case("6.7", "the answer to a PING that nobody sent", lambda c: ping(flags=ACK), ALIVE),
    Case("6.8", "GOAWAY on a stream", lambda c: frame(GOAWAY, 0, 1, b"\0" * 8), connection_error(PROTOCOL_ERROR)),
    Case("6.8", "GOAWAY of 7 octets", lambda c: frame(GOAWAY, 0, 0, b"\0" * 7), connection_error(FRAME_SIZE_ERROR)),
    Case("6.9", "no increment, for the connection", lambda c: window_update(0, 0), connection_error(PROTOCOL_ERROR)),
    Case("6.9", "no increment, for a stream", lambda c: get(c) + window_update(1, 0), stream_error(PROTOCOL_ERROR), STALLED),
    Case("6.9", "WINDOW_UPDATE of 3 octets", lambda c: frame(WINDOW_UPDATE, 0, 0, b"\0\0\1"),
         connection_error(FRAME_SIZE_ERROR)),
    Case("6.9", "WINDOW_UPDATE of 5 octets, for a stream", lambda c: get(c) + frame(WINDOW_UPDATE, 0, 1, b"\0\0\0\0\1"),
         connection_error(FRAME_SIZE_ERROR), STALLED),
    Case("6.9.1", "the connection's window beyond 2^31 - 1", lambda c: window_update(0, 2**31 - 1),
         connection_error(FLOW_CONTROL_ERROR)),
    Case("6.9.1", "a stream's window beyond 2^31 - 1", lambda c: get(c, fields=fields_of(path="/large"))
         + window_update(1, 2**31 - 1 - h2.WINDOW) + window_update(1, h2.WINDOW + 1), stream_error(FLOW_CONTROL_ERROR), STALLED),
    Case("6.9.1", "and just up to it", lambda c: get(c) + window_update(1, 2**31 - 2) + window_update(1, 1), {200}, STALLED),
    Case("6.9.1", "more content than the stream's window", lambda c: post(c, path="/receive?ms=1000") +
         frame(DATA, 0, 1, b"x" * 16384) * 65, either(FLOW_CONTROL_ERROR)),
    Case("6.9.2", "a change that takes windows of streams beyond 2^31 - 1", lambda c: get(c, fields=fields_of(path="/large"))
         + window_update(1, 2**31 - 1) + settings((h2.INITIAL_WINDOW_SIZE, 1)), connection_error(FLOW_CONTROL_ERROR), STALLED),
    Case("6.10", "a block in three frames", split, {200}),
    Case("6.10", "the same, of empty frames too", lambda c: split(c, *[frame(CONTINUATION, 0, 1)] * 3), {200}),
    Case("6.10", "DATA instead of CONTINUATION", lambda c: split(c, last=DATA), connection_error(PROTOCOL_ERROR)),
    Case("6.10", "CONTINUATION on stream 0", lambda c: frame(HEADERS, END_STREAM, 1, c.block(fields_of())) +
         frame(CONTINUATION, END_HEADERS, 0, b""), connection_error(PROTOCOL_ERROR)),
    Case("6.10", "CONTINUATION of another stream", lambda c: frame(HEADERS, END_STREAM, 1, c.block(fields_of())) +
         frame(CONTINUATION, END_HEADERS, 3, b""), connection_error(PROTOCOL_ERROR)),
    Case("6.10", "CONTINUATION behind the end of a block", lambda c: post(c) + frame(CONTINUATION, END_HEADERS, 1, b""),
         connection_error(PROTOCOL_ERROR)),
    Case("6.10", "CONTINUATION behind another one's end", lambda c: split(c) + frame(CONTINUATION, END_HEADERS, 1, b""),
         connection_error(PROTOCOL_ERROR), STALLED),
    Case("6.10", "CONTINUATION behind DATA", lambda c: post(c) + frame(DATA, 0, 1, b"x") + frame(CONTINUATION, END_HEADERS, 1),
         connection_error(PROTOCOL_ERROR)),
    Case("7", "a reset with a code that nobody knows", lambda c: post(c) + reset(1, 0xFFFFFFFF), ALIVE),
    Case("7", "GOAWAY with a code that nobody knows", lambda c: frame(GOAWAY, 0, 0, b"\0\0\0\0\0\0\0\xff") + get(c),
         {200, "ended without a word"} | connection_error(h2.NO_ERROR)),

    # RFC 9113 8: messages
    Case("8.1", "HEADERS behind HEADERS that do not end the stream", lambda c: post(c) + frame(HEADERS, END_HEADERS, 1,
         c.block([("x-trailer", "x")])), stream_error(PROTOCOL_ERROR)),
    Case("8.1", "trailers", lambda c: post(c) + frame(DATA, 0, 1, b"x") + trailers(c, ("x-trailer", "x")), {200}),
    Case("8.1", "a pseudo field among trailers", lambda c: post(c) + trailers(c, (":path", "/")), stream_error(PROTOCOL_ERROR)),
    Case("8.1.1", "more content than was announced", lambda c: post(c, more=[("content-length", "1")]) +
         frame(DATA, END_STREAM, 1, b"xx"), stream_error(PROTOCOL_ERROR)),
    Case("8.1.1", "less content than was announced", lambda c: post(c, more=[("content-length", "5")]) +
         frame(DATA, 0, 1, b"x") + frame(DATA, END_STREAM, 1, b"xx"), stream_error(PROTOCOL_ERROR)),
    Case("8.1.1", "no content where some was announced", lambda c: get(c, fields=fields_of("POST", "/receive",
         [("content-length", "5")])), stream_error(PROTOCOL_ERROR)),
    Case("8.1.1", "as much as was announced", lambda c: post(c, more=[("content-length", "3")]) + frame(DATA, 0, 1, b"x") +
         frame(DATA, END_STREAM, 1, b"xx"), {200}),
    Case("8.1.1", "two lengths", lambda c: post(c, more=[("content-length", "1"), ("content-length", "2")]) +
         frame(DATA, END_STREAM, 1, b"x"), stream_error(PROTOCOL_ERROR)),
    Case("8.1.1", "a length that is none", lambda c: post(c, more=[("content-length", "+1")]) +
         frame(DATA, END_STREAM, 1, b"x"), stream_error(PROTOCOL_ERROR)),
    Case("8.2.1", "a name with a capital", lambda c: fields(c, ("X-test", "ok")), stream_error(PROTOCOL_ERROR)),
    Case("8.2.1", "a name with a space", lambda c: fields(c, ("x test", "ok")), stream_error(PROTOCOL_ERROR)),
    Case("8.2.1", "a name with a colon within", lambda c: fields(c, ("x:test", "ok")), stream_error(PROTOCOL_ERROR)),
    Case("8.2.1", "an empty name", lambda c: fields(c, ("", "ok")), stream_error(PROTOCOL_ERROR)),
    Case("8.2.1", "a value with NUL", lambda c: fields(c, ("x", "a\0b")), stream_error(PROTOCOL_ERROR)),
    Case("8.2.1", "a value with CR", lambda c: fields(c, ("x", "a\rb")), stream_error(PROTOCOL_ERROR)),
    Case("8.2.1", "a value with LF", lambda c: fields(c, ("x", "a\nb")), stream_error(PROTOCOL_ERROR)),
    Case("8.2.1", "a value that begins with a space", lambda c: fields(c, ("x", " a")), stream_error(PROTOCOL_ERROR)),
    Case("8.2.1", "a value that ends with a tab", lambda c: fields(c, ("x", "a\t")), stream_error(PROTOCOL_ERROR)),
    Case("8.2.2", "Connection", lambda c: fields(c, ("connection", "keep-alive")), stream_error(PROTOCOL_ERROR)),
    Case("8.2.2", "Keep-Alive", lambda c: fields(c, ("keep-alive", "timeout=5")), stream_error(PROTOCOL_ERROR)),
    Case("8.2.2", "Proxy-Connection", lambda c: fields(c, ("proxy-connection", "close")), stream_error(PROTOCOL_ERROR)),
    Case("8.2.2", "Transfer-Encoding", lambda c: fields(c, ("transfer-encoding", "chunked")), stream_error(PROTOCOL_ERROR)),
    Case("8.2.2", "Upgrade", lambda c: fields(c, ("upgrade", "websocket")), stream_error(PROTOCOL_ERROR)),
    Case("8.2.2", "TE other than trailers", lambda c: fields(c, ("te", "trailers, deflate;q=0.5")), stream_error(PROTOCOL_ERROR)),
    Case("8.2.2", "TE: trailers", lambda c: fields(c, ("te", "trailers")), {200}),
    Case("8.3", "a pseudo field that nobody knows", lambda c: fields(c, test="ok"), stream_error(PROTOCOL_ERROR)),
    Case("8.3", "a pseudo field of responses", lambda c: fields(c, status="200"), stream_error(PROTOCOL_ERROR)),
    Case("8.3", "a pseudo field behind others", lambda c: get(c, fields=fields_of(path=None, more=[("x", "y"),
         (":path", "/text")])), stream_error(PROTOCOL_ERROR)),
    Case("8.3.1", "an empty path", lambda c: fields(c, path=""), stream_error(PROTOCOL_ERROR)),
    Case("8.3.1", "no method", lambda c: fields(c, method=None), stream_error(PROTOCOL_ERROR)),
    Case("8.3.1", "no scheme", lambda c: fields(c, scheme=None), stream_error(PROTOCOL_ERROR)),
    Case("8.3.1", "no path", lambda c: fields(c, path=None), stream_error(PROTOCOL_ERROR)),
    *[Case("8.3.1", f"two of {name}", lambda c, name=name, value=value: get(c, fields=fields_of(path="/text") + [(name, value)]),
           stream_error(PROTOCOL_ERROR)) for name, value in fields_of(path="/text")],
    Case("8.3.1", "an authority and another Host", lambda c: fields(c, ("host", "other")), stream_error(PROTOCOL_ERROR) | {400}),
    Case("8.3.1", "an authority and the same Host", lambda c: fields(c, ("host", "test")), {200}),
    Case("8.3.1", "a Host alone", lambda c: fields(c, ("host", "test"), authority=None), {200}),
    Case("8.3.1", "neither", lambda c: fields(c, authority=None), stream_error(PROTOCOL_ERROR) | {400}),
    Case("8.3.1", "a user in the authority", lambda c: fields(c, authority="me@test"), stream_error(PROTOCOL_ERROR) | {400}),
    Case("8.3.1", "a path without a slash", lambda c: fields(c, path="text"), stream_error(PROTOCOL_ERROR) | {400}),
    Case("8.5", "CONNECT with a path", lambda c: fields(c, method="CONNECT"), stream_error(PROTOCOL_ERROR) | {405, 501}),

    # RFC 7541
    Case("7541 2.3.3", "index 0", raw("80"), connection_error(COMPRESSION_ERROR)),
    Case("7541 2.3.3", "an index beyond the tables", raw("be"), connection_error(COMPRESSION_ERROR)),
    Case("7541 4.2", "a change of size behind a field", raw("20"), connection_error(COMPRESSION_ERROR)),
    Case("7541 5.1", "a number of 33 bits", raw("ff81ffffff0f"), connection_error(COMPRESSION_ERROR)),
    Case("7541 5.2", "padding of 8 bits", raw("0085f2b24a84ff" "83497fff"), connection_error(COMPRESSION_ERROR)),
    Case("7541 5.2", "zeros for padding", raw("0085f2b24a84ff" "8349509e"), connection_error(COMPRESSION_ERROR)),
    Case("7541 5.2", "EOS", raw("0085f2b24a87ff" "ffffff"), connection_error(COMPRESSION_ERROR)),
    Case("7541 6.1", "literals of all kinds", raw("400161" "0162" "000163" "0164" "100165" "0166" "be" "7e0167"), {200}),
    Case("7541 6.3", "a change to more than the setting", lambda c: get(c, before=b"\x3f\xe2\x1f"),
         connection_error(COMPRESSION_ERROR)),
    Case("7541 6.3", "a change to less, and back", lambda c: get(c, before=b"\x20\x3f\xe1\x1f"), {200}),

    # RFC 9218
    Case("9218 7.1", "PRIORITY_UPDATE on a stream", lambda c: frame(PRIORITY_UPDATE, 0, 1, b"\0\0\0\1u=1"),
         connection_error(PROTOCOL_ERROR)),
    Case("9218 7.1", "PRIORITY_UPDATE of stream 0", lambda c: frame(PRIORITY_UPDATE, 0, 0, b"\0\0\0\0u=1"),
         connection_error(PROTOCOL_ERROR)),
    Case("9218 7.1", "PRIORITY_UPDATE of 3 octets", lambda c: frame(PRIORITY_UPDATE, 0, 0, b"\0\0\0"),
         connection_error(FRAME_SIZE_ERROR)),
    Case("9218 7.1", "PRIORITY_UPDATE before its stream", lambda c: frame(PRIORITY_UPDATE, 0, 0, b"\0\0\0\1u=1, i") + get(c),
         {200}),
    Case("9218 4", "a priority that is none", lambda c: fields(c, ("priority", "u=9, ???")), {200}),
]


@pytest.fixture(scope="module")
def server_of_all(tmp_path_factory):
    """One for all cases: none of them may harm it."""
    scratch = tmp_path_factory.mktemp("h2")
    folder = scratch / "uploads"
    folder.mkdir()
    program = RAWHTTPD.parent / "tests" / "e2e" / "everything"
    if not program.exists():
        pytest.skip("the tests' own programs were not built")
    server = Program([program, folder], scratch, ready=r"listening on http://[^:]*:(\d+)").await_ready()
    yield server
    server.verify()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.section}: {case.what}")
def test_what_the_rfc_asks_for(server_of_all, case):
    with Connection(server_of_all.address, greet=case.greet) as c:
        if case.greet is not None:
            c.settle()
        c.send(case.make(c))
        assert c.verdict(answer=case.expected is not ALIVE) in case.expected
    with Connection(server_of_all.address) as c:
        assert c.get("/text").status == 200

"""Requests of every kind that everything.c answers, and whether all that they began has ended."""
import json

from client import make_request
from program import wait_until

KEY = {"connection": "Upgrade", "upgrade": "websocket", "sec_websocket_version": "13",
       "sec_websocket_key": "dGhlIHNhbXBsZSBub25jZQ=="}
DEFLATE = {**KEY, "sec_websocket_extensions": "permessage-deflate"}


def state_of(server):
    return json.loads(server.ask("/state").body)


def chunked(*pieces, trailer=b""):
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n" + trailer + b"\r\n"


def form(*parts):
    """Each a name, a file's name or None, and the content."""
    body = b""
    for name, filename, content in parts:
        file = f'; filename="{filename}"' if filename else ""
        body += f'--b\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content + b"\r\n"
    return body + b"--b--\r\n"


def frame(first, payload=b"", mask=b"\x01\x02\x03\x04"):
    size = len(payload)
    head = bytes([first, 0x80 | size]) if size < 126 else bytes([first, 0xfe]) + size.to_bytes(2, "big")
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


MULTIPART = {"method": "POST", "content_type": "multipart/form-data; boundary=b"}
FORM = form(("text", None, b"x" * 5000), ("slow", None, b"y"), ("file", "a", b"f" * 100_000), ("last", "b", b"z"))
FRAMES = (frame(0x81, b"hello") + frame(0x01, b"in ") + frame(0x89, b"ping") + frame(0x80, b"fragments") +
          frame(0x82, b"\x00" * 3000) + frame(0x81, b"close") + frame(0x88, b"\x0b\xb8"))

# What answers each, and its status where nothing goes wrong.
REQUESTS = {
    "text": ({"target": "/text"}, 200),
    "json": ({"target": "/api/list", "accept_encoding": "gzip, br, zstd", "origin": "https://app.example"}, 200),
    "a range": ({"target": "/api/list", "range": "bytes=1-9"}, 206),
    "unchanged": ({"target": "/api/list", "if_none_match": '"list"'}, 304),
    "preflight": ({"target": "/api/list", "method": "OPTIONS", "origin": "https://app.example",
                   "access_control_request_method": "GET"}, 204),
    "fields": ({"target": "/fields?a=b&c", "cookie": "a=b; c=d", "x_forwarded_for": "1.2.3.4, 5.6.7.8"}, 200),
    "a form": ({"target": "/fields", "method": "POST", "body": b"name=%41&b=c",
                "content_type": "application/x-www-form-urlencoded"}, 200),
    "a file": ({"target": "/file"}, 200),
    "part of a file": ({"target": "/file", "range": "bytes=0-99,200-299"}, 206),
    "a descriptor": ({"target": "/descriptor", "range": "bytes=-100000"}, 206),
    "a redirect": ({"target": "/redirect"}, 303),
    "prepared": ({"target": "/prepared"}, 200),
    "large": ({"target": "/large"}, 200),
    "a stream": ({"target": "/stream"}, 200),
    "a packed stream": ({"target": "/stream", "accept_encoding": "gzip"}, 200),
    "a pipe": ({"target": "/pipe"}, 200),
    "events": ({"target": "/events"}, 200),
    "packed events": ({"target": "/events", "accept_encoding": "gzip"}, 200),
    "events of a topic": ({"target": "/topic"}, 200),
    "background": ({"target": "/background"}, 200),
    "a wait": ({"target": "/wait"}, 200),
    "late": ({"target": "/late/text"}, 200),
    "receive": ({"target": "/receive", "method": "POST", "body": b"r" * 50_000}, 200),
    "receive slowly": ({"target": "/receive?ms=1", "method": "POST", "body": b"r" * 300_000}, 200),
    "receive chunks": ({"target": "/receive?ms=1", "method": "POST", "transfer_encoding": "chunked",
                        "body": chunked(b"r" * 1000, b"s", b"t" * 70_000, trailer=b"X-Trailer: y\r\n")}, 200),
    "receive late": ({"target": "/late/receive", "method": "POST", "body": b"r" * 50_000}, 200),
    "parts": ({"target": "/parts", **MULTIPART, "body": FORM}, 200),
    "parts in chunks": ({"target": "/parts", **MULTIPART, "transfer_encoding": "chunked",
                         "body": chunked(FORM[:20], FORM[20:70_000], FORM[70_000:])}, 200),
    "uploads": ({"target": "/uploads", **MULTIPART, "body": FORM}, 200),
    "a websocket": ({"target": "/ws", **KEY, "body": FRAMES, "content_length": None}, 101),
    "a packed websocket": ({"target": "/ws", **DEFLATE, "body": FRAMES, "content_length": None}, 101),
    "a late websocket": ({"target": "/late/ws", **KEY}, 101),
    "nothing": ({"target": "/nothing", "accept": "application/json"}, 404),
}
ENDLESS = ("events of a topic", "a websocket", "a packed websocket", "a late websocket")


def bytes_of(name):
    return make_request(**{"method": "GET", **REQUESTS[name][0]})


def is_settled(state):
    return (state["requests"] == state["requests_ended"] + 1 and  # the one that asks
            all(state[what] == state[ended] for what, ended in
                (("pipes", "pipes_closed"), ("sockets", "sockets_closed"), ("streams", "streams_done"))) and
            state["writers"] == 0 and state["members"] == 0)


def settle(server, sockets):
    wait_until(lambda: server.count_sockets() <= sockets, "the connections to be closed")
    wait_until(lambda: is_settled(state_of(server)), "everything to end once")

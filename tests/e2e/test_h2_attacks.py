"""What is known to have brought HTTP/2 servers down. Each attack is carried on until the server ends it, or for as long as is
told here; meanwhile somebody else is served, memory and CPU time stay bounded, and afterwards nothing is left."""
import contextlib
import struct
import time

import h2client as h2
import pytest
from client import Ended
from h2client import (CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, HEADERS, INITIAL_WINDOW_SIZE, PRIORITY,
                PRIORITY_UPDATE, Connection, GoneAway, Reset, fields_of, frame, head, ping, reset, settings, window_update)
from program import sanitizer, wait_until

MIB = 1 << 20
MEMORY = 16 * MIB  # not with sanitizers, which keep what was freed
SECONDS = 20 if sanitizer() else 4


class Watch:
    """What a server has used since it was made, with somebody else asking all the while."""

    def __init__(self, server, path="/"):
        self.server, self.path = server, path
        self.other = Connection(server.address)
        for _ in range(200):  # what a server takes once
            assert self.other.get(path).status == 200
        self.memory, self.cpu, self.most = server.memory(), server.cpu_seconds(), 0

    def look(self):
        assert self.other.get(self.path).status == 200
        self.most = max(self.most, self.server.memory() - self.memory)

    def verify(self):
        """Bounded while it went on, and at rest when it is over."""
        self.look()
        used = self.server.cpu_seconds() - self.cpu
        assert sanitizer() or self.most < MEMORY, f"{self.most / MIB:.1f} MiB"
        assert used < SECONDS, f"{used:.1f} s of CPU time"
        wait_until(lambda: self.server.cpu_share(0.2) < 0.2, "the server to rest")
        self.look()
        self.other.close()


@pytest.fixture
def watch():
    watches = []

    def begin(server, path="/"):
        watches.append(Watch(server, path))
        return watches[-1]
    yield begin
    for each in watches:
        each.verify()


def answers(c):
    """Takes what has come; the code of GOAWAY, or None."""
    while c.has_input():
        try:
            c.step()
        except Reset:
            pass
        except GoneAway as problem:
            return problem.code
        except Ended:
            return "ended"
    return None


def flood(c, watch, pieces, *, reads=True):
    """Sends the pieces until the server has had enough: the code of GOAWAY, or None where it took all of them. One that
    stops reading while its answers are not read is left waiting: "blocked"."""
    c.socket.settimeout(1)
    for n, piece in enumerate(pieces):
        try:
            c.send(piece)
        except TimeoutError:
            watch.look()
            return "blocked"
        except OSError:
            break
        if reads and (code := answers(c)) is not None:
            return code
        if n % 50 == 0:
            watch.look()
    c.socket.settimeout(h2.PATIENCE)
    with contextlib.suppress(OSError):
        c.send(ping(b"settled?"))
    while True:
        try:
            if (c.step() if reads else c.next_frame()).payload == b"settled?":
                return None
        except Reset:
            pass
        except GoneAway as problem:
            return problem.code
        except Ended:
            return "ended"


def opened(c, stream, *, method="GET", path="/", flags=END_STREAM):
    return frame(HEADERS, END_HEADERS | flags, stream, c.block(fields_of(method, path)))


def literal(text):
    """A string of HPACK as it is: hpack takes a second for long ones."""
    size, octets = len(text), text.encode()
    if size < 127:
        return bytes([size]) + octets
    more, size = b"", size - 127
    while size >= 128:
        more, size = more + bytes([size % 128 + 128]), size // 128
    return b"\x7f" + more + bytes([size]) + octets


def batches(pieces, size=100):
    batch = []
    for piece in pieces:
        batch.append(piece)
        if len(batch) == size:
            yield b"".join(batch)
            batch = []
    yield b"".join(batch)


# ---- Streams that come to nothing ----

@pytest.mark.parametrize("path", ["/text", "/background", "/large", "/stream", "/receive"])
def test_rapid_reset(everything, watch, path):
    """CVE-2023-44487: requests that are taken back at once, whoever would answer them."""
    server = everything()
    watching = watch(server, "/text")
    with Connection(server.address) as c:
        method = "POST" if path == "/receive" else "GET"
        streams = (opened(c, 2 * n + 1, path=path, method=method, flags=0 if method == "POST" else END_STREAM)
                   + reset(2 * n + 1) for n in range(50_000))
        assert flood(c, watching, batches(streams)) == ENHANCE_YOUR_CALM


CAUSES = {
    "no increment": lambda stream: window_update(stream, 0),
    "too much window": lambda stream: window_update(stream, 2**31 - 1),
    "too little for PRIORITY": lambda stream: frame(PRIORITY, 0, stream, b"\0"),
    "trailers without an end": lambda stream: frame(HEADERS, END_HEADERS, stream, b"\x00\x01x\x01y"),
    "content beyond what was announced": lambda stream: frame(DATA, END_STREAM, stream, b"xx"),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_resets_that_the_server_is_made_to_send(everything, watch, cause):
    """CVE-2025-8671: the same, but the client makes a mistake and the server does the resetting."""
    server = everything()
    watching = watch(server, "/text")
    with Connection(server.address) as c:
        streams = (frame(HEADERS, END_HEADERS, 2 * n + 1, c.block(fields_of("POST", "/receive", [("content-length", "1")])))
                   + CAUSES[cause](2 * n + 1) for n in range(50_000))
        assert flood(c, watching, batches(streams)) == ENHANCE_YOUR_CALM


def test_requests_that_are_malformed(serve, watch):
    """Each is refused by a reset of its stream."""
    server = serve()
    watching = watch(server)
    with Connection(server.address) as c:
        streams = (frame(HEADERS, END_HEADERS | END_STREAM, 2 * n + 1, c.block([(":method", "GET")])) for n in range(50_000))
        assert flood(c, watching, batches(streams)) == ENHANCE_YOUR_CALM


def test_more_streams_than_there_may_be(everything, watch):
    """A hundred thousand, none of which ever gets a window."""
    server = everything()
    watching = watch(server, "/text")
    with Connection(server.address, greet=[(INITIAL_WINDOW_SIZE, 0)]) as c:
        streams = (opened(c, 2 * n + 1, path="/prepared") for n in range(100_000))
        assert flood(c, watching, batches(streams)) == ENHANCE_YOUR_CALM


# ---- Frames that carry nothing ----

@pytest.mark.parametrize("size", [0, 1, 1000, 16384])
def test_continuation_flood(serve, watch, size):
    """CVE-2024-27316 and others: a block of fields that never ends."""
    server = serve()
    watching = watch(server)
    literal = b"\x00\x01x\x7f\x80\x7f" + b"y" * 16383  # never a whole field of it at a frame's end
    with Connection(server.address) as c:
        c.send(frame(HEADERS, END_STREAM, 1, c.block(fields_of())))
        pieces = (frame(CONTINUATION, 0, 1, literal[:size]) for _ in range(20_000))
        code = flood(c, watching, pieces)
        assert code in (ENHANCE_YOUR_CALM, h2.COMPRESSION_ERROR, h2.PROTOCOL_ERROR), code


NOTHINGS = {
    "SETTINGS": lambda n: settings(),
    "SETTINGS with a change": lambda n: settings((INITIAL_WINDOW_SIZE, n % 1000), (h2.HEADER_TABLE_SIZE, n % 4096)),
    "PING": lambda n: ping(),
    "PRIORITY": lambda n: frame(PRIORITY, 0, 2 * n + 3, struct.pack(">IB", 0, n % 256)),
    "PRIORITY_UPDATE": lambda n: frame(PRIORITY_UPDATE, 0, 0, struct.pack(">I", 2 * n + 3) + b"u=1"),
    "PRIORITY_UPDATE of one": lambda n: frame(PRIORITY_UPDATE, 0, 0, struct.pack(">I", 1) + b"u=%d" % (n % 8)),
    "unknown frames": lambda n: frame(0x77),
    "WINDOW_UPDATE": lambda n: window_update(0, 1),
    "empty DATA": lambda n: frame(DATA, 0, 1),
    "DATA of padding": lambda n: frame(DATA, h2.PADDED, 1, b"\xff" + b"\0" * 255),
}


@pytest.mark.parametrize("reads", [True, False], ids=["read", "not read"])
@pytest.mark.parametrize("what", NOTHINGS)
def test_floods_of_frames(everything, watch, what, reads):
    """A hundred thousand of each, by a client that reads the answers, and by one that does not."""
    server = everything()
    watching = watch(server, "/text")
    with Connection(server.address, receive_buffer=None if reads else 4096) as c:
        c.settle()
        c.send(opened(c, 1, method="POST", path="/receive", flags=0))
        pieces = batches(map(NOTHINGS[what], range(100_000)))
        code = flood(c, watching, pieces, reads=reads)
        assert code == ENHANCE_YOUR_CALM or (not reads and code in ("ended", "blocked")), code


def test_content_of_one_octet_a_frame(everything, watch):
    """Slow, but an upload: it is taken whole, or refused as a flood; and costs what so many frames may cost."""
    server = everything()
    watching = watch(server, "/text")
    with Connection(server.address) as c:
        c.send(opened(c, 1, method="POST", path="/receive", flags=0))
        code = flood(c, watching, batches(frame(DATA, 0, 1, b"x") for _ in range(60_000)))
        assert code in (None, ENHANCE_YOUR_CALM)
        if code is None:
            c.send(frame(DATA, END_STREAM, 1))
            assert c.read(1).status == 200


# ---- Fields ----

def test_hpack_bomb(serve, watch):
    """An entry of 4,000 octets, and thousands of references to it: 60 MB a block, which nobody ever sees whole."""
    server = serve()
    watching = watch(server)
    value = b"y" * 4000
    with Connection(server.address) as c:
        first = c.block(fields_of()) + b"\x40\x01x\x7f\xa1\x1e" + value
        c.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, first))
        assert c.read(1).status == 200
        bomb = c.block(fields_of()) + b"\xbe" * 16_000
        for n in range(200):
            c.send(frame(HEADERS, END_HEADERS | END_STREAM, 2 * n + 3, bomb))
            try:
                assert c.read(2 * n + 3).status == 431
            except GoneAway as problem:
                assert problem.code == ENHANCE_YOUR_CALM and n > 10
                break
            if n % 10 == 0:
                watching.look()


@pytest.mark.parametrize("more", [[("x", "y" * 60_000)], [(f"x-{n}", "") for n in range(2000)], [("cookie", "a=b")] * 5000],
                         ids=["one field", "many fields", "many cookies"])
def test_heads_that_are_too_large(serve, watch, more):
    """Each is a 431 for its stream, for as long as the client goes on."""
    server = serve()
    watching = watch(server)
    with Connection(server.address) as c:
        block = b"".join(b"\0" + literal(name) + literal(value) for name, value in fields_of(more=more))
        for _ in range(100):
            stream = c.new_stream()
            c.send(head(stream, block))
            assert c.read(stream).status == 431
        watching.look()


def test_a_table_that_is_filled_and_emptied(serve, watch):
    """Tens of thousands of changes of its size, two a block, and an entry each that fills it."""
    server = serve()
    watching = watch(server)
    with Connection(server.address) as c:
        request = bytes.fromhex("828684 010474657374")
        for n in range(2000):
            field = b"\x40\x01x\x7f\xa1\x1e" + bytes([ord("a") + n % 26]) * 4000
            c.send(frame(HEADERS, END_HEADERS | END_STREAM, 2 * n + 1, b"\x20\x3f\xe1\x1f" + request + field))
            assert c.read(2 * n + 1).status == 200
            if n % 100 == 0:
                watching.look()


# ---- Clients that do not take what they asked for ----

def stall(server, clients, streams, window, path):
    """So many connections with so many requests each, which are given this window and no more."""
    stalled = []
    for _ in range(clients):
        c = Connection(server.address, greet=[(INITIAL_WINDOW_SIZE, window)], takes=False, receive_buffer=4096)
        c.send(*[opened(c, 2 * n + 1, path=path) for n in range(streams)])
        stalled.append(c)
    return stalled


@pytest.mark.parametrize("window", [0, 1, 2**31 - 1], ids=["no window", "one octet", "windows, but no reading"])
@pytest.mark.parametrize("path", ["/large", "/file", "/stream"])
def test_stalled_streams(everything, watch, path, window):
    """20 connections of 100 streams: content that a handler has copied, from a file, and made on the way. All that waits
    together has a ceiling, beyond which requests are refused; small ones of others are not."""
    server = everything("1", "1000", 16 * MIB)
    watching = watch(server, "/text")
    watching.memory += 16 * MIB
    stalled = stall(server, 20, 100, window, path)
    wait_until(lambda: server.cpu_share(0.2) < 0.2, "the server to have done what it can")
    watching.look()
    for c in stalled:
        c.close()


@pytest.mark.parametrize("window", [0, 1, 100_000])
def test_stalled_streams_are_given_up(serve, site, watch, window):
    """After the time that a client has for a response (data dribble, CVE-2019-9511, and zero windows)."""
    site.put("large.bin", 5_000_000)
    server = serve("--send-timeout", "500ms", "--idle-timeout", "500ms")
    watching = watch(server)
    watching.other.close()
    before = server.count_sockets()
    stalled = stall(server, 5, 20, window, "/large.bin")
    wait_until(lambda: server.count_sockets() > before - 1, "them to be there")
    wait_until(lambda: server.count_sockets() <= before, "them to be given up")
    for c in stalled:
        c.close()
    watching.other = Connection(server.address)


def test_windows_that_are_opened_by_one_octet(everything, watch):
    """Data dribble: a WINDOW_UPDATE for every octet, for as long as the server takes part in it."""
    server = everything()
    watching = watch(server, "/text")
    with Connection(server.address, greet=[(INITIAL_WINDOW_SIZE, 0)], takes=False) as c:
        c.send(opened(c, 1, path="/large"))
        code = flood(c, watching, batches(window_update(1, 1) for _ in range(50_000)))
        assert code in (None, ENHANCE_YOUR_CALM)


@pytest.mark.parametrize("said", [b"", h2.PREFACE[:10], h2.PREFACE, h2.PREFACE + settings() + frame(HEADERS, 0, 1, b"\x82"),
                                  h2.PREFACE + settings() + frame(HEADERS, 4, 1, b"\x82" * 20, size=40)],
                         ids=["nothing", "half a preface", "no settings", "half a block", "half a frame"])
def test_clients_that_say_no_more(serve, watch, said):
    """A beginning that is not gone on with, whatever it is, ends after the time that a head has."""
    server = serve("--head-timeout", "300ms", "--idle-timeout", "300s")
    watching = watch(server)
    connections = [Connection(server.address, greet=None) for _ in range(20)]
    since = time.monotonic()
    for c in connections:
        c.send(said)
    for c in connections:
        assert c.ends()
        c.close()
    assert time.monotonic() - since >= 0.25
    watching.look()


def test_many_connections_that_do_nothing(serve, watch, many_descriptors):
    """Memory for each: what the server needs for it, and what the kernel's buffers do not count."""
    many_descriptors(4096)
    server = serve()
    watching = watch(server)
    connections = []
    for _ in range(1000):
        c = Connection(server.address)
        assert c.get("/").status == 200
        connections.append(c)
    watching.look()
    assert sanitizer() or watching.most / len(connections) < 4096
    for c in connections:
        c.close()

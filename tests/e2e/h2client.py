"""An HTTP/2 client over plain sockets which does what it is told, wrong frames too. What comes is taken apart by hyperframe
and hpack, which are strict and not ours. It knows nothing of the program under test."""
import contextlib
import select
import socket
import struct
from collections import namedtuple

from client import PATIENCE, Ended
from hpack import Decoder, Encoder
from hyperframe.frame import Frame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
PRIORITY_UPDATE = 16
ACK, END_STREAM, END_HEADERS, PADDED, WITH_PRIORITY = 1, 1, 4, 8, 32

NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR, \
    REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM = range(12)

HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = range(1, 7)

WINDOW, FRAME_SIZE = 65535, 16384  # what both sides may send before anything is said

Got = namedtuple("Got", "type flags stream payload frame")  # `frame` is hyperframe's


def frame(kind, flags=0, stream=0, payload=b"", *, size=None):
    """The bytes of a frame, with another size than it has if that is wanted."""
    size = len(payload) if size is None else size
    return struct.pack(">I", size)[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(*pairs):
    return frame(SETTINGS, payload=b"".join(struct.pack(">HI", *pair) for pair in pairs))


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, stream=stream, payload=struct.pack(">I", increment))


def reset(stream, code=CANCEL):
    return frame(RST_STREAM, stream=stream, payload=struct.pack(">I", code))


def ping(payload=b"8 octets", flags=0):
    return frame(PING, flags, payload=payload)


def head(stream, block, flags=END_STREAM):
    """A header block in as many frames as it needs."""
    pieces = [block[at:at + FRAME_SIZE] for at in range(0, len(block), FRAME_SIZE)] or [b""]
    last = len(pieces) - 1
    return b"".join(frame(CONTINUATION if n else HEADERS, (0 if n else flags) | (END_HEADERS if n == last else 0), stream, piece)
                    for n, piece in enumerate(pieces))


def fields_of(method="GET", path="/", more=(), **pseudo):
    """A request's fields; what is None is left out."""
    given = {"method": method, "scheme": "http", "path": path, "authority": "test", **pseudo}
    return [(f":{name}", value) for name, value in given.items() if value is not None] + list(more)


class Reset(Exception):
    """The server has ended a stream."""

    def __init__(self, stream, code):
        super().__init__(f"stream {stream} was reset, {code}")
        self.stream, self.code = stream, code


class GoneAway(Exception):
    """The server has said that the connection ends."""

    def __init__(self, last_stream, code, text=b""):
        super().__init__(f"GOAWAY: {code} {text!r}, the last stream is {last_stream}")
        self.last_stream, self.code = last_stream, code


class Response:
    def __init__(self, fields):
        names = [name for name, _ in fields]
        assert names[0] == ":status" and not any(name.startswith(":") for name in names[1:]), fields
        assert not any(name != name.lower() for name in names), fields
        self.status, self.fields = int(fields[0][1]), fields[1:]
        self.body, self.trailers, self.ended = b"", None, False

    def __contains__(self, name):
        return any(known == name for known, _ in self.fields)

    def __getitem__(self, name):
        values = [value for known, value in self.fields if known == name]
        assert len(values) == 1, f"{name} occurs {len(values)} times in {self.fields}"
        return values[0]

    @property
    def text(self):
        return self.body.decode()

    def __repr__(self):
        return f"<{self.status}, {dict(self.fields)}, {len(self.body)} bytes {self.body[:80]!r}>"


class Connection:
    """`greet`: with the preface and these settings. `takes`: windows are opened again as content comes."""

    def __init__(self, address, *, greet=(), takes=True, receive_buffer=None):
        self.socket = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        self.socket.settimeout(PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            self.socket.connect(address)
        except BaseException:
            self.socket.close()
            raise
        self.buffer, self.takes = bytearray(), takes
        self.encoder, self.decoder = Encoder(), Decoder()
        self.responses, self.blocks, self.ended = {}, {}, set()
        self.settings, self.settled = {}, 0  # the server's, and how often it has acknowledged ours
        self.next_stream, self.windows = 1, {}  # what the server has added to windows, by stream
        if greet is not None:
            self.send(PREFACE + settings(*greet))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    # ---- Out ----

    def send(self, *pieces):
        self.socket.sendall(b"".join(pieces))
        return self

    def block(self, fields):
        return self.encoder.encode(fields)

    def new_stream(self):
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        return stream

    def ask(self, path="/", method="GET", *, body=None, more=(), stream=None, **pseudo):
        """Sends a request whose content, if any, is small; returns its stream."""
        stream = stream or self.new_stream()
        block = self.block(fields_of(method, path, more, **pseudo))
        self.send(head(stream, block, END_STREAM if body is None else 0),
                  b"" if body is None else frame(DATA, END_STREAM, stream, body))
        return stream

    def get(self, path="/", **request):
        return self.read(self.ask(path, **request))

    # ---- In ----

    def _fill(self, size):
        while len(self.buffer) < size:
            try:
                data = self.socket.recv(1 << 18)
            except (ConnectionResetError, BrokenPipeError):
                raise Ended(self.buffer, "reset") from None
            if not data:
                raise Ended(self.buffer, "closed")
            self.buffer += data

    def next_frame(self):
        """The next frame, whatever it is, without doing anything about it."""
        self._fill(9)
        parsed, size = Frame.parse_frame_header(memoryview(self.buffer)[:9])
        self._fill(9 + size)
        kind, flags, payload = self.buffer[3], self.buffer[4], bytes(self.buffer[9:9 + size])
        del self.buffer[:9 + size]
        parsed.parse_body(memoryview(payload))
        return Got(kind, flags, parsed.stream_id, payload, parsed)

    def step(self):
        """Reads a frame and does what a client does about it; returns it."""
        got = self.next_frame()
        if got.type == SETTINGS and not got.flags & ACK:
            self.settings.update(got.frame.settings)
            self.send(frame(SETTINGS, ACK))
        elif got.type == SETTINGS:
            self.settled += 1
        elif got.type == PING and not got.flags & ACK:
            self.send(ping(got.payload, ACK))
        elif got.type == GOAWAY:
            raise GoneAway(got.frame.last_stream_id, got.frame.error_code, got.frame.additional_data)
        elif got.type == RST_STREAM:
            if got.frame.error_code != NO_ERROR or got.stream not in self.ended:
                raise Reset(got.stream, got.frame.error_code)
            # RFC 9113 8.1: there is a response, for which the rest of the request is not needed
        elif got.type in (HEADERS, CONTINUATION):
            self._take_block(got)
        elif got.type == DATA:
            self._take_data(got)
        if got.type in (DATA, HEADERS) and got.flags & END_STREAM:
            self.ended.add(got.stream)
        if got.type == WINDOW_UPDATE:
            self.windows[got.stream] = self.windows.get(got.stream, 0) + got.frame.window_increment
        return got

    def _take_block(self, got):
        block = self.blocks.pop(got.stream, b"") + got.frame.data
        if not got.flags & END_HEADERS:
            self.blocks[got.stream] = block
        else:
            fields = [(str(name), str(value)) for name, value in self.decoder.decode(block)]
            known = self.responses.get(got.stream)
            if known is None or known.status < 200:
                self.responses[got.stream] = Response(fields)
            else:
                assert got.flags & END_STREAM, "trailers that do not end the stream"
                known.trailers = fields
        if got.type == HEADERS and got.flags & END_STREAM:
            self.responses[got.stream].ended = True

    def _take_data(self, got):
        response = self.responses[got.stream]
        assert not response.ended, f"DATA behind the end of stream {got.stream}"
        response.body += got.frame.data
        response.ended = bool(got.flags & END_STREAM)
        if self.takes and got.payload:
            more = window_update(0, len(got.payload))
            self.send(more if response.ended else more + window_update(got.stream, len(got.payload)))

    def read(self, stream):
        """The whole response of a stream."""
        while stream not in self.responses or not self.responses[stream].ended:
            self.step()
        return self.responses.pop(stream)

    def read_head(self, stream):
        while stream not in self.responses or self.responses[stream].status < 200:
            self.step()
        return self.responses[stream]

    def may_send(self, stream):
        """How much content in all the stream may have sent, or, for 0, all of them together."""
        first = self.settings.get(INITIAL_WINDOW_SIZE, WINDOW) if stream else WINDOW
        return first + self.windows.get(stream, 0)

    def has_input(self):
        """Whether bytes, or the end, are there to be read at once."""
        return bool(self.buffer) or bool(select.select([self.socket], [], [], 0)[0])

    def settle(self):
        """Until the server has seen all that was sent: it has answered a PING."""
        self.send(ping(b"settled?"))
        while (got := self.step()).type != PING or not got.flags & ACK or got.payload != b"settled?":
            pass
        return self

    def verdict(self, *, answer=False):
        """What the server thinks of it all: ("connection", code), ("stream", code), or "alive" where it answers a PING
        and has said nothing else. With `answer` the status of the first response that is whole, if none of the two."""
        with contextlib.suppress(OSError):
            self.send(ping(b"verdict?"))
        try:
            while True:
                got = self.step()
                if answer and got.stream in self.responses and self.responses[got.stream].ended:
                    return self.responses[got.stream].status
                if not answer and got.type == PING and got.flags & ACK and got.payload == b"verdict?":
                    return "alive"
        except Reset as problem:
            return "stream", problem.code
        except GoneAway as problem:
            self.ends()
            return "connection", problem.code
        except Ended:
            return "ended without a word"

    def ends(self):
        """Reads until the server closes the connection."""
        try:
            while True:
                self.next_frame()
        except Ended:
            return True

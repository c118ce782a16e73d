"""An HTTP/1 client over plain sockets which does what it is told, wrong requests too, and reads responses strictly. It
knows nothing of the program under test."""
import contextlib
import re
import select
import socket
import struct

PATIENCE = 20  # seconds, after which a test has failed; no test passes because of it


class Ended(Exception):
    """The peer ended the connection before the response was whole; `received` is what had come of it."""

    def __init__(self, received, how):
        super().__init__(f"the connection ended ({how}) after {len(received)} bytes: {bytes(received[:200])!r}")
        self.received = bytes(received)


class Response:
    def __init__(self, head, body=b""):
        lines = head.decode("latin-1").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d{3}) ([\x20-\x7e]*)", lines[0])
        assert match, f"not a status line: {lines[0][:80]!r}"
        self.status, self.reason, self.body = int(match[1]), match[2], body
        self.fields = []
        for line in lines[1:]:
            match = re.fullmatch(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\x20-\x7e\x80-\xff]*)", line)
            assert match, f"not a field line: {line[:80]!r}"
            self.fields.append((match[1].lower(), match[2]))

    def __contains__(self, name):
        return any(known == name.lower() for known, _ in self.fields)

    def __getitem__(self, name):
        values = [value for known, value in self.fields if known == name.lower()]
        assert len(values) == 1, f"{name} occurs {len(values)} times in {self.status} {self.fields}"
        return values[0]

    @property
    def text(self):
        return self.body.decode()

    @property
    def closes(self):
        return "connection" in self and self["connection"] == "close"

    def __repr__(self):
        return f"<{self.status} {self.reason}, {dict(self.fields)}, {len(self.body)} bytes {self.body[:80]!r}>"


def make_request(method="GET", target="/", body=None, **fields):
    """The bytes of a request. Fields: user_agent="x" is User-Agent: x; None leaves out one that would be there."""
    given = {name.replace("_", "-").lower(): value for name, value in fields.items()}
    lines = {"host": "test", **given}
    if body is not None and "transfer-encoding" not in given:
        lines.setdefault("content-length", len(body))
    head = f"{method} {target} HTTP/1.1\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
    return head.encode("latin-1") + b"\r\n" + (body or b"")


class Connection:
    """To ("127.0.0.1", port), ("::1", port), or the path of a unix socket."""

    def __init__(self, address, receive_buffer=None):
        tcp = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        family = socket.AF_UNIX if isinstance(address, str) else tcp
        self.socket = socket.socket(family)
        self.socket.settimeout(PATIENCE)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            self.socket.connect(address)
        except BaseException:
            self.socket.close()
            raise
        self.buffer = bytearray()
        self.takes_trailers = False
        self.methods = []  # of the requests whose responses are still to be read

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.socket.sendall(data)
        return self

    def ask(self, target="/", method="GET", **request):
        """Sends a request; its response is for read()."""
        self.methods.append(method)
        return self.send(make_request(method, target, **request))

    def get(self, target="/", **request):
        """Sends a request and reads its response."""
        return self.ask(target, **request).read()

    def read(self):
        """The final response to the oldest request that has none yet; interim ones are passed over."""
        method = self.methods.pop(0) if self.methods else "GET"
        while True:
            response = self.read_head()
            if response.status >= 200:
                break
        response.body = self._read_body(response, method)
        return response

    def read_head(self):
        while (end := self.buffer.find(b"\r\n\r\n")) < 0:
            self._more()
        return Response(self._take(end + 4)[:-4])

    def read_bytes(self, size):
        """Just that many."""
        while len(self.buffer) < size:
            self._more()
        return self._take(size)

    def read_some(self, size):
        """At least that many bytes of what comes next."""
        while len(self.buffer) < size:
            self._more()
        return self._take(len(self.buffer))

    def read_to_end(self):
        """Everything until the peer ends the connection, be it in peace or with a reset."""
        try:
            while True:
                self._more()
        except Ended:
            return self._take(len(self.buffer))

    def ends(self):
        """Whether the peer ends the connection without another byte."""
        return self.read_to_end() == b""

    def has_input(self):
        """Whether bytes, or the end, are there to be read at once."""
        return bool(self.buffer) or bool(select.select([self.socket], [], [], 0)[0])

    def half_close(self):
        with contextlib.suppress(OSError):  # the peer may have gone first
            self.socket.shutdown(socket.SHUT_WR)
        return self

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()

    def _more(self):
        try:
            data = self.socket.recv(1 << 18)
        except (ConnectionResetError, BrokenPipeError):
            raise Ended(self.buffer, "reset") from None
        if not data:
            raise Ended(self.buffer, "closed")
        self.buffer += data

    def _take(self, size):
        taken = bytes(self.buffer[:size])
        del self.buffer[:size]
        return taken

    def _read_line(self):
        while (end := self.buffer.find(b"\r\n")) < 0:
            self._more()
        return self._take(end + 2)[:-2]

    def _read_body(self, response, method):
        if method == "HEAD" or response.status in (204, 304):
            return b""
        if "transfer-encoding" in response:
            assert response["transfer-encoding"] == "chunked" and "content-length" not in response
            return self._read_chunks()
        if "content-length" in response:
            return self.read_bytes(int(response["content-length"]))
        assert response.closes, f"no way to tell where this ends: {response}"
        return self.read_to_end()

    def _read_chunks(self):
        body = b""
        while size := int(self._read_line(), 16):
            body += self.read_bytes(size)
            assert self._read_line() == b""
        while trailer := self._read_line():
            assert self.takes_trailers, "a trailer that nobody asked for"
            assert re.fullmatch(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\x20-\x7e\x80-\xff]*", trailer), trailer[:80]
        return body

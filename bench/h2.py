"""The little of HTTP/2 (RFC 9113) that checking the servers takes: one request after the other on a connection, each
waited for. Load comes from h2load."""
import hpack

import answers

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
ACK, END_STREAM, END_HEADERS = 1, 1, 4
WINDOW = (1 << 31) - 1
INITIAL_WINDOW_SIZE, INITIAL_WINDOW = 4, 65535
HEAD_SIZE = 9


def frame(kind, flags, stream, payload=b""):
    return b"".join((len(payload).to_bytes(3, "big"), bytes((kind, flags)), stream.to_bytes(4, "big"), payload))


class Connection(answers.Connection):
    """Gives the server all the room that it can have."""

    def __init__(self, port, tls=False):
        super().__init__(port, tls, protocols=("h2",))
        self.scheme = "https" if tls else "http"
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.stream = -1
        settings = INITIAL_WINDOW_SIZE.to_bytes(2, "big") + WINDOW.to_bytes(4, "big")
        self.send(PREFACE + frame(SETTINGS, 0, 0, settings)
                  + frame(WINDOW_UPDATE, 0, 0, (WINDOW - INITIAL_WINDOW).to_bytes(4, "big")))

    def take(self, size):
        while len(self.unread) < size:
            self.more()
        taken, self.unread = self.unread[:size], self.unread[size:]
        return taken

    def frame(self):
        """The next one that is about a stream. What is about the connection is answered."""
        while True:
            head = self.take(HEAD_SIZE)
            kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
            payload = self.take(int.from_bytes(head[:3], "big"))
            if kind == SETTINGS and not flags & ACK:
                self.send(frame(SETTINGS, ACK, 0))
            elif kind == PING and not flags & ACK:
                self.send(frame(PING, ACK, 0, payload))
            elif kind == GOAWAY:
                raise ConnectionError(f"the server has said goodbye: error {int.from_bytes(payload[4:8], 'big')}")
            elif stream:
                return kind, flags, payload

    def ask(self, ask):
        self.stream += 2
        block = self.encoder.encode([(":method", "GET"), (":scheme", self.scheme), (":authority", "www.example.com"),
                                     (":path", ask.target)])
        self.send(frame(HEADERS, END_STREAM | END_HEADERS, self.stream, block))
        answer, ended = answers.Answer(b"HTTP/2 000", b""), False
        while not ended:
            kind, flags, payload = self.frame()
            if kind == HEADERS:
                answer.fields = dict(self.decoder.decode(payload))
                answer.status = answer.fields[":status"]
                answer.coding = answer.fields.get("content-encoding", "identity")
            elif kind == DATA:
                answer.body += payload
            elif kind == RST_STREAM:
                return f"resets the stream: error {int.from_bytes(payload, 'big')}"
            ended = bool(flags & END_STREAM) and kind in (HEADERS, DATA)
        return answers.find_fault(answer, ask)


def check(port, asks, tls):
    """What is wrong with the answers, "" if nothing."""
    try:
        with Connection(port, tls) as connection:
            return next(filter(None, map(connection.ask, asks)), "")
    except (OSError, KeyError, hpack.HPACKError) as error:
        return f"gives no answer: {error!r}"

"""The little of WebSocket (RFC 6455) that checking and driving the servers takes: short text messages in one frame, and
their echoes. Load comes from ws_load.c, which sends the same bytes."""
import answers

# The example of section 1.3.
KEY, ACCEPTED = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
HANDSHAKE = "\r\n".join(("GET /ws HTTP/1.1", "Host: www.example.com", "Upgrade: websocket", "Connection: Upgrade",
                         f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13", "", "")).encode()
MASK = b"\x37\xfa\x21\x3d"
TEXT, MASKED = 0x81, 0x80


def masked(message):
    """As a client sends it."""
    return bytes((TEXT, MASKED | len(message))) + MASK + bytes(byte ^ MASK[i % 4] for i, byte in enumerate(message))


def echoed(message):
    """As a server sends it."""
    return bytes((TEXT, len(message))) + message


class Connection(answers.Connection):
    """Whoever only repeats bytes is spoken to barely: without a handshake."""

    def __init__(self, port, bare=False):
        super().__init__(port)
        if not bare:
            self.shake_hands()

    def shake_hands(self):
        self.send(HANDSHAKE)
        while b"\r\n\r\n" not in self.unread:
            self.more()
        head, _, self.unread = self.unread.partition(b"\r\n\r\n")
        answer = answers.Answer(head, b"")
        if answer.status != "101" or answer.fields.get("sec-websocket-accept") != ACCEPTED:
            raise ConnectionError(f"no handshake, but status {answer.status}")

    def ask(self, ask):
        """Sends a message. What is wrong with the echo; "" if nothing."""
        expected = echoed(ask.content)
        self.send(ask.request)
        while len(self.unread) < len(expected):
            self.more()
        got, self.unread = self.unread, b""
        return "" if got == expected else f"answers with a frame that is not the echo: {got[:40]}"


def check(port, ask, bare=False):
    try:
        with Connection(port, bare) as connection:
            return connection.ask(ask) or connection.ask(ask)
    except OSError as error:
        return f"gives no echo: {error!r}"

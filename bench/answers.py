"""The little HTTP that checking the servers takes: send bytes, read whole answers that tell their length. No more than
that: load comes from wrk."""
import json
import socket
import ssl
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests/e2e"))
from codings import CODINGS  # those of the tests

TIMEOUT_S = 60
DECODERS = {"identity": lambda body, _size: body, **CODINGS}


class Answer:
    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.status = lines[0].split(" ")[1]
        self.fields = {name.strip().lower(): value.strip() for name, _, value in
                       (line.partition(":") for line in lines[1:])}
        self.coding = self.fields.get("content-encoding", "identity")
        self.body = body
        self.raw = head + b"\r\n\r\n" + body


def trusting(protocols):
    """Whoever is measured is who we started; its certificate was made a moment ago."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(protocols)
    return context


class Connection:
    def __init__(self, port, tls=False, protocols=("http/1.1",)):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = trusting(protocols).wrap_socket(self.socket)
        self.unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, request):
        self.socket.sendall(request)

    def more(self):
        received = self.socket.recv(1 << 20)
        if not received:
            raise ConnectionError("the server has closed the connection")
        self.unread += received

    def answer(self):
        while b"\r\n\r\n" not in self.unread:
            self.more()
        head, _, self.unread = self.unread.partition(b"\r\n\r\n")
        size = int(Answer(head, b"").fields["content-length"])
        while len(self.unread) < size:
            self.more()
        body, self.unread = self.unread[:size], self.unread[size:]
        return Answer(head, body)

    def ask(self, ask):
        """What is wrong with the answer, "" if nothing."""
        self.send(ask.request)
        return find_fault(self.answer(), ask)

    def ended(self):
        """Whether what can be read is the end."""
        self.socket.settimeout(0.2)
        try:
            return not self.socket.recv(1 << 16)
        except (TimeoutError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True

    def skip(self, size):
        """Reads as many bytes, whatever they are."""
        while size > 0:
            received = len(self.socket.recv(min(size, 1 << 20)))
            if received == 0:
                raise ConnectionError("the server has closed the connection")
            size -= received


def check(port, asks, count, tls=False):
    """Asks for one after the other on one connection, each as many times at once. What is wrong with the answers, "" if
    nothing; and one answer to each."""
    found = []
    try:
        with Connection(port, tls) as connection:
            for ask in asks:
                connection.send(ask.request * count)
                for _ in range(count):
                    answer = connection.answer()
                    fault = find_fault(answer, ask)
                    if fault:
                        return f"{fault}, asked: {ask.request[:40]}", found
                found.append(answer)
            if connection.unread:
                return "sends more than it was asked for", found
    except (OSError, KeyError, ValueError, IndexError) as error:
        return f"gives no answer of known length: {error!r}", found
    return "", found


def find_fault(answer, ask):
    if answer.status != "200":
        return f"answers with status {answer.status}"
    if ask.encoded != (answer.coding != "identity"):
        return f"answers in the coding {answer.coding}"
    try:
        content = DECODERS[answer.coding](answer.body, len(ask.content))
    except Exception as error:
        return f"answers with what cannot be decoded as {answer.coding}: {error!r}"
    if ask.is_json:
        return find_json_fault(content, ask)
    if content != ask.content:
        return f"answers with {len(content)} bytes that are not the {len(ask.content)} expected"
    return ""


def find_json_fault(content, ask):
    try:
        same = json.loads(content) == json.loads(ask.content)
    except ValueError as error:
        return f"answers with what is no JSON: {error}"
    return "" if same else f"answers with other JSON than expected: {content[:80]}"

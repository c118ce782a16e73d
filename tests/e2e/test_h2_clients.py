"""Programs and a library that others have written, as clients over HTTP/2 in cleartext: what people will come with."""
import shutil
import socket
import subprocess

import h2.config
import h2.connection
import h2.events
import pytest
from client import PATIENCE

LARGE = 3_000_000


def tool(name):
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    return name


def run(*command, **how):
    done = subprocess.run(list(map(str, command)), capture_output=True, timeout=100, **how)
    assert done.returncode == 0, done.stderr[-2000:]
    return done


def url(server, path="/"):
    return f"http://127.0.0.1:{server.address[1]}{path}"


# ---- curl ----

def curl(*arguments):
    return run(tool("curl"), "-sS", "--http2-prior-knowledge", *arguments).stdout


def test_curl_gets_pages(serve, site):
    page = site.put("large.bin", LARGE).read_bytes()
    server = serve()
    assert curl(url(server)) == b"<h1>home</h1>\n"
    assert curl(url(server, "/large.bin")) == page
    assert curl("-r", "1000-1999", url(server, "/large.bin")) == page[1000:2000]
    head = curl("-I", url(server, "/large.bin")).decode()
    assert head.startswith("HTTP/2 200") and f"content-length: {LARGE}" in head


def test_curl_sends_a_body(everything, scratch):
    server = everything()
    (scratch / "body").write_bytes(b"x" * LARGE)
    curl("--data-binary", f"@{scratch}/body", url(server, "/receive"))
    assert b'"received":%d' % LARGE in curl(url(server, "/state"))
    assert curl("-d", "name=me", url(server, "/fields")) == b'{"pairs":1,"name":"me"}'


def test_curl_uploads_a_form(everything, scratch):
    (scratch / "file").write_bytes(b"y" * LARGE)
    server = everything()
    assert curl("-F", f"file=@{scratch}/file", "-o", scratch / "answer", "-w", "%{http_code}", url(server, "/uploads")) == b"200"


def test_curl_waits_for_100_continue(everything, scratch):
    (scratch / "body").write_bytes(b"x" * LARGE)
    server = everything()
    done = run(tool("curl"), "-sSv", "--http2-prior-knowledge", "-H", "Expect: 100-continue", "--data-binary",
               f"@{scratch}/body", url(server, "/receive"))
    assert b"HTTP/2 100" in done.stderr and b"HTTP/2 200" in done.stderr


# ---- nghttp2's ----

def test_nghttp_gets_pages(serve, site):
    page = site.put("large.bin", LARGE).read_bytes()
    server = serve()
    assert run(tool("nghttp"), url(server, "/large.bin")).stdout == page
    assert run("nghttp", "-w", "16", "-W", "20", "-H", "priority: u=1, i", url(server, "/large.bin")).stdout == page
    statistics = run("nghttp", "-ns", "-m", "20", url(server), url(server, "/large.bin")).stdout.decode()
    assert statistics.count(" 200 ") == 40


def test_nghttp_sends_a_body_with_padding_and_trailers(everything, scratch):
    (scratch / "body").write_bytes(b"x" * LARGE)
    server = everything()
    run(tool("nghttp"), "-d", scratch / "body", "-b", "200", "--trailer", "x-sum: 1", url(server, "/receive"))
    assert b'"received":%d' % LARGE in run("nghttp", url(server, "/state")).stdout


@pytest.mark.parametrize("size", [0, 100, 65536])
def test_nghttp_with_tables_of_other_sizes(everything, size):
    server = everything()
    for encoder in (0, 4096, 65536):
        said = run(tool("nghttp"), "-v", "-c", size, f"--encoder-header-table-size={encoder}", "-H", "x: y",
                   url(server, "/text"), url(server, "/fields"), url(server, "/prepared")).stdout
        assert said.count(b":status: 200") == 3


@pytest.mark.parametrize("path, content", [("/", 14), ("/large.bin", LARGE)])
def test_h2load_gets_all_it_asks_for(serve, site, path, content):
    site.put("large.bin", LARGE)
    requests = 2000 if content < 1000 else 40
    said = run(tool("h2load"), "-n", requests, "-c", "4", "-m", "32", url(serve(), path)).stdout.decode()
    assert f"{requests} succeeded, 0 failed, 0 errored, 0 timeout" in said
    assert f"{requests} 2xx, 0 3xx, 0 4xx, 0 5xx" in said
    assert f"({requests * content}) data" in said


def test_h2load_with_bodies(everything, scratch):
    (scratch / "body").write_bytes(b"x" * 100_000)
    server = everything()
    said = run(tool("h2load"), "-n", "200", "-c", "4", "-m", "10", "-d", scratch / "body", url(server, "/receive")).stdout
    assert b"200 succeeded, 0 failed, 0 errored, 0 timeout" in said


# ---- python3-h2, which follows every state and refuses what does not belong there ----

class Library:
    def __init__(self, server):
        self.socket = socket.create_connection(server.address, timeout=PATIENCE)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.events = {}

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def ask(self, method, path, ended=True, more=()):
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, [(":method", method), (":path", path), (":scheme", "http"), (":authority", "test"), *more],
                             end_stream=ended)
        self.flush()
        return stream

    def step(self):
        data = self.socket.recv(1 << 17)
        assert data, "the server has closed the connection"
        for event in self.h2.receive_data(data):
            assert not isinstance(event, (h2.events.ConnectionTerminated, h2.events.UnknownFrameReceived)), event
            self.events.setdefault(getattr(event, "stream_id", 0), []).append(event)
            if isinstance(event, h2.events.DataReceived):
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        self.flush()

    def read(self, stream):
        """The status and the content."""
        while not any(isinstance(event, h2.events.StreamEnded) for event in self.events.get(stream, [])):
            self.step()
        events = self.events.pop(stream)
        fields = next(event.headers for event in events if isinstance(event, h2.events.ResponseReceived))
        content = b"".join(event.data for event in events if isinstance(event, h2.events.DataReceived))
        return int(dict(fields)[":status"]), content

    def send(self, stream, content):
        """As the windows allow."""
        while content:
            size = min(len(content), self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
            if size == 0:
                self.step()
                continue
            self.h2.send_data(stream, content[:size])
            self.flush()
            content = content[size:]
        self.h2.end_stream(stream)
        self.flush()


def test_the_library_agrees_with_every_frame(everything):
    library = Library(everything())
    for _ in range(10):
        streams = {library.ask("GET", path): path for path in ("/text", "/large", "/stream", "/prepared", "/background", "/nothing",
                                                               "/fields", "/redirect", "/file")}
        streams[library.ask("HEAD", "/large")] = "HEAD"
        answers = {path: library.read(stream) for stream, path in streams.items()}
        assert answers["/prepared"] == (200, b"prepared\n") and answers["HEAD"] == (200, b"")
        assert answers["/nothing"][0] == 404 and answers["/redirect"][0] == 303
        assert len(answers["/large"][1]) > 65535 and set(answers["/large"][1]) == {ord("l")}


def test_the_library_uploads(everything):
    library = Library(everything())
    streams = [library.ask("POST", "/receive", ended=False) for _ in range(4)]
    for stream in streams:
        library.send(stream, b"u" * (1 << 20))
    assert [library.read(stream)[0] for stream in streams] == [200] * 4

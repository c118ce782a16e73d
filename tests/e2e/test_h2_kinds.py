"""All that the library can do, over HTTP/2: requests of every kind at the same time on one connection, clients that change
their mind in the middle of it, and clients of other makes."""
import contextlib
import hashlib
import random
import re
import shutil
import subprocess
from pathlib import Path

import kinds
import pytest
from client import PATIENCE, Ended
from h2client import END_STREAM, Connection, GoneAway, Reset, fields_of, frame, head, reset
from program import sanitizer, wait_until

FRAME_SIZE = 16384
NAMES = [name for name, (request, _) in kinds.REQUESTS.items()
         if "transfer_encoding" not in request and "upgrade" not in request and name not in kinds.ENDLESS]


def begin(c, name):
    """The head; returns the stream and the body that is still to be sent."""
    request = dict(kinds.REQUESTS[name][0])
    method, path, body = request.pop("method", "GET"), request.pop("target"), request.pop("body", b"")
    more = [(field.replace("_", "-"), value) for field, value in request.items()]
    stream = c.new_stream()
    c.send(head(stream, c.block(fields_of(method, path, more)), 0 if body else END_STREAM))
    return stream, body


def send_on(c, bodies):
    """A frame of each body, as far as the windows go. Returns whether anything is left."""
    for stream, (body, sent) in list(bodies.items()):
        room = min(c.may_send(stream) - sent, c.may_send(0) - c.sent, FRAME_SIZE, len(body) - sent)
        if room <= 0:
            continue
        last = sent + room == len(body)
        c.send(frame(0, END_STREAM if last else 0, stream, body[sent:sent + room]))
        c.sent += room
        bodies[stream] = body, sent + room
        if last:
            del bodies[stream]
    return bool(bodies)


def converse(c, names, until=None):
    """All at once; `until`: so many frames, then whatever there is is left as it is. Returns what came, by name."""
    c.sent, streams, bodies = 0, {}, {}
    for name in names:
        stream, body = begin(c, name)
        streams[stream] = name
        if body:
            bodies[stream] = body, 0
    answered = {}
    while len(answered) < len(streams) and until != 0:
        send_on(c, bodies)
        while True:
            got = c.step()
            if until is not None:
                until -= 1
            if got.stream in streams and c.responses.get(got.stream) and c.responses[got.stream].ended:
                answered[streams[got.stream]] = c.responses.pop(got.stream)
                bodies.pop(got.stream, None)
            if bodies or len(answered) == len(streams) or until == 0:
                break
    return answered, [stream for stream, name in streams.items() if name not in answered]


@pytest.mark.parametrize("workers", (1, 2))
def test_every_kind_at_the_same_time(everything, workers):
    server = everything(workers)
    sockets = server.count_sockets()
    for seed in range(3):
        names = random.Random(seed).sample(NAMES, len(NAMES))
        with Connection(server.address) as c:
            answered = {}
            try:
                answered, _ = converse(c, names)
            except Reset as problem:  # a pipe that its writer breaks off, every second one
                assert problem.code == 2
            for name, response in answered.items():
                assert response.status == kinds.REQUESTS[name][1], name
    kinds.settle(server, sockets)


def test_content_and_trailers(everything):
    server = everything()
    with Connection(server.address) as c:
        streams = [c.ask("/stream") for _ in range(20)]
        for stream in streams:
            response = c.read(stream)
            assert set(response.body) == {ord("s")}  # how much of it depends on how it was asked for
            assert response.trailers == [("x-sum", "0")]
        assert c.get("/large").body == b"l" * 300_000


def test_what_breaks_is_reset_and_nothing_else(everything):
    server = everything()
    with Connection(server.address) as c:
        broken, good = c.ask("/broken"), c.ask("/text")
        with pytest.raises(Reset) as caught:
            c.read(broken)
        assert (caught.value.stream, caught.value.code) == (broken, 2)
        assert c.read(good).status == 200


def test_clients_that_change_their_mind(everything):
    """Resets at any moment, and connections that go: whatever had begun ends."""
    server = everything(2)
    sockets = server.count_sockets()
    for seed in range(24):
        chance = random.Random(seed)
        names = chance.sample(NAMES, 12)
        with Connection(server.address) as c:
            try:
                _, left = converse(c, names, until=chance.randrange(1, 60))
                if seed % 3:
                    c.send(*(reset(stream) for stream in left))
                    assert c.get("/text").status == 200
            except (Reset, Ended, GoneAway):
                pass
    kinds.settle(server, sockets)


def test_a_reset_is_told_to_who_answers(everything):
    server = everything()
    with Connection(server.address) as c:
        stream = c.ask("/wait")
        c.settle()
        c.send(reset(stream))
        wait_until(lambda: kinds.state_of(server)["gone"] == 1, "the handler to be told")
        assert c.get("/text").status == 200


# ---- Clients of other makes ----

def run(*command, **how):
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    return subprocess.run(command, capture_output=True, check=True, timeout=4 * PATIENCE, **how).stdout


def test_curl(everything, scratch):
    server = everything()
    body = scratch / "body"
    body.write_bytes(random.Random(1).randbytes(3_000_000))
    url, curl = f"http://{server.address[0]}:{server.address[1]}", ("curl", "-sS", "--http2-prior-knowledge")
    assert run(*curl, "-w", " %{http_version}", f"{url}/text").endswith(b" 2")
    assert run(*curl, f"{url}/background") == b"worked\n"
    assert run(*curl, "-T", body, "-X", "POST", f"{url}/receive")
    assert kinds.state_of(server)["received"] == 3_000_000
    assert b"data: x" in run(*curl, f"{url}/events")  # the first one is not broken off
    assert set(run(*curl, f"{url}/stream")) == {ord("s")}


def test_large_files_by_sendfile(serve, site):
    content = site.put("large.bin", 6_000_000).read_bytes()
    server = serve("--cache-size", "1M")
    url = f"http://{server.address[0]}:{server.address[1]}/large.bin"
    with Connection(server.address) as c:
        for stream in [c.ask("/large.bin") for _ in range(3)]:
            assert c.read(stream).body == content
    part = run("curl", "-sS", "--http2-prior-knowledge", "-r", "100000-", url)
    assert hashlib.sha256(part).digest() == hashlib.sha256(content[100_000:]).digest()


@pytest.mark.skipif(sanitizer() is not None, reason="sanitizers bring an allocator of their own")
def test_what_an_idle_connection_costs(serve, site):
    """Beside the 256 bytes of any connection: at most 2 KiB, tables and malloc's own included."""
    server = serve("--workers", "1")
    browser = [("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
               ("accept-language", "en-US,en;q=0.5"), ("accept-encoding", "gzip, br"), ("cookie", "session=0123456789")]

    def private_bytes():
        text = Path(f"/proc/{server.pid}/smaps_rollup").read_text()
        return 1024 * sum(int(kib) for kib in re.findall(r"^Private_\w+: +(\d+)", text, re.MULTILINE))

    with contextlib.ExitStack() as stack:
        def connect(count):
            for _ in range(count):
                assert stack.enter_context(Connection(server.address)).get("/", more=browser).status == 200

        connect(100)
        before = private_bytes()
        connect(400)
        assert (private_bytes() - before) / 400 <= 2048 + 256


def test_nghttp_and_h2load(everything):
    server = everything(2)
    url = f"http://{server.address[0]}:{server.address[1]}"
    told = run("nghttp", "-nv", *(f"{url}{path}" for path in ("/text", "/stream", "/large", "/background"))).decode()
    assert len(re.findall(r":status: 200", told)) == 4 and "x-sum: 0" in told
    for path in ("/text", "/prepared", "/background", "/large"):
        told = run("h2load", "-n", "300", "-c", "3", "-m", "20", url + path).decode()
        assert "300 succeeded, 0 failed, 0 errored" in told and "300 2xx" in told

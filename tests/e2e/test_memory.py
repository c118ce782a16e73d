"""Memory that runs out: whichever allocation fails in a request's life, that request gets a 503 or its connection ends,
and the server lives. And between two requests of a connection there is none at all."""
import contextlib
import ctypes
import json
import mmap
import os
import shutil
import subprocess
from pathlib import Path

import kinds
import pytest
from client import Ended
from h2client import Connection, GoneAway, Reset
from program import EXAMPLES, sanitizer

pytestmark = pytest.mark.skipif(sanitizer() is not None, reason="sanitizers bring an allocator of their own")
MOST = 200  # allocations that one request may need; ten or so are usual


class Control(ctypes.Structure):
    """As in shim_malloc.c; each field is read and written at one go."""
    _fields_ = [("calls", ctypes.c_longlong), ("countdown", ctypes.c_longlong), ("failed", ctypes.c_longlong)]


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler")
    library = tmp_path_factory.mktemp("shim") / "shim_malloc.so"
    source = Path(__file__).with_name("shim_malloc.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-Wall", "-o", library, source], check=True)
    return library


@pytest.fixture
def shimmed(shim, scratch):
    """shimmed(start, ...): a server with the shim in it, and its control."""
    opened = []

    def begin(start_server, *arguments, **how):
        path = scratch / f"control{len(opened)}"
        path.write_bytes(bytes(ctypes.sizeof(Control)))
        with open(path, "r+b") as file:
            page = mmap.mmap(file.fileno(), ctypes.sizeof(Control))
        control = Control.from_buffer(page)
        opened.append(page)
        environment = {**how.pop("env", {}), "SHIM_CONTROL": str(path), "LD_PRELOAD": str(shim)}
        return start_server(*arguments, env=environment, **how), control

    return begin


def live_through(server, control, number, conversation):
    """The conversation with the number-th allocation failing: the statuses that came, and whether one failed."""
    control.countdown = number
    statuses = []
    with contextlib.suppress(Ended, ConnectionError), server.connect() as connection:
        for request in conversation:
            statuses.append(connection.get(**request).status)
    failed, control.countdown = control.failed > 0, 0
    return statuses, failed


CONVERSATIONS = {
    "a page": [{"target": "/"}, {"target": "/", "if_none_match": "*"}],
    "a file": [{"target": "/large.bin"}, {"target": "/large.bin", "method": "HEAD"}],
    "an error": [{"target": "/nothing", "accept": "application/json"}, {"method": "POST"}],
    "a redirect": [{"target": "/docs?x=1"}],
    "a body": [{"body": b"x" * 10_000}, {"body": b"5\r\nhello\r\n0\r\n\r\n", "transfer_encoding": "chunked"}],
    "a long head": [{"target": "/%69ndex.html", **{f"x_{n}": "y" * 200 for n in range(60)}}],
}


@pytest.mark.parametrize("what", CONVERSATIONS)
def test_whichever_allocation_fails_the_server_lives(site, serve, shimmed, what):
    site.put("large.bin", 300_000)
    site.put("docs/index.html", "docs")
    conversation, usual = CONVERSATIONS[what], None
    for number in range(1, MOST):
        server, control = shimmed(serve, "--cache-size", "64K", "--workers", "1", "--background", "1")
        statuses, failed = live_through(server, control, number, conversation)
        if not failed:
            assert number > 1, "no allocation was seen: is the shim in there?"
            usual = statuses
            break
        assert all(status in (200, 301, 304, 404, 405, 503) for status in statuses), (number, statuses)
        assert server.ask("/").status == 200, number
        assert [answer.status for answer in answers_of(server, conversation)] == statuses_expected(what), number
        server.stop()
    assert usual == statuses_expected(what)


def statuses_expected(what):
    return {"a page": [200, 304], "a file": [200, 200], "an error": [404, 405], "a redirect": [301],
            "a body": [200, 200], "a long head": [200]}[what]


def answers_of(server, conversation):
    with server.connect() as connection:
        return [connection.get(**request) for request in conversation]


def test_whichever_allocation_fails_a_handler_in_the_background_lives(start, shimmed, scratch):
    program = EXAMPLES / "users"
    if not program.exists():
        pytest.skip("the example users was not built: SQLite is missing")
    body = json.dumps({"name": "Grace Hopper", "email": "grace@example.org"}).encode()
    server, control = shimmed(start, [program, scratch / "users.db"], ready=r"serving http://localhost:(\d+)/",
                              env={"LISTEN": "127.0.0.1:0"})
    for number in range(1, 2000):
        control.failed = 0
        statuses, failed = live_through(server, control, number, [
            {"target": "/api/getusers"}, {"target": "/api/users", "method": "POST", "body": body}])
        # 400: SQLite's json_valid, where it has no memory, calls any text invalid.
        assert all(status in (200, 201, 400, 409, 500, 503) for status in statuses), (number, statuses)
        assert server.ask("/api/users/1").status == 200, number
        if not failed:
            break
    assert number > 10 and not failed


def answer_to(server, kind):
    """The status of the answer, or None where the connection ended before; what came is one whole message, or the
    beginning of one."""
    with contextlib.suppress(Ended, ConnectionError), server.connect() as connection:
        connection.takes_trailers = True
        connection.methods.append(kinds.REQUESTS[kind][0].get("method", "GET"))
        connection.send(kinds.bytes_of(kind))
        if kind in kinds.ENDLESS:
            return connection.read_head().status
        return connection.read().status
    return None


@pytest.mark.parametrize("kind", kinds.REQUESTS)
def test_whichever_allocation_fails_everything_lives(everything, shimmed, kind):
    usual = kinds.REQUESTS[kind][1]
    for number in range(1, MOST):
        server, control = shimmed(everything, 1)
        sockets, control.countdown = server.count_sockets(), number
        status = answer_to(server, kind)
        failed, control.countdown = control.failed, 0
        assert status in ((usual, None, 503) if failed else (usual,)), (number, status)
        assert answer_to(server, kind) in (usual, None), number
        kinds.settle(server, sockets)
        server.stop()
        if not failed:
            break
    assert not failed and number > 1


REQUESTS = {
    "a page": {"target": "/"}, "HEAD": {"target": "/", "method": "HEAD"}, "a 304": {"target": "/",
    "if_none_match": "*"},
    "a 404": {"target": "/nothing"}, "a 405 with a body": {"target": "/", "method": "POST", "body": b"x" * 1000},
    "escapes": {"target": "/%69ndex.html?x=1"}, "a redirect": {"target": "/docs?x"},
}


@pytest.mark.parametrize("what", REQUESTS)
def test_between_two_requests_nothing_is_allocated(site, serve, shimmed, what):
    site.put("docs/index.html", "docs")
    # What is done in the background, encoding and following, allocates when it likes.
    server, control = shimmed(serve, "--access-log", os.devnull, "--no-encodings", "--watch", "off")
    with server.connect() as connection:
        for _ in range(10):
            connection.get(**REQUESTS[what])
        before = control.calls
        for _ in range(100):
            connection.get(**REQUESTS[what])
        assert before > 0
        assert control.calls == before


OVER_HTTP_2 = {
    "a page": {}, "HEAD": {"method": "HEAD"}, "a 304": {"more": [("if-none-match", "*")]}, "a 404": {"path": "/nothing"},
    "a 405 with a body": {"method": "POST", "body": b"x" * 1000}, "escapes": {"path": "/%69ndex.html?x=1"},
    "a redirect": {"path": "/docs?x"},
}


@pytest.mark.parametrize("what", OVER_HTTP_2)
def test_between_two_requests_of_http_2_nothing_is_allocated(site, serve, shimmed, what):
    site.put("docs/index.html", "docs")
    server, control = shimmed(serve, "--access-log", os.devnull, "--no-encodings", "--watch", "off")
    with Connection(server.address) as connection:
        for _ in range(10):
            connection.get(**OVER_HTTP_2[what])
        before = control.calls
        for _ in range(100):
            connection.get(**OVER_HTTP_2[what])
        assert before > 0
        assert control.calls == before


def test_whichever_allocation_fails_http_2_lives(site, serve, shimmed):
    site.put("large.bin", 300_000)
    for number in range(1, MOST):
        server, control = shimmed(serve, "--cache-size", "64K", "--workers", "1", "--background", "1")
        control.countdown = number
        with contextlib.suppress(Ended, ConnectionError, GoneAway, Reset), Connection(server.address) as connection:
            streams = [connection.ask(path) for path in ("/", "/large.bin", "/nothing")]
            streams.append(connection.ask(method="POST", body=b"x" * 10_000))
            assert all(connection.read(stream).status in (200, 404, 405, 503) for stream in streams)
        failed, control.countdown = control.failed > 0, 0
        with Connection(server.address) as connection:
            assert connection.get().status == 200, number
        server.stop()
        if not failed:
            assert number > 1, "no allocation was seen: is the shim in there?"
            return
    pytest.fail("there is no end to the allocations")

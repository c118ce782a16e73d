"""The ceiling for what all connections together have under way: bodies, partial heads and output that nobody takes. Each is
within its own limit; all of them would be far too much."""
import contextlib
import threading

import pytest
from client import Ended, make_request
from program import RAWHTTPD, sanitizer, wait_until

MIB = 1 << 20
CEILING = 16 * MIB
MARGIN = 16 * MIB  # blocks kept for the next taker, the worker's own buffers, what malloc loses
TAKER = RAWHTTPD.parent / "tests" / "e2e" / "taker"


@pytest.fixture
def taker(start):
    """A server with one worker that takes bodies whole, up to 1 MiB each."""
    if not TAKER.exists():
        pytest.skip("the tests' own programs were not built")
    return start([TAKER, CEILING], ready=r"listening on http://[^:]*:(\d+)")


@contextlib.contextmanager
def crowd(server, count, data, **options):
    """That many clients, each of which sends this; those that are refused have an answer, or the end, to be read."""
    with contextlib.ExitStack() as opened:
        clients = [opened.enter_context(server.connect(**options)) for _ in range(count)]
        for client in clients:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                client.send(data)
        yield clients


def stays_below(server, before):
    return sanitizer() or server.memory() - before < CEILING + MARGIN


def refusals_of(server, clients):
    """Those that have been refused, once the server has dealt with all that was sent."""
    wait_until(lambda: server.cpu_share(0.3) < 0.1, "the server to rest")
    return [client for client in clients if client.has_input()]


def status_of(client):
    """The status it got; 0 where the connection ended without one."""
    try:
        return client.read().status
    except Ended:
        return 0


def test_bodies_that_never_end(taker):
    before, head = taker.memory(), make_request("POST", content_length=MIB)
    with crowd(taker, 60, head + b"x" * (900 << 10)) as clients:
        refused = refusals_of(taker, clients)
        held = [client for client in clients if client not in refused]
        assert len(held) >= CEILING // MIB // 2 and len(refused) >= 60 - CEILING // MIB
        assert stays_below(taker, before)
        # Others are served, and so is one of those when it goes on.
        assert taker.ask("/", method="POST", body=b"x" * 10_000).text == "10000"
        assert held[0].send(b"x" * (MIB - (900 << 10))).read().text == str(MIB)
        assert {status_of(client) for client in refused} <= {503, 0}
        assert not any(client.has_input() for client in held)
    wait_until(lambda: taker.ask("/", method="POST", body=b"x" * MIB).status == 200, "it to recover")
    assert stays_below(taker, before)


def test_refused_bodies_get_a_503(taker):
    """A client that reads while it sends sees why."""
    head = make_request("POST", content_length=MIB)
    with crowd(taker, 20, head + b"x" * (900 << 10)) as clients:
        assert refusals_of(taker, clients)
        with taker.connect() as late:
            late.send(head)
            sender = threading.Thread(target=send_slowly, args=(late, 900))
            sender.start()
            answer = late.read()
            sender.join()
            assert answer.status == 503 and answer.closes


def send_slowly(connection, pieces):
    with contextlib.suppress(OSError):
        for _ in range(pieces):
            connection.send(b"x" * 1024)


def test_heads_that_never_end(serve, many_descriptors):
    many_descriptors(4000)
    server = serve("--workers", "1", "--buffer-memory", str(CEILING))
    before = server.memory()
    partial = b"GET / HTTP/1.1\r\nHost: a\r\n" + 4 * (b"X: " + b"x" * 7000 + b"\r\n")
    with crowd(server, 1000, partial) as clients:
        refused = refusals_of(server, clients)
        assert 400 < len(refused) < 900
        assert stays_below(server, before)
        assert server.ask("/").status == 200
        assert {status_of(client) for client in refused} <= {503, 0}
        going_on = next(client for client in clients if client not in refused)
        assert going_on.send(b"\r\n").read().status == 200
    with crowd(server, 100, partial) as clients:
        assert not refusals_of(server, clients)


def test_output_that_nobody_takes(site, serve, scratch):
    """Small pages are copied into what waits. Over a unix socket, since the kernel takes much less of that."""
    site.put("page.txt", 3_000)
    path, requests = scratch / "socket", 340
    server = serve("--workers", "1", "--buffer-memory", str(CEILING), "--listen", f"unix:{path}", ready="listening on")
    server.address = str(path)
    before = server.memory()
    data = make_request(target="/page.txt") * (requests - 1) + make_request(target="/page.txt", connection="close")
    with crowd(server, 300, data) as clients:
        wait_until(lambda: server.cpu_share(0.3) < 0.1, "the server to rest")
        assert stays_below(server, before)
        assert server.ask("/").status == 200
        answered = [client.read_to_end().count(b"HTTP/1.1 200 OK\r\n") for client in clients]
    assert 30 < answered.count(requests) < 200
    assert server.ask("/page.txt").status == 200

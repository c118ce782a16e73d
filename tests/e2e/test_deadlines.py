"""Every deadline: a client that is too slow is given up, not too early, and nobody else notices. What is measured only
has to lie between the deadline and a long while."""
import contextlib
import time

import pytest
from client import PATIENCE, Ended, make_request
from program import sanitizer, wait_until

DEADLINE = 0.3
EARLIEST = DEADLINE - 0.05  # the server's clock is a little coarser than ours
SIZE = 48 << 20


def trickle(connection, data, pause=0.03):
    """Sends byte after byte until all is sent or the server has something to say; returns how many were sent."""
    for at in range(len(data)):
        if connection.has_input():
            return at
        with contextlib.suppress(ConnectionError):
            connection.send(data[at:at + 1])
        time.sleep(pause)
    return len(data)


def at_some_pace(attempt):
    """attempt(pace) keeps pauses shorter than a deadline. Where this machine was too busy for that, once more with all
    times so many times longer."""
    for pace in (1, 4):
        with contextlib.suppress(AssertionError, Ended, OSError):
            return attempt(pace)
    return attempt(12)


def expect_end(connection, since, status=None):
    """The connection ends, with a response of that status or none, and not too early."""
    if status:
        response = connection.read()
        assert response.status == status and response.closes
    assert connection.ends()
    assert time.monotonic() - since >= EARLIEST


def test_a_head_that_never_ends(serve):
    server = serve("--head-timeout", "300ms")
    with server.connect() as connection:
        since = time.monotonic()
        connection.send(b"GET / HTTP/1.1\r\nHost: ")
        expect_end(connection, since, 408)
    assert server.works()


def test_bytes_do_not_put_the_deadline_of_a_head_off(serve):
    with serve("--head-timeout", "300ms").connect() as connection:
        since = time.monotonic()
        sent = trickle(connection, b"GET / HTTP/1.1\r\nX: " + b"x" * 1000)
        assert sent < 1000
        expect_end(connection, since, 408)


def test_the_head_of_a_later_request_has_a_deadline_of_its_own(serve):
    def attempt(pace):
        with serve("--head-timeout", f"{300 * pace}ms").connect() as connection:
            for _ in range(3):
                assert connection.get("/").status == 200
                time.sleep(0.15 * pace)
            since = time.monotonic()
            connection.send(b"GET")
            expect_end(connection, since, 408)

    at_some_pace(attempt)


def test_a_client_that_says_nothing(serve):
    with serve("--head-timeout", "300ms").connect() as connection:
        expect_end(connection, time.monotonic())


def test_an_idle_connection(serve):
    with serve("--idle-timeout", "300ms").connect() as connection:
        assert connection.get("/").status == 200
        expect_end(connection, time.monotonic())


def test_requests_put_the_idle_deadline_off(serve):
    def attempt(pace):
        with serve("--idle-timeout", f"{pace}s").connect() as connection:
            for _ in range(8):
                assert connection.get("/").status == 200
                time.sleep(0.2 * pace)

    at_some_pace(attempt)


def test_a_body_that_never_comes(serve):
    with serve("--body-timeout", "300ms").connect() as connection:
        since = time.monotonic()
        connection.send(make_request(content_length=10))
        expect_end(connection, since, 408)


def test_an_unwanted_body_that_never_comes(serve):
    """The refusal goes out at once, and what follows it is waited for as long as any body."""
    with serve("--body-timeout", "300ms").connect() as connection:
        since = time.monotonic()
        assert connection.ask(method="POST", content_length=10).read().status == 405
        expect_end(connection, since)


def test_bytes_put_the_deadline_of_a_body_off(serve):
    body = b"x" * 20

    def attempt(pace):
        with serve("--body-timeout", f"{pace}s", "--body-rate-min", "0").connect() as connection:
            connection.send(make_request(content_length=len(body)))
            assert trickle(connection, body, 0.1 * pace) == len(body)
            assert connection.read().status == 200

    at_some_pace(attempt)


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_body_must_come_at_a_minimum_rate(serve, framing):
    fields = {"content_length": 50_000} if framing == "length" else {"transfer_encoding": "chunked"}
    with serve("--body-timeout", "300ms", "--body-rate-min", "10K").connect() as connection:
        since = time.monotonic()
        connection.send(make_request(**fields))
        assert trickle(connection, b"1\r\nx\r\n" * 200) < 1000
        expect_end(connection, since, 408)


def test_a_body_that_comes_fast_enough_may_take_long(serve):
    def attempt(pace):
        with serve("--body-timeout", f"{300 * pace}ms", "--body-rate-min", "1K").connect() as connection:
            connection.send(make_request(content_length=50_000 * pace))
            for _ in range(10):
                connection.send(b"x" * 5000 * pace)
                time.sleep(0.1 * pace)
            assert connection.read().status == 200

    at_some_pace(attempt)


@pytest.fixture(params=["from memory", "from its file"])
def large(request, site, serve):
    """large(options...): a server with a response that is larger than all buffers on the way."""
    site.put("large.bin", SIZE)
    cache = "1G" if request.param == "from memory" else "64K"
    return lambda *options: serve("--cache-size", cache, *options)


def test_a_response_that_nobody_reads(large):
    server = large("--send-timeout", "300ms")
    idle = server.count_sockets()
    with server.connect(receive_buffer=64 * 1024) as connection:
        since = time.monotonic()
        connection.ask("/large.bin")
        assert connection.read_head().status == 200
        wait_until(lambda: server.count_sockets() == idle, "the connection to be cut")
        assert time.monotonic() - since >= EARLIEST
        assert server.works()
        assert len(connection.read_to_end()) < SIZE


def test_reading_puts_the_deadline_of_a_response_off(large):
    def attempt(pace):
        with large("--send-timeout", f"{pace}s").connect(receive_buffer=256 * 1024) as connection:
            connection.ask("/large.bin")
            got, size = connection.read_head(), 0
            start = time.monotonic()
            while size < SIZE:
                size += len(connection.read_some(4 << 20 if SIZE - size > 4 << 20 else SIZE - size))
                time.sleep(0.15 * pace)
            assert (got.status, size) == (200, SIZE)
            assert time.monotonic() - start > 1.2 * pace

    at_some_pace(attempt)


def test_clients_that_do_not_read_cost_no_memory(large):
    server = large()
    assert server.works()
    before, clients = server.memory(), []
    try:
        for _ in range(50):
            clients.append(server.connect(receive_buffer=64 * 1024).ask("/large.bin"))
        for client in clients:
            assert client.read_head().status == 200
        assert server.memory() - before < (64 << 20 if sanitizer() else 16 << 20)
        assert server.works()
    finally:
        for client in clients:
            client.close()


def test_a_client_that_lingers_after_the_last_response_is_let_go(serve):
    """It was told that this is the end, sends on, and never closes."""
    server = serve()
    idle = server.count_sockets()
    with server.connect() as connection:
        connection.send(b"nonsense\r\n\r\n")
        assert connection.read().closes
        start = time.monotonic()
        with contextlib.suppress(ConnectionError, Ended):
            while time.monotonic() - start < PATIENCE and server.count_sockets() > idle:
                connection.send(b"x")
                time.sleep(0.05)
        wait_until(lambda: server.count_sockets() <= idle, "it to be let go")

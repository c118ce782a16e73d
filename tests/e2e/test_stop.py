"""Starting and stopping: nothing that a client was promised is lost, and nobody can prevent the end."""
import contextlib
import signal
import socket
import threading
import time
from pathlib import Path

import pytest
from client import Connection, Ended
from program import RAWHTTPD, wait_until


class Visitor(threading.Thread):
    """Asks for pages until the server is gone; `lost` says which requests got no answer that should have had one."""

    def __init__(self, address, keeps):
        super().__init__()
        self.address, self.keeps = address, keeps
        self.answered, self.lost = 0, []

    def run(self):
        with contextlib.suppress(ConnectionRefusedError, ConnectionResetError, FileNotFoundError, TimeoutError):
            while True:
                with self.connect() as connection:
                    self.visit(connection)

    def connect(self):
        """Its handshake may have been begun after the end of accepting: then it times out or is refused, and the file
        of a unix socket is gone."""
        connection = Connection.__new__(Connection)
        family = socket.AF_UNIX if isinstance(self.address, str) else socket.AF_INET
        connection.socket, connection.buffer, connection.methods = socket.socket(family), bytearray(), []
        connection.socket.settimeout(1)
        try:
            connection.socket.connect(self.address)
        except BaseException:
            connection.close()
            raise
        connection.socket.settimeout(20)
        return connection

    def visit(self, connection):
        while True:
            if connection.has_input():  # closed before we sent: that is no loss
                assert connection.ends()
                return
            try:
                response = connection.get("/", connection=None if self.keeps else "close")
            except (Ended, OSError) as loss:
                self.lost.append(loss)
                return
            assert response.status == 200
            self.answered += 1
            if response.closes:
                assert connection.ends()
                return


@pytest.fixture(params=["tcp", "unix"])
def serve_on(request, serve, scratch):
    """serve_on(): a server which listens on a port, or on a unix socket, the same one each time."""
    def serve_there():
        if request.param == "tcp":
            return serve()
        path = str(scratch / "socket")
        server = serve("--listen", f"unix:{path}", ready="listening on unix:")
        server.address = path
        return server

    return serve_there


def hold_up(server):
    """A connection that has begun a request: the server cannot end before finish(connection)."""
    before = server.count_sockets()
    connection = server.connect().send(b"GET / HTTP/1.1\r\nHo")
    wait_until(lambda: server.count_sockets() > before, "it to be accepted")
    return connection


def finish(connection):
    response = connection.send(b"st: a\r\n\r\n").read()
    assert response.status == 200 and response.closes
    assert connection.ends()


@pytest.mark.slow
def test_no_request_is_lost_when_it_stops_under_load(serve_on):
    """Nor while it takes its time to end, when nobody accepts any more."""
    for turn in range(6):
        server = serve_on()
        visitors = [Visitor(server.address, keeps=number % 2 == 0) for number in range(16)]
        with hold_up(server) as pending:
            for visitor in visitors:
                visitor.start()
            time.sleep(0.2 + 0.05 * turn)
            server.tell(signal.SIGTERM)
            for visitor in visitors:
                visitor.join()
            assert server.alive
            finish(pending)
        assert server.wait() == 0
        assert [loss for visitor in visitors for loss in visitor.lost] == []
        assert all(visitor.answered for visitor in visitors)


def test_a_successor_on_the_same_unix_socket_need_not_wait(serve, scratch):
    """The first one gives the path away when it is told to end, and takes nothing of the second one's with it."""
    path = str(scratch / "socket")
    first = serve("--listen", f"unix:{path}", ready="listening on unix:")
    first.address = path
    with hold_up(first) as pending:
        first.tell(signal.SIGTERM)
        wait_until(lambda: not Path(path).exists(), "the path to be given away")
        second = serve("--listen", f"unix:{path}", ready="listening on unix:")
        second.address = path
        assert first.alive and second.works()
        finish(pending)
    assert first.wait() == 0
    assert second.works()
    assert second.stop() == 0
    assert not Path(path).exists()


def test_what_is_in_flight_is_finished(site, serve):
    site.put("large.bin", 32 << 20)
    server = serve()
    with server.connect(receive_buffer=256 * 1024) as slow:
        assert slow.ask("/large.bin").read_head().status == 200
        server.tell(signal.SIGTERM)
        time.sleep(0.3)
        assert server.alive
        assert len(slow.read_some(32 << 20)) == 32 << 20
        assert slow.ends()
    assert server.wait() == 0


def test_what_was_asked_for_behind_it_is_answered_and_told_that_it_is_the_last(site, serve):
    site.put("large.bin", 32 << 20)
    server = serve()
    with server.connect(receive_buffer=256 * 1024) as slow:
        slow.ask("/large.bin").ask("/")
        assert slow.read_head().status == 200
        server.tell(signal.SIGTERM)
        time.sleep(0.3)
        slow.read_bytes(32 << 20)
        response = slow.read()
        assert response.status == 200 and response.closes
        assert slow.ends()
    assert server.wait() == 0


def test_a_request_that_has_begun_is_answered_and_told_that_it_is_the_last(serve):
    server = serve()
    with hold_up(server) as connection:
        server.tell(signal.SIGTERM)
        time.sleep(0.3)
        finish(connection)
    assert server.wait() == 0


def test_a_body_that_is_on_its_way_is_waited_for(serve):
    server = serve()
    with server.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
        time.sleep(0.1)
        server.tell(signal.SIGINT)
        time.sleep(0.3)
        response = connection.send(b"cd").read()
        assert response.status == 200 and response.closes
    assert server.wait() == 0


def test_idle_connections_do_not_delay_the_end(serve):
    server = serve()
    clients = [server.connect() for _ in range(20)]
    for client in clients[:10]:
        client.get("/")
    start = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - start < 10  # not the 30 s of the drain, nor the 60 s of idle connections
    assert all(client.ends() for client in clients)


def test_connections_in_the_queue_are_still_answered(serve_on):
    """They are established as far as the client knows: it has sent its request."""
    server = serve_on()
    server.tell(signal.SIGSTOP)
    clients = [server.connect().ask("/") for _ in range(20)]
    server.tell(signal.SIGTERM)
    server.tell(signal.SIGCONT)
    for client in clients:
        assert client.read().status == 200
        assert client.ends()
    assert server.wait() == 0


def test_a_client_that_never_reads_does_not_prevent_the_end(site, serve):
    site.put("large.bin", 32 << 20)
    server = serve("--drain-timeout", "500ms")
    with server.connect(receive_buffer=16 * 1024) as stubborn:
        stubborn.ask("/large.bin").read_head()
        start = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - start >= 0.45
        assert len(stubborn.read_to_end()) < 32 << 20


def test_a_second_signal_ends_at_once(site, serve):
    site.put("large.bin", 32 << 20)
    server = serve()
    server.expected_status = 1
    with server.connect(receive_buffer=16 * 1024) as stubborn:
        stubborn.ask("/large.bin").read_head()
        server.tell(signal.SIGTERM)
        wait_until(lambda: "a second signal to stop at once" in server.log, "the first to be told")
        start = time.monotonic()
        assert server.stop(signal.SIGINT) == 1
        assert time.monotonic() - start < 10


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_both_signals_end_it(serve, number):
    server = serve()
    assert server.works()
    assert server.stop(number) == 0


def test_other_signals_do_not(serve):
    server = serve()
    for number in (signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1, signal.SIGUSR2):
        server.tell(number)
    time.sleep(0.2)
    assert server.works()


def test_it_can_start_again_at_once_on_the_same_port(serve):
    first = serve()
    with first.connect() as connection:
        connection.get("/")
        first.stop()
    second = serve("--listen", f"127.0.0.1:{first.address[1]}")
    assert second.address == first.address
    assert second.works()


def test_a_signal_during_the_start_is_not_forgotten(site, start):
    for number in range(300):
        site.put(f"{number}.html", "x" * 1000)
    for delay in (0, 0.001, 0.003, 0.01, 0.03):
        server = start([RAWHTTPD, "--listen", "127.0.0.1:0", site.path], ready="")
        time.sleep(delay)
        server.tell(signal.SIGTERM)
        server.expected_status = server.wait()
        assert server.status in (0, -signal.SIGTERM)

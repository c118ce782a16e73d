"""All of the public API in one server (everything.c), and clients that go in the middle of it: whatever they do, what has
begun ends once, nothing is left behind, and the next client is served."""
import contextlib
import random
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from client import PATIENCE, Ended, make_request
from kinds import ENDLESS, KEY, REQUESTS, bytes_of, settle, state_of
from program import sanitizer

ROUNDS, DRAIN_MS, MIB = 15, 1500, 1 << 20


@pytest.mark.parametrize("workers", [0, 2])
def test_everything_answers(everything, workers):
    server = everything(workers)
    before = server.count_sockets()
    for name, (request, status) in REQUESTS.items():
        with server.connect() as connection:
            connection.send(bytes_of(name))
            response = connection.read_head()
            assert response.status == status, (name, response)
    settle(server, before)


# ---- Clients that go ----

def go(server, moment, name):
    """Sends all or some of it, reads some or nothing, and goes."""
    message = bytes_of(name)
    cut = moment.choice([len(message), moment.randrange(len(message)), moment.randrange(min(len(message), 400))])
    with contextlib.suppress(Ended, ConnectionError), server.connect() as connection:
        connection.send(message[:cut])
        time.sleep(moment.choice([0, 0, 0.001, 0.01]))
        if cut == len(message) and moment.randrange(2):
            connection.read_some(moment.choice([1, 100]))
        leave = moment.choice([connection.reset, connection.close, connection.half_close])
        leave()
        if leave == connection.half_close and name not in ENDLESS:
            connection.read_to_end()


@pytest.mark.parametrize("workers", [0, 2])
def test_clients_that_go_in_the_middle(everything, workers):
    server = everything(workers)
    before = server.count_sockets()

    def many(seed):
        moment = random.Random(seed)
        for _ in range(ROUNDS):
            for name in moment.sample(sorted(REQUESTS), len(REQUESTS)):
                go(server, moment, name)

    with ThreadPoolExecutor(4) as clients:
        list(clients.map(many, range(4)))
    settle(server, before)
    state = state_of(server)
    assert all(state[what] > 0 for what in ("requests", "pipes", "sockets", "streams", "gone")), state
    assert not list((server.scratch.parent / "uploads").iterdir())
    assert server.ask("/text").status == 200


# ---- Ending while all of that is under way ----

@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", [0, 2])
def test_ending_in_the_middle_of_everything(everything, workers, how):
    """Drained or stopped: what is counted ends once all the same, which the exit status says."""
    server = everything(workers, DRAIN_MS)
    connections = []
    for turn in range(3):
        for name in REQUESTS:
            message = bytes_of(name)
            connection = server.connect()
            connection.send(message if turn < 2 else message[:len(message) * 2 // 3])
            connections.append(connection)
    began = time.monotonic()
    server.stop(how)
    assert time.monotonic() - began < DRAIN_MS / 1000 + 10
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("target", ["/ws", "/late/ws", "/streamed/ws"])
@pytest.mark.parametrize("body", [{"content_length": 5}, {"transfer_encoding": "chunked"},
                                  {"content_length": 10**9, "expect": "100-continue"}])
def test_a_websocket_with_a_body_to_come(everything, target, body):
    """Which could be taken for its frames: refused, whether somebody waits for the body or not."""
    server = everything(1)
    with server.connect() as connection:
        connection.send(make_request(target=target, **KEY, **body))
        connection.half_close()
        assert b" 101 " not in connection.read_to_end()
    assert server.ask("/text").status == 200


# ---- A slow handler ----

def test_a_long_body_to_a_slow_handler_takes_no_memory(everything):
    server, block = everything(1), b"x" * MIB
    before = server.memory()
    with server.connect() as connection:
        connection.send(make_request("POST", "/receive?ms=1", content_length=256 * MIB))
        for sent in range(256):
            connection.send(block)
            if sent % 16 == 0 and sanitizer() is None:
                assert server.memory() - before < 8 * MIB
        assert connection.read().status == 200
    assert state_of(server)["received"] == 256 * MIB


def test_a_sleeping_handler_stops_the_sender(everything):
    """What the sockets' buffers hold is all that is taken while it sleeps on the first piece."""
    server, sent = everything(1, DRAIN_MS), 0
    with server.connect() as connection:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        connection.send(make_request("POST", "/receive?ms=1500", content_length=1 << 30))
        connection.socket.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            while sent < 64 * MIB:
                sent += connection.socket.send(b"x" * MIB)
        connection.socket.settimeout(PATIENCE)
    assert 0 < sent < 32 * MIB
    assert server.ask("/text").status == 200

"""All of the public API in one server (everything.c), and clients that go in the middle of it: whatever they do, what has
begun ends once, nothing is left behind, and the next client is served."""
import contextlib
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from client import Ended, make_request
from kinds import ENDLESS, KEY, REQUESTS, bytes_of, settle, state_of

ROUNDS, DRAIN_MS = 15, 1500


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

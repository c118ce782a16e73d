"""All of the public API in one server (everything.c), and clients that go in the middle of it: whatever they do, what has
begun ends once, nothing is left behind, and the next client is served."""
import contextlib
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from client import Ended
from kinds import ENDLESS, REQUESTS, bytes_of, settle, state_of

ROUNDS = 15


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

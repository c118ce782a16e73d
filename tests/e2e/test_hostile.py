"""Clients that mean no good: they go at the worst moment, send more than they read, and change files under the server.
Whatever they do, nobody else's answer is lost and nothing is left behind."""
import os
import random
import threading
import time

from client import make_request
from program import wait_until

ABORTS = 300


def test_all_of_a_long_pipeline_is_answered_after_a_half_close(serve):
    """Far more requests than a turn answers, and the end of them there at once."""
    requests = 20000
    server = serve()
    with server.connect() as connection:
        sender = threading.Thread(target=lambda: connection.send(make_request() * requests).half_close())
        sender.start()
        received = connection.read_to_end()
        sender.join()
    assert received.count(b"HTTP/1.1 200 OK\r\n") == requests


def test_deferred_answers_of_clients_that_have_gone(users):
    """With the request, while its answer is made, and while it is sent; by a reset, an end, or half of one."""
    server, moment = users(), random.Random(1)
    before = server.count_sockets()
    for _ in range(ABORTS):
        connection = server.connect()
        connection.send(make_request(target="/api/getusers") * moment.randrange(1, 4))
        time.sleep(moment.choice([0, 0, 0.0005, 0.002]))
        leave = moment.choice([connection.reset, connection.close, connection.half_close])
        leave()
        connection.close()
    wait_until(lambda: server.count_sockets() <= before, "the server to let go of those that have gone")
    assert server.ask("/api/getusers").status == 200


def test_stalled_clients_cost_little_and_lose_nothing(serve, site):
    """Pipelined large responses that nobody reads: what waits is bounded, and all there when the client reads on."""
    clients, requests = 50, 100
    page = site.put("large.bin", 300_000).read_bytes()
    server = serve()
    before = server.memory()
    stalled = [server.connect(receive_buffer=4096) for _ in range(clients)]
    for connection in stalled:
        connection.send(make_request(target="/large.bin") * requests)
    wait_until(lambda: server.cpu_share(0.2) < 0.1, "the server to have sent what the sockets take")
    assert server.memory() - before < clients * 2**20
    for connection in stalled[1:]:
        connection.reset()
    with stalled[0] as connection:
        for _ in range(20):
            assert connection.read().body == page
    wait_until(lambda: server.cpu_share(0.2) < 0.1, "the server to rest")


def test_a_file_that_is_swapped_for_a_link_out_of_the_root(serve, site):
    """Whoever may write into the root can race the server, which opens a file when it is asked for."""
    secret = site.beside / "secret"
    secret.write_text("the secret")
    page = site.put("raced.bin", 100_000)
    kept = site.path.parent / "kept"
    os.link(page, kept)
    server = serve("--cache-size", "1")
    done = threading.Event()

    def swap():
        other = site.path.parent / "other"
        while not done.is_set():
            os.symlink(secret, other)
            os.rename(other, page)
            os.link(kept, other)
            os.rename(other, page)

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        statuses = set()
        for _ in range(1000):
            response = server.ask("/raced.bin", connection="close")
            assert b"secret" not in response.body
            statuses.add(response.status)
    finally:
        done.set()
        swapper.join()
    assert statuses <= {200, 404} and 200 in statuses


def test_a_flood_of_bad_requests_leaves_nothing(serve):
    server, noise = serve(), random.Random(2)
    before = server.count_sockets()
    pieces = [b"GET / HTTP/1.1\r\n", b"Host: a\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"\r\n",
              b"0\r\n", b"\0", b"\r", b"\n", b" ", b"5;a=b\r\nhello\r\n", b"\x16\x03\x01", b"POST * HTTP/9.9\r\n"]
    for _ in range(ABORTS):
        received = server.close_of(*noise.choices(pieces, k=noise.randrange(1, 30)), b"\r\n\r\n\r\n\r\n\r\n")
        assert received == b"" or received.startswith(b"HTTP/1.1 ")
    wait_until(lambda: server.count_sockets() <= before, "the connections to be closed")
    assert server.works()

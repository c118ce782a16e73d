"""Connections: many requests on one, many of them at once, more than there are descriptors, and what is no HTTP."""
import contextlib
import os
import random
import selectors
import socket
import ssl
import threading

import pytest
from client import make_request
from program import sanitizer, wait_until


def test_a_connection_stays_open(serve):
    with serve().connect() as connection:
        for _ in range(100):
            response = connection.get("/")
            assert response.status == 200 and "connection" not in response


def test_errors_that_are_understood_keep_it_open(serve):
    with serve().connect() as connection:
        for request in ({"target": "/nothing"}, {"method": "POST", "body": b"x" * 1000}, {"method": "BREW"}):
            assert connection.get(**request).status in (404, 405, 501)
            assert connection.get("/").status == 200


def test_a_client_can_ask_for_the_end(serve):
    with serve().connect() as connection:
        assert connection.get("/", connection="close").closes
        assert connection.ends()


def test_http_1_0_ends_unless_asked_to_stay(serve):
    server = serve()
    with server.connect() as connection:
        assert connection.send(b"GET / HTTP/1.0\r\n\r\n").read().closes
        assert connection.ends()
    with server.connect() as connection:
        for _ in range(3):
            response = connection.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").read()
            assert response["connection"].lower() == "keep-alive"


def send_in_background(connection, data):
    thread = threading.Thread(target=connection.send, args=(data,))
    thread.start()
    return thread


def test_10000_pipelined_requests_are_answered_in_order(site, serve):
    for number in range(10):
        site.put(f"{number}.txt", f"page {number}")
    numbers = random.Random(1).choices(range(10), k=10_000)
    with serve().connect() as connection:
        sender = send_in_background(connection, b"".join(make_request(target=f"/{number}.txt") for number in numbers))
        got = [connection.read().text for _ in numbers]
        sender.join()
        assert got == [f"page {number}" for number in numbers]
        assert connection.get("/").status == 200


def test_pipelined_requests_of_all_kinds_are_answered_in_order(site, serve):
    """Some are answered at once, some by a file, some discard a body; a page from memory must not overtake a file."""
    site.put("large.bin", 300_000)
    kinds = [({"target": "/"}, 200), ({"target": "/large.bin"}, 200), ({"target": "/nothing"}, 404),
             ({"target": "/", "method": "HEAD"}, 200), ({"target": "/", "method": "POST", "body": b"x" * 5000}, 405),
             ({"target": "/", "body": b"3\r\nabc\r\n0\r\n\r\n", "transfer_encoding": "chunked"}, 200)]
    chosen = random.Random(2).choices(kinds, k=300)
    with serve("--cache-size", "64K").connect() as connection:
        connection.methods = [request.get("method", "GET") for request, _ in chosen]
        sender = send_in_background(connection, b"".join(make_request(**request) for request, _ in chosen))
        got = [connection.read().status for _ in chosen]
        sender.join()
        assert got == [status for _, status in chosen]


def test_a_client_that_sends_and_does_not_read_is_held_back(serve):
    """Backpressure: the server stops reading, and its memory does not grow with what it owes."""
    server = serve()
    assert server.works()
    before = server.memory()
    with server.connect(receive_buffer=4096) as connection:
        connection.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            connection.send(make_request() * 1_000_000)
        assert server.works()
        assert server.memory() - before < 32 << 20


def test_a_half_closed_client_is_answered(serve):
    with serve().connect() as connection:
        connection.ask("/").ask("/nothing").half_close()
        assert [connection.read().status, connection.read().status] == [200, 404]
        assert connection.ends()


def test_half_a_request_and_an_end_is_no_request(serve):
    server = serve()
    for part in (b"", b"GET", b"GET / HTTP/1.1\r\nHost: a\r\n", make_request(method="POST", body=b"12345")[:-1]):
        with server.connect() as connection:
            connection.send(part).half_close()
            answer = connection.read_to_end()
            assert b" 200 " not in answer
    assert server.works()


# ---- What is no HTTP ----

def client_hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="test")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


FOREIGN = {
    "TLS": client_hello(),
    "HTTP/3": b"PRI * HTTP/3.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "SMTP": b"EHLO test\r\n",
    "HTTP/0.9": b"GET /\r\n",
    "RTSP": b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n",
    "zeros": bytes(5000),
    "noise": random.Random(3).randbytes(100_000),
    "line breaks": b"\r\n" * 50_000,
    "a line without end": b"A" * 100_000,
    "a field without end": b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 100_000,
    "fields without end": b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 10_000,
}


@pytest.mark.parametrize("what", FOREIGN)
def test_what_is_no_http_is_refused(serve, what):
    server = serve()
    answer = server.close_of(FOREIGN[what])
    assert answer == b"" or answer[:9] == b"HTTP/1.1 "
    assert answer[9:12] in (b"", b"400", b"414", b"431", b"501", b"505")
    assert answer.count(b"HTTP/1.1 ") <= 1
    assert server.works()


def test_noise_between_and_within_requests(serve):
    """Any single byte of a request changed: answered, refused or waited for, and nobody else notices."""
    server, whole = serve("--head-timeout", "300ms"), make_request(target="/a.txt", user_agent="test")
    noise = random.Random(4)
    with server.connect() as bystander:
        assert bystander.get("/").status == 200
        for _ in range(200):
            request = bytearray(whole)
            request[noise.randrange(len(request))] = noise.randrange(256)
            with server.connect() as connection:
                connection.send(bytes(request)).half_close()
                answer = connection.read_to_end()
                assert answer == b"" or answer[:9] == b"HTTP/1.1 "
        assert bystander.get("/").status == 200
    assert server.works()


# ---- Very many ----

def connect_all(server, count, **options):
    """That many connections, on each of which a request has been answered."""
    with contextlib.ExitStack() as opened:
        clients = [opened.enter_context(server.connect(**options)) for _ in range(count)]
        for client in clients:
            client.ask("/")
        for client in clients:
            assert client.read().status == 200
        opened.pop_all()
    return clients


def close_all(clients):
    for client in clients:
        client.close()


def test_5000_connections_at_once(serve, many_descriptors):
    many_descriptors(14_000)
    server = serve("--workers", "2")
    clients = connect_all(server, 5000)
    try:
        assert server.count_sockets() > 5000
        for client in clients:
            client.ask("/")
        assert all(client.read().status == 200 for client in clients)
        assert server.works()
    finally:
        close_all(clients)
    assert server.works()


def test_an_idle_connection_costs_little(serve, many_descriptors):
    many_descriptors(14_000)
    if sanitizer():
        pytest.skip("sanitizers use memory of their own")
    server = serve("--workers", "1")
    close_all(connect_all(server, 100))
    before = server.memory()
    clients = connect_all(server, 2000)
    try:
        assert (server.memory() - before) / len(clients) < 1024
    finally:
        close_all(clients)


FEW = ("prlimit", "--nofile=64:64")


def answered_of(server, count):
    """How many of so many clients get an answer if each stays connected after it."""
    selector, clients, answered = selectors.DefaultSelector(), [], 0
    for _ in range(count):
        client = socket.create_connection(server.address)
        client.sendall(make_request())
        selector.register(client, selectors.EVENT_READ)
        clients.append(client)
    while selector.get_map() and (ready := selector.select(10)):
        for key, _ in ready:
            selector.unregister(key.fileobj)
            with contextlib.suppress(ConnectionResetError):
                answered += key.fileobj.recv(100).startswith(b"HTTP/1.1 200 ")
    close_all(clients)
    return answered


def test_it_takes_all_the_descriptors_it_may_have(serve):
    server = serve(before=("prlimit", "--nofile=64:400"))
    clients = connect_all(server, 200)
    try:
        assert server.count_sockets() > 200
    finally:
        close_all(clients)


def test_idle_connections_make_room_for_new_ones(serve):
    server = serve(before=FEW)
    assert answered_of(server, 500) == 500
    assert server.works()


def test_beyond_the_descriptors_nothing_spins_and_all_recovers(serve):
    """Clients that have only just come are awaited, they are not idle; so accepting pauses until some have gone."""
    server = serve(before=FEW)
    clients = [server.connect() for _ in range(500)]
    try:
        assert server.cpu_share() < 0.5
        assert server.count_sockets() < 64
    finally:
        close_all(clients)
    assert server.works()


def test_silent_clients_make_room_for_one_that_speaks(serve):
    server = serve("--head-timeout", "60s", before=FEW)
    clients = [server.connect() for _ in range(60)]
    try:
        assert server.works()
    finally:
        close_all(clients)


def test_connections_in_the_queue_get_their_turn(serve):
    """As those before them are given up."""
    server = serve("--head-timeout", "300ms", before=FEW)
    clients = [server.connect() for _ in range(100)]
    try:
        clients[-1].ask("/")
        assert clients[-1].read().status == 200
    finally:
        close_all(clients)


def test_large_files_beyond_the_descriptors_are_refused_not_fatal(site, serve):
    """Each needs a descriptor of its own beside its connection's, where it is another file's."""
    large = site.put("large.bin", 8 << 20)
    for i in range(35):
        os.link(large, site.path / f"large-{i}.bin")
    server = serve("--cache-size", "64K", "--workers", "1", "--max-connections", "40", before=FEW)
    clients = connect_all(server, 35, receive_buffer=4096)
    try:
        for i, client in enumerate(clients):
            client.ask(f"/large-{i}.bin")
        answers = [client.read_head().status for client in clients]
        assert set(answers) == {200, 503}
    finally:
        close_all(clients)
    wait_until(lambda: server.ask("/large.bin").status == 200, "it to recover")


def test_the_limit_of_connections_holds(serve):
    server = serve("--workers", "1", "--max-connections", "10")
    listening = server.count_sockets()
    clients = connect_all(server, 10)
    try:
        assert server.works()
        assert server.count_sockets() - listening <= 10
    finally:
        close_all(clients)

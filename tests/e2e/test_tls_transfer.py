"""What goes through TLS, in both directions: files of any size for readers of any speed, bodies, connections that are cut
or kept, and what the log says of them."""
import contextlib
import json
import socket
import ssl

import pytest
from client import make_request
from program import RAWHTTPD, sanitizer, wait_until
from secure import SecureConnection, context

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
LARGE = 20_000_000  # beyond what is kept in memory: it is read while it is sent


@pytest.fixture
def server(serve_tls, site, localhost):
    site.put("large.bin", LARGE)
    site.put("middle.bin", 300_000)
    return serve_tls(*localhost.options, "--workers", "1")


@pytest.mark.parametrize("version", VERSIONS)
def test_files_of_any_size(server, site, authority, version):
    with SecureConnection(server.address, context(authority, version=version)) as connection:
        for name in ("middle.bin", "large.bin", "middle.bin", "index.html"):
            assert connection.get(f"/{name}").body == (site.path / name).read_bytes()
        part = connection.get("/large.bin", range="bytes=1000001-1999999")
        assert part.status == 206 and part.body == (site.path / "large.bin").read_bytes()[1000001:2000000]


def test_requests_in_a_row(server, site, authority):
    with SecureConnection(server.address, context(authority)) as connection:
        for _ in range(50):
            connection.ask("/middle.bin")
        for _ in range(50):
            assert len(connection.read().body) == 300_000


def test_a_reader_that_takes_its_time(server, site, authority):
    """The socket is full nearly always; others are served meanwhile, and the memory stays what it was."""
    before = server.memory()
    with SecureConnection(server.address, context(authority)) as slow, \
            SecureConnection(server.address, context(authority)) as quick:
        slow.ask("/large.bin")
        received = bytearray()
        while len(received) < 2_000_000:
            received += slow.socket.recv(1000 if len(received) < 100_000 else 10_000)
            if len(received) % 50 == 0:
                assert quick.get("/").status == 200
        assert server.memory() - before < 4_000_000 or sanitizer()
        while len(received) < LARGE:
            more = slow.socket.recv(1 << 20)
            assert more
            received += more
    content = received[received.index(b"\r\n\r\n") + 4:]
    assert (site.path / "large.bin").read_bytes().startswith(content) and len(content) > LARGE - 1000


def test_a_reader_that_goes(server, authority):
    for _ in range(5):
        with SecureConnection(server.address, context(authority)) as connection:
            connection.ask("/large.bin")
            assert connection.socket.recv(10_000)
    wait_until(lambda: server.count_sockets() <= 4, "them to be gone")
    with SecureConnection(server.address, context(authority)) as connection:
        assert connection.get("/").status == 200


@pytest.fixture
def taker(start, localhost, authority):
    """tests/e2e/whoami.c, which says how long bodies were."""
    program = RAWHTTPD.parent / "tests" / "e2e" / "whoami"
    if not program.exists():
        pytest.skip("the tests' own programs were not built")
    return start([program, localhost.cert, localhost.key, authority.cert, "optional"], ready=r"https://127.0.0.1:(\d+)")


@pytest.mark.parametrize("version", VERSIONS)
def test_bodies(taker, authority, version):
    with SecureConnection(taker.address, context(authority, version=version)) as connection:
        for size in (0, 1, 16_383, 16_384, 16_385, 1_000_000):
            response = connection.get("/", method="POST", body=b"x" * size)
            assert json.loads(response.body) == {"bytes": size}


def test_a_body_in_drops(taker, authority):
    with SecureConnection(taker.address, context(authority)) as connection:
        connection.send(make_request("POST", "/", content_length="300"))
        connection.methods.append("POST")
        for _ in range(300):
            connection.send(b"x")
        assert json.loads(connection.read().body) == {"bytes": 300}


@pytest.mark.parametrize("how", ("cut", "ended"))
def test_a_body_that_ends_too_early_is_none(taker, authority, how):
    """Neither an end nor a cut passes for the end of a body: the connection is over, and the server well."""
    with SecureConnection(taker.address, context(authority)) as connection:
        connection.send(make_request("POST", "/", content_length="300") + b"x" * 299)
        with contextlib.suppress(OSError):
            if how == "ended":
                connection.socket.unwrap()
            else:
                connection.socket.shutdown(socket.SHUT_WR)
                while connection.socket.recv(1000):
                    pass
    with SecureConnection(taker.address, context(authority)) as connection:
        assert connection.get("/").status == 200


def test_an_idle_connection_costs_little(serve_tls, localhost, many_descriptors):
    """15 KiB of OpenSSL's, and one of ours."""
    many_descriptors(4_000)
    if sanitizer():
        pytest.skip("sanitizers use memory of their own")
    server = serve_tls(*localhost.options, "--workers", "1")
    trusting = context()

    def connect(count):
        made = [SecureConnection(server.address, trusting) for _ in range(count)]
        assert all(connection.get("/").status == 200 for connection in made)
        return made

    first = connect(50)
    before = server.memory()
    idle = connect(1000)
    each = (server.memory() - before) / len(idle)
    for connection in first + idle:
        connection.close()
    assert each < 16 * 1024


def test_the_log_says_what_was_spoken(serve_tls, localhost, authority, scratch):
    path = scratch / "access.log"
    server = serve_tls(*localhost.options, "--workers", "1", "--access-log", path)
    for version in VERSIONS:
        with SecureConnection(server.address, context(authority, version=version)) as connection:
            assert connection.get("/").status == 200
    wait_until(lambda: path.read_text().count("\n") == 2, "both lines")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["tls"] for line in lines] == ["TLSv1.2", "TLSv1.3"]
    assert lines[0]["cipher"].startswith("TLS_ECDHE_ECDSA_WITH_") and lines[1]["cipher"].startswith("TLS_")

"""The example bench.c, what benchmarks of HTTP servers ask for: every endpoint, and what is no use to it."""
import asyncio
import json

import pytest
from client import make_request
from program import EXAMPLES, ROOT, wait_until

ITEMS = json.loads((ROOT / "examples" / "bench" / "items.json").read_text())
INT64_MAX = (1 << 63) - 1


@pytest.fixture
def bench(start, scratch):
    """On a unix socket: it does not tell which port it has got."""
    if not (EXAMPLES / "bench").exists():
        pytest.skip("the example bench was not built: jansson is missing")
    path = scratch / "socket"

    def can_connect():
        try:
            server.connect().close()
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    server = start([EXAMPLES / "bench", f"unix:{path}", ROOT / "examples" / "bench" / "items.json"], ready="")
    server.expected_status = -15  # it leaves signals to the system
    server.address = str(path)
    wait_until(can_connect, "it to listen")
    return server


def chunked(*pieces):
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@pytest.mark.parametrize("query, total", [
    ("a=1&b=2", 3), ("b=2&a=1", 3), ("a=-5&b=3", -2), ("a=0&b=0&c=7", 0), ("a=%31&b=2", 3),
    (f"a={INT64_MAX}&b=-1", INT64_MAX - 1), (f"a={INT64_MAX}&b=1", -INT64_MAX - 1),
])
def test_a_sum(bench, query, total):
    response = bench.ask(f"/baseline11?{query}")
    assert (response.status, response.text, response["content-type"]) == (200, str(total), "text/plain")


def test_a_sum_with_a_body(bench):
    with bench.connect() as connection:
        for body, total in ((b"20", 33), (b"-13", 0), (b"", 13), (b"%d" % INT64_MAX, INT64_MAX + 13 - (1 << 64))):
            assert connection.get("/baseline11?a=6&b=7", method="POST", body=body).text == str(total)
        for pieces in ((b"20",), (b"2", b"0"), ()):
            response = connection.get("/baseline11?a=6&b=7", method="POST", body=chunked(*pieces),
                                      transfer_encoding="chunked")
            assert response.text == ("33" if pieces else "13")


@pytest.mark.parametrize("query", ["", "a=1", "b=1", "a=&b=", "a=x&b=1", "a=1&b=1.5", "a=+1&b=1", "a=1&b=9223372036854775808"])
def test_no_sum_of_what_is_no_number(bench, query):
    assert bench.ask(f"/baseline11?{query}").status == 400
    assert bench.ask(f"/baseline11?{query}", method="POST", body=b"1").status == 400


def test_no_sum_with_a_body_that_is_no_number(bench):
    for body in (b"x", b"1 ", b"\n1", b"1\0", b"9223372036854775808"):
        assert bench.ask("/baseline11?a=1&b=1", method="POST", body=body).status == 400, body


def test_pipelined(bench):
    with bench.connect() as connection:
        connection.send(make_request(target="/pipeline") * 100)
        for _ in range(100):
            response = connection.read()
            assert (response.status, response.body) == (200, b"ok")


@pytest.mark.parametrize("count, factor", [(0, None), (1, None), (5, 1), (50, 7), (51, 2), (3, 0), (12, 1_000_000)])
def test_items_as_json(bench, count, factor):
    response = bench.ask(f"/json/{count}" + (f"?m={factor}" if factor is not None else ""))
    assert (response.status, response["content-type"]) == (200, "application/json")
    multiplier = 1 if factor is None else factor
    wanted = [{**item, "total": item["price"] * item["quantity"] * multiplier} for item in ITEMS[:count]]
    assert json.loads(response.body) == {"count": min(count, len(ITEMS)), "items": wanted}


def test_json_of_what_is_no_number(bench):
    for target in ("x", "-1", "1?m=x", "1?m=", "1?m=-1", "1?m=1000001", "99999999999999999999", "1?m=1.5"):
        assert bench.ask(f"/json/{target}").status == 400, target
    assert bench.ask("/json/").status in (400, 404)


def test_uploads_are_counted(bench):
    with bench.connect() as connection:
        for size in (0, 1, 65536, 3 << 20):
            assert connection.get("/upload", method="POST", body=b"x" * size).text == str(size)
        body = chunked(*[b"y" * 4000] * 500)
        assert connection.get("/upload", method="POST", body=body, transfer_encoding="chunked").text == "2000000"
        assert connection.get("/upload").status == 405


def test_an_echo(bench):
    websockets = pytest.importorskip("websockets", reason="python3-websockets is not installed")

    async def talk():
        async with websockets.unix_connect(bench.address, "ws://localhost/ws", max_size=None) as socket:
            for message in ("", "hello", "ü\U0001f600" * 20000, b"", bytes(range(256)) * 1000):
                await socket.send(message)
                assert await socket.recv() == message
    asyncio.run(talk())
    assert bench.ask("/ws").status == 426


@pytest.mark.parametrize("data", ["", "[", "[{}]", '[{"id": "x"}]'])
def test_a_data_set_that_is_none_is_told(start, scratch, data):
    if not (EXAMPLES / "bench").exists():
        pytest.skip("the example bench was not built: jansson is missing")
    (scratch / "items.json").write_text(data)
    server = start([EXAMPLES / "bench", "127.0.0.1:0", scratch / "items.json"], ready="items.json:",
                   env={"ASAN_OPTIONS": "detect_leaks=0"})  # what it has read goes with it
    server.expected_status = 1
    assert server.wait() == 1

"""WebSockets as another implementation sees them, python3-websockets: messages of every kind, compression, closing, topics
across workers, backpressure, and what an idle one costs."""
import asyncio
import contextlib
import json

import random
import resource
import socket

import pytest
from client import make_request
from program import RAWHTTPD, sanitizer, wait_until

websockets = pytest.importorskip("websockets", reason="python3-websockets is not installed")

SOCKETS = RAWHTTPD.parent / "tests" / "e2e" / "sockets"
MIB = 1 << 20
UPGRADE = {"connection": "Upgrade", "upgrade": "websocket", "sec_websocket_version": "13",
           "sec_websocket_key": "dGhlIHNhbXBsZSBub25jZQ=="}


@pytest.fixture
def sockets(start):
    """sockets(workers=2, quiet_ms=..., drain_ms=...): tests/e2e/sockets.c."""
    if not SOCKETS.exists():
        pytest.skip("the tests' own programs were not built")

    def start_sockets(workers=2, *options):
        return start([SOCKETS, workers, *options], ready=r"listening on http://[^:]*:(\d+)")
    return start_sockets


def connect(server, path, **how):
    host, port = server.address
    how = {"max_size": None, "ping_interval": None, "open_timeout": 30, **how}
    return websockets.connect(f"ws://{host}:{port}{path}", **how)


def state_of(server):
    return json.loads(server.ask("/state").body)


def raw(server, path="/echo"):
    """A connection after the handshake, for bytes of our own."""
    connection = server.connect()
    connection.send(make_request(target=path, **UPGRADE))
    assert connection.read_head().status == 101
    return connection


def frame(first, payload=b"", mask=b"\x01\x02\x03\x04"):
    size = len(payload)
    head = bytes([first, 0x80 | size]) if size < 126 else bytes([first, 0xfe]) + size.to_bytes(2, "big") \
        if size < 65536 else bytes([first, 0xff]) + size.to_bytes(8, "big")
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


# ---- Messages ----

MESSAGES = ["", "x", "Grüße \U0001f600", b"", b"\x00\xff", "x" * 125, "x" * 126, b"y" * 65535, b"y" * 65536, "é" * 300_000]


@pytest.mark.parametrize("path", ["/echo", "/plain"])
@pytest.mark.parametrize("compression", ["deflate", None])
def test_messages_come_back(sockets, path, compression):
    async def talk(server):
        async with connect(server, path, compression=compression) as client:
            assert bool(client.extensions) == (compression is not None and path == "/echo")
            for message in MESSAGES:
                await client.send(message)
                assert await client.recv() == message
            for message in MESSAGES:  # all at once
                await client.send(message)
            assert [await client.recv() for _ in MESSAGES] == MESSAGES
        return client.close_code

    server = sockets()
    assert asyncio.run(talk(server)) == 1000
    assert state_of(server)["code"] == 1000


def test_fragments_are_put_together(sockets):
    async def talk(server):
        async with connect(server, "/echo") as client:
            await client.send(["Grü", "", "ße, ", "x" * 70_000])
            assert await client.recv() == "Grüße, " + "x" * 70_000
            await client.send([b"\x00" * 1000] * 20)
            assert await client.recv() == b"\x00" * 20_000

    asyncio.run(talk(sockets()))


@pytest.mark.parametrize("message", [random.Random(7).randbytes(10 * MIB), "zehn " * 2 * MIB], ids=["noise", "text"])
def test_ten_megabytes_with_a_raised_limit(sockets, message):
    async def talk(server):
        async with connect(server, "/large") as client:
            await client.send(message)
            assert await client.recv() == message

    asyncio.run(talk(sockets()))


@pytest.mark.parametrize("compression", ["deflate", None])
def test_too_large_a_message_is_1009(sockets, compression):
    async def talk(server):
        async with connect(server, "/echo", compression=compression) as client:
            await client.send("x" * MIB)
            assert len(await client.recv()) == MIB
            await client.send("x" * (MIB + 1))
            with pytest.raises(websockets.ConnectionClosed):
                await client.recv()
        return client.close_code

    server = sockets()
    assert asyncio.run(talk(server)) == 1009
    assert state_of(server)["code"] == 1009


@pytest.mark.parametrize("bits", range(9, 16))
def test_the_window_that_a_client_wants_is_kept_to(sockets, bits):
    """Its decoder has no larger one, and would stop at a distance beyond it."""
    from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
    offer = ClientPerMessageDeflateFactory(server_max_window_bits=bits, client_max_window_bits=bits)

    async def talk(server):
        async with connect(server, "/echo", compression=None, extensions=[offer]) as client:
            assert client.extensions[0].remote_max_window_bits == bits
            block = random.Random(bits).randbytes(400).hex()
            for message in (block, block + "x" * 2000 + block, block + "x" * 40_000 + block):
                await client.send(message)
                assert await client.recv() == message

    asyncio.run(talk(sockets()))


def test_pings_are_answered(sockets):
    async def talk(server):
        async with connect(server, "/echo") as client:
            await asyncio.wait_for(await client.ping("are you there?"), 30)
            await client.pong("nobody has asked")
            await client.send("still here")
            assert await client.recv() == "still here"

    asyncio.run(talk(sockets()))


def test_a_subprotocol_is_chosen(sockets):
    async def talk(server, *offered):
        async with connect(server, "/echo", subprotocols=offered) as client:
            return client.subprotocol

    server = sockets()
    assert asyncio.run(talk(server, "v3", "v2", "v1")) == "v2"
    assert asyncio.run(talk(server, "v3")) is None


# ---- The handshake ----

def test_what_is_no_handshake_is_told(sockets):
    server = sockets()
    plain = server.ask("/echo")
    assert (plain.status, plain["upgrade"], plain["sec-websocket-version"]) == (426, "websocket", "13")
    assert "Upgrade" in plain["connection"]
    assert server.ask("/echo", **{**UPGRADE, "sec_websocket_version": "8"}).status == 426
    assert server.ask("/echo", **{**UPGRADE, "sec_websocket_key": "c2hvcnQ="}).status == 400
    assert server.ask("/echo", **{**UPGRADE, "connection": "keep-alive"}).status == 400
    assert server.ask("/echo", method="POST", **UPGRADE).status == 405
    assert state_of(server)["opened"] == 0


@pytest.mark.parametrize("origin, status", [
    (None, 101), ("http://HOST", 101), ("https://HOST", 101), ("http://evil.example", 403), ("null", 403),
    ("http://HOST.evil.example", 403), ("http://HOST:1", 403), ("HOST", 403)])
def test_pages_of_others_may_not_connect(sockets, origin, status):
    server = sockets()
    fields = {"host": "chat.example", **({"origin": origin.replace("HOST", "chat.example")} if origin else {})}
    with server.connect() as connection:
        connection.send(make_request(target="/echo", **UPGRADE, **fields))
        assert connection.read_head().status == status


def test_frames_may_come_with_the_handshake(sockets):
    with sockets().connect() as connection:
        connection.send(make_request(target="/plain", **UPGRADE) + frame(0x81, b"early"))
        assert connection.read_head().status == 101
        assert connection.read_bytes(7) == b"\x81\x05early"


# ---- Closing ----

@pytest.mark.parametrize("code, seen", [(1000, 1000), (1001, 1001), (3000, 3000), (4999, 4999), (0, 1000), (1005, 1000),
                                        (1006, 1000), (5000, 1000)])
def test_the_server_closes_with_a_code(sockets, code, seen):
    async def talk(server):
        async with connect(server, "/close") as client:
            await client.send(str(code))
            assert await client.recv() == "last"
            with pytest.raises(websockets.ConnectionClosed):
                await client.recv()
        return client.close_code, client.close_reason

    server = sockets()
    assert asyncio.run(talk(server)) == (seen, "as you wish")
    wait_until(lambda: state_of(server)["closed"] == 1, "the end")
    assert state_of(server)["code"] == seen  # the client's answer


@pytest.mark.parametrize("code", [1000, 1001, 3999])
def test_the_client_closes_with_a_code(sockets, code):
    async def talk(server):
        async with connect(server, "/echo") as client:
            await client.close(code, "bye")
        return client.close_code

    server = sockets()
    assert asyncio.run(talk(server)) == code
    assert state_of(server)["code"] == code


MISTAKES = {
    "no mask": (b"\x81\x05hello", 1002), "reserved opcode": (frame(0x83), 1002), "RSV1": (frame(0xC1), 1002),
    "continuation of nothing": (frame(0x80, b"x"), 1002), "ping in fragments": (frame(0x09), 1002),
    "no UTF-8": (frame(0x81, b"\xff"), 1007), "no such code": (frame(0x88, b"\x03\xed"), 1002),
    "too large": (frame(0x82, b"x" * (MIB + 1)), 1009)}


@pytest.mark.parametrize("sent, code", MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_told_and_end_it(sockets, sent, code):
    server = sockets()
    with raw(server) as connection:
        with contextlib.suppress(ConnectionError):
            connection.send(sent)
        head = connection.read_bytes(2)
        assert head[0] == 0x88
        assert int.from_bytes(connection.read_bytes(head[1])[:2], "big") == code
        assert connection.ends()
    wait_until(lambda: state_of(server)["closed"] == 1, "the end")
    assert state_of(server)["code"] == code


def test_a_lost_client_is_noticed(sockets):
    server = sockets()
    for leave in ("close", "reset"):
        connection = raw(server)
        wait_until(lambda: state_of(server)["open"] == 1, "it to be open")
        getattr(connection, leave)()
        wait_until(lambda: state_of(server)["open"] == 0, "its end")
        assert state_of(server)["code"] == 1006


def test_a_silent_client_is_asked_then_cut(sockets):
    server = sockets(1, 300)
    with raw(server) as answers, raw(server) as silent:
        for _ in range(3):
            assert answers.read_bytes(2) == b"\x89\x00"
            answers.send(frame(0x8A))
        assert silent.read_bytes(2) == b"\x89\x00"
        assert silent.ends()
        wait_until(lambda: state_of(server)["open"] == 1, "only the other one to be left")


def test_a_drain_tells_everybody(sockets):
    async def talk(server):
        async with connect(server, "/echo") as client, connect(server, "/topic") as member:
            await client.send("x")
            await client.recv()
            await member.recv()
            server.tell(15)
            with pytest.raises(websockets.ConnectionClosed):
                await client.recv()
            with pytest.raises(websockets.ConnectionClosed):
                await member.recv()
        return client.close_code, member.close_code

    server = sockets()
    assert asyncio.run(talk(server)) == (1001, 1001)
    assert server.wait() == 0


def stick(server, messages):
    """A member of the topic that reads nothing, until messages have been missed: it has a full queue then."""
    async def talk():
        async with connect(server, "/topic") as fast:
            assert await fast.recv() == "joined"
            while state_of(server)["missed"] == 0:
                await fast.send(messages)
                assert await fast.recv() == messages

    stuck = server.connect(receive_buffer=65536)
    stuck.send(make_request(target="/topic", **UPGRADE))
    assert stuck.read_head().status == 101
    wait_until(lambda: state_of(server)["members"] == 1, "it to join")
    asyncio.run(talk())
    wait_until(lambda: state_of(server)["open"] == 1, "only this one to be left")
    return stuck


def test_a_drain_tells_those_who_read_late_behind_all_else(sockets):
    server = sockets(1)
    with stick(server, bytes(200_000)) as stuck:
        server.tell(15)
        assert stuck.read_bytes(8) == b"\x81\x06joined"
        sizes = set()
        while (head := stuck.read_bytes(2)) == b"\x82\x7f":
            sizes.add(int.from_bytes(stuck.read_bytes(8), "big"))
            stuck.read_bytes(200_000)
        assert (head, stuck.read_bytes(2), sizes) == (b"\x88\x02", b"\x03\xe9", {200_000})
        stuck.send(frame(0x88, b"\x03\xe9"))
        assert stuck.ends()
    assert server.wait() == 0
    assert "0 open at the end, 2 closed, the last one with 1001" in server.log


def test_a_drain_does_not_wait_for_ever_for_who_reads_nothing(sockets):
    """Told it cannot be; at its end the server lets it go, and says so."""
    server = sockets(1, 0, 300)
    with stick(server, bytes(200_000)):
        server.tell(15)
        assert server.wait() == 0
    assert "0 open at the end, 2 closed, the last one with 1006" in server.log


# ---- Topics ----

def test_a_topic_reaches_all_workers(sockets):
    async def talk(server):
        async with contextlib.AsyncExitStack() as opened:
            kinds = [{"compression": kind} for kind in ("deflate", None)]
            members = [await opened.enter_async_context(connect(server, "/topic", **kinds[i % 2])) for i in range(24)]
            for member in members:
                assert await member.recv() == "joined"
            said = ["short", "long " * 1000, b"\x00\x01" * 5000]
            for message in said:
                await members[5].send(message)
            for member in members:
                assert [await member.recv() for _ in said] == said
            await members[0].send("leave")
            await members[0].ping()
            wait_until(lambda: state_of(server)["members"] == 23, "it to leave")
            await members[5].send("to the others")
            assert await members[1].recv() == "to the others"
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(members[0].recv(), 0.1)

    server = sockets(2)
    asyncio.run(talk(server))
    wait_until(lambda: state_of(server)["open"] == 0, "all to go")
    state = state_of(server)
    assert (state["members"], state["missed"]) == (0, 0)


def test_a_slow_member_misses_what_it_does_not_read(sockets):
    async def talk(server, slow):
        async with connect(server, "/topic") as fast:
            assert await fast.recv() == "joined"
            message = random.Random(3).randbytes(256 * 1024)
            for _ in range(80):
                await fast.send(message)
                assert await fast.recv() == message

    server = sockets(2)
    with raw(server, "/topic") as slow:
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        asyncio.run(talk(server, slow))
        assert state_of(server)["missed"] > 20


# ---- Backpressure ----

def test_a_sender_waits_for_a_slow_client(sockets):
    async def talk(server):
        async with connect(server, "/flood", compression=None, max_queue=1, read_limit=4096) as client:
            await client.send("go")
            await asyncio.sleep(0.3)
            size = 0
            with contextlib.suppress(websockets.ConnectionClosed):
                while True:
                    size += len(await client.recv())
            return size, client.close_code

    server = sockets()
    size, code = asyncio.run(talk(server))
    assert code == 1000
    assert size >= 5 * MIB - 5 * 64 * 1024  # five times a full queue
    state = state_of(server)
    assert (state["refused"], state["writable"]) == (5, 5)


def test_a_client_that_never_reads_takes_no_memory(sockets):
    server = sockets(1)
    with contextlib.ExitStack() as opened:
        message = frame(0x82, random.Random(1).randbytes(60_000))
        before = server.memory()
        for _ in range(10):
            connection = opened.enter_context(raw(server, "/plain"))
            connection.socket.settimeout(0.05)
            with contextlib.suppress(socket.timeout, BlockingIOError):
                for _ in range(2000):
                    connection.socket.sendall(message)
        assert sanitizer() or server.memory() - before < 10 * 2 * MIB
        assert server.ask("/state").status == 200


def test_floods_of_pings_are_answered_no_faster_than_they_are_read(sockets):
    server = sockets(1)
    with raw(server) as connection:
        before = server.memory()
        connection.socket.settimeout(0.1)
        with contextlib.suppress(socket.timeout, BlockingIOError):
            for _ in range(1000):
                connection.socket.sendall(frame(0x89, b"x" * 125) * 500)
        assert sanitizer() or server.memory() - before < 4 * MIB
        assert server.ask("/state").status == 200


# ---- What it costs ----

@pytest.mark.slow
@pytest.mark.skipif(sanitizer() is not None, reason="sanitizers have memory of their own")
def test_an_idle_one_costs_512_bytes(sockets):
    """The difference between two crowds, so that what is there once does not count. The kernel's memory is not ours."""
    count = 4000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 3 * count), hard), hard))
    server = sockets(1)
    with contextlib.ExitStack() as opened:
        for _ in range(count):
            opened.enter_context(raw(server))
        first = server.memory()
        for _ in range(count):
            opened.enter_context(raw(server))
        assert state_of(server)["open"] == 2 * count
        each = (server.memory() - first) / count
        assert each <= 512 + 64, each  # and what malloc and the growth of tables lose


# ---- The example ----

def test_the_chat(chat):
    async def talk():
        async with connect(chat, "/chat") as ada, connect(chat, "/chat") as bob:
            await ada.send("hello, bob")
            heard = [await bob.recv()]
            while heard[-1] != "hello, bob":
                heard.append(await bob.recv())
            await bob.send("x" * 2001)
            with pytest.raises(websockets.ConnectionClosed):
                while True:
                    await bob.recv()
            assert bob.close_code == 1009
            while await ada.recv() != "somebody has gone":
                pass

    asyncio.run(talk())
    assert chat.ask("/").status == 200

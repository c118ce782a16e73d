"""Files that are not in memory: sent from their descriptors, while they may change, shrink and vanish."""
import hashlib
import re
import threading
import time

import pytest
from client import Ended
from program import wait_until

SIZE = 48 * 1024 * 1024
UNCACHED = ("--cache-size", "64K")


@pytest.fixture
def large(site):
    return site.put("large.bin", SIZE)


def begin_slowly(server, target="/large.bin"):
    """A client that has read no more than the head of a large response, which is far more than buffers take."""
    connection = server.connect(receive_buffer=256 * 1024)
    response = connection.ask(target).read_head()
    assert (response.status, response["content-length"]) == (200, str(SIZE))
    return connection


def await_etag(server, target):
    """It is a hash of all the file, which is made in the background."""
    wait_until(lambda: "etag" in server.ask(target, method="HEAD"), f"the ETag of {target}")
    return server.ask(target, method="HEAD")["etag"]


def test_a_large_file_arrives_whole(large, serve):
    response = serve(*UNCACHED).ask("/large.bin")
    assert (response.status, response["content-length"]) == (200, str(SIZE))
    assert hashlib.sha256(response.body).digest() == hashlib.sha256(large.read_bytes()).digest()


def test_it_says_how_much_is_in_memory(site, serve):
    site.put("page.bin", 300_000)
    assert re.search("2 pages, .*, 1 of them .* in memory", serve(*UNCACHED).log)
    assert re.search("2 pages, .*, all in memory", serve().log)


def test_a_response_is_the_same_from_memory_and_from_the_file(site, serve):
    content = site.put("page.bin", 300_000).read_bytes()
    servers = [serve(*options) for options in (UNCACHED, ())]
    assert await_etag(servers[0], "/page.bin") == await_etag(servers[1], "/page.bin")
    answers = [server.ask("/page.bin") for server in servers]
    assert [answer.body for answer in answers] == [content, content]
    fields = [[field for field in answer.fields if field[0] != "date"] for answer in answers]
    assert fields[0] == fields[1]


def test_a_large_file_has_conditions_too(large, serve):
    server = serve(*UNCACHED)
    etag = await_etag(server, "/large.bin")
    response = server.ask("/large.bin", if_none_match=etag)
    assert (response.status, response["etag"]) == (304, etag)


def test_large_and_small_responses_keep_their_order(site, large, serve):
    site.put("small.txt", "small")
    with serve(*UNCACHED).connect() as connection:
        for target in ("/small.txt", "/large.bin", "/small.txt", "/large.bin", "/nothing", "/small.txt"):
            connection.ask(target)
        sizes = [len(connection.read().body) for _ in range(5)]
        assert sizes[:4] == [5, SIZE, 5, SIZE]
        assert connection.read().text == "small"


def test_many_clients_read_it_at_once(large, serve):
    server, expected = serve(*UNCACHED), hashlib.sha256(large.read_bytes()).digest()
    right = []

    def read():
        right.append(hashlib.sha256(server.ask("/large.bin").body).digest() == expected)

    clients = [threading.Thread(target=read) for _ in range(4)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert right == [True] * 4


def test_a_file_that_shrinks_ends_that_connection_early(site, large, serve):
    site.put("other.bin", 300_000)
    server = serve(*UNCACHED)
    with begin_slowly(server) as slow, server.connect() as other:
        assert other.get("/").status == 200
        with open(large, "r+b") as file:
            file.truncate(1000)
        assert len(slow.read_to_end()) < SIZE
        assert len(other.get("/other.bin").body) == 300_000
        assert len(other.get("/large.bin").body) == 1000


def test_a_file_that_is_removed_while_it_is_sent_is_sent_whole(site, large, serve):
    """Its descriptor is open; whoever comes later finds nothing."""
    server = serve(*UNCACHED)
    with begin_slowly(server) as slow:
        large.unlink()
        assert server.ask("/large.bin").status == 404
        assert len(slow.read_some(SIZE)) == SIZE
        assert server.works()
    site.put("large.bin", 1000)
    wait_until(lambda: server.ask("/large.bin").status == 200, "the new file to be seen")
    assert len(server.ask("/large.bin").body) == 1000


@pytest.mark.parametrize("added", [0, 1000])
def test_a_file_that_is_written_anew_while_it_is_sent_ends_that_connection(large, serve, added):
    """Nobody gets the beginning of one file and the end of another as if they were one."""
    server = serve(*UNCACHED)
    with begin_slowly(server) as slow:
        with open(large, "r+b") as file:
            for _ in range(SIZE // 2**20):
                file.write(b"\0" * 2**20)
            file.write(b"\0" * added)
        assert len(slow.read_to_end()) < SIZE
    assert "cut off, somebody wrote to it while it was sent: /large.bin" in server.log
    wait_until(lambda: server.ask("/large.bin").status == 200, "the new one to be seen")
    assert server.ask("/large.bin").body == b"\0" * (SIZE + added)


def test_a_log_is_written_while_it_is_sent(large, serve):
    """It goes out as far as it was there when the response began."""
    before = large.read_bytes()
    server = serve(*UNCACHED)
    with begin_slowly(server) as slow:
        with open(large, "ab") as file:
            for _ in range(10):
                file.write(b"one more line\n")
                file.flush()
        assert slow.read_some(SIZE) == before


def test_a_file_that_is_replaced_while_it_is_sent_is_sent_whole(site, large, serve):
    before = large.read_bytes()
    server = serve(*UNCACHED)
    with begin_slowly(server) as slow:
        site.put("beside.bin", SIZE).rename(large)
        assert slow.read_some(SIZE) == before


def test_a_large_file_that_is_being_written_is_not_sent_half(site, serve):
    """Unless the writer rests for so long that it looks finished: then this attempt shows nothing."""
    server, size = serve("--cache-size", "1M"), 200 * 64 * 1024

    def attempt(number):
        target, gaps, got, done = f"/{number}.bin", [], [], threading.Event()

        def write():
            last = time.monotonic()
            with open(site.path / target[1:], "ab", buffering=0) as file:
                for _ in range(200):
                    file.write(b"x" * 64 * 1024)
                    time.sleep(0.005)
                    last, before = time.monotonic(), last
                    gaps.append(last - before)
            done.set()

        writer = threading.Thread(target=write)
        writer.start()
        while not done.is_set():
            response = server.ask(target)
            assert response.status in (200, 404, 503)
            if response.status == 200:
                got.append(len(response.body))
        writer.join()
        wait_until(lambda: server.ask(target).status == 200, "the file to be whole")
        assert len(server.ask(target).body) == size
        if max(gaps) > 0.05:
            return False
        assert all(length == size for length in got), got
        return True

    assert any(attempt(number) for number in range(10))


def test_a_folder_in_the_place_of_a_file_is_not_found(large, serve):
    server = serve(*UNCACHED)
    large.unlink()
    large.mkdir()
    assert server.ask("/large.bin").status == 404
    assert server.works()


def test_a_file_that_changed_after_the_start_is_sent_as_it_is(site, serve):
    """Its old ETag, a hash of other content, must not be on it."""
    page = site.put("page.bin", 200_000)
    server = serve(*UNCACHED)
    old = await_etag(server, "/page.bin")
    page.write_bytes(b"x" * 150_000)
    new = server.ask("/page.bin")
    assert (new.status, new.body) == (200, b"x" * 150_000)
    assert "etag" not in new or new["etag"] != old


def test_content_in_memory_and_its_etag_belong_together(site, serve):
    page = site.put("page.txt", "old")
    server = serve()
    old = server.ask("/page.txt")
    page.write_text("new content")
    now = server.ask("/page.txt")
    assert now.status == 200 and now.text in ("old", "new content")
    assert (now.text == "old") == (now["etag"] == old["etag"])
    page.unlink()
    assert server.ask("/page.txt").status in (200, 404)


def test_a_reset_in_the_middle_of_a_response_harms_nobody(site, large, serve):
    site.put("memory.bin", 60_000)
    server = serve(*UNCACHED)
    idle = server.count_sockets()
    for target in ("/large.bin", "/memory.bin") * 20:
        connection = server.connect(receive_buffer=4096)
        connection.ask(target)
        connection.read_some(1)
        connection.reset()
    with server.connect() as connection:
        assert connection.get("/memory.bin").status == 200
        assert len(connection.get("/large.bin").body) == SIZE
    wait_until(lambda: server.count_sockets() <= idle, "the connections to go")


def test_a_client_that_leaves_before_it_is_answered_harms_nobody(large, serve):
    server = serve(*UNCACHED, "--background", "1")
    idle = server.count_sockets()
    for how in ("reset", "close") * 20:
        getattr(server.connect().ask("/large.bin"), how)()
    assert server.works()
    wait_until(lambda: server.count_sockets() <= idle, "the connections to go")


def test_a_half_closed_client_gets_the_whole_file(large, serve):
    with serve(*UNCACHED).connect() as connection:
        connection.ask("/large.bin").ask("/large.bin", method="HEAD").half_close()
        assert len(connection.read().body) == SIZE
        assert connection.read().status == 200
        with pytest.raises(Ended):
            connection.read_head()

"""A site that is larger than the memory it may take: all of it is served, what is asked for stays, the rest goes."""
import hashlib
import os
import re
import threading

import pytest
from program import sanitizer, wait_until

COUNT, SIZE, BUDGET = 300, 40_000, 2 << 20  # six times as much as there is room for


@pytest.fixture
def pages(site):
    return {f"/{i}.bin": site.put(f"{i}.bin", SIZE).read_bytes() for i in range(COUNT)}


@pytest.fixture(params=["sieve", "lru"])
def options(request):
    return ("--cache-size", str(BUDGET), "--cache-policy", request.param)


def ask_all(server, pages):
    with server.connect() as connection:
        for target, content in pages.items():
            response = connection.get(target)
            assert (response.status, response.body == content) == (200, True), target


def test_all_of_it_is_served_again_and_again(pages, options, serve):
    server = serve(*options)
    for _ in range(4):
        ask_all(server, pages)


def test_its_memory_is_bounded(pages, options, serve):
    """Three rounds more take nothing more."""
    if sanitizer():
        pytest.skip("a sanitizer keeps what is freed")
    server = serve(*options)
    ask_all(server, pages)
    before = server.memory()
    for _ in range(3):
        ask_all(server, pages)
    assert server.memory() < before + BUDGET


class Versions:
    """A file whose content changes without a trace: as large as before, and as old. Only who reads it again can tell,
    so the response says where it comes from."""

    def __init__(self, site, server, name):
        self.path, self.server, self.name, self.number = site.path / name, server, name, 0

    def change(self):
        stat, self.number = self.path.stat(), self.number + 1
        with open(self.path, "r+b") as file:
            file.write(b"%08d" % self.number)
        os.utime(self.path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    def served(self):
        response = self.server.ask("/" + self.name)
        assert response.status == 200
        return int(response.body[:8])

    def is_in_memory(self):
        self.served()
        self.change()
        return self.served() < self.number


def test_what_was_evicted_is_loaded_again(site, options, serve):
    for i in range(COUNT):
        site.put(f"{i}.bin", SIZE)
    site.put("mark.bin", b"00000000" + bytes(SIZE))
    server = serve(*options, "--watch", "off")
    mark = Versions(site, server, "mark.bin")

    def is_evicted():
        for i in range(2 * COUNT):  # each twice in a row: as much in demand as the mark
            assert server.ask(f"/{i // 2}.bin").status == 200
        return mark.served() == mark.number

    for _ in range(3):
        wait_until(mark.is_in_memory, "the page to be loaded")
        wait_until(is_evicted, "the page to be evicted")


def test_many_clients_of_few_places(pages, options, serve):
    server, wrong = serve(*options), []
    digests = {target: hashlib.sha256(content).digest() for target, content in pages.items()}

    def read(step):
        targets = list(pages)
        with server.connect() as connection:
            for i in range(COUNT):
                target = targets[i * step % COUNT]
                response = connection.get(target)
                if response.status != 200 or hashlib.sha256(response.body).digest() != digests[target]:
                    wrong.append(target)

    clients = [threading.Thread(target=read, args=(step,)) for step in (1, 7, 11, 13, 1, 1)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert not wrong


def test_codings_count_too(site, serve):
    """Encoding goes on while pages come and go, within the same budget."""
    texts = {f"/{i}.html": f"<p>{i}</p>" * 3000 for i in range(100)}
    for target, text in texts.items():
        site.put(target[1:], text)
    server = serve("--cache-size", "1M")
    for _ in range(3):
        for target, text in texts.items():
            assert server.ask(target).text == text
            assert server.ask(target, accept_encoding="gzip").status == 200
    assert server.works()


def test_one_page_takes_at_most_an_eighth(site, serve):
    site.put("fits.bin", BUDGET // 8 - 4096)
    site.put("large.bin", BUDGET // 8)
    server = serve("--cache-size", str(BUDGET))
    assert re.search("3 pages, .*, 2 of them .* in memory", server.log)
    assert len(server.ask("/large.bin").body) == BUDGET // 8


def test_without_a_cache(pages, serve):
    ask_all(serve("--cache-size", "0"), pages)

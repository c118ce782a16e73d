"""Pages in several codings: made in the background or lying beside them, negotiated, each with an ETag of its own."""
import gzip
import os

import pytest
from codings import CODINGS, decoded
from program import wait_until

TEXT = "".join(f"<p>line {i} of a page that is worth compressing, {i * i % 97}\n" for i in range(2000))


@pytest.fixture
def page(site):
    return site.put("page.html", TEXT)


def coding_of(response):
    return response["content-encoding"] if "content-encoding" in response else "identity"


def await_coding(server, coding, target="/page.html"):
    wait_until(lambda: coding_of(server.ask(target, accept_encoding=coding)) == coding, f"{target} in {coding}")
    return server.ask(target, accept_encoding=coding)


def await_all(server, target="/page.html"):
    return {coding: await_coding(server, coding, target) for coding in CODINGS}


def test_every_coding_is_made_and_holds_the_page(page, serve):
    server = serve()
    plain = server.ask("/page.html")
    made = await_all(server)
    assert (plain.text, coding_of(plain)) == (TEXT, "identity")
    for response in made.values():
        assert decoded(response) == TEXT.encode()
        assert len(response.body) < len(TEXT) * 0.5
        assert response["vary"] == "Accept-Encoding"
        assert response["content-type"] == plain["content-type"]
        assert response["last-modified"] == plain["last-modified"]
    assert len({plain["etag"], *(response["etag"] for response in made.values())}) == 4
    assert not any(response["etag"].startswith("W/") for response in made.values())


def test_the_page_is_there_before_its_codings_are(site, serve):
    """Whatever comes first, each response is whole and says what it is."""
    for i in range(20):
        site.put(f"{i}.html", TEXT + str(i))
    server = serve()
    for i in range(20):
        assert decoded(server.ask(f"/{i}.html", accept_encoding="br, gzip, zstd")) == (TEXT + str(i)).encode()


NEGOTIATED = [
    (None, {"identity"}), ("", {"identity"}), ("br", {"br"}), ("gzip", {"gzip"}), ("x-gzip", {"gzip"}),
    ("zstd", {"zstd"}), ("gzip;q=0.5, br;q=0.4", {"gzip"}), ("br;q=0.1", {"br"}), ("BR", {"br"}),
    ("gzip, deflate, br, zstd", {"br", "zstd"}), ("*", {"br", "zstd"}), ("*, br;q=0, zstd;q=0", {"gzip"}),
    ("deflate, compress", {"identity"}), ("br;q=0", {"identity"}), ("identity;q=0, gzip", {"gzip"}),
    ("identity, gzip;q=0.9", {"identity"}), ("br;q=nonsense, gzip", {"gzip"}),
]


def test_the_client_says_which_it_gets(page, serve):
    server = serve()
    await_all(server)
    for accept, expected in NEGOTIATED:
        response = server.ask("/page.html", accept_encoding=accept)
        assert coding_of(response) in expected, accept
        assert response["vary"] == "Accept-Encoding", accept


def test_who_refuses_all_there_is_gets_406(site, page, serve):
    site.put("picture.png", 5000)
    server = serve("--no-encodings")
    for accept in ("identity;q=0", "*;q=0", "br, identity;q=0"):
        for target in ("/page.html", "/picture.png"):
            assert server.ask(target, accept_encoding=accept).status == 406, (accept, target)
    assert server.ask("/page.html", accept_encoding="br;q=0").status == 200


@pytest.mark.parametrize("cache", ["256M", "100K"])  # in memory, and from the file
def test_a_refusal_varies_by_what_it_depended_on(site, page, serve, cache):
    """Of a page with several codings it does, where nobody names one, too; what has none only refuses by that."""
    site.put("picture.png", 5000)
    server = serve("--no-encodings", "--cache-size", cache)
    for status, target, fields in ((406, "/page.html", {"accept_encoding": "*;q=0"}),
                                   (406, "/picture.png", {"accept_encoding": "*;q=0"}),
                                   (416, "/page.html", {"range": "bytes=9999999-"}),
                                   (416, "/page.html", {"range": "bytes=9999999-", "accept_encoding": "br"}),
                                   (416, "/picture.png", {"range": "bytes=9999999-", "accept_encoding": "br"}),
                                   (412, "/page.html", {"if_match": '"x"'}),
                                   (412, "/picture.png", {"if_match": '"x"'})):
        response = server.ask(target, **fields)
        varies = [value for name, value in response.fields if name == "vary"]
        expected = status == 406 or target == "/page.html"
        assert (response.status, "Accept-Encoding" in varies) == (status, expected), (target, fields)


def test_each_coding_has_its_304(page, serve):
    server = serve()
    made = await_all(server)
    plain = server.ask("/page.html")
    for coding, response in made.items():
        again = server.ask("/page.html", accept_encoding=coding, if_none_match=response["etag"])
        assert (again.status, again["etag"], again["vary"]) == (304, response["etag"], "Accept-Encoding")
        assert "content-encoding" not in again and "content-type" not in again
        assert server.ask("/page.html", accept_encoding=coding, if_none_match=plain["etag"]).status == 200
        assert server.ask("/page.html", if_none_match=response["etag"]).status == 200


def test_head_says_what_get_would(page, serve):
    server = serve()
    await_all(server)
    for coding in (*CODINGS, "identity"):
        got = server.ask("/page.html", accept_encoding=coding)
        head = server.ask("/page.html", method="HEAD", accept_encoding=coding)
        assert [f for f in head.fields if f[0] != "date"] == [f for f in got.fields if f[0] != "date"]


def test_what_would_not_become_smaller_stays_as_it_is(site, page, serve):
    """Noise in a text, a picture, a few bytes: by the time that all others are encoded it was their turn."""
    site.put("noise.txt", 3000)
    site.put("picture.png", TEXT)
    site.put("short.txt", "a" * 100)
    server = serve()
    await_all(server)
    for target in ("/noise.txt", "/picture.png", "/short.txt"):
        assert coding_of(server.ask(target, accept_encoding="br, gzip, zstd")) == "identity", target
    assert "vary" in server.ask("/noise.txt")
    assert "vary" not in server.ask("/picture.png") and "vary" not in server.ask("/short.txt")


def test_encoding_can_be_turned_off(page, serve):
    server = serve("--no-encodings")
    assert coding_of(server.ask("/page.html", accept_encoding="br, gzip, zstd")) == "identity"


def put_sidecar(site, name, content, level=1, age=0):
    """A gzip file beside the page, which is not what would be made here."""
    path = site.put(name, gzip.compress(content.encode(), level))
    stat = (site.path / name).with_suffix("").stat()
    os.utime(path, ns=(stat.st_mtime_ns, stat.st_mtime_ns - age * 10**9))
    return path.read_bytes()


def test_a_file_beside_the_page_is_used_and_is_no_page(site, page, serve):
    encoded = put_sidecar(site, "page.html.gz", TEXT)
    server = serve()
    response = server.ask("/page.html", accept_encoding="gzip")
    assert (coding_of(response), response.body) == ("gzip", encoded)
    assert server.ask("/page.html.gz").status == 404
    await_coding(server, "br")
    assert server.ask("/page.html", accept_encoding="gzip").body == encoded


def test_a_file_beside_the_page_is_used_without_encodings_too(site, serve):
    site.put("data.bin", TEXT)  # of no type that is compressed
    encoded = put_sidecar(site, "data.bin.gz", TEXT)
    server = serve("--no-encodings")
    response = server.ask("/data.bin", accept_encoding="gzip, br")
    assert (coding_of(response), response.body, response["vary"]) == ("gzip", encoded, "Accept-Encoding")


def test_one_that_is_older_than_the_page_is_not_used(site, page, serve):
    put_sidecar(site, "page.html.gz", TEXT, age=1)
    server = serve("--no-encodings")
    assert coding_of(server.ask("/page.html", accept_encoding="gzip")) == "identity"
    assert server.ask("/page.html.gz").status == 404


@pytest.mark.parametrize("content", [gzip.compress(b"something else" * 100), b"not gzip at all" * 10,
                                     gzip.compress(TEXT.encode(), 1)[:-9], b""],
                         ids=["of something else", "not gzip", "cut off", "empty"])
def test_a_bad_one_is_not_used(site, page, serve, content):
    site.put("page.html.gz", content)
    server = serve("--no-encodings")
    response = server.ask("/page.html", accept_encoding="gzip")
    assert (coding_of(response), response.text) == ("identity", TEXT)
    if content:
        assert "page.html.gz" in server.log


def test_without_its_page_it_is_a_page(site, serve):
    encoded = site.put("archive.tar.gz", gzip.compress(b"x" * 5000)).read_bytes()
    response = serve().ask("/archive.tar.gz")
    assert (response.status, response.body) == (200, encoded)
    assert "content-encoding" not in response


def test_ranges_of_a_coding_are_its_own(page, serve):
    server = serve()
    whole = await_coding(server, "br")
    etag, size = whole["etag"], len(whole.body)
    first = server.ask("/page.html", accept_encoding="br", range="bytes=0-99")
    rest = server.ask("/page.html", accept_encoding="br", range="bytes=100-", if_range=etag)
    assert (first.status, rest.status) == (206, 206)
    assert first["content-range"] == f"bytes 0-99/{size}" and first["content-encoding"] == "br"
    assert first["etag"] == rest["etag"] == etag
    assert first.body + rest.body == whole.body
    other = server.ask("/page.html", range="bytes=100-", if_range=etag)  # of the identity, which has another tag
    assert (other.status, other.text) == (200, TEXT)

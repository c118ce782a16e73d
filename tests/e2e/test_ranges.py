"""Parts of pages, from memory and from files, as clients ask for them that go on with a download or play a film."""
import subprocess

import pytest
from program import wait_until

SMALL, LARGE = 5000, 3_000_000  # beyond an eighth of the cache: from the file
OPTIONS = ("--cache-size", "1M")


@pytest.fixture(params=["small.bin", "large.bin"])
def name(request):
    return request.param


@pytest.fixture
def content(site, name):
    return site.put(name, SMALL if name == "small.bin" else LARGE).read_bytes()


def begin(serve, name):
    """With the ETag, which takes a moment where the page is large."""
    server = serve(*OPTIONS)
    wait_until(lambda: "etag" in server.ask("/" + name, method="HEAD"), "its ETag")
    return server


def parts_of(response):
    """The Content-Range and bytes of each part of a multipart response, which is taken apart strictly."""
    kind, boundary = response["content-type"].split("; boundary=")
    assert kind == "multipart/byteranges"
    pieces = response.body.split(b"\r\n--" + boundary.encode())
    assert pieces[0] == b"" and pieces[-1] == b"--\r\n"
    parts = []
    for piece in pieces[1:-1]:
        head, _, body = piece.partition(b"\r\n\r\n")
        fields = dict(line.split(": ") for line in head.decode().split("\r\n")[1:])
        assert fields["Content-Type"] == "application/octet-stream"
        parts.append((fields["Content-Range"], body))
    return parts


def test_one_range(content, name, serve):
    server, size = begin(serve, name), len(content)
    whole = server.ask("/" + name)
    assert whole["accept-ranges"] == "bytes"
    for value, first, last in (("0-0", 0, 0), ("17-4000", 17, 4000), ("4000-", 4000, size - 1),
                               ("-500", size - 500, size - 1), (f"{size - 1}-", size - 1, size - 1),
                               (f"10-{size * 2}", 10, size - 1), (f"-{size * 2}", 0, size - 1), ("0-", 0, size - 1)):
        response = server.ask("/" + name, range="bytes=" + value)
        assert response.status == 206, value
        assert response["content-range"] == f"bytes {first}-{last}/{size}"
        assert response["content-length"] == str(last - first + 1)
        assert response.body == content[first:last + 1]
        assert response["etag"] == whole["etag"] and response["content-type"] == whole["content-type"]


def test_several_ranges(content, name, serve):
    size = len(content)
    response = begin(serve, name).ask("/" + name, range="bytes=100-199, 0-9,-1")
    assert response.status == 206 and "content-range" not in response
    assert parts_of(response) == [(f"bytes 100-199/{size}", content[100:200]), (f"bytes 0-9/{size}", content[:10]),
                                  (f"bytes {size - 1}-{size - 1}/{size}", content[-1:])]


def test_as_many_ranges_as_there_may_be(content, name, serve):
    server, size = begin(serve, name), len(content)
    firsts = range(0, 16 * 200, 200)
    response = server.ask("/" + name, range="bytes=" + ",".join(f"{first}-{first + 9}" for first in firsts))
    assert parts_of(response) == [(f"bytes {first}-{first + 9}/{size}", content[first:first + 10]) for first in firsts]
    more = server.ask("/" + name, range="bytes=" + ",".join(f"{i * 20}-{i * 20}" for i in range(100)))
    assert (more.status, more.body) == (200, content)


def test_many_small_ranges_cost_less_than_the_whole(content, name, serve):
    """Overlapping ones become one (RFC 9110 17.15)."""
    response = begin(serve, name).ask("/" + name, range="bytes=" + ",".join(["0-"] * 60))
    assert (response.status, response.body) == (206, content)
    assert response["content-range"] == f"bytes 0-{len(content) - 1}/{len(content)}"


def test_beyond_the_end(content, name, serve):
    server, size = begin(serve, name), len(content)
    for value in (f"{size}-", f"{size}-{size * 2}", "-0", "99999999999999999999999-"):
        response = server.ask("/" + name, range="bytes=" + value)
        assert (response.status, response["content-range"]) == (416, f"bytes */{size}"), value
        assert "etag" not in response
        head = server.ask("/" + name, range="bytes=" + value, method="HEAD")
        assert head.status == 200


def test_what_is_not_asked_well_is_ignored(content, name, serve):
    server = begin(serve, name)
    for value in ("bytes=", "bytes=x", "bytes=5-2", "lines=0-1", "bytes 0-1", "bytes=0-1;2-3", "bytes=1"):
        response = server.ask("/" + name, range=value)
        assert (response.status, response.body) == (200, content), value
    head = server.ask("/" + name, method="HEAD", range="bytes=0-1")
    assert (head.status, head["content-length"]) == (200, str(len(content)))


def test_if_range(content, name, serve):
    server = begin(serve, name)
    page = server.ask("/" + name)
    for validator, status in ((page["etag"], 206), (page["last-modified"], 206), ('"other"', 200),
                              ("W/" + page["etag"], 200), ("Thu, 01 Jan 1970 00:00:00 GMT", 200)):
        # A date is a strong validator only once its second is over.
        if status == 206 and validator == page["last-modified"] and validator == page["date"]:
            continue
        response = server.ask("/" + name, range="bytes=5-9", if_range=validator)
        assert (response.status, response.body) == (status, content[5:10] if status == 206 else content), validator


def test_conditions_come_first(content, name, serve):
    server = begin(serve, name)
    etag = server.ask("/" + name)["etag"]
    assert server.ask("/" + name, range="bytes=0-1", if_none_match=etag).status == 304
    assert server.ask("/" + name, range="bytes=0-1", if_match='"other"').status == 412
    assert server.ask("/" + name, range="bytes=0-1", if_match=etag).status == 206


def test_ranges_in_a_row_on_one_connection(content, name, serve):
    with begin(serve, name).connect() as connection:
        firsts = list(range(0, 4900, 100))
        for first in firsts:
            connection.ask("/" + name, range=f"bytes={first}-{first + 99}, {first}-{first + 9}, 4999-4999")
        for first in firsts:
            response = connection.read()
            assert response.status == 206
            assert parts_of(response)[0][1] == content[first:first + 100]


def test_an_empty_page_has_no_ranges(site, serve):
    site.put("empty.bin", "")
    response = serve().ask("/empty.bin", range="bytes=0-0")
    assert (response.status, response.body) == (200, b"")


def curl(server, *arguments):
    address = f"http://127.0.0.1:{server.address[1]}{arguments[-1]}"
    command = ["curl", "-sS", "--fail", "--max-time", "20", *arguments[:-1], address]
    return subprocess.run(command, capture_output=True, check=True).stdout


def test_curl_takes_parts_and_goes_on(content, name, serve, scratch):
    server = begin(serve, name)
    assert curl(server, "-r", "100-199", "/" + name) == content[100:200]
    assert curl(server, "-r", "-7", "/" + name) == content[-7:]
    begun = scratch / "begun"
    begun.write_bytes(content[:1234])
    curl(server, "-C", "-", "-o", str(begun), "/" + name)
    assert begun.read_bytes() == content

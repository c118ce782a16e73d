"""The example upload.c: files that come in while they are written, what they are called, and how much memory that takes."""
import hashlib
import json
import random
import re

import pytest
from client import make_request
from program import EXAMPLES, sanitizer, wait_until

BOUNDARY = "a boundary"
FORM = f'multipart/form-data; boundary="{BOUNDARY}"'
MIB = 1 << 20


def form(filename, content, name="file"):
    """Latin-1 for names that are given as bytes."""
    told = f'; filename="{filename}"' if filename is not None else ""
    return (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{told}\r\n\r\n'.encode("utf-8", "surrogateescape")
            + content + f"\r\n--{BOUNDARY}--\r\n".encode())


def send(server, filename, content, **fields):
    return server.ask("/files", method="POST", body=form(filename, content), content_type=FORM, **fields)


def listed(server):
    response = server.ask("/files")
    assert (response.status, response["content-type"]) == (200, "application/json")
    return json.loads(response.body)


def test_what_is_sent_can_be_had_again(uploads):
    server = uploads()
    content = random.Random(1).randbytes(300_000)
    response = send(server, "Grüße.bin", content)
    assert (response.status, json.loads(response.body)) == (201, {"name": "Grüße.bin", "size": 300_000})
    assert send(server, "empty", b"").status == 201
    assert listed(server) == [{"id": 1, "name": "Grüße.bin", "size": 300_000}, {"id": 2, "name": "empty", "size": 0}]
    got = server.ask("/files/1")
    assert (got.status, got.body, got["content-type"]) == (200, content, "application/octet-stream")
    assert (got["content-disposition"], got["x-content-type-options"]) == ("attachment", "nosniff")
    part = server.ask("/files/1", range="bytes=299990-")
    assert (part.status, part.body) == (206, content[-10:])
    assert server.ask("/files/1", if_none_match=got["etag"]).status == 304


NAMES = ("../../outside", "/etc/passwd", "..", ".", "1.name", "con\\x", "<img src=x onerror=alert(1)>", "a" * 255,
         "%2e%2e%2foutside")


def test_names_are_never_paths(uploads, scratch):
    server = uploads()
    for name in NAMES:
        assert send(server, name, b"x").status == 201, name
    assert [entry["name"] for entry in listed(server)] == list(NAMES)
    numbers = {str(number) for number in range(1, len(NAMES) + 1)}
    files = {path.name for path in (scratch / "uploads").iterdir()}
    assert files == numbers | {f"{number}.name" for number in numbers}
    assert not list(scratch.glob("**/outside"))


def test_bad_uploads_leave_nothing(uploads, scratch):
    server = uploads()
    for name, status in (("a" * 256, 422), ("", 422), ("\udcff", 422), ("a\x01", 400), (None, 422)):
        assert send(server, name, b"x").status == status, name
    assert server.ask("/files", method="POST", body=b"x", content_type="text/plain").status == 415
    assert server.ask("/files", method="POST", body=b"x" * 100, content_type=FORM).status == 400
    two = form("a", b"1").replace(f"--{BOUNDARY}--\r\n".encode(), b"") + form("b", b"2")
    assert server.ask("/files", method="POST", body=two, content_type=FORM).status == 413
    with server.connect() as connection:
        connection.send(make_request("POST", "/files", content_length=(4 << 30) + 1, content_type=FORM))
        assert connection.read().status == 413
    assert listed(server) == []
    assert not list((scratch / "uploads").iterdir())


def test_what_is_not_there(uploads, scratch):
    server = uploads()
    send(server, "x", b"y")
    for target in ("0", "2", "1000", "1001", "-1", "1.name", "x", "99999999999999999999", "..%2fprogram"):
        assert server.ask(f"/files/{target}").status in (400, 404), target
    (scratch / "uploads" / "1").unlink()
    assert server.ask("/files/1").status == 404
    assert listed(server) == []


def test_a_client_that_goes_away_leaves_nothing(uploads, scratch):
    server = uploads()
    connection = server.connect()
    connection.send(make_request("POST", "/files", content_length=MIB, content_type=FORM) + form("x", b"y" * 300_000)[:-50])
    wait_until(lambda: list((scratch / "uploads").iterdir()), "the file that is being written")
    connection.reset()
    wait_until(lambda: not list((scratch / "uploads").iterdir()), "it to be removed")
    assert send(server, "next", b"x").status == 201


def test_a_full_folder_is_told(uploads, scratch):
    server = uploads()
    for number in range(1, 1001):
        (scratch / "uploads" / f"{number}.name").touch()
    assert send(server, "one more", b"x").status == 507
    (scratch / "uploads" / "17.name").unlink()
    assert send(server, "one more", b"x").status == 201
    assert listed(server) == [{"id": 17, "name": "one more", "size": 1}]


def test_memory_is_bounded(uploads, scratch):
    server = uploads()
    size, block = 300 * MIB, random.Random(2).randbytes(MIB)
    head, tail = form("large", b"|").split(b"|")
    send(server, "small", b"x" * MIB)
    before, peak = server.memory(), 0
    with server.connect() as connection:
        connection.send(make_request("POST", "/files", content_length=len(head) + size + len(tail), content_type=FORM))
        connection.send(head)
        for _ in range(size // MIB):
            connection.send(block)
            peak = max(peak, server.memory())
        assert connection.send(tail).read().status == 201
    assert sanitizer() or peak - before < 8 * MIB, f"{(peak - before) / MIB:.0f} MiB more for {size / MIB:.0f} MiB"
    digest = hashlib.sha256()
    for _ in range(size // MIB):
        digest.update(block)
    with open(scratch / "uploads" / "2", "rb") as file:
        assert hashlib.file_digest(file, "sha256").digest() == digest.digest()


def test_a_folder_has_to_be_named(start, scratch):
    if not (EXAMPLES / "upload").exists():
        pytest.skip("the examples were not built")
    for arguments in ([], [scratch / "nothing"]):
        ended = start([EXAMPLES / "upload", *arguments], ready="name a folder")
        ended.expected_status = 2
        assert ended.wait() == 2 and re.search("in which this user may write", ended.log)

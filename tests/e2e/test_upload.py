"""The example upload.c: files that come in while they are written, what they are called, and how much memory that takes."""
import hashlib
import json
import random
import re
import select
import socket

import pytest
from client import Ended, make_request
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


def part(told, content=b"x", boundary="b"):
    return f"--{boundary}\r\nContent-Disposition: form-data; {told}\r\n\r\n".encode() + content + b"\r\n"


FILE, END = part('name="file"; filename="f"'), b"--b--\r\n"
LONGEST = "0123456789" * 7
LONG = 'name="file"; filename="f"\r\nX: '
HEAD_LEFT = 4096 - len("Content-Disposition: form-data; " + LONG + "\r\n\r\n")
LIES = (
    ("a boundary that is not there", 400, "boundary=c", FILE + END),
    ("two boundaries", 415, "boundary=b; boundary=c", FILE + END),
    ("the longest boundary", 201, f"boundary={LONGEST}",
     part('name="file"; filename="f"', boundary=LONGEST) + f"--{LONGEST}--".encode()),
    ("a longer one", 415, f"boundary={LONGEST}0",
     part('name="file"; filename="f"', boundary=LONGEST + "0") + f"--{LONGEST}0--".encode()),
    ("a line that only begins like it", 400, "boundary=b",
     part('name="file"; filename="f"', b"x\r\n--bb\r\ny") + END),
    ("a line that ends too early for it", 201, "boundary=b",
     part('name="file"; filename="f"', b"x\r\n--\r\n-b\r--b\n--b") + END),
    ("line feeds alone", 400, "boundary=b", (FILE + END).replace(b"\r\n", b"\n")),
    ("no end", 400, "boundary=b", FILE),
    ("an end and more", 201, "boundary=b", FILE + END + FILE),
    ("two names", 400, "boundary=b", part('name="file"; filename="f"; name="other"') + END),
    ("two names of a file", 400, "boundary=b", part('name="file"; filename="f"; filename="g"') + END),
    ("a NUL in a name", 400, "boundary=b", part('name="file"; filename="f\0g"') + END),
    ("a head that is as long as it may be", 201, "boundary=b",
     part(LONG + "x" * HEAD_LEFT) + END),
    ("a longer head", 400, "boundary=b", part(LONG + "x" * (HEAD_LEFT + 1)) + END),
    ("nothing at all", 400, "boundary=b", b""),
)


@pytest.mark.parametrize(("status", "boundary", "body"), [row[1:] for row in LIES], ids=[row[0] for row in LIES])
def test_forms_that_lie(uploads, scratch, status, boundary, body):
    """Whole, and a byte at a time, with the same answer; afterwards the next one is taken."""
    server = uploads()
    content_type = f"multipart/form-data; {boundary}"
    assert server.ask("/files", method="POST", body=body, content_type=content_type).status == status
    with server.connect() as connection:
        connection.send(make_request("POST", "/files", content_length=len(body), content_type=content_type))
        for at in range(len(body)):
            if select.select([connection.socket], [], [], 0)[0]:
                break  # it has been answered: the rest is not wanted
            connection.send(body[at:at + 1])
        assert connection.read().status == status
    assert send(server, "next", b"x").status == 201
    assert len(listed(server)) == (3 if status == 201 else 1)
    wait_until(lambda: len(list((scratch / "uploads").glob(".upload*"))) == 0, "the rest to be removed")


@pytest.mark.parametrize(("told", "status"), [(-1, 400), (1, None), (1 << 20, None)])
def test_sizes_that_lie(uploads, scratch, told, status):
    """A length that is less than what comes cuts the form, and more is waited for; the client's end ends that."""
    server = uploads()
    body = FILE + b"--b--"
    with server.connect() as connection:
        connection.send(make_request("POST", "/files", content_length=len(body) + told,
                                     content_type="multipart/form-data; boundary=b") + body)
        connection.socket.shutdown(socket.SHUT_WR)
        if status is None:
            with pytest.raises(Ended):
                connection.read()
        else:
            assert connection.read().status == status
    assert send(server, "next", b"x").status == 201
    assert [entry["name"] for entry in listed(server)] == ["next"]
    wait_until(lambda: len(list((scratch / "uploads").glob(".upload*"))) == 0, "the rest to be removed")


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

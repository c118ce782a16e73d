"""The example guestbook.c: a form that is posted, what is kept of it, and the events that tell of it."""
import re
from urllib.parse import urlencode

import pytest
from program import EXAMPLES, wait_until

FORM = "application/x-www-form-urlencoded"
STRANGE = "\"Bobby\" & '); DROP TABLE entries;-- <script>alert(1)</script> ü \U0001f600"
ESCAPED = "&quot;Bobby&quot; &amp; &#39;); DROP TABLE entries;-- &lt;script&gt;alert(1)&lt;/script&gt; ü \U0001f600"


def sign(server, name, text, content_type=FORM, **fields):
    return server.ask("/sign", method="POST", body=urlencode({"name": name, "text": text}).encode(),
                      content_type=content_type, **fields)


def test_who_signs_stands_in_the_book_escaped(guestbook):
    server = guestbook()
    response = sign(server, "Ada", STRANGE)
    assert (response.status, response["location"]) == (303, "/")
    sign(server, "<b>", "second\r\nline")
    page = server.ask("/")
    assert (page.status, page["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'self'" in page["content-security-policy"]
    assert f"<p>{ESCAPED}</p><cite>Ada</cite>" in page.text and "<script>alert" not in page.text
    assert "second\r\nline</p><cite>&lt;b&gt;</cite>" in page.text
    assert re.findall("second|TABLE", page.text) == ["second", "TABLE"], "the newest first"


@pytest.mark.parametrize("entries", [
    [("", "x"), ("x", ""), (" \t", "x"), ("x", "\r\n "), ("x" * 151, "x"), ("x", "x" * 3001)],
    [("a\0b", "x"), ("x", "\x1b[1m"), (b"\xff", "x"), ("x", b"\xed\xa0\x80"), ("x", "\x7f")],
])
def test_bad_entries_are_refused(guestbook, entries):
    server = guestbook()
    for name, text in entries:
        assert sign(server, name, text).status == 422, (name, text)
    assert "<li>" not in server.ask("/").text


def test_nobody_signs_without_end(guestbook):
    server = guestbook()
    statuses = [sign(server, "x", "y").status for _ in range(100)]
    assert statuses[:10] == [303] * 10 and 429 in statuses
    assert server.ask("/").status == 200


def test_limits_at_their_edge(guestbook):
    server = guestbook()
    assert sign(server, "ü" * 75, "\U0001f600" * 750).status == 303
    assert sign(server, "x", "y", content_type="text/plain").status == 422
    assert sign(server, "x", "y", sec_fetch_site="cross-site").status == 403
    assert sign(server, "x", "y", sec_fetch_site="same-origin").status == 303
    assert server.ask("/sign").status == 405
    assert len(re.findall("<li>", server.ask("/").text)) == 2


def test_entries_survive_a_restart(guestbook):
    first = guestbook()
    sign(first, "Ada", "I was here")
    first.kill()
    first.status = first.expected_status
    assert "I was here" in guestbook().ask("/").text


def test_open_pages_are_told(guestbook):
    server = guestbook()
    with server.connect() as one, server.connect() as other:
        for connection in (one, other):
            connection.ask("/events")
            head = connection.read_head()
            assert (head.status, head["content-type"], head["cache-control"]) == (200, "text/event-stream", "no-store")
        assert not one.has_input()
        sign(server, "", "refused")
        sign(server, "Ada", "hello")
        for connection in (one, other):
            wait_until(lambda: connection.has_input(), "the event")  # noqa: B023
            assert b"data: new\n\n" in connection.read_some(len("c\r\ndata: new\n\n"))
            assert not connection.has_input()


def test_an_unusable_file_is_told(start, scratch):
    if not (EXAMPLES / "guestbook").exists():
        pytest.skip("the example guestbook was not built: SQLite is missing")
    (scratch / "text.db").write_text("no database" * 1000)
    server = start([EXAMPLES / "guestbook", scratch / "text.db"], ready="file is not a database")
    server.expected_status = 1
    assert server.wait() == 1

"""rawhttpd --explain: what it says of a request is what the running server then does about it, for the same site by the
same configuration; and which steps led there."""
import os
import re
import time

import pytest
from program import RAWHTTPD, run, wait_until

PAGE = "".join(f"<p>A line like many others, number {number}.\n" for number in range(600))
# "secret"
PASSWORD = "$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1"
RIGHT, WRONG = "Basic dXNlcjpzZWNyZXQ=", "Basic dXNlcjp3cm9uZw=="

CONFIG = """\
listen = {"http://127.0.0.1:0"}
access_log = off
root = "site"
list = true
cache_size = "2M"
rule "/old/{rest...}" { redirect = "/new/{rest}"  status = 308 }
rule "/swap/{name}"   { redirect = "/{name}/swap" }
rule "/gone"          { status = 410  cache_control = "max-age=9" }
rule "/shop/*"        { rewrite = "/page.html"  cache_control = "max-age=60" }
rule "/lost"          { rewrite = "/page.html"  status = 404 }
rule "/private/*"     { basic_auth = "htpasswd" }
rule "/*"             { headers = {"X-Frame-Options: DENY"}  cors = "https://app.example" }
host "docs.example.org *.docs.example.org" { root = "docs"  fallback = "/index.html" }
"""


@pytest.fixture
def place(site, scratch):
    """A configuration, and the files that it names."""
    site.put("page.html", PAGE)
    site.put("about/index.html", "about\n")
    site.put("listed/a.txt", "a\n")
    site.put("private/index.html", "secret\n")
    site.put("large.bin", 1 << 20)
    site.put("tiny.txt", "tiny\n")
    site.put("_redirects", "/short /page 302\n")
    (scratch / "docs").mkdir()
    (scratch / "docs" / "index.html").write_text("docs\n")
    (scratch / "htpasswd").write_text(f"user:{PASSWORD}\n")
    (scratch / "site.conf").write_text(CONFIG)
    hour_ago = time.time() - 3600  # so that Last-Modified is never the second in which a response is made
    for path in scratch.rglob("*"):
        os.utime(path, (hour_ago, hour_ago))
    return scratch / "site.conf"


class Explanation:
    def __init__(self, text):
        self.text = text
        self.steps = {}
        for part in text.rstrip("\n").split("\n\n"):
            name, *lines = part.split("\n")
            self.steps[name] = lines

    def facts(self, step):
        """{label: what is said, lines that go on with it joined}."""
        found, label = {}, None
        for line in self.steps[step]:
            match = re.fullmatch(r"  (.{11}) (.*)", line)
            label = match[1].rstrip() or label
            found[label] = f"{found[label]}\n{match[2]}" if label in found else match[2]
        return found

    @property
    def status(self):
        return int(self.steps["response"][0].split()[1])

    @property
    def fields(self):
        lines = [line.strip().split(": ", 1) for line in self.steps["response"][1:]]
        return [(name.lower(), value) for name, value in lines]

    @property
    def sent(self):
        return sum(int(line.split()[1]) for line in self.steps["content"] if line.split()[1].isdigit())


def explain(request, *fields, config=None, options=()):
    arguments = [part for field in fields for part in ("-H", field)]
    done = run("--explain", request, *arguments, *(["-c", config] if config else []), *options)
    assert (done.returncode, done.stderr) == (0, ""), done
    return Explanation(done.stdout)


def comparable(fields):
    """Without what differs from one response to the next: the time, and the boundary of parts."""
    return sorted((name, re.sub(r"boundary=\w+", "boundary=", value)) for name, value in fields if name != "date")


# What is asked, and what is to come of it.
REQUESTS = [
    ("GET /", [], 200),
    ("HEAD /page", [], 200),
    ("GET /page.html?a=b", [], 200),
    ("GET /page", ["Accept-Encoding: br"], 200),
    ("GET /page", ["Accept-Encoding: gzip;q=0.5, zstd"], 200),
    ("GET /page", ["Accept-Encoding: x, identity;q=0"], 406),
    ("GET /page", ["If-None-Match: *", "Accept-Encoding: br"], 304),
    ("GET /page", ["If-Match: \"other\""], 412),
    ("GET /page", ["Range: bytes=-10", "Accept-Encoding: gzip"], 206),
    ("GET /page", ["Range: bytes=0-1, 10-20, 5000-9999"], 206),
    ("GET /page", ["Range: bytes=9999999-"], 416),
    ("GET /page", ["Range: bytes=0-1", "If-Range: \"other\""], 200),
    ("GET /large.bin", [], 200),
    ("GET /large.bin", ["Range: bytes=1000-1999"], 206),
    ("GET /about", [], 301),
    ("GET /about?x=1", [], 301),
    ("GET /about/index", [], 301),
    ("GET /listed", [], 301),
    ("GET /listed/", [], 200),
    ("GET /listed/", ["Accept: application/json"], 200),
    ("GET /missing", [], 404),
    ("GET /missing", ["Accept: application/json"], 404),
    ("POST /page", [], 405),
    ("OPTIONS /page", [], 204),
    ("OPTIONS /page", ["Origin: https://app.example", "Access-Control-Request-Method: GET"], 204),
    ("OPTIONS *", [], 204),
    ("GET /old/a%20b/c?x", [], 308),
    ("GET /swap/swap", [], 404),
    ("GET /short", [], 302),
    ("GET /gone", [], 410),
    ("GET /shop/any", ["Accept-Encoding: zstd"], 200),
    ("GET /lost", ["Accept-Encoding: zstd"], 404),
    ("GET /private/", [], 401),
    ("GET /private/", [f"Authorization: {WRONG}"], 401),
    ("GET /private/", [f"Authorization: {RIGHT}"], 200),
    ("GET /", ["Host: docs.example.org"], 200),
    ("GET /deep/link", ["Host: a.DOCS.example.org:80", "Accept: text/html"], 200),
    ("GET /deep/link.js", ["Host: docs.example.org", "Accept: text/html"], 404),
    ("GET http://docs.example.org/", [], 200),
    ("BREW /", [], 501),
    ("CONNECT a.example:80", [], 405),
    ("GET /../page", [], 400),
    ("GET /", ["Host: a", "Host: b"], 400),
    ("GET /", ["Transfer-Encoding: chunked", "Content-Length: 3"], 400),
    ("GET /", ["Expect: the unexpected"], 417),
]


def request_bytes(request, fields):
    named = any(field.startswith("Host:") for field in fields)
    lines = [f"{request} HTTP/1.1", *([] if named else ["Host: localhost"]), *fields]
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


def ask(server, request, fields):
    with server.connect() as connection:
        connection.methods.append(request.split()[0])
        return connection.send(request_bytes(request, fields)).read()


def serve_until_settled(start, place):
    """The server, when it has read and encoded everything and has an ETag for what it does not keep."""
    server = start([RAWHTTPD, "-c", place], ready=r"listening on http://[^:]*:(\d+)")
    for coding in ("br", "zstd", "gzip"):
        wait_until(lambda c=coding: "content-encoding" in server.ask("/page", accept_encoding=c), f"{coding} is made")
    wait_until(lambda: "etag" in server.ask("/large.bin"), "the large file to be read")
    return server


def test_what_is_explained_is_what_is_served(start, place):
    server = serve_until_settled(start, place)
    wrong = []
    for request, fields, status in REQUESTS:
        explained, served = explain(request, *fields, config=place), ask(server, request, fields)
        told = (explained.status, comparable(explained.fields))
        if told != (served.status, comparable(served.fields)) or served.status != status:
            wrong.append(f"{request} {fields}: told {told}, served {served}")
        if "transfer-encoding" not in served and explained.sent != len(served.body):
            wrong.append(f"{request} {fields}: told {explained.sent} bytes, served {len(served.body)}")
    assert not wrong, "\n".join(wrong)


# What is asked, the step that is looked at, and the facts that it has to have.
STEPS = [
    ("GET /page?a=b", [], "request", {"method": "GET, HTTP/1.1", "target": "/page?a=b (origin form)", "path": "/page",
                                      "query": "a=b", "fields": "Host: localhost"}),
    ("GET /a/../p%61ge", [], "request", {"path": "/page (made normal)"}),
    ("GET /", ["Host: x"], "request", {"fields": "Host: x"}),
    ("GET /", [], "host", {"found": "the default host"}),
    ("GET /", ["Host: docs.example.org"], "host",
     {"found": "docs.example.org *.docs.example.org, by docs.example.org"}),
    ("GET http://a.docs.example.org/", [], "host",
     {"asked for": "a.docs.example.org (of the target)",
      "found": "docs.example.org *.docs.example.org, by *.docs.example.org"}),
    ("GET /page", [], "rule", {"rule": "/*, number 7 of 7", "does": "lets pass", "says": "X-Frame-Options: DENY",
                               "cors": "https://app.example"}),
    ("GET /old/a/b", [], "rule", {"rule": "/old/{rest...}, number 1 of 7\n{rest} is a/b",
                                  "does": "redirects, 308, to /new/{rest}"}),
    ("GET /swap/swap", [], "rule", {"does": "nothing: its redirect would lead to this very path"}),
    ("GET /short", [], "rule", {"rule": "/*, number 7 of 7", "_redirects": "/short, number 1 of 1"}),
    ("GET /gone", [], "rule", {"does": "answers 410", "says": "Cache-Control: max-age=9"}),
    ("GET /shop/x", [], "rule", {"says": "Cache-Control: max-age=60"}),
    ("GET /shop/x", ['If-Match: "x"'], "rule", {"says": "Cache-Control: max-age=60 (of a page, so not with this error)"}),
    ("GET /lost", [], "rule", {"does": "answers, 404, with the page at /page.html"}),
    ("GET /", ["Host: docs.example.org"], "rule", {"rule": "there is none"}),
    ("GET /page", [], "page", {"address": "a clean address, without .html",
                               "file": f"/page.html, {len(PAGE)} bytes, text/html; charset=utf-8"}),
    ("GET /page.html", [], "page", {"address": "the page itself"}),
    ("GET /about/", [], "page", {"address": "a folder, of which this is the index"}),
    ("GET /about", [], "page", {"address": "a folder's, but for its slash: redirects there", "folder": "/about/"}),
    ("GET /about/index", [], "page", {"address": "a folder's, but for the name of its index: redirects there",
                                      "folder": "/about/"}),
    ("GET /listed", [], "page", {"address": "a listed folder's, but for its slash: redirects there"}),
    ("GET /listed/", [], "page", {"address": "a folder without index, which is listed"}),
    ("GET /missing", [], "page", {"address": "nothing has it"}),
    ("GET /shop/x", [], "page", {"address": "where the rule leads"}),
    ("GET /deep", ["Host: docs.example.org", "Accept: text/html"], "page",
     {"address": "nothing has it; a navigation, so the fallback answers"}),
    ("GET /page", [], "representation", {"accepts": "no Accept-Encoding",
                                         "chosen": "identity: a client that names no coding may know none"}),
    ("GET /page", ["Accept-Encoding: gzip"], "representation",
     {"chosen": "gzip: of those to which the client gives its highest weight the smallest"}),
    ("GET /page", ["Accept-Encoding: x"], "representation",
     {"chosen": "identity: of the others the client takes none, or likes it less"}),
    ("GET /page", ["Accept-Encoding: *;q=0"], "representation",
     {"chosen": "none: the client refuses every one that there is: 406"}),
    ("GET /tiny.txt", ["Accept-Encoding: br"], "representation",
     {"chosen": "identity: what it is, or its size, is not worth encoding"}),
    ("GET /large.bin", ["Accept-Encoding: br"], "representation",
     {"lies": "in its file: more than --cache-size gives one page",
      "chosen": "identity: what is sent from its file is not encoded"}),
    ("GET /page", [], "conditions", {"asked": "none", "result": "the page is sent"}),
    ("GET /page", ["If-None-Match: *"], "conditions",
     {"asked": "If-None-Match: *", "result": "the client has it already: 304"}),
    ("GET /page", ["If-Match: \"x\"", "If-Match: \"y\""], "conditions",
     {"asked": 'If-Match: "x"\nIf-Match: "y"', "result": "a precondition fails: 412"}),
    ("GET /page", [], "range", {"asked": "for all of it"}),
    ("GET /page", ["Range: bytes=0-9, 20-29"], "range",
     {"result": "several parts, multipart/byteranges: 206",
      "part": f"0 to 9, 10 of {len(PAGE)} bytes\n20 to 29, 10 of {len(PAGE)} bytes"}),
    ("GET /page", ["Range: bytes=99999999-"], "range", {"result": "none of it is there: 416"}),
    ("GET /page", ["Range: lines=1-2"], "range", {"result": "ignored: malformed, abusive, or of another unit"}),
    ("GET /page", ["Range: bytes=0-9", "If-Range: \"x\""], "range",
     {"result": "ignored: there are several, or If-Range does not hold (RFC 9110 13.1.5)"}),
    ("HEAD /page", ["Range: bytes=0-9"], "range", {"result": "ignored: only GET has ranges (RFC 9110 14.2)"}),
    ("GET /tiny.txt", [], "content", {"sent": "5 bytes, copied behind the head"}),
    ("GET /page", [], "content", {"sent": f"{len(PAGE)} bytes, from the memory in which it lies"}),
    ("GET /large.bin", [], "content", {"sent": f"{1 << 20} bytes, from its file, by sendfile"}),
    ("HEAD /page", [], "content", {"sent": "none"}),
]


def test_the_steps(place):
    wrong = []
    for request, fields, step, facts in STEPS:
        explained = explain(request, *fields, config=place)
        told = explained.facts(step)
        wrong += [f"{request} {fields}: {step}/{label} is {told.get(label)!r}" for label, said in facts.items()
                  if told.get(label) != said]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("fields, said", [
    ([], "no Authorization: 401"),
    ([f"Authorization: {WRONG}"], "not a name and a password of it: 401"),
    ([f"Authorization: {RIGHT}"], "the name and the password are right"),
])
def test_passwords(place, fields, said):
    told = explain("GET /private/", *fields, config=place).facts("rule")
    assert told["password"] == f"{place.parent}/htpasswd: {said}"


@pytest.mark.parametrize("request_line, fields, label, said", [
    ("GET /\x7f", [], "at", "the request line: GET /\\x7f HTTP/1.1"),
    ("GET / HTTP/3.0", [], "at", "the request line: GET / HTTP/3.0"),
    ("GET /", ["A: b", "C: \x1b[31m"], "at", "the line: C: \\x1b[31m"),
    ("GET /", ["Host: a", "Host: b"], "because", "not exactly one Host (RFC 9112 3.2)"),
    ("GET /../x", [], "because", "its path can be read in two ways, or leads above the root (RFC 3986 6.2.2)"),
    ("GET /" + "x" * 9000, [], "refused",
     "414, the request line is too long (--request-line-max); the connection closes"),
    ("GET /", ["A: b"] * 200, "refused",
     "431, the head is too large (--head-max, --fields-max); the connection closes"),
])
def test_what_is_malformed(site, request_line, fields, label, said):
    assert explain(request_line, *fields, options=[site.path]).facts("request")[label] == said


def test_a_body_that_does_not_come(site):
    explained = explain("GET /", "Content-Length: 5", options=[site.path])
    assert "no answer" in explained.facts("request") and list(explained.steps) == ["request"]


def test_nothing_is_listened_to_and_nothing_logged(site):
    """With the address and the log of a server that may be running: one that this user could not even listen at."""
    log = site.beside / "log"
    explain("GET /", options=["--listen", "127.0.0.1:1", "--access-log", log, site.path])
    assert not log.exists()


def test_a_site_that_cannot_be_loaded(scratch):
    done = run("--explain", "GET /", scratch / "nowhere")
    assert (done.returncode, done.stdout) == (1, "") and "nowhere: No such file or directory" in done.stderr


@pytest.mark.parametrize("arguments", [["GET"], ["GET  /"], ["GET /\nX: y"], ["GET /", "-H", "X: a\r\nY: b"],
                                       ["GET /", "-H", "X"]])
def test_what_is_no_request(site, arguments):
    done = run("--explain", *arguments, site.path)
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.startswith("rawhttpd: --")

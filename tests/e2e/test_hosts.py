"""Several hosts in one server: which one answers, and that each has what is its own and nothing of another's."""
import pytest
from program import wait_until

HOSTS = """\
root = "site"
rule "/only" { status = 410 }
host "docs.example.org docs" {
    root        = "docs"
    fallback    = "/index.html"
    types       = {"thing text/x-thing", "txt text/markdown; charset=utf-8"}
    error_pages = {"404 /lost.html"}
    rule "/private/*" { basic_auth = "htpasswd" }
}
host "*.example.org"   { root = "star" }
host "*.b.example.org" { root = "b" }
host "a.b.example.org" { root = "exact"  list = true }
host "moved.example"   { rule "/{rest...}" { redirect = "https://example.org/{rest}"  status = 308 } }
host "[::1]"           { root = "six" }
"""


@pytest.fixture
def roots(site, scratch):
    for name in ("docs", "star", "b", "exact", "six"):
        (scratch / name).mkdir()
        (scratch / name / "index.html").write_text(name)
        (scratch / name / f"{name}.txt").write_text(name)
    site.put("index.html", "default")
    site.put("site.txt", "default")
    (scratch / "docs" / "a.thing").write_text("thing")
    (scratch / "docs" / "lost.html").write_text("lost in docs")
    (scratch / "htpasswd").write_text("a:$2b$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW\n")
    return scratch


@pytest.fixture
def server(roots, serve_config):
    return serve_config(HOSTS)


ANSWERS = [
    ("docs.example.org", "docs"), ("DOCS.Example.ORG", "docs"), ("docs.example.org:80", "docs"),
    ("docs.example.org.", "docs"), ("docs", "docs"), ("docs:8080", "docs"),
    ("www.example.org", "star"), ("x.y.example.org", "star"), ("b.example.org", "star"),
    ("x.b.example.org", "b"), ("a.b.example.org", "exact"), ("z.a.b.example.org", "b"),
    ("example.org", "default"), ("wwwexample.org", "default"), ("example.com", "default"), ("127.0.0.1", "default"),
    ("docs.example.org.evil.example", "default"),
    ("[::1]", "six"), ("[::1]:8080", "six"), ("[0:0::1]", "six"), ("[::2]", "default"),
]


def test_the_host_field_says_which(server):
    with server.connect() as connection:
        for host, expected in ANSWERS:
            response = connection.get("/", host=host)
            assert (response.status, response.text) == (200, expected), host


def test_an_absolute_target_goes_before_the_field(server):
    """RFC 9112 3.2.2."""
    with server.connect() as connection:
        for host, expected in ANSWERS:
            assert connection.get(f"http://{host}/", host="docs").text == expected, host
        assert connection.get("http://docs.example.org", host="www.example.org").text == "docs"
        assert connection.get("HTTP://docs.example.org/?a", host="www.example.org").text == "docs"


def test_a_host_has_its_own_pages(server):
    owners = {"docs": "docs", "www.example.org": "star", "a.b.example.org": "exact", "other": "site"}
    for host in owners:
        for owner in owners.values():
            response = server.ask(f"/{owner}.txt", host=host, accept="*/*")
            assert response.status == (200 if owner == owners[host] else 404), (host, owner)


def test_a_host_has_nothing_of_the_default(server):
    """No rule, no fallback, no error page, no type is inherited."""
    assert server.ask("/only").status == 410
    assert server.ask("/only", host="www.example.org").status == 404
    assert server.ask("/deep/link", host="docs", accept="text/html").text == "docs"
    assert server.ask("/deep/link", host="www.example.org", accept="text/html").status == 404
    assert server.ask("/no.css", host="docs").text == "lost in docs"
    assert "lost in docs" not in server.ask("/no.css", host="www.example.org").text
    assert server.ask("/a.thing", host="docs")["content-type"] == "text/x-thing"
    assert server.ask("/docs.txt", host="docs")["content-type"] == "text/markdown; charset=utf-8"
    assert server.ask("/star.txt", host="www.example.org")["content-type"] == "text/plain; charset=utf-8"
    assert server.ask("/private/x", host="docs").status == 401
    assert server.ask("/private/x").status == 404


def test_a_host_that_only_redirects_needs_no_folder(server):
    response = server.ask("/a/b?c=d", host="moved.example")
    assert (response.status, response["location"]) == (308, "https://example.org/a/b?c=d")
    # With a request that has no host the default is asked (RFC 9112 3.2).
    assert server.close_of(b"GET / HTTP/1.0\r\n\r\n").endswith(b"default")


def test_pages_of_each_host_follow_the_disk(server, roots):
    (roots / "star" / "new.txt").write_text("new")
    (roots / "docs" / "index.html").write_text("docs, changed")
    wait_until(lambda: server.ask("/new.txt", host="www.example.org").status == 200, "the new page")
    wait_until(lambda: server.ask("/", host="docs").text == "docs, changed", "the changed page")
    assert server.ask("/new.txt").status == 404


def test_hosts_without_a_default_refuse_other_names(roots, serve_config):
    """RFC 9110 15.5.20."""
    server = serve_config('host "docs" { root = "docs" }\nhost "star" { root = "star" }\n')
    assert server.ask("/", host="docs").text == "docs"
    for host in ("other", "docs.star", "127.0.0.1"):
        response = server.ask("/", host=host)
        assert response.status == 421, host
        assert server.ask("/docs.txt", host=host).status == 421
    assert server.ask("http://other/", host="docs").status == 421
    assert server.ask("http://docs/", host="other").text == "docs"


def test_a_wrong_host_field_is_refused_whatever_hosts_there_are(server):
    for lines in (b"Host: docs\r\nHost: docs\r\n", b"Host: docs docs\r\n", b"Host: docs/x\r\n", b"Host: a@docs\r\n",
                  b"Host:\r\n", b""):
        received = server.close_of(b"GET / HTTP/1.1\r\n" + lines + b"Connection: close\r\n\r\n")
        assert received.startswith(b"HTTP/1.1 400 "), lines


def test_many_hosts(scratch, serve_config):
    for index in range(300):
        (scratch / f"h{index}").mkdir()
        (scratch / f"h{index}" / "index.html").write_text(f"page of {index}")
    server = serve_config("".join(f'host "h{index}.example *.h{index}.example" {{ root = "h{index}" }}\n'
                                  for index in range(300)))
    with server.connect() as connection:
        for index in range(300):
            assert connection.get("/", host=f"h{index}.example").text == f"page of {index}"
            assert connection.get("/", host=f"www.h{index}.example").text == f"page of {index}"
        assert connection.get("/", host="h300.example").status == 421

"""Applications of a single page: every address that a person may open leads to it, and what it loads does not."""
from urllib.parse import quote

import pytest
from program import wait_until

# As browsers send it with a navigation.
NAVIGATION = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.fixture
def server(site, serve):
    site.put("index.html", "the application" * 100)
    site.put("about.html", "about")
    site.put("app.js", "let a")
    site.put("docs/index.html", "docs")
    return serve("--fallback", "/index.html")


def test_navigations_lead_to_the_application(server):
    first = server.ask("/", accept=NAVIGATION)
    for target in ("/users/17", "/deep/er/link", "/users/17/", "/a?b=c", "/" + quote("über uns"), "/v1.2/notes"):
        response = server.ask(target, accept=NAVIGATION)
        assert (response.status, response.body) == (200, first.body), target
        assert response["etag"] == first["etag"] and response["content-type"] == "text/html; charset=utf-8"
        assert response["cache-control"] == "no-cache"
        assert server.ask(target, accept=NAVIGATION, if_none_match=first["etag"]).status == 304
        head = server.ask(target, method="HEAD", accept=NAVIGATION)
        assert (head.status, head["content-length"]) == (200, first["content-length"])


def test_what_a_page_loads_does_not(server):
    for target, accept in (("/missing.js", "*/*"), ("/missing.css", "text/css,*/*;q=0.1"), ("/missing", "*/*"),
                           ("/missing.png", "image/avif,image/webp,*/*;q=0.8"), ("/api/missing", "application/json"),
                           ("/missing.js", NAVIGATION), ("/a/missing.css", NAVIGATION), ("/missing", None),
                           ("/missing", "text/*"), ("/missing", "text/html;q=0")):
        response = server.ask(target, accept=accept)
        assert response.status == 404 and b"the application" not in response.body, (target, accept)


def test_what_is_there_comes_first(server):
    assert server.ask("/about", accept=NAVIGATION).text == "about"
    assert server.ask("/app.js", accept=NAVIGATION).text == "let a"
    assert server.ask("/docs", accept=NAVIGATION).status == 301
    assert server.ask("/docs/", accept=NAVIGATION).text == "docs"


def test_other_methods(server):
    for method in ("POST", "PUT", "DELETE"):
        assert server.ask("/users/17", method=method, accept=NAVIGATION).status in (404, 405), method


def test_it_is_a_page_like_others(server):
    wait_until(lambda: "content-encoding" in server.ask("/x", accept=NAVIGATION, accept_encoding="br"), "the encoding")
    response = server.ask("/x/y", accept=NAVIGATION, accept_encoding="gzip, br")
    assert response["content-encoding"] == "br" and response["vary"] == "Accept-Encoding"
    assert server.ask("/x/y", accept=NAVIGATION, range="bytes=4-14").text == "application"


def test_it_follows_the_disk(server, site):
    site.put("index.html", "the next one")
    wait_until(lambda: server.ask("/x", accept=NAVIGATION).text == "the next one", "the changed page")
    (site.path / "index.html").unlink()
    wait_until(lambda: server.ask("/x", accept=NAVIGATION).status == 404, "the page to go")


def test_it_may_be_another_page(site, serve):
    site.put("app/shell.html", "shell")
    server = serve("--fallback", "/app/shell.html")
    assert server.ask("/x", accept=NAVIGATION).text == "shell"
    assert server.ask("/", accept=NAVIGATION).text == "<h1>home</h1>\n"


def test_without_it_there_is_none(serve):
    assert serve().ask("/users/17", accept=NAVIGATION).status == 404

"""_redirects and _headers at the root of a site, in the form that static hosts read: they hold, they may change while
it is served, and nobody gets to see them."""
import re

import pytest
from program import wait_until

REDIRECTS = """\
# from       to                 status
/old         /new
/old/*       /new/:splat        302
/blog/:year/:title  /posts/:year-:title.html  308
/away/*      https://example.org/:splat?from=here
/page        /elsewhere         301
/forced      /elsewhere         301!
/app/*       /index.html        200
/gone        /lost.html         410
/de/*        /en/:splat         301  Country=de
nonsense
/loop        /loop
"""

HEADERS = """\
# for all
/*
  X-Frame-Options: DENY
  X-One: all
/assets/*
  Cache-Control: public, max-age=600
  X-One: assets
  ! X-Frame-Options
/page
  Set-Cookie: a=1
  Set-Cookie: b=2
/broken
  this is no field
"""


@pytest.fixture
def pages(site):
    for name in ("new.html", "page.html", "forced.html", "lost.html", "assets/app.js", "posts/2024-hello.html"):
        site.put(name, name)
    return site


def location(server, target):
    response = server.ask(target)
    return response.status, (response["location"] if "location" in response else None)


def test_redirects(pages, serve):
    pages.put("_redirects", REDIRECTS)
    server = serve()
    for target, expected in (
        ("/old", (301, "/new")), ("/old?a=b", (301, "/new?a=b")), ("/old/a/b", (302, "/new/a/b")),
        ("/blog/2024/hello", (308, "/posts/2024-hello.html")), ("/away/x", (301, "https://example.org/x?from=here")),
        ("/forced", (301, "/elsewhere")), ("/page", (200, None)), ("/de/x", (404, None)), ("/loop", (404, None)),
    ):
        assert location(server, target) == expected, target
    assert server.ask("/app/any/where").text == "<h1>home</h1>\n"
    gone = server.ask("/gone")
    assert (gone.status, gone.text) == (410, "lost.html")
    for line in (10, 11):
        assert f"_redirects:{line}: " in server.log
    assert "Country=de" in server.log


def test_headers(pages, serve):
    pages.put("_headers", HEADERS)
    server = serve()
    page, asset = server.ask("/page"), server.ask("/assets/app.js")
    assert (page["x-frame-options"], page["x-one"]) == ("DENY", "all")
    assert [value for name, value in page.fields if name == "set-cookie"] == ["a=1", "b=2"]
    assert "x-frame-options" not in asset
    assert re.fullmatch("all, ?assets", asset["x-one"])
    assert asset["cache-control"] == "public, max-age=600"
    assert server.ask("/assets/app.js", if_none_match=asset["etag"])["cache-control"] == "public, max-age=600"
    assert "_headers:13: " in server.log
    lost = server.ask("/assets/lost.js")
    assert (lost.status, lost["cache-control"], "x-frame-options" in lost) == (404, "no-store", False)
    assert re.fullmatch("all, ?assets", lost["x-one"])
    assert server.ask("/lost/too")["x-frame-options"] == "DENY"


def test_headers_are_those_of_the_address_that_was_asked_for(pages, serve):
    pages.put("_headers", "/app/*\n  X-App: yes\n")
    pages.put("_redirects", "/app/* /index.html 200\n")
    server = serve("--fallback", "/index.html")
    assert "x-app" not in server.ask("/")
    assert server.ask("/app/x")["x-app"] == "yes"


def test_they_are_never_served(pages, serve):
    pages.put("_redirects", REDIRECTS)
    pages.put("_headers", HEADERS)
    server = serve("--list")
    (pages.path / "index.html").unlink()
    for target in ("/_redirects", "/_headers", "/%5fredirects", "/_headers/", "/assets/../_headers", "//_headers",
                   "/./_redirects", "/_redirects?x", "/_Headers"):
        response = server.ask(target)
        assert response.status in (400, 404), target
        assert b"DENY" not in response.body and b"splat" not in response.body
    wait_until(lambda: server.ask("/").status == 200 and "assets" in server.ask("/").text, "the listing")
    assert "_redirects" not in server.ask("/").text and "_headers" not in server.ask("/").text


def test_they_may_change_while_it_is_served(pages, serve):
    server = serve()
    assert server.ask("/old").status == 404
    pages.put("_redirects", "/old /new 302\n")
    wait_until(lambda: location(server, "/old") == (302, "/new"), "the first redirects")
    pages.put("_headers", "/*\n  X-One: 1\n")
    wait_until(lambda: "x-one" in server.ask("/page"), "the first fields")
    # The page is the same, and what is said with it another: both validators and fields are right.
    etag = server.ask("/page")["etag"]
    pages.put("_headers", "/*\n  X-One: 2\n  Cache-Control: max-age=5\n")
    wait_until(lambda: server.ask("/page")["x-one"] == "2", "the changed fields")
    assert server.ask("/page")["etag"] == etag
    assert server.ask("/page", if_none_match=etag)["cache-control"] == "max-age=5"
    pages.put("_redirects", "/old /page 307\n/other /new\n")
    wait_until(lambda: location(server, "/old") == (307, "/page"), "the changed redirects")
    assert location(server, "/other") == (301, "/new")
    # What is wrong is told, and the rest of it holds.
    pages.put("_redirects", "wrong\n/old /new 308\n")
    wait_until(lambda: location(server, "/old") == (308, "/new"), "the broken file")
    assert "_redirects:1: " in server.log
    (pages.path / "_redirects").unlink()
    (pages.path / "_headers").unlink()
    wait_until(lambda: server.ask("/old").status == 404 and "x-one" not in server.ask("/page"), "them to go")


def test_a_rule_of_the_configuration_goes_before_them(pages, serve_config):
    pages.put("_redirects", "/old /theirs\n/theirs /x\n")
    pages.put("_headers", "/*\n  X-One: theirs\n  X-Two: theirs\n")
    server = serve_config('root = "site"\nrule "/old" { redirect = "/ours" }\n'
                          'rule "/page" { headers = {"X-One: ours"} }\n')
    assert location(server, "/old") == (301, "/ours")
    assert location(server, "/theirs") == (301, "/x")
    page = server.ask("/page")
    assert (page["x-one"], page["x-two"]) == ("ours", "theirs")


def test_only_those_at_the_root_hold(pages, serve):
    pages.put("assets/_redirects", "/assets/x /y\n")
    pages.put("assets/_headers", "/*\n  X-One: 1\n")
    server = serve()
    assert server.ask("/assets/x").status == 404
    assert "x-one" not in server.ask("/assets/app.js")


def test_files_that_are_too_much(pages, serve):
    """What is beyond the limits is told and left out, and the pages are served."""
    pages.put("_redirects", "".join(f"/from{index} /to{index}\n" for index in range(20_000)))
    pages.put("_headers", b"\xff\xfe\0\0" * 1000 + b"\n/*\n  X: " + b"y" * 100_000 + b"\n")
    server = serve()
    assert server.ask("/page").status == 200
    assert location(server, "/from0") == (301, "/to0")
    assert "_redirects" in server.log and "_headers" in server.log
    assert len(server.log) < 20_000

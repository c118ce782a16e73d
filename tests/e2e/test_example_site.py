"""The example site without a browser: whatever its pages refer to is there, and is the site's own."""
from html.parser import HTMLParser
from urllib.parse import urldefrag

import pytest
from program import ROOT

SITE = ROOT / "examples" / "site"
LOST = "/nothing/here"  # what the site links to so that its 404 page can be seen
API = ["/api/getusers"]


class Page(HTMLParser):
    """What a page refers to, and what in it can be referred to."""

    def __init__(self, text):
        super().__init__()
        self.links, self.parts, self.ids, self.images = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "img":
            self.images.append(given)
        if "href" in given:
            (self.links if tag == "a" else self.parts).append(given["href"])
        if "src" in given:
            self.parts.append(given["src"])


@pytest.fixture
def server(users):
    return users(SITE)


def read_pages(server):
    """The pages that can be reached from the first one: {path: Page}."""
    pages, waiting = {}, ["/"]
    while waiting:
        path = waiting.pop()
        if path in pages or path in API:
            continue
        answer = server.ask(path)
        assert answer.status == (404 if path == LOST else 200), path
        assert answer["content-type"] == "text/html; charset=utf-8"
        pages[path] = Page(answer.text)
        waiting += [urldefrag(link).url for link in pages[path].links if not link.startswith("#")]
    return pages


def test_every_link_leads_somewhere(server):
    pages = read_pages(server)
    assert set(pages) == {"/", "/about", "/learn/", LOST}
    for path, page in pages.items():
        for link in page.links:
            assert link[0] in "/#", f"{path}: {link} leaves the site"
            target, fragment = urldefrag(link)
            if target in API:
                assert server.ask(target)["content-type"] == "application/json"
            elif fragment:
                assert fragment in pages[target or path].ids, f"{path}: {link}"


def test_every_part_is_there_with_its_type(server):
    types = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "png": "image/png",
             "svg": "image/svg+xml; charset=utf-8"}
    parts = {part for page in read_pages(server).values() for part in page.parts}
    assert {part.rpartition(".")[2] for part in parts} == set(types)
    for part in parts:
        answer = server.ask(part)
        assert (answer.status, answer["content-type"]) == (200, types[part.rpartition(".")[2]]), part
        assert answer.body == (SITE / part[1:]).read_bytes()
    pages = {"/index.html", "/about.html", "/404.html", "/learn/index.html"}
    files = {f"/{path.relative_to(SITE)}" for path in SITE.rglob("*") if path.is_file()}
    assert files == parts | pages, "a file that nothing refers to"


def test_pages_are_sound(server):
    for path, page in read_pages(server).items():
        assert len(page.ids) == len(set(page.ids)), f"{path}: an id twice"
        for image in page.images:
            assert {"alt", "width", "height"} <= set(image), f"{path}: {image}"

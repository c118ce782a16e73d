"""What is in a folder, for people and for programs."""
import json
import os
import re
from html.parser import HTMLParser
from urllib.parse import quote, urljoin

import pytest
from program import wait_until

NAMES = ["a b.txt", "grüße.txt", "日本語.txt", '"quoted".txt', "it's.txt", "100%.txt", "a+b.txt", "a?b.txt", "a#b.txt",
         "a&b;c=d.txt", "<script>alert(1)<script>", "new\nline.txt", "javascript:alert(1)", "http:", "~tilde.txt",
         "%2e%2e", "trailing dot.", "&amp;.txt", "index.htm", "x" * 250 + ".txt"]


class Listing(HTMLParser):
    """The rows of a listing, (text, address, is a folder), and the links of its head."""

    def __init__(self, response, base):
        super().__init__()
        assert (response.status, response["content-type"]) == (200, "text/html; charset=utf-8")
        self.base, self.rows, self.sort_links, self.text, self.row, self.inside = base, [], [], "", "", None
        self.tags = []
        self.feed(response.body.decode())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append(tag)
        if tag == "tr":
            self.row = attributes.get("class", "")
        if tag == "a":
            address = urljoin(self.base, attributes["href"])
            if attributes["href"].startswith("?"):
                self.sort_links.append(address)
            elif not attributes["href"].startswith("../"):
                self.rows.append(["", address, "folder" in self.row])
                self.inside = self.rows[-1]

    def handle_endtag(self, tag):
        if tag == "a":
            self.inside = None

    def handle_data(self, data):
        if self.inside:
            self.inside[0] += data
        self.text += data

    @property
    def names(self):
        return [name for name, _, _ in self.rows]


@pytest.fixture
def files(site):
    (site.path / "index.html").unlink()
    for name, size in (("b.txt", 10), ("a.txt", 3000), ("c.txt", 200)):
        site.put(f"files/{name}", size)
    site.put("files/folder/inner.txt", "inner")
    site.put("files/another/deep/file.txt", "deep")
    return site


def test_nothing_is_listed_unless_it_is_said(files, serve):
    server = serve()
    assert server.ask("/files/").status == 404
    assert b"a.txt" not in server.ask("/files/").body


def test_a_page_for_people(files, serve):
    server = serve("--list")
    response = server.ask("/files/")
    listing = Listing(response, "/files/")
    assert listing.names == ["another/", "folder/", "a.txt", "b.txt", "c.txt"]
    assert [folder for _, _, folder in listing.rows] == [True, True, False, False, False]
    assert "2 folders, 3 files" in listing.text and "3.0 kB" in listing.text
    assert (response["cache-control"], response["vary"]) == ("no-cache", "Accept")
    assert response["content-security-policy"].startswith("default-src 'none'")
    assert response["x-content-type-options"] == "nosniff"
    for name, address, folder in listing.rows:
        assert server.ask(address).status == 200, name
    assert Listing(server.ask("/"), "/").names == ["files/"]
    assert Listing(server.ask("/files/another/"), "/files/another/").names == ["deep/"]


def test_a_folder_with_an_index_is_not_listed(files, serve):
    files.put("files/folder/index.html", "the index")
    server = serve("--list")
    assert server.ask("/files/folder/").text == "the index"


def test_a_list_for_programs(files, serve):
    server = serve("--list")
    response = server.ask("/files/", accept="application/json")
    assert (response["content-type"], response["vary"]) == ("application/json", "Accept")
    listed = json.loads(response.body)
    entries = listed["entries"] if isinstance(listed, dict) else listed
    names = [entry["name"].rstrip("/") for entry in entries]
    assert names == ["another", "folder", "a.txt", "b.txt", "c.txt"]
    sizes = {entry["name"]: entry.get("size") for entry in entries}
    assert (sizes["a.txt"], sizes["b.txt"]) == (3000, 10)
    assert server.ask("/files/", accept="text/html, application/json;q=0.5")["content-type"].startswith("text/html")


@pytest.mark.parametrize("query, names", [
    ("?sort=size&order=asc", ["b.txt", "c.txt", "a.txt"]),
    ("?sort=size&order=desc", ["a.txt", "c.txt", "b.txt"]),
    ("?sort=name&order=desc", ["c.txt", "b.txt", "a.txt"]),
    ("?sort=nonsense&order=", ["a.txt", "b.txt", "c.txt"]),
    ("?%00<script>", ["a.txt", "b.txt", "c.txt"]),
])
def test_it_can_be_sorted(files, serve, query, names):
    server = serve("--list")
    response = server.ask("/files/" + query)
    if response.status == 400:
        assert query == "?%00<script>"
        return
    assert [name for name in Listing(response, "/files/").names if name.endswith(".txt")] == names


def test_links_to_sort_lead_to_what_they_say(files, serve):
    server = serve("--list")
    links = Listing(server.ask("/files/"), "/files/").sort_links
    assert len(links) == 3
    orders = {tuple(Listing(server.ask(link), "/files/").names) for link in links}
    assert len(orders) >= 2
    # A second click on the same head turns it round.
    by_size = next(link for link in links if "size" in link)
    again = next(link for link in Listing(server.ask(by_size), "/files/").sort_links if "size" in link)
    one, other = ([name for name in Listing(server.ask(link), "/files/").names if "/" not in name]
                  for link in (by_size, again))
    assert one == other[::-1] and len(one) == 3


def test_every_name_can_be_followed(site, serve):
    (site.path / "index.html").unlink()
    for name in NAMES:
        site.put(f"odd/{name}", name)
    (site.path / "odd" / "folder & <b>").mkdir()
    site.put("odd/folder & <b>/x", "x")
    for name in (b"\xff\xfe.txt", b"back\\slash.txt"):  # which have no address
        (site.path / "odd" / os.fsdecode(name)).write_bytes(b"unreachable")
    server = serve("--list")
    response = server.ask("/odd/")
    listing = Listing(response, "/odd/")
    assert "script" not in listing.tags and "b" not in listing.tags
    assert len(listing.rows) == len(NAMES) + 1
    contents = set()
    for name, address, folder in listing.rows:
        assert address.startswith("/odd/"), address
        followed = server.ask(address)
        assert followed.status == 200, (name, address)
        if not folder:
            contents.add(followed.body.decode())
    assert contents == set(NAMES)
    assert len(re.findall("not served, a name that", server.log)) == 2
    inner = Listing(server.ask("/odd/" + quote("folder & <b>") + "/"), "/odd/x/")
    assert inner.names == ["x"] and "b" not in inner.tags
    entries = json.loads(server.ask("/odd/", accept="application/json").body)
    assert len(entries["entries"] if isinstance(entries, dict) else entries) == len(NAMES) + 1


def test_what_is_not_served_is_not_listed(site, serve):
    (site.path / "index.html").unlink()
    for name in ("shown.txt", "shown.txt.gz", ".hidden", ".git/config", "_redirects", "_headers"):
        site.put(name, "# nothing\n")
    site.link("away.txt", "/etc/passwd")
    site.link("broken.txt", "nowhere")
    server = serve("--list")
    listing = Listing(server.ask("/"), "/")
    for name, address, _ in listing.rows:
        assert server.ask(address).status == 200, name
    assert "shown.txt" in listing.names
    assert not {".hidden", ".git/", "_redirects", "_headers", "broken.txt", "shown.txt.gz"} & set(listing.names)


def test_folders_are_at_home_with_a_slash(files, serve):
    server = serve("--list")
    response = server.ask("/files/folder?sort=size")
    assert (response.status, response["location"]) == (301, "/files/folder/?sort=size")
    assert server.ask("/files/nowhere/").status == 404
    assert server.ask("/files/a.txt/").status == 404
    head = server.ask("/files/", method="HEAD")
    assert (head.status, head.body, head["content-type"]) == (200, b"", "text/html; charset=utf-8")
    for method in ("POST", "DELETE"):
        assert server.ask("/files/", method=method).status in (404, 405), method


def test_an_empty_folder(site, serve):
    (site.path / "index.html").unlink()
    (site.path / "empty").mkdir()
    response = serve("--list").ask("/empty/")
    assert response.status == 404 or Listing(response, "/empty/").names == []


def test_a_large_folder_is_sent_while_it_is_made(site, serve):
    """Without a length, in chunks; whole for whoever reads slowly, and no memory for it is kept for who does not."""
    (site.path / "index.html").unlink()
    for index in range(5000):
        site.put(f"many/file number {index:04}.txt", "")
    server = serve("--list")
    with server.connect() as connection:
        response = connection.get("/many/")
        assert response["transfer-encoding"] == "chunked"
        listing = Listing(response, "/many/")
        assert listing.names == [f"file number {index:04}.txt" for index in range(5000)]
        assert connection.get(listing.rows[4321][1]).status == 200
        entries = json.loads(connection.get("/many/", accept="application/json").body)
        assert len(entries["entries"] if isinstance(entries, dict) else entries) == 5000
    old = server.close_of(b"GET /many/ HTTP/1.0\r\n\r\n")  # which knows no chunks
    assert b"Transfer-Encoding" not in old.split(b"\r\n\r\n")[0] and old.rstrip().endswith(b"</html>")
    slow = []
    for _ in range(40):
        slow.append(server.connect(receive_buffer=4096).ask("/many/"))
        assert slow[-1].read_some(100).startswith(b"HTTP/1.1 200 ")
    assert server.works() or server.ask("/many/").status == 200
    for connection in slow:
        connection.reset()
    wait_until(lambda: server.count_sockets() < 30, "the connections to go")
    assert server.ask("/many/").status == 200


def test_the_list_follows_the_disk(files, serve):
    server = serve("--list")
    files.put("files/new.txt", "new")
    names = lambda: Listing(server.ask("/files/"), "/files/").names  # noqa: E731
    wait_until(lambda: "new.txt" in names(), "the new file")
    (files.path / "files/new.txt").unlink()
    wait_until(lambda: "new.txt" not in names(), "the file to go")
    (files.path / "files/empty").mkdir()  # a folder without a page in it is something new, too
    wait_until(lambda: any(name.startswith("empty") for name in names()), "the new folder")
    (files.path / "files/empty").rmdir()
    wait_until(lambda: not any(name.startswith("empty") for name in names()), "the folder to go")


def test_a_policy_that_is_said_for_the_path_takes_the_place_of_the_own_one(files, serve_config):
    said = "frame-ancestors 'none'; style-src 'unsafe-inline'"
    server = serve_config('root = "site"\nlist = true\n'
                          f'rule "/files/" {{ headers = {{"content-security-policy: {said}"}} }}\n')
    assert server.ask("/files/")["content-security-policy"] == said
    assert server.ask("/")["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")


def test_a_guarded_folder_is_not_listed_to_everybody(files, scratch, serve_config):
    (scratch / "htpasswd").write_text("a:$2b$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW\n")
    server = serve_config('root = "site"\nlist = true\nrule "/files/*" { basic_auth = "htpasswd" }\n')
    for target in ("/files/", "/files/folder/", "/files/?sort=size"):
        response = server.ask(target)
        assert response.status == 401 and not re.search(rb"[abc]\.txt|inner", response.body), target

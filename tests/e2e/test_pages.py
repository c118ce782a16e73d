"""What a visitor of a folder of pages gets."""
import json
import re
from email.utils import formatdate, parsedate_to_datetime
from urllib.parse import quote

NEVER = "Thu, 01 Jan 1970 00:00:00 GMT"


TYPES = [
    ("page.html", "text/html; charset=utf-8"), ("style.css", "text/css; charset=utf-8"),
    ("script.js", "text/javascript; charset=utf-8"), ("module.mjs", "text/javascript; charset=utf-8"),
    ("note.txt", "text/plain; charset=utf-8"), ("table.csv", "text/csv; charset=utf-8"),
    ("data.json", "application/json"), ("picture.png", "image/png"), ("photo.JPG", "image/jpeg"),
    ("drawing.svg", "image/svg+xml; charset=utf-8"), ("picture.webp", "image/webp"), ("icon.ico",
    "image/vnd.microsoft.icon"),
    ("letters.woff2", "font/woff2"), ("code.wasm", "application/wasm"), ("paper.pdf", "application/pdf"),
    ("film.mp4", "video/mp4"), ("sound.ogg", "audio/ogg"), ("archive.zip", "application/zip"),
    ("README", "application/octet-stream"), ("what.nobodyknows", "application/octet-stream"),
]


def test_a_file_has_the_type_of_its_name(site, serve):
    for name, _ in TYPES:
        site.put(name, "content")
    server = serve()
    for name, expected in TYPES:
        response = server.ask("/" + name)
        assert (response.status, response.text, response["content-type"]) == (200, "content", expected), name


def test_a_folder_shows_its_index(site, serve):
    site.put("docs/index.html", "the docs")
    server = serve()
    assert server.ask("/").body == b"<h1>home</h1>\n"
    assert server.ask("/index.html").body == b"<h1>home</h1>\n"
    assert server.ask("/docs/").body == b"the docs"


def test_a_page_needs_no_extension(site, serve):
    site.put("about.html", "about us")
    site.put("docs/intro.html", "intro")
    server = serve()
    assert server.ask("/about").text == "about us"
    assert server.ask("/about").fields == server.ask("/about.html").fields
    assert server.ask("/docs/intro?x=1").text == "intro"
    assert server.ask("/about/").status == 404


def test_a_folder_without_its_slash_is_redirected_once(site, serve):
    site.put("docs/index.html", "the docs")
    server = serve()
    for query in ("", "?", "?a=1&b=%20/x?y"):
        redirect = server.ask("/docs" + query)
        assert (redirect.status, redirect["location"]) == (301, "/docs/" + query)
        assert server.ask(redirect["location"]).text == "the docs"


def test_an_index_without_its_ending_is_redirected_once(site, serve):
    """To the folder, as /docs is; with its ending it is the file itself."""
    site.put("index.html", "home")
    site.put("docs/index.html", "the docs")
    server = serve()
    for target, home, text in (("/index", "/", "home"), ("/docs/index", "/docs/", "the docs")):
        for query in ("", "?a=1&b=%20/x?y"):
            redirect = server.ask(target + query)
            assert (redirect.status, redirect["location"]) == (301, home + query)
            assert server.ask(redirect["location"]).text == text
        assert server.ask(target + ".html").text == text
    assert server.ask("/nothing/index").status == 404
    assert server.ask("/index", method="POST", body=b"").status == 405


def test_a_listed_folder_called_index_comes_first(site, serve):
    site.put("index.html", "home")
    site.put("index/a.txt", "a")
    server = serve("--list")
    assert server.ask("/index")["location"] == "/index/"
    assert "a.txt" in server.ask("/index/").text


def test_a_redirect_spells_names_as_a_url_does(site, serve):
    site.put("über uns/index.html", "we")
    assert serve().ask("/%c3%bcber%20uns")["location"] == "/%C3%BCber%20uns/"


def test_a_redirect_never_leads_to_another_host(site, serve):
    site.put("evil.example/index.html", "x")
    server = serve()
    for target in ("//evil.example", "//evil.example/..", "/\\evil.example", "/%2fevil.example"):
        response = server.ask(target)
        assert response.status in (400, 404), target
        assert "location" not in response


def test_a_folder_without_an_index_is_not_found(site, serve):
    site.put("files/a.txt", "a")
    server = serve()
    assert server.ask("/files/").status == 404
    assert server.ask("/files").status == 404
    assert server.ask("/files/a.txt").status == 200


NAMES = ["a b.txt", "grüße.txt", "日本語.txt", '"quoted".txt', "it's.txt", "100%.txt", "a+b.txt",
         "a?b.txt", "a#b.txt", "a&b;c=d.txt", "<tag>.txt", "new\nline.txt", "~tilde.txt", "trailing dot.",
         "x" * 250 + ".txt"]


def test_every_name_has_an_address(site, serve):
    for name in NAMES:
        site.put(name, name)
    server = serve()
    for name in NAMES:
        response = server.ask("/" + quote(name))
        assert (response.status, response.text) == (200, name)


def test_a_page_says_how_it_may_be_kept_and_read(site, serve):
    site.put("style.css", "a {}" * 100)
    site.put("picture.png", "not really")
    server = serve()
    for target, negotiated in (("/", False), ("/style.css", True), ("/picture.png", False)):
        response = server.ask(target)
        assert response["cache-control"] == "no-cache", target
        assert response["x-content-type-options"] == "nosniff"
        assert response["accept-ranges"] == "bytes"
        assert ("vary" in response) == negotiated
        again = server.ask(target, if_none_match=response["etag"])
        assert (again.status, again["cache-control"]) == (304, "no-cache")
        assert ("vary" in again) == negotiated
        assert "last-modified" not in again and "x-content-type-options" not in again


def test_a_page_has_validators(site, serve):
    page = site.put("a.txt", "one")
    site.put("same.txt", "one")
    site.put("b.txt", "two")
    server = serve()
    a = server.ask("/a.txt")
    assert re.fullmatch(r'"[0-9a-zA-Z+/=_-]{8,}"', a["etag"])
    assert a["etag"] == server.ask("/same.txt")["etag"] != server.ask("/b.txt")["etag"]
    assert a["last-modified"] == formatdate(int(page.stat().st_mtime), usegmt=True)


def test_date_server_and_length_are_on_every_response(serve):
    server = serve()
    for target in ("/", "/nothing"):
        response = server.ask(target)
        assert parsedate_to_datetime(response["date"]).tzname() == "UTC"
        assert response["server"] == "rawhttp"
        assert int(response["content-length"]) == len(response.body)


def test_the_server_field_can_be_left_out(serve):
    assert "server" not in serve("--no-server-header").ask("/")


def test_the_same_etag_gives_304(serve):
    server = serve()
    etag = server.ask("/")["etag"]
    for value in (etag, f'"other", {etag}', "W/" + etag, "*"):
        response = server.ask("/", if_none_match=value)
        assert (response.status, response.body, response["etag"]) == (304, b"", etag), value
        assert "content-type" not in response
    for value in ('"other"', 'W/"other"', etag.strip('"')):
        assert server.ask("/", if_none_match=value).status == 200, value


def test_an_unchanged_date_gives_304(serve):
    server = serve()
    modified = server.ask("/")["last-modified"]
    assert server.ask("/", if_modified_since=modified).status == 304
    assert server.ask("/", if_modified_since=NEVER).status == 200
    assert server.ask("/", if_modified_since="yesterday").status == 200


def test_the_etag_decides_before_the_date(serve):
    """RFC 9110 13.2.2: with If-None-Match, If-Modified-Since is not looked at."""
    server = serve()
    page = server.ask("/")
    assert server.ask("/", if_none_match='"other"', if_modified_since=page["last-modified"]).status == 200
    assert server.ask("/", if_none_match=page["etag"], if_modified_since=NEVER).status == 304


def test_preconditions_that_fail_give_412(serve):
    server = serve()
    page = server.ask("/")
    assert server.ask("/", if_match='"other"').status == 412
    assert server.ask("/", if_match=page["etag"]).status == 200
    assert server.ask("/", if_unmodified_since=NEVER).status == 412
    assert server.ask("/", if_unmodified_since=page["last-modified"]).status == 200


def test_head_is_get_without_the_content(site, serve):
    site.put("large.bin", 300_000)
    with serve("--cache-size", "64K").connect() as connection:
        for target in ("/", "/large.bin", "/nothing"):
            got, head = connection.get(target), connection.get(target, method="HEAD")
            assert head.body == b"" and head.status == got.status
            assert [field for field in head.fields if field[0] != "date"] == [f for f in got.fields if f[0] != "date"]


def test_options_tells_the_methods(serve):
    server = serve()
    for target in ("/", "*"):
        response = server.ask(target, method="OPTIONS")
        assert response.status in (200, 204)
        assert response["allow"] == "GET, HEAD, OPTIONS"
    assert server.ask("/nothing", method="OPTIONS").status == 404


def test_pages_cannot_be_written(serve):
    server = serve()
    for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE"):
        response = server.ask("/", method=method)
        assert (response.status, response["allow"]) == (405, "GET, HEAD, OPTIONS"), method


def test_an_unknown_method_gives_501(serve):
    server = serve()
    for method in ("BREW", "get", "Get", "PROPFIND"):
        assert server.ask("/", method=method).status == 501, method


def test_connect_finds_no_tunnel(serve):
    assert serve().ask("example.org:443", method="CONNECT").status in (400, 405, 501)


def test_what_is_not_there_has_a_page_of_its_own(serve):
    response = serve().ask("/nothing%3Cscript%3E")
    assert (response.status, response["content-type"]) == (404, "text/html; charset=utf-8")
    assert "404" in response.text and "Not Found" in response.text
    assert "<script>" not in response.text
    assert "etag" not in response


def test_the_site_has_its_own_404_page(site, serve):
    site.put("404.html", "lost?")
    server = serve()
    for target in ("/nothing", "/a/b/c"):
        response = server.ask(target)
        assert (response.status, response.text) == (404, "lost?")
        assert response["content-type"] == "text/html; charset=utf-8"


def test_programs_get_problem_json_and_people_html(site, serve):
    site.put("404.html", "lost?")
    server = serve()
    for accept in ("application/json", "application/problem+json", "application/json, text/plain;q=0.5"):
        response = server.ask("/nothing", accept=accept)
        assert response["content-type"] == "application/problem+json", accept
        problem = json.loads(response.body)
        assert (problem["status"], problem["title"]) == (404, "Not Found")
    for accept in ("*/*", "text/html", "text/html,application/xhtml+xml,*/*;q=0.8"):
        assert server.ask("/nothing", accept=accept).text == "lost?", accept


def test_an_empty_file_is_an_empty_page(site, serve):
    site.put("empty.txt", "")
    response = serve().ask("/empty.txt")
    assert (response.status, response.body, response["content-length"]) == (200, b"", "0")


def test_an_empty_folder_is_served_too(scratch, serve):
    (scratch / "nothing").mkdir()
    server = serve(root=scratch / "nothing")
    assert server.ask("/").status == 404


def test_absolute_targets_are_the_same(site, serve):
    site.put("docs/index.html", "the docs")
    server = serve()
    assert server.ask("http://test/docs/").text == "the docs"
    assert server.ask("http://test").body == b"<h1>home</h1>\n"

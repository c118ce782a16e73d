"""Nothing outside the folder is ever served, whatever the spelling, and of what is inside only what should be."""
import os
import socket

import pytest
from program import wait_until

SECRET = "the secret"


@pytest.fixture
def guarded(site):
    """A site beside which a secret lies."""
    (site.beside / "secret.txt").write_text(SECRET)
    (site.beside / "private").mkdir()
    (site.beside / "private" / "index.html").write_text(SECRET)
    site.put("docs/page.html", "a page")
    return site


def refuses(server, target):
    """Whether nothing is served under this target."""
    response = server.ask(target)
    assert SECRET not in response.text
    return response.status in (400, 404)


WAYS_OUT = [
    "/../secret.txt", "/docs/../../secret.txt", "/docs/./../../secret.txt", "/./../secret.txt", "/..", "/../",
    "/..//secret.txt", "/%2e%2e/secret.txt", "/%2E%2E/secret.txt", "/.%2e/secret.txt", "/%2e./secret.txt",
    "/docs/%2e%2e/%2e%2e/secret.txt", "/..%2fsecret.txt", "/..%2Fsecret.txt", "/%2e%2e%2fsecret.txt",
    "/docs/..%2f..%2fsecret.txt", "/docs%2f..%2f..%2fsecret.txt",
    "/..\\secret.txt", "/..%5csecret.txt", "/%2e%2e%5csecret.txt", "/docs\\..\\..\\secret.txt",
    "/%252e%252e/secret.txt", "/%252e%252e%252fsecret.txt", "/..%252fsecret.txt", "/%25%32%65%25%32%65/secret.txt",
    "/%c0%ae%c0%ae/secret.txt", "/..%c0%afsecret.txt", "/%e0%80%ae%e0%80%ae/secret.txt", "/%u002e%u002e/secret.txt",
    "/%ef%bc%8e%ef%bc%8e/secret.txt", "/..%00/secret.txt", "/../secret.txt%00.html", "/%00/../secret.txt",
    "/..;/secret.txt", "/..;x=y/secret.txt", "/..%3b/secret.txt", "/.../secret.txt", "/....//secret.txt",
    "/..../secret.txt", "//secret.txt", "///../secret.txt", "/../site/../secret.txt", "/../private/",
    "/../private", "/../private/index",
    "http://test/../secret.txt", "http://test/%2e%2e/secret.txt", "/..?/secret.txt", "/../secret.txt?x=/..",
    "/docs/page.html/../../../secret.txt", "/docs/page/../../../secret.txt",
]


def test_no_spelling_leads_out(guarded, serve):
    server = serve()
    for target in WAYS_OUT:
        assert refuses(server, target), target


NO_PATHS = ["../secret.txt", "secret.txt", "..", "%2e%2e/secret.txt", "\\..\\secret.txt",
            "file:///etc/passwd", "/docs/page.html#x", "/a b"]
TWO_WAYS = ["/%", "/%2", "/%zz", "/a%2", "/%00", "/a%00b", "/%ff", "/%c3", "/%ed%a0%80", "/%f5%80%80%80", "/a%2fb",
            "/a%5cb", "/\\"]


def test_what_is_no_path_or_could_be_two_is_a_bad_request(guarded, serve):
    server = serve()
    for target in NO_PATHS + TWO_WAYS:
        response = server.ask(target)
        assert response.status == 400, target
        assert SECRET not in response.text


def test_harmless_spellings_are_understood(guarded, serve):
    server = serve()
    for target in ("/docs/../docs/page.html", "/docs/./page.html", "/%64ocs/p%61ge.html", "/./docs/page",
                   "/docs/x/../page", "/docs/%2e/page", "/docs/page?../../x"):
        assert server.ask(target).text == "a page", target


def test_dotfiles_are_not_served(site, serve):
    for name in (".env", ".git/config", ".htpasswd", "docs/.hidden", ".well-known/.secret", "docs/.well-known/x",
                 "..data/x"):
        site.put(name, SECRET)
    server = serve()
    for target in ("/.env", "/%2eenv", "/.git/config", "/.git/", "/.htpasswd", "/docs/.hidden", "/docs/%2ehidden",
                   "/.well-known/.secret", "/docs/.well-known/x", "/..data/x", "/.well-known/../.env"):
        assert refuses(server, target), target


def test_well_known_is_served(site, serve):
    site.put(".well-known/security.txt", "Contact: us")
    site.put(".well-known/acme-challenge/token", "key")
    server = serve()
    assert server.ask("/.well-known/security.txt").text == "Contact: us"
    assert server.ask("/.well-known/acme-challenge/token").text == "key"


def test_links_inside_are_followed(guarded, serve):
    guarded.link("page-link.html", "docs/page.html")
    guarded.link("docs/up.html", "../index.html")
    guarded.link("manual", "docs")
    guarded.link("chain", "manual/page.html")
    guarded.link("v/1/current", "../../docs")
    server = serve()
    for target in ("/page-link", "/manual/page", "/chain", "/v/1/current/page.html"):
        assert server.ask(target).text == "a page", target
    assert server.ask("/docs/up").status == 200


def test_links_that_lead_out_are_not(guarded, serve):
    guarded.link("out.txt", "../secret.txt")
    guarded.link("absolute.txt", guarded.beside / "secret.txt")
    guarded.link("folder", "../private")
    guarded.link("parent", "..")
    guarded.link("root", "/")
    guarded.link("chain.txt", "out.txt")
    guarded.link("docs/deep.txt", "../../secret.txt")
    guarded.link("in-and-out.txt", "docs/../../secret.txt")
    guarded.link("back-in.txt", "../site/index.html")
    guarded.link("proc", "/proc/self/environ")
    server = serve()
    for target in ("/out.txt", "/absolute.txt", "/folder/", "/folder/index.html", "/parent/secret.txt",
                   "/root/etc/passwd",
                   "/chain.txt", "/docs/deep.txt", "/in-and-out.txt", "/back-in.txt", "/proc"):
        assert refuses(server, target), target
    assert server.ask("/docs/page").text == "a page"


def test_links_to_absolute_paths_inside_are_not_followed_either(guarded, serve):
    """They would mean another file once the folder is moved, or seen from a container."""
    guarded.link("absolute.html", guarded.path / "index.html")
    assert refuses(serve(), "/absolute.html")


def test_loops_of_links_end(guarded, serve):
    guarded.link("self", "self")
    guarded.link("one", "two")
    guarded.link("two", "one")
    guarded.link("docs/loop", "../docs")
    guarded.link("docs/here", ".")
    guarded.link("nowhere", "not-there")
    server = serve()
    for target in ("/self", "/one", "/two", "/nowhere", "/docs/loop/loop/loop/page.html", "/docs/here/here/page.html"):
        assert refuses(server, target), target
    assert server.ask("/docs/page").text == "a page"


def test_a_link_that_is_turned_round_after_the_start_leads_nowhere(guarded, serve):
    """The file is large, so that it is opened for each request."""
    guarded.put("large-a.bin", 200_000)
    link = guarded.link("large.bin", "large-a.bin")
    server = serve("--cache-size", "64K")
    assert len(server.ask("/large.bin").body) == 200_000
    link.unlink()
    link.symlink_to("../secret.txt")
    wait_until(lambda: server.ask("/large.bin").status == 404, "the change to be seen")
    assert refuses(server, "/large.bin")


def test_of_many_that_are_passed_over_only_the_number_is_told(site, serve):
    for i in range(50):
        (site.path / f"dangling-{i}").symlink_to("nowhere")
    server = serve()
    assert server.log.count("not served, ") == 20
    assert "not served: 30 more" in server.log


def test_what_is_neither_file_nor_folder_is_passed_over(site, serve):
    os.mkfifo(site.path / "pipe")
    os.mkfifo(site.path / "pipe.html")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(site.path / "socket"))
        server = serve()
        for target in ("/pipe", "/pipe.html", "/socket"):
            assert refuses(server, target), target
        assert server.works()
        assert "/pipe" in server.log


def test_a_file_that_becomes_a_fifo_blocks_nobody(site, serve):
    page = site.put("large.bin", 200_000)
    server = serve("--cache-size", "64K", "--background", "1")
    page.unlink()
    os.mkfifo(page)
    for _ in range(4):
        assert refuses(server, "/large.bin")
    assert server.works()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_unreadable_files_are_passed_over(site, serve):
    site.put("secret.txt", SECRET).chmod(0)
    site.put("locked/page.html", SECRET)
    site.put(".hidden", SECRET).chmod(0)
    (site.path / "locked").chmod(0)
    try:
        server = serve()
        assert server.ask("/secret.txt").status == 403
        for target in ("/locked/page.html", "/locked/", "/.hidden", "/nothing"):
            assert server.ask(target).status == 404, target
        assert server.works()
        assert "ermission denied" in server.log
    finally:
        (site.path / "locked").chmod(0o755)


def test_names_that_no_request_can_spell_are_passed_over(site, serve):
    for name in (b"latin-\xe9.txt", b"back\\slash.txt"):
        with open(os.path.join(os.fsencode(site.path), name), "wb") as file:
            file.write(b"x")
    server = serve()
    assert refuses(server, "/latin-%e9.txt")
    assert refuses(server, "/back%5cslash.txt")
    assert server.works()

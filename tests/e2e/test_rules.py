"""The rules of a configuration, as they are seen from outside: what is answered, with which fields, to whom."""
import base64
import os
import threading
import time

import pytest
from program import run, wait_until

ORIGIN = "https://app.example"

# "open sesame", as cheap as can be
HASHES = {
    "bcrypt": "$2b$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW",
    "sha512": "$6$rounds=1000$saltsalt$/IiX/CoEcxCZ9SksEXnbjfCT1LGvD4z5OpJkaFYl/T37OAwuKZ8I8BixDhruhPLkw6lS7dw/"
              "6wQWgQnGo7lLg/",
    "yescrypt": "$y$j75$saltsaltsalt$/t.p6VFaMssrvW9hjFBIPSCdXaaCzdMD9V8t0nx8fL.",
}
PASSWORD = "open sesame"
# What is found out about a file of passwords, and about a password, holds for so long.
FOLLOWED_SECONDS = 20

# That of the issue and the manual page, where it is about paths.
EXAMPLE = """\
root = "site"
rule "/assets/*"      { cache_control = "public, max-age=31536000, immutable" }
rule "/old/{rest...}" { redirect = "/new/{rest}"  status = 301 }
rule "/private/*"     { basic_auth = "htpasswd" }
rule "/*"             { headers = {"X-Frame-Options: DENY"}  cors = "https://app.example" }
"""


def credentials(name, password=PASSWORD):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.fixture
def passwords(scratch):
    """passwords({name: hash}): writes the file that the configuration names, over the old one as an editor does."""
    def write(entries):
        new = scratch / "htpasswd.new"
        new.write_text("".join(f"{name}:{entry}\n" for name, entry in entries.items()))
        os.replace(new, scratch / "htpasswd")

    write(HASHES)
    return write


@pytest.fixture
def example(site, passwords, serve_config):
    """The server with the example, and the pages that it is about."""
    site.put("assets/app.js", "let a = 1\n" * 300)
    site.put("new/page.html", "new page")
    site.put("private/index.html", "a secret")
    site.put("private/large.bin", 3_000_000)
    return serve_config(EXAMPLE, "--cache-size", "4M")


# ---- Fields ----

def test_cache_control_is_that_of_the_rule(example):
    response = example.ask("/assets/app.js")
    assert (response.status, response["cache-control"]) == (200, "public, max-age=31536000, immutable")
    again = example.ask("/assets/app.js", if_none_match=response["etag"])
    assert (again.status, again["cache-control"]) == (304, "public, max-age=31536000, immutable")
    part = example.ask("/assets/app.js", range="bytes=0-9")
    assert (part.status, part["cache-control"]) == (206, "public, max-age=31536000, immutable")


def test_fields_are_those_of_the_rule(example):
    response = example.ask("/new/page")
    assert response["x-frame-options"] == "DENY" and response["x-content-type-options"] == "nosniff"
    assert response["cache-control"] == "no-cache"


def test_the_first_rule_decides_whole(example):
    """What stands in a rule behind it is not added."""
    for target in ("/assets/app.js", "/private/"):
        response = example.ask(target, origin=ORIGIN, authorization=credentials("bcrypt"))
        assert response.status == 200
        assert "x-frame-options" not in response and "access-control-allow-origin" not in response, target


def test_an_empty_cache_control_leaves_the_field_out(site, serve_config):
    site.put("a.txt", "a")
    server = serve_config('root = "site"\nrule "*.txt" { cache_control = "" }\n')
    assert "cache-control" not in server.ask("/a.txt")
    assert server.ask("/")["cache-control"] == "no-cache"


def test_a_field_may_replace_what_is_sent_otherwise(site, serve_config):
    site.put("feed.xml", "<feed/>")
    server = serve_config('root = "site"\nrule "/feed.xml" { headers = {"Content-Type: application/atom+xml", '
                          '"X-Content-Type-Options: off", "Set-Cookie: a=1", "Set-Cookie: b=2", "Vary: Origin"} }\n')
    response = server.ask("/feed.xml")
    assert (response["content-type"], response["x-content-type-options"]) == ("application/atom+xml", "off")
    assert [value for name, value in response.fields if name == "set-cookie"] == ["a=1", "b=2"]
    assert "Origin" in response["vary"]


# ---- Elsewhere ----

@pytest.mark.parametrize("target, location", [
    ("/old/page", "/new/page"),
    ("/old/", "/new/"),
    ("/old/a/b/c.html", "/new/a/b/c.html"),
    ("/old/page?a=b&c=%20d", "/new/page?a=b&c=%20d"),
    ("/old/page?", "/new/page?"),
    ("/old/%c3%bcber%20uns%3F", "/new/%C3%BCber%20uns%3F"),
    ("/old/%0d%0aset-cookie:a", "/new/%0D%0Aset-cookie:a"),
])
def test_a_redirect_takes_the_rest_along(example, target, location):
    response = example.ask(target)
    if "%0d" in target and response.status == 400:  # refused outright is as good
        return
    assert (response.status, response["location"]) == (301, location)


def test_a_redirect_holds_for_every_method(example):
    for method in ("GET", "HEAD", "POST", "DELETE"):
        body = b"what is sent" if method == "POST" else None
        assert example.ask("/old/page", method=method, body=body).status == 301, method


def test_a_redirect_leads_to_another_host_only_where_it_says_so(serve_config):
    server = serve_config('root = "site"\nrule "/a/{rest...}" { redirect = "/{rest}" }\n'
                          'rule "/b/{rest...}" { redirect = "https://b.example/{rest}?from=a"  status = 308 }\n')
    for target in ("/a//evil.example", "/a/%2fevil.example", "/a/\\evil.example"):
        response = server.ask(target)
        assert response.status in (301, 400), target
        if response.status == 301:
            assert not response["location"].startswith(("//", "/\\")), target
    response = server.ask("/b/c?d=e")
    assert (response.status, response["location"]) == (308, "https://b.example/c?from=a&d=e")


def test_fields_are_those_of_the_rule_whatever_it_answers(site, serve_config):
    site.put("docs/index.html", "docs")
    site.put("files/a.txt", "a")
    site.put("_redirects", "/short /docs/ 302\n/app/* /index.html 200\n")
    said = 'cache_control = "max-age=60"  headers = {"X-Said: yes"}  cors = "https://app.example"'
    server = serve_config(f"""\
root = "site"
list = true
rule "/moved" {{ redirect = "/docs/"  {said} }}
rule "/gone"  {{ status = 410  {said} }}
rule "/lost"  {{ rewrite = "/index.html"  status = 404  {said} }}
rule "/*"     {{ {said} }}
""")
    for target, status in (("/moved", 301), ("/gone", 410), ("/lost", 404), ("/docs", 301), ("/docs/", 200),
                           ("/files", 301), ("/files/", 200), ("/short", 302), ("/app/x", 200), ("/", 200)):
        response = server.ask(target, origin=ORIGIN)
        assert (response.status, response["x-said"]) == (status, "yes"), target
        assert response["access-control-allow-origin"] == ORIGIN, target
        assert response["cache-control"] == "max-age=60", target


def test_an_error_has_what_is_not_about_a_page(site, passwords, serve_config):
    """A script that may read the page may read why there is none; and that there is none is not kept for a year."""
    site.put("a.txt", "0123456789")
    said = ('cache_control = "public, max-age=31536000, immutable"  cors = "https://app.example"  '
            'headers = {"X-Frame-Options: DENY", "Expires: Thu, 01 Jan 2099 00:00:00 GMT"}')
    server = serve_config(f"""\
root = "site"
rule "/private/*" {{ basic_auth = "htpasswd"  {said} }}
rule "/*"         {{ {said} }}
""")
    for target, status, fields in (("/none", 404, {}), ("/a.txt", 405, {"method": "POST", "body": b"a"}),
                                   ("/a.txt", 416, {"range": "bytes=100-"}), ("/a.txt", 412, {"if_match": '"x"'}),
                                   ("/a.txt", 406, {"accept_encoding": "identity;q=0, br;q=0, gzip;q=0, zstd;q=0"}),
                                   ("/private/", 401, {}), ("/none", 404, {"accept": "application/json"})):
        response = server.ask(target, origin=ORIGIN, **fields)
        assert response.status == status, target
        assert (response["x-frame-options"], response["access-control-allow-origin"]) == ("DENY", ORIGIN), target
        assert response["cache-control"] == "no-store" and "expires" not in response, target
    assert "immutable" in server.ask("/a.txt")["cache-control"]


def test_a_rewrite_answers_with_another_page(site, serve_config):
    site.put("app.html", "the app")
    site.put("products/chair.html", "a chair")
    server = serve_config("""\
root = "site"
rule "/app/*"           { rewrite = "/app.html"  headers = {"X-App: yes"} }
rule "/shop/{what}"     { rewrite = "/products/{what}.html" }
rule "/lost"            { rewrite = "/app.html"  status = 404 }
rule "/gone"            { status = 410 }
""")
    response = server.ask("/app/any/where?a=b")
    assert (response.status, response.text, response["x-app"]) == (200, "the app", "yes")
    assert server.ask("/app/x", if_none_match=response["etag"]).status == 304
    assert "x-app" not in server.ask("/app.html")
    assert server.ask("/shop/chair").text == "a chair"
    assert server.ask("/shop/table").status == 404
    assert server.ask("/shop/..%2fapp").status in (400, 404)
    lost = server.ask("/lost")
    assert (lost.status, lost.text) == (404, "the app")
    assert server.ask("/gone").status == 410
    assert server.ask("/app/x", method="POST", body=b"a").status == 405


# ---- Other origins ----

def test_other_origins_may_read(example):
    assert example.ask("/", origin=ORIGIN)["access-control-allow-origin"] == ORIGIN
    # One origin is the same in every response, so that a cache may keep it.
    assert example.ask("/", origin="https://evil.example")["access-control-allow-origin"] == ORIGIN
    assert example.ask("/")["access-control-allow-origin"] == ORIGIN


def test_a_browser_may_ask_first(example):
    response = example.ask("/new/page", method="OPTIONS", origin=ORIGIN, access_control_request_method="GET",
                           access_control_request_headers="x-one, x-two")
    assert (response.status, response.body) == (204, b"")
    assert response["access-control-allow-origin"] == ORIGIN
    assert "GET" in response["access-control-allow-methods"].split(", ")
    assert response["access-control-allow-headers"] == "x-one, x-two"
    assert int(response["access-control-max-age"]) > 0
    refused = example.ask("/new/page", method="OPTIONS", origin="https://evil.example",
                          access_control_request_method="GET")
    assert "access-control-allow-methods" not in refused
    # Without its two fields OPTIONS is not a preflight.
    assert "access-control-allow-methods" not in example.ask("/new/page", method="OPTIONS")


def test_one_of_several_origins_is_named(serve_config):
    server = serve_config('root = "site"\nrule "/*" { cors = "https://a.example https://b.example" }\n')
    for origin in ("https://a.example", "https://b.example"):
        response = server.ask("/", origin=origin)
        assert response["access-control-allow-origin"] == origin and "Origin" in response["vary"]
    for fields in ({"origin": "https://c.example"}, {}):
        response = server.ask("/", **fields)
        assert response.status == 200 and "access-control-allow-origin" not in response
        assert "Origin" in response["vary"]


def test_a_preflight_needs_no_password(passwords, site, serve_config):
    """Browsers send none (Fetch, "CORS-preflight fetch")."""
    site.put("a/page.html", "a")
    server = serve_config('root = "site"\nrule "/a/*" { cors = "https://app.example"  basic_auth = "htpasswd" }\n')
    asked = server.ask("/a/page", method="OPTIONS", origin=ORIGIN, access_control_request_method="GET")
    assert (asked.status, asked.body) == (204, b"")
    assert server.ask("/a/page", method="OPTIONS").status == 401
    assert server.ask("/a/page", origin=ORIGIN).status == 401


# ---- Passwords ----

@pytest.mark.parametrize("name", HASHES)
def test_each_kind_of_hash(example, name):
    refused = example.ask("/private/")
    assert refused.status == 401
    assert refused["www-authenticate"] == 'Basic realm="/private/*", charset="UTF-8"'
    assert b"secret" not in refused.body
    for wrong in ("", "open sesamE", PASSWORD + " ", "x" * 1000):
        assert example.ask("/private/", authorization=credentials(name, wrong)).status == 401, wrong
    for _ in range(2):  # the second time it is remembered
        response = example.ask("/private/", authorization=credentials(name))
        assert (response.status, response.text) == (200, "a secret")
    # What was remembered for one is not for another.
    assert example.ask("/private/", authorization=credentials(name, "open")).status == 401
    assert example.ask("/private/", authorization=credentials("nobody")).status == 401


@pytest.mark.parametrize("value", [
    "", "Basic", "Basic ", "Basic =", "Basic " + "A" * 8000, "Bearer abc",
    "basic " + base64.b64encode(b"bcrypt").decode(),
    "Basic " + base64.b64encode(b":").decode(), "Basic " + base64.b64encode(b"bcrypt:open sesame\0x").decode(),
    "Basic " + base64.b64encode(b"bcrypt:open sesame").decode() + " more", "Digest username=bcrypt",
])
def test_what_is_no_password_is_refused(example, value):
    response = example.ask("/private/", authorization=value)
    assert response.status in (400, 401) and b"secret" not in response.body
    assert "www-authenticate" in response or response.status == 400


def test_no_address_of_a_guarded_page_is_open(site, passwords, serve_config):
    site.put("private.html", "a secret")
    site.put("members/index.html", "a secret")
    server = serve_config('root = "site"\nlist = true\nrule "/private.html" { basic_auth = "htpasswd" }\n'
                          'rule "/members/*" { basic_auth = "htpasswd" }\n')
    for target in ("/private.html", "/private", "/%70rivate", "/x/../private", "/members/", "/members/index.html",
                   "/members/index", "/members//index.html", "/Members/", "/members/./index.html",
                   "/members%2findex.html", "http://test/members/"):
        response = server.ask(target)
        assert response.status in (400, 401, 404), target
        assert b"secret" not in response.body
    for target in ("/private", "/private.html", "/members/", "/members/index.html"):
        assert server.ask(target, authorization=credentials("bcrypt")).text == "a secret"


def test_a_guarded_page_is_still_a_page(example):
    authorization = credentials("sha512")
    with example.connect() as connection:
        page = connection.get("/private/", authorization=authorization)
        assert connection.get("/private/", method="HEAD", authorization=authorization).body == b""
        assert connection.get("/private/", authorization=authorization, if_none_match=page["etag"]).status == 304
        large = connection.get("/private/large.bin", authorization=authorization)
        assert len(large.body) == 3_000_000
        part = connection.get("/private/large.bin", authorization=authorization, range="bytes=100-199")
        assert (part.status, part.body) == (206, large.body[100:200])
        # Pipelined, with a right and a wrong one in turn: each gets its own.
        for index in range(10):
            connection.ask("/private/", authorization=credentials("sha512", PASSWORD if index % 2 else "wrong"))
        assert [connection.read().status for _ in range(10)] == [401, 200] * 5
        assert connection.get("/").status == 200


def test_a_body_to_a_guarded_path(example):
    """Without a password it is refused before its body has come; with one it is answered like any other path."""
    with example.connect() as connection:
        connection.send(b"POST /private/ HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n")
        response = connection.read_head()
        assert response.status == 401, "it was told to send its body"
    refused = example.ask("/private/", method="POST", body=b"x" * 100_000)
    assert refused.status == 401
    wrong = example.ask("/private/", method="POST", body=b"x" * 100_000, authorization=credentials("bcrypt", "wrong"))
    assert wrong.status == 401
    right = example.ask("/private/", method="POST", body=b"x" * 100_000, authorization=credentials("bcrypt"))
    assert right.status == 405
    with example.connect() as connection:
        head = (f"POST /private/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                f"Authorization: {credentials('yescrypt')}\r\n\r\n").encode()
        connection.send(head + b"5\r\nhello\r\n0\r\n\r\n")
        assert connection.read().status == 405
        assert connection.get("/").status == 200, "what followed the body was lost"


def test_many_at_once(example):
    """More than are checked at a time are told to come again; nobody gets in who should not, and others are served."""
    results, lock = [], threading.Lock()

    def client(number):
        right = number % 2 == 0
        for turn in range(3):
            password = PASSWORD if right else f"wrong {number} {turn}"
            response = example.ask("/private/", authorization=credentials("bcrypt", password))
            with lock:
                results.append((right, response.status))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(60)]
    for thread in threads:
        thread.start()
    assert example.ask("/").status == 200
    for thread in threads:
        thread.join()
    assert len(results) == 180
    statuses = {right: {status for known, status in results if known == right} for right in (True, False)}
    assert 200 in statuses[True] and statuses[True] <= {200, 503}
    assert 401 in statuses[False] and statuses[False] <= {401, 503}
    assert example.ask("/private/", authorization=credentials("bcrypt")).status == 200


@pytest.mark.slow
def test_a_changed_file_holds_while_it_runs(example, passwords):
    asked = {name: credentials(name) for name in ("bcrypt", "sha512", "new")}
    status = lambda name: example.ask("/private/", authorization=asked[name]).status  # noqa: E731
    assert [status(name) for name in asked] == [200, 200, 401]
    passwords({"sha512": HASHES["sha512"], "new": HASHES["sha512"]})
    took = wait_until(lambda: status("new") == 200, "the new name to get in", FOLLOWED_SECONDS)
    assert status("bcrypt") == 401, "a name that was taken out still gets in"
    assert status("sha512") == 200
    assert took < FOLLOWED_SECONDS
    # One that is broken never replaces the good one; it is told, without what may be a password.
    passwords({"plain": "open sesame"})
    wait_until(lambda: (status("new"), "htpasswd" in example.log and "stays in force" in example.log) == (200, True),
               "the broken file to be told", FOLLOWED_SECONDS)
    assert "open sesame" not in example.log
    assert example.ask("/private/", authorization=credentials("plain")).status == 401
    passwords(HASHES)
    wait_until(lambda: status("bcrypt") == 200, "the good file to hold again", FOLLOWED_SECONDS)


# ---- Mistakes, and pages for errors ----

def test_a_broken_configuration_replaces_nothing(example, scratch):
    broken = scratch / "broken.conf"
    broken.write_text('root = "site"\nrule "/a" { redirct = "/b" }\n')
    done = run("-c", broken, "--listen", f"127.0.0.1:{example.address[1]}")
    assert done.returncode == 2 and done.stderr == f"{broken}:2: unknown key redirct; did you mean redirect?\n"
    assert example.ask("/new/page").status == 200
    # The file of the running one may be broken too: it was read, and it stays as it was.
    (scratch / "site.conf").write_text("nonsense")
    time.sleep(0.5)
    assert example.ask("/old/a")["location"] == "/new/a"
    assert example.ask("/")["x-frame-options"] == "DENY"


def test_without_its_passwords_it_is_not_started(site, scratch):
    path = scratch / "site.conf"
    path.write_text('root = "site"\nrule "/a/*" { basic_auth = "nowhere" }\n')
    done = run("-c", path, "--listen", "127.0.0.1:0")
    assert done.returncode == 1 and f"{scratch}/nowhere: No such file" in done.stderr and "listening" not in done.stderr
    done = run("-t", "-c", path)
    assert done.returncode == 2 and done.stderr.startswith(f"{path}:2: basic_auth: ")


@pytest.mark.parametrize("text, where", [
    ('rule "/*" { status = 404 }\nrule "/a" { status = 410 }', "rule"),
    ('rule "/a" { redirect = "/b" }\nrule "/b" { redirect = "/a" }', "circle"),
    ('rule "/a" { redirect = "/{name}" }', "name"),
    ('rule "/a" { cors = "app.example" }', "cors"),
    ('rule "/a" { headers = {"Content-Length: 5"} }', "Content-Length"),
    ('host "a" { root = "site" }\nhost "A" { root = "site" }', "host"),
])
def test_what_cannot_work_is_not_started(site, scratch, text, where):
    path = scratch / "site.conf"
    path.write_text(f'root = "site"\n{text}\n')
    done = run("-c", path, "--listen", "127.0.0.1:0")
    assert done.returncode == 2, done
    assert done.stderr.startswith(f"{path}:") and where in done.stderr, done.stderr
    assert "listening" not in done.stderr


def test_error_pages_of_the_configuration(site, scratch, passwords, serve_config):
    site.put("errors/lost.html", "lost, sorry")
    site.put("errors/who.html", "who are you?")
    site.put("private/index.html", "a secret")
    server = serve_config('root = "site"\nerror_pages = {"404 /errors/lost.html", "401 /errors/who.html"}\n'
                          'rule "/private/*" { basic_auth = "htpasswd" }\nrule "/gone" { status = 410 }\n')
    lost = server.ask("/nothing/here")
    assert (lost.status, lost.text) == (404, "lost, sorry")
    assert lost["content-type"] == "text/html; charset=utf-8" and "etag" not in lost
    who = server.ask("/private/")
    assert (who.status, who.text) == (401, "who are you?") and "www-authenticate" in who
    assert server.ask("/gone").status == 410
    assert server.ask("/nothing", accept="application/json")["content-type"] == "application/problem+json"
    site.put("errors/lost.html", "lost again")
    wait_until(lambda: server.ask("/nothing").text == "lost again", "the new error page")

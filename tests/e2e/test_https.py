"""https as somebody sets it up who has a certificate, or none: addresses, options and their mistakes, the redirect from
http, HSTS, and what a browser without TLS is told."""
import re
import subprocess

from client import Connection, make_request
from program import ROOT, run, wait_until
from secure import SecureConnection, context, listening_ports, serial_of

HTTPS = r"listening on https://[^:]*:(\d+)"


def test_self_signed(serve):
    """One option is enough, and it says what it is."""
    server = serve("--tls-self-signed", "--listen", "https://localhost:0", ready=HTTPS)
    assert "for development only" in server.log
    with SecureConnection(server.address, context()) as connection:
        assert connection.get("/").text == "<h1>home</h1>\n"
        shown = connection.socket.getpeercert(True)
    text = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-ext", "subjectAltName"], input=shown,
                          capture_output=True, check=True).stdout.decode()
    assert "DNS:localhost" in text and "127.0.0.1" in text


def test_certificates_by_name(serve_tls, authority):
    first, star = authority.pair("example.org", "localhost"), authority.pair("*.example.org", kind="rsa")
    server = serve_tls(*first.options, *star.options)
    assert serial_of(server.address, authority, "example.org") == first.serial
    assert serial_of(server.address, authority, "www.example.org") == star.serial
    with SecureConnection(server.address, context(), "nobody.example") as connection:
        assert connection.get("/").status == 200  # the first is for whoever is not there


def test_from_a_file(serve_config, authority, scratch):
    """Paths are of the file; a certificate and its key may be in one file; hosts have theirs beside what they serve."""
    pair, other = authority.pair("localhost"), authority.pair("docs.example")
    (scratch / "both.pem").write_bytes(pair.cert.read_bytes() + pair.key.read_bytes())
    (scratch / "docs").mkdir()
    (scratch / "docs/index.html").write_text("docs\n")
    config = f"""certificate "both.pem" {{ }}
root = "site"
tls_min_version = "1.3"
host "docs.example" {{
    root = "docs"
    certificate "{other.cert}" {{ key = "{other.key}" }}
}}
"""
    server = serve_config(config, "--listen", "https://127.0.0.1:0", ready=HTTPS)
    port = (listening_ports(server.pid) - {server.address[1]}).pop()
    assert serial_of(server.address, authority) == pair.serial
    with SecureConnection(server.address, context(authority), "docs.example") as connection:
        assert connection.serial == other.serial
        assert connection.get("/", host="docs.example").text == "docs\n"
        assert connection.socket.version() == "TLSv1.3"
    with Connection(("127.0.0.1", port)) as connection:
        assert connection.get("/", host="a").status == 308


def test_what_is_wrong_is_told_in_a_line(authority, scratch, site):
    """At start, with status 1."""
    pair, other = authority.pair("localhost"), authority.pair("localhost")
    locked = authority.encrypt(pair)
    empty = scratch / "empty.pem"
    empty.touch()
    for options, words in (
            ((pair.cert, scratch / "none.key"), ("none.key", "No such file")),
            ((scratch / "none.pem", pair.key), ("none.pem", "No such file")),
            ((pair.cert, other.key), (other.key.name,)),
            ((pair.cert, locked.key), (locked.key.name, "encrypted")),
            ((pair.key, pair.key), (pair.key.name,)),
            ((empty, pair.key), ("empty.pem", "empty")),
            ((scratch, pair.key), (str(scratch), "no file"))):
        told = run("--tls-cert", options[0], "--tls-key", options[1], "--listen", "https://127.0.0.1:0", site.path)
        assert told.returncode == 1, told.stderr
        assert len(told.stderr.splitlines()) == 1 and all(word in told.stderr for word in words), told.stderr


def test_wrong_usage(site, localhost):
    for options, words in (
            (("--listen", "https://:0"), "https needs a certificate"),
            ((*localhost.options, "--tls-self-signed"), "leave out --tls-self-signed or --tls-cert"),
            ((*localhost.options, "--listen", "127.0.0.1:0"), "no address for https"),
            ((*localhost.options, "--tls-client-cert", "required"), "client_ca"),
            ((*localhost.options, "--tls-client-ca", localhost.cert), "client_certificate")):
        told = run(*options, site.path)
        assert told.returncode == 2 and words in told.stderr, told.stderr


def test_check_tells_lines(authority, scratch, site):
    pair, other = authority.pair("localhost"), authority.pair("localhost")
    path = scratch / "check.conf"
    path.write_text(f'listen = "https://127.0.0.1:0"\nroot = "site"\ncertificate "{pair.cert}" {{\n'
                    f'    key = "{other.key}"\n}}\ncertificate "none.pem" {{ }}\n')
    told = run("-t", "-c", path)
    assert told.returncode == 2
    assert re.search(rf"check.conf:3: certificate: .*{other.key.name}", told.stderr), told.stderr
    assert re.search(r"check.conf:6: certificate: .*none.pem.*No such file", told.stderr), told.stderr
    path.write_text(f'listen = "https://127.0.0.1:0"\nroot = "site"\ncertificate "{pair.cert}" {{ key = "{pair.key}" }}\n'
                    'tls_ciphers = "nonsense"\n')
    told = run("-t", "-c", path)
    assert told.returncode == 2 and "nonsense" in told.stderr
    path.write_text(f'listen = "https://127.0.0.1:0"\nroot = "site"\ncertificate "{pair.cert}" {{ key = "{pair.key}" }}\n')
    told = run("-t", "-c", path)
    assert told.returncode == 0 and told.stdout.endswith("ok\n")
    shown = run("--print-config", "-c", path)
    assert f'certificate "{pair.cert}" {{' in shown.stdout and f'key = "{pair.key}"' in shown.stdout


def test_open_key_is_warned_of(serve_tls, authority):
    pair = authority.pair("localhost")
    pair.key.chmod(0o644)
    server = serve_tls(*pair.options)
    assert re.search(rf"warning: .*{pair.key.name}: everybody on this machine can read", server.log)
    assert serial_of(server.address, authority) == pair.serial


# ---- http beside https -----------------------------------------------------------------------------------------------


def serve_both(serve, localhost, *options):
    """The server, and its port for http."""
    server = serve("--listen", "https://127.0.0.1:0", "--listen", "127.0.0.1:0", *localhost.options, *options,
                   ready=HTTPS)
    return server, (listening_ports(server.pid) - {server.address[1]}).pop()


def test_http_is_sent_to_https(serve, site, authority, localhost):
    site.put(".well-known/acme-challenge/token", "challenge")
    server, port = serve_both(serve, localhost)
    secure = f"https://example.org:{server.address[1]}"
    with Connection(("127.0.0.1", port)) as connection:
        for method in ("GET", "HEAD", "POST", "DELETE"):
            response = connection.get("/a/b?c=d", method=method, host=f"example.org:{port}")
            assert response.status == 308 and response["location"] == f"{secure}/a/b?c=d"
            assert "strict-transport-security" not in response
        response = connection.get("/", method="POST", body=b"x" * 1000, host="example.org")
        assert response.status == 308 and response["location"] == f"{secure}/"
        assert connection.get("/.well-known/acme-challenge/token").text == "challenge"
        assert connection.get("/.well-known/acme-challenge/none").status == 404
    with SecureConnection(server.address, context(authority)) as connection:
        assert connection.get("/").status == 200
    followed = subprocess.run(["curl", "-sL", "--cacert", authority.cert, f"http://localhost:{port}/"],
                              capture_output=True, check=True)
    assert followed.stdout == b"<h1>home</h1>\n"


def test_the_redirect_can_be_turned_off_or_elsewhere(serve, localhost):
    _, port = serve_both(serve, localhost, "--https-redirect", "off")
    with Connection(("127.0.0.1", port)) as connection:
        assert connection.get("/").status == 200
    _, port = serve_both(serve, localhost, "--https-redirect", "443")
    with Connection(("127.0.0.1", port)) as connection:
        assert connection.get("/x", host="example.org:8080")["location"] == "https://example.org/x"


def test_a_unix_socket_is_not_redirected(serve, scratch, localhost):
    server = serve("--listen", "https://127.0.0.1:0", "--listen", f"unix:{scratch}/s", *localhost.options, ready=HTTPS)
    with Connection(f"{scratch}/s") as connection:
        assert connection.get("/").status == 200
    assert server.alive


def test_hsts_goes_with_every_secure_answer(serve, site, authority, localhost):
    site.put("docs/index.html", "docs")
    server, port = serve_both(serve, localhost, "--https-redirect", "off", "--hsts", "600, includeSubDomains")
    with SecureConnection(server.address, context(authority)) as connection:
        page = connection.get("/")
        for target, how, status in (("/", {}, 200), ("/", {"method": "HEAD"}, 200), ("/none", {}, 404), ("/docs", {}, 301),
                                    ("/", {"if_none_match": page["etag"]}, 304), ("/", {"method": "DELETE"}, 405),
                                    ("/", {"range": "bytes=0-3"}, 206)):
            response = connection.get(target, **how)
            assert response.status == status
            assert response["strict-transport-security"] == "max-age=600; includeSubDomains"
        response = connection.send(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").read()
        assert response.status == 400 and response["strict-transport-security"] == "max-age=600; includeSubDomains"
    with Connection(("127.0.0.1", port)) as connection:
        assert "strict-transport-security" not in connection.get("/")  # RFC 6797 7.2


def test_both_over_http2(serve, localhost):
    """The redirect by prior knowledge, HSTS by ALPN."""
    server, port = serve_both(serve, localhost, "--hsts", "600")

    def head(*options):
        done = subprocess.run(["curl", "-ksi", "--http2", *options], capture_output=True, check=True)
        return done.stdout.decode().lower().partition("\r\n\r\n")[0].split("\r\n")

    sent_on = head("--http2-prior-knowledge", f"http://localhost:{port}/a?b")
    assert sent_on[0].startswith("http/2 308") and f"location: https://localhost:{server.address[1]}/a?b" in sent_on
    assert not any(line.startswith("strict-transport-security") for line in sent_on)
    for target, status in (("/", 200), ("/none", 404)):
        answer = head(f"https://localhost:{server.address[1]}{target}")
        assert answer[0].startswith(f"http/2 {status}") and "strict-transport-security: max-age=600" in answer


def test_a_rule_has_the_word_about_hsts(serve_config, authority, localhost):
    server = serve_config('rule "/*" { headers = {"Strict-Transport-Security: max-age=1"} }\nhsts = 60\nroot = site\n',
                          "--listen", "https://127.0.0.1:0", *localhost.options, ready=HTTPS)
    with SecureConnection(server.address, context(authority)) as connection:
        assert connection.get("/")["strict-transport-security"] == "max-age=1"
        assert connection.get("/none")["strict-transport-security"] == "max-age=1"


def test_http_on_the_port_for_https(serve_tls, localhost):
    """Readable, and no redirect: the address is wrong, not the site."""
    server = serve_tls(*localhost.options)
    answer = server.close_of(make_request())
    assert answer.startswith(b"HTTP/1.1 400 ") and b"https://" in answer
    wait_until(server.alive.__bool__, "it to live on")


def test_the_readme_tells_of_it():
    assert "rawhttpd --tls-self-signed DIR" in (ROOT / "README.md").read_text()

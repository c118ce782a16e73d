"""What clients of several makes see of TLS: which versions, ciphers and keys, whether they may in with a certificate of
their own, and that a storm of them keeps nobody waiting who is there already."""
import contextlib
import json
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest
from certificates import Authority
from client import PATIENCE
from program import RAWHTTPD, wait_until
from secure import SecureConnection, context


def curl(server, authority, *options, status=0):
    """What the body is, and what curl says of it."""
    done = subprocess.run(["curl", "-sS", "--cacert", authority.cert, "--max-time", str(PATIENCE), *map(str, options),
                           f"https://localhost:{server.address[1]}/"], capture_output=True, check=False)
    assert done.returncode == 0 or status != 0, done.stderr
    return done.stdout.decode()


def s_client(server, *options):
    """The handshake as openssl tells of it. Its status is no word of it: it is that of the reading afterwards."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.address[1]}", "-servername",
                           "localhost", *map(str, options)], stdin=subprocess.DEVNULL, capture_output=True, check=False,
                          timeout=PATIENCE)
    return (done.stdout + done.stderr).decode(errors="replace")


def connects(text):
    return re.search(r"Cipher is (?!\(NONE\))", text) is not None


@pytest.fixture
def server(serve_tls, localhost):
    return serve_tls(*localhost.options)


@pytest.mark.parametrize("version", ("--http1.1", "--http2"))
def test_curl(server, authority, version):
    text = curl(server, authority, version, "--write-out", "%{http_version} %{ssl_verify_result}")
    assert text == f"<h1>home</h1>\n{'1.1' if version == '--http1.1' else '2'} 0"


def test_versions(server):
    assert connects(s_client(server, "-tls1_2")) and connects(s_client(server, "-tls1_3"))
    for old in ("-tls1", "-tls1_1"):
        assert not connects(s_client(server, old, "-cipher", "DEFAULT@SECLEVEL=0"))


def test_only_the_newest(serve_tls, localhost):
    server = serve_tls(*localhost.options, "--tls-min-version", "1.3")
    assert connects(s_client(server, "-tls1_3")) and not connects(s_client(server, "-tls1_2"))


def test_ciphers(serve_tls, authority):
    """None without forward secrecy and authenticated encryption, by default; those that are named, else."""
    pair = authority.pair("localhost", kind="rsa")
    server = serve_tls(*pair.options)
    assert connects(s_client(server, "-tls1_2", "-cipher", "ECDHE-RSA-CHACHA20-POLY1305"))
    for weak in ("AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA384", "DHE-RSA-AES128-GCM-SHA256"):
        assert not connects(s_client(server, "-tls1_2", "-cipher", f"{weak}:@SECLEVEL=0"))
    server = serve_tls(*pair.options, "--tls-ciphers", "ECDHE-RSA-AES256-GCM-SHA384", "--tls-ciphersuites",
                       "TLS_AES_256_GCM_SHA384", "--tls-groups", "P-384")
    assert not connects(s_client(server, "-tls1_2", "-cipher", "ECDHE-RSA-CHACHA20-POLY1305"))
    assert not connects(s_client(server, "-groups", "X25519"))
    assert "Cipher is TLS_AES_256_GCM_SHA384" in s_client(server)
    assert "Cipher is ECDHE-RSA-AES256-GCM-SHA384" in s_client(server, "-tls1_2")


def test_alpn(server):
    assert "ALPN protocol: h2" in s_client(server, "-alpn", "http/1.1,h2")
    assert "ALPN protocol: http/1.1" in s_client(server, "-alpn", "http/1.1,spdy/3")
    assert "no application protocol" in s_client(server, "-alpn", "spdy/3")  # RFC 7301 3.2
    assert connects(s_client(server))


def test_http1_alone(serve_tls, localhost):
    server = serve_tls(*localhost.options, "--no-http2")
    assert "ALPN protocol: http/1.1" in s_client(server, "-alpn", "h2,http/1.1")


@pytest.mark.skipif(not shutil.which("sslscan"), reason="sslscan is not installed")
def test_sslscan(serve_tls, authority):
    """Both kinds of keys, and nothing that is not meant to be there."""
    ec, rsa = authority.pair("localhost"), authority.pair("localhost", kind="rsa")
    server = serve_tls(*ec.options, *rsa.options)
    text = subprocess.run(["sslscan", "--no-colour", f"localhost:{server.address[1]}"], stdin=subprocess.DEVNULL,
                          capture_output=True, check=True, timeout=5 * PATIENCE).stdout.decode(errors="replace")
    for line in (r"SSLv2\s+disabled", r"SSLv3\s+disabled", r"TLSv1\.0\s+disabled", r"TLSv1\.1\s+disabled",
                 r"TLSv1\.2\s+enabled", r"TLSv1\.3\s+enabled", "Server supports TLS Fallback SCSV",
                 "Session renegotiation not supported"):
        assert re.search(line, text), f"{line} is not in\n{text}"
    found = re.findall(r"^(?:Preferred|Accepted)\s+TLSv\S+\s+(\d+) bits\s+(\S+)", text, re.MULTILINE)
    assert {name for _, name in found} == {
        "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"}


# ---- Certificates of clients -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ("off", "optional", "required"))
def test_certificates_of_clients(serve_tls, authority, localhost, tmp_path, mode):
    """With curl: none, a good one, an old one, and one that a stranger has signed."""
    trusted = () if mode == "off" else ("--tls-client-ca", authority.cert)
    server = serve_tls(*localhost.options, "--tls-client-cert", mode, *trusted)
    good, old = authority.client("ada"), authority.client("old", expired=True)
    stranger = Authority(tmp_path, "strangers").client("eve")

    def may_in(*options):
        return curl(server, authority, *options, status=1) == "<h1>home</h1>\n"

    def shows(pair):
        return may_in("--cert", pair.cert, "--key", pair.key)

    assert may_in() == (mode != "required")
    assert shows(good)
    assert shows(old) == shows(stranger) == (mode == "off")


@pytest.fixture
def whoami(start, authority, localhost, place):
    """whoami(mode): tests/e2e/whoami.c, with a certificate at `place`."""
    program = RAWHTTPD.parent / "tests" / "e2e" / "whoami"
    if not program.exists():
        pytest.skip("the tests' own programs were not built")

    def start_whoami(mode):
        return start([program, place.cert, place.key, authority.cert, mode], ready=r"https://127.0.0.1:(\d+)")
    return start_whoami


def test_handlers_know_who_it_is(whoami, authority):
    server = whoami("optional")
    ada = authority.client("ada")
    for version in ("--http1.1", "--http2"):
        told = json.loads(curl(server, authority, version, "--cert", ada.cert, "--key", ada.key))
        assert told == {"subject": "CN=ada", "scheme": "https"}
        assert json.loads(curl(server, authority, version)) == {"subject": None, "scheme": "https"}


def test_a_program_can_watch_its_certificate(whoami, place, authority):
    server = whoami("optional")

    def state():
        with SecureConnection(server.address, context(authority)) as connection:
            return json.loads(connection.get("/state").body)

    assert state() == {"certificates": 1, "taken": 0, "refused": 0}
    place.cert.write_text("spoilt")
    wait_until(lambda: state()["refused"] == 1, "the mistake to be counted")
    place.put(authority.pair("localhost"))
    wait_until(lambda: state()["taken"] == 1, "the next pair to be counted")


# ---- Many of them ----------------------------------------------------------------------------------------------------


def test_a_storm_of_handshakes_keeps_nobody_waiting(serve_tls, authority, localhost):
    """Clients that connect, say hello and go, as fast as they can; one that was there before is answered all the while.
    That takes a moment each, and no more: the storm is served in between, not first."""
    server = serve_tls(*localhost.options, "--workers", 1)
    over, shaken = threading.Event(), []

    def storm():
        with_context = context(authority)
        while not over.is_set():
            with contextlib.suppress(OSError), SecureConnection(server.address, with_context):
                shaken.append(1)

    with SecureConnection(server.address, context(authority)) as early:
        assert early.get("/").status == 200
        threads = [threading.Thread(target=storm) for _ in range(8)]
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: len(shaken) > 20, "the storm to begin")
            for _ in range(50):
                assert early.get("/").status == 200
            before = len(shaken)
            wait_until(lambda: len(shaken) > before + 20, "the storm to go on")
        finally:
            over.set()
            for thread in threads:
                thread.join(PATIENCE)
    assert server.alive


def test_a_handshake_has_its_time(serve_tls, localhost):
    """Who connects and says nothing, or half of it, is not waited for."""
    server = serve_tls(*localhost.options, "--handshake-timeout", "500ms")
    for said in (b"", b"\x16\x03\x01\x02\x00\x01"):
        with socket.create_connection(server.address, PATIENCE) as silent:
            silent.sendall(said)
            start = time.monotonic()
            assert silent.recv(100) == b""
            assert time.monotonic() - start >= 0.4


def test_truncation_is_told_from_an_end(server, authority):
    """The server says goodbye before it closes."""
    with SecureConnection(server.address, context(authority)) as connection:
        connection.socket.suppress_ragged_eofs = False
        assert connection.get("/", connection="close").status == 200
        assert connection.socket.recv(1) == b""  # else ssl.SSLEOFError


def test_python_by_version(server, authority):
    for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
        with SecureConnection(server.address, context(authority, version=version)) as connection:
            assert connection.get("/").status == 200 and connection.socket.version() == name

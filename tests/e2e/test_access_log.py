"""The access log: a line of JSON for each request, whatever is in it and whatever becomes of the file."""
import json
import os
import pty
import random
import re
import threading

from client import make_request
from program import RAWHTTPD, run, wait_until

FIELDS = {"time", "peer", "method", "target", "status", "bytes", "ms", "version"}


def lines_of(text):
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.split("\n")[:-1]]


def test_a_line_for_each_request(site, serve, scratch):
    site.put("large.bin", 300_000)
    log = scratch / "access.log"
    server = serve("--access-log", log, "--cache-size", "64K")
    with server.connect() as connection:
        for target in ("/", "/large.bin", "/nothing?x=1"):
            connection.get(target)
        connection.get("/", method="HEAD", user_agent="test", referer="http://example.org/")
        connection.send(b"GET / HTTP/1.1\r\n\r\n").read()
    server.stop()
    lines = lines_of(log.read_text())
    assert [(line["method"], line["target"], line["status"]) for line in lines[:4]] == [
        ("GET", "/", 200), ("GET", "/large.bin", 200), ("GET", "/nothing?x=1", 404), ("HEAD", "/", 200)]
    assert [line["bytes"] for line in lines[:2]] == [14, 300_000]
    assert lines[3]["bytes"] == 0 and lines[3]["agent"] == "test" and lines[3]["referer"] == "http://example.org/"
    assert len(lines) == 5 and lines[4]["status"] == 400
    for line in lines:
        assert line.keys() >= FIELDS
        assert line["peer"] == "127.0.0.1" and line["version"] == "HTTP/1.1" and line["ms"] >= 0
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])


def test_the_client_behind_a_proxy(serve, scratch):
    for trusted, client in (("loopback", "192.0.2.7"), ("10.0.0.0/8 unix", None)):
        log = scratch / f"{trusted[:2]}.log"
        server = serve("--access-log", log, "--workers", 1, "--trusted-proxies", trusted)
        server.ask("/", x_forwarded_for="203.0.113.1, 192.0.2.7, 127.0.0.9")
        server.ask("/", x_forwarded_for="nonsense")
        server.ask("/")
        server.stop()
        lines = lines_of(log.read_text())
        assert [line.get("client") for line in lines] == [client, None, None]
        assert {line["peer"] for line in lines} == {"127.0.0.1"}


def test_networks_that_are_none_are_refused():
    told = run("--trusted-proxies", "10.0.0.1/8")
    assert told.returncode == 2 and "the network begins with 10.0.0.0" in told.stderr


UTF_8 = "ü 日本 \U0001f600".encode().decode("latin-1")
HOSTILE = ['"', '\\', '\\"},{"a":"', "</script>", "\t tab", "\x80\x9f\xff", "\xc2\x85\xc2\x9b31m", UTF_8,
           "\xed\xa0\x80",
           "\xc0\x80", "%0d%0a{}", "${jndi:ldap://x}", "x" * 7000, "'; --", "\\u0000", "\\"]


def test_nothing_in_a_request_breaks_a_line(serve, scratch):
    log = scratch / "access.log"
    server, sent = serve("--access-log", log), 0
    for value in HOSTILE:
        server.ask("/", user_agent=value, referer=value)
        server.ask("/" + value.replace(" ", "").replace("\t", ""))
        sent += 2
    for byte in range(1, 256):
        if byte not in b"\r\n":
            request = b"GET /%c HTTP/1.1\r\nHost: a\r\nUser-Agent: a%cb\r\nConnection: close\r\n\r\n"
            server.close_of(request % (byte, byte))
            sent += 1
    server.stop()
    content = log.read_bytes()
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", content)
    lines = lines_of(content.decode())
    assert len(lines) == sent
    assert any(line.get("agent") == '"' for line in lines)
    assert any(line.get("agent") == '\\"},{"a":"' for line in lines)


def test_noise_gets_a_line_too(serve, scratch):
    log = scratch / "access.log"
    server, noise = serve("--access-log", log), random.Random(5)
    for _ in range(50):
        server.close_of(noise.randbytes(200) + b"\r\n\r\n")
    server.stop()
    assert {line["status"] for line in lines_of(log.read_text())} <= {400, 501, 505}


def test_the_file_is_appended_to(serve, scratch):
    log = scratch / "access.log"
    log.write_text('{"before": true}\n')
    for _ in range(2):
        server = serve("--access-log", log)
        server.ask("/")
        server.stop()
    lines = lines_of(log.read_text())
    assert lines[0] == {"before": True} and len(lines) == 3


def test_the_log_is_not_for_everybody(serve, scratch):
    server = serve("--access-log", scratch / "access.log")
    server.stop()
    assert (scratch / "access.log").stat().st_mode & 0o007 == 0


def test_standard_output_is_the_default(start, site):
    server = start([RAWHTTPD, "--listen", "127.0.0.1:0", site.path], ready=r"listening on http://[^:]*:(\d+)")
    server.ask("/")
    wait_until(lambda: server.out, "the line")
    assert lines_of(server.out)[0]["target"] == "/"


def test_no_line_is_lost_or_torn_under_load(serve, scratch):
    log = scratch / "access.log"
    server = serve("--access-log", log)

    def load(client):
        with server.connect() as connection:
            for turn in range(20):
                targets = [f"/{client}/{turn}/{number}" for number in range(25)]
                connection.send(b"".join(make_request(target=target) for target in targets))
                for _ in targets:
                    connection.read()

    clients = [threading.Thread(target=load, args=(client,)) for client in range(4)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    server.stop()
    targets = [line["target"] for line in lines_of(log.read_text())]
    assert sorted(targets) == sorted(f"/{c}/{t}/{n}" for c in range(4) for t in range(20) for n in range(25))


def test_a_full_disk_loses_lines_not_requests(serve):
    server = serve("--access-log", "/dev/full")
    with server.connect() as connection:
        for _ in range(20):
            connection.send(make_request() * 1000)
            assert all(connection.read().status == 200 for _ in range(1000))
    wait_until(lambda: "access log" in server.log, "the loss to be reported")
    server.stop()
    assert server.log.count("cannot be written") == 1
    assert re.search(r"access log has ended; 20000 lines were lost", server.log)


def test_a_reader_that_stops_reading_stops_nobody(serve):
    reader, writer = os.pipe()
    try:
        server = serve("--access-log", "-", stdout=writer)
        with server.connect() as connection:
            for _ in range(20):
                connection.send(make_request() * 1000)
                assert all(connection.read().status == 200 for _ in range(1000))
        server.stop()
    finally:
        os.close(reader)
        os.close(writer)


def test_a_reader_that_goes_away_stops_nobody(serve):
    reader, writer = os.pipe()
    server = serve("--access-log", "-", stdout=writer)
    os.close(writer)
    os.close(reader)
    for _ in range(3):
        assert server.ask("/").status == 200
    wait_until(lambda: "cannot be written" in server.log, "it to be reported")
    assert server.works()


def test_a_terminal_gets_coloured_lines_that_it_can_trust(serve):
    terminal, end = pty.openpty()
    try:
        server = serve("--access-log", "-", stdout=end)
        server.ask("/\x1b]0;x\x07")
        server.ask("/b", user_agent="\x1b[2J")
        server.ask("/%1b[2Jc")
        shown = b""
        while b"2Jc" not in shown:
            shown += os.read(terminal, 4096)
        assert b"\x1b[33m404" in shown
        assert b"\x1b]" not in shown and b"\x1b[2J" not in shown
    finally:
        os.close(terminal)
        os.close(end)


def test_a_log_that_cannot_be_opened_prevents_the_start(site, scratch):
    done = run("--listen", "127.0.0.1:0", "--access-log", scratch / "missing" / "log", site.path)
    assert done.returncode == 1
    assert re.fullmatch(r"rawhttpd: .*access log.*No such file or directory.*\n", done.stderr)

"""The program as a person or a service manager meets it: listeners, options, messages, exit statuses."""
import contextlib
import os
import pty
import re
import socket
import subprocess
from pathlib import Path

import pytest
from client import PATIENCE, Connection
from program import RAWHTTPD, run, wait_until


def free_port(host="127.0.0.1"):
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def has_ipv6():
    try:
        free_port("::1")
        return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


def get(address):
    with Connection(address) as connection:
        return connection.get("/").status


def fails(status, message, *arguments, **options):
    """It ends with that status and one line on standard error, and nothing else."""
    done = run(*arguments, **options)
    assert done.returncode == status, done
    assert re.fullmatch(r"rawhttpd: [^\n]*\n", done.stderr), done.stderr
    assert re.search(message, done.stderr), done.stderr
    assert done.stdout == ""


# ---- Listeners ----

def test_a_unix_socket(serve, scratch):
    path = scratch / "http.sock"
    server = serve("--listen", f"unix:{path}", ready="listening on unix:")
    assert get(str(path)) == 200
    server.stop()
    assert not path.exists()


def test_a_stale_unix_socket_is_taken_over_and_a_live_one_is_not(serve, scratch, site):
    path = scratch / "http.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    serve("--listen", f"unix:{path}", ready="listening on unix:")
    assert get(str(path)) == 200
    fails(1, "in use", "--listen", f"unix:{path}", site.path)
    assert get(str(path)) == 200


def test_a_file_is_no_stale_socket(scratch, site):
    (scratch / "file").write_text("precious")
    fails(1, "in use", "--listen", f"unix:{scratch / 'file'}", site.path)
    assert (scratch / "file").read_text() == "precious"


@needs_ipv6
def test_ipv6(serve):
    server = serve("--listen", "[::1]:0", ready=r"listening on http://\[::1\]:(\d+)")
    assert get(("::1", server.address[1])) == 200
    with pytest.raises(ConnectionRefusedError):
        get(server.address)


def test_localhost_is_both_loopbacks(serve):
    server = serve("--listen", "localhost:0")
    assert get(server.address) == 200
    if has_ipv6():
        assert get(("::1", server.address[1])) == 200


def test_all_interfaces(serve):
    server = serve("--listen", ":0", ready=r"listening on http://localhost:(\d+) \(all interfaces\)")
    assert get(server.address) == 200
    if has_ipv6():
        assert get(("::1", server.address[1])) == 200


def test_several_at_once(serve, scratch):
    port, path = free_port(), scratch / "http.sock"
    server = serve("--listen", "127.0.0.1:0", "--listen", f"127.0.0.1:{port}", "--listen", f"unix:{path}",
                   "--workers", "3")
    for address in (server.address, ("127.0.0.1", port), str(path)):
        for _ in range(10):
            assert get(address) == 200


def test_without_options_it_serves_this_folder_on_this_machine_alone(start, site, port_8080):
    server = start([RAWHTTPD], cwd=site.path, ready=r"listening on http://localhost:(\d+)")
    assert server.address[1] == port_8080
    assert server.ask("/").body == b"<h1>home</h1>\n"
    assert listened_on(server.pid) <= LOOPBACK


# As the kernel writes them: 127.0.0.1 and ::1, words of four bytes in the order of the machine.
LOOPBACK = {"0100007F", "00000000000000000000000001000000"}


def listened_on(pid):
    """The addresses that a process listens on, as the kernel writes them."""
    tables = [Path(f"/proc/{pid}/net/{name}") for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]
    own = {os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir()}
    found = {row[1].split(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in own}
    assert found
    return found


# ---- What goes wrong ----

def test_a_port_in_use(serve, site):
    server = serve()
    fails(1, f"127.0.0.1:{server.address[1]}: it is in use", "--listen", f"127.0.0.1:{server.address[1]}", site.path)
    assert server.works()


def test_a_missing_folder(scratch):
    fails(1, f"cannot serve {scratch}/missing: No such file", "--listen", "127.0.0.1:0", scratch / "missing")


def test_a_file_is_no_folder(site):
    fails(1, "Not a directory", "--listen", "127.0.0.1:0", site.path / "index.html")


def test_an_address_that_is_not_ours(site):
    fails(1, "does not have that address", "--listen", "192.0.2.1:0", site.path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may use every port")
def test_a_port_for_root(site):
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 80:
        pytest.skip("everybody may use every port here")
    fails(1, "permission denied; choose a port from 1024 up", "--listen", "127.0.0.1:80", site.path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_may_not_be_read(scratch):
    locked = scratch / "locked"
    locked.mkdir(mode=0o000)
    try:
        fails(1, "Permission denied", "--listen", "127.0.0.1:0", locked)
    finally:
        locked.chmod(0o700)


@pytest.mark.parametrize("arguments, message", [
    (["--nonsense"], "unknown option --nonsense"), (["--lisen", ":0"], "did you mean --listen"),
    (["-x"], "unknown option -x"), (["--quiet=maybe"], "neither true nor false"), (["one", "two"], "one folder"),
    (["--workers", "0"], "--workers"), (["--workers", "many"], "number from 1"),
    (["--cache-size", "big"], "such as 16K or 2M"), (["--idle-timeout", "10x"], "such as 500ms"),
    (["--head-timeout", "0"], "--head-timeout"), (["--public", "--listen", ":1"], "exclude"),
    (["--listen"], "needs a value"), (["--access-log", "--quiet"], "needs a value"), (["--listen="], "empty"),
    (["--listen", "nowhere"], "is not an address"), (["--listen", "127.0.0.1:99999"], "is not an address"),
    (["--fallback", "index.html"], "did you mean"),
    (["--watch", "never"], "auto rescan off"), (["--root", "one", "two"], "one folder"),
    (["-t"], "needs a configuration file"), (["-H", "A: b"], "--explain"), (["-c", "/nowhere"], "No such file"),
])
def test_a_wrong_command_line(arguments, message):
    fails(2, message, *arguments)


# ---- What it says ----

def test_help_and_version():
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for option in ("--listen", "--access-log", "--drain-timeout", "--health"):
        assert option in done.stdout
    assert max(map(len, done.stdout.split("\n"))) <= 80
    for option in ("--version", "-V"):
        done = run(option)
        assert (done.returncode, done.stderr) == (0, "")
        assert re.fullmatch(r"rawhttpd \d+\.\d+\.\d+\n", done.stdout)


def test_help_into_a_full_disk_is_an_error():
    with open("/dev/full", "w", encoding="ascii") as full:
        assert subprocess.run([RAWHTTPD, "--help"], stdout=full, check=False).returncode == 1


def test_quiet(site, serve):
    site.link("out", "/etc/passwd")
    path = site.beside / "http.sock"
    server = serve("--quiet", "--listen", f"unix:{path}", ready="")
    wait_until(path.exists, "it to listen")
    wait_until(lambda: can_get(str(path)), "it to answer")
    server.stop()
    assert re.fullmatch(r"rawhttpd: warning: not served, .*\n", server.log)


def can_get(address):
    with contextlib.suppress(ConnectionError):
        return get(address) == 200
    return False


def test_a_terminal_gets_a_banner(site):
    terminal, end = pty.openpty()
    port = free_port()
    process = subprocess.Popen([RAWHTTPD, "--listen", f"127.0.0.1:{port}", "--access-log", "off", site.path],
                               stdin=subprocess.DEVNULL, stdout=end, stderr=end)
    try:
        shown = b""
        while b"Ctrl+C" not in shown:
            shown += os.read(terminal, 4096)
        process.terminate()
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
        os.close(end)
    for text in (f"http://127.0.0.1:{port}", str(site.path), "1 page", "all in memory", "Workers"):
        assert text in shown.decode()


# ---- Where it is run ----

@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_descriptors(serve, scratch, closed):
    """None of them may become a socket that the log then is written to."""
    path = scratch / "http.sock"
    server = serve("--access-log", "-", "--listen", f"unix:{path}", ready="",
                   before=("sh", "-c", f'exec "$@" {closed}', "sh"))
    wait_until(lambda: path.exists() and can_get(str(path)), "it to answer")
    with Connection(str(path)) as connection:
        for _ in range(5):
            assert connection.get("/").status == 200
    assert server.alive


def test_it_needs_no_environment_and_no_folder_of_its_own(start, site):
    server = start([RAWHTTPD, "--listen", "127.0.0.1:0", site.path], ready=r"listening on http://[^:]*:(\d+)", cwd="/",
                   before=("env", "-i"))
    assert server.works()


# ---- Asking for its health ----

def test_health(serve, scratch):
    server = serve()
    url = f"http://127.0.0.1:{server.address[1]}"
    for good in (url, url + "/", url + "/index.html", url.replace("127.0.0.1", "localhost")):
        done = run("--health", good)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), good
    fails(1, "404", "--health", url + "/nothing")
    server.stop()
    fails(1, "refused", "--health", url)
    fails(1, "", "--health", "ftp://x")
    path = scratch / "http.sock"
    serve("--listen", f"unix:{path}", ready="listening on unix:")
    assert run("--health", f"unix:{path}").returncode == 0
    assert run("--health", f"unix:{path}:/index.html").returncode == 0


@pytest.mark.slow
def test_the_health_of_one_that_does_not_answer():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        fails(1, "", "--health", f"http://127.0.0.1:{silent.getsockname()[1]}/")

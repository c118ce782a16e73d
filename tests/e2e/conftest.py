"""What the tests start from: a folder of pages, and servers which are checked when the test is over, whatever it was
about: each ends with the status it should, and no sanitizer has found anything."""
import fcntl
import os
import random
import resource
import shutil
import signal
import socket
import tempfile
import threading
from pathlib import Path

import pytest
from certificates import Authority, Place
from program import EXAMPLES, RAWHTTPD, ROOT, Program, wait_until

TEST_SECONDS = 120  # far beyond what any test takes, even with sanitizers on a busy machine


def pytest_configure():
    if not RAWHTTPD.exists():
        raise pytest.UsageError(f"{RAWHTTPD} is not there: ./dev build, or name the program in RAWHTTPD")


@pytest.fixture(autouse=True)
def bounded():
    """No test hangs for ever."""
    def give_up(*_):
        raise TimeoutError(f"the test took more than {TEST_SECONDS} s")

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(TEST_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def scratch():
    """An empty folder with a short path: those of unix sockets are limited."""
    folder = Path(tempfile.mkdtemp(prefix="rawhttp-"))
    yield folder
    shutil.rmtree(folder)


class Site:
    """A folder of pages; `beside` is the folder that it lies in, from which nothing may ever be served."""

    def __init__(self, beside):
        self.beside, self.path = beside, beside / "site"
        self.path.mkdir()

    def put(self, name, content):
        """A file with this content; for a number, that many bytes of noise."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, int):
            content = random.Random(name).randbytes(content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def link(self, name, target):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
        return path


@pytest.fixture
def site(scratch):
    made = Site(scratch)
    made.put("index.html", "<h1>home</h1>\n")
    return made


@pytest.fixture
def start(scratch):
    """start(command, ready=...): runs a program and verifies its end."""
    programs = []

    def start_program(command, **how):
        folder = scratch / f"program{len(programs)}"
        folder.mkdir()
        program = Program(command, folder, **how)
        programs.append(program)
        return program.await_ready()

    yield start_program
    problems = []
    for program in programs:
        try:
            program.verify()
        except AssertionError as problem:
            problems.append(str(problem))
    assert not problems, "\n".join(problems)


@pytest.fixture
def serve(start, site):
    """serve(options...): rawhttpd with the site, on a port of its own and without an access log unless told
    otherwise."""
    def serve_site(*options, root=None, ready=r"listening on http://[^:]*:(\d+)", **how):
        command = [RAWHTTPD, *options]
        if "--listen" not in options:
            command += ["--listen", "127.0.0.1:0"]
        if "--access-log" not in options:
            command += ["--access-log", "off"]
        return start([*command, root or site.path], ready=ready, **how)

    return serve_site


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Signs certificates, which nobody else trusts."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def localhost(authority):
    """A certificate for where the tests' servers are."""
    return authority.pair("localhost", "127.0.0.1")


@pytest.fixture
def place(scratch, authority):
    """A certificate for localhost that can be replaced."""
    return Place(scratch / "tls", authority.pair("localhost", "127.0.0.1"))


@pytest.fixture
def serve_tls(serve):
    """serve_tls(options...): rawhttpd that speaks TLS on a port of its own; its address is that one."""
    def serve_secure(*options, **how):
        return serve(*options, "--listen", "https://127.0.0.1:0", ready=r"listening on https://[^:]*:(\d+)", **how)

    return serve_secure


@pytest.fixture
def serve_config(start, scratch, site):
    """serve_config(text, options...): rawhttpd with this configuration, which stands beside the folder of the site."""
    def serve_text(text, *options, ready=r"listening on http://[^:]*:(\d+)"):
        path = scratch / "site.conf"
        path.write_text(text)
        command = [RAWHTTPD, "-c", path, "--access-log", "off", *options, "--listen", "127.0.0.1:0"]
        return start(command, ready=ready)

    return serve_text


@pytest.fixture
def chat(start):
    """The example of that name, which has told its address on standard output."""
    if not (EXAMPLES / "chat").exists():
        pytest.skip("the examples were not built")
    server = start([EXAMPLES / "chat", "--listen", "127.0.0.1:0"], ready="")
    wait_until(lambda: server.out.count("\n") == 1, "it to listen")
    server.address = ("127.0.0.1", int(server.out.rstrip("/\n").rpartition(":")[2]))
    return server


@pytest.fixture
def users(start, scratch):
    """users(): the example with an API over an SQLite file, which is the same one each time."""
    program = EXAMPLES / "users"
    if not program.exists():
        pytest.skip("the example users was not built: SQLite is missing")

    def serve_users(*arguments):
        return start([program, scratch / "users.db", *arguments], ready=r"serving http://localhost:(\d+)/",
                     env={"LISTEN": "127.0.0.1:0"})

    return serve_users


@pytest.fixture
def notes(start):
    """The example with notes behind a token."""
    if not (EXAMPLES / "token").exists():
        pytest.skip("the examples were not built")
    server = start([EXAMPLES / "token"], ready=r"http://localhost:(\d+)/",
                   env={"LISTEN": "127.0.0.1:0", "TOKENS": "ada:sesame  nobody: alan:enigma"})
    server.expected_status = -15  # it leaves signals to the system
    return server


@pytest.fixture
def guestbook(start, scratch):
    """guestbook(): the example, with the same file each time."""
    if not (EXAMPLES / "guestbook").exists():
        pytest.skip("the example guestbook was not built: SQLite is missing")

    def serve_book():
        server = start([EXAMPLES / "guestbook", scratch / "book.db"], ready=r"http://localhost:(\d+)/",
                       env={"LISTEN": "127.0.0.1:0"}, cwd=ROOT)
        server.expected_status = -15  # it leaves signals to the system
        return server
    return serve_book


@pytest.fixture
def uploads(start, scratch):
    """uploads(): the example upload, with the same folder each time."""
    if not (EXAMPLES / "upload").exists():
        pytest.skip("the examples were not built")

    def serve_uploads():
        (scratch / "uploads").mkdir(exist_ok=True)
        server = start([EXAMPLES / "upload", scratch / "uploads"], ready=r"http://localhost:(\d+)/",
                       env={"LISTEN": "127.0.0.1:0"}, cwd=ROOT)
        server.expected_status = -15  # it leaves signals to the system
        return server
    return serve_uploads


@pytest.fixture
def everything(start, scratch):
    """everything(workers, drain_ms, buffer_memory): tests/e2e/everything.c, which leaves uploads in `scratch`/uploads."""
    program = RAWHTTPD.parent / "tests" / "e2e" / "everything"
    if not program.exists():
        pytest.skip("the tests' own programs were not built")
    folder = scratch / "uploads"
    folder.mkdir()

    def start_everything(*arguments, **how):
        return start([program, folder, *arguments], ready=r"listening on http://[^:]*:(\d+)", **how)
    return start_everything


@pytest.fixture
def many_descriptors():
    """many_descriptors(n): this process, and what it starts from now on, may have n descriptors each."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    def allow(count):
        if before[1] != resource.RLIM_INFINITY and before[1] < count:
            pytest.skip(f"needs {count} descriptors, and the hard limit is {before[1]}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(count, before[0]), before[1]))

    yield allow
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
def port_8080():
    """The port that programs take which are not told another; one test at a time."""
    lock = os.open(Path(tempfile.gettempdir()) / f"rawhttp-8080-{os.getuid()}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 8080))
        except OSError:
            os.close(lock)
            pytest.skip("port 8080 is in use")
    yield 8080
    os.close(lock)

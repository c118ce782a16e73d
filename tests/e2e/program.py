"""The program under test and the examples beside it as processes: started, asked, watched from outside and ended. Each
is ended by its own pid, and goes with the test run whatever becomes of that."""
import contextlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from client import PATIENCE, Connection

ROOT = Path(__file__).resolve().parents[2]
RAWHTTPD = Path(os.environ.get("RAWHTTPD", ROOT / "build" / "rawhttpd")).resolve()
EXAMPLES = RAWHTTPD.parent / "examples"

# What another program may have been told is not meant for ours.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PORT" and not name.startswith("RAWHTTP_")}

REPORTS = re.compile(r"(Address|Leak|Memory|Thread|UndefinedBehavior)Sanitizer|runtime error:|Assertion .* failed")


def sanitizer():
    """"address", "thread" or None: what the program was built with."""
    program = RAWHTTPD.read_bytes()
    return "address" if b"__asan_init" in program else "thread" if b"__tsan_init" in program else None


def wait_until(condition, what, patience=PATIENCE):
    """Polls until `condition()` is true; returns the seconds that took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < patience, f"waited {patience} s in vain: {what}"
        time.sleep(0.01)
    return time.monotonic() - start


class Program:
    """A running server. `ready` is what its standard error says once it listens, with the port as its group."""

    def __init__(self, command, scratch, *, ready, env=None, cwd=None, stdin=subprocess.DEVNULL, stdout=None,
                 before=()):
        self.scratch, self.ready, self.status = scratch, ready, None
        self.expected_status = 0
        self.log_path, self.out_path = scratch / "stderr", scratch / "stdout"
        # The server is to end with the test run, should that be killed.
        wrapped = ["setpriv", "--pdeathsig", "KILL", *before, *map(str, command)]
        with open(self.log_path, "wb") as log, open(self.out_path, "wb") as out:
            self.process = subprocess.Popen(wrapped, stdin=stdin, stderr=log, cwd=cwd,
                                            stdout=out if stdout is None else stdout, env={**ENVIRONMENT, **(env or {})})
        self.pid = self.process.pid
        self.address = None

    def await_ready(self):
        wait_until(lambda: re.search(self.ready, self.log) or self.process.poll() is not None, "the server to start")
        found = re.search(self.ready, self.log)
        assert found, f"it did not start, status {self.process.poll()}: {self.log}"
        if found.groups() and found[1]:
            self.address = ("127.0.0.1", int(found[1]))
        return self

    @property
    def log(self):
        """What it has said on standard error so far."""
        return self.log_path.read_text(errors="replace")

    @property
    def out(self):
        return self.out_path.read_text(errors="surrogateescape")

    # ---- Asking it ----

    def connect(self, **options):
        return Connection(self.address, **options)

    def ask(self, target="/", **request):
        """The response to one request on a connection of its own."""
        with self.connect() as connection:
            return connection.get(target, **request)

    def works(self):
        """Whether a new client gets an answer."""
        return self.ask("/").status < 500

    def close_of(self, *requests):
        """Sends bytes on a connection of their own; returns what comes until its end."""
        with self.connect() as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.send(b"".join(requests))
            return connection.read_to_end()

    # ---- Watching it ----

    @property
    def alive(self):
        return self.process.poll() is None

    def count_sockets(self):
        """Its open sockets, listeners included."""
        count = 0
        for fd in os.listdir(f"/proc/{self.pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                count += os.readlink(f"/proc/{self.pid}/fd/{fd}").startswith("socket:")
        return count

    def memory(self):
        """Bytes resident."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def cpu_share(self, seconds=1.0):
        """The share of one CPU that it uses over this time."""
        before, start = self.cpu_seconds(), time.monotonic()
        time.sleep(seconds)
        return (self.cpu_seconds() - before) / (time.monotonic() - start)

    # ---- Ending it ----

    def tell(self, number):
        self.process.send_signal(number)

    def wait(self, patience=PATIENCE):
        self.status = self.process.wait(patience)
        return self.status

    def stop(self, number=signal.SIGTERM):
        self.tell(number)
        return self.wait()

    def kill(self):
        if self.alive:
            self.process.kill()
            self.process.wait()

    def verify(self):
        """It ends as it should, if it has not yet, and no sanitizer has found anything. The end of every test."""
        try:
            if self.status is None:
                assert self.alive, f"it died, status {self.process.returncode}: {self.log[-4000:]}"
                self.stop()
        finally:
            self.kill()
        report = REPORTS.search(self.log)
        assert not report, self.log[report.start():][:8000]
        assert self.status == self.expected_status, f"exit status {self.status}: {self.log[-4000:]}"


def run(*arguments, env=None, **options):
    """Runs rawhttpd to its end: for what does not serve. `env`: variables beside those of this process."""
    return subprocess.run([RAWHTTPD, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=PATIENCE, check=False, env={**ENVIRONMENT, **(env or {})}, **options)

"""A PostgreSQL server of the tests' own, from Debian's package: in a folder of its own, reached by a unix socket there and
by nothing else, and gone with the test run."""
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from program import wait_until


def find(program):
    """The program where Debian has it, the newest version first; None: it is not installed."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda path: -float(path.parts[4]))
    found = shutil.which(program)
    return places[0] if places else found and Path(found)


class Database:
    """PostgreSQL refuses to run as root: then all is done as postgres, who comes with the package."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="rawhttp-pg-"))
        self.data, self.process = self.folder / "data", None
        self.owner = ["setpriv", "--pdeathsig", "KILL"]
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
            self.owner += ["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
        self.run(find("initdb"), "--pgdata", self.data, "--auth", "trust", "--username", "postgres", "--no-sync",
                 "--encoding", "UTF8", "--locale", "C")
        self.start()

    def run(self, *command):
        """What it says on its standard output."""
        return subprocess.run([*self.owner, *map(str, command)], check=True, capture_output=True, text=True,
                              cwd=self.folder).stdout

    @property
    def where(self):
        """The connection string."""
        return f"host={self.folder} user=postgres dbname=postgres"

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [*self.owner, find("postgres"), "-D", self.data, "-k", self.folder, "-c", "listen_addresses=",
                 "-c", "fsync=off"], stdout=log, stderr=log, cwd=self.folder)
        wait_until(self.answers, "the database to start")

    def answers(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()
        return subprocess.run([find("pg_isready"), "-q", "-h", self.folder], check=False).returncode == 0

    def ask(self, sql):
        return self.run(find("psql"), self.where, "--no-psqlrc", "--tuples-only", "--no-align", "--command", sql).strip()

    def stop(self):
        """As an operator would who does not wait for clients."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)

    def remove(self):
        if self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder)

"""The machine: its name for the report, the tools it has, the CPUs to use, and what the kernel says of processes."""
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

# Debian's packages of the programs needed here.
PACKAGES = {"wrk": "wrk", "nginx": "nginx-light", "h2o": "h2o", "lighttpd": "lighttpd", "valgrind": "valgrind",
            "taskset": "util-linux", "ninja": "ninja-build", "openssl": "openssl", "h2load": "nghttp2-client"}
SEARCHED = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
SETTLE_S = 0.5


def fail(why):
    sys.exit(f"bench: {why}")


def say(what):
    print(what, file=sys.stderr, flush=True)


def tool(name):
    """The path of a program that is needed, or the end with a line that says how to get it."""
    path = shutil.which(name, path=SEARCHED)
    if path is None:
        fail(f"{name} is missing: apt-get install {PACKAGES[name]}")
    return path


def version(*command):
    """The first number with a dot in what a program says of itself."""
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    found = re.search(r"\d+\.\d\S*", done.stdout)
    return found.group() if found else "?"


def commit(folder):
    """Of the sources there; "" where that cannot be said."""
    if shutil.which("git") is None:
        return ""
    done = subprocess.run(["git", "-C", folder, "describe", "--always", "--dirty", "--exclude=*"], check=False,
                          capture_output=True, text=True)
    return done.stdout.strip()


def cpu_model():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return os.uname().machine


def describe():
    return {"cpu": cpu_model(), "cores": len(os.sched_getaffinity(0)),
            "kernel": f"{os.uname().sysname} {os.uname().release}", "load_average": round(os.getloadavg()[0], 2)}


def raise_file_limit():
    """As many open files as the hard limit allows, for us and for the servers we start. Returns how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Cpus:
    """Who runs where. The load generator never shares a CPU with a server, as long as there are enough."""

    def __init__(self, workers, client_threads):
        usable = sorted(os.sched_getaffinity(0))
        self.server, self.client = usable[:workers], usable[workers:workers + client_threads]
        self.pinned = len(self.client) == client_threads
        if not self.pinned:
            say(f"bench: {len(usable)} CPUs are too few for {workers} workers and {client_threads} threads of wrk: "
                "nothing is pinned, and they will be in each other's way")

    def prefix(self, cpus):
        return [tool("taskset"), "-c", ",".join(map(str, cpus))] if self.pinned else []

    def describe(self):
        if not self.pinned:
            return "not pinned"
        return f"servers on CPU {', '.join(map(str, self.server))}, wrk on CPU {', '.join(map(str, self.client))}"


def family(pid):
    """The process and all that descend from it."""
    members = [pid]
    for member in members:
        for listed in Path(f"/proc/{member}/task").glob("*/children"):
            members.extend(map(int, listed.read_text().split()))
    return members


def cpu_seconds(pid):
    """User and system time of a family of processes, with all their threads."""
    ticks = 0
    for member in family(pid):
        after_name = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        ticks += int(after_name[11]) + int(after_name[12])
    return ticks / TICKS_PER_SECOND


def settle(pid):
    """Waits until a server is at rest: what it prepares at its start, encodings above all, belongs to no request."""
    used = None
    while used != (used := cpu_seconds(pid)):
        time.sleep(SETTLE_S)


def kilobytes(path, key):
    for line in Path(path).read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1])
    return fail(f"{path} does not say {key}")


def peak_rss_bytes(pid):
    return sum(kilobytes(f"/proc/{member}/status", "VmHWM") for member in family(pid)) * 1024


def pss_bytes(pid):
    """What the family needs for itself: memory shared by several processes counts in parts."""
    return sum(kilobytes(f"/proc/{member}/smaps_rollup", "Pss") for member in family(pid)) * 1024

#!/usr/bin/python3
"""A tree of many files and a budget that holds only a part of them: how soon it is served, how much memory it takes, and
how fast it is under a load by Zipf's law, for both policies beside a budget that holds all. See README.md."""
import argparse
import bisect
import itertools
import os
import random
import re
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import machine
import report
import stage
from contenders import free_port

HEADER = ("budget", "policy", "first answer", "requests / s", "p99", "memory", "of that, content at most")
REQUESTS = 1_000_000 # different draws; then they come again
WARMING_S = 10
PIECE = os.urandom(1 << 20)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--build", type=Path, default=stage.BUILD, help="the build folder")
    parser.add_argument("--files", type=int, default=200_000)
    parser.add_argument("--median", type=int, default=2048, help="of the sizes, in bytes; they are log-normal")
    parser.add_argument("--zipf", type=float, default=0.9, help="the exponent of Zipf's law; 0: no load, only the start")
    parser.add_argument("--share", type=float, default=0.1, help="the budget, as a part of all bytes")
    parser.add_argument("--seconds", type=int, default=10)
    return parser.parse_args()


def path_of(number):
    return f"/{number % 100:02d}/{number // 100 % 100:02d}/f{number}.bin"


def plant(root, files, median):
    """The size of all of them."""
    draw = random.Random(1)
    total = 0
    for number in range(files):
        path = Path(f"{root}{path_of(number)}")
        if number < 10_000:
            path.parent.mkdir(parents=True, exist_ok=True)
        size = min(int(draw.lognormvariate(0, 1.2) * median), len(PIECE))
        path.write_bytes(PIECE[:size])
        total += size
    return total


def draw_paths(file, files, exponent):
    draw = random.Random(2)
    ranks = list(range(files))
    draw.shuffle(ranks)
    sums = list(itertools.accumulate((rank + 1) ** -exponent for rank in range(files)))
    with open(file, "w", encoding="ascii") as out:
        for _ in range(min(REQUESTS, 20 * files)):
            out.write(path_of(ranks[bisect.bisect(sums, draw.random() * sums[-1])]) + "\n")


def first_answer(port, begun):
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
                client.sendall(f"GET {path_of(0)} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                if client.recv(100).startswith(b"HTTP/1.1 200"):
                    return time.monotonic() - begun
        except ConnectionRefusedError:
            time.sleep(0.005)


def resident_mib(pid):
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def load(port, paths, seconds):
    command = [machine.tool("wrk"), "-t1", "-c64", f"-d{seconds}s", "--latency", "-s", Path(__file__).with_name("zipf.lua"),
               f"http://127.0.0.1:{port}", "--", paths]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    if "Non-2xx" in text:
        machine.fail(f"answers that are no success: {text}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]), re.search(r"99%\s+(\S+)", text)[1]


def measure(chosen, root, paths, budget, policy):
    port = free_port()
    command = [chosen.build / "rawhttpd", "--quiet", "--access-log=off", f"--listen=127.0.0.1:{port}",
               f"--cache-size={budget}", f"--cache-policy={policy}", root]
    begun = time.monotonic()
    with subprocess.Popen(command) as server:
        try:
            first = first_answer(port, begun)
            rate, p99 = 0.0, "-"
            if chosen.zipf > 0:
                load(port, paths, WARMING_S)
                rate, p99 = load(port, paths, chosen.seconds)
            memory = resident_mib(server.pid)
        finally:
            server.terminate()
    return (f"{budget / 2**20:,.0f} MiB", policy, f"{first:.2f} s", f"{rate:,.0f}", p99, f"{memory:,.0f} MiB",
            f"{budget / 2**20:,.0f} MiB")


def main():
    chosen = arguments()
    with tempfile.TemporaryDirectory(prefix="rawhttp-bench-") as work:
        root, paths = Path(work, "site"), Path(work, "paths")
        machine.say(f"bench: {chosen.files:,} files are written")
        total = plant(root, chosen.files, chosen.median)
        if chosen.zipf > 0:
            draw_paths(paths, chosen.files, chosen.zipf)
        share = int(total * chosen.share)
        runs = [(share, "sieve"), (share, "lru"), (4 * total + chosen.files * 4096, "sieve")]
        rows = [measure(chosen, root, paths, *run) for run in runs]
    print(f"{chosen.files:,} files, {total / 2**20:,.0f} MiB, Zipf {chosen.zipf}\n")
    print(report.grid(HEADER, rows))


if __name__ == "__main__":
    main()

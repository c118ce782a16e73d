"""Load from wrk, or of WebSockets from ws_load, on a server that runs, and what a round of it costs both."""
import json
import os
import resource
import subprocess
import time
from pathlib import Path

import machine
from contenders import FLOOR

REPLAY = Path(__file__).resolve().parent / "replay.lua"
SETTLE_S = 0.2


def client_cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_wrk(port, scenario, request_files, options, prefix):
    command = [*prefix, machine.tool("wrk"), "--threads", options.client_threads, "--connections", scenario.connections,
               "--duration", f"{options.seconds}s", "--timeout", "10s", "--script", REPLAY,
               f"http://127.0.0.1:{port}/", "--", *request_files]
    done = subprocess.run(list(map(str, command)), check=False, capture_output=True, text=True)
    if done.returncode != 0:
        machine.fail(f"wrk has failed: {(done.stderr or done.stdout).strip()}")
    result = json.loads(done.stdout.strip().splitlines()[-1])
    if scenario.pipelined > 1:
        # wrk corrects its latencies by how often a connection should have been answered, and there takes a batch for
        # one request: its percentiles are then wrong.
        result.update({key: None for key in result if key.endswith("_us")})
    return result


def run_ws_load(server, scenario, options, prefix):
    command = [*prefix, server.setting.build / "bench/ws_load", server.port, scenario.connections, options.seconds,
               scenario.asks[0].content.decode(), *(["bare"] if server.name == FLOOR else [])]
    done = subprocess.run(list(map(str, command)), check=False, capture_output=True, text=True)
    if done.returncode != 0:
        machine.fail(f"{server.name}: {done.stderr.strip()}")
    return {**json.loads(done.stdout), "p50_us": None, "p99_us": None}


def take_logged(path):
    """How many lines were logged in this round; the file is emptied for the next (the server appends)."""
    size = -1
    while size != path.stat().st_size:
        size = path.stat().st_size
        time.sleep(SETTLE_S)
    with path.open("rb") as log:
        lines = sum(piece.count(b"\n") for piece in iter(lambda: log.read(1 << 20), b""))
    os.truncate(path, 0)
    return lines


def measure(server, scenario, request_files, options, prefix):
    """One round."""
    log = server.setting.access_log
    if log.exists():
        os.truncate(log, 0)
    server_before, client_before = machine.cpu_seconds(server.pid), client_cpu_seconds()
    if scenario.websocket:
        result = run_ws_load(server, scenario, options, prefix)
    else:
        result = run_wrk(server.port, scenario, request_files, options, prefix)
    client_after = client_cpu_seconds()
    time.sleep(SETTLE_S)
    cpu = machine.cpu_seconds(server.pid) - server_before
    if cpu == 0 or result["requests"] == 0:
        machine.fail(f"{server.name} has done nothing for {scenario.name}; it says: {server.said.read_text()}")
    result.update(server_cpu_seconds=cpu, client_cpu_seconds=client_after - client_before,
                  requests_per_second=result["requests"] / result["seconds"],
                  requests_per_cpu_second=result["requests"] / cpu, server_busy=cpu / result["seconds"],
                  client_busy=(client_after - client_before) / result["seconds"])
    if log.exists():
        result["logged"] = take_logged(log)
    return result

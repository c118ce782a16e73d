"""Load from wrk, of HTTP/2 from h2load, of handshakes from tls_load or of WebSockets from ws_load, on a server that
runs, and what a round of it costs both."""
import json
import os
import re
import resource
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import machine
from contenders import FLOOR

REPLAY = Path(__file__).resolve().parent / "replay.lua"
SETTLE_S = 0.2
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}
VISITS_PER_SECOND = 50


def client_cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def output(command):
    done = subprocess.run(list(map(str, command)), check=False, capture_output=True, text=True)
    if done.returncode != 0:
        machine.fail(f"{command[0]} has failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def run_wrk(port, scenario, request_files, options, prefix):
    command = [*prefix, machine.tool("wrk"), "--threads", options.client_threads, "--connections", scenario.connections,
               "--duration", f"{options.seconds}s", "--timeout", "10s", "--script", REPLAY,
               f"{scenario.scheme}://127.0.0.1:{port}/", "--", *request_files]
    result = json.loads(output(command).strip().splitlines()[-1])
    if scenario.pipelined > 1:
        # wrk corrects its latencies by how often a connection should have been answered, and there takes a batch for
        # one request: its percentiles are then wrong.
        result.update({key: None for key in result if key.endswith("_us")})
    return result


def run_ws_load(server, scenario, options, prefix):
    command = [*prefix, server.setting.build / "bench/ws_load", server.port, scenario.connections, options.seconds,
               scenario.asks[0].content.decode(), *(["bare"] if server.name == FLOOR else [])]
    return {**json.loads(output(command)), "p50_us": None, "p99_us": None}


def run_tls_load(server, scenario, options, prefix):
    command = [*prefix, server.setting.build / "bench/tls_load", server.port, scenario.connections, options.seconds,
               scenario.handshakes, scenario.asks[0].target]
    return {**json.loads(output(command)), "p50_us": None, "p99_us": None}


def read_h2load(said):
    """What h2load prints: "finished in 1.23s, ..." and "requests: 10 total, 10 started, 10 done, 10 succeeded, ..."."""
    took = re.search(r"finished in ([0-9.]+)(us|ms|s|m)\b", said)
    counts = re.search(r"requests: .* (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", said)
    if not took or not counts:
        machine.fail(f"h2load says something else than expected: {said}")
    answered, failed, errored, timeout = map(int, counts.groups())
    return {"requests": answered, "seconds": float(took[1]) * UNITS[took[2]],
            "errors": {"failed": failed, "errored": errored, "timeout": timeout}}


def run_h2load(server, scenario, options, prefix):
    command = [*prefix, machine.tool("h2load"), "--threads", options.client_threads, "--clients", scenario.connections,
               "--max-concurrent-streams", scenario.streams, "--duration", options.seconds,
               f"{scenario.scheme}://127.0.0.1:{server.port}{scenario.asks[0].target}"]
    return {**read_h2load(output(command)), "seconds": options.seconds, "p50_us": None, "p99_us": None}


def run_visits(server, scenario, options, prefix):
    """One after the other, each with a connection of its own: how long one takes, handshake included."""
    with tempfile.NamedTemporaryFile("w", suffix=".urls") as urls:
        urls.writelines(f"{scenario.scheme}://127.0.0.1:{server.port}{ask.target}\n" for ask in scenario.asks)
        urls.flush()
        count = len(scenario.asks)
        command = [*prefix, machine.tool("h2load"), "--requests", count, "--max-concurrent-streams", scenario.streams,
                   "--input-file", urls.name]
        visits = [read_h2load(output(command)) for _ in range(VISITS_PER_SECOND * options.seconds)]
    times = [visit["seconds"] for visit in visits]
    return {"requests": sum(visit["requests"] for visit in visits), "seconds": sum(times),
            "errors": {key: sum(visit["errors"][key] for visit in visits) for key in visits[0]["errors"]},
            "p50_us": statistics.median(times) * 1e6, "p99_us": statistics.quantiles(times, n=100)[98] * 1e6}


def run(server, scenario, request_files, options, prefix):
    if scenario.websocket:
        return run_ws_load(server, scenario, options, prefix)
    if scenario.visits:
        return run_visits(server, scenario, options, prefix)
    if scenario.streams:
        return run_h2load(server, scenario, options, prefix)
    if scenario.handshakes:
        return run_tls_load(server, scenario, options, prefix)
    return run_wrk(server.port, scenario, request_files, options, prefix)


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
    result = run(server, scenario, request_files, options, prefix)
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

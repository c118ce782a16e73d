#!/usr/bin/python3
"""Instructions of user space for a request, by callgrind: the difference of two runs that differ only in how many
requests there were, so that starting and ending cancel out. Almost the same on any machine and under any load."""
import argparse
import dataclasses
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import answers
import h2
import machine
import report
import stage
import websocket
from contenders import RIVALS, Server, free_port, present
from scenarios import PEERS, SCENARIOS

TITLE = "instructions of user space for a request, by callgrind"
SHORT_RUN, LONG_RUN = 2000, 6000  # requests, on one connection
SETTLE_S = 0.3
ALL_PEERS = (*PEERS, *RIVALS)


@dataclass(frozen=True)
class Mode:
    scenario: str
    ours: str
    peers: tuple
    batch: int = 1


SECURE_PEERS = ("nginx", "h2o")
MODES = {"page": Mode("page", "rawhttpd", PEERS), "pipelined": Mode("page", "rawhttpd", PEERS, batch=16),
         "logged": Mode("page", "rawhttpd logging", ()), "headers": Mode("headers", "rawhttpd", PEERS),
         "ruled": Mode("headers", "rawhttpd ruled", ()), "handler": Mode("handler", "handler", ("nginx",)),
         "handler-pipelined": Mode("handler", "handler", ("nginx",), batch=16),
         "baseline": Mode("baseline", "example", ()), "json": Mode("json", "example", tuple(RIVALS)),
         "websocket": Mode("websocket", "example", ("facil.io", "mongoose")),
         "tls": Mode("tls", "rawhttpd", SECURE_PEERS), "h2": Mode("h2", "rawhttpd", SECURE_PEERS)}


def connect(port, scenario):
    """To one that is asked and waited for."""
    if scenario.websocket:
        return websocket.Connection(port)
    return h2.Connection(port, scenario.tls) if scenario.streams else answers.Connection(port, scenario.tls)


def drive_slowly(server, scenario, requests):
    ask = scenario.asks[0]
    try:
        with connect(server.port, scenario) as connection:
            for _ in range(requests):
                fault = connection.ask(ask)
                if fault:
                    machine.fail(f"{server.name} {fault}")
    except OSError as error:
        machine.fail(f"{server.name}, under callgrind: {error}")


def drive(server, ask, requests, batch):
    """The same bytes in the same pieces each time: a batch is sent when the one before is answered."""
    try:
        with answers.Connection(server.port) as connection:
            connection.send(ask.request)
            answer = connection.answer()
            fault = answers.find_fault(answer, ask)
            if fault:
                machine.fail(f"{server.name} {fault}")
            for _ in range(requests // batch):
                connection.send(ask.request * batch)
                connection.skip(len(answer.raw) * batch)
    except OSError as error:
        machine.fail(f"{server.name}, under callgrind: {error}")


def total(dump):
    """Of all threads."""
    for line in dump.read_text().splitlines():
        if line.startswith("totals:"):
            return int(line.split()[1])
    return machine.fail(f"{dump} holds no totals")


def run(base, name, mode, requests):
    scenario = SCENARIOS[mode.scenario]
    setting = dataclasses.replace(base, port=free_port(), workers=1, alone=True, tls=scenario.tls,
                                  http2=scenario.streams > 0)
    dumps = setting.work / f"callgrind.{setting.port}"
    prefix = [machine.tool("valgrind"), "--tool=callgrind", f"--callgrind-out-file={dumps}.%p"]
    with Server(name, setting, prefix) as server:
        if scenario.websocket or scenario.streams or scenario.tls:
            drive_slowly(server, scenario, requests)
        else:
            drive(server, scenario.asks[0], requests, mode.batch)
        # nginx sees a signal that comes just before epoll_wait only after the next event: let it fall asleep first.
        time.sleep(SETTLE_S)
    return total(Path(f"{dumps}.{server.pid}"))


def measure(base, name, mode):
    requests = [count // mode.batch * mode.batch for count in (SHORT_RUN, LONG_RUN)]
    short, long = (run(base, name, mode, count) for count in requests)
    return (long - short) / (requests[1] - requests[0])


def measure_all(base, names, peers):
    """{mode: {server: instructions for a request}}"""
    counts = {}
    for name in names:
        mode = MODES[name]
        servers = [mode.ours, *present([peer for peer in mode.peers if peer in peers])]
        machine.say(f"bench: instructions: {name}: {', '.join(servers)}")
        counts[name] = {server: measure(base, server, mode) for server in servers}
    return counts


def table(counts):
    """A line for each mode: our own program first, whatever its name there."""
    peers = [peer for peer in ALL_PEERS if any(peer in row for row in counts.values())]
    rows = [(name, *(report.number(row[server]) if server in row else "" for server in (MODES[name].ours, *peers)))
            for name, row in counts.items()]
    return report.grid(("instructions / request", "rawhttp", *peers), rows)


def main():
    parser = argparse.ArgumentParser(description="Counts the instructions of user space for a request.")
    parser.add_argument("modes", nargs="*", metavar="MODE", help=f"of {', '.join(MODES)}; default: all")
    parser.add_argument("--build", type=Path, default=stage.BUILD, help="the build folder (build)")
    parser.add_argument("--peers", action="store_true", help=f"count those of {', '.join(ALL_PEERS)}, too")
    parser.add_argument("--ceiling", type=float, metavar="N", help="exit status 1 if one of ours needs more than N")
    options = parser.parse_args()
    unknown = [mode for mode in options.modes if mode not in MODES]
    if unknown:
        parser.error(f"there is no mode {unknown[0]}; there are {', '.join(MODES)}")
    with tempfile.TemporaryDirectory(prefix="rawhttp-bench-") as work:
        counts = measure_all(stage.prepare(options.build, Path(work), workers=1), options.modes or list(MODES),
                             ALL_PEERS if options.peers else ())
    print(table(counts))
    beyond = [name for name, row in counts.items() if options.ceiling and row[MODES[name].ours] > options.ceiling]
    for name in beyond:
        print(f"BEYOND THE CEILING of {options.ceiling:,.0f}: {name}")
    return 1 if beyond else 0


if __name__ == "__main__":
    sys.exit(main())

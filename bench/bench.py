#!/usr/bin/python3
"""Measures rawhttpd beside the kernel's floor and other servers, on the same files, in alternation. README.md says how,
and how to read the result."""
import argparse
import collections
import contextlib
import dataclasses
import sys
import tempfile
from pathlib import Path

import answers
import contenders
import h2
import idle
import instructions
import load
import machine
import report
import stage
import websocket
from contenders import FLOOR, Server, free_port
from scenarios import SCENARIOS

DEFAULT = ("page", "pipelined", "handler", "instructions")
IDLE_QUICK = 500


def parse():
    told = [*(f"{scenario.name}: {scenario.title}" for scenario in SCENARIOS.values()),
            f"instructions: {instructions.TITLE}", "all: all of them"]
    parser = argparse.ArgumentParser(description="Measures rawhttpd beside other servers.",
                                     epilog="scenarios: " + "; ".join(told))
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"default: {' '.join(DEFAULT)}")
    parser.add_argument("--build", type=Path, default=stage.BUILD, help="the build folder (build)")
    parser.add_argument("--output", type=Path, metavar="DIR", help="write bench.json and bench.md there, too")
    parser.add_argument("--servers", metavar="NAME,...", type=lambda names: names.split(","),
                        help="only these, beside the floor and the program itself")
    parser.add_argument("--workers", type=int, default=1, help="threads or processes of each server (1)")
    parser.add_argument("--client-threads", type=int, default=1, help="threads of wrk (1)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds in which each server has its turn (5)")
    parser.add_argument("--seconds", type=int, default=3, help="of load in a turn (3)")
    parser.add_argument("--quick", action="store_true", help="one round of one second: does it work at all?")
    options = parser.parse_args()
    if options.quick:
        options.rounds = options.seconds = 1
    if min(options.workers, options.client_threads, options.rounds, options.seconds) < 1:
        parser.error("numbers are at least 1")
    options.scenarios = options.scenarios or list(DEFAULT)
    if "all" in options.scenarios:
        options.scenarios = [*SCENARIOS, "instructions"]
    for name in options.scenarios:
        if name not in SCENARIOS and name != "instructions":
            parser.error(f"there is no scenario {name}; there are {' '.join(SCENARIOS)} instructions all")
    for name in options.servers or ():
        if name not in contenders.COMMANDS:
            parser.error(f"there is no server {name}; there are {', '.join(contenders.COMMANDS)}")
    return options


class Bench:
    """All that a run shares."""

    def __init__(self, options, work):
        self.options, self.work = options, work
        self.cpus = machine.Cpus(options.workers, options.client_threads)
        self.base = stage.prepare(options.build, work, options.workers)

    def names(self, scenario):
        """Who takes part: the floor last, as it repeats the answer of the first."""
        chosen = self.options.servers or scenario.servers
        names = [name for name in scenario.servers if name in chosen or name in (scenario.servers[0], scenario.base)]
        return [*contenders.present(names), *([FLOOR] if scenario.base == FLOOR else [])]

    def start(self, name, scenario):
        answers_of_first = [self.work / f"{scenario.name}.{i}.answer" for i in range(len(scenario.asks))]
        setting = dataclasses.replace(self.base, folder=scenario.folder, port=free_port(), closes=scenario.closes,
                                      tls=scenario.tls, http2=scenario.streams > 0,
                                      request_size=len(scenario.asks[0].request), answers=answers_of_first)
        return Server(name, setting, self.cpus.prefix(self.cpus.server))

    def verify(self, server, scenario):
        """Nobody is measured who does not give the content asked for. Returns how large it was as sent, by coding."""
        machine.settle(server.pid)
        if scenario.websocket:
            return self.verify_echo(server, scenario)
        if scenario.streams:
            return self.verify_streams(server, scenario)
        fault, found = answers.check(server.port, scenario.asks, scenario.pipelined, scenario.tls)
        if fault:
            machine.fail(f"{server.name} {fault}, in scenario {scenario.name}")
        sent = collections.Counter()
        for answer, file in zip(found, server.setting.answers):
            sent[answer.coding] += len(answer.body)
            if server.name == scenario.servers[0]:
                file.write_bytes(answer.raw)
        return sent

    def verify_streams(self, server, scenario):
        fault = h2.check(server.port, scenario.asks, scenario.tls)
        if fault:
            machine.fail(f"{server.name} {fault}, in scenario {scenario.name}")
        return collections.Counter(identity=sum(len(ask.content) for ask in scenario.asks))

    def verify_echo(self, server, scenario):
        ask = scenario.asks[0]
        fault = websocket.check(server.port, ask, bare=server.name == FLOOR)
        if fault:
            machine.fail(f"{server.name} {fault}, in scenario {scenario.name}")
        server.setting.answers[0].write_bytes(websocket.echoed(ask.content))
        return collections.Counter(identity=len(ask.content))

    def run_idle(self, scenario):
        count = IDLE_QUICK if self.options.quick else scenario.connections
        memory = {}
        for name in self.names(scenario):
            machine.say(f"bench: {scenario.name}: {name}")
            with self.start(name, scenario) as server:
                self.verify(server, scenario)
                memory[name] = idle.measure(server, scenario, count)
        return {"memory": memory}, report.idle_table(memory)

    def run_load(self, scenario):
        request_files = [self.work / f"{scenario.name}.{i}.request" for i in range(len(scenario.asks))]
        for ask, file in zip(scenario.asks, request_files):
            file.write_bytes(ask.request * scenario.pipelined)
        with contextlib.ExitStack() as stack:
            servers, sent = [], {}
            for name in self.names(scenario):
                servers.append(stack.enter_context(self.start(name, scenario)))
                sent[name] = self.verify(servers[-1], scenario)
            servers.sort(key=lambda server: server.name != scenario.base)
            rounds = {server.name: [] for server in servers}
            for number in range(self.options.rounds):
                machine.say(f"bench: {scenario.name}: round {number + 1} of {self.options.rounds}")
                first = number % len(servers)
                for server in servers[first:] + servers[:first]:
                    rounds[server.name].append(load.measure(server, scenario, request_files, self.options,
                                                            self.cpus.prefix(self.cpus.client)))
            memory = {server.name: {"peak_rss_bytes": machine.peak_rss_bytes(server.pid),
                                    "pss_bytes": machine.pss_bytes(server.pid)} for server in servers}
        results = {"rounds": rounds, "memory": memory, "sent": sent}
        return results, report.load_table(results, scenario.base)

    def run(self, name):
        """(title, results, table)"""
        if name == "instructions":
            peers = [peer for peer in instructions.ALL_PEERS
                     if not self.options.servers or peer in self.options.servers]
            counts = instructions.measure_all(self.base, instructions.MODES, peers)
            return instructions.TITLE, {"counts": counts}, instructions.table(counts)
        scenario = SCENARIOS[name]
        results, table = self.run_idle(scenario) if scenario.idle else self.run_load(scenario)
        return scenario.title, results, table

    def facts(self):
        asked = [SCENARIOS[name] for name in self.options.scenarios if name in SCENARIOS]
        names = {name for scenario in asked for name in self.names(scenario)}
        return {"machine": machine.describe(), "versions": contenders.versions(self.base.build, sorted(names)),
                "workers": self.options.workers, "rounds": self.options.rounds, "seconds": self.options.seconds,
                "cpus": self.cpus.describe()}


def main():
    options = parse()
    with tempfile.TemporaryDirectory(prefix="rawhttp-bench-") as work:
        bench = Bench(options, Path(work))
        results = {"facts": bench.facts(), "scenarios": {}}
        parts = [report.preamble(results["facts"])]
        print(parts[0], flush=True)
        for name in options.scenarios:
            title, results["scenarios"][name], table = bench.run(name)
            parts.append(f"## {name}: {title}\n\n{table}")
            print(f"\n{parts[-1]}", flush=True)
            if options.output:
                report.write(options.output, results, "\n\n".join(parts))
    return 1 if any("\nERRORS: " in part for part in parts) else 0


if __name__ == "__main__":
    sys.exit(main())

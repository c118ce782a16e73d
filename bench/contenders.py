"""Who is measured: the command that starts each, and a server that was started. The peers' configurations are the
templates in conf/, tuned as their documentation says."""
import os
import signal
import socket
import string
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import machine
import rivals

HERE = Path(__file__).resolve().parent
ITEMS = HERE.parent / "examples/bench/items.json"
START_S, STOP_S = 60, 60

FLOOR = "no-parse"


@dataclass(frozen=True)
class Setting:
    """What a server is started with."""
    build: Path
    work: Path            # for pages, configurations, logs and answers; thrown away at the end
    workers: int
    files: int            # the limit of open files
    certificate: Path     # for TLS
    key: Path
    folder: str = "pages"
    port: int = 0
    answers: tuple = ()   # what no-parse repeats: files
    request_size: int = 0
    closes: bool = False
    tls: bool = False
    http2: bool = False
    alone: bool = False   # one process, whatever the peer prefers, and nothing done in the background

    @property
    def connections(self):
        return min(16384, self.files - 512)

    @property
    def pages(self):
        return self.work / self.folder

    @property
    def encoded_pages(self):
        """With encoded files beside them."""
        return self.work / f"{self.folder}.encoded"

    @property
    def access_log(self):
        return self.work / f"{self.port}.access.log"

    def configuration(self, peer, **more):
        template = string.Template((HERE / "conf" / f"{peer}.conf").read_text())
        path = self.work / f"{peer}.{self.port}.conf"
        path.write_text(template.substitute(work=self.work, pages=self.encoded_pages, port=self.port,
                                            workers=self.workers, files=self.files, connections=self.connections,
                                            **more))
        return path


def noparse(setting):
    return [setting.build / "bench/noparse", "--port", setting.port, "--threads", setting.workers,
            *(f"--response={answer}" for answer in setting.answers), "--request-size", setting.request_size,
            *(["--close"] if setting.closes else [])]


def rawhttpd(setting, log="off", *more):
    served = ["--no-encodings", setting.encoded_pages] if setting.alone else [setting.pages]
    scheme = "https://" if setting.tls else ""
    proof = ["--tls-cert", setting.certificate, "--tls-key", setting.key] if setting.tls else []
    return [setting.build / "rawhttpd", "--quiet", "--listen", f"{scheme}127.0.0.1:{setting.port}",
            "--workers", setting.workers, "--access-log", log, *proof, *more, *served]


def rawhttpd_logging(setting):
    return rawhttpd(setting, setting.access_log)


def rawhttpd_ruled(setting):
    return rawhttpd(setting, setting.access_log, "--config", HERE / "conf/rawhttpd.conf")


def handler(setting):
    return [setting.build / "bench/handler", f"127.0.0.1:{setting.port}", setting.workers]


def example(setting):
    return [setting.build / "examples/bench", f"127.0.0.1:{setting.port}", ITEMS, setting.workers]


def microhttpd(setting):
    return [rivals.compiled("microhttpd", setting.build), setting.port, setting.workers, ITEMS]


def facil(setting, writer="own"):
    return [rivals.compiled("facil", setting.build), setting.port, setting.workers, ITEMS, writer]


def facil_text(setting):
    return facil(setting, "text")


def mongoose(setting, writer="own"):
    return [rivals.compiled("mongoose", setting.build), setting.port, ITEMS, writer]


def mongoose_text(setting):
    return mongoose(setting, "text")


def nginx(setting):
    wire = ("ssl " if setting.tls else "") + ("http2 " if setting.http2 else "")
    proof = f"ssl_certificate {setting.certificate}; ssl_certificate_key {setting.key};" if setting.tls else ""
    return [machine.tool("nginx"), "-e", setting.work / f"nginx.{setting.port}.log",
            "-c", setting.configuration("nginx", master="off" if setting.alone else "on", wire=wire, proof=proof)]


def h2o(setting):
    # Started by root it would become nobody, who may not write callgrind's dump.
    user = "user: root" if os.geteuid() == 0 else ""
    proof = f"ssl: {{certificate-file: {setting.certificate}, key-file: {setting.key}}}" if setting.tls else ""
    return [machine.tool("h2o"), "-c", setting.configuration("h2o", user=user, proof=proof)]


def lighttpd(setting):
    processes = setting.workers if setting.workers > 1 else 0
    return [machine.tool("lighttpd"), "-D", "-f", setting.configuration("lighttpd", processes=processes)]


COMMANDS = {FLOOR: noparse, "rawhttpd": rawhttpd, "rawhttpd again": rawhttpd, "rawhttpd logging": rawhttpd_logging,
            "rawhttpd ruled": rawhttpd_ruled, "handler": handler, "handler again": handler, "nginx": nginx, "h2o": h2o,
            "lighttpd": lighttpd, "example": example, "example again": example, "microhttpd": microhttpd,
            "facil.io": facil, "facil.io text": facil_text, "mongoose": mongoose, "mongoose text": mongoose_text}
RIVALS = {"microhttpd": "microhttpd", "facil.io": "facil", "facil.io text": "facil", "mongoose": "mongoose",
          "mongoose text": "mongoose"}  # of each the program in rivals/


def present(names):
    """Those of them that can be had; says who is left out."""
    reasons = {name: rivals.absent(RIVALS[name]) for name in names if name in RIVALS}
    for name, reason in reasons.items():
        if reason:
            machine.say(f"bench: without {name}: {reason}")
    return [name for name in names if not reasons.get(name)]


VERSIONS = {"nginx": "-v", "h2o": "--version", "lighttpd": "-v"}


def versions(build, names):
    ours = f"{machine.version(build / 'rawhttpd', '--version')} {machine.commit(HERE)}".strip()
    peers = {name: machine.version(machine.tool(name), VERSIONS[name]) for name in names if name in VERSIONS}
    return {"rawhttp": ours, **peers, "wrk": machine.version(machine.tool("wrk"), "--version")}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A contender that runs and listens. Ends with the `with` block."""

    def __init__(self, name, setting, prefix=()):
        self.name, self.setting, self.port = name, setting, setting.port
        self.said = setting.work / f"{setting.port}.output"
        command = [str(word) for word in (*prefix, *COMMANDS[name](setting))]
        with self.said.open("wb") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            self.wait_until_it_listens()
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self):
        return self.process.pid

    def wait_until_it_listens(self):
        """A plain connect and no request, so that what is counted afterwards are our requests only."""
        until = time.monotonic() + START_S
        while self.process.poll() is None and time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=START_S).close()
                return
            except ConnectionRefusedError:
                time.sleep(0.02)
        said = self.said.read_text(errors="replace").strip()
        machine.fail(f"{self.name} does not start" + (f"; it says: {said}" if said else ""))

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=STOP_S)
            except subprocess.TimeoutExpired:
                machine.say(f"bench: {self.name} does not end on SIGTERM and is killed")
                self.process.kill()
                self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

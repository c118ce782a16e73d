"""The guide, followed to the letter: its files are written down, its commands are typed, and what comes is what it says.

In a page, a block that is fenced with a language and a name is a file: whole where the name is that of a file of the reader's,
an excerpt where it is one of this repository's (examples/pg.c). A block "console" is what is typed, behind "$ ", and what
comes; "..." there is anything. "&" at the end of a command leaves it running, and "kill %1" ends it."""
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess

import pytest
from client import PATIENCE
from database import Database, find
from program import ENVIRONMENT, RAWHTTPD, REPORTS, ROOT, sanitizer, wait_until

GUIDE = ROOT / "docs" / "guide"
PAGES = sorted(path.name for path in GUIDE.glob("[0-9]*.md"))
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LANGUAGES_OF_FILES = {"c", "html", "css", "js"}
SANITIZE = {"address": ["-fsanitize=address,undefined"], "thread": ["-fsanitize=thread"], None: []}

pytestmark = pytest.mark.skipif(not shutil.which("curl") or not shutil.which("pkg-config") or not shutil.which("cc"),
                                reason="needs curl, pkg-config and cc")


def blocks_of(page):
    return [(match[1], match[2], match[3]) for match in BLOCK.finditer((GUIDE / page).read_text())]


def is_excerpt(name):
    return name.startswith("examples/")


class Shell:
    """A reader at a terminal, in a folder of their own with the library installed."""

    def __init__(self, folder, database):
        self.folder, self.jobs = folder, []
        tools = folder / ".tools"
        tools.mkdir()
        (tools / "rawhttp.pc").write_text(
            f"Name: rawhttp\nDescription: as built\nVersion: 0\nCflags: -I{ROOT / 'include'}\n"
            f"Libs: -L{RAWHTTPD.parent / 'src'} -lrawhttp\n")
        flags = [shutil.which("cc"), "-Wall", "-Wextra", "-Werror", "-g", *SANITIZE[sanitizer()]]
        (tools / "cc").write_text(f"#!/bin/sh\nexec {shlex.join(flags)} \"$@\"\n")
        (tools / "cc").chmod(0o755)
        (tools / "rawhttpd").symlink_to(RAWHTTPD)
        self.environment = {**ENVIRONMENT, "PKG_CONFIG_PATH": str(tools), "PATH": f"{tools}:{os.environ['PATH']}",
                            "LD_LIBRARY_PATH": str(RAWHTTPD.parent / "src"), "RAWHTTP": str(ROOT),
                            "DATABASE": database.where if database else "", "LC_ALL": "C.UTF-8", "HOME": str(folder)}
        (folder / ".curlrc").write_text("silent\n")  # as it is where what it says is not piped

    def type(self, command):
        """What comes of it."""
        if command.endswith(" &"):
            return self.leave(command[:-2])
        ended = re.fullmatch(r"kill %(\d)", command)
        if ended:
            return self.end(self.jobs[int(ended[1]) - 1])
        run = subprocess.run(["sh", "-c", command], cwd=self.folder, env=self.environment, timeout=3 * PATIENCE, check=False,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return run.stdout

    def leave(self, command):
        path = self.folder / f".output{len(self.jobs)}"
        with open(path, "wb") as output:
            process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "sh", "-c", f"exec {command}"], cwd=self.folder,
                                       env=self.environment, stdin=subprocess.PIPE, stdout=output,
                                       stderr=subprocess.STDOUT)
        self.jobs.append((process, path))
        wait_until(lambda: process.poll() is not None or listens(), f"{command} to listen")
        assert process.poll() is None, path.read_text()
        return ""

    def end(self, job, number=signal.SIGTERM):
        """What it has said."""
        process, path = job
        if process.poll() is None:
            process.send_signal(number)
        process.wait(PATIENCE)
        process.stdin.close()
        return path.read_text()

    def close(self):
        for job in self.jobs:
            said = self.end(job)
            assert not REPORTS.search(said), said


def listens():
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", 8080)) == 0


def typed(console):
    """The commands of a block, each with what is to come of it."""
    for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        command, _, output = re.sub(r"\\\n\s*", "", part).partition("\n")
        yield command, output


def agrees(expected, said):
    pattern = ".*".join(map(re.escape, expected.split("...")))
    return re.fullmatch(pattern, said, re.DOTALL)


@pytest.fixture
def database(page):
    """For a page that asks for it."""
    if "$DATABASE" not in (GUIDE / page).read_text():
        yield None
        return
    if not find("postgres"):
        pytest.skip("PostgreSQL is not installed: ./dev setup test")
    made = Database()
    yield made
    made.remove()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_the_guide(page, scratch, database, port_8080):
    shell = Shell(scratch, database)
    try:
        follow(page, shell)
    finally:
        shell.close()


def follow(page, shell):
    for language, name, text in blocks_of(page):
        if language in LANGUAGES_OF_FILES and not is_excerpt(name):
            path = shell.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        if language == "console":
            for command, output in typed(text):
                said = shell.type(command)
                assert agrees(output, said), f"$ {command}\n{said}--- but the guide says\n{output}"


def test_the_guide_is_whole():
    """Every program is named and built, every excerpt is one, and every page is reached."""
    contents = (GUIDE / "README.md").read_text()
    assert len(PAGES) >= 10 and re.findall(r"\((\d\d-[\w-]+\.md)\)", contents) == PAGES
    for page, following in zip(PAGES, [*PAGES[1:], None]):
        text = (GUIDE / page).read_text()
        assert following is None or re.search(rf"^Next: \[[^]]+\]\({following}\)\.$", text, re.MULTILINE), page
        for language, name, block in blocks_of(page):
            assert language in LANGUAGES_OF_FILES | {"console", "sh", "conf"}, (page, language)
            assert (language in LANGUAGES_OF_FILES) == (name is not None), (page, language, block[:40])
            if name and is_excerpt(name):
                assert block in (ROOT / name).read_text(), f"{page}: not in {name}:\n{block}"
            elif language == "c":
                assert re.search(rf"^\$ cc .*\b{re.escape(name)}\b", text, re.MULTILINE), f"{page} does not build {name}"


def test_links_lead_somewhere():
    for page in ["README.md", *PAGES]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", (GUIDE / page).read_text()):
            assert target.startswith("https://") or (GUIDE / target).exists(), f"{page}: {target}"

"""What has to be there before anything is measured: the programs built, the pages written, the limits raised."""
import subprocess
from pathlib import Path

import machine
from contenders import Setting
from scenarios import PAGES

BUILD = Path(__file__).resolve().parent.parent / "build"
PROGRAMS = ("rawhttpd", "bench/noparse", "bench/handler")


def compile_programs(build, programs=PROGRAMS):
    if not (build / "build.ninja").exists():
        machine.fail(f"{build} is no build folder: ./dev build, or name one with --build")
    done = subprocess.run([machine.tool("ninja"), "-C", build, *programs], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        machine.fail(f"{build} does not build:\n{done.stdout}{done.stderr}")


def make_pages(work):
    """Servers that give up root must be able to read them."""
    pages = work / "pages"
    pages.mkdir()
    for name, content in PAGES.items():
        (pages / name).write_bytes(content)
    for folder in (work, pages):
        folder.chmod(0o755)
    return pages


def prepare(build, work, workers):
    """What is common to the settings of all servers."""
    compile_programs(build)
    return Setting(build=build.resolve(), work=work, pages=make_pages(work), port=0, workers=workers,
                   files=machine.raise_file_limit())

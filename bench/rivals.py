"""Other libraries in C with the same work as examples/bench: small programs of ours in rivals/, compiled here with the
optimisations that rawhttp gets. Their sources are not part of this repository: README.md says where they are
published."""
import functools
import os
import subprocess
from pathlib import Path

import machine

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parent / "examples"
COMMON = (HERE / "rivals/text.c", EXAMPLES / "items.c")
FLAGS = ("-O3", "-flto=auto", "-w", "-D_GNU_SOURCE", f"-I{EXAMPLES}")
FOLDERS = {"facil": "FACIL_IO", "mongoose": "MONGOOSE"}  # the environment's name for that of the sources


def sources(program):
    """Those of the library with the flags they want."""
    if program == "microhttpd":
        return ["-lmicrohttpd"]
    folder = Path(os.environ[FOLDERS[program]]).resolve()
    if program == "mongoose":
        return [folder / "mongoose.c", f"-I{folder}", "-DMG_ENABLE_EPOLL=1", "-DMG_IO_SIZE=16384"]
    library = folder / "lib/facil"
    parts = [library, *(library / part for part in ("fiobj", "http", "http/parsers", "tls"))]
    return [library / "fio.c", *sorted(library.glob("fiobj/*.c")), *sorted(library.glob("http/*.c")),
            library / "tls/fio_tls_missing.c", *(f"-I{part}" for part in parts)]


def absent(program):
    """Why it cannot be had; "" if it can."""
    if program == "microhttpd":
        found = Path("/usr/include/microhttpd.h").exists()
        return "" if found else "apt-get install libmicrohttpd-dev"
    variable, file = FOLDERS[program], {"facil": "lib/facil/fio.c", "mongoose": "mongoose.c"}[program]
    if variable not in os.environ:
        return f"{variable} names no folder of its sources"
    return "" if Path(os.environ[variable], file).exists() else f"{os.environ[variable]} has no {file}"


@functools.cache
def compiled(program, build):
    """The path of the program."""
    output = build / "bench/rivals" / program
    output.parent.mkdir(parents=True, exist_ok=True)
    command = ["cc", *FLAGS, HERE / "rivals" / f"{program}.c", *COMMON, *sources(program), "-ljansson", "-lpthread",
               "-lm", "-o", output]
    machine.say(f"bench: compiling {program}")
    done = subprocess.run(list(map(str, command)), check=False, capture_output=True, text=True)
    if done.returncode != 0:
        machine.fail(f"{program} does not compile:\n{done.stderr}")
    return output

"""What has to be there before anything is measured: the programs built, the pages written, the limits raised."""
import ctypes
import gzip
import os
import subprocess
from pathlib import Path

import machine
import mix
from contenders import Setting
from scenarios import FOLDERS

BUILD = Path(__file__).resolve().parent.parent / "build"
PROGRAMS = ("rawhttpd", "bench/noparse", "bench/handler", "bench/ws_load", "bench/tls_load", "examples/bench")


def compile_programs(build, programs=PROGRAMS):
    if not (build / "build.ninja").exists():
        machine.fail(f"{build} is no build folder: ./dev build, or name one with --build")
    done = subprocess.run([machine.tool("ninja"), "-C", build, *programs], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        machine.fail(f"{build} does not build:\n{done.stdout}{done.stderr}")


def brotli(content):
    """At its highest level, as rawhttpd does it."""
    library, out = ctypes.CDLL("libbrotlienc.so.1"), ctypes.create_string_buffer(len(content) + 1024)
    size = ctypes.c_size_t(len(out))
    done = library.BrotliEncoderCompress(11, 22, 0, ctypes.c_size_t(len(content)), content, ctypes.byref(size), out)
    return out.raw[:size.value] if done == 1 else machine.fail("brotli has failed")


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def make_pages(work):
    """Each folder, and a copy with encoded files beside the texts, for those who do not encode by themselves. Servers
    that give up root must be able to read them."""
    work.chmod(0o755)
    os.umask(0o022)
    for folder, files in FOLDERS.items():
        for name, content in files.items():
            write(work / folder / name, content)
            write(work / f"{folder}.encoded" / name, content)
            if mix.is_text(name):
                write(work / f"{folder}.encoded" / f"{name}.gz", gzip.compress(content, 9))
                write(work / f"{folder}.encoded" / f"{name}.br", brotli(content))


def make_certificate(work):
    """A new one, and its key: EC on P-256, as most sites have. Returns both files."""
    certificate, key = work / "certificate.pem", work / "key.pem"
    subprocess.run([machine.tool("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-subj", "/CN=www.example.com", "-addext", "subjectAltName=DNS:www.example.com",
                    "-days", "30", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


def prepare(build, work, workers):
    """What is common to the settings of all servers."""
    compile_programs(build)
    make_pages(work)
    certificate, key = make_certificate(work)
    return Setting(build=build.resolve(), work=work, workers=workers, files=machine.raise_file_limit(),
                   certificate=certificate, key=key)

#!/usr/bin/python3
"""How much the cache keeps that is asked for: both policies, as implemented, beside LRU without a grain and Belady's
optimum, on one simulated load. No server and no file is involved; it takes a few seconds. See README.md."""
import argparse
import subprocess
from pathlib import Path

import machine
import report
import stage

HEADER = ("policy", "hits, of requests", "of bytes", "x Belady", "longest search", "loads refused")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--build", type=Path, default=stage.BUILD, help="the build folder")
    parser.add_argument("--files", type=int, default=200_000)
    parser.add_argument("--requests", type=int, default=4_000_000, help="of which the second half is counted")
    parser.add_argument("--zipf", type=float, default=0.9, help="the exponent of Zipf's law")
    parser.add_argument("--median", type=float, default=8192, help="of the sizes, in bytes; they are log-normal")
    parser.add_argument("--sigma", type=float, default=1.5, help="of the logarithm of the sizes")
    parser.add_argument("--share", type=float, nargs="+", default=[0.1], help="the budget, as a part of all bytes")
    return parser.parse_args()


def simulate(chosen, share):
    """(bytes of all files, budget) and the figures of each policy."""
    numbers = (chosen.files, chosen.requests, chosen.zipf, chosen.median, chosen.sigma, share)
    done = subprocess.run([chosen.build / "bench/cache", *map(str, numbers)], check=True, stdout=subprocess.PIPE,
                          text=True)
    sizes, *policies = (line.split("\t") for line in done.stdout.splitlines())
    return tuple(map(int, sizes)), {name: tuple(map(float, figures)) for name, *figures in policies}


def row(name, figures, best):
    requests, size, longest_ms, refused = figures
    ours = longest_ms > 0
    return (name, f"{requests:.1f}%", f"{size:.1f}%", f"{requests / best:.3f}", f"{longest_ms:.1f} ms" if ours else "-",
            f"{refused:.3f}%" if ours else "-")


def main():
    chosen = arguments()
    if not (1 <= chosen.files < 1 << 32 and 2 <= chosen.requests < 1 << 32 and chosen.median > 0 and chosen.sigma >= 0
            and all(0 < share <= 1 for share in chosen.share)):
        machine.fail("files, requests, a median and shares (up to 1) have to be more than nothing")
    stage.compile_programs(chosen.build, ["bench/cache"])
    for share in chosen.share:
        (total, budget), policies = simulate(chosen, share)
        print(f"{chosen.files:,} files, {report.mebibytes(total)} MiB; budget {report.mebibytes(budget)} MiB; "
              f"{chosen.requests:,} requests, Zipf {chosen.zipf:g}\n")
        best = policies["Belady"][0]
        print(report.grid(HEADER, [row(name, figures, best) for name, figures in policies.items()]), end="\n\n")


main()

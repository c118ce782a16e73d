"""Rounds to medians, medians to tables. Ratios are taken within a round, where the servers ran one after the other, and
only then is their median taken: what slows the whole machine for a while does not count."""
import json
import statistics

from contenders import FLOOR

AGAIN = " again"


def spread(values):
    """First quartile, median, third quartile."""
    if len(values) < 2:
        return (values[0],) * 3
    return tuple(statistics.quantiles(values, n=4, method="inclusive"))


def column(rounds, name, key):
    return [result[key] for result in rounds[name]]


def ratios(rounds, name, base, key):
    return spread([mine / its for mine, its in zip(column(rounds, name, key), column(rounds, base, key))])


def pair(rounds):
    """The two runs of one and the same program, for the control."""
    again = next((name for name in rounds if name.endswith(AGAIN)), None)
    return (again.removesuffix(AGAIN), again) if again else None


def grid(header, rows):
    """A Markdown table whose columns are also aligned to the eye: the first to the left, the others to the right."""
    cells = [list(map(str, row)) for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = [" | ".join([row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])])
             for row in cells]
    rule = " | ".join(["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]])
    return "\n".join(f"| {line} |" for line in (lines[0], rule, *lines[1:]))


def number(value):
    return f"{value:,.0f}"


def ratio(triple):
    """The median, and between which values half of the rounds lie."""
    low, median, high = (f"{value:.3f}" for value in triple)
    return f"{median} ({low}..{high})" if low != high else median


def percent(values):
    return f"{100 * statistics.median(values):.0f}%"


def milliseconds(values):
    return "-" if None in values else f"{statistics.median(values) / 1000:.2f}"


def mebibytes(size):
    return f"{size / (1 << 20):.1f}"


def load_header(base):
    times = "x floor" if base == FLOOR else f"x {base}"
    return ("server", "requests / CPU s", times, "requests / s", times, "server busy", "client busy", "p50 ms",
            "p99 ms", "peak RSS MiB", "PSS MiB")


def load_row(rounds, memory, name, base):
    return (name, number(statistics.median(column(rounds, name, "requests_per_cpu_second"))),
            ratio(ratios(rounds, name, base, "requests_per_cpu_second")),
            number(statistics.median(column(rounds, name, "requests_per_second"))),
            ratio(ratios(rounds, name, base, "requests_per_second")),
            percent(column(rounds, name, "server_busy")), percent(column(rounds, name, "client_busy")),
            milliseconds(column(rounds, name, "p50_us")), milliseconds(column(rounds, name, "p99_us")),
            mebibytes(memory[name]["peak_rss_bytes"]), mebibytes(memory[name]["pss_bytes"]))


def control(rounds):
    if not pair(rounds):
        return []
    once, again = pair(rounds)
    found = ratio(ratios(rounds, again, once, "requests_per_cpu_second"))
    return [f"A/A control, {again} to {once}: {found} in requests per CPU second. Differences between servers that are "
            "no larger than this say nothing."]


def faults(rounds):
    """Errors that the client has seen; there should be none."""
    for name in rounds:
        total = sum(sum(result["errors"].values()) for result in rounds[name])
        if total:
            yield f"ERRORS: {name}: the client has seen {total}"


def logged(rounds):
    for name in rounds:
        if all("logged" in result for result in rounds[name]):
            share = sum(column(rounds, name, "logged")) / sum(column(rounds, name, "requests"))
            yield f"{name}: {100 * share:.1f}% of its requests are in the access log."


def encodings(sent):
    """How much each server sends where it may choose how: not all have the same work."""
    if any(set(codings) != {"identity"} for codings in sent.values()):
        parts = (f"{name} " + " + ".join(f"{size:,} ({coding})" for coding, size in sorted(codings.items()))
                 for name, codings in sent.items())
        yield "Bytes of content for one of each request: " + "; ".join(parts) + "."


def load_table(results, base):
    rounds = results["rounds"]
    table = grid(load_header(base), [load_row(rounds, results["memory"], name, base) for name in rounds])
    return "\n\n".join([table, *control(rounds), *logged(rounds), *encodings(results["sent"]), *faults(rounds)])


def idle_table(memory):
    rows = [(name, f"{one['connections']:,}", number(one["bytes_per_connection"]), mebibytes(one["pss_before_bytes"]),
             mebibytes(one["pss_after_bytes"])) for name, one in memory.items()]
    return grid(("server", "connections", "bytes / connection", "PSS before MiB", "PSS after MiB"), rows)


def preamble(facts):
    here = facts["machine"]
    return "\n".join([
        f"{here['cpu']}, {here['cores']} cores, {here['kernel']}; load average before: {here['load_average']}.",
        f"{facts['workers']} worker(s), {facts['cpus']}; {facts['rounds']} rounds of {facts['seconds']} s each.",
        ", ".join(f"{name} {said}" for name, said in facts["versions"].items()) + "."])


def write(folder, results, markdown):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.json").write_text(json.dumps(results, indent=2) + "\n")
    (folder / "bench.md").write_text(markdown + "\n")

"""The results in words and tables: summary.md."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator

from benchmarks.bounds import verdicts
from benchmarks.peers import OWN
from benchmarks.report import Report, Row, exponents, overall
from benchmarks.shapes import Shape

__all__ = ["summary_of"]

TITLES = {
    "peers": "Ours / another's",
    "variants": "Variants of ours / torch.nn",
    "options": "With an option / plain",
    "ragged": "Sequences of different lengths / a full batch of ours",
    "small calls": "One step, batch 1: ours without dropout / torch.nn, or ours with it",
    "streaming": "A stream of single steps, batch 1: ours / torch.nn's cell",
}


def summary_of(report: Report) -> str:
    """Words the results.

    Args:
        report: The results.

    Returns:
        Markdown: the machine, the bounds, then a table for each of the program's.
    """
    parts = (_head, _bounds, _tables, _rates, _growth, _memory)
    return "\n".join(line for part in parts for line in part(report)) + "\n"


def _head(report: Report) -> Iterator[str]:
    machine = report.machine
    versions = ", ".join(f"{name} {machine[name]}" for name in ("rnnspec", "torch", "keras", "python") if machine[name])
    yield f"# How fast the layers are\n\n{machine['processor']}, {machine['cores']} cores, {machine['date']}"
    yield f"\n{versions}, {machine['system']}; {machine['torch_instructions']}"
    for threads, found in machine["peak_gflops"].items():
        ways = ", ".join(f"{name} {rate:.0f}" for name, rate in found.items())
        yield f"\nFastest products, {threads}: {ways} GFLOP/s."
    if machine["skipped"]:
        yield "\nLeft out:\n"
        yield from (f"- {what}" for what in machine["skipped"])


def _bounds(report: Report) -> Iterator[str]:
    found = [*verdicts(report)]
    if found:
        met = sum(verdict.met for verdict in found)
        yield f"\n## Bounds\n\n{met} of {len(found)} met. Means are geometric, over shapes; in brackets the passes.\n"
        yield from _table(
            ["", "threads", "found", "bound", ""],
            ([v.what, v.threads, v.found, v.bound, "PASS" if v.met else "**MISS**"] for v in found),
        )


def _tables(report: Report) -> Iterator[str]:
    rows, found = report.rows, overall(report.rows)
    for table, title in TITLES.items():
        mine = [row for row in rows if row.table == table]
        groups = [group for group in found if group.table == table]
        shapes = [*dict.fromkeys(row.shape for row in mine)]
        if not groups:
            continue
        yield f"\n## {title}\n"
        lines = []
        for group in groups:
            alike = [r for r in mine if (r.cell, r.phase, r.threads, r.run) == group[1:]]
            ratios = [[row.ratio for row in alike if row.shape == shape] for shape in shapes]
            medians = [f"{statistics.median(ratio):.2f}" if ratio else "" for ratio in ratios]
            mean = f"**{found[group].mean:.2f}**"
            lines.append([group.cell, group.phase, str(group.threads), group.run, *medians, mean])
        yield from _table(["cell", "", "threads", "", *map(str, shapes), "mean"], lines)


def _rates(report: Report) -> Iterator[str]:
    own = [row for row in report.rows if (row.table, row.run) == ("peers", OWN)]
    shapes = [*dict.fromkeys(row.shape for row in own)]
    if own:
        yield "\n## Rates\n\nGFLOP/s of ours in its products; in brackets the share of the fastest plain product.\n"
        kinds = [*dict.fromkeys((row.cell, row.phase, row.threads) for row in own)]
        yield from _table(
            ["cell", "", "threads", *map(str, shapes)],
            (
                [cell, phase, str(threads), *(_rate(own, (cell, phase, threads, shape)) for shape in shapes)]
                for cell, phase, threads in kinds
            ),
        )


def _rate(rows: list[Row], kind: tuple[str, str, int, Shape]) -> str:
    found = [row for row in rows if (row.cell, row.phase, row.threads, row.shape) == kind]
    rate = statistics.median(row.gflops for row in found)
    share = statistics.median(row.gflops / row.peak_gflops for row in found)
    return f"{rate:.0f} ({share:.0%})"


def _growth(report: Report) -> Iterator[str]:
    powers = exponents(report.rows)
    if powers:
        yield "\n## Growth\n\nThe power of a size with which a call's time grows; 1: it is proportional.\n"
        yield from _table(
            ["along", "", "", "threads", "power"],
            (
                [group.table.partition(" ")[2], group.run, group.phase, str(group.threads), f"{power:.2f}"]
                for group, power in powers.items()
            ),
        )


def _memory(report: Report) -> Iterator[str]:
    if report.memory:
        yield "\n## Memory\n\nMB of one call, in which the input, the weights and the output do not count.\n"
        names = ["cell", "shape", "", "output", "saved for backward", "resident", "peak, inference", "kept, inference"]
        yield from _table(
            names,
            (
                [row.cell, row.shape, row.run, *(f"{size:.2f}" for size in sizes)]
                for row in report.memory
                for sizes in [(row.output, row.saved, row.resident, row.peak, row.kept)]
            ),
        )


def _table(names: list[str], lines: Iterable[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield f"|{' --- |' * len(names)}"
    yield from (f"| {' | '.join(line)} |" for line in lines)

"""What we hold ourselves to, in one table, and whether it was met. Missing one fails nothing."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from benchmarks.memory import Memory
from benchmarks.peers import KERAS, OWN, TORCH
from benchmarks.report import Group, Overall, Report, exponents, overall
from benchmarks.shapes import LARGE

__all__ = ["BOUNDS", "Bound", "Verdict", "verdicts"]

BOTH = ("training", "inference")


class Bound(NamedTuple):
    """The highest ratios that are allowed.

    Attributes:
        table: The table.
        run: What is compared.
        cells: Which cells.
        phases: Training, inference or both.
        worst: For every shape.
        mean: For the geometric mean over the shapes; None: nothing is said of it, and all cells share a verdict.
    """

    table: str
    run: str
    cells: tuple[str, ...]
    phases: tuple[str, ...]
    worst: float
    mean: float | None = None


ALL = ("LSTM", "GRU", "SimpleRNN")
BOUNDS = (
    Bound("peers", TORCH, ("LSTM",), ("training",), 0.90, 0.60),
    Bound("peers", TORCH, ("LSTM",), ("inference",), 0.95, 0.65),
    # Within 10 percent of that.
    Bound("variants", "sigmoid gates", ("LSTM",), ("training",), 0.99, 0.66),
    Bound("variants", "sigmoid gates", ("LSTM",), ("inference",), 1.045, 0.715),
    Bound("peers", TORCH, ("GRU",), BOTH, 0.5, 0.25),
    Bound("peers", TORCH, ("SimpleRNN",), BOTH, 1.0, 0.6),
    Bound("peers", KERAS, ALL, BOTH, 1 / 3, 0.1),
    Bound("options", "mask", ALL, BOTH, 1.10),
    Bound("options", "go_backwards", ALL, BOTH, 1.10),
    Bound("options", "initial_state", ALL, BOTH, 1.10),
    Bound("options", "input dropout", ALL, ("training",), 1.10),
    Bound("ragged", "lengths", ALL, BOTH, 1.0),
    Bound("ragged", "packed", ALL, BOTH, 1.0),
    Bound("small calls", TORCH, ("LSTM",), BOTH, 1.0),
    Bound("streaming", f"{TORCH} cell", ("LSTM",), ("inference",), 0.5),
)
PEAK_SHARE = 0.75
EXPONENTS = (0.95, 1.05)
SAVED_SHARE = 0.5
# The process's memory is counted in pages, and the allocator keeps some.
KEPT_MB = 0.5


class Verdict(NamedTuple):
    """A bound, and what was found.

    Attributes:
        what: What was measured.
        threads: With how many; empty where it does not matter.
        found: The number, in words.
        bound: The bound, in words.
        met: Whether it was met.
    """

    what: str
    threads: str
    found: str
    bound: str
    met: bool


def verdicts(report: Report) -> Iterator[Verdict]:
    """Compares the results with the bounds.

    Args:
        report: The results.

    Yields:
        A verdict for each bound of which there is a result.
    """
    yield from _ratios(report)
    yield from _rates(report)
    for group, power in exponents(report.rows).items():
        if (group.table, group.run) == ("growth time", OWN):
            low, high = EXPONENTS
            what = f"{group.cell}, {group.phase}: power of the steps (1,000 to 100,000) with which time grows"
            yield Verdict(what, str(group.threads), f"{power:.3f}", f"{low} to {high}", low <= power <= high)
    yield from _memory(report.memory)


def _ratios(report: Report) -> Iterator[Verdict]:
    found = overall(report.rows)
    for bound in BOUNDS:
        mine = {
            group: ratios
            for group, ratios in found.items()
            if (group.table, group.run) == (bound.table, bound.run)
            and group.cell in bound.cells
            and group.phase in bound.phases
        }
        if bound.mean is None:
            yield from _worst(bound, mine)
            continue
        for group, ratios in mine.items():
            what, threads = f"{group.cell}, {group.phase}: {_ratio_of(group)}", str(group.threads)
            spread = f" ({ratios.low:.2f} to {ratios.high:.2f})" if ratios.low < ratios.high else ""
            mean = f"{ratios.mean:.2f}{spread}"
            yield Verdict(f"{what}: mean", threads, mean, f"{bound.mean:.3g}", ratios.mean <= bound.mean)
            worst = f"{ratios.worst:.2f} at {ratios.where}"
            yield Verdict(f"{what}: worst", threads, worst, f"{bound.worst:.3g}", ratios.worst <= bound.worst)


def _worst(bound: Bound, found: Mapping[Group, Overall]) -> Iterator[Verdict]:
    """One verdict for all cells, phases and threads."""
    if found:
        group = max(found, key=lambda group: found[group].worst)
        worst = found[group].worst
        where = f"{worst:.2f}: {group.cell}, {group.phase}, at {found[group].where}"
        what = f"{_ratio_of(group)}: worst of all"
        yield Verdict(what, str(group.threads), where, f"{bound.worst:.2f}", worst <= bound.worst)


def _ratio_of(group: Group) -> str:
    """What is divided by what."""
    if group.table in ("options", "ragged"):
        return f"{group.run} / plain"
    if group.table == "variants":
        return f"ours with {group.run} / {TORCH}"
    return f"ours / {group.run}" + ("" if group.table == "peers" else f", {group.table}")


def _rates(report: Report) -> Iterator[Verdict]:
    shares = [
        row.gflops / row.peak_gflops
        for row in report.rows
        if (row.table, row.cell, row.phase, row.threads) == ("peers", "LSTM", "training", 1)
        and (row.run, row.shape) == (OWN, LARGE)
    ]
    if shares:
        share = statistics.median(shares)
        what = f"LSTM, training at {LARGE}: share of the fastest plain product"
        yield Verdict(what, "1", f"{share:.0%}", f"at least {PEAK_SHARE:.0%}", share >= PEAK_SHARE)


def _memory(rows: list[Memory]) -> Iterator[Verdict]:
    saved = {(row.cell, row.shape): {r.run: r.saved for r in rows if (r.cell, r.shape) == (row.cell, row.shape)}
             for row in rows if row.cell == "LSTM"}  # fmt: skip
    shares = {shape: found[OWN] / found[TORCH] for (_, shape), found in saved.items() if found.get(TORCH)}
    if shares:
        where = max(shares, key=lambda shape: shares[shape])
        text = f"{shares[where]:.2f} at {where}"
        what = f"LSTM: kept for the backward pass, ours / {TORCH}: worst"
        yield Verdict(what, "", text, f"{SAVED_SHARE:.2f}", shares[where] <= SAVED_SHARE)
    kept = {row.shape: row.kept for row in rows if row.run == OWN and row.cell == "LSTM"}
    if kept:
        where = max(kept, key=lambda shape: kept[shape])
        text = f"{kept[where]:.1f} MB at {where}"
        yield Verdict(
            "LSTM, inference: kept beside the output: worst", "", text, f"{KEPT_MB} MB", kept[where] <= KEPT_MB
        )

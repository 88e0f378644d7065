"""The results: a row for each run in a CSV that grows while it is measured, and the machine beside it in JSON."""

from __future__ import annotations

import csv
import json
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.cases import Case
from benchmarks.measure import Timings, exponent, ratio, summary
from benchmarks.memory import Memory
from benchmarks.peers import TORCH
from benchmarks.shapes import Shape, flops

__all__ = ["Group", "Overall", "Report", "Row", "exponents", "overall", "rows"]


@dataclass(frozen=True)
class Row:
    """One run of one case.

    Attributes:
        passed: Which pass over all cases, from 1.
        table: `peers`, `variants`, `options`, `ragged`, `small calls`, `streaming` or `growth ...`.
        cell: The cell.
        phase: `training` or `inference`.
        threads: How many.
        batch: Rows of the batch.
        time: Steps.
        features: Width of the input.
        units: Width of the output.
        run: The peer, the variant or the option.
        engine: The engine of our layer's plan; empty for others.
        ms: Milliseconds of one call: the rounds' median.
        ms_q1: Their first quartile.
        ms_q3: Their third quartile.
        ratio: Median of the rounds' ratios: ours / the peer's, or the option / the plain run.
        ratio_q1: Their first quartile.
        ratio_q3: Their third quartile.
        rounds: How many there were.
        gflops: GFLOP/s in the matrix products.
        peak_gflops: Those of the fastest plain product, in the same run of the program.
    """

    passed: int
    table: str
    cell: str
    phase: str
    threads: int
    batch: int
    time: int
    features: int
    units: int
    run: str
    engine: str
    ms: float
    ms_q1: float
    ms_q3: float
    ratio: float
    ratio_q1: float
    ratio_q3: float
    rounds: int
    gflops: float
    peak_gflops: float

    @property
    def shape(self) -> Shape:
        """The size of the call."""
        return Shape(self.batch, self.time, self.features, self.units)

    def __str__(self) -> str:
        head = f"{self.passed} {self.table:13}{self.cell:10}{self.phase:10}{self.threads}  {self.shape!s:16}"
        times = f"{self.run:18}{self.engine:6}{self.ms:10.3f} ms"
        spread = f"{self.ratio:6.2f} [{self.ratio_q1:.2f} {self.ratio_q3:.2f}]"
        return f"{head}{times}  ratio {spread}  {self.gflops:6.1f} of {self.peak_gflops:.0f} GFLOP/s"


def rows(
    passed: int, case: Case, timings: Timings, tables: Mapping[str, str], engines: Mapping[str, str], peak: float
) -> Iterator[Row]:
    """The rows of one case.

    Args:
        passed: Which pass.
        case: What was measured.
        timings: The seconds of each run; the first is our plain layer's.
        tables: Each run's table.
        engines: Our layer's engines, by run.
        peak: GFLOP/s of the fastest plain product.

    Yields:
        A row for each run.
    """
    plain = next(iter(timings.values()))
    work = flops(case.cell, case.shape, case.training) / 1e9
    for run, seconds in timings.items():
        time, table = summary(seconds), tables[run]
        if table in ("options", "ragged"):
            compared = ratio(seconds, plain)
        elif table == "variants":
            # torch.nn's layer may have failed: there is no ratio then.
            compared = ratio(seconds, timings.get(TORCH, []))
        else:
            compared = ratio(plain, seconds)
        sizes, rate = case.shape, work / time.median if time.median else 0.0
        yield Row(
            passed, table, case.cell, case.phase, case.threads,
            sizes.batch, sizes.time, sizes.features, sizes.units, run, engines.get(run, ""),
            time.median * 1e3, time.q1 * 1e3, time.q3 * 1e3,
            compared.median, compared.q1, compared.q3, len(seconds), rate, peak,
        )  # fmt: skip


class Group(NamedTuple):
    """What is told in one number for all shapes."""

    table: str
    cell: str
    phase: str
    threads: int
    run: str


class Overall(NamedTuple):
    """What the ratios of all shapes come to.

    Attributes:
        mean: The geometric mean: the median of the passes'.
        low: The lowest of the passes'.
        high: The highest of the passes'.
        worst: The highest ratio of a shape, which is the median of the passes'.
        where: That shape.
    """

    mean: float
    low: float
    high: float
    worst: float
    where: Shape


def overall(rows: Iterable[Row]) -> dict[Group, Overall]:
    """The geometric means and the worst of the ratios over the shapes.

    Args:
        rows: All results; the growth curves do not count.

    Returns:
        One for each group, in the order of the rows.
    """
    groups: dict[Group, list[Row]] = {}
    for row in rows:
        if not row.table.startswith("growth") and row.run != "own" and row.ratio > 0:
            group = Group(row.table, row.cell, row.phase, row.threads, row.run)
            groups.setdefault(group, []).append(row)
    return {group: _overall(found) for group, found in groups.items()}


def _overall(rows: Sequence[Row]) -> Overall:
    passes = {row.passed for row in rows}
    means = [statistics.geometric_mean(row.ratio for row in rows if row.passed == number) for number in passes]
    shapes = {row.shape: statistics.median(r.ratio for r in rows if r.shape == row.shape) for row in rows}
    where = max(shapes, key=lambda shape: shapes[shape])
    return Overall(statistics.median(means), min(means), max(means), shapes[where], where)


def exponents(rows: Iterable[Row]) -> dict[Group, float]:
    """The power with which time grows along each curve.

    Args:
        rows: All results.

    Returns:
        One for each curve; its group's table is `growth` and what grows.
    """
    curves: dict[Group, list[Row]] = {}
    for row in rows:
        if row.table.startswith("growth") and row.ms > 0:
            curves.setdefault(Group(row.table, row.cell, row.phase, row.threads, row.run), []).append(row)
    return {
        group: exponent([getattr(row, group.table.partition(" ")[2]) for row in line], [row.ms for row in line])
        for group, line in curves.items()
        if len(line) > 1
    }


class Report:
    """Writes what is measured into a folder, as it comes."""

    def __init__(self, folder: Path, machine: Mapping[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.machine: dict[str, Any] = {**machine, "peak_gflops": {}, "skipped": []}
        self.rows: list[Row] = []
        self.memory: list[Memory] = []
        for kind, name in ((Row, "results.csv"), (Memory, "memory.csv")):
            (folder / name).write_text(",".join(field.name for field in fields(kind)) + "\n", "utf-8")
        self.save()

    def save(self) -> None:
        """Writes machine.json."""
        (self.folder / "machine.json").write_text(json.dumps(self.machine, indent=2) + "\n", "utf-8")

    def skip(self, what: str) -> None:
        """Says once what is left out, and why."""
        if what not in self.machine["skipped"]:
            print(f"skipped {what}", flush=True)
            self.machine["skipped"].append(what)
            self.save()

    def add(self, found: Iterable[Row]) -> None:
        """Writes rows of timings, and shows them."""
        for row in found:
            print(row, flush=True)
            self.rows.append(row)
            self._append("results.csv", row)

    def add_memory(self, found: Iterable[Memory]) -> None:
        """Writes rows of memory, and shows them."""
        for row in found:
            print(row, flush=True)
            self.memory.append(row)
            self._append("memory.csv", row)

    def _append(self, name: str, row: Row | Memory) -> None:
        with (self.folder / name).open("a", encoding="utf-8", newline="") as file:
            values = [f"{v:.5g}" if isinstance(v, float) else v for v in asdict(row).values()]
            csv.writer(file, lineterminator="\n").writerow(values)

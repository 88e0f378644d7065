"""The results: a row for each run, in a CSV that grows while it is measured, and the machine beside it in JSON."""

from __future__ import annotations

import csv
import json
import statistics
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from benchmarks.measure import Timings, ratio, summary
from benchmarks.peers import Case
from benchmarks.shapes import flops

__all__ = ["Report", "Row", "overall", "rows"]


@dataclass(frozen=True)
class Row:
    """One run of one case.

    Attributes:
        table: `peers`, `options` or `growth`.
        cell: The cell.
        phase: `training` or `inference`.
        threads: How many.
        batch: Rows of the batch.
        time: Steps.
        features: Width of the input.
        units: Width of the output.
        run: The peer or the option.
        engine: The engine of our layer's plan; empty for others.
        ms: Milliseconds of one call: the rounds' median.
        ms_q1: Their first quartile.
        ms_q3: Their third quartile.
        ratio: Median of the rounds' ratios: ours / the peer's, or with the option / plain.
        ratio_q1: Their first quartile.
        ratio_q3: Their third quartile.
        rounds: How many there were.
        gflops: GFLOP/s in the matrix products.
        peak_gflops: Those of the best library product, in the same run of the program.
    """

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

    def __str__(self) -> str:
        shape = f"{self.batch}x{self.time}x{self.features}x{self.units}"
        head = f"{self.table:14}{self.cell:10}{self.phase:10}{self.threads}  {shape:18}{self.run:18}{self.engine:7}"
        spread = f"{self.ratio:6.2f} [{self.ratio_q1:.2f} {self.ratio_q3:.2f}]"
        return f"{head}{self.ms:10.3f} ms  ratio {spread}  {self.gflops:6.1f} of {self.peak_gflops:.0f} GFLOP/s"


def rows(table: str, case: Case, timings: Timings, engines: Mapping[str, str], peak: float) -> Iterator[Row]:
    """The rows of one case.

    Args:
        table: `peers`, `options` or `growth`.
        case: What was measured.
        timings: The seconds of each run, the first of which the others are compared with.
        engines: Our layer's engines, by run.
        peak: GFLOP/s of the best library product.

    Yields:
        A row for each run.
    """
    first = next(iter(timings.values()))
    work = flops(case.cell, case.shape, case.training) / 1e9
    phase = "training" if case.training else "inference"
    for run, seconds in timings.items():
        time = summary(seconds)
        # A peer is what we are measured against; an option is measured against the plain run.
        compared = ratio(seconds, first) if table == "options" else ratio(first, seconds)
        yield Row(
            table, case.cell, phase, case.threads, *case.shape, run, engines.get(run, ""),
            *(value * 1e3 for value in time), *compared, len(seconds),
            work / time.median if time.median else 0.0, peak,
        )  # fmt: skip


def overall(rows: Iterable[Row]) -> dict[str, dict[str, float]]:
    """The geometric mean and the worst of the ratios over the shapes.

    Args:
        rows: All results; the growth curves do not count.

    Returns:
        Both, by `table, cell, phase, threads, run`.
    """
    ratios: dict[str, list[float]] = {}
    for row in rows:
        if row.table in ("peers", "options") and row.run not in ("own", "plain") and row.ratio > 0:
            ratios.setdefault(f"{row.table}, {row.cell}, {row.phase}, {row.threads}, {row.run}", []).append(row.ratio)
    return {
        name: {"geometric_mean": round(statistics.geometric_mean(found), 3), "worst": round(max(found), 3)}
        for name, found in ratios.items()
    }


class Report:
    """Writes what is measured into a folder, as it comes."""

    def __init__(self, folder: Path, machine: Mapping[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.machine: dict[str, Any] = {**machine, "peak_gflops": {}, "exponents": {}, "skipped": []}
        self.rows: list[Row] = []
        names = [field.name for field in fields(Row)]
        (folder / "results.csv").write_text(",".join(names) + "\n", "utf-8")
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
        """Writes rows, and shows them."""
        with (self.folder / "results.csv").open("a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            for row in found:
                print(row, flush=True)
                self.rows.append(row)
                writer.writerow([f"{v:.5g}" if isinstance(v, float) else v for v in asdict(row).values()])

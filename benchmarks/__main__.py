"""The command: measures, writes the results and draws the pictures. See README.md beside this file."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path

import torch

from benchmarks import machine, measure, memory, options, peers, picture, steps
from benchmarks.cases import Case, Contender, SkippedError
from benchmarks.report import Report, rows
from benchmarks.shapes import CELLS, QUICK, SHAPES, STEPS, Shape, curves
from benchmarks.summary import summary_of

RESULTS = Path(__file__).parent / "results"
TABLES = ("peers", "options", "ragged", "small", "streaming", "growth", "memory")


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="how fast the layers are")
    parser.add_argument("--quick", action="store_true", help="tiny shapes and one pass: shows that it works")
    parser.add_argument(
        "--short", action="store_true", help="one pass and LSTM alone for options and ragged batches, few rounds"
    )
    parser.add_argument("--cells", nargs="+", default=CELLS, choices=CELLS)
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--tables", nargs="+", default=TABLES, choices=TABLES)
    parser.add_argument("--peers", nargs="+", default=["torch", "keras", "steps"], choices=peers.PEERS)
    parser.add_argument("--passes", type=int, help="over all cases, to see what noise there is (default 3; quick: 1)")
    parser.add_argument("--rounds", type=int, help="at least, of each run in a pass (default 5; short and quick: 2)")
    parser.add_argument(
        "--seconds", type=float, help="at least, of each run in a pass (default 1; short: 0.2; quick: 0)"
    )
    parser.add_argument("--out", type=Path, help="folder for the results (default benchmarks/results)")
    return parser


class Benchmark:
    """One run of the program: what it was asked for, and what it found."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked, self.quick, self.short = asked, asked.quick, asked.short
        seconds, rounds = (0.0, 2) if asked.quick else (0.2, 2) if asked.short else (1.0, 5)
        self.seconds = seconds if asked.seconds is None else asked.seconds
        self.rounds = asked.rounds or rounds
        self.passes = asked.passes or (1 if asked.quick else 3)
        self.passed = 1
        self.report = Report(asked.out or (RESULTS / "quick" if asked.quick else RESULTS), machine.describe())
        self.peak: dict[int, float] = {}

    def run(self) -> None:
        """Measures everything in every pass and with every number of threads, and words and draws it."""
        before = torch.get_num_threads()
        try:
            for number, threads in product(range(1, self.passes + 1), self.asked.threads):
                self.passed = number
                torch.set_num_threads(threads)
                self.measure_products(threads)
                self.measure_layers(threads)
                self.measure_steps(threads)
                if self.passed == 1:
                    self.measure_growth(threads)
            if "memory" in self.asked.tables:
                self.measure_memory()
        finally:
            torch.set_num_threads(before)
        self.tell()

    def measure_products(self, threads: int) -> None:
        """How fast plain products are, as the best of all passes."""
        size, seconds = (32, 0.0) if self.quick else (1024, min(self.seconds, 0.5))
        found = machine.peak(measure.clock_of(threads), seconds, size)
        if threads == 1:
            try:
                found["own tile"] = machine.own_tile(seconds)
            except (OSError, subprocess.CalledProcessError) as error:
                self.report.skip(f"own tile: {error}")
        known = self.report.machine["peak_gflops"].setdefault(f"{threads} thread{'s' * (threads > 1)}", {})
        known.update({name: max(rate, known.get(name, 0.0)) for name, rate in found.items()})
        self.peak[threads] = max(known.values())
        self.report.save()

    def cases(self, threads: int, shapes: Iterable[Shape], training: Sequence[bool]) -> Iterator[Case]:
        """Every cell, phase and shape."""
        for cell in self.asked.cells:
            for phase in training:
                for shape in shapes:
                    yield Case(cell, shape, phase, threads)

    def measure_layers(self, threads: int) -> None:
        """Our layer beside others, beside itself with an option, and with ragged batches."""
        tables = {*self.asked.tables} & {"peers", "options", "ragged"}
        left_out = {name for key, name in peers.PEERS.items() if key not in self.asked.peers}
        for case in self.cases(threads, QUICK if self.quick else SHAPES, (True, False)) if tables else ():
            runs = [run for run in peers.peers(case) if "peers" in tables or run.name == peers.OWN]
            for table, more in (("options", options.options), ("ragged", options.ragged)):
                if table in tables and not (self.short and (self.passed > 1 or case.cell != "LSTM")):
                    runs += more(case)
            self.measure(case, [run for run in runs if run.name not in left_out])

    def measure_steps(self, threads: int) -> None:
        """Calls of one step."""
        for case in self.cases(threads, STEPS[:1], (True, False)) if "small" in self.asked.tables else ():
            self.measure(case, steps.single(case))
        for case in self.cases(threads, STEPS, (False,)) if "streaming" in self.asked.tables else ():
            self.measure(case, steps.streams(case))

    def measure_growth(self, threads: int) -> None:
        """Our LSTM and torch's along each size."""
        for size, shapes in curves(self.quick).items() if "growth" in self.asked.tables else ():
            for training in (True, False):
                for shape in shapes:
                    case, table = Case("LSTM", shape, training, threads), f"growth {size}"
                    ours, theirs = (lambda case=case: peers.own(case)), (lambda case=case: peers.torch_run(case))
                    self.measure(case, [Contender(table, peers.OWN, ours), Contender(table, peers.TORCH, theirs)])

    def measure_memory(self) -> None:
        """What calls keep."""
        for case in self.cases(1, QUICK if self.quick else SHAPES, (True,)):
            self.report.add_memory(memory.used(case.cell, case))

    def measure(self, case: Case, runs: Iterable[Contender]) -> None:
        """Measures the runs of one case, ours first; one that cannot be made or called is left out, in words."""
        clock = measure.clock_of(case.threads)
        ready: dict[str, measure.Turn] = {}
        tables: dict[str, str] = {}
        for contender in runs:
            if self.passed > 1 and not contender.repeated:
                continue
            try:
                torch.manual_seed(0)
                ready[contender.name] = measure.turn_of(contender.make(), clock)
                tables[contender.name] = contender.table
            except Exception as error:  # whatever a peer does, the others are measured
                where = "" if isinstance(error, SkippedError) else f"{case.cell} {case.shape}, {contender.table}, "
                self.report.skip(f"{where}{contender.name}: {error}")
        if peers.OWN in ready:
            timings = measure.interleaved(ready, clock, self.seconds, self.rounds)
            engines = {peers.OWN: peers.engine(case)}
            self.report.add(rows(self.passed, case, timings, tables, engines, self.peak[case.threads]))

    def tell(self) -> None:
        """Writes the summary, and draws the pictures where matplotlib is installed."""
        report = self.report
        if importlib.util.find_spec("matplotlib") is None:
            report.skip("pictures: matplotlib is not installed: pip install 'rnnspec[plot]'")
        else:
            picture.ratio_picture(report.rows, report.machine, report.folder / "ratios.png")
            picture.growth_picture(report.rows, report.machine, report.folder / "growth.png")
        report.save()
        (report.folder / "summary.md").write_text(summary_of(report), "utf-8")


def main(command_line: Sequence[str] | None = None) -> None:
    """Runs the command.

    Args:
        command_line: Instead of the command line's.
    """
    benchmark = Benchmark(arguments().parse_args(command_line))
    benchmark.run()
    print(f"written to {benchmark.report.folder}: read summary.md first")


if __name__ == "__main__":
    main()

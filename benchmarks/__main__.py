"""The command: measures, writes the CSV and draws the pictures. See README.md beside this file."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch

from benchmarks import machine, measure, peers, picture
from benchmarks.peers import Case, Run
from benchmarks.report import Report, overall, rows
from benchmarks.shapes import CELLS, QUICK, SHAPES, curves

RESULTS = Path(__file__).parent / "results"


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="how fast the layers are")
    parser.add_argument("--quick", action="store_true", help="tiny shapes and few rounds: shows that it works")
    parser.add_argument("--cells", nargs="+", default=CELLS, choices=CELLS)
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--tables", nargs="+", default=TABLES, choices=TABLES)
    parser.add_argument("--seconds", type=float, help="how long each case is measured (default 3; quick: none)")
    parser.add_argument("--compile", action="store_true", help="measure torch.compile of the step loop too (slow)")
    parser.add_argument("--out", type=Path, help="folder for the results (default benchmarks/results)")
    return parser


class Benchmark:
    """One run of the program: what it was asked for, and what it found."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.asked = arguments
        self.quick = arguments.quick
        default = 0.0 if self.quick else 3.0
        self.seconds = default if arguments.seconds is None else arguments.seconds
        folder = arguments.out or (RESULTS / "quick" if self.quick else RESULTS)
        self.report = Report(folder, machine.describe())
        self.peak: dict[int, float] = {}

    def run(self) -> None:
        """Measures every table with every number of threads, and draws."""
        before = torch.get_num_threads()
        try:
            for threads in self.asked.threads:
                torch.set_num_threads(threads)
                found = machine.peak(measure.clock_of(threads), min(self.seconds, 1), 32 if self.quick else 1024)
                self.peak[threads] = max(found.values())
                self.report.machine["peak_gflops"][f"{threads} thread(s)"] = found
                self.report.save()
                for table in self.asked.tables:
                    TABLES[table](self, threads)
        finally:
            torch.set_num_threads(before)
        self.draw()

    def cases(self, threads: int) -> Iterable[Case]:
        """Every cell, shape and phase."""
        for cell in self.asked.cells:
            for training in (True, False):
                for shape in QUICK if self.quick else SHAPES:
                    yield Case(cell, shape, training, threads)

    def peers(self, threads: int) -> None:
        """Our layer beside the others."""
        for case in self.cases(threads):
            self.measure("peers", case, peers.peer_runs(case, self.asked.compile))

    def options(self, threads: int) -> None:
        """Our layer with each option beside the plain one."""
        for case in self.cases(threads):
            self.measure("options", case, peers.option_runs(case))

    def growth(self, threads: int) -> None:
        """Our LSTM and torch's along each size."""
        for size, shapes in curves(self.quick).items():
            for training in (True, False):
                for shape in shapes:
                    case = Case("LSTM", shape, training, threads)
                    runs = [pair for pair in peers.peer_runs(case) if pair[0] in ("own", "torch.nn")]
                    self.measure(f"growth {size}", case, runs)
        for size, run, phase in {(r.table, r.run, r.phase) for r in self.report.rows if r.table.startswith("growth")}:
            line = [r for r in self.report.rows if (r.table, r.run, r.phase, r.threads) == (size, run, phase, threads)]
            name = size.partition(" ")[2]
            if len(line) > 1 and all(row.ms > 0 for row in line):
                power = measure.exponent([getattr(row, name) for row in line], [row.ms for row in line])
                self.report.machine["exponents"][f"{name}, {run}, {phase}, {threads}"] = round(power, 3)

    def measure(self, table: str, case: Case, runs: Iterable[tuple[str, Callable[[], Run]]]) -> None:
        """Measures the runs of one case; one that cannot be made or called is left out, in words."""
        ready: dict[str, Run] = {}
        for name, make in runs:
            try:
                torch.manual_seed(0)
                run = make()
                run()
            except Exception as error:  # whatever a peer does, the others are measured
                where = "" if isinstance(error, peers.SkippedError) else f"{case.cell} {case.shape}, {table}, "
                self.report.skip(f"{where}{name}: {error}")
            else:
                ready[name] = run
        if not ready:
            return
        timings = measure.interleaved(ready, measure.clock_of(case.threads), self.seconds)
        engines = {name: peers.engine(case, name) for name in timings if table == "options" or name == "own"}
        engines |= {name: "steps" for name in timings if name.endswith("steps")}
        self.report.add(rows(table, case, timings, engines, self.peak[case.threads]))

    def draw(self) -> None:
        """Writes and prints what the ratios come to, and draws the pictures where matplotlib is installed."""
        report = self.report
        report.machine["overall"] = overall(report.rows)
        for name, found in report.machine["overall"].items():
            print(f"{name}: geometric mean {found['geometric_mean']:.2f}, worst {found['worst']:.2f}")
        report.save()
        if importlib.util.find_spec("matplotlib") is None:
            report.skip("pictures: matplotlib is not installed: pip install 'rnnspec[plot]'")
            return
        picture.ratio_picture(report.rows, report.machine, report.folder / "ratios.png")
        exponents = report.machine["exponents"]
        picture.growth_picture(report.rows, report.machine, exponents, report.folder / "growth.png")


TABLES = {"peers": Benchmark.peers, "options": Benchmark.options, "growth": Benchmark.growth}


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command.

    Args:
        arguments: Instead of the command line's.
    """
    benchmark = Benchmark(options().parse_args(arguments))
    benchmark.run()
    print(f"written to {benchmark.report.folder}")


if __name__ == "__main__":
    main()

"""The benchmarks: medians on a clock that the tests move, and one tiny run."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from benchmarks import __main__ as command, bounds, measure, memory, options, peers, report, steps, summary
from benchmarks.cases import Case, Contender, Run, SkippedError
from benchmarks.shapes import LARGE, Shape, curves, flops

ROOT = Path(__file__).resolve().parent.parent
SAVED = (("own", 0.4), ("torch.nn", 1.0))
CASE = Case("LSTM", Shape(2, 3, 4, 5), training=True, threads=1)


class Clock:
    """A clock that stands still until a run moves it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.log: list[str] = []

    def __call__(self) -> float:
        return self.now

    def run(self, name: str, *seconds: float) -> Callable[[], object]:
        """A run that takes these times, again and again."""

        def call() -> None:
            self.now += seconds[self.log.count(name) % len(seconds)]
            self.log.append(name)

        return call


def turns(**runs: Callable[[], object]) -> dict[str, measure.Turn]:
    """One call a turn."""
    return {name: measure.Turn(run, 1) for name, run in runs.items()}


def test_the_runs_have_their_turns_in_rounds() -> None:
    clock = Clock()
    runs = turns(a=clock.run("a", 1.0), b=clock.run("b", 2.0))
    found = measure.interleaved(runs, clock, 0.0, 5, wall=clock)

    assert clock.log == ["a", "b"] * 5
    assert found == {"a": [1.0] * 5, "b": [2.0] * 5}


def test_a_run_that_has_had_its_time_leaves_the_rounds_to_the_others_and_the_first() -> None:
    clock = Clock()
    runs = turns(own=clock.run("own", 1.0), slow=clock.run("slow", 4.0), fast=clock.run("fast", 2.0))
    found = measure.interleaved(runs, clock, 8.0, 1, wall=clock)

    assert {name: len(times) for name, times in found.items()} == {"own": 4, "slow": 2, "fast": 4}


def test_a_run_alone_goes_on_until_its_time_is_over() -> None:
    clock = Clock()
    found = measure.interleaved(turns(a=clock.run("a", 1.0)), clock, 8.0, 5, wall=clock)

    assert len(found["a"]) == 8


def test_a_short_call_is_repeated_within_a_turn() -> None:
    clock = Clock()
    turn = measure.turn_of(clock.run("a", 0.1, *[0.0024] * 9), clock)

    assert turn.calls == 4
    assert turn.seconds(clock) == pytest.approx(0.0024)


def test_a_long_call_is_called_twice_to_see_how_long_it_is() -> None:
    clock = Clock()

    assert measure.turn_of(clock.run("a", 1.0), clock).calls == 1
    assert clock.log == ["a", "a"]


def test_what_the_first_call_loads_does_not_make_a_call_a_long_one() -> None:
    clock = Clock()

    assert measure.turn_of(clock.run("a", 1.0, *[0.0024] * 9), clock).calls == 4


def test_a_ratio_is_taken_within_each_round() -> None:
    # The second round met a slow moment: it doubles both, and the ratio stays.
    assert measure.ratio([1.0, 2.0, 1.0, 1.5, 0.5], [2.0, 4.0, 2.0, 2.0, 2.0]) == (0.5, 0.5, 0.5)
    assert measure.ratio([1, 2, 3, 4, 5], [1, 1, 1, 1, 1]) == (3, 2, 4)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_exponent_is_the_power_of_growth(power: float) -> None:
    sizes = [1, 10, 100]

    assert measure.exponent(sizes, [3 * size**power for size in sizes]) == pytest.approx(power)


def test_flops_are_those_of_the_matrix_products() -> None:
    assert flops("LSTM", CASE.shape, training=False) == 2 * 2 * 3 * (4 + 5) * 4 * 5
    assert flops("GRU", CASE.shape, training=True) == 3 * 2 * 2 * 3 * (4 + 5) * 3 * 5


def rows(tables: dict[str, str], seconds: dict[str, float], case: Case = CASE, passed: int = 1) -> list[report.Row]:
    """The rows of a case in which every round took the same time; the run "own" is the first."""
    tables, seconds = {"own": "peers", **tables}, {"own": 1.0, **seconds}
    return [*report.rows(passed, case, {name: [time] * 5 for name, time in seconds.items()}, tables, {}, 100.0)]


@pytest.mark.parametrize(
    ("table", "ratio"),
    [("peers", 0.5), ("growth time", 0.5), ("options", 2.0), ("ragged", 2.0), ("variants", 0.25)],
)
def test_a_row_compares_ours_with_a_peer_an_option_with_ours_and_a_variant_with_torch(table: str, ratio: float) -> None:
    found = rows({"torch.nn": "peers", "other": table}, {"torch.nn": 8.0, "other": 2.0})

    assert [row.ratio for row in found] == [1.0, 0.125, ratio]


def test_a_row_tells_how_fast_the_products_are() -> None:
    (row,) = rows({}, {"own": 0.001})

    assert row.ms == 1.0
    assert row.gflops == pytest.approx(flops("LSTM", CASE.shape, training=True) / 1e6)


def two_passes(ratios: dict[Shape, tuple[float, float]]) -> list[report.Row]:
    """Rows of two passes over some shapes, in which ours takes these parts of torch's time."""
    return [
        row
        for passed in (1, 2)
        for shape, found in ratios.items()
        for row in rows(
            {"torch.nn": "peers"}, {"torch.nn": 1 / found[passed - 1]}, Case("LSTM", shape, True, 1), passed
        )
    ]


def test_the_ratios_of_all_shapes_come_to_a_mean_of_the_passes_and_the_worst_shape() -> None:
    small, large = Shape(1, 1, 1, 1), Shape(2, 2, 2, 2)
    ((group, found),) = report.overall(two_passes({small: (0.25, 0.5), large: (1.0, 2.0)})).items()

    assert group == ("peers", "LSTM", "training", 1, "torch.nn")
    assert found[:4] == pytest.approx((0.75, 0.5, 1.0, 1.5))
    assert found.where == large


@pytest.mark.parametrize(("ratio", "met"), [(0.59, [True, True]), (0.7, [False, True]), (0.95, [False, False])])
def test_a_bound_is_met_or_missed(tmp_path: Path, ratio: float, met: list[bool]) -> None:
    made = report.Report(tmp_path, {})
    made.add(two_passes({CASE.shape: (ratio, ratio)}))

    assert [verdict.met for verdict in bounds.verdicts(made)] == met


def test_a_bound_without_a_mean_is_held_against_the_worst_of_all_cells(tmp_path: Path) -> None:
    made = report.Report(tmp_path, {})
    for cell, seconds in (("LSTM", 1.0), ("GRU", 1.2)):
        made.add(rows({"mask": "options"}, {"mask": seconds}, Case(cell, CASE.shape, True, 2)))

    assert [*bounds.verdicts(made)] == [
        ("mask / plain: worst of all", "2", "1.20: GRU, training, at 2x3x4x5", "1.10", False)
    ]


def test_rates_growth_and_memory_have_bounds(tmp_path: Path) -> None:
    made = report.Report(tmp_path, {})
    made.add(rows({}, {"own": flops("LSTM", LARGE, True) / 80e9}, Case("LSTM", LARGE, True, 1)))
    for time in (10, 1000):
        made.add(rows({"own": "growth time"}, {"own": float(time**2)}, Case("LSTM", Shape(1, time, 1, 1), True, 1)))
    made.add_memory(memory.Memory("LSTM", "1x1x1x1", run, 1.0, saved, 0.0, 0.0, 0.0) for run, saved in SAVED)

    assert [(verdict.found, verdict.met) for verdict in bounds.verdicts(made)] == [
        ("80%", True),
        ("2.000", False),
        ("0.40 at 1x1x1x1", True),
        ("0.0 MB at 1x1x1x1", True),
    ]


def test_what_is_saved_counts_every_storage_once_and_not_what_is_alive() -> None:
    x, weight = torch.randn(10, requires_grad=True), torch.randn(10, requires_grad=True)

    def call() -> torch.Tensor:
        # Multiplication keeps what it multiplies: x and the weight, their product twice, the sines.
        product = x * weight
        return (product.sin() * product).exp()

    assert memory.saved_bytes(call, [x, weight]) == 2 * 10 * 4


def test_ours_keeps_a_fraction_of_what_torch_keeps() -> None:
    ours, theirs = memory.used("LSTM", Case("LSTM", Shape(8, 50, 32, 32), training=True, threads=1))

    assert (ours.run, theirs.run) == ("own", "torch.nn")
    assert 0 < ours.saved < theirs.saved
    assert ours.output == theirs.output == 8 * 50 * 32 * 4 / 2**20


@pytest.mark.parametrize("size", ["time", "batch", "units"])
def test_a_curve_changes_one_size(size: str) -> None:
    shapes = curves()[size]

    assert len({shape._replace(**{size: 0}) for shape in shapes}) == 1
    assert len({*shapes}) == len(shapes)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("cell", ["LSTM", "GRU", "SimpleRNN"])
def test_options_and_ragged_batches_run(cell: str, training: bool) -> None:
    case = Case(cell, CASE.shape, training, threads=1)

    for contender in (*options.options(case), *options.ragged(case)):
        contender.make()()


@pytest.mark.parametrize("cell", ["LSTM", "GRU", "SimpleRNN"])
def test_single_steps_and_streams_run(cell: str) -> None:
    case = Case(cell, Shape(1, 1, 4, 5), training=False, threads=1)

    for contender in (*steps.single(case), *steps.streams(case)):
        contender.make()()


def test_a_peer_that_fails_is_left_out_in_words(tmp_path: Path) -> None:
    def missing() -> Run:
        raise SkippedError("keras is not installed")

    def broken() -> Run:
        raise ValueError("no such thing")

    benchmark = command.Benchmark(command.arguments().parse_args(["--quick", "--out", str(tmp_path)]))
    benchmark.peak[1] = 1.0
    makes = {"own": lambda: peers.own(CASE), "keras": missing, "other": broken}
    benchmark.measure(CASE, [Contender("peers", name, make) for name, make in makes.items()])

    assert benchmark.report.machine["skipped"] == [
        "keras: keras is not installed",
        "LSTM 2x3x4x5, peers, other: no such thing",
    ]
    assert [row.run for row in benchmark.report.rows] == ["own"]


def test_a_slow_peer_takes_part_in_the_first_pass_alone(tmp_path: Path) -> None:
    benchmark = command.Benchmark(command.arguments().parse_args(["--quick", "--out", str(tmp_path)]))
    benchmark.peak[1], benchmark.passed = 1.0, 2
    own = Contender("peers", "own", lambda: peers.own(CASE))
    benchmark.measure(CASE, [own, Contender("peers", "slow", lambda: peers.own(CASE), repeated=False)])

    assert [(row.passed, row.run) for row in benchmark.report.rows] == [(2, "own")]


@pytest.mark.slow
def test_a_quick_run_writes_the_tables_the_machine_and_the_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "keras_run", peers.torch_run)
    monkeypatch.setattr(measure, "LEAST", 0.0)
    command.main(["--quick", "--cells", "LSTM", "--threads", "1", "--out", str(tmp_path)])

    with (tmp_path / "results.csv").open(encoding="utf-8") as file:
        found = [*csv.DictReader(file)]
    machine = json.loads((tmp_path / "machine.json").read_text("utf-8"))
    tables = {"peers", "variants", "options", "ragged", "small calls", "streaming", "growth time", "growth batch"}
    assert {row["table"] for row in found} >= tables
    assert {row["run"] for row in found if row["table"] == "peers"} >= {"own", "torch.nn", "Keras 3 on torch"}
    assert all(row["engine"] for row in found if row["run"] == "own")
    assert machine["torch"] == torch.__version__
    assert set(machine["peak_gflops"]) == {"1 thread"}
    if shutil.which("cc"):
        assert machine["peak_gflops"]["1 thread"]["own tile"] > 0
    told = (tmp_path / "summary.md").read_text("utf-8")
    for title in summary.TITLES.values():
        assert f"## {title}" in told
    assert (tmp_path / "memory.csv").read_text("utf-8").count("\n") == 5
    assert {path.name for path in tmp_path.glob("*.png")} == {"ratios.png", "growth.png"}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in tmp_path.glob("*.png"))


def test_the_command_tells_its_options() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "--quick" in shown.stdout

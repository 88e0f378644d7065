"""The benchmarks: medians on a clock that the tests move, and one tiny run."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import __main__ as command, measure, peers, report
from benchmarks.peers import Case
from benchmarks.shapes import Shape, curves, flops

ROOT = Path(__file__).resolve().parent.parent
CASE = Case("LSTM", Shape(2, 3, 4, 5), training=True, threads=1)


class Clock:
    """A clock that stands still until a run moves it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.log: list[str] = []

    def __call__(self) -> float:
        return self.now

    def run(self, name: str, *seconds: float) -> object:
        """A run that takes these times, again and again."""

        def call() -> None:
            self.now += seconds[self.log.count(name) % len(seconds)]
            self.log.append(name)

        return call


def test_the_runs_have_their_turns_in_rounds() -> None:
    clock = Clock()
    runs = {"a": clock.run("a", 1.0), "b": clock.run("b", 2.0)}
    found = measure.interleaved(runs, clock, 0.0, wall=clock)  # type: ignore[arg-type]

    # Three calls each to warm up, then five rounds.
    assert clock.log == ["a"] * 3 + ["b"] * 3 + ["a", "b"] * 5
    assert found == {"a": [1.0] * 5, "b": [2.0] * 5}


def test_a_short_call_is_repeated_within_a_turn() -> None:
    clock = Clock()
    found = measure.interleaved({"a": clock.run("a", 0.0025)}, clock, 0.0, wall=clock)  # type: ignore[dict-item]

    assert len(clock.log) == 3 + 5 * 4
    assert found["a"] == pytest.approx([0.0025] * 5)


def test_rounds_go_on_until_the_time_is_over() -> None:
    clock = Clock()
    found = measure.interleaved({"a": clock.run("a", 1.0)}, clock, 8.0, wall=clock)  # type: ignore[dict-item]

    assert len(found["a"]) == 8


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


def test_a_row_compares_ours_with_the_peer_and_an_option_with_the_plain_run() -> None:
    peer, option = (
        [*report.rows(table, CASE, {first: [0.001] * 5, "other": [0.002] * 5}, {first: "steps"}, 100.0)]
        for table, first in (("peers", "own"), ("options", "plain"))
    )

    assert [row.ratio for row in peer] == [1.0, 0.5]
    assert [row.ratio for row in option] == [1.0, 2.0]
    assert [row.engine for row in peer] == ["steps", ""]
    assert [row.ms for row in peer] == [1.0, 2.0]
    assert peer[0].gflops == pytest.approx(flops("LSTM", CASE.shape, training=True) / 1e6)


def test_the_ratios_of_all_shapes_come_to_a_geometric_mean_and_the_worst() -> None:
    found = [
        row
        for seconds in (0.5, 2.0)
        for row in report.rows("peers", CASE, {"own": [1.0] * 5, "other": [seconds] * 5}, {}, 100.0)
    ]

    assert report.overall(found) == {"peers, LSTM, training, 1, other": {"geometric_mean": 1.0, "worst": 2.0}}


@pytest.mark.parametrize("size", ["time", "batch", "units"])
def test_a_curve_changes_one_size(size: str) -> None:
    shapes = curves()[size]

    assert len({shape._replace(**{size: 0}) for shape in shapes}) == 1
    assert len({*shapes}) == len(shapes)


@pytest.mark.parametrize("option", peers.OPTIONS)
def test_every_option_runs(option: str) -> None:
    peers.with_option(Case("GRU", CASE.shape, training=True, threads=1), option)()


def test_a_peer_that_fails_is_left_out_in_words(tmp_path: Path) -> None:
    def missing() -> peers.Run:
        raise peers.SkippedError("keras is not installed")

    def broken() -> peers.Run:
        raise ValueError("no such thing")

    benchmark = command.Benchmark(command.options().parse_args(["--quick", "--out", str(tmp_path)]))
    benchmark.peak[1] = 1.0
    benchmark.measure("peers", CASE, [("own", lambda: peers.own(CASE)), ("keras", missing), ("other", broken)])

    assert benchmark.report.machine["skipped"] == [
        "keras: keras is not installed",
        "LSTM 2x3x4x5, peers, other: no such thing",
    ]
    assert [row.run for row in benchmark.report.rows] == ["own"]


def test_a_quick_run_writes_the_table_the_machine_and_the_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "keras_layer", peers.torch_layer)
    monkeypatch.setattr(measure, "TURN", 0.0)
    command.main(["--quick", "--cells", "SimpleRNN", "--threads", "1", "--out", str(tmp_path)])

    with (tmp_path / "results.csv").open(encoding="utf-8") as file:
        rows = [*csv.DictReader(file)]
    machine = json.loads((tmp_path / "machine.json").read_text("utf-8"))
    assert {row["table"] for row in rows} == {"peers", "options", "growth time", "growth batch"}
    assert {row["run"] for row in rows if row["table"] == "peers"} >= {"own", "torch.nn", "Keras 3 on torch"}
    assert all(row["engine"] for row in rows if row["run"] == "own")
    assert machine["torch"] == torch.__version__
    assert set(machine["peak_gflops"]) == {"1 thread(s)"}
    assert {path.name for path in tmp_path.glob("*.png")} == {"ratios.png", "growth.png"}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in tmp_path.glob("*.png"))


def test_the_command_tells_its_options() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "--quick" in shown.stdout

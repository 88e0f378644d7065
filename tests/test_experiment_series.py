"""Splitting and standardising."""

from __future__ import annotations

import numpy as np
import pytest
from experiment_cases import tiny, use_tiny

import rnnspec
from rnnspec import DataError
from rnnspec.experiment.data import prepared_data
from rnnspec.experiment.series import Series


def test_validation_takes_its_share_from_the_training_split_alone() -> None:
    data = tiny()

    split = data.validated(0.25, seed=1)

    assert split.validation is not None
    assert (len(split.train), len(split.validation), len(split.test)) == (20, 7, 18)
    first = {float(x[0, 0]) for x in data.train.x}
    assert {float(x[0, 0]) for x in [*split.train.x, *split.validation.x]} == first


def test_labels_follow_their_sequences() -> None:
    data = tiny()
    label = {float(x[0, 0]): y for x, y in zip(data.train.x, data.train.y, strict=True)}  # type: ignore[arg-type]

    part = data.validated(0.25, seed=1).validation

    assert part is not None
    assert part.y is not None
    assert [label[float(x[0, 0])] for x in part.x] == part.y.tolist()


def test_the_seed_draws_the_split() -> None:
    def drawn(seed: int) -> list[float]:
        part = tiny().validated(0.25, seed).validation
        assert part is not None
        return [float(x[0, 0]) for x in part.x]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_a_share_of_zero_keeps_none() -> None:
    assert tiny().validated(0.0, seed=1).validation is None


@pytest.mark.parametrize(("share", "count"), [(0.01, 0), (0.99, 27)])
def test_a_share_without_sequences_is_refused(share: float, count: int) -> None:
    with pytest.raises(DataError) as raised:
        tiny().validated(share, seed=1)

    assert str(raised.value) == f"validation_split {share} of 27 sequences keeps {count} for validation"


def test_validation_is_standardised_by_the_rest_of_the_training_split() -> None:
    data = tiny().validated(0.25, seed=1)

    done = data.standardized()

    assert done.validation is not None
    assert data.validation is not None
    assert done.standardizer is not None
    steps = np.concatenate(data.train.x)
    assert done.standardizer.mean == pytest.approx(steps.mean(axis=0), abs=1e-6)
    expected = (data.validation.x[0] - done.standardizer.mean) / done.standardizer.scale
    assert done.validation.x[0] == pytest.approx(expected, abs=1e-5)


def test_classes_of_steps_follow_their_sequences() -> None:
    tokens = Series([np.array([1, 2]), np.array([3]), np.array([4])], [np.array([5, 6]), np.array([7]), np.array([8])])

    part = tokens[np.array([2, 0])]

    assert [x.tolist() for x in part.x] == [[1, 2], [4]]
    assert part.y is not None
    assert [y.tolist() for y in part.y] == [[5, 6], [8]]
    assert part.channels is None


@pytest.mark.parametrize("standardize", [True, False])
def test_the_data_are_standardised_where_the_experiment_asks_for_it(
    standardize: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_tiny(monkeypatch)
    text = f"model: [GRU: {{units: 9}}]\ndata: {{JapaneseVowels: {{standardize: {str(standardize).lower()}}}}}"

    data = prepared_data(rnnspec.loads(text), seed=1)  # type: ignore[arg-type]

    assert (data.standardizer is not None) is standardize
    assert bool(abs(np.concatenate(data.train.x).mean()) < 1e-6) is standardize

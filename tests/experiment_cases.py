"""A tiny stand-in for JapaneseVowels, and experiments on it that train within a second."""

from __future__ import annotations

from typing import ClassVar, cast

import numpy as np
import pytest

import rnnspec
from rnnspec.config.experiment import DataConfig, ExperimentConfig
from rnnspec.experiment import data
from rnnspec.experiment.series import DataSet, Series
from rnnspec.registry import DATASETS

CLASSES = tuple("123456789")
MODEL = "[GRU: {units: 4}, Dense: {units: 9}]"


def series(count: int, seed: int) -> Series:
    """Sequences of 2 to 6 steps and 12 channels, whose first channels tell their class."""
    random = np.random.default_rng(seed)
    y = np.arange(count) % 9
    x = [random.normal(size=(2 + i % 5, 12)).astype(np.float32) for i in range(count)]
    for sequence, label in zip(x, y, strict=True):
        sequence[:, label] += 3
    return Series(x, y.astype(np.int64), CLASSES)


def tiny() -> DataSet:
    """27 sequences to train on, 18 to test on."""
    return DataSet(series(27, seed=1), series(18, seed=2))


def use_tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the stand-in where the data set is."""
    monkeypatch.setitem(data._READERS, "JapaneseVowels", tiny)


class PairsConfig(DataConfig):
    """A data set of two classes."""

    identifier: ClassVar[str] = "Pairs"
    channels: ClassVar[int] = 12
    classes: ClassVar[int | None] = 2


class NumbersConfig(DataConfig):
    """A data set whose targets are three numbers."""

    identifier: ClassVar[str] = "Numbers"
    channels: ClassVar[int] = 12
    targets: ClassVar[int] = 3


def use_other_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Adds data sets of two classes and of numbers."""
    added = {"Pairs": PairsConfig, "Numbers": NumbersConfig}
    monkeypatch.setattr(DATASETS, "_builtin", {**DATASETS._builtin, **added})


def experiment(
    model: str = MODEL, train: str = "epochs: 2, seed: 3", more: str = "metrics: [Accuracy]"
) -> ExperimentConfig:
    """The config of an experiment."""
    text = f"data: JapaneseVowels\nmodel: {model}\ntrain: {{{train}}}\n{more}"
    return cast(ExperimentConfig, rnnspec.loads(text))

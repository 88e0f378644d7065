"""A tiny stand-in for JapaneseVowels, and experiments on it that train within a second."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

import rnnspec
from rnnspec.config.experiment import ExperimentConfig
from rnnspec.experiment import data
from rnnspec.experiment.series import DataSet, Series

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


def experiment(
    model: str = MODEL, train: str = "epochs: 2, seed: 3", more: str = "metrics: [Accuracy]"
) -> ExperimentConfig:
    """The config of an experiment."""
    text = f"data: JapaneseVowels\nmodel: {model}\ntrain: {{{train}}}\n{more}"
    return cast(ExperimentConfig, rnnspec.loads(text))

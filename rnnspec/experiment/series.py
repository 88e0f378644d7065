"""Sequences and their labels as NumPy arrays: the structure that every data set and every user's file becomes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rnnspec.errors import DataError

__all__ = ["SPLITS", "DataSet", "Floats", "Series", "Standardizer"]

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]

SPLITS = ("train", "test", "validation")
"""The parts of a data set, in the order of metrics.csv."""


@dataclass(frozen=True, eq=False)
class Series:
    """Sequences of any lengths, of steps with the same channels or of tokens.

    Attributes:
        x: One array a sequence, shape `(time, channels)`; or `(time,)` where a step is a token, a number from 1.
        y: The class of each sequence, shape `(sequences,)`, counted from 0; or of each step, an array `(time,)` a
            sequence; None where it is unknown.
        classes: The label of each class; empty where none are named.
    """

    x: list[Floats] | list[Numbers]
    y: Numbers | list[Numbers] | None = None
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, indices: Numbers) -> Series:
        """The sequences with these indices, in the same order as they stand in the series."""
        chosen = np.sort(indices)
        y = [self.y[i] for i in chosen] if isinstance(self.y, list) else self.y if self.y is None else self.y[chosen]
        return replace(self, x=[self.x[i] for i in chosen], y=y)

    @property
    def channels(self) -> int | None:
        """The number of channels of every step; None where a step is a token."""
        return self.x[0].shape[1] if self.x[0].ndim == 2 else None

    @property
    def lengths(self) -> list[int]:
        """The number of steps of each sequence."""
        return [len(sequence) for sequence in self.x]


@dataclass(frozen=True, eq=False)
class Standardizer:
    """Shifts and scales each channel: `(x - mean) / scale`.

    Attributes:
        mean: One number a channel, shape `(channels,)`.
        scale: One number a channel, shape `(channels,)`, never 0.
    """

    mean: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]

    @classmethod
    def fit(cls, series: Series) -> Standardizer:
        """Takes mean and standard deviation over all steps of all sequences; a constant channel keeps its scale.

        Args:
            series: The training sequences, and only these: the test split must not be looked at.

        Returns:
            The standardizer.
        """
        steps = np.concatenate(series.x).astype(np.float64)
        deviation = steps.std(axis=0)
        return cls(steps.mean(axis=0), np.where(deviation == 0, 1.0, deviation))

    def __call__(self, series: Series) -> Series:
        """Returns the same sequences, shifted and scaled, in float32."""
        return replace(series, x=[((x - self.mean) / self.scale).astype(np.float32) for x in series.x])

    def to_dict(self) -> dict[str, list[float]]:
        """The numbers as plain lists, exact in JSON."""
        return {"mean": self.mean.tolist(), "scale": self.scale.tolist()}

    @classmethod
    def from_dict(cls, data: dict[str, Any], channels: int | None) -> Standardizer:
        """Makes a standardizer from what `to_dict` gave.

        Args:
            data: The numbers by name.
            channels: How many there must be of each.

        Returns:
            The standardizer.

        Raises:
            ValueError: If they are no finite numbers, one a channel, or a scale is 0.
        """
        mean, scale = (np.array(data[name], dtype=np.float64) for name in ("mean", "scale"))
        if not mean.shape == scale.shape == (channels,) or not np.isfinite([mean, scale]).all() or not scale.all():
            raise ValueError("expected a finite mean and a scale for each channel")
        return cls(mean, scale)


@dataclass(frozen=True, eq=False)
class DataSet:
    """What an experiment trains on and is measured on.

    Attributes:
        train: The training sequences.
        test: The test sequences; they are only measured, nothing is chosen by them.
        validation: Sequences that were taken from the training split to be measured, None for none.
        standardizer: What has been applied to all of them, None for nothing.
    """

    train: Series
    test: Series
    validation: Series | None = None
    standardizer: Standardizer | None = None

    def validated(self, share: float, seed: int) -> DataSet:
        """The same data with a part of the training sequences, drawn at random, kept for validation.

        Args:
            share: How much of the training split, from 0 to below 1; 0 keeps none.
            seed: Of the draw.

        Returns:
            The data.

        Raises:
            DataError: If the share is so small that it holds no sequence, or so large that it leaves none.
        """
        if share == 0:
            return self
        count = round(share * len(self.train))
        if not 0 < count < len(self.train):
            raise DataError(f"validation_split {share} of {len(self.train)} sequences keeps {count} for validation")
        order = np.random.default_rng(seed).permutation(len(self.train))
        return replace(self, train=self.train[order[count:]], validation=self.train[order[:count]])

    def standardized(self) -> DataSet:
        """The same data with channels of mean 0 and deviation 1 over the training steps."""
        apply = Standardizer.fit(self.train)
        validation = None if self.validation is None else apply(self.validation)
        return DataSet(apply(self.train), apply(self.test), validation, apply)

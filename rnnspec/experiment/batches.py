"""Sequences become batches: padded at their end with zeros, with a mask that says which steps are real."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Sampler

from rnnspec.experiment.series import Series

__all__ = ["Batch", "LengthGroups", "batches"]

Batch = tuple[Tensor, Tensor, Tensor]
"""`x` (batch, time, channels) float32 or (batch, time) int64, `mask` (batch, time) bool, `y` int64.

`y` is (sequences,), or (sequences, time) where each step has a class. Rows beyond the sequences are padding alone:
there are some only where a batch was filled up.
"""


def batches(
    series: Series,
    batch_size: int,
    *,
    shuffle_seed: int | None = None,
    drop_last: bool = False,
    fill: bool = False,
    group_by_length: bool = False,
) -> DataLoader[tuple[Tensor, Tensor]]:
    """Makes the loader that pads each batch to its longest sequence.

    Args:
        series: The sequences; without labels, `y` of every batch is -1.
        batch_size: Sequences a batch; the last one may be smaller.
        shuffle_seed: Draw a new order every epoch, starting from this seed; None keeps the order of `series`.
        drop_last: Whether a last smaller batch is left out; one batch is always there.
        fill: Whether a smaller batch is filled up to `batch_size` with rows of padding, as a stateful model needs.
        group_by_length: Whether the sequences of a batch have similar lengths: they are sorted by it, and only the
            order of the batches, and that of sequences of one length, is drawn.

    Returns:
        The loader; iterating gives `Batch`es.
    """
    labels = [-1] * len(series) if series.y is None else series.y
    items = [(torch.tensor(x), torch.tensor(y)) for x, y in zip(series.x, labels, strict=True)]
    generator = None if shuffle_seed is None else torch.Generator().manual_seed(shuffle_seed)
    size = min(batch_size, len(items))
    order: dict[str, Any] = {"batch_size": size, "shuffle": generator is not None, "drop_last": drop_last}
    if group_by_length:
        order = {"batch_sampler": LengthGroups(series.lengths, size, drop_last, generator)}
    collate = partial(_pad, rows=batch_size if fill else 0)
    return DataLoader(items, **order, collate_fn=collate, generator=generator)  # type: ignore[arg-type]


class LengthGroups(Sampler[list[int]]):
    """Sorts sequences by their length and cuts them into batches.

    Args:
        lengths: Steps of each sequence.
        batch_size: Sequences a batch.
        drop_last: Whether a batch of fewer sequences, the longest ones, is left out.
        generator: Draws the order of the batches, and that of sequences of one length; None keeps it.
    """

    def __init__(
        self, lengths: Sequence[int], batch_size: int, drop_last: bool, generator: torch.Generator | None
    ) -> None:
        self._lengths = torch.tensor(lengths)
        self._batch_size = batch_size
        self._count = len(lengths) // batch_size if drop_last else math.ceil(len(lengths) / batch_size)
        self._generator = generator

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[list[int]]:
        order = self._order(len(self._lengths))
        order = order[self._lengths[order].argsort(stable=True)]
        for index in self._order(self._count).tolist():
            yield order[index * self._batch_size : (index + 1) * self._batch_size].tolist()

    def _order(self, count: int) -> Tensor:
        drawn = self._generator is not None
        return torch.randperm(count, generator=self._generator) if drawn else torch.arange(count)


def _pad(items: list[tuple[Tensor, Tensor]], rows: int) -> Batch:
    """Makes a batch of at least so many rows."""
    empty = items[0][0][:0]
    sequences = [*(sequence for sequence, _ in items), *[empty] * (rows - len(items))]
    x = pad_sequence(sequences, batch_first=True)
    mask = torch.arange(x.shape[1]) < torch.tensor([len(sequence) for sequence in sequences])[:, None]
    labels = [label for _, label in items]
    return x, mask, pad_sequence(labels, batch_first=True) if labels[0].ndim else torch.stack(labels)

"""Sequences become batches: padded at their end with zeros, with a mask that says which steps are real."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

from rnnspec.experiment.series import Series

__all__ = ["Batch", "batches"]

Batch = tuple[Tensor, Tensor, Tensor]
"""`x` (batch, time, channels) float32, `mask` (batch, time) bool, `y` (batch,) int64."""


def batches(series: Series, batch_size: int, *, shuffle_seed: int | None = None) -> DataLoader[tuple[Tensor, int]]:
    """Makes the loader that pads each batch to its longest sequence.

    Args:
        series: The sequences; without labels, `y` of every batch is -1.
        batch_size: Sequences a batch; the last one may be smaller.
        shuffle_seed: Draw a new order every epoch, starting from this seed; None keeps the order of `series`.

    Returns:
        The loader; iterating gives `Batch`es.
    """
    labels = [-1] * len(series) if series.y is None else series.y.tolist()
    items = [(torch.from_numpy(x.copy()), label) for x, label in zip(series.x, labels, strict=True)]
    shuffle = shuffle_seed is not None
    generator = torch.Generator().manual_seed(shuffle_seed) if shuffle_seed is not None else None
    return DataLoader(items, min(batch_size, len(items)), shuffle, collate_fn=_pad, generator=generator)  # type: ignore[arg-type]


def _pad(items: list[tuple[Tensor, int]]) -> Batch:
    x = pad_sequence([sequence for sequence, _ in items], batch_first=True)
    lengths = torch.tensor([len(sequence) for sequence, _ in items])
    mask = torch.arange(x.shape[1]) < lengths[:, None]
    return x, mask, torch.tensor([label for _, label in items])

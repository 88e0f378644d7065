"""Sequences become batches: padded at their end with zeros, with a mask that says which steps are real."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

from rnnspec.experiment.series import Series

__all__ = ["Batch", "batches"]

Batch = tuple[Tensor, Tensor, Tensor]
"""`x` (batch, time, channels) float32, `mask` (batch, time) bool, `y` (sequences,) int64.

Rows beyond the sequences are padding alone: there are some only where a batch was filled up.
"""


def batches(
    series: Series, batch_size: int, *, shuffle_seed: int | None = None, drop_last: bool = False, fill: bool = False
) -> DataLoader[tuple[Tensor, int]]:
    """Makes the loader that pads each batch to its longest sequence.

    Args:
        series: The sequences; without labels, `y` of every batch is -1.
        batch_size: Sequences a batch; the last one may be smaller.
        shuffle_seed: Draw a new order every epoch, starting from this seed; None keeps the order of `series`.
        drop_last: Whether a last smaller batch is left out; one batch is always there.
        fill: Whether a smaller batch is filled up to `batch_size` with rows of padding, as a stateful model needs.

    Returns:
        The loader; iterating gives `Batch`es.
    """
    labels = [-1] * len(series) if series.y is None else series.y.tolist()
    items = [(torch.from_numpy(x.copy()), label) for x, label in zip(series.x, labels, strict=True)]
    shuffle = shuffle_seed is not None
    generator = torch.Generator().manual_seed(shuffle_seed) if shuffle_seed is not None else None
    return DataLoader(
        items,  # type: ignore[arg-type]
        min(batch_size, len(items)),
        shuffle,
        collate_fn=partial(_pad, rows=batch_size if fill else 0),
        generator=generator,
        drop_last=drop_last,
    )


def _pad(items: list[tuple[Tensor, int]], rows: int) -> Batch:
    """Makes a batch of at least so many rows."""
    empty = items[0][0][:0]
    sequences = [*(sequence for sequence, _ in items), *[empty] * (rows - len(items))]
    x = pad_sequence(sequences, batch_first=True)
    mask = torch.arange(x.shape[1]) < torch.tensor([len(sequence) for sequence in sequences])[:, None]
    return x, mask, torch.tensor([label for _, label in items])

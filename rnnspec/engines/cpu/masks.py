"""Dropout masks by the C library: two dozen operations of torch take longer than a short sequence."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from rnnspec.engines.cpu import library
from rnnspec.engines.cpu.operators import unseen
from rnnspec.engines.request import obstacle

__all__ = ["dropout_mask"]


def dropout_mask(
    seed: Tensor, rate: float, threshold: int, shape: Sequence[int], stream: int, dtype: torch.dtype
) -> Tensor | None:
    """A mask of inverted dropout on the CPU.

    Args:
        seed: Two 32-bit words, int64, `(2,)`.
        rate: Fraction that is dropped.
        threshold: The smallest hash that is kept.
        shape: The mask's shape.
        stream: Masks of one seed but of different streams are independent.
        dtype: The mask's dtype.

    Returns:
        The mask, or None where only torch's own operations will do: without the library, in a graph, ...
    """
    if not unseen((seed,)) or obstacle() is not None or library.unavailable() is not None:
        return None
    if dtype not in (torch.float32, torch.float64) or seed.device.type != "cpu" or not seed.is_contiguous():
        return None
    mask = torch.empty(tuple(shape), dtype=dtype, device="cpu")
    library.load().rnnspec_dropout_mask(
        *(seed.data_ptr(), stream, threshold, 1.0 - rate),
        *(int(dtype is torch.float64), math.prod(shape), mask.data_ptr()),
    )
    return mask

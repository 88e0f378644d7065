"""Dropout masks that are equal on every device, engine and backend.

torch's own generators give other numbers on CUDA than on the CPU, and other numbers again when compiled. So a call
draws one 64-bit seed, on the CPU, and a mask is an integer hash of that seed and of each entry's position, in plain
tensor operations or the same in C: the same seed drops the same units wherever the layer runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from rnnspec.engines.checks import check_mask_count
from rnnspec.engines.cpu.masks import dropout_mask as cpu_mask
from rnnspec.errors import ConfigError

if TYPE_CHECKING:
    from rnnspec.nn.recurrence import Recurrence

__all__ = [
    "InjectedMasks",
    "bell_noise",
    "draw_seed",
    "dropout_mask",
    "dropout_masks",
    "drops",
    "seeded_generator",
    "variational_masks",
]

WORD = 0xFFFFFFFF  # 32 bits; every product below stays under 2**63, so that no int64 overflows
INPUT_STREAM, RECURRENT_STREAM = 1, 2


def drops(rate: float) -> bool:
    """Whether a rate drops anything; Keras 2.0 takes a rate of exactly 1 for no dropout."""
    return 0.0 < rate < 1.0


def draw_seed(generator: torch.Generator | None = None) -> Tensor:
    """Draws the seed of one call.

    Args:
        generator: Where to draw from; torch's global CPU generator by default.

    Returns:
        Two 32-bit words as an int64 tensor, `(2,)`, on the generator's device.
    """
    device = "cpu" if generator is None else generator.device
    return torch.randint(0, WORD + 1, (2,), generator=generator, device=device)


def seeded_generator(seed: int | None) -> torch.Generator | None:
    """A CPU generator for a layer's own seed, or None without one."""
    return None if seed is None else torch.Generator().manual_seed(seed)


def _mix(bits: Tensor) -> Tensor:
    """A 32-bit integer hash in which every input bit changes every output bit about half of the time.

    The multipliers are those of Wellons' and Degski's search for low-bias hashes, both below 2**31.
    """
    bits = (bits ^ (bits >> 16)) * 0x21F0AAAD & WORD
    bits = (bits ^ (bits >> 15)) * 0x735A2D97 & WORD
    return bits ^ (bits >> 15)


def dropout_mask(
    seed: Tensor, rate: float, shape: Sequence[int], *, stream: int = 0, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """A mask of inverted dropout.

    Args:
        seed: From `draw_seed`.
        rate: Fraction that is dropped, in (0, 1).
        shape: The mask's shape.
        stream: Masks of one seed but of different streams are independent.
        dtype: The mask's dtype.
        device: Where to put it.

    Returns:
        A tensor of 0 and 1 / (1 - rate).
    """
    threshold = round(rate * (WORD + 1))
    if device.type == "cpu":
        mask = cpu_mask(seed, rate, threshold, shape, stream, dtype)
        if mask is not None:
            return mask
    # The scale is rounded once, as Keras's division by the kept fraction is.
    return (_words(seed, shape, stream, device) >= threshold).to(dtype).div(1.0 - rate)


def bell_noise(
    seed: Tensor, stddev: float, shape: Sequence[int], *, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """Numbers of a normal distribution around 0; on another device a last digit may differ.

    Args:
        seed: From `draw_seed`.
        stddev: The standard deviation.
        shape: How many.
        dtype: Their dtype.
        device: Where to put them.

    Returns:
        The numbers, all within 6.4 standard deviations.
    """
    # In double precision: there the devices' logarithms agree beyond the digits of any other dtype.
    fractions = (_words(seed, shape, 0, device).double() + 0.5) / (WORD + 1)
    noise: Tensor = torch.special.ndtri(fractions) * stddev
    return noise.to(dtype)


def _words(seed: Tensor, shape: Sequence[int], stream: int, device: torch.device) -> Tensor:
    """32 bits for each position, as int64."""
    low, high = seed.to(device, non_blocking=True).unbind()  # a blocking copy would wait for the device
    position = torch.arange(math.prod(shape), device=device)
    return _mix(_mix(position ^ low) + stream & WORD ^ high).reshape(tuple(shape))


class InjectedMasks(NamedTuple):
    """Masks that stand in for drawn ones; None: drawn as usual."""

    inputs: tuple[Tensor, ...] | None = None
    recurrent: tuple[Tensor, ...] | None = None


def variational_masks(seed: Tensor, rate: float, like: Tensor, width: int, count: int, *, stream: int) -> Tensor:
    """Masks `(count, batch, width)` that are constant over time, one a gate (Gal and Ghahramani, 2016).

    A row's masks do not depend on how many rows follow it.
    """
    shape = (like.shape[0], count, width)
    mask = dropout_mask(seed, rate, shape, stream=stream, dtype=like.dtype, device=like.device)
    return mask.transpose(0, 1).contiguous()


@contextmanager
def dropout_masks(
    layer: Recurrence,
    inputs: Sequence[Tensor] | None = None,
    recurrent: Sequence[Tensor] | None = None,
) -> Iterator[None]:
    """Uses these dropout masks for every call of a layer inside the block.

    They act where dropout would act: in training mode, at a rate above 0. Implementation 2 takes the first of a list.

    Args:
        layer: The recurrent layer.
        inputs: Masks of the input with their scale 1 / (1 - rate), `(batch, features)`, one a gate; None: drawn as
            usual.
        recurrent: Masks of the recurrent product, `(batch, output size)`, one a gate; None: drawn as usual.

    Yields:
        Nothing.

    Raises:
        ConfigError: If it is no recurrent layer.
        ShapeError: If a list has neither one mask nor one a gate.
    """
    if not hasattr(layer, "injected_masks"):
        raise ConfigError(f"dropout_masks takes one recurrent layer, found {type(layer).__name__}")
    for name, masks in (("inputs", inputs), ("recurrent", recurrent)):
        if masks is not None:
            check_mask_count(f"{layer.label}: dropout_masks", name, masks, layer.cell)
    before = layer.injected_masks
    layer.injected_masks = InjectedMasks(
        None if inputs is None else tuple(inputs), None if recurrent is None else tuple(recurrent)
    )
    try:
        yield
    finally:
        layer.injected_masks = before

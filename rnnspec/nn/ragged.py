"""Sequences of many lengths in one call: padded with `lengths`, packed or jagged; what comes out has the same form.

A packed or jagged input is padded, and the output takes its form again. Where an entry stands is computed from the
form itself, never read from a mask, so nothing waits for the device (but a jagged tensor that does not know its longest
length yet). Users never sort.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nested import nested_tensor_from_jagged
from torch.nn.utils.rnn import PackedSequence

from rnnspec.errors import MaskError, ShapeError

__all__ = ["Ragged", "Sequences", "is_ragged", "sequences"]

Ragged: TypeAlias = Tensor | PackedSequence
"""A padded tensor, a packed sequence or a jagged tensor."""


@dataclass(frozen=True)
class Places:
    """Where the entries of a ragged tensor stand in the padded one.

    Attributes:
        rows: Of each entry, `(entries,)`.
        steps: Of each entry, `(entries,)`.
        shape: The padded tensor's `(batch, time)`.
        wrap: Makes a ragged tensor of such entries.
    """

    rows: Tensor
    steps: Tensor
    shape: tuple[int, int]
    wrap: Callable[[Tensor], Ragged]

    def pad(self, values: Tensor, *, time_major: bool) -> Tensor:
        """Puts the entries into a tensor of zeros, `(batch, time, ...)` or `(time, batch, ...)`."""
        shape, index = self.shape, (self.rows, self.steps)
        if time_major:
            shape, index = shape[::-1], index[::-1]
        return values.new_zeros((*shape, *values.shape[1:])).index_put(index, values)

    def take(self, output: Tensor, *, time_major: bool, backwards: bool) -> Ragged:
        """Takes the entries out again; where time runs backwards, the padding stands before them."""
        steps = self.steps
        if backwards:
            lengths = steps.new_zeros(self.shape[0]).index_add(0, self.rows, torch.ones_like(steps))
            steps = steps + (self.shape[1] - lengths)[self.rows]
        return self.wrap(output[steps, self.rows] if time_major else output[self.rows, steps])


@dataclass(frozen=True)
class Sequences:
    """The sequences of a call as one padded tensor, and the way back.

    Attributes:
        x: `(batch, time, ...)`, or `(time, batch, ...)` if asked for.
        real: True at the steps that are there, `(batch, time)` or `(time, batch)`; None where all are.
        time_major: Whether time is the first axis.
        places: The way back to a ragged form; None for a tensor that came padded.
    """

    x: Tensor
    real: Tensor | None = None
    time_major: bool = False
    places: Places | None = None

    def masked(self, mask: Tensor | None) -> Tensor | None:
        """The steps that are there and that a mask calls valid."""
        return mask if self.real is None else self.real if mask is None else mask & self.real

    def restored(self, output: Tensor, *, backwards: bool = False) -> Any:
        """An output for each step, in the form in which the input came.

        Args:
            output: Padded as `x` is.
            backwards: Whether it is in the order of a layer that reads time backwards.

        Returns:
            The output: a tensor, a `PackedSequence` or a jagged tensor.
        """
        if self.places is None:
            return output
        return self.places.take(output, time_major=self.time_major, backwards=backwards)


def is_ragged(x: Any) -> bool:
    """Whether an input is packed or nested."""
    return isinstance(x, PackedSequence) or (isinstance(x, Tensor) and x.is_nested)


def sequences(x: Ragged, lengths: Any, *, label: str, time_major: bool = False) -> Sequences:
    """Brings the input of a call into one padded tensor.

    Args:
        x: A padded tensor, a `PackedSequence`, or a nested tensor of layout `torch.jagged`.
        lengths: Steps of each row of a padded tensor, `(batch,)`: integers, as a tensor or a list. None: all.
        label: What messages call the layer.
        time_major: Whether a padded tensor has time as its first axis.

    Returns:
        The padded input, the steps that are there, and the way back.

    Raises:
        MaskError: If the lengths do not fit; a tensor's values are not looked at.
        ShapeError: If a nested tensor is none of sequences.
    """
    if is_ragged(x):
        if lengths is not None:
            raise MaskError(f"{label} takes lengths beside a padded input, a packed or jagged one has its own")
        values, places = _packed(x) if isinstance(x, PackedSequence) else _jagged(x, label)
        there = torch.ones(values.shape[:1], dtype=torch.bool, device=values.device)
        padded, real = (places.pad(entries, time_major=time_major) for entries in (values, there))
        return Sequences(padded, real, time_major, places)
    assert isinstance(x, Tensor)
    if lengths is None or x.dim() < 2:  # the layer refuses the latter
        return Sequences(x, time_major=time_major)
    time, batch = x.shape[:2] if time_major else (x.shape[1], x.shape[0])
    given = _lengths(lengths, (batch, time), label).to(x.device, non_blocking=True)
    steps = torch.arange(time, device=x.device)
    real = steps[:, None] < given if time_major else steps < given[:, None]
    return Sequences(x, real, time_major)


def _lengths(lengths: Any, shape: tuple[int, int], label: str) -> Tensor:
    batch, time = shape
    try:
        found = torch.as_tensor(lengths)
    except (TypeError, ValueError, RuntimeError):
        raise MaskError(f"{label} takes lengths as a tensor or a list of integers, found {lengths!r}") from None
    if found.shape != (batch,):
        raise MaskError(f"{label} expects lengths of shape (batch,) = ({batch},), found {tuple(found.shape)}")
    if batch and (found.is_floating_point() or found.is_complex() or found.dtype == torch.bool):
        raise MaskError(f"{label} expects lengths that are integers, found {found.dtype}")
    # Of a list the numbers are at hand; those of a tensor may be on a device, and are none in a graph.
    wrong = [] if isinstance(lengths, Tensor) else [length for length in lengths if not 0 <= length <= time]
    if wrong:
        raise MaskError(f"{label} expects lengths from 0 to {time}, the timesteps of the input, found {wrong[0]}")
    return found


def _packed(x: PackedSequence) -> tuple[Tensor, Places]:
    sizes = x.batch_sizes  # rows that are there at each step; always on the host
    steps = torch.arange(len(sizes)).repeat_interleave(sizes)
    rows = torch.arange(len(steps)) - (sizes.cumsum(0) - sizes).repeat_interleave(sizes)
    steps, rows = (place.to(x.data.device, non_blocking=True) for place in (steps, rows))
    if x.sorted_indices is not None:
        rows = x.sorted_indices[rows]

    def wrap(values: Tensor) -> PackedSequence:
        return PackedSequence(values, sizes, x.sorted_indices, x.unsorted_indices)

    return x.data, Places(rows, steps, (int(sizes[0]), len(sizes)), wrap)


def _jagged(x: Any, label: str) -> tuple[Tensor, Places]:
    if x.layout != torch.jagged:
        raise ShapeError(f"{label} takes nested tensors of layout torch.jagged, found {x.layout}")
    if x._ragged_idx != 1:
        raise ShapeError(f"{label} expects a jagged tensor of shape (batch, time, features), found {tuple(x.shape)}")
    x = x.contiguous()  # without holes between the rows
    values, offsets, longest = x.values(), x.offsets(), x._get_max_seqlen()
    entries = torch.arange(len(values), device=offsets.device)
    rows = torch.searchsorted(offsets, entries, right=True) - 1

    def wrap(values: Tensor) -> Tensor:
        # The same offsets: torch then knows that both have the same lengths, and adds them.
        wrapped: Tensor = nested_tensor_from_jagged(values, offsets, max_seqlen=longest)
        return wrapped

    return values, Places(rows, entries - offsets[rows], (len(offsets) - 1, longest), wrap)

"""One call of a layer for a picture: it leaves the layer as it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from rnnspec.errors import ConfigError, Problem
from rnnspec.nn.composite import label_of
from rnnspec.nn.recording import RecordedCall, Trace, record
from rnnspec.nn.recurrence import Recurrence
from rnnspec.nn.wrappers import Bidirectional

__all__ = ["check_recurrent", "recorded", "unchanged"]


@contextmanager
def unchanged(layer: Recurrence) -> Iterator[None]:
    """Puts back what a call leaves in a layer: carried states, and the losses of its outputs."""
    buffers, batch_size, losses = dict(layer._buffers), layer.batch_size, layer._activity_losses
    try:
        yield
    finally:
        layer._buffers.update(buffers)
        layer.batch_size, layer._activity_losses = batch_size, losses


def check_recurrent(layer: Any, what: str, takes: str = "a recurrent layer") -> None:
    """Refuses what is no recurrent layer.

    Args:
        layer: What the user gave.
        what: What asks for a layer.
        takes: What it takes, in words.

    Raises:
        ConfigError: If it is none.
    """
    if isinstance(layer, Recurrence):
        return
    found = label_of(layer) if isinstance(layer, nn.Module) else type(layer).__name__
    halves = "draw one of its halves: forward_layer or backward_layer"
    hint = halves if isinstance(layer, Bidirectional) else None
    raise ConfigError(Problem(f"{what} takes {takes}, found {found}", hint=hint))


def recorded(layer: Any, x: Any, call: Mapping[str, Any], what: str) -> tuple[str, RecordedCall]:
    """What happens in a layer at a call.

    Args:
        layer: A recurrent layer; or its trace, or a call of that.
        x: The input of the layer; None for a trace.
        call: Further arguments of the call.
        what: What asks for it.

    Returns:
        What messages call the layer, and the record.

    Raises:
        ConfigError: If it is none of these, or a trace is given an input.
    """
    if isinstance(layer, (Trace, RecordedCall)):
        if x is not None or call:
            raise ConfigError(f"{what} takes a layer with its input, or a trace alone, which has its call already")
        return (layer.label, layer.call) if isinstance(layer, Trace) else (layer.cell, layer)
    check_recurrent(layer, what, "a recurrent layer or its trace")
    with torch.no_grad(), unchanged(layer), record(layer) as trace:
        layer(x, **call)
    return layer.label, trace.call

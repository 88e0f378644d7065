"""Truncated back-propagation through time: long sequences in chunks, the states carried, the gradients cut."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from rnnspec.errors import ShapeError, StateError
from rnnspec.nn.arguments import check_positive_integer
from rnnspec.nn.states import CarriedStates
from rnnspec.nn.wrappers import Bidirectional

__all__ = ["tbptt"]


def tbptt(model: nn.Module, *sequences: Tensor, steps: int) -> Iterator[tuple[Tensor, ...]]:
    """Cuts sequences into chunks of time, for truncated back-propagation (Williams and Peng, 1990).

    The recurrent layers of the model carry their states from chunk to chunk, whether they are stateful or not, and no
    gradient flows back over a cut. Layers that are not stateful start anew and are left as they were after the loop;
    stateful ones go on from what they carry, as in any call.

    Args:
        model: The model or layer that is called with each chunk in the loop.
        *sequences: Input, targets, mask, ...: `(batch, time, ...)` each, cut at the same steps.
        steps: Steps of a chunk, a positive integer; the last one may be shorter.

    Returns:
        An iterator over tuples: a chunk of each sequence.

    Raises:
        ShapeError: If there is no sequence, or they do not have the same batch size and timesteps.
        StateError: If a layer reads time backwards (it would need the chunks that come later), or is time-major.
        ConfigError: If `steps` is no positive integer.

    Examples:
        >>> import torch
        >>> import rnnspec
        >>> model = rnnspec.nn.LSTM(3, return_sequences=True, input_size=2)
        >>> x, y = torch.zeros(4, 100, 2), torch.zeros(4, 100, 3)
        >>> optimizer = torch.optim.Adam(model.parameters())
        >>> for x_chunk, y_chunk in rnnspec.tbptt(model, x, y, steps=30):
        ...     optimizer.zero_grad()
        ...     torch.nn.functional.mse_loss(model(x_chunk), y_chunk).backward()
        ...     _ = optimizer.step()
    """
    steps = check_positive_integer("steps", steps)
    shapes = {tuple(sequence.shape[:2]) for sequence in sequences}
    if len(shapes) != 1 or any(sequence.dim() < 2 for sequence in sequences):
        found = ", ".join(str(tuple(sequence.shape)) for sequence in sequences) or "none"
        raise ShapeError(f"tbptt takes sequences of one shape (batch, time, ...), found {found}")
    layers = [module for module in model.modules() if isinstance(module, CarriedStates)]
    for module in model.modules():
        if isinstance(module, Bidirectional) or (isinstance(module, CarriedStates) and module.go_backwards):
            raise StateError(f"{module.label} reads time backwards, tbptt cannot cut its sequences")
        if isinstance(module, CarriedStates) and module.time_major:
            raise StateError(f"{module.label} is time-major, tbptt takes sequences of shape (batch, time, ...)")
    return _chunks(layers, sequences, steps)


def _chunks(layers: list[CarriedStates], sequences: tuple[Tensor, ...], steps: int) -> Iterator[tuple[Tensor, ...]]:
    with _carrying(layers):
        yield from zip(*(torch.split(sequence, steps, dim=1) for sequence in sequences), strict=True)


@contextmanager
def _carrying(layers: list[CarriedStates]) -> Iterator[None]:
    """Makes the layers that are not stateful so for a while."""
    borrowed = [layer for layer in layers if not layer.stateful]
    before = [layer.batch_size for layer in borrowed]
    for layer in borrowed:
        layer.stateful, layer.batch_size = True, None
    try:
        yield
    finally:
        for layer, batch_size in zip(borrowed, before, strict=True):
            layer.forget()
            layer.stateful, layer.batch_size = False, batch_size

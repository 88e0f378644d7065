"""A request and its tensors as one call of the operator `rnnspec::sweep`."""

from __future__ import annotations

import torch
from torch import Tensor

from rnnspec.engines.activations import Activation
from rnnspec.engines.cells import GRU, LSTM, Cell, SimpleRNN
from rnnspec.engines.cpu.launcher import ACTIVATIONS, Options
from rnnspec.engines.cpu.operators import sweep
from rnnspec.engines.request import Request, Result, Tensors

__all__ = ["activations_of", "run"]


def activations_of(cell: Cell) -> tuple[Activation, ...]:
    """The activations of a house cell: its own, and that of its gates if there are any."""
    if isinstance(cell, SimpleRNN):
        return (cell.activation,)
    assert isinstance(cell, (LSTM, GRU))
    return cell.activation, cell.recurrent_activation


def options_of(request: Request) -> Options:
    """What the library is told of a request."""
    cell = request.cell
    kinds = [ACTIVATIONS.index(activation.name) for activation in activations_of(cell)]
    number = 0 if isinstance(cell, SimpleRNN) else 1 if isinstance(cell, LSTM) else 2 + getattr(cell, "reset_after")  # noqa: B009
    return Options(
        cell=number,
        activation=kinds[0],
        recurrent_activation=kinds[-1],
        go_backwards=request.go_backwards,
        return_sequences=request.return_sequences,
        start_with_zeros=request.masked_start == "zeros",
        checkpoint_every=request.checkpoint_every,
    )


def run(request: Request, tensors: Tensors) -> Result:
    """Runs a cell over the whole sequence.

    Args:
        request: What to do.
        tensors: The data.

    Returns:
        The output and the final states.
    """
    x = tensors.x if tensors.x.stride(2) == 1 else tensors.x.contiguous()
    bias = None if tensors.bias is None else tensors.bias.contiguous()
    h, *rest = (state.contiguous() for state in tensors.states)
    c = rest[0] if rest else None
    kernel, recurrent_kernel = tensors.kernel.contiguous(), tensors.recurrent_kernel.contiguous()
    learned = (x, kernel, recurrent_kernel, bias, h, c)
    masks = (_stacked(tensors.input_masks), _stacked(tensors.recurrent_masks))
    given = (*learned, *masks)
    keep = torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in given)
    output, final_h, final_c, _ = sweep(*learned, tensors.mask, *masks, *options_of(request), keep)
    return Result(output, (final_h,) if c is None else (final_h, final_c))


def _stacked(masks: tuple[Tensor, ...] | None) -> Tensor | None:
    """Dropout masks as one tensor `(count, batch, width)`."""
    return None if masks is None else torch.stack(masks)

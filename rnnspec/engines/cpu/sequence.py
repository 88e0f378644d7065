"""A request and its tensors as one call of the operator `rnnspec::sweep`.

Under autocast the sweep is as precise as ever: products, states and outputs are in the weights' dtype.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rnnspec.engines.cpu.operators import sweep
from rnnspec.engines.cpu.options import Data, options_of
from rnnspec.engines.request import Request, Result, Tensors

__all__ = ["run"]


def run(request: Request, tensors: Tensors) -> Result:
    """Runs a cell over the whole sequence.

    Args:
        request: What to do.
        tensors: The data.

    Returns:
        The output and the final states.
    """
    h, *rest = tensors.states
    dtype = tensors.kernel.dtype
    data = Data(
        _as(tensors.x, dtype),
        tensors.kernel,
        tensors.recurrent_kernel,
        tensors.bias,
        h,
        rest[0] if rest else None,
        tensors.mask,
        _stacked(tensors.input_masks, dtype),
        _stacked(tensors.recurrent_masks, dtype),
    )
    output, final_h, final_c = sweep(data, options_of(request))
    return Result(output, (final_h, final_c) if rest and final_c is not None else (final_h,))


def _as(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """A tensor in the weights' dtype: it has another one only where it comes from an operation under autocast."""
    return tensor if tensor.dtype == dtype else tensor.to(dtype)


def _stacked(masks: tuple[Tensor, ...] | None, dtype: torch.dtype) -> Tensor | None:
    """Dropout masks as one tensor `(count, batch, width)`."""
    return None if masks is None else _as(torch.stack(masks), dtype)

"""Gradients of a loss with respect to the states of every step: what back-propagation through time carries back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from rnnspec.engines.recording import watch
from rnnspec.engines.request import Request, Tensors
from rnnspec.errors import ShapeError
from rnnspec.nn.recording import kept_by
from rnnspec.nn.recurrence import Recurrence

__all__ = ["state_gradients"]


def _last_output(output: Tensor) -> Tensor:
    return (output if output.dim() == 2 else output[:, -1:]).sum()


def state_gradients(
    layer: Recurrence, x: Any, loss: Callable[[Tensor], Tensor] | None = None, **call: Any
) -> tuple[dict[str, Tensor], Tensor | None]:
    """The total derivatives of a loss with respect to the states after every step, in the order of the input.

    The layer is called once; the gradients come from running that call again, step by step, on the same data.

    Args:
        layer: A recurrent layer.
        x: Its input, in any form that a call takes.
        loss: Gives a scalar for the output, `(batch, time, units)` in processing order, or `(batch, units)` without
            `return_sequences`. None: the sum of the output of the last processed step.
        **call: Further arguments of the call.

    Returns:
        d loss / d state, `(batch, time, state size)`, by the state's name, NaN at masked steps; and the mask,
        `(batch, time)`, or None.

    Raises:
        ShapeError: If the loss gives no scalar.
    """
    calls: list[tuple[Request, Tensors]] = []
    with torch.no_grad(), kept_by(layer, lambda request, tensors: calls.append((request, tensors))):
        layer(x, **call)
    ((request, tensors),) = calls
    with torch.enable_grad():
        # Every state depends on the initial ones, so gradients reach all, whatever else is frozen.
        initial = tuple(state.detach().clone().requires_grad_() for state in tensors.states)
        cell, result = watch(request, replace(tensors, states=initial))
        value: Any = (_last_output if loss is None else loss)(result.output)
        if not isinstance(value, Tensor) or value.dim():
            kind = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
            raise ShapeError(f"the loss must give a scalar tensor, found {kind}")
        steps = [state for states in cell.states_after for state in states]
        flat = torch.autograd.grad(value, steps, allow_unused=True, materialize_grads=True) if steps else ()
    count = len(cell.states)
    gradients = {}
    for number, (name, state) in enumerate(zip(cell.states, initial, strict=True)):
        found = flat[number::count]
        stacked = torch.stack(found, dim=1) if found else state.new_zeros((len(state), 0, state.shape[1]))
        stacked = stacked.flip(1) if request.go_backwards else stacked
        gradients[name] = stacked if tensors.mask is None else stacked.masked_fill(~tensors.mask[..., None], torch.nan)
    return gradients, tensors.mask

"""The loop over time of the engine `steps`, for any cell, and the one step that every loop over time runs.

States and outputs are kept in the weights' dtype: under autocast the matrix products run in the lower precision and
everything that is carried from step to step stays as precise as the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, overload

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from rnnspec.engines.cells import Cell, Gates
from rnnspec.engines.request import Request, Result, Tensors
from rnnspec.errors import StateError

__all__ = ["RecurrentProduct", "TimeStep", "checkpoint_every", "first_emitted", "loop", "project", "run"]


def project(tensors: Tensors, gates: int) -> Tensor:
    """The input's part of all gates at all steps.

    Args:
        tensors: The data of the request.
        gates: Number of gates.

    Returns:
        `x . kernel + bias`, time first: `(time, batch, gates * units)`.
    """
    x, kernel, masks = tensors.x.transpose(0, 1), tensors.kernel, tensors.input_masks
    if tensors.mask is not None:
        # What stands at a masked step never matters: not even a NaN there may reach a gradient.
        x = x.masked_fill(~tensors.mask.t().unsqueeze(-1), 0)
    if masks is None:
        projected = x @ kernel
    elif len(masks) == 1:
        projected = (x * masks[0]) @ kernel
    else:
        blocks = kernel.chunk(gates, dim=1)
        projected = torch.cat([(x * mask) @ block for mask, block in zip(masks, blocks, strict=True)], dim=-1)
    projected = projected.to(kernel.dtype)
    bias = tensors.bias
    return projected if bias is None else projected + (bias if bias.dim() == 1 else bias[0])


class RecurrentProduct:
    """`recur` of a cell's step: the recurrent product, with recurrent dropout inside.

    Args:
        tensors: The data of the request.
        gates: Names of the gates.
    """

    def __init__(self, tensors: Tensors, gates: Sequence[str]) -> None:
        self.kernel = tensors.recurrent_kernel
        self.bias = None if tensors.bias is None or tensors.bias.dim() == 1 else tensors.bias[1]
        self.masks = None if tensors.recurrent_masks is None else tensors.recurrent_masks.unbind()
        self.index = {gate: number for number, gate in enumerate(gates)}
        self.blocks = self.kernel.chunk(len(gates), dim=1)
        self.biases = None if self.bias is None else self.bias.chunk(len(gates))

    @overload
    def __call__(self, h: Tensor, gate: str, /) -> Tensor: ...
    @overload
    def __call__(self, h: Tensor, /, *gates: str) -> Gates: ...

    def __call__(self, h: Tensor, *gates: str) -> Gates | Tensor:
        """The product of all gates, of some (a tuple), or of one (a tensor)."""
        if gates:
            unknown = [gate for gate in gates if gate not in self.index]
            if unknown:
                raise StateError(f"there is no gate '{unknown[0]}', the cell's gates are {', '.join(self.index)}")
            products = tuple(self._one(h, self.index[gate]) for gate in gates)
            return products[0] if len(gates) == 1 else products
        if self.masks is not None and len(self.masks) > 1:
            return tuple(self._one(h, number) for number in range(len(self.blocks)))
        dropped = h if self.masks is None else h * self.masks[0]
        product = (dropped @ self.kernel).to(self.kernel.dtype)
        return (product if self.bias is None else product + self.bias).chunk(len(self.blocks), dim=1)

    def _one(self, h: Tensor, number: int) -> Tensor:
        masks = self.masks
        dropped = h if masks is None else h * masks[number if len(masks) > 1 else 0]
        product = (dropped @ self.blocks[number]).to(self.kernel.dtype)
        return product if self.biases is None else product + self.biases[number]


class TimeStep:
    """One step of time: the cell, its recurrent product, and what a mask keeps.

    Args:
        cell: The cell.
        tensors: The data of the request.
    """

    def __init__(self, cell: Cell, tensors: Tensors) -> None:
        self.cell = cell
        self.weights = tensors.extra_weights
        self.recur = RecurrentProduct(tensors, cell.gates)

    def __call__(
        self, x: Tensor, valid: Tensor | None, states: tuple[Tensor, ...], emitted: Tensor
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """Runs the step.

        Args:
            x: The projected input of all gates, `(batch, gates * units)`.
            valid: `(batch, 1)`, False where the step is masked, or None.
            states: The states before the step.
            emitted: The output of the step before.

        Returns:
            The states after the step, and its output.

        Raises:
            StateError: If the cell's `step` does not return as many states as it declares.
        """
        new: Any = self.cell.step(x.chunk(len(self.cell.gates), dim=1), states, self.recur, **self.weights)
        if not isinstance(new, tuple) or len(new) != len(states):
            found = f"{len(new)}" if isinstance(new, tuple) else f"a {type(new).__name__}"
            count = f"{len(states)} state{'s' * (len(states) > 1)}"
            raise StateError(f"{type(self.cell).__name__}.step must return a tuple of {count}, it returned {found}")
        if valid is None:
            return new, new[0]
        kept = tuple(torch.where(valid, after, before) for after, before in zip(new, states, strict=True))
        return kept, torch.where(valid, new[0], emitted)


def first_emitted(request: Request, tensors: Tensors) -> Tensor:
    """What masked steps before the first valid one emit."""
    h = tensors.states[0]
    return torch.zeros_like(h) if request.masked_start == "zeros" and tensors.x.shape[1] else h


def run(request: Request, tensors: Tensors) -> Result:
    """Runs a cell over the whole sequence.

    Args:
        request: What to do.
        tensors: The data.

    Returns:
        The output and the final states.
    """
    emitted, timesteps = first_emitted(request, tensors), tensors.x.shape[1]
    every = checkpoint_every(request) if torch.is_grad_enabled() else 0
    if not every:
        outputs, states, emitted = loop(request, tensors, emitted)
    else:
        outputs, states = [], tensors.states
        for start in range(0, timesteps, every):
            last = timesteps - start
            chunk = slice(max(last - every, 0), last) if request.go_backwards else slice(start, start + every)
            mask = None if tensors.mask is None else tensors.mask[:, chunk]
            part = replace(tensors, x=tensors.x[:, chunk], mask=mask, states=states)
            found, states, emitted = checkpoint(
                loop, request, part, emitted, use_reentrant=False, preserve_rng_state=False
            )
            outputs += found
    if not request.return_sequences:
        return Result(emitted, states)
    sequence = torch.stack(outputs, dim=1) if outputs else emitted.new_zeros((emitted.shape[0], 0, emitted.shape[1]))
    return Result(sequence, states)


def checkpoint_every(request: Request) -> int:
    """Steps between kept states; 0 where a graph or the transforms around the call leave no choice but to keep all."""
    return 0 if request.traced or request.obstacle else request.checkpoint_every


def loop(request: Request, tensors: Tensors, emitted: Tensor) -> tuple[list[Tensor], tuple[Tensor, ...], Tensor]:
    """Runs a cell over a sequence or a chunk of it.

    Args:
        request: What to do.
        tensors: The data.
        emitted: The output before the first step.

    Returns:
        All outputs, the final states, and the last output.
    """
    projected = project(tensors, len(request.cell.gates))
    step = TimeStep(request.cell, tensors)
    valid = None if tensors.mask is None else tensors.mask.t().unsqueeze(-1)
    states, outputs = tensors.states, []
    steps = projected.unbind()  # not projected[time]: its gradient would be as large as projected at every step
    times = range(projected.shape[0])
    for time in reversed(times) if request.go_backwards else times:
        states, emitted = step(steps[time], None if valid is None else valid[time], states, emitted)
        outputs.append(emitted)
    return outputs, states, emitted

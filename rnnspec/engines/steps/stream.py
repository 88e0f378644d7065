"""A stream of the engine `steps`: the loop over every chunk, with copies of the weights."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from rnnspec.engines.request import Request, Tensors
from rnnspec.engines.steps import sequence

__all__ = ["Stream"]


class Stream:
    """Copies of the weights, and the states; see `rnnspec.engines.request.Stream`."""

    def __init__(self, request: Request, tensors: Tensors) -> None:
        self._request = request
        self._tensors = replace(
            tensors,
            kernel=tensors.kernel.clone(),
            recurrent_kernel=tensors.recurrent_kernel.clone(),
            bias=None if tensors.bias is None else tensors.bias.clone(),
            extra_weights={name: weight.clone() for name, weight in tensors.extra_weights.items()},
        )
        self._states = tuple(state.clone() for state in tensors.states)
        self._emitted = self._first_emitted()

    def _first_emitted(self) -> Tensor:
        h = self._states[0]
        return torch.zeros_like(h) if self._request.masked_start == "zeros" else h

    def step(self, x: Tensor, output: Tensor) -> None:
        """One step, without a mask."""
        self.chunk(x.unsqueeze(1), None, output)

    def chunk(self, x: Tensor, mask: Tensor | None, output: Tensor) -> None:
        """Any number of steps."""
        tensors = replace(self._tensors, x=x, mask=mask, states=self._states)
        with torch.no_grad():
            outputs, self._states, self._emitted = sequence.loop(self._request, tensors, self._emitted)
            if output.dim() == 2:
                output.copy_(self._emitted if outputs else self._states[0])
            elif outputs:
                output.copy_(torch.stack(outputs, dim=1))

    def reset(self, states: tuple[Tensor, ...], rows: Tensor | None) -> None:
        """Sets the states."""
        with torch.no_grad():
            old, before = self._emitted, self._states
            self._states = tuple(state.clone() for state in states)
            self._emitted = self._first_emitted()
            if rows is not None:
                chosen = rows.unsqueeze(1)
                self._emitted = torch.where(chosen, self._emitted, old)
                pairs = zip(self._states, before, strict=True)
                self._states = tuple(torch.where(chosen, new, kept) for new, kept in pairs)

    def states(self) -> tuple[Tensor, ...]:
        """Copies of the states."""
        return tuple(state.clone() for state in self._states)

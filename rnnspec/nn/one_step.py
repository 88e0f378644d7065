"""The cells alone as modules: one step of time, the states in and out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from rnnspec.engines.plan import Plan, plan
from rnnspec.errors import ShapeError, StateError
from rnnspec.nn.base import labelled
from rnnspec.nn.recurrence import Recurrence
from rnnspec.nn.recurrent import GRU, LSTM, SimpleRNN
from rnnspec.shapes import Shape, format_shape

__all__ = ["GRUCell", "LSTMCell", "SimpleRNNCell"]

SEQUENCE_ONLY = (
    "return_sequences",
    "return_state",
    "go_backwards",
    "stateful",
    "unroll",
    "time_major",
    "checkpoint_every",
)


class OneStep(Recurrence):
    """Turns a recurrent layer into its cell: the same weights, arguments and equations, one step a call.

    Dropout masks are drawn at every call: for masks that are constant over time use the layer.
    """

    input_rank = 2

    @property
    def known_input_shape(self) -> Shape | None:
        """What comes in: `(batch, features)`, as far as it is known."""
        shape = super().known_input_shape
        return None if shape is None else (shape[0], shape[-1])

    def build_declared(self) -> None:
        """Builds the cell if its arguments declare the input's width."""
        declared = self.declared_input_shape
        if declared is not None:
            self.build((declared[0], declared[-1]))

    def build(self, input_shape: Shape) -> None:
        """Builds the weights for an input of shape `(batch, features)`; arguments about sequences are refused."""
        wrong = [name for name in SEQUENCE_ONLY if getattr(self, name)]
        if wrong:
            raise StateError(f"{self.label} does one step, it has no {', '.join(wrong)}; use the layer for sequences")
        super().build(input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """`(batch, units)`."""
        if len(input_shape) != 2:
            raise ShapeError(f"expected an input of rank 2, (batch, features), found {format_shape(input_shape)}")
        return (input_shape[0], self.output_size)

    def plan(  # type: ignore[override]
        self, x: Tensor | Sequence[int | None], mask: Any = None, initial_state: Any = None
    ) -> Plan:
        """Which engine a step would use, and why.

        Args:
            x: The input or its shape, `(batch, features)`, None where free.
            mask: There is none for a step.
            initial_state: The states before the step; they make no difference.

        Returns:
            The plan for the cell's present mode.
        """
        shape = tuple(x.shape) if isinstance(x, Tensor) else tuple(x)
        with labelled(self.label):
            self.compute_output_shape(shape)
        return plan(self.request((shape[0], 1, shape[1]), masked=False))

    def forward(  # type: ignore[override]
        self, x: Tensor, states: Tensor | Sequence[Tensor] | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """One step.

        Args:
            x: Input, `(batch, features)`.
            states: States before the step, `(batch, units)` each, h then c; zeros by default.
            generator: Where the dropout masks are drawn from.

        Returns:
            The output, `(batch, units)`, and the states after the step.
        """
        with labelled(self.label):
            self.compute_output_shape(tuple(x.shape))
        self.build(tuple(x.shape))
        result = self.run(self.tensors(x.unsqueeze(1), None, states, generator))
        self.record_activity(result.output)
        return result.output, result.states


class SimpleRNNCell(OneStep, SimpleRNN):
    """One step of `SimpleRNN`, with its arguments and weights."""


class LSTMCell(OneStep, LSTM):
    """One step of `LSTM`, with its arguments and weights."""


class GRUCell(OneStep, GRU):
    """One step of `GRU`, with its arguments and weights."""

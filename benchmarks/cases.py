"""A thing to measure: a cell, a shape and a phase; and our layer for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

import rnnspec
from benchmarks.shapes import Shape

__all__ = ["RATE", "Case", "Contender", "Run", "SkippedError", "layer"]

RATE = 0.25
Run = Callable[[], object]


class SkippedError(Exception):
    """Why a run is not made, in words."""


@dataclass(frozen=True)
class Contender:
    """A run that takes part in a case.

    Attributes:
        table: `peers`, `variants`, `options` or `ragged`.
        name: What runs.
        make: Makes the run, or raises `SkippedError`.
        repeated: Whether it takes part in every pass, or in the first alone because it takes so long.
    """

    table: str
    name: str
    make: Callable[[], Run]
    repeated: bool = True


@dataclass(frozen=True)
class Case:
    """One thing to measure.

    Attributes:
        cell: `LSTM`, `GRU` or `SimpleRNN`.
        shape: The size of the call.
        training: Whether there is a backward pass, and dropout.
        threads: How many threads torch may use.
    """

    cell: str
    shape: Shape
    training: bool
    threads: int

    @property
    def phase(self) -> str:
        """`training` or `inference`."""
        return "training" if self.training else "inference"

    def input(self) -> Tensor:
        """A batch; training asks for its gradient."""
        return torch.randn(self.shape[:3], requires_grad=self.training)

    def run(
        self, call: Callable[[Tensor], Tensor], parameters: Sequence[Tensor], gradient: Tensor | None = None
    ) -> Run:
        """A call, with its backward pass from a dense gradient where the case trains."""
        x, batch, time, units = self.input(), self.shape.batch, self.shape.time, self.shape.units
        gradient = torch.randn(batch, time, units) if gradient is None else gradient

        def train() -> None:
            for tensor in (x, *parameters):
                tensor.grad = None
            call(x).backward(gradient)

        def infer() -> None:
            with torch.no_grad():
                call(x)

        return train if self.training else infer


def layer(case: Case, **arguments: Any) -> Any:
    """Our layer of a case: in training with a recurrent dropout mask for each gate; the defaults otherwise."""
    rate = {"recurrent_dropout": RATE if case.training else 0.0, "implementation": 1}
    made = getattr(rnnspec.nn, case.cell)(
        case.shape.units, return_sequences=True, input_shape=(None, case.shape.features), **{**rate, **arguments}
    )
    return made.train(case.training)

"""What an engine is asked to do: the description, which a plan can read without data, and the tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import torch
from torch import Tensor
from torch.autograd import forward_ad

from rnnspec.engines.cells import Cell

__all__ = ["Dropped", "Engine", "Request", "Result", "Stream", "Tensors"]

Dropped = Literal["none", "shared", "per gate"]


def is_traced() -> bool:
    """Whether a graph is made of the call as it stands, and not of what vmap, grad, jvp, ... make of it."""
    return torch.compiler.is_compiling() and torch._C._functorch.get_dynamic_layer_stack_depth() == 0


def obstacle() -> str | None:
    """What is done to the operations of a call that only torch's own operations allow; None if nothing."""
    if torch._C._functorch.get_dynamic_layer_stack_depth():
        return "a transform of torch.func is active"
    if forward_ad._current_level >= 0:
        return "forward-mode differentiation is active"
    if torch._C._get_tracing_state() is not None:
        return "torch.jit traces the call"
    return None


@dataclass(frozen=True)
class Request:
    """One call of a recurrent layer, described without its data.

    Attributes:
        cell: The cell.
        units: Width of a gate.
        features: Width of the input.
        batch: Rows; None where free.
        timesteps: Steps; None where free.
        dtype: Dtype of weights and states.
        device: Where the call runs.
        masked: Whether there is a mask over the steps.
        go_backwards: Whether time runs from the last step to the first.
        masked_start: What is emitted at masked steps before the first valid one: the initial `state`, or `zeros`.
        return_sequences: Whether all outputs are wanted, or the last one alone.
        input_dropout: Whether the input is dropped, with one mask for all gates or one for each.
        recurrent_dropout: The same for the recurrent product.
        checkpoint_every: Steps between the states that are kept for the gradient; 0 keeps everything.
        traced: Whether torch.compile or torch.export makes a graph of the call; whether one does now, by default.
        obstacle: What rules out operations that are not torch's own, in words; what does now, by default.
    """

    cell: Cell
    units: int
    features: int
    batch: int | None
    timesteps: int | None
    dtype: torch.dtype
    device: torch.device
    masked: bool = False
    go_backwards: bool = False
    masked_start: Literal["state", "zeros"] = "state"
    return_sequences: bool = False
    input_dropout: Dropped = "none"
    recurrent_dropout: Dropped = "none"
    checkpoint_every: int = 0
    traced: bool = field(default_factory=is_traced)
    obstacle: str | None = field(default_factory=obstacle)


@dataclass(frozen=True)
class Tensors:
    """The data of a request.

    Attributes:
        x: Input, `(batch, time, features)`.
        states: Initial states, `(batch, state size)` each.
        kernel: `(features, gates * units)`.
        recurrent_kernel: `(output size, gates * units)`.
        bias: `(gates * units,)`, or `(2, gates * units)` for a cell with a recurrent bias, or None.
        extra_weights: The cell's own weights.
        mask: `(batch, time)`, True where a step is valid, or None.
        input_masks: Dropout masks with their scale, `(count, batch, features)`: one for all gates or one for each;
            None: no dropout.
        recurrent_masks: The same for the recurrent product, `(count, batch, output size)`.
    """

    x: Tensor
    states: tuple[Tensor, ...]
    kernel: Tensor
    recurrent_kernel: Tensor
    bias: Tensor | None = None
    extra_weights: Mapping[str, Tensor] = field(default_factory=dict)
    mask: Tensor | None = None
    input_masks: Tensor | None = None
    recurrent_masks: Tensor | None = None


@dataclass(frozen=True)
class Result:
    """What an engine returns.

    Attributes:
        output: `(batch, time, output size)` in processing order, or `(batch, output size)`.
        states: The final states.
    """

    output: Tensor
    states: tuple[Tensor, ...]


class Stream(Protocol):
    """An engine's stream: weights of its own, and states from call to call. Calls must not overlap."""

    def step(self, x: Tensor, output: Tensor) -> None:
        """Runs one step, `(batch, features)`, into `(batch, output size)` without gaps."""

    def chunk(self, x: Tensor, mask: Tensor | None, output: Tensor) -> None:
        """Runs a chunk, `(batch, time, features)`, into all outputs or the last one; their last axis has no gaps."""

    def reset(self, states: tuple[Tensor, ...], rows: Tensor | None) -> None:
        """Sets the states, of all rows or of those that are True in `rows`; nothing was valid before."""

    def states(self) -> tuple[Tensor, ...]:
        """Copies of the states."""


class Engine(Protocol):
    """One way to run a request."""

    name: str
    strength: str
    """What it is good for, in words that follow "because"."""

    def refuses(self, request: Request) -> str | None:
        """Why this engine cannot run the request, or None if it can."""

    def settings(self, request: Request) -> Mapping[str, Any]:
        """How the engine would run a request that it does not refuse, for a plan to show."""

    def run(self, request: Request, tensors: Tensors) -> Result:
        """Runs the request."""

    def stream(self, request: Request, tensors: Tensors) -> Stream:
        """Makes a stream that starts from the states; the input is empty, and no dropout is asked for."""

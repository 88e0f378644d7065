"""The layers that are compared, each as a function that runs one call."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

import rnnspec
from benchmarks.shapes import Shape

__all__ = ["OPTIONS", "Case", "Run", "SkippedError", "engine", "option_runs", "peer_runs"]

RATE = 0.25
# An unrolled loop of more steps takes the compiler minutes.
LONGEST_COMPILED = 100
OPTIONS = ("mask", "lengths", "go_backwards", "initial_state", "input dropout", "no dropout", "sigmoid", "reset_after")
Run = Callable[[], object]


class SkippedError(Exception):
    """Why a run is not made, in words."""


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

    def input(self) -> Tensor:
        """A batch; training asks for its gradient."""
        return torch.randn(self.shape[:3], requires_grad=self.training)

    def run(self, call: Callable[[Tensor], Tensor], parameters: Sequence[Tensor]) -> Run:
        """A call, with its backward pass from a dense gradient where the case trains."""
        x, batch, time, units = self.input(), self.shape.batch, self.shape.time, self.shape.units
        gradient = torch.randn(batch, time, units)

        def train() -> None:
            for tensor in (x, *parameters):
                tensor.grad = None
            call(x).backward(gradient)

        def infer() -> None:
            with torch.no_grad():
                call(x)

        return train if self.training else infer


def layer(case: Case, **arguments: Any) -> Any:
    """Our layer of a case: per-gate recurrent dropout, and the defaults."""
    rate = {"recurrent_dropout": RATE if case.training else 0.0, "implementation": 1}
    made = getattr(rnnspec.nn, case.cell)(
        case.shape.units, return_sequences=True, input_shape=(None, case.shape.features), **{**rate, **arguments}
    )
    return made.train(case.training)


def engine(case: Case, option: str = "plain") -> str:
    """The engine that our layer's plan takes, with an option or without."""
    made, called_with = configured(case, option)
    return str(made.plan(case.shape[:3], **called_with).engine)


def own(case: Case, forced: str | None = None) -> Run:
    """Our layer, with the plan's engine or a forced one."""
    made = layer(case)

    def call(x: Tensor) -> Tensor:
        with rnnspec.use_engine(forced) if forced else nullcontext():
            return made(x)

    return case.run(call, [*made.parameters()])


def compiled(case: Case) -> Run:
    """torch.compile of the step loop."""
    if case.shape.time > LONGEST_COMPILED:
        raise SkippedError(f"torch.compile unrolls the loop, which takes too long over {LONGEST_COMPILED} steps")
    torch.compiler.reset()
    made = layer(case)
    fast = torch.compile(made)

    def call(x: Tensor) -> Tensor:
        with rnnspec.use_engine("steps"):
            return fast(x)

    return case.run(call, [*made.parameters()])


def torch_layer(case: Case) -> Run:
    """torch.nn's layer of that name, which has sigmoid gates and no recurrent dropout."""
    kind = {"LSTM": torch.nn.LSTM, "GRU": torch.nn.GRU, "SimpleRNN": torch.nn.RNN}[case.cell]
    made = kind(case.shape.features, case.shape.units, batch_first=True)
    return case.run(lambda x: made(x)[0], [*made.parameters()])


def keras_layer(case: Case) -> Run:
    """Keras 3 on torch with the same configuration."""
    if importlib.util.find_spec("keras") is None:
        raise SkippedError("keras is not installed: pip install 'rnnspec[bench]'")
    os.environ["KERAS_BACKEND"] = "torch"
    import keras

    if keras.backend.backend() != "torch":
        raise SkippedError(f"keras was loaded with the backend {keras.backend.backend()}, expected torch")
    gates = {} if case.cell == "SimpleRNN" else {"recurrent_activation": "hard_sigmoid"}
    reset = {"reset_after": False} if case.cell == "GRU" else {}
    rate = RATE if case.training else 0.0
    made = getattr(keras.layers, case.cell)(
        case.shape.units, recurrent_dropout=rate, return_sequences=True, **gates, **reset
    )
    with torch.device("cpu"):
        made.build(tuple(case.shape[:3]))
    return case.run(
        lambda x: made(x, training=case.training), [variable.value for variable in made.trainable_variables]
    )


def peer_runs(case: Case, compile_steps: bool = False) -> Iterator[tuple[str, Callable[[], Run]]]:
    """The peers of a case, ours first.

    Args:
        case: What to measure.
        compile_steps: Whether to measure torch.compile of the step loop too (default False).

    Yields:
        A name, and a function that makes the run or raises `SkippedError`.
    """
    yield "own", lambda: own(case)
    yield "torch.nn", lambda: torch_layer(case)
    yield "Keras 3 on torch", lambda: keras_layer(case)
    if engine(case) != "steps":
        yield "steps", lambda: own(case, "steps")
    if compile_steps:
        yield "compiled steps", lambda: compiled(case)


def option_runs(case: Case) -> Iterator[tuple[str, Callable[[], Run]]]:
    """Our layer without options, then with one at a time.

    Args:
        case: What to measure.

    Yields:
        A name, and a function that makes the run.
    """
    yield "plain", lambda: own(case)
    for option in OPTIONS:
        wrong_cell = {"reset_after": case.cell != "GRU", "sigmoid": case.cell == "SimpleRNN"}.get(option, False)
        if not wrong_cell and (case.training or "dropout" not in option):
            yield option, lambda option=option: with_option(case, option)  # type: ignore[misc]


def configured(case: Case, option: str) -> tuple[Any, dict[str, Any]]:
    """Our layer with one option, and the arguments to call it with: an option belongs to one or the other."""
    batch, time, _, units = case.shape
    made_with: dict[str, dict[str, Any]] = {
        "go_backwards": {"go_backwards": True},
        "input dropout": {"dropout": RATE},
        "no dropout": {"recurrent_dropout": 0.0},
        "sigmoid": {"recurrent_activation": "sigmoid"},
        "reset_after": {"reset_after": True},
    }
    made = layer(case, **made_with.get(option, {}))
    called_with: dict[str, dict[str, Any]] = {
        "mask": {"mask": torch.rand(batch, time) > 0.3},
        "lengths": {"lengths": torch.randint(1, time + 1, (batch,))},
        "initial_state": {
            "initial_state": [torch.randn(batch, units, requires_grad=case.training) for _ in made.cell.states]
        },
    }
    return made, called_with.get(option, {})


def with_option(case: Case, option: str) -> Run:
    """A run of our layer with one option."""
    made, called_with = configured(case, option)
    return case.run(lambda x: made(x, **called_with), [*made.parameters(), *called_with.get("initial_state", [])])

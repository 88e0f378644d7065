"""Our layers beside others of the same size, and those of ours that compute what torch.nn's do."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any, cast

import torch
from torch import Tensor

import rnnspec
from benchmarks.cases import RATE, Case, Contender, Run, SkippedError, layer

__all__ = [
    *("COMPILED", "KERAS", "OWN", "PEERS", "STEPS", "TORCH", "VARIANTS"),
    *("engine", "own", "peers", "torch_layer", "torch_run"),
]

OWN, TORCH, KERAS, STEPS, COMPILED = "own", "torch.nn", "Keras 3 on torch", "steps", "compiled steps"
PEERS = {"torch": TORCH, "keras": KERAS, "steps": STEPS, "compiled": COMPILED}
# Our layer with other arguments, by the cell.
VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "LSTM": {"sigmoid gates": {"recurrent_activation": "sigmoid"}},
    "GRU": {"reset after": {"reset_after": True, "recurrent_activation": "sigmoid"}},
    "SimpleRNN": {},
}
# An unrolled loop of more steps takes the compiler minutes.
LONGEST_COMPILED = 100


def engine(case: Case, **arguments: Any) -> str:
    """The engine that our layer's plan takes."""
    return str(layer(case, **arguments).plan(case.shape[:3]).engine)


def own(case: Case, forced: str | None = None, **arguments: Any) -> Run:
    """Our layer, with the plan's engine or a forced one."""
    made = layer(case, **arguments)

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


def torch_layer(case: Case) -> Any:
    """torch.nn's layer of that name, which has sigmoid gates and no recurrent dropout."""
    kind = {"LSTM": torch.nn.LSTM, "GRU": torch.nn.GRU, "SimpleRNN": torch.nn.RNN}[case.cell]
    return kind(case.shape.features, case.shape.units, batch_first=True)


def torch_run(case: Case) -> Run:
    """A run of it."""
    made = torch_layer(case)
    return case.run(lambda x: made(x)[0], [*made.parameters()])


def keras_run(case: Case) -> Run:
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
    # Where there is a GPU, Keras takes it, unless it is told in each call.
    with keras.device("cpu"):
        made.build(tuple(case.shape[:3]))

    def call(x: Tensor) -> Tensor:
        with keras.device("cpu"):
            return cast(Tensor, made(x, training=case.training))

    return case.run(call, [variable.value for variable in made.trainable_variables])


def peers(case: Case) -> Iterator[Contender]:
    """Who takes part in a case, ours first.

    Args:
        case: What to measure.

    Yields:
        Our layer, torch.nn's, our variants, and the slower ones.
    """
    yield Contender("peers", OWN, lambda: own(case))
    yield Contender("peers", TORCH, lambda: torch_run(case))
    for name, arguments in VARIANTS[case.cell].items():
        yield Contender("variants", name, lambda arguments=arguments: own(case, **arguments))  # type: ignore[misc]
    yield Contender("peers", KERAS, lambda: keras_run(case), repeated=False)
    if engine(case) != STEPS:
        yield Contender("peers", STEPS, lambda: own(case, STEPS), repeated=False)
    yield Contender("peers", COMPILED, lambda: compiled(case), repeated=False)

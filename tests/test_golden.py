"""Every golden case of Keras 2.0.8, from a config as it stands in a file, through `build`, to the layer's gradients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from golden_cases import WEIGHTS, Call, Case, float64_cases, read_float64, read_tensorflow, tensorflow_cases
from instruction_sets import limited_to

import rnnspec
from rnnspec.engines.cpu import library

FLOAT64 = list(float64_cases())
TENSORFLOW = list(tensorflow_cases())
TOLERANCES = {  # set, dtype -> outputs and states, gradients; from the READMEs of the sets
    ("float64", "float64"): (1e-12, 1e-10),
    ("float64", "float32"): (3e-6, 2e-5),
    ("tensorflow", "float64"): (1e-12, 1e-10),
    ("tensorflow", "float32"): (5e-6, 3e-5),
}


def cases(pairs: list[tuple[str, Path]]) -> Any:
    return pytest.mark.parametrize("path", [pytest.param(path, id=name) for name, path in pairs])


def assert_near(got: torch.Tensor, want: np.ndarray, tolerance: float) -> None:
    """max|got - want| / max(1, max|want|), NaN as infinite."""
    assert tuple(got.shape) == want.shape
    difference = np.abs(got.detach().numpy().astype(np.float64) - want.astype(np.float64))
    error = np.nan_to_num(difference, nan=np.inf).max(initial=0) / max(1.0, np.abs(want).max(initial=0))
    assert error <= tolerance


def tensors(arrays: list[np.ndarray] | None, dtype: torch.dtype) -> list[torch.Tensor] | None:
    return None if arrays is None else [torch.tensor(array, dtype=dtype) for array in arrays]


@pytest.fixture(params=["steps", *library.INSTRUCTION_SETS])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """The step loop, and the engine `cpu` with every instruction set of the machine."""
    if request.param == "steps":
        with rnnspec.use_engine("steps"):
            yield "steps"
        return
    with limited_to(request.param):
        yield "cpu"


class Player:
    """Plays the calls of a case on one layer."""

    def __init__(self, case: Case, dtype: str, engine: str, tolerances: tuple[float, float]) -> None:
        self.near, self.gradient_near = tolerances
        # It has no softmax, the one activation of the cases that is not pointwise.
        self.engine = "steps" if "softmax" in case.config.values() else engine
        self.dtype = getattr(torch, dtype)
        self.layer = rnnspec.build(rnnspec.from_dict(case.config_in(dtype)), device="cpu")
        self.layer.set_weights(case.weights)
        self.layer.train(case.training)

    def play(self, call: Call) -> None:
        """One call: output, states, carried states, gradients."""
        layer = self.layer
        if call.reset is not None:
            layer.reset_states(call.reset or None)
        x = torch.tensor(call.x, dtype=self.dtype, requires_grad=True)
        initial = [torch.tensor(array, dtype=self.dtype, requires_grad=True) for array in call.initial]
        inputs, recurrent = tensors(call.input_masks, self.dtype), tensors(call.recurrent_masks, self.dtype)
        given = rnnspec.dropout_masks(layer, inputs, recurrent) if inputs or recurrent else nullcontext()
        with given:
            assert layer.plan(x).engine == self.engine
            returned = layer(
                x, mask=None if call.mask is None else torch.tensor(call.mask), initial_state=initial or None
            )
        output, *states = returned if layer.return_state else (returned,)

        assert_near(output, call.output, self.near)
        assert len(states) == len(call.states)
        for got, want in zip(states, call.states, strict=True):
            assert_near(got, want, self.near)
        for got, want in zip(layer.states, call.carried, strict=False):
            assert_near(got, want, self.near)

        loss = (output * torch.tensor(call.cotangent, dtype=self.dtype)).sum()
        for state, cotangent in zip(states, call.state_cotangents, strict=True):
            loss = loss + (state * torch.tensor(cotangent, dtype=self.dtype)).sum()
        loss.backward()
        inputs_by_name = {"x": x, **{f"initial{index}": state for index, state in enumerate(initial)}}
        for name, want in call.gradients.items():
            source = inputs_by_name[name] if name in inputs_by_name else getattr(layer, name)
            assert_near(source.grad, want, self.gradient_near)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@cases(FLOAT64)
def test_float64_set(path: Path, dtype: str, engine: str) -> None:
    """Keras 2.0.8's own layers computed in float64."""
    case = read_float64(path)
    player = Player(case, dtype, engine, TOLERANCES["float64", dtype])
    for call in case.calls:
        player.play(call)
    for name, want in case.weight_gradients.items():
        assert_near(getattr(player.layer, name).grad, want, player.gradient_near)


@cases(TENSORFLOW)
def test_tensorflow_set(path: Path, engine: str) -> None:
    """Keras 2.0.8 on TensorFlow 1.4.1, gradients for each call."""
    case = read_tensorflow(path)
    player = Player(case, case.dtype, engine, TOLERANCES["tensorflow", case.dtype])
    for call in case.calls:
        for name in WEIGHTS:
            if getattr(player.layer, name) is not None:
                getattr(player.layer, name).grad = None
        player.play(call)


def test_both_sets_are_whole() -> None:
    assert len(FLOAT64) == 104
    assert len(TENSORFLOW) == 146

"""Checkpoints: states kept every few steps give the gradients of a pass that keeps everything, in less memory."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import rnnspec
from rnnspec import nn
from rnnspec.engines.cpu import library
from rnnspec.engines.plan import use_engine
from rnnspec.nn.state_gradients import state_gradients

KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "SimpleRNN": (nn.SimpleRNN, {}),
    "LSTM": (nn.LSTM, {}),
    "GRU": (nn.GRU, {}),
    "GRU reset after": (nn.GRU, {"reset_after": True}),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "all outputs, dropout": {"return_sequences": True, "dropout": 0.2, "recurrent_dropout": 0.3, "seed": 3},
    "backwards, shared dropout": {"go_backwards": True, "recurrent_dropout": 0.3, "implementation": 2, "seed": 3},
    "stateful": {"stateful": True, "return_state": True, "return_sequences": True},
    "zeros before the first valid step": {"masked_start": "zeros", "return_sequences": True},
}
ENGINES = [
    "steps",
    pytest.param("cpu", marks=pytest.mark.skipif(library.unavailable() is not None, reason="no C library")),
]


def gradients(layer: Any, x: Tensor, **call: Any) -> list[Tensor]:
    """Gradients of two calls, the second from the states of the first where the layer carries them."""
    loss = x.new_zeros(())
    for _ in range(2):
        found = layer(x, **call)
        for number, tensor in enumerate(found if isinstance(found, tuple) else (found,)):
            loss = loss + (number + 1) * tensor.square().sum()
    return list(torch.autograd.grad(loss, [x, *layer.parameters()]))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("every", [1, 4, 100])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_a_pass_that_keeps_everything(kind: str, options: str, every: int, engine: str) -> None:
    make, own = KINDS[kind]
    x = torch.randn(3, 13, 4, dtype=torch.float64, requires_grad=True)
    mask = torch.rand(3, 13) > 0.3
    mask[0, :2] = False
    pair = []
    for checkpoint_every in (None, every):
        torch.manual_seed(1)
        layer = make(5, input_size=4, dtype=torch.float64, checkpoint_every=checkpoint_every, **own, **OPTIONS[options])
        with use_engine(engine):
            pair.append(gradients(layer, x, mask=mask))
    for got, want in zip(*reversed(pair), strict=True):
        torch.testing.assert_close(got, want, rtol=0, atol=1e-12)


def kept_bytes(layer: Any, x: Tensor) -> int:
    """Bytes that autograd keeps of a call, beside its input and the weights."""
    known = {tensor.untyped_storage().data_ptr() for tensor in (x, *layer.parameters())}
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        output = layer(x)
    assert output.requires_grad
    return sum(kept.values())


@pytest.mark.parametrize("engine", ENGINES)
def test_a_long_sequence_keeps_a_state_at_every_checkpoint_and_nothing_else(engine: str) -> None:
    x = torch.randn(2, 300, 3)
    with use_engine(engine):
        whole, kept = (kept_bytes(nn.LSTM(32, input_size=3, checkpoint_every=every), x) for every in (0, 25))
    assert whole > 2 * 300 * 32 * 4 * 6  # at least four gates and two states at every step
    assert kept < 2 * (300 // 25 + 4) * 32 * 4 * 2 + 1024  # both states at every checkpoint


@pytest.mark.parametrize("engine", ENGINES)
def test_gradients_of_gradients_are_right_too(engine: str) -> None:
    x = torch.randn(1, 4, 2, dtype=torch.float64, requires_grad=True)
    layer = nn.GRU(2, input_size=2, dtype=torch.float64, return_sequences=True, checkpoint_every=3)

    def call(x: Tensor) -> Tensor:
        output: Tensor = layer(x)
        return output

    with use_engine(engine):
        assert torch.autograd.gradgradcheck(call, (x,))


def test_the_loop_runs_again_from_checkpoint_to_checkpoint() -> None:
    class Counted(rnnspec.Cell):
        gates = ("h",)
        steps = 0

        def step(self, x: Any, states: Any, recur: Any, **weights: Tensor) -> Any:
            type(self).steps += 1
            return (torch.tanh(x[0] + recur(states[0], "h")),)

    layer = nn.RNN(Counted(), 3, input_size=2, checkpoint_every=4)
    output = layer(torch.randn(2, 10, 2))
    assert Counted.steps == 10
    output.sum().backward()
    assert Counted.steps == 20
    with torch.no_grad():
        layer(torch.randn(2, 10, 2))
    assert Counted.steps == 30


def test_what_a_layer_shows_of_itself_is_the_same_with_checkpoints() -> None:
    x = torch.randn(2, 10, 3)
    seen = []
    for every in (None, 4):
        torch.manual_seed(1)
        layer = nn.LSTM(4, input_size=3, checkpoint_every=every)
        with rnnspec.record(layer) as trace:
            layer(x)
        gradients, _ = state_gradients(layer, x)
        seen.append([*trace.gates.values(), *gradients.values()])
    for got, want in zip(*seen, strict=True):
        torch.testing.assert_close(got, want)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_plan_tells_the_checkpoints(engine: str) -> None:
    layer = nn.LSTM(3, input_size=2, checkpoint_every=50)
    with use_engine(engine):
        assert layer.plan((4, 100, 2)).settings["checkpoint_every"] == 50


def test_under_a_transform_everything_is_kept_and_the_plan_says_so() -> None:
    layer, plans = nn.LSTM(3, input_size=2, checkpoint_every=2), []

    def call(x: Tensor) -> Tensor:
        plans.append(layer.plan(x))
        output: Tensor = layer(x)
        return output.sum()

    x = torch.randn(2, 5, 2)
    got = torch.func.vmap(torch.func.grad(call))(x.unsqueeze(1))
    want = torch.autograd.grad(call(x.requires_grad_()), x)[0]
    torch.testing.assert_close(got.squeeze(1), want)
    assert plans[0].settings == {"checkpoint_every": 0}


@pytest.mark.compiled
def test_a_compiled_layer_keeps_everything() -> None:
    layer = nn.GRU(3, input_size=2, checkpoint_every=2)
    x = torch.randn(2, 5, 2, requires_grad=True)
    got, want = (
        torch.autograd.grad(call(x).sum(), x)[0]
        for call in (torch.compile(layer, fullgraph=True, backend="aot_eager"), layer)
    )
    torch.testing.assert_close(got, want)

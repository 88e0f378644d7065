"""Truncated back-propagation: chunks of time, states carried over the cuts, gradients not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

import rnnspec
from rnnspec import nn
from rnnspec.errors import ConfigError, Error, ShapeError, StateError

X = torch.randn(4, 10, 2, generator=torch.Generator().manual_seed(1))


def model(**options: Any) -> nn.Sequential:
    torch.manual_seed(0)
    layers = [
        nn.LSTM(3, return_sequences=True, input_size=2, **options),
        nn.GRU(3, return_sequences=True, **options),
    ]
    return nn.Sequential([*layers, nn.Dense(1)])


def test_the_chunks_together_are_the_sequences() -> None:
    y = torch.randn(4, 10)
    chunks = list(rnnspec.tbptt(model(), X, y, steps=4))
    assert [x.shape[1] for x, _ in chunks] == [4, 4, 2]
    assert torch.equal(torch.cat([x for x, _ in chunks], dim=1), X)
    assert torch.equal(torch.cat([y for _, y in chunks], dim=1), y)


@pytest.mark.parametrize("steps", [1, 3, 10, 99])
def test_the_outputs_are_those_of_the_whole_sequence(steps: int) -> None:
    found = model()
    want = found(X)
    assert_close(torch.cat([found(x) for (x,) in rnnspec.tbptt(found, X, steps=steps)], dim=1), want)


def test_gradients_stop_at_the_cuts() -> None:
    found = model()
    x = X.clone().requires_grad_()
    *_, last = [found(chunk) for (chunk,) in rnnspec.tbptt(found, x, steps=4)]
    last.sum().backward()
    assert not x.grad[:, :8].any()
    assert x.grad[:, 8:].abs().min() > 0


def test_gradients_are_those_of_a_loop_that_detaches_the_states_itself() -> None:
    torch.manual_seed(0)
    layer = nn.LSTM(3, return_sequences=True, return_state=True, input_size=2)
    states: list[Tensor] | None = None
    for start in (0, 4, 8):
        y, *states = layer(X[:, start : start + 4], initial_state=states)
        y.square().sum().backward()
        states = [state.detach() for state in states]
    want = [parameter.grad.clone() for parameter in layer.parameters()]
    layer.zero_grad()
    for (x,) in rnnspec.tbptt(layer, X, steps=4):
        layer(x)[0].square().sum().backward()
    for parameter, gradient in zip(layer.parameters(), want, strict=True):
        assert_close(parameter.grad, gradient)


@pytest.mark.parametrize("ends", ["at the end", "at a break", "at an exception"])
def test_layers_that_are_not_stateful_are_left_as_they_were(ends: str) -> None:
    found = model()
    want = found(X)
    try:
        for number, (x,) in enumerate(rnnspec.tbptt(found, X, steps=4)):
            found(x)
            assert found.stateful
            if number and ends == "at a break":
                break
            if number and ends == "at an exception":
                raise KeyError
    except KeyError:
        pass
    assert not found.stateful
    assert all(layer.states == [None] * len(layer.states) for layer in found.layers[:2])
    assert_close(found(X[:3]), want[:3])  # another batch size, nothing carried


def test_stateful_layers_go_on_from_what_they_carry() -> None:
    found = model(stateful=True, batch_size=4)
    whole = model()
    want = whole(torch.cat([X, X], dim=1))[:, 10:]
    for _ in range(2):
        y = torch.cat([found(x) for (x,) in rnnspec.tbptt(found, X, steps=4)], dim=1)
    assert_close(y, want)


WRONG: dict[str, tuple[Callable[[], Any], type[Error], str]] = {
    "no sequence": (
        lambda: rnnspec.tbptt(model(), steps=3), ShapeError,
        "tbptt takes sequences of one shape (batch, time, ...), found none",
    ),
    "sequences of other lengths": (
        lambda: rnnspec.tbptt(model(), X, X[:, 1:], steps=3), ShapeError,
        "tbptt takes sequences of one shape (batch, time, ...), found (4, 10, 2), (4, 9, 2)",
    ),
    "a vector": (
        lambda: rnnspec.tbptt(model(), X[0, :, 0], steps=3), ShapeError,
        "tbptt takes sequences of one shape (batch, time, ...), found (10,)",
    ),
    "no steps": (
        lambda: rnnspec.tbptt(model(), X, steps=0), ConfigError, "steps must be a positive integer, found 0",
    ),
    "two directions": (
        lambda: rnnspec.tbptt(nn.Bidirectional(nn.GRU(3)), X, steps=3), StateError,
        "Bidirectional(GRU) reads time backwards, tbptt cannot cut its sequences",
    ),
    "backwards": (
        lambda: rnnspec.tbptt(nn.Sequential([nn.GRU(3, go_backwards=True, name="back")]), X, steps=3), StateError,
        "GRU 'back' reads time backwards, tbptt cannot cut its sequences",
    ),
    "time-major": (
        lambda: rnnspec.tbptt(nn.GRU(3, time_major=True), X, steps=3), StateError,
        "GRU is time-major, tbptt takes sequences of shape (batch, time, ...)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_work_is_an_error_at_once(call: Callable[[], Any], kind: type[Error], message: str) -> None:
    with pytest.raises(kind) as error:
        call()
    assert str(error.value) == message

"""Initial states that are weights: they start as zeros, are trained, and are where every sequence starts."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.testing import assert_close

import rnnspec
from rnnspec import nn

X = torch.randn(4, 5, 2, generator=torch.Generator().manual_seed(1))
LAYERS: dict[str, Any] = {"LSTM": nn.LSTM, "GRU": nn.GRU, "SimpleRNN": nn.SimpleRNN}


def lstm(**options: Any) -> nn.LSTM:
    torch.manual_seed(0)
    return nn.LSTM(3, **{"input_size": 2, "initial_state": "trainable", **options})


@pytest.mark.parametrize(("kind", "names"), [("LSTM", ["h", "c"]), ("GRU", ["h"]), ("SimpleRNN", ["h"])])
def test_each_state_is_a_weight_that_starts_as_zeros(kind: str, names: list[str]) -> None:
    layer = LAYERS[kind](3, input_size=2, initial_state="trainable")
    found = {name: value for name, value in layer.state_dict().items() if name.startswith("initial_")}
    assert list(found) == [f"initial_{name}" for name in names]
    assert all(value.shape == (3,) and not value.any() for value in found.values())
    assert len(layer.get_weights()) == 3 + len(names)


@pytest.mark.parametrize("kind", LAYERS)
def test_it_computes_what_the_same_given_state_computes_gradients_too(kind: str) -> None:
    torch.manual_seed(0)
    layer = LAYERS[kind](3, input_size=2, initial_state="trainable", dtype=torch.float64)
    plain = LAYERS[kind](3, input_size=2, dtype=torch.float64, weights=layer.get_weights()[:3])
    x = X.double()
    starts = [parameter for name, parameter in layer.named_parameters() if name.startswith("initial_")]
    given = [torch.randn(3, dtype=torch.float64, requires_grad=True) for _ in starts]
    with torch.no_grad():
        for parameter, value in zip(starts, given, strict=True):
            parameter.copy_(value)
    y, want = layer(x), plain(x, initial_state=[value.expand(4, 3) for value in given])
    assert_close(y, want)
    for ours, theirs in zip(
        torch.autograd.grad(y.square().sum(), starts), torch.autograd.grad(want.square().sum(), given), strict=True
    ):
        assert_close(ours, theirs)


def test_a_given_initial_state_wins() -> None:
    layer = lstm()
    with torch.no_grad():
        layer.initial_h.fill_(0.5)
    zeros = [torch.zeros(4, 3)] * 2
    assert torch.equal(layer(X, initial_state=zeros), lstm(initial_state="zeros")(X))


def test_training_moves_them() -> None:
    layer = lstm()
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    layer(X).sum().backward()
    optimizer.step()
    assert layer.initial_h.any()
    assert layer.initial_c.any()


def test_the_halves_of_a_bidirectional_layer_have_their_own() -> None:
    names = dict(nn.Bidirectional(lstm()).named_parameters())
    assert names["forward_layer.initial_h"] is not names["backward_layer.initial_h"]


def test_a_stateful_layer_starts_from_them_at_first_and_after_a_reset_and_trains_them() -> None:
    layer = lstm(stateful=True, batch_size=4)
    for _ in range(2):
        assert layer.states == [None, None]
        layer(X).sum().backward()
        assert layer.initial_h.grad.any()
        layer.initial_h.grad = None
        layer(X).sum().backward()
        assert layer.initial_h.grad is None, "the second call starts from the carried states"
        layer.reset_states()


def test_reset_rows_start_from_them() -> None:
    layer = lstm(stateful=True, batch_size=4)
    with torch.no_grad():
        layer.initial_h.fill_(0.5)
    layer(X)
    carried = layer.states[0].clone()
    layer.reset_states(rows=torch.tensor([True, False, False, True]))
    assert (layer.states[0][[0, 3]] == 0.5).all()
    assert torch.equal(layer.states[0][1:3], carried[1:3])


def test_a_new_batch_size_starts_from_them() -> None:
    layer = lstm(stateful=True, batch_size=4)
    layer(X)
    layer.reset_states(batch_size=2)
    assert layer.states == [None, None]
    assert layer(X[:2]).shape == (2, 3)


def test_yaml_says_it() -> None:
    layer = rnnspec.build(rnnspec.loads("GRU: {units: 3, initial_state: trainable, input_shape: [5, 2]}"), device="cpu")
    assert layer.initial_h.shape == (3,)


def test_a_cell_alone_starts_from_them_too() -> None:
    cell = nn.LSTMCell(3, input_size=2, initial_state="trainable")
    output, _ = cell(X[:, 0])
    output.sum().backward()
    assert cell.initial_c.grad is not None

"""TimeDistributed, and what it shares with Bidirectional: weights, constraints, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from rnnspec import nn
from rnnspec.errors import ConfigError, ShapeError, StateError
from rnnspec.nn import GRU, LSTM, Bidirectional, Dense, Dropout, Embedding, TimeDistributed
from rnnspec.nn.base import Layer


@pytest.mark.parametrize(
    ("inner", "x"),
    [
        pytest.param(Dense(3, "tanh"), torch.randn(2, 5, 4), id="dense"),
        pytest.param(Dense(3), torch.randn(2, 5, 6, 4), id="dense-4d"),
        pytest.param(LSTM(3), torch.randn(2, 5, 6, 4), id="lstm"),
        pytest.param(Embedding(9, 3), torch.randint(0, 9, (2, 5, 6)), id="embedding"),
        pytest.param(nn.Sequential([Dense(3), nn.Activation("softmax")]), torch.randn(2, 5, 4), id="model"),
        pytest.param(torch.nn.Linear(4, 3), torch.randn(2, 5, 4), id="torch-module"),
    ],
)
def test_time_distributed_is_the_layer_at_every_step(inner: torch.nn.Module, x: Tensor) -> None:
    layer = TimeDistributed(inner)
    output = layer(x)

    expected = torch.stack([inner(x[:, step]) for step in range(5)], dim=1)
    torch.testing.assert_close(output, expected)


@pytest.mark.parametrize("shape", [(0, 5, 4), (2, 0, 4), (2, 1, 4)], ids=str)
def test_time_distributed_without_rows_or_steps(shape: tuple[int, ...]) -> None:
    assert TimeDistributed(Dense(3))(torch.zeros(shape)).shape == (*shape[:2], 3)


@pytest.mark.parametrize(
    ("layer", "declared"),
    [
        pytest.param(lambda: TimeDistributed(Dense(8), input_shape=(10, 16)), (None, 10, 16), id="own"),
        pytest.param(lambda: TimeDistributed(Dense(8, input_dim=16)), (None, None, 16), id="inner"),
    ],
)
def test_time_distributed_knows_its_shapes(layer: Callable[[], TimeDistributed], declared: Any) -> None:
    made = layer()

    assert made.declared_input_shape == declared
    assert made.built
    assert made.compute_output_shape((None, 10, 16)) == (None, 10, 8)


def test_time_distributed_of_a_torch_module_does_not_know_its_shape() -> None:
    assert TimeDistributed(torch.nn.Linear(4, 3)).compute_output_shape((None, 5, 4)) is None


def test_time_distributed_hands_a_mask_on_and_none_in() -> None:
    layer = TimeDistributed(LSTM(3))
    x = torch.randn(2, 5, 6, 4)
    mask = torch.ones(2, 5).bool()

    assert layer.compute_mask(x, mask) is mask
    assert layer(x).shape == (2, 5, 3)


def test_time_distributed_dropout_draws_for_every_step_from_the_generator() -> None:
    layer, x = TimeDistributed(Dropout(0.5)), torch.ones(4, 5, 6)
    first, second = (layer(x, generator=torch.Generator().manual_seed(1)) for _ in range(2))

    assert torch.equal(first, second)
    assert not torch.equal(first[:, 0], first[:, 1])


def test_time_distributed_takes_weights() -> None:
    weights = [torch.ones(2, 3), torch.zeros(3)]
    later, now = TimeDistributed(Dense(3), weights=weights), TimeDistributed(Dense(3, input_dim=2), weights=weights)

    for layer in (later, now):
        assert layer(torch.ones(1, 4, 2)).tolist() == [[[2.0, 2.0, 2.0]] * 4]


# Both


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (lambda: TimeDistributed(Dense(3), trainable=False), "layer.kernel"),
        (lambda: Bidirectional(GRU(3), trainable=False), "backward_layer.kernel"),
    ],
    ids=["time-distributed", "bidirectional"],
)
def test_trainable_false_freezes_what_is_inside(layer: Callable[[], Layer], name: str) -> None:
    made = layer()
    made(torch.zeros(1, 2, 3))

    assert name in made.state_dict()
    assert not any(parameter.requires_grad for parameter in made.parameters())


def test_constraints_go_through() -> None:
    layer = Bidirectional(GRU(3, kernel_constraint="non_neg", input_size=2))
    layer.apply_constraints()

    assert layer.forward_layer.kernel.min().item() >= 0.0
    assert layer.backward_layer.kernel.min().item() >= 0.0


def test_constraints_act_after_an_optimizers_step_in_both_directions() -> None:
    layer = Bidirectional(GRU(3, kernel_constraint="non_neg", input_size=2))
    layer(torch.randn(3, 5, 2)).sum().backward()
    torch.optim.SGD(layer.parameters(), lr=0.1).step()

    assert layer.forward_layer.kernel.min().item() >= 0.0
    assert layer.backward_layer.kernel.min().item() >= 0.0


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        pytest.param(
            lambda: TimeDistributed(LSTM(3, return_state=True, name="a")),
            ConfigError,
            "TimeDistributed takes a layer with one output, LSTM 'a' has return_state=True",
            id="states-in-time-distributed",
        ),
        pytest.param(
            lambda: TimeDistributed(Dense(3), name="t")(torch.zeros(2, 3)),
            ShapeError,
            "TimeDistributed(Dense) 't' expects an input of shape (batch, time, ...), found (2, 3)",
            id="time-distributed-rank",
        ),
        pytest.param(
            lambda: TimeDistributed(LSTM(3), input_shape=(4, 5)),
            ShapeError,
            "LSTM: expected an input of rank 3, (batch, time, features), found (None, 5)",
            id="inner-rank",
        ),
        pytest.param(
            lambda: Bidirectional(Dense(3)),
            ConfigError,
            "Bidirectional takes a recurrent layer, found Dense",
            id="not-recurrent",
        ),
        pytest.param(
            lambda: Bidirectional(LSTM(3), "max"),  # type: ignore[arg-type]
            ConfigError,
            "merge_mode must be one of concat, sum, mul, ave or None, found 'max'",
            id="merge-mode",
        ),
        pytest.param(
            lambda: Bidirectional(LSTM(3, input_size=4), input_shape=(5, 6)),
            ShapeError,
            "LSTM 'forward': its own arguments declare the input (None, None, 4), found (None, 5, 6)",
            id="contradicting-shapes",
        ),
        pytest.param(
            lambda: TimeDistributed(Dense(3), input_shape=(4,)),
            ShapeError,
            "TimeDistributed(Dense): expected an input of rank 3 or more, (batch, time, ...), found (None, 4)",
            id="declared-rank",
        ),
        pytest.param(
            lambda: Bidirectional(GRU(3, input_size=4)).build((None, 5, 6)),
            ShapeError,
            "GRU 'forward': its own arguments declare the input (None, None, 4), found (None, 5, 6)",
            id="built-for-another-input",
        ),
        pytest.param(
            lambda: Bidirectional(LSTM(3)).reset_states(),
            StateError,
            "Bidirectional(LSTM) is not stateful, it has no states to reset; make it with stateful=True",
            id="not-stateful",
        ),
    ],
)
def test_wrong_use(make: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        make()

    assert str(caught.value) == message


def test_repr() -> None:
    assert repr(Bidirectional(GRU(3), "sum")).splitlines() == [
        "Bidirectional(",
        "  merge_mode='sum'",
        "  (forward_layer): GRU(? -> 3)",
        "  (backward_layer): GRU(? -> 3, go_backwards=True)",
        ")",
    ]

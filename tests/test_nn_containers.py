"""Sequential: the list of layers, their shapes and names, errors; calls are in test_nn_containers_calls.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from rnnspec.errors import ConfigError, ShapeError
from rnnspec.nn import (
    GRU,
    LSTM,
    Activation,
    Bidirectional,
    Dense,
    Embedding,
    Flatten,
    Input,
    Sequential,
)
from rnnspec.nn.base import Layer

# Shapes


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        pytest.param([LSTM(32, input_shape=(10, 64))], [(None, 32)], id="input-shape"),
        pytest.param([LSTM(32, input_dim=64, input_length=10)], [(None, 32)], id="input-dim-and-length"),
        pytest.param(
            [LSTM(32, return_sequences=True, batch_input_shape=(8, 10, 16)), Dense(3), Flatten()],
            [(8, 10, 32), (8, 10, 3), (8, 30)],
            id="batch-input-shape",
        ),
        pytest.param([Input((10, 4)), GRU(3)], [(None, 10, 4), (None, 3)], id="input-layer"),
        pytest.param([Embedding(20, 8), LSTM(4)], [(None, None, 8), (None, 4)], id="embedding"),
        pytest.param([Embedding(20, 8, input_length=5), Flatten()], [(None, 5, 8), (None, 40)], id="input-length"),
        pytest.param(
            [Dense(3, input_dim=2), torch.nn.ReLU(), Dense(4)], [(None, 3), None, None], id="torch-module-in-between"
        ),
        pytest.param(
            [Dense(3, input_dim=2), torch.nn.ReLU(), Dense(4, input_dim=3), Activation("relu")],
            [(None, 3), None, (None, 4), (None, 4)],
            id="declared-after-a-torch-module",
        ),
        pytest.param([LSTM(3), Dense(2)], [None, None], id="nothing-declared"),
    ],
)
def test_shapes_travel(layers: list[torch.nn.Module], expected: list[Any]) -> None:
    model = Sequential()
    for layer, shape in zip(layers, expected, strict=True):
        model.add(layer)
        assert model.output_shape == shape

    assert model.output_shapes == expected


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        pytest.param(LSTM(3, input_shape=(10, 4)), (None, 10, 4), id="declared"),
        pytest.param(Embedding(20, 8), (None, None), id="embedding"),
        pytest.param(LSTM(3), None, id="nothing"),
        pytest.param(torch.nn.ReLU(), None, id="torch-module"),
    ],
)
def test_the_first_layer_gives_the_input_shape(first: torch.nn.Module, expected: Any) -> None:
    assert Sequential([first]).input_shape == expected


def test_all_layers_are_built_as_they_are_added() -> None:
    model = Sequential([LSTM(3, input_shape=(5, 4)), Dense(2)])

    assert model.built
    assert [tuple(weight.shape) for weight in model.parameters()] == [(4, 12), (3, 12), (12,), (3, 2), (2,)]


def test_an_undeclared_model_is_built_by_a_shape() -> None:
    model = Sequential([LSTM(3), Dense(2)])
    before = model.built
    model.build((None, 5, 4))

    assert (before, model.built) == (False, True)
    assert (model.input_shape, model.output_shape) == ((None, 5, 4), (None, 2))


def test_an_undeclared_model_is_built_by_the_first_call() -> None:
    model = Sequential([LSTM(3), Dense(2)])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model(torch.randn(6, 5, 4))

    assert (model.input_shape, model.output_shape) == ((None, 5, 4), (None, 2))
    assert [tuple(weight.shape) for weight in optimizer.param_groups[0]["params"]] == [
        (4, 12),
        (3, 12),
        (12,),
        (3, 2),
        (2,),
    ]


def test_the_computed_shape_needs_no_build() -> None:
    model = Sequential([LSTM(3), Dense(2)])

    assert model.compute_output_shape((None, 5, 4)) == (None, 2)
    assert Sequential([torch.nn.ReLU(), Dense(2)]).compute_output_shape((None, 4)) is None
    assert not model.built


def test_a_torch_module_with_a_shape_rule_is_asked() -> None:
    class Twice(torch.nn.Module):
        def compute_output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
            return (*shape[:-1], 2 * shape[-1])

        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([x, x], -1)

    model = Sequential([Dense(3, input_dim=2), Twice(), Dense(1)])

    assert model.output_shapes == [(None, 3), (None, 6), (None, 1)]
    assert model(torch.ones(5, 2)).shape == (5, 1)


# The list


def test_it_is_a_list_of_layers() -> None:
    layers = [Dense(3, input_dim=2), Activation("relu"), Dense(1)]
    model = Sequential(layers)

    assert len(model) == 3
    assert list(model) == model.layers == layers
    assert model[0] is layers[0]
    assert model[-1] is layers[2]


def test_pop_takes_the_last_layer_off() -> None:
    model = Sequential([Dense(3, input_dim=2), Dense(1)])
    last = model[-1]

    assert model.pop() is last
    assert model.output_shape == (None, 3)
    model.add(Dense(5))
    assert model.output_shape == (None, 5)
    assert model(torch.ones(4, 2)).shape == (4, 5)


def test_the_first_layer_may_be_exchanged() -> None:
    model = Sequential([Dense(3, input_dim=2)])
    model.pop()
    model.add(Dense(4, input_dim=7))

    assert model.output_shapes == [(None, 4)]
    assert model(torch.ones(2, 7)).shape == (2, 4)


def test_keys_are_names_or_positions() -> None:
    model = Sequential([Dense(3, use_bias=False, name="first", input_dim=2), Activation("relu"), Dense(1)])

    assert list(model.state_dict()) == ["first.kernel", "2.kernel", "2.bias"]
    assert [name for name, _ in model.named_children()] == ["first", "1", "2"]


def test_one_layer_at_two_places_shares_its_weights() -> None:
    layer = Dense(2, input_dim=2)
    model = Sequential([layer, layer])
    x = torch.randn(4, 2)

    assert torch.equal(model(x), layer(layer(x)))
    assert len(list(model.parameters())) == 2


# Errors


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        pytest.param(
            lambda: Sequential([LSTM(3, input_shape=(5, 4), name="encoder"), GRU(2)]),
            ShapeError,
            "layer 1, GRU, cannot follow layer 0, LSTM 'encoder': "
            "expected an input of rank 3, (batch, time, features), found (None, 3)",
            id="rank",
        ),
        pytest.param(
            lambda: Sequential([LSTM(3), GRU(2)]).build((None, 5, 4)),
            ShapeError,
            "layer 1, GRU, cannot follow layer 0, LSTM: "
            "expected an input of rank 3, (batch, time, features), found (None, 3)",
            id="rank-at-build",
        ),
        pytest.param(
            lambda: Sequential([LSTM(3), GRU(2)])(torch.zeros(2, 5, 4)),
            ShapeError,
            "layer 1, GRU, cannot follow layer 0, LSTM: "
            "expected an input of rank 3, (batch, time, features), found (None, 3)",
            id="rank-at-the-first-call",
        ),
        pytest.param(
            lambda: Sequential([Embedding(9, 4), Flatten()]),
            ShapeError,
            "layer 1, Flatten, cannot follow layer 0, Embedding: "
            "expected every size but the batch's to be known, found (None, None, 4)",
            id="free-size",
        ),
        pytest.param(
            lambda: Sequential([Dense(3, input_dim=2), Dense(3, input_dim=4)]),
            ShapeError,
            "layer 1, Dense, cannot follow layer 0, Dense: "
            "its own arguments declare the input (None, 4), found (None, 3)",
            id="declared",
        ),
        pytest.param(
            lambda: Sequential([Dense(3, input_dim=2), built(Dense(3), 4)]),
            ShapeError,
            "layer 1, Dense, cannot follow layer 0, Dense: "
            "its kernel has the shape (4, 3), an input (None, 3) needs (3, 3)",
            id="built-for-another-input",
        ),
        pytest.param(
            lambda: Sequential([Dense(3, input_dim=2)]).build((None, 5)),
            ShapeError,
            "layer 0, Dense: its own arguments declare the input (None, 2), found (None, 5)",
            id="first-layer",
        ),
        pytest.param(
            lambda: Sequential([]), ConfigError, "Sequential was given an empty list of layers", id="empty-list"
        ),
        pytest.param(
            lambda: Sequential(name="m")(torch.zeros(2)), ConfigError, "Sequential 'm' has no layers", id="empty-call"
        ),
        pytest.param(lambda: Sequential().pop(), ConfigError, "Sequential has no layers", id="empty-pop"),
        pytest.param(
            lambda: Sequential([Dense]),  # type: ignore[list-item]
            ConfigError,
            "Sequential takes layers, found <class 'rnnspec.nn.core.Dense'>",
            id="class",
        ),
        pytest.param(
            lambda: Sequential([LSTM(3, return_state=True), Dense(2)]),
            ConfigError,
            "LSTM has more than one output, no layer can follow it in a Sequential",
            id="states-in-between",
        ),
        pytest.param(
            lambda: Sequential([Bidirectional(LSTM(3), None), Dense(2)]),
            ConfigError,
            "Bidirectional(LSTM) has more than one output, no layer can follow it in a Sequential",
            id="two-outputs-in-between",
        ),
        pytest.param(
            lambda: Sequential([Dense(3, name="a"), Dense(2, name="a")]),
            ConfigError,
            "Sequential has a layer named 'a' already, names must be unique",
            id="name-twice",
        ),
        pytest.param(
            lambda: Sequential([Dense(3), Dense(2, name="0")]),
            ConfigError,
            "Sequential has a layer named '0' already, names must be unique",
            id="name-is-a-position",
        ),
        pytest.param(
            lambda: Sequential([Dense(3, name="a.b")]),
            ConfigError,
            "the name of a layer must not hold a dot, found 'a.b'",
            id="dot",
        ),
        pytest.param(
            lambda: Sequential([Dense(3, name="losses")]),
            ConfigError,
            "Sequential cannot hold a layer named 'losses', which is one of its own attributes",
            id="own-attribute",
        ),
    ],
)
def test_wrong_use(make: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        make()

    assert str(caught.value) == message


def built(layer: Layer, features: int) -> Layer:
    layer.build((None, features))
    return layer


def test_a_layer_that_is_refused_is_not_added() -> None:
    model = Sequential([Dense(3, input_dim=2)])
    with pytest.raises(ShapeError):
        model.add(LSTM(2))
    model.add(Dense(1))

    assert model.output_shapes == [(None, 3), (None, 1)]


def test_repr() -> None:
    assert repr(Sequential([Dense(3, input_dim=2, name="a"), Activation("relu")])).splitlines() == [
        "Sequential(",
        "  (a): Dense(2 -> 3, activation=linear)",
        "  (1): Activation(relu)",
        ")",
    ]

"""From module to config: what was built or made by hand is written as YAML, and built again from it."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
import torch
from config_strategies import a_registered_function, layers
from hypothesis import given, reject
from test_nn_every_layer import Case, every_case, given_mask

import rnnspec
from rnnspec import nn
from rnnspec.config.base import Config
from rnnspec.engines import cells
from rnnspec.errors import ConfigWarning, Error
from rnnspec.nn import constraints, initializers, regularizers
from rnnspec.registry import FUNCTIONS, Registry

# What the Lambda layers of the tables call.
FUNCTIONS_OF_LAYERS = {
    function.__name__: function for function in (torch.cumsum, torch.sin, given_mask, a_registered_function)
}


@pytest.fixture(autouse=True)
def _registries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Names that a test registers are forgotten after it; configs may warn."""
    for table in vars(rnnspec.registry).values():
        if isinstance(table, Registry):
            monkeypatch.setattr(table, "_added", dict(FUNCTIONS_OF_LAYERS) if table is FUNCTIONS else {})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        yield


def built(config: Config, input_shape: Any = None) -> Any:
    return rnnspec.build(config, input_shape, device="cpu")


# There and back


@every_case
@pytest.mark.parametrize("called", [True, False], ids=["called", "new"])
def test_the_yaml_of_every_layer_builds_the_same_layer(case: Case, called: bool) -> None:
    layer, x = case.make().eval(), case.input()
    if called:
        layer(x)
    config, again = rnnspec.config_of(layer), rnnspec.loads(layer.to_yaml())
    twin = built(again, None if called and layer.known_input_shape else (None, *case.shape)).eval()
    expected = layer(x)
    twin.set_weights(layer.get_weights())

    assert again == config
    assert torch.equal(twin(x), expected)
    assert [type(module) for module in twin.modules()] == [type(module) for module in layer.modules()]


@every_case
def test_copies_and_pickles_keep_what_they_were_made_with(case: Case) -> None:
    layer = case.make()

    assert copy.deepcopy(layer).to_yaml() == layer.to_yaml()
    assert pickle.loads(pickle.dumps(layer)).to_yaml() == layer.to_yaml()


def test_initial_weights_are_not_kept_a_second_time() -> None:
    layer = nn.Dense(1, input_dim=2, weights=[torch.zeros(2, 1), torch.zeros(1)])

    assert layer._made_with == ((1,), {"input_dim": 2})
    assert layer.to_yaml() == "Dense: {units: 1, input_dim: 2}\n"


DROPPED = ("weights", "input_shape", "batch_input_shape", "input_length")


def tame(value: Any, key: str = "", tag: str = "") -> Any:
    """A config's data with sizes that can be built, for an input of shape (2, 5, 3); the shapes are left out."""
    if isinstance(value, dict):
        kept = (name for name in value if name not in DROPPED and (name != "input_dim" or tag == "Embedding"))
        return {name: tame(value[name], name, name if isinstance(value[name], dict) else tag) for name in kept}
    if key == "axis":
        return 0
    if key == "shape":
        return [3]
    if isinstance(value, int) and not isinstance(value, bool) and key != "seed":
        return 1 + value % 7 if value > 2 else value
    return value


@given(layers)
def test_the_config_of_what_was_built_is_the_config_it_was_built_from(layer: Any) -> None:
    config: Any = rnnspec.from_dict(tame(layer.to_schema()))
    shape = {"Input": None, "Embedding": (2, 5)}.get(config.identifier, (2, 5, 3))
    try:
        module: Any = rnnspec.build(config, shape, device="meta")
    except Error:
        reject()  # a Flatten over one axis, for example
    found = rnnspec.loads(module.to_yaml())

    assert attrs.evolve(found, input_shape=None, batch_input_shape=None) == config
    assert rnnspec.config_of(rnnspec.build(found, None if found.declared_input() else shape, device="meta")) == found


def test_a_model_has_the_name_and_the_layers_of_its_config() -> None:
    model = nn.Sequential([nn.GRU(3, name="encoder", input_shape=(None, 2)), nn.Dense(1)], name="m")

    assert rnnspec.config_of(model) == rnnspec.SequentialConfig(
        [{"GRU": {"units": 3, "name": "encoder", "input_shape": [None, 2]}}, {"Dense": {"units": 1}}], name="m"
    )


# What the present says


def test_attributes_that_were_changed_count() -> None:
    layer: Any = nn.LSTM(3, dropout=0.5, activity_regularizer="l2")
    layer.dropout, layer.trainable, layer.name = 0.25, False, "encoder"
    layer.cell = cells.LSTM("relu", "hard_sigmoid")
    layer.activity_regularizer = regularizers.L2(0.5)

    assert rnnspec.config_of(layer) == rnnspec.LSTMConfig(
        3, "relu", dropout=0.25, trainable=False, name="encoder", activity_regularizer={"L2": {"l": 0.5}}
    )


def test_the_dtype_is_that_of_the_weights_else_what_was_said_else_torchs() -> None:
    assert rnnspec.config_of(nn.Dense(3, input_dim=2).to(torch.bfloat16)).dtype == "bfloat16"
    assert rnnspec.config_of(nn.Dropout(0.5, dtype=torch.float64)).dtype == "float64"
    assert rnnspec.config_of(nn.Dropout(0.5)).dtype == "float32"


@pytest.mark.parametrize(
    ("make", "declared"),
    [
        pytest.param(lambda: nn.LSTM(3), "", id="unknown"),
        pytest.param(lambda: nn.LSTM(3, input_size=2), "input_shape: [null, 2]", id="input_size"),
        pytest.param(lambda: nn.LSTM(3, input_dim=2), "input_dim: 2", id="input_dim"),
        pytest.param(
            lambda: nn.LSTM(3, input_size=2, batch_size=4), "batch_input_shape: [4, null, 2]", id="batch_size"
        ),
        pytest.param(lambda: nn.LSTM(3, batch_size=4), "batch_input_shape: [4, null, null]", id="batch_size alone"),
        pytest.param(lambda: called(nn.LSTM(3)), "input_shape: [null, 2]", id="called"),
        pytest.param(lambda: called(nn.Dense(3)), "input_shape: [5, 2]", id="called Dense"),
        pytest.param(lambda: loaded(nn.Dense(3)), "input_shape: [2]", id="loaded"),
        pytest.param(lambda: called(nn.LSTM(3, unroll=True)), "input_shape: [5, 2], unroll: true", id="unrolled"),
        pytest.param(
            lambda: called(nn.LSTM(3, stateful=True)), "batch_input_shape: [4, null, 2], stateful: true", id="stateful"
        ),
    ],
)
def test_the_config_declares_what_is_known_of_the_input(make: Any, declared: str) -> None:
    layer = make()
    arguments = ", ".join(part for part in (declared, "units: 3") if part)

    assert layer.to_yaml() == f"{type(layer).__name__}: {{{arguments}}}\n"


def called(layer: Any) -> Any:
    layer(torch.zeros(4, 5, 2))
    return layer


def loaded(layer: nn.Dense) -> nn.Dense:
    layer.load_state_dict(nn.Dense(layer.units, input_dim=2).state_dict())
    return layer


def test_a_wrapper_declares_what_it_and_the_layer_inside_know() -> None:
    both: Any = called(nn.Bidirectional(nn.LSTM(3, stateful=True), input_shape=(5, 2)))
    steps: Any = called(nn.TimeDistributed(nn.Dense(3)))

    assert rnnspec.config_of(both).declared_input() == (4, 5, 2)
    assert rnnspec.config_of(steps).declared_input() == (None, None, 2)


def test_the_first_layer_of_a_model_declares_what_is_known_of_the_input() -> None:
    model = nn.Sequential([nn.LSTM(3, stateful=True, return_sequences=True), nn.LSTM(3, stateful=True)])
    model(torch.zeros(4, 5, 2))

    assert model.to_yaml() == (
        "- LSTM: {batch_input_shape: [4, 5, 2], return_sequences: true, stateful: true, units: 3}\n"
        "- LSTM: {stateful: true, units: 3}\n"
    )
    assert built(rnnspec.loads(model.to_yaml())).output_shape == (4, 3)


def test_the_layer_in_a_bidirectional_has_its_own_name_again() -> None:
    assert (
        nn.Bidirectional(nn.GRU(3, name="both")).to_yaml() == "Bidirectional:\n  layer: {GRU: {name: both, units: 3}}\n"
    )
    assert nn.Bidirectional(nn.GRU(3)).to_yaml() == "Bidirectional:\n  layer: {GRU: {units: 3}}\n"


def test_objects_become_their_configs_and_names_stay_names() -> None:
    layer = nn.SimpleRNN(
        3,
        activation=torch.tanh,
        kernel_initializer=initializers.Orthogonal(0.5, seed=7),
        recurrent_initializer=initializers.Zeros,
        bias_initializer=initializers.Constant(1.0, dtype=torch.float32),
        kernel_regularizer=regularizers.L1L2(0.1),
        recurrent_constraint=constraints.MaxNorm(axis=(0, 1)),
        bias_constraint="non_neg",
    )

    assert rnnspec.config_of(layer) == rnnspec.SimpleRNNConfig(
        3,
        kernel_initializer={"Orthogonal": {"gain": 0.5, "seed": 7}},
        recurrent_initializer="zeros",
        bias_initializer={"Constant": {"value": 1.0, "dtype": "float32"}},
        kernel_regularizer={"L1L2": {"l1": 0.1}},
        recurrent_constraint={"MaxNorm": {"axis": [0, 1]}},
        bias_constraint="NonNeg",
    )

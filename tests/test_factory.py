"""From config to module: one rule for all, places in errors, device, dtype and seed."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from attrs import fields

import rnnspec
from rnnspec import factory, nn
from rnnspec.config.base import TaggedConfig
from rnnspec.config.graph import GraphConfig
from rnnspec.config.model import SequentialConfig
from rnnspec.config.module import ModuleConfig
from rnnspec.config.tags import Registered
from rnnspec.engines.cells import Cell
from rnnspec.errors import ConfigError, ConfigWarning, Error, ShapeError, WeightsError
from rnnspec.registry import CELLS, CONSTRAINTS, INITIALIZERS, LAYERS, REGULARIZERS, Registry

TABLES = (LAYERS, CELLS, INITIALIZERS, REGULARIZERS, CONSTRAINTS)
MODELS = {GraphConfig, SequentialConfig}  # what they build is given their layers made


def config_classes() -> Iterator[type[TaggedConfig]]:
    """Every concrete config class that builds something, through all families."""
    for table in TABLES:
        for name in table.names():
            table.find(name)  # loads its module
    open_classes: list[type[TaggedConfig]] = [TaggedConfig]
    while open_classes:
        found = open_classes.pop()
        open_classes += found.__subclasses__()
        family = next((room for room in (*factory.ROOMS, ModuleConfig) if issubclass(found, room)), None)
        abstract = "identifier" not in vars(found) or found is rnnspec.RecurrentConfig or issubclass(found, Registered)
        if family is not None and not abstract:
            yield found


def accepted(target: Any) -> dict[str, Any]:
    """Arguments and defaults of a class, those that it hands to its base classes among them."""
    found: dict[str, Any] = {}
    for base in target.__mro__:
        parameters = list(inspect.signature(base).parameters.values()) if "__init__" in vars(base) else []
        for parameter in parameters:
            if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                found.setdefault(parameter.name, parameter.default)
        if parameters and not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


def same_default(config_default: Any, module_default: Any) -> bool:
    """Whether both mean the same: a nested config against the name of what it builds."""
    if isinstance(config_default, TaggedConfig) and isinstance(module_default, str):
        data = {"RNN": {"cell": "LSTM", "units": 1, "kernel_initializer": module_default}}
        return bool(rnnspec.from_dict(data).kernel_initializer == config_default)
    return getattr(module_default, "name", module_default) == config_default


@pytest.mark.parametrize(
    "config_class",
    sorted(set(config_classes()) - MODELS, key=lambda found: found.__name__),
    ids=lambda found: found.__name__,
)
def test_a_configs_arguments_and_defaults_are_those_of_what_it_builds(config_class: Any) -> None:
    target = factory.target(object.__new__(config_class))
    arguments = accepted(target)
    for attribute in fields(config_class):
        if attribute.name in factory.GRAPH_ARGUMENTS:
            continue
        assert attribute.name in arguments, attribute.name
        if attribute.name == "dtype":
            continue  # torch's own default in a module, float32 in a config
        wanted = arguments[attribute.name]
        if wanted is inspect.Parameter.empty:
            assert repr(attribute.default) == "NOTHING", attribute.name
        else:
            assert same_default(attribute.default, wanted), attribute.name


def test_every_name_of_the_tables_has_a_config_that_is_built() -> None:
    names = {name for table in TABLES for name in table.names() if not table.is_users(name)}
    assert {found.identifier for found in config_classes()} == names - {"Recurrent"}


# What build takes


LSTM = {"LSTM": {"units": 3, "input_shape": [5, 2]}}


def built(data: Any, *arguments: Any, **options: Any) -> Any:
    return rnnspec.build(rnnspec.from_dict(data), *arguments, **{"device": "cpu", **options})


def test_one_layer_becomes_that_layer_and_a_list_a_sequential() -> None:
    assert type(built(LSTM)) is nn.LSTM
    model = built([LSTM, {"Dense": {"units": 4, "name": "out"}}])
    assert type(model) is nn.Sequential
    assert list(model.state_dict()) == ["0.kernel", "0.recurrent_kernel", "0.bias", "out.kernel", "out.bias"]
    assert model.output_shape == (None, 4)
    assert model.training


def test_an_experiment_becomes_its_model() -> None:
    model = built({"model": [LSTM], "train": {"epochs": 1}})
    assert model.output_shape == (None, 3)


@pytest.mark.parametrize("shape", [(None, 5, 2), (4, 5, 2), (5, 2), [None, 2]])
def test_the_input_shape_comes_with_the_batch_or_without_where_the_rank_is_fixed(shape: Any) -> None:
    layer = built({"LSTM": {"units": 3}}, shape)
    assert layer.kernel.shape == (2, 12)


@pytest.mark.parametrize(
    ("dtype", "config_dtype", "want"),
    [
        (None, "float32", torch.float32),
        (None, "float64", torch.float64),
        (torch.float64, "float32", torch.float64),
        ("bfloat16", "float64", torch.bfloat16),
    ],
)
def test_the_dtype_of_the_call_wins_over_the_configs(dtype: Any, config_dtype: str, want: torch.dtype) -> None:
    model = built(
        [{"LSTM": {**LSTM["LSTM"], "dtype": config_dtype}}, {"Dense": {"units": 1, "dtype": config_dtype}}], dtype=dtype
    )
    assert {parameter.dtype for parameter in model.parameters()} == {want}


def test_an_unknown_dtype_is_an_error() -> None:
    with pytest.raises(ConfigError) as error:
        built(LSTM, dtype="float23")
    assert str(error.value) == "unknown dtype 'float23', expected a torch dtype or its name"


def test_the_device_is_cuda_where_there_is_one_unless_it_is_named() -> None:
    want = "cuda" if torch.cuda.is_available() else "cpu"
    assert rnnspec.build(rnnspec.from_dict(LSTM)).kernel.device.type == want
    assert built(LSTM, device="meta").kernel.device.type == "meta"


def test_a_seed_makes_the_weights_reproducible_whatever_was_drawn_before() -> None:
    data = [LSTM, {"Dense": {"units": 4}}]
    first = built(data, seed=7)
    before = torch.get_rng_state()
    second = built(data, seed=7)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(*pair) for pair in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first[0].kernel, built(data, seed=8)[0].kernel)
    assert not torch.equal(first[0].kernel, built(data)[0].kernel)


def test_nested_configs_become_their_objects() -> None:
    layer = built(
        {
            "LSTM": {
                **LSTM["LSTM"],
                "kernel_initializer": {"Orthogonal": {"gain": 0.5, "seed": 7}},
                "recurrent_regularizer": "l2",
                "bias_constraint": {"MaxNorm": {"max_value": 1.5}},
            }
        }
    )
    torch.testing.assert_close(layer.kernel @ layer.kernel.T, 0.25 * torch.eye(2))
    assert len(layer.losses) == 1
    bidirectional = built({"Bidirectional": {"layer": LSTM, "merge_mode": "sum"}})
    assert type(bidirectional.forward_layer) is nn.LSTM


def test_weights_in_a_config_win() -> None:
    weights = [np.full((2, 12), 1.0), np.full((3, 12), 2.0), np.full((12,), 3.0)]
    layer = rnnspec.build(rnnspec.LSTMConfig(3, input_shape=(5, 2), weights=weights), device="cpu")
    assert all((got == want).all() for got, want in zip(layer.get_weights(), weights, strict=True))


def test_a_config_warns_once_when_it_is_made_and_not_again_when_it_is_built() -> None:
    with pytest.warns(ConfigWarning):
        config = rnnspec.LSTMConfig(3, input_shape=(5, 2), bias_initializer="ones")
    rnnspec.build(config, device="cpu")


# What build refuses


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        pytest.param(
            "Recurrent: {stateful: false}", ConfigError,
            "model.yaml:1:1: Recurrent: Recurrent is abstract and cannot be built\n"
            "  1 | Recurrent: {stateful: false}\n    | ^\n  hint: use SimpleRNN, LSTM or GRU", id="abstract",
        ),
        pytest.param(
            "Bidirectional: {layer: {Recurrent: {}}, input_shape: [5, 2]}", ConfigError,
            "model.yaml:1:25: Bidirectional.layer.Recurrent: Recurrent is abstract and cannot be built\n"
            "  1 | Bidirectional: {layer: {Recurrent: {}}, input_shape: [5, 2]}\n"
            "    |                         ^\n  hint: use SimpleRNN, LSTM or GRU", id="abstract-inside",
        ),
        pytest.param(
            "- LSTM: {units: 3, input_shape: [5, 2]}\n- Dense: {units: 1, weights: [[[1]]]}", WeightsError,
            "model.yaml:2:10: [1].Dense: Dense has 2 weights (kernel, bias), it was given 1\n"
            "  2 | - Dense: {units: 1, weights: [[[1]]]}\n    |          ^", id="weights",
        ),
        pytest.param(
            "model:\n- LSTM: {units: 3, input_shape: [5, 2]}\n- GRU: {units: 1}", ShapeError,
            "model.yaml:3:8: model[1].GRU: expected an input of rank 3, (batch, time, features), "
            "found (None, 3), the output of LSTM (model[0].LSTM)\n"
            "  3 | - GRU: {units: 1}\n    |        ^\n  hint: set return_sequences on LSTM (model[0].LSTM)", id="shape",
        ),
    ],
)  # fmt: skip
def test_an_error_names_its_place_in_the_file(
    text: str, kind: Any, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.yaml").write_text(text)
    config = rnnspec.load("model.yaml")
    with pytest.raises(kind) as error:
        rnnspec.build(config, device="cpu")
    assert str(error.value) == message


def test_an_error_of_a_config_made_in_python_names_its_place_in_the_model() -> None:
    with pytest.raises(Error) as error:
        built([LSTM, {"Dense": {"units": 1, "weights": [[[1]]]}}])
    assert str(error.value) == "[1].Dense: Dense has 2 weights (kernel, bias), it was given 1"


# What users registered


@pytest.fixture
def registries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that a test registers are forgotten after it."""
    for table in vars(rnnspec.registry).values():
        if isinstance(table, Registry):
            monkeypatch.setattr(table, "_added", {})


@pytest.mark.usefixtures("registries")
def test_a_users_cell_works_from_yaml_at_once_with_arguments() -> None:
    @rnnspec.register.cell
    class Leaky(Cell):
        gates = ("h",)

        def __init__(self, rate: float = 0.5) -> None:
            self.rate = rate

        def step(self, x: Any, states: Any, recur: Any, **weights: Any) -> Any:
            return (self.rate * states[0] + (1 - self.rate) * torch.tanh(x[0] + recur(states[0], "h")),)

    plain = rnnspec.build(rnnspec.loads("RNN: {cell: Leaky, units: 3, input_shape: [5, 2]}"), device="cpu")
    assert plain.cell.rate == 0.5
    config = rnnspec.loads("RNN: {cell: {Leaky: {rate: 0.25}}, units: 3, input_shape: [5, 2], return_sequences: true}")
    assert rnnspec.from_dict(config.to_schema()) == config
    layer = rnnspec.build(config, device="cpu")
    assert layer.cell.rate == 0.25
    assert layer(torch.zeros(4, 5, 2)).shape == (4, 5, 3)


@pytest.mark.usefixtures("registries")
def test_a_users_layer_may_be_any_torch_module() -> None:
    @rnnspec.register.layer
    class Scale(torch.nn.Module):
        def __init__(self, factor: float) -> None:
            super().__init__()
            self.factor = torch.nn.Parameter(torch.tensor([factor]))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.factor * x

        def compute_output_shape(self, input_shape: Any) -> Any:
            return input_shape

    model = built([LSTM, {"Scale": {"factor": 2.0}}, {"Dense": {"units": 1}}], dtype="float64")
    assert model.output_shape == (None, 1)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float64}
    assert model(torch.zeros(4, 5, 2, dtype=torch.float64)).shape == (4, 1)


@pytest.mark.usefixtures("registries")
def test_a_users_functions_and_classes_serve_as_initializer_regularizer_constraint_and_activation() -> None:
    @rnnspec.register.initializer
    def sevens(tensor: torch.Tensor, generator: Any = None) -> None:
        tensor.fill_(7.0)

    @rnnspec.register.initializer("Fill")
    class Fill:
        def __init__(self, value: float) -> None:
            self.value = value

        def __call__(self, tensor: torch.Tensor, generator: Any = None) -> None:
            tensor.fill_(self.value)

    @rnnspec.register.regularizer
    def cube(weight: torch.Tensor, factor: float = 1.0) -> torch.Tensor:
        return factor * weight.abs().pow(3).sum()

    @rnnspec.register.constraint
    def clipped(weight: torch.Tensor) -> torch.Tensor:
        return weight.clamp(-1, 1)

    @rnnspec.register.activation
    def double(x: torch.Tensor) -> torch.Tensor:
        return 2 * x

    layer = built(
        {
            "SimpleRNN": {
                "units": 1,
                "input_shape": [5, 1],
                "activation": "double",
                "kernel_initializer": "sevens",
                "recurrent_initializer": {"Fill": {"value": 0.5}},
                "bias_regularizer": {"cube": {"factor": 2.0}},
                "kernel_constraint": "clipped",
            }
        }
    )
    assert (layer.kernel.item(), layer.recurrent_kernel.item()) == (7.0, 0.5)
    assert layer(torch.ones(1, 1, 1)).item() == 14.0
    with torch.no_grad():
        layer.bias.fill_(2.0)
    assert [loss.item() for loss in layer.losses] == [16.0]
    layer.apply_constraints()
    assert layer.kernel.item() == 1.0

"""What users register works in configs at once; its arguments are checked against its signature."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from rnnspec import config, from_dict, registry
from rnnspec.config import infer
from rnnspec.errors import ConfigError
from rnnspec.registry import register


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    tables = [table for table in vars(registry).values() if isinstance(table, registry.Registry)]
    before = [dict(table._added) for table in tables]
    register_things()
    yield
    for table, added in zip(tables, before, strict=True):
        table._added = added


def register_things() -> None:
    @register.layer
    class Scale:
        def __init__(self, factor: float, *, name: str | None = None) -> None: ...

    @register.layer
    class Anything:
        def __init__(self, factor: float = 1, **arguments: Any) -> None: ...

    @register.cell
    class Projected:
        def __init__(self, size: int = 2) -> None:
            self.size = size

        def state_sizes(self, units: int) -> tuple[int, ...]:
            return self.size, units

    @register.initializer
    def filled(tensor: Any, value: float, generator: Any = None) -> None: ...

    @register.regularizer
    class Huge:
        def __init__(self, factor: float) -> None: ...

    @register.constraint
    def halved(weight: Any) -> Any: ...

    @register.activation
    def swish(x: Any) -> Any: ...


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ({"Scale": {"factor": 3}}, lambda: config.RegisteredLayerConfig("Scale", {"factor": 3})),
        (
            {"Scale": {"factor": 3, "name": "s"}},
            lambda: config.RegisteredLayerConfig("Scale", {"factor": 3}, name="s"),
        ),
        (
            {"class_name": "Anything", "config": {"a": [1]}},
            lambda: config.RegisteredLayerConfig("Anything", {"a": [1]}),
        ),
        ("Anything", lambda: config.RegisteredLayerConfig("Anything")),
        (
            {"RNN": {"cell": "Projected", "units": 3}},
            lambda: config.RNNConfig(config.RegisteredCellConfig("Projected"), 3),
        ),
        (
            {"Dense": {"units": 3, "kernel_initializer": {"filled": {"value": 3}}, "kernel_constraint": "halved"}},
            lambda: config.DenseConfig(
                3,
                kernel_initializer=config.RegisteredInitializerConfig("filled", {"value": 3}),
                kernel_constraint=config.RegisteredConstraintConfig("halved"),
            ),
        ),
        (
            {"Dense": {"units": 3, "activation": "swish", "bias_regularizer": {"Huge": {"factor": 1}}}},
            lambda: config.DenseConfig(
                3, "swish", bias_regularizer=config.RegisteredRegularizerConfig("Huge", {"factor": 1})
            ),
        ),
    ],
    ids=lambda value: None if callable(value) else str(value),
)
def test_a_users_thing_is_written_as_a_built_in_one(written: Any, made: Any) -> None:
    expected = made()

    assert from_dict(written) == expected
    assert from_dict(expected.to_schema()) == expected
    assert type(expected).from_dict(expected.to_dict()) == expected
    assert pickle.loads(pickle.dumps(expected)) == expected


def test_the_identifier_is_the_tag() -> None:
    made = from_dict({"Anything": {"factor": 3, "other": None, "dtype": "float64"}})

    assert isinstance(made, config.RegisteredLayerConfig)
    assert made.identifier == made.label == "Anything"
    assert made.to_schema() == {"Anything": {"factor": 3, "other": None, "dtype": "float64"}}
    assert made.dtype == "float64"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        pytest.param({"Scale": {}}, "Scale needs the argument 'factor'", id="missing"),
        pytest.param(
            {"Scale": {"facto": 3}},
            "Scale.facto: Scale has no argument 'facto'\n  hint: did you mean 'factor'? Scale takes factor, name",
            id="misspelled",
        ),
        pytest.param(
            {"Scale": {"factor": 3, "trainable": False}},
            "Scale.trainable: Scale has no argument 'trainable'\n  hint: Scale takes factor, name",
            id="a base argument that it does not take",
        ),
        pytest.param(
            {"Scale": {"name": "a.b"}},
            "Scale.name: name must be a name without dots, found 'a.b'\nScale needs the argument 'factor'",
            id="two mistakes",
        ),
        pytest.param({"Scale": 3}, "Scale takes a mapping of arguments, found 3", id="no mapping"),
        pytest.param(
            {"RNN": {"cell": {"Projected": {"sise": 3}}, "units": 3}},
            "RNN.cell.Projected.sise: Projected has no argument 'sise'\n"
            "  hint: did you mean 'size'? Projected takes size",
            id="cell",
        ),
        pytest.param(
            {"Dense": {"units": 3, "kernel_initializer": "filled"}},
            "Dense.kernel_initializer: filled needs the argument 'value'",
            id="function",
        ),
        pytest.param(
            {"Dense": {"units": 3, "kernel_initializer": {"filled": {"value": 1, "generator": 3}}}},
            "Dense.kernel_initializer.filled.generator: filled has no argument 'generator'\n  hint: filled takes value",
            id="what is filled in",
        ),
        pytest.param(
            {"Dense": {"units": 3, "kernel_constraint": {"halved": {"weight": 3}}}},
            "Dense.kernel_constraint.halved.weight: halved has no argument 'weight'\n  hint: halved takes no arguments",
            id="function of a weight",
        ),
        pytest.param(
            {"Dense": {"units": 3, "bias_regularizer": "Huge"}},
            "Dense.bias_regularizer: Huge needs the argument 'factor'",
            id="class",
        ),
        pytest.param({"Scal": {"factor": 3}}, "Scal: unknown layer 'Scal'", id="unknown"),
    ],
)
def test_wrong_arguments_are_refused(written: Any, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        from_dict(written)

    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("tag", "arguments", "message"),
    [
        ("LSTM", {}, "tag: no user registered the layer 'LSTM'"),
        ("Nothing", {}, "tag: no user registered the layer 'Nothing'"),
        (3, {}, "tag must be text, found 3"),
        ("Scale", [3], "arguments must be a mapping of arguments, found a list"),
        (
            "Scale",
            {"units": 3},
            "Scale needs the argument 'factor'\nunits: Scale has no argument 'units'\n  hint: Scale takes factor, name",
        ),
    ],
)
def test_a_registered_config_is_checked_in_python(tag: Any, arguments: Any, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        config.RegisteredLayerConfig(tag, arguments)

    assert str(error.value) == message


def test_inbound_nodes_are_the_graphs_and_not_asked_of_the_signature() -> None:
    made = config.RegisteredLayerConfig("Scale", {"factor": 3}, inbound_nodes=["x"])

    assert made.to_schema() == {"Scale": {"factor": 3, "inbound_nodes": [["x", 0, 0]]}}
    assert config.LayerConfig.from_users_tag("Scale", made.to_schema()["Scale"]) == made


def test_the_arguments_are_copied() -> None:
    arguments = {"factor": 3}
    made = config.RegisteredLayerConfig("Scale", arguments)
    arguments["factor"] = 4

    assert made.arguments == {"factor": 3}


def test_shapes_and_masks_after_a_users_layer_are_unknown() -> None:
    found = infer(from_dict([{"Masking": {}}, "Anything", "Flatten"]), (2, 5, 4))

    assert found.error is None
    assert [layer.output_shape for layer in found.layers] == [(2, 5, 4), None, None]


def test_a_users_cell_says_the_width_of_its_output() -> None:
    layer = config.RNNConfig({"Projected": {"size": 7}}, 3)

    assert layer.compute_output_shape((2, 5, 4)) == (2, 7)

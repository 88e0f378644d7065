"""The configs of the recurrent layers: signatures, defaults, warnings, what they say of shapes."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from rnnspec import config
from rnnspec.errors import ConfigError, ConfigWarning

LAYERS = [config.SimpleRNNConfig, config.LSTMConfig, config.GRUConfig]

SHARED = [
    ("kernel_regularizer", None),
    ("recurrent_regularizer", None),
    ("bias_regularizer", None),
    ("activity_regularizer", None),
    ("kernel_constraint", None),
    ("recurrent_constraint", None),
    ("bias_constraint", None),
    ("dropout", 0.0),
    ("recurrent_dropout", 0.0),
]
BIAS = [
    ("use_bias", True),
    ("kernel_initializer", config.GlorotUniformInitializerConfig()),
    ("recurrent_initializer", config.OrthogonalInitializerConfig()),
    ("bias_initializer", config.ZerosInitializerConfig()),
]
REQUIRED = ("units", inspect.Parameter.empty)
GATED = [REQUIRED, ("activation", "tanh"), ("recurrent_activation", "hard_sigmoid"), *BIAS]


@pytest.mark.parametrize(
    ("layer", "positions"),
    [
        (config.SimpleRNNConfig, [REQUIRED, ("activation", "tanh"), *BIAS, *SHARED]),
        (config.LSTMConfig, [*GATED, ("unit_forget_bias", True), *SHARED]),
        (config.GRUConfig, [*GATED, *SHARED]),
        (config.RNNConfig, [("cell", inspect.Parameter.empty), REQUIRED, *BIAS, *SHARED]),
        (config.RecurrentConfig, []),
    ],
    ids=lambda value: getattr(value, "identifier", ""),
)
def test_the_positions_are_those_of_the_specification(layer: Any, positions: list[tuple[str, Any]]) -> None:
    parameters = inspect.signature(layer).parameters.values()

    assert [(p.name, p.default) for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD] == positions


@pytest.mark.parametrize("layer", [*LAYERS, config.RNNConfig, config.RecurrentConfig])
def test_the_arguments_of_the_base_are_keywords(layer: Any) -> None:
    parameters = inspect.signature(layer).parameters.values()
    keywords = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    own = {"reset_after": False} if layer is config.GRUConfig else {}

    assert keywords == {
        "name": None,
        "trainable": True,
        "dtype": "float32",
        "inbound_nodes": (),
        "weights": None,
        "input_shape": None,
        "batch_input_shape": None,
        "return_sequences": False,
        "return_state": False,
        "go_backwards": False,
        "stateful": False,
        "unroll": False,
        "implementation": 0,
        "input_dim": None,
        "input_length": None,
        "keras_mask_order": False,
        "masked_start": "state",
        "zero_output_for_mask": False,
        "initial_state": "zeros",
        "seed": None,
        "checkpoint_every": None,
        **own,
    }


def test_positions_and_keywords_say_the_same() -> None:
    assert config.LSTMConfig(3, "relu", "sigmoid") == config.LSTMConfig(
        units=3, activation="relu", recurrent_activation="sigmoid"
    )


def test_the_abstract_config_can_be_structured_and_compared() -> None:
    data = {"return_sequences": False, "stateful": True, "implementation": 2}

    assert config.RecurrentConfig.from_dict(data) == config.RecurrentConfig(stateful=True, implementation=2)
    assert config.RecurrentConfig.from_dict(data) != config.RecurrentConfig()
    assert config.RecurrentConfig().to_schema() == {"Recurrent": config.RecurrentConfig().to_dict()}
    assert config.RecurrentConfig().compute_output_shape((2, 3, 4)) is None


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        ({}, None),
        ({"input_dim": 4}, (None, None, 4)),
        ({"input_dim": 4, "input_length": 5}, (None, 5, 4)),
        ({"input_shape": [5, 4]}, (None, 5, 4)),
        ({"batch_input_shape": [2, 5, 4], "input_shape": [6, 7]}, (2, 5, 4)),
        ({"input_shape": [6, 7], "input_dim": 4}, (None, None, 4)),
    ],
    ids=str,
)
def test_the_arguments_declare_the_input(arguments: dict[str, Any], shape: Any) -> None:
    assert config.GRUConfig(3, **arguments).declared_input() == shape


def test_input_length_needs_input_dim() -> None:
    with pytest.raises(ConfigError) as error:
        config.GRUConfig(3, input_length=4, input_shape=(4, 2))

    assert str(error.value) == "input_length needs input_dim beside it"


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(("sequences", "shape"), [(True, (2, 5, 3)), (False, (2, 3))])
def test_the_output_shape_follows_return_sequences(layer: Any, sequences: bool, shape: Any) -> None:
    assert layer(3, return_sequences=sequences).compute_output_shape((2, 5, 4)) == shape


@pytest.mark.parametrize("initializer", ["ones", config.ConstantInitializerConfig(1.0), {"he_normal": None}])
def test_another_bias_initializer_beside_unit_forget_bias_is_a_warning_that_names_both(initializer: Any) -> None:
    message = r"^LSTM 'a': unit_forget_bias sets the bias to zeros, .* so bias_initializer \w+ has no effect; .*$"
    with pytest.warns(ConfigWarning, match=message):
        config.LSTMConfig(3, bias_initializer=initializer, name="a")


@pytest.mark.parametrize(
    "arguments",
    [
        {"bias_initializer": "zeros"},
        {"bias_initializer": "ones", "unit_forget_bias": False},
        {"bias_initializer": "ones", "use_bias": False},
    ],
    ids=str,
)
def test_there_is_no_warning_where_nothing_is_overridden(arguments: dict[str, Any]) -> None:
    config.LSTMConfig(3, **arguments)


def test_an_initializers_other_dtype_is_a_warning() -> None:
    message = r"^GRU: recurrent_initializer has dtype float64, the layer's dtype float32 is used$"
    with pytest.warns(ConfigWarning, match=message):
        config.GRUConfig(3, recurrent_initializer={"Orthogonal": {"dtype": "float64"}})


def test_an_initializers_same_dtype_is_fine() -> None:
    config.GRUConfig(3, recurrent_initializer={"Orthogonal": {"dtype": "float64"}}, dtype="float64")


def test_a_warning_is_issued_once() -> None:
    with pytest.warns(ConfigWarning) as caught:
        config.LSTMConfig.from_dict({"units": 3, "bias_initializer": "ones"})

    assert len(caught) == 1


@pytest.mark.parametrize(
    ("cell", "made"),
    [
        ("LSTM", config.LSTMCellConfig("tanh", "hard_sigmoid")),
        ({"GRU": {"reset_after": True}}, config.GRUCellConfig("tanh", "hard_sigmoid", True)),
        ({"SimpleRNN": {"activation": None}}, config.SimpleRNNCellConfig(None)),
        (config.LSTMCellConfig("relu"), config.LSTMCellConfig("relu")),
    ],
    ids=str,
)
def test_a_cell_has_the_forms_of_a_layer(cell: Any, made: Any) -> None:
    layer = config.RNNConfig(cell, 3)

    assert layer.cell == made
    assert config.RNNConfig.from_dict(layer.to_dict()) == layer
    assert layer.compute_output_shape((2, 5, 4)) == (2, 3)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("LSTMM", "cell: unknown cell 'LSTMM', expected one of GRU, LSTM, SimpleRNN\n  hint: did you mean 'LSTM'?"),
        (
            {"LSTM": {"units": 3}},
            "cell.LSTM.units: LSTM has no argument 'units'\n  hint: LSTM takes activation, recurrent_activation",
        ),
        (None, "cell: a cell is a name, or a mapping of one name to its arguments, found null"),
    ],
    ids=lambda value: str(value).partition("\n")[0],
)
def test_a_wrong_cell_is_refused(cell: Any, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        config.RNNConfig(cell, 3)

    assert str(error.value) == message


@pytest.mark.parametrize("tag", ["SimpleRNN", "LSTM", "GRU"])
def test_a_cells_config_has_the_arguments_of_the_cell(tag: str) -> None:
    from rnnspec.engines import cells

    signature = inspect.signature(getattr(cells, tag))
    own = inspect.signature(getattr(config, f"{tag}CellConfig"))

    assert [*signature.parameters] == [*own.parameters]
    # A cell holds its activations as objects.
    defaults = [getattr(p.default, "name", p.default) for p in signature.parameters.values()]
    assert defaults == [p.default for p in own.parameters.values()]


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layers_defaults_are_those_of_its_cell(layer: Any) -> None:
    cell = getattr(config, f"{layer.identifier}CellConfig")()
    made = layer(3)

    assert {name: getattr(made, name) for name in cell.to_dict()} == cell.to_dict()

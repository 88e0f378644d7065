"""Plain data becomes configs: documents, and every mistake of a tree at once."""

from __future__ import annotations

from typing import Any

import pytest

from rnnspec import config, from_dict
from rnnspec.config import convert
from rnnspec.config.problems import problems_of, unknown_argument
from rnnspec.errors import ConfigError, Problem

LSTM_TAKES = (
    "LSTM takes units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer, "
    "bias_initializer, unit_forget_bias, kernel_regularizer, recurrent_regularizer, bias_regularizer, "
    "activity_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout, recurrent_dropout, name, "
    "trainable, inbound_nodes, dtype, weights, input_shape, batch_input_shape, return_sequences, return_state, "
    "go_backwards, stateful, unroll, implementation, input_dim, input_length, keras_mask_order, masked_start, "
    "zero_output_for_mask, initial_state, seed, checkpoint_every"
)


LSTM = config.LSTMConfig(3)


def refusal(data: Any) -> str:
    with pytest.raises(ConfigError) as error:
        from_dict(data)
    return str(error.value)


@pytest.mark.parametrize(
    ("data", "made"),
    [
        pytest.param({"LSTM": {"units": 3}}, config.LSTMConfig(3), id="layer"),
        pytest.param("Flatten", config.FlattenConfig(), id="text"),
        pytest.param([{"LSTM": {"units": 3}}, "Flatten"], config.SequentialConfig([LSTM, "Flatten"]), id="list"),
        pytest.param({"model": {"LSTM": {"units": 3}}}, config.LSTMConfig(3), id="model of one layer"),
        pytest.param({"model": "Flatten"}, config.FlattenConfig(), id="model of one text"),
        pytest.param({"model": ["Flatten"]}, config.SequentialConfig(["Flatten"]), id="model of a list"),
        pytest.param(
            {"Sequential": {"layers": ["Flatten"], "name": "m"}},
            config.SequentialConfig(["Flatten"], name="m"),
            id="Sequential",
        ),
        pytest.param(
            {"class_name": "Sequential", "config": {"layers": ["Flatten"]}},
            config.SequentialConfig(["Flatten"]),
            id="Sequential in Keras's form",
        ),
        pytest.param({"model": "Flatten", "train": None}, config.ExperimentConfig("Flatten"), id="experiment"),
        pytest.param(config.FlattenConfig(), config.FlattenConfig(), id="config"),
        pytest.param(config.SequentialConfig(["Flatten"]), config.SequentialConfig(["Flatten"]), id="model's config"),
    ],
)
def test_a_document_becomes_a_config(data: Any, made: Any) -> None:
    assert from_dict(data) == made


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(None, "expected a layer, a list of layers, or a mapping with model, found null", id="null"),
        pytest.param(3, "expected a layer, a list of layers, or a mapping with model, found 3", id="number"),
        pytest.param(
            {}, "expected a layer, a list of layers, or a mapping with model, found an empty mapping", id="{}"
        ),
        pytest.param([], "a model needs at least one layer, found an empty list", id="[]"),
        pytest.param({"model": []}, "model: a model needs at least one layer, found an empty list", id="model: []"),
        pytest.param(
            {"model": None},
            "model: a model is a name, or a mapping of one name to its arguments, found null",
            id="no model",
        ),
        pytest.param(
            {"Sequential": ["Flatten"]}, "Sequential takes a mapping of arguments, found a list", id="Sequential list"
        ),
        pytest.param(
            {"Sequential": {"layers": 3}}, "Sequential.layers: layers must be a list of layers, found 3", id="no list"
        ),
        pytest.param(
            {"Sequential": {"layers": [{"LSTM": {}}]}},
            "Sequential.layers[0].LSTM: LSTM needs the argument 'units'",
            id="inside Sequential",
        ),
        pytest.param({"train": {}}, "experiment needs the argument 'model'", id="no model beside train"),
        pytest.param(
            {"modle": ["Flatten"], "train": {}},
            "modle: experiment has no argument 'modle'\n"
            "  hint: did you mean 'model'? experiment takes model, data, loss, optimizer, metrics, train",
            id="misspelled model",
        ),
        pytest.param(
            {"LSTM": {"units": 3}, "GRU": {"units": 3}},
            "a model is a mapping of one name to its arguments, found 2 keys: LSTM, GRU",
            id="two layers",
        ),
    ],
)
def test_what_is_no_document_is_refused(data: Any, message: str) -> None:
    assert refusal(data) == message


def test_an_unknown_argument_names_the_likely_one_and_all_that_are_allowed() -> None:
    assert refusal({"LSTM": {"units": 3, "dropuot": 0.5}}) == (
        f"LSTM.dropuot: LSTM has no argument 'dropuot'\n  hint: did you mean 'dropout'? {LSTM_TAKES}"
    )
    assert refusal({"LSTM": {"units": 3, "xyz": 0.5}}) == f"LSTM.xyz: LSTM has no argument 'xyz'\n  hint: {LSTM_TAKES}"


def test_an_unknown_argument_stands_at_its_key() -> None:
    with pytest.raises(ConfigError) as error:
        from_dict([{"LSTM": {"units": 3, "dropuot": 0.5}}])

    (problem,) = error.value.problems
    assert problem.keys == (0, "LSTM", "dropuot")
    assert problem.at_key


def test_unknown_arguments_are_sorted() -> None:
    with pytest.raises(ConfigError) as error:
        from_dict({"Flatten": dict.fromkeys("hgfedcba", 1)})

    assert [problem.path for problem in error.value.problems] == [f"Flatten.{letter}" for letter in "abcdefgh"]


def test_what_takes_no_arguments_says_so() -> None:
    assert unknown_argument("Mine", "a", []) == Problem(
        "Mine has no argument 'a'", ("a",), "Mine takes no arguments", at_key=True
    )


def test_keys_that_are_no_text_are_unknown_arguments() -> None:
    assert refusal({"LSTM": {"units": 3, 3: 1}}) == f"LSTM.3: LSTM has no argument '3'\n  hint: {LSTM_TAKES}"


def test_a_missing_argument_is_an_error_at_the_layer() -> None:
    with pytest.raises(ConfigError) as error:
        from_dict([{"LSTM": {"dropout": 0.5}}])

    assert error.value.problems == [Problem("LSTM needs the argument 'units'", (0, "LSTM"))]


def test_a_misspelled_required_argument_is_one_mistake() -> None:
    assert refusal({"LSTM": {"unit": 3}}) == (
        f"LSTM.unit: LSTM has no argument 'unit'\n  hint: did you mean 'units'? {LSTM_TAKES}"
    )


def test_null_initializers_mean_the_defaults() -> None:
    data: dict[str, Any] = {
        "units": 3,
        "kernel_initializer": None,
        "recurrent_initializer": None,
        "bias_initializer": None,
    }

    assert config.LSTMConfig.from_dict(data) == config.LSTMConfig(3)
    assert config.LSTMConfig(**data) == config.LSTMConfig(3)


def test_arguments_must_be_a_mapping() -> None:
    with pytest.raises(ConfigError) as error:
        config.LSTMConfig.from_dict([3])  # type: ignore[arg-type]

    assert str(error.value) == "LSTM takes a mapping of arguments, found a list"


def test_all_mistakes_of_a_tree_are_reported_in_one_go() -> None:
    data = [
        {"LSTM": {"unit": 3, "dropout": 1.5, "kernel_initializer": {"Orthogonal": {"gain": "x", "sed": 1}}}},
        {"Flaten": None},
        {"Bidirectional": {"layer": {"GRU": {"units": 0, "activation": "tahn"}}, "merge_mode": "avg"}},
        {"TimeDistributed": {"layer": {"Dense": {}}}},
        {"class_name": "Dropout", "config": {"rate": -1, "seed": True}},
        {"Embedding": {"input_dim": 3.5, "output_dim": [1]}},
        {"LSTM": {"units": 3, "input_length": 4, "bias_constraint": {"max_norm": {"axis": 0.5}}}},
    ]
    with pytest.raises(ConfigError) as error:
        from_dict(data)

    assert [problem.path for problem in error.value.problems] == [
        "[0].LSTM.kernel_initializer.Orthogonal.gain",
        "[0].LSTM.kernel_initializer.Orthogonal.sed",
        "[0].LSTM.dropout",
        "[0].LSTM.unit",
        "[1].Flaten",
        "[2].Bidirectional.layer.GRU.units",
        "[2].Bidirectional.layer.GRU.activation",
        "[2].Bidirectional.merge_mode",
        "[3].TimeDistributed.layer.Dense",
        "[4].config.rate",
        "[4].config.seed",
        "[5].Embedding.input_dim",
        "[5].Embedding.output_dim",
        "[6].LSTM.bias_constraint.max_norm.axis",
        "[6].LSTM.input_length",
    ]


def test_what_follows_from_a_wrong_argument_is_not_reported() -> None:
    assert refusal({"LSTM": {"units": 3, "input_length": 4, "input_dim": 0}}) == (
        "LSTM.input_dim: input_dim must be a positive integer, found 0"
    )
    assert refusal({"Bidirectional": {"layer": {"LSTN": {}}}}).startswith(
        "Bidirectional.layer.LSTN: unknown layer 'LSTN'"
    )


def test_a_relation_is_reported_once_beside_a_wrong_argument() -> None:
    assert refusal({"LSTM": {"units": 0, "input_length": 4}}) == (
        "LSTM.units: units must be a positive integer, found 0\n"
        "LSTM.input_length: input_length needs input_dim beside it"
    )
    assert refusal({"LSTM": {"units": 1, "input_length": 4}}) == (
        "LSTM.input_length: input_length needs input_dim beside it"
    )


def test_a_mistake_in_code_is_not_worded_as_the_users() -> None:
    with pytest.raises(ZeroDivisionError):
        convert.call(lambda value: value / 0, 1)
    with pytest.raises(ZeroDivisionError):
        problems_of(ZeroDivisionError())


def test_a_value_alone_is_called_so() -> None:
    with pytest.raises(ConfigError) as error:
        convert.structure("x", int)

    assert str(error.value) == "the value must be an integer, found 'x'"


def test_structuring_returns_what_is_made_already() -> None:
    made = config.TrainConfig(epochs=3)

    assert convert.structure(made, config.TrainConfig) is made

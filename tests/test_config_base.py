"""What all configs share: plain data, equality, repr, copies."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pytest

from rnnspec import config
from rnnspec.config.base import TaggedConfig, plain
from rnnspec.errors import ConfigError

LSTM, GRU, Dense = config.LSTMConfig, config.GRUConfig, config.DenseConfig


def weights() -> list[Any]:
    return [np.ones((2, 12)), np.zeros((3, 12)), np.arange(12.0)]


@pytest.mark.parametrize(
    ("value", "data"),
    [
        pytest.param(3, 3, id="number"),
        pytest.param((1, (2, None)), [1, [2, None]], id="tuple"),
        pytest.param({"a": (1,)}, {"a": [1]}, id="mapping"),
        pytest.param(np.ones((1, 2)), [[1.0, 1.0]], id="array"),
        pytest.param(np.float64(0.5), 0.5, id="NumPy's number"),
        pytest.param(config.L2RegularizerConfig(0.5), {"L2": {"l": 0.5, "collect": True}}, id="config"),
    ],
)
def test_plain_data_hold_no_objects(value: Any, data: Any) -> None:
    assert plain(value) == data


def test_to_dict_gives_every_argument_in_the_order_base_recurrent_cell() -> None:
    assert config.SimpleRNNConfig(3).to_dict() == {
        "trainable": True,
        "inbound_nodes": [],
        "dtype": "float32",
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
        "units": 3,
        "activation": "tanh",
        "use_bias": True,
        "kernel_initializer": {"GlorotUniform": {"seed": None}},
        "recurrent_initializer": {"Orthogonal": {"gain": 1.0, "seed": None, "dtype": None}},
        "bias_initializer": {"Zeros": {"dtype": None}},
        "kernel_regularizer": None,
        "recurrent_regularizer": None,
        "bias_regularizer": None,
        "activity_regularizer": None,
        "kernel_constraint": None,
        "recurrent_constraint": None,
        "bias_constraint": None,
        "dropout": 0.0,
        "recurrent_dropout": 0.0,
    }
    names = list(config.SimpleRNNConfig(3).to_dict())
    assert names[:2] == ["trainable", "inbound_nodes"]
    assert names[6] == "return_sequences"
    assert names[20:22] == ["units", "activation"]


def test_a_name_is_written_where_there_is_one() -> None:
    assert config.FlattenConfig(name="f").to_dict()["name"] == "f"
    assert "name" not in config.FlattenConfig().to_dict()


def test_to_schema_puts_the_tag_before() -> None:
    layer = Dense(3)

    assert layer.to_schema() == {"Dense": layer.to_dict()}


def test_arrays_become_nested_lists_and_shapes_lists() -> None:
    data = LSTM(3, weights=weights(), input_shape=(None, 2)).to_dict()

    assert data["weights"] == [array.tolist() for array in weights()]
    assert data["input_shape"] == [None, 2]


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        pytest.param(LSTM(3), LSTM(3, "tanh"), True, id="default given"),
        pytest.param(LSTM(3), LSTM(4), False, id="argument"),
        pytest.param(LSTM(3), GRU(3), False, id="class"),
        pytest.param(LSTM(3), LSTM(3).to_dict(), False, id="no config"),
        pytest.param(LSTM(3, weights=weights()), LSTM(3, weights=weights()), True, id="arrays"),
        pytest.param(LSTM(3, weights=weights()), LSTM(3, weights=weights()[:2]), False, id="fewer arrays"),
        pytest.param(LSTM(3, weights=weights()), LSTM(3), False, id="arrays and none"),
        pytest.param(
            LSTM(3, weights=weights()), LSTM(3, weights=[w.tolist() for w in weights()]), True, id="arrays and lists"
        ),
        pytest.param(LSTM(3, kernel_regularizer="l2"), LSTM(3, kernel_regularizer={"L2": None}), True, id="spellings"),
        pytest.param(config.RecurrentConfig(), config.RecurrentConfig(unroll=True), False, id="abstract"),
    ],
)
def test_configs_are_equal_if_they_say_the_same(left: Any, right: Any, equal: bool) -> None:
    assert (left == right) is equal
    assert (left != right) is not equal


def test_a_config_has_no_hash() -> None:
    with pytest.raises(TypeError, match="unhashable type: 'LSTMConfig'"):
        hash(LSTM(3))


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (config.FlattenConfig(), "FlattenConfig()"),
        (LSTM(3, "tanh", stateful=True), "LSTMConfig(stateful=True, units=3)"),
        (Dense(3, None, dtype="float64"), "DenseConfig(dtype='float64', units=3)"),
        (LSTM(3, activation=None), "LSTMConfig(units=3, activation=None)"),
        (
            LSTM(3, kernel_initializer="he_normal", bias_constraint="non_neg"),
            "LSTMConfig(units=3, kernel_initializer=HeNormalInitializerConfig(), bias_constraint=NonNegConfig())",
        ),
        (
            config.EmbeddingConfig(3, 4, "uniform"),
            "EmbeddingConfig(input_dim=3, output_dim=4)",
        ),
        (config.InputConfig((3,)), "InputConfig(shape=(3,))"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_repr_shows_what_differs_from_the_defaults(made: Any, text: str) -> None:
    assert repr(made) == text


@pytest.mark.parametrize(
    "copied",
    [
        pytest.param(lambda made: pickle.loads(pickle.dumps(made)), id="pickle"),
        pytest.param(copy.copy, id="copy"),
        pytest.param(copy.deepcopy, id="deepcopy"),
        pytest.param(attrs.evolve, id="evolve"),
        pytest.param(lambda made: type(made).from_dict(made.to_dict()), id="from_dict"),
    ],
)
def test_a_copy_is_equal_and_leaves_the_place_in_the_file_behind(copied: Callable[[Any], Any]) -> None:
    made = LSTM(3, "relu", weights=weights(), kernel_initializer={"Constant": {"value": 2}})
    object.__setattr__(made, "_source", "model.yaml")

    again = copied(made)

    assert again == made
    assert again is not made
    assert not hasattr(again, "_source")
    assert "_source" not in repr(made)


def test_evolve_changes_and_checks() -> None:
    assert attrs.evolve(LSTM(3), units=4) == LSTM(4)
    with pytest.raises(ConfigError) as error:
        attrs.evolve(LSTM(3), units=0)
    assert str(error.value) == "units must be a positive integer, found 0"


def test_a_config_is_frozen() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        LSTM(3).units = 4  # type: ignore[misc]


def test_from_dict_has_defaults_for_what_is_left_out() -> None:
    assert LSTM.from_dict({"units": 3}) == LSTM(3)


def test_a_family_without_users_names_says_so() -> None:
    with pytest.raises(NotImplementedError, match="TaggedConfig has no names of users"):
        TaggedConfig.from_users_tag("Mine", {})

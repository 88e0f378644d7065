"""What single arguments accept: nothing is converted that would lose something."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from rnnspec import config
from rnnspec.config.checks import show
from rnnspec.errors import ConfigError, Problem

LSTM = config.LSTMConfig


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        ("3", "'3'"),
        (7.9, "7.9"),
        ([], "an empty list"),
        ((1,), "a list"),
        ({}, "an empty mapping"),
        ({1: 2}, "a mapping"),
        ("x" * 100, f"'{'x' * 56}..."),
        (object, "<class 'object'>"),
    ],
)
def test_values_are_shown_in_the_words_of_yaml(value: Any, text: str) -> None:
    assert show(value) == text


@pytest.mark.parametrize(
    ("argument", "value", "kept"),
    [
        ("units", np.int64(3), 3),
        ("dropout", 0, 0.0),
        ("dropout", 1, 1.0),
        ("dropout", np.float32(0.5), 0.5),
        ("dropout", Fraction(1, 2), 0.5),
        ("activation", None, None),
        ("activation", "hard_sigmoid_keras3", "hard_sigmoid_keras3"),
        ("implementation", 2, 2),
        ("input_shape", [None, 2], (None, 2)),
        ("input_shape", (), ()),
        ("batch_input_shape", [None, np.int32(3), 2], (None, 3, 2)),
        ("seed", 2**63 - 1, 2**63 - 1),
        ("seed", 0, 0),
        ("weights", [], ()),
        ("inbound_nodes", "x", (("x", 0, 0),)),
        ("inbound_nodes", ["x", 0, 1], (("x", 0, 1),)),
        ("inbound_nodes", ["x", ["y", 2, 0]], (("x", 0, 0), ("y", 2, 0))),
        ("inbound_nodes", [], ()),
        ("name", "my_lstm-1/a", "my_lstm-1/a"),
    ],
)
def test_a_value_is_kept_without_loss(argument: str, value: Any, kept: Any) -> None:
    found = getattr(LSTM(**{"units": 3, argument: value}), argument)

    assert found == kept
    assert type(found) is type(kept)
    assert LSTM.from_dict({"units": 3, argument: value}) == LSTM(**{"units": 3, argument: value})


BAD = [
    ("units", 7.9, "units must be a positive integer, found 7.9"),
    ("units", 7.0, "units must be a positive integer, found 7.0"),
    ("units", "3", "units must be a positive integer, found '3'"),
    ("units", True, "units must be a positive integer, found true"),
    ("units", 0, "units must be a positive integer, found 0"),
    ("units", -1, "units must be a positive integer, found -1"),
    ("units", None, "units must be a positive integer, found null"),
    ("units", [3], "units must be a positive integer, found a list"),
    ("units", np.float64(3), "units must be a positive integer, found np.float64(3.0)"),
    ("dropout", 1.5, "dropout must be a number from 0 to 1, found 1.5"),
    ("dropout", -0.1, "dropout must be a number from 0 to 1, found -0.1"),
    ("dropout", float("nan"), "dropout must be a number from 0 to 1, found nan"),
    ("dropout", True, "dropout must be a number from 0 to 1, found true"),
    ("dropout", "0.5", "dropout must be a number from 0 to 1, found '0.5'"),
    ("dropout", None, "dropout must be a number from 0 to 1, found null"),
    ("use_bias", 1, "use_bias must be true or false, found 1"),
    ("use_bias", "yes", "use_bias must be true or false, found 'yes'"),
    ("use_bias", None, "use_bias must be true or false, found null"),
    ("implementation", 3, "implementation must be 0, 1 or 2, found 3"),
    ("implementation", True, "implementation must be 0, 1 or 2, found true"),
    ("implementation", 1.0, "implementation must be 0, 1 or 2, found 1.0"),
    ("implementation", "1", "implementation must be 0, 1 or 2, found '1'"),
    (
        "masked_start",
        "zero",
        "masked_start must be state or zeros, found 'zero'\n  hint: did you mean 'zeros'?",
    ),
    (
        "dtype",
        "float",
        "dtype must be float16, bfloat16, float32 or float64, found 'float'\n  hint: did you mean 'float64'?",
    ),
    ("dtype", None, "dtype must be float16, bfloat16, float32 or float64, found null"),
    (
        "activation",
        "hard_sigmoyd",
        "activation: unknown activation 'hard_sigmoyd', expected one of elu, hard_sigmoid, hard_sigmoid_keras3, "
        "linear, relu, selu, sigmoid, softmax, softplus, softsign, tanh\n  hint: did you mean 'hard_sigmoid'?",
    ),
    ("activation", 3, "activation must be the name of an activation or null, found 3"),
    ("activation", np.tanh, "activation must be the name of an activation or null, found <ufunc 'tanh'>"),
    ("name", "", "name must be a name without dots, found ''"),
    ("name", "a.b", "name must be a name without dots, found 'a.b'"),
    ("name", 3, "name must be a name without dots, found 3"),
    ("seed", -1, "seed must be an integer from 0 to 2**63 - 1 or null, found -1"),
    ("seed", 2**63, "seed must be an integer from 0 to 2**63 - 1 or null, found 9223372036854775808"),
    ("seed", 0.5, "seed must be an integer from 0 to 2**63 - 1 or null, found 0.5"),
    ("checkpoint_every", -1, "checkpoint_every must be an integer of 0 or more, found -1"),
    ("input_dim", 0, "input_dim must be a positive integer, found 0"),
    ("input_shape", 3, "input_shape must be a list of sizes, each a positive integer or null, found 3"),
    ("input_shape", "ab", "input_shape must be a list of sizes, each a positive integer or null, found 'ab'"),
    ("input_shape", [3, 0], "input_shape[1] must be a positive integer or null, found 0"),
    ("input_shape", [True], "input_shape[0] must be a positive integer or null, found true"),
    (
        "batch_input_shape",
        [],
        "batch_input_shape must be a list of sizes, the batch's first, each a positive integer or null, "
        "found an empty list",
    ),
    ("weights", 3, "weights must be a list of arrays, found 3"),
    ("weights", [3], "weights[0] must be a NumPy array or nested lists of numbers, found 3"),
    ("weights", [[1], [[1, "a"]]], "weights[1] must be a NumPy array or nested lists of numbers, found 'a'"),
    ("weights", [[[True]]], "weights[0] must be a NumPy array or nested lists of numbers, found true"),
    ("weights", [[[1, 2], [3]]], "weights[0] must be an array, with rows of one length, found a list"),
    ("weights", [[1, [3]]], "weights[0] must be an array, with rows of one length, found a list"),
    (
        "inbound_nodes",
        3,
        "inbound_nodes must be a layer's name, [name, node index, tensor index], or a list of these, found 3",
    ),
    (
        "inbound_nodes",
        [["x", 0]],
        "inbound_nodes must be a layer's name, [name, node index, tensor index], or a list of these, found a list",
    ),
    (
        "inbound_nodes",
        ["x", 0, -1],
        "inbound_nodes must be a layer's name, [name, node index, tensor index], or a list of these, found a list",
    ),
]


@pytest.mark.parametrize(("argument", "value", "message"), BAD)
def test_a_wrong_value_is_refused_in_python(argument: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        LSTM(**{"units": 3, argument: value})

    assert str(error.value) == message


@pytest.mark.parametrize(("argument", "value", "message"), BAD)
def test_plain_data_are_refused_in_the_same_words(argument: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError) as in_python:
        LSTM(**{"units": 3, argument: value})
    with pytest.raises(ConfigError) as in_data:
        LSTM.from_dict({"units": 3, argument: value})

    assert in_data.value.problems == in_python.value.problems


@pytest.mark.parametrize(
    ("made", "value", "message"),
    [
        ("Constant.value", 10**400, "value must be a finite number, found 1000"),
        ("Constant.value", 2**53 + 1, "value must be a finite number, found 9007199254740993"),
        ("Constant.value", float("inf"), "value must be a finite number, found inf"),
        ("Constant.value", Fraction(1, 3), "value must be a finite number, found Fraction(1, 3)"),
        ("Constant.value", "1", "value must be a number, found '1'"),
        ("Normal.stddev", -1, "stddev must be a number of 0 or more, found -1"),
        ("VarianceScaling.scale", 0, "scale must be a positive number, found 0"),
    ],
)
def test_a_number_must_be_finite_and_fit(made: str, value: Any, message: str) -> None:
    tag, argument = made.split(".")
    with pytest.raises(ConfigError) as error:
        getattr(config, f"{tag}InitializerConfig")(**{argument: value})

    assert str(error.value).startswith(message)


@pytest.mark.parametrize(("value", "kept"), [(0, 0), (-1, -1), ([0, 1], (0, 1))])
def test_an_axis_is_an_integer_or_a_list(value: Any, kept: Any) -> None:
    assert config.UnitNormConfig(value).axis == kept
    assert config.UnitNormConfig(kept).axis == kept


@pytest.mark.parametrize("value", [[], 0.5, True, "0", [0, None]])
def test_another_axis_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError) as error:
        config.UnitNormConfig(value)

    assert str(error.value) == f"axis must be an integer or a list of integers, found {show(value)}"


def test_all_wrong_arguments_are_reported_together() -> None:
    with pytest.raises(ConfigError) as error:
        LSTM(0, "tahn", dropout=2, input_shape=[0, -1], input_length=3)

    assert [problem.path for problem in error.value.problems] == [
        "input_shape[0]",
        "input_shape[1]",
        "units",
        "activation",
        "dropout",
        "input_length",
    ]
    assert error.value.problems[2] == Problem("units must be a positive integer, found 0", ("units",))

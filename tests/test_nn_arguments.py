"""Numbers and names that a layer's arguments may not be, in the words of the configs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rnnspec
from rnnspec import nn
from rnnspec.errors import ConfigError
from rnnspec.registry import FUNCTIONS

CASES = {
    "units-float": ("LSTM", {"units": 7.9}, "units must be a positive integer, found 7.9"),
    "units-zero": ("GRU", {"units": 0}, "units must be a positive integer, found 0"),
    "units-text": ("SimpleRNN", {"units": "3"}, "units must be a positive integer, found '3'"),
    "dense-units": ("Dense", {"units": -1}, "units must be a positive integer, found -1"),
    "dropout": ("LSTM", {"units": 3, "dropout": 1.5}, "dropout must be a number from 0 to 1, found 1.5"),
    "recurrent_dropout": (
        "LSTM",
        {"units": 3, "recurrent_dropout": "0.5"},
        "recurrent_dropout must be a number from 0 to 1, found '0.5'",
    ),
    "rate": ("Dropout", {"rate": -0.1}, "rate must be a number from 0 to 1, found -0.1"),
    "implementation": ("LSTM", {"units": 3, "implementation": 7}, "implementation must be 0, 1 or 2, found 7"),
    "masked_start": (
        "LSTM",
        {"units": 3, "masked_start": "nought"},
        "masked_start must be state or zeros, found 'nought'",
    ),
    "checkpoint_every": (
        "GRU",
        {"units": 3, "checkpoint_every": -1},
        "checkpoint_every must be an integer of 0 or more, found -1",
    ),
    "checkpoint_every-float": (
        "GRU",
        {"units": 3, "checkpoint_every": 2.5},
        "checkpoint_every must be an integer of 0 or more, found 2.5",
    ),
    "initial_state": (
        "GRU",
        {"units": 3, "initial_state": "learned"},
        "initial_state must be zeros or trainable, found 'learned'",
    ),
    "input_dim": ("Embedding", {"input_dim": 0, "output_dim": 2}, "input_dim must be a positive integer, found 0"),
    "n": ("RepeatVector", {"n": 0}, "n must be a positive integer, found 0"),
    "kernel_size": (
        "Conv1D",
        {"filters": 2, "kernel_size": 2.5},
        "kernel_size must be a positive integer or a list of one, found 2.5",
    ),
    "strides": ("MaxPooling1D", {"strides": 0}, "strides must be a positive integer or a list of one, found 0"),
    "pool_size": (
        "AveragePooling1D",
        {"pool_size": "2"},
        "pool_size must be a positive integer or a list of one, found '2'",
    ),
    "padding": (
        "MaxPooling1D",
        {"padding": "causal"},
        "padding must be valid or same, found 'causal'",
    ),
    "data_format": (
        "Conv1D",
        {"filters": 2, "kernel_size": 2, "data_format": "last"},
        "data_format must be channels_last or channels_first, found 'last'",
    ),
    "filters": ("Conv1D", {"filters": 0, "kernel_size": 2}, "filters must be a positive integer, found 0"),
    "axis": ("BatchNormalization", {"axis": 1.5}, "axis must be an integer or a list of one, found 1.5"),
    "momentum": ("BatchNormalization", {"momentum": 2}, "momentum must be a number from 0 to 1, found 2"),
    "epsilon": ("BatchNormalization", {"epsilon": -1}, "epsilon must be a number of 0 or more, found -1"),
    "concatenate-axis": ("Concatenate", {"axis": "time"}, "axis must be an integer or a list of one, found 'time'"),
    "axes": ("Dot", {"axes": "x"}, "axes must be an integer or a list of two, found 'x'"),
    "cropping": ("Cropping1D", {"cropping": -1}, "cropping must be an integer of 0 or more or a list of two, found -1"),
    "padding-steps": (
        "ZeroPadding1D",
        {"padding": 1.5},
        "padding must be an integer of 0 or more or a list of two, found 1.5",
    ),
    "size": ("UpSampling1D", {"size": 0}, "size must be a positive integer, found 0"),
    "layer-axis": ("LayerNormalization", {"axis": "x"}, "axis must be an integer or a list of integers, found 'x'"),
    "stddev": ("GaussianNoise", {"stddev": -0.1}, "stddev must be a number of 0 or more, found -0.1"),
    "gaussian-rate": ("GaussianDropout", {"rate": 2}, "rate must be a number from 0 to 1, found 2"),
    "alpha-rate": ("AlphaDropout", {"rate": 2}, "rate must be a number from 0 to 1, found 2"),
    "max_value": ("ReLU", {"max_value": -1}, "max_value must be a number of 0 or more, found -1"),
    "softmax-axis": ("Softmax", {"axis": 0.5}, "axis must be an integer or a list of one, found 0.5"),
    "mask_rule": ("Add", {"mask_rule": "or"}, "mask_rule must be all or any, found 'or'"),
    "alpha": ("LeakyReLU", {"alpha": "0.3"}, "alpha must be a number, found '0.3'"),
    "alpha-nan": ("ELU", {"alpha": float("nan")}, "alpha must be a finite number, found nan"),
    "theta": ("ThresholdedReLU", {"theta": float("inf")}, "theta must be a finite number, found inf"),
    "l2": ("ActivityRegularization", {"l2": "big"}, "l2 must be a number, found 'big'"),
    "spatial-rate": ("SpatialDropout1D", {"rate": 1.5}, "rate must be a number from 0 to 1, found 1.5"),
    "target_shape": (
        "Reshape",
        {"target_shape": 3},
        "target_shape must be a list of sizes, each a positive integer or -1, found 3",
    ),
    "target_shape-zero": (
        "Reshape",
        {"target_shape": (2, 0)},
        "target_shape[1] must be a positive integer or -1, found 0",
    ),
    "target_shape-below": (
        "Reshape",
        {"target_shape": [-2]},
        "target_shape[0] must be a positive integer or -1, found -2",
    ),
    "target_shape-twice": (
        "Reshape",
        {"target_shape": (-1, -1)},
        "target_shape takes one -1 at most, found (-1, -1)",
    ),
    "dims": ("Permute", {"dims": 2}, "dims must be a list of axes, counted from 1, found 2"),
    "dims-float": ("Permute", {"dims": (1.0, 2)}, "dims[0] must be an integer, found 1.0"),
    "dims-missing": ("Permute", {"dims": (1, 3)}, "dims must be a permutation of (1, 2), found (1, 3)"),
    "shared_axes": (
        "PReLU",
        {"shared_axes": 0},
        "shared_axes must be an axis from 1 on or a list of these, found 0",
    ),
    "shared_axes-item": (
        "PReLU",
        {"shared_axes": [1, "2"]},
        "shared_axes must be an axis from 1 on or a list of these, found '2'",
    ),
    "arguments": (
        "Lambda",
        {"function": "double", "arguments": 3},
        "arguments must be a mapping of arguments, found 3",
    ),
    "output_dim": (
        "Embedding",
        {"input_dim": 2, "output_dim": 0.5},
        "output_dim must be a positive integer, found 0.5",
    ),
}


@pytest.mark.parametrize(("layer", "arguments", "message"), CASES.values(), ids=CASES)
def test_a_wrong_argument_is_told_in_the_same_words_by_module_and_config(
    layer: str, arguments: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FUNCTIONS, "_added", {"double": lambda x: 2 * x})
    with pytest.raises(ConfigError) as error:
        getattr(nn, layer)(**arguments)
    assert str(error.value) == message

    with pytest.raises(ConfigError) as error:
        getattr(rnnspec.config, f"{layer}Config")(**arguments)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("layer", "arguments"),
    [
        ("LSTM", {"units": True}),
        ("LSTM", {"units": 3, "dropout": True}),
        ("LSTM", {"units": 3, "implementation": True}),
        ("LSTM", {"units": 3, "checkpoint_every": True}),
        ("LeakyReLU", {"alpha": True}),
        ("Reshape", {"target_shape": [True]}),
        ("PReLU", {"shared_axes": True}),
    ],
)
def test_true_is_not_one(layer: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="found True"):
        getattr(nn, layer)(**arguments)


def test_numpys_numbers_are_numbers() -> None:
    layer = nn.LSTM(np.int64(3), dropout=np.float32(0.5))
    assert (layer.units, layer.dropout) == (3, 0.5)
    assert type(layer.units) is int

"""Numbers and names that a layer's arguments may not be, in the words of the configs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rnnspec
from rnnspec import nn
from rnnspec.errors import ConfigError

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
    "initial_state": (
        "GRU",
        {"units": 3, "initial_state": "learned"},
        "initial_state must be zeros or trainable, found 'learned'",
    ),
    "input_dim": ("Embedding", {"input_dim": 0, "output_dim": 2}, "input_dim must be a positive integer, found 0"),
    "output_dim": (
        "Embedding",
        {"input_dim": 2, "output_dim": 0.5},
        "output_dim must be a positive integer, found 0.5",
    ),
}


@pytest.mark.parametrize(("layer", "arguments", "message"), CASES.values(), ids=CASES)
def test_a_wrong_argument_is_told_in_the_same_words_by_module_and_config(
    layer: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        getattr(nn, layer)(**arguments)
    assert str(error.value) == message

    with pytest.raises(ConfigError) as error:
        getattr(rnnspec.config, f"{layer}Config")(**arguments)
    assert str(error.value) == message


@pytest.mark.parametrize(
    "arguments", [{"units": True}, {"units": 3, "dropout": True}, {"units": 3, "implementation": True}]
)
def test_true_is_not_one(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="found True"):
        nn.LSTM(**arguments)


def test_numpys_numbers_are_numbers() -> None:
    layer = nn.LSTM(np.int64(3), dropout=np.float32(0.5))
    assert (layer.units, layer.dropout) == (3, 0.5)
    assert type(layer.units) is int

"""The tables of docs/interop.md keep their word: what they say is read is read, and what is not is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

import rnnspec
from rnnspec.errors import ConfigError
from rnnspec.interop.keras.dialect import dialect_of
from rnnspec.interop.keras.layers import LayerReader
from rnnspec.interop.keras.report import Report
from rnnspec.registry import ACTIVATIONS, LAYERS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "interop.md").read_text()
ROWS = re.findall(r"^\| (.+) \| (.+) \| `(test_\w+\.py)::(test_\w+)` \|$", PAGE, re.MULTILINE)
LAYER_ROWS = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (yes|no: .+) \|$", PAGE, re.MULTILINE)
READ = {name: says for names, says in LAYER_ROWS for name in re.findall(r"`(\w+)`", names)}
OURS = {"Input", "Lambda", "RNN", "Recurrent", "Sequential", "Unmasking", "graph"}
"""What the registry has beside the layers that the page names: models, bases, and what other rows tell of."""

RNN: dict[str, Any] = {"units": 3, "recurrent_activation": "sigmoid", "reset_after": False}
NEEDED: dict[str, dict[str, Any]] = {
    "LSTM": {"units": 3, "recurrent_activation": "sigmoid"},
    "GRU": RNN,
    "SimpleRNN": {"units": 3},
    "CuDNNLSTM": {"units": 3},
    "CuDNNGRU": {"units": 3},
    "Bidirectional": {"layer": {"class_name": "GRU", "config": {"name": "inner", **RNN}}},
    "TimeDistributed": {"layer": {"class_name": "Dense", "config": {"name": "inner", "units": 3}}},
    "Dense": {"units": 3},
    "Activation": {"activation": "relu"},
    "Dropout": {"rate": 0.1},
    "SpatialDropout1D": {"rate": 0.1},
    "Embedding": {"input_dim": 9, "output_dim": 3},
    "Reshape": {"target_shape": [-1]},
    "Permute": {"dims": [2, 1]},
    "RepeatVector": {"n": 3},
    "Conv1D": {"filters": 3, "kernel_size": [2]},
    "GaussianNoise": {"stddev": 0.1},
    "Rescaling": {"scale": 0.5},
    "GaussianDropout": {"rate": 0.1},
    "AlphaDropout": {"rate": 0.1},
    "Dot": {"axes": 1},
}
"""The arguments that a layer cannot be without."""


def told(name: str, version: str, **config: Any) -> tuple[dict[str, Any], Report]:
    report = Report("model.json", "a JSON text")
    reader = LayerReader(dialect_of({}, "model.json", (version, ""), None, None), report, masked=False)
    return reader.layer({"class_name": name, "config": {"name": "one", **config}}, ("config",)).schema(), report


def read(name: str, **config: Any) -> dict[str, Any]:
    return told(name, "2.4.0", **config)[0]


@pytest.mark.parametrize(("file", "test"), sorted({(file, test) for _, _, file, test in ROWS}))
def test_the_test_of_a_row_is_there(file: str, test: str) -> None:
    assert f"def {test}(" in (ROOT / "tests" / file).read_text()


def test_the_page_has_rows() -> None:
    assert len(ROWS) >= 20
    assert len(LAYER_ROWS) >= 10


@pytest.mark.parametrize("name", [name for name, says in READ.items() if says == "yes"])
def test_a_layer_that_is_said_to_be_read_is_read(name: str) -> None:
    schema = read(name, **NEEDED.get(name, {}))

    (tag,) = schema
    assert LAYERS.find(tag).identifier == tag


@pytest.mark.parametrize("name", [name for name, says in READ.items() if says != "yes"])
def test_a_layer_that_is_said_not_to_be_read_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"there is no layer {name} here"):
        read(name)


def test_the_page_names_every_layer_that_there_is() -> None:
    assert {*LAYERS.names()} - READ.keys() == OURS & {*LAYERS.names()}


def test_an_activation_that_is_registered_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ACTIVATIONS, "_added", {})
    with pytest.raises(ConfigError, match="there is no activation 'swish' here"):
        read("Dense", units=3, activation="swish")

    rnnspec.register.activation("swish")(torch.nn.functional.silu)

    assert read("Dense", units=3, activation="swish") == {"Dense": {"units": 3, "activation": "swish"}}


def test_what_trains_a_model_is_left_out() -> None:
    model = rnnspec.from_keras(ROOT / "tests" / "keras_files" / "k208-lstm_hs.h5", device="cpu")
    report: Any = model.report

    assert report.left_out == [
        "the optimizer's variables",
        "the training configuration (optimizer, loss, metrics)",
    ]


def test_a_mean_over_an_end_is_told() -> None:
    _, report = told("AveragePooling1D", "3.15.1", pool_size=[3], padding="same")

    assert report.decisions == [
        "AveragePooling1D 'one': a mean that reaches over an end counts the steps that are there, as on TensorFlow and "
        "JAX; on torch it counted the added ones too where they were uneven"
    ]


def test_mixed_precision_is_told() -> None:
    policy = {"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}

    schema, report = told("Dense", "3.15.1", units=3, dtype=policy)

    assert schema == {"Dense": {"units": 3}}
    assert report.left_out == [
        "Dense 'one': the policy mixed_float16, its weights are float32 and so is its arithmetic"
    ]

"""Sequentials whose files have lost the shape of their input: Keras 2.2.4 does not write their InputLayer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

import rnnspec
from rnnspec import registry
from rnnspec.errors import ConfigError, ShapeError, StateError

LSTM = ("LSTM", {"units": 2}, [(3, 8), (2, 8), (8,)])
DENSE = ("Dense", {"units": 5}, [(3, 5), (5,)])


def inside(layer: tuple[str, dict[str, Any], Any], **config: Any) -> dict[str, Any]:
    return {"layer": {"class_name": layer[0], "config": {**layer[1], "name": "inner"}}, **config}


def written(folder: Path, layers: list[tuple[str, dict[str, Any], Any]]) -> Path:
    """A whole model with the names layer0, layer1, ... and weights of zeros."""
    entries = [
        {"class_name": name, "config": {"name": f"layer{index}", **config}}
        for index, (name, config, _) in enumerate(layers)
    ]
    path = folder / "lost.h5"
    with h5py.File(path, "w") as file:
        file.attrs.update(keras_version="2.2.4", backend="tensorflow")
        file.attrs["model_config"] = json.dumps(
            {"class_name": "Sequential", "config": {"name": "s", "layers": entries}}
        )
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [entry["config"]["name"].encode() for entry in entries]
        for entry, (_, _, shapes) in zip(entries, layers, strict=True):
            group = weights.create_group(entry["config"]["name"])
            group.attrs["weight_names"] = [f"w{number}:0".encode() for number in range(len(shapes))]
            for number, shape in enumerate(shapes):
                group[f"w{number}:0"] = np.zeros(shape, "float32")
    return path


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param([LSTM], id="recurrent"),
        pytest.param([("Masking", {}, []), ("Dropout", {"rate": 0.5}, []), LSTM], id="behind-what-keeps-features"),
        pytest.param([("Bidirectional", inside(LSTM), 2 * LSTM[2])], id="bidirectional"),
        pytest.param([("Conv1D", {"filters": 4, "kernel_size": 2}, [(2, 3, 4), (4,)])], id="convolution"),
        pytest.param([("TimeDistributed", inside(DENSE), DENSE[2])], id="dense-at-every-step"),
    ],
)
def test_the_first_weights_tell_the_features(tmp_path: Path, layers: Any) -> None:
    model: Any = rnnspec.from_keras(written(tmp_path, layers), device="cpu")

    assert model.config.layers[0].batch_input_shape == (None, None, 3)
    (line,) = [line for line in model.report.decisions if "lost" in line]
    assert line.startswith("the file has lost the shape of its input; ")
    assert line.endswith(" takes 3 features")


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param([DENSE], id="a-dense-takes-any-rank"),
        pytest.param([("TimeDistributed", inside(LSTM), LSTM[2])], id="sequences-of-sequences"),
        pytest.param([("Permute", {"dims": [2, 1]}, []), LSTM], id="behind-what-turns-axes"),
        pytest.param([("GlobalMaxPooling1D", {}, [])], id="no-weights"),
        pytest.param([("Mine", {}, []), LSTM], id="behind-a-layer-of-a-user"),
    ],
)
def test_where_no_weights_tell_the_features_the_shape_is_asked_for(
    tmp_path: Path, layers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry.LAYERS, "_added", {"Mine": torch.nn.Identity})

    with pytest.raises(ShapeError, match=r"layer0': the shape of its input is not known"):
        rnnspec.from_keras(written(tmp_path, layers), device="cpu")


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        pytest.param([DENSE], (None, 3), id="rank"),
        pytest.param([("LSTM", {"units": 2, "stateful": True}, LSTM[2])], (4, None, 3), id="batch"),
        pytest.param([LSTM, ("RepeatVector", {"n": 2}, []), ("Flatten", {}, [])], (None, 7, 3), id="steps"),
    ],
)
def test_the_shape_may_be_given(tmp_path: Path, layers: Any, shape: Any) -> None:
    model: Any = rnnspec.from_keras(written(tmp_path, layers), input_shape=shape, device="cpu")

    assert model.config.layers[0].batch_input_shape == shape
    (line,) = [line for line in model.report.decisions if "as it was given" in line]
    assert line == f"the shape of the input is {shape}, as it was given"


def test_a_shape_that_the_file_tells_is_not_given(tmp_path: Path) -> None:
    path = written(tmp_path, [("LSTM", {"units": 2, "batch_input_shape": [None, 7, 3]}, LSTM[2])])

    with pytest.raises(ConfigError) as caught:
        rnnspec.from_keras(path, input_shape=(None, 5, 3), device="cpu")
    assert str(caught.value) == f"{path}: the file tells the shape of its input\n  hint: leave input_shape out"


def test_a_given_shape_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="batch_input_shape"):
        rnnspec.from_keras(written(tmp_path, [LSTM]), input_shape=(None, -1, 3), device="cpu")


HINT = (
    "\n  hint: the file does not tell the shape of its input: give it, from_keras(..., input_shape=(None, 7, 3)), or "
    "--input-shape none,7,3"
)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        pytest.param([DENSE], "[0].Dense: Dense 'layer0': the shape of its input is not known", id="rank"),
        pytest.param(
            [("LSTM", {"units": 2, "stateful": True}, LSTM[2])],
            "[0].LSTM.stateful: LSTM 'layer0': stateful=True needs a fixed batch size",
            id="batch",
        ),
        pytest.param(
            [("LSTM", {"units": 2, "return_sequences": True}, LSTM[2]), ("Flatten", {}, [])],
            "[1].Flatten: Flatten 'layer1': expected every size but the batch's to be known, found (None, None, 2), "
            "the output of LSTM 'layer0' ([0].LSTM)",
            id="steps",
        ),
    ],
)
def test_what_more_a_model_needs_to_know_is_asked_for(tmp_path: Path, layers: Any, message: str) -> None:
    path = written(tmp_path, layers)

    with pytest.raises((ShapeError, StateError)) as caught:
        rnnspec.from_keras(path, device="cpu")
    assert str(caught.value) == f"{path}: {message}{HINT}"

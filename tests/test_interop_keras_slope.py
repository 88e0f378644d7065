"""The old hard_sigmoid goes to Keras 3 in scaled weights, and comes back."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from keras_models import batches, differences, keras, made

import rnnspec
from rnnspec.interop.keras.archive import MARK

# Keras 3 on torch makes arrays in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

OLD = {
    "lstm": "LSTM: {units: 3, input_shape: [5, 2]}",
    "gru": "GRU: {units: 3, input_shape: [5, 2]}",
    "gru-reset-after": "GRU: {units: 3, reset_after: true, input_shape: [5, 2]}",
    "gru-candidate": "GRU: {units: 3, activation: hard_sigmoid, input_shape: [5, 2]}",
    "gru-candidate-reset-after": "GRU: {units: 3, activation: hard_sigmoid, reset_after: true, input_shape: [5, 2]}",
    "gru-candidate-alone": (
        "GRU: {units: 3, activation: hard_sigmoid, recurrent_activation: hard_sigmoid_keras3, input_shape: [5, 2]}"
    ),
    "simple-rnn": "SimpleRNN: {units: 3, activation: hard_sigmoid, input_shape: [5, 2]}",
    "no-bias": "LSTM: {units: 3, use_bias: false, return_sequences: true, input_shape: [5, 2]}",
    "bidirectional": "Bidirectional: {layer: {LSTM: {units: 3}}, merge_mode: sum, input_shape: [5, 2]}",
    "dense": "Dense: {units: 3, activation: hard_sigmoid, input_shape: [5, 4]}",
    "time-distributed": "TimeDistributed: {layer: {Dense: {units: 3, activation: hard_sigmoid}}, input_shape: [5, 2]}",
    "conv1d": "Conv1D: {filters: 3, kernel_size: 2, activation: hard_sigmoid, input_shape: [5, 2]}",
    "activation": "Activation: {activation: hard_sigmoid, input_shape: [5, 2]}",
}


def activations(model: Any) -> list[Any]:
    """The activations of the first layer, by name."""
    config = rnnspec.config_of(model).stack[0]
    config = getattr(config, "inner", config)
    return [getattr(config, name, None) for name in ("activation", "recurrent_activation")]


def marks(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("metadata.json")).get(MARK)


@pytest.mark.parametrize("text", OLD.values(), ids=OLD)
def test_the_old_hard_sigmoid_is_said_in_keras_3(tmp_path: Path, text: str) -> None:
    path = tmp_path / "model.keras"
    model = made(f"- {text}")
    report = rnnspec.to_keras(model, path)
    theirs = keras.models.load_model(path)

    assert differences(model, theirs, batches(theirs)) <= 1e-5
    assert any("clip(0.2 x + 0.5, 0, 1) is Keras 3's hard_sigmoid of 1.2 x" in line for line in report.changes)


@pytest.mark.parametrize("text", OLD.values(), ids=OLD)
def test_from_keras_undoes_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "model.keras"
    model = made(f"- {text}")
    rnnspec.to_keras(model, path)
    again = rnnspec.from_keras(path, device="cpu")

    assert [type(layer) for layer in again] == [type(layer) for layer in model]
    assert activations(again) == activations(model)
    for weight, other in zip(again.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(weight, other, rtol=2e-7, atol=0)


def test_the_old_hard_sigmoid_in_a_graph_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    model = made(
        "graph:\n  layers:\n"
        "    - Input: {name: x, shape: [5, 2]}\n"
        "    - LSTM: {name: one, units: 2, return_sequences: true, inbound_nodes: x}\n"
        "    - Activation: {name: both, activation: hard_sigmoid, inbound_nodes: [[x], [one]]}\n"
        "    - Sequential: {name: inside, layers: [GRU: {name: two, units: 3}], inbound_nodes: [[both, 1, 0]]}\n"
        "  output_layers: [[both, 0, 0], inside]"
    )
    rnnspec.to_keras(model, path)
    theirs, again = keras.models.load_model(path), rnnspec.from_keras(path, device="cpu")
    given = batches(theirs)

    assert marks(path) == {
        "one": ["recurrent_activation"],
        "both": ["activation"],
        "inside/two": ["recurrent_activation"],
    }
    assert differences(model, theirs, given) <= 1e-5
    assert differences(model, again, given) <= 1e-6
    assert list(dict(again.named_children())) == ["one", "both", "inside"]
    assert again.inside.two.cell.recurrent_activation.name == again.both.activation.name == "hard_sigmoid"


def test_without_the_mark_the_file_is_read_as_keras_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    model = made("- LSTM: {units: 3, input_shape: [5, 2]}\n- Activation: {activation: hard_sigmoid}\n")
    rnnspec.to_keras(model, path)
    keras.models.load_model(path).save(path)
    again = rnnspec.from_keras(path, device="cpu")
    x = torch.randn(4, 5, 2)

    assert marks(path) is None
    assert [type(layer).__name__ for layer in again] == ["LSTM", "Rescaling", "Activation"]
    torch.testing.assert_close(again(x), model(x), rtol=0, atol=1e-6)

"""From a config to YAML, and back to an equal config."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from config_strategies import experiments, layers, models
from hypothesis import given

import rnnspec
from rnnspec import config, registry
from rnnspec.errors import ConfigWarning

LAYERS = [
    config.EmbeddingConfig(100, 8),
    config.LSTMConfig(8, recurrent_initializer={"Orthogonal": {"gain": 0.5}}, return_sequences=True),
    config.LSTMConfig(8, recurrent_initializer={"Orthogonal": {"gain": 0.5}}, return_sequences=True, dropout=0.25),
    config.BidirectionalConfig(config.GRUConfig(3)),
    config.FlattenConfig(),
]


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        yield


def assert_comes_back(made: config.Config) -> None:
    for defaults in (False, True):
        back = rnnspec.loads(rnnspec.dump(made, defaults=defaults))
        assert back == made
        assert type(back) is type(made)


@given(layers | models | experiments)
def test_whatever_is_dumped_is_loaded_again(made: config.Config) -> None:
    assert_comes_back(made)


FAMILIES = {
    "model.RNN.kernel_initializer": registry.INITIALIZERS,
    "model.RNN.kernel_regularizer": registry.REGULARIZERS,
    "model.RNN.kernel_constraint": registry.CONSTRAINTS,
    "model.RNN.cell": registry.CELLS,
    "loss": registry.LOSSES,
    "optimizer": registry.OPTIMIZERS,
    "data": registry.DATASETS,
}


@pytest.mark.parametrize(("path", "name"), [(path, name) for path in FAMILIES for name in FAMILIES[path].names()])
def test_every_name_is_written_and_read(path: str, name: str) -> None:
    assert_comes_back(rnnspec.loads("model: {RNN: {units: 2, cell: LSTM}}\ntrain: {}", {path: name}))


@pytest.mark.parametrize("defaults", [False, True])
@pytest.mark.parametrize(
    "made",
    [
        config.LSTMConfig(3),
        config.FlattenConfig(),
        config.RecurrentConfig(stateful=True),
        config.SequentialConfig(LAYERS),
        config.SequentialConfig(LAYERS, name="m"),
        config.ExperimentConfig(config.SequentialConfig(LAYERS)),
        config.ExperimentConfig("Flatten", loss="MeanSquaredError", metrics=["Accuracy"], train={"epochs": 3}),
        config.LSTMConfig(2, weights=[np.zeros((1, 8)), [[0.5] * 8, [1] * 8], [float(i) for i in range(8)]]),
        config.DenseConfig(3, name="${a}", kernel_initializer={"Uniform": {"minval": -0.5}}),
        config.GRUConfig(3, kernel_regularizer="L1L2", recurrent_constraint={"MaxNorm": {"axis": [0, 1]}}),
    ],
    ids=lambda made: made.identifier,
)
def test_what_is_dumped_is_loaded_again(made: config.Config, defaults: bool, tmp_path: Path) -> None:
    text = rnnspec.dump(made, tmp_path / "out.yaml", defaults=defaults)
    assert (tmp_path / "out.yaml").read_text() == text
    assert rnnspec.load(tmp_path / "out.yaml") == made


def test_defaults_are_left_out() -> None:
    made = config.ExperimentConfig(config.SequentialConfig(LAYERS), train={"epochs": 3})
    assert rnnspec.dump(made) == (
        "model:\n"
        "  - Embedding: {input_dim: 100, output_dim: 8}\n"
        "  - LSTM:\n"
        "      return_sequences: true\n"
        "      units: 8\n"
        "      recurrent_initializer: {Orthogonal: {gain: 0.5}}\n"
        "  - LSTM:\n"
        "      return_sequences: true\n"
        "      units: 8\n"
        "      recurrent_initializer: {Orthogonal: {gain: 0.5}}\n"
        "      dropout: 0.25\n"
        "  - Bidirectional:\n"
        "      layer: {GRU: {units: 3}}\n"
        "  - Flatten\n"
        "train: {epochs: 3}\n"
    )


def test_all_arguments_can_be_written() -> None:
    assert rnnspec.dump(config.FlattenConfig(), defaults=True) == (
        "Flatten:\n  trainable: true\n  inbound_nodes: []\n  dtype: float32\n  weights: null\n"
        "  input_shape: null\n  batch_input_shape: null\n"
    )


def test_layers_inside_layers_as_deep_as_a_text_may_be() -> None:
    deep = "{TimeDistributed: {layer: " * 24 + "Flatten" + "}}" * 24
    assert rnnspec.dump(rnnspec.loads(deep)).count("TimeDistributed") == 24

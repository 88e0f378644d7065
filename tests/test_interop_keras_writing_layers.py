"""Every layer of ours with its arguments, in the words of Keras 3."""

from __future__ import annotations

from pathlib import Path

import pytest
from keras_models import batches, differences, keras, made

import rnnspec
from rnnspec.registry import LAYERS

# Keras 3 on torch makes arrays in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

TEXTS = [
    "Conv1D: {filters: 4, kernel_size: 3, data_format: channels_first, groups: 2, input_shape: [4, 6]}",
    "Conv1D: {filters: 4, kernel_size: 3, padding: causal, dilation_rate: 2, input_shape: [6, 4]}",
    "Conv1D: {filters: 4, kernel_size: 3, padding: same, strides: 2, use_bias: false, input_shape: [7, 4]}",
    "Conv1D: {filters: 4, kernel_size: 3, padding: causal, data_format: channels_first, input_shape: [4, 6]}",
    "MaxPooling1D: {pool_size: 3, strides: 2, padding: same, input_shape: [7, 4]}",
    "MaxPooling1D: {pool_size: 2, data_format: channels_first, input_shape: [4, 6]}",
    "AveragePooling1D: {pool_size: 2, strides: 1, input_shape: [7, 4]}",
    "GlobalMaxPooling1D: {keepdims: true, input_shape: [7, 4]}",
    "GlobalAveragePooling1D: {data_format: channels_first, input_shape: [7, 4]}",
    "BatchNormalization: {axis: 1, center: false, input_shape: [7, 4]}",
    "LayerNormalization: {axis: [1, 2], scale: false, input_shape: [7, 4]}",
    "LayerNormalization: {epsilon: 0.1, input_shape: [7, 4]}",
    "ThresholdedReLU: {theta: 0.5, input_shape: [7, 4]}",
    "ReLU: {max_value: 0.8, negative_slope: 0.1, threshold: 0.2, input_shape: [7, 4]}",
    "LeakyReLU: {alpha: 0.2, input_shape: [7, 4]}",
    "PReLU: {shared_axes: [1], input_shape: [null, 4]}",
    "PReLU: {input_shape: [3, 4]}",
    "ELU: {alpha: 0.3, input_shape: [7, 4]}",
    "Softmax: {axis: 1, input_shape: [7, 4]}",
    "Rescaling: {scale: 2, offset: 1, input_shape: [7, 4]}",
    "Embedding: {input_dim: 11, output_dim: 3, input_length: 4}",
    "Flatten: {input_shape: [3, 4]}",
    "Reshape: {target_shape: [2, -1], input_shape: [3, 4]}",
    "Permute: {dims: [2, 1], input_shape: [3, 4]}",
    "ZeroPadding1D: {padding: [1, 2], input_shape: [3, 4]}",
    "Cropping1D: {cropping: [0, 1], input_shape: [3, 4]}",
    "UpSampling1D: {size: 3, input_shape: [3, 4]}",
    "ActivityRegularization: {l1: 0.1, input_shape: [3, 4]}",
    "GaussianNoise: {stddev: 0.1, input_shape: [3, 4]}",
    "GaussianDropout: {rate: 0.1, input_shape: [3, 4]}",
    "AlphaDropout: {rate: 0.1, input_shape: [3, 4]}",
    "Dropout: {rate: 0.1, noise_shape: [null, 1, 4], seed: 3, input_shape: [3, 4]}",
    "Bidirectional: {layer: {GRU: {units: 3, go_backwards: true, return_sequences: true}}, input_shape: [3, 4]}",
    "TimeDistributed: {layer: {Bidirectional: {layer: {LSTM: {units: 3}}}}, input_shape: [2, 3, 4]}",
    "TimeDistributed: {layer: {Conv1D: {filters: 2, kernel_size: 2, activation: softsign}}, input_shape: [2, 3, 4]}",
    "LSTM: {units: 3, kernel_initializer: {VarianceScaling: {scale: 2}}, recurrent_initializer: Ones, "
    "bias_initializer: {Constant: {value: 2}}, unit_forget_bias: false, kernel_constraint: {MaxNorm: {max_value: 3}}, "
    "recurrent_constraint: UnitNorm, bias_constraint: {MinMaxNorm: {rate: 0.5}}, kernel_regularizer: {L1: {l: 0.2}}, "
    "recurrent_regularizer: {L1L2: {l1: 0.1}}, input_shape: [3, 4]}",
    "GRU: {units: 3, reset_after: true, kernel_initializer: {Uniform: {minval: -1}}, "
    "recurrent_initializer: {Normal: {stddev: 0.3}}, input_shape: [3, 4]}",
    "LSTM: {units: 3, return_state: true, input_shape: [3, 4]}",
    "Bidirectional: {layer: {LSTM: {units: 3}}, merge_mode: null, input_shape: [3, 4]}",
    "SimpleRNN: {units: 3, unroll: true, activation: null, seed: 4, checkpoint_every: 2, input_shape: [3, 4]}",
    "Masking: {mask_value: -1, input_shape: [6, 4]}",
    "Dense: {units: 3, input_shape: [6, 4]}",
    "SpatialDropout1D: {rate: 0.1, input_shape: [3, 4]}",
    "RepeatVector: {n: 3, input_shape: [20]}",
    "Activation: {activation: selu, input_shape: [3, 4]}",
]
ELSEWHERE = {"Input", "Lambda", "RNN", "Recurrent", "Sequential", "Unmasking", "graph"}
"""What is refused, no layer, or tested with what stands around it; and the layers with several inputs."""
MERGES = {"Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"}


@pytest.mark.parametrize("text", TEXTS)
def test_a_layer_gives_the_same_numbers_in_keras_3(tmp_path: Path, text: str) -> None:
    path = tmp_path / "model.keras"
    several = "return_state" in text or "merge_mode: null" in text  # no layer of a stack has several outputs
    model = made(text if several else f"- {text}")
    rnnspec.to_keras(model, path)
    theirs = keras.models.load_model(path)

    assert differences(model, theirs, batches(theirs)) <= 1e-5


def test_no_layer_is_left_out() -> None:
    assert {text.partition(":")[0] for text in TEXTS} | ELSEWHERE | MERGES == {*LAYERS.names()}


@pytest.mark.parametrize("name", sorted(MERGES))
def test_a_layer_with_several_inputs_gives_the_same_numbers_in_keras_3(tmp_path: Path, name: str) -> None:
    path = tmp_path / "model.keras"
    axes = "axes: 1, " if name == "Dot" else ""
    model = made(
        "graph:\n  layers:\n    - Input: {name: x, shape: [5, 2]}\n    - Input: {name: y, shape: [5, 2]}\n"
        f"    - {name}: {{{axes}inbound_nodes: [x, y]}}"
    )
    rnnspec.to_keras(model, path)
    theirs = keras.models.load_model(path)

    assert differences(model, theirs, batches(theirs)) <= 1e-5

"""Layers of a graph that are called twice: what their weights fix must be the same, from the config alone."""

from __future__ import annotations

import pytest

import rnnspec
from rnnspec.config.inference import infer

GRAPH = """
graph:
  layers:
    - Input: {{name: x, batch_input_shape: {first}}}
    - Input: {{name: y, batch_input_shape: {second}}}
    - {layer}
  output_layers: [[both, 0, 0], [both, 1, 0]]
"""
CALLS = "name: both, inbound_nodes: [[x], [y]]"


def error_of(layer: str, first: str, second: str) -> str | None:
    config = rnnspec.loads(GRAPH.format(layer=layer.replace("CALLS", CALLS), first=first, second=second))
    error = infer(config).error
    return None if error is None else error.problems[0].message


@pytest.mark.parametrize(
    ("layer", "first", "second"),
    [
        ("LSTM: {units: 2, CALLS}", "[null, 5, 3]", "[null, 5, 4]"),
        ("Bidirectional: {layer: {GRU: {units: 2}}, CALLS}", "[null, 5, 3]", "[null, 5, 4]"),
        ("Dense: {units: 2, CALLS}", "[null, 3]", "[null, 4]"),
        ("TimeDistributed: {layer: {Dense: {units: 2}}, CALLS}", "[null, 5, 3]", "[null, 5, 4]"),
        ("Conv1D: {filters: 2, kernel_size: 2, CALLS}", "[null, 5, 3]", "[null, 5, 4]"),
        (
            "Conv1D: {filters: 2, kernel_size: 2, data_format: channels_first, CALLS}",
            "[null, 3, 5]",
            "[null, 4, 5]",
        ),
        ("BatchNormalization: {CALLS}", "[null, 3]", "[null, 4]"),
        ("LayerNormalization: {axis: [1, 2], CALLS}", "[null, 5, 3]", "[null, 6, 3]"),
        ("PReLU: {CALLS}", "[null, 5, 3]", "[null, 3]"),
        ("Sequential: {layers: [{GRU: {units: 2}}], CALLS}", "[null, 5, 3]", "[null, 5, 4]"),
    ],
)
def test_a_second_call_with_other_sizes_is_refused(layer: str, first: str, second: str) -> None:
    shapes = [shape.replace("null", "None").replace("[", "(").replace("]", ")") for shape in (first, second)]
    assert error_of(layer, first, second) == (
        f"'both': its weights are for {shapes[0]}, the input of its first call; it takes 'y' {shapes[1]}"
    )


@pytest.mark.parametrize(
    ("layer", "first", "second"),
    [
        ("LSTM: {units: 2, CALLS}", "[null, 5, 3]", "[null, 6, 3]"),
        ("Dense: {units: 2, CALLS}", "[null, 3]", "[null, 5, 3]"),
        ("Conv1D: {filters: 2, kernel_size: 2, data_format: channels_first, CALLS}", "[null, 3, 5]", "[null, 3, 7]"),
        ("BatchNormalization: {axis: 1, CALLS}", "[null, 5, 3]", "[null, 5, 4]"),
        ("PReLU: {shared_axes: [1], CALLS}", "[null, 5, 3]", "[null, null, 3]"),
        ("Dropout: {rate: 0.5, CALLS}", "[null, 5, 3]", "[null, 4]"),
        ("Embedding: {input_dim: 9, output_dim: 2, CALLS}", "[null, 5]", "[null, 6]"),
    ],
)
def test_what_no_weight_fixes_may_differ(layer: str, first: str, second: str) -> None:
    assert error_of(layer, first, second) is None
    rnnspec.build(rnnspec.loads(GRAPH.format(layer=layer.replace("CALLS", CALLS), first=first, second=second)))

"""Graphs with layers that take several inputs: numbers, masks, models inside with several inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import rnnspec
from rnnspec import nn


def model(text: str) -> nn.Graph:
    built = rnnspec.build(rnnspec.loads(text), seed=1)
    assert isinstance(built, nn.Graph)
    return built


def of_two(layer: str) -> nn.Graph:
    """A graph of one layer that takes two sequences."""
    return model(f"""
graph:
  layers:
    - Input: {{name: x, shape: [null, 3]}}
    - Input: {{name: y, shape: [null, 3]}}
    - {layer}
""")


@pytest.mark.parametrize(
    ("layer", "by_hand"),
    [
        ("Add: {inbound_nodes: [x, y]}", lambda x, y: x + y),
        ("Subtract: {inbound_nodes: [x, y]}", lambda x, y: x - y),
        ("Subtract: {inbound_nodes: [y, x]}", lambda x, y: y - x),
        ("Multiply: {inbound_nodes: [x, y]}", lambda x, y: x * y),
        ("Average: {inbound_nodes: [x, y, x]}", lambda x, y: (2 * x + y) / 3),
        ("Maximum: {inbound_nodes: [x, y]}", torch.maximum),
        ("Minimum: {inbound_nodes: [x, y]}", torch.minimum),
        ("Concatenate: {inbound_nodes: [y, x]}", lambda x, y: torch.cat([y, x], -1)),
        ("Concatenate: {axis: 1, inbound_nodes: [x, y]}", lambda x, y: torch.cat([x, y], 1)),
        ("Dot: {axes: 2, inbound_nodes: [x, y]}", lambda x, y: x @ y.mT),
        ("Dot: {axes: [1, 1], inbound_nodes: [x, y]}", lambda x, y: x.mT @ y),
    ],
)
def test_merges_take_all_their_inputs_in_order(layer: str, by_hand: Callable[[Tensor, Tensor], Tensor]) -> None:
    graph, x, y = of_two(layer), torch.randn(2, 5, 3), torch.randn(2, 5, 3)
    torch.testing.assert_close(graph(x, y), by_hand(x, y))
    assert graph.compute_output_shape([(None, None, 3), (None, None, 3)])[2] in (None, *by_hand(x, y).shape)


TWO_MASKS = """
graph:
  layers:
    - Input: {name: x, shape: [null, 3]}
    - Input: {name: y, shape: [null, 3]}
    - Masking: {name: masked_x, inbound_nodes: x}
    - Masking: {name: masked_y, inbound_nodes: y}
    - %s
    - GRU: {units: 2, name: g}
"""


@pytest.mark.parametrize(
    ("layer", "valid"),
    [
        ("Add: {inbound_nodes: [masked_x, masked_y]}", lambda x, y: x & y),
        ("Add: {mask_rule: any, inbound_nodes: [masked_x, masked_y]}", lambda x, y: x | y),
        ("Add: {inbound_nodes: [masked_x, masked_y, y]}", lambda x, y: x & y),
        ("Add: {mask_rule: any, inbound_nodes: [masked_x, masked_y, y]}", lambda x, y: None),
        ("Concatenate: {inbound_nodes: [masked_x, masked_y]}", lambda x, y: x & y),
        ("Concatenate: {axis: 1, inbound_nodes: [masked_x, masked_y]}", lambda x, y: torch.cat([x, y], 1)),
    ],
)
def test_masks_are_joined_by_the_layers_rule(layer: str, valid: Callable[..., Tensor | None]) -> None:
    graph = model(TWO_MASKS % layer)
    x, y = torch.randn(2, 5, 3), torch.randn(2, 5, 3)
    x[0, 3:], y[0, 2:4], y[1, 4:] = 0, 0, 0
    merge = next(module for name, module in graph.named_children() if name.startswith(("add", "concatenate")))
    inputs = {"masked_x": x, "masked_y": y, "y": y}
    merged = merge([inputs[name] for name in layer.partition("[")[2].rstrip("]}").split(", ")])
    torch.testing.assert_close(graph(x, y), graph.g(merged, mask=valid(x.any(2), y.any(2))))


def test_masks_given_by_hand_come_with_their_inputs() -> None:
    graph = model(
        TWO_MASKS.replace("Masking: {name: masked_", "Activation: {activation: linear, name: masked_")
        % ("Add: {name: sum, inbound_nodes: [masked_x, masked_y]}")
    )
    x, y, mask = torch.randn(2, 5, 3), torch.randn(2, 5, 3), torch.tensor([[True] * 5, [True] * 2 + [False] * 3])
    want = graph.g(x + y, mask=mask)
    torch.testing.assert_close(graph(x, y, mask=[None, mask]), want)
    torch.testing.assert_close(graph(x, y, mask=[mask, None]), want)
    assert not torch.equal(graph(x, y), want)


def test_both_outputs_of_two_directions_have_the_mask() -> None:
    graph = model("""
graph:
  layers:
    - Input: {name: x, shape: [null, 3]}
    - Masking
    - Bidirectional: {layer: {LSTM: {units: 2, return_sequences: true}}, merge_mode: null, name: both}
    - GRU: {units: 2, name: g, inbound_nodes: [[both, 0, 1]]}
""")
    x = torch.randn(2, 5, 3)
    x[1, 3:] = 0
    valid = x.any(2)
    torch.testing.assert_close(graph(x), graph.g(graph.both(x, mask=valid)[1], mask=valid))


INSIDE = """
graph:
  layers:
    - Input: {name: x, shape: [null, 3]}
    - Input: {name: y, shape: [null, 3]}
    - graph:
        name: inside
        input_layers: [p, q]
        layers:
          - Add: {name: sum, inbound_nodes: [p, q]}
          - Masking: {name: masked, inbound_nodes: q}
        output_layers: [sum, masked]
        inbound_nodes: [x, y]
    - GRU: {units: 2, name: first, inbound_nodes: inside}
    - GRU: {units: 2, name: second, inbound_nodes: [[inside, 0, 1]]}
  output_layers: [first, second]
"""


def test_a_model_inside_has_several_inputs_and_outputs_each_with_its_mask() -> None:
    graph, x, y = model(INSIDE), torch.randn(2, 5, 3), torch.randn(2, 5, 3)
    y[1, 3:] = 0
    first, second = graph(x, y)
    torch.testing.assert_close(first, graph.first(x + y))
    torch.testing.assert_close(second, graph.second(y, mask=y.any(2)))


def test_a_hook_on_a_model_inside_changes_no_mask() -> None:
    graph, x, y = model(INSIDE), torch.randn(2, 5, 3), torch.randn(2, 5, 3)
    y[1, 3:] = 0
    want, seen = graph(x, y), []
    graph.inside.register_forward_hook(lambda module, inputs, output: seen.append(len(output)))
    torch.testing.assert_close(graph(x, y), want)
    assert seen == [2]


def test_a_graph_of_merges_is_exported_for_every_batch() -> None:
    graph = of_two("Dot: {axes: 2, inbound_nodes: [x, y]}").eval()
    batch = torch.export.Dim("batch")
    inputs = torch.randn(2, 5, 3), torch.randn(2, 5, 3)
    program = torch.export.export(graph, inputs, dynamic_shapes={"x": ({0: batch},) * 2})
    x, y = torch.randn(7, 5, 3), torch.randn(7, 5, 3)
    torch.testing.assert_close(program.module()(x, y), x @ y.mT)

"""Random graphs give what plain calls of their layers give, one after another, and are the same after YAML."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

import rnnspec
from rnnspec import nn
from rnnspec.config import GraphConfig
from rnnspec.describe import config_of

Reference = tuple[str, int, int]
MERGES = {"Add": None, "Subtract": 2, "Multiply": None, "Average": None, "Maximum": None, "Concatenate": None}
SINGLE: dict[str, dict[str, Any]] = {
    "Dense": {"activation": "tanh"},
    "LSTM": {"return_sequences": True, "return_state": True},
    "GRU": {"return_sequences": True, "go_backwards": True},
    "Masking": {"mask_value": 0.5},
}


@dataclass
class Drawn:
    """A graph while it is drawn: every tensor is a batch of sequences, but the states.

    Attributes:
        inputs: The widths of the inputs by name.
        layers: The layers by name, as YAML has them.
        calls: The calls in an order in which they can run.
        widths: Width of every sequence.
        states: The final states of every LSTM's calls, with their width.
        takes: What width each layer with one input takes.
    """

    inputs: dict[str, int]
    layers: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, list[Reference]]] = field(default_factory=list)
    widths: dict[Reference, int] = field(default_factory=dict)
    states: list[tuple[list[Reference], int]] = field(default_factory=list)
    takes: dict[str, tuple[int, int]] = field(default_factory=dict)

    def call(self, name: str, sources: list[Reference], width: int) -> None:
        """Adds a call of a layer that gives a sequence of that width."""
        node = sum(called == name for called, _ in self.calls)
        self.calls.append((name, sources))
        self.widths[name, node, 0] = width
        if name.startswith("LSTM"):
            self.states.append(([(name, node, 1), (name, node, 2)], width))

    @property
    def unused(self) -> list[Reference]:
        """The sequences that no layer takes; of an LSTM whose states alone are taken too."""
        taken = {source for _, sources in self.calls for source in sources}
        return [reference for reference in self.widths if reference not in taken]

    def config(self, order: list[str]) -> GraphConfig:
        """The config, its layers in any order."""
        layers: list[dict[str, Any]] = [
            {"Input": {"name": name, "shape": [None, width]}} for name, width in self.inputs.items()
        ]
        for name in order:
            taken = [sources for called, sources in self.calls if called == name]
            ((tag, arguments),) = self.layers[name].items()
            layers.append({tag: {**arguments, "name": name, "inbound_nodes": taken}})
        config = rnnspec.from_dict({"graph": {"layers": layers, "output_layers": self.unused}})
        assert isinstance(config, GraphConfig)
        return config

    def by_hand(self, graph: nn.Graph, inputs: list[Tensor], masks: list[Tensor | None]) -> list[Tensor]:
        """The outputs by calls of the layers alone."""
        tensors: dict[Reference, Tensor] = {(name, 0, 0): x for name, x in zip(self.inputs, inputs, strict=True)}
        valid: dict[Reference, Tensor | None] = {
            (name, 0, 0): mask for name, mask in zip(self.inputs, masks, strict=True)
        }
        for number, (name, sources) in enumerate(self.calls):
            layer, node = getattr(graph, name), [called for called, _ in self.calls[:number]].count(name)
            taken = [tensors[source] for source in sources]
            if "units" in str(self.layers[name]) and "Dense" not in self.layers[name]:
                output = layer(taken[0], mask=valid[sources[0]], initial_state=taken[1:] or None)
                left = layer.compute_mask(taken[0], valid[sources[0]])
            elif len(sources) > 1:
                output = layer(taken)
                left = layer.compute_mask(taken, [valid[source] for source in sources])
            else:
                output, left = layer(taken[0]), layer.compute_mask(taken[0], valid[sources[0]])
            for index, tensor in enumerate(output if isinstance(output, tuple) else (output,)):
                tensors[name, node, index] = tensor
            valid[name, node, 0] = left
        return [tensors[reference] for reference in self.unused]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Drawn, list[str]]:
    """A graph, and the order of its layers in the list."""
    drawn = Drawn(inputs=draw(st.sampled_from([{"x": 3}, {"x": 3, "y": 2}, {"x": 3, "y": 3}])))
    drawn.widths = {(name, 0, 0): width for name, width in drawn.inputs.items()}
    for number in range(draw(st.integers(1, 7))):
        source = draw(st.sampled_from(list(drawn.widths)))
        width = drawn.widths[source]
        again = [name for name, (takes, _) in drawn.takes.items() if takes == width]
        kind = draw(st.sampled_from([*SINGLE, *MERGES, *(["again"] if again else [])]))
        if kind == "again":
            name = draw(st.sampled_from(again))
            drawn.call(name, [source], drawn.takes[name][1])
            continue
        name = f"{kind}_{number}"
        if kind in MERGES:
            others = [reference for reference, other in drawn.widths.items() if other == width]
            count = MERGES[kind] or draw(st.integers(2, 3))
            sources = [source, *(draw(st.sampled_from(others)) for _ in range(count - 1))]
            drawn.layers[name] = {kind: {}}
            drawn.call(name, sources, width * count if kind == "Concatenate" else width)
            continue
        units = width if kind == "Masking" else draw(st.sampled_from([2, 3]))
        starts = [states for states, size in drawn.states if size == units]
        states = draw(st.sampled_from([[], *starts])) if kind == "LSTM" else []
        drawn.layers[name] = {kind: {**SINGLE[kind], **({} if kind == "Masking" else {"units": units})}}
        drawn.takes[name] = (width, units)
        drawn.call(name, [source, *states], units)
    return drawn, draw(st.permutations(list(drawn.layers)))


@given(graphs(), st.lists(st.booleans(), min_size=2, max_size=2))
def test_a_graph_gives_what_calls_of_its_layers_give(made: tuple[Drawn, list[str]], masked: list[bool]) -> None:
    drawn, order = made
    graph = rnnspec.build(drawn.config(order), seed=1)
    assert isinstance(graph, nn.Graph)
    generator = torch.Generator().manual_seed(7)
    inputs = [torch.randn(2, 4, width, generator=generator) for width in drawn.inputs.values()]
    mask = torch.tensor([[True, True, True, False], [False, True, False, True]])
    masks = [mask if with_mask else None for _, with_mask in zip(inputs, masked, strict=False)]

    found = graph(*inputs, mask=masks)
    want = drawn.by_hand(graph, inputs, masks)
    torch.testing.assert_close(list(found) if len(want) > 1 else [found], want, rtol=0, atol=0)
    shapes = graph.output_shapes_of(graph.known_input_shape)
    assert [shape[2:] for shape in shapes if shape is not None] == [tensor.shape[2:] for tensor in want]


@settings(max_examples=30)
@given(graphs())
def test_a_graph_is_the_same_after_yaml_and_after_its_modules_description(made: tuple[Drawn, list[str]]) -> None:
    drawn, order = made
    config = drawn.config(order)
    assert rnnspec.loads(rnnspec.dump(config)) == config

    graph = rnnspec.build(config, seed=1)
    again = rnnspec.build(rnnspec.loads(rnnspec.dump(config_of(graph))), seed=2)
    again.load_state_dict(graph.state_dict())
    inputs = [torch.ones(2, 4, width) for width in drawn.inputs.values()]
    torch.testing.assert_close(again(*inputs), graph(*inputs), rtol=0, atol=0)

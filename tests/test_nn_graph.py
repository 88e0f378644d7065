"""Graphs as modules: calls, states, masks, several inputs and outputs."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch

import rnnspec
from rnnspec import nn
from rnnspec.errors import ConfigError, MaskError, ShapeError

ENCODER_DECODER = """
graph:
  layers:
    - Input: {name: source, shape: [null, 4]}
    - Input: {name: target, shape: [null, 5]}
    - LSTM: {units: 3, return_state: true, name: encoder, inbound_nodes: source}
    - LSTM:
        units: 3
        return_sequences: true
        name: decoder
        inbound_nodes: [target, [encoder, 0, 1], [encoder, 0, 2]]
    - TimeDistributed: {layer: {Dense: {units: 2, activation: softmax}}, name: words}
"""


def model(text: str = ENCODER_DECODER, **arguments: object) -> nn.Graph:
    built = rnnspec.build(rnnspec.loads(text), seed=1, **arguments)  # type: ignore[arg-type]
    assert isinstance(built, nn.Graph)
    return built


def test_the_states_of_one_layer_start_another() -> None:
    graph, x, y = model(), torch.randn(2, 6, 4), torch.randn(2, 7, 5)
    _, h, c = graph.encoder(x)
    want = graph.words(graph.decoder(y, initial_state=[h, c]))
    torch.testing.assert_close(graph(x, y), want)
    torch.testing.assert_close(graph([x, y]), want)


def test_gradients_reach_the_encoder() -> None:
    graph = model()
    graph(torch.randn(2, 6, 4), torch.randn(2, 7, 5)).square().sum().backward()
    assert all(parameter.grad is not None for parameter in graph.parameters())
    assert graph.encoder.kernel.grad.abs().sum() > 0


def test_the_layers_names_are_those_of_the_state_dict() -> None:
    graph = model()
    assert [name.partition(".")[0] for name in graph.state_dict()] == ["encoder"] * 3 + ["decoder"] * 3 + ["words"] * 2


def test_a_shared_layer_has_one_set_of_weights() -> None:
    graph = model(
        "graph: {layers: [{Input: {name: x, shape: [3]}}, {Input: {name: y, shape: [3]}}, "
        "{Dense: {units: 2, name: both, inbound_nodes: [[x], [y]]}}], output_layers: [[both, 0, 0], [both, 1, 0]]}"
    )
    x, y = torch.randn(4, 3), torch.randn(4, 3)
    first, second = graph(x, y)
    torch.testing.assert_close(first, graph.both(x))
    torch.testing.assert_close(second, graph.both(y))
    assert len(list(graph.parameters())) == 2


def test_masks_travel_with_the_first_output() -> None:
    graph = model("graph: {layers: [{Input: {name: x, shape: [null, 3]}}, Masking, {GRU: {units: 2, name: g}}]}")
    x = torch.randn(2, 5, 3)
    x[0, 3:] = 0
    torch.testing.assert_close(graph(x)[0], graph.g(x[:1, :3])[0])


def test_a_mask_comes_with_an_input() -> None:
    graph = model("graph: {input_layers: x, layers: [{GRU: {units: 2, name: g}}]}", input_shape=(None, 5, 3))
    x, mask = torch.randn(2, 5, 3), torch.tensor([[True] * 5, [True, True, False, False, False]])
    torch.testing.assert_close(graph(x, mask=mask), graph.g(x, mask=mask))


def test_a_mask_is_refused_where_no_layer_takes_it() -> None:
    graph = model("graph: {input_layers: x, layers: [{Flatten: {name: f}}]}", input_shape=(None, 5, 3))
    with pytest.raises(MaskError, match="Flatten 'f' cannot take a mask"):
        graph(torch.randn(2, 5, 3), mask=torch.ones(2, 5, dtype=torch.bool))


def test_models_inside_are_layers() -> None:
    graph = model(
        "graph: {input_layers: x, layers: [{Sequential: {name: s, layers: [{LSTM: {units: 3, return_sequences: true}}, "
        "{GRU: {units: 4}}]}}, {graph: {name: g, input_layers: z, layers: [{Dense: {units: 2}}]}}]}",
        input_shape=(None, 5, 3),
    )
    x = torch.randn(2, 5, 3)
    torch.testing.assert_close(graph(x), graph.g(graph.s(x)))


def test_the_number_of_inputs_is_checked() -> None:
    with pytest.raises(ShapeError, match=r"Graph takes 2 inputs \(source, target\), found 1"):
        model()(torch.randn(2, 6, 4))


def test_copies_and_exported_programs_give_the_same() -> None:
    graph, inputs = model().eval(), (torch.randn(2, 6, 4), torch.randn(2, 7, 5))
    want = graph(*inputs)
    torch.testing.assert_close(copy.deepcopy(graph)(*inputs), want)
    torch.testing.assert_close(torch.export.export(graph, inputs).module()(*inputs), want)


@pytest.mark.parametrize(
    ("calls", "message"),
    [
        pytest.param([("a", [("b", 0, 0)])], "a takes 'b' \\(node 0\\) before it is there", id="later"),
        pytest.param([("c", [("x", 0, 0)])], "Graph has no layer 'c'", id="no layer"),
    ],
)
def test_calls_that_cannot_run_are_refused(calls: list[tuple[str, list[tuple[str, int, int]]]], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        nn.Graph({"a": nn.Dense(2)}, calls, ["x"], [("a", 0, 0)])


STATEFUL = """
graph:
  layers:
    - Input: {name: x, batch_shape: [2, null, 3]}
    - LSTM: {units: 4, stateful: true, return_sequences: true, name: first}
    - Sequential: {name: inside, layers: [{GRU: {units: 3, stateful: true}}]}
"""


def test_stateful_layers_go_on_from_call_to_call() -> None:
    graph, x = model(STATEFUL), torch.randn(2, 6, 3)
    whole = graph(x)
    graph.reset_states()
    graph(x[:, :2])
    torch.testing.assert_close(graph(x[:, 2:]), whole)


def test_a_hook_on_a_model_inside_does_not_carry_its_states_twice() -> None:
    graph, x = model(STATEFUL), torch.randn(2, 6, 3)
    graph(x)
    want = graph(x)
    graph.reset_states()
    graph.inside.register_forward_hook(lambda module, inputs, output: None)
    graph(x)
    torch.testing.assert_close(graph(x), want)


def test_states_are_set_layer_by_layer() -> None:
    graph, states = model(STATEFUL), [torch.randn(2, 4), torch.randn(2, 4), torch.randn(2, 3)]
    graph.reset_states(states)
    torch.testing.assert_close([*graph.first.states, *graph.inside[0].states], states)


def test_a_new_batch_size_reaches_all_layers() -> None:
    graph = model(STATEFUL)
    graph.reset_states(batch_size=5)
    assert graph(torch.randn(5, 6, 3)).shape == (5, 3)


def test_a_graph_without_stateful_layers_has_nothing_to_reset() -> None:
    graph = model()
    graph.reset_states()
    assert not graph.stateful


def test_the_states_of_both_directions_start_both_directions() -> None:
    graph = model("""
graph:
  layers:
    - Input: {name: x, shape: [null, 3]}
    - Input: {name: y, shape: [null, 3]}
    - Bidirectional: {layer: {LSTM: {units: 2, return_state: true}}, name: encoder, inbound_nodes: x}
    - Bidirectional:
        layer: {LSTM: {units: 2}}
        name: decoder
        inbound_nodes: [y, [encoder, 0, 1], [encoder, 0, 2], [encoder, 0, 3], [encoder, 0, 4]]
""")
    x, y = torch.randn(2, 6, 3), torch.randn(2, 5, 3)
    torch.testing.assert_close(graph(x, y), graph.decoder(y, initial_state=list(graph.encoder(x)[1:])))


@pytest.mark.parametrize("name", ["inputs", "outputs", "layers", "mask", "input", "output"])
def test_a_layer_may_have_the_name_of_an_argument(name: str) -> None:
    graph = nn.Graph({name: nn.Dense(2)}, [(name, [("x", 0, 0)])], ["x"], [(name, 0, 0)])
    assert graph(torch.randn(2, 3)).shape == (2, 2)


@pytest.mark.parametrize("name", ["calls", "forward", "a.b", "trainable"])
def test_a_layer_may_not_have_the_name_of_an_attribute(name: str) -> None:
    with pytest.raises(ConfigError, match=f"Graph cannot hold a layer named '{name}'"):
        nn.Graph({name: nn.Dense(2)}, [(name, [("x", 0, 0)])], ["x"], [(name, 0, 0)])


def test_an_output_that_is_not_there_is_refused_in_a_call() -> None:
    graph = nn.Graph({"a": nn.Dense(2)}, [("a", [("x", 0, 0)])], ["x"], [("a", 0, 1)])
    with pytest.raises(ConfigError, match=r"'a' \(node 0\) has 1 output, found its tensor 1"):
        graph(torch.randn(2, 3))


def test_the_masks_must_be_one_an_input() -> None:
    mask = torch.ones(2, 6, dtype=torch.bool)
    with pytest.raises(MaskError, match="Graph takes a list of 2 masks or None, one an input, found 1"):
        model()(torch.randn(2, 6, 4), torch.randn(2, 7, 5), mask=mask)


def test_a_ragged_input_goes_through_a_sequential_around_the_graph() -> None:
    graph = model("graph: {input_layers: x, layers: [{GRU: {units: 2}}]}", input_shape=(None, None, 3))
    rows = [torch.randn(5, 3), torch.randn(2, 3)]
    packed = torch.nn.utils.rnn.pack_sequence(rows)
    with pytest.raises(ShapeError, match="Graph takes padded tensors, with masks, found PackedSequence"):
        graph(packed)
    torch.testing.assert_close(nn.Sequential([graph])(packed), torch.cat([graph(row[None]) for row in rows]))


TWO_OUTPUTS = "graph: {name: g, input_layers: x, layers: [{Dense: {units: 2, name: d}}], output_layers: [d, d]}"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda graph: nn.Sequential([graph, nn.Dense(1)]), "Graph 'g' has more than one output"),
        (
            lambda graph: nn.TimeDistributed(graph),
            "TimeDistributed takes a layer with one output, Graph 'g' has several",
        ),
    ],
)
def test_what_needs_one_output_refuses_a_graph_of_two(make: Callable[[nn.Graph], nn.Graph], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make(model(TWO_OUTPUTS, input_shape=(None, 3)))


def test_a_graph_of_two_inputs_stands_in_a_graph_alone() -> None:
    with pytest.raises(ConfigError, match="Graph has several inputs, which only a graph can give it"):
        nn.Sequential([model()])


def test_a_table_tells_all_inputs_and_outputs_of_a_graph() -> None:
    shown = model(ENCODER_DECODER + "  output_layers: [words, [encoder, 0, 1]]\n")._repr_html_()
    assert "(None, None, 4) and (None, None, 5)" in shown
    assert "(None, None, 2) and (None, 3)" in shown
    assert "LSTM &#x27;decoder&#x27;" in shown

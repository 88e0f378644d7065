"""Graphs in configs: what each layer takes, and every mistake at its place."""

from __future__ import annotations

import pytest

import rnnspec
from rnnspec.config import GraphConfig
from rnnspec.config.inference import infer


def graph(text: str) -> GraphConfig:
    config = rnnspec.loads(text)
    assert isinstance(config, GraphConfig)
    return config


def taken(text: str) -> list[tuple[str, list[tuple[str, int, int]]]]:
    return [(call.name, list(call.sources)) for call in graph(text).wiring.calls]


def test_a_layer_that_does_not_say_it_takes_the_one_before() -> None:
    text = """
graph:
  input_layers: x
  layers:
    - LSTM: {units: 5, return_sequences: true}
    - GRU: {units: 4, name: g}
    - Dense: {units: 1}
"""
    assert taken(text) == [("lstm_1", [("x", 0, 0)]), ("g", [("lstm_1", 0, 0)]), ("dense_1", [("g", 0, 0)])]
    assert graph(text).wiring.outputs == (("dense_1", 0, 0),)


def test_the_calls_run_in_the_order_of_what_they_take() -> None:
    text = """
graph:
  input_layers: x
  layers:
    - Dense: {units: 1, name: last, inbound_nodes: middle}
    - Dense: {units: 2, name: middle, inbound_nodes: first}
    - Dense: {units: 3, name: first, inbound_nodes: x}
  output_layers: last
"""
    assert [name for name, _ in taken(text)] == ["first", "middle", "last"]


def test_a_layer_with_a_list_of_lists_is_called_several_times() -> None:
    text = """
graph:
  input_layers: [x, y]
  layers:
    - Dense: {units: 2, name: both, inbound_nodes: [[x], [y]]}
  output_layers: [both, [both, 1, 0]]
"""
    assert taken(text) == [("both", [("x", 0, 0)]), ("both", [("y", 0, 0)])]


def test_input_layers_are_the_inputs_where_none_are_named() -> None:
    text = """
graph:
  layers:
    - Input: {name: x, shape: [null, 3]}
    - LSTM: {units: 2}
"""
    config = graph(text)
    assert config.wiring.inputs == ("x",)
    assert infer(config).output_shape == (None, 2)


def test_a_graph_is_written_as_it_is_read() -> None:
    config = graph(
        "graph: {input_layers: [x, y], layers: [{Dense: {units: 2, inbound_nodes: [[x], [y]]}}], "
        "output_layers: [dense_1, [dense_1, 1, 0]]}"
    )
    assert rnnspec.loads(rnnspec.dump(config)) == config
    assert rnnspec.loads(rnnspec.dump(config, defaults=True)) == config


def test_a_graph_is_dumped_with_names_where_they_say_all() -> None:
    text = (
        "graph:\n"
        "  layers:\n"
        "    - Dense: {name: both, inbound_nodes: [[x], [z]], units: 2}\n"
        "    - Add: {name: sum, inbound_nodes: [both, [both, 1, 0]]}\n"
        "    - Dense: {name: twice, inbound_nodes: [[sum], [[both, 1, 0]]], units: 2}\n"
        "    - Dense: {name: end, inbound_nodes: [twice, 1, 0], units: 2}\n"
        "  input_layers: [x, z]\n"
        "  output_layers: [end, twice]\n"
    )
    assert rnnspec.dump(graph(text)) == text


def test_a_model_may_be_a_layer() -> None:
    text = """
graph:
  input_layers: x
  layers:
    - Sequential: {name: inner, layers: [{LSTM: {units: 3, return_sequences: true}}, {GRU: {units: 4}}]}
    - graph: {name: other, input_layers: z, layers: [{Dense: {units: 2}}]}
"""
    assert infer(graph(text), (None, 7, 5)).output_shape == (None, 2)


def test_inbound_nodes_are_for_graphs_alone() -> None:
    with pytest.raises(rnnspec.ConfigError, match="inbound_nodes is for layers of a graph only"):
        rnnspec.loads("- Sequential: {layers: [{LSTM: {units: 3}}], inbound_nodes: x}")


def test_what_a_layer_of_unknown_shape_returns_is_not_asked_for() -> None:
    config = graph("""
graph:
  input_layers: [x, y]
  layers:
    - LSTM: {units: 3, return_state: true, name: encoder, inbound_nodes: x}
    - LSTM: {units: 3, inbound_nodes: [y, [encoder, 0, 1], [encoder, 0, 2]]}
""")
    assert infer(config).error is None
    assert infer(config, [(None, 5, 4), (None, 6, 2)]).output_shape == (None, 3)


def test_the_calls_of_a_layer_run_in_their_order_where_they_can() -> None:
    text = "graph: {input_layers: x, layers: [{Dense: {units: 3, name: d, inbound_nodes: %s}}], output_layers: %s}"
    assert [call.node for call in graph(text % ("[[x], [d], [x]]", "[[d, 1, 0], [d, 2, 0]]")).wiring.calls] == [0, 1, 2]
    assert [call.node for call in graph(text % ("[[[d, 1, 0]], [x]]", "d")).wiring.calls] == [1, 0]


def test_models_inside_models_cost_no_more_than_their_layers() -> None:
    """Twice as long at every level would be a million times here."""
    inner: dict[str, object] = {"Dense": {"units": 2}}
    for _ in range(20):
        inner = {"graph": {"input_layers": "x", "layers": [{"Sequential": {"layers": [inner]}}]}}
    config = rnnspec.from_dict(inner)
    assert infer(config, (None, 2)).output_shape == (None, 2)
    assert rnnspec.build(config, (None, 2)).compute_output_shape((None, 2)) == (None, 2)


EXPERIMENT = """
data: JapaneseVowels
model: {graph: {input_layers: %s, layers: [%s], output_layers: %s}}
"""


@pytest.mark.parametrize(
    ("inputs", "layers", "outputs", "message"),
    [
        (
            "x",
            "{GRU: {units: 9, name: last}}, {Dense: {units: 2, name: d, inbound_nodes: x}}",
            "[last, d]",
            "graph returns several tensors",
        ),
        (
            "x",
            "{GRU: {units: 8, name: first}}, {Dense: {units: 9, name: d}}, {Add: {inbound_nodes: [d, d]}}",
            "add_1",
            None,
        ),
        (
            "x",
            "{Dense: {units: 9, name: end, inbound_nodes: g}}, {GRU: {units: 2, name: g, inbound_nodes: x}}",
            "end",
            None,
        ),
        (
            "x",
            "{Dense: {units: 8, name: end, inbound_nodes: g}}, {GRU: {units: 9, name: g, inbound_nodes: x}}",
            "end",
            "Dense 'end' gives (None, 8), expected 9",
        ),
        ("[x, y]", "{Add: {inbound_nodes: [x, y]}}", "[]", "expected 2 inputs (x, y), found 1"),
    ],
)
def test_the_output_of_a_graph_must_fit_the_data(inputs: str, layers: str, outputs: str, message: str | None) -> None:
    found = infer(rnnspec.loads(EXPERIMENT % (inputs, layers, outputs)))
    assert [problem.message[: len(message or "")] for problem in found.problems] == ([message] if message else [])


def test_an_activation_before_logits_is_found_in_a_graph() -> None:
    layers = "{GRU: {units: 8}}, {Dense: {units: 9, activation: softmax, name: end}}, {Dense: {units: 9, name: other}}"
    with pytest.warns(rnnspec.ConfigWarning, match="leave softmax out of the last layer"):
        rnnspec.loads(EXPERIMENT % ("x", layers, "[end, other]"))

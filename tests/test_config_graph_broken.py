"""Broken graphs: each is refused with one message, at its place in the file."""

from __future__ import annotations

from pathlib import Path

import pytest

import rnnspec

X = "Input: {name: x, shape: [null, 4]}"
A = "Dense: {units: 2, name: a, inbound_nodes: x}"
B = "Dense: {units: 3, name: b, inbound_nodes: x}"
RECURRENT = "LSTM: {units: 3, name: a, inbound_nodes: x}"


def graph(*layers: str, inputs: str | None = None, outputs: str | None = None) -> str:
    """The text of a graph: `layers` begin at line 3, or at line 4 after `inputs`."""
    lines = ["graph:", *([f"  input_layers: {inputs}"] if inputs else []), "  layers:" if layers else "  layers: []"]
    lines += [f"    - {layer}" for layer in layers]
    lines += [f"  output_layers: {outputs}"] if outputs else []
    return "\n".join(lines)


BROKEN = [
    pytest.param(
        graph(
            "Dense: {units: 2, name: a, inbound_nodes: b}", "Dense: {units: 3, name: b, inbound_nodes: a}", inputs="x"
        ),
        "4:49: graph.layers[0].Dense.inbound_nodes: layers wait for each other: a -> b -> a",
        id="cycle",
    ),
    pytest.param(
        graph(
            "Add: {name: a, inbound_nodes: [x, c]}",
            "Dense: {units: 3, name: b, inbound_nodes: a}",
            "Dense: {units: 3, name: c, inbound_nodes: b}",
            inputs="x",
        ),
        "4:37: graph.layers[0].Add.inbound_nodes: layers wait for each other: a -> c -> b -> a",
        id="cycle of three",
    ),
    pytest.param(
        graph("Add: {name: a, inbound_nodes: [a, x]}", inputs="x"),
        "4:37: graph.layers[0].Add.inbound_nodes: layers wait for each other: a -> a",
        id="a layer that takes itself",
    ),
    pytest.param(
        graph(A, "Dense: {units: 3, name: b, inbound_nodes: aa}", inputs="x"),
        "5:49: graph.layers[1].Dense.inbound_nodes: there is no layer or input 'aa'",
        id="dangling name",
    ),
    pytest.param(
        graph(A, "Add: {inbound_nodes: [a, why]}", inputs="x"),
        "5:28: graph.layers[1].Add.inbound_nodes: there is no layer or input 'why'",
        id="dangling input in a list",
    ),
    pytest.param(
        graph(A, inputs="x", outputs="why"),
        "5:18: graph.output_layers[0]: there is no layer or input 'why'",
        id="dangling output",
    ),
    pytest.param(
        graph(A, "Dense: {units: 3, name: b, inbound_nodes: [a, 1, 0]}", inputs="x"),
        "5:49: graph.layers[1].Dense.inbound_nodes: 'a' is called once, found its node 1 (the first is 0)",
        id="a call that is not there",
    ),
    pytest.param(
        graph("Dense: {units: 2, name: a, inbound_nodes: [x, 1, 0]}", inputs="x"),
        "4:49: graph.layers[0].Dense.inbound_nodes: 'x' is called once, found its node 1 (the first is 0)",
        id="a call of an input",
    ),
    pytest.param(
        graph(A, "Dense: {units: 2, name: a, inbound_nodes: a}", inputs="x"),
        "5:31: graph.layers[1].Dense.name: name must differ from layer to layer, found 'a' at layer 0 too",
        id="duplicate name",
    ),
    pytest.param(
        graph(A, inputs="[x, x]"), "2:21: graph.input_layers[1]: the input 'x' stands there twice", id="an input twice"
    ),
    pytest.param(
        graph("Dense: {units: 2, name: a, inbound_nodes: a}", inputs="a"),
        "2:17: graph.input_layers[0]: 'a' is a layer of the graph and no Input",
        id="an input named like a layer",
    ),
    pytest.param(
        graph("Input: {name: x, shape: [3], inbound_nodes: x}", A),
        "3:51: graph.layers[0].Input.inbound_nodes: the Input 'x' takes nothing",
        id="an Input that takes something",
    ),
    pytest.param(
        graph("Input: {name: x, shape: [3]}", "Dense: {units: 2, name: a, inbound_nodes: y}", inputs="y"),
        "4:14: graph.layers[0].Input: the Input 'x' is none of input_layers",
        id="an Input that is no input",
    ),
    pytest.param(
        graph(A, B, inputs="x"), "4:14: graph.layers[0].Dense: the output of 'a' is never used", id="unused layer"
    ),
    pytest.param(
        graph(X, A, "Add: {inbound_nodes: [a, a]}", "Dense: {units: 3, name: b, inbound_nodes: a}"),
        "5:12: graph.layers[2].Add: the output of 'add_1' is never used",
        id="unused merge",
    ),
    pytest.param(
        graph(
            "Dense: {units: 2, name: a, inbound_nodes: [[x], [x]]}",
            "Dense: {units: 3, name: b, inbound_nodes: a}",
            inputs="x",
        ),
        "4:14: graph.layers[0].Dense: the output of 'a' is never used",
        id="unused call",
    ),
    pytest.param(
        graph(A, inputs="[x, y]"), "2:21: graph.input_layers[1]: the input 'y' is never used", id="unused input"
    ),
    pytest.param(
        graph(X, "Input: {name: y, shape: [3]}", A),
        "4:14: graph.layers[1].Input: the input 'y' is never used",
        id="unused Input layer",
    ),
    pytest.param(
        graph("Dense: {units: 2}", inputs="[x, y]"),
        "4:14: graph.layers[0].Dense: 'dense_1' does not say what it takes",
        id="nothing said",
    ),
    pytest.param(
        graph(inputs="x"), "3:11: graph.layers: a model needs at least one layer, found an empty list", id="no layers"
    ),
    pytest.param(
        graph("Dense: {units: 2, name: a, inbound_nodes: 3}", inputs="x"),
        "4:49: graph.layers[0].Dense.inbound_nodes: inbound_nodes must be a layer's name, [name, node "
        "index, tensor index], or a list of these, found 3",
        id="a number for a name",
    ),
    pytest.param(
        graph("Dense: {units: 2, name: a, inbound_nodes: [x, -1, 0]}", inputs="x"),
        "4:49: graph.layers[0].Dense.inbound_nodes: inbound_nodes must be a layer's name, [name, node "
        "index, tensor index], or a list of these, found a list",
        id="a negative node",
    ),
    pytest.param(
        graph("Add: {input_shape: [3], inbound_nodes: [x, x]}", inputs="x"),
        "4:26: graph.layers[0].Add.input_shape: Add has several inputs, an input_shape is for layers with one",
        id="an input_shape for a merge",
    ),
    pytest.param(
        graph("Sequential: {layers: [Add], inbound_nodes: x}", inputs="x"),
        "4:29: graph.layers[0].Sequential.layers[0].Add: Add has several inputs, which only a graph can give it",
        id="a merge in a list",
    ),
    pytest.param(
        graph("TimeDistributed: {layer: Add, inbound_nodes: x}", inputs="x"),
        "4:32: graph.layers[0].TimeDistributed.layer.Add: Add has several inputs, which only a graph can give it",
        id="a merge at each step",
    ),
    pytest.param(
        graph(
            (
                "Sequential: {layers: [{graph: {input_layers: [p, q], layers: [{Add: {inbound_nodes: [p, "
                "q]}}]}}], inbound_nodes: x}"
            ),
            inputs="x",
        ),
        "4:30: graph.layers[0].Sequential.layers[0].graph: graph has several inputs, which only a graph can give it",
        id="a graph of two inputs in a list",
    ),
    pytest.param(
        graph(
            "graph: {input_layers: z, layers: [{Dense: {units: 2, inbound_nodes: x}}], inbound_nodes: x}", inputs="x"
        ),
        "4:75: graph.layers[0].graph.layers[0].Dense.inbound_nodes: there is no layer or input 'x'",
        id="a broken graph inside",
    ),
    pytest.param(
        graph(X, A, B, "Add: {name: sum, inbound_nodes: [a, b]}"),
        "6:12: graph.layers[3].Add: 'sum': expected inputs with equal sizes, or 1, at every axis, found "
        "(None, None, 2) and (None, None, 3); it takes 'a', 'b'",
        id="sum of two widths",
    ),
    pytest.param(
        graph(X, "Subtract: {name: minus, inbound_nodes: [x, x, x]}"),
        "4:17: graph.layers[1].Subtract: 'minus': expected two inputs, found (None, None, 4) and (None, "
        "None, 4) and (None, None, 4); it takes 'x', 'x', 'x'",
        id="difference of three",
    ),
    pytest.param(
        graph(X, "Add: {inbound_nodes: x}"),
        "4:12: graph.layers[1].Add: 'add_1': expected two inputs or more, found (None, None, 4); it takes 'x'",
        id="sum of one",
    ),
    pytest.param(
        graph(X, "LSTM: {units: 3, name: last}", "Concatenate: {inbound_nodes: [x, last]}"),
        "5:20: graph.layers[2].Concatenate: 'concatenate_1': expected inputs of one rank, found (None, "
        "None, 4) and (None, 3); it takes 'x', 'last'",
        id="joined at another rank",
    ),
    pytest.param(
        graph(X, "Concatenate: {axis: 3, inbound_nodes: [x, x]}"),
        "4:20: graph.layers[1].Concatenate: 'concatenate_1': axis 3 is none of an input's, found (None, "
        "None, 4); it takes 'x', 'x'",
        id="joined at an axis that is not there",
    ),
    pytest.param(
        graph(X, B, "Concatenate: {axis: 1, inbound_nodes: [x, b]}"),
        "5:20: graph.layers[2].Concatenate: 'concatenate_1': expected inputs with equal sizes at every "
        "axis but 1, found (None, None, 4) and (None, None, 3); it takes 'x', 'b'",
        id="joined along time with two widths",
    ),
    pytest.param(
        graph(X, B, "Dot: {axes: 2, inbound_nodes: [x, b]}"),
        "5:12: graph.layers[2].Dot: 'dot_1': expected equal sizes at the axis 2 of the first input and 2 "
        "of the second, found (None, None, 4) and (None, None, 3); it takes 'x', 'b'",
        id="product of two widths",
    ),
    pytest.param(
        graph(X, "Dot: {axes: 0, inbound_nodes: [x, x]}"),
        "4:12: graph.layers[1].Dot: 'dot_1': axis 0 is none of an input's but the batch's, found (None, "
        "None, 4); it takes 'x', 'x'",
        id="product over the batch",
    ),
    pytest.param(
        graph(
            "Input: {name: x, batch_shape: [2, 4]}",
            "Input: {name: y, batch_shape: [3, 4]}",
            "Maximum: {inbound_nodes: [x, y]}",
        ),
        "5:16: graph.layers[2].Maximum: 'maximum_1': expected inputs with one batch size, found (2, 4) "
        "and (3, 4); it takes 'x', 'y'",
        id="two batch sizes",
    ),
    pytest.param(
        graph(X, "Dense: {units: 2, name: a, inbound_nodes: [x, x]}"),
        "4:14: graph.layers[1].Dense: 'a': expected one input, found 2; it takes 'x' (None, None, 4), "
        "'x' (None, None, 4)",
        id="one input too many",
    ),
    pytest.param(
        graph(X, RECURRENT, "Dense: {units: 3, name: b, inbound_nodes: [a, 0, 1]}"),
        "5:49: graph.layers[2].Dense.inbound_nodes: 'a' has one output, found its tensor 1 (the first is 0)",
        id="a tensor that is not there",
    ),
    pytest.param(
        graph(X, RECURRENT, outputs="[[a, 0, 1]]"),
        "5:19: graph.output_layers[0]: 'a' has one output, found its tensor 1 (the first is 0)",
        id="an output that is not there",
    ),
    pytest.param(
        graph(X, RECURRENT, "LSTM: {units: 3, name: b, inbound_nodes: [x, a]}"),
        "5:13: graph.layers[2].LSTM: 'b': it has 2 states, found 1 initial ones; it takes 'x' (None, "
        "None, 4), 'a' (None, 3)",
        id="too few states",
    ),
    pytest.param(
        graph(X, RECURRENT, "LSTM: {units: 3, name: b, inbound_nodes: [x, a, a, a]}"),
        "5:13: graph.layers[2].LSTM: 'b': it has 2 states, found 3 initial ones; it takes 'x' (None, "
        "None, 4), 'a' (None, 3), 'a' (None, 3), 'a' (None, 3)",
        id="too many states",
    ),
    pytest.param(
        graph(X, A, "GRU: {units: 3, inbound_nodes: [x, a]}"),
        "5:12: graph.layers[2].GRU: 'gru_1': its initial states have the shape (None, 3), found (None, "
        "None, 2); it takes 'x' (None, None, 4), 'a' (None, None, 2)",
        id="states of another width",
    ),
    pytest.param(
        graph(X, RECURRENT, "Bidirectional: {layer: {LSTM: {units: 3}}, inbound_nodes: [x, a, a]}"),
        "5:22: graph.layers[2].Bidirectional: 'bidirectional_1': it has 4 states, found 2 initial ones; "
        "it takes 'x' (None, None, 4), 'a' (None, 3), 'a' (None, 3)",
        id="too few states of both directions",
    ),
    pytest.param(
        graph(X, RECURRENT, "LSTM: {units: 3, name: b, inbound_nodes: a}"),
        "5:13: graph.layers[2].LSTM: 'b': expected an input of rank 3, (batch, time, features), found "
        "(None, 3); it takes 'a' (None, 3)",
        id="sequences that are none",
    ),
    pytest.param(
        graph(
            X,
            "LSTM: {units: 3, return_sequences: true, name: a, inbound_nodes: x}",
            "Dense: {units: 1, name: d, inbound_nodes: [[x], [a]]}",
            "Add: {inbound_nodes: [[d, 0, 0], [d, 1, 0]]}",
        ),
        "5:14: graph.layers[2].Dense: 'd': its weights are for (None, None, 4), the input of its first call; it "
        "takes 'a' (None, None, 3)",
        id="a second call of another width",
    ),
    pytest.param(
        graph(X, "LSTM: {units: 3, input_shape: [null, 5]}"),
        "4:13: graph.layers[1].LSTM: 'lstm_1': it declares the input shape (None, None, 5); it takes 'x' "
        "(None, None, 4)",
        id="another shape than declared",
    ),
    pytest.param(
        graph(A, inputs="x"), "1:1: graph: the shape of the input 'x' is not known", id="an Input of no known shape"
    ),
    pytest.param(
        graph(X, "LSTM: {units: 3, stateful: true}"),
        "4:34: graph.layers[1].LSTM.stateful: 'lstm_1': stateful=True needs a fixed batch size; it takes "
        "'x' (None, None, 4)",
        id="stateful without a batch",
    ),
    pytest.param(
        graph("Input: {name: x, shape: [5, 4]}", "Masking: {name: m}", "Flatten: {inbound_nodes: m}"),
        "5:16: graph.layers[2].Flatten: 'flatten_1': cannot take a mask; it takes 'm' (None, 5, 4)",
        id="a mask for a Flatten",
    ),
    pytest.param(
        graph(
            "Input: {name: x, shape: [5, 4]}",
            "Masking: {name: m}",
            "Add: {name: s, inbound_nodes: [m, x]}",
            "Flatten: {inbound_nodes: s}",
        ),
        "6:16: graph.layers[3].Flatten: 'flatten_1': cannot take a mask; it takes 's' (None, 5, 4)",
        id="a mask of a merge for a Flatten",
    ),
    pytest.param(
        graph(X, "Sequential: {name: s, layers: [{LSTM: {units: 3}}, {GRU: {units: 3}}]}"),
        "4:64: graph.layers[1].Sequential.layers[1].GRU: 's': expected an input of rank 3, (batch, time, "
        "features), found (None, 3), the output of LSTM ([0].LSTM); it takes 'x' (None, None, 4)",
        id="a model inside",
    ),
    pytest.param(
        graph(
            X,
            (
                "graph: {name: g, input_layers: z, layers: [{LSTM: {units: 3, name: l}}, {GRU: {units: 2}}], "
                "inbound_nodes: x}"
            ),
        ),
        "4:85: graph.layers[1].graph.layers[1].GRU: 'g': 'gru_1': expected an input of rank 3, (batch, "
        "time, features), found (None, 3); it takes 'l' (None, 3); it takes 'x' (None, None, 4)",
        id="a graph inside",
    ),
    pytest.param(
        graph(
            X, ("graph: {name: g, input_layers: [p, q], layers: [{Add: {inbound_nodes: [p, q]}}], inbound_nodes: x}")
        ),
        "4:14: graph.layers[1].graph: 'g': expected 2 inputs (p, q), found 1; it takes 'x'",
        id="one input for a graph of two",
    ),
    pytest.param(
        graph(
            X,
            B,
            ("graph: {name: g, input_layers: [p, q], layers: [{Add: {inbound_nodes: [p, q]}}], inbound_nodes: [x, b]}"),
        ),
        "5:61: graph.layers[2].graph.layers[0].Add: 'g': 'add_1': expected inputs with equal sizes, or "
        "1, at every axis, found (None, None, 4) and (None, None, 3); it takes 'p', 'q'; it takes 'x', "
        "'b'",
        id="two widths for a graph of two",
    ),
]


@pytest.mark.parametrize(("text", "message"), BROKEN)
def test_a_broken_graph_is_refused_at_its_place(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(rnnspec.Error) as caught:
        rnnspec.build(rnnspec.load(path))

    found = [f"{each.line}:{each.column}: {each.path}: {each.message}" for each in caught.value.problems]
    assert found == [message]
    assert caught.value.problems[0].file == str(path)


def test_every_name_that_is_not_there_is_told_with_the_likely_one() -> None:
    text = graph(
        "Dense: {units: 2, name: hidden, inbound_nodes: y}",
        "Dense: {units: 3, inbound_nodes: hiden}",
        inputs="x",
        outputs="[dense]",
    )
    with pytest.raises(rnnspec.ConfigError) as caught:
        rnnspec.loads(text)

    assert [(each.message, each.hint) for each in caught.value.problems] == [
        ("there is no layer or input 'y'", None),
        ("there is no layer or input 'hiden'", "did you mean 'hidden'?"),
        ("there is no layer or input 'dense'", "did you mean 'dense_1'?"),
    ]

"""Functional models as each Keras writes them: numbers of calls, masks, states, and the Merge of Keras 1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

import rnnspec
from rnnspec.errors import ConfigError
from rnnspec.interop.keras.dialect import dialect_of
from rnnspec.interop.keras.models import ModelReader
from rnnspec.interop.keras.report import Report
from rnnspec.interop.keras.texts import parse_json


def read(config: dict[str, Any], version: str = "2.2.4") -> tuple[dict[str, Any], Report]:
    report = Report("model.json", "a JSON text", "weights.h5")
    plain = parse_json(json.dumps(config), "model.json", "the file")
    return ModelReader(dialect_of(plain, "model.json", (version, ""), None, None), report).model(plain).schema(), report


def refused(config: dict[str, Any], version: str = "2.2.4") -> str:
    with pytest.raises(ConfigError) as caught:
        read(config, version)
    return str(caught.value)


def layer(class_name: str, name: str, *calls: Any, module: str = "keras.layers", **config: Any) -> dict[str, Any]:
    return {
        "class_name": class_name,
        "module": module,
        "name": name,
        "config": {"name": name, **config},
        "inbound_nodes": list(calls),
    }


def source(name: str, shape: Any, **config: Any) -> dict[str, Any]:
    return layer("InputLayer", name, batch_input_shape=[None, *shape], dtype="float32", sparse=False, **config)


def model(*layers: Any, outputs: Any, name: str = "model", class_name: str = "Model") -> dict[str, Any]:
    inputs = [[item["name"], 0, 0] for item in layers if item["class_name"] == "InputLayer"]
    config = {"name": name, "layers": list(layers), "input_layers": inputs, "output_layers": outputs}
    return {"class_name": class_name, "config": config, "name": name}


def tensor(name: str, node: int = 0, index: int = 0) -> dict[str, Any]:
    """A tensor in Keras 3's words."""
    history = {"shape": [None, 3], "dtype": "float32", "keras_history": [name, node, index]}
    return {"class_name": "__keras_tensor__", "config": history}


def call(*tensors: Any, **options: Any) -> dict[str, Any]:
    """A call in Keras 3's words."""
    return {"args": list(tensors), "kwargs": options}


def inside(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The layers of a graph by name."""
    arguments = [next(iter(item.values())) for item in schema["graph"]["layers"]]
    return {one["name"]: one for one in arguments}


# Keras 1

LEFT = {
    "class_name": "Dense",
    "config": {"name": "left", "output_dim": 2, "batch_input_shape": [None, 3], "bias": True},
}
RIGHT = {
    "class_name": "Dense",
    "config": {"name": "right", "output_dim": 2, "batch_input_shape": [None, 2], "bias": True},
}
LAST = {"class_name": "Dense", "config": {"name": "last", "output_dim": 1, "bias": True}}


def merged(mode: str) -> dict[str, Any]:
    """A Sequential that begins with the Merge of two others, as Keras 1.2 writes it."""
    branches = [{"class_name": "Sequential", "config": [one]} for one in (LEFT, RIGHT)]
    config = {"name": "merge_1", "mode": mode, "mode_type": "raw", "concat_axis": -1, "dot_axes": -1, "arguments": {}}
    for key in ("output_shape", "output_mask"):
        config |= {key: None, f"{key}_type": "raw"}
    head = {"class_name": "Merge", "config": {**config, "layers": branches}}
    return {"class_name": "Sequential", "keras_version": "1.2.2", "config": [head, LAST]}


@pytest.mark.parametrize("mode", ["sum", "mul", "ave", "max", "concat"])
def test_the_merge_of_keras_1_joins_branches(tmp_path: Path, mode: str) -> None:
    generator = np.random.default_rng(0)
    width = 4 if mode == "concat" else 2
    weights = {
        name: (generator.normal(size=shape).astype("float32"), generator.normal(size=shape[1]).astype("float32"))
        for name, shape in (("left", (3, 2)), ("right", (2, 2)), ("last", (width, 1)))
    }
    (tmp_path / "old.json").write_text(json.dumps(merged(mode)))
    with h5py.File(tmp_path / "old_weights.h5", "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in weights]
        for name, (kernel, bias) in weights.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}_{kind}:0".encode() for kind in "Wb"]
            group[f"{name}_W:0"], group[f"{name}_b:0"] = kernel, bias

    found = rnnspec.from_keras(tmp_path / "old.json", tmp_path / "old_weights.h5", device="cpu")

    x, y = generator.normal(size=(5, 3)).astype("float32"), generator.normal(size=(5, 2)).astype("float32")
    one, other = x @ weights["left"][0] + weights["left"][1], y @ weights["right"][0] + weights["right"][1]
    joined = {
        "sum": one + other,
        "mul": one * other,
        "ave": (one + other) / 2,
        "max": np.maximum(one, other),
        "concat": np.concatenate([one, other], axis=1),
    }[mode]
    with torch.no_grad():
        output = found(torch.as_tensor(x), torch.as_tensor(y)).numpy()
    np.testing.assert_allclose(output, joined @ weights["last"][0] + weights["last"][1], rtol=1e-5, atol=1e-6)


def test_a_merge_that_computes_something_else_is_refused() -> None:
    assert refused(merged("cos"), "1.2.2").startswith(
        "model.json: config.layers[0]: there is no layer Merge here, which 'merge_1' is"
    )


def test_the_modes_of_a_merge_in_a_graph_are_layers() -> None:
    two = [[["x", 0, 0], ["y", 0, 0]]]
    dot = layer("Merge", "dot", *two, mode="dot", dot_axes=[1, 1], concat_axis=-1, output_shape=None)
    join = layer("Merge", "join", *two, mode="concat", dot_axes=-1, concat_axis=1, output_shape=None)

    found, _ = read(
        model(source("x", [3]), source("y", [3]), dot, join, outputs=[["dot", 0, 0], ["join", 0, 0]]), "1.2.2"
    )

    assert found["graph"]["layers"][2:] == [
        {"Dot": {"name": "dot", "axes": [1, 1], "inbound_nodes": ["x", "y"]}},
        {"Concatenate": {"name": "join", "axis": 1, "inbound_nodes": ["x", "y"]}},
    ]


# Which call of a model inside is meant


def nested(first: int, output: int, *calls: Any) -> dict[str, Any]:
    """A model inside is called for x and for y; its calls are numbered from `first`."""
    inner = model(source("a", [3]), layer("Dense", "d", [["a", 0, 0]], units=2), outputs=[["d", 0, 0]], name="inner")
    inner["inbound_nodes"] = list(calls)
    last = layer("Dense", "last", [["inner", first, 0]], units=1)
    return model(source("x", [3]), source("y", [3]), inner, last, outputs=[["last", 0, 0], ["inner", output, 0]])


def test_keras_2_counts_the_calls_of_a_model_inside_from_one() -> None:
    found, _ = read(nested(2, 1, [["x", 0, 0]], [["y", 0, 0]]))

    assert inside(found)["last"]["inbound_nodes"] == ["inner", 1, 0]
    assert found["graph"]["output_layers"] == ["last", "inner"]


def test_a_model_inside_that_never_had_an_input_of_its_own_is_counted_from_zero() -> None:
    found, _ = read(nested(1, 0, [["x", 0, 0]], [["y", 0, 0]]))

    assert inside(found)["last"]["inbound_nodes"] == ["inner", 1, 0]
    assert found["graph"]["output_layers"] == ["last", "inner"]


def test_keras_3_counts_from_zero_and_in_the_outputs_from_one() -> None:
    config = nested(0, 1, call(tensor("x"), mask=None), call(tensor("y"), mask=None))
    config["config"]["layers"][3]["inbound_nodes"] = [call(tensor("inner", 1))]

    found, _ = read(config, "3.15.1")

    assert inside(found)["last"]["inbound_nodes"] == ["inner", 1, 0]
    assert found["graph"]["output_layers"] == ["last", "inner"]


# Masks


def test_a_mask_ends_where_tf_keras_lets_it_end() -> None:
    embedding = layer("Embedding", "e", [["x", 0, 0]], input_dim=9, output_dim=4, mask_zero=True)
    convolution = layer("Conv1D", "c", [["e", 0, 0]], filters=2, kernel_size=[3], data_format="channels_last")
    lstm = layer("LSTM", "l", [["e", 0, 0]], units=3, recurrent_activation="sigmoid")

    found, report = read(
        model(source("x", [6]), embedding, convolution, lstm, outputs=[["c", 0, 0], ["l", 0, 0]]), "2.4.0"
    )

    layers = inside(found)
    assert layers["c"]["inbound_nodes"] == "e_without_mask"
    assert layers["e_without_mask"] == {"name": "e_without_mask", "inbound_nodes": "e"}
    assert layers["l"]["inbound_nodes"] == "e"
    assert "Conv1D 'c' gets no mask, as in the Keras that wrote it (Unmasking)" in report.decisions


MASKING = layer("Masking", "m", call(tensor("x")), mask_value=-1.0)
NOT_EQUAL = layer("NotEqual", "not_equal", call(tensor("x"), -1.0), module="keras.src.ops.numpy")
ANY = layer("Any", "any", call(tensor("not_equal")), module="keras.src.ops.numpy", axis=-1, keepdims=False)
LSTM = {"units": 3, "recurrent_activation": "sigmoid", "return_sequences": True}


def masked(*layers: Any, mask: Any, taken: str = "m", **options: Any) -> dict[str, Any]:
    lstm = layer("LSTM", "l", call(tensor(taken), mask=mask, **options), **LSTM)
    return model(source("x", [6, 3]), *layers, lstm, outputs=[["l", 0, 0]], class_name="Functional")


def test_the_operations_that_make_a_mask_in_keras_3_are_left_out() -> None:
    found, _ = read(masked(NOT_EQUAL, MASKING, ANY, mask=tensor("any")), "3.15.1")

    assert [*inside(found)] == ["x", "m", "l"]


def test_keras_3_gives_no_mask_beside_initial_states() -> None:
    states = [tensor("x2"), tensor("x3")]
    config = masked(MASKING, mask=None, initial_state=states)
    config["config"]["layers"][1:1] = [source("x2", [3]), source("x3", [3])]
    config["config"]["input_layers"] += [["x2", 0, 0], ["x3", 0, 0]]

    found, report = read(config, "3.15.1")

    assert inside(found)["l"]["inbound_nodes"] == ["m_without_mask", "x2", "x3"]
    assert "LSTM 'l' gets no mask, as in the Keras that wrote it (Unmasking)" in report.decisions


@pytest.mark.parametrize(
    ("layers", "mask", "message"),
    [
        pytest.param(
            (layer("InputLayer", "k", batch_shape=[None, 6]),),
            tensor("k"),
            "config.layers[1]: the mask of a layer comes from 'k', not from a layer that masks",
            id="an input",
        ),
        pytest.param(
            (layer("NotEqual", "not_equal", call(tensor("x"), 2.0), module="keras.src.ops.numpy"), MASKING, ANY),
            tensor("any"),
            "config.layers[1]: the mask of a layer comes from 'not_equal', which no Embedding or Masking makes",
            id="another value",
        ),
        pytest.param(
            (layer("Greater", "greater", call(tensor("x"), 2.0), module="keras.src.ops.numpy"),),
            tensor("greater"),
            "config.layers[1]: the mask of a layer comes from 'greater', not from a layer that masks",
            id="another operation",
        ),
    ],
)
def test_a_mask_that_no_layer_makes_is_refused(layers: Any, mask: Any, message: str) -> None:
    assert refused(masked(*layers, mask=mask, taken="x"), "3.15.1") == f"model.json: {message}"


def test_a_mask_that_comes_from_elsewhere_is_refused() -> None:
    config = masked(NOT_EQUAL, MASKING, ANY, mask=tensor("any"), taken="x")

    assert refused(config, "3.15.1") == "model.json: LSTM 'l' is called with a mask that does not come with its input"


def test_a_mask_for_the_steps_of_a_layer_at_every_step_is_refused() -> None:
    inner = {"class_name": "LSTM", "config": {"name": "l", **LSTM}}
    steps = {"class_name": "TimeDistributed", "config": {"name": "t", "layer": inner}}
    masking = {"class_name": "Masking", "config": {"name": "m", "batch_input_shape": [None, 5, 4, 3]}}
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": [masking, steps]}}

    assert refused(config, "2.4.0") == (
        "model.json: TimeDistributed 't' gets a mask, which Keras hands to what is inside it"
    )


def test_how_masks_are_joined_is_told_where_no_version_says_it() -> None:
    add = layer("Add", "a", call([tensor("m"), tensor("m")]))
    first = layer("InputLayer", "x", batch_shape=[None, 6, 3])
    config = model(first, MASKING, add, outputs=[["a", 0, 0]], class_name="Functional")
    report = Report("model.json", "a JSON text")

    part = ModelReader(dialect_of(config, "model.json", None, None, None), report).model(config)

    assert inside(part.schema())["a"]["mask_rule"] == "any"
    assert report.defaults == ["Add 'a': masks are joined as in Keras 3.4 and later (mask_rule: any)"]


# What is no layer


def test_an_input_that_no_input_layer_makes_is_refused() -> None:
    config = model(source("x", [3]), layer("Dense", "d", [["x", 0, 0, {}]], units=2), outputs=[["d", 0, 0]])
    config["config"]["input_layers"] = [["d", 0, 0]]

    assert refused(config) == (
        "model.json: config.input_layers: the input 'd' of Model 'model' is none of its InputLayers"
    )


def test_an_operation_is_refused_by_its_name() -> None:
    item = layer("GetItem", "get_item", call(tensor("x"), -1), module="keras.src.ops.numpy")

    assert refused(model(source("x", [3]), item, outputs=[["get_item", 0, 0]]), "3.15.1") == (
        "model.json: config.layers[1]: 'get_item' is the operation GetItem, which is no layer; it is not known here"
    )


def test_a_number_beside_tensors_is_refused() -> None:
    item = layer("Add", "add", call(tensor("x"), 1.0), module="keras.src.ops.numpy")

    assert refused(model(source("x", [3]), item, outputs=[["add", 0, 0]]), "3.15.1") == (
        "model.json: config.layers[1].inbound_nodes[0]: a layer is called with 1.0, expected a tensor of the graph"
    )


# Spellings


def test_tuples_shapes_and_arrays_are_plain_data() -> None:
    convolution = layer(
        "Conv1D",
        "c",
        [["x", 0, 0]],
        filters=2,
        kernel_size={"class_name": "__tuple__", "items": [3]},
        strides={"class_name": "__tuple__", "items": [1]},
    )
    leaky = layer("LeakyReLU", "leaky", [["c", 0, 0]], alpha={"type": "ndarray", "value": 0.25})

    found, _ = read(model(source("x", [6, 3]), convolution, leaky, outputs=[["leaky", 0, 0]]), "2.4.0")

    assert inside(found)["c"]["kernel_size"] == 3
    assert inside(found)["leaky"]["alpha"] == 0.25


# Cells


def cell(class_name: str, units: int) -> dict[str, Any]:
    return {"class_name": class_name, "config": {"name": class_name.lower(), "units": units}}


def stacked(**options: Any) -> dict[str, Any]:
    cells = {"class_name": "StackedRNNCells", "config": {"cells": [cell("GRUCell", 3), cell("LSTMCell", 2)]}}
    rnn = {"class_name": "RNN", "config": {"name": "r", "cell": cells, "batch_input_shape": [None, 5, 4], **options}}
    return {"class_name": "Sequential", "config": {"name": "s", "layers": [rnn]}}


def test_stacked_cells_are_layers_one_after_the_other() -> None:
    found, report = read(stacked(return_sequences=False))

    (inner,) = found["Sequential"]["layers"]
    first, last = inner["Sequential"]["layers"]
    assert (first["GRU"]["units"], first["GRU"]["return_sequences"]) == (3, True)
    assert first["GRU"]["batch_input_shape"] == [None, 5, 4]
    assert (last["LSTM"]["units"], last["LSTM"]["return_sequences"]) == (2, False)
    assert "RNN 'r': its stacked cells are layers one after the other" in report.decisions


def test_stacked_cells_that_return_their_states_are_refused() -> None:
    assert refused(stacked(return_state=True)) == (
        "model.json: config.layers[0].config: RNN 'r': stacked cells with return_state are not known here"
    )


def test_constants_that_are_none_say_nothing() -> None:
    """tf.keras writes them for every Bidirectional that is given its initial states."""
    config = model(
        source("x", [2, 3]),
        layer("Dense", "d", [["x", 0, 0, {"constants": None}]], units=2),
        outputs=[["d", 0, 0]],
    )
    assert inside(read(config)[0])["d"]["units"] == 2


def test_the_input_of_a_list_tells_the_steps_that_its_embedding_leaves_free() -> None:
    """tf.keras writes `[None, None]` into an Embedding whose InputLayer says more."""
    layers = [
        source("x", [7]),
        layer("Embedding", "e", input_dim=9, output_dim=2, batch_input_shape=[None, None], input_length=None),
        layer("GRU", "g", units=2, unroll=True, reset_after=False, recurrent_activation="sigmoid"),
    ]
    schema, _ = read({"class_name": "Sequential", "config": {"name": "s", "layers": layers}})
    first = schema["Sequential"]["layers"][0]["Embedding"]
    assert first["batch_input_shape"] == [None, 7]

"""Models go from Keras to us and on to Keras 3, and ours to Keras 3, with the same numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from keras_cases import MODELS, arrays, sources
from keras_graph_models import GRAPHS
from keras_models import SEQUENTIAL, Make, batches, build, differences, keras, made, outputs

import rnnspec

# Keras 3 on torch makes arrays in a way that NumPy 2 warns of; the layers that end a mask say so.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*does not support masking:UserWarning"),
]

# One model of each kind, of the oldest Keras that has it.
KINDS = {name.partition("-")[2]: name for name in sorted(MODELS, key=lambda name: name.startswith("tf"), reverse=True)}


def reset(*models: Any) -> None:
    for model in models:
        if getattr(model, "stateful", False):
            model.reset_states()


@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in {**SEQUENTIAL, **GRAPHS}.items()])
def test_a_model_of_keras_comes_in_and_goes_out_again(tmp_path: Path, make: Make) -> None:
    first, later = tmp_path / "first.keras", tmp_path / "later.keras"
    model = build(make)
    given = batches(model)
    model.save(first)
    ours = rnnspec.from_keras(first, device="cpu")
    report = rnnspec.to_keras(ours, later)
    again = keras.models.load_model(later)

    assert report.difference <= 1e-5
    assert differences(ours, model, given) <= 1e-5
    reset(ours)
    assert differences(ours, again, given) <= 1e-5


@pytest.mark.parametrize("name", KINDS.values(), ids=KINDS)
def test_an_old_model_gives_its_numbers_in_keras_3(tmp_path: Path, name: str) -> None:
    path, weights = next(sources(name))
    rnnspec.to_keras(rnnspec.from_keras(path, weights, device="cpu"), tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras")

    for inputs, expected in arrays(name):
        for found, stored in zip(outputs(model, [one.numpy() for one in inputs]), expected, strict=True):
            np.testing.assert_allclose(found, stored, rtol=1e-5, atol=1e-5)


# What cannot be said

LSTM = "LSTM: {units: 3, return_sequences: true"
REFUSED = {
    "lstm-activation": (
        "- LSTM: {units: 3, activation: hard_sigmoid, input_shape: [5, 2]}",
        "LSTM 'lstm_1': activation='hard_sigmoid' acts on the cell state too, before which no weight stands that could "
        "be scaled\n  hint: Keras 3's function of that name is hard_sigmoid_keras3 here; it has another slope",
    ),
    "lstm-activation-in-a-graph-inside": (
        "graph:\n  layers:\n    - Input: {name: x, shape: [5, 2]}\n"
        "    - graph: {layers: [Input: {name: y, shape: [5, 2]}, LSTM: {units: 3, activation: hard_sigmoid}]}\n"
        "    - Dense: {units: 2}",
        "LSTM 'lstm_1': activation='hard_sigmoid' acts on the cell state too, before which no weight stands that could "
        "be scaled\n  hint: Keras 3's function of that name is hard_sigmoid_keras3 here; it has another slope",
    ),
    "lstm-activation-in-a-graph-at-every-step": (
        "- TimeDistributed:\n    input_shape: [4, 5, 2]\n    layer:\n"
        "      graph: {layers: [Input: {name: y, shape: [5, 2]}, LSTM: {units: 3, activation: hard_sigmoid}]}",
        "LSTM 'lstm_1': activation='hard_sigmoid' acts on the cell state too, before which no weight stands that could "
        "be scaled\n  hint: Keras 3's function of that name is hard_sigmoid_keras3 here; it has another slope",
    ),
    "trainable-states": (
        "- LSTM: {units: 3, initial_state: trainable, input_shape: [5, 2]}",
        "LSTM 'lstm_1': Keras has no trainable initial states\n  hint: give the states to each call in a graph, or set "
        "initial_state to 'zeros'",
    ),
    "mask-order": (
        f"- Masking: {{input_shape: [5, 2]}}\n- {LSTM}, go_backwards: true}}\n- GRU: {{units: 2}}",
        "LSTM 'lstm_1': its mask is turned around with its outputs here, and stays as it is in Keras\n  hint: set "
        "keras_mask_order to True, if that is what you want",
    ),
    "masked-start": (
        f"- Masking: {{batch_input_shape: [2, 5, 2]}}\n- {LSTM}, stateful: true}}",
        "LSTM 'lstm_1': a masked step before the first valid one emits the initial state here, and zeros in Keras 3\n"
        "  hint: set masked_start to 'zeros', if a sequence never starts with a masked step or that is what you want",
    ),
    "masked-bidirectional": (
        f"- Masking: {{input_shape: [5, 2]}}\n- Bidirectional: {{layer: {{{LSTM}}}}}}}",
        "Bidirectional 'bidirectional_1': masked steps emit the output before them here, and zeros in Keras 3; what "
        "comes after them sees it\n  hint: set zero_output_for_mask to True on the layer inside, if that is what you "
        "want",
    ),
    "masked-softmax": (
        "- Masking: {input_shape: [5, 2]}\n- Softmax: {axis: 1}",
        "Softmax 'softmax_1': Keras 3's Softmax acts on the mask that reaches it\n  hint: put an Unmasking before it",
    ),
    "wrapped-activation": (
        "- TimeDistributed: {layer: {Activation: {activation: hard_sigmoid}}, input_shape: [5, 2]}",
        "TimeDistributed 'time_distributed_1': an Activation 'hard_sigmoid' inside a wrapper would need a Rescaling "
        "before it there\n  hint: use the Activation alone, it acts on every step too",
    ),
    "rnn-of-a-cell": (
        "- RNN: {cell: LSTM, units: 3, input_shape: [5, 2]}",
        "RNN 'rnn_1': the layer RNN with the cell LSTM is not written\n  hint: use LSTM, GRU or SimpleRNN",
    ),
    "masked-layer-at-every-step": (
        "- Masking: {input_shape: [5, 2, 2]}\n- TimeDistributed: {layer: {LSTM: {units: 3}}}",
        "TimeDistributed 'time_distributed_1': Keras 3 gives the LSTM inside a mask, which it does not get here\n"
        "  hint: put an Unmasking before it",
    ),
    "merged-masks": (
        "graph:\n  layers:\n"
        "    - Input: {name: x, shape: [5, 2]}\n    - Masking: {name: a, inbound_nodes: x}\n"
        "    - Masking: {name: b, mask_value: 1, inbound_nodes: x}\n"
        "    - Add: {name: add, inbound_nodes: [a, b]}\n    - LSTM: {units: 3, inbound_nodes: add}",
        "Add 'add': a step is valid here where it is in all masked inputs, and in Keras 3 where it is in one of all\n"
        "  hint: set mask_rule to 'any', if that is what you want",
    ),
    "merged-maximum": (
        "graph:\n  layers:\n"
        "    - Input: {name: x, shape: [5, 2]}\n    - Masking: {name: a, inbound_nodes: x}\n"
        "    - Maximum: {name: most, inbound_nodes: [a, x]}",
        "Maximum 'most': a step is valid here where it is in all masked inputs, and in Keras 3 where it is in one of "
        "all\n  hint: set mask_rule to 'any', if that is what you want",
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_keras_3_cannot_say_is_refused(tmp_path: Path, text: str, message: str) -> None:
    model = rnnspec.build(rnnspec.loads(text), device="cpu")
    with pytest.raises(rnnspec.ConfigError) as caught:
        rnnspec.to_keras(model, tmp_path / "model.keras")

    assert str(caught.value) == f"to_keras: {message}"
    assert list(tmp_path.iterdir()) == []


def test_all_reasons_are_told_at_once(tmp_path: Path) -> None:
    lstm = "{units: 3, activation: hard_sigmoid, return_sequences: true, input_shape: [5, 2]}"
    model = rnnspec.build(rnnspec.loads(f"- LSTM: {lstm}\n- LSTM: {lstm.replace('[5, 2]', '[5, 3]')}"), device="cpu")
    with pytest.raises(rnnspec.ConfigError) as caught:
        rnnspec.to_keras(model, tmp_path / "model.keras")

    assert [problem.message[:24] for problem in caught.value.problems] == [
        "to_keras: LSTM 'lstm_1':", "to_keras: LSTM 'lstm_2':",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "after",
    [
        pytest.param("- LSTM: {units: 2}", id="a-recurrent-layer"),
        pytest.param("- Dropout: {rate: 0.5}\n- Dense: {units: 3}\n- GRU: {units: 2}", id="steps-then-recurrent"),
        pytest.param("- GlobalAveragePooling1D: {}", id="a-mean-of-valid-steps"),
    ],
)
def test_a_masked_bidirectional_is_written_where_nothing_sees_its_masked_steps(tmp_path: Path, after: str) -> None:
    path = tmp_path / "model.keras"
    bidirectional = f"- Bidirectional: {{layer: {{{LSTM}}}}}}}"
    model = made(f"- Masking: {{mask_value: -1, input_shape: [6, 2]}}\n{bidirectional}\n{after}")
    rnnspec.to_keras(model, path)
    theirs = keras.models.load_model(path)

    assert differences(model, theirs, batches(theirs)) <= 1e-5


def test_a_masked_unrolled_layer_is_written_without_unroll(tmp_path: Path) -> None:
    """Keras 3.15 on torch fails in the call of such a layer."""
    path = tmp_path / "model.keras"
    model = made("- Masking: {mask_value: -1, input_shape: [6, 2]}\n- GRU: {units: 3, unroll: true}")
    report = rnnspec.to_keras(model, path)
    theirs = keras.models.load_model(path)

    assert any(line.startswith("GRU 'gru_1': written without unroll, with the same numbers") for line in report.changes)
    assert differences(model, theirs, batches(theirs)) <= 1e-5


# The report

NOTED = {
    "regularizer": (
        "- LSTM: {units: 3, kernel_regularizer: l2, recurrent_constraint: NonNeg, input_shape: [5, 2]}",
        "LSTM 'lstm_1': kernel_regularizer, recurrent_constraint acts on scaled weights if training goes on in Keras",
    ),
    "implementation": (
        "- GRU: {units: 3, dropout: 0.5, implementation: 2, input_shape: [5, 2]}",
        "GRU 'gru_1': implementation=2, one dropout mask for all gates; Keras draws one a gate in training since 3.8",
    ),
    "stateful": (
        "- GRU: {units: 3, stateful: true, batch_input_shape: [2, 5, 2]}",
        "GRU 'gru_1': the states that it carries, which no file of Keras holds",
    ),
    "activity": (
        "- Dense: {units: 3, activity_regularizer: l1, input_shape: [2]}",
        "Dense 'dense_1': Keras 3 divides the loss of activity_regularizer by the batch size, in training",
    ),
    "mean-over-an-end": (
        "- AveragePooling1D: {pool_size: 2, padding: same, input_shape: [5, 2]}",
        "AveragePooling1D 'average_pooling1d_1': a mean that reaches over an end counts the steps that are there, as "
        "Keras 3 does on TensorFlow and JAX; on torch it counts the added ones too where they are uneven",
    ),
    "masked-statistics": (
        "- Masking: {input_shape: [5, 2]}\n- BatchNormalization: {}",
        "BatchNormalization 'batch_normalization_1': Keras 3 leaves masked steps out of the statistics in training, "
        "which count here",
    ),
    "no-dropout": (
        "- Dropout: {rate: 1, input_shape: [5, 2]}",
        "Dropout 'dropout_1': rate=1.0 drops nothing, it is written as 0",
    ),
    "unmasking": (
        "- Masking: {input_shape: [5, 2]}\n- Unmasking: {}\n- LSTM: {units: 3}",
        "Unmasking 'unmasking_1': written as a Permute that changes nothing, where Keras 3 drops a mask",
    ),
    "softmax": (
        "- Masking: {input_shape: [5, 2]}\n- Softmax: {}",
        "Softmax 'softmax_1': written as an Activation, as Keras 3's Softmax acts on masks",
    ),
    "name": ("- Dense: {units: 3, name: a/b, input_shape: [2]}", "Dense 'a/b' is called 'a_b' there"),
}


@pytest.mark.parametrize(("text", "line"), NOTED.values(), ids=NOTED)
def test_the_report_tells_what_changes(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "model.keras"
    report = rnnspec.to_keras(made(text), path)
    theirs = keras.models.load_model(path)

    assert line in [*report.changes, *report.left_out]
    assert theirs.count_params() == report.weights[1]


def test_the_report_as_text(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    report = rnnspec.to_keras(made("- Dense: {units: 3, activation: hard_sigmoid, input_shape: [2]}"), path)

    assert str(report).splitlines() == [
        f"file: {path}, a .keras archive for Keras 3.15.1",
        "weights: 2 arrays, 9 numbers",
        f"self-check: {report.check}",
        "changed: Dense 'dense_1': activation: clip(0.2 x + 0.5, 0, 1) is Keras 3's hard_sigmoid of 1.2 x, so the "
        "weights are written 1.2 times as large",
    ]


# The file


def test_the_model_stays_as_it_is(tmp_path: Path) -> None:
    model = made("- LSTM: {units: 3, stateful: true, dropout: 0.5, batch_input_shape: [2, 5, 2]}").train()
    model(torch.randn(2, 5, 2))
    states = [state.clone() for state in model[0].states]
    rnnspec.to_keras(model, tmp_path / "model.keras")

    assert model.training
    assert all(torch.equal(one, other) for one, other in zip(model[0].states, states, strict=True))


def test_a_layer_alone_becomes_a_model_of_one(tmp_path: Path) -> None:
    layer = rnnspec.nn.GRU(3, input_size=2, return_sequences=True, device="cpu")
    rnnspec.to_keras(layer, tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras")

    assert [type(one).__name__ for one in model.layers] == ["GRU"]
    assert differences(layer, model, batches(model)) <= 1e-5


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_a_model_keeps_its_dtype(tmp_path: Path, dtype: str) -> None:
    model = made("- Dense: {units: 3, activation: hard_sigmoid, input_shape: [5, 2]}", dtype=dtype)
    rnnspec.to_keras(model, tmp_path / "model.keras")
    theirs = keras.models.load_model(tmp_path / "model.keras")

    assert {weight.dtype for weight in theirs.weights} == {dtype}
    assert {
        str(weight.dtype) for weight in rnnspec.from_keras(tmp_path / "model.keras", device="cpu").parameters()
    } == {f"torch.{dtype}"}


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(rnnspec.ConfigError) as caught:
        rnnspec.to_keras(made("- Dense: {units: 3, input_shape: [2]}"), tmp_path / "model.h5")
    assert str(caught.value) == f"{tmp_path}/model.h5: to_keras: Keras 3 opens files whose names end in .keras"


def test_a_model_without_weights_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    rnnspec.to_keras(made("- Dense: {units: 3, input_shape: [2]}"), path)
    before = path.read_bytes()
    with pytest.raises(rnnspec.ShapeError):
        rnnspec.to_keras(rnnspec.nn.Sequential([rnnspec.nn.LSTM(3)]), path)

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_user_registered_is_refused_or_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for table in ("LAYERS", "ACTIVATIONS", "INITIALIZERS"):
        monkeypatch.setattr(getattr(rnnspec.registry, table), "_added", {})
    rnnspec.register.initializer("halves")(lambda weight, generator=None: weight.fill_(0.5))
    rnnspec.register.activation("cube")(lambda x: x**3)
    named = made("- Dense: {units: 3, kernel_initializer: halves, input_shape: [2]}")
    report = rnnspec.to_keras(named, tmp_path / "model.keras")
    with pytest.raises(rnnspec.ConfigError) as caught:
        rnnspec.to_keras(made("- Dense: {units: 3, activation: cube, input_shape: [2]}"), tmp_path / "model.keras")

    only = "it only matters for weights that are drawn anew"
    assert report.left_out == [f"Dense 'dense_1': kernel_initializer, which a user registered; {only}"]
    assert str(caught.value) == (
        "to_keras: Dense 'dense_1': Keras does not know the activation 'cube', which a user registered\n"
        "  hint: register a function of the same name in Keras, and use a name that Keras knows here"
    )

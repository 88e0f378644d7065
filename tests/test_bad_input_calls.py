"""Layers and models from a file that are called wrongly: one kind of mistake each, with its message to the letter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import rnnspec
from rnnspec.errors import ConfigError, DTypeError, EngineError, Error, MaskError, ShapeError, StateError, WeightsError

X = torch.zeros(4, 5, 2)
H = torch.zeros(4, 3)

LSTM = "LSTM: {units: 3, input_shape: [5, 2]}"
DROPPED = "LSTM: {units: 3, input_shape: [5, 2], dropout: 0.5, recurrent_dropout: 0.5}"
STATEFUL = "LSTM: {units: 3, batch_input_shape: [4, 5, 2], stateful: true, name: enc}"
MODEL = """\
- LSTM: {units: 3, batch_input_shape: [4, 5, 2], stateful: true, return_sequences: true, name: enc}
- GRU: {units: 2, stateful: true}
- Dense: {units: 1}
"""

Call = Callable[[Any], object]


def with_states(*states: Any) -> Call:
    return lambda layer: layer(X, initial_state=list(states))


def with_engine(name: str) -> Call:
    def call(layer: Any) -> None:
        with rnnspec.use_engine(name):
            layer(X)

    return call


def with_masks(**masks: Any) -> Call:
    def call(layer: Any) -> None:
        with rnnspec.dropout_masks(layer, **masks):
            layer(X)

    return call


CASES: dict[str, tuple[str, Call, type[Error], str]] = {
    # no tensors at all
    "input that is no tensor": (
        LSTM, lambda layer: layer(np.zeros((4, 5, 2))), DTypeError,
        "LSTM takes a tensor, or a list of a tensor and states, found ndarray",
    ),
    "no tensor for both directions": (
        f"Bidirectional: {{layer: {{{LSTM}}}}}", lambda layer: layer(np.zeros((4, 5, 2))), DTypeError,
        "Bidirectional(LSTM) takes a tensor, or a list of a tensor and states, found ndarray",
    ),
    "no input": (
        LSTM, lambda layer: layer([]), DTypeError,
        "LSTM takes a tensor, or a list of a tensor and states, found list",
    ),
    "mask that is a number": (
        LSTM, lambda layer: layer(X, mask=3), MaskError,
        "LSTM takes a mask tensor of shape (batch, time), found int",
    ),
    "state that is a number": (
        LSTM, lambda layer: layer(X, initial_state=3), StateError, "LSTM: initial_state takes tensors, found int",
    ),
    "rows in a list": (
        STATEFUL, lambda layer: layer.reset_states(rows=[True]), StateError,
        "LSTM 'enc': rows must be a boolean tensor of shape (4,), found [True]",
    ),
    "weights that are one text": (
        LSTM, lambda layer: layer.set_weights("abc"), WeightsError,
        "LSTM takes its weights as a list of arrays, found str",
    ),
    "a weight that is a text": (
        LSTM, lambda layer: layer.set_weights(["a", H, H]), WeightsError,
        "LSTM: the weight 'kernel' must be an array of numbers, found 'a'",
    ),
    "weights of an unbuilt layer": (
        LSTM, lambda _: rnnspec.nn.LSTM(3).get_weights(), WeightsError,
        "LSTM has no weights yet: give its input_shape, build it, or call it once",
    ),
    "an unknown device": (
        LSTM, lambda _: rnnspec.build(rnnspec.loads(LSTM), device="gpu"), ConfigError,
        "unknown device 'gpu', expected cpu, cuda, cuda:1, ...",
    ),
    "dropout masks of a model": (
        MODEL, with_masks(inputs=[H]), ConfigError, "dropout_masks takes one recurrent layer, found Sequential",
    ),
    # inputs
    "input without time": (
        LSTM, lambda layer: layer(torch.zeros(4)), ShapeError,
        "LSTM expects an input of shape (batch, time, features) or (time, features), found (4,)",
    ),
    "too many features": (
        LSTM, lambda layer: layer(torch.zeros(4, 5, 7)), ShapeError, "LSTM expects 2 features, found 7",
    ),
    "features of a dense layer": (
        "Dense: {units: 3, input_dim: 2}", lambda layer: layer(X[:, :, :1]), ShapeError,
        "Dense expects 2 features, found 1",
    ),
    "input of double precision": (
        LSTM, lambda layer: layer(X.double()), DTypeError,
        "LSTM has weights of dtype torch.float32, the input has torch.float64",
    ),
    "ids for a recurrent layer": (
        LSTM, lambda layer: layer(X.long()), DTypeError,
        "LSTM has weights of dtype torch.float32, the input has torch.int64",
    ),
    "input of a Bidirectional": (
        "Bidirectional: {layer: {GRU: {units: 3}}, input_shape: [5, 2]}", lambda layer: layer(X[0, 0]), ShapeError,
        "GRU 'forward' expects an input of shape (batch, time, features) or (time, features), found (2,)",
    ),
    "one timestep to unroll": (
        "GRU: {units: 3, unroll: true, input_shape: [5, 2]}", lambda layer: layer(X[:, :1]), ShapeError,
        "GRU: unroll=True needs two timesteps or more, found 1",
    ),
    "rows for Flatten": (
        "Flatten: {input_shape: [5, 2]}", lambda layer: layer(X[0]), ShapeError,
        "Flatten expects an input of rank 3 or more, found (5, 2)",
    ),
    "another input than declared": (
        "Input: {shape: [5, 2]}", lambda layer: layer(X[:, 1:]), ShapeError,
        "Input expects an input of shape (None, 5, 2), found (4, 4, 2)",
    ),
    "noise that does not fit": (
        "Dropout: {rate: 0.5, noise_shape: [7, 1, 1], input_shape: [5, 2]}", lambda layer: layer(X), ShapeError,
        "Dropout: the noise_shape (7, 1, 1) does not fit an input of shape (4, 5, 2)",
    ),
    # masks
    "mask of another length": (
        LSTM, lambda layer: layer(X, mask=torch.ones(4, 6).bool()), MaskError,
        "LSTM expects a mask of shape (batch, time) = (4, 5), found (4, 6)",
    ),
    "mask of features": (
        LSTM, lambda layer: layer(X, mask=torch.ones_like(X)), MaskError,
        "LSTM expects a mask of shape (batch, time) = (4, 5), found (4, 5, 2)",
    ),
    "mask for Flatten": (
        "Flatten: {input_shape: [5, 2]}", lambda layer: layer.compute_mask(X, torch.ones(4, 5).bool()), MaskError,
        "Flatten cannot take a mask, and one reached it from the layers before\n"
        "  hint: a recurrent layer with return_sequences=False before it ends the mask",
    ),
    # states of a call
    "one state of two": (LSTM, with_states(H), StateError, "LSTM has 2 states (h, c), initial_state has 1"),
    "one state too many": (LSTM, with_states(H, H, H), StateError, "LSTM has 2 states (h, c), initial_state has 3"),
    "state beside the input": (
        LSTM, lambda layer: layer([X, H]), StateError, "LSTM has 2 states (h, c), initial_state has 1",
    ),
    "state of another width": (
        LSTM, with_states(H, H[:, :2]), StateError,
        "LSTM: the state 'c' in initial_state has shape (4, 2), expected (4, 3)",
    ),
    "state of other rows": (
        LSTM, with_states(H[:1], H), StateError,
        "LSTM: the state 'h' in initial_state has shape (1, 3), expected (4, 3)",
    ),
    "state of double precision": (
        LSTM, with_states(H, H.double()), DTypeError,
        "LSTM: the state 'c' in initial_state has dtype torch.float64, the weights have torch.float32",
    ),
    "states of one direction": (
        "Bidirectional: {layer: {LSTM: {units: 3}}, input_shape: [5, 2]}", with_states(H, H), StateError,
        "Bidirectional(LSTM) has 4 states (forward h, forward c, backward h, backward c), initial_state has 2",
    ),
    # carried states
    "reset without states": (
        LSTM, lambda layer: layer.reset_states(), StateError,
        "LSTM is not stateful, it has no states to reset; make it with stateful=True",
    ),
    "another batch size": (
        STATEFUL, lambda layer: layer(X[:2]), StateError,
        "LSTM 'enc' is stateful with a batch size of 4, the input has 2 rows; "
        "reset_states(batch_size=2) sets a new size",
    ),
    "reset to one state": (
        STATEFUL, lambda layer: layer.reset_states(H), StateError, "LSTM 'enc' has 2 states (h, c), reset_states has 1",
    ),
    "reset to another shape": (
        STATEFUL, lambda layer: layer.reset_states([H.T, H]), StateError,
        "LSTM 'enc': the state 'h' in reset_states has shape (3, 4), expected (4, 3)",
    ),
    "reset to a word": (
        STATEFUL, lambda layer: layer.reset_states("zeros"), StateError,
        "LSTM 'enc': reset_states takes arrays or tensors, found str",
    ),
    "rows as numbers": (
        STATEFUL, lambda layer: layer.reset_states(rows=torch.tensor([0, 2])), StateError,
        "LSTM 'enc': rows must be a boolean tensor of shape (4,), found torch.int64 of shape (2,)",
    ),
    "rows and a batch size": (
        STATEFUL, lambda layer: layer.reset_states(rows=torch.ones(4).bool(), batch_size=3), StateError,
        "LSTM 'enc': reset_states takes batch_size alone, without states or rows",
    ),
    "states of a model": (
        MODEL, lambda model: model.reset_states([H]), StateError, "Sequential has 3 states, reset_states has 1",
    ),
    "rows of a model": (
        MODEL, lambda model: model.reset_states(rows=torch.ones(3).bool()), StateError,
        "LSTM 'enc': rows must be a boolean tensor of shape (4,), found torch.bool of shape (3,)",
    ),
    # weights
    "no weights": (
        LSTM, lambda layer: layer.set_weights([]), WeightsError,
        "LSTM has 3 weights (kernel, recurrent_kernel, bias), it was given 0",
    ),
    "weights of other shapes": (
        LSTM, lambda layer: layer.set_weights([np.zeros((9, 12)), np.zeros((3, 12)), np.zeros(3)]), WeightsError,
        "LSTM: the weight 'kernel' has shape (2, 12), it was given (9, 12)\n"
        "LSTM: the weight 'bias' has shape (12,), it was given (3,)",
    ),
    "weights of a model": (
        MODEL, lambda model: model.set_weights([np.zeros((2, 12))]), WeightsError,
        "Sequential has 8 weights (enc.kernel, enc.recurrent_kernel, enc.bias, 1.kernel, 1.recurrent_kernel, 1.bias, "
        "2.kernel, 2.bias), it was given 1",
    ),
    "weights of a layer in a model": (
        MODEL, lambda model: model[2].set_weights([np.zeros((3, 1)), np.zeros(1)]), WeightsError,
        "Dense: the weight 'kernel' has shape (2, 1), it was given (3, 1)",
    ),
    # engines
    "unknown engine": (
        LSTM, with_engine("cuDNN"), EngineError, "unknown engine 'cuDNN', expected one of cpu, scan, steps",
    ),
    "misspelled engine": (
        LSTM, with_engine("step"), EngineError,
        "unknown engine 'step', expected one of cpu, scan, steps\n  hint: did you mean 'steps'?",
    ),
    # dropout masks
    "masks of three gates": (
        DROPPED, with_masks(inputs=[torch.ones(4, 2)] * 3), ShapeError,
        "LSTM: dropout_masks expected 1 or 4 masks (gates i, f, c, o) in inputs, found 3",
    ),
    "no masks": (
        DROPPED, with_masks(recurrent=[]), ShapeError,
        "LSTM: dropout_masks expected 1 or 4 masks (gates i, f, c, o) in recurrent, found 0",
    ),
    "masks for a cell without gates": (
        "SimpleRNN: {units: 3, input_shape: [5, 2], dropout: 0.5}", with_masks(inputs=[torch.ones(4, 2)] * 4),
        ShapeError, "SimpleRNN: dropout_masks expected 1 mask in inputs, found 4",
    ),
    "input mask as wide as the units": (
        DROPPED, with_masks(inputs=[H] * 4), ShapeError, "LSTM: a dropout mask has shape (4, 3), expected (4, 2)",
    ),
    "recurrent mask as wide as the input": (
        DROPPED, with_masks(recurrent=[torch.ones(4, 2)]), ShapeError,
        "LSTM: a dropout mask has shape (4, 2), expected (4, 3)",
    ),
    "mask of other rows": (
        DROPPED, with_masks(recurrent=[torch.ones(2, 3)]), ShapeError,
        "LSTM: a dropout mask has shape (2, 3), expected (4, 3)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "call", "kind", "message"), CASES.values(), ids=CASES)
def test_every_wrong_call_has_its_message(
    text: str, call: Call, kind: type[Error], message: str, tmp_path: Path
) -> None:
    (tmp_path / "model.yaml").write_text(text)
    module = rnnspec.build(rnnspec.load(tmp_path / "model.yaml"), device="cpu")
    with pytest.raises(kind) as error:
        call(module)
    assert str(error.value) == message

"""Models that Keras 3 builds, on torch: what `from_keras` reads and `to_keras` writes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from typing import Any

# Keras reads both when it is loaded; it would write a file into the home folder.
os.environ["KERAS_BACKEND"] = "torch"
os.environ.setdefault("KERAS_HOME", tempfile.mkdtemp(prefix="keras"))

import keras
import numpy as np
import torch
from keras import layers as kl

import rnnspec

STEPS, FEATURES = 6, 4

Make = Callable[[], Any]


def stack(*layers: Any, shape: Any = (STEPS, FEATURES), batch: int | None = None) -> Make:
    """A Sequential, made when it is called, of layers that are made then."""
    return lambda: keras.Sequential([keras.Input(shape, batch_size=batch), *(layer() for layer in layers)])


def of(layer: str, *arguments: Any, **options: Any) -> Make:
    """A layer, made when it is called."""
    return lambda: getattr(kl, layer)(*arguments, **options)


def around(wrapper: str, layer: Make, **options: Any) -> Make:
    """A wrapped layer."""
    return lambda: getattr(kl, wrapper)(layer(), **options)


SEQUENCES = {"return_sequences": True}
SEQUENTIAL: dict[str, Make] = {
    "lstm": stack(of("LSTM", 5), of("Dense", 3, activation="softmax")),
    "gru": stack(of("GRU", 5)),
    "gru-reset-before": stack(of("GRU", 5, reset_after=False, recurrent_activation="hard_sigmoid")),
    "simple-rnn": stack(of("SimpleRNN", 5, activation="relu")),
    "no-bias": stack(of("LSTM", 5, use_bias=False), of("Dense", 2, use_bias=False)),
    "free-length": stack(of("GRU", 5, **SEQUENCES), shape=(None, FEATURES)),
    "unrolled": stack(of("LSTM", 5, unroll=True)),
    "hard-sigmoid": stack(of("LSTM", 5, recurrent_activation="hard_sigmoid", **SEQUENCES)),
    "hard-sigmoid-everywhere": stack(of("LSTM", 5, activation="hard_sigmoid"), of("Activation", "hard_sigmoid")),
    "activations": stack(
        of("LSTM", 5, activation="softsign", **SEQUENCES),
        of("GRU", 4, activation="elu", **SEQUENCES),
        of("SimpleRNN", 3, activation="selu"),
        of("Dense", 3, activation="softplus"),
    ),
    "stacked": stack(of("LSTM", 5, **SEQUENCES), of("GRU", 4, **SEQUENCES), of("SimpleRNN", 3)),
    "stacked-same-class": stack(of("LSTM", 5, **SEQUENCES), of("LSTM", 4, **SEQUENCES, name="a"), of("LSTM", 3)),
    "backwards": stack(of("LSTM", 5, go_backwards=True, **SEQUENCES), of("GRU", 3)),
    "bidirectional-lstm": stack(around("Bidirectional", of("LSTM", 5, **SEQUENCES))),
    "bidirectional-gru": stack(around("Bidirectional", of("GRU", 5, reset_after=False), merge_mode="sum")),
    "bidirectional-stacked": stack(
        around("Bidirectional", of("SimpleRNN", 4, **SEQUENCES), merge_mode="mul"),
        around("Bidirectional", of("LSTM", 3, use_bias=False), merge_mode="ave"),
    ),
    "masked": stack(of("Masking", -1.0), of("LSTM", 5, **SEQUENCES), of("GRU", 3)),
    "masked-bidirectional": stack(of("Masking", -1.0), around("Bidirectional", of("LSTM", 5, **SEQUENCES))),
    "masked-backwards": stack(of("Masking", -1.0), of("GRU", 5, go_backwards=True, **SEQUENCES), of("LSTM", 3)),
    "embedding": stack(of("Embedding", 11, 4, mask_zero=True), of("LSTM", 5), of("Dense", 1), shape=(STEPS,)),
    "time-distributed": stack(
        of("Masking", -1.0), of("GRU", 5, **SEQUENCES), around("TimeDistributed", of("Dense", 3))
    ),
    "stateful": stack(of("LSTM", 5, stateful=True, **SEQUENCES), of("GRU", 3, stateful=True), batch=3),
    "stateful-masked": stack(of("Masking", -1.0), of("GRU", 5, stateful=True, **SEQUENCES), batch=3),
    "dropout": stack(of("LSTM", 5, dropout=0.2, recurrent_dropout=0.3), of("Dropout", 0.5), of("Dense", 2)),
    "regularized": stack(
        of("LSTM", 5, kernel_regularizer="l2", recurrent_constraint="max_norm", bias_initializer="ones"),
        of("Dense", 2, kernel_constraint="non_neg", activity_regularizer="l1"),
    ),
    "convolution": stack(
        of("Conv1D", 5, 3, padding="same", activation="relu"), of("MaxPooling1D"), of("LSTM", 3), of("ReLU")
    ),
    "pooled": stack(
        of("Masking", -1.0), of("LSTM", 5, **SEQUENCES), of("LayerNormalization"), of("GlobalAveragePooling1D")
    ),
    "normalized": stack(
        of("BatchNormalization"), of("GRU", 5, **SEQUENCES), of("BatchNormalization", scale=False), of("LSTM", 2)
    ),
    "around": stack(
        of("ZeroPadding1D", 1),
        of("Cropping1D", (1, 0)),
        of("UpSampling1D", 2),
        of("GaussianNoise", 0.1),
        of("LeakyReLU", negative_slope=0.2),
        of("PReLU", shared_axes=[1]),
        of("ELU", 0.5),
        of("SpatialDropout1D", 0.1),
        of("AveragePooling1D", 2),
        of("Flatten"),
        of("RepeatVector", 3),
        of("SimpleRNN", 2, **SEQUENCES),
        of("Permute", (2, 1)),
        of("Reshape", (-1, 2)),
        of("Softmax"),
        of("Rescaling", 2.0, 0.5),
    ),
}


def build(make: Make) -> Any:
    """Builds a model with weights that are all random."""
    model = make()
    generator = np.random.default_rng(0)
    for weight in model.weights:
        values = generator.normal(0, 0.5, weight.shape).astype("float32")
        weight.assign(np.abs(values) + 0.1 if "variance" in weight.path else values)
    return model


def batches(model: Any) -> list[list[Any]]:
    """Two batches of inputs, with masked steps at the start and at the end."""
    generator = np.random.default_rng(1)
    found = []
    for _ in range(2):
        inputs = []
        for given in model.inputs:
            sizes = [3 if given.shape[0] is None else given.shape[0]] + [size or STEPS for size in given.shape[1:]]
            if "int" in str(given.dtype) or len(sizes) == 2:
                values = generator.integers(0, 11, sizes).astype("int32")
            else:
                values = generator.normal(size=sizes).astype("float32")
                values[0, :2] = values[-1, -2:] = -1.0
            inputs.append(values)
        found.append(inputs)
    return found


def outputs(model: Any, inputs: list[Any]) -> list[Any]:
    """What a model of Keras's or of ours gives, as arrays."""
    with torch.no_grad():
        ours = isinstance(model, torch.nn.Module) and not isinstance(model, keras.Model)
        given = model(*map(torch.as_tensor, inputs)) if ours else model(inputs if len(inputs) > 1 else inputs[0])
    return [np.asarray(one.detach().cpu()) for one in (given if isinstance(given, (tuple, list)) else [given])]


def differences(model: Any, other: Any, given: list[list[Any]]) -> float:
    """The largest difference over some batches, one after the other; states are carried where the models do so."""
    pairs = [(outputs(model, inputs), outputs(other, inputs)) for inputs in given]
    for ours, theirs in pairs:
        assert [one.shape for one in ours] == [one.shape for one in theirs]
    return max(float(np.abs(a - b).max()) for ours, theirs in pairs for a, b in zip(ours, theirs, strict=True))


def made(text: str, **options: Any) -> Any:
    """A model of ours with weights that are all random."""
    model = rnnspec.build(rnnspec.loads(text), device="cpu", **options)
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_()
    return model.eval()

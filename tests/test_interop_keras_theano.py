"""What Theano computed otherwise than TensorFlow, in models of Keras 1, whose files do not tell their backend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pytest
import torch

import rnnspec
from rnnspec.errors import ConfigError

Numbers = npt.NDArray[Any]
GENERATOR = np.random.default_rng(0)


def written(folder: Path, layers: list[dict[str, Any]], weights: dict[str, list[Numbers]], ending: str) -> Any:
    """A model of Keras 1: a text, and weights whose names end as a backend has it."""
    text, file = folder / "old.json", folder / "old_weights.h5"
    text.write_text(json.dumps({"class_name": "Sequential", "keras_version": "1.2.2", "config": layers}))
    with h5py.File(file, "w") as opened:
        opened.attrs["layer_names"] = [layer["config"]["name"].encode() for layer in layers]
        for layer in layers:
            name = layer["config"]["name"]
            arrays = {f"{name}_{number}{ending}": array for number, array in enumerate(weights.get(name, []))}
            group = opened.create_group(name)
            group.attrs["weight_names"] = [key.encode() for key in arrays]
            for key, array in arrays.items():
                group[key] = array.astype("float32")
    return rnnspec.from_keras(text, file, device="cpu")


def convolution(size: int, **options: Any) -> list[dict[str, Any]]:
    config = {"nb_filter": 2, "filter_length": size, "border_mode": "same", "subsample_length": 1, "bias": True}
    shape = {"name": "c", "batch_input_shape": [None, 7, 3]}
    return [{"class_name": "Convolution1D", "config": {**config, **shape, **options}}]


@pytest.mark.parametrize("size", [2, 3, 4, 5])
@pytest.mark.parametrize("theano", [True, False], ids=["theano", "tensorflow"])
def test_a_convolution_begins_where_its_backend_did(tmp_path: Path, size: int, theano: bool) -> None:
    kernel, bias = GENERATOR.normal(size=(size, 1, 3, 2)), GENERATOR.normal(size=2)
    x = GENERATOR.normal(size=(4, 7, 3)).astype("float32")

    model = written(tmp_path, convolution(size), {"c": [kernel, bias]}, "" if theano else ":0")

    before = size // 2 if theano else (size - 1) // 2
    padded = np.pad(x, ((0, 0), (before, size - 1 - before), (0, 0)))
    steps = kernel[::-1, 0] if theano else kernel[:, 0]
    expected = np.stack([np.einsum("bkf,kfo->bo", padded[:, t : t + size], steps) for t in range(7)], axis=1) + bias
    with torch.no_grad():
        np.testing.assert_allclose(model(torch.as_tensor(x)).numpy(), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("theano", "start"), [(True, "zeros"), (False, "state")], ids=["theano", "tensorflow"])
def test_a_masked_first_step_emits_what_its_backend_did(tmp_path: Path, theano: bool, start: str) -> None:
    shape = {"name": "m", "batch_input_shape": [None, 5, 3], "mask_value": 0.0}
    recurrent = {"name": "r", "output_dim": 2, "return_sequences": True, "consume_less": "cpu"}
    layers = [{"class_name": "Masking", "config": shape}, {"class_name": "SimpleRNN", "config": recurrent}]
    weights = [GENERATOR.normal(size=size) for size in ((3, 2), (2, 2), (2,))]

    model = written(tmp_path, layers, {"r": weights}, "" if theano else ":0")

    assert model.report.backend == ("theano" if theano else "tensorflow")
    assert model.r.masked_start == start


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        pytest.param(
            convolution(3, subsample_length=2),
            "Convolution1D 'c': Theano's padding 'same' with strides, or an even kernel with gaps, is not known here",
            id="strides",
        ),
        pytest.param(
            [*convolution(3), {"class_name": "MaxPooling1D", "config": {"name": "p", "border_mode": "same"}}],
            "MaxPooling1D 'p': Theano's padding 'same' of poolings is not known here",
            id="pooling",
        ),
    ],
)
def test_windows_of_theano_that_are_not_known_are_refused(tmp_path: Path, layers: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        written(tmp_path, layers, {"c": [GENERATOR.normal(size=(3, 1, 3, 2)), GENERATOR.normal(size=2)]}, "")

    assert str(caught.value).endswith(message)

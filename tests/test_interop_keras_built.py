"""Models that Keras 3 builds now are read from every kind of file that it writes."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from keras_graph_models import GRAPHS
from keras_models import SEQUENTIAL, Make, batches, build, differences

import rnnspec

# Keras 3 on torch makes arrays in a way that NumPy 2 warns of; the layers that end a mask say so.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*does not support masking:UserWarning"),
]
MODELS = {**SEQUENTIAL, **GRAPHS}


def saved(model: Any, folder: Path) -> list[tuple[Path, Path | None]]:
    """Every kind of file that Keras 3 writes, and how to read it."""
    archive, hdf5, text, weights = (folder / name for name in ("m.keras", "m.h5", "m.json", "m.weights.h5"))
    model.save(archive)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(hdf5)
    text.write_text(model.to_json())
    model.save_weights(weights)
    return [(archive, None), (hdf5, None), (text, weights), (text, hdf5)]


@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in MODELS.items()])
def test_a_model_of_keras_3_is_read_from_every_file_that_it_writes(tmp_path: Path, make: Make) -> None:
    model = build(make)
    given = batches(model)
    for path, weights in saved(model, tmp_path):
        ours = rnnspec.from_keras(path, weights, device="cpu")

        assert differences(ours, model, given) <= 1e-5
        if getattr(ours, "stateful", False):
            for one in model.layers:
                getattr(one, "reset_states", getattr(one, "reset_state", lambda: None))()


def test_there_are_enough_of_them() -> None:
    assert len(MODELS) >= 60

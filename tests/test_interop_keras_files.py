"""Every file of every Keras gives the outputs that its own Keras gave."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from keras_cases import MODELS, arrays, sources, worst

import rnnspec

CASES = [
    pytest.param(name, *source, id="-with-".join(path.name for path in source if path))
    for name in MODELS
    for source in sources(name)
]


@pytest.mark.parametrize(("name", "path", "weights"), CASES)
def test_a_model_gives_the_outputs_of_the_keras_that_wrote_it(name: str, path: Path, weights: Path | None) -> None:
    model = rnnspec.from_keras(path, weights, device="cpu")

    assert not model.training
    assert worst(model, name) <= 1
    assert model.report.difference <= 1e-5


@pytest.mark.parametrize("name", MODELS)
def test_the_same_model_comes_back_from_its_yaml(name: str) -> None:
    path, weights = next(sources(name))
    model = rnnspec.from_keras(path, weights, device="cpu")
    again = rnnspec.build(rnnspec.loads(model.config.to_yaml()), device="cpu").eval()
    again.load_state_dict(model.state_dict())

    for inputs, _ in arrays(name):
        with torch.no_grad():
            assert torch.equal(model(*inputs), again(*inputs))


def test_the_folder_is_complete() -> None:
    assert len(MODELS) == 81
    assert len(CASES) == 115

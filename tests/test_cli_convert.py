"""`rnnspec convert`, and `rnnspec check` of the models that Keras wrote: every one of them, by the files alone."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from cli_cases import Shell
from keras_cases import MODELS, NOT_YET, sources, worst

import rnnspec

CASES = [
    pytest.param(name, marks=pytest.mark.xfail(reason=NOT_YET[name]) if name in NOT_YET else ()) for name in MODELS
]


def read(folder: Path, name: str = "model") -> Any:
    """What anybody does with the two files."""
    model = rnnspec.build(rnnspec.load(folder / f"{name}.yaml"), device="cpu")
    rnnspec.load_weights(model, folder / f"{name}.safetensors")
    return model.eval()


def given(name: str) -> list[str]:
    """The arguments that name a model's files."""
    path, weights = next(sources(name))
    return [str(path), *(["--weights", str(weights)] if weights else [])]


class TestEveryModel:
    @pytest.mark.parametrize("name", CASES)
    def test_a_model_gives_its_own_numbers_from_yaml_and_safetensors(self, shell: Shell, name: str) -> None:
        path, *weights = given(name)

        ran = shell("convert", path, "model.yaml", *weights)

        assert (ran.code, ran.err) == (0, "")
        assert sorted(os.listdir(shell.folder)) == ["model.safetensors", "model.yaml"]
        assert worst(read(shell.folder), name) <= 1

    @pytest.mark.parametrize("name", CASES)
    def test_a_model_is_told(self, shell: Shell, name: str) -> None:
        path, *weights = given(name)

        ran = shell("check", path, *weights, "--json")

        assert ran.code == 0
        report = json.loads(ran.out)["reports"][path]
        assert report["path"] == path
        assert report["weights"][0] > 0
        assert report["difference"] <= 1e-5

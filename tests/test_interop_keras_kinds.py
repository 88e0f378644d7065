"""Which files are those of Keras: told by their content alone, and without the packages that read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from import_rules import loaded_by
from keras_cases import FILES

from rnnspec.interop.keras.kinds import is_keras_file

MODEL = {"class_name": "Sequential", "config": {"layers": []}}


@pytest.mark.parametrize("path", sorted(FILES.glob("*.[hjk]*")), ids=lambda path: path.name)
def test_every_file_of_every_keras_is_one(path: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "model.yaml"
    renamed.write_bytes(path.read_bytes())

    assert is_keras_file(renamed) == (not path.name.endswith(".meta.json"))


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"keras_version": "1.2.2", **MODEL}),
        "\n  " + json.dumps({**MODEL, "backend": "tensorflow"}),
        json.dumps({"module": "keras", "registered_name": None, **MODEL}),
        "backend: tensorflow\nclass_name: Sequential\nconfig:\n- class_name: LSTM\nkeras_version: 2.1.6\n",
    ],
    ids=["to-json", "space-before", "keras-3", "to-yaml"],
)
def test_a_text_of_keras_is_one(text: str, tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text(text)

    assert is_keras_file(tmp_path / "model.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "LSTM: {units: 3}\n",
        "{class_name: LSTM, config: {units: 3}}",
        "class_name: LSTM\nconfig: {units: 3}\n",
        "- class_name: LSTM\n  config: {units: 3}\n  module: keras\n",
        json.dumps(MODEL),
        json.dumps([MODEL]),
        json.dumps({"data": "JapaneseVowels", "model": [], "backend": "cpu"}),
        '{"class_name": "Sequential", "config": {}, "keras_version": ',
        '{"a":' * 100_000,
    ],
    ids=[
        "empty", "ours", "keras-form", "keras-form-in-block-style", "list", "json", "list-of-models", "experiment",
        "cut-off", "deep",
    ],
)  # fmt: skip
def test_another_text_is_not(text: str, tmp_path: Path) -> None:
    (tmp_path / "model.h5").write_text(text)

    assert not is_keras_file(tmp_path / "model.h5")


@pytest.mark.parametrize("name", ["missing", "", "a\0b"], ids=["missing", "folder", "nul"])
def test_what_cannot_be_read_is_not(name: str, tmp_path: Path) -> None:
    assert not is_keras_file(f"{tmp_path}/{name}")


def test_neither_torch_nor_h5py_is_loaded_for_it() -> None:
    assert not loaded_by(["rnnspec.interop.keras.kinds"]) & {"torch", "h5py", "numpy"}

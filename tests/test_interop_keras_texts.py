"""Texts that are no models, or are made to do harm: refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from keras_cases import FILES
from keras_refusals import refusal

WEIGHTS = FILES / "k224-bilstm_weights.h5"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "model.json"
    path.write_text(text, encoding="utf-8")
    return path


def sequential(*layers: dict[str, Any]) -> str:
    return json.dumps({"class_name": "Sequential", "config": {"layers": layers}, "keras_version": "2.2.4"})


def dense(**config: Any) -> dict[str, Any]:
    return {"class_name": "Dense", "config": {"name": "dense", "units": 3, "batch_input_shape": [None, 4], **config}}


LAMBDA = {"class_name": "Lambda", "config": {"name": "twice", "function": ["4wEAAAAA", None, None]}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "[" * 10**4 + "]" * 10**4,
            "model.json:1:51: more than 50 lists and mappings inside one another",
            id="deep-yaml",
        ),
        pytest.param(
            '{"a":' * 10**4 + "1" + "}" * 10**4,
            "model.json: the file is nested too deeply, at most 200 lists and mappings may stand inside each other",
            id="deep-json",
        ),
        pytest.param(
            '{"a":' * 300 + "1" + "}" * 300,
            "model.json: the file is nested too deeply, at most 200 lists and mappings may stand inside each other",
            id="deep-enough",
        ),
        pytest.param(
            sequential(*[dense()] * 10**5),
            "model.json: config.layers: the model has 100000 layers or more, at most 2000 are read",
            id="many-layers",
        ),
        pytest.param(
            sequential(dense(), LAMBDA),
            "model.json: config.layers[1]: Lambda 'twice' holds code, which is never run\n"
            "  hint: write what it does as a function of a tensor and register it under the layer's name: "
            "@rnnspec.register.function('twice')",
            id="lambda",
        ),
        pytest.param(
            sequential({"class_name": "os.system", "config": {}}),
            "model.json: config.layers[0]: there is no layer os.system here, which 'os.system' is",
            id="unknown-layer",
        ),
        pytest.param(
            sequential(dense(units=[3])),
            "model.json: Sequential.layers[0].Dense.units: units must be a positive integer, found a list",
            id="wrong-type",
        ),
        pytest.param(
            '{"class_name": "Sequential", "class_name": "Model"}',
            "model.json: the file is no JSON text: the key 'class_name' stands twice",
            id="key-twice",
        ),
        pytest.param(
            '{"class_name": "\\ud800"}', "model.json: the file has a text that is no Unicode", id="half-a-character"
        ),
        pytest.param(
            sequential({"class_name": "\x1b[2J" + "x" * 10**6, "config": {}}),
            "model.json: config.layers[0]: there is no layer \\x1b[2Jxxx",
            id="escapes",
        ),
        pytest.param(
            json.dumps({"class_name": "Model", "config": {"layers": [], "input_layers": [], "output_layers": []}}),
            "model.json: config.input_layers: Model 'model' has no input_layers",
            id="no-inputs",
        ),
        pytest.param("import os", "model.json: the file holds no model: expected a mapping", id="python"),
        pytest.param("", "model.json: the file is empty", id="empty"),
        pytest.param("\x00\x01", "model.json", id="binary"),
    ],
)
def test_a_text_that_is_no_model_is_refused(tmp_path: Path, text: str, message: str) -> None:
    found = refusal(written(tmp_path, text), WEIGHTS)

    assert found.startswith(message) or message in found


def test_no_more_than_a_hundred_mistakes_are_told(tmp_path: Path) -> None:
    found = refusal(written(tmp_path, sequential(dense(), *[dense(units=0) for _ in range(150)])), WEIGHTS)

    assert len(found.splitlines()) == 101
    assert found.splitlines()[-1] == "model.json: and 50 more"

"""Which Keras wrote a model, and what that makes of names and of absent arguments."""

from __future__ import annotations

from typing import Any

import pytest

from rnnspec.errors import ConfigError
from rnnspec.interop.keras.dialect import Dialect, dialect_of, parse_version


def of(version: str, backend: str | None = None) -> Dialect:
    return dialect_of({}, "model.h5", (version, "by its attribute"), None, backend)


def layer(name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"layers": [{"class_name": name, "config": config}]}}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("2.2.4-tf", (2, 2, 4)), ("3", (3, 0, 0)), ("2.10", (2, 10, 0)), ("1.2.2", (1, 2, 2)), ("2.13.1rc0", (2, 13, 1))],
)
def test_a_version_becomes_numbers(text: str, numbers: tuple[int, int, int]) -> None:
    assert parse_version(text, "model.h5") == numbers


@pytest.mark.parametrize("text", ["4.0.0", "0.9", "newest", "", None, 3, "12"])
def test_what_is_no_version_is_refused(text: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_version(text, "model.h5")
    message = f"model.h5: the version of Keras must be one from 1.0 to 3, such as '2.2.4', found {text!r}"
    assert str(caught.value).splitlines()[0] == message


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("1.2.2", "hard_sigmoid"),
        ("2.2.4", "hard_sigmoid"),
        ("2.2.4-tf", "hard_sigmoid"),
        ("2.15.0", "hard_sigmoid"),
        ("2.21.0", "hard_sigmoid"),
        ("3.0.5", "hard_sigmoid_keras3"),
        ("3.15.1", "hard_sigmoid_keras3"),
    ],
)
def test_the_slope_of_hard_sigmoid_is_the_writers(version: str, name: str) -> None:
    assert of(version).hard_sigmoid == name


@pytest.mark.parametrize(
    ("version", "backend", "emits"),
    [
        ("1.2.2", None, "state"),
        ("1.2.2", "theano", "zeros"),
        ("2.0.8", "tensorflow", "state"),
        ("2.0.8", "theano", "zeros"),
        ("2.2.4", "tensorflow", "state"),
        ("2.2.5", "tensorflow", "zeros"),
        ("2.12.0", None, "zeros"),
        ("3.0.5", None, "zeros"),
    ],
)
def test_a_masked_first_step_emits_what_it_did(version: str, backend: str | None, emits: str) -> None:
    assert of(version, backend).masked_start == emits


@pytest.mark.parametrize(
    ("version", "gates", "reset_after"),
    [
        ("1.2.2", "hard_sigmoid", False),
        ("2.0.8", "hard_sigmoid", False),
        ("2.2.4", "hard_sigmoid", False),
        ("2.3.1", "sigmoid", False),
        ("2.4.0", "sigmoid", True),
        ("3.15.1", "sigmoid", True),
    ],
)
def test_an_absent_argument_is_the_writers_default(version: str, gates: str, reset_after: bool) -> None:
    assert of(version).absent("recurrent_activation") == gates
    assert of(version).absent("reset_after") is reset_after


def test_a_default_that_changed_within_one_version_is_asked_for() -> None:
    with pytest.raises(ConfigError) as caught:
        of("2.2.4-tf").absent("recurrent_activation")
    assert str(caught.value) == (
        "model.h5: the file does not tell which Keras wrote it, so the default of recurrent_activation is not known: "
        "it changed with Keras 2.3 and TensorFlow 2\n"
        "  hint: give it: from_keras(..., keras_version='2.2.4'), or --keras-version 2.2.4"
    )


@pytest.mark.parametrize(
    ("config", "generation"),
    [
        pytest.param(layer("LSTM", output_dim=3, inner_activation="hard_sigmoid"), 1, id="keras-1"),
        pytest.param(layer("LSTM", output_dim=3), 1, id="keras-1-by-output_dim"),
        pytest.param(layer("Dense", units=3, batch_input_shape=[None, 3]), 2, id="keras-2"),
        pytest.param(layer("InputLayer", batch_shape=[None, 3]), 3, id="keras-3"),
        pytest.param(layer("Dense", units=3), None, id="nothing-tells"),
        pytest.param([layer("A", batch_shape=[1]), layer("B", implementation=1)], None, id="contradiction"),
    ],
)
def test_the_layout_tells_the_generation_where_no_version_does(config: Any, generation: int | None) -> None:
    assert dialect_of(config, "model.json", None, None, None).generation == generation


def test_a_version_that_is_given_wins() -> None:
    dialect = dialect_of({}, "model.h5", ("2.2.4", "by its attribute"), "3.1.0", None)
    assert (dialect.text, dialect.source, dialect.generation) == ("3.1.0", "given as keras_version", 3)


def test_what_nothing_tells_is_asked_for() -> None:
    with pytest.raises(ConfigError) as caught:
        _ = dialect_of({}, "model.json", None, None, None).hard_sigmoid
    assert str(caught.value) == (
        "model.json: the file does not tell which Keras wrote it, so hard_sigmoid is not known: clip(0.2 x + "
        "0.5, 0, 1) before Keras 3, relu6(x + 3) / 6 since\n"
        "  hint: give it: from_keras(..., keras_version='2.2.4'), or --keras-version 2.2.4"
    )

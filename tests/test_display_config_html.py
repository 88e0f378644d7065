"""Configs in notebooks: every config class, what is marked, shapes, hostile values, no torch."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from config_strategies import experiments, initializers, layers, models
from html_cases import HOSTILE, Page
from hypothesis import given, settings
from import_rules import ROOT

import rnnspec
from rnnspec import config
from rnnspec.config.base import Config
from rnnspec.errors import ConfigWarning
from rnnspec.registry import LAYERS


def page(made: Config) -> Page:
    return Page(made._repr_html_())


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        yield


@settings(max_examples=30)
@given(layers | models | experiments | initializers)
def test_every_config_is_shown_well_formed_with_all_its_arguments(made: Any) -> None:
    made = rnnspec.config.InitializerConfig.find("Zeros")() if isinstance(made, dict) else made
    shown = page(made)

    assert shown.tables
    assert "<pre>" not in made._repr_html_()


def test_the_arguments_that_differ_from_their_defaults_are_marked_and_come_first() -> None:
    shown, folded = page(config.LSTMConfig(3, recurrent_dropout=0.25, kernel_regularizer="l2", name="a")).tables

    assert shown.caption == "LSTM 'a' ( not the default)"
    assert shown.texts() == [
        ["argument", "value", "default"],
        ["units", "3", ""],
        ["kernel_regularizer", "L2", "None"],
        ["recurrent_dropout", "0.25", "0.0"],
        ["name", "a", "None"],
    ]
    assert shown.marked == {"units", "kernel_regularizer", "recurrent_dropout", "name"}
    assert ["kernel_initializer", "GlorotUniform"] in folded.texts()
    assert folded.marked == set()
    assert len(shown.rows) + len(folded.rows) - 2 == len(config.LSTMConfig(3).to_dict()) + 1  # to_dict has no name


def test_nested_configs_say_what_differs_from_their_defaults() -> None:
    made = config.DenseConfig(
        3, kernel_initializer={"Orthogonal": {"gain": 0.5, "seed": 7}}, kernel_regularizer={"L1": {"name": "<b>"}}
    )
    (shown, _) = page(made).tables

    assert shown.texts()[2:] == [
        ["kernel_initializer", "Orthogonal(gain=0.5, seed=7)", "GlorotUniform"],
        ["kernel_regularizer", "L1(name=<b>)", "None"],
    ]


def test_the_layer_in_a_wrapper_has_a_table_of_its_own() -> None:
    outer, inner, *_ = page(config.BidirectionalConfig(config.GRUConfig(3, dropout=0.5), "sum")).tables

    assert outer.marked == {"layer", "merge_mode"}
    assert inner.texts() == [["argument", "value", "default"], ["units", "3", ""], ["dropout", "0.5", "0.0"]]


@pytest.mark.parametrize("input_shape", [None, (10, 12)])
def test_the_shapes_are_told_where_they_are_known(input_shape: Any) -> None:
    text = page(config.LSTMConfig(3, return_sequences=True, input_shape=input_shape)).text

    assert ("input (None, 10, 12) → output (None, 10, 3)" in text) == (input_shape is not None)


def test_a_model_is_a_table_of_its_layers() -> None:
    made: Any = rnnspec.loads("[LSTM: {units: 3, input_shape: [5, 2], name: encoder}, Dense: {units: 1}]")
    shown = page(config.SequentialConfig(made.layers, name="m"))

    assert shown.tables[0].caption == "Sequential 'm'"
    assert shown.tables[0].texts() == [
        ["layer", "arguments", "output shape"],
        ["LSTM 'encoder'", "units=3, input_shape=(5, 2)", "(None, 3)"],
        ["Dense", "units=1", "(None, 1)"],
    ]
    assert "input (None, 5, 2) → output (None, 1)" in shown.text


def test_a_model_that_does_not_fit_says_why() -> None:
    shown = page(rnnspec.loads("[LSTM: {units: 3, input_shape: [5, 2]}, GRU: {units: 3}]"))

    assert [row[-1] for row in shown.tables[0].texts()] == ["output shape", "(None, 3)", "not known"]
    assert shown.text.strip().endswith(
        "does not fit: [1].GRU: expected an input of rank 3, (batch, time, features), found (None, 3), "
        "the output of LSTM ([0].LSTM)"
    )


def test_an_experiment_shows_its_parts_and_its_model() -> None:
    made = rnnspec.from_dict(
        {"model": [{"LSTM": {"units": 3}}, {"Dense": {"units": 9}}], "data": "JapaneseVowels", "train": {"epochs": 3}}
    )
    parts, model = page(made).tables

    assert ["train", "train(epochs=3)"] in parts.texts()
    assert ["optimizer", "Adam"] in parts.texts()
    assert parts.marked == {"data", "train"}
    assert [row[-1] for row in model.texts()] == ["output shape", "(None, 3)", "(None, 9)"]


@pytest.mark.parametrize("kind", [kind for kind in HOSTILE if kind != "empty"])
def test_hostile_names_are_text(kind: str) -> None:
    name = HOSTILE[kind].replace(".", "")
    made = config.DenseConfig(3, name=name, kernel_regularizer=config.L1RegularizerConfig(name=name))
    shown = page(made)

    assert "alert(1)" not in made._repr_html_().replace("&lt;script&gt;alert(1)&lt;/script&gt;", "")
    assert {"units", "name", "kernel_regularizer"} == shown.tables[0].marked


def test_hostile_objects_of_a_registered_layer_are_text(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError("no repr")

    class Markup:
        def __repr__(self) -> str:
            return HOSTILE["script"]

    monkeypatch.setattr(LAYERS, "_added", {"<i>": lambda first, second: None})
    made = config.RegisteredLayerConfig("<i>", {"first": Broken(), "second": Markup()})

    assert page(made).tables[0].texts()[1:] == [["first", "Broken", ""], ["second", HOSTILE["script"], ""]]
    assert page(made).tables[0].caption.startswith("<i>")


def test_a_config_that_was_broken_by_force_is_shown_all_the_same() -> None:
    made = config.LSTMConfig(3)
    object.__delattr__(made, "units")

    assert page(made).text.strip() == "LSTMConfig"


def test_showing_a_config_loads_no_torch() -> None:
    code = (
        "import sys, rnnspec\n"
        "made = rnnspec.loads('[LSTM: {units: 3, activation: relu, input_shape: [5, 2]}, Dense: {units: 1}]')\n"
        "assert 'LSTM' in made._repr_html_() and 'LSTM' in made.to_yaml()\n"
        "print('torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert ran.stdout == "False\n"

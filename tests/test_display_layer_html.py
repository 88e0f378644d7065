"""Layers and models in notebooks: facts, arguments, weights, tables of layers, hostile names."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from html_cases import HOSTILE, Page, Table
from instruction_sets import limited_to
from test_nn_every_layer import Case, every_case

from rnnspec import nn
from rnnspec.nn import regularizers
from rnnspec.nn.base import Layer


def page(layer: Any) -> Page:
    return Page(layer._repr_html_())


def named(shown: Page, caption: str) -> Table:
    """The table whose caption starts with a text."""
    return next(one for one in shown.tables if one.caption.startswith(caption))


def facts(layer: Any) -> dict[str, str]:
    """The first table, by its row headers."""
    return {row[0]: row[1] for row in page(layer).tables[0].texts()}


@every_case
@pytest.mark.parametrize("called", [True, False], ids=["called", "new"])
def test_every_layer_is_shown_well_formed(case: Case, called: bool) -> None:
    layer = case.make()
    if called:
        layer(case.input())
    shown = page(layer)
    total = sum(one.numel() for one in layer.parameters()) if called else None

    assert shown.tables[0].caption == layer.label
    assert "<pre>" not in layer._repr_html_()
    assert total is None or facts(layer)["parameters"] == f"{total:,}"


def test_a_recurrent_layer_tells_shapes_sizes_engine_and_where_it_is() -> None:
    layer = nn.LSTM(64, input_size=12, return_sequences=True, name="encoder", dtype=torch.float64).eval()

    with limited_to("portable"):
        shown = facts(layer)
    assert shown == {
        "input": "(None, None, 12)",
        "output": "(None, None, 64)",
        "parameters": "19,712",
        "engine": "cpu, because it sweeps over the whole sequence in C, forward and backward; "
        "cpu: instruction set portable, threads 1",
        "mode": "evaluation",
        "dtype": "float64",
        "device": "cpu",
    }


def test_a_layer_that_is_not_built_says_so() -> None:
    assert facts(nn.GRU(3)) == {
        "input": "not known yet",
        "output": "not known yet",
        "parameters": "not built yet",
        "mode": "training",
        "dtype": "float32",
        "device": "cpu",
    }
    assert named(page(nn.GRU(3)), "weights").texts()[1] == ["kernel", "not built yet", "", "yes"]


def test_one_step_knows_its_input() -> None:
    assert facts(nn.LSTMCell(3, input_size=2))["output"] == "(None, 3)"
    assert facts(nn.LSTMCell(3))["output"] == "not known yet"


@pytest.mark.parametrize(
    ("trainable", "said"),
    [
        pytest.param((True, True), "8", id="all"),
        pytest.param((False, True), "8, 2 of them trainable", id="some"),
        pytest.param((False, False), "8, none of them trainable", id="none"),
    ],
)
def test_the_facts_tell_how_many_parameters_are_trained(trainable: tuple[bool, bool], said: str) -> None:
    layer = nn.Dense(2, input_dim=3)
    for weight, trains in zip(layer.parameters(), trainable, strict=True):
        weight.requires_grad = trains

    assert facts(layer)["parameters"] == said
    assert [row[3] for row in named(page(layer), "weights").texts()[1:]] == [
        "yes" if trains else "no" for trains in trainable
    ]


def test_the_weights_have_their_shapes() -> None:
    assert named(page(nn.GRU(4, input_size=2)), "weights").texts() == [
        ["weight", "shape", "parameters", "trainable"],
        ["kernel", "(2, 12)", "24", "yes"],
        ["recurrent_kernel", "(4, 12)", "48", "yes"],
        ["bias", "(12,)", "12", "yes"],
    ]


def test_the_arguments_that_differ_from_their_defaults_are_marked() -> None:
    layer = nn.SimpleRNN(3, torch.relu, kernel_regularizer=regularizers.L2(0.5))
    layer.dropout = 0.25
    shown = named(page(layer), "arguments")

    assert shown.texts()[1:] == [
        ["units", "3", ""],
        ["activation", "relu", "tanh"],
        ["kernel_regularizer", "L2(l=0.5)", "None"],
        ["dropout", "0.25", "0.0"],
    ]
    assert shown.marked == {"units", "activation", "kernel_regularizer", "dropout"}


def test_a_model_is_a_table_of_its_layers_those_of_torch_too() -> None:
    lstm = nn.LSTM(3, input_shape=(5, 2), name="encoder")
    model = nn.Sequential([lstm, nn.Dense(2, trainable=False), torch.nn.Tanh()], name="m")
    shown = page(model)

    assert shown.tables[0].caption == "Sequential 'm'"
    assert facts(model)["parameters"] == "80, 72 of them trainable"
    assert facts(model)["output"] == "not known yet"
    assert named(shown, "layers").texts() == [
        ["layer", "output shape", "parameters", "trainable", "engine"],
        ["LSTM 'encoder'", "(None, 3)", "72", "72", "cpu"],
        ["Dense", "(None, 2)", "8", "0", ""],
        ["Tanh", "not known", "0", "0", ""],
        ["total", "", "80", "72", ""],
    ]


def test_a_model_tells_which_of_its_layers_keeps_checkpoints() -> None:
    kept = nn.LSTM(3, input_shape=(5, 2), return_sequences=True, checkpoint_every=2)
    model = nn.Sequential([kept, nn.LSTM(3, input_size=3)])

    with limited_to("portable"):
        assert [row[4] for row in named(page(model), "layers").texts()] == [
            "engine",
            "cpu, checkpoint every 2",
            "cpu",
            "",
        ]
        assert facts(model)["engine"].endswith("; cpu: instruction set portable, threads 1")


def test_a_model_that_is_not_built_is_shown_and_so_is_an_empty_one() -> None:
    assert named(page(nn.Sequential([nn.LSTM(3)])), "layers").texts()[1:] == [
        ["LSTM", "not known", "not built", "not built", ""],
        ["total", "", "not built", "not built", ""],
    ]
    assert facts(nn.Sequential())["output"] == "not known yet"


def test_wrappers_show_the_layers_inside() -> None:
    both = page(nn.Bidirectional(nn.GRU(4, input_size=2)))
    steps = page(nn.TimeDistributed(nn.Dense(3), input_shape=(5, 4)))

    assert named(both, "layers inside").texts()[1:] == [
        ["GRU 'forward'", "(None, 4)", "84", "84", "cpu"],
        ["GRU 'backward'", "(None, 4)", "84", "84", "cpu"],
        ["total", "", "168", "168", ""],
    ]
    assert named(both, "arguments").texts()[1] == ["layer", "GRU 'forward'", ""]
    assert named(steps, "layers inside").texts()[1] == ["Dense", "(None, 3)", "15", "15", ""]


@pytest.mark.parametrize("kind", [kind for kind in HOSTILE if kind != "empty"])
def test_hostile_names_are_text(kind: str) -> None:
    name = HOSTILE[kind].replace(".", "")
    layer = nn.Dense(3, input_dim=2, name=name, kernel_regularizer=regularizers.L1(name=name))
    model = nn.Sequential([layer], name=name)
    html = layer._repr_html_() + model._repr_html_()

    assert "alert(1)" not in html.replace("&lt;script&gt;alert(1)&lt;/script&gt;", "")
    assert page(layer).tables[0].rows
    assert page(model).tables[0].rows


def test_a_layer_whose_rules_raise_is_shown_by_its_repr() -> None:
    class Broken(Layer):
        def compute_output_shape(self, input_shape: Any) -> Any:
            raise RuntimeError("no shape")

    assert page(Broken(input_shape=(3,))).text.strip() == "Broken()"


def test_what_only_a_registered_class_knows_is_shown_as_not_known() -> None:
    class Kept(Layer):
        def __init__(self, thing: object, **layer: Any) -> None:
            super().__init__(**layer)

    layer = Kept("<b>")
    assert named(page(layer), "arguments").texts()[1] == ["thing", "<b>", ""]
    del layer.__dict__["_made_with"]
    assert named(page(layer), "arguments").texts()[1] == ["thing", "not known", ""]

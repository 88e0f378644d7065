"""The table of a model."""

from __future__ import annotations

import pytest
from instruction_sets import limited_to
from torch import nn as torch_nn

import rnnspec
from rnnspec.display.model_table import LayerRow, layer_rows, model_table

CPU = ("cpu, because it sweeps over the whole sequence in C, forward and backward",)
PORTABLE = {"instruction_set": "portable", "threads": 1}


def test_a_model_has_a_row_a_layer() -> None:
    model = rnnspec.build(
        rnnspec.loads(
            "[Masking, Bidirectional: {layer: {LSTM: {units: 3, name: both}}}, Dense: {units: 2, trainable: false}]"
        ),
        input_shape=(None, 7, 4),
        device="cpu",
    )

    with limited_to("portable"):
        assert layer_rows(model, (None, 7, 4)) == [
            LayerRow("Masking", (None, 7, 4), 0, 0),
            LayerRow("Bidirectional(LSTM)", (None, 6), 192, 192, "cpu", CPU, PORTABLE),
            LayerRow("Dense", (None, 2), 14, 0),
        ]


def test_a_layer_alone_has_one_row() -> None:
    layer = rnnspec.nn.GRU(2, input_size=3, return_sequences=True, name="encoder")

    with limited_to("portable"):
        assert layer_rows(layer, (5, None, 3)) == [
            LayerRow("GRU 'encoder'", (5, None, 2), 36, 36, "cpu", CPU, PORTABLE)
        ]


def test_what_is_not_known_stays_so() -> None:
    model = rnnspec.nn.Sequential([torch_nn.Linear(3, 4), rnnspec.nn.GRU(2, input_size=4)])

    rows = layer_rows(model, (None, None, 3))

    assert [(row.output_shape, row.engine) for row in rows] == [(None, None), (None, None)]
    assert model_table(rows).splitlines()[2:4] == [
        "Linear  not known             16",
        "GRU     not known             42",
    ]


def test_what_is_not_built_has_no_sizes_and_no_total() -> None:
    rows = layer_rows(rnnspec.nn.Sequential([rnnspec.nn.GRU(2), rnnspec.nn.Dropout(0.5)]), None)

    assert [row.split()[-1] for row in model_table(rows).splitlines()[2:]] == ["built", "0", "built"]


def test_the_table_tells_each_reason_and_what_all_layers_of_an_engine_are_set_to_once() -> None:
    rows = [
        LayerRow("LSTM", (None, 5, 30), 4200, 4200, "cpu", CPU, PORTABLE),
        LayerRow("LSTM", (None, 30), 7320, 0, "cpu", CPU, PORTABLE),
        LayerRow("Dense", (None, 2), 62, 62),
    ]

    assert model_table(rows).splitlines() == [
        "layer                      output shape   parameters  engine",
        "-------------------------  -------------  ----------  ------",
        "LSTM                       (None, 5, 30)       4,200  cpu",
        "LSTM                       (None, 30)          7,320  cpu",
        "Dense                      (None, 2)              62",
        "total, 7,320 of it frozen                     11,582",
        "engine cpu, because it sweeps over the whole sequence in C, forward and backward",
        "engine cpu: instruction set portable, threads 1",
    ]


def test_what_not_all_layers_of_an_engine_are_set_to_stands_beside_it() -> None:
    rows = [
        LayerRow("LSTM", (None, 5, 30), 4200, 4200, "cpu", CPU, {**PORTABLE, "checkpoint_every": 50}),
        LayerRow("GRU", (None, 30), 5490, 5490, "steps", ("steps, because of this",), {"checkpoint_every": 50}),
        LayerRow("LSTM", (None, 30), 7320, 7320, "cpu", CPU, PORTABLE),
    ]

    assert model_table(rows).splitlines()[2:] == [
        "LSTM   (None, 5, 30)       4,200  cpu, checkpoint every 50",
        "GRU    (None, 30)          5,490  steps",
        "LSTM   (None, 30)          7,320  cpu",
        "total                     17,010",
        "engine cpu, because it sweeps over the whole sequence in C, forward and backward",
        "engine steps, because of this",
        "engine cpu: instruction set portable, threads 1",
        "engine steps: checkpoint every 50",
    ]


@pytest.mark.parametrize("masked", [True, False])
def test_the_plan_is_asked_for_a_masked_call_where_data_bring_a_mask(
    masked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = rnnspec.nn.GRU(2, input_size=3)
    asked: list[bool] = []
    plan = layer.plan
    monkeypatch.setattr(layer, "plan", lambda x, mask=None: (asked.append(mask is not None), plan(x, mask=mask))[1])

    layer_rows(layer, (None, None, 3), masked)

    assert asked == [masked]

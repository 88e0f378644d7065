"""Shapes of a whole model, without torch: what each layer gets and gives, and the first one that cannot work."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from rnnspec import config, from_dict
from rnnspec.config import infer
from rnnspec.errors import ConfigError, Error, MaskError, ShapeError, StateError
from rnnspec.shapes import Shape


def lstm(**arguments: Any) -> dict[str, Any]:
    return {"LSTM": {"units": 8, **arguments}}


def embedding(**arguments: Any) -> dict[str, Any]:
    return {"Embedding": {"input_dim": 5, "output_dim": 3, **arguments}}


SEQUENCES = lstm(return_sequences=True)
DENSE = {"Dense": {"units": 3}}


def test_every_layer_gets_path_name_and_shapes() -> None:
    found = infer(from_dict([lstm(input_shape=[10, 64], return_sequences=True), {"GRU": {"units": 3, "name": "top"}}]))

    assert [(layer.keys, layer.name, layer.input_shape, layer.output_shape) for layer in found.layers] == [
        ((0, "LSTM"), "lstm_1", (None, 10, 64), (None, 10, 8)),
        ((1, "GRU"), "top", (None, 10, 8), (None, 3)),
    ]
    assert [layer.label for layer in found.layers] == ["LSTM ([0].LSTM)", "GRU 'top' ([1].GRU)"]
    assert found.input_shape == (None, 10, 64)
    assert found.output_shape == (None, 3)
    assert found.error is None
    assert found.problems == []
    found.raise_error()


@pytest.mark.parametrize(
    ("document", "given", "output"),
    [
        pytest.param([lstm(), DENSE], (2, 10, 64), (2, 3), id="given"),
        pytest.param([lstm()], (10, 64), (None, 8), id="without the batch"),
        pytest.param([{"Bidirectional": {"layer": lstm()}}], [None, 64], (None, 16), id="Bidirectional fixes the rank"),
        pytest.param([lstm(input_shape=[None, 64])], (2, 10, None), (2, 8), id="given and declared fill in each other"),
        pytest.param([lstm(input_dim=64, input_length=10)], None, (None, 8), id="input_dim"),
        pytest.param([embedding(), lstm()], None, (None, 8), id="embedding knows its input"),
        pytest.param([embedding(input_length=4), "Flatten", DENSE], None, (None, 3), id="input_length for Flatten"),
        pytest.param([embedding()], (2, 6, 7), (2, 6, 7, 3), id="embedding of any rank"),
        pytest.param([{"Input": {"batch_shape": [2, 5, 4]}}, {"Masking": {}}, SEQUENCES], None, (2, 5, 8), id="Input"),
        pytest.param([SEQUENCES, lstm(input_shape=[10, 8])], (10, 4), (None, 8), id="declared again"),
        pytest.param([{"TimeDistributed": {"layer": DENSE}}], (2, 5, 4), (2, 5, 3), id="TimeDistributed"),
        pytest.param([lstm(stateful=True)], (2, 5, 4), (2, 8), id="stateful"),
        pytest.param([lstm(unroll=True)], (2, 4), (None, 8), id="unroll"),
        pytest.param([lstm(return_state=True)], (2, 4), (None, 8), id="states of the last layer"),
        pytest.param([lstm(), DENSE], None, None, id="unknown"),
        pytest.param([lstm(unroll=True, stateful=True)], None, None, id="unknown input is not checked"),
        pytest.param([DENSE, lstm(input_shape=[5, 4])], None, (None, 8), id="known later"),
    ],
)
def test_the_output_shape_of_a_model(document: Any, given: Any, output: Shape | None) -> None:
    found = infer(from_dict(document), given)

    assert found.error is None
    assert found.output_shape == output


def test_an_unknown_shape_stays_unknown() -> None:
    found = infer(from_dict([lstm(), DENSE]))

    assert [(layer.input_shape, layer.output_shape) for layer in found.layers] == [(None, None), (None, None)]
    assert found.input_shape is None


BATCH_HINT = "\n  hint: give batch_input_shape, the batch first, to the first layer of the model"


@pytest.mark.parametrize(
    ("document", "given", "kind", "message"),
    [
        pytest.param(
            [lstm(name="a"), {"GRU": {"units": 3}}],
            (10, 64),
            ShapeError,
            "[1].GRU: expected an input of rank 3, (batch, time, features), found (None, 8), "
            "the output of LSTM 'a' "
            "([0].LSTM)\n  hint: set return_sequences on LSTM 'a' ([0].LSTM)",
            id="mismatch",
        ),
        pytest.param(
            [{"Bidirectional": {"layer": lstm()}}, "Flatten"],
            (10, 64),
            ShapeError,
            "[1].Flatten: expected an input of rank 3 or more, found (None, 16), the output of Bidirectional "
            "([0].Bidirectional)\n  hint: set return_sequences on Bidirectional ([0].Bidirectional)",
            id="after Bidirectional",
        ),
        pytest.param(
            [SEQUENCES, "Flatten"],
            (None, None, 64),
            ShapeError,
            "[1].Flatten: expected every size but the batch's to be known, found (None, None, 8), "
            "the output of "
            "LSTM ([0].LSTM)",
            id="free length",
        ),
        pytest.param(
            [{"TimeDistributed": {"layer": DENSE}}],
            (3, 4),
            ShapeError,
            "[0].TimeDistributed: expected an input of rank 3 or more, (batch, time, ...), "
            "found (3, 4), "
            "the model's input",
            id="model's input",
        ),
        pytest.param(
            [lstm(input_shape=[10, 64])],
            (None, 12, 64),
            ShapeError,
            "[0].LSTM: LSTM declares the input shape (None, 10, 64), but (None, 12, 64) was given",
            id="given",
        ),
        pytest.param(
            [lstm(input_shape=[10, 64])],
            (2, 10, 64, 1),
            ShapeError,
            "[0].LSTM: LSTM declares the input shape (None, 10, 64), but (2, 10, 64, 1) was given",
            id="given rank",
        ),
        pytest.param(
            [SEQUENCES, lstm(input_shape=[10, 9])],
            (10, 4),
            ShapeError,
            "[1].LSTM: LSTM declares the input shape (None, 10, 9), but LSTM ([0].LSTM) gives (None, 10, 8)",
            id="declared",
        ),
        pytest.param(
            [lstm(unroll=True)],
            (None, None, 4),
            ShapeError,
            "[0].LSTM.unroll: unroll=True needs two timesteps or more, found a free number of them",
            id="unroll free",
        ),
        pytest.param(
            [lstm(unroll=True)],
            (2, 1, 4),
            ShapeError,
            "[0].LSTM.unroll: unroll=True needs two timesteps or more, found 1",
            id="unroll one",
        ),
        pytest.param(
            [lstm(stateful=True)],
            (None, 5, 4),
            StateError,
            f"[0].LSTM.stateful: stateful=True needs a fixed batch size{BATCH_HINT}",
            id="stateful",
        ),
        pytest.param(
            [{"Bidirectional": {"layer": lstm(stateful=True)}}],
            (5, 4),
            StateError,
            "[0].Bidirectional.layer.LSTM.stateful: stateful=True needs a fixed batch size" + BATCH_HINT,
            id="stateful inside Bidirectional",
        ),
        pytest.param(
            [{"TimeDistributed": {"layer": lstm(unroll=True)}}],
            (2, 5, 1, 4),
            ShapeError,
            "[0].TimeDistributed.layer.LSTM.unroll: unroll=True needs two timesteps or more, found 1",
            id="unroll inside TimeDistributed",
        ),
        pytest.param(
            [lstm(return_state=True), DENSE],
            (5, 4),
            ShapeError,
            "[0].LSTM: LSTM returns several tensors (return_state), so no layer can follow it, found Dense ([1].Dense)",
            id="states",
        ),
        pytest.param(
            [{"Bidirectional": {"layer": lstm(), "merge_mode": None}}, DENSE],
            None,
            ShapeError,
            "[0].Bidirectional: Bidirectional returns several tensors (merge_mode), so no layer can follow it, "
            "found Dense "
            "([1].Dense)",
            id="two outputs",
        ),
        pytest.param(
            [embedding(mask_zero=True, input_length=4), {"Dropout": {"rate": 0.5}}, "Flatten"],
            None,
            MaskError,
            "[2].Flatten: cannot take a mask; one reached it from Embedding ([0].Embedding)",
            id="mask",
        ),
        pytest.param(
            [{"Masking": {}}, {"Masking": {"name": "b"}}, "Flatten"],
            None,
            MaskError,
            "[2].Flatten: cannot take a mask; one reached it from Masking ([0].Masking)",
            id="mask of two",
        ),
        pytest.param(
            [{"Recurrent": {}}],
            None,
            ConfigError,
            "Recurrent is abstract and cannot be built\n  hint: use SimpleRNN, LSTM or GRU",
            id="abstract",
        ),
    ],
)
def test_the_first_layer_that_cannot_work_is_one_problem(
    document: Any, given: Any, kind: type[Error], message: str
) -> None:
    found = infer(from_dict(document), given)

    assert type(found.error) is kind
    assert str(found.error).removeprefix("[0].Recurrent: ") == message
    assert len(found.problems) == 1
    assert found.output_shape is None
    with pytest.raises(kind):
        found.raise_error()


def test_the_layers_before_the_error_are_kept() -> None:
    found = infer(from_dict([lstm(), lstm(), lstm()]), (5, 4))

    assert [layer.keys for layer in found.layers] == [(0, "LSTM")]


def test_a_mask_ends_where_no_sequence_leaves() -> None:
    document = [embedding(mask_zero=True, input_length=4), lstm(), {"Dense": {"units": 6}}]

    assert infer(from_dict(document)).error is None


def test_the_input_shape_can_be_required() -> None:
    found = infer(from_dict([lstm(name="a")]), required=True)

    assert str(found.error) == (
        "[0].LSTM: LSTM 'a': the shape of its input is not known\n"
        "  hint: give input_shape or batch_input_shape to this first layer, or an input_shape for the model"
    )
    assert infer(from_dict([lstm(input_dim=3)]), required=True).error is None
    assert infer(from_dict([embedding()]), required=True).error is None


@pytest.mark.parametrize("shape", [(0, 3), "ab", (), 3], ids=str)
def test_a_given_shape_is_checked(shape: Any) -> None:
    with pytest.raises(ConfigError, match=r"^input_shape"):
        infer(config.LSTMConfig(3), shape)


def test_one_layer_is_a_model() -> None:
    found = infer(config.LSTMConfig(3), (5, 4))

    assert [(layer.keys, layer.name, layer.output_shape) for layer in found.layers] == [
        (("LSTM",), "lstm_1", (None, 3))
    ]


def test_names_are_counted_by_kind_and_avoid_given_ones() -> None:
    layers = [SEQUENCES, {"SimpleRNN": {"units": 3, "return_sequences": True, "name": "lstm_2"}}, SEQUENCES]
    layers += [{"TimeDistributed": {"layer": DENSE}}, {"SimpleRNN": {"units": 3}}]

    found = infer(from_dict(layers), (5, 4))

    assert [layer.name for layer in found.layers] == [
        "lstm_1",
        "lstm_2",
        "lstm_3",
        "time_distributed_1",
        "simple_rnn_1",
    ]


def test_the_paths_of_an_experiment_start_at_its_model() -> None:
    found = infer(from_dict({"model": [lstm(), lstm()], "train": {}}), (5, 4), keys=("x",))

    assert [layer.keys for layer in found.layers] == [("x", "model", 0, "LSTM")]
    assert found.problems[0].path == "x.model[1].LSTM"


def test_labels_show_the_place_in_the_file() -> None:
    model = from_dict([lstm(), lstm()])
    object.__setattr__(model, "_source", SimpleNamespace(prefix=("model",)))

    found = infer(model, (5, 4))

    assert found.layers[0].label == "LSTM (model[0].LSTM)"
    assert found.problems[0].path == "[1].LSTM"


def experiment(*layers: Any) -> Any:
    return from_dict({"model": list(layers), "data": "JapaneseVowels"})


def test_the_data_of_an_experiment_give_the_input_shape() -> None:
    found = infer(experiment(lstm(), {"Dense": {"units": 9}}))

    assert found.error is None
    assert found.input_shape == (None, None, 12)
    assert infer(experiment(lstm(), {"Dense": {"units": 9}}), (2, 5, 12)).output_shape == (2, 9)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        pytest.param(
            [lstm(), DENSE],
            "model[1].Dense: Dense gives (None, 3), expected 9 numbers at the end, "
            "one for each class of JapaneseVowels",
            id="width",
        ),
        pytest.param(
            [lstm(return_state=True)],
            "model[0].LSTM: LSTM returns several tensors (return_state), a loss takes one",
            id="states",
        ),
        pytest.param([lstm(), lstm()], "model[1].LSTM: expected an input of rank 3", id="an earlier error"),
    ],
)
def test_the_output_must_fit_the_classes(layers: Any, message: str) -> None:
    assert str(infer(experiment(*layers)).error).startswith(message)


def test_a_mask_may_come_with_the_input() -> None:
    message = "[0].Flatten: cannot take a mask; one comes with the data"

    assert str(infer(from_dict(["Flatten"]), (2, 5, 4), masked=True).error) == message
    assert str(infer(experiment("Flatten"), (2, 5, 4)).error) == f"model{message}"
    assert infer(from_dict(["Flatten"]), (2, 5, 4)).error is None

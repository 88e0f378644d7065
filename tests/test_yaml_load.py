"""From a YAML file to a config and back."""

from __future__ import annotations

import contextlib
import copy
import pickle
import time
import warnings
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

import rnnspec
from rnnspec import config
from rnnspec.errors import ConfigError, Error, Key, Problem
from rnnspec.registry import ACTIVATIONS

MODEL = """\
vars: {units: 8, init: {Orthogonal: {gain: 0.5}}}
model:
  - Embedding: {input_dim: 100, output_dim: 8}
  - LSTM: &lstm
      units: ${units}
      recurrent_initializer: ${init}
      return_sequences: true
  - LSTM: {<<: *lstm, dropout: 0.25}
  - Bidirectional: {layer: {GRU: {units: 3}}}
  - Flatten
"""
HARD = """\
%YAML 1.2
---
vars: {units: 0x8, "näme": 'ü🙂'}
model: # a comment
  - ? Embedding
    : {input_dim: 1_0, output_dim: 8, name: "\\x41\\
      b"}
  - LSTM: &l
      units: ${units}
      name: "${näme}$${"
      return_sequences: !!bool 'true'
  - LSTM:
      <<: [*l, {dropout: .5}]
      name: |-
        c

        d
train: {epochs: 3, seed: null}
...
"""
LAYERS = [
    config.EmbeddingConfig(100, 8),
    config.LSTMConfig(8, recurrent_initializer={"Orthogonal": {"gain": 0.5}}, return_sequences=True),
    config.LSTMConfig(8, recurrent_initializer={"Orthogonal": {"gain": 0.5}}, return_sequences=True, dropout=0.25),
    config.BidirectionalConfig(config.GRUConfig(3)),
    config.FlattenConfig(),
]


UNITS = "units must be a positive integer, found"


def refusal(text: str, overrides: dict[str, Any] | None = None) -> list[str]:
    """What is said, a line each, without the lines that show the source."""
    with pytest.raises(ConfigError) as error:
        rnnspec.loads(text, overrides)
    return [line for line in str(error.value).splitlines() if not line.startswith("  ") or line.startswith("  hint")]


@pytest.mark.parametrize(
    ("text", "loaded"),
    [
        pytest.param("LSTM: {units: 3}", config.LSTMConfig(3), id="one layer"),
        pytest.param("Flatten", config.FlattenConfig(), id="one layer, its name alone"),
        pytest.param("Flatten:", config.FlattenConfig(), id="one layer without arguments"),
        pytest.param(
            "- LSTM: {units: 3}\n- Flatten", config.SequentialConfig([config.LSTMConfig(3), "Flatten"]), id="list"
        ),
        pytest.param("vars: {u: 3}\nLSTM: {units: '${u}'}", config.LSTMConfig(3), id="one layer with vars"),
        pytest.param("model: {LSTM: {units: 3}}", config.LSTMConfig(3), id="model of one layer"),
        pytest.param(MODEL, config.SequentialConfig(LAYERS), id="model of a list"),
        pytest.param(
            HARD,
            config.ExperimentConfig(
                [
                    config.EmbeddingConfig(10, 8, name="Ab"),
                    config.LSTMConfig(8, name="ü🙂${", return_sequences=True),
                    config.LSTMConfig(8, name="c\n\nd", return_sequences=True, dropout=0.5),
                ],
                train={"epochs": 3},
            ),
            id="all of YAML",
        ),
        pytest.param(
            MODEL + "train: {epochs: 3}",
            config.ExperimentConfig(config.SequentialConfig(LAYERS), train={"epochs": 3}),
            id="experiment",
        ),
    ],
)
def test_a_document_becomes_a_config(text: str, loaded: config.Config) -> None:
    assert rnnspec.loads(text) == loaded
    assert rnnspec.loads(text.encode()) == loaded


def test_a_file_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text(MODEL)
    assert rnnspec.load(tmp_path / "model.yaml") == config.SequentialConfig(LAYERS)
    assert rnnspec.load(str(tmp_path / "model.yaml"), {"vars.units": 4}).layers[1].units == 4  # type: ignore[attr-defined]


def test_problems_name_the_file_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.yaml").write_text("LSTM:\n  units: 7.9\n")
    with pytest.raises(ConfigError) as error:
        rnnspec.load("model.yaml")
    assert str(error.value) == (
        "model.yaml:2:10: LSTM.units: units must be a positive integer, found 7.9\n  2 |   units: 7.9\n    |          ^"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("LSTM: {units: a}", f"1:15: LSTM.units: {UNITS} 'a'", id="layer"),
        pytest.param("- Flatten\n- LSTM: {units: a}", f"2:17: [1].LSTM.units: {UNITS} 'a'", id="list"),
        pytest.param("model:\n- LSTM: {units: a}", f"2:17: model[0].LSTM.units: {UNITS} 'a'", id="model"),
        pytest.param("vars: {u: a}\nLSTM: {units: '${u}'}", f"2:15: LSTM.units: {UNITS} 'a'", id="at the reference"),
        pytest.param(
            "model: Flatten\ntrain: {epochs: 0}",
            "2:17: train.epochs: epochs must be a positive integer, found 0",
            id="experiment",
        ),
    ],
)
def test_a_path_is_that_of_the_document(text: str, said: str) -> None:
    assert refusal(text) == [said]


def test_inside_a_variable_the_reference_is_shown() -> None:
    assert refusal("vars: {i: {Orthogonal: {gian: 1}}}\nLSTM: {units: 3, kernel_initializer: '${i}'}") == [
        "2:38: LSTM.kernel_initializer.Orthogonal.gian: Orthogonal has no argument 'gian'",
        "  hint: did you mean 'gain'? Orthogonal takes gain, seed, dtype",
    ]


def test_what_an_alias_repeats_is_said_once() -> None:
    assert refusal("- LSTM: &l {units: a}\n- LSTM: *l\n- LSTM: {<<: *l}") == [f"1:20: [0].LSTM.units: {UNITS} 'a'"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "LSTM: {units: !foo a}",
            ["1:15: LSTM.units: the tag '!foo' is not allowed here", "  hint: remove the tag"],
            id="tag",
        ),
        pytest.param(
            "LSTM: {<<: *x}",
            ["1:12: LSTM.<<: there is no anchor '&x' above this alias", "  hint: the anchors above are: none"],
            id="merge",
        ),
        pytest.param(
            "LSTM: {<<: 3}",
            ["1:12: LSTM.<<: '<<' takes a mapping or a list of mappings, found the number 3"],
            id="merge of a number",
        ),
        pytest.param(
            "LSTM: {units: 3, units: a}",
            ["1:18: LSTM.units: duplicate key 'units', the first one is in line 1"],
            id="duplicate",
        ),
        pytest.param(
            "LSTM: {units: '${x}'}",
            ["1:15: LSTM.units: there is no variable 'x'", "  hint: the document has no vars"],
            id="variable",
        ),
        pytest.param(
            "vars: [1]\nLSTM: {units: '${x}'}",
            ["1:7: vars must be a mapping from names to values, found a list"],
            id="vars",
        ),
        pytest.param(
            "vars: {a: '${b}', b: '${a}'}\nLSTM: {units: '${a}'}",
            ["1:11: vars.a: variables refer to each other in a circle: a -> b -> a"],
            id="circle",
        ),
        pytest.param(
            "vars: {u: 3}\nvars: {w: 4}\nLSTM: {units: '${w}'}",
            ["2:1: vars: duplicate key 'vars', the first one is in line 1"],
            id="two sections of variables",
        ),
        pytest.param(
            "LSTM: {units: 3, activation: ta\x01nh, un\x02its: 3}",
            ["1:32: the control character U+0001 is not allowed in a text, and 1 more"],
            id="control characters in a value and a key",
        ),
        pytest.param(
            "LSTM: {units: 3, activation: \ufffd}",
            [f"1:30: LSTM.activation: unknown activation '\ufffd', expected one of {', '.join(ACTIVATIONS.names())}"],
            id="a character that says another was lost",
        ),
        pytest.param(
            "Flatten: {\xa0name: a}",
            [
                "1:11: Flatten.\xa0name: Flatten has no argument '\\xa0name'",
                "  hint: did you mean 'name'? Flatten takes name, trainable, inbound_nodes, dtype, weights, "
                "input_shape, batch_input_shape",
            ],
            id="a space that is none",
        ),
        pytest.param("vars: {a: 1}\nLSTM: {units: 3}", ["1:8: vars.a: the variable 'a' is never used"], id="unused"),
        pytest.param(
            "vars: &v {u: *x}\nLSTM: {units: '${u}'}",
            ["1:14: vars.u: there is no anchor '&x' above this alias", "  hint: the anchors above are: v"],
            id="variable of an unknown alias",
        ),
    ],
)
def test_one_mistake_gives_one_message(text: str, said: list[str]) -> None:
    assert refusal(text) == said


def test_a_damaged_key_hides_nothing_beside_it() -> None:
    assert refusal("LSTM: {un\x01its: 3, dropout: 7}") == [
        "1:10: the control character U+0001 is not allowed in a text",
        "1:28: LSTM.dropout: dropout must be a number from 0 to 1, found 7",
    ]


@pytest.mark.parametrize(
    ("overrides", "layer"),
    [
        ({"model.1.LSTM.units": 5}, (5, 0.0)),
        ({"model[1].LSTM.dropout": 0.5}, (8, 0.5)),
        ({"vars.units": 6}, (6, 0.0)),
        ({"vars.more": 7, "model.1.LSTM.units": "${more}"}, (7, 0.0)),
        ({"vars.units": 6, "model.1.LSTM.units": 5}, (5, 0.0)),
    ],
)
def test_overrides_win(overrides: dict[str, Any], layer: tuple[int, float]) -> None:
    found = rnnspec.loads(MODEL, overrides).layers[1]  # type: ignore[attr-defined]
    assert (found.units, found.dropout) == layer


def test_an_override_makes_no_variable_unused() -> None:
    assert rnnspec.loads("vars: {u: 1}\nLSTM: {units: '${u}'}", {"LSTM.units": 2}) == config.LSTMConfig(2)


def test_an_override_repairs_what_it_replaces() -> None:
    text = "LSTM: {units: 7.9, dropout: 2}"
    assert rnnspec.loads(text, {"LSTM.units": 7, "LSTM.dropout": 0.5}) == config.LSTMConfig(7, dropout=0.5)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        pytest.param(
            {"model.1.LSTM.units": "abc"},
            [f"model[1].LSTM.units: {UNITS} 'abc', from the override model.1.LSTM.units=abc"],
            id="value",
        ),
        pytest.param(
            {"vars.units": 0}, [f"5:14: model[1].LSTM.units: {UNITS} 0, from the override vars.units=0"], id="variable"
        ),
        pytest.param(
            {"model.4": "Flaten"},
            [
                "model[4]: unknown layer 'Flaten', expected one of LAYERS, from the override model.4=Flaten",
                "  hint: did you mean 'Flatten'?",
            ],
            id="a layer",
        ),
        pytest.param(
            {"model.9": "x"},
            ["override model.9=x: model is a list with the indices [0] to [4], it has no '9'"],
            id="path",
        ),
        pytest.param(
            {"vars.x": 1}, ["vars.x: the variable 'x' is never used, from the override vars.x=1"], id="unused variable"
        ),
        pytest.param(
            {"model.1": {"LSTM": {"units": 3}}, "model.1.LSTM.units": "abc"},
            [f"model[1].LSTM.units: {UNITS} 'abc', from the override model.1.LSTM.units=abc"],
            id="the last one",
        ),
        pytest.param(
            {"model": [], "model.0": 1},
            [
                "override model.0=1: model is an empty list, it has no '0'",
                "model: a model needs at least one layer, found an empty list, from the override model=[]",
            ],
            id="one after the other",
        ),
    ],
)
def test_problems_of_overrides_name_them(overrides: dict[str, Any], said: list[str]) -> None:
    found = [line.replace(", ".join(rnnspec.registry.LAYERS.names()), "LAYERS") for line in refusal(MODEL, overrides)]
    assert found == said


def test_an_override_of_a_mistake_is_judged_by_itself() -> None:
    assert refusal("LSTM: {units: !foo 3}", {"LSTM.units": 0}) == [
        "1:15: LSTM.units: the tag '!foo' is not allowed here",
        "  hint: remove the tag",
        f"LSTM.units: {UNITS} 0, from the override LSTM.units=0",
    ]


def test_a_bomb_of_variables_is_located_beside_what_was_found_before() -> None:
    variables = "\n".join(f"  v{level}: {f'${{v{level + 1}}}' * 9}" for level in range(12))
    assert refusal(f"vars:\n{variables}\n  v12: {'x' * 50}\nFlatten: {{name: '${{v0}}'}}\nFlatten: ") == [
        "8:7: vars.v6: more than 200,000 values with every variable written out",
        "16:1: Flatten: duplicate key 'Flatten', the first one is in line 15",
    ]


def test_the_source_is_not_part_of_the_config() -> None:
    loaded = rnnspec.loads("LSTM: {units: 3}")
    assert loaded == config.LSTMConfig(3)
    assert repr(loaded) == "LSTMConfig(units=3)"
    copies = (pickle.loads(pickle.dumps(loaded)), copy.copy(loaded), copy.deepcopy(loaded), attrs.evolve(loaded))
    for copied in copies:
        assert copied == loaded
        assert not hasattr(copied, "_source")


@pytest.mark.parametrize(
    ("text", "keys", "place"),
    [
        pytest.param("LSTM: {units: 3}", ("LSTM", "units"), ("LSTM.units", 1, 15), id="layer"),
        pytest.param("- LSTM: {units: 3}", (0, "LSTM", "units"), ("[0].LSTM.units", 1, 17), id="list"),
        pytest.param("model:\n - LSTM: {units: 3}", (0, "LSTM"), ("model[0].LSTM", 2, 10), id="model"),
        pytest.param("model: Flatten\ntrain:", ("model", "Flatten"), ("model.Flatten", 1, 8), id="experiment"),
        pytest.param("Sequential: {layers: [Flatten]}", (0,), ("Sequential.layers[0]", 1, 23), id="Sequential"),
        pytest.param(
            "model: {class_name: Sequential, config: {layers: [Flatten]}}",
            (0,),
            ("model.config.layers[0]", 1, 51),
            id="Sequential in Keras's form",
        ),
    ],
)
def test_later_problems_are_located_in_the_document(
    text: str, keys: tuple[Key, ...], place: tuple[str, int, int]
) -> None:
    source = rnnspec.loads(text)._source  # type: ignore[attr-defined]
    found = source.locate(Problem("wrong", keys))
    assert (found.path, found.line, found.column) == place
    assert source.locate(found) is found


def test_an_error_of_build_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_text("model:\n  - LSTM: {units: 3, input_shape: [10, 4]}\n  - LSTM: {units: 3}\n")
    with pytest.raises(rnnspec.ShapeError) as error:
        rnnspec.build(rnnspec.load(path))
    problem = error.value.problems[0]
    assert (problem.file, problem.line, problem.column, problem.path) == (str(path), 3, 11, "model[1].LSTM")


def only_our_errors_escape(data: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(Error):
            rnnspec.loads(data)


VALID = st.sampled_from([MODEL.encode(), HARD.encode(), HARD.replace("\n", "\r\n").encode()])


@given(VALID, st.lists(st.tuples(st.integers(0), st.integers(0, 255)), min_size=1, max_size=4))
def test_whatever_bytes_are_flipped_only_our_errors_escape(valid: bytes, flips: list[tuple[int, int]]) -> None:
    data = bytearray(valid)
    for index, byte in flips:
        data[index % len(data)] = byte
    only_our_errors_escape(bytes(data))


@given(VALID, st.integers(0), st.integers(0))
def test_whatever_bytes_are_missing_only_our_errors_escape(valid: bytes, start: int, stop: int) -> None:
    start, stop = start % len(valid), stop % len(valid)
    only_our_errors_escape(valid[:start])
    only_our_errors_escape(valid[start:])
    only_our_errors_escape(valid[:start] + valid[stop:])


def test_a_file_of_50_layers_loads_fast() -> None:
    arguments = "\n".join(f"    {name}" for name in ("units: 64", "activation: tanh", "dropout: 0.2", *["# more"] * 7))
    text = "\n".join(f"- LSTM:\n{arguments}\n    return_sequences: true" for _ in range(50))
    start = time.process_time()
    rnnspec.loads(text)
    assert time.process_time() - start < 1.0

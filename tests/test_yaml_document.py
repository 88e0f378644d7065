"""From YAML text to plain data, and where each part of it stands."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from rnnspec.errors import ConfigError, Key, Problem
from rnnspec.yaml.document import examine, parse, read

LAYERS = """\
# A model
vars: {units: 3}

model:
  - LSTM:
      units: 3
      input_shape: [10,
        4]
  - Flatten
  - GRU: {units: 4, name: größe, seed: }
"""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-17", -17),
        ("+3", 3),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("-0b11", -3),
        ("1_000", 1000),
        ("1__000", "1__000"),
        ("1e-3", 0.001),
        ("1E5", 1e5),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1_0.5e+1", -105.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("inf", "inf"),
        ("nan", "nan"),
        (".", "."),
        ("-", [None]),
        ("+", "+"),
        ("0o8", "0o8"),
        ("true", True),
        ("FALSE", False),
        ("tRue", "tRue"),
        ("no", "no"),
        ("on", "on"),
        ("y", "y"),
        ("~", None),
        ("null", None),
        ("Null", None),
        ("None", "None"),
        ("1:30", "1:30"),
        ("2026-11-25", "2026-11-25"),
        ("2026-11-25T10:00:00Z", "2026-11-25T10:00:00Z"),
        ("'1'", "1"),
        ('"null"', "null"),
        ("'<<'", "<<"),
        ("!!int '3'", 3),
        ("!!float 3", 3.0),
        ("!!float 3.5", 3.5),
        ("!!str 3", "3"),
        ("!!str", ""),
        ("!!bool 'true'", True),
        ("!!null ~", None),
        ("!!seq [1]", [1]),
        ("!!map {a: 1}", {"a": 1}),
        ("|\n a\n b\n", "a\nb\n"),
        ("a\n b", "a b"),
        ("''", ""),
        ("%YAML 1.2\n---\n1", 1),
    ],
)
def test_scalars_are_typed_as_in_yaml_1_2(text: str, value: object) -> None:
    found = parse(text).data
    assert found == value
    assert type(found) is type(value)


def test_nan_is_a_number() -> None:
    assert math.isnan(parse("a: .nan").data["a"])


@pytest.mark.parametrize(
    ("text", "data"),
    [
        pytest.param("a: &x {b: [1]}\nc: *x", {"a": {"b": [1]}, "c": {"b": [1]}}, id="alias of a mapping"),
        pytest.param("- &x 3\n- *x", [3, 3], id="alias of a scalar"),
        pytest.param("- &x 3\n- &x 4\n- *x", [3, 4, 4], id="the last anchor of a name counts"),
        pytest.param("- &k units\n- *k : 3", ["units", {"units": 3}], id="alias as a key"),
        pytest.param(
            "a: &x {b: 1, c: 2}\nd: {<<: *x, b: 3}", {"a": {"b": 1, "c": 2}, "d": {"b": 3, "c": 2}}, id="merge"
        ),
        pytest.param("a: {b: 3, <<: {b: 1}}", {"a": {"b": 3}}, id="own keys win over merged ones"),
        pytest.param("<<: [{a: 1}, {a: 2, b: 3}]", {"a": 1, "b": 3}, id="the first of several merged wins"),
        pytest.param("<<: {<<: {a: 1}, b: 2}\nc: 3", {"a": 1, "b": 2, "c": 3}, id="merge in a merge"),
        pytest.param("a: <<", {"a": "<<"}, id="<< as a value"),
        pytest.param("'<<': 1", {"<<": 1}, id="<< in quotes"),
    ],
)
def test_aliases_and_merge_keys_are_resolved(text: str, data: object) -> None:
    assert parse(text).data == data


def test_an_alias_is_a_copy() -> None:
    data = parse("a: &x [1]\nb: *x").data
    data["a"].append(2)
    assert data == {"a": [1, 2], "b": [1]}


def test_bytes_are_utf_8() -> None:
    assert parse("name: größe 🙂".encode()).data == {"name": "größe 🙂"}


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_bytes(b"LSTM: {units: 3}\r\n")
    assert read(tmp_path / "model.yaml").data == {"LSTM": {"units": 3}}


@pytest.mark.parametrize(
    ("keys", "at_key", "line", "column"),
    [
        pytest.param((), False, 2, 1, id="root"),
        pytest.param(("vars",), False, 2, 7, id="mapping in flow style"),
        pytest.param(("vars",), True, 2, 1, id="key"),
        pytest.param(("vars", "units"), False, 2, 15, id="value"),
        pytest.param(("vars", "units"), True, 2, 8, id="key in flow style"),
        pytest.param(("model",), False, 4, 1, id="list in block style counts as its key"),
        pytest.param(("model", 0), False, 5, 5, id="item"),
        pytest.param(("model", 0, "LSTM"), False, 5, 5, id="mapping in block style counts as its key"),
        pytest.param(("model", 0, "LSTM", "units"), False, 6, 14, id="value in block style"),
        pytest.param(("model", 0, "LSTM", "input_shape", 1), False, 8, 9, id="item in flow style, next line"),
        pytest.param(("model", 0, "LSTM", "dropout"), True, 5, 5, id="missing key"),
        pytest.param(("model", 0, "LSTM", "units", "x", 3), False, 6, 14, id="path into a scalar"),
        pytest.param(("model", 1, "Flatten"), True, 9, 5, id="path into a text"),
        pytest.param(("model", 7), False, 4, 1, id="index past the end"),
        pytest.param(("model", "7"), False, 4, 1, id="key of a list"),
        pytest.param(("model", -1), False, 4, 1, id="negative index"),
        pytest.param(("model", 2, "GRU", "seed"), False, 10, 34, id="empty value counts as its key"),
        pytest.param(("model", 2, "GRU", "name"), False, 10, 27, id="non-Latin letters are one column"),
        pytest.param((0,), False, 2, 1, id="index of a mapping"),
    ],
)
@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_a_path_has_a_line_and_a_column(
    keys: tuple[Key, ...], at_key: bool, line: int, column: int, line_break: str
) -> None:
    document = parse(LAYERS.replace("\n", line_break), "model.yaml")
    found = document.locate(Problem("wrong", keys, "a hint", at_key=at_key))
    source = LAYERS.splitlines()[line - 1]
    assert found == Problem("wrong", keys, "a hint", "model.yaml", line, column, source, at_key)


def test_a_located_problem_stays_where_it_is() -> None:
    problem = Problem("wrong", ("vars",), file="other.yaml", line=7)
    assert parse(LAYERS).locate(problem) is problem


@pytest.mark.parametrize(
    ("keys", "line", "column"),
    [
        pytest.param(("b",), 2, 4, id="the alias itself"),
        pytest.param(("b", "u"), 1, 11, id="inside an alias: at the anchor"),
        pytest.param(("c", "u"), 1, 11, id="a merged key: at the anchor"),
    ],
)
def test_a_path_through_an_alias(keys: tuple[Key, ...], line: int, column: int) -> None:
    found = parse("a: &x {u: 1}\nb: *x\nc: {<<: *x}").locate(Problem("wrong", keys))
    assert (found.line, found.column) == (line, column)


def test_a_very_long_line_is_not_shown() -> None:
    found = parse("[" + "1, " * 500 + "x]").locate(Problem("wrong", (500,)))
    assert (found.line, found.column, found.source) == (1, 1502, None)


def test_examine_keeps_what_can_be_read_beside_the_mistakes() -> None:
    document = examine("a: 1\na: 2\nb: !foo 3\nc: *x\n<<: 4\n5: 6\nd: 7")
    assert document.data == {"a": 1, "b": "3", "c": None, "d": 7}
    assert [problem.line for problem in document.problems] == [2, 3, 4, 5, 6]
    assert document.spoiled == {("b",), ("c",), ("<<",)}


def test_parse_raises_all_mistakes_in_their_order() -> None:
    with pytest.raises(ConfigError) as error:
        parse("a: {b: {c: 1, c: !x 2},\n b: 3}\n1: 2\na: *z\n")
    assert [(problem.line, problem.path) for problem in error.value.problems] == [
        (1, "a.b.c"),
        (1, "a.b.c"),
        (2, "a.b"),
        (3, ""),
        (4, "a"),
        (4, "a"),
    ]

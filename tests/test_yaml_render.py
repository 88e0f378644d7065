"""Plain data as tidy YAML, and files written at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from rnnspec.yaml.document import parse
from rnnspec.yaml.render import dump_text, write_text
from rnnspec.yaml.tidy import format_text

# Texts that something in YAML could mistake for something else.
TRAPS = [
    *("", " ", "x ", " x", "a: b", "a #b", "#", "- a", "-", "? a", "!x", "&x", "*x", "%x", "@x", "`x", "|", ">", ","),
    *("[", "]", "{", "}", "'", '"', "\\", "a\nb", "\n", "\t", "\r", "\0", "\x7f", "\x85", "\u2028", "\ufeff", "\uffff"),
    *("null", "~", "true", "False", "yes", "No", "on", "y", "1", "1.5", "1e3", "0x1F", "0o7", "1_0", ".nan", ".inf"),
    *("2026-11-25", "1:30", "<<", "=", "---", "...", "${x}", "a:", "größe", "🙂", "x" * 300),
]
TEXTS = st.text(max_size=12) | st.sampled_from(TRAPS)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
DATA = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4))


@given(DATA)
def test_what_is_dumped_is_read_back(data: Any) -> None:
    # repr: 1 is not 1.0 or True, and nan is nan.
    assert repr(parse(dump_text(data)).data) == repr(data)


@given(DATA)
def test_dumped_text_is_tidy(data: Any) -> None:
    text = dump_text(data)
    assert format_text(text) == text


@pytest.mark.parametrize("text", TRAPS)
def test_no_text_is_mistaken(text: str) -> None:
    assert parse(dump_text({text: [text]})).data == {text: [text]}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (3, "3"),
        (1e-05, "1e-05"),
        (1e16, "1e+16"),
        (0.1, "0.1"),
        (float("inf"), ".inf"),
        (float("-inf"), "-.inf"),
        (float("nan"), ".nan"),
        ("tanh", "tanh"),
        ("a b/c.d", "a b/c.d"),
        ("größe", "größe"),
        ("3", '"3"'),
        ("null", '"null"'),
        ("yes", '"yes"'),
        ("a: b", '"a: b"'),
        ('say "x"', '"say \\"x\\""'),
        ("a\nb", '"a\\nb"'),
        ("a\x85\ufeff", '"a\\u0085\\ufeff"'),
        ("", '""'),
        ([], "[]"),
        ({}, "{}"),
    ],
)
def test_values_are_written_plainly(value: Any, text: str) -> None:
    assert dump_text(value) == f"{text}\n"


LAYER = {"LSTM": {"units": 8, "input_shape": [None, 12], "return_sequences": True}}
ROW = f"[{', '.join(['1.5'] * 30)}]"
LINE = "LSTM: {units: 8, input_shape: [null, 12], return_sequences: true}\n"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        pytest.param(LAYER, LINE, id="a layer"),
        pytest.param([LAYER, "Flatten"], f"- {LINE}- Flatten\n", id="a list of layers"),
        pytest.param(
            {"model": [LAYER], "train": {"epochs": 30}}, f"model:\n  - {LINE}train: {{epochs: 30}}\n", id="a model"
        ),
        pytest.param(
            {"GRU": {"units": 3, "kernel_initializer": {"Orthogonal": {"gain": 2.0}}}},
            "GRU:\n  units: 3\n  kernel_initializer: {Orthogonal: {gain: 2.0}}\n",
            id="a nested config",
        ),
        pytest.param(
            [{"Bidirectional": {"layer": LAYER}}],
            f"- Bidirectional:\n    layer: {{{LINE[:-1]}}}\n",
            id="a layer in a layer",
        ),
        pytest.param({"a": {"b": {"c": {"d": 1}}}}, "a:\n  b: {c: {d: 1}}\n", id="one name a line at most"),
        pytest.param([{"a": 1, "b": 2}, {}], "- {a: 1, b: 2}\n- {}\n", id="mappings that are no tags"),
        pytest.param({"inbound_nodes": [["x", 0, 0]]}, "inbound_nodes: [[x, 0, 0]]\n", id="a list in a list"),
        pytest.param({"a": [{"b": 1}]}, "a:\n  - {b: 1}\n", id="a mapping in a list"),
        pytest.param({"a": ["x" * 60, "y" * 60]}, f"a:\n  - {'x' * 60}\n  - {'y' * 60}\n", id="too long for a line"),
        pytest.param({"a": {"b": "x" * 92}}, f"a: {{b: {'x' * 92}}}\n", id="just short enough"),
        pytest.param({"a": {"b": "x" * 93}}, f"a:\n  b: {'x' * 93}\n", id="just too long"),
        pytest.param({"a": [1.5] * 30}, f"a: {ROW}\n", id="a row of numbers, however long"),
        pytest.param([[[1.5] * 30] * 2], f"- - {ROW}\n  - {ROW}\n", id="rows"),
    ],
)
def test_the_layout(data: Any, text: str) -> None:
    assert dump_text(data) == text


def test_shared_data_are_written_twice() -> None:
    shared = {"a": [1]}
    assert dump_text([shared, shared]) == "- {a: [1]}\n- {a: [1]}\n"


def test_other_objects_are_refused() -> None:
    with pytest.raises(TypeError, match=r"^cannot write complex as YAML$"):
        dump_text([1j])


def test_a_file_is_written_with_its_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    write_text(path, "ä: 1\r\nb: 2\n")
    assert path.read_bytes() == "ä: 1\r\nb: 2\n".encode()
    assert os.listdir(tmp_path) == ["a.yaml"]


def test_a_new_file_has_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    write_text(tmp_path / "a.yaml", "a")
    assert (tmp_path / "a.yaml").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_an_existing_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.touch(0o640)
    write_text(path, "a")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_keeps_pointing_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to("b.yaml")
    write_text(tmp_path / "a.yaml", "a")
    assert (tmp_path / "a.yaml").is_symlink()
    assert (tmp_path / "b.yaml").read_text() == "a"


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "\ud800")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.yaml"]

"""`rnnspec fmt`: tidy white space, and nothing else changes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from rnnspec.errors import ConfigError, Error
from rnnspec.yaml.document import parse
from rnnspec.yaml.tidy import format_text

CASES = {
    "layers": (
        "# top\n\n\n-   LSTM:   {units:   3,activation:  tanh }   # end\n\n# before\n"
        "-   GRU:\n        units: 4    # four\n        # in\n        kernel_initializer:\n"
        "            Orthogonal: { gain: 1E-1 , seed: ~}\n-   Flatten:   \n-   Flatten\n# last",
        "# top\n\n- LSTM: {units: 3, activation: tanh} # end\n\n# before\n"
        "- GRU:\n    units: 4 # four\n    # in\n    kernel_initializer:\n"
        "      Orthogonal: {gain: 1E-1, seed: ~}\n- Flatten:\n- Flatten\n# last\n",
    ),
    "lists at their key's column": (
        "model:\n- a:\n  - 1\n  # in\n  - 2\n  # between\n  b: 3\n# last\ntrain: 1\n",
        "model:\n  - a:\n      - 1\n      # in\n      - 2\n    # between\n    b: 3\n# last\ntrain: 1\n",
    ),
    "list at its key's column, last": ("- a:\n  -   b\n-   c:\n    - d\n", "- a:\n    - b\n- c:\n    - d\n"),
    "list of lists": ("- - 1\n  -   2\n-\n    - 3\n", "- - 1\n  - 2\n-\n  - 3\n"),
    "anchors, aliases, merge keys": (
        "a:  &x\n    b: 1\nc:\n    *x\nd:  {<<: *x , e: *x }\n",
        "a: &x\n  b: 1\nc:\n  *x\nd: {<<: *x , e: *x }\n",
    ),
    "comment below all blocks": ("a:\n     b:\n         c: 1\n   # x\nd: 2\n", "a:\n  b:\n    c: 1\n# x\nd: 2\n"),
    "comment indented as nothing": ("a:\n    b: 1\n        # x\n    c: 2\n", "a:\n  b: 1\n  # x\n  c: 2\n"),
    "indented root": ("   a: 1\n   b:\n     - 1\n", "a: 1\nb:\n  - 1\n"),
    "flow over lines": (
        "a: [\n  1, # one\n # two\n  {b: 1,\n c: 2}\n]\nd: [1,\n2]\n",
        "a: [\n  1, # one\n  # two\n  {b: 1,\n    c: 2}\n  ]\nd: [1,\n  2]\n",
    ),
    "flow at the root": ("{\na: 1,\n# x\nb: [ 1 ,2 ]\n}\n", "{\n  a: 1,\n  # x\n  b: [1, 2]\n}\n"),
    "JSON": ('{"a":1,"b":[true,{ }]}', '{"a": 1, "b": [true, {}]}\n'),
    "empty values": ("a: {b: , c: ~}\nd: {e}\nf: [ ]\ng:\n", "a: {b: , c: ~}\nd: {e}\nf: []\ng:\n"),
    "aliases as keys": ("- &k a\n-   *k : 1\n- {*k : 2}\n", "- &k a\n- *k : 1\n- {*k : 2}\n"),
    "tags": ("a: !!str   3\nb: [!!str 3 ]\nc: [!!str ]\n", "a: !!str 3\nb: [!!str 3]\nc: [!!str ]\n"),
    "question marks": ("?   a\n:   b\n? c\n:\n    - 1\n", "? a\n: b\n? c\n:\n  - 1\n"),
    "literal": (
        "a: |   # c\n        x\n\n          y\n    \nb: >-\n   x\n   y\n\n\n\nc: 1\n",
        "a: |   # c\n  x\n\n    y\n\nb: >-\n  x\n  y\n\nc: 1\n",
    ),
    "literal with all its line ends": ("a: |+\n    x\n\n\nb: 1\n", "a: |+\n  x\n\n\nb: 1\n"),
    "literal with all its line ends, last": ("a: |+\n    x\n\n\n", "a: |+\n  x\n\n\n"),
    "literal with an indentation": ("a:\n     b: |2-\n         x\n        y\n", "a:\n  b: |2-\n      x\n     y\n"),
    "literal with spaces in its last line": ("- |\n  a\n   \n- x\n", "- |\n  a\n   \n- x\n"),
    "literal without a line end": ("a: |\n     x", "a: |\n  x"),
    "literal without lines": ("a: |", "a: |"),
    "literal of blank lines": ("a: |+\n   \n\n", "a: |+\n\n\n"),
    "literal at the root": ("---   |\n  a\n", "--- |\n  a\n"),
    "quoted over lines": ("a: 'x\n\n     y'\nb:  p\n      q  # c\n", "a: 'x\n\n  y'\nb: p\n  q # c\n"),
    "text at the root": ("'x'", "'x'\n"),
    "directives and markers": ("%YAML 1.2\n---\n# c\na: 1\n...\n\n# d\n", "%YAML 1.2\n---\n# c\na: 1\n...\n\n# d\n"),
    "blank lines": ("\n\na: 1  # x\n\n\n\n# y\n\n\nb: 2\n\n\n\n", "a: 1 # x\n\n# y\n\nb: 2\n"),
    "tabs in flow": ("a: [\n\t1,\t2]\n", "a: [\n  1, 2]\n"),
    "CRLF": ("a:\r\n    b: 1 \r\n    c: |\r\n        x\r\n", "a:\r\n  b: 1\r\n  c: |\r\n    x\r\n"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "result"), CASES.values(), ids=CASES)
def test_white_space_becomes_tidy(text: str, result: str) -> None:
    assert format_text(text) == result


@pytest.mark.parametrize("text", [text for case in CASES.values() for text in case])
def test_data_and_comments_stay_and_twice_is_once(text: str) -> None:
    once = format_text(text)
    assert parse(once).data == parse(text).data
    assert re.findall(r"#.*?(?=\r|$)", once, re.MULTILINE) == re.findall(r"#.*?(?=\r|$)", text, re.MULTILINE)
    assert format_text(once) == once


def test_a_wrong_document_is_not_tidied() -> None:
    with pytest.raises(ConfigError, match=r"^m\.yaml:2:1: a: duplicate key 'a', the first one is in line 1\n"):
        format_text("a: 1\na: 2\n", "m.yaml")


# In column 2 these are a text; in column 1 `---` would begin a document.
@pytest.mark.parametrize("text", [" --- a\n", " --- |\n  a\n", " --- [b\n"])
def test_what_would_change_is_left_alone(text: str) -> None:
    with pytest.raises(Error, match=r"^m\.yaml: this document cannot be tidied without changing it$"):
        format_text(text, "m.yaml")


LINES = st.sampled_from(
    ["", "  ", "# c", "    # d", "a:", "b: 1", "- x", "c: {d: 1,", "e: 2}", "- - 3", "f: |", "'q", "q'"]
)


@given(st.lists(st.tuples(st.integers(0, 5), LINES), max_size=12), st.sampled_from(["\n", "\r\n"]))
def test_whatever_can_be_read_stays_the_same(lines: list[tuple[int, str]], line_break: str) -> None:
    text = line_break.join(" " * (2 * level) + line for level, line in lines)
    try:
        data = parse(text).data
    except ConfigError:
        return
    once = format_text(text)
    assert parse(once).data == data
    assert format_text(once) == once
    assert once.count("#") == text.count("#")

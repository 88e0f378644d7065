"""The YAML that old Keras wrote with tags of Python: plain data, which is read without running anything."""

from __future__ import annotations

import base64
import struct

import pytest

from rnnspec.errors import ConfigError
from rnnspec.interop.keras.texts import parse_yaml


def number(dtype: str, data: bytes, anchor: str = "") -> str:
    """A number of NumPy as PyYAML writes it, as the value of a key that is not indented."""
    return (
        f"!!python/object/apply:numpy.core.multiarray.scalar\n- {anchor}!!python/object/apply:numpy.dtype\n"
        f"  args:\n  - {dtype}\n  - 0\n  - 1\n  state: !!python/tuple\n  - 3\n  - <\n  - null\n"
        f"- !!binary |\n  {base64.b64encode(data).decode()}\n"
    )


@pytest.mark.parametrize(
    ("text", "data"),
    [
        pytest.param("a: !!python/tuple\n- 1\n- 2\n", {"a": [1, 2]}, id="tuple"),
        pytest.param("a: !!python/unicode 'b'\n", {"a": "b"}, id="text-of-python-2"),
        pytest.param("a: " + number("i8", struct.pack("<q", 18)) + "b: 3\n", {"a": 18, "b": 3}, id="integer"),
        pytest.param("a: " + number("f4", struct.pack("<f", 0.25)), {"a": 0.25}, id="float"),
        pytest.param(
            "a: "
            + number("i8", struct.pack("<q", -2), "&id001 ")
            + "b: !!python/object/apply:numpy.core.multiarray.scalar\n"
            "- *id001\n- !!binary |\n  BQAAAAAAAAA=\n",
            {"a": -2, "b": 5},
            id="a-dtype-that-was-named-before",
        ),
    ],
)
def test_what_python_tags_is_plain_data(text: str, data: dict[str, object]) -> None:
    assert parse_yaml(text, "a.yaml") == data


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(number("O8", bytes(8)), id="object"),
        pytest.param(number("i8", bytes(3)), id="too-few-bytes"),
        pytest.param(
            "!!python/object/apply:numpy.core.multiarray.scalar\n- *id001\n- !!binary |\n  BQAAAAAAAAA=\n",
            id="no-such-dtype",
        ),
    ],
)
def test_a_number_that_is_none_is_refused_at_its_place(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_yaml("a: " + text, "a.yaml")
    assert str(caught.value).startswith(
        "a.yaml:1:4: a: the tag '!!python/object/apply:numpy.core.multiarray.scalar' is not allowed here\n"
    )


def test_what_comes_after_a_number_keeps_its_line() -> None:
    text = "a: " + number("i8", bytes(8)) + "b: !!python/name:os.system\n"

    with pytest.raises(ConfigError, match=rf"^a.yaml:{text.count(chr(10))}:4: b: the tag"):
        parse_yaml(text, "a.yaml")

"""Keras's JSON and YAML texts become plain data, within limits of size and depth."""

from __future__ import annotations

import base64
import json
import re
import struct
from collections import Counter
from typing import Any

from rnnspec.errors import ConfigError, Problem
from rnnspec.interop.keras.kinds import MAX_TEXT
from rnnspec.yaml.document import parse

__all__ = ["MAX_DEPTH", "MAX_TEXT", "legible", "parse_json", "parse_yaml"]

MAX_LINE = 1000
"""A longer line of a message or a report is cut off, in characters."""

MAX_DEPTH = 200
"""Lists and mappings inside each other."""

# PyYAML writes Keras's tuples, and the texts of Python 2, with tags; both are plain data.
_PYTHON_TAG = re.compile(r"(?m)(?<=[\s:-]) ?!!python/(?:tuple|unicode|str)(?=\s)")

# It writes a number of NumPy as a call that makes one, of its dtype and its bytes; Keras 1 has such sizes.
_NUMPY_NUMBER = re.compile(
    r"!!python/object/apply:numpy\.core\.multiarray\.scalar\n"
    r"(?P<indent> *)- (?:(?:&(?P<anchor>\w+) )?!!python/object/apply:numpy\.dtype\n"
    r"(?P=indent)  args:\n(?P=indent)  - (?P<dtype>\w+)\n(?:(?P=indent)  .*\n){1,20}?|\*(?P<alias>\w+)\n)"
    r"(?P=indent)- !!binary \|\n(?P=indent)  (?P<bytes>[\w+/=]{1,40})(?=\n)"
)
_NUMPY_FORMATS = {"i4": "<i", "i8": "<q", "f4": "<f", "f8": "<d"}

# JSON can name half a character, which no text can hold.
_HALVES = re.compile("[\ud800-\udfff]")


def parse_json(text: str | bytes, file: str, place: str) -> dict[str, Any]:
    """Reads a JSON text that holds a mapping.

    Args:
        text: The text.
        file: The file's name, for messages.
        place: What the text is in the file, for messages: `config.json`.

    Returns:
        The mapping.

    Raises:
        ConfigError: If it is too large, too deep, or no such text.
    """
    check_size(len(text), file, place)
    try:
        data = json.loads(text, object_pairs_hook=_plain)
    except RecursionError:
        raise _too_deep(file, place) from None
    except ValueError as error:
        raise ConfigError(Problem(f"{place} is no JSON text: {error}", file=file, hint=DAMAGED)) from None
    return _mapping(data, file, place)


def parse_yaml(text: str | bytes, file: str) -> dict[str, Any]:
    """Reads the text of Keras's `to_yaml`.

    Args:
        text: The text.
        file: The file's name, for messages.

    Returns:
        The mapping that it holds.

    Raises:
        ConfigError: If it is too large, too deep, or no such text.
    """
    check_size(len(text), file, "the file")
    try:
        decoded = text if isinstance(text, str) else text.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(Problem("the file is none that Keras writes", file=file, hint=KINDS)) from None
    return _mapping(parse(_PYTHON_TAG.sub("", _with_plain_numbers(decoded)), file).data, file, "the file")


def _with_plain_numbers(text: str) -> str:
    """Writes NumPy's numbers as numbers; what is none that is known stays, and is refused by its tag."""
    dtypes: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        dtype = dtypes.get(found["alias"], "") if found["alias"] else found["dtype"]
        if found["anchor"]:
            dtypes[found["anchor"]] = dtype
        try:
            (value,) = struct.unpack(_NUMPY_FORMATS[dtype], base64.b64decode(found["bytes"]))
        except (KeyError, ValueError, struct.error):
            return found[0]
        blank = "\n" * found[0].count("\n")
        return f"{value}{blank}"  # what comes after it keeps its line

    return _NUMPY_NUMBER.sub(number, text)


DAMAGED = "the file is damaged or not complete: copy it again, or save the model anew"
KINDS = (
    "from_keras takes a .h5 or .keras file of a whole model, or the text of to_json() or to_yaml() in a file; "
    "weights= takes a file with weights"
)


def legible(text: str) -> str:
    """Writes a line for messages and reports in which names from a file stand.

    Args:
        text: The line.

    Returns:
        The line with escapes for what a terminal would act on, cut off where it is longer than any that we write.
    """
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
    return text if len(text) <= MAX_LINE else f"{text[:MAX_LINE]}..."


def check_size(size: int, file: str, place: str) -> None:
    """Refuses a text that is larger than any model's.

    Args:
        size: Its length in bytes.
        file: The file's name.
        place: What the text is.

    Raises:
        ConfigError: If it is too large.
    """
    if size > MAX_TEXT:
        raise ConfigError(Problem(f"{place} has {size} bytes, at most {MAX_TEXT} are read", file=file))


def _plain(pairs: list[tuple[str, Any]]) -> Any:
    """Tuples, shapes and arrays, which some versions of Keras write as mappings, as lists and numbers."""
    data = dict(pairs)
    if len(data) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {twice!r:.60} stands twice")
    if data.get("class_name") in ("__tuple__", "TensorShape") and isinstance(data.get("items"), list):
        return data["items"]
    return data["value"] if data.keys() == {"type", "value"} and data["type"] == "ndarray" else data


def _too_deep(file: str, place: str) -> ConfigError:
    message = f"{place} is nested too deeply, at most {MAX_DEPTH} lists and mappings may stand inside each other"
    return ConfigError(Problem(message, file=file))


def _mapping(data: Any, file: str, place: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        found = type(data).__name__
        message = f"{place} holds no model: expected a mapping with class_name and config, found a {found}"
        raise ConfigError(Problem(message, file=file, hint=KINDS))
    level: list[Any] = [data]
    for _ in range(MAX_DEPTH):
        if any(_HALVES.search(text) for value in level for text in _texts(value)):
            raise ConfigError(Problem(f"{place} has a text that is no Unicode", file=file, hint=DAMAGED))
        level = [item for value in level for item in _items(value)]
        if not level:
            return data
    raise _too_deep(file, place)


def _texts(value: Any) -> list[str]:
    inside = [*value, *value.values()] if isinstance(value, dict) else value
    return [item for item in inside if isinstance(item, str)]


def _items(value: Any) -> Any:
    inside = value.values() if isinstance(value, dict) else value
    return [item for item in inside if isinstance(item, (dict, list))]

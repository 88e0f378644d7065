"""What a YAML scalar means: YAML 1.2's core schema, with the `_` and `0b` in numbers that ruamel.yaml and Python take.

So `no`, `on` and `1:30` are text, `1e-3` is a number, `017` is 17, and a date stays text.
"""

from __future__ import annotations

import math
import re

__all__ = ["Scalar", "tagged", "typed"]

Scalar = str | int | float | bool | None

_CONSTANTS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_DIGITS = "[0-9](?:_?[0-9])*"
_DECIMAL = re.compile(f"[-+]?{_DIGITS}")
_BASED = re.compile("[-+]?0(?:b[01](?:_?[01])*|o[0-7](?:_?[0-7])*|x[0-9a-fA-F](?:_?[0-9a-fA-F])*)")
_FLOAT = re.compile(rf"[-+]?(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][-+]?[0-9]+)?")
_MOST_DIGITS = 1000
"""Far above any float, and below the 4,300 digits that Python's `int` takes."""


def typed(text: str) -> Scalar:
    """Types a plain scalar, one without quotes.

    Args:
        text: The scalar's text.

    Returns:
        The value; the text itself where it is nothing else.

    Raises:
        ValueError: If it is a number that no float can hold, or has more than 1,000 digits.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "+-.0123456789":
        return text
    whole, based = _DECIMAL.fullmatch(text), _BASED.fullmatch(text)
    if not whole and not based and not _FLOAT.fullmatch(text):
        return text
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(text)} characters is too long")
    if based:
        return int(text, 0)
    if whole:
        return int(text)
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {text} is too large")
    return number


def tagged(text: str, kind: str) -> Scalar:
    """Types a scalar with one of the core tags, `!!int 3`.

    Args:
        text: The scalar's text, quoted or not.
        kind: `str`, `int`, `float`, `bool` or `null`.

    Returns:
        The value.

    Raises:
        ValueError: If the text is nothing of that kind.
    """
    if kind == "str":
        return text
    value = typed(text)
    if kind == "float" and type(value) is int:
        return float(value)
    if type(value).__name__ != kind and not (kind == "null" and value is None):
        raise ValueError(f"{text!r} is not what its tag '!!{kind}' says")
    return value

"""Plain data as tidy YAML text."""

from __future__ import annotations

import json
import math
import os
import re
from typing import Any

from rnnspec.files import write_bytes
from rnnspec.yaml.scalars import typed

__all__ = ["dump_text", "write_text"]

_WIDTH = 100
"""What would make a line longer is written in block style."""

_PLAIN = re.compile(r"[A-Za-z_/](?:[\w ./+-]*[\w./+-])?")
_OTHERS_BOOLEANS = {"y", "n", "yes", "no", "on", "off"}
"""Text to us, booleans to readers of YAML 1.1."""

_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def dump_text(data: Any) -> str:
    """Writes plain data as YAML.

    Args:
        data: Dicts with text as keys, lists, str, int, float, bool and None.

    Returns:
        The text, with a final newline; `parse` reads equal data from it. Small mappings and lists stand in one line,
        nothing is written as an alias.

    Raises:
        TypeError: If the data holds anything else.
    """
    return "\n".join(_block(data, 0)) + "\n"


def _block(value: Any, indent: int) -> list[str]:
    """The lines of a value in block style, without their common indentation."""
    lines = []
    if isinstance(value, dict) and value:
        for key, item in value.items():
            head = f"{_scalar(key)}:"
            flow = _flow(item, _WIDTH - indent - len(head) - 1)
            lines += [f"{head} {flow}"] if flow else [head, *(f"  {line}" for line in _block(item, indent + 2))]
    elif isinstance(value, list) and value:
        for item in value:
            flow = None if _is_tagged(item) else _flow(item, _WIDTH - indent - 2)
            first, *others = [flow] if flow else _block(item, indent + 2)
            lines += [f"- {first}", *(f"  {line}" for line in others)]
    else:
        lines.append(_inline(value))
    return lines


def _flow(value: Any, width: int) -> str | None:
    """The value in one line, or None where block style reads better."""
    inner = next(iter(value.values())) if _is_tagged(value) else value
    if not all(map(_is_flat, inner.values() if isinstance(inner, dict) else [inner])):
        return None
    text = _inline(value)
    return text if len(text) <= width or _is_row(value) or not isinstance(value, dict | list) else None


def _is_tagged(value: Any) -> bool:
    """Whether it is one name with its arguments: `{LSTM: {units: 3}}`."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(next(iter(value.values())), dict)


def _is_flat(value: Any) -> bool:
    """Whether there is no mapping in it."""
    return all(_is_flat(item) for item in value) if isinstance(value, list) else not isinstance(value, dict)


def _is_row(value: Any) -> bool:
    """Whether it is a list of numbers, as weights are: one line, however long."""
    return isinstance(value, list) and all(isinstance(item, int | float) for item in value)


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value if _is_plain(value) else _quoted(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else f"{'-' if value < 0 else ''}.inf"
    if isinstance(value, int | float):
        return repr(value)
    raise TypeError(f"cannot write {type(value).__name__} as YAML")


def _is_plain(text: str) -> bool:
    return bool(_PLAIN.fullmatch(text)) and isinstance(typed(text), str) and text.lower() not in _OTHERS_BOOLEANS


def _quoted(text: str) -> str:
    # JSON's quoted text is YAML's, but for a few characters that YAML does not allow.
    return _ESCAPED.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(text, ensure_ascii=False))


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes a file at once: whoever reads it sees the old text or the new, never half of it.

    Args:
        path: The file; a link keeps pointing to it, and an existing file keeps its permissions.
        text: The whole text; line breaks are written as they are.

    Raises:
        OSError: If it cannot be written; the old file is untouched.
    """
    write_bytes(path, text.encode())

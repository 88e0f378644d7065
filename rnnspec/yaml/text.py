"""The text of a document: reading it safely from a file, and the line and column of any character in it."""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from functools import cached_property
from pathlib import Path

from rnnspec.errors import ConfigError, Key, Problem
from rnnspec.registry import closest

__all__ = ["BOM", "HDF5", "MAX_BYTES", "REPLACEMENT", "ZIP", "Text", "decode", "read_bytes"]

BOM = "\ufeff"
"""The byte order mark, which some editors put before a text."""

REPLACEMENT = "\ufffd"
"""Stands where a character is not allowed."""

MAX_BYTES = 10_000_000
"""A larger file is refused."""

HDF5 = b"\x89HDF\r\n\x1a\n"
ZIP = b"PK\x03\x04"
"""How the files start in which Keras keeps models."""

_LONGEST_SHOWN_LINE = 500
_LINE_BREAK = re.compile("\r\n|\r|\n")
_BOMS = {b"\xff\xfe\0\0": "UTF-32", b"\0\0\xfe\xff": "UTF-32", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


class Text:
    """A document's text, and where each character of it stands.

    Args:
        text: The text.
        file: The file's name as the user gave it, None where there is no file.
    """

    def __init__(self, text: str, file: str | None = None) -> None:
        self.text = text
        self.file = file

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(found.end() for found in _LINE_BREAK.finditer(self.text))]

    def line_of(self, index: int) -> int:
        """The line of a character.

        Args:
            index: The character, counted from 0.

        Returns:
            The line, counted from 1.
        """
        return bisect_right(self._line_starts, index)

    def problem(
        self, message: str, index: int, keys: tuple[Key, ...] = (), hint: str | None = None, at_key: bool = False
    ) -> Problem:
        """Makes a problem that is located at one character.

        Args:
            message: What is wrong.
            index: The character, counted from 0.
            keys: The config path.
            hint: The likely fix.
            at_key: Whether the path's last key itself is wrong.

        Returns:
            The problem with file, line, column and source.
        """
        line = self.line_of(index)
        start = self._line_starts[line - 1]
        source: str | None = _LINE_BREAK.split(self.text[start : start + _LONGEST_SHOWN_LINE + 2], maxsplit=1)[0]
        if source is not None and len(source) > _LONGEST_SHOWN_LINE:
            source = None  # a caret far to the right of a terminal helps nobody
        return Problem(message, keys, hint, self.file, line, index - start + 1, source, at_key)


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Reads a file that is not too large.

    Args:
        path: The file.

    Returns:
        Its bytes.

    Raises:
        ConfigError: If it is missing, unreadable, a folder, a model of Keras, or larger than `MAX_BYTES`.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(Problem("there is no such file", hint=_similar_file(Path(path)), file=str(path))) from None
    except IsADirectoryError:
        raise ConfigError(Problem("this is a folder, expected a YAML file", file=str(path))) from None
    except (OSError, ValueError) as error:  # a ValueError where the path holds a NUL
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(Problem(f"cannot be read: {reason}", file=str(path))) from None
    if data.startswith((HDF5, ZIP)):
        message = "this is an HDF5 file or an archive, as Keras writes models, expected a YAML file"
        hint = "rnnspec.from_keras reads models of Keras, `rnnspec convert` makes YAML of them"
        raise ConfigError(Problem(message, hint=hint, file=str(path)))
    if len(data) > MAX_BYTES:
        message = f"the file has more than {MAX_BYTES // 1_000_000} MB, too much for a config"
        raise ConfigError(Problem(message, file=str(path)))
    return data


def _similar_file(path: Path) -> str | None:
    try:
        by_stem = {Path(name).stem: name for name in sorted(os.listdir(path.parent))}
    except OSError:
        return None
    near = closest(path.stem, by_stem)  # `.yaml` alone makes no two names alike
    return f"did you mean '{by_stem[near]}'?" if near else None


def decode(data: bytes, file: str | None = None) -> str:
    """Decodes UTF-8.

    Args:
        data: A document's bytes.
        file: The file's name for messages.

    Returns:
        The text.

    Raises:
        ConfigError: If it is in another encoding; the message names the likely one.
    """
    encoding = next((name for bom, name in _BOMS.items() if data.startswith(bom)), None) or _zeros_tell(data[:64])
    if encoding:
        raise ConfigError(Problem(f"the text is in {encoding}, expected UTF-8", hint="save it as UTF-8", file=file))
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        wrong = error.start
    if b"\0" in data:
        raise ConfigError(Problem("this is not text, expected YAML in UTF-8", file=file))
    before = data[:wrong].decode()
    shown = Text(before + data[wrong:].decode("cp1252", "replace"), file)
    message = f"byte 0x{data[wrong]:02X} is not UTF-8, the text looks like Latin-1 (Windows-1252)"
    raise ConfigError(shown.problem(message, len(before), hint="save it as UTF-8"))


def _zeros_tell(start: bytes) -> str | None:
    """Names the encoding by its zero bytes: Latin letters are half zeros in UTF-16, three quarters in UTF-32."""
    zeros = start.count(0)
    if zeros == len(start) or zeros < 0.4 * len(start):
        return None
    return "UTF-16" if zeros < 0.7 * len(start) else "UTF-32"

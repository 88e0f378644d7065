"""The `.ts` text format of the UCR/UEA time series archive: one sequence a line, lengths may differ.

After `@data` a line holds one sequence: its channels parted by `:`, their values by `,`, the class label last.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rnnspec.errors import DataError, Problem
from rnnspec.experiment.series import Floats, Series

__all__ = ["read_ts"]

_SHOWN = 10
"""How many bad lines of a file are told one by one."""


def read_ts(path: Path, classes: Sequence[str] = ()) -> Series:
    """Reads a `.ts` file.

    Args:
        path: The file, which must exist.
        classes: The labels that the file may use, in their order; empty for those that its header declares.

    Returns:
        The sequences in the file's order; `y` is None where the header says `@classLabel false`.

    Raises:
        DataError: If something cannot be read; all bad lines are told together, the first ten one by one.
    """
    name = str(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(Problem("is not UTF-8 text", file=name)) from error
    labelled, declared, start = _header(name, lines)
    allowed = tuple(classes) or declared
    sequences: list[Floats] = []
    y: list[int] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines[start:], start=start + 1):
        if not line.strip():
            continue
        try:
            *channels, label = line.strip().split(":") if labelled else [*line.strip().split(":"), ""]
            sequences.append(_sequence(channels, len(sequences[0].T) if sequences else len(channels)))
            y.append(_class(label, allowed) if labelled else 0)
        except DataError as error:
            problems += [Problem(problem.message, file=name, line=number) for problem in error.problems]
    if not sequences and not problems:
        problems.append(Problem("has no sequence after @data", file=name))
    if problems:
        rest = len(problems) - _SHOWN
        raise DataError(*problems[:_SHOWN], *([Problem(f"{rest} more lines are wrong", file=name)] if rest > 0 else []))
    return Series(sequences, np.array(y, dtype=np.int64) if labelled else None, allowed)


def _header(name: str, lines: list[str]) -> tuple[bool, tuple[str, ...], int]:
    """Reads up to `@data`: whether there are labels, which, and the index of the first line of data."""
    labelled, declared = False, tuple[str, ...]()
    for index, line in enumerate(lines):
        key, *values = line.split() or [""]
        if key.lower() == "@classlabel":
            labelled, declared = values[:1] == ["true"], tuple(values[1:])
        if key.lower() == "@targetlabel" and values[:1] == ["true"]:
            raise DataError(Problem("has numbers as targets, expected class labels", file=name, line=index + 1))
        if key.lower() == "@data":
            return labelled, declared, index + 1
    raise DataError(Problem("has no line @data, so it is not a .ts file", file=name))


def _sequence(texts: list[str], channels: int) -> Floats:
    """One line's channels as `(time, channels)`."""
    if len(texts) != channels:
        raise DataError(f"has {len(texts)} channels, the first sequence has {channels}")
    rows = [[_number(text) for text in channel.split(",")] for channel in texts]
    for index, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise DataError(f"channel {index + 1} has {len(row)} values, channel 1 has {len(rows[0])}")
    sequence: Floats = np.array(rows, dtype=np.float32).T
    return sequence


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not abs(number) <= float(np.finfo(np.float32).max):
        raise DataError(f"expected a finite number, found '{text}'")
    return number


def _class(label: str, allowed: tuple[str, ...]) -> int:
    if label not in allowed:
        raise DataError(f"unknown label '{label}', expected one of {', '.join(allowed)}")
    return allowed.index(label)

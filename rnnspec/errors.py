"""Every error a user can meet, and the one function that words them.

Raising collects: an `Error` carries a list of `Problem`s. `word` turns one problem into text, so that a message looks
the same whether it was found in a file, in a config object or at a call.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

__all__ = [
    "ConfigError",
    "ConfigWarning",
    "DTypeError",
    "DataError",
    "EngineError",
    "Error",
    "Key",
    "MaskError",
    "Problem",
    "ShapeError",
    "StateError",
    "WeightsError",
    "format_path",
    "warn",
    "warn_overridden_bias",
    "word",
]

INTERNAL = ("rnnspec", "attr", "cattrs")

Raised = TypeVar("Raised", bound="Error")

Key = str | int
"""One step of a config path: a mapping's key or a list's index, counted from 0."""


def format_path(keys: Iterable[Key]) -> str:
    """Writes a config path the way messages show it.

    Args:
        keys: The steps from the document's root, for example `("model", 1, "LSTM", "units")`.

    Returns:
        The text, for example `model[1].LSTM.units`.
    """
    text = ""
    for key in keys:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else str(key)
    return text


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, where it is, and what to do about it.

    Attributes:
        message: What was wrong and what was expected, one sentence without a full stop.
        keys: The config path as steps from the document's root.
        hint: The likely fix, for example `did you mean 'units'?`.
        file: The file's name as the user gave it.
        line: Line in that file, from 1.
        column: Column in that line, from 1, in characters.
        source: The text of that line, shown with a caret.
        at_key: Whether the last key itself is wrong, not its value: the caret then stands under the key.
    """

    message: str
    keys: tuple[Key, ...] = ()
    hint: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None
    source: str | None = None
    at_key: bool = False

    @property
    def path(self) -> str:
        """The config path as text, for example `model[1].LSTM.units`."""
        return format_path(self.keys)

    def under(self, *keys: Key) -> Problem:
        """The same problem seen from further up: `keys` are put before its path."""
        return replace(self, keys=(*keys, *self.keys))


def word(problem: Problem) -> str:
    """Words a problem: `file:line:column: path: message`, the line with a caret, the hint.

    Args:
        problem: The problem.

    Returns:
        One to four lines of text without a final newline.
    """
    where = ":".join(str(part) for part in (problem.file, problem.line, problem.column) if part is not None)
    # At a Python call, a path that the message begins with would only be said twice: `units: units must be ...`.
    said = problem.file is None and problem.message.startswith(f"{problem.path} ")
    path = "" if said else problem.path
    text = ": ".join(part for part in (where, path, problem.message) if part)
    if problem.source is not None and problem.line is not None and problem.column is not None:
        number = str(problem.line)
        # A tab before the caret stays a tab, so that both lines are as wide on any terminal.
        before = "".join("\t" if letter == "\t" else " " for letter in problem.source[: problem.column - 1])
        text += f"\n  {number} | {problem.source}\n  {' ' * len(number)} | {before}^"
    if problem.hint:
        text += f"\n  hint: {problem.hint}"
    return text


class Error(Exception):
    """The base of every error that rnnspec raises on purpose.

    Args:
        *problems: What was found wrong; a text alone is a problem without a path.

    Attributes:
        problems: Everything that was found wrong, in the order of the file or of the arguments.
    """

    def __init__(self, *problems: Problem | str) -> None:
        self.problems: list[Problem] = [Problem(item) if isinstance(item, str) else item for item in problems]
        super().__init__(*self.problems)

    def __str__(self) -> str:
        return "\n".join(word(problem) for problem in self.problems)

    def mapped(self: Raised, change: Callable[[Problem], Problem]) -> Raised:
        """An error of the same kind with every problem changed: a path put before it, a place filled in.

        Args:
            change: Makes a new problem of each.

        Returns:
            The error, to be raised in place of this one.
        """
        return type(self)(*map(change, self.problems))


class ConfigError(Error, ValueError):
    """A file, a dictionary or a config's argument is wrong."""


class ShapeError(Error, ValueError):
    """A shape does not fit: between two layers, or between a layer and its input."""


class DTypeError(Error, TypeError):
    """A tensor's dtype does not fit its layer."""


class MaskError(Error, ValueError):
    """A mask has the wrong shape, or reaches a layer that cannot take one."""


class StateError(Error, ValueError):
    """The states of a recurrent layer are used in a way that cannot work."""


class WeightsError(Error, ValueError):
    """Weights do not fit their layer."""


class EngineError(Error, ValueError):
    """A forced engine cannot run the call."""


class DataError(Error, ValueError):
    """A data set cannot be read, or does not fit the model."""


class ConfigWarning(UserWarning):
    """A config says something that has no effect."""


def warn(message: str) -> None:
    """Issues a `ConfigWarning`.

    Args:
        message: What has no effect, and what is done instead.
    """
    level, frame = 2, sys._getframe(1)
    # The warning belongs to the user's line: the frames of this package and of the methods that attrs made (whose
    # module has no name) are passed over.
    while frame.f_back is not None and frame.f_globals.get("__name__", "attr").split(".")[0] in INTERNAL:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, ConfigWarning, stacklevel=level)


def warn_overridden_bias(layer: str, bias_initializer: str) -> None:
    """Warns that `unit_forget_bias` wins over a bias initializer that is not zeros.

    Args:
        layer: What the layer is called.
        bias_initializer: The initializer's name.
    """
    warn(
        f"{layer}: unit_forget_bias sets the bias to zeros, with ones at the forget gate, so bias_initializer "
        f"{bias_initializer} has no effect; set unit_forget_bias to false to use it"
    )

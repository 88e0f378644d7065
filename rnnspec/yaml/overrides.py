"""Values that replace what a document says: `{"model.1.LSTM.units": 128}`, or `--set model.1.LSTM.units=128`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rnnspec.errors import ConfigError, Key, Problem, format_path
from rnnspec.registry import did_you_mean
from rnnspec.yaml.document import parse
from rnnspec.yaml.nodes import describe

__all__ = ["Override", "apply", "read_override", "read_overrides"]

_STEP = r"[^.\[\]\s]+"
_PATH = re.compile(rf"(?:{_STEP}|\[[0-9]+\])(?:\.{_STEP}|\[[0-9]+\])*")


@dataclass(frozen=True)
class Override:
    """A value that was put into a document's data.

    Attributes:
        keys: Its path.
        text: How messages show it: `model.1.LSTM.units=128`.
    """

    keys: tuple[Key, ...]
    text: str


def read_override(text: str) -> tuple[str, Any]:
    """Reads an override from a command line.

    Args:
        text: `PATH=VALUE`, the value as in YAML: `model.0.LSTM.units=128`, `model.0.LSTM.input_shape=[10, 3]`.

    Returns:
        The path and the value; null where nothing stands after `=`.

    Raises:
        ConfigError: If there is no `=`, or the value is not YAML.
    """
    path, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"an override must be PATH=VALUE, found '{text}'")
    if not value.strip():
        return path, None
    try:
        return path, parse(value).data
    except ConfigError as error:
        raise ConfigError(*_of_override(text, error)) from None


def read_overrides(texts: Iterable[str]) -> dict[str, Any]:
    """Reads the overrides of a command line, in their order; of two for one path the later one counts.

    Args:
        texts: Each `PATH=VALUE`.

    Returns:
        The values by path.

    Raises:
        ConfigError: If one is wrong; all are told.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for text in texts:
        try:
            path, value = read_override(text)
        except ConfigError as error:
            problems += error.problems
            continue
        values.pop(path, None)  # it moves behind what was set in between
        values[path] = value
    if problems:
        raise ConfigError(*problems)
    return values


def _of_override(text: str, error: ConfigError) -> list[Problem]:
    return [Problem(f"override {text}: {problem.message}", hint=problem.hint) for problem in error.problems]


def apply(data: Any, overrides: Mapping[str, Any]) -> tuple[list[Override], list[Problem]]:
    """Puts values into a document's data.

    Args:
        data: The data; changed in place.
        overrides: The values by path. All but a path's last key must be there.

    Returns:
        What was put where, and what could not be.
    """
    done, problems = [], []
    for path, value in overrides.items():
        text = f"{path}={_shown(value)}"
        try:
            done.append(Override(_put(data, path, value), text))
        except ConfigError as error:
            problems += _of_override(text, error)
    return done, problems


def _shown(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _put(data: Any, path: str, value: Any) -> tuple[Key, ...]:
    if not _PATH.fullmatch(path):
        raise ConfigError(f"'{path}' is not a path such as model.1.LSTM.units")
    *parents, last = re.findall(r"[^.\[\]]+", path)
    keys: tuple[Key, ...] = ()
    for step in parents:
        key = _key(data, step, keys)
        if isinstance(data, dict) and key not in data:
            raise _missing(data, step, keys)
        if data[key] is None:  # `Flatten:` without arguments
            data[key] = {}
        data, keys = data[key], (*keys, key)
    key = _key(data, last, keys)
    data[key] = value
    return (*keys, key)


def _key(data: Any, step: str, keys: tuple[Key, ...]) -> Key:
    """The step as a key of the data."""
    where = format_path(keys) or "the document"
    if isinstance(data, dict):
        return step
    if isinstance(data, list) and step.isdecimal() and int(step) < len(data):
        return int(step)
    found = describe(data)
    if data and isinstance(data, list):
        found += f" with the indices [0] to [{len(data) - 1}]"
    raise ConfigError(f"{where} is {found}, it has no '{step}'")


def _missing(data: dict[str, Any], step: str, keys: tuple[Key, ...]) -> ConfigError:
    where = format_path(keys) or "the document"
    known = ", ".join(data) or "nothing"
    hint = did_you_mean(step, data)
    if hint is None and not keys and step.isidentifier():
        hint = f"set all of it: {step}={{...}}"
    return ConfigError(Problem(f"there is no '{step}' in {where}, which has {known}", hint=hint))

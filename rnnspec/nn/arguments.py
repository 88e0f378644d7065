"""Checks of arguments: plain numbers, for which a config has the same rules and words, and weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor

from rnnspec.engines.checks import check_choice
from rnnspec.errors import ConfigError, WeightsError

__all__ = [
    "as_tensor",
    "check_axes",
    "check_choice",
    "check_integers",
    "check_number",
    "check_positive_integer",
    "check_rate",
]


def check_positive_integer(name: str, value: Any) -> int:
    """Refuses anything but a positive integer.

    Args:
        name: The argument.
        value: What was given.

    Returns:
        The value.

    Raises:
        ConfigError: If it is something else; True is not 1 here.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ConfigError(f"{name} must be a positive integer, found {value!r}")
    return int(value)


def check_rate(name: str, value: Any) -> float:
    """Refuses anything but a number from 0 to 1.

    Args:
        name: The argument.
        value: What was given.

    Returns:
        The value.

    Raises:
        ConfigError: If it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) <= 1:
        raise ConfigError(f"{name} must be a number from 0 to 1, found {value!r}")
    return float(value)


def as_tensor(array: Any, name: str, label: str) -> Tensor:
    """Makes a tensor of an initial weight.

    Args:
        array: The array, or nested lists of numbers.
        name: The weight.
        label: What messages call the layer.

    Returns:
        The tensor; it may share the array's memory.

    Raises:
        WeightsError: If it is something else.
    """
    try:
        return torch.as_tensor(array)
    except (TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{label}: the weight '{name}' must be an array of numbers, found {array!r:.60}") from error


def check_number(name: str, value: Any) -> float:
    """Refuses anything but a finite number.

    Args:
        name: The argument.
        value: What was given.

    Returns:
        The value.

    Raises:
        ConfigError: If it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ConfigError(f"{name} must be a number, found {value!r}")
    if not math.isfinite(value):
        raise ConfigError(f"{name} must be a finite number, found {value!r}")
    return float(value)


def check_integers(
    name: str, value: Any, whole: str, each: str, holds: Callable[[int], bool] = lambda item: True
) -> tuple[int, ...]:
    """Refuses anything but a list or a tuple of integers.

    Args:
        name: The argument.
        value: What was given.
        whole: What the argument takes, in words.
        each: What its items are, in words.
        holds: The condition on an item.

    Returns:
        The items.

    Raises:
        ConfigError: If it is no list, or an item is something else.
    """
    if not isinstance(value, (list, tuple)):
        raise ConfigError(f"{name} must be {whole}, found {value!r}")
    for index, item in enumerate(value):
        if isinstance(item, bool) or not isinstance(item, Integral) or not holds(int(item)):
            raise ConfigError(f"{name}[{index}] must be {each}, found {item!r}")
    return tuple(map(int, value))


def check_axes(name: str, value: Any) -> int | tuple[int, ...]:
    """Refuses anything but an axis after the batch's, or a list of these.

    Args:
        name: The argument.
        value: What was given.

    Returns:
        The axis or the axes.

    Raises:
        ConfigError: If one is something else.
    """
    axes = value if isinstance(value, (list, tuple)) else [value]
    for axis in axes:
        if isinstance(axis, bool) or not isinstance(axis, Integral) or axis < 1:
            raise ConfigError(f"{name} must be an axis from 1 on or a list of these, found {axis!r}")
    return tuple(map(int, axes)) if axes is value else int(value)

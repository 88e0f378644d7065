"""Checks of arguments: plain numbers, for which a config has the same rules and words, and weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable, Mapping
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from rnnspec.engines.checks import check_choice, check_optional_count, is_integer
from rnnspec.errors import ConfigError, WeightsError

__all__ = [
    "check_axes",
    "check_axis",
    "check_choice",
    "check_integers",
    "check_not_negative",
    "check_number",
    "check_one",
    "check_optional_count",
    "check_plain",
    "check_positive_integer",
    "check_rate",
    "check_several_axes",
    "check_two",
    "check_weights",
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
    if not is_integer(value) or value < 1:
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


def check_plain(names: Iterable[str], parameters: Container[str], label: str, what: str) -> None:
    """Refuses a weight that torch makes anew for every call: what is written to it would be lost.

    Args:
        names: The weights.
        parameters: Names of the layer's own parameters.
        label: What messages call the layer.
        what: What needs the weights as they are.

    Raises:
        WeightsError: If one of the weights is no parameter.
    """
    for name in names:
        if name not in parameters:
            raise WeightsError(
                f"{label}: {what} needs plain weights, and torch makes '{name}' from other parameters "
                f"(parametrized or pruned); remove that first"
            )


def check_weights(weights: Any, parameters: Mapping[str, Tensor], label: str) -> list[Tensor]:
    """Makes tensors of given weights, if they fit.

    Args:
        weights: One array a parameter.
        parameters: The parameters, by name.
        label: What messages call the layer.

    Returns:
        The tensors; they may share the arrays' memory.

    Raises:
        WeightsError: If the count or a shape does not fit, or something is no array of numbers.
    """
    if not isinstance(weights, (list, tuple)):
        raise WeightsError(f"{label} takes its weights as a list of arrays, found {type(weights).__name__}")
    if len(weights) != len(parameters):
        names = f" ({', '.join(parameters)})" if parameters else ""
        raise WeightsError(f"{label} has {len(parameters)} weights{names}, it was given {len(weights)}")
    tensors = [_as_tensor(array, name, label) for name, array in zip(parameters, weights, strict=True)]
    wrong = [
        f"{label}: the weight '{name}' has shape {tuple(parameter.shape)}, it was given {tuple(tensor.shape)}"
        for (name, parameter), tensor in zip(parameters.items(), tensors, strict=True)
        if parameter.shape != tensor.shape
    ]
    if wrong:
        raise WeightsError(*wrong)
    return tensors


def _as_tensor(array: Any, name: str, label: str) -> Tensor:
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
        if not is_integer(item) or not holds(int(item)):
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
        if not is_integer(axis) or axis < 1:
            raise ConfigError(f"{name} must be an axis from 1 on or a list of these, found {axis!r}")
    return tuple(map(int, axes)) if axes is value else int(value)


def check_one(name: str, value: Any) -> int:
    """Refuses anything but a positive integer, which may be in a list of its own, as Keras writes it.

    Args:
        name: The argument.
        value: What was given.

    Returns:
        The integer.

    Raises:
        ConfigError: If it is something else.
    """
    found = _alone(value)
    if not is_integer(found) or found < 1:
        raise ConfigError(f"{name} must be a positive integer or a list of one, found {value!r}")
    return int(found)


def check_axis(name: str, value: Any) -> int:
    """Refuses anything but an integer, which may be in a list of its own, as Keras writes it.

    Args:
        name: The argument.
        value: What was given.

    Returns:
        The axis.

    Raises:
        ConfigError: If it is something else.
    """
    found = _alone(value)
    if not is_integer(found):
        raise ConfigError(f"{name} must be an integer or a list of one, found {value!r}")
    return int(found)


def _alone(value: Any) -> Any:
    """What stands in a list of its own, as Keras writes it; else the value."""
    return value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value


def check_not_negative(name: str, value: Any) -> float:
    """Refuses anything but a finite number of 0 or more.

    Args:
        name: The argument.
        value: What was given.

    Returns:
        The value.

    Raises:
        ConfigError: If it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) < math.inf:
        raise ConfigError(f"{name} must be a number of 0 or more, found {value!r}")
    return float(value)


def check_several_axes(name: str, value: Any) -> int | tuple[int, ...]:
    """Refuses anything but an integer or a list of integers.

    Args:
        name: The argument.
        value: What was given.

    Returns:
        The axis or the axes.

    Raises:
        ConfigError: If it is something else.
    """
    axes = value if isinstance(value, (list, tuple)) else [value]
    if not axes or not all(map(is_integer, axes)):
        raise ConfigError(f"{name} must be an integer or a list of integers, found {value!r}")
    return tuple(map(int, axes)) if axes is value else int(value)


def check_two(name: str, value: Any) -> int | tuple[int, ...]:
    """Refuses anything but an integer of 0 or more, or two of these.

    Args:
        name: The argument.
        value: What was given.

    Returns:
        The number or the numbers.

    Raises:
        ConfigError: If it is something else.
    """
    listed = isinstance(value, (list, tuple))
    items = list(value) if listed else [value]
    if (listed and len(items) != 2) or not all(is_integer(item) and item >= 0 for item in items):
        raise ConfigError(f"{name} must be an integer of 0 or more or a list of two, found {value!r}")
    return tuple(map(int, items)) if listed else int(value)

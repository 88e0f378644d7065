"""Checks of arguments: plain numbers, for which a config has the same rules and words, and weights."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor

from rnnspec.engines.checks import check_choice
from rnnspec.errors import ConfigError, WeightsError

__all__ = ["as_tensor", "check_choice", "check_positive_integer", "check_rate"]


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

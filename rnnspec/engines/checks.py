"""What the tensors of a call must be. Layers and functions share these checks; `label` is what messages call them."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from rnnspec.engines.cells import Cell
from rnnspec.errors import ConfigError, DTypeError, MaskError, Problem, ShapeError, StateError

__all__ = [
    "boolean_mask",
    "check_cell",
    "check_choice",
    "check_dtype",
    "check_mask_count",
    "check_optional_count",
    "check_states",
    "fitting_dropout_masks",
    "is_integer",
    "weight_shapes",
]


def check_cell(cell: Any) -> None:
    """Refuses what is no cell: an object without gates, or without equations.

    Args:
        cell: The cell.

    Raises:
        ConfigError: If it is none.
    """
    name = type(cell).__name__
    gates = getattr(cell, "gates", None)
    if not isinstance(gates, tuple) or not gates:
        found = "" if gates is None else f", found {gates!r}"
        raise ConfigError(f'{name} needs the names of its gates as a tuple, for example gates = ("h",){found}')
    kind = type(cell)
    unfinished = isinstance(cell, Cell) and (kind.activate is Cell.activate or kind.update is Cell.update)
    if unfinished and kind.step is Cell.step:
        raise ConfigError(f"{name} must define step(x, states, recur), or activate and update")


def weight_shapes(cell: Cell, units: int, features: int, *, use_bias: bool) -> dict[str, tuple[int, ...]]:
    """The shapes of a cell's weights.

    Args:
        cell: The cell.
        units: Width of a gate.
        features: Width of the input.
        use_bias: Whether there is a bias.

    Returns:
        Kernel, recurrent kernel, bias, and the cell's own weights, in this order.
    """
    columns = len(cell.gates) * units
    needed: dict[str, tuple[int, ...]] = {
        "kernel": (features, columns),
        "recurrent_kernel": (cell.state_sizes(units)[0], columns),
    }
    if use_bias:
        needed["bias"] = (2, columns) if cell.recurrent_bias else (columns,)
    return needed | {name: weight.shape for name, weight in cell.extra_weights(units).items()}


def check_dtype(label: str, x: Tensor, dtype: torch.dtype) -> None:
    """Refuses an input of another dtype than the weights', but where autocast brings the two together.

    Args:
        label: What messages call the caller.
        x: The input.
        dtype: Dtype of the weights.

    Raises:
        DTypeError: If they differ, outside autocast, or under it where one is float64, which it leaves as it is.
    """
    mixes = x.is_floating_point() and torch.float64 not in (x.dtype, dtype)
    if x.dtype != dtype and not (mixes and torch.is_autocast_enabled(x.device.type)):
        raise DTypeError(f"{label} has weights of dtype {dtype}, the input has {x.dtype}")


def boolean_mask(
    label: str, mask: Any, shape: Sequence[int], *, axes: str = "batch, time", hint: str | None = None
) -> Tensor:
    """Makes a mask boolean and checks its shape.

    Args:
        label: What messages call the caller.
        mask: Boolean or numeric.
        shape: The shape it must have.
        axes: What messages call its axes.
        hint: What the caller may have meant, for messages.

    Returns:
        The boolean mask.

    Raises:
        MaskError: If it is no tensor, or its shape does not fit.
    """
    if not isinstance(mask, Tensor):
        raise MaskError(f"{label} takes a mask tensor of shape ({axes}), found {type(mask).__name__}")
    if mask.shape != shape:
        message = f"{label} expects a mask of shape ({axes}) = {tuple(shape)}, found {tuple(mask.shape)}"
        raise MaskError(Problem(message, hint=hint))
    boolean: Tensor = mask if mask.dtype == torch.bool else mask != 0
    return boolean


def check_states(
    label: str,
    what: str,
    given: Tensor | Sequence[Tensor],
    *,
    cell: Cell,
    shapes: Sequence[tuple[int, int]],
    dtype: torch.dtype,
) -> tuple[Tensor, ...]:
    """Checks the states that a caller gives.

    Args:
        label: What messages call the caller.
        what: The argument that holds the states.
        given: The states in the order of the cell; one alone needs no list.
        cell: The cell.
        shapes: The shapes they must have.
        dtype: Dtype of the weights.

    Returns:
        The states.

    Raises:
        StateError: If one is no tensor, or the count or a shape does not fit.
        DTypeError: If a state has another dtype than the weights.
    """
    states = tuple(given) if isinstance(given, (list, tuple)) else (given,)
    names = cell.states
    for state in states:
        if not isinstance(state, Tensor):
            raise StateError(f"{label}: {what} takes tensors, found {type(state).__name__}")
    if len(states) != len(names):
        raise StateError(f"{label} has {len(names)} states ({', '.join(names)}), {what} has {len(states)}")
    for name, state, shape in zip(names, states, shapes, strict=True):
        if tuple(state.shape) != shape:
            raise StateError(f"{label}: the state '{name}' in {what} has shape {tuple(state.shape)}, expected {shape}")
        if state.dtype != dtype:
            raise DTypeError(f"{label}: the state '{name}' in {what} has dtype {state.dtype}, the weights have {dtype}")
    return states


def check_mask_count(label: str, name: str, masks: Sequence[Tensor], cell: Cell) -> None:
    """Refuses a list of dropout masks that has neither one mask nor one a gate.

    Args:
        label: What messages call the caller.
        name: The argument that holds the masks.
        masks: The masks.
        cell: The cell.

    Raises:
        ShapeError: If the count does not fit.
    """
    gates = cell.gates
    if len(masks) not in (1, len(gates)):
        wanted = "1 mask" if len(gates) == 1 else f"1 or {len(gates)} masks (gates {', '.join(gates)})"
        raise ShapeError(f"{label} expected {wanted} in {name}, found {len(masks)}")


def fitting_dropout_masks(label: str, masks: Sequence[Tensor], shape: tuple[int, int], like: Tensor) -> Tensor:
    """Checks the shapes of dropout masks that a caller gives, and makes one tensor of them.

    Args:
        label: What messages call the caller.
        masks: The masks.
        shape: The shape they must have, `(batch, width)`.
        like: A tensor of the dtype and on the device that they shall have.

    Returns:
        The masks in that dtype, `(count, batch, width)`.

    Raises:
        ShapeError: If a shape does not fit.
    """
    wrong = [tuple(mask.shape) for mask in masks if mask.shape != shape]
    if wrong:
        raise ShapeError(f"{label}: a dropout mask has shape {wrong[0]}, expected {shape}")
    return torch.stack([mask.to(like) for mask in masks])


def check_choice(name: str, value: Any, choices: tuple[Any, ...]) -> Any:
    """Refuses anything but one of some values.

    Args:
        name: The argument.
        value: What was given.
        choices: What is allowed.

    Returns:
        The value.

    Raises:
        ConfigError: If it is something else.
    """
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        *others, last = map(str, choices)
        raise ConfigError(f"{name} must be {', '.join(others)} or {last}, found {value!r}")
    return value


def is_integer(value: Any) -> bool:
    """Whether a value is an integer; True is not 1 here."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def check_optional_count(name: str, value: Any) -> int | None:
    """Refuses anything but a count or None.

    Args:
        name: The argument.
        value: What was given.

    Returns:
        The value.

    Raises:
        ConfigError: If it is something else; True is not 1 here.
    """
    if value is None:
        return None
    if not is_integer(value) or value < 0:
        raise ConfigError(f"{name} must be an integer of 0 or more, found {value!r}")
    return int(value)

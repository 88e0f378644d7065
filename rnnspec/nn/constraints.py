"""The constraints of Keras 2.0.8 (`keras/constraints.py`): what a weight becomes after an optimizer's step.

They see whole matrices: along axis 0 every column, so each unit of each gate on its own; of a bias, all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from rnnspec.errors import warn
from rnnspec.nn.named import Named, find, name_of
from rnnspec.registry import CONSTRAINTS

__all__ = ["Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "Wrapped", "get"]

EPSILON = 1e-7
"""Keras's `K.epsilon()`: keeps a norm of 0 from dividing."""

Axis = int | Sequence[int]


class Constraint(Named):
    """The base of all constraints; a subclass is a frozen dataclass that defines `__call__`."""

    axis: Axis = ()

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes along which it takes a norm, those that a weight must have."""
        return (self.axis,) if isinstance(self.axis, int) else tuple(self.axis)

    def __call__(self, tensor: Tensor) -> Tensor:
        """Computes the constrained weight.

        Args:
            tensor: The weight.

        Returns:
            A tensor of the same shape.
        """
        raise NotImplementedError(f"{type(self).__name__} must define __call__(tensor)")


def _norm(tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
    """The Euclidean norm along axes, which stay with size 1."""
    return tensor.square().sum(dim=axes, keepdim=True).sqrt()


@dataclass(frozen=True, repr=False)
class MaxNorm(Constraint):
    """Shortens what is longer than `max_value` (Srivastava et al., 2014).

    Args:
        max_value: The greatest norm.
        axis: Along which the norm is taken: 0 is the input side of a kernel. Several axes as a sequence.
    """

    max_value: float = 2.0
    axis: Axis = 0

    def __call__(self, tensor: Tensor) -> Tensor:
        """See `Constraint.__call__`."""
        norm = _norm(tensor, self.axes)
        return tensor * (norm.clamp(0.0, self.max_value) / (EPSILON + norm))


@dataclass(frozen=True, repr=False)
class UnitNorm(Constraint):
    """Gives everything the norm 1.

    Args:
        axis: Along which the norm is taken: 0 is the input side of a kernel. Several axes as a sequence.
    """

    axis: Axis = 0

    def __call__(self, tensor: Tensor) -> Tensor:
        """See `Constraint.__call__`."""
        return tensor / (EPSILON + _norm(tensor, self.axes))


@dataclass(frozen=True, repr=False)
class MinMaxNorm(Constraint):
    """Brings the norm between two bounds, or part of the way there.

    Args:
        min_value: The least norm.
        max_value: The greatest norm.
        rate: How much of the way: 1 all of it, 0 none.
        axis: Along which the norm is taken: 0 is the input side of a kernel. Several axes as a sequence.
    """

    min_value: float = 0.0
    max_value: float = 1.0
    rate: float = 1.0
    axis: Axis = 0

    def __call__(self, tensor: Tensor) -> Tensor:
        """See `Constraint.__call__`."""
        norm = _norm(tensor, self.axes)
        desired = self.rate * norm.clamp(self.min_value, self.max_value) + (1.0 - self.rate) * norm
        return tensor * (desired / (EPSILON + norm))


@dataclass(frozen=True, repr=False)
class NonNeg(Constraint):
    """Sets what is negative to 0.

    Args:
        w: Accepted, because Polyaxon asks for it, and without meaning.
    """

    w: Any = None

    def __post_init__(self) -> None:
        """Says that `w` has no meaning."""
        if self.w is not None:
            warn("NonNeg has an argument w, which has no meaning")

    def __call__(self, tensor: Tensor) -> Tensor:
        """See `Constraint.__call__`."""
        return tensor.clamp(min=0.0)


@dataclass(frozen=True, repr=False)
class Wrapped(Constraint):
    """A user's function.

    Args:
        function: Takes a weight, returns what it shall be.
    """

    function: Callable[[Tensor], Tensor]

    def __repr__(self) -> str:
        return name_of(self.function)

    def __call__(self, tensor: Tensor) -> Tensor:
        """See `Constraint.__call__`."""
        return self.function(tensor)


_NAMES: Mapping[str, Callable[[], Constraint]] = {
    "MaxNorm": MaxNorm,
    "max_norm": MaxNorm,
    "maxnorm": MaxNorm,
    "NonNeg": NonNeg,
    "non_neg": NonNeg,
    "nonneg": NonNeg,
    "UnitNorm": UnitNorm,
    "unit_norm": UnitNorm,
    "unitnorm": UnitNorm,
    "MinMaxNorm": MinMaxNorm,
    "min_max_norm": MinMaxNorm,
}


def get(value: str | Constraint | Callable[..., Any] | None) -> Constraint | None:
    """Finds a constraint.

    Args:
        value: A name (`MaxNorm`, `max_norm`, a registered one), a constraint, a class that needs no arguments, a
            function from a weight to a weight, or None.

    Returns:
        The constraint, or None for None.

    Raises:
        ConfigError: If there is no constraint of that name, or the value is none of the above.
    """
    return None if value is None else find(value, CONSTRAINTS, _NAMES, Constraint, Wrapped)

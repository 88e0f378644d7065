"""Constraints: what is done to a weight after every step of an optimizer. They act on the whole matrix of all gates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from attrs import frozen

from rnnspec.config.base import Preset, TaggedConfig
from rnnspec.config.checks import Axis, NonNegativeNumber, Rate
from rnnspec.config.tags import Registered, tagged
from rnnspec.errors import Problem, warn
from rnnspec.registry import CONSTRAINTS, Registry

__all__ = [
    "ConstraintConfig",
    "ConstraintLike",
    "MaxNormConfig",
    "MinMaxNormConfig",
    "NonNegConfig",
    "RegisteredConstraintConfig",
    "UnitNormConfig",
]


class ConstraintConfig(TaggedConfig):
    """The base of all constraints."""

    expected: ClassVar[str] = "a constraint"
    registry: ClassVar[Registry] = CONSTRAINTS
    aliases: ClassVar[Mapping[str, Preset]] = {
        "max_norm": ("MaxNorm", {}),
        "maxnorm": ("MaxNorm", {}),
        "non_neg": ("NonNeg", {}),
        "nonneg": ("NonNeg", {}),
        "unit_norm": ("UnitNorm", {}),
        "unitnorm": ("UnitNorm", {}),
        "min_max_norm": ("MinMaxNorm", {}),
    }

    @classmethod
    def from_users_tag(cls, tag: str, arguments: Mapping[str, Any]) -> TaggedConfig:
        """Makes the config of a constraint that a user registered."""
        return RegisteredConstraintConfig(tag, arguments)


ConstraintLike = Annotated[ConstraintConfig | str | Mapping[str, Any], tagged(ConstraintConfig)]


class RegisteredConstraintConfig(Registered, ConstraintConfig):
    """A constraint that a user registered with `rnnspec.register.constraint`; see `Registered`."""

    works_on_weight: ClassVar[bool] = True


@frozen(slots=False, eq=False, repr=False)
class MaxNormConfig(ConstraintConfig):
    """Shortens vectors that are longer than `max_value`.

    Args:
        max_value: The greatest norm, 0 or more.
        axis: The axis, or axes, over which the norm is taken. 0 takes each column, so each unit of each gate, alone;
            over a bias it is the norm of the whole.
    """

    identifier: ClassVar[str] = "MaxNorm"

    max_value: NonNegativeNumber = 2.0
    axis: Axis = 0


@frozen(slots=False, eq=False, repr=False)
class NonNegConfig(ConstraintConfig):
    """Sets what is negative to 0.

    Args:
        w: Accepted, because Polyaxon asks for it, and without meaning: anything but None gives a `ConfigWarning`.
    """

    identifier: ClassVar[str] = "NonNeg"

    w: Any = None

    def warn(self) -> None:
        """Says that `w` has no meaning."""
        if self.w is not None:
            warn("NonNeg has an argument w, which has no meaning")


@frozen(slots=False, eq=False, repr=False)
class UnitNormConfig(ConstraintConfig):
    """Scales vectors to length 1.

    Args:
        axis: The axis, or axes, over which the norm is taken, as in `MaxNormConfig`.
    """

    identifier: ClassVar[str] = "UnitNorm"

    axis: Axis = 0


@frozen(slots=False, eq=False, repr=False)
class MinMaxNormConfig(ConstraintConfig):
    """Brings the length of vectors between two bounds.

    Args:
        min_value: The smallest norm, 0 or more.
        max_value: The greatest norm, not below `min_value`.
        rate: How much of the way is gone, from 0 to 1: the new norm is `rate * clipped + (1 - rate) * norm`.
        axis: The axis, or axes, over which the norm is taken, as in `MaxNormConfig`.
    """

    identifier: ClassVar[str] = "MinMaxNorm"

    min_value: NonNegativeNumber = 0.0
    max_value: NonNegativeNumber = 1.0
    rate: Rate = 1.0
    axis: Axis = 0

    @classmethod
    def relations(cls, values: Mapping[str, Any]) -> list[Problem]:
        """Checks that the bounds are in order."""
        low, high = values.get("min_value"), values.get("max_value")
        if low is None or high is None or low <= high:
            return []
        return [Problem(f"max_value must not be below min_value, found {high} and {low}", ("max_value",))]

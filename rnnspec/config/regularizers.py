"""Regularizers: losses of weights or outputs that are added to the model's loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from attrs import frozen

from rnnspec.config.base import Preset, TaggedConfig
from rnnspec.config.tags import Registered, tagged
from rnnspec.registry import REGULARIZERS, Registry

__all__ = [
    "L1L2RegularizerConfig",
    "L1RegularizerConfig",
    "L2RegularizerConfig",
    "RegisteredRegularizerConfig",
    "RegularizerConfig",
    "RegularizerLike",
]


class RegularizerConfig(TaggedConfig):
    """The base of all regularizers."""

    expected: ClassVar[str] = "a regularizer"
    registry: ClassVar[Registry] = REGULARIZERS
    aliases: ClassVar[Mapping[str, Preset]] = {
        "l1": ("L1", {}),
        "l2": ("L2", {}),
        "l1_l2": ("L1L2", {}),
        "l1l2": ("L1L2", {}),
    }
    keras_presets: ClassVar[Mapping[str, Preset]] = {"L1L2": ("L1L2", {"l1": 0.0, "l2": 0.0})}

    @classmethod
    def from_users_tag(cls, tag: str, arguments: Mapping[str, Any]) -> TaggedConfig:
        """Makes the config of a regularizer that a user registered."""
        return RegisteredRegularizerConfig(tag, arguments)


RegularizerLike = Annotated[RegularizerConfig | str | Mapping[str, Any], tagged(RegularizerConfig)]


class RegisteredRegularizerConfig(Registered, RegularizerConfig):
    """A regularizer that a user registered with `rnnspec.register.regularizer`; see `Registered`."""

    works_on_weight: ClassVar[bool] = True


@frozen(slots=False, eq=False, repr=False)
class L1RegularizerConfig(RegularizerConfig):
    """`l` times the sum of the absolute values.

    Args:
        l: Factor.
        name: Name of the loss.
        collect: False leaves the loss out of `losses`.
    """

    identifier: ClassVar[str] = "L1"

    l: float = 0.01  # Polyaxon's and Keras's name
    name: str | None = None
    collect: bool = True


@frozen(slots=False, eq=False, repr=False)
class L2RegularizerConfig(RegularizerConfig):
    """`l` times the sum of the squares, without the factor 1/2.

    Args:
        l: Factor.
        name: Name of the loss.
        collect: False leaves the loss out of `losses`.
    """

    identifier: ClassVar[str] = "L2"

    l: float = 0.01  # Polyaxon's and Keras's name
    name: str | None = None
    collect: bool = True


@frozen(slots=False, eq=False, repr=False)
class L1L2RegularizerConfig(RegularizerConfig):
    """`l1` times the sum of the absolute values plus `l2` times the sum of the squares.

    The defaults are Polyaxon's (and those of Keras's `l1_l2`). Keras's class has 0 for both, and so has
    `{class_name: L1L2, config: {...}}`.

    Args:
        l1: Factor of the absolute values.
        l2: Factor of the squares.
        name: Name of the loss.
        collect: False leaves the loss out of `losses`.
    """

    identifier: ClassVar[str] = "L1L2"

    l1: float = 0.01
    l2: float = 0.01
    name: str | None = None
    collect: bool = True

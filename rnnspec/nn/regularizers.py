"""The regularizers of Keras 2.0.8 (`keras/regularizers.py`): sums over the whole tensor, not means, no factor 1/2."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from rnnspec.nn.named import Named, find, name_of
from rnnspec.registry import REGULARIZERS

__all__ = ["L1", "L1L2", "L2", "Regularizer", "Wrapped", "get"]


class Regularizer(Named):
    """The base of all regularizers; a subclass is a frozen dataclass that defines `__call__`.

    Attributes:
        collect: Whether the loss is among a layer's `losses`.
    """

    collect: bool = True

    def __call__(self, tensor: Tensor) -> Tensor:
        """Computes the loss.

        Args:
            tensor: A weight, or an output.

        Returns:
            A scalar tensor.
        """
        raise NotImplementedError(f"{type(self).__name__} must define __call__(tensor)")


def _loss(tensor: Tensor, l1: float, l2: float) -> Tensor:
    """`sum(l1 * |tensor|) + sum(l2 * tensor ** 2)`; a factor of 0 leaves its sum out."""
    loss = tensor.new_zeros(())
    if l1:
        loss = loss + l1 * tensor.abs().sum()
    if l2:
        loss = loss + l2 * tensor.square().sum()
    return loss


@dataclass(frozen=True, repr=False)
class L1(Regularizer):
    """`sum(l * |w|)`.

    Args:
        l: Factor.
        name: A name for the loss, without meaning to the layers.
        collect: False leaves the loss out of the layer's `losses`.
    """

    l: float = 0.01  # Polyaxon's and Keras's name
    name: str | None = None
    collect: bool = True

    def __call__(self, tensor: Tensor) -> Tensor:
        """See `Regularizer.__call__`."""
        return _loss(tensor, self.l, 0.0)


@dataclass(frozen=True, repr=False)
class L2(Regularizer):
    """`sum(l * w ** 2)`.

    Args:
        l: Factor.
        name: A name for the loss, without meaning to the layers.
        collect: False leaves the loss out of the layer's `losses`.
    """

    l: float = 0.01  # Polyaxon's and Keras's name
    name: str | None = None
    collect: bool = True

    def __call__(self, tensor: Tensor) -> Tensor:
        """See `Regularizer.__call__`."""
        return _loss(tensor, 0.0, self.l)


@dataclass(frozen=True, repr=False)
class L1L2(Regularizer):
    """`sum(l1 * |w|) + sum(l2 * w ** 2)`.

    Args:
        l1: Factor of the first sum; Polyaxon's default, Keras's class has 0.
        l2: Factor of the second sum; Polyaxon's default, Keras's class has 0.
        name: A name for the loss, without meaning to the layers.
        collect: False leaves the loss out of the layer's `losses`.
    """

    l1: float = 0.01
    l2: float = 0.01
    name: str | None = None
    collect: bool = True

    def __call__(self, tensor: Tensor) -> Tensor:
        """See `Regularizer.__call__`."""
        return _loss(tensor, self.l1, self.l2)


@dataclass(frozen=True, repr=False)
class Wrapped(Regularizer):
    """A user's function.

    Args:
        function: Takes a tensor, returns a scalar tensor.
    """

    function: Callable[[Tensor], Tensor]

    def __repr__(self) -> str:
        return name_of(self.function)

    def __call__(self, tensor: Tensor) -> Tensor:
        """See `Regularizer.__call__`."""
        return self.function(tensor)


_NAMES: Mapping[str, Callable[[], Regularizer]] = {
    "L1": L1,
    "l1": L1,
    "L2": L2,
    "l2": L2,
    "L1L2": L1L2,
    "l1l2": L1L2,
    "l1_l2": L1L2,
}


def get(value: str | Regularizer | Callable[..., Any] | None) -> Regularizer | None:
    """Finds a regularizer.

    Args:
        value: A name (`L2`, `l2`, a registered one), a regularizer, a class that needs no arguments, a function from a
            tensor to a scalar tensor, or None.

    Returns:
        The regularizer, or None for None.

    Raises:
        ConfigError: If there is no regularizer of that name, or the value is none of the above.
    """
    return None if value is None else find(value, REGULARIZERS, _NAMES, Regularizer, Wrapped)

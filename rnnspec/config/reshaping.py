"""Layers that move numbers and compute none: Flatten, Reshape, Permute, RepeatVector; as in Keras 2.0.8.

They cannot take a mask: its steps would not be those of the output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from attrs import frozen

from rnnspec import shapes
from rnnspec.config.checks import Limit, PositiveInt
from rnnspec.config.layer import LayerConfig
from rnnspec.errors import Problem

__all__ = ["FlattenConfig", "PermuteConfig", "RepeatVectorConfig", "ReshapeConfig"]

TargetSize = Annotated[
    int,
    Limit(
        "a positive integer or -1",
        lambda value: value > 0 or value == -1,
        {"minimum": -1, "not": {"const": 0}},
    ),
]
TargetShape = Annotated[Sequence[TargetSize], Limit("a list of sizes, each a positive integer or -1")]
Dims = Annotated[Sequence[int], Limit("a list of axes, counted from 1", schema={"uniqueItems": True})]


class FlattenConfig(LayerConfig):
    """Makes one axis of all but the batch's. All sizes must be known, and it cannot take a mask."""

    identifier: ClassVar[str] = "Flatten"
    supports_masking: ClassVar[bool] = False

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """`(batch, all other sizes multiplied)`."""
        return shapes.flatten(input_shape)


@frozen(slots=False, eq=False, repr=False)
class ReshapeConfig(LayerConfig):
    """Gives each row of the batch another shape; the numbers keep their order. All sizes must be known.

    Args:
        target_shape: The new shape without the batch. One size may be -1: it takes what is left.
    """

    identifier: ClassVar[str] = "Reshape"
    supports_masking: ClassVar[bool] = False

    target_shape: TargetShape

    @classmethod
    def relations(cls, values: Mapping[str, Any]) -> list[Problem]:
        """Checks that there is one -1 at most."""
        wrong = shapes.wrong_target_shape(values.get("target_shape", ()))
        return [Problem(wrong, ("target_shape",))] if wrong else []

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """The batch and `target_shape`."""
        return shapes.reshape(input_shape, target_shape=self.target_shape)


@frozen(slots=False, eq=False, repr=False)
class PermuteConfig(LayerConfig):
    """Puts the axes into another order; the batch's stays the first.

    Args:
        dims: The order of the axes, counted from 1, each once: `(2, 1)` swaps time and features.
    """

    identifier: ClassVar[str] = "Permute"
    supports_masking: ClassVar[bool] = False

    dims: Dims

    @property
    def input_rank(self) -> int | None:  # type: ignore[override]  # every instance has a rank of its own
        """The axes that `dims` names and the batch's."""
        return len(self.dims) + 1

    @classmethod
    def relations(cls, values: Mapping[str, Any]) -> list[Problem]:
        """Checks that every axis is named once."""
        wrong = shapes.wrong_dims(values.get("dims", ()))
        return [Problem(wrong, ("dims",))] if wrong else []

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """The sizes in their new order."""
        return shapes.permute(input_shape, dims=self.dims)


@frozen(slots=False, eq=False, repr=False)
class RepeatVectorConfig(LayerConfig):
    """Makes a sequence of `n` equal steps of each row: `(batch, features)` becomes `(batch, n, features)`.

    Args:
        n: Number of steps, a positive integer.
    """

    identifier: ClassVar[str] = "RepeatVector"
    supports_masking: ClassVar[bool] = False
    input_rank: ClassVar[int | None] = 2

    n: PositiveInt

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """`(batch, n, features)`."""
        return shapes.repeat_vector(input_shape, n=self.n)

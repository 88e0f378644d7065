"""The layers with several inputs, as in Keras 2.0.8; Minimum as in Keras 2.1. Only a graph can hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from attrs import field, frozen

from rnnspec import merging, shapes
from rnnspec.config.checks import ExpectedError, OneAxis, Whole
from rnnspec.config.layer import LayerConfig
from rnnspec.errors import Problem

__all__ = [
    "AddConfig",
    "AverageConfig",
    "ConcatenateConfig",
    "DotConfig",
    "MaximumConfig",
    "MergeConfig",
    "MinimumConfig",
    "MultiplyConfig",
    "SubtractConfig",
]


def _dot_axes(value: Any) -> Any:
    """An axis, or one for each of two inputs."""
    listed = isinstance(value, (list, tuple))
    if listed and len(value) != 2:
        raise ExpectedError("an integer or a list of two", value)
    for axis in value if listed else [value]:
        if isinstance(axis, bool) or not isinstance(axis, int):
            raise ExpectedError("an integer or a list of two", value)
    return tuple(value) if listed else value


_INTEGER = {"type": "integer"}
_TWO = {"type": "array", "items": _INTEGER, "minItems": 2, "maxItems": 2}
DotAxes = Annotated[int | Sequence[int], Whole(_dot_axes, {"anyOf": [_INTEGER, _TWO]})]


@frozen(slots=False, eq=False, repr=False)
class MergeConfig(LayerConfig):
    """The base of layers with several inputs: shapes and masks come as lists, one for each input.

    Args:
        mask_rule: What leaves of the masks. `all` (default): a step is valid where it is in every input that has a
            mask, as in Keras 2. `any`: where it is in one of them, and no mask leaves if an input has none, as in newer
            Keras 3.
    """

    takes_several: ClassVar[bool] = True

    mask_rule: Literal["all", "any"] = field(default="all", kw_only=True)

    @classmethod
    def relations(cls, values: Mapping[str, Any]) -> list[Problem]:
        """Checks that no input's shape is declared: there are several."""
        names = ("input_shape", "batch_input_shape")
        given = [name for name in names if values.get(name) is not None]
        return [Problem(merging.one_shape(cls.identifier), (name,)) for name in given]

    def compute_output_shape(self, input_shapes: Sequence[shapes.Shape]) -> shapes.Shape | None:  # type: ignore[override]
        """Output shape for the inputs' shapes, all with the batch.

        Args:
            input_shapes: One an input, None where a size is free.

        Returns:
            The output's shape.

        Raises:
            ShapeError: If they do not fit, or are too few or too many.
        """
        return merging.elementwise(input_shapes)

    def output_mask(self, masks: Sequence[bool | None]) -> bool | None:  # type: ignore[override]
        """Whether a mask leaves the layer.

        Args:
            masks: Whether one comes with each input; None if that is not known.

        Returns:
            The answer; None if it is not known.
        """
        if self.mask_rule == "all":
            return True if True in masks else None if None in masks else False
        return False if False in masks else None if None in masks else True


class AddConfig(MergeConfig):
    """The sum of the inputs."""

    identifier: ClassVar[str] = "Add"


class SubtractConfig(MergeConfig):
    """The first input minus the second; there are two."""

    identifier: ClassVar[str] = "Subtract"

    def compute_output_shape(self, input_shapes: Sequence[shapes.Shape]) -> shapes.Shape | None:  # type: ignore[override]
        """As for all, of two."""
        return merging.elementwise(input_shapes, count=2)


class MultiplyConfig(MergeConfig):
    """The product of the inputs, number by number."""

    identifier: ClassVar[str] = "Multiply"


class AverageConfig(MergeConfig):
    """The mean of the inputs."""

    identifier: ClassVar[str] = "Average"


class MaximumConfig(MergeConfig):
    """The larger of the inputs, number by number."""

    identifier: ClassVar[str] = "Maximum"


class MinimumConfig(MergeConfig):
    """The smaller of the inputs, number by number."""

    identifier: ClassVar[str] = "Minimum"


@frozen(slots=False, eq=False, repr=False)
class ConcatenateConfig(MergeConfig):
    """The inputs one after another along an axis; masks are joined likewise along time.

    Args:
        axis: The axis (default -1, the last); it may count from the end.
    """

    identifier: ClassVar[str] = "Concatenate"

    axis: OneAxis = -1

    def compute_output_shape(self, input_shapes: Sequence[shapes.Shape]) -> shapes.Shape | None:  # type: ignore[override]
        """The sizes at `axis` added; all others must be equal."""
        return merging.concatenated(input_shapes, axis=self.axis)

    def output_mask(self, masks: Sequence[bool | None]) -> bool | None:  # type: ignore[override]
        """A mask leaves if one comes in: an input without one counts as valid."""
        return True if True in masks else None if None in masks else False


@frozen(slots=False, eq=False, repr=False)
class DotConfig(MergeConfig):
    """The products of two inputs, row by row of the batch, summed over one axis of each. No mask leaves.

    Args:
        axes: The axis of each input that is summed over, or one for both; they may count from the end.
        normalize: Whether vectors along these axes are given the length 1 first (default False).
    """

    identifier: ClassVar[str] = "Dot"

    axes: DotAxes
    normalize: bool = False

    def compute_output_shape(self, input_shapes: Sequence[shapes.Shape]) -> shapes.Shape | None:  # type: ignore[override]
        """The first input's other axes, then the second's; `(batch, 1)` where none are left."""
        return merging.dotted(input_shapes, axes=self.axes)

    def output_mask(self, masks: Sequence[bool | None]) -> bool | None:  # type: ignore[override]
        """No mask leaves."""
        return False

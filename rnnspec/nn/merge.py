"""The layers with several inputs, as in Keras 2.0.8; Minimum as in Keras 2.1. Only a graph can hold them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

from rnnspec import merging
from rnnspec.engines.checks import is_integer
from rnnspec.errors import ConfigError, DTypeError, MaskError, ShapeError
from rnnspec.nn.arguments import check_axis, check_choice
from rnnspec.nn.base import Layer, labelled
from rnnspec.shapes import Shape

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnspec.nn.base import LayerArguments

__all__ = ["Add", "Average", "Concatenate", "Dot", "Maximum", "Merge", "Minimum", "Multiply", "Subtract"]

Masks = Sequence[Tensor | None]
# What Keras's l2_normalize takes for the least length of a vector.
LEAST_NORM = 1e-6


def _over(mask: Tensor | None, x: Tensor) -> Tensor | None:
    """A mask with the rank of its input."""
    return None if mask is None else (mask != 0).reshape(*mask.shape, *[1] * (x.dim() - 2))


class Merge(Layer):
    """The base of layers with several inputs.

    Wherever another layer has one input, one shape and one mask, these have a list of each, in one order:
    `layer([a, b])`, `layer.build(shapes)`, `layer.compute_output_shape(shapes)`, `layer.compute_mask(inputs, masks)`,
    where `masks` may be None, and so may each of them. The output, its shape and its mask are single. They have no
    weights and draw nothing.

    Args:
        mask_rule: What leaves of the masks. `all`: a step is valid where it is in every input that has a mask, as in
            Keras 2. `any`: where it is in one of them, and no mask leaves if an input has none, as in newer Keras 3.
        **layer: See `Layer`; a single `input_shape` has no meaning here.

    Raises:
        ConfigError: If an input's shape is given.
    """

    supports_masking = True
    takes_several = True

    def __init__(self, *, mask_rule: Literal["all", "any"] = "all", **layer: Unpack[LayerArguments]) -> None:
        super().__init__(**layer)
        if self.declared_input_shape is not None:
            raise ConfigError(merging.one_shape(type(self).__name__))
        self.mask_rule = check_choice("mask_rule", mask_rule, ("all", "any"))

    def build(self, input_shapes: Sequence[Shape]) -> None:  # type: ignore[override]
        """Checks the shapes of the inputs; there are no weights to build.

        Args:
            input_shapes: One an input, with the batch, None where free.

        Raises:
            ShapeError: If they do not fit.
        """
        with labelled(self.label):
            self.compute_output_shape(input_shapes)

    def compute_output_shape(self, input_shapes: Sequence[Shape]) -> Shape:  # type: ignore[override]
        """The output's shape for the inputs' shapes: sizes of 1, and axes that are missing after the batch's, stretch.

        Args:
            input_shapes: One an input, with the batch, None where free.

        Returns:
            The shape, with the batch.

        Raises:
            ShapeError: If they do not fit.
        """
        return merging.elementwise(input_shapes)

    def compute_mask(self, x: Sequence[Tensor], mask: Masks | None) -> Tensor | None:  # type: ignore[override]
        """The mask that leaves the layer; see `mask_rule`.

        Args:
            x: The inputs.
            mask: One an input, `(batch, time)` or None; or None for all.

        Returns:
            The mask, or None.

        Raises:
            MaskError: If there is not one for each input.
        """
        masks = self.listed_masks(x, mask)
        missing = [one is None for one in masks]
        if (all if self.mask_rule == "all" else any)(missing):
            return None
        return self.joined([one for one in masks if one is not None])

    def listed_masks(self, x: Sequence[Tensor], mask: Masks | None) -> Masks:
        """The masks of a call, one an input, each of which may be None."""
        if mask is None:
            return [None] * len(x)
        if not isinstance(mask, (list, tuple)) or len(mask) != len(x):
            found = f"a list of {len(mask)}" if isinstance(mask, (list, tuple)) else type(mask).__name__
            raise MaskError(f"{self.label} takes a list of masks, one for each of its {len(x)} inputs, found {found}")
        return mask

    def joined(self, masks: Sequence[Tensor]) -> Tensor:
        """One mask of several, by the rule."""
        return reduce(torch.logical_and if self.mask_rule == "all" else torch.logical_or, masks)

    def forward(self, x: Sequence[Tensor], mask: Masks | None = None) -> Tensor:
        """Merges.

        Args:
            x: The inputs, a list of tensors.
            mask: The masks, one an input, or None; with `mask_rule="any"` Multiply, Maximum and Minimum leave out
                inputs at their masked steps, as newer Keras 3 does; else the output does not depend on it.

        Returns:
            The output.

        Raises:
            ShapeError: If it is no list, or the shapes do not fit.
            DTypeError: If the inputs have different dtypes, outside autocast.
            MaskError: If there is not one mask for each input.
        """
        if not isinstance(x, (list, tuple)):
            raise ShapeError(f"{self.label} takes a list of inputs, found {type(x).__name__}")
        self.build([tuple(one.shape) for one in x])
        dtypes = {one.dtype: None for one in x}
        if len(dtypes) > 1 and not torch.is_autocast_enabled(x[0].device.type):
            raise DTypeError(f"{self.label} takes inputs of one dtype, found {' and '.join(map(str, dtypes))}")
        if self.mask_rule == "any" and mask is not None and any(one is not None for one in self.listed_masks(x, mask)):
            parts = self.aligned(x)
            return self.merge_masked(parts, [_over(one, part) for one, part in zip(mask, parts, strict=True)])
        return self.merge(x)

    def merge(self, x: Sequence[Tensor]) -> Tensor:
        """Merges inputs that fit."""
        return reduce(self.pair, self.aligned(x))

    def merge_masked(self, x: Sequence[Tensor], masks: Masks) -> Tensor:
        """Merges inputs some of which have masks, by the rule `any`; the masks have the inputs' rank."""
        return self.merge(x)

    def pair(self, one: Tensor, other: Tensor) -> Tensor:
        """What becomes of two inputs of one rank; of more, one after the other."""
        raise NotImplementedError

    @staticmethod
    def aligned(x: Sequence[Tensor]) -> list[Tensor]:
        """The inputs with one rank: the axes that are missing come after the batch's."""
        rank = max(one.dim() for one in x)
        return [one.reshape(one.shape[0], *[1] * (rank - one.dim()), *one.shape[1:]) for one in x]

    def extra_repr(self) -> str:
        """The masks' rule, where it is not Keras 2's."""
        return "" if self.mask_rule == "all" else f"mask_rule={self.mask_rule!r}"


class Add(Merge):
    """The sum of the inputs."""

    def pair(self, one: Tensor, other: Tensor) -> Tensor:
        """The sum."""
        return one + other


class Subtract(Merge):
    """The first input minus the second; there are two."""

    def compute_output_shape(self, input_shapes: Sequence[Shape]) -> Shape:  # type: ignore[override]
        """As for all, of two."""
        return merging.elementwise(input_shapes, count=2)

    def pair(self, one: Tensor, other: Tensor) -> Tensor:
        """The difference."""
        return one - other


class Multiply(Merge):
    """The product of the inputs, number by number."""

    def pair(self, one: Tensor, other: Tensor) -> Tensor:
        """The product."""
        return one * other

    def merge_masked(self, x: Sequence[Tensor], masks: Masks) -> Tensor:
        """A masked step of an input counts as 1; where all inputs have masks and no step is valid, there are zeros."""
        given = [mask for mask in masks if mask is not None]
        pairs = zip(x, masks, strict=True)
        product = self.merge([one if mask is None else one.masked_fill(~mask, 1.0) for one, mask in pairs])
        return product if len(given) < len(x) else product.masked_fill(~reduce(torch.logical_or, given), 0.0)


class Average(Add):
    """The mean of the inputs."""

    def merge(self, x: Sequence[Tensor]) -> Tensor:
        """The sum, divided by their count."""
        return super().merge(x) / len(x)


class Extreme(Merge):
    """The base of Maximum and Minimum."""

    def merge_masked(self, x: Sequence[Tensor], masks: Masks) -> Tensor:
        """Steps that are valid in one of two inputs alone are taken from that one, as in newer Keras 3."""
        output, valid = x[0], masks[0]
        for one, mask in zip(x[1:], masks[1:], strict=True):
            taken = one if mask is None else torch.where(mask, one, output)
            kept = output if valid is None else torch.where(valid, output, taken)
            valid = None if mask is None or valid is None else valid | mask
            output = self.pair(kept, taken)
        return output


class Maximum(Extreme):
    """The larger of the inputs, number by number."""

    def pair(self, one: Tensor, other: Tensor) -> Tensor:
        """The larger."""
        return torch.maximum(one, other)


class Minimum(Extreme):
    """The smaller of the inputs, number by number."""

    def pair(self, one: Tensor, other: Tensor) -> Tensor:
        """The smaller."""
        return torch.minimum(one, other)


class Concatenate(Merge):
    """The inputs one after another along an axis.

    Along time the masks are joined likewise, and an input without one counts as valid; along another axis `mask_rule`
    joins them.

    Args:
        axis: The axis; it may count from the end.
        **merge: See `Merge`.
    """

    def __init__(self, axis: int = -1, **merge: Any) -> None:
        super().__init__(**merge)
        self.axis = check_axis("axis", axis)

    def compute_output_shape(self, input_shapes: Sequence[Shape]) -> Shape:  # type: ignore[override]
        """The sizes at `axis` added; all others must be equal."""
        return merging.concatenated(input_shapes, axis=self.axis)

    def compute_mask(self, x: Sequence[Tensor], mask: Masks | None) -> Tensor | None:  # type: ignore[override]
        """The mask that leaves the layer.

        Args:
            x: The inputs.
            mask: One an input, `(batch, time)` or None; or None for all.

        Returns:
            The mask; None if no input has one.

        Raises:
            MaskError: If there is not one for each input.
        """
        masks = self.listed_masks(x, mask)
        if all(one is None for one in masks):
            return None
        valid = [one.new_ones(one.shape[:2], dtype=torch.bool) for one in x]
        full = [everywhere if one is None else one != 0 for one, everywhere in zip(masks, valid, strict=True)]
        place = self.axis % x[0].dim()
        return torch.cat(full, place) if place < 2 else self.joined(full)

    def merge(self, x: Sequence[Tensor]) -> Tensor:
        """Joins them."""
        return torch.cat(list(x), self.axis)

    def extra_repr(self) -> str:
        """The axis."""
        return ", ".join(filter(None, (f"axis={self.axis}", super().extra_repr())))


class Dot(Merge):
    """The products of two inputs, row by row of the batch, summed over one axis of each. No mask leaves.

    What is left are the other axes of the first input, then those of the second; `(batch, 1)` if there are none.

    Args:
        axes: The axis of each input that is summed over, or one for both; they may count from the end.
        normalize: Whether vectors along these axes are given the length 1 first, which makes their cosine of it.
        **merge: See `Merge`.

    Raises:
        ConfigError: If `axes` is neither an integer nor two.
    """

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **merge: Any) -> None:
        super().__init__(**merge)
        listed = isinstance(axes, (list, tuple))
        items: list[Any] = list(axes) if isinstance(axes, (list, tuple)) else [axes]
        if not all(map(is_integer, items)) or (listed and len(items) != 2):
            raise ConfigError(f"axes must be an integer or a list of two, found {axes!r}")
        self.axes: int | tuple[int, ...] = tuple(map(int, items)) if listed else int(items[0])
        self.normalize = normalize

    def compute_output_shape(self, input_shapes: Sequence[Shape]) -> Shape:  # type: ignore[override]
        """What is left of both."""
        return merging.dotted(input_shapes, axes=self.axes)

    def compute_mask(self, x: Sequence[Tensor], mask: Masks | None) -> None:  # type: ignore[override]
        """No mask leaves."""
        return

    def merge(self, x: Sequence[Tensor]) -> Tensor:
        """Sums the products."""
        one, other = merging.dot_axes([tuple(x[0].shape), tuple(x[1].shape)], self.axes)
        first, second = x
        if self.normalize:
            first = functional.normalize(first, dim=one, eps=LEAST_NORM)
            second = functional.normalize(second, dim=other, eps=LEAST_NORM)
        # Every axis has a number; the batch's is 0 in both, and the one that is summed over the same in both.
        here = list(range(first.dim()))
        there = [0, *range(first.dim(), first.dim() + second.dim() - 1)]
        there[other] = here[one]
        left = [axis for axis in (*here, *there[1:]) if axis != here[one]]
        output = torch.einsum(first, here, second, there, left)
        return output if len(left) > 1 else output.unsqueeze(1)

    def extra_repr(self) -> str:
        """The axes."""
        return f"axes={self.axes}" + (", normalize=True" if self.normalize else "")

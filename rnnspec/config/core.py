"""Layers around the recurrent ones, as in Keras 2.0.8.

Input, Masking, Unmasking, Dense, Activation, Dropout, SpatialDropout1D, ActivityRegularization.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import field, frozen

from rnnspec import shapes
from rnnspec.config.activations import ActivationName
from rnnspec.config.checks import BatchShape, PositiveInt, Rate, Seed, Shape
from rnnspec.config.constraints import ConstraintLike
from rnnspec.config.initializers import GLOROT_UNIFORM, ZEROS, InitializerLike
from rnnspec.config.layer import LayerConfig
from rnnspec.config.regularizers import RegularizerLike
from rnnspec.errors import Problem, warn

__all__ = [
    "ActivationConfig",
    "ActivityRegularizationConfig",
    "DenseConfig",
    "DropoutConfig",
    "InputConfig",
    "MaskingConfig",
    "SpatialDropout1DConfig",
    "UnmaskingConfig",
]


@frozen(slots=False, eq=False, repr=False)
class InputConfig(LayerConfig):
    """Declares the shape of a model's input, and passes the input on; one of the two shapes is needed.

    Args:
        shape: Shape of one input without the batch, None where it is free: `(10, 64)`.
        batch_shape: The same with the batch size.
    """

    identifier: ClassVar[str] = "Input"

    shape: Shape | None = None
    batch_shape: BatchShape | None = None

    @classmethod
    def relations(cls, values: Mapping[str, Any]) -> list[Problem]:
        """Checks that there is one shape."""
        names = ("shape", "batch_shape", "input_shape", "batch_input_shape")
        given = [name for name in names if values.get(name, ...) is not None]
        if not given:
            return [Problem("Input needs the argument 'shape' or 'batch_shape'")]
        if len(given) > 1 and values.keys() >= set(names):
            return [Problem(f"Input takes one shape, found {' and '.join(given)}", (given[1],))]
        return []

    def declared_input(self) -> shapes.Shape | None:
        """The input shape, with the batch."""
        return shapes.declared_input(
            input_shape=self.shape if self.input_shape is None else self.input_shape,
            batch_input_shape=self.batch_shape if self.batch_input_shape is None else self.batch_input_shape,
        )


@frozen(slots=False, eq=False, repr=False)
class MaskingConfig(LayerConfig):
    """Masks the steps whose features all equal `mask_value`, for the layers after it; sets their features to 0.

    Args:
        mask_value: The value (default 0).
    """

    identifier: ClassVar[str] = "Masking"

    mask_value: float = 0.0

    def output_mask(self, mask: bool | None) -> bool | None:
        """Makes a mask."""
        return True


class UnmaskingConfig(LayerConfig):
    """Ours: passes its input on without the mask; later Keras does so before layers that cannot take one."""

    identifier: ClassVar[str] = "Unmasking"

    def output_mask(self, mask: bool | None) -> bool | None:
        """No mask leaves."""
        return False


@frozen(slots=False, eq=False, repr=False)
class DenseConfig(LayerConfig):
    """A dense layer, over the last axis: activation(x . kernel + bias).

    Args:
        units: Width of the output, a positive integer.
        activation: Activation (default None, linear).
        use_bias: Whether there is a bias (default True).
        kernel_initializer: How `kernel`, `(features, units)`, starts (default `GlorotUniform`); None means the default.
        bias_initializer: How `bias`, `(units,)`, starts (default `Zeros`); None means the default.
        kernel_regularizer: Adds a loss of `kernel`.
        bias_regularizer: Adds a loss of `bias`.
        activity_regularizer: Adds a loss of the output, summed.
        kernel_constraint: Acts on `kernel` after every step of an optimizer.
        bias_constraint: Acts on `bias`.
        input_dim: Width of the input; another way to write `input_shape=(input_dim,)`, which wins over it.
    """

    identifier: ClassVar[str] = "Dense"

    units: PositiveInt
    activation: ActivationName = None
    use_bias: bool = True
    kernel_initializer: InitializerLike | None = GLOROT_UNIFORM
    bias_initializer: InitializerLike | None = ZEROS
    kernel_regularizer: RegularizerLike | None = None
    bias_regularizer: RegularizerLike | None = None
    activity_regularizer: RegularizerLike | None = None
    kernel_constraint: ConstraintLike | None = None
    bias_constraint: ConstraintLike | None = None
    input_dim: PositiveInt | None = field(default=None, kw_only=True)

    def declared_input(self) -> shapes.Shape | None:
        """The input shape that the arguments declare; here `input_shape` wins over `input_dim`, as in Keras."""
        declared = super().declared_input()
        return (None, self.input_dim) if declared is None and self.input_dim is not None else declared

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """The input's shape with the last size replaced by `units`."""
        return shapes.dense(input_shape, units=self.units)

    def fixed_sizes(self, input_shape: shapes.Shape) -> tuple[int | None, ...]:
        """The number of features."""
        return input_shape[-1:]


@frozen(slots=False, eq=False, repr=False)
class ActivationConfig(LayerConfig):
    """Applies an activation.

    Args:
        activation: The activation's name; None is linear.
    """

    identifier: ClassVar[str] = "Activation"

    activation: ActivationName


@frozen(slots=False, eq=False, repr=False)
class DropoutConfig(LayerConfig):
    """Drops values in training and scales the others up by 1 / (1 - rate).

    Args:
        rate: Share to drop, from 0 to 1; exactly 1 is no dropout, as in Keras.
        noise_shape: Shape of the mask, 1 where it is shared along an axis, None where it has the input's size:
            `(None, 1, None)` drops the same features at all steps. The input's shape by default.
        seed: Makes the masks reproducible on their own.
    """

    identifier: ClassVar[str] = "Dropout"

    rate: Rate
    noise_shape: Shape | None = None
    seed: Seed = None


@frozen(slots=False, eq=False, repr=False)
class SpatialDropout1DConfig(DropoutConfig):
    """Drops whole features in training, each over all steps of a sequence, and scales the others by 1 / (1 - rate).

    Args:
        rate: Share to drop, from 0 to 1; exactly 1 is no dropout, as in Keras.
        noise_shape: Accepted, because Polyaxon and Keras take it, and without meaning: anything but None gives a
            `ConfigWarning`. The mask is `(batch, 1, features)`.
        seed: Makes the masks reproducible on their own.
    """

    identifier: ClassVar[str] = "SpatialDropout1D"
    input_rank: ClassVar[int | None] = 3

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """The input's shape, which has three axes."""
        return shapes.spatial_dropout(input_shape)

    def warn(self) -> None:
        """Says that `noise_shape` has no meaning."""
        super().warn()
        if self.noise_shape is not None:
            warn(f"{self.label} has an argument noise_shape, which has no meaning: its mask is (batch, 1, features)")


@frozen(slots=False, eq=False, repr=False)
class ActivityRegularizationConfig(LayerConfig):
    """Adds a loss of its input, summed over the batch, and passes the input on.

    Args:
        l1: Factor of the absolute values' sum (default 0).
        l2: Factor of the squares' sum (default 0).
    """

    identifier: ClassVar[str] = "ActivityRegularization"

    l1: float = 0.0
    l2: float = 0.0

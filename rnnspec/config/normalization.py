"""BatchNormalization as in Keras 2.0.8, LayerNormalization and Rescaling as in tf.keras and Keras 3."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from rnnspec import shapes
from rnnspec.config.checks import Axis, NonNegativeNumber, OneAxis, Rate
from rnnspec.config.constraints import ConstraintLike
from rnnspec.config.initializers import ONES, ZEROS, InitializerLike
from rnnspec.config.layer import LayerConfig
from rnnspec.config.regularizers import RegularizerLike

__all__ = ["BatchNormalizationConfig", "LayerNormalizationConfig", "RescalingConfig"]


@frozen(slots=False, eq=False, repr=False)
class BatchNormalizationConfig(LayerConfig):
    """Gives every feature the mean 0 and the variance 1, then a scale and an offset.

    In training by the mean and variance of the batch, which moving averages follow; in evaluation by these.

    Args:
        axis: The axis of the features (default -1, the last).
        momentum: How much of a moving average a call in training keeps (default 0.99): 1 minus what torch calls so.
        epsilon: Added to variances (default 0.001).
        center: Whether there is an offset, `beta` (default True).
        scale: Whether there is a scale, `gamma` (default True).
        beta_initializer: How `beta`, `(features,)`, starts (default `Zeros`); None means the default.
        gamma_initializer: How `gamma`, `(features,)`, starts (default `Ones`); None means the default.
        moving_mean_initializer: How `moving_mean`, `(features,)`, starts (default `Zeros`); None means the default.
        moving_variance_initializer: How `moving_variance`, `(features,)`, starts (default `Ones`); None means the
            default.
        beta_regularizer: Adds a loss of `beta`.
        gamma_regularizer: Adds a loss of `gamma`.
        beta_constraint: Acts on `beta` after every step of an optimizer.
        gamma_constraint: Acts on `gamma`.
    """

    identifier: ClassVar[str] = "BatchNormalization"

    axis: OneAxis = -1
    momentum: Rate = 0.99
    epsilon: NonNegativeNumber = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: InitializerLike | None = ZEROS
    gamma_initializer: InitializerLike | None = ONES
    moving_mean_initializer: InitializerLike | None = ZEROS
    moving_variance_initializer: InitializerLike | None = ONES
    beta_regularizer: RegularizerLike | None = None
    gamma_regularizer: RegularizerLike | None = None
    beta_constraint: ConstraintLike | None = None
    gamma_constraint: ConstraintLike | None = None

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """The input's shape, whose size at `axis` must be known."""
        self.fixed_sizes(input_shape)
        return input_shape

    def fixed_sizes(self, input_shape: shapes.Shape) -> tuple[int | None, ...]:
        """The size at `axis`."""
        return shapes.sizes_at(input_shape, [self.axis])


@frozen(slots=False, eq=False, repr=False)
class LayerNormalizationConfig(LayerConfig):
    """Gives every row, or every step, the mean 0 and the variance 1, then a scale and an offset.

    Args:
        axis: The axis, or axes, over which mean and variance are taken (default -1, the last).
        epsilon: Added to variances (default 0.001).
        center: Whether there is an offset, `beta` (default True).
        scale: Whether there is a scale, `gamma` (default True).
        beta_initializer: How `beta`, with the sizes at `axis`, starts (default `Zeros`); None means the default.
        gamma_initializer: How `gamma` starts (default `Ones`); None means the default.
        beta_regularizer: Adds a loss of `beta`.
        gamma_regularizer: Adds a loss of `gamma`.
        beta_constraint: Acts on `beta` after every step of an optimizer.
        gamma_constraint: Acts on `gamma`.
    """

    identifier: ClassVar[str] = "LayerNormalization"

    axis: Axis = -1
    epsilon: NonNegativeNumber = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: InitializerLike | None = ZEROS
    gamma_initializer: InitializerLike | None = ONES
    beta_regularizer: RegularizerLike | None = None
    gamma_regularizer: RegularizerLike | None = None
    beta_constraint: ConstraintLike | None = None
    gamma_constraint: ConstraintLike | None = None

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """The input's shape, whose sizes at `axis` must be known."""
        self.fixed_sizes(input_shape)
        return input_shape

    def fixed_sizes(self, input_shape: shapes.Shape) -> tuple[int | None, ...]:
        """The sizes at `axis`."""
        return shapes.sizes_at(input_shape, (self.axis,) if isinstance(self.axis, int) else self.axis)


@frozen(slots=False, eq=False, repr=False)
class RescalingConfig(LayerConfig):
    """Multiplies its input by a number and adds another, as in Keras 2.6 and later.

    Args:
        scale: What it multiplies by.
        offset: What it adds (default 0).
    """

    identifier: ClassVar[str] = "Rescaling"

    scale: float
    offset: float = 0.0

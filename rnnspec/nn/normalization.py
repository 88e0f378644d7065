"""BatchNormalization as in Keras 2.0.8, LayerNormalization and Rescaling as in tf.keras and Keras 3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from rnnspec import shapes
from rnnspec.nn.arguments import check_axis, check_not_negative, check_number, check_rate, check_several_axes
from rnnspec.nn.base import Layer
from rnnspec.shapes import Shape

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnspec.nn.base import LayerArguments

__all__ = ["BatchNormalization", "LayerNormalization", "Rescaling"]


class BatchNormalization(Layer):
    """Gives every feature the mean 0 and the variance 1, then a scale and an offset (Ioffe and Szegedy, 2015).

    In training by the mean and variance of the batch, over all rows and steps, masked ones too; both are followed by
    moving averages, which are used in evaluation. All variances are those of a population (a mean of squares), as in
    Keras 2.0.8.

    Weights:
        - `gamma`, `beta`: `(features,)`.
        - `moving_mean`, `moving_variance`: `(features,)`; buffers, which calls in training change.

    Args:
        axis: The axis of the features; a list of one counts too.
        momentum: How much of a moving average a call in training keeps: 1 minus what torch calls momentum.
        epsilon: Added to variances.
        center: Whether there is an offset, `beta`.
        scale: Whether there is a scale, `gamma`.
        beta_initializer: Of `beta`.
        gamma_initializer: Of `gamma`.
        moving_mean_initializer: Of `moving_mean`.
        moving_variance_initializer: Of `moving_variance`.
        beta_regularizer: Adds a loss of `beta` to `losses`.
        gamma_regularizer: Adds a loss of `gamma`.
        beta_constraint: Acts on `beta` after every step of an optimizer.
        gamma_constraint: Acts on `gamma` likewise.
        **layer: See `Layer`. `trainable=False` leaves the moving averages moving; `eval()` stops them.
    """

    supports_masking = True

    gamma: Tensor | None
    beta: Tensor | None
    moving_mean: Tensor
    moving_variance: Tensor

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **layer: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**layer)
        self.axis = check_axis("axis", axis)
        self.momentum = check_rate("momentum", momentum)
        self.epsilon = check_not_negative("epsilon", epsilon)
        self.center, self.scale = center, scale
        self.add_weight("gamma", gamma_initializer, gamma_regularizer, gamma_constraint, used=scale)
        self.add_weight("beta", beta_initializer, beta_regularizer, beta_constraint, used=center)
        self.add_weight("moving_mean", moving_mean_initializer, trained=False)
        self.add_weight("moving_variance", moving_variance_initializer, trained=False)
        self.build_declared()

    def weight_shapes(self, input_shape: Shape) -> Mapping[str, tuple[int, ...]]:
        """One number a feature, of every kind that is used."""
        return dict.fromkeys(self._roles, shapes.sizes_at(input_shape, [self.axis]))

    def input_shape_of(self, found: Mapping[str, tuple[int, ...]]) -> Shape:
        """The features at their axis, and no axis that need not be there."""
        return _least_shape([self.axis], found["moving_mean"])

    def forward(self, x: Tensor) -> Tensor:
        """Normalizes.

        Args:
            x: Input, `(batch, ...)`.

        Returns:
            The output, of the same shape.

        Raises:
            ShapeError: If the size at `axis` is not that of the weights.
            DTypeError: If the dtype is not that of the weights, outside autocast.
        """
        self.build(tuple(x.shape))
        self.check_fit(tuple(x.shape))
        self.check_dtype(x, self.moving_mean.dtype)
        features_last = x.movedim(self.axis, -1)
        rows = features_last.flatten(0, -2)
        by_batch = self.training and rows.shape[0] > 0
        if by_batch:
            self._follow(rows)
        mean, variance = (None, None) if by_batch else (self.moving_mean, self.moving_variance)
        cudnn = torch.backends.cudnn.enabled
        # Not torch.nn.functional's, which refuses a batch of one row.
        output = torch.batch_norm(rows, self.gamma, self.beta, mean, variance, by_batch, 0.0, self.epsilon, cudnn)
        return output.reshape(features_last.shape).movedim(-1, self.axis)

    @torch.no_grad()
    def _follow(self, rows: Tensor) -> None:
        """Moves the averages towards a batch; torch's own would take the variance of a sample."""
        variance, mean = torch.var_mean(rows, 0, correction=0)
        for average, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            average.lerp_(value.to(average.dtype), 1.0 - self.momentum)

    def extra_repr(self) -> str:
        """The features' axis, and how much averages keep."""
        return f"axis={self.axis}, momentum={self.momentum}, epsilon={self.epsilon}"


class LayerNormalization(Layer):
    """Gives every row, or every step, the mean 0 and the variance 1, then a scale and an offset (Ba et al., 2016).

    Weights:
        - `gamma`, `beta`: the sizes at `axis`.

    Args:
        axis: The axis, or axes, over which mean and variance are taken.
        epsilon: Added to variances.
        center: Whether there is an offset, `beta`.
        scale: Whether there is a scale, `gamma`.
        beta_initializer: Of `beta`.
        gamma_initializer: Of `gamma`.
        beta_regularizer: Adds a loss of `beta` to `losses`.
        gamma_regularizer: Adds a loss of `gamma`.
        beta_constraint: Acts on `beta` after every step of an optimizer.
        gamma_constraint: Acts on `gamma` likewise.
        **layer: See `Layer`.
    """

    supports_masking = True

    gamma: Tensor | None
    beta: Tensor | None

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **layer: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**layer)
        self.axis = check_several_axes("axis", axis)
        self.epsilon = check_not_negative("epsilon", epsilon)
        self.center, self.scale = center, scale
        self.add_weight("gamma", gamma_initializer, gamma_regularizer, gamma_constraint, used=scale)
        self.add_weight("beta", beta_initializer, beta_regularizer, beta_constraint, used=center)
        self.build_declared()

    @property
    def axes(self) -> tuple[int, ...]:
        """All axes, as they are given."""
        return (self.axis,) if isinstance(self.axis, int) else self.axis

    def weight_shapes(self, input_shape: Shape) -> Mapping[str, tuple[int, ...]]:
        """One number for each place that is normalized together."""
        return dict.fromkeys(self._roles, shapes.sizes_at(input_shape, self.axes))

    def input_shape_of(self, found: Mapping[str, tuple[int, ...]]) -> Shape:
        """The sizes at their axes, and no axis that need not be there."""
        return _least_shape(self.axes, next(iter(found.values())))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape, whose sizes at `axis` must be known."""
        shapes.sizes_at(input_shape, self.axes)
        return input_shape

    def forward(self, x: Tensor) -> Tensor:
        """Normalizes.

        Args:
            x: Input, `(batch, ...)`.

        Returns:
            The output, of the same shape.

        Raises:
            ShapeError: If the sizes at `axis` are not those of the weights.
            DTypeError: If the dtype is not that of the weights, outside autocast.
        """
        self.build(tuple(x.shape))
        self.check_shape(x)
        self.check_fit(tuple(x.shape))
        for weight in self.parameters():
            self.check_dtype(x, weight.dtype)
        axes = sorted(axis % x.dim() for axis in self.axes)
        last = list(range(-len(axes), 0))
        moved = x.movedim(axes, last)
        sizes = moved.shape[-len(axes) :]
        # In the order of `axis` in the file, and read as if in the order of the input: so does Keras.
        gamma, beta = (None if weight is None else weight.reshape(sizes) for weight in (self.gamma, self.beta))
        return functional.layer_norm(moved, sizes, gamma, beta, self.epsilon).movedim(last, axes)

    def extra_repr(self) -> str:
        """The axes."""
        return f"axis={self.axis}, epsilon={self.epsilon}"


def _least_shape(axes: Sequence[int], sizes: Sequence[int]) -> Shape:
    """The shape of lowest rank that has such sizes at such axes, and a batch."""
    shape: list[int | None] = [None] * max(2, *(axis + 1 if axis > 0 else 1 - axis for axis in axes))
    for axis, size in zip(axes, sizes, strict=True):
        shape[axis] = size
    return tuple(shape)


class Rescaling(Layer):
    """Multiplies by a number and adds another.

    Args:
        scale: What it multiplies by.
        offset: What it adds.
        **layer: See `Layer`.
    """

    supports_masking = True

    def __init__(self, scale: float, offset: float = 0.0, **layer: Unpack[LayerArguments]) -> None:
        super().__init__(**layer)
        self.scale, self.offset = check_number("scale", scale), check_number("offset", offset)
        self.build_declared()

    def forward(self, x: Tensor) -> Tensor:
        """Computes `scale * x + offset`: any shape in, the same out."""
        return x * self.scale + self.offset

    def extra_repr(self) -> str:
        """Both numbers."""
        return f"scale={self.scale}, offset={self.offset}"

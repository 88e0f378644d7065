"""The activations with arguments or weights of their own, as in Keras 2.0.8: LeakyReLU, PReLU, ELU, ThresholdedReLU.

Softmax and ReLU came with Keras 2.1 and 2.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor
from torch.nn import functional

from rnnspec import shapes
from rnnspec.nn.arguments import check_axes, check_axis, check_not_negative, check_number
from rnnspec.nn.base import Layer
from rnnspec.shapes import Shape

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnspec.nn.base import LayerArguments

__all__ = ["ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax", "ThresholdedReLU"]


class LeakyReLU(Layer):
    """Multiplies what is negative by `alpha`.

    Args:
        alpha: The slope below 0.
        **layer: See `Layer`.
    """

    supports_masking = True

    def __init__(self, alpha: float = 0.3, **layer: Unpack[LayerArguments]) -> None:
        super().__init__(**layer)
        self.alpha = check_number("alpha", alpha)
        self.build_declared()

    def forward(self, x: Tensor) -> Tensor:
        """Applies the function: any shape in, the same out."""
        # Not torch's own, whose derivative at 0 is alpha: Keras's is 0, and a masked step holds zeros.
        return functional.relu(x) - self.alpha * functional.relu(-x)

    def extra_repr(self) -> str:
        """The slope."""
        return f"alpha={self.alpha}"


class PReLU(Layer):
    """Multiplies what is negative by slopes that are trained (He et al., 2015).

    Weights:
        alpha: Shape of one input, with 1 at the shared axes.

    Args:
        alpha_initializer: Of `alpha`.
        alpha_regularizer: Adds a loss of `alpha` to `losses`.
        alpha_constraint: Acts on `alpha` after every step of an optimizer.
        shared_axes: The axis, or axes, along which one slope serves all, counted from 1: `[1]` shares it over time.
        **layer: See `Layer`.

    Raises:
        ConfigError: If an axis is below 1.
    """

    supports_masking = True

    alpha: Tensor

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **layer: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**layer)
        self.shared_axes = None if shared_axes is None else check_axes("shared_axes", shared_axes)
        self.add_weight("alpha", alpha_initializer, alpha_regularizer, alpha_constraint)
        self.build_declared()

    def weight_shapes(self, input_shape: Shape) -> Mapping[str, tuple[int, ...]]:
        """The slopes."""
        return {"alpha": shapes.prelu_alpha(input_shape, shared_axes=self.shared_axes)}

    def input_shape_of(self, found: Mapping[str, tuple[int, ...]]) -> Shape:
        """The slopes have the shape of an input; a shared axis tells nothing of its size."""
        shared = shapes.axes_of(self.shared_axes)
        return (None, *(None if axis in shared else size for axis, size in enumerate(found["alpha"], 1)))

    def forward(self, x: Tensor) -> Tensor:
        """Applies the function.

        Args:
            x: Input, `(batch, ...)`.

        Returns:
            The output, of the same shape.

        Raises:
            ShapeError: If the slopes have another shape than the input asks for.
            DTypeError: If the dtype is not that of the slopes, outside autocast.
        """
        self.build(tuple(x.shape))
        self.check_fit(tuple(x.shape))
        self.check_dtype(x, self.alpha.dtype)
        return functional.relu(x) - self.alpha * functional.relu(-x)

    def extra_repr(self) -> str:
        """The shared axes."""
        return "" if self.shared_axes is None else f"shared_axes={self.shared_axes}"


class ELU(Layer):
    """x above 0, alpha * (exp(x) - 1) below (Clevert et al., 2015).

    Args:
        alpha: Minus the limit far below 0.
        **layer: See `Layer`.
    """

    supports_masking = True

    def __init__(self, alpha: float = 1.0, **layer: Unpack[LayerArguments]) -> None:
        super().__init__(**layer)
        self.alpha = check_number("alpha", alpha)
        self.build_declared()

    def forward(self, x: Tensor) -> Tensor:
        """Applies the function: any shape in, the same out."""
        return functional.elu(x, self.alpha)

    def extra_repr(self) -> str:
        """The factor."""
        return f"alpha={self.alpha}"


class ThresholdedReLU(Layer):
    """x above `theta`, else 0 (Konda et al., 2014).

    Args:
        theta: The threshold.
        **layer: See `Layer`.
    """

    supports_masking = True

    def __init__(self, theta: float = 1.0, **layer: Unpack[LayerArguments]) -> None:
        super().__init__(**layer)
        self.theta = check_number("theta", theta)
        self.build_declared()

    def forward(self, x: Tensor) -> Tensor:
        """Applies the function: any shape in, the same out."""
        return functional.threshold(x, self.theta, 0.0)

    def extra_repr(self) -> str:
        """The threshold."""
        return f"theta={self.theta}"


class Softmax(Layer):
    """exp(x), divided by the sum along an axis.

    Args:
        axis: The axis; it may count from the end.
        **layer: See `Layer`.
    """

    supports_masking = True

    def __init__(self, axis: int = -1, **layer: Unpack[LayerArguments]) -> None:
        super().__init__(**layer)
        self.axis = check_axis("axis", axis)
        self.build_declared()

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape, which has that axis."""
        return shapes.softmax(input_shape, axis=self.axis)

    def forward(self, x: Tensor) -> Tensor:
        """Applies the function.

        Args:
            x: Input of any shape.

        Returns:
            The output, of the same shape.

        Raises:
            ShapeError: If there is no such axis.
        """
        self.check_shape(x)
        return functional.softmax(x, self.axis)

    def extra_repr(self) -> str:
        """The axis."""
        return f"axis={self.axis}"


class ReLU(Layer):
    """x above `threshold`, at most `max_value`; below the threshold the slope times the distance from it.

    Args:
        max_value: The largest output; None for no limit.
        negative_slope: The slope below the threshold.
        threshold: Up to where the slope acts.
        **layer: See `Layer`.
    """

    supports_masking = True

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **layer: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**layer)
        self.max_value = None if max_value is None else check_not_negative("max_value", max_value)
        self.negative_slope = check_not_negative("negative_slope", negative_slope)
        self.threshold = check_not_negative("threshold", threshold)
        self.build_declared()

    def forward(self, x: Tensor) -> Tensor:
        """Applies the function: any shape in, the same out."""
        above = functional.threshold(x, self.threshold, 0.0)
        if self.max_value is not None:
            above = above.clamp(max=self.max_value)
        return above - self.negative_slope * functional.relu(self.threshold - x) if self.negative_slope else above

    def extra_repr(self) -> str:
        """The arguments."""
        return f"max_value={self.max_value}, negative_slope={self.negative_slope}, threshold={self.threshold}"

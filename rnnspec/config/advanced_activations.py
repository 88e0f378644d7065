"""Activations with arguments or weights of their own: LeakyReLU, PReLU, ELU, ThresholdedReLU; as in Keras 2.0.8.

Softmax and ReLU came with Keras 2.1 and 2.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Annotated, Any, ClassVar

from attrs import frozen

from rnnspec import shapes
from rnnspec.config.checks import ExpectedError, NonNegativeNumber, OneAxis, Whole
from rnnspec.config.constraints import ConstraintLike
from rnnspec.config.initializers import ZEROS, InitializerLike
from rnnspec.config.layer import LayerConfig
from rnnspec.config.regularizers import RegularizerLike

__all__ = ["ELUConfig", "LeakyReLUConfig", "PReLUConfig", "ReLUConfig", "SoftmaxConfig", "ThresholdedReLUConfig"]


def _axes(value: Any) -> Any:
    """An axis after the batch's, or several."""
    axes = value if isinstance(value, (list, tuple)) else [value]
    for axis in axes:
        if isinstance(axis, bool) or not isinstance(axis, Integral) or axis < 1:
            raise ExpectedError("an axis from 1 on or a list of these", axis)
    return tuple(map(int, axes)) if axes is value else int(value)


_AXIS = {"type": "integer", "minimum": 1}
SharedAxes = Annotated[int | Sequence[int], Whole(_axes, {"anyOf": [_AXIS, {"type": "array", "items": _AXIS}]})]


@frozen(slots=False, eq=False, repr=False)
class LeakyReLUConfig(LayerConfig):
    """Multiplies what is negative by `alpha`.

    Args:
        alpha: The slope below 0.
    """

    identifier: ClassVar[str] = "LeakyReLU"

    alpha: float = 0.3


@frozen(slots=False, eq=False, repr=False)
class PReLUConfig(LayerConfig):
    """Multiplies what is negative by slopes that are trained, `alpha`: one for each number of a row.

    Args:
        alpha_initializer: How `alpha` starts (default `Zeros`); None means the default.
        alpha_regularizer: Adds a loss of `alpha`.
        alpha_constraint: Acts on `alpha` after every step of an optimizer.
        shared_axes: The axis, or axes, along which one slope serves all, counted from 1: `[1]` shares it over time. A
            shared axis may have a free size.
    """

    identifier: ClassVar[str] = "PReLU"

    alpha_initializer: InitializerLike | None = ZEROS
    alpha_regularizer: RegularizerLike | None = None
    alpha_constraint: ConstraintLike | None = None
    shared_axes: SharedAxes | None = None

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """The input's shape, for which `alpha` must have one."""
        self.fixed_sizes(input_shape)
        return input_shape

    def fixed_sizes(self, input_shape: shapes.Shape) -> tuple[int | None, ...]:
        """Those of `alpha`."""
        return shapes.prelu_alpha(input_shape, shared_axes=self.shared_axes)


@frozen(slots=False, eq=False, repr=False)
class ELUConfig(LayerConfig):
    """x above 0, alpha * (exp(x) - 1) below.

    Args:
        alpha: Minus the limit far below 0.
    """

    identifier: ClassVar[str] = "ELU"

    alpha: float = 1.0


@frozen(slots=False, eq=False, repr=False)
class ThresholdedReLUConfig(LayerConfig):
    """x above `theta`, else 0.

    Args:
        theta: The threshold.
    """

    identifier: ClassVar[str] = "ThresholdedReLU"

    theta: float = 1.0


@frozen(slots=False, eq=False, repr=False)
class SoftmaxConfig(LayerConfig):
    """exp(x), divided by the sum along an axis.

    Args:
        axis: The axis (default -1, the last); it may count from the end.
    """

    identifier: ClassVar[str] = "Softmax"

    axis: OneAxis = -1

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """The input's shape, which has that axis."""
        return shapes.softmax(input_shape, axis=self.axis)


@frozen(slots=False, eq=False, repr=False)
class ReLUConfig(LayerConfig):
    """x above `threshold`, at most `max_value`; below the threshold the slope times the distance from it.

    Args:
        max_value: The largest output; None (default) for no limit.
        negative_slope: The slope below the threshold (default 0).
        threshold: Up to where the slope acts (default 0).
    """

    identifier: ClassVar[str] = "ReLU"

    max_value: NonNegativeNumber | None = None
    negative_slope: NonNegativeNumber = 0.0
    threshold: NonNegativeNumber = 0.0

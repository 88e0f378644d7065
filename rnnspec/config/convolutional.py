"""Convolution along time, and layers that make sequences longer or shorter, as in Keras 2.0.8; they take no mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from attrs import field, frozen

from rnnspec import shapes
from rnnspec.config.activations import ActivationName
from rnnspec.config.checks import ExpectedError, OneSize, PositiveInt, Whole
from rnnspec.config.constraints import ConstraintLike
from rnnspec.config.initializers import GLOROT_UNIFORM, ZEROS, InitializerLike
from rnnspec.config.layer import LayerConfig
from rnnspec.config.regularizers import RegularizerLike
from rnnspec.errors import Problem

__all__ = ["Conv1DConfig", "Cropping1DConfig", "DataFormat", "UpSampling1DConfig", "ZeroPadding1DConfig"]

DataFormat = Literal["channels_last", "channels_first"]


def _two(value: Any) -> Any:
    """Steps at both ends, or at each."""
    listed = isinstance(value, (list, tuple))
    steps = value if listed else [value]
    if (listed and len(steps) != 2) or any(
        isinstance(one, bool) or not isinstance(one, int) or one < 0 for one in steps
    ):
        raise ExpectedError("an integer of 0 or more or a list of two", value)
    return tuple(steps) if listed else value


_COUNT = {"type": "integer", "minimum": 0}
_PAIR = {"type": "array", "items": _COUNT, "minItems": 2, "maxItems": 2}
Ends = Annotated[int | Sequence[int], Whole(_two, {"anyOf": [_COUNT, _PAIR]})]


@frozen(slots=False, eq=False, repr=False)
class Conv1DConfig(LayerConfig):
    """A convolution along time, and an activation.

    Args:
        filters: Width of the output, a positive integer.
        kernel_size: Steps that a window sees, a positive integer; Keras writes a list of one.
        strides: Steps from window to window (default 1).
        padding: `valid` (default): whole windows only. `same`: one window every `strides` steps, with zeros around the
            input, the odd one at its end. `causal`: the same with all zeros before it, so that no output looks ahead.
        data_format: `channels_last` (default): `(batch, time, features)`. `channels_first`: `(batch, features, time)`.
        dilation_rate: Steps from one that a window sees to the next (default 1); above 1 for strides of 1 only.
        activation: Activation (default None, linear).
        use_bias: Whether there is a bias (default True).
        kernel_initializer: How `kernel`, `(kernel_size, features / groups, filters)`, starts (default `GlorotUniform`);
            None means the default.
        bias_initializer: How `bias`, `(filters,)`, starts (default `Zeros`); None means the default.
        kernel_regularizer: Adds a loss of `kernel`.
        bias_regularizer: Adds a loss of `bias`.
        activity_regularizer: Adds a loss of the output, summed.
        kernel_constraint: Acts on `kernel` after every step of an optimizer.
        bias_constraint: Acts on `bias`.
        groups: Parts of the features and of the filters that have nothing to do with each other (default 1).
    """

    identifier: ClassVar[str] = "Conv1D"
    supports_masking: ClassVar[bool] = False
    input_rank: ClassVar[int | None] = 3

    filters: PositiveInt
    kernel_size: OneSize
    strides: OneSize = 1
    padding: Literal["valid", "same", "causal"] = "valid"
    data_format: DataFormat = "channels_last"
    dilation_rate: OneSize = 1
    activation: ActivationName = None
    use_bias: bool = True
    kernel_initializer: InitializerLike | None = GLOROT_UNIFORM
    bias_initializer: InitializerLike | None = ZEROS
    kernel_regularizer: RegularizerLike | None = None
    bias_regularizer: RegularizerLike | None = None
    activity_regularizer: RegularizerLike | None = None
    kernel_constraint: ConstraintLike | None = None
    bias_constraint: ConstraintLike | None = None
    groups: PositiveInt = field(default=1, kw_only=True)

    @classmethod
    def relations(cls, values: Mapping[str, Any]) -> list[Problem]:
        """Checks strides against the dilation rate, and groups against filters."""
        names = ("filters", "strides", "dilation_rate", "groups")
        wrong = shapes.wrong_convolution(*(values.get(name, 1) for name in names))
        return [Problem(wrong)] if wrong else []

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """`filters` for the features, and as many steps as there are windows."""
        span = (self.kernel_size - 1) * self.dilation_rate + 1
        windows: dict[str, Any] = {"size": span, "strides": self.strides, "padding": self.padding}
        order: dict[str, Any] = {"data_format": self.data_format, "groups": self.groups}
        return shapes.convolution(input_shape, filters=self.filters, **windows, **order)

    def fixed_sizes(self, input_shape: shapes.Shape) -> tuple[int | None, ...]:
        """The number of features."""
        return (input_shape[1 if self.data_format == "channels_first" else 2],)


@frozen(slots=False, eq=False, repr=False)
class ZeroPadding1DConfig(LayerConfig):
    """Puts steps of zeros before and after a sequence.

    Args:
        padding: How many (default 1); or how many before, and how many after.
    """

    identifier: ClassVar[str] = "ZeroPadding1D"
    supports_masking: ClassVar[bool] = False
    input_rank: ClassVar[int | None] = 3

    padding: Ends = 1

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """So many more steps."""
        return shapes.zero_padding(input_shape, padding=self.padding)


@frozen(slots=False, eq=False, repr=False)
class Cropping1DConfig(LayerConfig):
    """Takes steps off both ends of a sequence.

    Args:
        cropping: How many at each end; or how many at the start, and how many at the end (default 1 and 1).
    """

    identifier: ClassVar[str] = "Cropping1D"
    supports_masking: ClassVar[bool] = False
    input_rank: ClassVar[int | None] = 3

    cropping: Ends = (1, 1)

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """So many fewer steps."""
        return shapes.cropping(input_shape, cropping=self.cropping)


@frozen(slots=False, eq=False, repr=False)
class UpSampling1DConfig(LayerConfig):
    """Repeats every step.

    Args:
        size: How often it is there, a positive integer (default 2).
    """

    identifier: ClassVar[str] = "UpSampling1D"
    supports_masking: ClassVar[bool] = False
    input_rank: ClassVar[int | None] = 3

    size: PositiveInt = 2

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """`size` times as many steps."""
        return shapes.up_sampling(input_shape, size=self.size)

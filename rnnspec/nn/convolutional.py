"""Convolution along time, and layers that make sequences longer or shorter, as in Keras 2.0.8.

They cannot take a mask: its steps would not be those of the output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from torch import Tensor
from torch.nn import functional

from rnnspec import shapes
from rnnspec.engines import activations
from rnnspec.errors import ConfigError
from rnnspec.nn import regularizers
from rnnspec.nn.arguments import check_choice, check_one, check_positive_integer, check_two
from rnnspec.nn.base import Layer
from rnnspec.nn.windows import DATA_FORMATS, padded, time_last
from rnnspec.shapes import Shape

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnspec.nn.base import LayerArguments

__all__ = ["Conv1D", "Cropping1D", "UpSampling1D", "ZeroPadding1D"]


class Conv1D(Layer):
    """A convolution along time, and an activation. It cannot take a mask, as in Keras 2.0.

    Weights:
        - `kernel`: `(kernel_size, features / groups, filters)`.
        - `bias`: `(filters,)`.

    Args:
        filters: Width of the output, a positive integer.
        kernel_size: Steps that a window sees.
        strides: Steps from window to window.
        padding: `valid`: whole windows only. `same`: one window every `strides` steps, with zeros around the input, the
            odd one at its end. `causal`: the same with all zeros before it, so that no output looks ahead.
        data_format: `channels_last`: `(batch, time, features)`. `channels_first`: `(batch, features, time)`.
        dilation_rate: Steps from one that a window sees to the next; above 1 for strides of 1 only.
        activation: Name or function; None is `linear`.
        use_bias: Whether there is a bias.
        kernel_initializer: Of `kernel`.
        bias_initializer: Of `bias`.
        kernel_regularizer: Adds a loss of `kernel` to `losses`.
        bias_regularizer: Adds a loss of `bias`.
        activity_regularizer: Adds a loss of the output, summed over the batch.
        kernel_constraint: Acts on `kernel` after every step of an optimizer.
        bias_constraint: Acts on `bias` likewise.
        groups: Parts of the features and of the filters that have nothing to do with each other.
        **layer: See `Layer`.

    Raises:
        ConfigError: If both strides and dilation rate are above 1, or `groups` does not divide `filters`.
    """

    input_rank = 3

    kernel: Tensor
    bias: Tensor | None

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: Literal["valid", "same", "causal"] = "valid",
        data_format: Literal["channels_last", "channels_first"] = "channels_last",
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        groups: int = 1,
        **layer: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**layer)
        self.filters = check_positive_integer("filters", filters)
        self.kernel_size = check_one("kernel_size", kernel_size)
        self.strides = check_one("strides", strides)
        self.padding = check_choice("padding", padding, ("valid", "same", "causal"))
        self.data_format = check_choice("data_format", data_format, DATA_FORMATS)
        self.dilation_rate = check_one("dilation_rate", dilation_rate)
        self.groups = check_positive_integer("groups", groups)
        wrong = shapes.wrong_convolution(self.filters, self.strides, self.dilation_rate, self.groups)
        if wrong:
            raise ConfigError(wrong)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.add_weight("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self.add_weight("bias", bias_initializer, bias_regularizer, bias_constraint, used=use_bias)
        self.build_declared()

    @property
    def span(self) -> int:
        """Steps from the first to the last that a window sees, both counted."""
        return (self.kernel_size - 1) * self.dilation_rate + 1

    def weight_shapes(self, input_shape: Shape) -> Mapping[str, tuple[int, ...]]:
        """Kernel and bias."""
        self.compute_output_shape(input_shape)
        features = shapes.known(input_shape[2 if self.data_format == "channels_last" else 1])
        needed: dict[str, tuple[int, ...]] = {"kernel": (self.kernel_size, features // self.groups, self.filters)}
        return needed | {"bias": (self.filters,)} if self.use_bias else needed

    def input_shape_of(self, found: Mapping[str, tuple[int, ...]]) -> Shape:
        """The kernel's second size tells the number of features."""
        features = found["kernel"][1] * self.groups
        return (None, None, features) if self.data_format == "channels_last" else (None, features, None)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """`filters` for the features, and as many steps as there are windows."""
        windows: dict[str, Any] = {"size": self.span, "strides": self.strides, "padding": self.padding}
        order: dict[str, Any] = {"data_format": self.data_format, "groups": self.groups}
        return shapes.convolution(input_shape, filters=self.filters, **windows, **order)

    def forward(self, x: Tensor) -> Tensor:
        """Convolves.

        Args:
            x: Input, in the order of `data_format`.

        Returns:
            The output, in the same order.

        Raises:
            ShapeError: If the rank, the number of features or of steps does not fit.
            DTypeError: If the dtype is not that of the weights, outside autocast.
        """
        self.build(tuple(x.shape))
        self.check_fit(tuple(x.shape))
        self.check_dtype(x, self.kernel.dtype)
        steps = padded(time_last(x, self.data_format), size=self.span, strides=self.strides, padding=self.padding)
        kernel = self.kernel.permute(2, 1, 0)  # torch wants the filters first
        output = functional.conv1d(steps, kernel, self.bias, self.strides, 0, self.dilation_rate, self.groups)
        output = self.activation(time_last(output, self.data_format))
        self.record_activity(output)
        return output

    def extra_repr(self) -> str:
        """Sizes and activation."""
        features = self.kernel.shape[1] * self.groups if self.built else "?"
        window = f"kernel_size={self.kernel_size}, strides={self.strides}, padding={self.padding!r}"
        dilated = f", dilation_rate={self.dilation_rate}" if self.dilation_rate > 1 else ""
        return f"{features} -> {self.filters}, {window}{dilated}, activation={self.activation.name}"


class ZeroPadding1D(Layer):
    """Puts steps of zeros before and after a sequence.

    Args:
        padding: How many; or how many before, and how many after.
        **layer: See `Layer`.
    """

    input_rank = 3

    def __init__(self, padding: int | Sequence[int] = 1, **layer: Unpack[LayerArguments]) -> None:
        super().__init__(**layer)
        self.padding = check_two("padding", padding)
        self.build_declared()

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """So many more steps."""
        return shapes.zero_padding(input_shape, padding=self.padding)

    def forward(self, x: Tensor) -> Tensor:
        """Adds the steps.

        Args:
            x: Input, `(batch, time, features)`.

        Returns:
            The longer sequence.

        Raises:
            ShapeError: If the input has not three axes.
        """
        self.check_shape(x)
        return functional.pad(x, (0, 0, *shapes.two(self.padding)))

    def extra_repr(self) -> str:
        """The number of steps."""
        return f"padding={self.padding}"


class Cropping1D(Layer):
    """Takes steps off both ends of a sequence.

    Args:
        cropping: How many at each end; or how many at the start, and how many at the end.
        **layer: See `Layer`.
    """

    input_rank = 3

    def __init__(self, cropping: int | Sequence[int] = (1, 1), **layer: Unpack[LayerArguments]) -> None:
        super().__init__(**layer)
        self.cropping = check_two("cropping", cropping)
        self.build_declared()

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """So many fewer steps."""
        return shapes.cropping(input_shape, cropping=self.cropping)

    def forward(self, x: Tensor) -> Tensor:
        """Takes the steps off.

        Args:
            x: Input, `(batch, time, features)`.

        Returns:
            The shorter sequence.

        Raises:
            ShapeError: If the input has not three axes, or too few steps.
        """
        self.check_shape(x)
        before, after = shapes.two(self.cropping)
        return x[:, before : x.shape[1] - after]

    def extra_repr(self) -> str:
        """The number of steps."""
        return f"cropping={self.cropping}"


class UpSampling1D(Layer):
    """Repeats every step.

    Args:
        size: How often it is there, a positive integer.
        **layer: See `Layer`.
    """

    input_rank = 3

    def __init__(self, size: int = 2, **layer: Unpack[LayerArguments]) -> None:
        super().__init__(**layer)
        self.size = check_positive_integer("size", size)
        self.build_declared()

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """`size` times as many steps."""
        return shapes.up_sampling(input_shape, size=self.size)

    def forward(self, x: Tensor) -> Tensor:
        """Repeats the steps.

        Args:
            x: Input, `(batch, time, features)`.

        Returns:
            The longer sequence.

        Raises:
            ShapeError: If the input has not three axes.
        """
        self.check_shape(x)
        return x.repeat_interleave(self.size, dim=1)

    def extra_repr(self) -> str:
        """The number of steps."""
        return f"size={self.size}"

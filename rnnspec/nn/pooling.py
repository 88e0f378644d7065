"""The poolings along time, as in Keras 2.0.8, and Keras's mean over the valid steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor
from torch.nn import functional

from rnnspec import shapes
from rnnspec.engines.checks import boolean_mask
from rnnspec.nn.arguments import check_choice, check_one
from rnnspec.nn.base import Layer
from rnnspec.nn.windows import DATA_FORMATS, padded, time_last
from rnnspec.shapes import Shape

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnspec.nn.base import LayerArguments

__all__ = ["AveragePooling1D", "GlobalAveragePooling1D", "GlobalMaxPooling1D", "MaxPooling1D"]


class WindowPooling(Layer):
    """The base of poolings over windows.

    Args:
        pool_size: Steps of a window.
        strides: Steps from window to window; `pool_size` if None.
        padding: `valid`: whole windows only. `same`: one window every `strides` steps; windows that reach over the ends
            of the input hold fewer steps.
        data_format: `channels_last`: `(batch, time, features)`. `channels_first`: `(batch, features, time)`.
        **layer: See `Layer`.
    """

    input_rank = 3

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: Literal["valid", "same"] = "valid",
        data_format: Literal["channels_last", "channels_first"] = "channels_last",
        **layer: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**layer)
        self.pool_size = check_one("pool_size", pool_size)
        self.strides = None if strides is None else check_one("strides", strides)
        self.padding = check_choice("padding", padding, ("valid", "same"))
        self.data_format = check_choice("data_format", data_format, DATA_FORMATS)
        self.build_declared()

    @property
    def stride(self) -> int:
        """Steps from window to window."""
        return self.strides or self.pool_size

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """As many steps as there are windows."""
        size, padding = self.pool_size, self.padding
        return shapes.pooling(
            input_shape, size=size, strides=self.stride, padding=padding, data_format=self.data_format
        )

    def forward(self, x: Tensor) -> Tensor:
        """Pools every window.

        Args:
            x: Input, in the order of `data_format`.

        Returns:
            The output, in the same order.

        Raises:
            ShapeError: If the rank or the number of steps does not fit.
        """
        self.check_shape(x)
        return time_last(self.pool(time_last(x, self.data_format)), self.data_format)

    def pool(self, x: Tensor) -> Tensor:
        """Pools every window of `(batch, features, time)`."""
        raise NotImplementedError

    def padded(self, x: Tensor, value: float) -> Tensor:
        """Adds steps that hold a value to `(batch, features, time)`, where `same` wants them."""
        return padded(x, size=self.pool_size, strides=self.stride, padding=self.padding, value=value)

    def extra_repr(self) -> str:
        """The windows."""
        return f"pool_size={self.pool_size}, strides={self.stride}, padding={self.padding!r}"


class MaxPooling1D(WindowPooling):
    """The largest number of every window, feature by feature. It cannot take a mask, as in Keras 2.0."""

    def pool(self, x: Tensor) -> Tensor:
        """Added steps are never the largest."""
        return functional.max_pool1d(self.padded(x, -torch.inf), self.pool_size, self.stride)


class AveragePooling1D(WindowPooling):
    """The mean of every window, feature by feature, over the steps that are there. It cannot take a mask."""

    def pool(self, x: Tensor) -> Tensor:
        """Added steps do not count."""
        mean = functional.avg_pool1d(self.padded(x, 0.0), self.pool_size, self.stride)
        if self.padding == "valid":
            return mean
        there = self.padded(torch.ones_like(x[:1, :1]), 0.0)
        return mean / functional.avg_pool1d(there, self.pool_size, self.stride)


class GlobalPooling(Layer):
    """The base of poolings over all steps.

    Args:
        data_format: `channels_last`: `(batch, time, features)`. `channels_first`: `(batch, features, time)`.
        keepdims: Whether time stays, as one step.
        **layer: See `Layer`.
    """

    input_rank = 3

    def __init__(
        self,
        data_format: Literal["channels_last", "channels_first"] = "channels_last",
        keepdims: bool = False,
        **layer: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**layer)
        self.data_format = check_choice("data_format", data_format, DATA_FORMATS)
        self.keepdims = keepdims
        self.build_declared()

    @property
    def time_axis(self) -> int:
        """The axis of the steps."""
        return 1 if self.data_format == "channels_last" else 2

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """`(batch, features)`, with one step where `keepdims` keeps it."""
        return shapes.global_pooling(input_shape, data_format=self.data_format, keepdims=self.keepdims)

    def extra_repr(self) -> str:
        """What differs from the defaults."""
        order = [] if self.data_format == "channels_last" else [f"data_format={self.data_format!r}"]
        return ", ".join(order + (["keepdims=True"] if self.keepdims else []))


class GlobalMaxPooling1D(GlobalPooling):
    """The largest number of all steps, feature by feature. It cannot take a mask, as in Keras 2.0."""

    def forward(self, x: Tensor) -> Tensor:
        """Takes the largest.

        Args:
            x: Input, in the order of `data_format`.

        Returns:
            The output, `(batch, features)`.

        Raises:
            ShapeError: If the input has not three axes, or no step.
        """
        self.check_shape(x)
        return x.amax(self.time_axis, keepdim=self.keepdims)


class GlobalAveragePooling1D(GlobalPooling):
    """The mean of all steps, feature by feature; with a mask, of the valid ones, as in Keras 2.2 and later.

    The mask ends here. A row without a valid step gives zeros, where Keras gives NaN.
    """

    def compute_mask(self, x: Tensor, mask: Tensor | None) -> None:
        """No mask leaves."""
        return

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Takes the mean.

        Args:
            x: Input, in the order of `data_format`.
            mask: `(batch, time)`, True where a step is valid.

        Returns:
            The output, `(batch, features)`.

        Raises:
            ShapeError: If the input has not three axes, or no step.
            MaskError: If the mask does not fit.
        """
        self.check_shape(x)
        if mask is None:
            return x.mean(self.time_axis, keepdim=self.keepdims)
        shape = (x.shape[0], x.shape[self.time_axis])
        valid = boolean_mask(self.label, mask, shape).unsqueeze(3 - self.time_axis)
        total = x.masked_fill(~valid, 0.0).sum(self.time_axis, keepdim=self.keepdims)
        count = valid.sum(self.time_axis, keepdim=self.keepdims).clamp(min=1)
        return total / count

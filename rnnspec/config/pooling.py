"""The poolings along time, as in Keras 2.0.8: only GlobalAveragePooling1D takes a mask, as in Keras 2.2."""

from __future__ import annotations

from typing import ClassVar, Literal

from attrs import frozen

from rnnspec import shapes
from rnnspec.config.checks import OneSize
from rnnspec.config.convolutional import DataFormat
from rnnspec.config.layer import LayerConfig

__all__ = [
    "AveragePooling1DConfig",
    "GlobalAveragePooling1DConfig",
    "GlobalMaxPooling1DConfig",
    "GlobalPoolingConfig",
    "MaxPooling1DConfig",
    "WindowPoolingConfig",
]


@frozen(slots=False, eq=False, repr=False)
class WindowPoolingConfig(LayerConfig):
    """The base of poolings over windows.

    Args:
        pool_size: Steps of a window (default 2); Keras writes a list of one.
        strides: Steps from window to window; `pool_size` if None (default).
        padding: `valid` (default): whole windows only. `same`: one window every `strides` steps; windows that reach
            over the ends of the input hold fewer steps.
        data_format: `channels_last` (default): `(batch, time, features)`. `channels_first`: `(batch, features, time)`.
    """

    supports_masking: ClassVar[bool] = False
    input_rank: ClassVar[int | None] = 3

    pool_size: OneSize = 2
    strides: OneSize | None = None
    padding: Literal["valid", "same"] = "valid"
    data_format: DataFormat = "channels_last"

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """As many steps as there are windows."""
        size, strides = self.pool_size, self.strides or self.pool_size
        return shapes.pooling(
            input_shape, size=size, strides=strides, padding=self.padding, data_format=self.data_format
        )


class MaxPooling1DConfig(WindowPoolingConfig):
    """The largest number of every window, feature by feature.

    Args:
        pool_size: Steps of a window (default 2); Keras writes a list of one.
        strides: Steps from window to window; `pool_size` if None (default).
        padding: `valid` (default): whole windows only. `same`: one window every `strides` steps.
        data_format: `channels_last` (default): `(batch, time, features)`. `channels_first`: `(batch, features, time)`.
    """

    identifier: ClassVar[str] = "MaxPooling1D"


class AveragePooling1DConfig(WindowPoolingConfig):
    """The mean of every window, feature by feature, over the steps that are there.

    Args:
        pool_size: Steps of a window (default 2); Keras writes a list of one.
        strides: Steps from window to window; `pool_size` if None (default).
        padding: `valid` (default): whole windows only. `same`: one window every `strides` steps; windows that reach
            over the ends of the input hold fewer steps.
        data_format: `channels_last` (default): `(batch, time, features)`. `channels_first`: `(batch, features, time)`.
    """

    identifier: ClassVar[str] = "AveragePooling1D"


@frozen(slots=False, eq=False, repr=False)
class GlobalPoolingConfig(LayerConfig):
    """The base of poolings over all steps.

    Args:
        data_format: `channels_last` (default): `(batch, time, features)`. `channels_first`: `(batch, features, time)`.
        keepdims: Whether time stays, as one step (default False).
    """

    input_rank: ClassVar[int | None] = 3

    data_format: DataFormat = "channels_last"
    keepdims: bool = False

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """`(batch, features)`, with one step where `keepdims` keeps it."""
        return shapes.global_pooling(input_shape, data_format=self.data_format, keepdims=self.keepdims)


class GlobalMaxPooling1DConfig(GlobalPoolingConfig):
    """The largest number of all steps, feature by feature.

    Args:
        data_format: `channels_last` (default): `(batch, time, features)`. `channels_first`: `(batch, features, time)`.
        keepdims: Whether time stays, as one step (default False).
    """

    identifier: ClassVar[str] = "GlobalMaxPooling1D"
    supports_masking: ClassVar[bool] = False


class GlobalAveragePooling1DConfig(GlobalPoolingConfig):
    """The mean of all steps, feature by feature; with a mask, of the valid ones. The mask ends here.

    Args:
        data_format: `channels_last` (default): `(batch, time, features)`. `channels_first`: `(batch, features, time)`.
        keepdims: Whether time stays, as one step (default False).
    """

    identifier: ClassVar[str] = "GlobalAveragePooling1D"

    def output_mask(self, mask: bool | None) -> bool | None:
        """No mask leaves."""
        return False

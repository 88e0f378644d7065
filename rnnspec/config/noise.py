"""Layers that make some noise in training, as in Keras 2.0.8; `seed` is Keras 3's."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from rnnspec.config.checks import NonNegativeNumber, Rate, Seed, Shape
from rnnspec.config.layer import LayerConfig

__all__ = ["AlphaDropoutConfig", "GaussianDropoutConfig", "GaussianNoiseConfig"]


@frozen(slots=False, eq=False, repr=False)
class GaussianNoiseConfig(LayerConfig):
    """Adds normal noise around 0 in training.

    Args:
        stddev: Its standard deviation.
        seed: Makes the noise reproducible on its own.
    """

    identifier: ClassVar[str] = "GaussianNoise"

    stddev: NonNegativeNumber
    seed: Seed = None


@frozen(slots=False, eq=False, repr=False)
class GaussianDropoutConfig(LayerConfig):
    """Multiplies by normal noise around 1 in training, whose variance is rate / (1 - rate).

    Args:
        rate: What dropout would drop, from 0 to 1; exactly 1 makes no noise, as in Keras.
        seed: Makes the noise reproducible on its own.
    """

    identifier: ClassVar[str] = "GaussianDropout"

    rate: Rate
    seed: Seed = None


@frozen(slots=False, eq=False, repr=False)
class AlphaDropoutConfig(LayerConfig):
    """Sets values to selu's least one in training, and shifts and scales all: mean and variance stay 0 and 1.

    Args:
        rate: Share to drop, from 0 to 1; exactly 1 is no dropout, as in Keras.
        noise_shape: Shape of the mask, 1 where it is shared along an axis, None where it has the input's size. The
            input's shape by default.
        seed: Makes the masks reproducible on their own.
    """

    identifier: ClassVar[str] = "AlphaDropout"

    rate: Rate
    noise_shape: Shape | None = None
    seed: Seed = None

"""The initializers whose spread follows the width of the weight: Glorot's, He's, LeCun's, and their general form."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from rnnspec.errors import ConfigError
from rnnspec.nn.distributions import Generator, Initializer, Shape, TruncatedNormal, Uniform

__all__ = [
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "LecunNormal",
    "LecunUniform",
    "VarianceScaling",
    "fans",
]


def fans(shape: Shape) -> tuple[float, float]:
    """Width of a weight's input and output as Keras 2.0.8 counts them, over the whole matrix of all gates.

    Args:
        shape: `(rows, columns)`; a convolution's `(*kernel size, input channels, filters)`; or anything else, which
            counts as the square root of its size on both sides.

    Returns:
        Fan in and fan out.
    """
    if 2 <= len(shape) <= 5:
        field = math.prod(shape[:-2])
        return float(shape[-2] * field), float(shape[-1] * field)
    root = math.sqrt(math.prod(shape))
    return root, root


MODES = ("fan_in", "fan_out", "fan_avg")
DISTRIBUTIONS = ("normal", "uniform")


@dataclass(frozen=True, repr=False)
class VarianceScaling(Initializer):
    """Values whose spread follows the width of the weight: their variance is `scale / n`.

    The normal distribution is truncated at two standard deviations and not corrected for it, as in Keras 2.0.8.

    Args:
        scale: Positive factor.
        mode: What n is: `fan_in`, `fan_out` or their mean, `fan_avg`.
        distribution: `normal` or `uniform`.
        seed: Makes the numbers reproducible on their own.
        dtype: Accepted and not used: the layer's dtype wins.
    """

    scale: float = 1.0
    mode: str = "fan_in"
    distribution: str = "normal"
    seed: int | None = None
    dtype: Any = None

    def __post_init__(self) -> None:
        """Checks the arguments.

        Raises:
            ConfigError: If one cannot be used.
        """
        problems = []
        if not self.scale > 0.0:
            problems.append(f"scale must be positive, found {self.scale!r}")
        for name, choices in (("mode", MODES), ("distribution", DISTRIBUTIONS)):
            value = getattr(self, name)
            if value not in choices:
                problems.append(f"{name} must be one of {', '.join(choices)}, found {value!r}")
        if problems:
            raise ConfigError(*problems)

    def draw(self, shape: Shape, dtype: torch.dtype, generator: Generator) -> Tensor:
        """See `Initializer.draw`."""
        fan_in, fan_out = fans(shape)
        count = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}[self.mode]
        variance = self.scale / max(1.0, count)
        if self.distribution == "normal":
            return TruncatedNormal(0.0, math.sqrt(variance)).draw(shape, dtype, generator)
        limit = math.sqrt(3.0 * variance)
        return Uniform(-limit, limit).draw(shape, dtype, generator)


@dataclass(frozen=True, repr=False)
class _Scaled(Initializer):
    """A variance scaling with a name of its own.

    Args:
        seed: Makes the numbers reproducible on their own.
    """

    scaling: ClassVar[VarianceScaling]

    seed: int | None = None

    def draw(self, shape: Shape, dtype: torch.dtype, generator: Generator) -> Tensor:
        """See `Initializer.draw`."""
        return self.scaling.draw(shape, dtype, generator)


class GlorotUniform(_Scaled):
    """Uniform within sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010)."""

    scaling = VarianceScaling(1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal with variance 2 / (fan_in + fan_out) (Glorot and Bengio, 2010)."""

    scaling = VarianceScaling(1.0, "fan_avg", "normal")


class HeUniform(_Scaled):
    """Uniform within sqrt(6 / fan_in) (He et al., 2015)."""

    scaling = VarianceScaling(2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal with variance 2 / fan_in (He et al., 2015)."""

    scaling = VarianceScaling(2.0, "fan_in", "normal")


class LecunUniform(_Scaled):
    """Uniform within sqrt(3 / fan_in) (LeCun et al., 1998)."""

    scaling = VarianceScaling(1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal with variance 1 / fan_in (LeCun et al., 1998; Klambauer et al., 2017)."""

    scaling = VarianceScaling(1.0, "fan_in", "normal")

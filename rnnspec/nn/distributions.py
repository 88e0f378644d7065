"""The base of the initializers, and those that fill a weight without regard to its shape.

An initializer fills a tensor in place. It draws on the CPU, in float64 for a float64 tensor and in float32 for any
other, so the numbers do not depend on the device; a `seed` makes them independent of what was drawn before, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rnnspec.errors import warn
from rnnspec.nn.named import Named

__all__ = ["Constant", "Initializer", "Normal", "Ones", "TruncatedNormal", "Uniform", "Zeros"]

Shape = tuple[int, ...]
Generator = torch.Generator | None


class Initializer(Named):
    """The base of all initializers; a subclass is a frozen dataclass that defines `draw`."""

    def draw(self, shape: Shape, dtype: torch.dtype, generator: Generator) -> Tensor:
        """Makes the initial values.

        Args:
            shape: Shape of the weight.
            dtype: float32 or float64.
            generator: A CPU generator, or None for torch's global one.

        Returns:
            A new tensor on the CPU.
        """
        raise NotImplementedError(f"{type(self).__name__} must define draw(shape, dtype, generator)")

    def __call__(self, tensor: Tensor, generator: Generator = None) -> None:
        """Fills a tensor in place; does nothing to one on the meta device.

        Args:
            tensor: The tensor, on any device.
            generator: Where to draw from if there is no `seed`; torch's global CPU generator by default.
        """
        self._warn_of_dtype(tensor)
        if tensor.is_meta:
            return
        seed = getattr(self, "seed", None)
        if seed is not None:
            generator = torch.Generator().manual_seed(seed)
        dtype = torch.float64 if tensor.dtype == torch.float64 else torch.float32
        with torch.no_grad():
            tensor.copy_(self.draw(tuple(tensor.shape), dtype, generator))

    def _warn_of_dtype(self, tensor: Tensor) -> None:
        wanted, actual = (str(item).removeprefix("torch.") for item in (getattr(self, "dtype", None), tensor.dtype))
        if wanted not in ("None", actual):
            warn(f"{type(self).__name__} has dtype {wanted}, the weight has {actual}: the weight's dtype is used")


@dataclass(frozen=True, repr=False)
class Zeros(Initializer):
    """All zeros.

    Args:
        dtype: Accepted and not used: the layer's dtype wins.
    """

    dtype: Any = None

    def draw(self, shape: Shape, dtype: torch.dtype, generator: Generator) -> Tensor:
        """See `Initializer.draw`."""
        return torch.zeros(shape, dtype=dtype, device="cpu")


@dataclass(frozen=True, repr=False)
class Ones(Initializer):
    """All ones.

    Args:
        dtype: Accepted and not used: the layer's dtype wins.
    """

    dtype: Any = None

    def draw(self, shape: Shape, dtype: torch.dtype, generator: Generator) -> Tensor:
        """See `Initializer.draw`."""
        return torch.ones(shape, dtype=dtype, device="cpu")


@dataclass(frozen=True, repr=False)
class Constant(Initializer):
    """One value everywhere.

    Args:
        value: The value.
        dtype: Accepted and not used: the layer's dtype wins.
    """

    value: float = 0.0
    dtype: Any = None

    def draw(self, shape: Shape, dtype: torch.dtype, generator: Generator) -> Tensor:
        """See `Initializer.draw`."""
        return torch.full(shape, self.value, dtype=dtype, device="cpu")


@dataclass(frozen=True, repr=False)
class Uniform(Initializer):
    """Evenly distributed values. Keras's `uniform` and `RandomUniform` have -0.05 and 0.05 for the bounds.

    Args:
        minval: Lower bound.
        maxval: Upper bound.
        seed: Makes the numbers reproducible on their own.
        dtype: Accepted and not used: the layer's dtype wins.
    """

    minval: float = 0.0
    maxval: float = 1.0
    seed: int | None = None
    dtype: Any = None

    def draw(self, shape: Shape, dtype: torch.dtype, generator: Generator) -> Tensor:
        """See `Initializer.draw`."""
        return torch.empty(shape, dtype=dtype, device="cpu").uniform_(self.minval, self.maxval, generator=generator)


@dataclass(frozen=True, repr=False)
class Normal(Initializer):
    """Normally distributed values. Keras's `normal` and `RandomNormal` have a standard deviation of 0.05.

    Args:
        mean: Mean.
        stddev: Standard deviation.
        seed: Makes the numbers reproducible on their own.
        dtype: Accepted and not used: the layer's dtype wins.
    """

    mean: float = 0.0
    stddev: float = 1.0
    seed: int | None = None
    dtype: Any = None

    def draw(self, shape: Shape, dtype: torch.dtype, generator: Generator) -> Tensor:
        """See `Initializer.draw`."""
        return torch.empty(shape, dtype=dtype, device="cpu").normal_(self.mean, self.stddev, generator=generator)


@dataclass(frozen=True, repr=False)
class TruncatedNormal(Initializer):
    """Normally distributed values, drawn again where they are more than two standard deviations off the mean.

    Args:
        mean: Mean.
        stddev: Standard deviation before the truncation, which leaves 0.88 of it.
        seed: Makes the numbers reproducible on their own.
        dtype: Accepted and not used: the layer's dtype wins.
    """

    mean: float = 0.0
    stddev: float = 0.05
    seed: int | None = None
    dtype: Any = None

    def draw(self, shape: Shape, dtype: torch.dtype, generator: Generator) -> Tensor:
        """See `Initializer.draw`."""
        standard = torch.empty(shape, dtype=dtype, device="cpu")
        torch.nn.init.trunc_normal_(standard, 0.0, 1.0, -2.0, 2.0, generator=generator)
        return self.mean + self.stddev * standard

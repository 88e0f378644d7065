"""The initializers of Keras 2.0.8 (`keras/initializers.py`), drawing from torch generators."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from rnnspec.errors import ShapeError
from rnnspec.nn.distributions import (
    Constant,
    Generator,
    Initializer,
    Normal,
    Ones,
    Shape,
    TruncatedNormal,
    Uniform,
    Zeros,
)
from rnnspec.nn.named import find, name_of
from rnnspec.nn.variance_scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
)
from rnnspec.registry import INITIALIZERS

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Normal",
    "Ones",
    "Orthogonal",
    "TruncatedNormal",
    "Uniform",
    "UnitForgetBias",
    "VarianceScaling",
    "Wrapped",
    "Zeros",
    "get",
    "orthogonal_from",
]


@dataclass(frozen=True, repr=False)
class Identity(Initializer):
    """The identity matrix, for square matrices alone.

    Args:
        gain: Factor.
    """

    gain: float = 1.0

    def draw(self, shape: Shape, dtype: torch.dtype, generator: Generator) -> Tensor:
        """See `Initializer.draw`; a `ShapeError` if the weight is not a square matrix."""
        if len(shape) != 2 or shape[0] != shape[1]:
            raise ShapeError(f"Identity needs a square matrix, found the shape {shape}")
        return self.gain * torch.eye(shape[0], dtype=dtype, device="cpu")


def orthogonal_from(normal: Tensor) -> Tensor:
    """The algorithm of Keras 2.0.8's `Orthogonal`: of a matrix's singular vectors, those that have its shape.

    Args:
        normal: Normally distributed values, `(rows, columns)`.

    Returns:
        A matrix of the same shape whose rows (if there are more columns) or columns are orthonormal.
    """
    found: tuple[Tensor, Tensor, Tensor] = torch.linalg.svd(normal, full_matrices=False)
    u, _, v = found
    return u if u.shape == normal.shape else v


@dataclass(frozen=True, repr=False)
class Orthogonal(Initializer):
    """A random matrix with orthonormal rows or columns (Saxe et al., 2014), over all gates together.

    Args:
        gain: Factor.
        seed: Makes the numbers reproducible on their own.
        dtype: Accepted and not used: the layer's dtype wins.
    """

    gain: float = 1.0
    seed: int | None = None
    dtype: Any = None

    def draw(self, shape: Shape, dtype: torch.dtype, generator: Generator) -> Tensor:
        """See `Initializer.draw`; more than two axes are flattened to `(all but the last, last)`."""
        flat = (math.prod(shape[:-1]), *shape[-1:])
        return self.gain * orthogonal_from(Normal().draw(flat, dtype, generator)).reshape(shape)


@dataclass(frozen=True, repr=False)
class UnitForgetBias(Initializer):
    """An LSTM's bias of zeros, with ones at the forget gate (Jozefowicz et al., 2015).

    Args:
        units: Width of a gate; the bias is `(4 * units,)`, in the order i, f, c, o.
    """

    units: int

    def draw(self, shape: Shape, dtype: torch.dtype, generator: Generator) -> Tensor:
        """See `Initializer.draw`."""
        bias = torch.zeros(shape, dtype=dtype, device="cpu")
        bias[self.units : 2 * self.units] = 1.0
        return bias


@dataclass(frozen=True, repr=False)
class Wrapped(Initializer):
    """A user's function, or one of `torch.nn.init`.

    Args:
        function: Fills a tensor in place; it gets `generator=` if it has such an argument.
    """

    function: Callable[..., Any]

    def __repr__(self) -> str:
        return name_of(self.function)

    def draw(self, shape: Shape, dtype: torch.dtype, generator: Generator) -> Tensor:
        """See `Initializer.draw`; what the function does not fill is NaN."""
        tensor = torch.full(shape, torch.nan, dtype=dtype, device="cpu")
        if "generator" in inspect.signature(self.function).parameters:
            self.function(tensor, generator=generator)
        else:
            self.function(tensor)
        return tensor


_NAMES: Mapping[str, Callable[[], Initializer]] = {
    "Zeros": Zeros,
    "zeros": Zeros,
    "zero": Zeros,
    "Ones": Ones,
    "ones": Ones,
    "one": Ones,
    "Constant": Constant,
    "constant": Constant,
    "Uniform": Uniform,
    "RandomUniform": partial(Uniform, -0.05, 0.05),
    "random_uniform": partial(Uniform, -0.05, 0.05),
    "uniform": partial(Uniform, -0.05, 0.05),
    "Normal": Normal,
    "RandomNormal": partial(Normal, 0.0, 0.05),
    "random_normal": partial(Normal, 0.0, 0.05),
    "normal": partial(Normal, 0.0, 0.05),
    "TruncatedNormal": TruncatedNormal,
    "truncated_normal": TruncatedNormal,
    "VarianceScaling": VarianceScaling,
    "variance_scaling": VarianceScaling,
    "Identity": Identity,
    "identity": Identity,
    "Orthogonal": Orthogonal,
    "orthogonal": Orthogonal,
    "GlorotUniform": GlorotUniform,
    "glorot_uniform": GlorotUniform,
    "GlorotNormal": GlorotNormal,
    "glorot_normal": GlorotNormal,
    "HeUniform": HeUniform,
    "he_uniform": HeUniform,
    "HeNormal": HeNormal,
    "he_normal": HeNormal,
    "LecunUniform": LecunUniform,
    "lecun_uniform": LecunUniform,
    "LecunNormal": LecunNormal,
    "lecun_normal": LecunNormal,
}


def get(value: str | Initializer | Callable[..., Any]) -> Initializer:
    """Finds an initializer.

    Args:
        value: A name (`GlorotUniform`, `glorot_uniform`, a registered one), an initializer, a class that needs no
            arguments, or a function that fills a tensor in place, such as `torch.nn.init.kaiming_normal_`.

    Returns:
        The initializer.

    Raises:
        ConfigError: If there is no initializer of that name, or the value is none of the above.
    """
    return find(value, INITIALIZERS, _NAMES, Initializer, Wrapped)

"""The layers that make some noise in training, as in Keras 2.0.8; `seed` is Keras 3's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rnnspec.nn.arguments import check_not_negative, check_rate
from rnnspec.nn.base import Layer
from rnnspec.nn.core import Dropout
from rnnspec.nn.dropout import bell_noise, draw_seed, dropout_mask, drops, seeded_generator

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnspec.nn.base import LayerArguments

__all__ = ["AlphaDropout", "GaussianDropout", "GaussianNoise"]

# What selu gives far below 0: minus its alpha times its scale.
SELU_LEAST = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946


class GaussianNoise(Layer):
    """Adds normal noise around 0 in training.

    Args:
        stddev: Its standard deviation.
        seed: Makes the noise reproducible, whatever else draws random numbers.
        **layer: See `Layer`.
    """

    supports_masking = True

    def __init__(self, stddev: float, seed: int | None = None, **layer: Unpack[LayerArguments]) -> None:
        super().__init__(**layer)
        self.stddev = check_not_negative("stddev", stddev)
        self.seed = seed
        self._generator = seeded_generator(seed)
        self.build_declared()

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Adds noise in training mode.

        Args:
            x: Input of any shape.
            generator: Where the noise of this call is drawn from; else `seed`, else torch's CPU generator.

        Returns:
            A tensor of the same shape.
        """
        if not self.training or self.stddev == 0.0:
            return x
        seed = draw_seed(self._generator if generator is None else generator)
        return x + bell_noise(seed, self.stddev, x.shape, dtype=x.dtype, device=x.device)

    def extra_repr(self) -> str:
        """The standard deviation."""
        return f"stddev={self.stddev}"


class GaussianDropout(Layer):
    """Multiplies by normal noise around 1 in training, whose variance is that of dropout: rate / (1 - rate).

    Args:
        rate: What dropout would drop, in [0, 1]; exactly 1 makes no noise, as in Keras 2.0.
        seed: Makes the noise reproducible, whatever else draws random numbers.
        **layer: See `Layer`.
    """

    supports_masking = True

    def __init__(self, rate: float, seed: int | None = None, **layer: Unpack[LayerArguments]) -> None:
        super().__init__(**layer)
        self.rate = check_rate("rate", rate)
        self.seed = seed
        self._generator = seeded_generator(seed)
        self.build_declared()

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Multiplies in training mode.

        Args:
            x: Input of any shape.
            generator: Where the noise of this call is drawn from; else `seed`, else torch's CPU generator.

        Returns:
            A tensor of the same shape.
        """
        if not (self.training and drops(self.rate)):
            return x
        seed = draw_seed(self._generator if generator is None else generator)
        stddev = float((self.rate / (1.0 - self.rate)) ** 0.5)
        return x * (1.0 + bell_noise(seed, stddev, x.shape, dtype=x.dtype, device=x.device))

    def extra_repr(self) -> str:
        """The rate."""
        return f"rate={self.rate}"


class AlphaDropout(Dropout):
    """Sets entries to selu's least value in training, and shifts and scales all (Klambauer et al., 2017).

    Inputs with the mean 0 and the variance 1 keep both.

    Args:
        rate: Fraction that is dropped, in [0, 1]; exactly 1 drops nothing, as in Keras 2.0.
        noise_shape: Shape of the mask: 1 where it is shared along an axis, None where it is as wide as the input.
        seed: Makes the masks reproducible, whatever else draws random numbers.
        **layer: See `Layer`.
    """

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Drops entries in training mode.

        Args:
            x: Input of any shape.
            generator: Where the mask of this call is drawn from; else `seed`, else torch's CPU generator.

        Returns:
            A tensor of the same shape.

        Raises:
            ShapeError: If `noise_shape` does not fit the input.
        """
        if not (self.training and drops(self.rate)):
            return x
        seed = draw_seed(self._generator if generator is None else generator)
        kept = dropout_mask(seed, self.rate, self._mask_shape(x), dtype=x.dtype, device=x.device) != 0
        scale: float = ((1.0 - self.rate) * (1.0 + self.rate * SELU_LEAST**2)) ** -0.5
        return torch.where(kept, x, SELU_LEAST) * scale - scale * SELU_LEAST * self.rate

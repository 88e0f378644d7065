"""The layers around the recurrent ones, as in Keras 2.0.8.

Input, Masking, Unmasking, Dense, Activation, Dropout, SpatialDropout1D, ActivityRegularization.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from rnnspec import shapes
from rnnspec.engines import activations
from rnnspec.errors import ShapeError
from rnnspec.nn import regularizers
from rnnspec.nn.arguments import check_number, check_positive_integer, check_rate
from rnnspec.nn.base import Layer
from rnnspec.nn.dropout import draw_seed, dropout_mask, drops, seeded_generator
from rnnspec.shapes import Shape, declared_input, format_shape, known

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnspec.nn.base import LayerArguments

__all__ = [
    "Activation",
    "ActivityRegularization",
    "Dense",
    "Dropout",
    "Input",
    "Masking",
    "SpatialDropout1D",
    "Unmasking",
]


class Input(Layer):
    """Says what comes into a model, and refuses anything else; the output is the input.

    Args:
        shape: Shape of one input without the batch, None where free: `(time, features)`.
        batch_shape: Shape with the batch; wins over `shape`.
        **layer: See `Layer`; `input_shape` and `batch_input_shape` are other names for the two above.

    Raises:
        ShapeError: If no shape is given.
    """

    supports_masking = True

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_shape: Sequence[int | None] | None = None,
        **layer: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**layer)
        given = declared_input(input_shape=shape, batch_input_shape=batch_shape)
        self.declared_input_shape = given or self.declared_input_shape
        if self.declared_input_shape is None:
            raise ShapeError(f"{self.label} needs a shape or a batch_shape")
        self.build_declared()

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """What the declared and the given shape say together."""
        assert self.declared_input_shape is not None
        merged = shapes.merge(self.declared_input_shape, input_shape)
        if merged is None:
            declared, found = format_shape(self.declared_input_shape), format_shape(input_shape)
            raise ShapeError(f"{self.label} expects an input of shape {declared}, found {found}")
        return merged

    def forward(self, x: Tensor) -> Tensor:
        """Returns the input, if its shape is the declared one."""
        self.compute_output_shape(tuple(x.shape))
        return x


class Masking(Layer):
    """Masks the steps at which every feature has one value; they become 0.

    A mask that came with the input is replaced.

    Args:
        mask_value: The value.
        **layer: See `Layer`.
    """

    supports_masking = True
    makes_mask = True

    def __init__(self, mask_value: float = 0.0, **layer: Unpack[LayerArguments]) -> None:
        super().__init__(**layer)
        self.mask_value = mask_value
        self.build_declared()

    def compute_mask(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """True at the steps where a feature differs from `mask_value`."""
        return (x != self.mask_value).any(dim=-1)

    def forward(self, x: Tensor) -> Tensor:
        """`(..., features)` in, the same shape out, with zeros at the masked steps."""
        return x.masked_fill(~self.compute_mask(x, None).unsqueeze(-1), 0.0)

    def extra_repr(self) -> str:
        """The value."""
        return f"mask_value={self.mask_value}"


class Unmasking(Layer):
    """Ours. Passes its input on without its mask; later Keras does so before layers that cannot take a mask.

    Args:
        **layer: See `Layer`.
    """

    supports_masking = True

    def __init__(self, **layer: Unpack[LayerArguments]) -> None:
        super().__init__(**layer)
        self.build_declared()

    def compute_mask(self, x: Any, mask: Tensor | None) -> Tensor | None:
        """None: no mask leaves."""
        return None

    def forward(self, x: Tensor) -> Tensor:
        """Returns the input."""
        return x


class Dense(Layer):
    """A linear map of the last axis, and an activation: `activation(x . kernel + bias)`.

    Weights:
        - `kernel`: `(features, units)`.
        - `bias`: `(units,)`.

    Args:
        units: Width of the output, a positive integer.
        activation: Name or function; None is `linear`.
        use_bias: Whether there is a bias.
        kernel_initializer: Of `kernel`.
        bias_initializer: Of `bias`.
        kernel_regularizer: Adds a loss of `kernel` to `losses`.
        bias_regularizer: Adds a loss of `bias`.
        activity_regularizer: Adds a loss of the output, summed over the batch.
        kernel_constraint: Acts on `kernel` after every step of an optimizer.
        bias_constraint: Acts on `bias` likewise.
        input_dim: Width of a two-dimensional input; `input_shape` wins.
        **layer: See `Layer`.
    """

    supports_masking = True

    kernel: Tensor
    bias: Tensor | None

    def __init__(
        self,
        units: int,
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
        input_dim: int | None = None,
        **layer: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**layer)
        if self.declared_input_shape is None and input_dim is not None:
            self.declared_input_shape = (None, input_dim)
        self.units = check_positive_integer("units", units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.add_weight("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self.add_weight("bias", bias_initializer, bias_regularizer, bias_constraint, used=use_bias)
        self.build_declared()

    def weight_shapes(self, input_shape: Shape) -> Mapping[str, tuple[int, ...]]:
        """Kernel and bias."""
        self.compute_output_shape(input_shape)
        needed: dict[str, tuple[int, ...]] = {"kernel": (known(input_shape[-1]), self.units)}
        return needed | {"bias": (self.units,)} if self.use_bias else needed

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape with `units` at its end."""
        return shapes.dense(input_shape, units=self.units)

    def forward(self, x: Tensor) -> Tensor:
        """Maps the last axis.

        Args:
            x: Input, `(batch, ..., features)`.

        Returns:
            The output, `(batch, ..., units)`.

        Raises:
            ShapeError: If the rank or the number of features does not fit.
            DTypeError: If the dtype is not that of the weights, outside autocast.
        """
        if x.dim() < 2:
            raise ShapeError(f"{self.label} expects an input of shape (batch, ..., features), found {tuple(x.shape)}")
        self.build(tuple(x.shape))
        if x.shape[-1] != self.kernel.shape[0]:
            raise ShapeError(f"{self.label} expects {self.kernel.shape[0]} features, found {x.shape[-1]}")
        self.check_dtype(x, self.kernel.dtype)
        output = self.activation(functional.linear(x, self.kernel.T, self.bias))
        self.record_activity(output)
        return output

    def extra_repr(self) -> str:
        """Widths and activation."""
        features = self.kernel.shape[0] if self.built else "?"
        return f"{features} -> {self.units}, activation={self.activation.name}"


class Activation(Layer):
    """An activation as a layer.

    Args:
        activation: Name or function; None is `linear`.
        **layer: See `Layer`.
    """

    supports_masking = True

    def __init__(self, activation: Any, **layer: Unpack[LayerArguments]) -> None:
        super().__init__(**layer)
        self.activation = activations.get(activation)
        self.build_declared()

    def forward(self, x: Tensor) -> Tensor:
        """Applies the activation: any shape in, the same out."""
        return self.activation(x)

    def extra_repr(self) -> str:
        """The activation's name."""
        return self.activation.name


class Dropout(Layer):
    """Sets entries to 0 in training and scales the others by 1 / (1 - rate).

    Masks are drawn anew each call and are equal on every device.

    Args:
        rate: Fraction that is dropped, in [0, 1]; exactly 1 drops nothing, as in Keras 2.0.
        noise_shape: Shape of the mask: 1 where it is shared along an axis, None where it is as wide as the input.
            `(None, 1, None)` drops whole features over all timesteps.
        seed: Makes the masks reproducible, whatever else draws random numbers.
        **layer: See `Layer`.
    """

    supports_masking = True

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **layer: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**layer)
        self.rate = check_rate("rate", rate)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = seed
        self._generator = seeded_generator(seed)
        self.build_declared()

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
        return x * dropout_mask(seed, self.rate, self._mask_shape(x), dtype=x.dtype, device=x.device)

    def _mask_shape(self, x: Tensor) -> tuple[int, ...]:
        found = tuple(x.shape)
        noise = self.noise_shape
        if noise is None:
            return found
        pairs = list(zip(noise, found, strict=False))
        if len(noise) != len(found) or any(size not in (None, 1, whole) for size, whole in pairs):
            raise ShapeError(f"{self.label}: the noise_shape {noise} does not fit an input of shape {found}")
        return tuple(whole if size is None else size for size, whole in pairs)

    def extra_repr(self) -> str:
        """The rate, and the mask's shape where it is given."""
        return f"rate={self.rate}" + (f", noise_shape={self.noise_shape}" if self.noise_shape else "")


class SpatialDropout1D(Dropout):
    """Sets whole features to 0 in training, each over all steps of a sequence; scales the others by 1 / (1 - rate).

    Args:
        rate: Fraction that is dropped, in [0, 1]; exactly 1 drops nothing, as in Keras 2.0.
        noise_shape: Taken, as Keras takes it, and without meaning: the mask is `(batch, 1, features)`.
        seed: Makes the masks reproducible, whatever else draws random numbers.
        **layer: See `Layer`.
    """

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape, which has three axes."""
        return shapes.spatial_dropout(input_shape)

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Drops features in training mode.

        Args:
            x: Input, `(batch, time, features)`.
            generator: Where the mask of this call is drawn from; else `seed`, else torch's CPU generator.

        Returns:
            A tensor of the same shape.

        Raises:
            ShapeError: If the input has not three axes.
        """
        self.check_shape(x)
        return super().forward(x, generator)

    def _mask_shape(self, x: Tensor) -> tuple[int, ...]:
        return (x.shape[0], 1, x.shape[2])

    def extra_repr(self) -> str:
        """The rate."""
        return f"rate={self.rate}"


class ActivityRegularization(Layer):
    """Adds a loss of its input to `losses`, and returns the input: `sum(l1 * |x|) + sum(l2 * x ** 2)`.

    The sums run over the batch too, and are not divided by it, as in Keras 2.0.8.

    Args:
        l1: Factor of the first sum.
        l2: Factor of the second sum.
        **layer: See `Layer`.
    """

    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **layer: Unpack[LayerArguments]) -> None:
        super().__init__(**layer)
        self.l1, self.l2 = check_number("l1", l1), check_number("l2", l2)
        self.activity_regularizer = regularizers.L1L2(self.l1, self.l2)
        self.build_declared()

    def forward(self, x: Tensor) -> Tensor:
        """Records the loss: any shape in, the same tensor out."""
        self.record_activity(x)
        return x

    def extra_repr(self) -> str:
        """Both factors."""
        return f"l1={self.l1}, l2={self.l2}"

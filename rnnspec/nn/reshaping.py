"""The layers that move numbers and compute none, as in Keras 2.0.8: Flatten, Reshape, Permute, RepeatVector.

They cannot take a mask: its steps would not be those of the output.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from rnnspec import shapes
from rnnspec.errors import ConfigError, ShapeError
from rnnspec.nn.arguments import check_integers, check_positive_integer
from rnnspec.nn.base import Layer, labelled
from rnnspec.shapes import Shape, known

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnspec.nn.base import LayerArguments

__all__ = ["Flatten", "Permute", "RepeatVector", "Reshape"]


class Flatten(Layer):
    """Joins all axes but the batch's into one. It cannot take a mask, as in Keras 2.0.8.

    Args:
        **layer: See `Layer`.
    """

    def __init__(self, **layer: Unpack[LayerArguments]) -> None:
        super().__init__(**layer)
        self.build_declared()

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """`(batch, all other sizes multiplied)`."""
        return shapes.flatten(input_shape)

    def forward(self, x: Tensor) -> Tensor:
        """Joins the axes.

        Args:
            x: Input, `(batch, ...)` with three axes or more.

        Returns:
            The output, `(batch, features)`.

        Raises:
            ShapeError: If the input has fewer axes.
        """
        if x.dim() < 3:
            raise ShapeError(f"{self.label} expects an input of rank 3 or more, found {tuple(x.shape)}")
        return x.flatten(1)


class Reshape(Layer):
    """Gives each row of the batch another shape; the numbers keep their order. It cannot take a mask.

    Args:
        target_shape: The new shape without the batch. One size may be -1: it takes what is left.
        **layer: See `Layer`.

    Raises:
        ConfigError: If a size is neither positive nor -1, or several are -1.
    """

    def __init__(self, target_shape: Sequence[int], **layer: Unpack[LayerArguments]) -> None:
        super().__init__(**layer)
        sizes = "a list of sizes, each a positive integer or -1"
        self.target_shape = check_integers(
            "target_shape", target_shape, sizes, "a positive integer or -1", lambda size: size > 0 or size == -1
        )
        wrong = shapes.wrong_target_shape(self.target_shape)
        if wrong:
            raise ConfigError(wrong)
        self.build_declared()

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The batch and `target_shape`."""
        return shapes.reshape(input_shape, target_shape=self.target_shape)

    def forward(self, x: Tensor) -> Tensor:
        """Reshapes each row.

        Args:
            x: Input, `(batch, ...)`.

        Returns:
            The output, `(batch, *target_shape)`.

        Raises:
            ShapeError: If a row does not hold as many numbers.
        """
        with labelled(self.label):
            shape = self.compute_output_shape(tuple(x.shape))
        return x.reshape([known(size) for size in shape])

    def extra_repr(self) -> str:
        """The new shape."""
        return f"target_shape={self.target_shape}"


class Permute(Layer):
    """Puts the axes into another order; the batch's stays the first. It cannot take a mask.

    Args:
        dims: The order of the axes, counted from 1, each once: `(2, 1)` swaps time and features.
        **layer: See `Layer`.

    Raises:
        ConfigError: If an axis is missing or named twice.
    """

    def __init__(self, dims: Sequence[int], **layer: Unpack[LayerArguments]) -> None:
        super().__init__(**layer)
        self.dims = check_integers("dims", dims, "a list of axes, counted from 1", "an integer")
        wrong = shapes.wrong_dims(self.dims)
        if wrong:
            raise ConfigError(wrong)
        self.build_declared()

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The sizes in their new order."""
        return shapes.permute(input_shape, dims=self.dims)

    def forward(self, x: Tensor) -> Tensor:
        """Reorders the axes.

        Args:
            x: Input, `(batch, ...)` with an axis for each of `dims`.

        Returns:
            The output, a view of the input.

        Raises:
            ShapeError: If the input has another number of axes.
        """
        self.check_shape(x)
        return x.permute(0, *self.dims)

    def extra_repr(self) -> str:
        """The order."""
        return f"dims={self.dims}"


class RepeatVector(Layer):
    """Makes a sequence of `n` equal steps of each row, for a decoder that reads one vector. It cannot take a mask.

    Args:
        n: Number of steps, a positive integer.
        **layer: See `Layer`.
    """

    def __init__(self, n: int, **layer: Unpack[LayerArguments]) -> None:
        super().__init__(**layer)
        self.n = check_positive_integer("n", n)
        self.build_declared()

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """`(batch, n, features)`."""
        return shapes.repeat_vector(input_shape, n=self.n)

    def forward(self, x: Tensor) -> Tensor:
        """Repeats each row.

        Args:
            x: Input, `(batch, features)`.

        Returns:
            The output, `(batch, n, features)`.

        Raises:
            ShapeError: If the input has not two axes.
        """
        self.check_shape(x)
        return x.unsqueeze(1).repeat(1, self.n, 1)

    def extra_repr(self) -> str:
        """The number of steps."""
        return f"n={self.n}"

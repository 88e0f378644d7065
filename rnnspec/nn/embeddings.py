"""The embedding layer, as in Keras 2.0.8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from rnnspec import shapes
from rnnspec.errors import DataError
from rnnspec.nn import regularizers
from rnnspec.nn.arguments import check_positive_integer
from rnnspec.nn.base import Layer
from rnnspec.shapes import Shape

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnspec.nn.base import LayerArguments

__all__ = ["Embedding"]


class Embedding(Layer):
    """Turns ids into vectors.

    Weights:
        - `embeddings`: `(input_dim, output_dim)`.

    Args:
        input_dim: Number of ids: they are 0 to `input_dim` - 1.
        output_dim: Width of a vector.
        embeddings_initializer: Of `embeddings`.
        embeddings_regularizer: Adds a loss of `embeddings` to `losses`.
        activity_regularizer: Adds a loss of the output, summed over the batch.
        embeddings_constraint: Acts on `embeddings` after every step of an optimizer.
        mask_zero: Whether the id 0 is padding: the output then has a mask.
        input_length: Timesteps of the input, or its whole shape without the batch.
        **layer: See `Layer`; `input_shape` wins over `input_length`.
    """

    makes_mask = True
    default_input_shape: Shape = (None, None)
    """What comes in where nothing is said: `(batch, time)`."""

    embeddings: Tensor

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        activity_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        input_length: int | Sequence[int | None] | None = None,
        **layer: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**layer)
        self.input_dim = check_positive_integer("input_dim", input_dim)
        self.output_dim = check_positive_integer("output_dim", output_dim)
        self.mask_zero = mask_zero
        self.input_length = input_length
        if self.declared_input_shape is None and input_length is not None:
            lengths = (input_length,) if isinstance(input_length, int) else tuple(input_length)
            self.declared_input_shape = (None, *lengths)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.add_weight("embeddings", embeddings_initializer, embeddings_regularizer, embeddings_constraint)
        self.build(self.declared_input_shape or self.default_input_shape)

    def weight_shapes(self, input_shape: Shape) -> Mapping[str, tuple[int, ...]]:
        """The embeddings, whatever the input's shape."""
        return {"embeddings": (self.input_dim, self.output_dim)}

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape with `output_dim` at its end."""
        return shapes.embedding(input_shape, output_dim=self.output_dim, input_length=self.input_length)

    def compute_mask(self, x: Tensor, mask: Tensor | None) -> Tensor | None:
        """True where the id is not 0, with `mask_zero`; else None. A mask that came with the ids ends here."""
        return self._ids(x) != 0 if self.mask_zero else None

    def forward(self, x: Tensor) -> Tensor:
        """Looks the vectors up.

        Args:
            x: Ids, `(batch, ...)`, integers of any width; floating ones are cast to integers, as Keras does.

        Returns:
            The vectors, `(batch, ..., output_dim)`.

        Raises:
            ShapeError: If the shape is not that of `input_length`.
            DataError: If an id is out of range; on a device torch says so itself.
        """
        self.check_shape(x)
        try:
            output = functional.embedding(self._ids(x), self.embeddings)
        except IndexError as error:  # on the CPU; nothing is read from a device
            ids = self._ids(x)
            wrong = ids[(ids < 0) | (ids >= self.input_dim)]
            raise DataError(
                f"{self.label} has the ids 0 to {self.input_dim - 1}, as input_dim={self.input_dim} says, "
                f"found {int(wrong[0])}"
            ) from error
        self.record_activity(output)
        return output

    @staticmethod
    def _ids(x: Tensor) -> Tensor:
        return x if x.dtype in (torch.int32, torch.int64) else x.long()

    def extra_repr(self) -> str:
        """Sizes, and whether 0 is padding."""
        return f"{self.input_dim} -> {self.output_dim}" + (", mask_zero=True" if self.mask_zero else "")

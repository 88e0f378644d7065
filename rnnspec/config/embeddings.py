"""The Embedding layer, as in Keras 2.0.8."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from rnnspec import shapes
from rnnspec.config.checks import PositiveInt
from rnnspec.config.constraints import ConstraintLike
from rnnspec.config.initializers import KERAS_UNIFORM, InitializerLike
from rnnspec.config.layer import LayerConfig
from rnnspec.config.regularizers import RegularizerLike

__all__ = ["EmbeddingConfig"]


@frozen(slots=False, eq=False, repr=False)
class EmbeddingConfig(LayerConfig):
    """Turns integer ids `(batch, time)` into vectors `(batch, time, output_dim)`.

    Args:
        input_dim: Number of ids, which run from 0 to `input_dim - 1`; a positive integer.
        output_dim: Width of the vectors, a positive integer.
        embeddings_initializer: How `embeddings`, `(input_dim, output_dim)`, starts (default Keras's `uniform`: -0.05 to
            0.05); None means the default.
        embeddings_regularizer: Adds a loss of `embeddings`.
        activity_regularizer: Adds a loss of the output, summed.
        embeddings_constraint: Acts on `embeddings` after every step of an optimizer.
        mask_zero: Whether id 0 stands for padding: the layers after it then get a mask (default False).
        input_length: Number of ids of a sequence; `Flatten` after it needs it.
    """

    identifier: ClassVar[str] = "Embedding"

    input_dim: PositiveInt
    output_dim: PositiveInt
    embeddings_initializer: InitializerLike | None = KERAS_UNIFORM
    embeddings_regularizer: RegularizerLike | None = None
    activity_regularizer: RegularizerLike | None = None
    embeddings_constraint: ConstraintLike | None = None
    mask_zero: bool = False
    input_length: PositiveInt | None = None

    def default_input(self) -> shapes.Shape | None:
        """`(batch, input_length)`: a model that starts with this layer needs no input shape, as in Keras."""
        return (None, self.input_length)

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """The shape of the ids and `output_dim`."""
        return shapes.embedding(input_shape, output_dim=self.output_dim, input_length=self.input_length)

    def output_mask(self, mask: bool | None) -> bool | None:
        """Only `mask_zero` makes a mask; one that comes in ends here."""
        return self.mask_zero

"""The shape rules of every layer, in plain Python: configs and modules call the same ones, so `check` needs no torch.

A shape is a tuple that starts with the batch size; None stands for a size that is free: `(None, 10, 64)`.
"""

from __future__ import annotations

from collections.abc import Sequence

from rnnspec.errors import ShapeError

__all__ = ["Shape", "declared_input", "format_shape", "recurrent"]

Shape = tuple[int | None, ...]


def format_shape(shape: Shape) -> str:
    """Writes a shape for messages: `(None, 10, 64)`."""
    return "(" + ", ".join(str(size) for size in shape) + ("," if len(shape) == 1 else "") + ")"


def declared_input(
    *,
    input_shape: Sequence[int | None] | None = None,
    batch_input_shape: Sequence[int | None] | None = None,
    input_dim: int | None = None,
    input_length: int | None = None,
    batch_size: int | None = None,
) -> Shape | None:
    """The input shape that a layer's own arguments declare, as in Keras 2.0.8.

    Args:
        input_shape: Without the batch, `(time, features)`.
        batch_input_shape: With the batch; wins over everything else.
        input_dim: Features; wins over `input_shape`.
        input_length: Timesteps, only together with `input_dim`.
        batch_size: Put before `input_shape`.

    Returns:
        The shape with the batch, or None if nothing is declared.

    Raises:
        ShapeError: If `input_length` is given without `input_dim`.
    """
    if batch_input_shape is not None:
        return tuple(batch_input_shape)
    if input_dim is not None:
        return (batch_size, input_length, input_dim)
    if input_length is not None:
        raise ShapeError("input_length needs input_dim beside it")
    return None if input_shape is None else (batch_size, *input_shape)


def recurrent(input_shape: Shape, *, output_size: int, return_sequences: bool) -> Shape:
    """Output shape of a recurrent layer: `(batch, time, units)` or `(batch, units)`."""
    if len(input_shape) != 3:
        raise ShapeError(f"expected an input of rank 3, (batch, time, features), found {format_shape(input_shape)}")
    batch, time, _ = input_shape
    return (batch, time, output_size) if return_sequences else (batch, output_size)

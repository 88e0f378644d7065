"""The shape rules of every layer, in plain Python: configs and modules call the same ones, so `check` needs no torch.

A shape is a tuple that starts with the batch size; None stands for a size that is free: `(None, 10, 64)`.
"""

from __future__ import annotations

from collections.abc import Sequence

from rnnspec.errors import ShapeError

__all__ = [
    "Shape",
    "bidirectional",
    "check_unroll",
    "declared_input",
    "dense",
    "embedding",
    "flatten",
    "format_shape",
    "known",
    "merge",
    "recurrent",
    "time_distributed",
    "time_distributed_step",
]

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
    _require_features(input_shape)
    batch, time, _ = input_shape
    return (batch, time, output_size) if return_sequences else (batch, output_size)


def dense(input_shape: Shape, *, units: int) -> Shape:
    """Output shape of a dense layer: the input's with the last size replaced by `units`."""
    if len(input_shape) < 2:
        raise ShapeError(
            f"expected an input of rank 2 or more, (batch, ..., features), found {format_shape(input_shape)}"
        )
    _require_features(input_shape)
    return (*input_shape[:-1], units)


def embedding(input_shape: Shape, *, output_dim: int, input_length: int | Sequence[int | None] | None = None) -> Shape:
    """Output shape of an embedding: ids `(batch, ...)` become vectors `(batch, ..., output_dim)`."""
    if input_length is None:
        return (*input_shape, output_dim)
    declared = (input_length,) if isinstance(input_length, int) else tuple(input_length)
    merged = merge((input_shape[0] if input_shape else None, *declared), input_shape)
    if merged is None:
        text = input_length if isinstance(input_length, int) else format_shape(declared)
        raise ShapeError(f"expected ids with input_length {text}, found {format_shape(input_shape)}")
    return (*merged, output_dim)


def flatten(input_shape: Shape) -> Shape:
    """Output shape of Flatten: `(batch, all other sizes multiplied)`."""
    if len(input_shape) < 3:
        raise ShapeError(f"expected an input of rank 3 or more, found {format_shape(input_shape)}")
    product = 1
    for size in input_shape[1:]:
        if size is None:
            raise ShapeError(f"expected every size but the batch's to be known, found {format_shape(input_shape)}")
        product *= size
    return (input_shape[0], product)


def time_distributed_step(input_shape: Shape) -> Shape:
    """The shape that the layer inside TimeDistributed sees: the input's without the time axis."""
    if len(input_shape) < 3:
        raise ShapeError(f"expected an input of rank 3 or more, (batch, time, ...), found {format_shape(input_shape)}")
    return (input_shape[0], *input_shape[2:])


def time_distributed(input_shape: Shape, step_output: Shape) -> Shape:
    """Output shape of TimeDistributed, given what the layer inside makes of one step."""
    return (input_shape[0], input_shape[1], *step_output[1:])


def bidirectional(half_output: Shape, *, merge_mode: str | None) -> Shape:
    """Output shape of Bidirectional, given one direction's; with `merge_mode` None each of its two outputs has it."""
    last = half_output[-1]
    return (*half_output[:-1], 2 * last) if merge_mode == "concat" and last is not None else half_output


def merge(declared: Shape, found: Shape) -> Shape | None:
    """What two shapes say together: free sizes of one are filled in from the other; None if they contradict."""
    if len(declared) != len(found):
        return None
    merged = []
    for ours, theirs in zip(declared, found, strict=True):
        if ours is not None and theirs is not None and ours != theirs:
            return None
        merged.append(theirs if ours is None else ours)
    return tuple(merged)


def check_unroll(input_shape: Shape) -> None:
    """Raises if a loop over the steps of this input cannot be unrolled: Keras 2.0.8 needs two fixed steps or more."""
    time = input_shape[1]
    if time is None or time == 1:
        found = "a free number of them" if time is None else str(time)
        raise ShapeError(f"unroll=True needs two timesteps or more, found {found}")


def known(size: int | None) -> int:
    """A size that a rule has found to be known."""
    assert size is not None
    return size


def _require_features(input_shape: Shape) -> None:
    if input_shape[-1] is None:
        raise ShapeError(f"expected a known number of features, found {format_shape(input_shape)}")

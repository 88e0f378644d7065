"""The shape rules of every layer, in plain Python: configs and modules call the same ones, so `check` needs no torch.

A shape is a tuple that starts with the batch size; None stands for a size that is free: `(None, 10, 64)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from rnnspec.errors import Problem, ShapeError

__all__ = [
    "Shape",
    "axes_of",
    "bidirectional",
    "check_unroll",
    "convolution",
    "cropping",
    "declared_input",
    "dense",
    "embedding",
    "flatten",
    "format_shape",
    "global_pooling",
    "known",
    "merge",
    "permute",
    "pooling",
    "prelu_alpha",
    "recurrent",
    "repeat_vector",
    "reshape",
    "sizes_at",
    "softmax",
    "spatial_dropout",
    "stated",
    "time_distributed",
    "time_distributed_step",
    "two",
    "up_sampling",
    "wrong_convolution",
    "wrong_dims",
    "wrong_target_shape",
    "zero_padding",
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
    _require_rank(input_shape, 3, "(batch, time, features)")
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
    return (input_shape[0], _row_size(input_shape))


def reshape(input_shape: Shape, *, target_shape: Sequence[int]) -> Shape:
    """Output shape of Reshape: the batch and `target_shape`, whose -1 takes what is left of a row."""
    found = _row_size(input_shape)
    wanted = math.prod([size for size in target_shape if size != -1])
    if found % wanted if -1 in target_shape else found != wanted:
        text = f"a multiple of {wanted}" if -1 in target_shape else str(wanted)
        message = f"target_shape {format_shape(tuple(target_shape))} takes {text} numbers a row"
        raise ShapeError(f"{message}, found {found} in {format_shape(input_shape)}")
    return (input_shape[0], *(found // wanted if size == -1 else size for size in target_shape))


def wrong_target_shape(target_shape: Sequence[int]) -> str | None:
    """What is wrong with a target shape of sizes that are right on their own."""
    found = format_shape(tuple(target_shape))
    return f"target_shape takes one -1 at most, found {found}" if target_shape.count(-1) > 1 else None


def permute(input_shape: Shape, *, dims: Sequence[int]) -> Shape:
    """Output shape of Permute: the sizes in the order of `dims`, which counts the axes after the batch's from 1."""
    _require_rank(
        input_shape, len(dims) + 1, f"one axis for each of the dims {format_shape(tuple(dims))} and the batch's"
    )
    return (input_shape[0], *(input_shape[axis] for axis in dims))


def wrong_dims(dims: Sequence[int]) -> str | None:
    """What is wrong with the dims of a Permute, which are integers."""
    wanted = tuple(range(1, len(dims) + 1))
    if tuple(sorted(dims)) == wanted:
        return None
    return f"dims must be a permutation of {format_shape(wanted)}, found {format_shape(tuple(dims))}"


def repeat_vector(input_shape: Shape, *, n: int) -> Shape:
    """Output shape of RepeatVector: `(batch, features)` becomes `(batch, n, features)`."""
    _require_rank(input_shape, 2, "(batch, features)")
    return (input_shape[0], n, input_shape[1])


def spatial_dropout(input_shape: Shape) -> Shape:
    """Output shape of SpatialDropout1D: the input's, which has three axes."""
    _require_rank(input_shape, 3, "(batch, time, features)")
    return input_shape


def axes_of(shared_axes: int | Sequence[int] | None) -> tuple[int, ...]:
    """The axes that an argument names: one, several, or none."""
    return (shared_axes,) if isinstance(shared_axes, int) else tuple(shared_axes or ())


def prelu_alpha(input_shape: Shape, *, shared_axes: int | Sequence[int] | None) -> tuple[int, ...]:
    """Shape of a PReLU's slopes: that of one input, with 1 at the shared axes, which are counted from 1."""
    shared = axes_of(shared_axes)
    beyond = [axis for axis in shared if axis >= len(input_shape)]
    if beyond:
        message = f"shared_axes holds the axis {beyond[0]}, which an input {format_shape(input_shape)} does not have"
        raise ShapeError(message)
    sizes = [1 if axis in shared else size for axis, size in enumerate(input_shape)][1:]
    if None in sizes:
        message = f"expected a known size at every axis that is not shared, found {format_shape(input_shape)}"
        hint = f"share the slopes along the axis: shared_axes: [{sizes.index(None) + 1}]"
        raise ShapeError(Problem(message, hint=hint))
    return tuple([known(size) for size in sizes])


def stated(input_shape: Shape, output_shape: Sequence[int | None] | Callable[[Shape], Any]) -> Shape:
    """Output shape of a Lambda that states it: without the batch, or as a function of the input's shape."""
    if not callable(output_shape):
        return (input_shape[0], *output_shape)
    shape = output_shape(input_shape)
    if not isinstance(shape, (list, tuple)):
        raise ShapeError(f"the function of output_shape must return a shape with the batch, found {shape!r}")
    return tuple(shape)


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


def convolution(
    input_shape: Shape, *, filters: int, size: int, strides: int, padding: str, data_format: str, groups: int = 1
) -> Shape:
    """Output shape of a convolution along time; `size` counts the steps that a window spans, gaps among them."""
    batch, time, features = _in_order(input_shape, data_format)
    if features is None:
        raise ShapeError(f"expected a known number of features, found {format_shape(input_shape)}")
    if features % groups:
        message = f"groups={groups} does not divide the number of features, {features}, in {format_shape(input_shape)}"
        raise ShapeError(message)
    return _in_order((batch, _windows(time, size, strides, padding), filters), data_format)


def wrong_convolution(filters: int, strides: int, dilation_rate: int, groups: int) -> str | None:
    """What is wrong with arguments of a convolution that are right on their own."""
    if strides > 1 and dilation_rate > 1:
        return f"strides or dilation_rate must be 1, found strides={strides} and dilation_rate={dilation_rate}"
    return f"groups must divide filters={filters}, found {groups}" if filters % groups else None


def pooling(input_shape: Shape, *, size: int, strides: int, padding: str, data_format: str) -> Shape:
    """Output shape of a pooling along time."""
    batch, time, features = _in_order(input_shape, data_format)
    return _in_order((batch, _windows(time, size, strides, padding), features), data_format)


def global_pooling(input_shape: Shape, *, data_format: str, keepdims: bool) -> Shape:
    """Output shape of a pooling over all steps: `(batch, features)`; `keepdims` keeps time, with one step."""
    batch, time, features = _in_order(input_shape, data_format)
    if time == 0:
        raise ShapeError("expected 1 timestep or more, found 0")
    return _in_order((batch, 1, features), data_format) if keepdims else (batch, features)


def two(value: int | Sequence[int]) -> tuple[int, int]:
    """Steps before and after: one number stands for both."""
    before, after = (value, value) if isinstance(value, int) else value
    return before, after


def zero_padding(input_shape: Shape, *, padding: int | Sequence[int]) -> Shape:
    """Output shape of ZeroPadding1D: so many more steps."""
    batch, time, features = _in_order(input_shape, "channels_last")
    return (batch, None if time is None else time + sum(two(padding)), features)


def cropping(input_shape: Shape, *, cropping: int | Sequence[int]) -> Shape:
    """Output shape of Cropping1D: so many fewer steps."""
    batch, time, features = _in_order(input_shape, "channels_last")
    gone = sum(two(cropping))
    if time is not None and time <= gone:
        raise ShapeError(f"expected {_steps(gone + 1)} or more, found {time}")
    return (batch, None if time is None else time - gone, features)


def up_sampling(input_shape: Shape, *, size: int) -> Shape:
    """Output shape of UpSampling1D: `size` times as many steps."""
    batch, time, features = _in_order(input_shape, "channels_last")
    return (batch, None if time is None else time * size, features)


def softmax(input_shape: Shape, *, axis: int) -> Shape:
    """Output shape of Softmax: the input's, which has that axis."""
    if not -len(input_shape) <= axis < len(input_shape):
        raise ShapeError(f"axis {axis} is none of an input's, found {format_shape(input_shape)}")
    return input_shape


def sizes_at(input_shape: Shape, axes: Sequence[int]) -> tuple[int, ...]:
    """The sizes of an input at some of its axes, which may count from the end: they must be known."""
    rank = len(input_shape)
    for axis in axes:
        if not -rank < axis < rank or axis == 0:
            hint = f"the axis {axis} is the batch's" if axis in (0, -rank) else None
            raise ShapeError(
                Problem(f"axis {axis} is none of an input's, found {format_shape(input_shape)}", hint=hint)
            )
        if input_shape[axis] is None:
            raise ShapeError(f"expected a known size at the axis {axis}, found {format_shape(input_shape)}")
    if len({axis % rank for axis in axes}) < len(axes):
        raise ShapeError(f"axis {format_shape(tuple(axes))} names one twice, found {format_shape(input_shape)}")
    return tuple([known(input_shape[axis]) for axis in axes])


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


def _require_rank(input_shape: Shape, rank: int, axes: str) -> None:
    if len(input_shape) != rank:
        raise ShapeError(f"expected an input of rank {rank}, {axes}, found {format_shape(input_shape)}")


def _row_size(input_shape: Shape) -> int:
    """How many numbers one row of the batch holds."""
    if not input_shape or None in input_shape[1:]:
        raise ShapeError(f"expected every size but the batch's to be known, found {format_shape(input_shape)}")
    return math.prod([known(size) for size in input_shape[1:]])


def _require_features(input_shape: Shape) -> None:
    if input_shape[-1] is None:
        raise ShapeError(f"expected a known number of features, found {format_shape(input_shape)}")


def _in_order(shape: Shape, data_format: str) -> Shape:
    """A shape with time before the features, or the way back; `channels_first` swaps the two."""
    _require_rank(shape, 3, "(batch, time, features)" if data_format == "channels_last" else "(batch, features, time)")
    return shape if data_format == "channels_last" else (shape[0], shape[2], shape[1])


def _steps(count: int) -> str:
    return f"{count} timestep{'s' if count > 1 else ''}"


def _windows(time: int | None, size: int, strides: int, padding: str) -> int | None:
    """How many windows of so many steps there are; without padding only whole ones."""
    if time is None:
        return None
    least = size if padding == "valid" else 1
    if time < least:
        raise ShapeError(f"expected {_steps(least)} or more, found {time}")
    return (time - size) // strides + 1 if padding == "valid" else -(-time // strides)

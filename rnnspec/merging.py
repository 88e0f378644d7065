"""The shape rules of layers with several inputs, in plain Python: configs and modules call the same ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rnnspec import shapes
from rnnspec.errors import ShapeError
from rnnspec.shapes import Shape, format_shape

__all__ = ["alone", "concatenated", "dot_axes", "dotted", "elementwise", "one_shape"]


def alone(label: str) -> str:
    """What is wrong with a layer with several inputs where each layer has one."""
    return f"{label} has several inputs, which only a graph can give it"


def one_shape(label: str) -> str:
    """What is wrong with a single shape for several inputs."""
    return f"{label} has several inputs, an input_shape is for layers with one"


def elementwise(input_shapes: Sequence[Shape], *, count: int | None = None) -> Shape:
    """Output shape of what works number by number: axes are matched from the last, and sizes of 1 stretched.

    Args:
        input_shapes: Shapes with the batch, None where free.
        count: How many there must be; two or more by default.

    Returns:
        The shape with the batch.

    Raises:
        ShapeError: If there are too few or too many, or they do not fit.
    """
    _check_count(input_shapes, count)
    batch = _equal(shape[:1] for shape in input_shapes)
    rest = _stretched(shape[1:] for shape in input_shapes)
    if batch is None:
        raise ShapeError(f"expected inputs with one batch size, found {_listed(input_shapes)}")
    if rest is None:
        raise ShapeError(f"expected inputs with equal sizes, or 1, at every axis, found {_listed(input_shapes)}")
    return (*batch, *rest)


def concatenated(input_shapes: Sequence[Shape], *, axis: int) -> Shape:
    """Output shape of Concatenate: the sizes at `axis` added, all others equal.

    Args:
        input_shapes: Shapes with the batch, None where free.
        axis: May count from the end.

    Returns:
        The shape with the batch; None at `axis` where a size there is free.

    Raises:
        ShapeError: If there is one input only, the axis does not exist, or the shapes do not fit.
    """
    _check_count(input_shapes, None)
    rank = len(input_shapes[0])
    if not -rank <= axis < rank:
        raise ShapeError(f"axis {axis} is none of an input's, found {format_shape(input_shapes[0])}")
    if any(len(shape) != rank for shape in input_shapes):
        raise ShapeError(f"expected inputs of one rank, found {_listed(input_shapes)}")
    place = axis % rank
    merged = _equal((*shape[:place], None, *shape[place + 1 :]) for shape in input_shapes)
    if merged is None:
        message = f"expected inputs with equal sizes at every axis but {axis}, found {_listed(input_shapes)}"
        raise ShapeError(message)
    sizes = [shape[place] for shape in input_shapes]
    total = None if None in sizes else sum(size or 0 for size in sizes)
    return (*merged[:place], total, *merged[place + 1 :])


def dotted(input_shapes: Sequence[Shape], *, axes: int | Sequence[int]) -> Shape:
    """Output shape of Dot: what is left of both inputs when one axis of each is summed away.

    Args:
        input_shapes: Two shapes with the batch, None where free.
        axes: The axis of each, or one for both.

    Returns:
        The batch, the first input's other axes and the second's; `(batch, 1)` where none are left.

    Raises:
        ShapeError: If there are not two inputs, an axis does not exist, or the sizes differ.
    """
    _check_count(input_shapes, 2)
    first, second = input_shapes
    one, other = dot_axes(input_shapes, axes)
    if (batch := _equal((first[:1], second[:1]))) is None:
        raise ShapeError(f"expected inputs with one batch size, found {_listed(input_shapes)}")
    if _equal(((first[one],), (second[other],))) is None:
        message = f"expected equal sizes at the axis {one} of the first input and {other} of the second"
        raise ShapeError(f"{message}, found {_listed(input_shapes)}")
    left = (*first[1:one], *first[one + 1 :], *second[1:other], *second[other + 1 :])
    return (*batch, *(left or (1,)))


def dot_axes(input_shapes: Sequence[Shape], axes: int | Sequence[int]) -> tuple[int, int]:
    """The axes that Dot sums over, counted from the front.

    Args:
        input_shapes: Two shapes with the batch.
        axes: The axis of each, or one for both.

    Returns:
        The axis of the first and that of the second.

    Raises:
        ShapeError: If one does not exist, or is the batch's.
    """
    one, other = (axes, axes) if isinstance(axes, int) else axes
    found = []
    for shape, axis in zip(input_shapes, (one, other), strict=True):
        if not -len(shape) < axis < len(shape) or axis == 0:
            raise ShapeError(f"axis {axis} is none of an input's but the batch's, found {format_shape(shape)}")
        found.append(axis % len(shape))
    return found[0], found[1]


def _check_count(input_shapes: Sequence[Shape], count: int | None) -> None:
    found = len(input_shapes)
    if found < 2 or count not in (None, found):
        expected = "two inputs or more" if count is None else "two inputs"
        raise ShapeError(f"expected {expected}, found {_listed(input_shapes) if found else 'none'}")


def _equal(input_shapes: Iterable[Shape]) -> Shape | None:
    """What shapes say together; None if they contradict."""
    found, *others = input_shapes
    for other in others:
        merged = shapes.merge(found, other)
        if merged is None:
            return None
        found = merged
    return found


def _stretched(input_shapes: Iterable[Shape]) -> Shape | None:
    """What shapes without the batch give, matched from the end; None if they do not fit."""
    found: list[int | None] = []
    for shape in input_shapes:
        short, long = sorted((found, list(shape)), key=len)
        found = long[: len(long) - len(short)]
        for size, wider in zip(short, long[len(long) - len(short) :], strict=True):
            # A size of 1 takes the other's; so does a free one, unless the other is 1.
            sizes = {size, wider} - {1}
            known = sizes - {None}
            if len(known) > 1:
                return None
            found.append(next(iter(known or sizes or {1})))
    return tuple(found)


def _listed(input_shapes: Sequence[Shape]) -> str:
    return " and ".join(map(format_shape, input_shapes))

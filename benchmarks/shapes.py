"""What is measured: the six shapes, the curves of growth, single steps, and tiny shapes for a look."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CELLS", "GATES", "LARGE", "QUICK", "SHAPES", "STEPS", "Shape", "curves", "flops"]


class Shape(NamedTuple):
    """The size of one call."""

    batch: int
    time: int
    features: int
    units: int

    def __str__(self) -> str:
        return "x".join(map(str, self))


CELLS = ("LSTM", "GRU", "SimpleRNN")
GATES = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}
LARGE = Shape(64, 200, 128, 256)
SHAPES = (
    Shape(1, 100, 64, 64),
    Shape(32, 100, 64, 128),
    LARGE,
    Shape(128, 50, 256, 512),
    Shape(1, 1000, 32, 32),
    Shape(256, 28, 28, 64),
)
STEPS = (Shape(1, 1, 8, 8), Shape(1, 1, 64, 128), Shape(1, 1, 256, 512))
QUICK = (Shape(1, 5, 4, 4), Shape(4, 6, 3, 8))


def curves(quick: bool = False) -> dict[str, list[Shape]]:
    """The shapes along which one size grows and the others stay.

    Args:
        quick: Whether two tiny shapes a curve are enough (default False).

    Returns:
        Shapes for `time`, `batch` and `units`.
    """
    if quick:
        return {"time": [Shape(1, 4, 4, 4), Shape(1, 8, 4, 4)], "batch": [Shape(1, 4, 4, 4), Shape(4, 4, 4, 4)]}
    return {
        # In fewer steps, the call itself takes a good part of the time.
        "time": [Shape(1, time, 64, 64) for time in (1_000, 3_000, 10_000, 30_000, 100_000)],
        "batch": [Shape(batch, 100, 64, 128) for batch in (1, 4, 16, 64, 256, 1024)],
        "units": [Shape(32, 50, 64, units) for units in (16, 32, 64, 128, 256, 512, 1024)],
    }


def flops(cell: str, shape: Shape, training: bool) -> int:
    """Operations of a call's matrix products; training has three products for each of inference's.

    Args:
        cell: Its name.
        shape: The size of the call.
        training: Whether there is a backward pass.

    Returns:
        Multiplications and additions.
    """
    once = 2 * shape.batch * shape.time * (shape.features + shape.units) * GATES[cell] * shape.units
    return once * (3 if training else 1)

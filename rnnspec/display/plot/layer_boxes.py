"""A model as a column of boxes, one a layer, with the shapes that travel between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import nn

from rnnspec.display.model_table import totals
from rnnspec.display.plot.axes import axes_for
from rnnspec.display.plot.boxes import Box, boxes_of, number_of_parameters
from rnnspec.errors import ConfigError
from rnnspec.nn.base import Layer
from rnnspec.nn.containers import Sequential
from rnnspec.nn.graph import Graph
from rnnspec.shapes import Shape, format_shape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["model"]

BOX, GAP = 0.62, 0.38  # the heights of a box and of an arrow; together they are 1
LEFT, RIGHT, LANE = 0.02, 0.98, 0.06
ARROW: Any = {"arrowstyle": "-|>", "color": "0.3", "shrinkA": 0, "shrinkB": 0}


def model(model: nn.Module, input_shape: Any = None, ax: Any = None) -> Any:
    """Draws a model from its input at the top to its output at the bottom: layers, shapes and numbers of weights.

    A graph has a box for each input and each call, in the order in which they run. What goes further than to the next
    box goes in a lane at the right; of a layer with several outputs the shape of the first is told.

    Args:
        model: A layer, a Sequential model or a Graph that is built.
        input_shape: The input's shape with the batch, None where free, a list of them for several inputs; what the
            model knows by default.
        ax: Axes to draw on; None makes a figure.

    Returns:
        The axes.

    Raises:
        Error: If matplotlib is not installed.
        ConfigError: If it is no model, or there is more than one of the axes.
        ShapeError: If a layer cannot take the shape.
        WeightsError: If the model is not built yet.
    """
    if not isinstance(model, Layer):
        raise ConfigError(f"plot.model takes a layer or a model, found {type(model).__name__}")
    if input_shape is None:
        input_shape = _input_shape(model)
    model._require_weights(model.parameters())
    rows, boxes = boxes_of(model, input_shape)
    lanes = _lanes(boxes)
    title = f"{model.label}: {number_of_parameters(*totals(rows))}"
    width, height = 4.5 * (1 + LANE * len(lanes)), 0.75 * (len(boxes) + GAP)
    (axes,) = axes_for(["boxes"], ax, title=title, what="plot.model", height=height, width=width)
    if not isinstance(model, Graph):
        _draw_shape(axes, -GAP, _text(input_shape), arrow=True)
    for number, box in enumerate(boxes):
        _draw_box(axes, float(number), box)
        goes_on = number + 1 == len(boxes) or number in boxes[number + 1].sources
        _draw_shape(axes, number + BOX, ", ".join(filter(None, (_text(box.shape), box.output))), arrow=goes_on)
    for number, lane in enumerate(lanes):
        _draw_lane(axes, RIGHT + LANE * (number + 1), (number + 1) / (len(lanes) + 1), lane)
    axes.set_xlim(0.0, 1.0 + LANE * len(lanes))
    axes.set_ylim(len(boxes), -GAP)  # downwards
    axes.set_axis_off()
    return axes


def _input_shape(model: Layer) -> Any:
    if isinstance(model, Graph):
        return model.known_input_shape
    return model.input_shape if isinstance(model, Sequential) else model.declared_input_shape


def _text(shape: Shape | None) -> str:
    return "shape not known" if shape is None else format_shape(shape)


def _lanes(boxes: Sequence[Box]) -> list[list[tuple[int, int]]]:
    """What goes further than to the next box: from where to where, lane by lane, without meeting in one."""
    lanes: list[list[tuple[int, int]]] = []
    for source in range(len(boxes)):
        takers = [taker for taker in range(source + 2, len(boxes)) if source in boxes[taker].sources]
        if takers:
            free = next((lane for lane in lanes if max(end for _, end in lane) <= source), None)
            if free is None:
                lanes.append(free := [])
            free += [(source, taker) for taker in takers]
    return lanes


def _draw_lane(ax: Axes, x: float, part: float, lane: Sequence[tuple[int, int]]) -> None:
    """Draws a line from each box, at a part of its lower half, to that part of the upper half of those that take it."""
    for source, taker in lane:
        start, end = source + BOX * (1 + part) / 2, taker + BOX * part / 2
        ax.plot([RIGHT, x, x], [start, start, end], color="0.3", linewidth=1)
        ax.annotate("", (RIGHT, end), (x, end), arrowprops=ARROW)


def _draw_box(ax: Axes, top: float, box: Box) -> None:
    from matplotlib.patches import FancyBboxPatch

    rounded = "round,pad=0,rounding_size=0.03"
    ax.add_patch(FancyBboxPatch((LEFT, top), RIGHT - LEFT, BOX, rounded, facecolor=box.fill, edgecolor="0.4"))
    name, weights = (top + BOX * part for part in ((0.34, 0.72) if box.weights else (0.5, 0.5)))
    ax.text(0.5, name, box.label, ha="center", va="center", weight="bold", parse_math=False)
    if box.weights:
        ax.text(0.5, weights, box.weights, ha="center", va="center", fontsize="small")


def _draw_shape(ax: Axes, top: float, text: str, *, arrow: bool) -> None:
    """Draws the arrow from one box to the next, and beside it the shape of what goes that way."""
    if arrow:
        ax.annotate("", (0.5, top + GAP), (0.5, top), arrowprops=ARROW)
    ax.text(0.53, top + GAP / 2, text, va="center", fontsize="small", color="0.3")

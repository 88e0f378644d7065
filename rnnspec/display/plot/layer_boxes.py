"""A model as a column of boxes, one a layer, with the shapes that travel between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn

from rnnspec.display.model_table import LayerRow, layer_rows, totals
from rnnspec.display.plot.axes import axes_for
from rnnspec.errors import ConfigError
from rnnspec.nn.base import Layer
from rnnspec.nn.containers import Sequential
from rnnspec.nn.graph import Graph
from rnnspec.nn.recurrence import Recurrence
from rnnspec.shapes import Shape, format_shape, known

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["model"]

# Fill of a box: a recurrent layer, another layer with weights, a layer without weights.
RECURRENT, WEIGHTS, NO_WEIGHTS = "#CFE3F3", "#FCE5C4", "#EEEEEE"
BOX, GAP = 0.62, 0.38  # the heights of a box and of an arrow; together they are 1


def model(model: nn.Module, input_shape: Shape | None = None, ax: Any = None) -> Any:
    """Draws a model from its input at the top to its output at the bottom: layers, shapes and numbers of weights.

    Args:
        model: A layer or a Sequential model that is built.
        input_shape: The input's shape with the batch, None where free; what the model knows by default.
        ax: Axes to draw on; None makes a figure.

    Returns:
        The axes.

    Raises:
        Error: If matplotlib is not installed.
        ConfigError: If it is no model, or there is more than one of the axes.
        ShapeError: If a layer cannot take the shape.
        WeightsError: If the model is not built yet.
    """
    if not isinstance(model, Layer) or isinstance(model, Graph):
        raise ConfigError(f"plot.model takes a layer or a Sequential model, found {type(model).__name__}")
    if input_shape is None:
        input_shape = model.input_shape if isinstance(model, Sequential) else model.declared_input_shape
    model._require_weights(model.parameters())
    rows = layer_rows(model, input_shape)
    title = f"{model.label}: {_parameters(*totals(rows))}"
    (axes,) = axes_for(["boxes"], ax, title=title, what="plot.model", height=0.75 * (len(rows) + GAP), width=4.5)
    layers = model.layers if isinstance(model, Sequential) else [model]
    _draw_shape(axes, -GAP, input_shape)
    for number, (row, layer) in enumerate(zip(rows, layers, strict=True)):
        _draw_box(axes, float(number), row, _fill(layer))
        _draw_shape(axes, number + BOX, row.output_shape)
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(len(rows), -GAP)  # downwards
    axes.set_axis_off()
    return axes


def _fill(layer: nn.Module) -> str:
    if any(isinstance(module, Recurrence) for module in layer.modules()):
        return RECURRENT
    return WEIGHTS if any(True for _ in layer.parameters()) else NO_WEIGHTS


def _parameters(total: int | None, trainable: int | None) -> str:
    total, trainable = known(total), known(trainable)  # the model is built
    text = "1 parameter" if total == 1 else f"{total:,} parameters"
    if trainable == total:
        return text
    return f"{text}, {total - trainable:,} of them frozen" if trainable else f"{text}, frozen"


def _draw_box(ax: Axes, top: float, row: LayerRow, fill: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    rounded = "round,pad=0,rounding_size=0.03"
    ax.add_patch(FancyBboxPatch((0.02, top), 0.96, BOX, rounded, facecolor=fill, edgecolor="0.4"))
    name, weights = (top + BOX * part for part in (0.34, 0.72))
    ax.text(0.5, name, row.layer, ha="center", va="center", weight="bold", parse_math=False)
    ax.text(0.5, weights, _parameters(row.parameters, row.trainable), ha="center", va="center", fontsize="small")


def _draw_shape(ax: Axes, top: float, shape: Shape | None) -> None:
    """Draws the arrow from one box to the next, and beside it the shape of what goes that way."""
    line: Any = {"arrowstyle": "-|>", "color": "0.3", "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (0.5, top + GAP), (0.5, top), arrowprops=line)
    text = "shape not known" if shape is None else format_shape(shape)
    ax.text(0.53, top + GAP / 2, text, va="center", fontsize="small", color="0.3")

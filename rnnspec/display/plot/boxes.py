"""The boxes that a picture of a model has, one a layer or a call of a layer, and what comes to each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from rnnspec.display.model_table import LayerRow, layer_rows
from rnnspec.nn.containers import Sequential
from rnnspec.nn.graph import Graph
from rnnspec.nn.recurrence import Recurrence
from rnnspec.shapes import Shape, known

__all__ = ["Box", "boxes_of", "number_of_parameters"]

# Fill of a box: a recurrent layer, another layer with weights, a layer without weights, an input.
RECURRENT, WEIGHTS, NO_WEIGHTS, INPUT = "#CFE3F3", "#FCE5C4", "#EEEEEE", "#FFFFFF"


@dataclass(frozen=True)
class Box:
    """An input, or a call of a layer.

    Attributes:
        label: Its name.
        weights: What is said of its weights; empty for an input.
        fill: The colour.
        shape: The shape of its first output.
        sources: The boxes whose outputs it takes, by their numbers.
        output: What is said of an output of the model, where there are several; else empty.
    """

    label: str
    weights: str
    fill: str
    shape: Shape | None
    sources: tuple[int, ...] = ()
    output: str = ""


def boxes_of(model: nn.Module, input_shape: Any) -> tuple[list[LayerRow], list[Box]]:
    """Describes a model that is built.

    Args:
        model: A layer, a Sequential model or a Graph.
        input_shape: As for `layer_rows`.

    Returns:
        The rows of the model's table, and its boxes in the order in which they run.
    """
    rows = layer_rows(model, input_shape)
    if isinstance(model, Graph):
        return rows, _of_graph(model, input_shape, rows)
    layers = model.layers if isinstance(model, Sequential) else [model]
    return rows, [
        Box(row.layer, _weights(row), _fill(layer), row.output_shape, (number - 1,) if number else ())
        for number, (row, layer) in enumerate(zip(rows, layers, strict=True))
    ]


def _of_graph(model: Graph, input_shapes: Any, rows: list[LayerRow]) -> list[Box]:
    """A box an input and a call: a layer that is called several times has one for each."""
    names = [name for name, _ in model.named_children()]
    row_of = dict(zip(names, rows, strict=True))
    given = [None] * len(model.input_names) if input_shapes is None else input_shapes
    given = given if model.takes_several or input_shapes is None else [given]
    flow = [(None, None)] * len(model.calls) if input_shapes is None else model.shapes_of_calls(input_shapes)
    boxes = [Box(f"Input '{name}'", "", INPUT, shape) for name, shape in zip(model.input_names, given, strict=True)]
    places = {(name, 0): number for number, name in enumerate(model.input_names)}
    for (part, sources), (_, outputs) in zip(model.calls, flow, strict=True):
        node = sum(name == part for name, _ in places)
        row, again = row_of[part], f", call {node + 1}"
        taken = tuple(dict.fromkeys(places[source[:2]] for source in sources))
        shape = None if outputs is None else outputs[0]
        weights = f"the same {number_of_parameters(row.parameters, None)}" if node else _weights(row)
        label = row.layer + again if node else row.layer
        places[part, node] = len(boxes)
        boxes.append(Box(label, weights, _fill(getattr(model, part)), shape, taken, _output(model, (part, node))))
    return boxes


def _output(model: Graph, call: tuple[str, int]) -> str:
    numbers = [str(number + 1) for number, source in enumerate(model.output_tensors) if source[:2] == call]
    if not numbers or model.one_output:
        return ""
    return f"output{'s' * (len(numbers) > 1)} {' and '.join(numbers)}"


def _fill(layer: nn.Module) -> str:
    if any(isinstance(module, Recurrence) for module in layer.modules()):
        return RECURRENT
    return WEIGHTS if any(True for _ in layer.parameters()) else NO_WEIGHTS


def _weights(row: LayerRow) -> str:
    return number_of_parameters(row.parameters, row.trainable)


def number_of_parameters(total: int | None, trainable: int | None) -> str:
    """Says how many parameters there are, and how many of them are frozen where it is told how many are not."""
    total = known(total)  # the model is built
    text = "1 parameter" if total == 1 else f"{total:,} parameters"
    if trainable is None or trainable == total:
        return text
    return f"{text}, {total - trainable:,} of them frozen" if trainable else f"{text}, frozen"

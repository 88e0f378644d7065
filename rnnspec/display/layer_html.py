"""Layers and models in notebooks: sizes, engine, arguments, weights; a model as a table of its layers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from torch import nn
from torch.nn.parameter import is_lazy

from rnnspec import shapes
from rnnspec.display.html import Item, Row, arguments, fragment, never_raises, table, text, title, words
from rnnspec.display.model_table import LayerRow, engine_text, layer_rows, number_text, plan_lines, shape_text, totals
from rnnspec.engines.activations import Activation
from rnnspec.nn.base import Layer
from rnnspec.nn.composite import Composite, Model, label_of
from rnnspec.nn.given import NO_DEFAULT, NOT_KEPT, Argument, arguments_of
from rnnspec.nn.graph import Graph
from rnnspec.nn.wrappers import TimeDistributed
from rnnspec.shapes import Shape, format_shape

__all__ = ["layer_html"]

FACTS = ("name", "device", "dtype")
"""Arguments that stand among the facts."""


@never_raises
def layer_html(layer: Layer) -> str:
    """Writes a layer or a model as an HTML fragment.

    Args:
        layer: A layer, a wrapper, or a model.

    Returns:
        The fragment: facts (shapes, parameters, engine, why and its settings, dtype, device, mode), the arguments,
        those that differ from their defaults marked, and the weights; of a model its layers.
    """
    shape = layer.known_input_shape
    rows = layer_rows(layer, shape)
    parts = [_facts(layer, shape, rows)]
    if isinstance(layer, Model):
        return fragment(*parts, _layers("layers", rows))
    parts.append(arguments("arguments", [_item(one) for one in arguments_of(layer).values() if one.name not in FACTS]))
    if isinstance(layer, Composite):
        parts.append(_layers("layers inside", list(_rows_inside(layer, shape))))
    elif list(layer.parameters()):
        parts.append(_weights(layer))
    return fragment(*parts)


def _facts(layer: Layer, shape: Any, rows: Sequence[LayerRow]) -> str:
    """Shapes, sizes, engine, and where the weights are."""
    inputs, outputs = [shape], [rows[-1].output_shape if rows else None]
    if isinstance(layer, Graph) and shape is not None:
        inputs, outputs = list(layer.input_shapes or ()), list(layer.output_shapes_of(shape))
    facts = {
        "input": _shapes(inputs),
        "output": _shapes(outputs),
        "parameters": _count(rows),
        "engine": "; ".join(plan_lines(rows)),
        "mode": "training" if layer.training else "evaluation",
        "dtype": _each(str(one.dtype).removeprefix("torch.") for one in layer.parameters()),
        "device": _each(str(one.device) for one in layer.parameters()),
    }
    return table(title(layer.label), (), [Row((name, text(value, 1000))) for name, value in facts.items() if value])


def _shapes(found: Sequence[Shape | None]) -> str:
    return " and ".join("not known yet" if shape is None else format_shape(shape) for shape in found)


def _count(rows: Sequence[LayerRow]) -> str:
    """How many parameters there are: `62`, `62, none of them trainable`."""
    total, trainable = totals(rows)
    if total is None or total == trainable:
        return "not built yet" if total is None else f"{total:,}"
    return f"{total:,}, {f'{trainable:,}' if trainable else 'none'} of them trainable"


def _each(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names)))


def _layers(caption: str, rows: Sequence[LayerRow]) -> str:
    """The table of a model's layers."""
    header = ("layer", "output shape", "parameters", "trainable", "engine")
    lines = []
    for row in rows:
        numbers = number_text(row.parameters), number_text(row.trainable)
        lines.append(Row((text(row.layer), shape_text(row.output_shape), *numbers, engine_text(row, rows))))
    total, trainable = map(number_text, totals(rows))
    return table(caption, header, lines, numbers=(2, 3), foot=Row(("total", "", total, trainable, "")))


def _rows_inside(layer: Composite, shape: Shape | None) -> Iterator[LayerRow]:
    """What a wrapper holds; the layer inside a TimeDistributed gets one step."""
    if shape is not None and isinstance(layer, TimeDistributed):
        shape = shapes.time_distributed_step(shape)
    for part in layer.children():
        yield from layer_rows(part, shape)


def _weights(layer: Layer) -> str:
    def row(name: str, weight: Any) -> Row:
        shape, size = ("not built yet", "") if is_lazy(weight) else (format_shape(weight.shape), f"{weight.numel():,}")
        return Row((text(name), shape, size, "yes" if weight.requires_grad else "no"))

    rows = [row(name, weight) for name, weight in layer.named_parameters()]
    return table("weights", ("weight", "shape", "parameters", "trainable"), rows, numbers=(2,))


def _item(argument: Argument) -> Item:
    default = "" if argument.default is NO_DEFAULT else _words(argument.default)
    return Item(argument.name, text(_words(argument.value)), default, argument.changed)


def _words(value: Any) -> str:
    """A value in words; activations and layers by their names."""
    if value is NOT_KEPT:
        return "not known"
    if isinstance(value, nn.Module):
        return label_of(value)
    return value.name if isinstance(value, Activation) else words(value)

"""The table of a model: layers, shapes, sizes, and which engine runs what and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn
from torch.nn.parameter import is_lazy

from rnnspec.display.table import text_table
from rnnspec.nn.composite import label_of, part_output_shape
from rnnspec.nn.containers import Sequential
from rnnspec.nn.recurrence import Recurrence
from rnnspec.nn.wrappers import Bidirectional
from rnnspec.shapes import Shape, format_shape

__all__ = ["LayerRow", "layer_rows", "model_table", "number_text", "reasons", "shape_text", "totals"]


@dataclass(frozen=True)
class LayerRow:
    """What the table says of one layer.

    Attributes:
        layer: Its label, `Bidirectional(GRU)` or `LSTM 'encoder'`.
        output_shape: With the batch, None where free.
        parameters: How many numbers its weights hold; None before it is built.
        trainable: How many of these an optimizer changes; None before it is built.
        engine: The engine of its recurrence, None where it has none.
        why: The reasons of the plan.
    """

    layer: str
    output_shape: Shape | None
    parameters: int | None
    trainable: int | None
    engine: str | None = None
    why: tuple[str, ...] = ()


def layer_rows(model: nn.Module, input_shape: Shape | None, masked: bool = False) -> list[LayerRow]:
    """Describes every layer of a model, without running it.

    Args:
        model: A layer or a Sequential model.
        input_shape: The input's shape with the batch, None where free; None where it is not known.
        masked: Whether a mask comes with the input.

    Returns:
        A row a layer.
    """
    rows = []
    shape = input_shape
    for layer in model.layers if isinstance(model, Sequential) else [model]:
        engine, why = (None, ()) if shape is None else _engine(layer, shape, masked)
        shape = None if shape is None else part_output_shape(layer, shape)
        rows.append(LayerRow(label_of(layer), shape, *_sizes(layer), engine, why))
    return rows


def _sizes(layer: nn.Module) -> tuple[int | None, int | None]:
    """How many parameters there are, and how many of them are trained."""
    parameters = list(layer.parameters())
    if any(map(is_lazy, parameters)):
        return None, None
    trainable = sum(parameter.numel() for parameter in parameters if parameter.requires_grad)
    return sum(parameter.numel() for parameter in parameters), trainable


def _engine(layer: nn.Module, input_shape: Shape, masked: bool) -> tuple[str | None, tuple[str, ...]]:
    """The plan of a layer's recurrence; the halves of a bidirectional one have the same."""
    recurrence = layer.forward_layer if isinstance(layer, Bidirectional) else layer
    if not isinstance(recurrence, Recurrence):
        return None, ()
    plan = recurrence.plan(input_shape, mask=masked or None)
    return plan.engine, plan.reasons


def model_table(rows: Sequence[LayerRow]) -> str:
    """Writes the table: layer, output shape, parameters, engine, and below it why each engine was taken.

    Args:
        rows: What `layer_rows` returned.

    Returns:
        The lines, without a final newline.
    """
    cells = [(row.layer, shape_text(row.output_shape), number_text(row.parameters), row.engine or "") for row in rows]
    total, trainable = totals(rows)
    frozen = 0 if total is None or trainable is None else total - trainable
    cells.append((f"total, {frozen:,} of it frozen" if frozen else "total", "", number_text(total), ""))
    table = text_table(("layer", "output shape", "parameters", "engine"), cells, right=(2,))
    return "\n".join([table, *(f"engine {reason}" for reason in reasons(rows))])


def totals(rows: Sequence[LayerRow]) -> tuple[int | None, int | None]:
    """How many parameters all layers have, and how many of them are trained; None before all are built."""
    counts = [(row.parameters, row.trainable) for row in rows]
    if any(None in pair for pair in counts):
        return None, None
    return sum(total or 0 for total, _ in counts), sum(trainable or 0 for _, trainable in counts)


def reasons(rows: Sequence[LayerRow]) -> list[str]:
    """Why the engines were taken, each reason once."""
    return list(dict.fromkeys("; ".join(row.why) for row in rows if row.why))


def number_text(number: int | None) -> str:
    """A number of parameters."""
    return "not built" if number is None else f"{number:,}"


def shape_text(shape: Shape | None) -> str:
    """A shape, as far as it is known."""
    return "not known" if shape is None else format_shape(shape)

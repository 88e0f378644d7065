"""The table of a model: layers, shapes, sizes, and which engine runs what and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from rnnspec.display.table import text_table
from rnnspec.nn.composite import label_of, part_output_shape
from rnnspec.nn.containers import Sequential
from rnnspec.nn.recurrence import Recurrence
from rnnspec.nn.wrappers import Bidirectional
from rnnspec.shapes import Shape, format_shape

__all__ = ["LayerRow", "layer_rows", "model_table"]


@dataclass(frozen=True)
class LayerRow:
    """What the table says of one layer.

    Attributes:
        layer: Its label, `Bidirectional(GRU)` or `LSTM 'encoder'`.
        output_shape: With the batch, None where free.
        parameters: How many numbers its weights hold.
        trainable: How many of these an optimizer changes.
        engine: The engine of its recurrence, None where it has none.
        why: The reasons of the plan.
    """

    layer: str
    output_shape: Shape | None
    parameters: int
    trainable: int
    engine: str | None = None
    why: tuple[str, ...] = ()


def layer_rows(model: nn.Module, input_shape: Shape | None, masked: bool = False) -> list[LayerRow]:
    """Describes every layer of a model, without running it.

    Args:
        model: A built layer or Sequential model.
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
        sizes = [(parameter.numel(), parameter.requires_grad) for parameter in layer.parameters()]
        total, trainable = sum(size for size, _ in sizes), sum(size for size, trains in sizes if trains)
        rows.append(LayerRow(label_of(layer), shape, total, trainable, engine, why))
    return rows


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
    cells = [(row.layer, _shape(row.output_shape), f"{row.parameters:,}", row.engine or "") for row in rows]
    total = sum(row.parameters for row in rows)
    frozen = total - sum(row.trainable for row in rows)
    cells.append((f"total, {frozen:,} of it frozen" if frozen else "total", "", f"{total:,}", ""))
    table = text_table(("layer", "output shape", "parameters", "engine"), cells, right=(2,))
    reasons = dict.fromkeys("; ".join(row.why) for row in rows if row.why)
    return "\n".join([table, *(f"engine {reason}" for reason in reasons)])


def _shape(shape: Shape | None) -> str:
    return "not known" if shape is None else format_shape(shape)

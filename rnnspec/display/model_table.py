"""The table of a model: layers, shapes, sizes, and which engine runs what and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import nn
from torch.nn.parameter import is_lazy

from rnnspec.display.table import text_table
from rnnspec.engines.plan import Plan
from rnnspec.nn.composite import label_of, part_output_shape
from rnnspec.nn.containers import Sequential
from rnnspec.nn.graph import Graph
from rnnspec.nn.recurrence import Recurrence
from rnnspec.nn.wrappers import Bidirectional
from rnnspec.shapes import Shape, format_shape

__all__ = ["LayerRow", "engine_text", "layer_rows", "model_table", "number_text", "plan_lines", "shape_text", "totals"]


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
        settings: Those of the plan.
    """

    layer: str
    output_shape: Shape | None
    parameters: int | None
    trainable: int | None
    engine: str | None = None
    why: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


def layer_rows(model: nn.Module, input_shape: Any, masked: bool = False) -> list[LayerRow]:
    """Describes every layer of a model, without running it.

    Args:
        model: A layer, a Sequential model or a Graph.
        input_shape: The input's shape with the batch, None where free, a list of them for several inputs; None where it
            is not known.
        masked: Whether a mask comes with the input.

    Returns:
        A row a layer.
    """
    return [_row(layer, label, given, masked) for layer, label, given in _parts(model, input_shape)]


def _parts(model: nn.Module, input_shape: Any) -> Iterator[tuple[nn.Module, str, Any]]:
    """The layers of a model, what they are called, and the shape of what comes to each (first)."""
    if isinstance(model, Graph):
        flow = [] if input_shape is None else model.shapes_of_calls(input_shape)
        given = {part: shape for (part, _), (shape, _) in reversed(list(zip(model.calls, flow, strict=False)))}
        for name, layer in model.named_children():
            yield (
                layer,
                label_of(layer) if getattr(layer, "name", None) else f"{label_of(layer)} '{name}'",
                given.get(name),
            )
        return
    shape = input_shape
    for layer in model.layers if isinstance(model, Sequential) else [model]:
        yield layer, label_of(layer), shape
        shape = None if shape is None else part_output_shape(layer, shape)


def _row(layer: nn.Module, label: str, given: Any, masked: bool) -> LayerRow:
    plan = None if given is None else _plan(layer, given, masked)
    planned = () if plan is None else (plan.engine, plan.reasons, plan.settings)
    return LayerRow(label, None if given is None else part_output_shape(layer, given), *_sizes(layer), *planned)


def _sizes(layer: nn.Module) -> tuple[int | None, int | None]:
    """How many parameters there are, and how many of them are trained."""
    parameters = list(layer.parameters())
    if any(map(is_lazy, parameters)):
        return None, None
    trainable = sum(parameter.numel() for parameter in parameters if parameter.requires_grad)
    return sum(parameter.numel() for parameter in parameters), trainable


def _plan(layer: nn.Module, input_shape: Shape, masked: bool) -> Plan | None:
    """The plan of a layer's recurrence; the halves of a bidirectional one have the same."""
    recurrence = layer.forward_layer if isinstance(layer, Bidirectional) else layer
    return recurrence.plan(input_shape, mask=masked or None) if isinstance(recurrence, Recurrence) else None


def model_table(rows: Sequence[LayerRow]) -> str:
    """Writes the table: layer, output shape, parameters, engine; below it why each engine was taken and its settings.

    Args:
        rows: What `layer_rows` returned.

    Returns:
        The lines, without a final newline.
    """
    cells = [
        (row.layer, shape_text(row.output_shape), number_text(row.parameters), engine_text(row, rows)) for row in rows
    ]
    total, trainable = totals(rows)
    frozen = 0 if total is None or trainable is None else total - trainable
    cells.append((f"total, {frozen:,} of it frozen" if frozen else "total", "", number_text(total), ""))
    table = text_table(("layer", "output shape", "parameters", "engine"), cells, right=(2,))
    return "\n".join([table, *(f"engine {line}" for line in plan_lines(rows))])


def totals(rows: Sequence[LayerRow]) -> tuple[int | None, int | None]:
    """How many parameters all layers have, and how many of them are trained; None before all are built."""
    counts = [(row.parameters, row.trainable) for row in rows]
    if any(None in pair for pair in counts):
        return None, None
    return sum(total or 0 for total, _ in counts), sum(trainable or 0 for _, trainable in counts)


def plan_lines(rows: Sequence[LayerRow]) -> list[str]:
    """Why each engine was taken, every reason once; then how all its layers are set alike."""
    why = ["; ".join(row.why) for row in rows]
    settings = [(row.engine, settings_text(_shared_settings(row, rows))) for row in rows]
    lines = [*why, *(f"{engine}: {text}" for engine, text in settings if text)]
    return list(dict.fromkeys(filter(None, lines)))


def engine_text(row: LayerRow, rows: Sequence[LayerRow]) -> str:
    """A row's engine, with what not all of its layers are set to: `cpu, checkpoint every 50`."""
    shared = _shared_settings(row, rows)
    own = {name: value for name, value in row.settings.items() if name not in shared}
    return ", ".join(filter(None, (row.engine, settings_text(own))))


def settings_text(settings: Mapping[str, Any]) -> str:
    """Settings in words: `instruction set avx2, threads 2`."""
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in settings.items())


def _shared_settings(row: LayerRow, rows: Sequence[LayerRow]) -> dict[str, Any]:
    """The settings of a row that all rows with its engine have."""
    peers = [other.settings for other in rows if other.engine == row.engine]
    return {name: value for name, value in row.settings.items() if all(peer.get(name) == value for peer in peers)}


def number_text(number: int | None) -> str:
    """A number of parameters."""
    return "not built" if number is None else f"{number:,}"


def shape_text(shape: Shape | None) -> str:
    """A shape, as far as it is known."""
    return "not known" if shape is None else format_shape(shape)

"""The way back from what `to_keras` does to the old hard_sigmoid, in files that tell that it was done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rnnspec.interop.keras.filling import Filled
from rnnspec.interop.keras.parts import Part
from rnnspec.interop.keras.report import Report
from rnnspec.interop.keras.slope import COLUMNS, NEW, OLD, SLOPE, scaled

__all__ = ["divide", "undo_slopes"]


def undo_slopes(model: Part, marks: Any, report: Report) -> None:
    """Gives layers the old hard_sigmoid back; `divide` does so to their weights.

    Args:
        model: The model as it was read; it is changed.
        marks: What the file tells: layers, as `lstm` or `inner/lstm`, each with the arguments of its activations.
        report: Where it is noted.
    """
    for container, part, place in list(_placed(model, "")) if isinstance(marks, Mapping) else ():
        named = marks.get(place)
        names = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
        if names and (_undo_rescaling(container, part) if part.tag == "Activation" else _undo_scaling(part, names)):
            report.decide(
                f"{part.label}: the old {OLD} again, which to_keras wrote with weights {SLOPE} times as large"
            )


def divide(filled: Sequence[Filled]) -> None:
    """Divides the weights that were multiplied.

    Args:
        filled: The weights of all layers, which are known to fit.
    """
    for layer in filled:
        if layer.part.slopes:
            layer.weights = scaled(_computing(layer.part).tag, layer.part.slopes, layer.weights, 1 / SLOPE)


def _placed(model: Part, place: str) -> Iterator[tuple[Part, Part, str]]:
    """Every layer that holds no model, with the model that holds it and its place."""
    for part in model.inside:
        if part.holds_model:
            yield from _placed(part, f"{place}{part.name}/")
        else:
            yield model, part, f"{place}{part.name}"


def _computing(part: Part) -> Part:
    """The layer that has the weights: that inside a wrapper, else the layer itself."""
    return _computing(part.inside[0]) if part.inside else part


def _undo_scaling(part: Part, names: Sequence[str]) -> bool:
    layer = _computing(part)
    _, known = COLUMNS.get(layer.tag, (1, {}))
    if any(name not in known or layer.arguments.get(name) != NEW for name in names):
        return False
    layer.arguments |= dict.fromkeys(names, OLD)
    part.slopes = list(names)
    return True


def _undo_rescaling(model: Part, part: Part) -> bool:
    """Takes out the Rescaling before an Activation, which nothing else takes."""
    before = _before(model, part)
    if before is None or before.tag != "Rescaling" or part.arguments.get("activation") != NEW:
        return False
    shape = before.arguments.get("batch_input_shape")
    said = {key: value for key, value in before.arguments.items() if key not in ("name", "batch_input_shape")}
    if said != {"scale": SLOPE, "offset": 0.0}:
        return False
    part.arguments["activation"] = OLD
    if shape is not None:
        part.arguments["batch_input_shape"] = shape
    part.calls = before.calls
    model.inside.remove(before)
    return True


def _before(model: Part, part: Part) -> Part | None:
    """The layer that a layer alone takes, call by call."""
    if model.tag == "Sequential":
        index = model.inside.index(part)
        return model.inside[index - 1] if index else None
    name = part.calls[0][0][0] if part.calls and part.calls[0] else None
    before = next((inside for inside in model.inside if inside.our_name == name), None)
    if before is None or part.calls != [[(name, number, 0)] for number in range(len(before.calls))]:
        return None
    taken = sum(source[0] == name for inside in model.inside for call in inside.calls for source in call)
    return before if taken == len(part.calls) and not _names(model.arguments.get("output_layers"), name) else None


def _names(ends: Any, name: Any) -> bool:
    """Whether the outputs of a graph name a layer."""
    return bool(ends == name) or (isinstance(ends, list) and any(_names(item, name) for item in ends))

"""Stored weights become those of the built module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from rnnspec.errors import Problem, WeightsError
from rnnspec.interop.keras.layouts import Layouts
from rnnspec.interop.keras.parts import Part
from rnnspec.interop.keras.report import Report
from rnnspec.interop.keras.sources import StoredWeights
from rnnspec.interop.keras.stored import stored_arrays
from rnnspec.nn.base import Layer

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Filled", "converted", "fill"]


@dataclass
class Filled:
    """The weights of one layer.

    Attributes:
        part: The layer.
        names: What the arrays are called in their file.
        weights: The numbers in the order of our `set_weights`.
    """

    part: Part
    names: Sequence[str]
    weights: list[npt.NDArray[Any]]


def converted(model: Part, stored: StoredWeights, report: Report) -> list[Filled]:
    """Reads the weights of a model and brings them into our order.

    Args:
        model: The model as it was read.
        stored: The weights in their file.
        report: Where decisions are noted.

    Returns:
        The weights, layer by layer.

    Raises:
        WeightsError: If they are not the model's.
    """
    found = stored_arrays(model, stored, report)
    layouts = Layouts(report.backend, report)
    filled = [Filled(part, [array.name for array in arrays], layouts.weights(part, arrays)) for part, arrays in found]
    report.weights = (
        sum(len(layer.names) for layer in filled),
        sum(weight.size for layer in filled for weight in layer.weights),
    )
    return filled


def fill(model: nn.Module, part: Part, filled: Sequence[Filled]) -> None:
    """Sets the weights of a built model.

    Args:
        model: The model; on the meta device the weights are only checked.
        part: The model as it was read.
        filled: The weights.

    Raises:
        WeightsError: If any does not fit; all of them are named, each with both shapes.
    """
    problems: list[Problem] = []
    modules = dict(_modules(model, part))
    for layer in filled:
        try:
            _set(modules.pop(id(layer.part)), layer)
        except WeightsError as error:
            problems += error.problems
    missing = [module for module in modules.values() if any(True for _ in module.parameters())]
    problems += [Problem(f"the file has no weights for {_label(module)}") for module in missing]
    if problems:
        raise WeightsError(*problems)


def _label(module: nn.Module) -> str:
    return module.label if isinstance(module, Layer) else type(module).__name__


def _modules(module: nn.Module, part: Part) -> list[tuple[int, nn.Module]]:
    """Every layer that holds no model, with its module."""
    if not part.holds_model:
        return [(id(part), module)]
    children = dict(module.named_children())
    if not part.is_model:
        return _modules(children["layer"], part.inside[0])
    return [
        found
        for inside in part.inside
        if inside.tag != "Input"
        for found in _modules(children[inside.our_name], inside)
    ]


def _set(module: nn.Module, layer: Filled) -> None:
    if isinstance(module, Layer):
        module.set_weights(layer.weights)
        return
    parameters = dict(module.named_parameters())
    shapes = [tuple(parameter.shape) for parameter in parameters.values()]
    found = [weight.shape for weight in layer.weights]
    if shapes != found:
        raise WeightsError(f"{layer.part.label} has weights of the shapes {shapes}, the file has {found}")
    with torch.no_grad():
        for parameter, weight in zip(parameters.values(), layer.weights, strict=True):
            parameter.copy_(torch.as_tensor(weight))

"""The check after reading: the built model against the plain step loop, on a random input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from rnnspec.engines.plan import use_engine
from rnnspec.interop.keras.parts import Part
from rnnspec.interop.keras.report import Report

__all__ = ["self_check"]

BATCH, STEPS = 2, 6
"""Sizes that a model leaves free."""
MAX_PRODUCTS = 5e9
"""A model that takes more products for the check is not checked."""


def self_check(model: nn.Module, part: Part, report: Report) -> None:
    """Runs the model as it runs, and by the plain step loop, and notes the largest difference.

    Args:
        model: The model, in evaluation mode.
        part: The model as it was read.
        report: Where the difference is noted.
    """
    inputs = _inputs(part, next(iter(model.parameters()), torch.empty(0)))
    steps = max((shape.shape[1] for shape in inputs if shape.dim() > 1), default=1) * inputs[0].shape[0]
    if steps * sum(parameter.numel() for parameter in model.parameters()) > MAX_PRODUCTS:
        report.check = "left out, the model is large"
        return
    planned = _outputs(model, inputs)
    with use_engine("steps"):
        looped = _outputs(model, inputs)
    differences = [(a - b).abs().max().item() for a, b in zip(planned, looped, strict=True) if a.numel()]
    report.difference = max(differences, default=0.0)
    report.check = f"differs from the plain step loop by {report.difference:.1e} at most"


def _outputs(model: Any, inputs: Sequence[Tensor]) -> list[Tensor]:
    with torch.no_grad():
        outputs = model(*inputs)
    if getattr(model, "stateful", False):
        model.reset_states()
    return list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]


def _inputs(part: Part, like: Tensor) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    inputs = []
    for shape, ids in _input_shapes(part):
        sizes = [size or default for size, default in zip(shape, (BATCH, *[STEPS] * len(shape)), strict=False)]
        if ids is None:
            values = torch.randn(sizes, generator=generator).to(like.dtype)
        else:
            values = torch.randint(ids, sizes, generator=generator)
        inputs.append(values.to(like.device))
    return inputs


def _input_shapes(part: Part) -> list[tuple[Sequence[int | None], int | None]]:
    """The shape of every input, and how many ids there are where an Embedding takes it."""
    if part.tag == "graph":
        shapes = {one.our_name: one.arguments["batch_input_shape"] for one in part.inside if one.tag == "Input"}
        return [(shapes[name], _ids(part, number)) for number, name in enumerate(_input_names(part))]
    first = part
    while first.is_model:
        first = first.inside[0]
    length = first.arguments.get("input_length")
    return [(first.arguments.get("batch_input_shape") or (None, length), _ids(part, 0))]


def _input_names(graph: Part) -> list[str]:
    ends = graph.arguments["input_layers"]
    return [ends] if isinstance(ends, str) else ends


def _ids(part: Part, number: int) -> int | None:
    """How many ids an input of a layer or model may have; None where it is numbers."""
    if part.tag == "Embedding":
        return int(part.arguments["input_dim"])
    if part.tag != "graph":
        return _ids(part.inside[0], 0) if part.inside else None
    source = (_input_names(part)[number], 0, 0)
    found = [
        _ids(inside, position)
        for inside in part.inside
        for call in inside.calls
        for position, taken in enumerate(call)
        if taken == source
    ]
    return min((count for count in found if count is not None), default=None)

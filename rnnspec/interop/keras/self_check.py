"""The check after reading: the built model against the plain step loop, on a random input."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from rnnspec.config.base import Config
from rnnspec.config.graph import GraphConfig
from rnnspec.config.inference import infer
from rnnspec.config.model import SequentialConfig
from rnnspec.engines.plan import use_engine
from rnnspec.errors import Error
from rnnspec.interop.keras.parts import Part
from rnnspec.interop.keras.report import Report
from rnnspec.shapes import format_shape

__all__ = ["input_shapes", "is_large", "largest_difference", "random_inputs", "self_check"]

BATCH, STEPS = 2, 6
"""Sizes that a model leaves free."""
MAX_PRODUCTS = 5e9
MAX_STEPS = 20_000
MAX_NUMBERS = 10_000_000
"""A model that takes more products for the check, more steps, or more numbers in a tensor, is not checked."""


def self_check(model: nn.Module, config: Config, part: Part, report: Report) -> None:
    """Runs the model as it runs, and by the plain step loop, and notes the largest difference.

    Args:
        model: The model, in evaluation mode.
        config: Its config.
        part: The model as it was read.
        report: Where the difference is noted.
    """
    shapes = input_shapes(part)
    if _is_huge(model, config, [_sizes(shape) for shape, _ in shapes]):
        report.check = "left out, the model is large"
        return
    inputs = random_inputs(shapes, next(iter(model.parameters()), torch.empty(0)))
    try:
        planned = _outputs(model, inputs)
    # The sizes that we chose may be too small for the model, and those of the file too large for torch.
    except (Error, RuntimeError, ValueError, TypeError, OverflowError) as error:
        reason = str(error).partition("\n")[0]
        report.check = f"left out, an input of the shape {format_shape(inputs[0].shape)} does not pass: {reason}"
        return
    with use_engine("steps"):
        looped = _outputs(model, inputs)
    report.difference = _difference(planned, looped)
    report.check = f"differs from the plain step loop by {report.difference:.1e} at most"


def _is_huge(model: nn.Module, config: Config, given: list[list[int]]) -> bool:
    """Whether a tensor would be too large anywhere in the model, for which nothing but a number in a file is needed."""
    tensors = [*given, *_tensors(config, given if len(given) > 1 else given[0])]
    steps = max((shape[1] for shape in tensors if len(shape) > 1), default=1) * given[0][0]
    products = steps * sum(parameter.numel() for parameter in model.parameters())
    return products > MAX_PRODUCTS or steps > MAX_STEPS or max(map(math.prod, tensors)) > MAX_NUMBERS


def _sizes(shape: Sequence[int | None]) -> list[int]:
    """A shape with sizes for what it leaves free."""
    return [size or default for size, default in zip(shape, (BATCH, *[STEPS] * len(shape)), strict=False)]


def _tensors(config: Config, given: Any) -> Iterator[Sequence[int]]:
    """The shapes of all tensors in a run of a model, those that are padded inside a layer among them."""
    for layer in infer(config, given).layers:
        if isinstance(layer.config, (GraphConfig, SequentialConfig)):
            yield from _tensors(layer.config, layer.input_shape)
        shape = _sizes(layer.output_shape or ())
        dilation = getattr(getattr(layer.config, "layer", layer.config), "dilation_rate", 1)
        yield [size * dilation for size in shape]


def largest_difference(model: nn.Module, other: nn.Module, inputs: Sequence[Tensor]) -> tuple[float, float]:
    """Compares two models, both in evaluation mode.

    Args:
        model: The one.
        other: The other.
        inputs: What both get.

    Returns:
        The largest difference, and the largest number in the outputs.
    """
    outputs = _outputs(model, inputs)
    return _difference(outputs, _outputs(other, inputs)), _largest(outputs)


def is_large(model: nn.Module, inputs: Sequence[Tensor]) -> bool:
    """Whether a model is too large for a run as a check.

    Args:
        model: The model.
        inputs: What it would get.

    Returns:
        Whether it takes too many products.
    """
    steps = max((tensor.shape[1] for tensor in inputs if tensor.dim() > 1), default=1) * inputs[0].shape[0]
    return steps * sum(parameter.numel() for parameter in model.parameters()) > MAX_PRODUCTS


def _difference(outputs: Sequence[Tensor], others: Sequence[Tensor]) -> float:
    return _largest([_apart(one, other) for one, other in zip(outputs, others, strict=True)])


def _apart(one: Tensor, other: Tensor) -> Tensor:
    """How far apart numbers are; two that are infinite or no numbers alike are not."""
    return (one - other).masked_fill((one == other) | (one.isnan() & other.isnan()), 0)


def _largest(tensors: Sequence[Tensor]) -> float:
    return max((tensor.abs().max().item() for tensor in tensors if tensor.numel()), default=0.0)


def _outputs(model: Any, inputs: Sequence[Tensor]) -> list[Tensor]:
    stateful = getattr(model, "stateful", False)
    if stateful:
        model.reset_states()
    with torch.no_grad():
        outputs = model(*inputs)
    if stateful:
        model.reset_states()
    return list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]


def random_inputs(shapes: Sequence[tuple[Sequence[int | None], int | None]], like: Tensor) -> list[Tensor]:
    """Random inputs for a model.

    Args:
        shapes: For each input its shape, and the number of ids where it takes ids.
        like: A weight of the model, for the dtype and the device.

    Returns:
        One tensor an input; free sizes are small.
    """
    generator = torch.Generator().manual_seed(0)
    inputs = []
    for shape, ids in shapes:
        sizes = _sizes(shape)
        if ids is None:
            values = torch.randn(sizes, generator=generator).to(like.dtype)
        else:
            values = torch.randint(ids, sizes, generator=generator)
        inputs.append(values.to(like.device))
    return inputs


def input_shapes(part: Part) -> list[tuple[Sequence[int | None], int | None]]:
    """Tells what a model takes.

    Args:
        part: The model as it was read.

    Returns:
        The shape of every input, and how many ids there are where an Embedding takes it.
    """
    if part.tag == "graph":
        shapes = {one.our_name: one.arguments["batch_input_shape"] for one in part.inside if one.tag == "Input"}
        return [(shapes[name], _ids(part, number)) for number, name in enumerate(_input_names(part))]
    first = part.first
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

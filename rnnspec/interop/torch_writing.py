"""From our recurrent layers to torch.nn's, where torch.nn computes the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import Parameter

from rnnspec.engines.activations import sigmoid
from rnnspec.errors import ConfigError
from rnnspec.interop.torch_weights import FAMILIES, Family, check_plain_weights
from rnnspec.nn import Bidirectional, Dropout, Sequential
from rnnspec.nn.composite import label_of
from rnnspec.nn.dropout import drops
from rnnspec.nn.one_step import OneStep
from rnnspec.nn.recurrence import Recurrence

__all__ = ["to_torch"]

Stacked = Recurrence | Bidirectional


def to_torch(layer: torch.nn.Module) -> torch.nn.Module:
    """Makes a recurrent module of torch.nn of a layer, with a copy of its weights.

    The way back from `from_torch`: a `Bidirectional` becomes a module of both directions, a `Sequential` of equal
    layers one of several, with the dropout that is between them, a cell a cell. dtype, device, training mode and which
    weights are trained stay the same. torch's second bias is written as zeros where ours is one. The module returns all
    outputs and all final states, whatever the layer returns. Regularizers, constraints, seeds and
    checkpoints stay behind.

    Args:
        layer: A recurrent layer, a cell, a `Bidirectional`, or a `Sequential` of these layers and dropout between them.

    Returns:
        The module.

    Raises:
        ConfigError: If torch.nn has no module that computes the same; every reason is told.
        WeightsError: If the layer has no weights yet, or computes a weight from others, as pruning does.
    """
    if isinstance(layer, OneStep):
        return _one_step(layer)
    layers, rates, problems = _taken_apart(layer)
    problems += [f"{place}{reason}" for place, part in layers for reason in _reasons(part)]
    problems += [] if problems else _differences([part for _, part in layers], rates)
    if problems:
        raise ConfigError(*(f"to_torch: {problem}" for problem in problems))
    return _module([part for _, part in layers], max(rates, default=0.0)).train(layer.training)


def _taken_apart(layer: Any) -> tuple[list[tuple[str, Stacked]], list[float], list[str]]:
    """The recurrent layers, each with its place for messages; the dropout after each but the last; what is wrong."""
    if isinstance(layer, (Recurrence, Bidirectional)):
        return [("", layer)], [], []
    if not isinstance(layer, Sequential) or not len(layer):
        raise ConfigError(
            f"to_torch takes a recurrent layer, a Bidirectional or a Sequential of them, found {label_of(layer)}"
        )
    layers: list[tuple[str, Stacked]] = []
    rates: list[float] = []
    problems = []
    parts = list(layer)
    for number, part in enumerate(parts):
        place = f"layer {number}, "
        if isinstance(part, (Recurrence, Bidirectional)) and not isinstance(part, OneStep):
            layers.append((place, part))
            rates += [0.0] * (len(layers) - 1 - len(rates))
        elif not isinstance(part, Dropout):
            problems.append(f"{place}{label_of(part)}: torch.nn has recurrent layers and dropout between them alone")
        elif not layers or number == len(parts) - 1 or len(rates) == len(layers):
            problems.append(f"{place}{part.label}: torch.nn has one dropout between two recurrent layers, and no other")
        else:
            rates.append(part.rate if drops(part.rate) else 0.0)
            if part.noise_shape is not None and drops(part.rate):
                problems.append(
                    f"{place}{part.label}: noise_shape={part.noise_shape}, torch.nn drops each entry on its own"
                )
    return layers, rates, problems


def _reasons(layer: Stacked) -> Iterator[str]:
    """Why torch.nn does not compute what this layer does, without the layer's place."""
    if isinstance(layer, Bidirectional):
        if layer.merge_mode != "concat":
            yield f"{layer.label}: merge_mode={layer.merge_mode!r}, torch.nn concatenates the two directions"
        halves, label = (layer.forward_layer, layer.backward_layer), layer.label
        found = [reason for half in halves for reason in _half_reasons(half, backwards=half is layer.backward_layer)]
    else:
        label, found = layer.label, list(_half_reasons(layer, backwards=False))
    yield from (f"{label}: {reason}" for reason in dict.fromkeys(found))


def _halves(layer: Stacked) -> tuple[Recurrence, ...]:
    return (layer.forward_layer, layer.backward_layer) if isinstance(layer, Bidirectional) else (layer,)


def _family_of(half: Recurrence) -> Family | None:
    return next((family for family in FAMILIES if type(half.cell) is family.cell), None)


def _half_reasons(half: Recurrence, *, backwards: bool) -> Iterator[str]:
    family, cell = _family_of(half), cast(Any, half.cell)
    if family is None:
        yield f"torch.nn has no cell {type(cell).__name__}"
        return
    theirs = f"torch.nn.{family.module.__name__}"
    if all(cell.activation.function is not activation.function for activation in family.activations):
        names = " or ".join(activation.name for activation in family.activations)
        yield f"activation={cell.activation.name!r}, {theirs} has {names}"
    gates = getattr(cell, "recurrent_activation", sigmoid)
    if gates.function is not sigmoid.function:
        yield f"recurrent_activation={gates.name!r}, {theirs} has sigmoid"
    if not getattr(cell, "reset_after", True):
        yield f"reset_after=False, the reset of {theirs} acts after the matrix product"
    if drops(half.dropout):
        yield f"dropout={half.dropout}, {theirs} drops nothing of its input"
    if drops(half.recurrent_dropout):
        yield f"recurrent_dropout={half.recurrent_dropout}, {theirs} drops nothing of the recurrent product"
    if half.initial_state == "trainable":
        yield f"initial_state='trainable', {theirs} starts at zeros or at what it is given"
    if half.stateful:
        yield f"stateful=True, {theirs} carries no states from call to call"
    if half.go_backwards and not backwards:
        yield f"go_backwards=True, {theirs} reads time backwards only beside a forward half"


def _differences(layers: Sequence[Stacked], rates: Sequence[float]) -> list[str]:
    """In which arguments layers differ that one module would share."""
    halves = [_halves(layer)[0] for layer in layers]
    shared: dict[str, list[Any]] = {
        "directions": [len(_halves(layer)) for layer in layers],
        "cell": [type(half.cell).__name__ for half in halves],
        "activation": [cast(Any, half.cell).activation.name for half in halves],
        "units": [half.units for half in halves],
        "use_bias": [half.use_bias for half in halves],
        "time_major": [half.time_major for half in halves],
        "dropout between them": list(rates),
    }
    return [
        f"the layers differ in their {name} ({', '.join(map(str, values))}), torch.nn has one for all"
        for name, values in shared.items()
        if len(set(values)) > 1
    ]


def _options(half: Recurrence, family: Family) -> dict[str, Any]:
    """The arguments that a module and a cell of torch share. Nothing is drawn for weights on the device `meta`."""
    width = _plain_weights(half)["kernel"].shape[0]
    options = {"input_size": width, "hidden_size": half.units, "bias": half.use_bias, "device": "meta"}
    return options | ({"nonlinearity": cast(Any, half.cell).activation.name} if family.module is torch.nn.RNN else {})


def _one_step(layer: OneStep) -> torch.nn.Module:
    problems = list(_reasons(layer))
    if problems:
        raise ConfigError(*(f"to_torch: {problem}" for problem in problems))
    family = cast(Family, _family_of(layer))
    module = family.module_cell(**_options(layer, family))
    _put(module, family, layer, "")
    return module.train(layer.training)


def _module(layers: Sequence[Stacked], rate: float) -> torch.nn.RNNBase:
    first = _halves(layers[0])
    family = cast(Family, _family_of(first[0]))
    module = family.module(
        **_options(first[0], family),
        num_layers=len(layers),
        batch_first=not first[0].time_major,
        dropout=rate,
        bidirectional=len(first) == 2,
    )
    for number, layer in enumerate(layers):
        for half, direction in zip(_halves(layer), ("", "_reverse"), strict=False):
            _put(module, family, half, f"_l{number}{direction}")
    module.flatten_parameters()
    return module


def _plain_weights(half: Recurrence) -> dict[str, Tensor]:
    wanted = ("kernel", "recurrent_kernel", "bias")[: 3 if half.use_bias else 2]
    check_plain_weights(half.label, dict(half.named_parameters()), wanted)
    return half.state_dict()


def _put(module: torch.nn.Module, family: Family, half: Recurrence, suffix: str) -> None:
    """Gives a module the weights of a layer."""
    sources = {"weight_ih": half.kernel, "weight_hh": half.recurrent_kernel, "bias_ih": half.bias, "bias_hh": half.bias}
    for name, weight in family.write(_plain_weights(half), suffix).items():
        source = sources[name.removesuffix(suffix)]
        setattr(module, name, Parameter(weight, requires_grad=source is not None and source.requires_grad))

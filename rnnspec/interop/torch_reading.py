"""From torch.nn's recurrent modules to ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from rnnspec.engines import cells
from rnnspec.errors import ConfigError
from rnnspec.interop.torch_weights import FAMILIES, Family, check_plain_weights
from rnnspec.nn import Bidirectional, Dropout, Sequential
from rnnspec.nn.recurrence import Recurrence

__all__ = ["from_torch"]


def from_torch(
    module: torch.nn.Module, *, return_sequences: bool = True, return_state: bool = False
) -> Recurrence | Bidirectional | Sequential:
    """Makes a layer of a recurrent module of torch.nn, with a copy of its weights.

    The outputs are the module's, and so are dtype, device, training mode and which weights are trained. An LSTM becomes
    a `rnnspec.nn.LSTM` with sigmoid gates, a GRU one with `reset_after`, both directions a `Bidirectional`, and
    several layers a `Sequential` of them, with `Dropout` between where the module has dropout. Without `batch_first`
    the layers are `time_major`. A cell becomes our cell.

    Args:
        module: A `torch.nn.LSTM`, `GRU` or `RNN`, or an `LSTMCell`, `GRUCell` or `RNNCell`.
        return_sequences: Whether to return all outputs, as the module does, or the last one.
        return_state: Whether to return the final states too; of several layers, the last one's.

    Returns:
        The layer, or the model of several layers.

    Raises:
        ConfigError: If there is no layer that computes the same: for another module, with `proj_size`, with a dropout
            of 1; or a cell shall return a sequence.
        WeightsError: If the module computes a weight from others, as pruning and parametrizations do.
    """
    family = _family_of(module)
    name = f"torch.nn.{type(module).__name__}"
    if isinstance(module, torch.nn.RNNCellBase):
        if return_state or not return_sequences:
            raise ConfigError(
                f"from_torch was given a {name}, which does one step: it returns no sequence and no state"
            )
        cell = family.one_step(**_arguments(family, module, module.weight_ih))
        _fill(cell, family, _weights(module, name, [""]), "")
        cell.build((None, module.input_size))
        return cell.train(module.training)
    assert isinstance(module, torch.nn.RNNBase)
    _check_semantics(module, name)
    model = _stacked(module, family, name, return_sequences=return_sequences, return_state=return_state)
    model.build((None, None, module.input_size))
    return model.train(module.training)


def _family_of(module: Any) -> Family:
    """The family of a module whose `forward` is torch's own."""
    for family in FAMILIES:
        for kind in (family.module, family.module_cell):
            if isinstance(module, kind) and type(module).forward is kind.forward:
                return family
    found = type(module).__name__
    own = isinstance(module, (torch.nn.RNNBase, torch.nn.RNNCellBase))
    raise ConfigError(
        f"from_torch takes a torch.nn.LSTM, GRU or RNN or one of their cells, found {found}"
        + (", which has a forward of its own" if own else "")
    )


def _check_semantics(module: torch.nn.RNNBase, name: str) -> None:
    """Refuses what our layers do not compute."""
    reasons = []
    if module.proj_size:
        reasons.append(f"proj_size={module.proj_size}: the LSTM here has no projection of its output")
    if module.num_layers > 1 and module.dropout == 1:
        reasons.append(
            "dropout=1.0: it drops all that the layers give, where a rate of 1 drops nothing here, as in Keras"
        )
    if reasons:
        raise ConfigError(*(f"from_torch cannot take this {name}, {reason}" for reason in reasons))


def _arguments(family: Family, module: Any, weight: Tensor) -> dict[str, Any]:
    """The arguments that a layer and a cell share."""
    gates = (
        {"activation": module.nonlinearity} if family.cell is cells.SimpleRNN else {"recurrent_activation": "sigmoid"}
    )
    gates |= {"reset_after": True} if family.cell is cells.GRU else {}
    shared = {"units": module.hidden_size, "use_bias": module.bias, "device": weight.device, "dtype": weight.dtype}
    return {**shared, **gates}


def _stacked(
    module: torch.nn.RNNBase, family: Family, name: str, *, return_sequences: bool, return_state: bool
) -> Recurrence | Bidirectional | Sequential:
    """The layers of a module, with its weights; one alone is no model."""
    directions = ("", "_reverse") if module.bidirectional else ("",)
    suffixes = [f"_l{number}{direction}" for number in range(module.num_layers) for direction in directions]
    weights = _weights(module, name, suffixes)
    arguments = _arguments(family, module, weights["weight_ih_l0"]) | {"time_major": not module.batch_first}
    layers: list[Recurrence | Bidirectional | Dropout] = []
    for number in range(module.num_layers):
        last = number == module.num_layers - 1
        sequences, state = return_sequences or not last, return_state and last
        layer = family.layer(**arguments, return_sequences=sequences, return_state=state)
        both = Bidirectional(layer) if module.bidirectional else None
        _fill(layer, family, weights, f"_l{number}")
        if both is not None:
            _fill(both.backward_layer, family, weights, f"_l{number}_reverse")
        layers.append(layer if both is None else both)
        if module.dropout and not last:
            layers.append(Dropout(module.dropout))
    first = layers[0]
    if len(layers) > 1 or isinstance(first, Dropout):
        return Sequential(layers)
    return first


def _weights(module: torch.nn.Module, name: str, suffixes: Sequence[str]) -> dict[str, Tensor]:
    """The weights of a module by name, if it has them as they are."""
    kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")[: 4 if module.bias else 2]
    wanted = [f"{kind}{suffix}" for suffix in suffixes for kind in kinds]
    found = dict(module.named_parameters())
    check_plain_weights(name, found, wanted)
    return {key: found[key] for key in wanted}


def _fill(layer: Recurrence, family: Family, weights: Mapping[str, Tensor], suffix: str) -> None:
    """Gives a layer its weights: no random number is drawn for it."""
    with torch.no_grad():
        layer.load_state_dict(family.read(weights, suffix))
    trained = {
        "kernel": weights[f"weight_ih{suffix}"].requires_grad,
        "recurrent_kernel": weights[f"weight_hh{suffix}"].requires_grad,
        "bias": any(weights[key].requires_grad for key in (f"bias_ih{suffix}", f"bias_hh{suffix}") if key in weights),
    }
    layer.trainable = any(trained.values())
    for key, parameter in layer.named_parameters():
        parameter.requires_grad_(trained[key])

"""The recurrent modules of torch.nn beside ours: which is which, and where each keeps its weights.

torch.nn keeps the gates in rows, `(gates * units, features)`, and two biases whose sum acts; only its GRU needs both,
as the second one goes through the reset gate. Its gate order is that of Keras in the LSTM (i, f, g, o for i, f, c, o),
and another in the GRU (r, z, n for z, r, h).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnspec import nn
from rnnspec.engines import activations, cells
from rnnspec.engines.activations import Activation
from rnnspec.errors import WeightsError
from rnnspec.nn.one_step import OneStep
from rnnspec.nn.recurrence import Recurrence

__all__ = ["FAMILIES", "Family", "check_plain_weights"]


@dataclass(frozen=True)
class Family:
    """One kind of recurrent layer in both houses.

    Attributes:
        cell: The class of our cell.
        layer: Our layer.
        one_step: Our layer of one step.
        module: torch's module.
        module_cell: torch's module of one step.
        order: Which block of rows of torch's holds each of our gates.
        activations: What torch can have as `activation`.
    """

    cell: type[cells.Cell]
    layer: type[Recurrence]
    one_step: type[OneStep]
    module: type[torch.nn.RNNBase]
    module_cell: type[torch.nn.RNNCellBase]
    order: tuple[int, ...]
    activations: tuple[Activation, ...] = (activations.tanh,)

    def read(self, weights: Mapping[str, Tensor], suffix: str) -> dict[str, Tensor]:
        """Our weights from torch's.

        Args:
            weights: The module's weights by name.
            suffix: What follows `weight_ih` and the other names: nothing for a cell, `_l0_reverse` for a module.

        Returns:
            `kernel`, `recurrent_kernel` and, where there is one, `bias`.
        """
        ours = {
            "kernel": self._moved(weights[f"weight_ih{suffix}"]).T,
            "recurrent_kernel": self._moved(weights[f"weight_hh{suffix}"]).T,
        }
        if f"bias_ih{suffix}" in weights:
            both = torch.stack([self._moved(weights[f"bias_{name}{suffix}"]) for name in ("ih", "hh")])
            ours["bias"] = both if self.cell is cells.GRU else both.sum(0)
        return ours

    def write(self, weights: Mapping[str, Tensor], suffix: str) -> dict[str, Tensor]:
        """The way back: torch's weights from ours; where ours is one bias, torch's second one is zeros.

        Args:
            weights: Our weights by name.
            suffix: What follows `weight_ih` and the other names.

        Returns:
            `weight_ih`, `weight_hh` and, where there is one, `bias_ih` and `bias_hh`, all with the suffix.
        """
        theirs = {
            f"weight_ih{suffix}": self._moved(weights["kernel"].T),
            f"weight_hh{suffix}": self._moved(weights["recurrent_kernel"].T),
        }
        bias = weights.get("bias")
        if bias is not None:
            both = bias if bias.dim() == 2 else torch.stack([bias, torch.zeros_like(bias)])
            theirs |= {f"bias_{name}{suffix}": self._moved(row) for name, row in zip(("ih", "hh"), both, strict=True)}
        return theirs

    def _moved(self, weight: Tensor) -> Tensor:
        """The rows of a weight in the other house's gate order; every order here is its own inverse."""
        blocks = weight.chunk(len(self.order))
        return torch.cat([blocks[index] for index in self.order])


FAMILIES = (
    Family(
        cells.SimpleRNN, nn.SimpleRNN, nn.SimpleRNNCell, torch.nn.RNN, torch.nn.RNNCell, (0,),
        (activations.tanh, activations.relu),
    ),
    Family(cells.LSTM, nn.LSTM, nn.LSTMCell, torch.nn.LSTM, torch.nn.LSTMCell, (0, 1, 2, 3)),
    Family(cells.GRU, nn.GRU, nn.GRUCell, torch.nn.GRU, torch.nn.GRUCell, (1, 0, 2)),
)  # fmt: skip


def check_plain_weights(label: str, found: Collection[str], wanted: Collection[str]) -> None:
    """Refuses weights that something computes: pruning, a parametrization, weight_norm.

    Args:
        label: What messages call the module.
        found: Names of its parameters.
        wanted: Names of its weights.

    Raises:
        WeightsError: If they are not the same.
    """
    missing = [name for name in wanted if name not in found]
    if missing:
        others = ", ".join(name for name in found if name not in wanted)
        raise WeightsError(
            f"{label} computes its weight '{missing[0]}' from other parameters ({others}), which would be lost; "
            "make it a plain weight first, with remove of torch.nn.utils.prune or remove_parametrizations of "
            "torch.nn.utils.parametrize"
        )

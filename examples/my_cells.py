"""A cell of your own: an LSTM with peepholes (Gers and Schmidhuber, 2000), whose gates also see the cell's state.

With `--import examples.my_cells` the command line knows it: see peephole.yaml. From Python, import this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

import rnnspec
from rnnspec.engines.cells import Cell, ExtraWeight, Gates, Recur, States


@rnnspec.register.cell
@dataclass(frozen=True)
class PeepholeLSTM(Cell):
    """An LSTM whose gates see the cell's state.

    i = s(x . Wi + bi + h . Ui + pi * c),  f = s(x . Wf + bf + h . Uf + pf * c)
    c' = f * c + i * tanh(x . Wc + bc + h . Uc)
    o = s(x . Wo + bo + h . Uo + po * c'),  h' = o * tanh(c')

    Args:
        output_peephole: Whether the output gate has a peephole too.
    """

    gates = ("i", "f", "c", "o")
    states = ("h", "c")

    output_peephole: bool = True

    def extra_weights(self, units: int) -> Mapping[str, ExtraWeight]:
        """The peepholes, `(units,)` each; at first they are shut."""
        names = ("peephole_i", "peephole_f", "peephole_o")[: 3 if self.output_peephole else 2]
        return {name: ExtraWeight((units,), "zeros") for name in names}

    def step(self, x: Gates, states: States, recur: Recur, **weights: Tensor) -> States:
        """One step; states: h, c."""
        h, c = states
        (xi, xf, xc, xo), (ui, uf, uc, uo) = x, recur(h)
        i = torch.sigmoid(xi + ui + weights["peephole_i"] * c)
        f = torch.sigmoid(xf + uf + weights["peephole_f"] * c)
        c = f * c + i * torch.tanh(xc + uc)
        o = torch.sigmoid(xo + uo + (weights["peephole_o"] * c if self.output_peephole else 0.0))
        return o * torch.tanh(c), c

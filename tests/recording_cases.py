"""The gates and states of every step, computed anew from a layer's weights: plain torch, one row at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from rnnspec import nn
from rnnspec.nn.distributions import Normal

CELLS = {
    "SimpleRNN": lambda **options: nn.SimpleRNN(3, **options),
    "LSTM": lambda **options: nn.LSTM(3, unit_forget_bias=False, **options),
    "LSTM sigmoid": lambda **options: nn.LSTM(3, unit_forget_bias=False, recurrent_activation="sigmoid", **options),
    "GRU": lambda **options: nn.GRU(3, **options),
    "GRU reset_after": lambda **options: nn.GRU(3, reset_after=True, **options),
}


def make(cell: str, **options: Any) -> Any:
    """A layer of two features and three units in float64, with weights so large that gates saturate."""
    drawn = {f"{weight}_initializer": Normal(0.0, 1.5) for weight in ("kernel", "recurrent", "bias")}
    return CELLS[cell](**{"input_size": 2, "dtype": torch.float64, **drawn, **options})


def hard_sigmoid(x: Tensor) -> Tensor:
    """Keras 2.0's."""
    return (0.2 * x + 0.5).clip(0.0, 1.0)


def step(cell: str, x: list[Tensor], states: list[Tensor], recur: Any) -> tuple[list[Tensor], list[Tensor]]:
    """Gates and new states of one row; `x` has the projected input of each gate, `recur(v, k)` is a product."""
    s = torch.sigmoid if cell.endswith("sigmoid") else hard_sigmoid
    h = states[0]
    if cell == "SimpleRNN":
        new = torch.tanh(x[0] + recur(h, 0))
        return [new], [new]
    if cell.startswith("LSTM"):
        i, f, o = (s(x[k] + recur(h, k)) for k in (0, 1, 3))
        g = torch.tanh(x[2] + recur(h, 2))
        c = states[1] * f + g * i
        return [i, f, g, o], [torch.tanh(c) * o, c]
    z, r = (s(x[k] + recur(h, k)) for k in (0, 1))
    g = torch.tanh(x[2] + (recur(h, 2) * r if cell.endswith("after") else recur(h * r, 2)))
    return [z, r, g], [h * z + g - g * z]


def walk(
    cell: str,
    layer: Any,
    x: Tensor,
    states: Sequence[Tensor],
    mask: Tensor | None = None,
    drops: tuple[Sequence[Tensor], Sequence[Tensor]] | None = None,
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Gates and states of all steps of all rows, in the order of the input.

    Args:
        cell: Its name in the table.
        layer: Its weights and its direction are read, nothing else.
        x: `(batch, time, 2)`.
        states: The initial ones.
        mask: True where a step is valid.
        drops: The dropout masks of the input and of the recurrent product, one a gate.
    """
    count = len(layer.cell.gates)
    kernels, recurrent = layer.kernel.chunk(count, 1), layer.recurrent_kernel.chunk(count, 1)
    bias = torch.zeros(2, 3 * count, dtype=x.dtype)
    if layer.bias is not None:
        bias[: layer.bias.dim()] = layer.bias  # one bias is the input's
    biases, recurrent_biases = (part.chunk(count) for part in bias)
    batch, time = x.shape[:2]
    gates_out = torch.full((count, batch, time, 3), torch.nan, dtype=x.dtype)
    states_out = torch.empty(len(states), batch, time, 3, dtype=x.dtype)
    for b in range(batch):
        now = [state[b] for state in states]
        ins, outs = ([1.0] * count,) * 2 if drops is None else ([m[b] for m in masks] for masks in drops)

        def recur(v: Tensor, k: int, outs: Any = outs) -> Tensor:
            return (v * outs[k]) @ recurrent[k] + recurrent_biases[k]

        for t in reversed(range(time)) if layer.go_backwards else range(time):
            if mask is None or mask[b, t]:
                projected = [(x[b, t] * ins[k]) @ kernels[k] + biases[k] for k in range(count)]
                gates, now = step(cell, projected, now, recur)
                gates_out[:, b, t] = torch.stack(gates)
            states_out[:, b, t] = torch.stack(now)
    return dict(zip(layer.cell.gates, gates_out, strict=True)), dict(zip(layer.cell.states, states_out, strict=True))

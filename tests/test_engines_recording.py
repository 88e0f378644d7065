"""A watched cell: it declares and computes what the cell inside does."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import rnnspec
from rnnspec import nn
from rnnspec.engines import cells
from rnnspec.engines.cells import Cell, ExtraWeight
from rnnspec.engines.recording import WatchedCell


class Projected(Cell):
    """h' = z . projection, narrower than its gate."""

    gates = ("z",)

    def state_sizes(self, units: int) -> tuple[int, ...]:
        return (2,)

    def extra_weights(self, units: int) -> dict[str, ExtraWeight]:
        return {"projection": ExtraWeight((units, 2), "ones")}

    def activate(self, x: Any, states: Any, recur: Any, **weights: Tensor) -> Any:
        return (torch.tanh(x[0] + recur(states[0], "z")),)

    def update(self, gates: Any, states: Any, **weights: Tensor) -> Any:
        return (gates[0] @ weights["projection"],)


@pytest.mark.parametrize(
    "cell",
    [cells.SimpleRNN(), cells.LSTM(), cells.GRU(), cells.GRU(reset_after=True), Projected()],
    ids=["SimpleRNN", "LSTM", "GRU", "GRU reset_after", "a user's"],
)
def test_a_watched_cell_declares_what_the_cell_does(cell: Cell) -> None:
    watched = WatchedCell(cell)

    assert (watched.gates, watched.states) == (cell.gates, cell.states)
    assert watched.recurrent_bias == cell.recurrent_bias
    assert watched.state_sizes(5) == cell.state_sizes(5)
    assert watched.extra_weights(5) == cell.extra_weights(5)


def test_a_cell_with_weights_of_its_own_and_a_narrow_state_is_recorded() -> None:
    layer = nn.RNN(Projected(), 3, input_size=4, return_sequences=True)

    with rnnspec.record(layer) as trace:
        y = layer(torch.randn(2, 5, 4))

    assert torch.equal(trace.states["h"], y)
    torch.testing.assert_close(trace.gates["z"].sum(-1, keepdim=True).expand(2, 5, 2), y)

"""A cell that is watched: what it saw and made at every step, whichever loop ran it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from rnnspec.engines.cells import Cell, ExtraWeight, Gates, Recur, States
from rnnspec.engines.request import Request, Result, Tensors
from rnnspec.engines.steps import sequence

__all__ = ["WatchedCell", "watch"]


class WatchedCell(Cell):
    """A cell that computes what another one does, and keeps what passes through it, in processing order.

    Args:
        cell: The other cell.

    Attributes:
        gates_seen: The activated gates of every step; empty for a cell that keeps them to itself.
        states_before: The states that every step was given.
        states_after: The states that every step returned, before a mask had its say.
    """

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.gates_seen: list[Gates] = []
        self.states_before: list[States] = []
        self.states_after: list[States] = []

    @property
    def gates(self) -> tuple[str, ...]:  # type: ignore[override]
        """The cell's."""
        return self.cell.gates

    @property
    def states(self) -> tuple[str, ...]:  # type: ignore[override]
        """The cell's."""
        return self.cell.states

    @property
    def recurrent_bias(self) -> bool:  # type: ignore[override]
        """The cell's."""
        return self.cell.recurrent_bias

    def state_sizes(self, units: int) -> tuple[int, ...]:
        """The cell's."""
        return self.cell.state_sizes(units)

    def extra_weights(self, units: int) -> Mapping[str, ExtraWeight]:
        """The cell's."""
        return self.cell.extra_weights(units)

    def step(self, x: Gates, states: States, recur: Recur, **weights: Tensor) -> States:
        """The cell's step, kept."""
        self.states_before.append(states)
        if self.cell.shows_gates:
            gates = self.cell.activate(x, states, recur, **weights)
            self.gates_seen.append(gates)
            after = self.cell.update(gates, states, **weights)
        else:
            after = self.cell.step(x, states, recur, **weights)
        self.states_after.append(after)
        return after


def watch(request: Request, tensors: Tensors) -> tuple[WatchedCell, Result]:
    """Runs a request in the loop of the engine `steps` and watches its cell.

    Args:
        request: What to do.
        tensors: The data; the dropout masks in it are those of the call, so nothing is drawn.

    Returns:
        The watched cell and the result.
    """
    cell = WatchedCell(request.cell)
    return cell, sequence.run(replace(request, cell=cell, checkpoint_every=0), tensors)

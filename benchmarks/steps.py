"""One step at a time, batch 1: the overhead of a call, and streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from benchmarks.cases import Case, Contender, Run, layer
from benchmarks.peers import OWN, TORCH, own, torch_run

__all__ = ["single", "streams"]


def single(case: Case) -> Iterator[Contender]:
    """Whole calls of one step, without dropout, which torch.nn's layer has not and whose masks take longer than a step.

    Args:
        case: What to measure.

    Yields:
        Ours and torch.nn's; then ours with dropout in training.
    """
    yield Contender("small calls", OWN, lambda: own(case, recurrent_dropout=0.0))
    yield Contender("small calls", TORCH, lambda: torch_run(case))
    if case.training:
        yield Contender("small calls", "own with dropout", lambda: own(case))


def streams(case: Case) -> Iterator[Contender]:
    """A stream that eats a step at a time and carries its states.

    Args:
        case: What to measure, without gradients.

    Yields:
        Ours, and torch.nn's cell.
    """
    yield Contender("streaming", OWN, lambda: _stream(case))
    yield Contender("streaming", f"{TORCH} cell", lambda: _cell(case))


def _stream(case: Case) -> Run:
    stream, x = layer(case).streaming(case.shape.batch), case.input()[:, 0]
    return lambda: stream(x)


def _cell(case: Case) -> Run:
    kind = {"LSTM": torch.nn.LSTMCell, "GRU": torch.nn.GRUCell, "SimpleRNN": torch.nn.RNNCell}[case.cell]
    made, x = kind(case.shape.features, case.shape.units), case.input()[:, 0]
    states: list[Any] = [None]

    def step() -> None:
        with torch.no_grad():
            states[0] = made(x, states[0])

    return step

"""What our layers do beside the plain pass: options, and batches of sequences of different lengths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from benchmarks.cases import RATE, Case, Contender, Run, layer
from benchmarks.peers import torch_layer

__all__ = ["OPTIONS", "options", "ragged", "with_option"]

OPTIONS = ("mask", "go_backwards", "initial_state", "input dropout", "no dropout")


def options(case: Case) -> Iterator[Contender]:
    """Our layer with one option at a time; `no dropout` is the plain one without its recurrent dropout.

    Args:
        case: What to measure.

    Yields:
        The options that a case has: there is no dropout in inference.
    """
    for option in OPTIONS:
        if case.training or "dropout" not in option:
            yield Contender("options", option, lambda option=option: with_option(case, option))  # type: ignore[misc]


def with_option(case: Case, option: str) -> Run:
    """A run of our layer with one option: an argument of the layer, or one of the call."""
    batch, time, _, units = case.shape
    made_with: dict[str, dict[str, Any]] = {
        "go_backwards": {"go_backwards": True},
        "input dropout": {"dropout": RATE},
        "no dropout": {"recurrent_dropout": 0.0},
    }
    made = layer(case, **made_with.get(option, {}))
    called_with: dict[str, Any] = {}
    if option == "mask":
        called_with["mask"] = torch.rand(batch, time) > 0.3
    if option == "initial_state":
        called_with[option] = [torch.randn(batch, units, requires_grad=case.training) for _ in made.cell.states]
    return case.run(lambda x: made(x, **called_with), [*made.parameters(), *called_with.get("initial_state", [])])


def lengths_of(case: Case) -> Tensor:
    """Lengths between 1 and all steps, which one row has."""
    lengths = torch.randint(1, case.shape.time + 1, (case.shape.batch,))
    lengths[0] = case.shape.time
    return lengths


def ragged(case: Case) -> Iterator[Contender]:
    """A batch of sequences of any lengths, to be compared with a full one.

    Args:
        case: What to measure.

    Yields:
        Our layer with `lengths=` and a PackedSequence, and torch.nn's with a PackedSequence.
    """
    yield Contender("ragged", "lengths", lambda: _padded(case))
    yield Contender("ragged", "packed", lambda: _packed(case, layer(case)))
    theirs = torch_layer(case)
    yield Contender(
        "ragged", "torch.nn packed", lambda: _packed(case, theirs, lambda packed: theirs(packed)[0]), repeated=False
    )


def _padded(case: Case) -> Run:
    """Our layer on a padded batch with lengths."""
    made, lengths = layer(case), lengths_of(case)
    return case.run(lambda x: made(x, lengths=lengths), [*made.parameters()])


def _packed(case: Case, made: Any, call: Callable[[PackedSequence], PackedSequence] | None = None) -> Run:
    """A layer on a packed batch."""
    call = call or made
    packed = pack_padded_sequence(case.input().detach(), lengths_of(case), batch_first=True, enforce_sorted=False)
    data = packed.data.requires_grad_(case.training)
    gradient = torch.randn(len(data), case.shape.units)
    return case.run(lambda _: call(packed).data, [data, *made.parameters()], gradient)

"""The whole sequence in one sweep of our own C code, forward and backward, on CPUs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from rnnspec.engines import activations
from rnnspec.engines.cells import GRU, LSTM, SimpleRNN
from rnnspec.engines.cpu import library, sequence
from rnnspec.engines.cpu.options import ACTIVATIONS, activations_of
from rnnspec.engines.cpu.stream import Stream
from rnnspec.engines.request import Request, Result, Tensors

__all__ = ["Cpu"]


class Cpu:
    """The engine `cpu`."""

    name = "cpu"
    strength = "it sweeps over the whole sequence in C, forward and backward"

    def refuses(self, request: Request) -> str | None:
        """Refuses what the library does not know, and transforms of its operators."""
        unusable = request.obstacle or library.unavailable()
        if unusable is not None:
            return unusable
        if request.device.type != "cpu":
            return f"the call runs on {request.device.type}"
        if request.dtype not in (torch.float32, torch.float64):
            return f"it knows float32 and float64 alone, not {request.dtype}"
        cell = request.cell
        if type(cell) not in (SimpleRNN, LSTM, GRU):
            return f"{type(cell).__name__} has equations of its own"
        for activation in activations_of(cell):
            if activation is activations.softmax:
                return f"{activation.name} is not pointwise"
            if activation.name not in ACTIVATIONS or activation is not getattr(activations, activation.name):
                return f"it does not know the activation {activation.name}"
        return None

    def settings(self, request: Request) -> Mapping[str, Any]:
        """The instruction set, the threads, and the distance of checkpoints where there are any."""
        every = request.checkpoint_every
        return {
            "instruction_set": library.INSTRUCTION_SETS[library.instruction_set()],
            "threads": torch.get_num_threads() if library.load().rnnspec_shares_threads() else 1,
            **({"checkpoint_every": every} if every else {}),
        }

    def run(self, request: Request, tensors: Tensors) -> Result:
        """Runs the sweep."""
        return sequence.run(request, tensors)

    def stream(self, request: Request, tensors: Tensors) -> Stream:
        """A stream that packs the weights once."""
        return Stream(request, tensors)

"""What a call keeps: for its backward pass, and beside its output without one."""

from __future__ import annotations

import ctypes
import gc
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.cases import Case, layer
from benchmarks.peers import OWN, TORCH, torch_layer

__all__ = ["Memory", "saved_bytes", "used"]

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Memory:
    """What one call uses, in MB.

    Attributes:
        cell: The cell.
        shape: The size of the call.
        run: Ours, or torch.nn's.
        output: The output.
        saved: Storages that autograd keeps for the backward pass, but for those of input, weights and output.
        resident: How much more memory the process has while a graph is alive, but for the output; 0 where unknown.
        peak: The most that the process has during a call without gradients, but for the output; 0 where unknown.
        kept: What it has more after that call, but for the output; 0 where unknown.
    """

    cell: str
    shape: str
    run: str
    output: float
    saved: float
    resident: float
    peak: float
    kept: float


def used(cell: str, case: Case) -> Iterator[Memory]:
    """Measures our layer, then torch.nn's.

    Args:
        cell: The cell's name.
        case: What to call; a training one.

    Yields:
        What each uses.
    """
    x = case.input()
    ours, theirs = layer(case), torch_layer(case)
    calls: dict[str, tuple[Any, Callable[[], Tensor]]] = {
        OWN: (ours, lambda: ours(x)),
        TORCH: (theirs, lambda: theirs(x)[0]),
    }
    for name, (module, call) in calls.items():
        call()
        output = call()
        size = output.untyped_storage().nbytes()
        del output
        saved = saved_bytes(call, [x, *module.parameters()])
        resident, _ = _grown(call)
        # Only training has dropout.
        module.eval()
        with torch.no_grad():
            call()
            kept, peak = _grown(call)
        found = (max(0, number - size) for number in (resident, peak, kept))
        yield Memory(cell, str(case.shape), name, *(number / 2**20 for number in (size, saved, *found)))


def saved_bytes(call: Callable[[], Tensor], alive: list[Tensor]) -> int:
    """The size of what autograd keeps of a call.

    Args:
        call: What to call; it returns its output.
        alive: What lives on anyway, the input and the weights: it does not count, and neither does the output.

    Returns:
        The bytes of the different storages.
    """
    found: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        found[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        output = call()
    others = {tensor.untyped_storage().data_ptr() for tensor in (output, *alive)}
    return sum(size for address, size in found.items() if address not in others)


def _grown(call: Callable[[], Tensor]) -> tuple[int, int]:
    """How many bytes the process has more while what a call returns is alive, and at most during the call."""
    if not CLEAR.exists():
        return 0, 0
    before = _status(clear=True)["VmRSS"]
    result = call()
    peak = _status(clear=False)["VmHWM"]
    after = _status(clear=True)["VmRSS"]
    del result
    return after - before, peak - before


def _status(clear: bool) -> dict[str, int]:
    """The process's memory, now and at most, in bytes; `clear` gives back first what is free and forgets the most."""
    if clear:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        CLEAR.write_text("5")
    return {name: int(size) * 1024 for name, size in re.findall(r"(Vm\w+):\s+(\d+) kB", STATUS.read_text("utf-8"))}

"""A stream of the engine `cpu`: `src/stream.h` in memory that Python owns."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from rnnspec.engines.cpu import library
from rnnspec.engines.cpu.launcher import arguments, laid_out
from rnnspec.engines.cpu.options import data_of, options_of
from rnnspec.engines.request import Request, Tensors

__all__ = ["Stream"]


class Stream:
    """Packed weights and the states, in one block of memory; see `rnnspec.engines.request.Stream`."""

    def __init__(self, request: Request, tensors: Tensors) -> None:
        loaded = library.load()
        data = laid_out(data_of(replace(tensors, x=tensors.x[:, :0])))
        made_of = arguments(data, options_of(request))
        self._memory = torch.empty(loaded.rnnspec_stream_size(made_of), dtype=torch.uint8, device="cpu")
        self._address = self._memory.data_ptr()
        self._like = tensors.states
        self._step, self._chunk = loaded.rnnspec_stream_step, loaded.rnnspec_stream_chunk
        self._reset, self._read = loaded.rnnspec_stream_reset, loaded.rnnspec_stream_read
        loaded.rnnspec_stream_open(made_of, self._address)

    def step(self, x: Tensor, output: Tensor) -> None:
        """One step, without a mask."""
        self._step(self._address, x.data_ptr(), x.stride(0), output.data_ptr())

    def chunk(self, x: Tensor, mask: Tensor | None, output: Tensor) -> None:
        """Any number of steps."""
        x = x if x.stride(2) == 1 else x.contiguous()
        self._chunk(
            self._address,
            x.shape[1],
            *(x.data_ptr(), x.stride(0), x.stride(1)),
            *((None, 0, 0) if mask is None else (mask.data_ptr(), mask.stride(0), mask.stride(1))),
            *(output.data_ptr(), output.stride(0), output.stride(1) if output.dim() == 3 else 0),
        )

    def reset(self, states: tuple[Tensor, ...], rows: Tensor | None) -> None:
        """Sets the states."""
        states = tuple(state.contiguous() for state in states)
        h, c = (*(state.data_ptr() for state in states), None)[:2]
        rows = None if rows is None else rows.contiguous()
        self._reset(self._address, h, c, None if rows is None else rows.data_ptr())

    def states(self) -> tuple[Tensor, ...]:
        """Copies of the states."""
        states = tuple(torch.empty_like(state, memory_format=torch.contiguous_format) for state in self._like)
        h, c = (*(state.data_ptr() for state in states), None)[:2]
        self._read(self._address, h, c)
        return states

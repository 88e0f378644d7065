"""A layer that eats its sequence as it comes: a step or a chunk a call, the states carried."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from rnnspec.engines.checks import boolean_mask, check_states
from rnnspec.engines.plan import engine_of, plan
from rnnspec.engines.request import Request, Tensors
from rnnspec.errors import DTypeError, ShapeError, StateError

__all__ = ["Streaming"]


class _Turn:
    """Lets one thread in at a time; another one meets an error, for it would change the order of the steps."""

    def __init__(self, label: str) -> None:
        self.label, self.lock = label, threading.Lock()

    def __enter__(self) -> None:
        if not self.lock.acquire(False):
            raise StateError(f"another thread is using this stream of {self.label}: every thread needs its own")

    def __exit__(self, *error: object) -> None:
        self.lock.release()


class Streaming:
    """What `layer.streaming(batch)` gives: it takes a step or a chunk a call, and goes on where it stopped.

    The outputs of all calls together are those of one call of the layer in evaluation mode, however the sequence is
    split. The weights are those that the layer had when the stream was made. Nothing is kept for gradients, no dropout
    is drawn, and no hook of the layer runs. A call allocates its output and nothing else.

    One thread at a time may use a stream; it can be neither copied nor pickled.

    Args:
        label: What messages call the layer.
        request: A call of the layer, its length free.
        tensors: The weights and the initial states; the input is empty, and tells the batch.
        time_major: Whether time is the first axis of chunks.
        zero_output_for_mask: Whether masked steps emit zeros, not the output before them.

    Attributes:
        plan: Which engine runs the stream, and why.
    """

    def __init__(
        self,
        label: str,
        request: Request,
        tensors: Tensors,
        *,
        time_major: bool = False,
        zero_output_for_mask: bool = False,
    ) -> None:
        self.plan = plan(request)
        self._zero_output_for_mask = zero_output_for_mask
        self._label, self._request, self._time_major = label, request, time_major
        self._initial = tuple(state.detach().clone() for state in tensors.states)
        with torch.no_grad():
            self._stream = engine_of(self.plan.engine).stream(request, tensors)
        self._batch = tensors.x.shape[0]
        self._step_shape = torch.Size((self._batch, request.features))
        self._like = torch.zeros_like(self._initial[0], memory_format=torch.contiguous_format)
        self._dtype, self._device = self._like.dtype, self._like.device
        self._turn = _Turn(label)

    def __call__(self, x: Tensor, mask: Any = None, *, out: Tensor | None = None) -> Tensor:
        """Runs over one step or a chunk of steps.

        Args:
            x: A step, `(batch, features)`, or a chunk, `(batch, time, features)`, of any length.
            mask: True where a step is valid, `(batch,)` or `(batch, time)`; a masked step keeps the states.
            out: Where to write the output; it may not overlap with x. None makes a new tensor.

        Returns:
            The output, `(batch, output size)` of a step, `(batch, time, output size)` of a chunk; of a layer without
            `return_sequences` that of the chunk's last step, `(batch, output size)`.

        Raises:
            ShapeError: If a shape does not fit.
            DTypeError: If x is no tensor, or of another dtype or device than the weights.
            MaskError: If the mask does not fit.
            StateError: If another thread is using the stream.
        """
        # The usual call, with as few questions as it needs: a step is a matter of microseconds.
        if (
            mask is None
            and out is None
            and type(x) is Tensor
            and x.shape == self._step_shape
            and x.dtype is self._dtype
            and x.device == self._device
            and x.stride(1) == 1
        ):
            output = torch.empty_like(self._like)
            with self._turn:
                self._stream.step(x, output)
            return output
        return self._any_call(x, mask, out)

    def _any_call(self, x: Tensor, mask: Any, out: Tensor | None) -> Tensor:
        """Any call, its arguments checked one by one."""
        self._check_input(x)
        is_step = x.dim() == 2
        mask = (
            None
            if mask is None
            else boolean_mask(self._label, mask, x.shape[:-1], axes="batch" if is_step else self._axes)
        )
        if is_step:
            x, mask = x.unsqueeze(1), None if mask is None else mask.unsqueeze(1)
        elif self._time_major:
            x, mask = x.transpose(0, 1), None if mask is None else mask.t()
        has_time = self._request.return_sequences and not is_step
        output = self._output(x.shape[1] if has_time else None, out)
        written = output.transpose(0, 1) if has_time and self._time_major else output
        with self._turn:
            self._stream.chunk(x, mask, written)
        if mask is not None and self._zero_output_for_mask:
            valid = mask if has_time else mask[:, -1:].all(1)
            written.masked_fill_(~valid.unsqueeze(-1), 0)
        return output

    @property
    def states(self) -> list[Tensor]:
        """The states after the last step, h then c: copies, `(batch, state size)` each."""
        with self._turn:
            return list(self._stream.states())

    def reset(self, states: Tensor | Sequence[Tensor] | None = None, *, rows: Any = None) -> None:
        """Starts anew, without packing the weights again.

        Args:
            states: Where to start, `(batch, state size)` each, h then c; one alone needs no list. None: where the
                stream started when it was made.
            rows: Boolean, `(batch,)`: only these rows start anew. None: all rows.

        Raises:
            StateError: If something does not fit, or another thread is using the stream.
            DTypeError: If a state has another dtype than the weights.
        """
        new = self._initial
        if states is not None:
            shapes: list[Any] = [tuple(state.shape) for state in self._initial]
            new = check_states(self._label, "reset", states, cell=self._request.cell, shapes=shapes, dtype=self._dtype)
        if rows is not None and (
            not isinstance(rows, Tensor) or rows.shape != (self._batch,) or rows.dtype != torch.bool
        ):
            found = f"{rows.dtype} of shape {tuple(rows.shape)}" if isinstance(rows, Tensor) else repr(rows)
            raise StateError(f"{self._label}: rows must be a boolean tensor of shape ({self._batch},), found {found}")
        with self._turn:
            self._stream.reset(
                tuple(state.detach().to(self._device) for state in new), None if rows is None else rows.to(self._device)
            )

    @property
    def _axes(self) -> str:
        return "time, batch" if self._time_major else "batch, time"

    def _check_input(self, x: Any) -> None:
        """Refuses what is neither a step nor a chunk."""
        if not isinstance(x, Tensor):
            raise DTypeError(f"a stream of {self._label} takes tensors, found {type(x).__name__}")
        batch, features = self._step_shape
        axis = 1 if self._time_major and x.dim() == 3 else 0
        if x.dim() not in (2, 3) or x.shape[axis] != batch or x.shape[-1] != features:
            chunk = f"(time, {batch}, {features})" if self._time_major else f"({batch}, time, {features})"
            raise ShapeError(
                f"a stream of {self._label} takes a step of shape ({batch}, {features}) or a chunk of shape {chunk}, "
                f"found {tuple(x.shape)}"
            )
        if x.dtype != self._dtype or x.device != self._device:
            raise DTypeError(
                f"a stream of {self._label} takes {self._dtype} on {self._device}, found {x.dtype} on {x.device}"
            )

    def _output(self, timesteps: int | None, out: Tensor | None) -> Tensor:
        """A new tensor for the output, or the caller's, if it fits."""
        batch, width = self._like.shape
        axes = () if timesteps is None else (timesteps,)
        shape = (*axes, batch, width) if self._time_major else (batch, *axes, width)
        if out is None:
            return self._like.new_empty(shape)
        if out.shape != shape or out.dtype != self._dtype or out.device != self._device or out.stride(-1) != 1:
            raise ShapeError(
                f"a stream of {self._label} writes {self._dtype} of shape {shape} on {self._device}, without gaps in "
                f"the last axis; out is {out.dtype} of shape {tuple(out.shape)} on {out.device}, strides {out.stride()}"
            )
        if not out.is_inference():
            torch.autograd.graph.increment_version(out)  # the library writes behind torch's back
        return out

    def __reduce__(self) -> Any:
        raise StateError(f"a stream of {self._label} cannot be copied or pickled: make another one of the layer")

    def __repr__(self) -> str:
        return f"Streaming({self._label}, batch={self._batch}, engine={self.plan.engine!r})"

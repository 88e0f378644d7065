"""Gates and states of every step of a call, kept beside its result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, overload

import torch
from torch import Tensor, nn

from rnnspec.engines.recording import watch
from rnnspec.engines.request import Request, Tensors
from rnnspec.errors import ConfigError, Problem, StateError
from rnnspec.nn.recurrence import Recurrence

__all__ = ["RecordedCall", "Trace", "kept_by", "record"]


@dataclass(frozen=True)
class RecordedCall:
    """What happened at every step of one call.

    Everything is detached, on the layer's device, batch first, and stands in the order of the input: step 3 is the
    third of the input, under `go_backwards` too.

    Attributes:
        cell: The name of the cell.
        states: The states after each step, `(batch, time, state size)`, by name; a masked step keeps those before it.
        initial_states: The states that the call started from, `(batch, state size)`, by name.
        mask: `(batch, time)`, True where a step is valid; None where the call had no mask.
        gates_seen: See `gates`; None for a cell that keeps its gates to itself.
    """

    cell: str
    states: Mapping[str, Tensor]
    initial_states: Mapping[str, Tensor]
    mask: Tensor | None
    gates_seen: Mapping[str, Tensor] | None = field(repr=False)

    @property
    def gates(self) -> Mapping[str, Tensor]:
        """The activated gates, the candidate among them, `(batch, time, units)`, by name; NaN at masked steps.

        Raises:
            StateError: If the cell keeps its gates to itself.
        """
        if self.gates_seen is None:
            message = f"the gates of the cell {self.cell} cannot be seen, it defines step alone"
            raise StateError(Problem(message, hint="a cell that defines activate and update shows its gates"))
        return self.gates_seen


class Trace:
    """What `record` kept of the calls of one layer.

    Args:
        label: What messages call the layer.

    Attributes:
        calls: The calls, in order. `gates`, `states`, `initial_states` and `mask` are those of the only one.
    """

    def __init__(self, label: str) -> None:
        self.label = label
        self.calls: list[RecordedCall] = []

    @property
    def call(self) -> RecordedCall:
        """The only call.

        Raises:
            StateError: If there was none, or more than one.
        """
        if not self.calls:
            message = f"{self.label} was not called while it was recorded"
            raise StateError(
                Problem(message, hint="torch.compile and torch.export record nothing: call the layer itself")
            )
        if len(self.calls) > 1:
            raise StateError(
                f"{self.label} was called {len(self.calls)} times while it was recorded; take one of calls"
            )
        return self.calls[0]

    @property
    def gates(self) -> Mapping[str, Tensor]:
        """See `RecordedCall`."""
        return self.call.gates

    @property
    def states(self) -> Mapping[str, Tensor]:
        """See `RecordedCall`."""
        return self.call.states

    @property
    def initial_states(self) -> Mapping[str, Tensor]:
        """See `RecordedCall`."""
        return self.call.initial_states

    @property
    def mask(self) -> Tensor | None:
        """See `RecordedCall`."""
        return self.call.mask

    def __repr__(self) -> str:
        return f"Trace({self.label}, calls={len(self.calls)})"

    def keep(self, request: Request, tensors: Tensors) -> None:
        """Runs a call once more, watched, and keeps what was seen.

        Args:
            request: The call.
            tensors: Its data, with the dropout masks that were drawn for it.
        """
        with torch.no_grad():
            self.calls.append(_recorded(request, tensors))


def _recorded(request: Request, tensors: Tensors) -> RecordedCall:
    cell, result = watch(request, tensors)
    # What a step leaves, after the mask, is what the next one starts from.
    states = [*cell.states_before[1:], result.states] if cell.states_before else []
    sizes = cell.state_sizes(request.units)

    def in_input_order(
        steps: Sequence[tuple[Tensor, ...]], names: Sequence[str], sizes: Sequence[int]
    ) -> dict[str, Tensor]:
        empty = [tensors.kernel.new_zeros((tensors.x.shape[0], 0, size)) for size in sizes]
        stacked = [torch.stack(values, dim=1) for values in zip(*steps, strict=True)] if steps else empty
        return {
            name: values.flip(1) if request.go_backwards else values
            for name, values in zip(names, stacked, strict=True)
        }

    gates = None
    if request.cell.shows_gates:
        gates = in_input_order(cell.gates_seen, cell.gates, [request.units] * len(cell.gates))
        if tensors.mask is not None:
            masked = ~tensors.mask.unsqueeze(-1)
            gates = {name: values.masked_fill(masked, torch.nan) for name, values in gates.items()}
    initial = {name: state.clone() for name, state in zip(cell.states, tensors.states, strict=True)}
    kept = in_input_order(states, cell.states, sizes)
    mask = None if tensors.mask is None else tensors.mask.clone()
    return RecordedCall(type(request.cell).__name__, kept, initial, mask, gates)


@overload
def record(layer: Recurrence) -> AbstractContextManager[Trace]: ...  # type: ignore[overload-overlap]
@overload
def record(layer: nn.Module) -> AbstractContextManager[dict[str, Trace]]: ...


def record(layer: Any) -> AbstractContextManager[Trace | dict[str, Trace]]:
    """Keeps gates and states of every step of every call inside the block; the calls return what they always do.

    Each call runs a second time, step by step, on the same data and with the same dropout masks. Where an engine that
    rounds otherwise than `steps` ran it first, the record shows the rounding of `steps`. Inside torch.compile and
    torch.export nothing is recorded.

    Args:
        layer: A recurrent layer; or a model that holds some, at any depth, for example a Bidirectional or a Sequential.

    Returns:
        A context manager; it gives the trace of the layer, or a dictionary with the trace of each recurrent layer of
        the model under its name there, `forward_layer` or `1.backward_layer`.

    Raises:
        ConfigError: If there is no recurrent layer.

    Examples:
        >>> import torch, rnnspec
        >>> layer = rnnspec.nn.LSTM(3, input_size=2)
        >>> with rnnspec.record(layer) as trace:
        ...     y = layer(torch.zeros(4, 5, 2))
        >>> trace.gates["f"].shape, trace.states["c"].shape
        (torch.Size([4, 5, 3]), torch.Size([4, 5, 3]))
    """
    modules = dict(layer.named_modules()) if isinstance(layer, nn.Module) else {}
    layers = {name: module for name, module in modules.items() if isinstance(module, Recurrence)}
    if not layers:
        raise ConfigError(f"record takes a recurrent layer or a model that holds one, found {type(layer).__name__}")
    return _recording(layers)


@contextmanager
def _recording(layers: Mapping[str, Recurrence]) -> Iterator[Trace | dict[str, Trace]]:
    traces = {name: Trace(layer.label) for name, layer in layers.items()}
    with ExitStack() as stack:
        for name, layer in layers.items():
            stack.enter_context(kept_by(layer, traces[name].keep))
        # The layer itself has no name among its own modules.
        yield traces.get("", traces)


@contextmanager
def kept_by(layer: Recurrence, keep: Callable[[Request, Tensors], None]) -> Iterator[None]:
    """Gives every call of a layer inside the block to a function, after an engine ran it.

    Args:
        layer: The recurrent layer.
        keep: Takes the request and its tensors.

    Yields:
        Nothing.
    """
    layer.recorders = (*layer.recorders, keep)
    try:
        yield
    finally:
        layer.recorders = tuple(other for other in layer.recorders if other != keep)

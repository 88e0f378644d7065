"""The states that a recurrent layer is given, and those that a stateful one carries from call to call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rnnspec.engines.checks import check_states
from rnnspec.errors import StateError
from rnnspec.nn.sequence import SequenceLayer
from rnnspec.shapes import Shape

if TYPE_CHECKING:
    from rnnspec.engines.cells import Cell

__all__ = ["CarriedStates"]

States = tuple[Tensor, ...]


class CarriedStates(SequenceLayer):
    """Initial and carried states of a recurrent layer; the part of `Recurrence` that knows about them.

    Carried states are buffers that move with the layer and stay out of its `state_dict`, as in Keras, where they are
    not among the weights. No gradient flows from call to call. A stateful layer with trainable initial states carries
    none until its first call, and after `reset_states()`: that call starts from the weights, and trains them.
    """

    cell: Cell
    units: int
    kernel: Tensor

    def declare_states(self) -> None:
        """Makes room for the carried states, and declares trainable initial ones."""
        for name in self.cell.states:
            self.register_buffer(f"_state_{name}", None, persistent=False)
            if self.initial_state == "trainable":
                self.add_weight(f"initial_{name}", "zeros")

    def initial_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the trainable initial states, by the names of the weights."""
        if self.initial_state == "zeros":
            return {}
        return {
            f"initial_{name}": shape[1:] for name, shape in zip(self.cell.states, self.state_shapes(0), strict=True)
        }

    @property
    def output_size(self) -> int:
        """Width of the output, which is the first state."""
        return self.cell.state_sizes(self.units)[0]

    @property
    def states(self) -> list[Tensor | None]:
        """The carried states, h then c; None where the layer carries none (yet)."""
        return [getattr(self, f"_state_{name}") for name in self.cell.states]

    @property
    def known_input_shape(self) -> Shape | None:
        """What comes in: the features where they are known, the batch where it is carried, the time to unroll."""
        known_shape = self.declared_input_shape
        if known_shape is None and self._built_for is not None:
            time = self._built_for[1:-1] if self.unroll else [None] * (self.input_rank - 2)
            known_shape = (None, *time, self._built_for[-1])
        return (self.batch_size, *known_shape[1:]) if known_shape is not None and self.stateful else known_shape

    def build(self, input_shape: Shape) -> None:
        """Builds the weights, and the carried states where the batch size is known."""
        super().build(input_shape)
        batch = self.batch_size or self.batch_major(input_shape)[0]
        if self.stateful and self.states[0] is None and batch is not None:
            self.start_anew(batch)

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draws the weights anew, and sets carried states to zeros."""
        super().reset_parameters(generator)
        if self.built and self.states[0] is not None:  # while it is built, they may have been set already
            self.start_anew(self.states[0].shape[0])

    def state_shapes(self, batch: int) -> list[tuple[int, int]]:
        """Shapes of the states, `(batch, state size)` each."""
        return [(batch, size) for size in self.cell.state_sizes(self.units)]

    def output_shapes_of(self, input_shape: Shape) -> tuple[Shape | None, ...]:
        """The output's, and those of the states under `return_state`."""
        batch: Any = self.batch_major(input_shape)[0]
        return (self.compute_output_shape(input_shape), *(self.state_shapes(batch) if self.return_state else ()))

    def carry(self, states: States) -> None:
        """Keeps the final states of a call for the next one."""
        self.batch_size = states[0].shape[0]
        for name, state in zip(self.cell.states, states, strict=True):
            setattr(self, f"_state_{name}", state.detach().clone())  # what was returned may be changed in place

    def start_anew(self, batch: int) -> None:
        """Carries what a sequence starts from; nothing where that is trainable, so that the next call trains it."""
        self.batch_size = batch
        if self.initial_state == "zeros":
            self.carry(self.fresh_states(batch))
        else:
            self.forget()

    def forget(self) -> None:
        """Carries no states any more; the next call starts anew."""
        for name in self.cell.states:
            setattr(self, f"_state_{name}", None)

    def fresh_states(self, batch: int) -> States:
        """What a sequence starts from: zeros on the device and in the dtype of the weights, or trainable states."""
        if self.initial_state == "trainable":
            return tuple(getattr(self, name).expand(batch, -1) for name in self.initial_shapes())
        kernel = self.kernel  # not new_zeros: it may have no shape yet
        return tuple(torch.zeros(shape, dtype=kernel.dtype, device=kernel.device) for shape in self.state_shapes(batch))

    def initial_states(self, batch: int, given: Tensor | Sequence[Tensor] | None) -> States:
        """The states that a call starts from: given ones, else carried ones, else zeros or trainable ones.

        Args:
            batch: Rows of the call.
            given: `initial_state` of the call.

        Returns:
            One tensor a state, `(batch, state size)`.

        Raises:
            StateError: If the count or a shape does not fit, or a stateful layer meets another batch size.
            DTypeError: If a given state has another dtype than the weights.
        """
        if self.stateful and self.batch_size not in (None, batch):
            raise StateError(
                f"{self.label} is stateful with a batch size of {self.batch_size}, the input has {batch} rows; "
                f"reset_states(batch_size={batch}) sets a new size"
            )
        if given is not None:
            return self._checked(given, batch, "initial_state")
        carried = self.states
        if not self.stateful or carried[0] is None:
            return self.fresh_states(batch)
        # A state that was made under inference_mode may not take part in a graph of autograd; its copy may. What
        # torch.compile traces can neither ask for it nor needs it.
        inference = torch.compiler.is_compiling() or torch.is_inference_mode_enabled()
        return tuple(
            state.clone() if not inference and state.is_inference() else state for state in carried if state is not None
        )

    def _checked(self, given: Tensor | Sequence[Tensor], batch: int, what: str) -> States:
        """The given states as a tuple, if they fit."""
        shapes, dtype = self.state_shapes(batch), self.kernel.dtype
        return check_states(self.label, what, given, cell=self.cell, shapes=shapes, dtype=dtype)

    @torch.no_grad()
    def reset_states(self, states: Any = None, *, rows: Any = None, batch_size: int | None = None) -> None:
        """Sets the carried states of a stateful layer: to where a sequence starts, or to given values.

        An error changes nothing.

        Args:
            states: Arrays or tensors, `(batch, state size)` each, h then c; one alone needs no list. None: zeros, or
                the trainable initial states.
            rows: Boolean, `(batch,)`: only these rows are set. None: all rows.
            batch_size: A new batch size; all rows start anew.

        Raises:
            StateError: If the layer is not stateful, its batch size is not known yet, or something does not fit.
        """
        if not self.stateful:
            raise StateError(f"{self.label} is not stateful, it has no states to reset; make it with stateful=True")
        if batch_size is not None:
            if batch_size < 0:
                raise StateError(f"{self.label}: batch_size must be 0 or more, found {batch_size}")
            if states is not None or rows is not None:
                raise StateError(f"{self.label}: reset_states takes batch_size alone, without states or rows")
            self.start_anew(batch_size)
            return
        if self.batch_size is None:
            raise StateError(
                f"{self.label} does not know its batch size yet: give batch_input_shape or batch_size, or call it once"
            )
        batch = self.batch_size
        if states is None and rows is None:
            self.start_anew(batch)
            return
        new = self.fresh_states(batch) if states is None else self._converted(states, batch)
        if rows is not None:
            if not isinstance(rows, Tensor) or tuple(rows.shape) != (batch,) or rows.dtype != torch.bool:
                found = f"{rows.dtype} of shape {tuple(rows.shape)}" if isinstance(rows, Tensor) else repr(rows)
                raise StateError(f"{self.label}: rows must be a boolean tensor of shape ({batch},), found {found}")
            chosen = rows.to(self.kernel.device).unsqueeze(1)
            old = self.initial_states(batch, None)
            new = tuple(torch.where(chosen, after, before) for after, before in zip(new, old, strict=True))
        self.carry(new)

    def _converted(self, states: Any, batch: int) -> States:
        """Arrays or tensors as states of the layer's dtype and device: copies, the caller's stay the caller's."""
        values = list(states) if isinstance(states, (list, tuple)) else [states]
        for value in values:
            if not hasattr(value, "shape"):
                raise StateError(f"{self.label}: reset_states takes arrays or tensors, found {type(value).__name__}")
        dtype, device = self.kernel.dtype, self.kernel.device
        tensors = [torch.as_tensor(value).to(device, dtype, copy=True) for value in values]
        return self._checked(tensors, batch, "reset_states")

"""The recurrence: a cell's weights, its dropout, and one call from input to output. Every recurrent layer is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from rnnspec import shapes
from rnnspec.engines.cells import Cell
from rnnspec.engines.checks import check_cell, fitting_dropout_masks, weight_shapes
from rnnspec.engines.plan import Plan, engine_for, plan
from rnnspec.engines.request import Dropped, Request, Result, Tensors
from rnnspec.errors import DTypeError, ShapeError, StateError
from rnnspec.nn import regularizers
from rnnspec.nn.arguments import check_positive_integer, check_rate
from rnnspec.nn.base import labelled
from rnnspec.nn.dropout import (
    INPUT_STREAM,
    RECURRENT_STREAM,
    InjectedMasks,
    draw_seed,
    drops,
    variational_masks,
)
from rnnspec.nn.ragged import Ragged, is_ragged, sequences
from rnnspec.nn.sequence import SequenceArguments
from rnnspec.nn.states import CarriedStates
from rnnspec.nn.streaming import Streaming
from rnnspec.registry import CELLS
from rnnspec.shapes import Shape, known

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["Recurrence", "split_states"]


def split_states(x: Any, initial_state: Any, label: str) -> tuple[Any, Any]:
    """Takes the first argument of a call apart, which may hold initial states too: `layer([x, h, c])`.

    Args:
        x: The input, or a list of it and of states.
        initial_state: The states given by name; those in the list win.
        label: What messages call the layer.

    Returns:
        The input and the states.

    Raises:
        DTypeError: If there is no tensor.
    """
    if isinstance(x, (list, tuple)) and not isinstance(x, PackedSequence) and x:
        x, *in_list = x
        initial_state = in_list or initial_state
    if not isinstance(x, (Tensor, PackedSequence)):
        raise DTypeError(f"{label} takes a tensor, or a list of a tensor and states, found {type(x).__name__}")
    return x, initial_state


class Recurrence(CarriedStates):
    """Runs a cell over time.

    Args:
        cell: The cell, an object with the equations; or the name of a registered cell that needs no arguments.
        units: Width of a gate.
        use_bias: Whether there is a bias.
        kernel_initializer: Of `kernel`, `(features, gates * units)`.
        recurrent_initializer: Of `recurrent_kernel`, `(output size, gates * units)`.
        bias_initializer: Of `bias`, `(gates * units,)`, or `(2, gates * units)` for a cell with a recurrent bias.
        kernel_regularizer: Adds a loss of `kernel`.
        recurrent_regularizer: Adds a loss of `recurrent_kernel`.
        bias_regularizer: Adds a loss of `bias`.
        activity_regularizer: Adds a loss of every returned tensor, summed over the batch.
        kernel_constraint: Acts on `kernel` after an optimizer's step.
        recurrent_constraint: Acts on `recurrent_kernel` after an optimizer's step.
        bias_constraint: Acts on `bias` after an optimizer's step.
        dropout: Fraction of the input that is dropped, in [0, 1]; exactly 1 drops nothing, as in Keras 2.0.
        recurrent_dropout: Fraction of the recurrent product's input that is dropped, likewise.
        **sequence: See `SequenceLayer`.

    Raises:
        ConfigError: If a number or a name is out of what is allowed.
        ShapeError: If the arguments that declare the input's shape contradict each other.
    """

    kernel: Tensor
    recurrent_kernel: Tensor
    bias: Tensor | None

    def __init__(
        self,
        cell: Cell | str,
        units: int,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **sequence: Unpack[SequenceArguments],
    ) -> None:
        super().__init__(**sequence)
        self.cell: Cell = CELLS.find(cell)() if isinstance(cell, str) else cell
        check_cell(self.cell)
        self.units = check_positive_integer("units", units)
        self.use_bias = use_bias
        self.dropout = check_rate("dropout", dropout)
        self.recurrent_dropout = check_rate("recurrent_dropout", recurrent_dropout)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.injected_masks = InjectedMasks()
        self.recorders: tuple[Callable[[Request, Tensors], None], ...] = ()
        self.add_weight("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self.add_weight("recurrent_kernel", recurrent_initializer, recurrent_regularizer, recurrent_constraint)
        self.add_weight("bias", bias_initializer, bias_regularizer, bias_constraint, used=use_bias)
        for name, weight in self.cell.extra_weights(self.units).items():
            self.add_weight(name, weight.initializer)
        self.declare_states()
        self.build_declared()

    def weight_shapes(self, input_shape: Shape) -> Mapping[str, tuple[int, ...]]:
        """Kernel, recurrent kernel, bias, the cell's own weights, and trainable initial states."""
        self.compute_output_shape(input_shape)
        needed = weight_shapes(self.cell, self.units, known(input_shape[-1]), use_bias=self.use_bias)
        return {**needed, **self.initial_shapes()}

    def forward(
        self,
        x: Ragged | Sequence[Any],
        mask: Any = None,
        initial_state: Tensor | Sequence[Tensor] | None = None,
        generator: torch.Generator | None = None,
        lengths: Any = None,
    ) -> Any:
        """Runs the layer.

        Args:
            x: Input, `(batch, time, features)`, or `(time, features)` for one sequence without a batch; a
                `PackedSequence`; a nested tensor of layout `torch.jagged`; or a list `[x, *initial states]`, which
                wins over `initial_state`.
            mask: `(batch, time)`, True where a step is valid; a masked step keeps the states.
            initial_state: States to start from, `(batch, units)` each, h then c; they win over carried ones.
            generator: Where the dropout masks of this call are drawn from; else `seed`, else torch's CPU generator.
            lengths: Steps of each row of a padded input, `(batch,)`, in any order; the rest of a row is masked.

        Returns:
            The output, `(batch, time, units)` in the form of the input, or `(batch, units)`; with `return_state` a
            tuple of it and the states. Without a batch in `x` there is none here.

        Raises:
            ShapeError: If the input's shape does not fit.
            DTypeError: If a dtype does not fit.
            MaskError: If the mask's shape does not fit, or that of the lengths.
            StateError: If the initial state does not fit, or a stateful layer meets another batch size.
            EngineError: If `use_engine` forces an engine that cannot run this call.
        """
        given, initial_state = split_states(x, initial_state, self.label)
        batched = is_ragged(given) or given.dim() != 2
        if not batched:
            given, mask, initial_state, lengths = self.batch_of_one(given, mask, initial_state, lengths)
        found = sequences(given, lengths, label=self.label, time_major=self.time_major)
        self.check_input(found.x, self.kernel.dtype)
        tensors = self.tensors(found.x, found.masked(self.check_mask(mask, found.x)), initial_state, generator)
        result = self._without_masked(self.run(tensors), tensors.mask)
        if self.stateful:
            self.carry(result.states)
        self.record_activity(result.output, *(result.states if self.return_state else ()))
        output, states = result.output, result.states
        if self.return_sequences and self.time_major:
            output = output.transpose(0, 1)
        if not batched:
            output, states = self.without_batch(output, states)
        elif self.return_sequences:
            output = found.restored(output, backwards=self.go_backwards)
        return (output, *states) if self.return_state else output

    def _without_masked(self, result: Result, mask: Tensor | None) -> Result:
        """The outputs with zeros at masked steps, if that is asked for; the last output alone is such a step's too."""
        if not self.zero_output_for_mask or mask is None:
            return result
        mask = mask.flip(1) if self.go_backwards else mask
        valid = mask if self.return_sequences else mask[:, -1:].all(1)
        return replace(result, output=result.output.masked_fill(~valid.unsqueeze(-1), 0))

    def tensors(self, x: Any, mask: Any, initial_state: Any, generator: torch.Generator | None) -> Tensors:
        """Gathers all that an engine reads, and draws the dropout masks of a call; see `forward`."""
        self.build(tuple(x.shape))
        if x.shape[2] != self.kernel.shape[0]:
            raise ShapeError(f"{self.label} expects {self.kernel.shape[0]} features, found {x.shape[2]}")
        if self.time_major:
            x, mask = x.transpose(0, 1), None if mask is None else mask.t()
        states = self.initial_states(x.shape[0], initial_state)
        input_masks, recurrent_masks = self.draw_masks(x, states[0], generator)
        return self._with_weights(
            x, states, mask=self.check_mask(mask, x), input_masks=input_masks, recurrent_masks=recurrent_masks
        )

    def _with_weights(self, x: Tensor, states: tuple[Tensor, ...], **masks: Tensor | None) -> Tensors:
        return Tensors(
            x=x,
            states=states,
            kernel=self.kernel,
            recurrent_kernel=self.recurrent_kernel,
            bias=self.bias,
            extra_weights={name: getattr(self, name) for name in self.cell.extra_weights(self.units)},
            **masks,
        )

    def run(self, tensors: Tensors) -> Result:
        """Runs the engine that the plan chooses for these tensors."""
        request = self.request(tuple(tensors.x.shape), tensors.mask is not None)
        result = engine_for(request).run(request, tensors)
        if not torch.compiler.is_compiling():  # asked first, so that no compiled call depends on the recorders
            for keep in self.recorders:
                keep(request, tensors)
        return result

    def plan(
        self, x: Ragged | Sequence[int | None], mask: Any = None, initial_state: Any = None, lengths: Any = None
    ) -> Plan:
        """Which engine a call would use, and why.

        Args:
            x: The input in any form that a call takes, or its shape, `(batch, time, features)`, None where free.
            mask: The mask of the call; only whether there is one matters.
            initial_state: The initial state of the call; it makes no difference to the engines there are.
            lengths: The lengths of the call; only whether there are any matters.

        Returns:
            The plan for the layer's present mode.

        Raises:
            ShapeError: If the shape is not of rank 3.
            EngineError: If `use_engine` forces an engine that cannot run such a call.
        """
        masked = mask is not None or lengths is not None or is_ragged(x)
        if is_ragged(x):
            x = sequences(cast(Any, x), None, label=self.label, time_major=self.time_major).x
        shape = tuple(x.shape) if isinstance(x, Tensor) else tuple(cast(Sequence[Any], x))
        if isinstance(x, Tensor) and len(shape) == 2:
            shape = self.batch_major((1, *shape))
        with labelled(self.label):
            self.compute_output_shape(shape)
            if self.unroll:
                shapes.check_unroll(self.batch_major(shape))
        return plan(self.request(self.batch_major(shape), masked))

    def streaming(self, batch: int, initial_state: Tensor | Sequence[Tensor] | None = None) -> Streaming:
        """Makes a stream of the layer as it is now: it eats one step or a chunk a call and carries the states.

        Args:
            batch: Rows of every call.
            initial_state: States to start from, `(batch, units)` each, h then c; else zeros or the trainable ones. A
                stateful layer's own states stay out of it.

        Returns:
            The stream, in evaluation mode.

        Raises:
            StateError: If the layer goes backwards, or the initial state does not fit.
            WeightsError: If the layer has no weights yet.
            EngineError: If `use_engine` forces an engine that cannot run the layer.
        """
        if self.go_backwards:
            raise StateError(f"{self.label} goes backwards: it begins with the last step, which a stream does not know")
        self._require_weights(self.parameters())
        check_positive_integer("batch", batch)
        states = (
            self.fresh_states(batch) if initial_state is None else self._checked(initial_state, batch, "initial_state")
        )
        features = self.kernel.shape[0]
        request = replace(
            self.request((batch, None, features), masked=False),
            input_dropout="none",
            recurrent_dropout="none",
            checkpoint_every=0,
        )
        tensors = self._with_weights(self.kernel.new_empty((batch, 0, features)), states)
        return Streaming(
            self.label,
            request,
            tensors,
            time_major=self.time_major,
            zero_output_for_mask=self.zero_output_for_mask,
        )

    def request(self, shape: Shape, masked: bool) -> Request:
        """Describes a call for the plan."""
        batch, timesteps, features = shape
        return Request(
            cell=self.cell,
            units=self.units,
            features=known(features),
            batch=batch,
            timesteps=timesteps,
            dtype=self.kernel.dtype,
            device=self.kernel.device,
            masked=masked,
            go_backwards=self.go_backwards,
            masked_start="zeros" if self.unroll else self.masked_start,
            return_sequences=self.return_sequences,
            input_dropout=self._dropped(self.dropout),
            recurrent_dropout=self._dropped(self.recurrent_dropout),
            checkpoint_every=self.checkpoint_every or 0,
        )

    @property
    def mask_count(self) -> int:
        """Dropout masks that a call draws of each kind: one a gate, or one for all in implementation 2."""
        return 1 if self.implementation == 2 else len(self.cell.gates)

    def _dropped(self, rate: float) -> Dropped:
        if not (self.training and drops(rate)):
            return "none"
        return "shared" if self.mask_count == 1 else "per gate"

    def draw_masks(
        self, x: Tensor, h: Tensor, generator: torch.Generator | None
    ) -> tuple[Tensor | None, Tensor | None]:
        """The dropout masks of one call, of the input and of the recurrent product; None where nothing is dropped.

        Args:
            x: The input, `(batch, time, features)`.
            h: The initial output, `(batch, output size)`.
            generator: The call's generator, or None.

        Returns:
            Masks `(count, batch, features)` and masks `(count, batch, output size)`, with `mask_count` for the count.
        """
        if not self.training or not (drops(self.dropout) or drops(self.recurrent_dropout)):
            return None, None
        seed = draw_seed(self._generator if generator is None else generator)

        def masks(rate: float, like: Tensor, injected: tuple[Tensor, ...] | None, stream: int) -> Tensor | None:
            if not drops(rate):
                return None
            width = like.shape[-1]
            if injected is None:
                return variational_masks(seed, rate, like, width, self.mask_count, stream=stream)
            shape = (like.shape[0], width)
            return fitting_dropout_masks(self.label, injected[: self.mask_count], shape, like)

        inputs, recurrent = self.injected_masks
        return masks(self.dropout, x, inputs, INPUT_STREAM), masks(
            self.recurrent_dropout, h, recurrent, RECURRENT_STREAM
        )

    def __getstate__(self) -> dict[str, Any]:
        """Copies and pickles are not recorded."""
        return {**super().__getstate__(), "recorders": ()}

    def extra_repr(self) -> str:
        """Shapes and what differs from the defaults."""
        features = "?" if not self.built else str(self.kernel.shape[0])
        flags = [
            name for name in ("return_sequences", "return_state", "go_backwards", "stateful") if getattr(self, name)
        ]
        rates = [f"{name}={getattr(self, name)}" for name in ("dropout", "recurrent_dropout") if getattr(self, name)]
        return ", ".join([f"{features} -> {self.output_size}", *(f"{flag}=True" for flag in flags), *rates])

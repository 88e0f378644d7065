"""What a recurrent layer is told about its sequences, and what it checks of them: input, mask, shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from rnnspec import shapes
from rnnspec.engines.checks import boolean_mask
from rnnspec.errors import ShapeError
from rnnspec.nn.arguments import check_choice, check_optional_count
from rnnspec.nn.base import Layer, LayerArguments, labelled
from rnnspec.nn.dropout import seeded_generator
from rnnspec.shapes import Shape, declared_input

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["SequenceArguments", "SequenceLayer"]


class SequenceArguments(LayerArguments, total=False):
    """The keyword arguments that every recurrent layer takes; see `SequenceLayer`."""

    return_sequences: bool
    return_state: bool
    go_backwards: bool
    stateful: bool
    unroll: bool
    implementation: Literal[0, 1, 2]
    time_major: bool
    keras_mask_order: bool
    masked_start: Literal["state", "zeros"]
    zero_output_for_mask: bool
    initial_state: Literal["zeros", "trainable"]
    seed: int | None
    checkpoint_every: int | None
    input_size: int | None
    batch_size: int | None
    input_dim: int | None
    input_length: int | None


class SequenceLayer(Layer):
    """Arguments and checks that have to do with sequences, not with the cell.

    Args:
        return_sequences: Whether to return all outputs, `(batch, time, units)`, or the last one, `(batch, units)`.
        return_state: Whether to return the final states too: `(output, *states)`.
        go_backwards: Whether time runs from the last step to the first; the outputs come in that order, unreversed.
        stateful: Whether a call starts from the final states of the call before.
        unroll: Changes only what masked first steps emit, as `masked_start="zeros"` does; needs two timesteps or more.
        time_major: Ours. Whether time is the first axis of inputs `(time, batch, features)`, masks and outputs. `build`
            and `batch_input_shape` take the shape as it is then, `input_shape` stays `(time, features)`.
        implementation: 0 and 1 draw the dropout masks of each gate, 2 draws one for all gates; else they are equal.
        keras_mask_order: Ours. True leaves the mask that leaves a `go_backwards` layer unreversed, as Keras does.
        masked_start: Ours. What masked steps before the first valid one emit: the initial `state`, or `zeros`.
        zero_output_for_mask: Ours, as in later Keras. True emits zeros at masked steps, not the output before them.
        initial_state: Ours. Where a sequence starts: at `zeros`, or at `trainable` states, which are weights of the
            layer, `initial_h` and so on, `(state size,)` each, that start as zeros.
        seed: Ours. Makes the dropout masks reproducible, whatever else draws random numbers.
        checkpoint_every: Ours. Steps between the states that are kept for the gradient; what lies between them is
            computed again for it. Less memory, more time, the same gradients. None or 0 keeps everything.
        input_size: Width of the input; torch's name for `input_dim`.
        batch_size: Rows of every call of a stateful layer.
        input_dim: Width of the input.
        input_length: Timesteps of the input, beside `input_dim`.
        **layer: See `Layer`.

    Raises:
        ConfigError: If `implementation`, `masked_start`, `initial_state` or `checkpoint_every` is none of what is
            allowed.
        ShapeError: If the arguments that declare the input's shape contradict each other.
    """

    input_rank = 3

    def __init__(
        self,
        *,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        time_major: bool = False,
        implementation: Literal[0, 1, 2] = 0,
        keras_mask_order: bool = False,
        masked_start: Literal["state", "zeros"] = "state",
        zero_output_for_mask: bool = False,
        initial_state: Literal["zeros", "trainable"] = "zeros",
        seed: int | None = None,
        checkpoint_every: int | None = None,
        input_size: int | None = None,
        batch_size: int | None = None,
        input_dim: int | None = None,
        input_length: int | None = None,
        **layer: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**layer)
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.time_major = time_major
        self.implementation = check_choice("implementation", implementation, (0, 1, 2))
        self.keras_mask_order = keras_mask_order
        self.masked_start = check_choice("masked_start", masked_start, ("state", "zeros"))
        self.zero_output_for_mask = zero_output_for_mask
        self.initial_state = check_choice("initial_state", initial_state, ("zeros", "trainable"))
        self.seed = seed
        self._generator = seeded_generator(seed)
        self.checkpoint_every = check_optional_count("checkpoint_every", checkpoint_every)
        if None not in (input_size, input_dim) and input_size != input_dim:
            raise ShapeError(f"{self.label}: input_size={input_size} and input_dim={input_dim} contradict each other")
        with_batch = layer.get("batch_input_shape")
        declared = declared_input(
            input_shape=layer.get("input_shape"),
            batch_input_shape=None if with_batch is None else self.batch_major(tuple(with_batch)),
            input_dim=input_dim if input_size is None else input_size,
            input_length=input_length,
            batch_size=batch_size,
        )
        self.declared_input_shape = None if declared is None else self.batch_major(declared)
        self.batch_size = batch_size if declared is None else declared[0]

    @property
    def output_size(self) -> int:
        """Width of the output."""
        raise NotImplementedError

    @property
    def axes(self) -> str:
        """The first two axes of an input, in words."""
        return "time, batch" if self.time_major else "batch, time"

    @property
    def reverses_time(self) -> bool:
        """Whether the outputs come from the last step to the first."""
        return self.go_backwards

    def batch_major(self, shape: Shape) -> Shape:
        """The shape with the batch first, and back again: the first two axes of a time-major one change places."""
        return (*shape[1::-1], *shape[2:]) if self.time_major else shape

    def batch_of_one(self, x: Tensor, mask: Any, states: Any, lengths: Any) -> tuple[Tensor, Any, Any, Any]:
        """Gives the arguments of a call for one sequence, `(time, features)`, a batch of one row."""
        axis = 1 if self.time_major else 0
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        if isinstance(mask, Tensor):
            mask = mask.unsqueeze(axis)
        if states is not None:
            states = [states] if isinstance(states, Tensor) else states
            states = [s.unsqueeze(0) if isinstance(s, Tensor) and s.dim() == 1 else s for s in states]
        if lengths is not None:
            lengths = lengths.unsqueeze(0) if isinstance(lengths, Tensor) else [lengths]
        return x.unsqueeze(axis), mask, states, lengths

    def without_batch(self, output: Tensor, states: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Takes the batch of one row away again."""
        axis = 1 if self.time_major and self.return_sequences else 0
        return output.squeeze(axis), tuple(state.squeeze(0) for state in states)

    def check_input(self, x: Tensor, dtype: torch.dtype) -> None:
        """Checks rank and dtype of an input.

        Args:
            x: The input, `(batch, time, features)`.
            dtype: Dtype of the weights.

        Raises:
            ShapeError: If the rank is not 3, or there are too few timesteps to unroll.
            DTypeError: If the dtype is not that of the weights, outside autocast.
        """
        if x.dim() != 3:
            axes = self.axes
            raise ShapeError(
                f"{self.label} expects an input of shape ({axes}, features) or (time, features), found {tuple(x.shape)}"
            )
        if self.unroll:
            with labelled(self.label):
                shapes.check_unroll(self.batch_major(tuple(x.shape)))
        self.check_dtype(x, dtype)

    def check_mask(self, mask: Any, x: Tensor) -> Tensor | None:
        """Makes a mask boolean and checks its shape.

        Args:
            mask: `(batch, time)`, boolean or numeric; a list stands for its first mask, as in Keras; or None.
            x: The input; both are time-major in a time-major layer.

        Returns:
            The boolean mask, or None.

        Raises:
            MaskError: If the shape does not fit.
        """
        hint = None
        if isinstance(mask, (list, tuple)):
            hint = "states are given by name: initial_state=[h, c]" if len(mask) > 1 else None
            mask = mask[0]
        return None if mask is None else boolean_mask(self.label, mask, x.shape[:2], axes=self.axes, hint=hint)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """`(batch, time, units)` or `(batch, units)`; the states come beside it."""
        shape = self.batch_major(input_shape)
        output = shapes.recurrent(shape, output_size=self.output_size, return_sequences=self.return_sequences)
        return self.batch_major(output) if self.return_sequences else output

    def compute_mask(self, x: Any, mask: Any) -> Tensor | None:
        """The mask of the outputs: in their order, and none without `return_sequences`."""
        if isinstance(mask, (list, tuple)):
            mask = mask[0]
        if mask is None or not self.return_sequences:
            return None
        axis = 0 if self.time_major else 1
        flipped: Tensor = mask.flip(axis) if self.go_backwards and not self.keras_mask_order else mask
        return flipped

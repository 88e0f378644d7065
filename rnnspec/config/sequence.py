"""What all recurrent layers share in their configs: the arguments of Keras's `Recurrent`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from attrs import frozen

from rnnspec import shapes
from rnnspec.config.checks import NonNegativeInt, PositiveInt, Seed
from rnnspec.config.layer import LayerConfig
from rnnspec.errors import Problem, ShapeError, StateError

__all__ = ["RecurrentConfig"]


@frozen(slots=False, eq=False, repr=False, kw_only=True)
class RecurrentConfig(LayerConfig):
    """The abstract base of all recurrent layers; build one of its children: `LSTM`, `GRU`, `SimpleRNN` (or `RNN`).

    All arguments are keywords; those of `LayerConfig` come beside these.

    Args:
        return_sequences: Whether to return all outputs, `(batch, time, units)`, or that of the last processed step
            alone, `(batch, units)` (default).
        return_state: Whether to return the last states beside the output, each `(batch, units)`.
        go_backwards: Whether to run from the last step to the first. The outputs stay in the order of processing: the
            first one belongs to the last step.
        stateful: Whether the last states of a batch are the first ones of the next. Needs a fixed batch size
            (`batch_input_shape` of the model's first layer).
        unroll: Whether the loop is unrolled; needs a fixed number of timesteps of 2 or more. The numbers are the same,
            but a masked step before the first valid one then always emits zeros.
        implementation: 0, 1 or 2. They differ in dropout alone: with 0 and 1 every gate has masks of its own, with 2
            all gates share one.
        input_dim: Width of the input; together with `input_length` another way to write `input_shape`, and it wins
            over that.
        input_length: Number of timesteps; only with `input_dim`.
        keras_mask_order: Ours (default False): True leaves the mask of a layer that goes backwards and returns
            sequences unreversed, as Keras does, although the outputs are reversed.
        masked_start: Ours: what a masked step before the first valid one emits: `state`, the initial state
            (default; Keras up to 2.2.4), or `zeros` (Keras since 2.2.5).
        zero_output_for_mask: Ours (default False), as in later Keras: True emits zeros at masked steps, in place of the
            output before them; `Bidirectional` does so in tf.keras 2 and Keras 3.
        initial_state: Ours: where a sequence starts: at `zeros` (default), or at `trainable` states, which are weights
            of the layer that start as zeros.
        seed: Ours: makes the dropout masks reproducible on their own.
        checkpoint_every: Ours: steps between the states that are kept for the gradient; what lies between them is
            computed again for it. Less memory, more time, the same gradients. None (default) or 0 keeps everything.
    """

    identifier: ClassVar[str] = "Recurrent"
    input_rank: ClassVar[int | None] = 3
    state_count: ClassVar[int | None] = 1

    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    unroll: bool = False
    implementation: Literal[0, 1, 2] = 0
    input_dim: PositiveInt | None = None
    input_length: PositiveInt | None = None
    keras_mask_order: bool = False
    masked_start: Literal["state", "zeros"] = "state"
    zero_output_for_mask: bool = False
    initial_state: Literal["zeros", "trainable"] = "zeros"
    seed: Seed = None
    checkpoint_every: NonNegativeInt | None = None

    @classmethod
    def relations(cls, values: Mapping[str, Any]) -> list[Problem]:
        """Checks that `input_length` has its `input_dim`."""
        if values.get("input_length") is None or values.get("input_dim", ...) is not None:
            return []
        return [Problem("input_length needs input_dim beside it", ("input_length",))]

    def declared_input(self) -> shapes.Shape | None:
        """The input shape that the arguments declare, with the batch; None if they declare none."""
        return shapes.declared_input(
            input_shape=self.input_shape,
            batch_input_shape=self.batch_input_shape,
            input_dim=self.input_dim,
            input_length=self.input_length,
        )

    @property
    def output_size(self) -> int | None:
        """Width of the output; None for this abstract class, which has no units."""
        return getattr(self, "units", None)

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """`(batch, time, units)` or `(batch, units)`; the states come beside it."""
        size = self.output_size
        if size is None:
            return None
        return shapes.recurrent(input_shape, output_size=size, return_sequences=self.return_sequences)

    def state_shapes(self, input_shape: shapes.Shape) -> tuple[shapes.Shape, ...] | None:
        """`(batch, units)` each; None for a cell that is not of the house."""
        return None if self.state_count is None else ((input_shape[0], self.output_size),) * self.state_count

    def output_shapes(self, input_shape: shapes.Shape) -> tuple[shapes.Shape | None, ...]:
        """The output's, and those of the states under `return_state`."""
        states = self.state_shapes(input_shape) if self.return_state else ()
        return (self.compute_output_shape(input_shape), *(states or ()))

    def fixed_sizes(self, input_shape: shapes.Shape) -> tuple[int | None, ...]:
        """The number of features."""
        return input_shape[-1:]

    def check_input(self, input_shape: shapes.Shape) -> None:
        """Checks what `unroll` and `stateful` need."""
        if self.unroll:
            try:
                shapes.check_unroll(input_shape)
            except ShapeError as error:
                raise error.mapped(lambda problem: problem.under("unroll")) from None
        if self.stateful and input_shape[0] is None:
            message = "stateful=True needs a fixed batch size"
            hint = "give batch_input_shape, the batch first, to the first layer of the model"
            raise StateError(Problem(message, ("stateful",), hint))

    def output_mask(self, mask: bool | None) -> bool | None:
        """A mask leaves with sequences only."""
        return mask if self.return_sequences else False

    @property
    def several_outputs(self) -> str | None:
        """`return_state` adds the states to the output."""
        return "return_state" if self.return_state else None

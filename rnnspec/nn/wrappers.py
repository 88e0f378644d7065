"""The layers that wrap another one: TimeDistributed and Bidirectional, as in Keras 2.0.8."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import torch
from torch import Tensor, nn

from rnnspec import merging, shapes
from rnnspec.errors import ConfigError, ShapeError, StateError
from rnnspec.nn.base import Layer, labelled
from rnnspec.nn.composite import Composite, build_part, label_of, part_output_shape
from rnnspec.nn.ragged import Ragged, Sequences, is_ragged, sequences
from rnnspec.nn.recurrence import Recurrence, split_states
from rnnspec.shapes import Shape

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnspec.nn.base import LayerArguments

__all__ = ["Bidirectional", "TimeDistributed"]

FORWARD = "forward"
MERGE_MODES = ("concat", "sum", "mul", "ave", None)


def _label(wrapper: Layer, inner: nn.Module) -> str:
    return f"{type(wrapper).__name__}({type(inner).__name__})" + (f" '{wrapper.name}'" if wrapper.name else "")


def _give_weights(layer: nn.Module, weights: Sequence[Any]) -> None:
    """Sets a layer's weights now, or when it is built."""
    if isinstance(layer, Layer):
        layer._initial_weights = weights
        if layer.built:
            layer.set_weights(weights)


class TimeDistributed(Composite):
    """Applies a layer to every timestep on its own.

    The mask goes on to the next layer; the layer inside sees none.

    Args:
        layer: A layer, or any torch module, for one step: `(batch, ...)`.
        **wrapper: See `Layer`; `input_shape` is `(time, ...)`, by default that of the inner layer with a free time. The
            weights are the inner layer's, so `device` and `dtype` are given to that.

    Raises:
        ConfigError: If the layer returns its states too.
    """

    supports_masking = True

    layer: nn.Module

    def __init__(self, layer: nn.Module, **wrapper: Unpack[LayerArguments]) -> None:
        super().__init__(**wrapper)
        if getattr(layer, "takes_several", False):
            raise ConfigError(merging.alone(label_of(layer)))
        if not getattr(layer, "one_output", True):
            several = "return_state=True" if getattr(layer, "return_state", False) else "several"
            raise ConfigError(f"TimeDistributed takes a layer with one output, {label_of(layer)} has {several}")
        if getattr(layer, "stateful", False):
            raise StateError(
                f"TimeDistributed cannot hold a stateful layer, its steps are one batch; found {label_of(layer)}"
            )
        self.add_part("layer", layer)
        self.freeze()
        if self._initial_weights is not None:
            _give_weights(layer, self._initial_weights)
        step = getattr(layer, "declared_input_shape", None)
        if self.declared_input_shape is None and step is not None:
            self.declared_input_shape = (step[0], None, *step[1:])
        self.build_declared()

    @property
    def label(self) -> str:
        """`TimeDistributed(Dense)`, with its own name where it has one."""
        return _label(self, self.layer)

    @property
    def known_input_shape(self) -> Shape | None:
        """What comes in: `(batch, time, ...)` with what the inner layer takes."""
        step = getattr(self.layer, "known_input_shape", None)
        inside = None if step is None else (step[0], None, *step[1:])
        return self.declared_input_shape or inside

    def build(self, input_shape: Shape) -> None:
        """Builds the inner layer for one step.

        Args:
            input_shape: `(batch, time, ...)`, None where free.

        Raises:
            ShapeError: If the inner layer cannot take such a step.
        """
        with labelled(self.label):
            step = shapes.time_distributed_step(input_shape)
        build_part(self.layer, step)

    def compute_output_shape(self, input_shape: Shape) -> Shape | None:
        """`(batch, time, ...)`, with what the inner layer makes of a step."""
        step = part_output_shape(self.layer, shapes.time_distributed_step(input_shape))
        return None if step is None else shapes.time_distributed(input_shape, step)

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Applies the layer to all steps at once.

        Args:
            x: Input, `(batch, time, ...)`.
            generator: Where dropout masks are drawn from.

        Returns:
            The outputs, `(batch, time, ...)`.

        Raises:
            ShapeError: If the rank is less than 3.
        """
        if x.dim() < 3:
            raise ShapeError(f"{self.label} expects an input of shape (batch, time, ...), found {tuple(x.shape)}")
        output: Tensor = self.call_part("layer", x.flatten(0, 1), None, generator)
        return output.reshape(*x.shape[:2], *output.shape[1:])


class Bidirectional(Composite):
    """Runs a recurrent layer and its twin, which reads time the other way, and merges their outputs.

    The twin has the same arguments and weights of its own. The two halves are `forward_layer` and `backward_layer`, and
    `get_weights` gives them in this order. An activity regularizer acts on each half's outputs.

    Args:
        layer: A recurrent layer; it becomes the forward half.
        merge_mode: How outputs are merged: `concat` (along the last axis), `sum`, `mul`, `ave`, or None for a tuple of
            both. The backward half's sequence is brought into the order of the forward half's first.
        **wrapper: See `Layer`. `weights` holds the forward half's, then the backward half's. `input_shape` is that of
            the layer by default. `device` and `dtype` are given to the layer.

    Raises:
        ConfigError: If the layer is not a recurrent one, or there is no such merge mode.
        WeightsError: If the weights do not fit.
    """

    input_rank = 3
    forward_layer: Recurrence
    backward_layer: Recurrence

    def __init__(
        self,
        layer: nn.Module,
        merge_mode: Literal["concat", "sum", "mul", "ave"] | None = "concat",
        **wrapper: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**wrapper)
        if not isinstance(layer, Recurrence):
            raise ConfigError(f"Bidirectional takes a recurrent layer, found {label_of(layer)}")
        if merge_mode not in MERGE_MODES:
            raise ConfigError(f"merge_mode must be one of concat, sum, mul, ave or None, found {merge_mode!r}")
        self.merge_mode = merge_mode
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.time_major = layer.time_major
        self.add_part("forward_layer", layer)
        self.add_part("backward_layer", _twin(layer))
        self.freeze()
        if self._initial_weights is not None:
            half = len(self._initial_weights) // 2
            _give_weights(self.forward_layer, self._initial_weights[:half])
            _give_weights(self.backward_layer, self._initial_weights[half:])
        self.declared_input_shape = self.declared_input_shape or layer.declared_input_shape
        self.build_declared()

    @property
    def label(self) -> str:
        """`Bidirectional(LSTM)`, with its own name where it has one."""
        return _label(self, self.forward_layer)

    @property
    def reverses_time(self) -> bool:
        """Whether the forward half reads time backwards: its order is that of the outputs."""
        return self.forward_layer.reverses_time

    @property
    def known_input_shape(self) -> Shape | None:
        """What comes in: what is declared and what both halves take."""
        declared, inside = self.declared_input_shape, self.forward_layer.known_input_shape
        return declared or inside if declared is None or inside is None else shapes.merge(declared, inside)

    @property
    def given_name(self) -> str | None:
        """The name of the layer that was given: those of the halves are made from it."""
        return str(self.forward_layer.name).removeprefix(FORWARD).removeprefix("_") or None

    @property
    def states(self) -> list[Tensor | None]:
        """The carried states: the forward half's, then the backward half's."""
        return [*self.forward_layer.states, *self.backward_layer.states]

    def build(self, input_shape: Shape) -> None:
        """Builds both halves.

        Args:
            input_shape: `(batch, time, features)`, None where free.

        Raises:
            ShapeError: If the layers cannot take such an input.
        """
        for part in self.parts():
            build_part(part, input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """That of a half, twice as wide where it is concatenated; with `merge_mode` None that of each output."""
        return shapes.bidirectional(self.forward_layer.compute_output_shape(input_shape), merge_mode=self.merge_mode)

    def output_shapes_of(self, input_shape: Shape) -> tuple[Shape | None, ...]:
        """The merged output's or both outputs', and those of the states under `return_state`."""
        outputs = (self.compute_output_shape(input_shape),) * (2 if self.merge_mode is None else 1)
        states = self.forward_layer.output_shapes_of(input_shape)[1:]
        return (*outputs, *states, *states)

    def compute_mask(self, x: Any, mask: Any) -> Tensor | None:
        """The mask of the outputs: in their order, and none without `return_sequences`."""
        return self.forward_layer.compute_mask(x, mask)

    def compute_masks(self, x: Any, mask: Any) -> tuple[Tensor | None, ...]:
        """The same for both outputs, where there are two."""
        return (self.compute_mask(x, mask),) * (2 if self.merge_mode is None else 1)

    def forward(
        self,
        x: Ragged | Sequence[Any],
        mask: Any = None,
        initial_state: Tensor | Sequence[Tensor] | None = None,
        generator: torch.Generator | None = None,
        lengths: Any = None,
    ) -> Any:
        """Runs both halves.

        Args:
            x: Input, `(batch, time, features)`, or in any other form that `Recurrence.forward` takes; or a list
                `[x, *initial states]`, which wins over `initial_state`.
            mask: `(batch, time)`, True where a step is valid.
            initial_state: States to start from, `(batch, units)` each: the forward half's, then the backward half's.
            generator: Where the dropout masks are drawn from, the forward half's first.
            lengths: Steps of each row of a padded input, `(batch,)`, in any order; each half reads those alone.

        Returns:
            The merged output (a tuple of two with `merge_mode` None); with `return_state` a tuple of it (or of the two)
            and the states, in the order of `initial_state`.

        Raises:
            StateError: If there are too few or too many initial states; else see `Recurrence.forward`.
        """
        given, initial_state = split_states(x, initial_state, self.label)
        call = {"mask": mask, "generator": generator, "lengths": lengths}
        found = Sequences(given)
        if is_ragged(given):
            found = sequences(given, lengths, label=self.label, time_major=self.time_major)
            call |= {"mask": found.masked(self.forward_layer.check_mask(mask, found.x)), "lengths": None}
        first, second = self._halves(initial_state)
        y, *states = _as_tuple(self.forward_layer(found.x, initial_state=first, **call))
        y_back, *states_back = _as_tuple(self.backward_layer(found.x, initial_state=second, **call))
        outputs = self._merged(y, y_back)
        if self.return_sequences:
            outputs = tuple(found.restored(output, backwards=self.reverses_time) for output in outputs)
        returned = (*outputs, *states, *states_back)
        return returned if len(returned) > 1 else returned[0]

    def streaming(self, batch: int, initial_state: Tensor | Sequence[Tensor] | None = None) -> NoReturn:
        """Always an error: one half begins with the last step of a sequence.

        Args:
            batch: Rows of every call.
            initial_state: States to start from.

        Raises:
            StateError: Always.
        """
        raise StateError(f"{self.label} has a half that begins with the last step, which a stream does not know")

    def _halves(
        self, given: Tensor | Sequence[Tensor] | None
    ) -> tuple[Sequence[Tensor] | None, Sequence[Tensor] | None]:
        if given is None:
            return None, None
        states = [given] if isinstance(given, Tensor) else list(given)
        names = self.forward_layer.cell.states
        if len(states) != 2 * len(names):
            text = ", ".join(f"{half} {name}" for half in ("forward", "backward") for name in names)
            raise StateError(f"{self.label} has {2 * len(names)} states ({text}), initial_state has {len(states)}")
        return states[: len(names)], states[len(names) :]

    def _merged(self, y: Tensor, y_back: Tensor) -> tuple[Tensor, ...]:
        if self.return_sequences:
            without_batch = y.dim() == 2
            y_back = y_back.flip(0 if self.time_major or without_batch else 1)
        if self.merge_mode is None:
            return y, y_back
        if self.merge_mode == "concat":
            return (torch.cat([y, y_back], dim=-1),)
        if self.merge_mode == "mul":
            return (y * y_back,)
        total = y + y_back
        return (total / 2.0 if self.merge_mode == "ave" else total,)

    def extra_repr(self) -> str:
        """How outputs are merged."""
        return f"merge_mode={self.merge_mode!r}"


def _as_tuple(returned: Any) -> tuple[Any, ...]:
    return returned if isinstance(returned, tuple) else (returned,)


def _twin(layer: Recurrence) -> Recurrence:
    """A layer with the same arguments that reads time the other way, with weights of its own."""
    twin = copy.deepcopy(layer)
    twin.go_backwards = not layer.go_backwards
    twin._initial_weights = None
    # One generator for both: two copies of it would drop the same units in both directions.
    twin._generator = layer._generator
    suffix = f"_{layer.name}" if layer.name else ""
    layer.name, twin.name = f"{FORWARD}{suffix}", f"backward{suffix}"
    if twin.built:
        twin.reset_parameters()
    return twin

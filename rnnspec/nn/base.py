"""The base of every layer: name, input, weights, losses, constraints, masks."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import Any, ClassVar, TypedDict

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy

from rnnspec.engines import checks
from rnnspec.errors import MaskError, Problem
from rnnspec.nn.arguments import check_plain
from rnnspec.nn.constrained import watch
from rnnspec.nn.given import SelfDescribing
from rnnspec.nn.regularizers import Regularizer
from rnnspec.nn.weights import Weighted, labelled
from rnnspec.shapes import Shape, declared_input

__all__ = ["Layer", "LayerArguments", "labelled", "mask_refused"]


class LayerArguments(TypedDict, total=False):
    """The keyword arguments that every layer takes; see `Layer`."""

    name: str | None
    trainable: bool
    weights: Sequence[Any] | None
    input_shape: Sequence[int | None] | None
    batch_input_shape: Sequence[int | None] | None
    device: torch.device | str | None
    dtype: torch.dtype | None


class Layer(SelfDescribing, Weighted):
    """The base of every layer.

    Args:
        name: Name of the layer, in messages and in the model's `state_dict` keys.
        trainable: False keeps an optimizer from changing the weights.
        weights: Initial weights, as `set_weights` takes them; they win over the initializers.
        input_shape: Shape of one input without the batch, `(time, features)`.
        batch_input_shape: Shape of the input with the batch; wins over `input_shape`.
        device: Where the weights live; torch's default device if None.
        dtype: Dtype of the weights; torch's default dtype if None.
    """

    supports_masking: ClassVar[bool] = False
    """Whether a mask over the steps passes through unchanged."""
    makes_mask: ClassVar[bool] = False
    """Whether the mask that leaves is the layer's own, and one that comes in ends here."""
    takes_several: ClassVar[bool] = False
    """Whether a call takes a list of inputs: shapes and masks come as lists too."""

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        weights: Sequence[Any] | None = None,
        input_shape: Sequence[int | None] | None = None,
        batch_input_shape: Sequence[int | None] | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(trainable, weights, device, dtype)
        self.name = name
        self.declared_input_shape = declared_input(input_shape=input_shape, batch_input_shape=batch_input_shape)
        self.activity_regularizer: Regularizer | None = None
        self._activity_losses: tuple[Tensor, ...] = ()

    @property
    def trainable(self) -> bool:
        """Whether optimizers may change the weights; setting it reaches the layers inside too."""
        return self._trainable

    @trainable.setter
    def trainable(self, trainable: bool) -> None:
        self._trainable = trainable
        for parameter in self.parameters():
            parameter.requires_grad = trainable

    @property
    def reverses_time(self) -> bool:
        """Whether the steps of the output come in the reverse order."""
        return False

    @property
    def label(self) -> str:
        """What messages call this layer: `LSTM`, or `LSTM 'encoder'`."""
        return type(self).__name__ + (f" '{self.name}'" if self.name else "")

    @property
    def known_input_shape(self) -> Shape | None:
        """What comes in, as far as it is declared or the layer was built for it; with the batch, None where free."""
        built_for = None if self._built_for is None else (None, *self._built_for[1:])
        return self.declared_input_shape or built_for

    @property
    def one_output(self) -> bool:
        """Whether a call returns one tensor, not a tuple of several."""
        return not getattr(self, "return_state", False) and getattr(self, "merge_mode", "concat") is not None

    def build_declared(self) -> None:
        """Builds the layer if its own arguments declare the input's shape; the last line of an `__init__`."""
        if self.declared_input_shape is not None:
            self.build(self.declared_input_shape)

    # Losses and constraints

    @property
    def losses(self) -> list[Tensor]:
        """Regularization losses of the weights and of the last call's outputs, here and in the layers below."""
        layers = (layer for layer in self.modules() if isinstance(layer, Layer))
        return [loss for layer in layers for loss in layer.own_losses()]

    def own_losses(self) -> Iterator[Tensor]:
        """The losses of this layer alone, without the layers below."""
        for name, role in self._roles.items():
            parameter = getattr(self, name)
            if role.regularizer is not None and role.regularizer.collect and not is_lazy(parameter):
                yield role.regularizer(parameter)
        yield from self._activity_losses

    def record_activity(self, *outputs: Tensor) -> None:
        """Keeps the activity losses of a call: of every returned tensor, summed, not divided by the batch (2.0.8)."""
        regularizer = self.activity_regularizer
        if regularizer is not None and regularizer.collect:
            self._activity_losses = tuple(regularizer(output) for output in outputs)

    @torch.no_grad()
    def apply_constraints(self, only: Container[int] | None = None) -> None:
        """Applies the constraints of this layer's weights; an optimizer's step does it by itself.

        Args:
            only: The `id`s of the weights that are meant; all by default.

        Raises:
            WeightsError: If torch makes a constrained weight from other parameters.
        """
        chosen = {name: role.constraint for name, role in self._roles.items() if role.constraint is not None}
        if only is None or any(id(parameter) in only for parameter in self.parameters()):
            check_plain(chosen, self._parameters, self.label, "a constraint")
        for name, constraint in chosen.items():
            parameter = getattr(self, name)
            if (only is None or id(parameter) in only) and not is_lazy(parameter):
                parameter.copy_(constraint(parameter))

    # Inputs, shapes and masks

    def check_shape(self, x: Tensor) -> None:
        """Refuses an input that the rule of the layer's shapes refuses.

        Args:
            x: The input.

        Raises:
            ShapeError: If the layer cannot take it; the message names the layer.
        """
        with labelled(self.label):
            self.compute_output_shape(tuple(x.shape))

    def check_dtype(self, x: Tensor, dtype: torch.dtype) -> None:
        """Refuses an input of another dtype than the weights', but where autocast brings the two together.

        Args:
            x: The input.
            dtype: Dtype of the weights.

        Raises:
            DTypeError: If they differ, outside autocast, or under it where one is float64, which it leaves as it is.
        """
        checks.check_dtype(self.label, x, dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape | None:
        """Output shape for an input shape, both with the batch; None where it is not known."""
        return input_shape

    def output_shapes_of(self, input_shape: Any) -> tuple[Shape | None, ...]:
        """The shapes of all outputs, final states among them; see `compute_output_shape`."""
        return (self.compute_output_shape(input_shape),)

    def compute_mask(self, x: Any, mask: Tensor | None) -> Tensor | None:
        """The mask that leaves the layer.

        Args:
            x: The input.
            mask: The mask that came with it, `(batch, time)`, or None.

        Returns:
            The mask of the output, or None.

        Raises:
            MaskError: If the layer cannot take a mask.
        """
        if mask is not None and not self.supports_masking:
            raise mask_refused(self.label)
        return mask

    def compute_masks(self, x: Any, mask: Any) -> tuple[Tensor | None, ...]:
        """The masks that leave with the first outputs; what comes after them, as final states, has none.

        Args:
            x: The input.
            mask: The mask that came with it, or None.

        Returns:
            A mask or None for each.
        """
        return (self.compute_mask(x, mask),)

    # Copies

    def __getstate__(self) -> dict[str, Any]:
        """Copies and pickles leave out the last call's losses, which belong to its graph."""
        return {**self.__dict__, "_activity_losses": ()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        if any(role.constraint is not None for role in self._roles.values()):
            watch(self)


def mask_refused(label: str) -> MaskError:
    """The error of a layer that cannot take a mask, and was given one."""
    message = f"{label} cannot take a mask, and one reached it from the layers before"
    hint = "a recurrent layer with return_sequences=False before it ends the mask"
    return MaskError(Problem(message, hint=hint))

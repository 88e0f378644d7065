"""The base of every layer: weights that may be built later, losses, constraints, masks.

A layer knows its weights' names, initializers, regularizers and constraints when it is made, and their shapes when it
is built: at once if its arguments declare the input's shape, else when a model or the first call tells it. Until then
the weights are `torch.nn.UninitializedParameter`s, so an optimizer that was made before holds the right objects.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypedDict, cast

import torch
from torch import Tensor
from torch.nn.parameter import UninitializedParameter, is_lazy

from rnnspec.engines import checks
from rnnspec.errors import MaskError, Problem, ShapeError, WeightsError
from rnnspec.nn import constraints, initializers, regularizers
from rnnspec.nn.arguments import check_plain, check_weights
from rnnspec.nn.constrained import watch
from rnnspec.nn.constraints import Constraint
from rnnspec.nn.distributions import Initializer
from rnnspec.nn.given import SelfDescribing
from rnnspec.nn.regularizers import Regularizer
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


@dataclass(frozen=True)
class WeightRole:
    """What a layer knows of one of its weights before the weight has a shape."""

    initializer: Initializer
    regularizer: Regularizer | None
    constraint: Constraint | None


class Layer(SelfDescribing, torch.nn.Module):
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

    input_rank: ClassVar[int] = 2
    """Axes of an input, with the batch, as far as the weights' shapes ask."""
    supports_masking: ClassVar[bool] = False
    """Whether a mask over the steps passes through unchanged."""
    makes_mask: ClassVar[bool] = False
    """Whether the mask that leaves is the layer's own, and one that comes in ends here."""

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
        super().__init__()
        self.name = name
        self._trainable = trainable
        self.declared_input_shape = declared_input(input_shape=input_shape, batch_input_shape=batch_input_shape)
        self.activity_regularizer: Regularizer | None = None
        self._initial_weights = weights
        self._device, self._dtype = device, dtype
        self._roles: dict[str, WeightRole] = {}
        self._activity_losses: tuple[Tensor, ...] = ()
        self._built = False
        self._built_for: Shape | None = None

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

    # Weights

    def add_weight(
        self, name: str, initializer: Any, regularizer: Any = None, constraint: Any = None, *, used: bool = True
    ) -> None:
        """Declares a weight; `weight_shapes` gives its shape when the layer is built.

        Args:
            name: The attribute's name.
            initializer: Anything that names an initializer.
            regularizer: Anything that names a regularizer, or None.
            constraint: Anything that names a constraint, or None.
            used: False makes the attribute None (a bias with `use_bias=False`).
        """
        if not used:
            self.register_parameter(name, None)
            return
        role = WeightRole(initializers.get(initializer), regularizers.get(regularizer), constraints.get(constraint))
        self._roles[name] = role
        uninitialized = cast(Any, UninitializedParameter)  # torch's stub lacks the arguments
        parameter = uninitialized(requires_grad=self.trainable, device=self._device, dtype=self._dtype)
        self.register_parameter(name, parameter)
        if role.constraint is not None:
            watch(self)

    def weight_shapes(self, input_shape: Shape) -> Mapping[str, tuple[int, ...]]:
        """Shapes of the declared weights for an input shape, in the order of `get_weights`."""
        return {}

    def input_shape_of(self, found: Mapping[str, tuple[int, ...]]) -> Shape:
        """An input shape for which weights have these shapes: the first one's begins with the number of features."""
        features = next(iter(found.values()))[0]
        return (*[None] * (self.input_rank - 1), features)

    @property
    def built(self) -> bool:
        """Whether the weights have their shapes; a layer without weights is built from the start."""
        return self._built or not self._roles

    @property
    def known_input_shape(self) -> Shape | None:
        """What comes in, as far as it is declared or the layer was built for it; with the batch, None where free."""
        built_for = None if self._built_for is None else (None, *self._built_for[1:])
        return self.declared_input_shape or built_for

    def build_declared(self) -> None:
        """Builds the layer if its own arguments declare the input's shape; the last line of an `__init__`."""
        if self.declared_input_shape is not None:
            self.build(self.declared_input_shape)

    def build(self, input_shape: Shape) -> None:
        """Gives the weights their shapes and initial values; does nothing the second time.

        Args:
            input_shape: With the batch, None where free.

        Raises:
            ShapeError: If the layer cannot take such an input.
            WeightsError: If the initial `weights` do not fit.
        """
        if self._built:
            return
        with labelled(self.label):
            needed = self.weight_shapes(input_shape)
            self._check_constraints(needed)
        # Weights that are made under inference_mode could never be trained.
        with torch.inference_mode(False):
            self._materialize(needed)
            self.reset_parameters()
        self._built, self._built_for = True, tuple(input_shape)
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)

    def _materialize(self, needed: Mapping[str, tuple[int, ...]]) -> None:
        """Gives the declared weights their shapes."""
        for name, shape in needed.items():
            parameter = getattr(self, name)
            if is_lazy(parameter):
                try:
                    parameter.materialize(shape)
                except RuntimeError as error:
                    message = f"{self.label}: there is no memory for the weight '{name}' of shape {shape}"
                    raise WeightsError(message) from error

    def _check_constraints(self, needed: Mapping[str, tuple[int, ...]]) -> None:
        """Refuses a constraint along an axis that its weight does not have."""
        for name, shape in needed.items():
            constraint = self._roles[name].constraint
            wrong = [axis for axis in constraint.axes if not -len(shape) <= axis < len(shape)] if constraint else []
            if wrong:
                raise ShapeError(f"the constraint of the weight '{name}' of shape {shape} has no axis {wrong[0]} there")

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draws the weights anew from their initializers.

        Args:
            generator: Where initializers without a seed draw from; torch's global generator by default.

        Raises:
            WeightsError: If torch makes a weight from other parameters.
        """
        self._require_plain("reset_parameters")
        for name, role in self._roles.items():
            role.initializer(getattr(self, name), generator)

    def get_weights(self) -> list[Any]:
        """The weights as NumPy arrays, in Keras's order: kernel, recurrent_kernel, bias.

        Returns:
            One array a weight.

        Raises:
            WeightsError: If there are none yet, or torch makes a weight from other parameters.
        """
        self._require_plain("get_weights")
        self._require_weights(self.parameters())
        weights = (parameter.detach().cpu() for parameter in self.parameters())
        # NumPy has no bfloat16; every one of its numbers is a float32.
        return [(weight.float() if weight.dtype == torch.bfloat16 else weight).numpy().copy() for weight in weights]

    @torch.no_grad()
    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets the weights from NumPy arrays or tensors in the order of `get_weights`.

        Args:
            weights: One array a weight.

        Raises:
            WeightsError: If the count or a shape does not fit, or torch makes a weight from others; nothing is changed.
        """
        self._require_plain("set_weights")
        self._require_weights(self.parameters())
        tensors = check_weights(weights, dict(self.named_parameters()), self.label)
        for parameter, tensor in zip(self.parameters(), tensors, strict=True):
            parameter.copy_(tensor)

    def _require_plain(self, what: str) -> None:
        """Refuses weights that torch's tools make from other parameters, here and in the layers below."""
        for layer in (layer for layer in self.modules() if isinstance(layer, Layer)):
            check_plain(layer._roles, layer._parameters, layer.label, what)

    def _require_weights(self, parameters: Iterable[Tensor]) -> None:
        if any(is_lazy(parameter) for parameter in parameters):
            raise WeightsError(f"{self.label} has no weights yet: give its input_shape, build it, or call it once")

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        # All layers below are asked before the first weight changes.
        for name, layer in self.named_modules():
            if isinstance(layer, Layer):
                layer._refuse_torch_weights(state_dict, f"{prefix}{name}." if name else prefix)
        # A layer that was never called takes its shapes from the file.
        lazy = [name for name in self._roles if is_lazy(getattr(self, name))]
        if lazy and all(prefix + name in state_dict for name in lazy):
            found = {name: tuple(state_dict[prefix + name].shape) for name in lazy}
            input_shape = self.input_shape_of(found)
            needed = self.weight_shapes(input_shape)
            wrong = [
                f"'{name}' has shape {found[name]}, it needs {needed[name]}"
                for name in lazy
                if found[name] != needed[name]
            ]
            if wrong:
                raise WeightsError(f"{self.label}: the weights in the state_dict do not fit: {'; '.join(wrong)}")
            self._materialize(found)
            self._built, self._built_for = True, input_shape
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def _refuse_torch_weights(self, state_dict: Any, prefix: str) -> None:
        """Refuses the state_dict of a recurrent module of torch.nn: no name in it fits, so `strict` may let it pass."""
        for name in ("weight_ih_l0", "weight_ih"):
            if prefix + name in state_dict and not hasattr(self, name):
                message = (
                    f"{self.label}: the state_dict has the weight '{prefix}{name}' of a recurrent module of torch.nn"
                )
                hint = "load it into that module, and rnnspec.from_torch(module) makes a layer of it"
                raise WeightsError(Problem(f"{message}, whose shapes and order of gates are others", hint=hint))

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        self._require_weights(getattr(self, name) for name in self._roles)
        super()._save_to_state_dict(destination, prefix, keep_vars)

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

    # Copies

    def __getstate__(self) -> dict[str, Any]:
        """Copies and pickles leave out the last call's losses, which belong to its graph."""
        return {**self.__dict__, "_activity_losses": ()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        if any(role.constraint is not None for role in self._roles.values()):
            watch(self)


@contextmanager
def labelled(label: str) -> Iterator[None]:
    """Names the layer in the errors of a shape rule, which knows numbers only."""
    try:
        yield
    except ShapeError as error:
        raise error.mapped(lambda problem: replace(problem, message=f"{label}: {problem.message}")) from None


def mask_refused(label: str) -> MaskError:
    """The error of a layer that cannot take a mask, and was given one."""
    message = f"{label} cannot take a mask, and one reached it from the layers before"
    hint = "a recurrent layer with return_sequences=False before it ends the mask"
    return MaskError(Problem(message, hint=hint))

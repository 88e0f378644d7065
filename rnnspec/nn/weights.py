"""Weights that may be built later.

A layer knows its weights' names, initializers, regularizers and constraints when it is made, and their shapes when it
is built: at once if its arguments declare the input's shape, else when a model or the first call tells it. Until then
the weights are `torch.nn.UninitializedParameter`s, so an optimizer that was made before holds the right objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

import torch
from torch import Tensor
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy

from rnnspec.errors import Problem, ShapeError, WeightsError
from rnnspec.nn import constraints, initializers, regularizers
from rnnspec.nn.arguments import check_plain, check_weights
from rnnspec.nn.constrained import watch
from rnnspec.nn.constraints import Constraint
from rnnspec.nn.distributions import Initializer
from rnnspec.nn.regularizers import Regularizer
from rnnspec.shapes import Shape, format_shape

__all__ = ["Weighted", "labelled"]


@dataclass(frozen=True)
class WeightRole:
    """What a layer knows of one of its weights before the weight has a shape."""

    initializer: Initializer
    regularizer: Regularizer | None
    constraint: Constraint | None


class LaterBuffer(UninitializedBuffer):
    """A buffer that gets its shape later; torch's own cannot be copied before."""

    def __deepcopy__(self, memo: dict[int, Any]) -> LaterBuffer:
        if id(self) not in memo:
            memo[id(self)] = cast(Any, type(self))(False, self.data.device, self.data.dtype)
        return cast(LaterBuffer, memo[id(self)])


class Weighted(torch.nn.Module):
    """What has weights: the part of `Layer` that makes, keeps, saves and loads them."""

    input_rank: ClassVar[int] = 2
    """Axes of an input, with the batch, as far as the weights' shapes ask."""

    def __init__(
        self,
        trainable: bool,
        weights: Sequence[Any] | None,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
    ) -> None:
        super().__init__()
        self._trainable = trainable
        self._initial_weights = weights
        self._device, self._dtype = device, dtype
        self._roles: dict[str, WeightRole] = {}
        self._built = False
        self._built_for: Shape | None = None

    @property
    def label(self) -> str:
        """What messages call this layer."""
        return type(self).__name__

    def add_weight(
        self,
        name: str,
        initializer: Any,
        regularizer: Any = None,
        constraint: Any = None,
        *,
        used: bool = True,
        trained: bool = True,
    ) -> None:
        """Declares a weight; `weight_shapes` gives its shape when the layer is built.

        Args:
            name: The attribute's name.
            initializer: Anything that names an initializer.
            regularizer: Anything that names a regularizer, or None.
            constraint: Anything that names a constraint, or None.
            used: False makes the attribute None (a bias with `use_bias=False`).
            trained: False makes it a buffer: no optimizer changes it, calls do (moving averages).
        """
        if not used:
            self.register_parameter(name, None)
            return
        role = WeightRole(initializers.get(initializer), regularizers.get(regularizer), constraints.get(constraint))
        self._roles[name] = role
        uninitialized = cast(Any, UninitializedParameter if trained else LaterBuffer)  # torch stubs
        weight = uninitialized(requires_grad=trained and self._trainable, device=self._device, dtype=self._dtype)
        if trained:
            self.register_parameter(name, weight)
        else:
            self.register_buffer(name, weight)
        if role.constraint is not None:
            watch(cast(Any, self))

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

    def check_fit(self, input_shape: Shape) -> None:
        """Checks that the weights have the shapes that an input asks for.

        Args:
            input_shape: With the batch, None where free.

        Raises:
            ShapeError: If the layer cannot take such an input, or was built for another.
        """
        with labelled(self.label):
            for name, wanted in self.weight_shapes(input_shape).items():
                found = tuple(getattr(self, name).shape)
                if found != wanted:
                    needs = f"an input {format_shape(input_shape)} needs {wanted}"
                    raise ShapeError(f"its {name} has the shape {found}, {needs}")

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

    def named_weights(self) -> dict[str, Tensor]:
        """The weights by name, in Keras's order: layer by layer, what is trained before what calls change.

        Returns:
            The parameters, here and in the layers below, and the buffers among the declared weights; each once.
        """
        found: dict[str, Tensor] = {}
        for path, module in self.named_modules():
            roles = module._roles if isinstance(module, Weighted) else ()
            tracked = {name: module._buffers[name] for name in roles if name in module._buffers}
            for name, weight in {**module._parameters, **tracked}.items():
                if weight is not None and all(weight is not other for other in found.values()):
                    found[f"{path}.{name}" if path else name] = weight
        return found

    def get_weights(self) -> list[Any]:
        """The weights as NumPy arrays, in Keras's order: kernel, recurrent_kernel, bias.

        Returns:
            One array a weight.

        Raises:
            WeightsError: If there are none yet, or torch makes a weight from other parameters.
        """
        self._require_plain("get_weights")
        found = self.named_weights().values()
        self._require_weights(found)
        weights = (weight.detach().cpu() for weight in found)
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
        found = self.named_weights()
        self._require_weights(found.values())
        tensors = check_weights(weights, found, self.label)
        for weight, tensor in zip(found.values(), tensors, strict=True):
            weight.copy_(tensor)

    def _require_plain(self, what: str) -> None:
        """Refuses weights that torch's tools make from other parameters, here and in the layers below."""
        for layer in (layer for layer in self.modules() if isinstance(layer, Weighted)):
            check_plain(layer._roles, {**layer._parameters, **layer._buffers}, layer.label, what)

    def _require_weights(self, parameters: Iterable[Tensor]) -> None:
        if any(is_lazy(parameter) for parameter in parameters):
            raise WeightsError(f"{self.label} has no weights yet: give its input_shape, build it, or call it once")

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        # All layers below are asked before the first weight changes.
        for name, layer in self.named_modules():
            if isinstance(layer, Weighted):
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


@contextmanager
def labelled(label: str) -> Iterator[None]:
    """Names the layer in the errors of a shape rule, which knows numbers only."""
    try:
        yield
    except ShapeError as error:
        raise error.mapped(lambda problem: replace(problem, message=f"{label}: {problem.message}")) from None

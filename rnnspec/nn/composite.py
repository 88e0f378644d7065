"""What layers that are made of layers share: wrappers and containers."""

from __future__ import annotations

import inspect
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from rnnspec.errors import Error, ShapeError, StateError
from rnnspec.nn.base import Layer, mask_refused
from rnnspec.nn.states import CarriedStates
from rnnspec.shapes import Shape, format_shape, merge

__all__ = [
    "Composite",
    "Model",
    "build_part",
    "label_of",
    "named_shape_errors",
    "part_output_shape",
    "part_output_shapes",
]


def label_of(module: nn.Module) -> str:
    """What messages call a module: a layer's label, or the class of another torch module."""
    return module.label if isinstance(module, Layer) else type(module).__name__


def named_shape_errors(error: ShapeError, before: str, label: str) -> ShapeError:
    """The same error with words before it, and without the layer's own label, which these words hold."""
    return error.mapped(lambda found: replace(found, message=before + found.message.removeprefix(f"{label}: ")))


def build_part(module: nn.Module, shape: Shape) -> None:
    """Builds a layer for an input shape, and checks that a layer that was built before fits it.

    Args:
        module: The layer; another torch module is left as it is.
        shape: Its input's shape with the batch.

    Raises:
        ShapeError: If the layer cannot take such an input.
    """
    if not isinstance(module, Layer):
        return
    declared = module.declared_input_shape
    if declared is not None and merge(declared, shape) is None:
        text = f"its own arguments declare the input {format_shape(declared)}, found {format_shape(shape)}"
        raise ShapeError(f"{module.label}: {text}")
    module.build(shape)
    module.check_fit(shape)


def part_output_shape(module: nn.Module, shape: Shape) -> Shape | None:
    """Output shape of a layer, or of a torch module that has a `compute_output_shape` too; None where not known."""
    rule = getattr(module, "compute_output_shape", None)
    return None if rule is None else rule(shape)


def part_output_shapes(module: nn.Module, shape: Any) -> tuple[Shape | None, ...]:
    """Shapes of all outputs of a layer, the final states among them; of another torch module that of its output."""
    return module.output_shapes_of(shape) if isinstance(module, Layer) else (part_output_shape(module, shape),)


class Composite(Layer):
    """The base of wrappers and containers: everything that goes through to the layers inside."""

    def __init__(self, **layer: Any) -> None:
        super().__init__(**layer)
        self._takes: dict[str, frozenset[str]] = {}

    def add_part(self, name: str, module: nn.Module) -> None:
        """Adds a layer under a name; what its `forward` takes is looked up once, here.

        Args:
            name: The attribute's name.
            module: A layer, or any torch module: that gets the input alone.
        """
        self.add_module(name, module)
        arguments = inspect.signature(module.forward).parameters if isinstance(module, Layer) else ()
        self._takes[name] = frozenset(arguments) & {"mask", "generator"}

    def call_part(self, name: str, x: Any, mask: Any, generator: torch.Generator | None, **more: Any) -> Any:
        """Calls the layer of that name with those of `mask` and `generator` that it takes, and with `more`."""
        given = {"mask": mask, "generator": generator}
        taken = {key: given[key] for key in sorted(self._takes[name])}
        return self._modules[name](x, **taken, **more)  # type: ignore[misc]

    def freeze(self) -> None:
        """Keeps optimizers from changing the weights inside, if the layer is not trainable."""
        if not self.trainable:
            self.trainable = False  # said again, it reaches what was added since

    def parts(self) -> Iterator[Layer]:
        """The layers directly inside, without torch's own modules."""
        return (child for child in self.children() if isinstance(child, Layer))

    @property
    def built(self) -> bool:
        """Whether all weights have their shapes."""
        return all(part.built for part in self.parts())

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draws the weights of all layers inside anew.

        Args:
            generator: Where initializers without a seed draw from; torch's global generator by default. torch's own
                modules always draw from the latter.
        """
        for child in self.children():
            if isinstance(child, Layer):
                child.reset_parameters(generator)
            else:
                for module in child.modules():
                    getattr(module, "reset_parameters", lambda: None)()

    def apply_constraints(self, only: Container[int] | None = None) -> None:
        """Applies the constraints of all layers inside; an optimizer's step does it by itself.

        Args:
            only: The `id`s of the weights that are meant; all by default.
        """
        for part in self.parts():
            part.apply_constraints(only)

    def stateful_layers(self) -> list[CarriedStates]:
        """The stateful layers inside, at any depth, in order."""
        layers = (module for module in self.modules() if isinstance(module, CarriedStates))
        return [layer for layer in layers if layer.stateful]

    @property
    def stateful(self) -> bool:
        """Whether any layer inside is stateful."""
        return bool(self.stateful_layers())

    def reset_states(
        self, states: Sequence[Any] | None = None, *, rows: Tensor | None = None, batch_size: int | None = None
    ) -> None:
        """Sets the carried states of all stateful layers inside. An error changes nothing.

        Args:
            states: Arrays or tensors, `(batch, state size)` each, layer by layer, h then c. None: zeros.
            rows: Boolean, `(batch,)`: only these rows are set. None: all rows.
            batch_size: A new batch size, with states of zeros.

        Raises:
            StateError: If no layer is stateful, a batch size is not known yet, or something does not fit.
        """
        layers = self.stateful_layers()
        if not layers:
            raise StateError(f"{self.label} is not stateful, it has no states to reset; make it with stateful=True")
        shares = self._shares(layers, states)
        before = [dict(layer._buffers) for layer in layers]
        try:
            for layer, share in zip(layers, shares, strict=True):
                layer.reset_states(share, rows=rows, batch_size=batch_size)
        except Error:
            for layer, buffers in zip(layers, before, strict=True):
                layer._buffers.update(buffers)
            raise

    def _shares(self, layers: Sequence[CarriedStates], states: Sequence[Any] | None) -> list[Sequence[Any] | None]:
        """Each layer's part of a list of states."""
        if states is None:
            return [None] * len(layers)
        counts = [len(layer.states) for layer in layers]
        values = list(states) if isinstance(states, (list, tuple)) else [states]
        if len(values) != sum(counts):
            raise StateError(f"{self.label} has {sum(counts)} states, reset_states has {len(values)}")
        ends = [sum(counts[: index + 1]) for index in range(len(counts))]
        return [values[end - count : end] for end, count in zip(ends, counts, strict=True)]


def _has_hooks(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks)


class Model(Composite):
    """The base of models: their layers take each other's outputs, and masks travel with these."""

    def run_with_masks(
        self, x: Any, mask: Any = None, generator: torch.Generator | None = None
    ) -> tuple[Any, tuple[Tensor | None, ...]]:
        """Runs the model.

        Args:
            x: The input; a list of several.
            mask: Its mask; a list of several.
            generator: Where all dropout masks of this call are drawn from.

        Returns:
            What a call returns, and the masks that leave with the outputs; see `compute_masks`.
        """
        raise NotImplementedError

    def compute_mask(self, x: Any, mask: Any) -> Tensor | None:
        """The mask that leaves with the (first) output; this runs the model, and leaves carried states as they are."""
        return self.masks_of(x, mask)[0]

    def masks_of(self, x: Any, mask: Any) -> tuple[Tensor | None, ...]:
        """The masks that leave with all outputs; see `compute_mask`."""
        layers = self.stateful_layers()
        before = [dict(layer._buffers) for layer in layers]
        try:
            return self.run_with_masks(x, mask)[1]
        finally:
            for layer, buffers in zip(layers, before, strict=True):
                layer._buffers.update(buffers)

    def call_with_masks(
        self, name: str, x: Any, mask: Any, generator: torch.Generator | None, **more: Any
    ) -> tuple[Any, tuple[Tensor | None, ...]]:
        """Calls a layer.

        Args:
            name: Its name.
            x: Its input.
            mask: The mask that comes with that.
            generator: Where dropout masks are drawn from.
            **more: Further arguments of the call.

        Returns:
            What it returns, and the masks that leave it.

        Raises:
            MaskError: If it cannot take a mask.
        """
        layer = cast(nn.Module, self._modules[name])
        # A model without hooks, of no user's class, tells its masks while it runs.
        if isinstance(layer, Model) and type(layer).__base__ is Model and not _has_hooks(layer):
            return layer.run_with_masks(x, mask, generator)
        if mask is not None and not isinstance(layer, Layer):
            raise mask_refused(label_of(layer))
        left = layer.compute_masks(x, mask) if isinstance(layer, Layer) else (None,)
        return self.call_part(name, x, mask, generator, **more), left

    def reset_states(
        self, states: Sequence[Any] | None = None, *, rows: Tensor | None = None, batch_size: int | None = None
    ) -> None:
        """Sets the carried states of all stateful layers; without one it does nothing. An error changes nothing.

        Args:
            states: Arrays or tensors, `(batch, state size)` each, layer by layer, h then c. None: zeros.
            rows: Boolean, `(batch,)`: only these rows are set. None: all rows.
            batch_size: A new batch size, with states of zeros.

        Raises:
            StateError: If a batch size is not known yet, or something does not fit.
        """
        if self.stateful or states is not None:
            super().reset_states(states, rows=rows, batch_size=batch_size)

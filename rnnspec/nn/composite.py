"""What layers that are made of layers share: wrappers and containers."""

from __future__ import annotations

import inspect
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from rnnspec.errors import Error, ShapeError, StateError
from rnnspec.nn.base import Layer
from rnnspec.nn.states import CarriedStates
from rnnspec.shapes import Shape, format_shape, merge

__all__ = ["Composite", "build_part", "label_of", "named_shape_errors", "part_output_shape"]


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

    def call_part(self, name: str, x: Any, mask: Tensor | None, generator: torch.Generator | None) -> Any:
        """Calls the layer of that name with those of `mask` and `generator` that it takes."""
        given = {"mask": mask, "generator": generator}
        return self._modules[name](x, **{key: given[key] for key in sorted(self._takes[name])})  # type: ignore[misc]

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

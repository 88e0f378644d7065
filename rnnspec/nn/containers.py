"""Sequential: layers one after another, with shapes and masks that travel from each to the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from rnnspec import merging
from rnnspec.errors import ConfigError, Problem, ShapeError
from rnnspec.nn.base import Layer
from rnnspec.nn.composite import Model, build_part, label_of, named_shape_errors, part_output_shape, part_output_shapes
from rnnspec.nn.ragged import is_ragged, sequences
from rnnspec.shapes import Shape

__all__ = ["Sequential"]


class Sequential(Model):
    """A model of layers one after another.

    Masks travel: each layer gets the mask that left the one before. A layer's name, else its position, is its name in
    the `state_dict`. Any torch module may be among the layers; it gets the input alone.

    Args:
        layers: The layers; None for a model that `add` fills.
        name: Name of the model.
        trainable: False keeps an optimizer from changing the weights of all layers.

    Raises:
        ConfigError: If the list is empty, or a name cannot be used.
        ShapeError: If a layer cannot take what the one before gives; the message names both.

    Examples:
        >>> from rnnspec.nn import LSTM, Dense, Sequential
        >>> model = Sequential()
        >>> model.add(LSTM(32, input_shape=(10, 64)))
        >>> model.add(Dense(2, activation="softmax"))
        >>> model.output_shape
        (None, 2)
    """

    def __init__(
        self, layers: Sequence[nn.Module] | None = None, name: str | None = None, trainable: bool = True
    ) -> None:
        super().__init__(name=name, trainable=trainable)
        self._input_shape: Shape | None = None
        self._output_shapes: list[Shape | None] = []
        if layers is not None and not layers:
            raise ConfigError(f"{self.label} was given an empty list of layers")
        if isinstance(layers, nn.Module):
            raise ConfigError(f"{type(self).__name__} takes a list of layers, found {label_of(layers)}")
        for layer in layers or ():
            self.add(layer)

    # The list of layers

    @property
    def layers(self) -> list[nn.Module]:
        """The layers, in order."""
        return [module for module in self._modules.values() if module is not None]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[nn.Module]:
        return iter(self.layers)

    def __getitem__(self, index: int) -> nn.Module:
        return self.layers[index]

    def add(self, layer: nn.Module) -> None:
        """Adds a layer at the end.

        Args:
            layer: The layer, or any torch module.

        Raises:
            ConfigError: If it is no layer, its name cannot be used, or the layer before has more than one output.
            ShapeError: If it cannot take what the layer before gives.
        """
        if not isinstance(layer, nn.Module):
            raise ConfigError(f"{self.label} takes layers, found {layer!r}")
        if getattr(layer, "takes_several", False):
            raise ConfigError(merging.alone(label_of(layer)))
        if not self.one_output:
            raise ConfigError(f"{label_of(self[-1])} has more than one output, no layer can follow it in a Sequential")
        name = self._free_name(layer)
        if not len(self):
            declared = getattr(layer, "declared_input_shape", None) or getattr(layer, "default_input_shape", None)
            self._input_shape = self.declared_input_shape = declared
        shape = self._follow(len(self), layer, self.output_shape if len(self) else self._input_shape)
        self.add_part(name, layer)
        self.freeze()
        self._output_shapes.append(shape)

    def pop(self) -> nn.Module:
        """Takes the last layer off.

        Returns:
            The layer.

        Raises:
            ConfigError: If there is none.
        """
        if not len(self):
            raise ConfigError(f"{self.label} has no layers")
        name = list(self._modules)[-1]
        del self._takes[name], self._output_shapes[-1]
        return cast(nn.Module, self._modules.pop(name))

    def _free_name(self, layer: nn.Module) -> str:
        name = getattr(layer, "name", None) or str(len(self))
        if name in self._modules:
            raise ConfigError(f"{self.label} has a layer named '{name}' already, names must be unique")
        if "." in name:
            raise ConfigError(f"the name of a layer must not hold a dot, found '{name}'")
        if hasattr(self, name):
            raise ConfigError(f"{self.label} cannot hold a layer named '{name}', which is one of its own attributes")
        return name

    @property
    def one_output(self) -> bool:
        """Whether the last layer returns one tensor."""
        return not len(self) or getattr(self[-1], "one_output", True)

    # Shapes

    def _follow(self, position: int, layer: nn.Module, shape: Shape | None) -> Shape | None:
        """Builds a layer for what comes to it, and gives what leaves it; None where that is not known."""
        if shape is None:
            shape = getattr(layer, "declared_input_shape", None)
        if shape is None:
            return None
        try:
            build_part(layer, shape)
            return part_output_shape(layer, shape)
        except ShapeError as error:
            label = label_of(layer)
            before = f"layer {position}, {label}"
            if position:
                before += f", cannot follow layer {position - 1}, {label_of(self[position - 1])}"
            raise named_shape_errors(error, before + ": ", label) from None

    @property
    def input_shape(self) -> Shape | None:
        """What comes in, with the batch and None where free; None before the model is built."""
        return self._input_shape

    @property
    def known_input_shape(self) -> Shape | None:
        """What comes in, with the batch where a stateful layer knows it."""
        shape, stateful = self.input_shape, self.stateful_layers()
        return (stateful[0].batch_size, *shape[1:]) if shape is not None and stateful else shape

    @property
    def output_shape(self) -> Shape | None:
        """What comes out, with the batch and None where free; None where it is not known."""
        return self._output_shapes[-1] if self._output_shapes else None

    @property
    def output_shapes(self) -> list[Shape | None]:
        """What leaves each layer."""
        return list(self._output_shapes)

    def build(self, input_shape: Shape) -> None:
        """Builds all layers, from the shape of the model's input.

        Args:
            input_shape: With the batch, None where free.

        Raises:
            ShapeError: If a layer cannot take what the one before gives; the message names both.
        """
        shape: Shape | None = tuple(input_shape)
        found: list[Shape | None] = []
        for position, layer in enumerate(self):
            shape = self._follow(position, layer, shape)
            found.append(shape)
        self._input_shape, self._output_shapes = tuple(input_shape), found

    def compute_output_shape(self, input_shape: Shape) -> Shape | None:
        """What the layers make of an input shape, one after another; None where it is not known."""
        return self.output_shapes_of(input_shape)[0]

    def output_shapes_of(self, input_shape: Shape) -> tuple[Shape | None, ...]:
        """The shapes of the last layer's outputs; see `compute_output_shape`."""
        shape: Shape | None = input_shape
        found: tuple[Shape | None, ...] = (shape,)
        for layer in self:
            found = (None,) if shape is None else part_output_shapes(layer, shape)
            shape = found[0]
        return found

    # Calls

    @property
    def time_major(self) -> bool:
        """Whether a recurrent layer inside is time-major."""
        return any(getattr(layer, "time_major", False) for layer in self.layers)

    @property
    def reverses_time(self) -> bool:
        """Whether an odd number of layers inside reverse the steps."""
        return sum(layer.reverses_time for layer in self.layers if isinstance(layer, Layer)) % 2 == 1

    def forward(
        self, x: Any, mask: Tensor | None = None, generator: torch.Generator | None = None, lengths: Any = None
    ) -> Any:
        """Runs the model.

        Args:
            x: The first layer's input: a tensor, a `PackedSequence`, or a nested tensor of layout `torch.jagged`.
            mask: The mask that comes with it, `(batch, time)`.
            generator: Where all dropout masks of this call are drawn from, layer by layer.
            lengths: Steps of each row of a padded input, `(batch,)`, in any order. The steps after them, and the
                padding of a packed or jagged input, stay masked whatever masks the layers make.

        Returns:
            The last layer's output, in the form of the input where it still has its steps.

        Raises:
            MaskError: If a mask reaches a layer that cannot take one.
            ConfigError: If the model has no layers.
        """
        return self.run(x, mask, generator, lengths)[0]

    def run(
        self, x: Any, mask: Tensor | None = None, generator: torch.Generator | None = None, lengths: Any = None
    ) -> tuple[Any, Tensor | None]:
        """Runs the model; the arguments are those of a call.

        Args:
            x: The first layer's input.
            mask: The mask that comes with it.
            generator: Where all dropout masks of this call are drawn from.
            lengths: Steps of each row of a padded input.

        Returns:
            The last layer's output, and the mask that leaves it.
        """
        if lengths is None and not is_ragged(x):
            return self._walk(x, mask, None, generator)[:2]
        found = sequences(x, lengths, label=self.label, time_major=self.time_major)
        y, mask, real = self._walk(found.x, found.masked(mask), found.real, generator)
        return y if real is None else found.restored(y, backwards=self.reverses_time), mask

    def run_with_masks(
        self, x: Any, mask: Any = None, generator: torch.Generator | None = None
    ) -> tuple[Any, tuple[Tensor | None, ...]]:
        """Runs the model; see `run`."""
        output, left = self.run(x, mask, generator)
        return output, (left,)

    def _walk(
        self, x: Any, mask: Tensor | None, real: Tensor | None, generator: torch.Generator | None
    ) -> tuple[Any, Tensor | None, Tensor | None]:
        """Runs layer after layer; `real` are the steps that are there, None where all are, or none are left."""
        if not len(self):
            raise ConfigError(f"{self.label} has no layers")
        self._check_batch(x)
        if self._input_shape is None and isinstance(x, Tensor):
            self.build((x.shape[0], None, *x.shape[2:]) if self.time_major else (None, *x.shape[1:]))
        for name, layer in self._modules.items():
            if type(layer) is Sequential and not layer._forward_hooks and not layer._forward_pre_hooks:
                x, mask, real = layer._walk(x, mask, real, generator)
                continue
            before = x
            x, (mask, *_) = self.call_with_masks(name, x, mask, generator)
            mask, real = self._real_after(cast(nn.Module, layer), before, mask, real)
        return x, mask, real

    def _check_batch(self, x: Any) -> None:
        """Refuses one sequence without a batch where a layer behind the first one would not know it for one."""
        ranks = [layer.input_rank if isinstance(layer, Layer) else 0 for layer in self]
        if isinstance(x, Tensor) and x.dim() == 2 and ranks[0] == 3 and set(ranks) != {3}:
            problem = f"{self.label} expects an input of shape (batch, time, features), found {tuple(x.shape)}"
            raise ShapeError(Problem(problem, hint="one sequence is a batch of one: x.unsqueeze(0)"))

    def _real_after(
        self, layer: nn.Module, x: Any, mask: Tensor | None, real: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None]:
        """The mask and the steps that are there, after a layer: no layer's own mask brings padding back."""
        if real is None or not isinstance(layer, Layer):
            return mask, real
        if layer.makes_mask:
            return real if mask is None else mask & real, real
        if layer.compute_mask(x, real) is None:
            return mask, None
        time = 0 if self.time_major else 1
        return mask, real.flip(time) if layer.reverses_time else real

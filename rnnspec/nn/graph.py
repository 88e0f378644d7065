"""Graph: layers that take each other's outputs by name, with several inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from rnnspec.errors import ConfigError, MaskError, Problem, ShapeError
from rnnspec.nn.composite import Model, build_part, part_output_shapes
from rnnspec.nn.ragged import is_ragged
from rnnspec.shapes import Shape

__all__ = ["Graph"]

Reference = tuple[str, int, int]
Outputs = tuple[Shape | None, ...] | None


class Graph(Model):
    """A model of layers that take each other's outputs by name, as Keras's functional models.

    `rnnspec.build` makes one of a config. A layer may be called several times, with the same weights. Masks travel with
    the outputs, but not with final states. The names of the layers are those in the `state_dict`.

    Args:
        layers: The layers by name; any torch module may be among them, it gets its input alone.
        calls: The calls in the order in which they run: the name of a layer, and what it takes, each `(name, node,
            tensor)`: an input (its node and tensor are 0), or an output of an earlier call of a layer. A layer that
            merges takes all of them, a recurrent one its input and its initial states.
        inputs: The names of the inputs, in the order in which a call gives them.
        outputs: The tensors that a call returns, each as in `calls`.
        name: Name of the model.
        trainable: False keeps an optimizer from changing the weights of all layers.

    Raises:
        ConfigError: If a name is not there or cannot be used, or a call takes what comes later.

    Examples:
        >>> import torch
        >>> from rnnspec.nn import LSTM, Graph
        >>> layers = {"encoder": LSTM(3, return_state=True), "decoder": LSTM(3, return_sequences=True)}
        >>> states = [("encoder", 0, 1), ("encoder", 0, 2)]
        >>> calls = [("encoder", [("x", 0, 0)]), ("decoder", [("y", 0, 0), *states])]
        >>> model = Graph(layers, calls, ["x", "y"], [("decoder", 0, 0)])
        >>> model(torch.zeros(2, 5, 4), torch.zeros(2, 6, 4)).shape
        torch.Size([2, 6, 3])
    """

    supports_masking = True

    def __init__(
        self,
        layers: Mapping[str, nn.Module],
        calls: Sequence[tuple[str, Sequence[Reference]]],
        inputs: Sequence[str],
        outputs: Sequence[Reference],
        name: str | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name=name, trainable=trainable)
        self.input_names, self.output_tensors = tuple(inputs), tuple(outputs)
        self.calls = tuple((part, tuple(sources)) for part, sources in calls)
        self.input_shapes: tuple[Shape, ...] | None = None
        for part, module in layers.items():
            if "." in part or hasattr(self, part):
                raise ConfigError(f"{self.label} cannot hold a layer named '{part}'")
            self.add_part(part, module)
        self.freeze()
        self._check_order()

    def _check_order(self) -> None:
        """Refuses a call that takes what is not there yet."""
        nodes = dict.fromkeys(self.input_names, 1)
        for part, sources in self.calls:
            self._check_sources(part, sources, nodes)
            if part not in self._modules:
                raise ConfigError(f"{self.label} has no layer '{part}'")
            nodes[part] = nodes.get(part, 0) + 1
        self._check_sources("the output", self.output_tensors, nodes)

    def _check_sources(self, taker: str, sources: Sequence[Reference], nodes: Mapping[str, int]) -> None:
        for source, node, _ in sources:
            if node >= nodes.get(source, 0):
                raise ConfigError(f"{self.label}: {taker} takes '{source}' (node {node}) before it is there")

    @property
    def takes_several(self) -> bool:  # type: ignore[override]  # a class's own, but for a graph
        """Whether there are several inputs."""
        return len(self.input_names) > 1

    @property
    def one_output(self) -> bool:
        """Whether a call returns one tensor."""
        return len(self.output_tensors) == 1

    # Shapes

    @property
    def known_input_shape(self) -> Any:
        """What comes in, with the batch, a list of several; None before the model is built."""
        if self.input_shapes is None:
            return None
        return list(self.input_shapes) if self.takes_several else self.input_shapes[0]

    def build(self, input_shapes: Any) -> None:
        """Builds all layers whose inputs' shapes follow from those of the graph's inputs.

        Args:
            input_shapes: A shape with the batch, None where free; or a list of one for each of several inputs.

        Raises:
            ShapeError: If a layer cannot take what comes to it; its path starts with the layer's name.
        """
        self._follow(input_shapes, build=True)
        self.input_shapes = self._listed(input_shapes)

    def _listed(self, input_shapes: Any) -> tuple[Shape, ...]:
        return tuple(map(tuple, input_shapes)) if self.takes_several else (tuple(input_shapes),)

    def shapes_of_calls(self, input_shapes: Any) -> list[tuple[Any, Outputs]]:
        """What every call takes and gives.

        Args:
            input_shapes: See `build`.

        Returns:
            For each call the shape of its input (several for a layer that merges; None where not known), and the shapes
            of its outputs.
        """
        return self._follow(input_shapes)[0]

    def _follow(
        self, input_shapes: Any, *, build: bool = False
    ) -> tuple[list[tuple[Any, Outputs]], tuple[Shape | None, ...]]:
        """See `shapes_of_calls`; and the shapes of the graph's outputs."""
        known: dict[str, list[Outputs]] = {
            name: [(shape,)] for name, shape in zip(self.input_names, self._listed(input_shapes), strict=True)
        }
        found = []
        for part, sources in self.calls:
            module = cast(nn.Module, self._modules[part])
            coming = _taken(known, sources)
            given = (None if None in coming else coming) if getattr(module, "takes_several", False) else coming[0]
            outputs: Outputs = None if given is None else self._shapes_of_call(part, given, build=build)
            known.setdefault(part, []).append(outputs)
            found.append((given, outputs))
        return found, _taken(known, self.output_tensors)

    def _shapes_of_call(self, part: str, given: Any, *, build: bool) -> tuple[Shape | None, ...]:
        """The shapes of the outputs of a layer for that of its input; it is built for that first."""
        module = cast(nn.Module, self._modules[part])
        try:
            if build:
                build_part(module, given)
            return part_output_shapes(module, given)
        except ShapeError as error:
            raise error.mapped(lambda problem: problem.under(part)) from None

    def output_shapes_of(self, input_shape: Any) -> tuple[Shape | None, ...]:
        """The shapes of all outputs; several inputs have a list of shapes."""
        return self._follow(input_shape)[1]

    def compute_output_shape(self, input_shape: Any) -> Shape | None:
        """The shape of the first output; several inputs have a list of shapes."""
        return self.output_shapes_of(input_shape)[0]

    # Calls

    def compute_masks(self, x: Any, mask: Any) -> tuple[Tensor | None, ...]:
        """The masks that leave with the outputs; this runs the model, and leaves carried states as they are."""
        return self.masks_of(x, mask)

    def forward(self, *x: Any, mask: Any = None, generator: torch.Generator | None = None) -> Any:
        """Runs the model.

        Args:
            *x: The inputs, in order; or one list of them.
            mask: The mask that comes with the input, `(batch, time)`; a list of masks or None for several inputs.
            generator: Where all dropout masks of this call are drawn from, call by call.

        Returns:
            The output, or a tuple of several.

        Raises:
            ShapeError: If there are not as many inputs as the graph has.
            MaskError: If a mask reaches a layer that cannot take one, or there is not one for each input.
        """
        return self.run_with_masks(x[0] if len(x) == 1 else x, mask, generator)[0]

    def run_with_masks(
        self, x: Any, mask: Any = None, generator: torch.Generator | None = None
    ) -> tuple[Any, tuple[Tensor | None, ...]]:
        """Runs the model.

        Args:
            x: The input, or a list of several.
            mask: The mask of the input, or a list of several, None where there is none.
            generator: Where all dropout masks of this call are drawn from.

        Returns:
            The output or a tuple of several, and the masks that leave with them.
        """
        if is_ragged(x):
            message = f"{self.label} takes padded tensors, with masks, found {type(x).__name__}"
            raise ShapeError(Problem(message, hint="a Sequential around a graph of one input takes it"))
        inputs, count = x if isinstance(x, (list, tuple)) else [x], len(self.input_names)
        if len(inputs) != count:
            named = f"{count} input{'s' * (count > 1)} ({', '.join(self.input_names)})"
            raise ShapeError(f"{self.label} takes {named}, found {len(inputs)}")
        tensors: dict[str, list[Any]] = {name: [(one,)] for name, one in zip(self.input_names, inputs, strict=True)}
        masks: dict[str, list[Any]] = {
            name: [(one,)] for name, one in zip(self.input_names, self._listed_masks(mask), strict=True)
        }
        for part, sources in self.calls:
            output, left = self._call(part, self._tensors(tensors, sources), _taken(masks, sources), generator)
            tensors.setdefault(part, []).append(output if isinstance(output, tuple) else (output,))
            masks.setdefault(part, []).append(left)
        outputs = self._tensors(tensors, self.output_tensors)
        return outputs[0] if len(outputs) == 1 else tuple(outputs), _taken(masks, self.output_tensors)

    def _tensors(self, of_calls: Mapping[str, Sequence[Sequence[Any]]], references: Sequence[Reference]) -> list[Any]:
        """The tensors that are referred to."""
        for name, node, tensor in references:
            if tensor >= (count := len(of_calls[name][node])):
                found = f"has {count} output{'s' * (count > 1)}, found its tensor {tensor} (the first is 0)"
                raise ConfigError(f"{self.label}: '{name}' (node {node}) {found}")
        return [of_calls[name][node][tensor] for name, node, tensor in references]

    def _listed_masks(self, mask: Any) -> Sequence[Tensor | None]:
        """The masks of a call, one an input, each of which may be None."""
        count = len(self.input_names)
        if mask is None:
            return [None] * count
        masks = mask if isinstance(mask, (list, tuple)) else [mask]
        if len(masks) != count:
            raise MaskError(f"{self.label} takes a list of {count} masks or None, one an input, found {len(masks)}")
        return masks

    def _call(
        self, part: str, x: Sequence[Any], masks: Sequence[Tensor | None], generator: torch.Generator | None
    ) -> tuple[Any, tuple[Tensor | None, ...]]:
        """Calls one layer; what it returns, and the masks that leave it."""
        if getattr(self._modules[part], "takes_several", False):
            return self.call_with_masks(part, x, masks, generator)
        first, *states = x
        more = {"initial_state": states} if states else {}
        return self.call_with_masks(part, first, masks[0], generator, **more)


def _taken(of_calls: Mapping[str, Sequence[Sequence[Any] | None]], references: Sequence[Reference]) -> tuple[Any, ...]:
    """The shapes or masks that are referred to; None where a call has none, or none for so many outputs."""
    outputs = [(of_calls[name][node], tensor) for name, node, tensor in references]
    return tuple(found[tensor] if found is not None and tensor < len(found) else None for found, tensor in outputs)

"""Graphs of layers, as Polyaxon wrote them and Keras's functional models are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, ClassVar, cast

from attrs import frozen

from rnnspec.config.checks import Limit, Tensors
from rnnspec.config.module import ModuleConfig, ModuleLike
from rnnspec.config.wiring import Wiring, name_problems, names_of, wire
from rnnspec.errors import ConfigError, Problem
from rnnspec.shapes import Shape

__all__ = ["GraphConfig"]


@frozen(slots=False, eq=False, repr=False)
class GraphConfig(ModuleConfig):
    """Layers that say by name what they take; it may stand among the layers of a model.

    A layer's `inbound_nodes` name the layers or inputs whose outputs it takes: one, a list for a layer that merges, or
    a recurrent layer's input followed by its initial states. `[encoder, 0, 1]` is the second output of the first call
    of `encoder`. A layer that does not say it takes the output of the one before it in the list, the first one the only
    input. A list of such lists calls the layer several times, with the same weights.

    Args:
        layers: The layers, one at least: configs, names, or `{Name: {arguments}}`. Names are used once.
        input_layers: Names of the inputs, in order: of `Input` layers, or new ones. Default: the `Input` layers.
        output_layers: The layers whose outputs leave the graph, each `name` or `[name, node, tensor]`. Default: the
            last one.
    """

    identifier: ClassVar[str] = "graph"

    layers: Annotated[Sequence[ModuleLike], Limit("a list of layers", schema={"minItems": 1})]
    input_layers: Tensors = ()
    output_layers: Tensors = ()

    @property
    def stack(self) -> tuple[ModuleConfig, ...]:
        """The layers, as configs."""
        return cast(tuple[ModuleConfig, ...], self.layers)

    @cached_property
    def wiring(self) -> Wiring:
        """What every call of a layer takes, and in which order the calls run."""
        return _wiring(self.stack, cast(Any, self.input_layers), cast(Any, self.output_layers))

    @property
    def takes_several(self) -> bool:  # type: ignore[override]  # a class's own, but for a graph
        """Whether there are several inputs."""
        return len(self.wiring.inputs) > 1

    def declared_input(self) -> Shape | None:
        """What is declared for the only input."""
        from rnnspec.config.graph_shapes import declared_input

        return None if self.takes_several else declared_input(self, self.wiring.inputs[0])

    def output_shapes(self, input_shape: Any) -> tuple[Shape | None, ...]:
        """The shapes of all outputs; several inputs have a list of shapes."""
        from rnnspec.config.graph_shapes import flow_of_shapes

        found = flow_of_shapes(self, input_shape if self.takes_several else [input_shape])
        if found.error is not None:
            raise found.error
        return tuple(map(found.shape, self.wiring.outputs))

    def compute_output_shape(self, input_shape: Any) -> Shape | None:
        """The shape of the first output; see `output_shapes`."""
        return self.output_shapes(input_shape)[0]

    def output_mask(self, mask: Any) -> bool | None:
        """Whether a mask leaves with the first output; see `output_masks`."""
        return self.output_masks(mask)[0]

    def output_masks(self, mask: Any) -> tuple[bool | None, ...]:
        """Whether a mask leaves with each output; several inputs have a list of answers."""
        from rnnspec.config.graph_shapes import flow_of_masks

        found = flow_of_masks(self, mask if self.takes_several else [mask])
        if found.error is not None:
            raise found.error
        return tuple(map(found.mask, self.wiring.outputs))

    def stateful_layers(self) -> list[ModuleConfig]:
        """Those of all layers, in the order of the list."""
        return [found for layer in self.stack for found in layer.stateful_layers()]

    @property
    def output_layer(self) -> ModuleConfig:
        """The layer that gives the first output, or the one inside that."""
        index = self.wiring.places.get(self.wiring.outputs[0].name)
        return self if index is None else self.stack[index].output_layer  # an input may be an output

    @property
    def several_outputs(self) -> str | None:
        """Several `output_layers`."""
        return "output_layers" if len(self.wiring.outputs) > 1 else None

    @classmethod
    def relations(cls, values: Mapping[str, Any]) -> list[Problem]:
        """Checks that every name is there, once, that no layer waits for itself, and that everything is used."""
        if not {"layers", "input_layers", "output_layers"} <= values.keys():
            return []
        layers = values["layers"]
        if not layers:
            return [Problem("a model needs at least one layer, found an empty list", ("layers",))]
        if problems := name_problems(layers):
            return problems
        try:
            _wiring(layers, values["input_layers"], values["output_layers"])
        except ConfigError as error:
            return error.problems
        return []


def _wiring(layers: Sequence[ModuleConfig], inputs: Sequence[Any], outputs: Sequence[Any]) -> Wiring:
    return wire(layers, names_of(layers, [name for name, _, _ in inputs]), inputs, outputs)

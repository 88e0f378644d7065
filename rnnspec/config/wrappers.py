"""Layers around a layer: TimeDistributed and Bidirectional, as in Keras 2.0.8."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, TypeVar, cast

from attrs import frozen

from rnnspec import merging, shapes
from rnnspec.config.graph import GraphConfig
from rnnspec.config.layer import LayerConfig
from rnnspec.config.module import ModuleConfig, ModuleLike
from rnnspec.config.sequence import RecurrentConfig
from rnnspec.errors import Error, Problem, StateError

__all__ = ["BidirectionalConfig", "TimeDistributedConfig", "WrapperConfig"]

Result = TypeVar("Result")


@frozen(slots=False, eq=False, repr=False)
class WrapperConfig(LayerConfig):
    """The base of layers around a layer.

    Args:
        layer: The layer inside: a config, a name, or `{Name: {arguments}}`.
    """

    layer: ModuleLike

    @property
    def inner(self) -> ModuleConfig:
        """The layer inside."""
        return cast(ModuleConfig, self.layer)

    @classmethod
    def relations(cls, values: Mapping[str, Any]) -> list[Problem]:
        """Checks that the layer inside is not a part of a graph."""
        layer = values.get("layer")
        return [] if layer is None else [problem.under("layer") for problem in graph_problems(layer)]

    def stateful_layers(self) -> list[ModuleConfig]:
        """Those of the layer inside."""
        return self.inner.stateful_layers()

    def inside(self, ask: Callable[[shapes.Shape], Result], input_shape: shapes.Shape) -> Result:
        """Asks the layer inside something about a shape; an error gets the path of the layer inside."""
        try:
            return ask(input_shape)
        except Error as error:
            raise error.mapped(lambda problem: problem.under("layer", self.inner.identifier)) from None


def graph_problems(layer: ModuleConfig, *, whole: bool = False) -> list[Problem]:
    """What is wrong with a layer outside a graph: it cannot name the layers before it, nor have several inputs.

    Args:
        layer: The layer.
        whole: Whether it is the whole model: only then may it be a graph with several inputs.

    Returns:
        The problems, with paths that start at the layer.
    """
    if layer.takes_several and not (whole and isinstance(layer, GraphConfig)):
        return [Problem(merging.alone(layer.identifier), (layer.identifier,), at_key=True)]
    if not layer.inbound_nodes:
        return []
    return [Problem("inbound_nodes is for layers of a graph only", (layer.identifier, "inbound_nodes"))]


class TimeDistributedConfig(WrapperConfig):
    """Applies a layer to every step: the input is `(batch, time, ...)`, the layer sees `(batch, ...)`.

    A mask passes through, but does not reach the layer inside.

    Args:
        layer: The layer inside: a config, a name, or `{Name: {arguments}}`.
    """

    identifier: ClassVar[str] = "TimeDistributed"

    def declared_input(self) -> shapes.Shape | None:
        """The input shape that the arguments declare, or the inner layer's with a free time axis."""
        declared = super().declared_input()
        if declared is None and (step := self.inner.declared_input()) is not None:
            return (step[0], None, *step[1:])
        return declared

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """`(batch, time, ...)` with what the layer makes of one step."""
        step = self.inside(self.inner.compute_output_shape, shapes.time_distributed_step(input_shape))
        return None if step is None else shapes.time_distributed(input_shape, step)

    def fixed_sizes(self, input_shape: shapes.Shape) -> tuple[int | None, ...]:
        """What the layer inside fixes of a step."""
        return self.inner.fixed_sizes(shapes.time_distributed_step(input_shape))

    def check_input(self, input_shape: shapes.Shape) -> None:
        """Checks what the layer inside needs."""
        if self.inner.stateful_layers():
            keys = ("layer", self.inner.identifier, "stateful")
            raise StateError(Problem("TimeDistributed cannot hold a stateful layer, its steps are one batch", keys))
        self.inside(self.inner.check_input, shapes.time_distributed_step(input_shape))

    @property
    def several_outputs(self) -> str | None:
        """As the layer inside."""
        return self.inner.several_outputs


@frozen(slots=False, eq=False, repr=False)
class BidirectionalConfig(WrapperConfig):
    """Runs a recurrent layer in both directions over the input and merges the outputs.

    The backward layer is a copy that goes the other way; its sequence of outputs is reversed back before the merge.

    Args:
        layer: The recurrent layer: a config, a name, or `{Name: {arguments}}`.
        merge_mode: `concat` (default), `sum`, `mul`, `ave`, or None, which returns both outputs.
    """

    identifier: ClassVar[str] = "Bidirectional"
    input_rank: ClassVar[int | None] = 3

    merge_mode: Literal["sum", "mul", "concat", "ave"] | None = "concat"

    @classmethod
    def relations(cls, values: Mapping[str, Any]) -> list[Problem]:
        """Checks that the layer inside is recurrent."""
        layer = values.get("layer")
        if layer is not None and not isinstance(layer, RecurrentConfig):
            return [Problem(f"Bidirectional takes a recurrent layer, found {layer.identifier}", ("layer",))]
        return super().relations(values)

    def declared_input(self) -> shapes.Shape | None:
        """The input shape that the arguments declare, or else the inner layer's."""
        declared = super().declared_input()
        return self.inner.declared_input() if declared is None else declared

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """One direction's, its last size doubled by `concat`; with `merge_mode` None that of each output."""
        half = self.inside(self.inner.compute_output_shape, input_shape)
        return None if half is None else shapes.bidirectional(half, merge_mode=self.merge_mode)

    def state_shapes(self, input_shape: shapes.Shape) -> tuple[shapes.Shape, ...] | None:
        """Those of the forward layer, then those of the backward one."""
        states = self.inner.state_shapes(input_shape)
        return None if states is None else states * 2

    def output_shapes(self, input_shape: shapes.Shape) -> tuple[shapes.Shape | None, ...]:
        """The merged output's or both outputs', and those of the states under `return_state`."""
        outputs = (self.compute_output_shape(input_shape),) * (2 if self.merge_mode is None else 1)
        _, *states = self.inside(self.inner.output_shapes, input_shape)
        return (*outputs, *states, *states)

    def fixed_sizes(self, input_shape: shapes.Shape) -> tuple[int | None, ...]:
        """As the layer inside."""
        return self.inner.fixed_sizes(input_shape)

    def check_input(self, input_shape: shapes.Shape) -> None:
        """Checks what the layer inside needs."""
        self.inside(self.inner.check_input, input_shape)

    def output_mask(self, mask: bool | None) -> bool | None:
        """As the layer inside."""
        return self.inner.output_mask(mask)

    def output_masks(self, mask: Any) -> tuple[bool | None, ...]:
        """The same for both outputs, where there are two."""
        return (self.output_mask(mask),) * (2 if self.merge_mode is None else 1)

    @property
    def several_outputs(self) -> str | None:
        """As the layer inside; `merge_mode` None returns two outputs."""
        return "merge_mode" if self.merge_mode is None else self.inner.several_outputs

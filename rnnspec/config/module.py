"""The base of what stands among the layers of a model: a layer, or a model inside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from attrs import frozen

from rnnspec import shapes
from rnnspec.config.base import Preset, TaggedConfig
from rnnspec.config.checks import InboundNodes, LayerName, Reference
from rnnspec.config.tags import tagged
from rnnspec.errors import MaskError
from rnnspec.registry import LAYERS, Registry

__all__ = ["ModuleConfig", "ModuleLike"]


@frozen(slots=False, eq=False, repr=False, kw_only=True)
class ModuleConfig(TaggedConfig):
    """What every layer takes, and every model inside a model, as keyword arguments.

    Args:
        name: Name of the layer, in messages and in the model's `state_dict` keys; no dots.
        trainable: False keeps an optimizer from changing the weights.
        inbound_nodes: In a graph, the layers whose outputs this one takes: `x`, `[x, node, tensor]`, or a list of
            these; a layer that is called several times has a list of such lists. Nothing else than a graph takes it.
    """

    expected: ClassVar[str] = "a layer"
    registry: ClassVar[Registry] = LAYERS
    aliases: ClassVar[Mapping[str, Preset]] = {
        "AvgPool1D": ("AveragePooling1D", {}),
        "Convolution1D": ("Conv1D", {}),
        "GlobalAvgPool1D": ("GlobalAveragePooling1D", {}),
        "GlobalMaxPool1D": ("GlobalMaxPooling1D", {}),
        "MaxPool1D": ("MaxPooling1D", {}),
    }
    supports_masking: ClassVar[bool] = True
    input_rank: ClassVar[int | None] = None
    takes_several: ClassVar[bool] = False
    """Whether one call takes a list of inputs: shapes and masks come as lists too."""

    name: LayerName | None = None
    trainable: bool = True
    inbound_nodes: InboundNodes = ()

    @classmethod
    def from_users_tag(cls, tag: str, arguments: Mapping[str, Any]) -> TaggedConfig:
        """Makes the config of a layer that a user registered."""
        from rnnspec.config.layer import LayerConfig

        return LayerConfig.from_users_tag(tag, arguments)

    @property
    def calls(self) -> tuple[tuple[Reference, ...], ...]:
        """What each call of this layer in a graph takes; none where the layer does not say it."""
        nodes: Any = self.inbound_nodes
        return (nodes,) if nodes and isinstance(nodes[0], Reference) else nodes

    @property
    def label(self) -> str:
        """What messages call this layer: `LSTM`, or `LSTM 'encoder'`."""
        return self.identifier + (f" '{self.name}'" if self.name else "")

    def declared_input(self) -> shapes.Shape | None:
        """The input shape that the arguments declare, with the batch; None if they declare none."""
        return None

    def default_input(self) -> shapes.Shape | None:
        """The input shape of a model that starts with this layer, where nothing else says it; usually unknown."""
        return None

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """Output shape for an input shape, both with the batch.

        Args:
            input_shape: The input's shape, None where a size is free.

        Returns:
            The output's shape (of the first output, if there are several); None where it is not known.

        Raises:
            ShapeError: If the layer cannot take such an input.
        """
        return input_shape

    def check_input(self, input_shape: shapes.Shape) -> None:
        """Checks what else the layer asks of its input than a shape that fits.

        Args:
            input_shape: The input's shape, with the batch.

        Raises:
            ShapeError: If the layer cannot be unrolled over it.
            StateError: If the layer is stateful, and the batch size is not fixed.
        """

    def fixed_sizes(self, input_shape: shapes.Shape) -> tuple[int | None, ...]:
        """The sizes of an input that the weights are made for: a layer that is called again takes the same."""
        return ()

    def output_mask(self, mask: bool | None) -> bool | None:
        """Whether a mask leaves the layer.

        Args:
            mask: Whether one comes with the input; None if that is not known.

        Returns:
            The answer; None if it is not known.

        Raises:
            MaskError: If the layer cannot take a mask.
        """
        if mask and not self.supports_masking:
            raise MaskError("cannot take a mask")
        return mask

    def output_masks(self, mask: Any) -> tuple[bool | None, ...]:
        """Whether a mask leaves with each of the first outputs; with those after them, as final states, none does."""
        return (self.output_mask(mask),)

    def output_shapes(self, input_shape: shapes.Shape) -> tuple[shapes.Shape | None, ...]:
        """The shapes of all outputs; see `compute_output_shape`."""
        return (self.compute_output_shape(input_shape),)

    def state_shapes(self, input_shape: shapes.Shape) -> tuple[shapes.Shape, ...] | None:
        """The shapes of the initial states that a call may be given beside its input; None where not known."""
        return ()

    def stateful_layers(self) -> list[ModuleConfig]:
        """The stateful layers inside, at any depth, in order; the layer itself, if it is one."""
        return [self] if getattr(self, "stateful", False) else []

    @property
    def output_layer(self) -> ModuleConfig:
        """The layer that gives the (first) output: itself, but for a model."""
        return self

    @property
    def several_outputs(self) -> str | None:
        """The argument that makes the layer return several tensors; None if it returns one."""
        return None


ModuleLike = Annotated[ModuleConfig | str | Mapping[str, Any], tagged(ModuleConfig)]

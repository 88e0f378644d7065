"""The base of all layer configs: the arguments of Keras's base layer, shapes and masks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from attrs import fields, frozen

from rnnspec import shapes
from rnnspec.config.base import Preset, TaggedConfig, plain
from rnnspec.config.checks import BatchShape, DType, LayerName, Shape, Tensors, Weights
from rnnspec.config.tags import Registered, tagged
from rnnspec.errors import MaskError, warn
from rnnspec.registry import LAYERS, Registry

__all__ = ["LayerConfig", "LayerLike", "RegisteredLayerConfig"]


@frozen(slots=False, eq=False, repr=False, kw_only=True)
class LayerConfig(TaggedConfig):
    """What every layer takes, as keyword arguments.

    Args:
        name: Name of the layer, in messages and in the model's `state_dict` keys; no dots.
        trainable: False keeps an optimizer from changing the weights.
        dtype: Dtype of the weights: `float16`, `bfloat16`, `float32` or `float64`.
        inbound_nodes: In a graph, the layers whose outputs this one takes: `x`, `[x, node, tensor]`, or a list of
            these. Nothing else than a graph takes it.
        weights: Initial weights, a list of NumPy arrays or of nested lists of numbers, in the order of `get_weights`.
            They win over the initializers.
        input_shape: Shape of one input without the batch, None where it is free: `(10, 64)`. Needed by the first layer
            of a model only.
        batch_input_shape: The same with the batch size: `(32, 10, 64)`. Wins over `input_shape`.
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

    name: LayerName | None = None
    trainable: bool = True
    dtype: DType = "float32"
    inbound_nodes: Tensors = ()
    weights: Weights | None = None
    input_shape: Shape | None = None
    batch_input_shape: BatchShape | None = None

    @classmethod
    def from_users_tag(cls, tag: str, arguments: Mapping[str, Any]) -> TaggedConfig:
        """Makes the config of a layer that a user registered."""
        base = {name: arguments[name] for name in BASE_ARGUMENTS if name in arguments}
        return RegisteredLayerConfig(tag, {key: arguments[key] for key in arguments if key not in base}, **base)

    @property
    def label(self) -> str:
        """What messages call this layer: `LSTM`, or `LSTM 'encoder'`."""
        return self.identifier + (f" '{self.name}'" if self.name else "")

    def declared_input(self) -> shapes.Shape | None:
        """The input shape that the arguments declare, with the batch; None if they declare none."""
        return shapes.declared_input(input_shape=self.input_shape, batch_input_shape=self.batch_input_shape)

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

    @property
    def several_outputs(self) -> str | None:
        """The argument that makes the layer return several tensors; None if it returns one."""
        return None

    def warn(self) -> None:
        """Warns about an initializer's dtype that is not the layer's: the layer's is used."""
        for attribute in fields(type(self)):
            dtype = getattr(getattr(self, attribute.name), "dtype", None)
            if dtype is not None and dtype != self.dtype:
                warn(f"{self.label}: {attribute.name} has dtype {dtype}, the layer's dtype {self.dtype} is used")


BASE_ARGUMENTS = tuple(attribute.name for attribute in fields(LayerConfig))
LayerLike = Annotated[LayerConfig | str | Mapping[str, Any], tagged(LayerConfig)]


@frozen(slots=False, eq=False, repr=False)
class RegisteredLayerConfig(Registered, LayerConfig):
    """A layer that a user registered with `rnnspec.register.layer`.

    The arguments of every layer (`name`, `dtype`, ...) can be given if the registered class takes them.

    Args:
        tag: The registered name.
        arguments: The other arguments, kept as they are.
    """

    @classmethod
    def beside(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The arguments of every layer that differ from their defaults; `inbound_nodes` is the graph's."""
        items = [item for item in fields(LayerConfig) if item.name in values and item.name != "inbound_nodes"]
        return {item.name: values[item.name] for item in items if values[item.name] != item.default}

    def to_schema(self) -> dict[str, Any]:
        """Writes the config as YAML has it: `{name: {arguments}}`."""
        graph = {"inbound_nodes": plain(self.inbound_nodes)} if self.inbound_nodes else {}
        return {self.tag: {**super().to_schema()[self.tag], **graph}}

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """Not known before the layer is made."""
        return None

    def output_mask(self, mask: bool | None) -> bool | None:
        """Not known before the layer is made."""
        return None

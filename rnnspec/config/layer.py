"""The base of all layer configs: the arguments of Keras's base layer, shapes and masks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import fields, frozen

from rnnspec import shapes
from rnnspec.config.base import TaggedConfig, plain
from rnnspec.config.checks import BatchShape, DType, Shape, Weights
from rnnspec.config.module import ModuleConfig
from rnnspec.config.tags import Registered
from rnnspec.errors import warn

__all__ = ["LayerConfig", "RegisteredLayerConfig"]


@frozen(slots=False, eq=False, repr=False, kw_only=True)
class LayerConfig(ModuleConfig):
    """What every layer takes, as keyword arguments.

    Args:
        dtype: Dtype of the weights: `float16`, `bfloat16`, `float32` or `float64`.
        weights: Initial weights, a list of NumPy arrays or of nested lists of numbers, in the order of `get_weights`.
            They win over the initializers.
        input_shape: Shape of one input without the batch, None where it is free: `(10, 64)`. Needed by the first layer
            of a model only.
        batch_input_shape: The same with the batch size: `(32, 10, 64)`. Wins over `input_shape`.
    """

    dtype: DType = "float32"
    weights: Weights | None = None
    input_shape: Shape | None = None
    batch_input_shape: BatchShape | None = None

    @classmethod
    def from_users_tag(cls, tag: str, arguments: Mapping[str, Any]) -> TaggedConfig:
        """Makes the config of a layer that a user registered."""
        base = {name: arguments[name] for name in BASE_ARGUMENTS if name in arguments}
        return RegisteredLayerConfig(tag, {key: arguments[key] for key in arguments if key not in base}, **base)

    def declared_input(self) -> shapes.Shape | None:
        """The input shape that the arguments declare, with the batch; None if they declare none."""
        return shapes.declared_input(input_shape=self.input_shape, batch_input_shape=self.batch_input_shape)

    def warn(self) -> None:
        """Warns about an initializer's dtype that is not the layer's: the layer's is used."""
        for attribute in fields(type(self)):
            dtype = getattr(getattr(self, attribute.name), "dtype", None)
            if dtype is not None and dtype != self.dtype:
                warn(f"{self.label}: {attribute.name} has dtype {dtype}, the layer's dtype {self.dtype} is used")


BASE_ARGUMENTS = tuple(attribute.name for attribute in fields(LayerConfig))


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

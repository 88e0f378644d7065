"""A layer or a model as it was read: the data for our config, and what its weights need to be found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Part"]


@dataclass
class Part:
    """A layer, a wrapper or a model.

    Attributes:
        tag: Our name of its class.
        arguments: The data for our config, without the parts inside.
        name: Its name in Keras.
        keras_class: Its class in Keras, by which groups of weights are numbered.
        inside: The layer of a wrapper, or the layers of a model.
        trainable: Whether the layer itself is to be trained.
        cudnn: Whether it is one of Keras's CuDNN layers.
    """

    tag: str
    arguments: dict[str, Any]
    name: str
    keras_class: str
    inside: list[Part] = field(default_factory=list)
    trainable: bool = True
    cudnn: bool = False

    @property
    def is_model(self) -> bool:
        """Whether it is a model of layers."""
        return self.tag in ("Sequential", "graph")

    @property
    def label(self) -> str:
        """What messages call it: `LSTM 'lstm_1'`."""
        return f"{self.keras_class} '{self.name}'"

    def schema(self) -> dict[str, Any]:
        """The data for our config: `{tag: {arguments}}`."""
        if self.is_model:
            return {self.tag: {**self.arguments, "layers": [part.schema() for part in self.inside]}}
        if self.inside:
            return {self.tag: {"layer": self.inside[0].schema(), **self.arguments}}
        return {self.tag: self.arguments}

    def leaves(self) -> Iterator[Part]:
        """The layers that are no models, in Keras's order."""
        if not self.is_model:
            yield self
            return
        for part in self.inside:
            yield from part.leaves()

"""A layer or a model as it was read: the data for our config, and what its weights need to be found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = ["GATES", "Part", "Reference", "shortest"]

GATES = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}
"""How many blocks of columns the weights of a layer have."""

Reference = tuple[str, int, int]
"""A tensor: the layer, the number of its call, the number of the tensor that it gave."""


@dataclass
class Part:
    """A layer, a wrapper or a model.

    Attributes:
        tag: Our name of its class.
        arguments: The data for our config, without the parts inside and the calls.
        name: Its name in Keras.
        keras_class: Its class in Keras, by which groups of weights are numbered.
        inside: The layer of a wrapper, or the layers of a model.
        trainable: Whether the layer itself is to be trained.
        cudnn: Whether it is one of Keras's CuDNN layers.
        gate_by_gate: Whether Keras keeps three arrays for each of its gates.
        calls: In a graph, the tensors that each of its calls takes, in our names.
        longer_kernel: Whether a step of zeros belongs at the end of its kernel.
        slopes: The activations whose weights `to_keras` scaled, and which are to be divided.
        masked_calls: For each call whether Keras 3 gave it a mask; empty where the file does not say it.
    """

    tag: str
    arguments: dict[str, Any]
    name: str
    keras_class: str
    inside: list[Part] = field(default_factory=list)
    trainable: bool = True
    cudnn: bool = False
    gate_by_gate: bool = False
    calls: list[list[Reference]] = field(default_factory=list)
    longer_kernel: bool = False
    slopes: list[str] = field(default_factory=list)
    masked_calls: list[bool] = field(default_factory=list)

    @property
    def is_model(self) -> bool:
        """Whether it is a model of layers."""
        return self.tag in ("Sequential", "graph")

    @property
    def holds_model(self) -> bool:
        """Whether it is a model, or a wrapper around one."""
        return self.is_model or any(part.holds_model for part in self.inside)

    @property
    def our_name(self) -> str:
        """Its name here."""
        return str(self.arguments["name"])

    @property
    def label(self) -> str:
        """What messages call it: `LSTM 'lstm_1'`."""
        return f"{self.keras_class} '{self.name}'"

    def schema(self) -> dict[str, Any]:
        """The data for our config: `{tag: {arguments}}`."""
        arguments = self.arguments
        if self.calls:
            several = [_written(call) for call in self.calls]
            arguments = {**arguments, "inbound_nodes": several if len(several) > 1 else shortest(self.calls[0])}
        if self.is_model:
            return {self.tag: {**arguments, "layers": [part.schema() for part in self.inside]}}
        if self.inside:
            return {self.tag: {"layer": self.inside[0].schema(), **arguments}}
        return {self.tag: arguments}

    @property
    def first(self) -> Part:
        """The layer or graph that a Sequential's input comes to first."""
        return self.inside[0].first if self.tag == "Sequential" else self

    def leaves(self) -> Iterator[Part]:
        """The layers that hold no models, in Keras's order."""
        if not self.holds_model:
            yield self
            return
        for part in self.inside:
            yield from part.leaves()


def shortest(tensors: list[Reference]) -> Any:
    """Tensors as a user would write them: the first one of a layer by its name, a single one without a list."""
    written = _written(tensors)
    return written[0] if len(written) == 1 else written


def _written(tensors: list[Reference]) -> list[Any]:
    return [name if (node, tensor) == (0, 0) else [name, node, tensor] for name, node, tensor in tensors]

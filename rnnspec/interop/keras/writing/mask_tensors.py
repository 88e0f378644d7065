"""The tensors of masks in a graph of Keras 3: operations that stand among its layers, where Keras makes them itself.

They decide the order in which Keras keeps the layers, so all of them are followed; written are those alone that Keras
would not give a layer by itself: the masks of layers that are called with initial states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rnnspec.config.checks import Reference
from rnnspec.config.core import MaskingConfig
from rnnspec.config.embeddings import EmbeddingConfig
from rnnspec.config.merge import ConcatenateConfig, DotConfig
from rnnspec.config.sequence import RecurrentConfig
from rnnspec.config.wrappers import BidirectionalConfig
from rnnspec.interop.keras.writing.blocks import Names
from rnnspec.interop.keras.writing.objects import keras_object

__all__ = ["MaskTensors", "Operation"]

TAKE_MASKS = ("TimeDistributed", "BatchNormalization", "GlobalAveragePooling1D", "Softmax", "Sequential", "graph")
"""Layers that are called with a mask in Keras 3, beside the recurrent ones."""


@dataclass
class Operation:
    """An operation on tensors.

    Attributes:
        name: Its name.
        class_name: Its class in Keras.
        config: Its arguments.
        sources: The tensors that it takes.
        numbers: What it takes beside them.
    """

    name: str
    class_name: str
    config: dict[str, Any]
    sources: tuple[Reference, ...]
    numbers: tuple[float, ...] = ()

    def entry(self) -> dict[str, Any]:
        """Its configuration."""
        found = keras_object("keras.src.ops.numpy", self.class_name, {"name": self.name, **self.config})
        return {**found, "registered_name": self.class_name}


class MaskTensors:
    """Makes the masks of a graph as Keras does.

    Args:
        names: Gives operations their names.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self.operations: dict[str, Operation] = {}
        self.masks: dict[tuple[str, int], str | None] = {}

    def call(self, config: Any, place: tuple[str, int], sources: Sequence[Reference]) -> str | None:
        """Follows masks through a call of a layer.

        Args:
            config: The layer.
            place: Its name, and the number of the call.
            sources: What it takes, by the names in the file.

        Returns:
            The mask that the layer is called with; None if it takes none, or there is none.
        """
        coming = [self.masks.get(source[:2]) if source[2] == 0 else None for source in sources]
        self.masks[place] = self._after(config, place[0], sources, coming)
        inner = config.inner if isinstance(config, BidirectionalConfig) else config
        takes = isinstance(inner, RecurrentConfig) or config.identifier in TAKE_MASKS
        return coming[0] if takes and not config.takes_several else None

    def needed(self, name: str) -> list[Operation]:
        """An operation and all those before it.

        Args:
            name: Its name.

        Returns:
            The operations.
        """
        operation = self.operations[name]
        before = [source[0] for source in operation.sources if source[0] in self.operations]
        return [*(one for other in before for one in self.needed(other)), operation]

    def _make(self, layer: str, class_name: str, sources: Sequence[Reference], *numbers: float, **config: Any) -> str:
        name = self.names.free(f"{layer}_mask")
        self.operations[name] = Operation(name, class_name, config, tuple(sources), numbers)
        return name

    def _after(self, config: Any, name: str, sources: Sequence[Reference], coming: Sequence[str | None]) -> str | None:
        if isinstance(config, EmbeddingConfig):
            return self._make(name, "NotEqual", sources, 0) if config.mask_zero else None
        if isinstance(config, MaskingConfig):
            unequal = self._make(name, "NotEqual", sources, config.mask_value)
            return self._make(name, "Any", [Reference(unequal)], axis=-1, keepdims=False)
        if isinstance(config, DotConfig) or config.identifier in ("Sequential", "graph"):
            return None
        if isinstance(config, ConcatenateConfig):
            return self._concatenated(config, name, sources, coming)
        if config.takes_several:
            return None if None in coming else self._either(name, [Reference(str(mask)) for mask in coming])
        if coming[0] is None or not config.supports_masking:
            return None
        return coming[0] if config.output_mask(True) else None

    def _either(self, name: str, masks: Sequence[Reference]) -> str:
        found, *others = masks
        for other in others:
            found = Reference(self._make(name, "LogicalOr", [found, other]))
        return found[0]

    def _concatenated(
        self, config: ConcatenateConfig, name: str, sources: Sequence[Reference], coming: Sequence[str | None]
    ) -> str | None:
        if not any(coming):
            return None
        wide: list[Reference] = []
        for source, mask in zip(sources, coming, strict=True):
            if mask is None:
                wide.append(Reference(self._make(name, "OnesLike", [source], dtype="bool")))
                continue
            column = Reference(self._make(name, "ExpandDims", [Reference(mask)], axis=-1))
            zeros = Reference(self._make(name, "ZerosLike", [source], dtype="bool"))
            wide.append(Reference(self._either(name, [column, zeros])))
        joined = self._make(name, "Concatenate", wide, axis=config.axis)
        return self._make(name, "Any", [Reference(joined)], axis=-1, keepdims=False)

"""What the inputs of a model hold: numbers of some dtype, or ids for an Embedding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rnnspec.config.core import InputConfig
from rnnspec.config.embeddings import EmbeddingConfig
from rnnspec.config.graph import GraphConfig
from rnnspec.config.model import SequentialConfig
from rnnspec.interop.keras.writing.objects import keras_object
from rnnspec.shapes import Shape

__all__ = ["Given", "given_to"]


@dataclass(frozen=True)
class Given:
    """One input.

    Attributes:
        shape: Its shape, with the batch.
        ids: How many ids there are, where an Embedding takes it; else None.
        dtype: Its dtype in Keras.
    """

    shape: Shape
    ids: int | None
    dtype: str

    def layer(self, name: str) -> dict[str, Any]:
        """The layer of Keras that declares it."""
        arguments = {"batch_shape": list(self.shape), "dtype": self.dtype, "sparse": False, "name": name}
        return keras_object("keras.layers", "InputLayer", arguments)


def given_to(config: Any, shape: Shape, position: int = 0) -> Given:
    """Tells what an input of a model holds.

    Args:
        config: The model.
        shape: The input's shape.
        position: Which of the inputs it is.

    Returns:
        The input.
    """
    takers = list(_takers(config, position))
    ids = [taker.input_dim for taker in takers if isinstance(taker, EmbeddingConfig)]
    if ids and len(ids) == len(takers):
        return Given(shape, min(ids), "int32")
    return Given(shape, min(ids, default=None), getattr(takers[0], "dtype", "float32") if takers else "float32")


def _takers(config: Any, position: int) -> Iterator[Any]:
    """The layers that an input comes to first."""
    if isinstance(config, GraphConfig):
        name = config.wiring.inputs[position]
        for call in config.wiring.calls:
            for place, source in enumerate(call.sources):
                if source[0] == name:
                    yield from _takers(config.stack[call.layer], place)
    elif isinstance(config, SequentialConfig):
        first = next((layer for layer in config.stack if not isinstance(layer, InputConfig)), None)
        if first is not None:
            yield from _takers(first, position)
    else:
        yield config

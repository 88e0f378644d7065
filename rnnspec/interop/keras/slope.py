"""The old hard_sigmoid in Keras 3's words.

clip(0.2 x + 0.5, 0, 1) is what Keras 3's hard_sigmoid, relu6(x + 3) / 6, gives for 1.2 x. So the weights before it are
written 1.2 times as large; `to_keras` does so, and `from_keras` undoes it where a file tells that it was done.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[Any]

__all__ = ["COLUMNS", "NEW", "OLD", "SLOPE", "scaled"]

OLD, NEW = "hard_sigmoid", "hard_sigmoid_keras3"
"""Our names of Keras's two functions."""

SLOPE = 1.2
"""How many times steeper the old one is."""

COLUMNS: Mapping[str, tuple[int, Mapping[str, tuple[int, ...]]]] = {
    "LSTM": (4, {"recurrent_activation": (0, 1, 3)}),
    "GRU": (3, {"recurrent_activation": (0, 1), "activation": (2,)}),
    "SimpleRNN": (1, {"activation": (0,)}),
    "Dense": (1, {"activation": (0,)}),
    "Conv1D": (1, {"activation": (0,)}),
}
"""Into how many blocks the columns of a layer's weights fall, and which of them an activation acts on.

An LSTM's `activation` is not among them: it also acts on the cell state, before which no weight stands.
"""


def scaled(tag: str, activations: Collection[str], weights: Sequence[Numbers], factor: float) -> list[Numbers]:
    """Multiplies what stands before some activations of a layer.

    Args:
        tag: The layer's class; for a wrapper, that of the layer inside.
        activations: The arguments whose activations are meant.
        weights: Its weights, or those of both directions one after another; all have their columns last.
        factor: The factor.

    Returns:
        The weights, in their dtypes.
    """
    blocks, known = COLUMNS[tag]
    columns = [column for name in activations for column in known[name]]
    found = []
    for weight in weights:
        wide = weight.astype(np.float64)
        for column in columns:
            np.split(wide, blocks, axis=-1)[column][...] *= factor
        found.append(wide.astype(weight.dtype))
    return found

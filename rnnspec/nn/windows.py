"""What convolutions and poolings share: which axis is time, and the steps that TensorFlow adds before and after."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

__all__ = ["DATA_FORMATS", "padded", "time_last"]

DATA_FORMATS = ("channels_last", "channels_first")


def time_last(x: Tensor, data_format: str) -> Tensor:
    """Brings `(batch, time, features)` into the order that torch's own functions take; done twice, it is undone.

    Args:
        x: The input; `(batch, features, time)` if the format is `channels_first`.
        data_format: The order of the axes.

    Returns:
        The input, `(batch, features, time)`; a view.
    """
    return x if data_format == "channels_first" else x.transpose(1, 2)


def padded(x: Tensor, *, size: int, strides: int, padding: str, value: float = 0.0) -> Tensor:
    """Adds steps as TensorFlow does: `same` makes one window start every `strides` steps, `causal` lets none look on.

    Args:
        x: `(batch, features, time)`.
        size: Steps that a window spans.
        strides: Steps from window to window.
        padding: `valid` (none), `same` or `causal`.
        value: What the added steps hold.

    Returns:
        The longer tensor. What `same` cannot add evenly goes to the end.
    """
    if padding == "valid":
        return x
    if padding == "causal":
        return functional.pad(x, (size - 1, 0), value=value)
    time = x.shape[-1]
    missing = max((-(-time // strides) - 1) * strides + size - time, 0)
    return functional.pad(x, (missing // 2, missing - missing // 2), value=value)

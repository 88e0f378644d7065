"""Constraints act after the step of any `torch.optim` optimizer, without a word in the training loop.

torch calls a global hook after every optimizer's step. It looks up which layers with constraints are alive, and applies
the constraints of those weights that the optimizer holds.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

if TYPE_CHECKING:
    from rnnspec.nn.base import Layer

__all__ = ["watch"]

_layers: weakref.WeakSet[Layer] = weakref.WeakSet()
_hooked: list[Any] = []


def watch(layer: Layer) -> None:
    """Applies a layer's constraints after every step of an optimizer that holds one of its constrained weights."""
    _layers.add(layer)
    if not _hooked:
        _hooked.append(register_optimizer_step_post_hook(_after_step))


def _after_step(optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    for layer in list(_layers):
        layer.apply_constraints(only=held)

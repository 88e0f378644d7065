"""Activations in configs: a name, or null for linear.

The names are Keras 2.0's: `elu`, `hard_sigmoid`, `linear`, `relu`, `selu`, `sigmoid`, `softmax`, `softplus`,
`softsign`, `tanh`; and what a user registered with `rnnspec.register.activation`. `hard_sigmoid` is Keras 2's, which is
clip(0.2 x + 0.5, 0, 1). The one of torch and Keras 3, relu6(x + 3) / 6, is another function and has a name of its own,
`hard_sigmoid_keras3`.
"""

from __future__ import annotations

from typing import Annotated

from rnnspec.config.checks import NameIn
from rnnspec.registry import ACTIVATIONS

__all__ = ["ActivationName"]

ActivationName = Annotated[str | None, NameIn(ACTIVATIONS)]

"""The activations: one frozen object per name, with its value and, where there is one, the derivative from the value.

Names and meanings are those of Keras 2.0.8 (`keras/activations.py`). Keras 2's `hard_sigmoid` has slope 0.2; the other
function of that name, `relu6(x + 3) / 6`, is what torch and Keras 3 mean: here it has a name of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from rnnspec.errors import ConfigError, Problem
from rnnspec.registry import ACTIVATIONS

__all__ = [
    "Activation",
    "elu",
    "get",
    "hard_sigmoid",
    "hard_sigmoid_keras3",
    "linear",
    "relu",
    "selu",
    "sigmoid",
    "softmax",
    "softplus",
    "softsign",
    "tanh",
]

Function = Callable[[Tensor], Tensor]

# Klambauer et al. 2017, arXiv:1706.02515; torch's and Keras's constants are the same.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


@dataclass(frozen=True)
class Activation:
    """A function of a tensor that keeps its shape.

    Attributes:
        name: The name in configs and files.
        function: The function itself.
        pointwise: Whether every element depends on the element at its own place alone.
        derivative: The derivative, computed from the function's value; None where the value does not tell it.
    """

    name: str
    function: Function = field(repr=False)
    pointwise: bool = True
    derivative: Function | None = field(default=None, repr=False)

    def __call__(self, x: Tensor) -> Tensor:
        """Applies the function: a tensor of any shape in, one of the same shape and dtype out."""
        return self.function(x)

    def __reduce__(self) -> str | tuple[Any, ...]:
        # The built-in ones are pickled and copied by name, so each stays one object.
        name = self.name
        if globals().get(name) is self:
            return name
        return Activation, (name, self.function, self.pointwise, self.derivative)


def _hard_sigmoid(x: Tensor) -> Tensor:
    # The values of clip(0.2 x + 0.5, 0, 1) to the last bit. Clipping x instead keeps the gradient free of the product's
    # rounding: 0.2 up to and with +-2.5 (as at Keras's equality of minimum and maximum), 0 from the next number on.
    return 0.2 * x.clamp(-2.5, 2.5) + 0.5


def _hard_sigmoid_keras3(x: Tensor) -> Tensor:
    # The gradient of torch's own hardsigmoid takes a float32 for 1/6, in float64 too: 3e-8 off.
    return functional.relu6(x + 3.0) / 6.0


def _softplus(x: Tensor) -> Tensor:
    # torch's own threshold of 20 is 2e-9 off: too much for float64.
    return functional.softplus(x, threshold=40.0)


def _softmax(x: Tensor) -> Tensor:
    return torch.softmax(x, dim=-1)


def _identity(x: Tensor) -> Tensor:
    return x


def _elu_derivative(value: Tensor) -> Tensor:
    return 1.0 + value.clamp(max=0.0)


def _hard_sigmoid_derivative(value: Tensor) -> Tensor:
    # The value does not tell a corner from what lies beyond: 0 there, where autograd has 0.2.
    return 0.2 * ((value > 0.0) & (value < 1.0)).to(value.dtype)


def _hard_sigmoid_keras3_derivative(value: Tensor) -> Tensor:
    return ((value > 0.0) & (value < 1.0)).to(value.dtype) / 6.0


def _relu_derivative(value: Tensor) -> Tensor:
    return (value > 0.0).to(value.dtype)


def _selu_derivative(value: Tensor) -> Tensor:
    return torch.where(value > 0.0, SELU_SCALE, value + SELU_SCALE * SELU_ALPHA)


def _sigmoid_derivative(value: Tensor) -> Tensor:
    return value * (1.0 - value)


def _softplus_derivative(value: Tensor) -> Tensor:
    return -torch.expm1(-value)


def _softsign_derivative(value: Tensor) -> Tensor:
    return (1.0 - value.abs()).square()


def _tanh_derivative(value: Tensor) -> Tensor:
    return 1.0 - value.square()


elu = Activation("elu", functional.elu, derivative=_elu_derivative)
hard_sigmoid = Activation("hard_sigmoid", _hard_sigmoid, derivative=_hard_sigmoid_derivative)
hard_sigmoid_keras3 = Activation(
    "hard_sigmoid_keras3", _hard_sigmoid_keras3, derivative=_hard_sigmoid_keras3_derivative
)
linear = Activation("linear", _identity, derivative=torch.ones_like)
relu = Activation("relu", torch.relu, derivative=_relu_derivative)
selu = Activation("selu", torch.selu, derivative=_selu_derivative)
sigmoid = Activation("sigmoid", torch.sigmoid, derivative=_sigmoid_derivative)
softmax = Activation("softmax", _softmax, pointwise=False)
softplus = Activation("softplus", _softplus, derivative=_softplus_derivative)
softsign = Activation("softsign", functional.softsign, derivative=_softsign_derivative)
tanh = Activation("tanh", torch.tanh, derivative=_tanh_derivative)


def get(value: str | Function | None) -> Activation:
    """Finds an activation.

    Args:
        value: A name (built-in or registered), a function of a tensor such as `torch.tanh`, an `Activation`, or None
            for `linear`. A class is called without arguments to make the function.

    Returns:
        The activation. A user's function is wrapped and counts as not pointwise: nothing is known of it.

    Raises:
        ConfigError: If there is no activation of that name, or the value is none of the above.
    """
    if value is None:
        return linear
    found: Any = ACTIVATIONS.find(value) if isinstance(value, str) else value
    if isinstance(found, Activation):
        return found
    if not callable(found):
        hint = "layers take units first: LSTM(units, input_size=...)" if isinstance(found, int) else None
        raise ConfigError(Problem(f"activation must be a name, a function or None, found {value!r}", hint=hint))
    name = value if isinstance(value, str) else getattr(found, "__name__", type(found).__name__)
    return Activation(name, found() if isinstance(found, type) else found, pointwise=False)

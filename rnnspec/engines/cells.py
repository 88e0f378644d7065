"""The equations of every cell, once, in the letters of the papers.

A cell knows nothing of masks, dropout, time or devices. `x` holds the projected input `x . kernel + bias`, one tensor
`(batch, units)` a gate; `recur(h)` gives the recurrent product `h . recurrent_kernel` in the same form, and
`recur(v, "h")` the product of one gate alone. Input dropout is already in `x`, recurrent dropout is inside `recur`.
`*` is elementwise. `activate` gives the gates, `update` the states that they make; together they are one `step`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NamedTuple, Protocol, overload

from attrs import field, frozen
from torch import Tensor

from rnnspec.engines import activations
from rnnspec.engines.activations import Activation

__all__ = ["GRU", "LSTM", "Cell", "ExtraWeight", "Recur", "SimpleRNN"]

Gates = tuple[Tensor, ...]
States = tuple[Tensor, ...]


class Recur(Protocol):
    """The recurrent product of a step."""

    @overload
    def __call__(self, h: Tensor, gate: str, /) -> Tensor: ...
    @overload
    def __call__(self, h: Tensor, /, *gates: str) -> Gates: ...


class ExtraWeight(NamedTuple):
    """A weight that a cell has beside kernel, recurrent_kernel and bias.

    Attributes:
        shape: Its shape.
        initializer: Anything that names an initializer.
    """

    shape: tuple[int, ...]
    initializer: str = "zeros"


class Cell:
    """The base of all cells: what a cell may declare, and the defaults.

    Attributes:
        gates: Names of the column blocks of kernel, recurrent_kernel and bias, in this order.
        states: Names of the states; the first one is the output.
        recurrent_bias: Whether the recurrent product has a bias of its own; bias is then `(2, gates * units)`.
    """

    gates: ClassVar[tuple[str, ...]]
    states: ClassVar[tuple[str, ...]] = ("h",)
    recurrent_bias: bool = False

    def state_sizes(self, units: int) -> tuple[int, ...]:
        """Widths of the states, in order; the first is the width of the output (a projection is smaller than units)."""
        return (units,) * len(self.states)

    def extra_weights(self, units: int) -> Mapping[str, ExtraWeight]:
        """Weights of the cell's own (a peephole, a projection); the methods below get them as keyword arguments."""
        return {}

    @property
    def shows_gates(self) -> bool:
        """Whether `activate` tells the gates: a cell that defines `step` alone keeps them to itself."""
        return type(self).step is Cell.step

    def activate(self, x: Gates, states: States, recur: Recur, **weights: Tensor) -> Gates:
        """The gates of a step, activated, the candidate among them.

        Args:
            x: The projected input of each gate, `(batch, units)`.
            states: The states before the step, `(batch, state size)` each.
            recur: The recurrent product.
            **weights: The cell's extra weights.

        Returns:
            One tensor `(batch, units)` a gate, in the order of `gates`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define activate and update, or step(x, states, recur)")

    def update(self, gates: Gates, states: States, **weights: Tensor) -> States:
        """What the gates make of the states.

        Args:
            gates: What `activate` returned.
            states: The states before the step.
            **weights: The cell's extra weights.

        Returns:
            The states after the step, in the same order.
        """
        raise NotImplementedError(f"{type(self).__name__} must define update beside activate")

    def step(self, x: Gates, states: States, recur: Recur, **weights: Tensor) -> States:
        """One step of time. A cell whose gates wait for the new states (a peephole) defines this one alone.

        Args:
            x: The projected input of each gate, `(batch, units)`.
            states: The states before the step, `(batch, state size)` each.
            recur: The recurrent product.
            **weights: The cell's extra weights.

        Returns:
            The states after the step, in the same order.
        """
        return self.update(self.activate(x, states, recur, **weights), states, **weights)


@frozen
class SimpleRNN(Cell):
    """The fully connected RNN of Elman (1990), as in Keras 2.0.8.

    h' = a(x . W + b + h . U)
    """

    gates = ("h",)

    activation: Activation = field(default=activations.tanh, converter=activations.get)

    def activate(self, x: Gates, states: States, recur: Recur, **weights: Tensor) -> Gates:
        """See the class; gates: h'."""
        (h,) = states
        return (self.activation(x[0] + recur(h, "h")),)

    def update(self, gates: Gates, states: States, **weights: Tensor) -> States:
        """The one gate is the new state."""
        return gates


@frozen
class LSTM(Cell):
    """The long short-term memory of Hochreiter and Schmidhuber (1997) with a forget gate, as in Keras 2.0.8.

    i = s(x . Wi + bi + h . Ui),  f = s(x . Wf + bf + h . Uf),  o = s(x . Wo + bo + h . Uo)
    g = a(x . Wc + bc + h . Uc)
    c' = f * c + i * g
    h' = o * a(c')
    """

    gates = ("i", "f", "c", "o")
    states = ("h", "c")

    activation: Activation = field(default=activations.tanh, converter=activations.get)
    recurrent_activation: Activation = field(default=activations.hard_sigmoid, converter=activations.get)

    def activate(self, x: Gates, states: States, recur: Recur, **weights: Tensor) -> Gates:
        """See the class; gates: i, f, g, o."""
        a, s = self.activation, self.recurrent_activation
        h, _ = states
        (xi, xf, xc, xo), (ui, uf, uc, uo) = x, recur(h)
        return s(xi + ui), s(xf + uf), a(xc + uc), s(xo + uo)

    def update(self, gates: Gates, states: States, **weights: Tensor) -> States:
        """See the class; states: h, c."""
        i, f, g, o = gates
        _, c = states
        c = f * c + i * g
        return o * self.activation(c), c


@frozen
class GRU(Cell):
    """The gated recurrent unit of Cho et al. (2014), as in Keras 2.0.8: the reset acts before the matrix product.

    z = s(x . Wz + bz + h . Uz),  r = s(x . Wr + br + h . Ur)
    g = a(x . Wh + bh + (r * h) . Uh)
    h' = z * h + (1 - z) * g

    With `reset_after` (Keras 2.1 and cuDNN) it acts after it, and the recurrent product has a bias of its own:
    g = a(x . Wh + bh + r * (h . Uh + ch)).
    """

    gates = ("z", "r", "h")

    activation: Activation = field(default=activations.tanh, converter=activations.get)
    recurrent_activation: Activation = field(default=activations.hard_sigmoid, converter=activations.get)
    reset_after: bool = False

    @property
    def recurrent_bias(self) -> bool:  # type: ignore[override]
        """Only `reset_after` has two biases."""
        return self.reset_after

    def activate(self, x: Gates, states: States, recur: Recur, **weights: Tensor) -> Gates:
        """See the class; gates: z, r, g."""
        a, s = self.activation, self.recurrent_activation
        (h,) = states
        xz, xr, xh = x
        uz, ur = recur(h, "z", "r")
        z = s(xz + uz)
        r = s(xr + ur)
        uh = r * recur(h, "h") if self.reset_after else recur(r * h, "h")
        return z, r, a(xh + uh)

    def update(self, gates: Gates, states: States, **weights: Tensor) -> States:
        """See the class; states: h."""
        z, _, g = gates
        (h,) = states
        return (z * h + (1 - z) * g,)

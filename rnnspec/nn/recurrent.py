"""The recurrent layers: a signature, a docstring and a cell each. All the rest is in `recurrence.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnspec.engines import cells
from rnnspec.errors import warn_overridden_bias
from rnnspec.nn import initializers
from rnnspec.nn.recurrence import Recurrence

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnspec.nn.sequence import SequenceArguments

__all__ = ["GRU", "LSTM", "RNN", "SimpleRNN"]


class RNN(Recurrence):
    """Any cell over time: a user's own, or one of the house.

    The arguments are those of `Recurrence`: the cell, `units`, and what all recurrent layers share. A cell of one's own
    is a class with `gates`, `states` and `step`, see `rnnspec.engines.cells.Cell`.

    Examples:
        >>> from rnnspec.nn import RNN
        >>> RNN("SimpleRNN", 3, input_size=2)
        RNN(2 -> 3)
    """


class SimpleRNN(Recurrence):
    """Fully connected RNN, as in Keras 2.0.8 (Elman, 1990).

    h' = a(x . W + b + h . U), with a = `activation`.

    Weights:
        - `kernel`: W, `(features, units)`.
        - `recurrent_kernel`: U, `(units, units)`.
        - `bias`: b, `(units,)`.

    Args:
        units: Width of the output and of the state, a positive integer.
        activation: Name or function (default `tanh`); None is `linear`.
        use_bias: Whether there is a bias (default True).
        kernel_initializer: Of `kernel` (default Glorot uniform, its fans over the whole matrix).
        recurrent_initializer: Of `recurrent_kernel` (default orthogonal, the whole matrix).
        bias_initializer: Of `bias` (default zeros).
        kernel_regularizer: Adds a loss of `kernel` to `losses`.
        recurrent_regularizer: Adds a loss of `recurrent_kernel`.
        bias_regularizer: Adds a loss of `bias`.
        activity_regularizer: Adds a loss of every returned tensor, summed over batch and time.
        kernel_constraint: Acts on `kernel` after every step of an optimizer.
        recurrent_constraint: Acts on `recurrent_kernel` likewise.
        bias_constraint: Acts on `bias` likewise.
        dropout: Fraction of the input's features that is dropped in training, in [0, 1], with masks that are constant
            over time and drawn anew each call; exactly 1 drops nothing, as in Keras 2.0.
        recurrent_dropout: Fraction of the recurrent product's input that is dropped likewise.
        **sequence: `return_sequences`, `return_state`, `go_backwards`, `stateful`, `implementation`, ...: see
            `SequenceLayer`; `name`, `weights`, `input_shape`, `device`, `dtype`, ...: see `Layer`.

    `SimpleRNN` draws one dropout mask of each kind in every implementation. Calls, returns and errors: see
    `Recurrence.forward`.

    Examples:
        >>> import torch
        >>> from rnnspec.nn import SimpleRNN
        >>> SimpleRNN(3, return_sequences=True)(torch.zeros(4, 5, 2)).shape
        torch.Size([4, 5, 3])
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **sequence: Unpack[SequenceArguments],
    ) -> None:
        super().__init__(
            cells.SimpleRNN(activation),
            units,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            **sequence,
        )


class LSTM(Recurrence):
    """Long short-term memory, as in Keras 2.0.8 (Hochreiter and Schmidhuber, 1997, with a forget gate).

    With a = `activation` and s = `recurrent_activation`:
    i = s(x . Wi + bi + h . Ui),  f = s(x . Wf + bf + h . Uf),  o = s(x . Wo + bo + h . Uo),
    c' = f * c + i * a(x . Wc + bc + h . Uc),  h' = o * a(c').

    Weights, their columns in the gate order i, f, c, o:
        kernel: W, `(features, 4 * units)`.
        recurrent_kernel: U, `(units, 4 * units)`.
        bias: b, `(4 * units,)`; zeros with ones at f, unless `unit_forget_bias` is off.

    Args:
        units: Width of the output and of both states, a positive integer.
        activation: Of the candidate and of the output (default `tanh`); None is `linear`.
        recurrent_activation: Of the gates (default `hard_sigmoid`, clip(0.2 x + 0.5, 0, 1), as in Keras 2; the function
            that torch and Keras 3 call so is `hard_sigmoid_keras3`).
        use_bias: Whether there is a bias (default True).
        kernel_initializer: Of `kernel` (default Glorot uniform, its fans over the whole matrix).
        recurrent_initializer: Of `recurrent_kernel` (default orthogonal, the whole matrix).
        bias_initializer: Of `bias` (default zeros).
        unit_forget_bias: Starts the forget gate's bias at 1 and the rest at 0; overrides `bias_initializer` with a
            warning (default True).
        kernel_regularizer: Adds a loss of `kernel` to `losses`.
        recurrent_regularizer: Adds a loss of `recurrent_kernel`.
        bias_regularizer: Adds a loss of `bias`.
        activity_regularizer: Adds a loss of every returned tensor, summed over batch and time.
        kernel_constraint: Acts on `kernel` after every step of an optimizer.
        recurrent_constraint: Acts on `recurrent_kernel` likewise.
        bias_constraint: Acts on `bias` likewise.
        dropout: Fraction of the input's features that is dropped in training, in [0, 1], with masks that are constant
            over time and drawn anew each call; exactly 1 drops nothing, as in Keras 2.0.
        recurrent_dropout: Fraction of the recurrent product's input that is dropped likewise.
        **sequence: `return_sequences`, `return_state`, `go_backwards`, `stateful`, `implementation`, ...: see
            `SequenceLayer`; `name`, `weights`, `input_shape`, `device`, `dtype`, ...: see `Layer`.

    The states are h, then c. Dropout masks: one a gate in implementation 0 and 1, one for all gates in 2. Calls,
    returns and errors: see `Recurrence.forward`.

    Examples:
        >>> import torch
        >>> from rnnspec.nn import LSTM
        >>> output, h, c = LSTM(3, return_state=True)(torch.zeros(4, 5, 2))
        >>> output.shape
        torch.Size([4, 3])
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **sequence: Unpack[SequenceArguments],
    ) -> None:
        if unit_forget_bias and use_bias:
            if initializers.get(bias_initializer) != initializers.Zeros():
                warn_overridden_bias(type(self).__name__, repr(bias_initializer))
            bias_initializer = initializers.UnitForgetBias(units)
        super().__init__(
            cells.LSTM(activation, recurrent_activation),
            units,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            **sequence,
        )
        self.unit_forget_bias = unit_forget_bias


class GRU(Recurrence):
    """Gated recurrent unit, as in Keras 2.0.8 (Cho et al., 2014): the reset acts before the matrix product.

    With a = `activation` and s = `recurrent_activation`:
    z = s(x . Wz + bz + h . Uz),  r = s(x . Wr + br + h . Ur),
    g = a(x . Wh + bh + (r * h) . Uh),  h' = z * h + (1 - z) * g.
    torch.nn.GRU and cuDNN have another GRU, which `reset_after` chooses: g = a(x . Wh + bh + r * (h . Uh + ch)).

    Weights, their columns in the gate order z, r, h:
        kernel: W, `(features, 3 * units)`.
        recurrent_kernel: U, `(units, 3 * units)`.
        bias: b, `(3 * units,)`; with `reset_after` `(2, 3 * units)`, the second row added to the recurrent product.

    Args:
        units: Width of the output and of the state, a positive integer.
        activation: Of the candidate (default `tanh`); None is `linear`.
        recurrent_activation: Of the gates (default `hard_sigmoid`, clip(0.2 x + 0.5, 0, 1), as in Keras 2).
        use_bias: Whether there is a bias (default True).
        kernel_initializer: Of `kernel` (default Glorot uniform, its fans over the whole matrix).
        recurrent_initializer: Of `recurrent_kernel` (default orthogonal, the whole matrix).
        bias_initializer: Of `bias` (default zeros).
        kernel_regularizer: Adds a loss of `kernel` to `losses`.
        recurrent_regularizer: Adds a loss of `recurrent_kernel`.
        bias_regularizer: Adds a loss of `bias`.
        activity_regularizer: Adds a loss of every returned tensor, summed over batch and time.
        kernel_constraint: Acts on `kernel` after every step of an optimizer.
        recurrent_constraint: Acts on `recurrent_kernel` likewise.
        bias_constraint: Acts on `bias` likewise.
        dropout: Fraction of the input's features that is dropped in training, in [0, 1], with masks that are constant
            over time and drawn anew each call; exactly 1 drops nothing, as in Keras 2.0.
        recurrent_dropout: Fraction of the recurrent product's input that is dropped likewise.
        reset_after: Ours, off by default: the GRU of Keras 2.1 and later and of cuDNN.
        **sequence: `return_sequences`, `return_state`, `go_backwards`, `stateful`, `implementation`, ...: see
            `SequenceLayer`; `name`, `weights`, `input_shape`, `device`, `dtype`, ...: see `Layer`.

    Dropout masks: one a gate in implementation 0 and 1, one for all gates in 2. Calls, returns and errors: see
    `Recurrence.forward`.

    Examples:
        >>> import torch
        >>> from rnnspec.nn import GRU
        >>> GRU(3)(torch.zeros(4, 5, 2)).shape
        torch.Size([4, 3])
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        *,
        reset_after: bool = False,
        **sequence: Unpack[SequenceArguments],
    ) -> None:
        super().__init__(
            cells.GRU(activation, recurrent_activation, reset_after),
            units,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            **sequence,
        )

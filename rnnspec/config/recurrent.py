"""Recurrent layers: arguments, defaults and meaning of Keras 2.0.8. Shapes are `(batch, time, features)`."""

from __future__ import annotations

from typing import ClassVar, cast

from attrs import field, frozen

from rnnspec.config.activations import ActivationName
from rnnspec.config.cells import CellConfig, CellLike
from rnnspec.config.checks import PositiveInt, Rate
from rnnspec.config.constraints import ConstraintLike
from rnnspec.config.initializers import (
    GLOROT_UNIFORM,
    ORTHOGONAL,
    ZEROS,
    InitializerLike,
    ZerosInitializerConfig,
)
from rnnspec.config.regularizers import RegularizerLike
from rnnspec.config.sequence import RecurrentConfig
from rnnspec.errors import warn_overridden_bias

__all__ = ["GRUConfig", "LSTMConfig", "RNNConfig", "RecurrentConfig", "SimpleRNNConfig"]


@frozen(slots=False, eq=False, repr=False)
class SimpleRNNConfig(RecurrentConfig):
    """The fully connected recurrent layer, whose output is fed back to its input.

    With a = `activation`: h' = a(x . kernel + bias + h . recurrent_kernel).
    The arguments of `RecurrentConfig` and `LayerConfig` come as keywords beside these. `implementation` 2 is the same
    as 1 here: there is one gate, so one dropout mask each in any case.

    Args:
        units: Width of the output and of the state, a positive integer.
        activation: Activation of the output (default `tanh`); None is linear.
        use_bias: Whether there is a bias (default True).
        kernel_initializer: How `kernel`, which acts on the inputs, starts (default `GlorotUniform`, its fans over
            the whole matrix); None means the default.
        recurrent_initializer: How `recurrent_kernel`, which acts on the state, starts (default `Orthogonal`, over the
            whole matrix); None means the default.
        bias_initializer: How `bias` starts (default `Zeros`); None means the default.
        kernel_regularizer: Adds a loss of `kernel`.
        recurrent_regularizer: Adds a loss of `recurrent_kernel`.
        bias_regularizer: Adds a loss of `bias`.
        activity_regularizer: Adds a loss of every returned tensor, summed over batch and time, as in 2.0.8.
        kernel_constraint: Acts on `kernel` after every step of an optimizer.
        recurrent_constraint: Acts on `recurrent_kernel`.
        bias_constraint: Acts on `bias`.
        dropout: Share of the inputs to drop, from 0 to 1 (default 0). Exactly 1 is no dropout, as in Keras.
        recurrent_dropout: Share of the state to drop in the recurrent product (default 0); 1 is no dropout.
    """

    identifier: ClassVar[str] = "SimpleRNN"

    units: PositiveInt
    activation: ActivationName = "tanh"
    use_bias: bool = True
    kernel_initializer: InitializerLike | None = GLOROT_UNIFORM
    recurrent_initializer: InitializerLike | None = ORTHOGONAL
    bias_initializer: InitializerLike | None = ZEROS
    kernel_regularizer: RegularizerLike | None = None
    recurrent_regularizer: RegularizerLike | None = None
    bias_regularizer: RegularizerLike | None = None
    activity_regularizer: RegularizerLike | None = None
    kernel_constraint: ConstraintLike | None = None
    recurrent_constraint: ConstraintLike | None = None
    bias_constraint: ConstraintLike | None = None
    dropout: Rate = 0.0
    recurrent_dropout: Rate = 0.0


@frozen(slots=False, eq=False, repr=False)
class LSTMConfig(RecurrentConfig):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997), with a forget gate.

    With a = `activation`, s = `recurrent_activation`, and the columns of the weights in the order i, f, c, o:
    i, f, o = s(x . W + b + h . U) each with its columns; c' = f * c + i * a(x . Wc + bc + h . Uc); h' = o * a(c').
    The states are h and c, in this order. The arguments of `RecurrentConfig` and `LayerConfig` come as keywords beside
    these.

    Args:
        units: Width of the output and of the states, a positive integer.
        activation: Activation of candidate and output (default `tanh`); None is linear.
        recurrent_activation: Activation of the gates (default `hard_sigmoid`, Keras 2's clip(0.2 x + 0.5, 0, 1)); None
            is linear.
        use_bias: Whether there is a bias (default True).
        kernel_initializer: How `kernel`, which acts on the inputs, starts (default `GlorotUniform`, its fans over
            the whole matrix); None means the default.
        recurrent_initializer: How `recurrent_kernel`, which acts on the state, starts (default `Orthogonal`, over the
            whole matrix); None means the default.
        bias_initializer: How `bias` starts (default `Zeros`); None means the default.
        unit_forget_bias: Starts the bias at zeros, with ones at the forget gate (default True; Jozefowicz et al.,
            2015). It forces `bias_initializer` to zeros; another one beside it gives a `ConfigWarning`.
        kernel_regularizer: Adds a loss of `kernel`.
        recurrent_regularizer: Adds a loss of `recurrent_kernel`.
        bias_regularizer: Adds a loss of `bias`.
        activity_regularizer: Adds a loss of every returned tensor, summed over batch and time, as in 2.0.8.
        kernel_constraint: Acts on `kernel` after every step of an optimizer.
        recurrent_constraint: Acts on `recurrent_kernel`.
        bias_constraint: Acts on `bias`.
        dropout: Share of the inputs to drop, from 0 to 1 (default 0). Exactly 1 is no dropout, as in Keras.
        recurrent_dropout: Share of the state to drop in the recurrent product (default 0); 1 is no dropout.
    """

    identifier: ClassVar[str] = "LSTM"
    state_count: ClassVar[int | None] = 2

    units: PositiveInt
    activation: ActivationName = "tanh"
    recurrent_activation: ActivationName = "hard_sigmoid"
    use_bias: bool = True
    kernel_initializer: InitializerLike | None = GLOROT_UNIFORM
    recurrent_initializer: InitializerLike | None = ORTHOGONAL
    bias_initializer: InitializerLike | None = ZEROS
    unit_forget_bias: bool = True
    kernel_regularizer: RegularizerLike | None = None
    recurrent_regularizer: RegularizerLike | None = None
    bias_regularizer: RegularizerLike | None = None
    activity_regularizer: RegularizerLike | None = None
    kernel_constraint: ConstraintLike | None = None
    recurrent_constraint: ConstraintLike | None = None
    bias_constraint: ConstraintLike | None = None
    dropout: Rate = 0.0
    recurrent_dropout: Rate = 0.0

    def warn(self) -> None:
        """Warns about what has no effect, `bias_initializer` beside `unit_forget_bias` among it."""
        super().warn()
        given = self.bias_initializer
        if self.unit_forget_bias and self.use_bias and not isinstance(given, ZerosInitializerConfig):
            warn_overridden_bias(self.label, getattr(given, "identifier", ""))


@frozen(slots=False, eq=False, repr=False)
class GRUConfig(RecurrentConfig):
    """Gated recurrent unit (Cho et al., 2014); the reset gate acts before the recurrent product.

    With a = `activation`, s = `recurrent_activation`, and the columns of the weights in the order z, r, h:
    z, r = s(x . W + b + h . U) each with its columns; g = a(x . Wh + bh + (r * h) . Uh); h' = z * h + (1 - z) * g.
    torch.nn.GRU and cuDNN compute another GRU, which `reset_after` chooses. The arguments of `RecurrentConfig` and
    `LayerConfig` come as keywords beside these.

    Args:
        units: Width of the output and of the state, a positive integer.
        activation: Activation of the candidate (default `tanh`); None is linear.
        recurrent_activation: Activation of the gates (default `hard_sigmoid`, Keras 2's clip(0.2 x + 0.5, 0, 1)); None
            is linear.
        use_bias: Whether there is a bias (default True).
        kernel_initializer: How `kernel`, which acts on the inputs, starts (default `GlorotUniform`, its fans over
            the whole matrix); None means the default.
        recurrent_initializer: How `recurrent_kernel`, which acts on the state, starts (default `Orthogonal`, over the
            whole matrix); None means the default.
        bias_initializer: How `bias` starts (default `Zeros`); None means the default.
        kernel_regularizer: Adds a loss of `kernel`.
        recurrent_regularizer: Adds a loss of `recurrent_kernel`.
        bias_regularizer: Adds a loss of `bias`.
        activity_regularizer: Adds a loss of every returned tensor, summed over batch and time, as in 2.0.8.
        kernel_constraint: Acts on `kernel` after every step of an optimizer.
        recurrent_constraint: Acts on `recurrent_kernel`.
        bias_constraint: Acts on `bias`.
        dropout: Share of the inputs to drop, from 0 to 1 (default 0). Exactly 1 is no dropout, as in Keras.
        recurrent_dropout: Share of the state to drop in the recurrent product (default 0); 1 is no dropout.
        reset_after: Ours, not in Keras 2.0.8 (default False): the reset acts after the product, which has a bias of
            its own, as in later versions of Keras and in cuDNN: g = a(x . Wh + bh + r * (h . Uh + ch)); `bias` is
            `(2, 3 * units)`.
    """

    identifier: ClassVar[str] = "GRU"

    units: PositiveInt
    activation: ActivationName = "tanh"
    recurrent_activation: ActivationName = "hard_sigmoid"
    use_bias: bool = True
    kernel_initializer: InitializerLike | None = GLOROT_UNIFORM
    recurrent_initializer: InitializerLike | None = ORTHOGONAL
    bias_initializer: InitializerLike | None = ZEROS
    kernel_regularizer: RegularizerLike | None = None
    recurrent_regularizer: RegularizerLike | None = None
    bias_regularizer: RegularizerLike | None = None
    activity_regularizer: RegularizerLike | None = None
    kernel_constraint: ConstraintLike | None = None
    recurrent_constraint: ConstraintLike | None = None
    bias_constraint: ConstraintLike | None = None
    dropout: Rate = 0.0
    recurrent_dropout: Rate = 0.0
    reset_after: bool = field(default=False, kw_only=True)


@frozen(slots=False, eq=False, repr=False)
class RNNConfig(RecurrentConfig):
    """A recurrent layer of any cell, a user's own among them; ours, not in Keras 2.0.8.

    The arguments of `RecurrentConfig` and `LayerConfig` come as keywords beside these.

    Args:
        cell: A cell's name, or `{Name: {arguments}}`: `LSTM`, `SimpleRNN`, `GRU`, or one that was registered with
            `rnnspec.register.cell`, whose arguments are checked against its signature.
        units: Width of the state, a positive integer; a cell may have an output of another width.
        use_bias: Whether there is a bias (default True).
        kernel_initializer: How `kernel`, which acts on the inputs, starts (default `GlorotUniform`, its fans over
            the whole matrix); None means the default.
        recurrent_initializer: How `recurrent_kernel`, which acts on the state, starts (default `Orthogonal`, over the
            whole matrix); None means the default.
        bias_initializer: How `bias` starts (default `Zeros`); None means the default.
        kernel_regularizer: Adds a loss of `kernel`.
        recurrent_regularizer: Adds a loss of `recurrent_kernel`.
        bias_regularizer: Adds a loss of `bias`.
        activity_regularizer: Adds a loss of every returned tensor, summed over batch and time, as in 2.0.8.
        kernel_constraint: Acts on `kernel` after every step of an optimizer.
        recurrent_constraint: Acts on `recurrent_kernel`.
        bias_constraint: Acts on `bias`.
        dropout: Share of the inputs to drop, from 0 to 1 (default 0). Exactly 1 is no dropout, as in Keras.
        recurrent_dropout: Share of the state to drop in the recurrent product (default 0); 1 is no dropout.
    """

    identifier: ClassVar[str] = "RNN"
    state_count: ClassVar[int | None] = None

    cell: CellLike
    units: PositiveInt
    use_bias: bool = True
    kernel_initializer: InitializerLike | None = GLOROT_UNIFORM
    recurrent_initializer: InitializerLike | None = ORTHOGONAL
    bias_initializer: InitializerLike | None = ZEROS
    kernel_regularizer: RegularizerLike | None = None
    recurrent_regularizer: RegularizerLike | None = None
    bias_regularizer: RegularizerLike | None = None
    activity_regularizer: RegularizerLike | None = None
    kernel_constraint: ConstraintLike | None = None
    recurrent_constraint: ConstraintLike | None = None
    bias_constraint: ConstraintLike | None = None
    dropout: Rate = 0.0
    recurrent_dropout: Rate = 0.0

    @property
    def output_size(self) -> int:
        """Width of the output: what the cell says."""
        return cast(CellConfig, self.cell).output_size(self.units)

"""What the library is told of a call beside its data, and back again: the numbers of cells and activations."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from rnnspec.engines import activations
from rnnspec.engines.activations import Activation
from rnnspec.engines.cells import GRU, LSTM, Cell, SimpleRNN
from rnnspec.engines.request import Request, Tensors

__all__ = ["ACTIVATIONS", "CELLS", "Data", "Options", "activations_of", "data_of", "options_of", "request_of"]

# In the order of the enums in arguments.h.
CELLS = ("SimpleRNN", "LSTM", "GRU", "GRU reset after")
ACTIVATIONS = (
    *("linear", "tanh", "sigmoid", "hard_sigmoid", "hard_sigmoid_keras3"),
    *("relu", "elu", "selu", "softplus", "softsign"),
)


class Data(NamedTuple):
    """The tensors of a call, in the order of the operators; see `Tensors`. Dropout masks: `(count, batch, width)`."""

    x: Tensor
    kernel: Tensor
    recurrent_kernel: Tensor
    bias: Tensor | None
    h: Tensor
    c: Tensor | None
    mask: Tensor | None
    input_masks: Tensor | None
    recurrent_masks: Tensor | None


class Options(NamedTuple):
    """What a call is told beside its tensors, in the order of the operators.

    Attributes:
        cell: Index of `CELLS`.
        activation: Index of `ACTIVATIONS`.
        recurrent_activation: The same, of the gates.
        go_backwards: Whether time runs from the last step to the first.
        return_sequences: Whether all outputs are wanted, or the last one alone.
        start_with_zeros: Whether masked steps before the first valid one emit zeros.
        checkpoint_every: Steps between the states that are kept for the backward pass; 0 keeps everything.
    """

    cell: int
    activation: int
    recurrent_activation: int
    go_backwards: bool
    return_sequences: bool
    start_with_zeros: bool
    checkpoint_every: int = 0


def data_of(tensors: Tensors) -> Data:
    """The data of a request's tensors, all in the weights' dtype.

    Args:
        tensors: The tensors.

    Returns:
        The data.
    """
    h, *rest = tensors.states
    dtype = tensors.kernel.dtype

    def in_dtype(tensor: Tensor) -> Tensor:
        """It has another one only where it comes from an operation under autocast."""
        return tensor if tensor.dtype == dtype else tensor.to(dtype)

    return Data(
        in_dtype(tensors.x),
        tensors.kernel,
        tensors.recurrent_kernel,
        tensors.bias,
        h,
        rest[0] if rest else None,
        tensors.mask,
        None if tensors.input_masks is None else in_dtype(tensors.input_masks),
        None if tensors.recurrent_masks is None else in_dtype(tensors.recurrent_masks),
    )


def activations_of(cell: Cell) -> tuple[Activation, ...]:
    """The activations of a house cell: its own, and that of its gates if there are any."""
    if isinstance(cell, SimpleRNN):
        return (cell.activation,)
    assert isinstance(cell, (LSTM, GRU))
    return cell.activation, cell.recurrent_activation


def _number(cell: Cell) -> int:
    """The index of a house cell in `CELLS`."""
    if isinstance(cell, GRU):
        return 3 if cell.reset_after else 2
    return 1 if isinstance(cell, LSTM) else 0


def _cell(number: int, activation: Activation, gates: Activation) -> Cell:
    """The house cell with an index in `CELLS`."""
    if number >= 2:
        return GRU(activation, gates, reset_after=number == 3)
    return LSTM(activation, gates) if number else SimpleRNN(activation)


def options_of(request: Request) -> Options:
    """The options of a request.

    Args:
        request: What to do.

    Returns:
        The options.
    """
    kinds = [ACTIVATIONS.index(activation.name) for activation in activations_of(request.cell)]
    return Options(
        cell=_number(request.cell),
        activation=kinds[0],
        recurrent_activation=kinds[-1],
        go_backwards=request.go_backwards,
        return_sequences=request.return_sequences,
        start_with_zeros=request.masked_start == "zeros",
        checkpoint_every=request.checkpoint_every,
    )


def request_of(options: Options, data: Data) -> Request:
    """The request that options and data stand for, as an engine reads it that runs it.

    Args:
        options: The options.
        data: The data.

    Returns:
        The request; what a plan alone would ask is left at its default.
    """
    names = ACTIVATIONS[options.activation], ACTIVATIONS[options.recurrent_activation]
    activation, gates = (getattr(activations, name) for name in names)
    batch, timesteps, features = data.x.shape
    return Request(
        cell=_cell(options.cell, activation, gates),
        units=data.h.shape[1],
        features=features,
        batch=batch,
        timesteps=timesteps,
        dtype=data.x.dtype,
        device=data.x.device,
        masked=data.mask is not None,
        go_backwards=options.go_backwards,
        masked_start="zeros" if options.start_with_zeros else "state",
        return_sequences=options.return_sequences,
    )

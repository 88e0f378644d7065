"""The recurrent layers as functions of their weights: no module, no parameters, nothing kept between two calls.

The weights have the shapes and the gate order of the layers, and the numbers are the layers', so `layer.kernel`,
`layer.recurrent_kernel` and `layer.bias` can be given as they are. For torch.func, for weights that another network
makes, and for everything else that wants a plain function. For `torch.compile(fullgraph=True)` an activation is given
by its built-in name, or the cell is made outside and given to `rnn`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast

import torch
from torch import Tensor

from rnnspec.engines import cells
from rnnspec.engines.cells import Cell
from rnnspec.engines.checks import (
    boolean_mask,
    check_choice,
    check_dtype,
    check_mask_count,
    check_optional_count,
    check_states,
    fitting_dropout_masks,
    weight_shapes,
)
from rnnspec.engines.plan import engine_for
from rnnspec.engines.request import Dropped, Request, Tensors
from rnnspec.errors import DTypeError, ShapeError, WeightsError
from rnnspec.registry import ACTIVATIONS

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["CallArguments", "gru", "lstm", "rnn", "simple_rnn"]

_NAMES = [name for name in ACTIVATIONS.names() if not ACTIVATIONS.is_users(name)]
# torch.compile cannot trace how a cell is made, but it finds a cell that is there: all whose activations are built in.
_CELLS: dict[tuple[Any, ...], Cell] = {
    **{("SimpleRNN", a): cells.SimpleRNN(a) for a in _NAMES},
    **{("LSTM", a, s): cells.LSTM(a, s) for a in _NAMES for s in _NAMES},
    **{("GRU", a, s, after): cells.GRU(a, s, after) for a in _NAMES for s in _NAMES for after in (False, True)},
}


class CallArguments(TypedDict, total=False):
    """The keyword arguments that every function here takes.

    Attributes:
        initial_state: States to start from, `(batch, units)` each; one alone needs no list (default zeros).
        mask: `(batch, time)`, True where a step is valid; a masked step keeps the states (default None).
        return_sequences: Whether to return all outputs, or the last one (default False).
        return_state: Whether to return the final states too (default False).
        go_backwards: Whether time runs from the last step to the first; the outputs come in that order, unreversed
            (default False).
        masked_start: What masked steps before the first valid one emit: the initial `state` (default), or `zeros`.
        input_masks: Dropout masks of the input with their scale, `(batch, features)`: one for all gates or a list of
            one for each. None drops nothing (default).
        recurrent_masks: The same for the recurrent product, `(batch, output size)`.
        checkpoint_every: Steps between the states that are kept for the gradient; what lies between them is computed
            again for it. None or 0 keeps everything (default None).
    """

    initial_state: Tensor | Sequence[Tensor] | None
    mask: Tensor | None
    return_sequences: bool
    return_state: bool
    go_backwards: bool
    masked_start: Literal["state", "zeros"]
    input_masks: Tensor | Sequence[Tensor] | None
    recurrent_masks: Tensor | Sequence[Tensor] | None
    checkpoint_every: int | None


def simple_rnn(
    x: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    *,
    activation: Any = "tanh",
    **call: Unpack[CallArguments],
) -> Tensor | tuple[Tensor, ...]:
    """The fully connected RNN, as `rnnspec.nn.SimpleRNN` computes it.

    Args:
        x: Input, `(batch, time, features)`, or `(time, features)` for one sequence without a batch.
        kernel: `(features, units)`.
        recurrent_kernel: `(units, units)`.
        bias: `(units,)`, or None.
        activation: Name or function (default `tanh`); None is `linear`.
        **call: `initial_state`, `mask`, `return_sequences`, ...: see `CallArguments`.

    Returns:
        What `rnn` returns; the state is h.
    """
    return rnn(_cell(cells.SimpleRNN, activation), x, kernel, recurrent_kernel, bias, **call)


def lstm(
    x: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    *,
    activation: Any = "tanh",
    recurrent_activation: Any = "hard_sigmoid",
    **call: Unpack[CallArguments],
) -> Tensor | tuple[Tensor, ...]:
    """Long short-term memory, as `rnnspec.nn.LSTM` computes it.

    Args:
        x: Input, `(batch, time, features)`, or `(time, features)` for one sequence without a batch.
        kernel: `(features, 4 * units)`, gate order i, f, c, o.
        recurrent_kernel: `(units, 4 * units)`.
        bias: `(4 * units,)`, or None.
        activation: Of the candidate and of the output (default `tanh`); None is `linear`.
        recurrent_activation: Of the gates (default `hard_sigmoid`, clip(0.2 x + 0.5, 0, 1)).
        **call: `initial_state`, `mask`, `return_sequences`, ...: see `CallArguments`.

    Returns:
        What `rnn` returns; the states are h, then c.

    Examples:
        >>> import torch
        >>> from rnnspec.functional import lstm
        >>> lstm(torch.zeros(4, 5, 2), torch.zeros(2, 12), torch.zeros(3, 12)).shape
        torch.Size([4, 3])
    """
    return rnn(_cell(cells.LSTM, activation, recurrent_activation), x, kernel, recurrent_kernel, bias, **call)


def gru(
    x: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    *,
    activation: Any = "tanh",
    recurrent_activation: Any = "hard_sigmoid",
    reset_after: bool = False,
    **call: Unpack[CallArguments],
) -> Tensor | tuple[Tensor, ...]:
    """Gated recurrent unit, as `rnnspec.nn.GRU` computes it.

    Args:
        x: Input, `(batch, time, features)`, or `(time, features)` for one sequence without a batch.
        kernel: `(features, 3 * units)`, gate order z, r, h.
        recurrent_kernel: `(units, 3 * units)`.
        bias: `(3 * units,)`, with `reset_after` `(2, 3 * units)`; or None.
        activation: Of the candidate (default `tanh`); None is `linear`.
        recurrent_activation: Of the gates (default `hard_sigmoid`, clip(0.2 x + 0.5, 0, 1)).
        reset_after: Whether the reset acts after the matrix product, as in cuDNN and torch.nn.GRU.
        **call: `initial_state`, `mask`, `return_sequences`, ...: see `CallArguments`.

    Returns:
        What `rnn` returns; the state is h.
    """
    cell = _cell(cells.GRU, activation, recurrent_activation, reset_after)
    return rnn(cell, x, kernel, recurrent_kernel, bias, **call)


def rnn(
    cell: Cell,
    x: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    *,
    extra_weights: Mapping[str, Tensor] | None = None,
    **call: Unpack[CallArguments],
) -> Tensor | tuple[Tensor, ...]:
    """Any cell over time, as `rnnspec.nn.RNN` computes it.

    Args:
        cell: The cell, an object with the equations.
        x: Input, `(batch, time, features)`, or `(time, features)` for one sequence without a batch; then nothing else
            has a batch either.
        kernel: `(features, gates * units)`.
        recurrent_kernel: `(output size, gates * units)`.
        bias: `(gates * units,)`, or `(2, gates * units)` for a cell with a recurrent bias; or None.
        extra_weights: The cell's own weights by name.
        **call: `initial_state`, `mask`, `return_sequences`, ...: see `CallArguments`.

    Returns:
        The output, `(batch, time, units)` or `(batch, units)`; with `return_state` a tuple of it and the states.

    Raises:
        ShapeError: If the input's shape or that of a dropout mask does not fit.
        DTypeError: If something is no tensor, or its dtype does not fit.
        WeightsError: If a weight's shape does not fit.
    """
    weights = {"kernel": kernel, "recurrent_kernel": recurrent_kernel, "bias": bias, **(extra_weights or {})}
    given = {name: weight for name, weight in weights.items() if weight is not None}
    for name, tensor in {"x": x, **given}.items():
        if not isinstance(tensor, Tensor):
            raise DTypeError(f"{type(cell).__name__} takes {name} as a tensor, found {type(tensor).__name__}")
    units = _check_weights(cell, given)
    if x.dim() != 2:
        return _run(cell, units, x, given, **call)
    returned = _run(cell, units, x.unsqueeze(0), given, **_batch_of_one(call))
    return returned.squeeze(0) if isinstance(returned, Tensor) else tuple(tensor.squeeze(0) for tensor in returned)


def _cell(kind: type[Cell], *arguments: Any) -> Cell:
    """The cell with these arguments."""
    named = all(isinstance(argument, (str, bool)) for argument in arguments)
    known = _CELLS.get((kind.__name__, *arguments)) if named else None
    return kind(*arguments) if known is None else known


def _check_weights(cell: Cell, given: Mapping[str, Tensor]) -> int:
    """Checks the weights against the kernel, and gives the units."""
    label, kernel, gates = type(cell).__name__, given["kernel"], len(cell.gates)
    if kernel.dim() != 2 or kernel.shape[1] % gates or not kernel.shape[1]:
        columns = "units" if gates == 1 else f"{gates} * units"
        raise WeightsError(f"{label} expects a kernel of shape (features, {columns}), found {tuple(kernel.shape)}")
    units = kernel.shape[1] // gates
    needed = weight_shapes(cell, units, kernel.shape[0], use_bias="bias" in given)
    if needed.keys() != given.keys():
        raise WeightsError(f"{label} has the weights {', '.join(needed)}, it was given {', '.join(given)}")
    wrong = [
        f"{label} expects its {name} to have the shape {shape}, found {tuple(given[name].shape)}"
        for name, shape in needed.items()
        if given[name].shape != shape
    ]
    if wrong:
        raise WeightsError(*wrong)
    if not kernel.is_floating_point():
        raise DTypeError(f"{label} computes in floating point, its kernel has dtype {kernel.dtype}")
    for name, weight in given.items():
        if weight.dtype != kernel.dtype:
            raise DTypeError(f"{label}: the {name} has dtype {weight.dtype}, the kernel has {kernel.dtype}")
    return units


def _batch_of_one(call: CallArguments) -> CallArguments:
    """Gives the arguments of a call for one sequence a batch of one row."""
    rows: dict[str, Any] = {}
    for name in ("initial_state", "mask", "input_masks", "recurrent_masks"):
        value = call.get(name)
        if isinstance(value, Tensor):
            rows[name] = value.unsqueeze(0)
        elif isinstance(value, (list, tuple)):
            rows[name] = [item.unsqueeze(0) if isinstance(item, Tensor) else item for item in value]
    return cast("CallArguments", {**call, **rows})


def _run(
    cell: Cell,
    units: int,
    x: Tensor,
    weights: Mapping[str, Tensor],
    *,
    initial_state: Tensor | Sequence[Tensor] | None = None,
    mask: Tensor | None = None,
    return_sequences: bool = False,
    return_state: bool = False,
    go_backwards: bool = False,
    masked_start: Literal["state", "zeros"] = "state",
    input_masks: Tensor | Sequence[Tensor] | None = None,
    recurrent_masks: Tensor | Sequence[Tensor] | None = None,
    checkpoint_every: int | None = None,
) -> Tensor | tuple[Tensor, ...]:
    """Makes the request and its tensors of a batch, and runs the engine that the plan chooses."""
    check_choice("masked_start", masked_start, ("state", "zeros"))
    tensors = _tensors(cell, units, x, weights, initial_state, mask, input_masks, recurrent_masks)
    batch, time, features = x.shape
    kernel = tensors.kernel
    request = Request(
        cell=cell,
        units=units,
        features=features,
        batch=batch,
        timesteps=time,
        dtype=kernel.dtype,
        device=kernel.device,
        masked=mask is not None,
        go_backwards=go_backwards,
        masked_start=masked_start,
        return_sequences=return_sequences,
        input_dropout=_dropped(tensors.input_masks),
        recurrent_dropout=_dropped(tensors.recurrent_masks),
        checkpoint_every=check_optional_count("checkpoint_every", checkpoint_every) or 0,
    )
    result = engine_for(request).run(request, tensors)
    return (result.output, *result.states) if return_state else result.output


def _tensors(
    cell: Cell,
    units: int,
    x: Tensor,
    weights: Mapping[str, Tensor],
    initial_state: Tensor | Sequence[Tensor] | None,
    mask: Tensor | None,
    input_masks: Tensor | Sequence[Tensor] | None,
    recurrent_masks: Tensor | Sequence[Tensor] | None,
) -> Tensors:
    """Checks the tensors of a call, and gathers them."""
    label, own = type(cell).__name__, dict(weights)
    kernel, recurrent_kernel, bias = own.pop("kernel"), own.pop("recurrent_kernel"), own.pop("bias", None)
    if x.dim() != 3:
        raise ShapeError(
            f"{label} expects an input of shape (batch, time, features) or (time, features), found {tuple(x.shape)}"
        )
    if x.shape[2] != kernel.shape[0]:
        raise ShapeError(f"{label} expects {kernel.shape[0]} features, found {x.shape[2]}")
    check_dtype(label, x, kernel.dtype)
    batch, _, features = x.shape
    return Tensors(
        x=x,
        states=_states(cell, units, batch, initial_state, kernel),
        kernel=kernel,
        recurrent_kernel=recurrent_kernel,
        bias=bias,
        extra_weights=own,
        mask=None if mask is None else boolean_mask(label, mask, x.shape[:2]),
        input_masks=_dropout_masks(cell, "input_masks", input_masks, (batch, features), kernel),
        recurrent_masks=_dropout_masks(
            cell, "recurrent_masks", recurrent_masks, (batch, len(recurrent_kernel)), kernel
        ),
    )


def _states(
    cell: Cell, units: int, batch: int, given: Tensor | Sequence[Tensor] | None, kernel: Tensor
) -> tuple[Tensor, ...]:
    shapes = [(batch, size) for size in cell.state_sizes(units)]
    if given is None:
        return tuple(torch.zeros(shape, dtype=kernel.dtype, device=kernel.device) for shape in shapes)
    return check_states(type(cell).__name__, "initial_state", given, cell=cell, shapes=shapes, dtype=kernel.dtype)


def _dropout_masks(
    cell: Cell, name: str, given: Tensor | Sequence[Tensor] | None, shape: tuple[int, int], kernel: Tensor
) -> Tensor | None:
    """The dropout masks as one tensor in the weights' dtype, if they fit."""
    if given is None:
        return None
    masks = (given,) if isinstance(given, Tensor) else tuple(given)
    label = type(cell).__name__
    check_mask_count(label, name, masks, cell)
    return fitting_dropout_masks(label, masks, shape, kernel)


def _dropped(masks: Tensor | None) -> Dropped:
    if masks is None:
        return "none"
    return "shared" if len(masks) == 1 else "per gate"

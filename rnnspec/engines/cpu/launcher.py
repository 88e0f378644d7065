"""Calls the C library: tensors and numbers into the array of `src/arguments.h`."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from rnnspec.engines.cpu import library

__all__ = ["ACTIVATIONS", "CELLS", "FIELDS", "Options", "arguments", "launch", "reserve_size", "strided"]

# In the order of the enums in arguments.h.
CELLS = ("SimpleRNN", "LSTM", "GRU", "GRU reset after")
ACTIVATIONS = (
    *("linear", "tanh", "sigmoid", "hard_sigmoid", "hard_sigmoid_keras3"),
    *("relu", "elu", "selu", "softplus", "softsign"),
)
SLOTS = (1, 4, 3, 4)  # what each cell keeps of a step beside its states
STATES = (1, 2, 1, 1)

# In the order of the struct in arguments.h.
FIELDS = (
    *("cell", "activation", "recurrent_activation", "instruction_set", "is_double"),
    *("batch", "timesteps", "features", "units", "threads"),
    *("checkpoint_every", "return_sequences", "start_with_zeros"),
    *("x", "x_batch_stride", "x_time_stride", "mask", "mask_batch_stride", "mask_time_stride"),
    *("input_masks", "input_mask_count", "recurrent_masks", "recurrent_mask_count"),
    *("kernel", "recurrent_kernel", "bias", "initial_h", "initial_c"),
    *("output", "output_batch_stride", "output_time_stride", "final_h", "final_c", "reserve"),
    *("d_output", "d_output_batch_stride", "d_output_time_stride", "d_final_h", "d_final_c"),
    *("d_x", "d_x_batch_stride", "d_x_time_stride"),
    *("d_kernel", "d_recurrent_kernel", "d_bias", "d_initial_h", "d_initial_c"),
)
_Array = ctypes.c_int64 * len(FIELDS)


class Options(NamedTuple):
    """What a call is told beside its tensors.

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


def strided(name: str, tensor: Tensor | None, go_backwards: bool) -> dict[str, int]:
    """The fields of a tensor `(batch, time, ...)`: its first processed step, and the strides of batch and time."""
    if tensor is None:
        return {}
    batch, time = tensor.stride(0), tensor.stride(1)
    start = tensor.data_ptr()
    if go_backwards:
        start += (tensor.shape[1] - 1) * time * tensor.element_size()
        time = -time
    return {name: start, f"{name}_batch_stride": batch, f"{name}_time_stride": time}


def reserve_size(options: Options, x: Tensor, units: int) -> int:
    """Numbers that a backward pass needs to be kept, the same for every instruction set.

    Args:
        options: What the call is told.
        x: The input, `(batch, time, features)`.
        units: Width of a gate.

    Returns:
        The size.
    """
    line = 128 // x.element_size()
    columns = -(-units // line) * line
    batch, steps = x.shape[0], x.shape[1]
    every = options.checkpoint_every
    if every:
        return 4 * line + batch * -(-steps // every) * columns * STATES[options.cell]
    return 4 * line + batch * steps * columns * (STATES[options.cell] + SLOTS[options.cell])


def arguments(
    options: Options, sizes: tuple[int, int, int], units: int, fields: Mapping[str, Tensor | int | None]
) -> ctypes.Array[ctypes.c_int64]:
    """The array of a call.

    Args:
        options: What the call is told.
        sizes: Batch, timesteps and features.
        units: Width of a gate.
        fields: All other fields by name; a tensor stands for its address, what is left out is 0.

    Returns:
        The array.
    """
    batch, timesteps, features = sizes
    values: dict[str, Tensor | int | None] = {
        "cell": options.cell,
        "activation": options.activation,
        "recurrent_activation": options.recurrent_activation,
        "instruction_set": library.instruction_set(),
        "batch": batch,
        "timesteps": timesteps,
        "features": features,
        "units": units,
        "threads": torch.get_num_threads(),
        "checkpoint_every": options.checkpoint_every,
        "return_sequences": options.return_sequences,
        "start_with_zeros": options.start_with_zeros,
        **fields,
    }
    return _Array(*[_number(values.get(name)) for name in FIELDS])


def launch(direction: str, options: Options, x: Tensor, units: int, fields: Mapping[str, Tensor | int | None]) -> None:
    """Calls the library.

    Args:
        direction: `forward` or `backward`.
        options: What the call is told.
        x: The input, `(batch, time, features)`; its last stride is 1.
        units: Width of a gate.
        fields: All other fields by name; a tensor stands for its address, what is left out is 0.

    Raises:
        MemoryError: If there is no memory for the panels.
    """
    is_double = x.dtype == torch.float64
    given = {"is_double": is_double, **strided("x", x, options.go_backwards), **fields}
    batch, timesteps, features = x.shape
    call = arguments(options, (batch, timesteps, features), units, given)
    if getattr(library.load(), f"rnnspec_{direction}")(call):
        raise MemoryError("the engine 'cpu' found no memory for the panels of a call")


def _number(value: Tensor | int | None) -> int:
    """A field: a number, or the address of a tensor."""
    if value is None:
        return 0
    return value.data_ptr() if isinstance(value, Tensor) else int(value)

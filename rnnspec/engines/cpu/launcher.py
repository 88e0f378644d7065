"""Calls the C library: tensors and numbers become the `Arguments` of `src/arguments.h`."""

from __future__ import annotations

import struct

import torch
from torch import Tensor

from rnnspec.engines.cpu import library
from rnnspec.engines.cpu.options import Data, Options

__all__ = ["FIELDS", "arguments", "backward", "backward_results", "forward", "forward_results", "laid_out"]

FIELDS = 47
"""How many `Arguments` has; all of them are integers of 64 bits, for a pointer is one here."""

RESULT_FIELDS = 19  # from `output` on
_arguments = struct.Struct(f"{FIELDS}q")

SLOTS = (1, 4, 3, 4)  # what each cell keeps of a step beside its states
STATES = (1, 2, 1, 1)

Maybe = Tensor | None


def _address(tensor: Maybe) -> int:
    return 0 if tensor is None else tensor.data_ptr()


def _strided(tensor: Maybe, go_backwards: bool) -> tuple[int, int, int]:
    """Where the first processed step of `(batch, time, ...)` is, and the strides of batch and time."""
    if tensor is None:
        return 0, 0, 0
    start, batch, time = tensor.data_ptr(), tensor.stride(0), tensor.stride(1)
    if go_backwards:
        return start + (tensor.shape[1] - 1) * time * tensor.element_size(), batch, -time
    return start, batch, time


def _output(tensor: Maybe, options: Options) -> tuple[int, int, int]:
    """The same of outputs, which stand in processing order and may be those of the last step alone."""
    if tensor is None:
        return 0, 0, 0
    return tensor.data_ptr(), tensor.stride(0), tensor.stride(1) if options.return_sequences else 0


def _masks(masks: Maybe) -> tuple[int, int]:
    return (0, 0) if masks is None else (masks.data_ptr(), masks.shape[0])


def _contiguous(tensor: Maybe) -> Maybe:
    return None if tensor is None else tensor.contiguous()


def laid_out(data: Data) -> Data:
    """The data as the library can read it: only x and the mask may have gaps, and no features of x."""
    x, kernel, recurrent_kernel, bias, h, c, mask, input_masks, recurrent_masks = data
    return Data(
        x if x.stride(2) == 1 else x.contiguous(),
        kernel.contiguous(),
        recurrent_kernel.contiguous(),
        _contiguous(bias),
        h.contiguous(),
        _contiguous(c),
        mask,
        _contiguous(input_masks),
        _contiguous(recurrent_masks),
    )


def arguments(data: Data, options: Options, results: tuple[int, ...] = ()) -> bytes:
    """The `Arguments` of a call.

    Args:
        data: The data, laid out; it must live as long as the library reads it.
        options: What the call is told.
        results: The fields from `output` on; those that are left out are 0.

    Returns:
        What the library reads.
    """
    x, kernel, recurrent_kernel, bias, h, c, mask, input_masks, recurrent_masks = data
    batch, timesteps, features = x.shape
    return _arguments.pack(
        *(options.cell, options.activation, options.recurrent_activation),
        *(library.instruction_set(), x.dtype == torch.float64),
        *(batch, timesteps, features, h.shape[1], torch.get_num_threads()),
        *(options.checkpoint_every, options.return_sequences, options.start_with_zeros),
        *_strided(x, options.go_backwards),
        *_strided(mask, options.go_backwards),
        *_masks(input_masks),
        *_masks(recurrent_masks),
        *(_address(kernel), _address(recurrent_kernel), _address(bias), _address(h), _address(c)),
        *results,
        *(0,) * (RESULT_FIELDS - len(results)),
    )


def _launch(direction: str, data: Data, options: Options, results: tuple[int, ...]) -> None:
    """Calls the library, `forward` or `backward`; see `arguments`. No memory for the panels is an error."""
    if getattr(library.load(), f"rnnspec_{direction}")(arguments(data, options, results)):
        raise MemoryError("the engine 'cpu' found no memory for the panels of a call")


def _reserve_size(data: Data, options: Options) -> int:
    """How many numbers a backward pass needs to be kept, the same for every instruction set."""
    x, units, every = data.x, data.h.shape[1], options.checkpoint_every
    line = 128 // x.element_size()
    columns = -(-units // line) * line
    batch, steps = x.shape[0], x.shape[1]
    if every:
        return 4 * line + batch * -(-steps // every) * columns * STATES[options.cell]
    return 4 * line + batch * steps * columns * (STATES[options.cell] + SLOTS[options.cell])


def forward_results(data: Data, options: Options, *, keeps: bool) -> tuple[Tensor, Tensor, Maybe, Maybe]:
    """Uninitialised results of a forward pass.

    Args:
        data: The data.
        options: What the call is told.
        keeps: Whether a backward pass will follow.

    Returns:
        The output, the final h, the final c of a cell that has one, and what the backward pass needs.
    """
    x, (batch, units) = data.x, data.h.shape
    shape = (batch, x.shape[1], units) if options.return_sequences else (batch, units)
    return (
        x.new_empty(shape),
        x.new_empty((batch, units)),
        None if data.c is None else x.new_empty((batch, units)),
        x.new_empty(_reserve_size(data, options)) if keeps else None,
    )


def forward(data: Data, options: Options, *, keeps: bool) -> tuple[Tensor, Tensor, Maybe, Maybe]:
    """Runs the forward pass; see `forward_results`."""
    data = laid_out(data)
    output, h, c, reserve = results = forward_results(data, options, keeps=keeps)
    fields = (*_output(output, options), _address(h), _address(c), _address(reserve))
    _launch("forward", data, options, fields)
    return results


def backward_results(data: Data, *, input_too: bool) -> tuple[Maybe, ...]:
    """Uninitialised gradients of the first six of the data.

    Args:
        data: The data.
        input_too: Whether x has a gradient.

    Returns:
        Tensors; None for what has no gradient.
    """
    x, *others = data[:6]
    return (
        x.new_empty(x.shape) if input_too else None,
        *[None if tensor is None else x.new_empty(tensor.shape) for tensor in others],
    )


def backward(
    d_output: Maybe, d_h: Maybe, d_c: Maybe, reserve: Tensor, data: Data, options: Options, *, input_too: bool
) -> tuple[Maybe, ...]:
    """Runs the backward pass.

    Args:
        d_output: Gradient of the output; None: zeros, here and below.
        d_h: Gradient of the final h.
        d_c: Gradient of the final c.
        reserve: What the forward pass kept.
        data: The data.
        options: What the call is told.
        input_too: Whether x has a gradient.

    Returns:
        See `backward_results`.
    """
    data = laid_out(data)
    d_output, d_h, d_c = map(_contiguous, (d_output, d_h, d_c))
    d_x, *others = gradients = backward_results(data, input_too=input_too)
    d_kernel, d_recurrent_kernel, d_bias, d_initial_h, d_initial_c = map(_address, others)
    fields = (
        *(0, 0, 0, 0, 0, _address(reserve)),
        *_output(d_output, options),
        *(_address(d_h), _address(d_c)),
        *_strided(d_x, options.go_backwards),
        *(d_kernel, d_recurrent_kernel, d_bias, d_initial_h, d_initial_c),
    )
    _launch("backward", data, options, fields)
    return gradients

"""The operators `rnnspec::sweep` and `rnnspec::sweep_backward`: what torch knows of the C library.

Fake kernels tell the shapes, an autograd formula joins the two. Tensors that a call does not have come back empty.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rnnspec.engines import activations, cells
from rnnspec.engines.cpu.launcher import ACTIVATIONS, Options, launch, reserve_size, strided
from rnnspec.engines.request import Request, Result, Tensors
from rnnspec.engines.steps import sequence as steps

__all__ = ["sweep"]

_DATA = (
    "Tensor x, Tensor kernel, Tensor recurrent_kernel, Tensor? bias, Tensor h, Tensor? c, Tensor? mask, "
    "Tensor? input_masks, Tensor? recurrent_masks"
)
_OPTIONS = (
    "int cell, int activation, int recurrent_activation, bool go_backwards, bool return_sequences, "
    "bool start_with_zeros, int checkpoint_every"
)
_library = torch.library.Library("rnnspec", "FRAGMENT")  # type: ignore[no-untyped-call]
_library.define(f"sweep({_DATA}, {_OPTIONS}, bool keep) -> (Tensor, Tensor, Tensor, Tensor)")  # type: ignore[no-untyped-call]
_library.define(  # type: ignore[no-untyped-call]
    f"sweep_backward(Tensor? d_output, Tensor? d_h, Tensor? d_c, Tensor reserve, {_DATA}, {_OPTIONS})"
    " -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)"
)

Maybe = Tensor | None
_DATA_COUNT = 9  # the arguments of _DATA


def _count(masks: Maybe) -> int:
    return 0 if masks is None else masks.shape[0]


def _given(data: tuple[Any, ...], go_backwards: bool) -> dict[str, Tensor | int | None]:
    """The fields of everything that both directions read, but for x."""
    _, kernel, recurrent_kernel, bias, h, c, mask, input_masks, recurrent_masks = data
    return {
        **strided("mask", mask, go_backwards),
        "input_masks": input_masks,
        "input_mask_count": _count(input_masks),
        "recurrent_masks": recurrent_masks,
        "recurrent_mask_count": _count(recurrent_masks),
        "kernel": kernel,
        "recurrent_kernel": recurrent_kernel,
        "bias": bias,
        "initial_h": h,
        "initial_c": c,
    }


def _results(options: Options, x: Tensor, h: Tensor, c: Maybe, keep: bool) -> tuple[Tensor, ...]:
    """Empty output, states and reserve."""
    batch, units = h.shape
    shape = (batch, x.shape[1], units) if options.return_sequences else (batch, units)
    final_c = x.new_empty(0 if c is None else (batch, units))
    reserve = x.new_empty(reserve_size(options, x, units) if keep else 0)
    return x.new_empty(shape), x.new_empty(batch, units), final_c, reserve


def _sweep(*arguments: Any) -> tuple[Tensor, ...]:
    """The forward kernel."""
    data, options, keep = arguments[:_DATA_COUNT], Options(*arguments[_DATA_COUNT:-1]), arguments[-1]
    x, h, c = data[0], data[4], data[5]
    output, final_h, final_c, reserve = _results(options, x, h, c, keep)
    fields = {**_given(data, options.go_backwards), "final_h": final_h, "reserve": reserve if keep else None}
    fields["final_c"] = None if c is None else final_c
    fields.update(output=output, output_batch_stride=output.stride(0))
    fields["output_time_stride"] = output.stride(1) if options.return_sequences else 0
    launch("forward", options, x, h.shape[1], fields)
    return output, final_h, final_c, reserve


def _fake_sweep(*arguments: Any) -> tuple[Tensor, ...]:
    """The shapes of the forward pass."""
    return _results(Options(*arguments[_DATA_COUNT:-1]), arguments[0], arguments[4], arguments[5], arguments[-1])


def _gradients(data: tuple[Any, ...]) -> tuple[Tensor, ...]:
    """Empty gradients of x, kernel, recurrent kernel, bias, h and c."""
    x, *others = data[:6]
    contiguous = [x.new_empty(0 if tensor is None else tensor.shape) for tensor in others]
    return (x.new_empty(x.shape), *contiguous)


def _sweep_backward(d_output: Maybe, d_h: Maybe, d_c: Maybe, reserve: Tensor, *arguments: Any) -> tuple[Tensor, ...]:
    """The backward kernel."""
    data, options = arguments[:_DATA_COUNT], Options(*arguments[_DATA_COUNT:])
    x, bias, c = data[0], data[3], data[5]
    d_x, d_kernel, d_recurrent_kernel, d_bias, d_initial_h, d_initial_c = gradients = _gradients(data)
    if d_output is not None and not d_output.is_contiguous():
        d_output = d_output.contiguous()
    d_h, d_c = (None if gradient is None else gradient.contiguous() for gradient in (d_h, d_c))
    fields = {**_given(data, options.go_backwards), **strided("d_x", d_x, options.go_backwards)}
    if d_output is not None:
        fields.update(d_output=d_output, d_output_batch_stride=d_output.stride(0))
        fields["d_output_time_stride"] = d_output.stride(1) if options.return_sequences else 0
    fields.update(reserve=reserve, d_final_h=d_h, d_final_c=d_c, d_kernel=d_kernel)
    fields.update(d_recurrent_kernel=d_recurrent_kernel, d_initial_h=d_initial_h)
    fields.update(d_bias=None if bias is None else d_bias, d_initial_c=None if c is None else d_initial_c)
    launch("backward", options, x, data[4].shape[1], fields)
    return gradients


def _fake_sweep_backward(d_output: Maybe, d_h: Maybe, d_c: Maybe, reserve: Tensor, *arguments: Any) -> Any:
    """The shapes of the backward pass."""
    return _gradients(arguments[:_DATA_COUNT])


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    ctx.save_for_backward(*inputs[:_DATA_COUNT], output[3])
    ctx.options = inputs[_DATA_COUNT:-1]
    ctx.set_materialize_grads(False)


def _backward(ctx: Any, d_output: Maybe, d_h: Maybe, d_c: Maybe, d_reserve: Maybe) -> tuple[Any, ...]:
    """The autograd formula. Grad mode is on where a gradient of the gradient is wanted: the loop then gives both."""
    *data, reserve = ctx.saved_tensors
    options = ctx.options
    # The library knows no gradient of its gradient, and none of dropout masks.
    if torch.is_grad_enabled() or any(ctx.needs_input_grad[7:_DATA_COUNT]):
        gradients = _through_the_loop((d_output, d_h, d_c), tuple(data), Options(*options))
    else:
        found = torch.ops.rnnspec.sweep_backward(d_output, d_h, d_c, reserve, *data, *options)
        gradients = tuple(None if tensor is None else g for tensor, g in zip(data[:6], found, strict=True))
        gradients += (None,) * (_DATA_COUNT - 6)
    return (*gradients, *[None] * (len(options) + 1))


def _request(data: tuple[Any, ...], options: Options) -> Request:
    """The request that a call of the operator stands for."""
    x, h, mask = data[0], data[4], data[6]
    activation, gates = (
        getattr(activations, ACTIVATIONS[i]) for i in (options.activation, options.recurrent_activation)
    )
    cell: cells.Cell = (
        cells.SimpleRNN(activation),
        cells.LSTM(activation, gates),
        cells.GRU(activation, gates),
        cells.GRU(activation, gates, reset_after=True),
    )[options.cell]
    return Request(
        cell=cell,
        units=h.shape[1],
        features=x.shape[2],
        batch=x.shape[0],
        timesteps=x.shape[1],
        dtype=x.dtype,
        device=x.device,
        masked=mask is not None,
        go_backwards=options.go_backwards,
        masked_start="zeros" if options.start_with_zeros else "state",
        return_sequences=options.return_sequences,
    )


def _through_the_loop(results: tuple[Maybe, ...], data: tuple[Any, ...], options: Options) -> tuple[Maybe, ...]:
    """Gradients by autograd through the engine `steps`, which can be differentiated again."""
    differentiable = torch.is_grad_enabled()
    with torch.enable_grad():
        # Views: x or a state may itself be made of the kernel, and no gradient may go through them to it here.
        data = tuple(None if tensor is None else tensor.view_as(tensor) for tensor in data)
        result = _loop(data, options)
    pairs = [
        (out, gradient)
        for out, gradient in zip((result.output, *result.states), results, strict=False)
        if gradient is not None and out.requires_grad
    ]
    wanted = [tensor for tensor in data if tensor is not None and tensor.requires_grad]
    found = iter(
        torch.autograd.grad(
            [out for out, _ in pairs],
            wanted,
            [gradient for _, gradient in pairs],
            create_graph=differentiable,
            allow_unused=True,
        )
    )
    return tuple(next(found) if tensor is not None and tensor.requires_grad else None for tensor in data)


def _loop(data: tuple[Any, ...], options: Options) -> Result:
    """Runs the engine `steps` on the data of the operator."""
    x, kernel, recurrent_kernel, bias, h, c, mask, input_masks, recurrent_masks = data
    request = _request(data, options)
    tensors = Tensors(
        x=x,
        states=(h,) if c is None else (h, c),
        kernel=kernel,
        recurrent_kernel=recurrent_kernel,
        bias=bias,
        mask=mask,
        input_masks=None if input_masks is None else input_masks.unbind(),
        recurrent_masks=None if recurrent_masks is None else recurrent_masks.unbind(),
    )
    return steps.run(request, tensors)


_library.impl("sweep", _sweep, "CPU")  # type: ignore[no-untyped-call]
_library.impl("sweep_backward", _sweep_backward, "CPU")  # type: ignore[no-untyped-call]
torch.library.register_fake("rnnspec::sweep", _fake_sweep, lib=_library)
torch.library.register_fake("rnnspec::sweep_backward", _fake_sweep_backward, lib=_library)
torch.library.register_autograd("rnnspec::sweep", _backward, setup_context=_setup_context, lib=_library)

sweep = torch.ops.rnnspec.sweep

"""The operators `rnnspec::sweep`, `sweep_keeping` and `sweep_backward`: what torch knows of the C library.

`sweep` is the one to call. Where a gradient is wanted, it becomes the other two, in graphs too. Fake kernels tell the
shapes. Tensors that a call does not have come back empty.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import profiler

from rnnspec.engines.cpu import launcher
from rnnspec.engines.cpu.again import gradients_through_the_loop
from rnnspec.engines.cpu.options import Data, Options

__all__ = ["sweep", "unseen"]

_DATA = (
    "Tensor x, Tensor kernel, Tensor recurrent_kernel, Tensor? bias, Tensor h, Tensor? c, Tensor? mask, "
    "Tensor? input_masks, Tensor? recurrent_masks"
)
_OPTIONS = (
    "int cell, int activation, int recurrent_activation, bool go_backwards, bool return_sequences, "
    "bool start_with_zeros, int checkpoint_every"
)
_library = torch.library.Library("rnnspec", "FRAGMENT")  # type: ignore[no-untyped-call]
_library.define(f"sweep({_DATA}, {_OPTIONS}) -> (Tensor, Tensor, Tensor)")  # type: ignore[no-untyped-call]
_library.define(f"sweep_keeping({_DATA}, {_OPTIONS}) -> (Tensor, Tensor, Tensor, Tensor)")  # type: ignore[no-untyped-call]
_library.define(  # type: ignore[no-untyped-call]
    f"sweep_backward(Tensor? d_output, Tensor? d_h, Tensor? d_c, Tensor reserve, {_DATA}, {_OPTIONS}, bool input_too)"
    " -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)"
)

Maybe = Tensor | None
_DATA_COUNT = len(Data._fields)
_PLAIN = {Tensor, torch.nn.Parameter, type(None)}


def sweep(data: Data, options: Options) -> tuple[Tensor, Tensor, Maybe]:
    """Runs a cell over the whole sequence.

    Args:
        data: The tensors.
        options: What the call is told.

    Returns:
        The output, the final h, and the final c; without c in the data that is empty, or None.
    """
    found: tuple[Tensor, Tensor, Maybe]
    found = _differentiable(data, options) if unseen(data) else torch.ops.rnnspec.sweep(*data, *options)
    return found


def unseen(tensors: Iterable[Maybe]) -> bool:
    """Whether nobody watches: torch's dispatcher, which takes longer than a short sequence, need not know of the call.

    Those who watch are torch.compile, torch.export and all other modes, classes of tensors, and the profiler.
    """
    return not (
        torch.compiler.is_compiling()
        or torch._C._len_torch_dispatch_stack()
        or profiler._is_profiler_enabled
        or not _PLAIN.issuperset(map(type, tensors))
    )


class _Sweep(torch.autograd.Function):
    """A call that a gradient is wanted of."""

    @staticmethod
    def forward(ctx: Any, options: Options, *tensors: Maybe) -> tuple[Tensor, Tensor, Maybe]:
        data = Data(*tensors)  # type: ignore[arg-type]
        if unseen(data):
            output, h, c, reserve = launcher.forward(data, options, keeps=True)
        else:
            with torch._C._AutoDispatchBelowAutograd():
                output, h, c, reserve = torch.ops.rnnspec.sweep_keeping(*data, *options)
            if data.c is None:
                ctx.mark_non_differentiable(c)
        ctx.save_for_backward(*data, reserve)
        ctx.options = options
        ctx.set_materialize_grads(False)
        return output, h, c

    @staticmethod
    def backward(ctx: Any, d_output: Maybe, d_h: Maybe, d_c: Maybe) -> tuple[Any, ...]:
        *tensors, reserve = ctx.saved_tensors
        data, options = Data(*tensors), ctx.options
        _, *needed = ctx.needs_input_grad
        # The library knows no gradient of its gradient (grad mode is on where one is wanted) and none of dropout masks.
        if torch.is_grad_enabled() or needed[7] or needed[8]:
            return None, *gradients_through_the_loop((d_output, d_h, d_c), data, options)
        given = (d_output, d_h, d_c, reserve)
        if unseen((*given, *data)):
            gradients = launcher.backward(*given, data, options, input_too=needed[0])
        else:
            found = torch.ops.rnnspec.sweep_backward(*given, *data, *options, needed[0])
            gradients = tuple(
                gradient if needs else None for gradient, needs in zip(found, needed[: len(found)], strict=True)
            )
        return None, *gradients, None, None, None


def _differentiable(data: Data, options: Options) -> Any:
    """A call above autograd."""
    if torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in data):
        return _Sweep.apply(options, *data)  # type: ignore[no-untyped-call]
    if unseen(data):
        return launcher.forward(data, options, keeps=False)[:3]
    with torch._C._AutoDispatchBelowAutograd():
        return torch.ops.rnnspec.sweep(*data, *options)


def _split(arguments: tuple[Any, ...]) -> tuple[Data, Options]:
    """The arguments of an operator."""
    return Data(*arguments[:_DATA_COUNT]), Options(*arguments[_DATA_COUNT:])


def _filled(tensors: Iterable[Maybe], like: Tensor) -> tuple[Tensor, ...]:
    """An operator returns tensors: empty ones where there is none."""
    return tuple(like.new_empty(0) if tensor is None else tensor for tensor in tensors)


def _above_autograd(*arguments: Any) -> tuple[Tensor, ...]:
    """The kernel of `sweep` that knows gradients."""
    return _filled(_differentiable(*_split(arguments)), arguments[0])


def _forward(keeps: bool, fake: bool) -> Any:
    """A kernel of `sweep` or `sweep_keeping`."""
    run = launcher.forward_results if fake else launcher.forward

    def kernel(*arguments: Any) -> tuple[Tensor, ...]:
        data, options = _split(arguments)
        results = run(data, options, keeps=keeps)
        return _filled(results if keeps else results[:3], data.x)

    return kernel


def _backward(d_output: Maybe, d_h: Maybe, d_c: Maybe, reserve: Tensor, *arguments: Any) -> tuple[Tensor, ...]:
    """The kernel of `sweep_backward`."""
    *others, input_too = arguments
    data, options = _split(tuple(others))
    return _filled(launcher.backward(d_output, d_h, d_c, reserve, data, options, input_too=input_too), data.x)


def _fake_backward(d_output: Maybe, d_h: Maybe, d_c: Maybe, reserve: Tensor, *arguments: Any) -> tuple[Tensor, ...]:
    """The shapes of `sweep_backward`."""
    data = Data(*arguments[:_DATA_COUNT])
    return _filled(launcher.backward_results(data, input_too=arguments[-1]), data.x)


_library.impl("sweep", _above_autograd, "Autograd")  # type: ignore[no-untyped-call]
for _name, _keeps in (("sweep", False), ("sweep_keeping", True)):
    _library.impl(_name, _forward(_keeps, fake=False), "CPU")  # type: ignore[no-untyped-call]
    torch.library.register_fake(f"rnnspec::{_name}", _forward(_keeps, fake=True), lib=_library)
_library.impl("sweep_backward", _backward, "CPU")  # type: ignore[no-untyped-call]
torch.library.register_fake("rnnspec::sweep_backward", _fake_backward, lib=_library)

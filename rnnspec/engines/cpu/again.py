"""A call of the sweep once more, in the step loop: for gradients that the library does not know."""

from __future__ import annotations

import torch
from torch import Tensor

from rnnspec.engines.cpu.options import Data, Options, request_of
from rnnspec.engines.request import Result, Tensors
from rnnspec.engines.steps import sequence as steps

__all__ = ["gradients_through_the_loop"]

Maybe = Tensor | None


def gradients_through_the_loop(results: tuple[Maybe, ...], data: Data, options: Options) -> tuple[Maybe, ...]:
    """Gradients by autograd through the engine `steps`; where grad mode is on, they can be differentiated again.

    Args:
        results: Gradients of the output, the final h and the final c.
        data: The data of the call.
        options: What the call was told.

    Returns:
        A gradient for each of the data, None where it has none.
    """
    differentiable = torch.is_grad_enabled()
    # As the sweep: in the weights' precision, whatever autocast would choose.
    with torch.enable_grad(), torch.autocast("cpu", enabled=False):
        # Views: x or a state may itself be made of the kernel, and no gradient may go through them to it here.
        data = Data(*(None if tensor is None else tensor.view_as(tensor) for tensor in data))  # type: ignore[arg-type]
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


def _loop(data: Data, options: Options) -> Result:
    """Runs the engine `steps`."""
    tensors = Tensors(
        x=data.x,
        states=(data.h,) if data.c is None else (data.h, data.c),
        kernel=data.kernel,
        recurrent_kernel=data.recurrent_kernel,
        bias=data.bias,
        mask=data.mask,
        input_masks=data.input_masks,
        recurrent_masks=data.recurrent_masks,
    )
    return steps.run(request_of(options, data), tensors)

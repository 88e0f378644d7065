"""The loop over time of the engine `scan`: one operation of the graph, whatever the length.

`torch._higher_order_ops.scan` is private to torch and a prototype; nothing else in rnnspec touches it. It wants every
tensor that its body reads or returns to be a fresh one: neither a view of another, nor an argument, nor one twice.
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor
from torch._higher_order_ops.scan import scan

from rnnspec.engines.request import Request, Result, Tensors
from rnnspec.engines.steps.sequence import TimeStep, first_emitted, project

__all__ = ["run"]

Carry = tuple[Tensor, ...]


def fresh(tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Copies that share no memory, neither with their originals nor with each other."""
    return tuple(tensor.clone() for tensor in tensors)


def run(request: Request, tensors: Tensors) -> Result:
    """Runs a cell over the whole sequence.

    Args:
        request: What to do.
        tensors: The data.

    Returns:
        The output and the final states.
    """
    projected = project(tensors, len(request.cell.gates))
    batch, count = projected.shape[1], len(tensors.states)
    if tensors.recurrent_masks is not None:  # it may be a view
        tensors = replace(tensors, recurrent_masks=tensors.recurrent_masks.clone())
    masked = tensors.mask is not None
    over_time = (projected,) if tensors.mask is None else (projected, tensors.mask.t().unsqueeze(-1))
    # Masked steps emit the first state as it is, so the output is carried only where they start with zeros.
    emitted = (first_emitted(request, tensors),) if masked and request.masked_start == "zeros" else ()
    start = (*tensors.states, *emitted)

    def body(carry: Carry, now: Carry) -> tuple[Carry, Tensor]:
        step, states, emitted = TimeStep(request.cell, tensors), carry[:count], carry[count:]
        states, output = step(now[0], now[1] if masked else None, states, (emitted or states)[0])
        # An exported graph keeps the batch size for Inductor only where the body uses it.
        return fresh((*states, output)[: len(carry)]), output.expand(batch, -1).clone()

    last, outputs = scan(body, fresh(start), over_time, reverse=request.go_backwards)
    states, emitted = last[:count], last[count:]
    if not request.return_sequences:
        return Result((emitted or states)[0], states)
    in_processing_order = outputs.flip(0) if request.go_backwards else outputs
    return Result(in_processing_order.transpose(0, 1), states)

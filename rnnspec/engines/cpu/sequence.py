"""A request and its tensors as one call of the operator `rnnspec::sweep`.

Under autocast the sweep is as precise as ever: products, states and outputs are in the weights' dtype.
"""

from __future__ import annotations

from rnnspec.engines.cpu.operators import sweep
from rnnspec.engines.cpu.options import data_of, options_of
from rnnspec.engines.request import Request, Result, Tensors

__all__ = ["run"]


def run(request: Request, tensors: Tensors) -> Result:
    """Runs a cell over the whole sequence.

    Args:
        request: What to do.
        tensors: The data.

    Returns:
        The output and the final states.
    """
    output, final_h, final_c = sweep(data_of(tensors), options_of(request))
    return Result(output, (final_h, final_c) if len(tensors.states) > 1 and final_c is not None else (final_h,))

"""How large the gradient of a loss is at the states of every step, as lines over time."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import cycle
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rnnspec.display.plot.axes import MASKED, axes_for, time_axis
from rnnspec.display.plot.calls import check_recurrent, unchanged
from rnnspec.errors import ShapeError
from rnnspec.nn.state_gradients import state_gradients

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["gradient_norms"]

# Of the Okabe-Ito palette, which colour-blind readers can tell apart; the dashes repeat the difference.
STYLES = (("#0072B2", "-"), ("#D55E00", "--"), ("#009E73", ":"), ("#CC79A7", "-."))


def gradient_norms(
    layer: Any, x: Any, loss: Callable[[Tensor], Tensor] | None = None, ax: Any = None, **call: Any
) -> Any:
    """Draws how large the gradient of a loss is at the states of every step, on a logarithmic axis.

    Each line is the Euclidean norm of d loss / d state, the median over the rows of the batch; the band around it goes
    from the smallest to the largest row. The legend tells by which factor the norm changes with each step that is
    computed earlier: well below 1 gradients vanish, above 1 they explode. Norms of exactly 0, which a logarithmic axis
    cannot show, are triangles at its foot.

    Args:
        layer: A recurrent layer, called once in its present mode and left as it was.
        x: The layer's input, in any form that a call takes.
        loss: Gives a scalar for the layer's output, `(batch, time, units)` in processing order, or `(batch, units)`
            without `return_sequences`; None: the sum of the output of the last processed step.
        ax: Axes to draw on; None makes a figure.
        **call: Further arguments of the call: `mask`, `lengths`, `initial_state`, `generator`.

    Returns:
        The axes.

    Raises:
        Error: If matplotlib is not installed.
        ConfigError: If it is no recurrent layer, or there is more than one of the axes.
        ShapeError: If there is no row or no timestep, or the loss gives no scalar.
    """
    check_recurrent(layer, "plot.gradient_norms")
    with unchanged(layer):
        gradients, mask = state_gradients(layer, x, loss, **call)
    # In float64: the squares of small float32 numbers vanish where the numbers do not.
    norms = {name: gradient.cpu().double().norm(dim=-1) for name, gradient in gradients.items()}
    batch, timesteps = next(iter(norms.values())).shape
    if not batch or not timesteps:
        raise ShapeError(f"there is nothing to draw, the input has {batch} rows and {timesteps} timesteps")
    rows = "1 row" if batch == 1 else f"median of {batch} rows, and their range"
    (axes,) = axes_for(["norms"], ax, title=f"{layer.label}, {rows}", what="plot.gradient_norms", height=3.4)
    handles = []
    for (name, values), style in zip(norms.items(), cycle(STYLES), strict=False):
        handles += _draw_line(axes, name, values, style, backwards=layer.go_backwards)
    handles += _draw_masked(axes, mask)
    axes.set_yscale("log")
    time_axis(axes, timesteps)
    axes.set_ylabel("norm of d loss / d state")
    axes.grid(alpha=0.3)
    axes.legend(handles=handles, fontsize="small")
    return axes


def _draw_line(ax: Axes, name: str, norms: Tensor, style: tuple[str, Any], *, backwards: bool) -> list[Any]:
    """Draws the line and the band of one state, and gives the entries of the legend."""
    from matplotlib.lines import Line2D

    colour, dashes = style
    low, median, high = (torch.nanquantile(norms, quantile, dim=0) for quantile in (0.0, 0.5, 1.0))
    # A logarithmic axis has no place for zeros: there the line has a gap, and the foot of the axes a mark.
    line = median.masked_fill(median == 0.0, torch.nan).tolist()
    zeros = torch.nonzero(median == 0.0).flatten().tolist()
    steps = range(len(line))
    ax.plot(steps, line, color=colour, linestyle=dashes, marker="." if len(line) <= 60 else "")
    if len(norms) > 1:
        ax.fill_between(steps, low.tolist(), high.tolist(), color=colour, alpha=0.15, linewidth=0)
    mark: Any = {"color": colour, "marker": "v", "linestyle": ""}
    ax.plot(zeros, [0.0] * len(zeros), transform=ax.get_xaxis_transform(), clip_on=False, **mark)
    label = f"{name}{_change(line[::-1] if backwards else line)}"
    entries = [Line2D([], [], color=colour, linestyle=dashes, label=label)]
    return [*entries, Line2D([], [], label=f"{name}: exactly 0", **mark)] if zeros else entries


def _change(norms: list[float]) -> str:
    """By which factor the norm changes, on average, with each step that is computed earlier."""
    there = [step for step, norm in enumerate(norms) if math.isfinite(norm)]
    if len(there) < 2:
        return ""
    first, last = there[0], there[-1]
    factor = (norms[first] / norms[last]) ** (1 / (last - first))
    return f": x {factor:.3g} each step back"


def _draw_masked(ax: Axes, mask: Tensor | None) -> list[Any]:
    """Greys the steps that are masked in every row."""
    from matplotlib.patches import Patch

    masked = [] if mask is None else torch.nonzero(~mask.any(dim=0)).flatten().tolist()
    for step in masked:
        ax.axvspan(step - 0.5, step + 0.5, color=MASKED, linewidth=0)
    return [Patch(facecolor=MASKED, edgecolor="0.3", linewidth=0.5, label="masked")] if masked else []

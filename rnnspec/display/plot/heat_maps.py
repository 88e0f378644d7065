"""Gates and states over time as heat maps: units from top to bottom, timesteps from left to right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

from rnnspec.display.plot.axes import MASKED, axes_for, legend_above, time_axis
from rnnspec.display.plot.calls import recorded
from rnnspec.errors import ShapeError
from rnnspec.nn.recording import RecordedCall

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["gates", "states"]

# Colour-blind readers tell these apart too: blue between the ends of a gate, light orange at 0 and dark orange at 1;
# from purple over white to green what has a sign.
BETWEEN, CLOSED, OPEN = "Blues", "#FDB863", "#B35806"
SIGNED = "PRGn"
NOT_FINITE = "black"


Mark = tuple[str, Any, str]
"""A colour, where it covers a heat map, `(units, time)`, and its name in the legend."""


@dataclass(frozen=True)
class Panel:
    """One heat map.

    Attributes:
        title: What stands above it.
        values: `(units, time)`.
        label: What stands beside the colour bar.
        signed: Whether the colours are symmetric around 0; else they begin at 0.
        least: The largest value that the colours span at least.
        marks: What covers it.
    """

    title: str
    values: Any
    label: str
    signed: bool
    least: float
    marks: Sequence[Mark]


def gates(layer: Any, x: Any = None, ax: Any = None, *, sample: int = 0, **call: Any) -> Any:
    """Draws the activations of every gate over time, one panel a gate.

    What is exactly 0 or exactly 1 has colours of its own, with its share in the legend: there hard_sigmoid is
    saturated, and no gradient passes. The candidate (a gate with the name of a state) has colours around 0. Masked
    steps are grey.

    Args:
        layer: A recurrent layer, called once in its present mode and left as it was; or the trace of one, from
            `rnnspec.record`, alone.
        x: The layer's input, in any form that a call takes.
        ax: Axes to draw on, as many as gates; None makes a figure.
        sample: Which row of the batch is drawn, from 0.
        **call: Further arguments of the call: `mask`, `lengths`, `initial_state`, `generator`.

    Returns:
        The axes, an array `(gates,)`.

    Raises:
        Error: If matplotlib is not installed.
        ConfigError: If it is no recurrent layer, or the number of axes does not fit.
        ShapeError: If there is no such row, or no timestep.
        StateError: If the cell keeps its gates to itself, or a trace does not hold exactly one call.
    """
    label, found = recorded(layer, x, call, "plot.gates")
    panels = []
    for name, values in _row(found.gates, found, sample).items():
        candidate = name in found.states
        kind = "candidate" if candidate else "gate"
        signed = bool(candidate or (values < 0.0).any())
        ends = [] if signed else [(CLOSED, values == 0.0, "exactly 0"), (OPEN, values == 1.0, "exactly 1")]
        marks = _marks(values, found, sample, ends)
        panels.append(Panel(f"{kind} {name}", values, "activation", signed, 1.0, marks))
    return _draw(panels, ax, f"{label}, row {sample}", "plot.gates")


def states(layer: Any, x: Any = None, ax: Any = None, *, sample: int = 0, **call: Any) -> Any:
    """Draws the states after every step over time, one panel a state, in colours around 0. Masked steps are grey.

    Args:
        layer: A recurrent layer, called once in its present mode and left as it was; or the trace of one, from
            `rnnspec.record`, alone.
        x: The layer's input, in any form that a call takes.
        ax: Axes to draw on, as many as states; None makes a figure.
        sample: Which row of the batch is drawn, from 0.
        **call: Further arguments of the call: `mask`, `lengths`, `initial_state`, `generator`.

    Returns:
        The axes, an array `(states,)`.

    Raises:
        Error: If matplotlib is not installed.
        ConfigError: If it is no recurrent layer, or the number of axes does not fit.
        ShapeError: If there is no such row, or no timestep.
        StateError: If a trace does not hold exactly one call.
    """
    label, found = recorded(layer, x, call, "plot.states")
    panels = [
        Panel(f"state {name}", values, "state", True, 0.0, _marks(values, found, sample))
        for name, values in _row(found.states, found, sample).items()
    ]
    return _draw(panels, ax, f"{label}, row {sample}", "plot.states")


def _row(kept: Mapping[str, Tensor], found: RecordedCall, sample: int) -> dict[str, Any]:
    """One row of what was recorded, as arrays `(units, time)`."""
    batch, timesteps = next(iter(found.states.values())).shape[:2]
    if not 0 <= sample < batch:
        raise ShapeError(f"sample must be a row of the batch, from 0 to {batch - 1}, found {sample}")
    if not timesteps:
        raise ShapeError("there is nothing to draw, the input has no timesteps")
    # Every float is exact as a double, so what is exactly 0 or 1 stays so.
    return {name: values[sample].t().cpu().double().numpy() for name, values in kept.items()}


def _marks(values: Any, found: RecordedCall, sample: int, ends: Sequence[Mark] = ()) -> list[Mark]:
    """What covers a heat map, of that what is there: masked steps, numbers that are not finite, the ends of a gate."""
    import numpy as np

    valid = np.ones(values.shape, dtype=bool)
    if found.mask is not None:
        valid &= found.mask[sample].cpu().numpy()
    strange = [(NOT_FINITE, valid & ~np.isfinite(values), "not finite"), *ends]
    counted = [
        (colour, where, f"{name}: {where.sum():,} ({where.sum() / valid.sum():.1%})")
        for colour, where, name in strange
        if where.any()
    ]
    return counted if valid.all() else [(MASKED, ~valid, "masked"), *counted]


def _draw(panels: Sequence[Panel], given: Any, title: str, what: str) -> Any:
    height = min(max(1.9, 0.02 * len(panels[0].values)), 4.0)
    axes = axes_for([panel.title for panel in panels], given, title=title, what=what, height=height)
    for ax, panel in zip(axes, panels, strict=True):
        _draw_panel(ax, panel)
        if given is None:
            ax.label_outer()
    return axes


def _draw_panel(ax: Axes, panel: Panel) -> None:
    import numpy as np
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch
    from matplotlib.ticker import MaxNLocator

    values, marks = panel.values, panel.marks
    largest = max(panel.least, np.abs(values[np.isfinite(values)]).max(initial=0.0)) or 1.0
    colours: Any = {"cmap": SIGNED, "vmin": -largest} if panel.signed else {"cmap": BETWEEN, "vmin": 0.0}
    grid: Any = {"aspect": "auto", "interpolation": "nearest"}
    image = ax.imshow(values, vmax=largest, **colours, **grid)
    covered = np.full(values.shape, np.nan)
    for number, (_, where, _) in enumerate(marks):
        covered[where] = number
    if marks:
        cover = ListedColormap([colour for colour, _, _ in marks])
        ax.imshow(covered, cmap=cover, vmin=-0.5, vmax=len(marks) - 0.5, **grid)
    time_axis(ax, values.shape[1])
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    ax.set_ylabel("unit")
    ax.set_title(panel.title, loc="left", fontsize="medium", parse_math=False)
    edge: Any = {"edgecolor": "0.3", "linewidth": 0.5}
    legend_above(ax, [Patch(facecolor=colour, label=label, **edge) for colour, _, label in marks])
    ax.figure.colorbar(image, ax=ax, label=panel.label, pad=0.01)

"""The axes that a picture is drawn on, and what all pictures over time have in common."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rnnspec.errors import ConfigError, Error, Problem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MASKED", "axes_for", "legend_above", "time_axis"]

MASKED = "0.75"
"""The grey of masked steps."""


def axes_for(panels: Sequence[str], given: Any, *, title: str, what: str, height: float, width: float = 8.0) -> Any:
    """The given axes, if there are as many as panels; else those of a new figure, one below the other.

    Args:
        panels: What is drawn on each of the axes, for the message.
        given: One of matplotlib's axes, several in a list or an array, or None.
        title: What stands over a new figure.
        what: What asks for them.
        height: Height of each panel of a new figure in inches.
        width: Width of a new figure in inches.

    Returns:
        An array of axes, `(panels,)`.

    Raises:
        Error: If matplotlib is not installed.
        ConfigError: If there are too few or too many axes.
    """
    if importlib.util.find_spec("matplotlib") is None:
        message = "pictures need a package that is not installed: matplotlib"
        raise Error(Problem(message, hint="pip install 'rnnspec[plot]'"))
    import numpy as np

    if given is None:
        from matplotlib import pyplot

        size = (width, 0.6 + height * len(panels))
        figure, found = pyplot.subplots(len(panels), 1, squeeze=False, sharex=True, figsize=size, layout="constrained")
        figure.suptitle(title, fontsize="medium", parse_math=False)
        return found[:, 0]
    axes = np.atleast_1d(np.asarray(given, dtype=object)).ravel()
    if len(axes) != len(panels):
        raise ConfigError(f"{what} draws {len(panels)} panels ({', '.join(panels)}), ax has {len(axes)}")
    return axes


def time_axis(ax: Axes, timesteps: int) -> None:
    """Labels the axis of time: the steps of the input, counted from 0."""
    from matplotlib.ticker import MaxNLocator

    ax.set_xlim(-0.5, timesteps - 0.5)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("timestep")


def legend_above(ax: Axes, handles: Sequence[Any]) -> None:
    """A legend in one line, above the axes at the right, where it hides nothing; none without entries."""
    if handles:
        place: Any = {"loc": "lower right", "bbox_to_anchor": (1.0, 1.0), "borderaxespad": 0.2}
        ax.legend(handles=handles, ncols=len(handles), frameon=False, fontsize="small", columnspacing=1.2, **place)

"""The learning curve of a run as a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

__all__ = ["draw_learning_curve"]

# Blue, orange and green of the Okabe-Ito palette, told apart by colour-blind readers; the lines repeat the difference.
_STYLES = (("train", "#0072B2", "--"), ("validation", "#009E73", ":"), ("test", "#D55E00", "-"))


def draw_learning_curve(
    rows: Sequence[Mapping[str, float]], path: Path, title: str, labels: Mapping[str, str] | None = None
) -> None:
    """Draws every measure over the epochs, one axes each, four in a line, training and test split together.

    Args:
        rows: A row an epoch: `epoch`, and `train_`, `validation_` and `test_` values, as in metrics.csv. The training
            values are taken while the model still learns, so they can be worse than the others.
        path: The picture, `.png`.
        title: The line over the picture.
        labels: What stands beside the axis of a measure, with its unit; its name by default.
    """
    measures = [name.removeprefix("train_") for name in rows[0] if name.startswith("train_")]
    # A figure with a canvas of its own: no pyplot, so neither its state nor the user's style is touched.
    columns = min(4, len(measures))
    lines = math.ceil(len(measures) / columns)
    figure = Figure(figsize=(1 + 4.5 * columns, 4 * lines), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    for index, measure in enumerate(measures, start=1):
        _draw(figure.add_subplot(lines, columns, index), rows, measure, (labels or {}).get(measure, measure))
    figure.suptitle(title)
    figure.savefig(path)


def _draw(ax: Axes, rows: Sequence[Mapping[str, float]], measure: str, label: str) -> None:
    epochs = [row["epoch"] for row in rows]
    marker = "o" if len(rows) <= 60 else None
    for split, color, line in _STYLES:
        if f"{split}_{measure}" not in rows[0]:
            continue
        values = [row[f"{split}_{measure}"] for row in rows]
        name = f"{split} (last {values[-1]:.3f})"
        ax.plot(epochs, values, label=name, color=color, linestyle=line, marker=marker, markersize=3)
    ax.set_xlabel("epoch")
    ax.set_ylabel(label)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(alpha=0.3)
    ax.legend()

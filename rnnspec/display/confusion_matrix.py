"""The confusion matrix of a classifier as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

__all__ = ["draw_confusion_matrix"]


def draw_confusion_matrix(matrix: npt.NDArray[np.number], labels: Sequence[str], path: Path, title: str) -> None:
    """Draws how often each class was predicted for each class in the data.

    The colour is the share of the row, so that a rare class is seen as well as a frequent one. Zeros are left empty.

    Args:
        matrix: Counts, or shares, `(classes, classes)`: a row for each class in the data, a column for each predicted.
        labels: The classes; their numbers if there are not as many labels.
        path: The picture, `.png`.
        title: The line over the picture.
    """
    count = len(matrix)
    names = list(labels) if len(labels) == count else [str(index) for index in range(count)]
    texts = [[_text(value) for value in row] for row in matrix.tolist()]
    # A cell is as wide as its longest number; many classes are written small.
    font = 9 if count <= 20 else 5
    cell = font / 72 * max(2.2, 0.75 * max(len(text) for row in texts for text in row) + 0.8)
    label = font / 72 * 0.6 * max(map(len, names))
    size = cell * count + label + 1.2
    # A figure with a canvas of its own: no pyplot, so neither its state nor the user's style is touched.
    figure = Figure(figsize=(max(4, size), max(4, size)), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    ax = figure.subplots()
    totals = matrix.sum(axis=1, keepdims=True)
    shares = matrix / np.where(totals == 0, 1, totals)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(matrix != 0).tolist():
        color = "white" if shares[row, column] > 0.5 else "black"
        ax.text(column, row, texts[row][column], ha="center", va="center", color=color, fontsize=font)
    ax.set_xticks(range(count), names, fontsize=font, rotation=90 if label > max(4, size) / (count + 1) else 0)
    ax.set_yticks(range(count), names, fontsize=font)
    # Lines between the cells lead the eye to the labels of both sides.
    ax.set_xticks(np.arange(count + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(count + 1) - 0.5, minor=True)
    ax.grid(which="minor", color="0.85", linewidth=0.5)
    ax.tick_params(which="minor", length=0)
    ax.tick_params(which="major", right=count > 20, labelright=count > 20, top=count > 20, labeltop=count > 20)
    ax.set_xlabel("predicted class")
    ax.set_ylabel("class in the data")
    ax.set_title(title)
    figure.savefig(path)


def _text(value: float) -> str:
    """A count as it is, a share with two decimals."""
    return f"{value:d}" if isinstance(value, int) else f"{value:.2f}"

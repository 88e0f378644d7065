"""The picture of a run's metrics."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure
from PIL import Image

from rnnspec.display import learning_curve
from rnnspec.display.learning_curve import draw_learning_curve

ROWS = [
    {"epoch": 1, "seconds": 0.5, "train_loss": 2.0, "train_accuracy": 0.2, "test_loss": 1.0, "test_accuracy": 0.4},
    {"epoch": 2, "seconds": 0.9, "train_loss": 0.5, "train_accuracy": 0.9, "test_loss": 0.75, "test_accuracy": 0.8},
]


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that are made."""
    made: list[Figure] = []

    class Kept(Figure):
        def __init__(self, *arguments: object, **more: object) -> None:
            super().__init__(*arguments, **more)  # type: ignore[arg-type]
            made.append(self)

    monkeypatch.setattr(learning_curve, "Figure", Kept)
    return made


def test_every_measure_has_axes_with_both_splits(figures: list[Figure], tmp_path: Path) -> None:
    labels = {"loss": "loss (nats)"}

    draw_learning_curve(ROWS, tmp_path / "curve.png", "a title", labels)

    (figure,) = figures
    assert figure.get_suptitle() == "a title"
    assert [ax.get_ylabel() for ax in figure.axes] == ["loss (nats)", "accuracy"]
    assert [ax.get_xlabel() for ax in figure.axes] == ["epoch", "epoch"]
    loss = figure.axes[0]
    assert {line.get_label(): list(line.get_ydata()) for line in loss.lines} == {  # type: ignore[arg-type]
        "train (last 0.500)": [2.0, 0.5],
        "test (last 0.750)": [1.0, 0.75],
    }
    assert loss.get_legend() is not None
    assert [list(line.get_xdata()) for line in loss.lines] == [[1, 2], [1, 2]]  # type: ignore[arg-type]


def test_a_validation_split_has_a_line_of_its_own(figures: list[Figure], tmp_path: Path) -> None:
    rows = [{"epoch": 1, "train_loss": 2.0, "validation_loss": 1.5, "test_loss": 1.0}]

    draw_learning_curve(rows, tmp_path / "curve.png", "a title")

    names = ["train (last 2.000)", "validation (last 1.500)", "test (last 1.000)"]
    assert [line.get_label() for line in figures[0].axes[0].lines] == names


def test_the_picture_is_written_without_a_display_and_leaves_the_users_style_alone(tmp_path: Path) -> None:
    before = dict(mpl.rcParams)

    draw_learning_curve(ROWS, tmp_path / "curve.png", "a title")

    with Image.open(tmp_path / "curve.png") as picture:
        assert picture.size == (1500, 600)
        assert len(picture.convert("RGB").getcolors(2**20) or []) > 100
    assert dict(mpl.rcParams) == before

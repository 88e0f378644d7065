"""Confusion matrices as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from PIL import Image

from rnnspec.display.confusion_matrix import draw_confusion_matrix


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float, str, str]]:
    """What is written into the cells: column, row, text, colour."""
    found = []

    def text(_: Axes, x: float, y: float, s: str, color: str, **__: Any) -> None:
        found.append((x, y, s, color))

    monkeypatch.setattr(Axes, "text", text)
    return found


def test_counts_stand_in_their_cells_and_zeros_are_left_empty(
    written: list[tuple[float, float, str, str]], tmp_path: Path
) -> None:
    draw_confusion_matrix(np.array([[7, 0], [1, 2]]), ["no", "yes"], tmp_path / "a.png", "title")

    assert written == [(0, 0, "7", "white"), (0, 1, "1", "black"), (1, 1, "2", "white")]


def test_shares_have_two_decimals(written: list[tuple[float, float, str, str]], tmp_path: Path) -> None:
    draw_confusion_matrix(np.array([[0.75, 0.25], [0.0, 1.0]]), [], tmp_path / "a.png", "title")

    assert [text for *_, text, _ in written] == ["0.75", "0.25", "1.00"]


@pytest.mark.parametrize(("classes", "pixels"), [(2, 600), (9, 600), (92, 3000)])
def test_the_picture_grows_with_the_classes(classes: int, pixels: int, tmp_path: Path) -> None:
    draw_confusion_matrix(np.eye(classes, dtype=int) * 100, [f"c{i}" for i in range(classes)], tmp_path / "a.png", "t")

    with Image.open(tmp_path / "a.png") as picture:
        width, height = picture.size
    assert width == height
    assert pixels <= width < 1.5 * pixels


def test_a_class_without_targets_divides_nothing(tmp_path: Path) -> None:
    with np.errstate(all="raise"):
        draw_confusion_matrix(np.array([[0, 0], [1, 2]]), [], tmp_path / "a.png", "title")

    assert (tmp_path / "a.png").is_file()

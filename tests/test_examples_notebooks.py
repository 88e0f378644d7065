"""The notebooks run as they stand, without a warning, and what is stored with them is what a run gives."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from example_runs import within_limit
from notebooks import NOTEBOOKS, code_cells, executed, printed

ACCURACY = {"first_look": [0.95], "port_keras": [0.95], "what_the_gates_do": [0.99, 0.0]}
"""What the accuracies that a notebook prints must be above, in their order; the last one is that of a guess."""
ROOT = Path(__file__).resolve().parent.parent


def by_name(path: Path) -> str:
    """The id of a test."""
    return path.stem


def accuracies(notebook: Any) -> list[float]:
    """The accuracies that a notebook prints."""
    return [float(found) for found in re.findall(r"accuracy .*?(\d\.\d+)", printed(notebook))]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=by_name)
def test_a_notebook_runs_and_reaches_its_figures(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    with within_limit():
        notebook = executed(path)

    assert [output for cell in code_cells(notebook) for output in cell.outputs if output.get("name") == "stderr"] == []
    found, floors = accuracies(notebook), ACCURACY[path.stem]
    assert len(found) == len(floors)
    assert all(accuracy > floor for accuracy, floor in zip(found, floors, strict=True)), found
    stored = nbformat.read(path, as_version=4)
    assert kinds(notebook) == kinds(stored)


def kinds(notebook: Any) -> list[list[Any]]:
    """What kinds of output each cell has."""
    return [[sorted(output.get("data", {"text": ""})) for output in cell.outputs] for cell in code_cells(notebook)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=by_name)
class TestStored:
    """What the file of a notebook holds: all outputs of one run from top to bottom, and nothing of its machine."""

    def test_was_run_from_top_to_bottom(self, path: Path) -> None:
        cells = code_cells(nbformat.read(path, as_version=4))

        assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
        assert {output.output_type for cell in cells for output in cell.outputs} <= {
            "stream",
            "execute_result",
            "display_data",
        }

    def test_shows_the_figures_that_it_must_reach(self, path: Path) -> None:
        found = accuracies(nbformat.read(path, as_version=4))

        assert all(accuracy > floor for accuracy, floor in zip(found, ACCURACY[path.stem], strict=True))

    def test_says_nothing_of_a_machine(self, path: Path) -> None:
        notebook = nbformat.read(path, as_version=4)

        assert notebook.metadata == {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
        assert all(cell.metadata == {} for cell in notebook.cells)

    def test_is_small(self, path: Path) -> None:
        assert path.stat().st_size < 400_000

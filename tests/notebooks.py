"""Runs the notebooks of examples/ as they stand; `python tests/notebooks.py` runs them and keeps their outputs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient import NotebookClient

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
SETTINGS = "import warnings\nwarnings.simplefilter('error')\nwarnings.filterwarnings('ignore', module='ipykernel')"
"""What a notebook's kernel is told first: a warning is an error, but for those that the kernel gives itself."""


class ThisInterpreter(KernelSpecManager):
    """Every kernel is one of the interpreter that runs this, whatever kernels are installed where."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """How to start it."""
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, language="python", display_name=kernel_name)


def executed(path: Path) -> Any:
    """Runs all cells of a notebook in a kernel of this interpreter, in the folder of the examples.

    Args:
        path: The notebook, which is left as it is.

    Returns:
        The notebook with its outputs. An error in a cell is raised.
    """
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(SETTINGS))
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", record_timing=False)
    client.create_kernel_manager().kernel_spec_manager = ThisInterpreter()
    client.execute(cwd=str(EXAMPLES))
    del notebook.cells[0]
    for number, cell in enumerate(code_cells(notebook), start=1):
        cell.execution_count = number
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = number
    return notebook


def code_cells(notebook: Any) -> list[Any]:
    """The cells that hold code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(notebook: Any) -> str:
    """What all cells print."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    return "".join(output.text for output in outputs if output.output_type == "stream" and output.name == "stdout")


if __name__ == "__main__":
    for path in NOTEBOOKS:
        done = executed(path)
        done.metadata = nbformat.read(path, as_version=4).metadata  # without what the kernel says of its machine
        nbformat.write(done, path)

"""`to_keras`: a module becomes a file that Keras 3 opens."""

from __future__ import annotations

import copy
import os
import tempfile
from pathlib import Path
from typing import Any

import torch

from rnnspec.describe import config_of
from rnnspec.errors import ConfigError, Problem, WeightsError
from rnnspec.files import write_bytes
from rnnspec.interop.keras.reading import from_keras
from rnnspec.interop.keras.self_check import is_large, largest_difference, random_inputs
from rnnspec.interop.keras.sources import require_h5py
from rnnspec.interop.keras.writing.archive import KERAS_VERSION, archive_bytes
from rnnspec.interop.keras.writing.models import ModelWriter, Written
from rnnspec.interop.keras.writing.report import WritingReport

__all__ = ["to_keras"]

ALLOWED = {torch.float16: 0.02, torch.bfloat16: 0.2}
"""How far the file may be from the model, in parts of the largest output, where it is not `ALLOWED_ELSE`."""
ALLOWED_ELSE = 1e-4


def to_keras(model: torch.nn.Module, path: str | os.PathLike[str]) -> WritingReport:
    """Writes a model as a `.keras` file that Keras 3 opens and that gives the same numbers there; Keras is not needed.

    What Keras 3 says otherwise is written so that the numbers stay, and told in the report; what it cannot say is
    refused. Carried states, the optimizer and the mode are not written. The file is read back and compared first.

    Args:
        model: A layer of `rnnspec.nn`, or a model of them, with weights.
        path: The file, `model.keras`; it is replaced if it is there, at once or not at all.

    Returns:
        What was written, changed and left out.

    Raises:
        ConfigError: If anything in the model cannot be said in Keras 3; every reason is told with its layer.
        ShapeError: If the shape of the model's input is not known.
        WeightsError: If a layer has no weights yet, or computes them from others.
    """
    file = os.fspath(path)
    if not file.endswith(".keras"):
        raise ConfigError(Problem("to_keras: Keras 3 opens files whose names end in .keras", file=file))
    require_h5py("writing")
    report = WritingReport(file, KERAS_VERSION)
    written = ModelWriter(report).model(config_of(model), model)
    arrays = [array for group in written.groups for array in group.arrays]
    report.weights = (len(arrays), sum(array.size for array in arrays))
    _check(model, written, report)
    write_bytes(path, archive_bytes(written.entry, written.groups, written.marks))
    return report


def _check(model: Any, written: Written, report: WritingReport) -> None:
    """Reads the file back as Keras 3 means it, and compares the outputs; one with other numbers is not written."""
    like = next(iter(model.parameters()), torch.empty(0))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "model.keras"
        place.write_bytes(archive_bytes(written.entry, written.groups, {}))
        again = from_keras(place, device=like.device)
    inputs = random_inputs([(given.shape, given.ids) for given in written.inputs], like)
    if written.mask_value is not None:
        inputs[0][:1, :1] = inputs[0][-1:, -1:] = written.mask_value
    # A copy: the model's mode and the states that it carries stay as they are.
    found = None if is_large(model, inputs) else largest_difference(copy.deepcopy(model).eval(), again, inputs)
    if found is None:
        report.check = "left out, the model is large"
        return
    report.difference, scale = found
    report.check = f"read back, the file differs from the model by {report.difference:.1e} at most"
    if not report.difference <= ALLOWED.get(like.dtype, ALLOWED_ELSE) * max(1.0, scale):
        message = f"to_keras: the file would give other numbers, they differ by {report.difference:.1e}"
        raise WeightsError(Problem(message, file=report.path, hint="please tell us about this model"))

"""A file of Keras becomes a YAML file and its weights: what `rnnspec convert` does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from rnnspec.errors import ConfigError, Problem, WeightsError
from rnnspec.factory import build
from rnnspec.files import write_together
from rnnspec.interop.keras.kinds import is_keras_file
from rnnspec.interop.keras.parts import Part
from rnnspec.interop.keras.reading import read_model
from rnnspec.interop.keras.report import Report
from rnnspec.interop.keras.self_check import input_shapes, is_large, largest_difference, random_inputs
from rnnspec.interop.weights import load_weights, save_weights
from rnnspec.yaml.load import dump, load

__all__ = ["Conversion", "keras_to_yaml", "read_any", "weights_beside"]

ALLOWED = 1e-5
"""How far what was read back may be from the model, in parts of its largest output."""


@dataclass(frozen=True)
class Conversion:
    """What was converted.

    Attributes:
        report: What was read and decided.
        files: What was written.
        difference: Largest difference between the file's model and the written one, read back, on a random input; None
            if the model is too large to be tried.
    """

    report: Report
    files: tuple[str, ...]
    difference: float | None

    def lines(self) -> list[str]:
        """The report and the check as lines of text."""
        check = "not run, the model is large"
        if self.difference is not None:
            check = f"differs from the model of the file by {self.difference:.1e} at most"
        return [*self.report.lines(), f"written: {' and '.join(self.files)}", f"read back: {check}"]


def weights_beside(yaml: str | os.PathLike[str]) -> Path:
    """Where the weights of a model are, beside its YAML file: `model.safetensors` beside `model.yaml`."""
    return Path(yaml).with_suffix(".safetensors")


def read_any(
    path: str | os.PathLike[str],
    weights: str | os.PathLike[str] | None = None,
    *,
    keras_version: str | None = None,
    input_shape: Sequence[int | None] | None = None,
) -> tuple[torch.nn.Module, Report | None]:
    """Reads a model from a file of Keras, or from our YAML with its weights.

    Args:
        path: The file.
        weights: The file with the weights; those beside our YAML if None.
        keras_version: The version of Keras that wrote the model, for files that do not tell it.
        input_shape: The shape of the input, if the file does not tell it.

    Returns:
        The model in evaluation mode, and what was read from a file of Keras; None for our YAML.

    Raises:
        ConfigError: If the model cannot be read.
        ShapeError: If neither the file nor `input_shape` tells the shape of the model's input.
        WeightsError: If the weights do not fit the model, or there are none.
    """
    if is_keras_file(path):
        model, _ = read_model(path, weights, keras_version=keras_version, input_shape=input_shape, device="cpu")
        made: Any = model  # it has two more attributes than a module
        return model, made.report
    if keras_version is not None:
        raise ConfigError(Problem("is a YAML file, and keras_version is for models of Keras", file=os.fspath(path)))
    model = build(load(path), input_shape, device="cpu").eval()
    load_weights(model, weights_beside(path) if weights is None else weights)
    return model, None


def keras_to_yaml(
    path: str | os.PathLike[str],
    target: str | os.PathLike[str],
    weights: str | os.PathLike[str] | None = None,
    *,
    keras_version: str | None = None,
    input_shape: Sequence[int | None] | None = None,
) -> Conversion:
    """Writes a model that Keras wrote as a YAML file, with its weights beside it in a safetensors file.

    Both are read back and compared with the model before they get their names.

    Args:
        path: A whole model, or an architecture.
        target: The YAML file; the weights go beside it. Existing files are replaced, both at once or none.
        weights: A file with the weights, where `path` holds none.
        keras_version: The version of Keras that wrote the model, for files that do not tell it.
        input_shape: The shape of the input of a Sequential whose file does not tell it.

    Returns:
        What was done.

    Raises:
        ConfigError: If a file is damaged or none of Keras, or the model has something that is not known here.
        WeightsError: If the weights do not fit the model.
        OSError: If a file cannot be written.
    """
    model, part = read_model(path, weights, keras_version=keras_version, input_shape=input_shape, device="cpu")
    made: Any = model  # it has two more attributes than a module
    files = (os.fspath(target), str(weights_beside(target)))
    with TemporaryDirectory() as folder:
        yaml, tensors = Path(folder) / "model.yaml", Path(folder) / "model.safetensors"
        dump(made.config, yaml)
        save_weights(model, tensors)
        again = build(load(yaml), device="cpu").eval()
        load_weights(again, tensors)
        # What is too large for the check of `read_model` is too large here.
        difference = None if made.report.difference is None else _difference(model, again, part, files[0])
        write_together({files[0]: yaml.read_bytes(), files[1]: tensors.read_bytes()})
    return Conversion(made.report, files, difference)


def _difference(model: torch.nn.Module, again: torch.nn.Module, part: Part, file: str) -> float | None:
    """How far what was read back is from the model; other numbers are an error."""
    like = next(iter(model.parameters()), torch.empty(0))
    inputs = random_inputs(input_shapes(part), like)
    if is_large(model, inputs):
        return None
    difference, scale = largest_difference(model, again, inputs)
    if not difference <= ALLOWED * max(1.0, scale):
        message = f"the YAML file would give other numbers than the model, they differ by {difference:.1e}"
        raise WeightsError(Problem(message, file=file, hint="please tell us about this model"))
    return difference

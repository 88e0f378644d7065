"""`from_keras`: a model that Keras wrote becomes a module."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import torch

from rnnspec.config.base import Config
from rnnspec.config.convert import from_dict
from rnnspec.errors import ConfigError, ConfigWarning, Error, Problem
from rnnspec.factory import build
from rnnspec.interop.keras.dialect import dialect_of
from rnnspec.interop.keras.filling import converted, fill
from rnnspec.interop.keras.lost_shapes import declare_input, require_input
from rnnspec.interop.keras.models import ModelReader
from rnnspec.interop.keras.parts import Part
from rnnspec.interop.keras.report import Report
from rnnspec.interop.keras.self_check import self_check
from rnnspec.interop.keras.sources import Source, StoredWeights, open_source
from rnnspec.interop.keras.texts import KINDS, legible
from rnnspec.interop.keras.undoing import divide, undo_slopes

__all__ = ["examine", "from_keras", "read_model"]

MAX_PROBLEMS = 100
"""What more is wrong with one file is counted."""

P = ParamSpec("P")
Read = TypeVar("Read")
FilePath = str | os.PathLike[str]


@contextmanager
def located(file: str) -> Iterator[None]:
    """Gives errors the name of a file, where they have none; what names from a file do to a message is undone."""

    def told(problem: Problem) -> Problem:
        keys = tuple(legible(key) if isinstance(key, str) else key for key in problem.keys)
        hint = legible(problem.hint) if problem.hint else None
        return replace(problem, file=problem.file or file, keys=keys, message=legible(problem.message), hint=hint)

    try:
        yield
    except Error as error:
        if len(error.problems) > MAX_PROBLEMS + 1:  # with the line that counts the others, they are that many
            more = Problem(f"and {len(error.problems) - MAX_PROBLEMS} more", file=file)
            error = type(error)(*error.problems[:MAX_PROBLEMS], more)
        raise error.mapped(told) from None


def names_file(reader: Callable[Concatenate[FilePath, P], Read]) -> Callable[Concatenate[FilePath, P], Read]:
    """Makes the errors of a function that reads a file name it."""

    @wraps(reader)
    def named(path: FilePath, /, *arguments: P.args, **options: P.kwargs) -> Read:
        with located(os.fspath(path)):
            return reader(path, *arguments, **options)

    return named


def from_keras(
    path: str | os.PathLike[str],
    weights: str | os.PathLike[str] | None = None,
    *,
    keras_version: str | None = None,
    input_shape: Sequence[int | None] | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | str | None = None,
) -> torch.nn.Module:
    """Makes a module of a model that Keras wrote, from 1.2 to 3; Keras is not needed, and no code in a file is run.

    The module has two more attributes: `config`, its config, and `report`, what was read and decided; see
    `rnnspec.interop.keras.report.Report`.

    Args:
        path: A whole model, `.h5` or `.keras`, or a file with the text of `to_json()` or `to_yaml()`; told by content.
        weights: A file with the weights, where `path` holds none; they win over those that it holds.
        keras_version: The version of Keras that wrote the model, for files that do not tell it; it wins over theirs.
        input_shape: The shape of the input with the batch, None where free, for a Sequential whose file lost it.
        device: Where the weights live; CUDA when it is available, else the CPU.
        dtype: Dtype of the weights; wins over the file's.

    Returns:
        The module, built, in evaluation mode.

    Raises:
        ConfigError: If a file is damaged or none of Keras, or the model has something that is not known here.
        WeightsError: If the weights do not fit the model; every tensor is named with both shapes.
    """
    told: dict[str, Any] = {"keras_version": keras_version, "input_shape": input_shape}
    return read_model(path, weights, **told, device=device, dtype=dtype)[0]


@names_file
def read_model(
    path: str | os.PathLike[str],
    weights: str | os.PathLike[str] | None = None,
    *,
    keras_version: str | None = None,
    input_shape: Sequence[int | None] | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | str | None = None,
) -> tuple[torch.nn.Module, Part]:
    """Does the work of `from_keras`.

    Args:
        path: The file with the architecture.
        weights: The file with the weights, if it is another.
        keras_version: The version of Keras that wrote the model.
        input_shape: The shape of its input, if its file does not tell it.
        device: Where the weights live.
        dtype: Dtype of the weights.

    Returns:
        The module, and the model as it was read.
    """
    source = open_source(path)
    stored = _weights_of(source, weights)
    part, config, report = _architecture(source, stored, keras_version, input_shape)
    found = converted(part, stored, report)
    with located(stored.file):
        fill(_weightless(config), part, found)  # nothing large is made before all weights are known to fit
    divide(found)
    model = build(config, device=device, dtype=dtype)
    fill(model, part, found)
    model.eval()
    self_check(model, config, part, report)
    model.config, model.report = cast(Any, config), cast(Any, report)
    return model, part


@names_file
def examine(
    path: str | os.PathLike[str],
    weights: str | os.PathLike[str] | None = None,
    *,
    keras_version: str | None = None,
    input_shape: Sequence[int | None] | None = None,
) -> tuple[Config, Report]:
    """Tells what `from_keras` finds in a file; of the text of an architecture too, whose weights are elsewhere.

    Args:
        path: The file with the architecture.
        weights: The file with the weights, if it is another.
        keras_version: The version of Keras that wrote the model.
        input_shape: The shape of its input, if its file does not tell it.

    Returns:
        The model's config, and the report.

    Raises:
        ConfigError: If a file is damaged or none of Keras, or the model has something that is not known here.
        WeightsError: If the weights do not fit the model.
    """
    source = open_source(path)
    if weights is None and source.weights is None:
        _, config, report = _architecture(source, None, keras_version, input_shape)
        with located(source.file):
            _weightless(config)
        return config, report
    model: Any = read_model(path, weights, keras_version=keras_version, input_shape=input_shape, device="cpu")[0]
    return model.config, model.report


def _architecture(
    source: Source,
    stored: StoredWeights | None,
    keras_version: str | None,
    input_shape: Sequence[int | None] | None,
) -> tuple[Part, Config, Report]:
    """The model of a file without its weights: as it was read, our config, and what was decided."""
    if source.config is None:
        hint = "give the text of to_json() as path, and this file as weights= or --weights"
        raise ConfigError(Problem("the file holds weights alone, no model", file=source.file, hint=hint))
    report = Report(source.file, source.kind, left_out=list(source.left_out), backend=source.backend)
    told = source.keras_version
    if stored is not None:
        report.weights_path, report.layout = stored.file, stored.layout
        report.backend = stored.backend or source.backend or stored.likely_backend
        told = told or _told_by(stored)
    dialect = dialect_of(source.config, source.file, told, keras_version, report.backend)
    report.keras_version, report.version_source = dialect.text, dialect.source
    part = ModelReader(dialect, report).model(source.config)
    undo_slopes(part, source.marks, report)
    lost = declare_input(part, stored, report, input_shape)
    config = _config(part, report)
    if lost:
        require_input(config)
    return part, config, report


def _weights_of(source: Source, weights: str | os.PathLike[str] | None) -> StoredWeights:
    """The weights that were given, or those beside the architecture."""
    if weights is None:
        if source.weights is None:
            message = f"{source.kind} holds no weights"
            raise ConfigError(
                Problem(
                    message, file=source.file, hint="give their file: from_keras(path, weights=...), or --weights FILE"
                )
            )
        return source.weights
    given = open_source(weights)
    if given.weights is None:
        raise ConfigError(Problem(f"{given.kind} holds no weights", file=given.file, hint=KINDS))
    source.left_out += [f"{line}, in {given.file}" for line in given.left_out]
    return given.weights


def _told_by(stored: StoredWeights) -> tuple[str, str] | None:
    """The version that the weights tell, where the architecture tells none."""
    return (stored.keras_version, "by the file of weights") if stored.keras_version else None


def _config(part: Part, report: Report) -> Config:
    """Our config; what it warns of goes into the report."""
    with warnings.catch_warnings(record=True) as caught, located(report.path):
        warnings.simplefilter("always", ConfigWarning)
        config = from_dict(part.schema())
    for warning in caught:
        report.decide(str(warning.message))
    return config


def _weightless(config: Config) -> torch.nn.Module:
    """The model with weights that have shapes alone."""
    try:
        return build(config, device="meta")
    except (RuntimeError, TypeError, OverflowError) as error:  # torch counts sizes in 64 bits
        if isinstance(error, Error):
            raise
        message = f"torch cannot make the model: {error}".partition("\n")[0]
        raise ConfigError(Problem(message, hint="a size in it may be too large")) from None

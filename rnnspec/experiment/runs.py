"""The folder of a run: everything that is needed to read it and to predict with it, and never half of it.

runs/japanese_vowels-1/
    experiment.yaml        the experiment with every argument
    run.json               what was done to the data, the classes, the result, the versions
    weights.safetensors    the trained weights
    metrics.csv            a row an epoch
    learning_curve.png     the same as a picture
    confusion_matrix.png   how often each class of the test split was taken for which; not where targets are numbers
"""

from __future__ import annotations

import csv
import glob
import json
import platform
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import torch

import rnnspec
from rnnspec import nn
from rnnspec.config.experiment import ExperimentConfig
from rnnspec.display.confusion_matrix import draw_confusion_matrix
from rnnspec.display.learning_curve import draw_learning_curve
from rnnspec.errors import ConfigError, DataError, Problem, WeightsError
from rnnspec.experiment.data import data_config
from rnnspec.experiment.history import Row
from rnnspec.experiment.series import SPLITS, DataSet, Series, Standardizer

__all__ = ["Run", "RunFolder", "build_model", "load_run", "save_run"]

_CONFIG, _ABOUT, _WEIGHTS = "experiment.yaml", "run.json", "weights.safetensors"


class RunFolder:
    """A new folder `NAME-1`, `NAME-2`, ... that has its name only once it is complete.

    As a context manager it makes a hidden folder at once, so that a place where nothing can be written is found before
    the training; it renames it at the end, and removes it where something goes wrong.

    Args:
        parent: The folder of all runs; it is made if missing.
        name: The name without the number.

    Attributes:
        path: Where to write; after the `with` block the final folder.
    """

    def __init__(self, parent: Path, name: str) -> None:
        self._parent = parent
        self._name = name
        self.path = parent / f".{name}-{uuid.uuid4().hex[:8]}"

    def __enter__(self) -> RunFolder:
        try:
            self.path.mkdir(parents=True)
        except OSError as error:
            message = f"cannot make a folder for the run: {error.strerror}"
            raise DataError(Problem(message, file=str(self._parent))) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.path = self.path.rename(self._final())
        else:
            shutil.rmtree(self.path)

    def _final(self) -> Path:
        """The folder of the next number; the last number counts, also where earlier runs were removed."""
        tails = [path.name.removeprefix(f"{self._name}-") for path in self._parent.glob(f"{glob.escape(self._name)}-*")]
        return self._parent / f"{self._name}-{max([int(tail) for tail in tails if tail.isdecimal()], default=0) + 1}"


@dataclass(frozen=True, eq=False)
class Run:
    """A trained model, read back from its folder.

    Attributes:
        config: The experiment.
        model: The model with its weights, in eval mode.
        classes: The labels of its outputs.
        standardizer: What must be done to sequences first, None for nothing.
    """

    config: ExperimentConfig
    model: nn.Sequential
    classes: tuple[str, ...]
    standardizer: Standardizer | None

    def prepared(self, series: Series) -> Series:
        """The sequences as the model was trained on them.

        Args:
            series: Sequences as measured.

        Returns:
            The same, standardised if the training data were.

        Raises:
            DataError: If they have another number of channels, or a class that there is not.
        """
        channels = data_config(self.config).channels
        if series.channels != channels:
            expected, found = ("tokens" if n is None else f"{n} channels" for n in (channels, series.channels))
            raise DataError(f"the model takes sequences of {expected}, found {found}")
        greatest = max(int(y.max()) for y in series.y) if series.y is not None else 0
        if greatest >= len(self.classes):
            raise DataError(f"the classes are 0 to {len(self.classes) - 1}, found {greatest} in y")
        return self.standardizer(series) if self.standardizer else series


def save_run(
    folder: Path,
    config: ExperimentConfig,
    model: torch.nn.Module,
    data: DataSet,
    rows: Sequence[Row],
    matrices: Mapping[str, torch.Tensor] | None = None,
) -> None:
    """Writes the files of a run.

    Args:
        folder: An empty folder.
        config: The experiment.
        model: The trained model.
        data: The data it was trained on.
        rows: What the training returned.
        matrices: Confusion matrices of the test split, by the names of their pictures. Default: none.
    """
    rnnspec.dump(config, folder / _CONFIG, defaults=True)
    about = {
        "rnnspec": rnnspec.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "classes": data.train.classes,
        "standardizer": data.standardizer.to_dict() if data.standardizer else None,
        "result": rows[-1],
    }
    (folder / _ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    rnnspec.save_weights(model, folder / _WEIGHTS)
    with (folder / "metrics.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    _draw(folder / "learning_curve.png", config, rows)
    for name, matrix in (matrices or {}).items():
        title = f"{data_config(config).identifier}, test split"
        draw_confusion_matrix(matrix.cpu().numpy(), data.test.classes, folder / f"{name}.png", title)


def load_run(folder: str | Path, overrides: Mapping[str, Any] | None = None) -> Run:
    """Reads a run back; no pickle is involved.

    Args:
        folder: The run's folder.
        overrides: Values that replace those of its experiment, by path: `{"metrics": ["f1_score"]}`. Default: none.

    Returns:
        The run.

    Raises:
        DataError: If it is not the folder of a run.
        ConfigError: If an override is wrong, or nothing registers a name of the experiment.
        WeightsError: If the weights do not fit the model.
    """
    folder = Path(folder)
    missing = [name for name in (_CONFIG, _ABOUT, _WEIGHTS) if not (folder / name).is_file()]
    if missing:
        raise DataError(Problem(f"is not the folder of a run: it has no {', '.join(missing)}", file=str(folder)))
    try:
        config = rnnspec.load(folder / _CONFIG, overrides)
    except ConfigError as error:
        raise error.mapped(_unregistered) from None
    if not isinstance(config, ExperimentConfig):
        raise DataError(Problem("is no experiment any more, it was changed", file=str(folder / _CONFIG)))
    model = build_model(config)
    _load_weights(model, folder / _WEIGHTS)
    return Run(config, model.eval(), *_read_about(folder / _ABOUT, data_config(config).channels))


def _unregistered(problem: Problem) -> Problem:
    """A name that the run's own file has and that is not known was registered when it was trained."""
    if not problem.message.startswith("unknown ") or "override" in problem.message:
        return problem
    hint = "the run was trained with a name of your own: import the module that registers it first (--import MODULE)"
    return replace(problem, hint=hint)


def build_model(config: ExperimentConfig, seed: int | None = None, device: str | None = None) -> nn.Sequential:
    """Builds an experiment's model; a single layer becomes a model too, so that every model is called in the same way.

    Args:
        config: The experiment.
        seed: Of the initial weights.
        device: Where they live; CUDA when it is available if None.

    Returns:
        The model.

    Raises:
        Error: If the model cannot be built, or does not fit the data.
    """
    model = rnnspec.build(config, seed=seed, device=device)
    return model if isinstance(model, nn.Sequential) else nn.Sequential([model])


def _read_about(path: Path, channels: int | None) -> tuple[tuple[str, ...], Standardizer | None]:
    """The classes, and what must be done to sequences first."""
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        classes, standardizer = tuple(about["classes"]), about["standardizer"]
        if not all(isinstance(label, str) for label in classes):
            raise TypeError("a class is no text")
        return classes, None if standardizer is None else Standardizer.from_dict(standardizer, channels)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(Problem("is not what a run writes, it was changed", file=str(path))) from error


def _load_weights(model: torch.nn.Module, path: Path) -> None:
    try:
        rnnspec.load_weights(model, path)
    except WeightsError as error:
        hint = "the run's experiment.yaml and its weights belong together, one of the two was changed"
        raise error.mapped(lambda problem: replace(problem, hint=hint)) from None


def _draw(path: Path, config: ExperimentConfig, rows: Sequence[Row]) -> None:
    optimizer, loss = config.optimizer, config.loss.identifier
    rate = optimizer.to_dict()["learning_rate"]
    title = f"{data_config(config).identifier}, {optimizer.identifier} at {rate:g}, {len(rows)} epochs"
    unit = "nats" if loss in ("CrossEntropy", "BinaryCrossEntropy") else loss
    # A metric with a number for each class would fill the picture.
    drawn = {
        "epoch",
        *(f"{split}_{name}" for split in SPLITS for name in ("loss", *(m.column for m in config.measured))),
    }
    rows = [{name: value for name, value in row.items() if name in drawn} for row in rows]
    draw_learning_curve(rows, path, title, {"loss": f"loss ({unit})", "accuracy": "accuracy (share of labels)"})

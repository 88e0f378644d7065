"""Measuring a finished run: the same numbers that training tells after its last epoch."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rnnspec.errors import DataError
from rnnspec.experiment.batches import batches
from rnnspec.experiment.data import read_data
from rnnspec.experiment.measures import measures_of
from rnnspec.experiment.objectives import compared, objective_of
from rnnspec.experiment.runs import Run
from rnnspec.experiment.series import Series

__all__ = ["Evaluation", "evaluate", "measured_splits"]


@dataclass(frozen=True)
class Evaluation:
    """What a run's model reaches on some sequences.

    Attributes:
        values: `loss`, with the model's own losses in it as in training, and the metrics.
        matrices: Confusion matrices by their names, a row for each class in the data, a column for each predicted one.
        classes: The labels of rows and columns.
    """

    values: dict[str, float]
    matrices: dict[str, list[list[float]]]
    classes: tuple[str, ...]


def evaluate(run: Run, series: Series) -> Evaluation:
    """Measures a run's model on sequences.

    Args:
        run: The trained model; its experiment tells loss and metrics.
        series: Sequences as measured, with labels; what was done to the training data is done to them here.

    Returns:
        The numbers.

    Raises:
        DataError: If the sequences have no labels, or do not fit the model.
        ConfigError: If a metric cannot be used.
    """
    if series.y is None:
        raise DataError("there is nothing to compare the outputs with: the sequences have no labels")
    objective = objective_of(run.config)
    device = next(run.model.parameters()).device
    measures = measures_of(run.config, objective, run.classes).to(device)
    run.model.reset_states()
    for x, mask, y in batches(run.prepared(series), run.config.train.batch_size, fill=run.model.stateful):
        with torch.inference_mode():
            loss, outputs, targets = compared(run.model, objective, (x.to(device), mask.to(device), y.to(device)))
            measures.update(outputs, targets, loss)
    matrices = {name: matrix.tolist() for name, matrix in measures.matrices().items()}
    return Evaluation(measures.values(), matrices, run.classes)


def measured_splits(run: Run) -> dict[str, Series]:
    """The data that a run was measured on after every epoch.

    Args:
        run: The run.

    Returns:
        The sequences as measured: `test`, and `validation` where some were kept for it.

    Raises:
        DataError: If the data cannot be read.
    """
    train = run.config.train
    data = read_data(run.config).validated(train.validation_split, train.seed or 0)
    splits = {"test": data.test, "validation": data.validation}
    return {name: series for name, series in splits.items() if series is not None}

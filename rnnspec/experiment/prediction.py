"""Predicting with a run: sequences in, probabilities of the classes out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from rnnspec.experiment.batches import batches
from rnnspec.experiment.objectives import objective_of
from rnnspec.experiment.runs import Run
from rnnspec.experiment.series import Floats, Series

__all__ = ["judged", "predict"]


def predict(run: Run, series: Series) -> list[Floats]:
    """Predicts the class of each sequence, or of each of its steps where the model returns sequences.

    The states of a stateful model start from zeros, and go on from batch to batch as in training.

    Args:
        run: The trained model.
        series: Sequences as measured; what was done to the training data is done to them here.

    Returns:
        Probabilities, one array a sequence: `(classes,)`, or `(time, classes)`.

    Raises:
        DataError: If the sequences do not fit the model.
    """
    objective = objective_of(run.config)
    device = next(run.model.parameters()).device
    found: list[Floats] = []
    run.model.reset_states()
    for x, mask, y in batches(run.prepared(series), run.config.train.batch_size, fill=run.model.stateful):
        with torch.inference_mode():
            outputs = objective.probabilities(run.model(x.to(device), mask=mask.to(device)))[: len(y)].cpu()
        real = mask[: len(y)]
        found += [
            row.numpy() if row.ndim == 1 else row[steps].numpy() for row, steps in zip(outputs, real, strict=True)
        ]
    return found


def judged(run: Run, series: Series, predicted: Sequence[Floats]) -> list[dict[str, Any]]:
    """Puts predictions into rows for people.

    Args:
        run: The trained model.
        series: The sequences.
        predicted: What `predict` returned for them.

    Returns:
        A row a sequence, or a step: `series` (from 0), `step` (from 0, only where the model returns sequences),
        `label`, `probability`, and `expected`, the label in the data or None.
    """
    return list(_judged(run, series, predicted))


def _judged(run: Run, series: Series, predicted: Sequence[Floats]) -> Iterator[dict[str, Any]]:
    for index, found in enumerate(predicted):
        steps = found if found.ndim == 2 else found[None]
        classes = [-1] * len(steps) if series.y is None else np.broadcast_to(series.y[index], len(steps))
        for step, (row, y) in enumerate(zip(steps, classes, strict=True)):
            best, expected = int(row.argmax()), None if y < 0 else run.classes[y]
            place = {"series": index, "step": step} if found.ndim == 2 else {"series": index}
            yield {**place, "label": run.classes[best], "probability": round(float(row[best]), 6), "expected": expected}

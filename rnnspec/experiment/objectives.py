"""From the names in an experiment to torch's losses and torchmetrics' metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
import torchmetrics
from torch import Tensor, nn
from torchmetrics.classification import MulticlassAccuracy

from rnnspec.config.losses import LossConfig

__all__ = ["Measures", "Objective"]

_PROBABILITIES: dict[str, Callable[[Tensor], Tensor]] = {
    "CrossEntropy": nn.Softmax(-1),
    "BinaryCrossEntropy": nn.Sigmoid(),
}
"""What makes probabilities of the logits that a loss takes; the outputs of all other losses are taken as they are."""


class Objective:
    """What a model's outputs are compared with, and how.

    Cross-entropy takes the number of the class; every other loss takes zeros with a one at the class.

    Args:
        config: The loss.
        classes: The number of classes.

    Attributes:
        probabilities: Makes probabilities of the model's outputs.
    """

    def __init__(self, config: LossConfig, classes: int) -> None:
        self._takes_numbers = config.identifier == "CrossEntropy"
        self._loss: nn.Module = getattr(nn, config.torch_name)(**config.torch_arguments())
        self._classes = classes
        self.probabilities = _PROBABILITIES.get(config.identifier, nn.Identity())

    def targets(self, y: Tensor, dtype: torch.dtype) -> Tensor:
        """Zeros with a one at the class.

        Args:
            y: Classes, `(n,)`.
            dtype: Dtype of the targets.

        Returns:
            The targets, `(n, classes)`.
        """
        return nn.functional.one_hot(y, self._classes).to(dtype)

    def loss(self, outputs: Tensor, y: Tensor) -> Tensor:
        """The mean loss.

        Args:
            outputs: What the model gave, `(n, classes)`.
            y: Classes, `(n,)`.

        Returns:
            A scalar.
        """
        loss: Tensor = self._loss(outputs, y if self._takes_numbers else self.targets(y, outputs.dtype))
        return loss


class Measures(nn.Module):
    """The metrics of one split of the data over an epoch.

    Args:
        names: `Accuracy`, `MeanAbsoluteError`, `MeanSquaredError`; errors are those of the probabilities.
        objective: What the outputs mean.
        classes: The number of classes.
    """

    def __init__(self, names: Sequence[str], objective: Objective, classes: int) -> None:
        super().__init__()
        makers: dict[str, Callable[[], tuple[str, torchmetrics.Metric]]] = {
            "Accuracy": lambda: ("accuracy", MulticlassAccuracy(classes, average="micro")),
            "MeanAbsoluteError": lambda: ("mean_absolute_error", torchmetrics.MeanAbsoluteError()),
            "MeanSquaredError": lambda: ("mean_squared_error", torchmetrics.MeanSquaredError()),
        }
        self._metrics = nn.ModuleDict(dict(makers[name]() for name in names))
        self._objective = objective

    @property
    def metrics(self) -> dict[str, torchmetrics.Metric]:
        """The metrics by their names in metrics.csv, for example `mean_squared_error`."""
        return cast(dict[str, torchmetrics.Metric], dict(self._metrics.items()))

    def update(self, outputs: Tensor, y: Tensor) -> None:
        """Takes a batch in.

        Args:
            outputs: What the model gave, `(n, classes)`.
            y: Classes, `(n,)`.
        """
        probabilities = self._objective.probabilities(outputs.detach())
        targets = self._objective.targets(y, probabilities.dtype)
        for name, metric in self.metrics.items():
            metric.update(probabilities, y if name == "accuracy" else targets)

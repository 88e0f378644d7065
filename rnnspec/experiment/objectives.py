"""From the loss in an experiment to torch's, and what it means by outputs and targets.

The last axis of a model's output holds a number for each class, or for each number of a target. Targets are the numbers
of classes, integers, or numbers to be met, floating; of a sequence, or of each of its steps. All of this is known here,
and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from rnnspec.config.experiment import ExperimentConfig
from rnnspec.config.inference import infer
from rnnspec.config.losses import LossConfig
from rnnspec.experiment.batches import Batch
from rnnspec.experiment.data import data_config
from rnnspec.nn import Sequential

__all__ = ["Objective", "compared", "objective_of"]

_PROBABILITIES: dict[str, Callable[[Tensor], Tensor]] = {
    "CrossEntropy": nn.Softmax(-1),
    "BinaryCrossEntropy": nn.Sigmoid(),
}
"""What makes probabilities of the logits that a loss takes; the outputs of all other losses are taken as they are."""


class Objective:
    """What a model's outputs are compared with, and how.

    Cross-entropy takes the number of the class; every other loss takes zeros with a one at the class, or the number 0
    or 1 where one output tells two classes apart. Targets that are no classes are taken as they are.

    Args:
        config: The loss.
        classes: The number of classes; None where the targets are numbers.
        outputs: Width of the model's output; None: one number for each class.

    Attributes:
        classes: The number of classes, or None.
        outputs: Width of the model's output.
        task: torchmetrics's name for it: `multiclass`, `binary` or `regression`.
        probabilities: Makes probabilities of the model's outputs.
    """

    def __init__(self, config: LossConfig, classes: int | None, outputs: int | None = None) -> None:
        self._takes_numbers = config.identifier == "CrossEntropy"
        self._loss: nn.Module = getattr(nn, config.torch_name)(**config.torch_arguments())
        self.classes = classes
        self.outputs = outputs or classes or 1
        self.task = "regression" if classes is None else "binary" if self.outputs < classes else "multiclass"
        self.probabilities = _PROBABILITIES.get(config.identifier, nn.Identity())

    def matched(self, outputs: Tensor, y: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Puts outputs and targets side by side, without padding.

        Args:
            outputs: What the model gave, `(rows, outputs)`, or `(rows, time, outputs)`, of which every real step counts
                the same.
            y: Targets of the sequences, `(sequences,)` for classes and `(sequences, targets)` for numbers, or with an
                axis of time after the first; that of a sequence is the target of each of its steps.
            mask: Which steps are real, `(rows, time)`. Rows beyond the sequences are padding.

        Returns:
            The outputs, `(n, outputs)`, and their targets, `(n,)` or `(n, targets)`.
        """
        outputs, mask = outputs[: len(y)], mask[: len(y)]
        if outputs.ndim == 2:
            return outputs, y
        if y.ndim == (2 if y.is_floating_point() else 1):
            y = y.unsqueeze(1).expand(-1, mask.shape[1], *y.shape[1:])
        return outputs[mask], y[mask]

    def targets(self, y: Tensor, dtype: torch.dtype) -> Tensor:
        """What the outputs, or their probabilities, would be if all were right.

        Args:
            y: Classes, `(n,)`, or numbers, `(n, targets)`.
            dtype: Dtype of the targets.

        Returns:
            The targets, `(n, outputs)`.
        """
        if self.task == "multiclass":
            y = nn.functional.one_hot(y, self.outputs)
        return y.reshape(len(y), -1).to(dtype)

    def loss(self, outputs: Tensor, y: Tensor) -> Tensor:
        """The mean loss.

        Args:
            outputs: What the model gave, `(n, outputs)`.
            y: Targets, `(n,)` or `(n, targets)`.

        Returns:
            A scalar.
        """
        loss: Tensor = self._loss(outputs, y if self._takes_numbers else self.targets(y, outputs.dtype))
        return loss


def compared(model: Sequential, objective: Objective, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Runs a model on a batch and compares.

    Args:
        model: The model; its `losses` are added to the loss.
        objective: What the outputs mean.
        batch: The batch.

    Returns:
        The mean loss, a scalar; the outputs, `(n, outputs)`; their targets, `(n,)` or `(n, targets)`.
    """
    x, mask, y = batch
    outputs, y = objective.matched(model(x, mask=mask), y, mask)
    return sum(model.losses, objective.loss(outputs, y)), outputs, y


def objective_of(config: ExperimentConfig) -> Objective:
    """The objective of an experiment.

    Args:
        config: The experiment.

    Returns:
        The objective.

    Raises:
        ConfigError: If the experiment names no data.
    """
    data, shape = data_config(config), infer(config).output_shape
    # A user's layer does not tell its shape; it then has what the data ask for.
    return Objective(config.loss, data.classes, shape[-1] if shape else data.classes or data.targets)

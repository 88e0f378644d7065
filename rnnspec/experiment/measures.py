"""From the metrics in an experiment to torchmetrics': made, tried and read."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
import torchmetrics
from torch import Tensor, nn

from rnnspec.config.experiment import ExperimentConfig
from rnnspec.config.metrics import ConfusionMatrixMetricConfig, MetricConfig, OtherMetricConfig
from rnnspec.config.problems import missing_argument, unknown_argument
from rnnspec.errors import ConfigError
from rnnspec.experiment.objectives import Objective

__all__ = ["Measures", "measures_of"]

_OVER_ALL = ("MeanAbsoluteError", "MeanSquaredError")
"""What is the mean over all outputs; any other metric that can give a number for each output does."""


class Measures(nn.Module):
    """Loss and metrics of one split of the data over an epoch.

    Args:
        configs: The metrics. Errors are those of the probabilities.
        objective: What the outputs mean.
        labels: The classes, for the columns of metrics with a number for each; their numbers if empty.

    Raises:
        ConfigError: If torchmetrics has no such metric, or it does not suit outputs and targets; all are told.
    """

    def __init__(self, configs: Sequence[MetricConfig], objective: Objective, labels: Sequence[str] = ()) -> None:
        super().__init__()
        self._objective = objective
        self._labels = labels
        drawn = [config for config in configs if isinstance(config, ConfusionMatrixMetricConfig)]
        if objective.classes and not drawn:
            configs = [*configs, ConfusionMatrixMetricConfig()]
        self._configs = configs
        made, problems = [], []
        for index, config in enumerate(configs):
            try:
                made.append(self._tried(config))
            except ConfigError as error:
                problems += [problem.under("metrics", index, config.identifier) for problem in error.problems]
        if problems:
            raise ConfigError(*problems)
        self._metrics = nn.ModuleList(made)
        # A loss that is no number must be seen, not left out; MeanMetric would then forget its weights.
        self._loss = torchmetrics.SumMetric(nan_strategy="disable")
        self._count = 0

    def update(self, outputs: Tensor, y: Tensor, loss: Tensor) -> None:
        """Takes a batch in.

        Args:
            outputs: What the model gave, `(n, outputs)`.
            y: Targets, `(n,)` or `(n, targets)`.
            loss: The mean loss, a scalar.
        """
        self._loss.update(loss.detach().float() * len(y))
        self._count += len(y)
        for config, metric in zip(self._configs, self._metrics, strict=True):
            self._take(config, cast(torchmetrics.Metric, metric), outputs.detach(), y)

    def values(self) -> dict[str, float]:
        """The loss and the metrics by the names of their columns; nothing before the first batch."""
        if not self._count:
            return {}
        values = {"loss": float(self._loss.compute()) / self._count}
        for column, value in self._computed():
            if value.ndim == 0:
                values[column] = float(value)
            elif value.ndim == 1:
                named = self._labels if len(self._labels) == len(value) else range(len(value))
                values |= {f"{column}_{label}": float(item) for label, item in zip(named, value, strict=True)}
        return values

    def matrices(self) -> dict[str, Tensor]:
        """The confusion matrices by their names: a row for each class in the data, a column for each predicted one."""
        computed = self._computed() if self._count else []
        return {column: value for column, value in computed if value.ndim == 2}

    def reset(self) -> None:
        """Forgets all batches."""
        self._loss.reset()
        self._count = 0
        for metric in self._metrics:
            cast(torchmetrics.Metric, metric).reset()

    def _computed(self) -> list[tuple[str, Tensor]]:
        metrics = cast(Sequence[torchmetrics.Metric], self._metrics)
        return [(config.column, metric.compute()) for config, metric in zip(self._configs, metrics, strict=True)]

    def _take(self, config: MetricConfig, metric: torchmetrics.Metric, outputs: Tensor, y: Tensor) -> None:
        found = self._objective.probabilities(outputs)
        of_classes = _is_of_classes(config)
        expected = y if of_classes else self._objective.targets(y, found.dtype)
        if self._objective.outputs == 1:
            found, expected = found.flatten(), expected.flatten()
        metric.update(found, expected)

    def _tried(self, config: MetricConfig) -> torchmetrics.Metric:
        """Makes a metric and tries it on numbers that mean nothing, so that it is not refused after the training."""
        classes, outputs = self._objective.classes, self._objective.outputs
        rows = 8 * outputs
        numbers = torch.linspace(0.1, 0.9, rows)
        y = torch.arange(rows) % classes if classes else numbers[:, None].repeat(1, outputs)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                metric = _made(config, self._objective)
                self._take(config, metric, torch.stack([numbers.roll(i + 1) for i in range(outputs)], 1), y)
                value = metric.compute()
                metric.reset()
        except ConfigError:
            raise
        except Exception as error:
            reason = " ".join(str(error).split()).rstrip(".")
            message = f"torchmetrics' {config.identifier} cannot be used here: {reason[:1].lower()}{reason[1:]}"
            raise ConfigError(message) from error
        allowed = 2 if isinstance(config, ConfusionMatrixMetricConfig) else 1
        if not isinstance(value, Tensor) or value.ndim > allowed:
            raise ConfigError(f"{config.identifier} gives no number, and no number for each class, so it has no column")
        return metric


def measures_of(config: ExperimentConfig, objective: Objective, labels: Sequence[str] = ()) -> Measures:
    """The measures of an experiment.

    Args:
        config: The experiment.
        objective: What the outputs mean.
        labels: The classes, for the columns of metrics with a number for each; their numbers if empty.

    Returns:
        The measures.

    Raises:
        ConfigError: If a metric cannot be used; with its place where the experiment came from a file.
    """
    try:
        return Measures(config.measured, objective, labels)
    except ConfigError as error:
        source = getattr(config, "_source", None)
        raise error.mapped(source.locate) if source else error from None


def _is_of_classes(config: MetricConfig) -> bool:
    if isinstance(config, OtherMetricConfig):
        return hasattr(torchmetrics.classification, config.tag)
    return config.of_classes


def _made(config: MetricConfig, objective: Objective) -> torchmetrics.Metric:
    """Makes a metric; what the objective knows is filled in."""
    tag, arguments = config.identifier, config.torch_arguments()
    room = torchmetrics.classification if _is_of_classes(config) else torchmetrics.regression
    cls: Callable[..., torchmetrics.Metric] | None = getattr(room, tag, None)
    if cls is None:
        raise ConfigError(f"torchmetrics {torchmetrics.__version__} has no metric '{tag}' of classes or numbers")
    parameters = _parameters(cls)
    known = {"task": objective.task, "num_classes": objective.classes}
    if tag not in _OVER_ALL:
        known["num_outputs"] = objective.outputs
    filled = {name: value for name, value in known.items() if name in parameters}
    problems = [unknown_argument(tag, name, parameters) for name in arguments if name not in parameters]
    required = [name for name, item in parameters.items() if item.default is item.empty]
    problems += [missing_argument(tag, name) for name in required if name not in {*filled, *arguments}]
    if problems:
        raise ConfigError(*problems)
    return cls(**{**filled, **arguments})


def _parameters(cls: Any) -> dict[str, inspect.Parameter]:
    """The arguments by name; a class that chooses another one by the task has them in `__new__`."""
    maker = cls.__new__ if "task" in inspect.signature(cls.__new__).parameters else cls.__init__
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    _, *parameters = inspect.signature(maker).parameters.values()
    return {item.name: item for item in parameters if item.kind not in kinds}

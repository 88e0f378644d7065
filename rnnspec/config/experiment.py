"""Experiments: a model with its data, loss, optimizer, metrics and training, all as plain configs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, cast

from attrs import field, frozen

from rnnspec.config.base import Config, TaggedConfig
from rnnspec.config.checks import Fraction, Limit, PositiveInt, PositiveNumber, Seed, Whole
from rnnspec.config.losses import BinaryCrossEntropyLossConfig, CrossEntropyLossConfig, LossConfig
from rnnspec.config.metrics import MetricConfig, MetricLike, OtherMetricConfig
from rnnspec.config.model import MODEL, model_config
from rnnspec.config.module import ModuleConfig
from rnnspec.config.optimizers import AdamConfig, OptimizerConfig
from rnnspec.config.tags import tagged
from rnnspec.errors import Problem, warn
from rnnspec.registry import DATASETS, Registry
from rnnspec.shapes import Shape

__all__ = ["DataConfig", "ExperimentConfig", "HKCanCorConfig", "JapaneseVowelsConfig", "TrainConfig"]

Data = str | Mapping[str, Any]


@frozen(slots=False, eq=False, repr=False)
class DataConfig(TaggedConfig):
    """The base of all data sets.

    Attributes:
        channels: Channels of every sequence; None where a step is a token, that is an id for an `Embedding`.
        tokens: How many ids there are, 0 for padding among them; None where a step has channels.
        step_targets: Whether each step has a class, or numbers, of its own; else each sequence has.
        classes: How many classes the sequences, or their steps, belong to; None where the targets are numbers.
        targets: How many numbers a target has where there are no classes.
    """

    expected: ClassVar[str] = "a data set"
    registry: ClassVar[Registry] = DATASETS
    channels: ClassVar[int | None] = None
    tokens: ClassVar[int | None] = None
    step_targets: ClassVar[bool] = False
    classes: ClassVar[int | None] = None
    targets: ClassVar[int] = 1


@frozen(slots=False, eq=False, repr=False)
class JapaneseVowelsConfig(DataConfig):
    """Nine speakers' vowels, 12 channels, sequences of 7 to 29 steps (Kudo et al., 1999).

    Args:
        standardize: Whether each channel is brought to mean 0 and standard deviation 1 over the training steps.
    """

    identifier: ClassVar[str] = "JapaneseVowels"
    channels: ClassVar[int | None] = 12
    classes: ClassVar[int | None] = 9

    standardize: bool = True


class HKCanCorConfig(DataConfig):
    """Which part of speech each word of 16,162 Cantonese utterances is, of up to 107 words (Luke and Wong, 2015).

    Ids are 0 for padding, 1 for words that occur but once in the training dialogues or never, from 2 on the others.
    """

    identifier: ClassVar[str] = "HKCanCor"
    tokens: ClassVar[int | None] = 3464
    step_targets: ClassVar[bool] = True
    classes: ClassVar[int | None] = 92


@frozen(slots=False, eq=False, repr=False)
class TrainConfig(Config):
    """How a model is trained.

    Args:
        epochs: How often all training data are seen.
        batch_size: Sequences in a step.
        seed: Makes initial weights, order and dropout reproducible.
        shuffle: Whether the order is drawn anew every epoch. A stateful layer wants False: it goes on from the sequence
            that stood in the same row of the batch before. Its states start from zeros in every epoch.
        gradient_clip: The greatest norm of all gradients together; longer ones are scaled down. None does not clip.
        validation_split: Share of the training data, from 0 to below 1, that is kept for validation.
        drop_last: Whether the last batch of an epoch is left out of the training where it is smaller (default False).
            For a stateful model, whose batch size is fixed, it is filled up with padding otherwise, which counts
            nowhere.
        group_by_length: Whether a batch holds sequences of similar length, so that little of it is padding (default
            False). Which come together is still drawn anew every epoch, among those of one length.
    """

    identifier: ClassVar[str] = "train"

    epochs: PositiveInt = 10
    batch_size: PositiveInt = 32
    seed: Seed = None
    shuffle: bool = True
    gradient_clip: PositiveNumber | None = None
    validation_split: Fraction = 0.0
    drop_last: bool = False
    group_by_length: bool = False

    def to_schema(self) -> dict[str, Any]:
        """The arguments alone: `train` has no tag."""
        return self.to_dict()


LOGITS = {"CrossEntropy": "softmax", "BinaryCrossEntropy": "sigmoid"}
"""The losses that take logits, and the activation that each of them applies itself."""


# The fields below hold configs and take more: these say so to type checkers. `Config` itself converts and checks.


def _any_model(value: ModuleConfig | Data | Sequence[Any]) -> ModuleConfig:
    return value  # type: ignore[return-value]


def _any_data(value: DataConfig | Data | None) -> DataConfig | None:
    return value  # type: ignore[return-value]


def _any_loss(value: LossConfig | Data | None) -> LossConfig:
    return value  # type: ignore[return-value]


def _any_optimizer(value: OptimizerConfig | Data | None) -> OptimizerConfig:
    return value  # type: ignore[return-value]


def _any_train(value: TrainConfig | Mapping[str, Any] | None) -> TrainConfig:
    return value  # type: ignore[return-value]


@frozen(slots=False, eq=False, repr=False)
class ExperimentConfig(Config):
    """A whole experiment, as `rnnspec train` runs it.

    Args:
        model: The model: a config, a list of layers, or one layer in any form.
        data: The data set: a name, or `{Name: {arguments}}`; None where data come from elsewhere.
        loss: The loss (default `CrossEntropy`, from logits).
        optimizer: The optimizer (default `Adam`).
        metrics: What is measured beside the loss: metrics of torchmetrics by the names of their classes, by Keras's
            names, or as `{F1Score: {average: macro}}`.
        train: How to train; a `TrainConfig` or its arguments.
    """

    identifier: ClassVar[str] = "experiment"

    model: Annotated[ModuleConfig, Whole(model_config, {"$ref": f"#/$defs/{MODEL}"})] = field(converter=_any_model)
    data: Annotated[DataConfig, tagged(DataConfig)] | None = field(default=None, converter=_any_data)
    loss: Annotated[LossConfig, tagged(LossConfig)] = field(default=CrossEntropyLossConfig(), converter=_any_loss)
    optimizer: Annotated[OptimizerConfig, tagged(OptimizerConfig)] = field(
        default=AdamConfig(), converter=_any_optimizer
    )
    metrics: Annotated[Sequence[MetricLike], Limit("a list of metrics")] = ()
    train: TrainConfig = field(default=TrainConfig(), converter=_any_train)

    @classmethod
    def relations(cls, values: Mapping[str, Any]) -> list[Problem]:
        """Checks that metrics have different columns, and that they and the loss suit the targets."""
        return [*_metric_problems(values), *_target_problems(values)]

    def warn(self) -> None:
        """Warns of an activation before a loss that takes logits."""
        activation = getattr(self.model.output_layer, "activation", None)
        wrong = LOGITS.get(self.loss.identifier)
        if wrong is not None and activation == wrong:
            warn(f"{self.loss.identifier} takes logits and applies {wrong} itself; leave {wrong} out of the last layer")

    @property
    def measured(self) -> tuple[MetricConfig, ...]:
        """The metrics, as configs."""
        return cast(tuple[MetricConfig, ...], self.metrics)

    @property
    def input_shape(self) -> Shape | None:
        """Shape of the model's input with the batch: sequences of any length; None without data."""
        if self.data is None:
            return None
        return (None, None) if self.data.channels is None else (None, None, self.data.channels)

    def to_schema(self) -> dict[str, Any]:
        """The document: an experiment has no tag."""
        return self.to_dict()


def _metric_problems(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Two metrics with one column."""
    first: dict[str, int] = {}
    for index, metric in enumerate(values.get("metrics", ())):
        if first.setdefault(metric.column, index) != index:
            message = f"metrics {first[metric.column]} and {index} are both called '{metric.column}'"
            keys = ("metrics", index, metric.identifier)
            yield Problem(message, keys, f"give one of them a name: {{{metric.identifier}: {{name: second}}}}")


def _target_problems(values: Mapping[str, Any]) -> Iterator[Problem]:
    """What compares classes where the targets are numbers."""
    data = values.get("data")
    if data is None or data.classes is not None:
        return
    loss = values.get("loss")
    if isinstance(loss, CrossEntropyLossConfig | BinaryCrossEntropyLossConfig):
        message = f"{loss.identifier} compares classes, the targets of {data.identifier} are numbers"
        yield Problem(message, ("loss",), "for example `loss: MeanSquaredError`")
    for index, metric in enumerate(values.get("metrics", ())):
        if metric.of_classes and not isinstance(metric, OtherMetricConfig):
            message = f"{metric.identifier} compares classes, the targets of {data.identifier} are numbers"
            yield Problem(message, ("metrics", index), "for example MeanAbsoluteError")

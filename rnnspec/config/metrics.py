"""Metrics of an experiment: torchmetrics' classes, with their arguments and defaults. Those of classes come first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from attrs import frozen

from rnnspec.config.base import Preset, TaggedConfig
from rnnspec.config.checks import Limit, PositiveInt, PositiveNumber, Rate
from rnnspec.config.tags import Registered, tagged
from rnnspec.errors import Problem
from rnnspec.registry import METRICS, Registry, closest, snake_case

__all__ = [
    "AUROCMetricConfig",
    "AccuracyMetricConfig",
    "AveragePrecisionMetricConfig",
    "AveragedMetricConfig",
    "CalibrationErrorMetricConfig",
    "CohenKappaMetricConfig",
    "ConfusionMatrixMetricConfig",
    "F1ScoreMetricConfig",
    "FBetaScoreMetricConfig",
    "HammingDistanceMetricConfig",
    "HingeLossMetricConfig",
    "JaccardIndexMetricConfig",
    "MatthewsCorrCoefMetricConfig",
    "MetricConfig",
    "MetricLike",
    "NegativePredictiveValueMetricConfig",
    "OtherMetricConfig",
    "PrecisionMetricConfig",
    "RecallMetricConfig",
    "SpecificityMetricConfig",
]

MetricName = Annotated[str, Limit("a name of letters, digits and _", str.isidentifier, {"pattern": r"^[^\W\d]\w*$"})]
Average = Literal["micro", "macro", "weighted", "none"] | None

_SHORT: dict[str, Preset] = {
    "acc": ("Accuracy", {}),
    "binary_accuracy": ("Accuracy", {}),
    "categorical_accuracy": ("Accuracy", {}),
    "sparse_categorical_accuracy": ("Accuracy", {}),
    "top_k_categorical_accuracy": ("Accuracy", {"top_k": 5, "name": "top_k_categorical_accuracy"}),
    "auc": ("AUROC", {}),
    "f1": ("F1Score", {}),
    "mae": ("MeanAbsoluteError", {}),
    "mape": ("MeanAbsolutePercentageError", {}),
    "mse": ("MeanSquaredError", {}),
    "rmse": ("MeanSquaredError", {"squared": False, "name": "root_mean_squared_error"}),
    "root_mean_squared_error": ("MeanSquaredError", {"squared": False, "name": "root_mean_squared_error"}),
    "msle": ("MeanSquaredLogError", {}),
    "r2": ("R2Score", {}),
    "cosine_proximity": ("CosineSimilarity", {"reduction": "mean"}),
}
"""Keras's names and other short ones."""


@frozen(slots=False, eq=False, repr=False, kw_only=True)
class MetricConfig(TaggedConfig):
    """The base of all metrics: classes of torchmetrics with their arguments and defaults.

    What the data and the model say (`task`, `num_classes`, `num_outputs`) is filled in.

    Args:
        name: What its column in metrics.csv is called after `train_` or `test_`; the class's name in snake case if
            None. Two metrics of one class need it.

    Attributes:
        of_classes: Whether it compares probabilities with the numbers of classes; otherwise numbers with numbers, and
            zeros with a one at the class are the numbers of a class.
    """

    expected: ClassVar[str] = "a metric"
    registry: ClassVar[Registry] = METRICS
    aliases: ClassVar[Mapping[str, Preset]] = {**{snake_case(tag): (tag, {}) for tag in METRICS.names()}, **_SHORT}
    open_names: ClassVar[str | None] = r"^[A-Z]\w*$"
    of_classes: ClassVar[bool] = True

    name: MetricName | None = None

    @classmethod
    def from_users_tag(cls, tag: str, arguments: Mapping[str, Any]) -> TaggedConfig:
        """Makes the config of a metric that is not in our table."""
        names = {"name": arguments["name"]} if "name" in arguments else {}
        return OtherMetricConfig(tag, {key: arguments[key] for key in arguments if key != "name"}, **names)

    @classmethod
    def takes_as_it_is(cls, tag: str) -> bool:
        """Whether a name may be one of torchmetrics' other classes, because it is none of ours misspelled."""
        near = closest(tag, cls.registry.names())
        named = re.match(cls.open_names or "", tag) is not None
        return named and (near is None or (near != tag and tag.endswith(near)))

    @property
    def column(self) -> str:
        """What its column is called."""
        return self.name or snake_case(self.identifier)

    def torch_arguments(self) -> dict[str, Any]:
        """The arguments for the class in torchmetrics."""
        arguments = self.to_dict()
        return {name: arguments[name] for name in arguments if name != "name"}


@frozen(slots=False, eq=False, repr=False)
class OtherMetricConfig(Registered, MetricConfig):
    """Any other class of torchmetrics that compares outputs with targets; looked up when training starts.

    Args:
        tag: The name of the class.
        arguments: Its arguments, kept as they are.
    """

    @classmethod
    def relations(cls, values: Mapping[str, Any]) -> list[Problem]:
        """Nothing: only torchmetrics knows the arguments."""
        return []

    @classmethod
    def beside(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Its name, if it has one."""
        return {} if values.get("name") is None else {"name": values["name"]}

    def torch_arguments(self) -> dict[str, Any]:
        """The arguments for the class in torchmetrics."""
        return dict(self.arguments)


MetricLike = Annotated[MetricConfig | str | Mapping[str, Any], tagged(MetricConfig)]


@frozen(slots=False, eq=False, repr=False)
class AveragedMetricConfig(MetricConfig):
    """The base of metrics that are counted for each class and brought together.

    Args:
        threshold: From which probability on the second of two classes is meant; several classes need none.
        average: How the classes are brought together: `micro` counts all targets alike, `macro` all classes,
            `weighted` the classes by their size; `none` or None gives a column for each class.
        top_k: A target counts as met if it is among so many most probable classes.
        ignore_index: A class whose targets do not count.
    """

    threshold: Rate = 0.5
    average: Average = "micro"
    top_k: PositiveInt = 1
    ignore_index: int | None = None


class AccuracyMetricConfig(AveragedMetricConfig):
    """Share of the targets that are met."""

    identifier: ClassVar[str] = "Accuracy"


class F1ScoreMetricConfig(AveragedMetricConfig):
    """Harmonic mean of precision and recall."""

    identifier: ClassVar[str] = "F1Score"


@frozen(slots=False, eq=False, repr=False)
class FBetaScoreMetricConfig(AveragedMetricConfig):
    """Weighted harmonic mean of precision and recall.

    Args:
        beta: How much more recall weighs than precision.
    """

    identifier: ClassVar[str] = "FBetaScore"

    beta: PositiveNumber = 1.0


class HammingDistanceMetricConfig(AveragedMetricConfig):
    """Share of the targets that are missed."""

    identifier: ClassVar[str] = "HammingDistance"


@frozen(slots=False, eq=False, repr=False)
class JaccardIndexMetricConfig(MetricConfig):
    """Targets that are met, as a share of what is target or prediction of the class.

    Args:
        threshold: From which probability on the second of two classes is meant; several classes need none.
        average: How the classes are brought together: `micro` counts all targets alike, `macro` all classes,
            `weighted` the classes by their size; `none` or None gives a column for each class.
        ignore_index: A class whose targets do not count.
    """

    identifier: ClassVar[str] = "JaccardIndex"

    threshold: Rate = 0.5
    average: Average = "macro"
    ignore_index: int | None = None


class NegativePredictiveValueMetricConfig(AveragedMetricConfig):
    """Share of what was not predicted that is not the class."""

    identifier: ClassVar[str] = "NegativePredictiveValue"


class PrecisionMetricConfig(AveragedMetricConfig):
    """Share of the predictions of a class that are right."""

    identifier: ClassVar[str] = "Precision"


class RecallMetricConfig(AveragedMetricConfig):
    """Share of the targets of a class that are met."""

    identifier: ClassVar[str] = "Recall"


class SpecificityMetricConfig(AveragedMetricConfig):
    """Share of the targets of other classes that are not predicted."""

    identifier: ClassVar[str] = "Specificity"


@frozen(slots=False, eq=False, repr=False)
class AUROCMetricConfig(MetricConfig):
    """Area under the receiver operating characteristic.

    Args:
        thresholds: At how many thresholds the curve is taken; None takes all, and keeps all outputs of an epoch.
        average: How the classes are brought together: `micro` counts all targets alike, `macro` all classes,
            `weighted` the classes by their size; `none` or None gives a column for each class.
        max_fpr: The greatest false positive rate of the area, with two classes.
        ignore_index: A class whose targets do not count.
    """

    identifier: ClassVar[str] = "AUROC"

    thresholds: PositiveInt | None = None
    average: Literal["macro", "weighted", "none"] | None = "macro"
    max_fpr: Rate | None = None
    ignore_index: int | None = None


@frozen(slots=False, eq=False, repr=False)
class AveragePrecisionMetricConfig(MetricConfig):
    """Area under the curve of precision over recall.

    Args:
        thresholds: At how many thresholds the curve is taken; None takes all, and keeps all outputs of an epoch.
        average: How the classes are brought together: `micro` counts all targets alike, `macro` all classes,
            `weighted` the classes by their size; `none` or None gives a column for each class.
        ignore_index: A class whose targets do not count.
    """

    identifier: ClassVar[str] = "AveragePrecision"

    thresholds: PositiveInt | None = None
    average: Literal["macro", "weighted", "none"] | None = "macro"
    ignore_index: int | None = None


@frozen(slots=False, eq=False, repr=False)
class CalibrationErrorMetricConfig(MetricConfig):
    """How far the probabilities are from the shares of right predictions (Naeini et al., 2015).

    Args:
        n_bins: Into how many bins the probabilities go.
        norm: How the errors of the bins are brought together: `l1` their mean, `l2` that of the squares,
            `max` the worst.
        ignore_index: A class whose targets do not count.
    """

    identifier: ClassVar[str] = "CalibrationError"

    n_bins: PositiveInt = 15
    norm: Literal["l1", "l2", "max"] = "l1"
    ignore_index: int | None = None


@frozen(slots=False, eq=False, repr=False)
class CohenKappaMetricConfig(MetricConfig):
    """Agreement beyond chance (Cohen, 1960).

    Args:
        threshold: From which probability on the second of two classes is meant; several classes need none.
        weights: How far apart two classes are: `linear` or `quadratic` in their numbers; None: all the same.
        ignore_index: A class whose targets do not count.
    """

    identifier: ClassVar[str] = "CohenKappa"

    threshold: Rate = 0.5
    weights: Literal["linear", "quadratic", "none"] | None = None
    ignore_index: int | None = None


@frozen(slots=False, eq=False, repr=False)
class ConfusionMatrixMetricConfig(MetricConfig):
    """How often each class was predicted for each; it is drawn, it has no column in metrics.csv.

    Args:
        threshold: From which probability on the second of two classes is meant; several classes need none.
        normalize: What the counts are shares of: `true` of the rows, `pred` of the columns, `all` of everything; None
            counts.
        ignore_index: A class whose targets do not count.
    """

    identifier: ClassVar[str] = "ConfusionMatrix"

    threshold: Rate = 0.5
    normalize: Literal["true", "pred", "all", "none"] | None = None
    ignore_index: int | None = None


@frozen(slots=False, eq=False, repr=False)
class HingeLossMetricConfig(MetricConfig):
    """Mean hinge loss of the probabilities.

    Args:
        squared: Whether the square is given, or its root.
        multiclass_mode: `crammer-singer` or `one-vs-all`.
        ignore_index: A class whose targets do not count.
    """

    identifier: ClassVar[str] = "HingeLoss"

    squared: bool = False
    multiclass_mode: Literal["crammer-singer", "one-vs-all"] = "crammer-singer"
    ignore_index: int | None = None


@frozen(slots=False, eq=False, repr=False)
class MatthewsCorrCoefMetricConfig(MetricConfig):
    """Matthews's correlation of predictions and targets.

    Args:
        threshold: From which probability on the second of two classes is meant; several classes need none.
        ignore_index: A class whose targets do not count.
    """

    identifier: ClassVar[str] = "MatthewsCorrCoef"

    threshold: Rate = 0.5
    ignore_index: int | None = None

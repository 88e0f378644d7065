"""Metrics that compare numbers with numbers, from torchmetrics."""

from __future__ import annotations

from typing import ClassVar, Literal

from attrs import frozen

from rnnspec.config.checks import NonNegativeInt, PositiveNumber
from rnnspec.config.metrics import MetricConfig

__all__ = [
    "ConcordanceCorrCoefMetricConfig",
    "CosineSimilarityMetricConfig",
    "ErrorMetricConfig",
    "ExplainedVarianceMetricConfig",
    "KendallRankCorrCoefMetricConfig",
    "LogCoshErrorMetricConfig",
    "MeanAbsoluteErrorMetricConfig",
    "MeanAbsolutePercentageErrorMetricConfig",
    "MeanSquaredErrorMetricConfig",
    "MeanSquaredLogErrorMetricConfig",
    "MinkowskiDistanceMetricConfig",
    "NormalizedRootMeanSquaredErrorMetricConfig",
    "PearsonCorrCoefMetricConfig",
    "R2ScoreMetricConfig",
    "RelativeSquaredErrorMetricConfig",
    "SpearmanCorrCoefMetricConfig",
    "SymmetricMeanAbsolutePercentageErrorMetricConfig",
    "TweedieDevianceScoreMetricConfig",
    "WeightedMeanAbsolutePercentageErrorMetricConfig",
]


class ErrorMetricConfig(MetricConfig):
    """The base of metrics that compare numbers with numbers.

    Attributes:
        of_classes: False.
    """

    of_classes: ClassVar[bool] = False


class ConcordanceCorrCoefMetricConfig(ErrorMetricConfig):
    """Lin's concordance of outputs and targets."""

    identifier: ClassVar[str] = "ConcordanceCorrCoef"


@frozen(slots=False, eq=False, repr=False)
class CosineSimilarityMetricConfig(ErrorMetricConfig):
    """Cosine of the angle between outputs and targets.

    Args:
        reduction: `sum` or `mean` over the targets.
    """

    identifier: ClassVar[str] = "CosineSimilarity"

    reduction: Literal["mean", "sum"] = "sum"


@frozen(slots=False, eq=False, repr=False)
class ExplainedVarianceMetricConfig(ErrorMetricConfig):
    """Share of the targets' variance that the outputs explain.

    Args:
        multioutput: How several outputs are brought together: `uniform_average`, `variance_weighted`, or
            `raw_values`, a column for each.
    """

    identifier: ClassVar[str] = "ExplainedVariance"

    multioutput: Literal["uniform_average", "variance_weighted", "raw_values"] = "uniform_average"


@frozen(slots=False, eq=False, repr=False)
class KendallRankCorrCoefMetricConfig(ErrorMetricConfig):
    """Kendall's rank correlation.

    Args:
        variant: How ties count: `a`, `b` or `c`.
    """

    identifier: ClassVar[str] = "KendallRankCorrCoef"

    variant: Literal["a", "b", "c"] = "b"


class LogCoshErrorMetricConfig(ErrorMetricConfig):
    """Mean of log(cosh(error))."""

    identifier: ClassVar[str] = "LogCoshError"


class MeanAbsoluteErrorMetricConfig(ErrorMetricConfig):
    """The mean of the absolute errors."""

    identifier: ClassVar[str] = "MeanAbsoluteError"


class MeanAbsolutePercentageErrorMetricConfig(ErrorMetricConfig):
    """The mean of the absolute errors as shares of the targets."""

    identifier: ClassVar[str] = "MeanAbsolutePercentageError"


@frozen(slots=False, eq=False, repr=False)
class MeanSquaredErrorMetricConfig(ErrorMetricConfig):
    """The mean of the squared errors.

    Args:
        squared: Whether the square is given, or its root.
    """

    identifier: ClassVar[str] = "MeanSquaredError"

    squared: bool = True


class MeanSquaredLogErrorMetricConfig(ErrorMetricConfig):
    """The mean of the squared errors of log(1 + x); nothing may be negative."""

    identifier: ClassVar[str] = "MeanSquaredLogError"


@frozen(slots=False, eq=False, repr=False)
class MinkowskiDistanceMetricConfig(ErrorMetricConfig):
    """The p-th root of the sum of |error|**p.

    Args:
        p: The exponent, 1 or more.
    """

    identifier: ClassVar[str] = "MinkowskiDistance"

    p: PositiveNumber


@frozen(slots=False, eq=False, repr=False)
class NormalizedRootMeanSquaredErrorMetricConfig(ErrorMetricConfig):
    """The root of the mean squared error, over a size of the targets.

    Args:
        normalization: What the error is divided by: `mean`, `range`, `std` or `l2` of the targets.
    """

    identifier: ClassVar[str] = "NormalizedRootMeanSquaredError"

    normalization: Literal["mean", "range", "std", "l2"] = "mean"


class PearsonCorrCoefMetricConfig(ErrorMetricConfig):
    """Correlation of outputs and targets."""

    identifier: ClassVar[str] = "PearsonCorrCoef"


@frozen(slots=False, eq=False, repr=False)
class R2ScoreMetricConfig(ErrorMetricConfig):
    """1 minus the squared errors over those of the targets' mean.

    Args:
        adjusted: Number of independent regressors that the score is adjusted for.
        multioutput: How several outputs are brought together: `uniform_average`, `variance_weighted`, or
            `raw_values`, a column for each.
    """

    identifier: ClassVar[str] = "R2Score"

    adjusted: NonNegativeInt = 0
    multioutput: Literal["uniform_average", "variance_weighted", "raw_values"] = "uniform_average"


@frozen(slots=False, eq=False, repr=False)
class RelativeSquaredErrorMetricConfig(ErrorMetricConfig):
    """The squared errors over those of the targets' mean.

    Args:
        squared: Whether the square is given, or its root.
    """

    identifier: ClassVar[str] = "RelativeSquaredError"

    squared: bool = True


class SpearmanCorrCoefMetricConfig(ErrorMetricConfig):
    """Correlation of the ranks."""

    identifier: ClassVar[str] = "SpearmanCorrCoef"


class SymmetricMeanAbsolutePercentageErrorMetricConfig(ErrorMetricConfig):
    """The absolute errors as shares of the mean of output and target."""

    identifier: ClassVar[str] = "SymmetricMeanAbsolutePercentageError"


@frozen(slots=False, eq=False, repr=False)
class TweedieDevianceScoreMetricConfig(ErrorMetricConfig):
    """Tweedie's deviance.

    Args:
        power: The power of the variance; 0 is the squared error.
    """

    identifier: ClassVar[str] = "TweedieDevianceScore"

    power: float = 0.0


class WeightedMeanAbsolutePercentageErrorMetricConfig(ErrorMetricConfig):
    """The sum of the absolute errors as a share of the sum of the targets."""

    identifier: ClassVar[str] = "WeightedMeanAbsolutePercentageError"

"""Losses of an experiment, each a loss of torch.nn under its own name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import frozen

from rnnspec.config.base import Preset, TaggedConfig
from rnnspec.config.checks import Fraction, PositiveNumber
from rnnspec.registry import LOSSES, Registry

__all__ = [
    "BinaryCrossEntropyLossConfig",
    "CrossEntropyLossConfig",
    "HuberLossConfig",
    "LossConfig",
    "MeanAbsoluteErrorLossConfig",
    "MeanSquaredErrorLossConfig",
]


class LossConfig(TaggedConfig):
    """The base of all losses; its arguments are those of the class in torch.nn.

    Attributes:
        torch_name: Name of the class in torch.nn.
    """

    expected: ClassVar[str] = "a loss"
    registry: ClassVar[Registry] = LOSSES
    aliases: ClassVar[Mapping[str, Preset]] = {
        "cross_entropy": ("CrossEntropy", {}),
        "binary_cross_entropy": ("BinaryCrossEntropy", {}),
        "mean_squared_error": ("MeanSquaredError", {}),
        "mean_absolute_error": ("MeanAbsoluteError", {}),
        "huber": ("Huber", {}),
    }
    torch_name: ClassVar[str]

    def torch_arguments(self) -> dict[str, Any]:
        """The arguments for the class in torch.nn."""
        return self.to_dict()


@frozen(slots=False, eq=False, repr=False)
class CrossEntropyLossConfig(LossConfig):
    """Cross-entropy of class numbers against logits: the model ends without a softmax.

    Args:
        label_smoothing: Share of the target that is spread over all classes, from 0 to below 1.
    """

    identifier: ClassVar[str] = "CrossEntropy"
    torch_name: ClassVar[str] = "CrossEntropyLoss"

    label_smoothing: Fraction = 0.0


class BinaryCrossEntropyLossConfig(LossConfig):
    """Cross-entropy of targets from 0 to 1 against logits: the model ends without a sigmoid."""

    identifier: ClassVar[str] = "BinaryCrossEntropy"
    torch_name: ClassVar[str] = "BCEWithLogitsLoss"


class MeanSquaredErrorLossConfig(LossConfig):
    """The mean of the squared errors."""

    identifier: ClassVar[str] = "MeanSquaredError"
    torch_name: ClassVar[str] = "MSELoss"


class MeanAbsoluteErrorLossConfig(LossConfig):
    """The mean of the absolute errors."""

    identifier: ClassVar[str] = "MeanAbsoluteError"
    torch_name: ClassVar[str] = "L1Loss"


@frozen(slots=False, eq=False, repr=False)
class HuberLossConfig(LossConfig):
    """Squared where the error is small, absolute where it is large.

    Args:
        delta: Where the one becomes the other, a positive number.
    """

    identifier: ClassVar[str] = "Huber"
    torch_name: ClassVar[str] = "HuberLoss"

    delta: PositiveNumber = 1.0

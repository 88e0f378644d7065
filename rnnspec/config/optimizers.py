"""Optimizers of an experiment: torch.optim's, under Keras's argument names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import frozen

from rnnspec.config.base import Preset, TaggedConfig
from rnnspec.config.checks import Fraction, NonNegativeNumber, PositiveNumber
from rnnspec.errors import Problem
from rnnspec.registry import OPTIMIZERS, Registry

__all__ = ["AdamConfig", "AdamWConfig", "OptimizerConfig", "RMSpropConfig", "SGDConfig"]

TORCH_NAMES = {"learning_rate": "lr", "epsilon": "eps", "rho": "alpha"}


class OptimizerConfig(TaggedConfig):
    """The base of all optimizers; the class in torch.optim has the name of the tag."""

    expected: ClassVar[str] = "an optimizer"
    registry: ClassVar[Registry] = OPTIMIZERS
    aliases: ClassVar[Mapping[str, Preset]] = {
        "sgd": ("SGD", {}),
        "adam": ("Adam", {}),
        "adamw": ("AdamW", {}),
        "adam_w": ("AdamW", {}),
        "rmsprop": ("RMSprop", {}),
        "RMSProp": ("RMSprop", {}),
        "rms_prop": ("RMSprop", {}),
    }

    def torch_arguments(self) -> dict[str, Any]:
        """The arguments for the class in torch.optim: `lr`, `betas`, `eps`, ..."""
        arguments = self.to_dict()
        if "beta_1" in arguments:
            arguments["betas"] = (arguments.pop("beta_1"), arguments.pop("beta_2"))
        return {TORCH_NAMES.get(name, name): value for name, value in arguments.items()}


@frozen(slots=False, eq=False, repr=False)
class SGDConfig(OptimizerConfig):
    """Stochastic gradient descent.

    Args:
        learning_rate: Step size.
        momentum: How much of the last step is kept, from 0 to below 1.
        nesterov: Whether the momentum is Nesterov's; needs a momentum.
        weight_decay: Factor of the weights that is added to their gradients.
    """

    identifier: ClassVar[str] = "SGD"

    learning_rate: PositiveNumber = 0.01
    momentum: Fraction = 0.0
    nesterov: bool = False
    weight_decay: NonNegativeNumber = 0.0

    @classmethod
    def relations(cls, values: Mapping[str, Any]) -> list[Problem]:
        """Checks that Nesterov's momentum is not 0."""
        if values.get("nesterov") and values.get("momentum") == 0:
            return [Problem("nesterov needs a momentum above 0", ("nesterov",))]
        return []


@frozen(slots=False, eq=False, repr=False)
class AdamConfig(OptimizerConfig):
    """Adam (Kingma and Ba, 2015).

    Args:
        learning_rate: Step size.
        beta_1: Decay of the mean of the gradients, from 0 to below 1.
        beta_2: Decay of the mean of their squares, from 0 to below 1.
        epsilon: Added to the denominator.
        weight_decay: Factor of the weights that is added to their gradients.
        amsgrad: Whether the denominator never shrinks (Reddi et al., 2018).
    """

    identifier: ClassVar[str] = "Adam"

    learning_rate: PositiveNumber = 0.001
    beta_1: Fraction = 0.9
    beta_2: Fraction = 0.999
    epsilon: NonNegativeNumber = 1e-8
    weight_decay: NonNegativeNumber = 0.0
    amsgrad: bool = False


@frozen(slots=False, eq=False, repr=False)
class AdamWConfig(OptimizerConfig):
    """Adam with a weight decay of its own (Loshchilov and Hutter, 2019).

    Args:
        learning_rate: Step size.
        beta_1: Decay of the mean of the gradients, from 0 to below 1.
        beta_2: Decay of the mean of their squares, from 0 to below 1.
        epsilon: Added to the denominator.
        weight_decay: Share of the weights that each step takes away, times the learning rate.
        amsgrad: Whether the denominator never shrinks (Reddi et al., 2018).
    """

    identifier: ClassVar[str] = "AdamW"

    learning_rate: PositiveNumber = 0.001
    beta_1: Fraction = 0.9
    beta_2: Fraction = 0.999
    epsilon: NonNegativeNumber = 1e-8
    weight_decay: NonNegativeNumber = 0.01
    amsgrad: bool = False


@frozen(slots=False, eq=False, repr=False)
class RMSpropConfig(OptimizerConfig):
    """RMSprop (Hinton, 2012).

    Args:
        learning_rate: Step size.
        rho: Decay of the mean of the squared gradients, from 0 to below 1.
        epsilon: Added to the denominator.
        momentum: How much of the last step is kept, from 0 to below 1.
        centered: Whether the gradients' variance is used in place of their square.
        weight_decay: Factor of the weights that is added to their gradients.
    """

    identifier: ClassVar[str] = "RMSprop"

    learning_rate: PositiveNumber = 0.001
    rho: Fraction = 0.9
    epsilon: NonNegativeNumber = 1e-8
    momentum: Fraction = 0.0
    centered: bool = False
    weight_decay: NonNegativeNumber = 0.0

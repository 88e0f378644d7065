"""Name tables with did-you-mean: the built-in names are literal tables, users add theirs with `rnnspec.register`.

A table maps a name to an object, or to the text `module:attribute`, which is imported when it is first asked for.
No name is registered by the side effect of an import.
"""

from __future__ import annotations

import difflib
import importlib
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar, overload

from rnnspec.errors import ConfigError, Problem

__all__ = [
    "ACTIVATIONS",
    "CELLS",
    "CONSTRAINTS",
    "DATASETS",
    "FUNCTIONS",
    "INITIALIZERS",
    "LAYERS",
    "LOSSES",
    "METRICS",
    "OPTIMIZERS",
    "REGULARIZERS",
    "Decorator",
    "Register",
    "Registry",
    "closest",
    "did_you_mean",
    "register",
    "snake_case",
]

Thing = TypeVar("Thing")


def closest(name: str, choices: Iterable[str]) -> str | None:
    """Finds the choice that a misspelled name most likely meant.

    Args:
        name: What the user wrote.
        choices: What is allowed.

    Returns:
        The choice, or None where nothing is near.
    """
    by_fold = {choice.lower().replace("_", ""): choice for choice in choices}
    near = difflib.get_close_matches(name.lower().replace("_", ""), by_fold, n=1, cutoff=0.6)
    return by_fold[near[0]] if near else None


def snake_case(name: str) -> str:
    """Writes a class's name in snake case, as Keras and torchmetrics do: `simple_rnn`, `f1_score`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=.)(?=[A-Z][a-z])", "_", name).lower()


def did_you_mean(name: str, choices: Iterable[str]) -> str | None:
    """Asks whether a misspelled name meant another.

    Args:
        name: What the user wrote.
        choices: What is allowed.

    Returns:
        `did you mean 'units'?`, or None where nothing is near.
    """
    near = closest(name, choices)
    return f"did you mean '{near}'?" if near else None


class Registry:
    """One table of names.

    Args:
        kind: What the names name, for messages: `layer`, `initializer`, ...
        builtin: The built-in names, each with its object or with `module:attribute`.
    """

    def __init__(self, kind: str, builtin: Mapping[str, Any]) -> None:
        self.kind = kind
        self._builtin = dict(builtin)
        self._added: dict[str, Any] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._builtin or name in self._added

    def names(self) -> list[str]:
        """All names, sorted, the users' among them."""
        return sorted({*self._builtin, *self._added})

    def is_users(self, name: str) -> bool:
        """Whether a user registered this name."""
        return name in self._added

    def name_of(self, thing: Any) -> str | None:
        """The name under which a user registered an object; None if nobody did."""
        return next((name for name, added in self._added.items() if added is thing), None)

    def require(self, name: str) -> None:
        """Checks that a name is known, without importing what it names.

        Args:
            name: The name as the user wrote it.

        Raises:
            ConfigError: If there is no such name; the message lists what there is.
        """
        if name not in self:
            names = self.names()
            expected = f"expected one of {', '.join(names)}" if names else "none is registered"
            hint = did_you_mean(name, names) if names else f"register it with @rnnspec.register.{self.kind}"
            raise ConfigError(Problem(f"unknown {self.kind} {name!r}, {expected}", hint=hint))

    def find(self, name: str) -> Any:
        """Looks a name up.

        Args:
            name: The name as the user wrote it.

        Returns:
            The object that it names.

        Raises:
            ConfigError: If there is no such name; the message lists what there is.
        """
        self.require(name)
        if name in self._added:
            return self._added[name]
        found = self._builtin[name]
        if isinstance(found, str):
            module, _, attribute = found.partition(":")
            found = getattr(importlib.import_module(module), attribute)
        return found

    def add(self, name: str, thing: Any) -> None:
        """Adds a user's name; the same name again replaces it, as a notebook cell that is run twice does.

        Args:
            name: The new name.
            thing: What it names.

        Raises:
            ConfigError: If the name is a built-in one.
        """
        if name in self._builtin:
            message = f"the {self.kind} '{name}' is built in and cannot be replaced"
            raise ConfigError(Problem(message, hint="choose another name"))
        self._added[name] = thing


class Decorator:
    """One of the decorators of `rnnspec.register`.

    Used as `@register.cell` it takes the name of the class or function, as `@register.cell("MyCell")` the given one.

    Args:
        table: Where the names go.
    """

    def __init__(self, table: Registry) -> None:
        self._table = table

    @overload
    def __call__(self, thing: str, /) -> Callable[[Thing], Thing]: ...
    @overload
    def __call__(self, thing: Thing, /) -> Thing: ...

    def __call__(self, thing: Any, /) -> Any:
        """Registers a class or a function, or returns the decorator that does so under a name."""
        if isinstance(thing, str):
            return partial(self._add, thing)
        return self._add(thing.__name__, thing)

    def _add(self, name: str, thing: Thing) -> Thing:
        self._table.add(name, thing)
        return thing


def _paths(module: str, suffix: str, names: str) -> dict[str, str]:
    """Writes a literal table short: each name stands for `module:name + suffix`."""
    return {name: f"{module}:{name}{suffix}" for name in names.split()}


LAYERS = Registry(
    "layer",
    {
        **_paths("rnnspec.config.recurrent", "Config", "Recurrent RNN SimpleRNN LSTM GRU"),
        **_paths(
            "rnnspec.config.core",
            "Config",
            "Input Masking Unmasking Dense Activation Dropout SpatialDropout1D ActivityRegularization",
        ),
        **_paths("rnnspec.config.reshaping", "Config", "Flatten Reshape Permute RepeatVector"),
        **_paths("rnnspec.config.functions", "Config", "Lambda"),
        **_paths("rnnspec.config.advanced_activations", "Config", "LeakyReLU PReLU ELU ThresholdedReLU Softmax ReLU"),
        **_paths("rnnspec.config.convolutional", "Config", "Conv1D ZeroPadding1D Cropping1D UpSampling1D"),
        **_paths("rnnspec.config.embeddings", "Config", "Embedding"),
        **_paths("rnnspec.config.merge", "Config", "Add Subtract Multiply Average Maximum Minimum Concatenate Dot"),
        **_paths("rnnspec.config.noise", "Config", "GaussianNoise GaussianDropout AlphaDropout"),
        **_paths("rnnspec.config.normalization", "Config", "BatchNormalization LayerNormalization Rescaling"),
        **_paths(
            "rnnspec.config.pooling",
            "Config",
            "MaxPooling1D AveragePooling1D GlobalMaxPooling1D GlobalAveragePooling1D",
        ),
        **_paths("rnnspec.config.wrappers", "Config", "TimeDistributed Bidirectional"),
        **_paths("rnnspec.config.model", "Config", "Sequential"),
        "graph": "rnnspec.config.graph:GraphConfig",
    },
)
CELLS = Registry("cell", _paths("rnnspec.engines.cells", "", "SimpleRNN LSTM GRU"))
ACTIVATIONS = Registry(
    "activation",
    _paths(
        "rnnspec.engines.activations",
        "",
        "elu hard_sigmoid hard_sigmoid_keras3 linear relu selu sigmoid softmax softplus softsign tanh",
    ),
)
INITIALIZERS = Registry(
    "initializer",
    _paths(
        "rnnspec.config.initializers",
        "InitializerConfig",
        "Zeros Ones Constant Uniform Normal TruncatedNormal VarianceScaling Identity Orthogonal "
        "GlorotUniform GlorotNormal HeUniform HeNormal LecunUniform LecunNormal",
    ),
)
REGULARIZERS = Registry("regularizer", _paths("rnnspec.config.regularizers", "RegularizerConfig", "L1 L2 L1L2"))
CONSTRAINTS = Registry(
    "constraint", _paths("rnnspec.config.constraints", "Config", "MaxNorm NonNeg UnitNorm MinMaxNorm")
)
# What a Lambda layer calls; there are none but the users'.
FUNCTIONS = Registry("function", {})
DATASETS = Registry("data set", _paths("rnnspec.config.experiment", "Config", "HKCanCor JapaneseVowels"))
LOSSES = Registry(
    "loss",
    _paths(
        "rnnspec.config.losses",
        "LossConfig",
        "CrossEntropy BinaryCrossEntropy MeanSquaredError MeanAbsoluteError Huber",
    ),
)
METRICS = Registry(
    "metric",
    {
        **_paths(
            "rnnspec.config.metrics",
            "MetricConfig",
            "Accuracy F1Score FBetaScore HammingDistance JaccardIndex NegativePredictiveValue Precision Recall "
            "Specificity AUROC AveragePrecision CalibrationError CohenKappa ConfusionMatrix HingeLoss MatthewsCorrCoef",
        ),
        **_paths(
            "rnnspec.config.error_metrics",
            "MetricConfig",
            "ConcordanceCorrCoef CosineSimilarity ExplainedVariance KendallRankCorrCoef LogCoshError MeanAbsoluteError "
            "MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogError MinkowskiDistance "
            "NormalizedRootMeanSquaredError PearsonCorrCoef R2Score RelativeSquaredError "
            "SpearmanCorrCoef SymmetricMeanAbsolutePercentageError TweedieDevianceScore "
            "WeightedMeanAbsolutePercentageError",
        ),
    },
)
OPTIMIZERS = Registry("optimizer", _paths("rnnspec.config.optimizers", "Config", "SGD Adam AdamW RMSprop"))


class Register:
    """The decorators that add a user's own names: `rnnspec.register.cell`, `.layer`, `.activation`, ..."""

    layer = Decorator(LAYERS)
    cell = Decorator(CELLS)
    activation = Decorator(ACTIVATIONS)
    initializer = Decorator(INITIALIZERS)
    regularizer = Decorator(REGULARIZERS)
    constraint = Decorator(CONSTRAINTS)
    function = Decorator(FUNCTIONS)


register = Register()

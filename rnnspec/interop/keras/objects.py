"""Initializers, regularizers, constraints and activations in a configuration of any Keras, in our words."""

from __future__ import annotations

from collections.abc import Mapping
from ctypes import c_float
from typing import Any

from attrs import fields

from rnnspec.config.base import TaggedConfig
from rnnspec.config.constraints import ConstraintConfig
from rnnspec.config.initializers import InitializerConfig
from rnnspec.errors import ConfigError, Problem
from rnnspec.interop.keras.dialect import Dialect
from rnnspec.interop.keras.report import Report
from rnnspec.registry import ACTIVATIONS

__all__ = ["Objects"]

NAMES = {"OrthogonalInitializer": "Orthogonal", "IdentityInitializer": "Identity"}
# What an initializer draws from, where Keras has another word for the same.
DISTRIBUTIONS = {"truncated_normal": "normal", "untruncated_normal": "normal"}
# Keras 2 writes the names that users know by the arguments that they stand for.
SCALINGS = {
    (1.0, "fan_avg", "uniform"): "GlorotUniform",
    (1.0, "fan_avg", "normal"): "GlorotNormal",
    (2.0, "fan_in", "uniform"): "HeUniform",
    (2.0, "fan_in", "normal"): "HeNormal",
    (1.0, "fan_in", "uniform"): "LecunUniform",
    (1.0, "fan_in", "normal"): "LecunNormal",
}
IDLE = {"dtype", "input_axes", "output_axes"}
"""Arguments of initializers that say nothing here."""
KERAS1_CONSTRAINTS = {"m": "max_value", "low": "min_value", "high": "max_value"}


class Objects:
    """Writes what stands inside a layer's configuration in our words.

    Args:
        dialect: The Keras that wrote it.
        report: Where decisions and losses are noted.
    """

    def __init__(self, dialect: Dialect, report: Report) -> None:
        self.dialect = dialect
        self.report = report

    def initializer(self, value: Any, label: str, name: str, *, square: bool) -> Any:
        """An initializer in our words; None, which means the default, for one that is not known here.

        Args:
            value: As the file has it.
            label: What the report calls the layer.
            name: The argument's name.
            square: Whether the weight is a square matrix for certain: ours makes no other identity.

        Returns:
            The data for our config.
        """
        if value is None:
            return None
        tag, arguments = _split(value)
        tag = NAMES.get(tag, tag)
        arguments = {key: item for key, item in arguments.items() if key not in IDLE}
        if not isinstance(arguments.get("seed", 0), int):
            arguments.pop("seed")
        if tag == "VarianceScaling":
            arguments["distribution"] = DISTRIBUTIONS.get(
                str(arguments.get("distribution")), arguments.get("distribution")
            )
            scaling = tuple(arguments.get(key) for key in ("scale", "mode", "distribution"))
            known = next((name for key, name in SCALINGS.items() if key == scaling), None)
            if known is not None:
                tag, arguments = known, {key: arguments[key] for key in ("seed",) if key in arguments}
        if not _known(InitializerConfig, tag, arguments) or (tag in ("Identity", "identity") and not square):
            self.report.leave_out(f"{label}: the {name} {tag}, which only matters for weights that are drawn anew")
            return None
        return {"class_name": tag, "config": arguments}

    def regularizer(self, value: Any, label: str, name: str) -> Any:
        """A regularizer in our words; None for one that is not known here, which changes no output."""
        if value is None:
            return None
        tag, arguments = _split(value)
        if not arguments and tag in ("l1", "l2", "l1_l2"):
            return tag  # here too 0.01
        if tag.removesuffix("Regularizer") in ("L1", "L2", "L1L2", "Weight", "Activity") and set(arguments) <= {
            "l1",
            "l2",
        }:
            l1, l2 = (_factor(arguments.get(key, 0.0)) for key in ("l1", "l2"))
            if 0 in (l1, l2):
                return {"L1": {"l": l1}} if l2 == 0 else {"L2": {"l": l2}}
            return {"L1L2": {"l1": l1, "l2": l2}}
        self.report.leave_out(f"{label}: the {name} {tag}, which only matters in training")
        return None

    def constraint(self, value: Any, label: str, name: str) -> Any:
        """A constraint in our words; None for one that is not known here, which changes no output."""
        if value is None:
            return None
        tag, arguments = _split(value)
        arguments = {KERAS1_CONSTRAINTS.get(key, key): item for key, item in arguments.items()}
        if not _known(ConstraintConfig, tag, arguments):
            self.report.leave_out(f"{label}: the {name} {tag}, which only matters in training")
            return None
        return {"class_name": tag, "config": arguments}

    def activation(self, value: Any, label: str, keys: tuple[str | int, ...]) -> str | None:
        """An activation's name in our words.

        Args:
            value: As the file has it.
            label: What messages call the layer.
            keys: The argument's place in the configuration.

        Returns:
            The name; None for linear.

        Raises:
            ConfigError: If there is no such activation here.
        """
        name = value
        if isinstance(value, Mapping):
            inner = value.get("config")
            name = inner if isinstance(inner, str) else value.get("class_name")
        if name is None or name == "linear":
            return None if name is None else "linear"
        if not isinstance(name, str):
            raise ConfigError(Problem(f"{label}: an activation is a name", keys, file=self.dialect.file))
        if name == "hard_sigmoid":
            meaning = self.dialect.hard_sigmoid
            formula = "relu6(x + 3) / 6" if meaning == "hard_sigmoid_keras3" else "clip(0.2 x + 0.5, 0, 1)"
            self.report.hard_sigmoid = f"{formula}, here {meaning}"
            return meaning
        if name not in ACTIVATIONS:
            hint = f"if you know what it computes, register it: @rnnspec.register.activation('{name}')"
            message = f"{label}: there is no activation '{name}' here"
            raise ConfigError(Problem(message, keys, hint, self.dialect.file))
        return name


def _split(value: Any) -> tuple[str, dict[str, Any]]:
    """The name and the arguments of an object, in any Keras's form."""
    if isinstance(value, Mapping):
        if "class_name" in value:
            config = value.get("config")
            return str(value["class_name"]), dict(config) if isinstance(config, Mapping) else {}
        return str(value.get("name")), {str(key): item for key, item in value.items() if key != "name"}
    return str(value), {}


def _factor(value: Any) -> Any:
    """The number that was meant: some Keras write factors as float32 keeps them, 0.01 as 0.009999999776482582."""
    short = float(f"{value:.7g}") if isinstance(value, float) else value
    return short if isinstance(value, float) and c_float(short).value == value else value


def _known(family: type[TaggedConfig], tag: str, arguments: Mapping[str, Any]) -> bool:
    """Whether our family has such an object, with such arguments."""
    if family.registry.is_users(tag):
        return True
    tag, _ = {**family.aliases, **family.keras_presets}.get(tag, (tag, {}))
    return tag in family.registry and set(arguments) <= {field.name for field in fields(family.find(tag))}

"""Initializers, regularizers, constraints and activations of ours, in the words of Keras 3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnnspec.config.base import TaggedConfig
from rnnspec.config.tags import Registered
from rnnspec.interop.keras.slope import NEW, OLD
from rnnspec.registry import ACTIVATIONS

__all__ = ["activation", "keras_object", "written_object"]

# Classes and arguments that have another name in Keras 3, in all of its versions, and arguments that it has not.
CLASSES = {
    "Uniform": "RandomUniform",
    "Normal": "RandomNormal",
    "Orthogonal": "OrthogonalInitializer",
    "Identity": "IdentityInitializer",
}
RENAMED: Mapping[str, Mapping[str, str]] = {"L1": {"l": "l1"}, "L2": {"l": "l2"}}
WITHOUT = {"dtype", "name", "collect", "w"}
# A variance scaling of Keras 2 draws from the truncated normal distribution.
VALUES = {("VarianceScaling", "distribution", "normal"): "truncated_normal"}


def keras_object(module: str, class_name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """An object as a file of Keras 3 has it.

    Args:
        module: Where Keras has its class: `keras.layers`.
        class_name: Its class.
        config: Its arguments.

    Returns:
        The data.
    """
    return {"module": module, "class_name": class_name, "config": dict(config), "registered_name": None}


def written_object(value: TaggedConfig, kind: str) -> dict[str, Any] | None:
    """Writes an initializer, a regularizer or a constraint.

    Args:
        value: Its config.
        kind: Which of them: `initializer`.

    Returns:
        The data; None for one that a user registered.
    """
    if isinstance(value, Registered):
        return None
    tag, renamed = value.identifier, RENAMED.get(value.identifier, {})
    arguments = {
        renamed.get(name, name): VALUES.get((tag, name, item), item) if isinstance(item, str) else item
        for name, item in value.to_dict().items()
        if name not in WITHOUT
    }
    return keras_object(f"keras.{kind}s", CLASSES.get(tag, tag), arguments)


def activation(name: str | None) -> str | None:
    """The name of an activation in Keras 3; None where it has none.

    Args:
        name: Our name, None for linear.

    Returns:
        Keras's; both functions called hard_sigmoid have the same.
    """
    if name is None:
        return "linear"
    if ACTIVATIONS.is_users(name):
        return None
    return OLD if name == NEW else name

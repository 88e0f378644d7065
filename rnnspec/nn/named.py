"""What initializers, regularizers and constraints share: a short repr, and the way from a name to an object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from rnnspec.errors import ConfigError
from rnnspec.registry import Registry

__all__ = ["Named", "find", "name_of"]

Thing = TypeVar("Thing", bound="Named")


class Named:
    """Base of small frozen dataclasses: `repr` shows the arguments that differ from their defaults."""

    def __repr__(self) -> str:
        arguments = []
        for item in fields(self):  # type: ignore[arg-type]  # every subclass is a dataclass
            value = getattr(self, item.name)
            if item.default is MISSING or value != item.default:
                arguments.append(f"{item.name}={value!r}")
        return f"{type(self).__name__}({', '.join(arguments)})"


def name_of(thing: Any) -> str:
    """The name of a user's function or class, or of an object's class."""
    return str(getattr(thing, "__name__", type(thing).__name__))


def find(
    value: Any,
    registry: Registry,
    builtin: Mapping[str, Callable[[], Thing]],
    base: type[Thing],
    wrap: Callable[[Any], Thing],
) -> Thing:
    """Turns what a layer was given into an initializer, a regularizer or a constraint.

    Args:
        value: A name, an object of class `base`, a class that needs no arguments, or a function.
        registry: Where users register names; it also words the error about an unknown one.
        builtin: The built-in names, Keras's aliases among them, each with what makes the object.
        base: The class of the built-in objects.
        wrap: Makes an object of class `base` from a user's function.

    Returns:
        The object.

    Raises:
        ConfigError: If there is no such name, the value is none of the above, or a class needs arguments.
    """
    if isinstance(value, str):
        if value in builtin and not registry.is_users(value):
            return builtin[value]()
        value = registry.find(value)
    if isinstance(value, type):
        try:
            value = value()
        except TypeError as error:
            raise ConfigError(f"{registry.kind} {name_of(value)} needs arguments, give an object: {error}") from error
    if isinstance(value, base):
        return value
    if not callable(value):
        raise ConfigError(f"{registry.kind} must be a name, an object or a function, found {value!r}")
    return wrap(value)

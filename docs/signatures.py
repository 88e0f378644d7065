"""Tells griffe, which reads source alone, the signatures that attrs makes: of configs and cells."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import griffe

FROZEN = ("frozen", "attrs.frozen")


class AttrsSignatures(griffe.Extension):
    """Gives every `@frozen` class the `__init__` that attrs writes for it."""

    def on_class(self, *, cls: griffe.Class, **_: Any) -> None:
        """Adds the signature of the class as Python has it."""
        if not any(str(decorator.value).partition("(")[0] in FROZEN for decorator in cls.decorators):
            return
        real = getattr(importlib.import_module(cls.module.path), cls.name)
        parameters = [
            griffe.Parameter(
                name,
                annotation=str(parameter.annotation),
                kind=griffe.ParameterKind(parameter.kind.description),
                default=None if parameter.default is inspect.Parameter.empty else repr(parameter.default),
            )
            for name, parameter in inspect.signature(real).parameters.items()
        ]
        cls.set_member("__init__", griffe.Function("__init__", parameters=griffe.Parameters(*parameters)))

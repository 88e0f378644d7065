"""`--import MODULE`: loads the modules in which users register their own layers, cells and functions."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rnnspec.errors import ConfigError, Error, Problem

__all__ = ["imported"]


@contextmanager
def imported(modules: Sequence[str]) -> Iterator[None]:
    """Imports modules, with the current folder first on the path while the command runs.

    Args:
        modules: Names as in `import NAME`.

    Yields:
        Nothing.

    Raises:
        ConfigError: If one cannot be imported; file and line are those of the module.
    """
    here = os.getcwd()
    sys.path.insert(0, here)
    try:
        for name in modules:
            _import(name)
        yield
    finally:
        sys.path.remove(here)


def _import(name: str) -> None:
    try:
        importlib.import_module(name)
    except Error:
        raise
    except SyntaxError as error:
        message = f"cannot import '{name}': {error.msg}"
        raise ConfigError(Problem(message, file=error.filename, line=error.lineno)) from error
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and name.startswith(error.name or name):
            hint = "the name of a module in this folder or of an installed one, without .py"
            raise ConfigError(Problem(f"cannot import '{name}': there is no such module", hint=hint)) from error
        place = traceback.extract_tb(error.__traceback__)[-1]
        message = f"cannot import '{name}': {type(error).__name__}: {error}"
        raise ConfigError(Problem(message, file=place.filename, line=place.lineno)) from error

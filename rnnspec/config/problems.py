"""The words for what the converter refuses: groups of exceptions become problems with paths.

As in cattrs, collecting is one thing (hooks raise, cattrs gathers what they raise, with a note for each step of the
path) and wording another: `problems_of` is the only function that knows both.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import fields
from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError, IterableValidationError

from rnnspec.config.checks import ExpectedError, show
from rnnspec.errors import ConfigError, Key, Problem, format_path
from rnnspec.registry import closest

__all__ = ["missing_argument", "problems_of", "unknown_argument"]


def problems_of(error: Exception, keys: tuple[Key, ...] = ()) -> list[Problem]:
    """Turns what a hook raised into problems.

    Args:
        error: What the hook raised, or cattrs's group of such errors.
        keys: The path of the value that the hook was given.

    Returns:
        The problems, each with its path.

    Raises:
        Exception: `error` itself, if it is not a refusal but a mistake in code.
    """
    if isinstance(error, ClassValidationError):
        return _problems_of_object(error, keys)
    if isinstance(error, IterableValidationError):
        located, _ = error.group_exceptions()
        return [problem for inner, note in located for problem in problems_of(inner, (*keys, note.index))]
    if isinstance(error, ConfigError):
        return [problem.under(*keys) for problem in error.problems]
    if isinstance(error, ExpectedError):
        return [Problem(f"{_argument(keys)} must be {error.expected}, found {show(error.found)}", keys, error.hint)]
    raise error


def _problems_of_object(error: ClassValidationError, keys: tuple[Key, ...]) -> list[Problem]:
    located, others = error.group_exceptions()
    owner = error.cl.identifier  # type: ignore[attr-defined]  # hooks make configs only
    # The hint begins with the class's own arguments; those of its bases are keywords.
    allowed = [attribute.name for attribute in sorted(fields(error.cl), key=lambda item: item.kw_only)]
    unknown = [str(key) for inner in others if isinstance(inner, ForbiddenExtraKeysError) for key in inner.extra_fields]
    # A required argument that was misspelled is not missing too.
    meant = {closest(name, allowed) for name in unknown}
    problems: list[Problem] = []
    for inner, note in located:
        if not isinstance(inner, KeyError) or inner.args != (note.name,):
            problems += problems_of(inner, (*keys, note.name))
        elif note.name not in meant:
            problems.append(missing_argument(owner, note.name).under(*keys))
    problems += [unknown_argument(owner, name, allowed).under(*keys) for name in sorted(unknown)]
    for inner in others:
        if not isinstance(inner, ForbiddenExtraKeysError):
            problems += problems_of(inner, keys)
    return problems


def missing_argument(owner: str, name: str) -> Problem:
    """The problem of an argument that has no default and was not given."""
    return Problem(f"{owner} needs the argument '{name}'")


def unknown_argument(owner: str, name: str, allowed: Iterable[str]) -> Problem:
    """The problem of an argument that does not exist.

    Args:
        owner: What was given the argument: `LSTM`.
        name: The argument.
        allowed: The arguments that exist.

    Returns:
        The problem, at the argument's key, with a hint that names what is allowed.
    """
    names = list(allowed)
    near = closest(name, names)
    takes = f"{owner} takes {', '.join(names)}" if names else f"{owner} takes no arguments"
    hint = f"did you mean '{near}'? {takes}" if near else takes
    return Problem(f"{owner} has no argument {name!r}", (name,), hint, at_key=True)


def _argument(keys: tuple[Key, ...]) -> str:
    """What a message calls a value: its argument's name, with an index inside a list: `input_shape[1]`."""
    start = max((index for index, key in enumerate(keys) if isinstance(key, str)), default=0)
    return format_path(keys[start:]) or "the value"

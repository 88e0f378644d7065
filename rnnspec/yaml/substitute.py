"""Variables: a top-level `vars:` section, and `${name}` wherever a value stands.

A text that is one reference becomes the variable's value with its type; in a longer text the value is written as text.
`$${` stands for the letters `${`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from rnnspec.errors import ConfigError, Key, Problem
from rnnspec.registry import did_you_mean
from rnnspec.yaml.nodes import MAX_DEPTH, MAX_NODES, describe

__all__ = ["Substituted", "escape", "references", "substitute"]

Path = tuple[Key, ...]

MAX_VARIABLES = 1_000
"""Most variables; the time that they take grows with the square."""

_PART = re.compile(r"(?P<escaped>\$\$\{)|\$\{(?P<name>[^${}]+)\}|(?P<broken>\$\{)")


@dataclass(frozen=True)
class Substituted:
    """A document's data without `vars` and references.

    Attributes:
        data: The data.
        problems: What is wrong with variables and references, with paths.
        spoiled: The paths whose value cannot be judged, because it is part of a problem.
        origins: The variables, also indirect ones, that the value at a path was made from.
    """

    data: Any
    problems: list[Problem] = field(default_factory=list)
    spoiled: set[Path] = field(default_factory=set)
    origins: dict[Path, set[str]] = field(default_factory=dict)


def escape(data: Any) -> Any:
    """Writes plain data so that `substitute` gives it back.

    Args:
        data: Plain data, in which `${` is only text.

    Returns:
        A copy with `$${` for every `${`.
    """
    if isinstance(data, dict):
        return {escape(key): escape(value) for key, value in data.items()}
    if isinstance(data, list):
        return [escape(value) for value in data]
    return data.replace("${", "$${") if isinstance(data, str) else data


def substitute(data: Any, spoiled: Iterable[Path] = (), also_used: Iterable[str] = ()) -> Substituted:
    """Takes `vars` out of a document and puts the values in.

    Args:
        data: The document's data; it is not changed.
        spoiled: The paths whose value is part of a problem already: what is made from them is spoiled too.
        also_used: Variables that count as used, because an override has replaced the reference.

    Returns:
        The data, with what is wrong.

    Raises:
        ConfigError: If there are more than `MAX_VARIABLES`, or references make the document larger than `MAX_NODES`
            values.
    """
    variables = data.get("vars") if isinstance(data, dict) else None
    result = Substituted({}, spoiled=set(spoiled))
    if not isinstance(variables, dict | None):
        message = f"vars must be a mapping from names to values, found {describe(variables)}"
        result.problems.append(Problem(message, ("vars",)))
        result.spoiled.add(("vars",))
        variables = None
    if variables and len(variables) > MAX_VARIABLES:
        raise ConfigError(Problem(f"more than {MAX_VARIABLES:,} variables", ("vars",), at_key=True))
    substituter = _Substituter(variables or {}, result)
    substituter.resolve()
    if isinstance(data, dict):
        data = {key: value for key, value in data.items() if key != "vars"}
    data = substituter.put(data, ())
    substituter.report_unused(also_used)
    return replace(result, data=data)


def references(data: Any) -> set[str]:
    """The names of all references in plain data."""
    if isinstance(data, dict):
        return set().union(*(references(key) | references(value) for key, value in data.items()))
    if isinstance(data, list):
        return set().union(*map(references, data))
    return {found["name"] for found in _PART.finditer(data) if found["name"]} if isinstance(data, str) else set()


@dataclass(frozen=True)
class _Variable:
    value: Any
    weight: int
    """Values in it; 100 letters count as one."""
    depth: int
    """Collections inside one another."""


def _measure(value: Any) -> _Variable:
    if isinstance(value, dict | list):
        parts = [_measure(part) for part in (value.values() if isinstance(value, dict) else value)]
        weight = 1 + sum(part.weight for part in parts)
        return _Variable(value, weight, 1 + max((part.depth for part in parts), default=0))
    return _Variable(value, 1 + len(value) // 100 if isinstance(value, str) else 1, 0)


class _Substituter:
    """Replaces references.

    Args:
        variables: The `vars` section.
        result: Where problems go.
    """

    def __init__(self, variables: dict[str, Any], result: Substituted) -> None:
        self._section = variables
        self._result = result
        self._ready: dict[str, _Variable] = {}
        self._made_from: dict[str, set[str]] = {}
        self._used: set[str] = set()
        self._weight = 0
        self._complete = result.spoiled.isdisjoint([("vars",), ("vars", "<<")])
        """Whether `vars` says which variables there are."""

    def resolve(self) -> None:
        """Makes the variables ready, each after those that it refers to."""
        graph = {name: references(value) & self._section.keys() for name, value in self._section.items()}
        for name in self._in_order(graph):
            path = ("vars", name)
            self._made_from[name] = {name}.union(*(self._made_from.get(other, set()) for other in graph[name]))
            value = self.put(self._section[name], path)
            if not any(spoiled[:2] == path for spoiled in self._result.spoiled):
                self._ready[name] = _measure(value)

    def _in_order(self, graph: dict[str, set[str]]) -> list[str]:
        graph = dict(graph)
        while True:
            try:
                return list(TopologicalSorter(graph).static_order())
            except CycleError as error:
                circle = error.args[1][:0:-1]
            first = min(range(len(circle)), key=lambda position: list(self._section).index(circle[position]))
            circle = circle[first:] + circle[:first]
            message = f"variables refer to each other in a circle: {' -> '.join([*circle, circle[0]])}"
            self._result.problems.append(Problem(message, ("vars", circle[0])))
            self._used.update(circle)
            graph = {name: others for name, others in graph.items() if name not in circle}

    def put(self, value: Any, path: Path) -> Any:
        """Replaces the references in plain data.

        Args:
            value: The data; it is not changed.
            path: Where it stands.

        Returns:
            The data with values.
        """
        if isinstance(value, dict):
            return {self._key(key, path): self.put(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.put(item, (*path, index)) for index, item in enumerate(value)]
        if not isinstance(value, str) or "${" not in value:
            return value
        whole = _PART.fullmatch(value)
        if whole and whole["name"]:
            return copy.deepcopy(self._look_up(whole["name"], path))
        return _PART.sub(lambda found: self._write(found, path), value)

    def _report(self, message: str, path: Path, hint: str | None = None) -> None:
        self._result.problems.append(Problem(message, path, hint))
        self._result.spoiled.add(path)

    def _key(self, key: str, path: Path) -> str:
        for name in references(key):
            self._used.add(name)
            message = f"'${{{name}}}' cannot be part of a key, only of a value"
            self._result.problems.append(Problem(message, (*path, key), at_key=True))
            self._result.spoiled.add((*path, key))
        return key.replace("$${", "${")

    def _write(self, found: re.Match[str], path: Path) -> str:
        """A reference inside a longer text."""
        if found["escaped"]:
            return "${"
        if found["broken"]:
            self._report("'${' begins no reference", path, "write ${name}, or $${ for the letters")
            return ""
        value = self._look_up(found["name"], path)
        if isinstance(value, dict | list):
            self._report(f"the variable '{found['name']}' is {describe(value)}, it cannot stand inside a text", path)
        if value is None or isinstance(value, bool):
            return "null" if value is None else str(value).lower()
        return str(value)

    def _look_up(self, name: str, path: Path) -> Any:
        if name not in self._section:
            self._result.spoiled.add(path)
            if self._complete:
                known = f"vars has {', '.join(self._section)}" if self._section else "the document has no vars"
                self._report(f"there is no variable '{name}'", path, did_you_mean(name, self._section) or known)
            return None
        self._used.add(name)
        self._result.origins.setdefault(path, set()).update(self._made_from.get(name, ()))
        variable = self._ready.get(name)
        if variable is None:
            self._result.spoiled.add(path)
            return None
        self._weight += variable.weight
        if self._weight > MAX_NODES:
            message = f"more than {MAX_NODES:,} values with every variable written out"
            raise ConfigError(*self._result.problems, Problem(message, path))
        if len(path) + variable.depth > MAX_DEPTH:
            self._report(f"more than {MAX_DEPTH} lists and mappings inside one another", path)
            return None
        return variable.value

    def report_unused(self, also_used: Iterable[str]) -> None:
        """Reports variables without a reference, but none that a misspelled reference meant."""
        hints = {problem.hint for problem in self._result.problems}
        used = self._used.union(also_used)
        for name in self._section:
            if self._complete and name not in used and f"did you mean '{name}'?" not in hints:
                message = f"the variable '{name}' is never used"
                self._result.problems.append(Problem(message, ("vars", name), at_key=True))

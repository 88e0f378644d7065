"""From a YAML file to a config and back; problems of configs get their line and column here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rnnspec.errors import ConfigError, Key, Problem
from rnnspec.yaml import overrides as overriding
from rnnspec.yaml.document import Document, examine
from rnnspec.yaml.render import dump_text, write_text
from rnnspec.yaml.substitute import escape, references, substitute
from rnnspec.yaml.text import read_bytes

if TYPE_CHECKING:
    from rnnspec.config.base import Config

__all__ = ["Source", "dump", "load", "loads"]


@dataclass(frozen=True)
class Source:
    """Where a config came from: kept beside it as `_source`, so that later errors name file and line.

    Attributes:
        document: The document.
        overrides: The values that replaced some of it.
        origins: The variables that the value at a path was made from.
        prefix: The document's path of the config itself: `("model",)` where the document says `model:`.
    """

    document: Document
    overrides: tuple[overriding.Override, ...]
    origins: Mapping[tuple[Key, ...], set[str]]
    prefix: tuple[Key, ...] = ()

    def locate(self, problem: Problem) -> Problem:
        """Fills in where a problem of the config stands.

        Args:
            problem: A problem whose path starts at the config, or at the document: `[1].LSTM.units`.

        Returns:
            The same problem with file, line, column, and the path in the document: `model[1].LSTM.units`. A value that
            came from an override has no line; the message names the override.
        """
        if problem.line is not None:
            return problem
        if problem.keys[: len(self.prefix)] != self.prefix:
            problem = problem.under(*self.prefix)
        override = self._override_of(problem.keys)
        if override is not None:
            return replace(problem, message=f"{problem.message}, from the override {override.text}")
        problem = self.document.locate(problem)
        for override in self._overridden_variables(problem.keys):
            problem = replace(problem, message=f"{problem.message}, from the override {override.text}")
        return problem

    def _override_of(self, keys: tuple[Key, ...]) -> overriding.Override | None:
        inside = [item for item in self.overrides if keys[: len(item.keys)] == item.keys]
        return inside[-1] if inside else None

    def _overridden_variables(self, keys: tuple[Key, ...]) -> list[overriding.Override]:
        names = set().union(*(found for path, found in self.origins.items() if keys[: len(path)] == path))
        return [item for item in self.overrides if item.keys[0] == "vars" and item.keys[1] in names]


def load(path: str | os.PathLike[str], overrides: Mapping[str, Any] | None = None) -> Config:
    """Reads a config from a YAML file. Nothing that the file names is imported or run.

    Args:
        path: The file: one layer, a list of layers, or a mapping with `model:`.
        overrides: Values that replace the file's, by path: `{"model.1.LSTM.units": 128}`. Default: none.

    Returns:
        The config of the layer, the model or the experiment.

    Raises:
        ConfigError: If anything is wrong; it names all mistakes with file, line and column.
    """
    return _load(examine(read_bytes(path), str(path)), overrides or {})


def loads(text: str | bytes, overrides: Mapping[str, Any] | None = None) -> Config:
    """Reads a config from YAML text, as `load` does from a file.

    Args:
        text: The document, in UTF-8 where it is bytes.
        overrides: Values that replace the document's, by path. Default: none.

    Returns:
        The config.

    Raises:
        ConfigError: If anything is wrong; it names all mistakes with line and column.
    """
    return _load(examine(text), overrides or {})


def _load(document: Document, overrides: Mapping[str, Any]) -> Config:
    from rnnspec.config.convert import from_dict

    data = document.root.plain()
    put, problems = overriding.apply(data, overrides)
    # What an override replaced is nobody's mistake any more; its references count as uses.
    spoiled = {path for path in document.spoiled if not any(path[: len(item.keys)] == item.keys for item in put)}
    if any(problem.keys == ("vars",) for problem in document.problems):
        spoiled.add(("vars",))  # of two such sections, `data` has only one
    problems += document.problems
    try:
        result = substitute(data, spoiled, references(document.data) if put else ())
    except ConfigError as error:
        raise ConfigError(*_in_order([*problems, *map(document.locate, error.problems)])) from None
    source = Source(document, tuple(put), result.origins)
    problems += [source.locate(problem) for problem in result.problems]
    try:
        config = from_dict(result.data)
    except ConfigError as error:
        problems += [source.locate(problem) for problem in _first_hand(error.problems, result.spoiled)]
    if problems:
        raise ConfigError(*_in_order(problems))
    object.__setattr__(config, "_source", replace(source, prefix=_prefix(result.data)))
    return config


def _prefix(data: Any) -> tuple[Key, ...]:
    """Where in its document a config stands: its own paths start there."""
    from rnnspec.config.model import SequentialConfig
    from rnnspec.config.tags import split_tag

    prefix: tuple[Key, ...] = ()
    if isinstance(data, dict) and data.keys() == {"model"}:
        prefix, data = ("model",), data["model"]
    if isinstance(data, dict) and "model" not in data:
        tag = split_tag(data, "a model")
        if tag.name == SequentialConfig.identifier:
            return (*prefix, *tag.argument_keys, "layers")
    return prefix


def _first_hand(problems: list[Problem], spoiled: set[tuple[Key, ...]]) -> list[Problem]:
    """Leaves out problems that only follow from one that is reported already."""
    return [
        problem
        for problem in problems
        if (*problem.keys, "<<") not in spoiled
        and not any(problem.keys[:length] in spoiled for length in range(len(problem.keys) + 1))
    ]


def _in_order(problems: list[Problem]) -> list[Problem]:
    """Sorts by position, what has none at the end; what an alias repeats at the same place is said once."""
    once: dict[tuple[Any, ...], Problem] = {}
    for problem in problems:
        once.setdefault((problem.message, problem.line or problem.keys, problem.column), problem)
    return sorted(once.values(), key=lambda problem: (problem.line is None, problem.line or 0, problem.column or 0))


def dump(config: Config, path: str | os.PathLike[str] | None = None, defaults: bool = False) -> str:
    """Writes a config as YAML that `load` reads back to an equal one.

    Args:
        config: The config.
        path: A file to write; an existing one is replaced. Default: only the text is returned.
        defaults: Whether arguments with their default values are written too.

    Returns:
        The text.
    """
    text = dump_text(escape(_document(config, defaults)))
    if path is not None:
        write_text(path, text)
    return text


def _document(config: Config, defaults: bool) -> Any:
    """A config as the data of a document; a stack without a name is a list."""
    from rnnspec.config.experiment import ExperimentConfig
    from rnnspec.config.model import SequentialConfig

    data = config.to_schema() if defaults else _lean(config)
    if isinstance(config, SequentialConfig) and config.name is None:
        return data[config.identifier]["layers"]
    if isinstance(config, ExperimentConfig):
        data["model"] = _document(config.model, defaults)
        if data.keys() == {"model"}:  # would be the model alone
            data["train"] = {}
    return data


def _lean(value: Any) -> Any:
    """Plain data without the arguments that have their default values."""
    from attrs import fields

    from rnnspec.config.base import Config, plain, same
    from rnnspec.config.checks import shortest_calls
    from rnnspec.config.tags import Registered

    if isinstance(value, list | tuple):
        return [_lean(item) for item in value]
    if not isinstance(value, Config) or isinstance(value, Registered):
        return plain(value)
    arguments = {}
    for attribute in sorted(fields(type(value)), key=lambda attribute: attribute.name != "name"):
        argument = getattr(value, attribute.name)
        if not same(argument, attribute.default):
            wired = attribute.name in ("inbound_nodes", "input_layers", "output_layers")
            arguments[attribute.name] = shortest_calls(argument) if wired else _lean(argument)
    if value.identifier not in value.to_schema():
        return arguments
    return {value.identifier: arguments} if arguments else value.identifier

"""From YAML text to plain data with a position for every key and value."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from rnnspec.errors import ConfigError, Key, Problem
from rnnspec.yaml.nodes import MAX_DEPTH, Composer, Node
from rnnspec.yaml.syntax import explain
from rnnspec.yaml.text import BOM, REPLACEMENT, Text, decode, read_bytes

__all__ = ["Document", "examine", "parse", "read"]

_CONTROL = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NO_CHARACTER = re.compile(r"\\U(?!000|0010)[0-9a-fA-F]{8}")
_BRACKET = re.compile(r"([\[{])|[\]}]")


@dataclass(frozen=True)
class Document:
    """Plain data and where each part of it stands in its text.

    Attributes:
        data: Dicts with text as keys, lists, str, int, float, bool and None.
        text: The text that it was read from.
        root: The node of `data`.
        problems: What is wrong with the text, in its order; empty except from `examine`.
        spoiled: The paths whose value cannot be judged, because it is part of a problem.
    """

    data: Any
    text: Text
    root: Node = field(repr=False)
    problems: tuple[Problem, ...] = ()
    spoiled: frozenset[tuple[Key, ...]] = frozenset()

    def locate(self, problem: Problem) -> Problem:
        """Fills in where a problem stands.

        Args:
            problem: A problem with a config path. A path that is not in the document counts as its nearest parent.

        Returns:
            The same problem with file, line, column and source; unchanged where it has a line already.
        """
        if problem.line is not None:
            return problem
        node, shown = self.root, self.root.start
        for number, key in enumerate(problem.keys, start=1):
            found = node.child(key)
            if found is None:
                break
            key_start, node = found
            wrong_key = problem.at_key and number == len(problem.keys)
            shown = key_start if wrong_key or node.at_key else node.start
        at = self.text.problem("", shown)
        return replace(problem, file=at.file, line=at.line, column=at.column, source=at.source)


def read(path: str | os.PathLike[str]) -> Document:
    """Reads a YAML file.

    Args:
        path: The file, at most 10 MB.

    Returns:
        Its data, with positions.

    Raises:
        ConfigError: If it cannot be read or is not what `parse` takes.
    """
    return parse(read_bytes(path), str(path))


def parse(text: str | bytes, file: str | None = None) -> Document:
    """Reads a YAML 1.2 document.

    Args:
        text: The document, in UTF-8 where it is bytes.
        file: The file's name, for messages.

    Returns:
        Its data, with positions. Dates stay text; anchors, aliases and merge keys are resolved.

    Raises:
        ConfigError: If it is not one document of plain YAML. All mistakes are named, up to the first in the syntax.
    """
    document = examine(text, file)
    if document.problems:
        raise ConfigError(*document.problems)
    return document


def examine(text: str | bytes, file: str | None = None) -> Document:
    """As `parse`, but mistakes that leave the rest readable are kept in `problems`.

    Args:
        text: The document, in UTF-8 where it is bytes.
        file: The file's name, for messages.

    Returns:
        What could be read.

    Raises:
        ConfigError: If nothing can be read: wrong encoding, wrong syntax, too deep, too large, empty.
    """
    source = Text(decode(text, file) if isinstance(text, bytes) else text, file)
    problems = []
    if source.text.startswith(BOM):
        source = Text(source.text.removeprefix(BOM), file)
        message = "the text begins with a byte order mark (BOM), expected UTF-8 without one"
        problems.append(source.problem(message, 0, hint="save it as 'UTF-8', not as 'UTF-8 with BOM'"))
    controls = list(_CONTROL.finditer(source.text))
    if controls:
        first = controls[0]
        source = Text(_CONTROL.sub(REPLACEMENT, source.text), file)
        more = f", and {len(controls) - 1} more" if len(controls) > 1 else ""
        message = f"the control character U+{ord(first.group()):04X} is not allowed in a text{more}"
        problems.append(source.problem(message, first.start()))
    composer = Composer(source, damaged=bool(controls))
    composer.problems.extend(problems)
    root = _compose(composer, source)
    found = tuple(sorted(composer.problems, key=lambda problem: (problem.line or 0, problem.column or 0)))
    return Document(root.plain(), source, root, found, frozenset(composer.spoiled))


def _compose(composer: Composer, source: Text) -> Node:
    _refuse_deep_lines(composer, source)
    try:
        for event in YAML(typ="safe", pure=True).parse(source.text):
            composer.take(event)
    except ConfigError:
        raise
    except MarkedYAMLError as error:
        raise ConfigError(*composer.problems, explain(error, source, composer.open_flow)) from None
    except (ValueError, OverflowError):  # from `chr` or `int` inside ruamel.yaml
        escape = _NO_CHARACTER.search(source.text)
        message = "the number that begins here is too large"
        raise ConfigError(*composer.problems, source.problem(message, escape.start() if escape else 0)) from None
    if composer.root is None or (composer.root.value is None and composer.root.at_key):
        comments = " except for comments" if "#" in source.text else ""
        raise ConfigError(*composer.problems, Problem(f"the document is empty{comments}", file=source.file))
    return composer.root


def _refuse_deep_lines(composer: Composer, source: Text) -> None:
    """Refuses lines with many open brackets, for which ruamel.yaml takes a time that grows with the square."""
    start = 0
    for line in source.text.splitlines(keepends=True):
        if line.count("[") + line.count("{") > MAX_DEPTH and not line.lstrip().startswith("#"):
            depth = 0
            for found in _BRACKET.finditer(line):
                depth = depth + 1 if found.group(1) else max(0, depth - 1)
                if depth > MAX_DEPTH:
                    message = f"more than {MAX_DEPTH} lists and mappings inside one another"
                    raise ConfigError(*composer.problems, source.problem(message, start + found.start()))
        start += len(line)

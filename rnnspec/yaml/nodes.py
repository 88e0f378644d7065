"""A tree of nodes from ruamel.yaml's events.

Events rather than ruamel's own node tree: that one stops at the first unknown alias or second document, and nests
Python calls as deep as the text nests lists. Nothing is ever constructed from a tag.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from rnnspec.errors import ConfigError, Key, Problem
from rnnspec.yaml.scalars import tagged, typed
from rnnspec.yaml.text import REPLACEMENT, Text

__all__ = ["MAX_DEPTH", "MAX_NODES", "Composer", "Node", "describe"]

MAX_DEPTH = 50
"""Most collections inside one another. A layer in a layer is three."""

MAX_NODES = 200_000
"""Most keys, values and collections, aliases expanded."""

_CORE_TAG = "tag:yaml.org,2002:"
_SURROGATE = re.compile("[\ud800-\udfff]")
_MERGE = object()
_REFUSED = object()
_KIND_NAMES = {str: "text", bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "a mapping"}


def describe(value: Any) -> str:
    """What a value is, for messages.

    Args:
        value: Plain data, or a node's value.

    Returns:
        `a list`, `an empty mapping`, `null`, `the number 3`, ...
    """
    if value is None:
        return "null"
    name = _KIND_NAMES[type(value)]
    if isinstance(value, list | dict):
        return name if value else f"an empty {name[2:]}"
    if isinstance(value, str):
        return f"{name} {value!r}"
    return f"the {name[2:]} {str(value).lower()}"


@dataclass
class Node:
    """A value in the text. An alias makes a second node that shares the first one's value.

    Attributes:
        start: The character where it begins, counted from 0.
        value: A scalar, a list of nodes, or a dict from key to the key's first character and the value's node.
        at_key: Whether the key shows better where it is than `start`: block mappings and lists, empty values.
        size: Nodes in it, aliases expanded.
        depth: Collections inside one another, itself among them.
    """

    start: int
    value: Any
    at_key: bool = False
    size: int = 1
    depth: int = 0

    def child(self, key: Key) -> tuple[int, Node] | None:
        """The first character of a key, and its value; None where there is none."""
        if isinstance(self.value, dict):
            return self.value.get(key)
        if isinstance(self.value, list) and isinstance(key, int) and 0 <= key < len(self.value):
            return self.value[key].start, self.value[key]
        return None

    def plain(self) -> Any:
        """The value as plain data, with a copy wherever an alias stood."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, (_, node) in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


@dataclass
class _Open:
    """A list or mapping whose end has not come yet."""

    node: Node
    counted: int
    """How many nodes there were before it."""
    bracket: int | None
    """Where its `{` or `[` stands; None in block style, and for `a: 1` inside a list in flow style."""
    key: Node | None = None
    """A mapping's key that waits for its value."""
    merge_key: int | None = None
    """Where its `<<` stands."""
    merged: list[Node] = field(default_factory=list)

    def step(self) -> Key | None:
        """The path's step to what is being read; None at a key."""
        if isinstance(self.node.value, list):
            return len(self.node.value)
        if self.key is None or self.key.value is _REFUSED:
            return None
        return "<<" if self.key.value is _MERGE else str(self.key.value)


class Composer:
    """Takes events, one at a time, and collects what is wrong.

    Args:
        text: The text that the events come from.
        damaged: Whether characters of the text were replaced: what they stand in cannot be judged.

    Attributes:
        root: The document's node once it is complete.
        problems: What is wrong so far.
        spoiled: The paths whose value cannot be judged, because it is part of a problem.
    """

    def __init__(self, text: Text, damaged: bool = False) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self.spoiled: set[tuple[Key, ...]] = set()
        self._text = text
        self._damaged = damaged
        self._anchors: dict[str, Node] = {}
        self._stack: list[_Open] = []
        self._counted = 0
        self._documents = 0

    def take(self, event: Event) -> None:
        """Takes the next event.

        Args:
            event: What ruamel.yaml's parser gave.

        Raises:
            ConfigError: If the text is too large, too deep, or has a second document: reading on would be no use.
        """
        if isinstance(event, ScalarEvent):
            self._add(self._anchored(event, self._scalar(event)))
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            self._open(event)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self._close()
        elif isinstance(event, AliasEvent):
            self._add(self._alias(event))
        elif isinstance(event, DocumentStartEvent):
            self._document(event)

    @property
    def open_flow(self) -> int | None:
        """Where the innermost `{` or `[` stands that is still open; None if there is none."""
        return next((parent.bracket for parent in reversed(self._stack) if parent.bracket is not None), None)

    def _path(self) -> tuple[Key, ...]:
        """The path to what is being read; to its mapping where that is a key."""
        steps = []
        for parent in self._stack:
            step = parent.step()
            if step is None:
                break
            steps.append(step)
        return tuple(steps)

    def _report(self, message: str, index: int, hint: str | None = None) -> None:
        """Reports the value that is being read, and spoils it."""
        self.problems.append(self._text.problem(message, index, self._path(), hint))
        self.spoiled.add(self._path())

    def _stop(self, message: str, index: int, hint: str | None = None) -> None:
        raise ConfigError(*self.problems, self._text.problem(message, index, hint=hint))

    def _document(self, event: DocumentStartEvent) -> None:
        self._documents += 1
        start = event.start_mark.index
        if self._documents > 1:
            self._stop("a second document begins here, expected one in a file", start, "make it a file of its own")
        if event.version and tuple(event.version) != (1, 2):
            version = ".".join(str(part) for part in event.version)
            message = f"YAML {version} is not read, expected YAML 1.2"
            directive = self._text.text.index("%YAML")
            self.problems.append(self._text.problem(message, directive, hint="remove the line with '%YAML'"))

    def _count(self, size: int, depth: int, index: int) -> None:
        self._counted += size
        if self._counted > MAX_NODES:
            self._stop(f"more than {MAX_NODES:,} values with every alias written out", index)
        if len(self._stack) + depth > MAX_DEPTH:
            self._stop(f"more than {MAX_DEPTH} lists and mappings inside one another", index)

    def _anchored(self, event: Any, node: Node) -> Node:
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _scalar(self, event: ScalarEvent) -> Node:
        start, text = event.start_mark.index, event.value
        self._count(1, 0, start)
        node = Node(start, text, at_key=text == "")
        plain = event.implicit[0]
        if plain and text == "<<" and self._at_key():
            node.value = _MERGE
            return node
        kind = self._core_tag(event, ("str", "int", "float", "bool", "null"))
        try:
            if kind:
                node.value = tagged(text, kind)
            elif plain:
                node.value = typed(text)
        except ValueError as error:
            self._report(str(error), start)
        if isinstance(node.value, str) and _SURROGATE.search(node.value):
            self._report("an escape in this text names half a character", start)
            node.value = ""
        if self._damaged and REPLACEMENT in text:
            self.spoiled.add((*self._path(), text) if self._at_key() else self._path())
        return node

    def _core_tag(self, event: Any, kinds: tuple[str, ...]) -> str | None:
        """The kind that a core tag of YAML names; any other tag is refused."""
        if event.tag is None:
            return None
        kind = event.tag.removeprefix(_CORE_TAG)
        if kind in kinds:
            return str(kind)
        shown = f"!!{kind}" if kind != event.tag else event.tag
        self._report(f"the tag '{shown}' is not allowed here", event.start_mark.index, "remove the tag")
        return None

    def _at_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].node.value, dict) and self._stack[-1].key is None

    def _open(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        start = event.start_mark.index
        self._count(1, 1, start)
        mapping = isinstance(event, MappingStartEvent)
        self._core_tag(event, ("map",) if mapping else ("seq",))
        node = self._anchored(event, Node(start, {} if mapping else [], at_key=not event.flow_style))
        end = event.end_mark.index
        bracket = end - 1 if event.flow_style and end > start else None
        self._stack.append(_Open(node, self._counted - 1, bracket))

    def _close(self) -> None:
        closed = self._stack.pop()
        node = closed.node
        for other in closed.merged:
            for key, entry in other.value.items():
                node.value.setdefault(key, entry)
        children = node.value if isinstance(node.value, list) else [child for _, child in node.value.values()]
        node.size = self._counted - closed.counted
        node.depth = 1 + max((child.depth for child in children), default=0)
        self._add(node)

    def _alias(self, event: AliasEvent) -> Node:
        start, name = event.start_mark.index, event.anchor
        anchor = self._anchors.get(name)
        if anchor is None:
            known = ", ".join(self._anchors) or "none"
            self._report(f"there is no anchor '&{name}' above this alias", start, f"the anchors above are: {known}")
        elif any(parent.node is anchor for parent in self._stack):
            self._report(f"the alias '*{name}' stands inside its own anchor", start)
        else:
            self._count(anchor.size, anchor.depth, start)
            return Node(start, anchor.value, depth=anchor.depth)
        return Node(start, None)

    def _add(self, node: Node) -> None:
        """Puts a complete node where it belongs."""
        if not self._stack:
            self.root = node
            return
        parent = self._stack[-1]
        if isinstance(parent.node.value, list):
            parent.node.value.append(node)
        elif parent.key is None:
            parent.key = self._checked_key(node)
        else:
            self._add_entry(parent, parent.key, node)
            parent.key = None

    def _checked_key(self, node: Node) -> Node:
        if node.value is _MERGE or isinstance(node.value, str):
            return node
        hint = None
        if isinstance(node.value, dict):
            hint = "a variable is written ${name}"
        elif node.value is not None and not isinstance(node.value, list):
            hint = "put it in quotes"
        message = f"a key must be text, found {describe(node.value)}"
        self.problems.append(self._text.problem(message, node.start, self._path(), hint))
        return Node(node.start, _REFUSED)

    def _add_entry(self, parent: _Open, key: Node, node: Node) -> None:
        if key.value is _REFUSED:
            return
        first = parent.merge_key if key.value is _MERGE else parent.node.value.get(key.value, (None,))[0]
        if first is not None:
            shown = "<<" if key.value is _MERGE else key.value
            message = f"duplicate key '{shown}', the first one is in line {self._text.line_of(first)}"
            hint = "write '<<: [*a, *b]' to merge two mappings" if key.value is _MERGE else None
            self.problems.append(self._text.problem(message, key.start, self._path(), hint, at_key=True))
        elif key.value is _MERGE:
            parent.merge_key = key.start
            self._merge(parent, key, node)
        else:
            parent.node.value[key.value] = (key.start, node)

    def _merge(self, parent: _Open, key: Node, node: Node) -> None:
        path = self._path()
        for number, item in enumerate(node.value if isinstance(node.value, list) else [node]):
            if isinstance(item.value, dict):
                parent.merged.append(item)
                continue
            if path not in self.spoiled and (*path, number) not in self.spoiled:
                message = f"'<<' takes a mapping or a list of mappings, found {describe(item.value)}"
                self.problems.append(self._text.problem(message, key.start if item.at_key else item.start, path))
            self.spoiled.add(path)

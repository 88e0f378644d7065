"""Operations on tensors, which stand among the layers of Keras 3's graphs, and make its masks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rnnspec.interop.keras.oddities import Keys

if TYPE_CHECKING:
    from rnnspec.interop.keras.layers import LayerReader

__all__ = ["flat", "is_operation", "is_tensor", "mask_operations"]

OPERATIONS = ("keras.src.ops", "keras.ops")
"""Where Keras 3 has what is no layer and stands among layers all the same."""
OF_MASKS = (
    *("NotEqual", "Any", "All", "LogicalOr", "LogicalAnd"),
    *("ExpandDims", "Squeeze", "BroadcastTo", "ZerosLike", "OnesLike"),
)
"""What Keras 3 makes masks with; and Concatenate."""


def is_operation(entry: Any) -> bool:
    """Whether an entry of the layers is an operation on tensors, which is no layer."""
    return isinstance(entry, Mapping) and str(entry.get("module")).startswith(OPERATIONS)


def mask_operations(entries: Sequence[Any], reader: LayerReader, keys: Keys) -> set[int]:
    """Which entries of a graph are what Keras 3 makes masks with: our layers make and pass on theirs without.

    Args:
        entries: The layers of the graph.
        reader: Words errors.
        keys: The place of the layers.

    Returns:
        Their numbers.

    Raises:
        ConfigError: If a mask is made of anything else than what Embedding and Masking layers mask.
    """
    if reader.dialect.generation != 3:
        return set()
    numbers = {_name_of(entry): number for number, entry in enumerate(entries)}
    makers = {
        (str(source), float(value))
        for entry in entries
        for value in _masked_values(entry)
        for source in _sources(entry, "args")
    }
    found: set[int] = set()
    waiting = [source[0] for entry in entries for source in _sources(entry, "mask")]
    while waiting:
        number = numbers.get(str(waiting.pop()))
        if number is None or number in found:
            continue
        entry = entries[number]
        sources = _sources(entry, "args")
        if entry.get("class_name") not in (*OF_MASKS, "Concatenate"):
            place = (*keys, number)
            raise reader.refuse(
                f"the mask of a layer comes from '{_name_of(entry)}', not from a layer that masks", place
            )
        found.add(number)
        if entry["class_name"] == "NotEqual":
            value = _number(entry)
            if value is None or not {(str(source), value) for source in sources} <= makers:
                message = f"the mask of a layer comes from '{_name_of(entry)}', which no Embedding or Masking makes"
                raise reader.refuse(message, (*keys, number))
        elif entry["class_name"] not in ("ZerosLike", "OnesLike"):
            waiting += [source[0] for source in sources]
    return found


def _name_of(entry: Any) -> str:
    config = entry.get("config") if isinstance(entry, Mapping) else None
    name = config.get("name") if isinstance(config, Mapping) else None
    return str(name or (entry.get("name") if isinstance(entry, Mapping) else None))


def _masked_values(entry: Any) -> list[float]:
    """The value that a layer masks; none if it does not mask."""
    config = entry.get("config") if isinstance(entry, Mapping) else None
    if not isinstance(config, Mapping):
        return []
    value = config.get("mask_value", 0.0) if entry.get("class_name") == "Masking" else 0.0
    masks = entry.get("class_name") == "Masking" or config.get("mask_zero") is True
    return [float(value)] if masks and isinstance(value, (int, float)) else []


def _sources(entry: Any, kind: str) -> list[list[Any]]:
    """The tensors that all calls of an entry take, as `[name, node, tensor]`: its arguments, or its masks."""
    nodes = entry.get("inbound_nodes") if isinstance(entry, Mapping) else None
    found = []
    for node in nodes if isinstance(nodes, list) else []:
        if isinstance(node, Mapping):
            options = node.get("kwargs")
            value = (
                node.get("args") if kind == "args" else options.get("mask") if isinstance(options, Mapping) else None
            )
            found += [item["config"]["keras_history"] for item in flat(value) if is_tensor(item)]
    return found


def _number(entry: Mapping[str, Any]) -> float | None:
    """The number that an operation compares with."""
    found = [item for node in entry["inbound_nodes"] for item in flat(node.get("args")) if not is_tensor(item)]
    return float(found[0]) if len(found) == 1 and isinstance(found[0], (int, float)) else None


def is_tensor(item: Any) -> bool:
    """Whether an argument of a call in Keras 3 is a tensor of the graph."""
    inner = item.get("config") if isinstance(item, Mapping) and item.get("class_name") == "__keras_tensor__" else None
    return isinstance(inner, Mapping) and isinstance(inner.get("keras_history"), list)


def flat(value: Any) -> Iterator[Any]:
    """The items of nested lists."""
    if isinstance(value, list):
        for item in value:
            yield from flat(item)
    else:
        yield value

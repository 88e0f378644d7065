"""The wiring of a functional model: which tensors every layer takes, in our words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rnnspec.interop.keras.oddities import Keys
from rnnspec.interop.keras.parts import Part

if TYPE_CHECKING:
    from rnnspec.interop.keras.layers import LayerReader

__all__ = ["connect"]

Reference = tuple[str, int, int]
"""A tensor: the layer, the number of its call, the number of the tensor that it gave."""

# Arguments of a call that say nothing with these values.
IDLE_CALL: Mapping[str, tuple[Any, ...]] = {"training": (False, None), "mask": (None,), "initial_state": (None,)}


def connect(part: Part, config: Mapping[str, Any], reader: LayerReader, keys: Keys) -> None:
    """Writes inputs, outputs and every layer's inbound nodes into the parts of a graph.

    Args:
        part: The graph, with its layers.
        config: Its configuration.
        reader: Words errors.
        keys: Its place.

    Raises:
        ConfigError: If a call takes what our graphs cannot give.
    """
    wiring = _Wiring(part, reader, (*keys, "config"))
    wiring.read(config)


class _Wiring:
    """One graph's wiring."""

    def __init__(self, part: Part, reader: LayerReader, keys: Keys) -> None:
        self.part = part
        self.reader = reader
        self.keys = keys

    def read(self, config: Mapping[str, Any]) -> None:
        calls: dict[str, list[list[Reference]]] = {}
        for index, (inside, entry) in enumerate(zip(self.part.inside, config["layers"], strict=True)):
            place = (*self.keys, "layers", index, "inbound_nodes")
            nodes = entry.get("inbound_nodes", [])
            if not isinstance(nodes, list):
                raise self.reader.refuse(f"the inbound_nodes of {inside.label} are no list", place)
            calls[inside.name] = [self._call(node, (*place, number)) for number, node in enumerate(nodes)]
        ends = {
            name: [self._reference(item, (*self.keys, name)) for item in _listed(config.get(name))]
            for name in ("input_layers", "output_layers")
        }
        shifts = self._shifts(calls, [*ends["input_layers"], *ends["output_layers"]])
        for inside in self.part.inside:
            nodes = [[self._write(item, shifts) for item in call] for call in calls[inside.name]]
            if nodes:
                inside.arguments["inbound_nodes"] = nodes if len(nodes) > 1 else _shortest(nodes[0])
        for name, references in ends.items():
            self.part.arguments[name] = _shortest([self._write(item, shifts) for item in references])

    def _call(self, node: Any, keys: Keys) -> list[Reference]:
        """The tensors of one call, the initial states last."""
        if isinstance(node, Mapping):
            tensors = [self._keras_tensor(item, keys) for item in _flat(node.get("args", []))]
            options = node.get("kwargs") or {}
            states = _flat(options.get("initial_state") or [])
            if all(isinstance(item, Mapping) for item in states):
                tensors += [self._keras_tensor(item, keys) for item in states]
                options = {**options, "initial_state": None}
        elif isinstance(node, list):
            items = [node] if node and isinstance(node[0], str) else node
            tensors, options = [], {}
            for item in items:
                tensors.append(self._reference(item, keys))
                options |= item[3] if len(item) > 3 and isinstance(item[3], Mapping) else {}
        else:
            raise self.reader.refuse("an inbound node is a list of tensors, or args and kwargs", keys)
        for name, value in options.items():
            if value not in IDLE_CALL.get(name, ()):
                raise self.reader.refuse(f"a layer is called with {name}={value!r:.60}, which is not known here", keys)
        return tensors

    def _keras_tensor(self, item: Any, keys: Keys) -> Reference:
        inner = item.get("config") if isinstance(item, Mapping) else None
        if not isinstance(inner, Mapping) or item.get("class_name") != "__keras_tensor__":
            raise self.reader.refuse(f"a layer is called with {item!r:.60}, expected a tensor of the graph", keys)
        return self._reference(inner.get("keras_history"), keys)

    def _reference(self, item: Any, keys: Keys) -> Reference:
        name, node, tensor, *_ = [*item, None, None, None] if isinstance(item, list) else [item, 0, 0]
        numbers = [value for value in (node, tensor) if isinstance(value, int) and not isinstance(value, bool)]
        if not isinstance(name, str) or len(numbers) != 2 or min(numbers) < 0:
            raise self.reader.refuse(f"a tensor is [layer, call, tensor], found {item!r:.60}", keys)
        return name, numbers[0], numbers[1]

    def _shifts(self, calls: Mapping[str, list[list[Reference]]], ends: Sequence[Reference]) -> dict[str, int]:
        """How much the calls of a nested model are numbered too high: some Keras count its own making as one."""
        used: dict[str, set[int]] = {}
        for name, number, _ in [*ends, *(item for nodes in calls.values() for call in nodes for item in call)]:
            used.setdefault(name, set()).add(number)
        models = [inside for inside in self.part.inside if inside.is_model]
        return {
            inside.name: 1 for inside in models if max(used.get(inside.name, {0})) >= max(1, len(calls[inside.name]))
        }

    def _write(self, item: Reference, shifts: Mapping[str, int]) -> Any:
        name, node, tensor = item
        node -= shifts.get(name, 0)
        renamed = {inside.name: inside.arguments["name"] for inside in self.part.inside}
        name = renamed.get(name, name)
        return name if (node, tensor) == (0, 0) else [name, node, tensor]


def _listed(ends: Any) -> list[Any]:
    """The ends of a graph as a list; a single one may stand alone."""
    if isinstance(ends, Mapping):
        return [item for value in ends.values() for item in _listed(value)]
    if isinstance(ends, list):
        return [ends] if ends and isinstance(ends[0], str) and len(ends) == 3 else ends
    return []


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _flat(item)
    else:
        yield value


def _shortest(tensors: list[Any]) -> Any:
    return tensors[0] if len(tensors) == 1 else tensors

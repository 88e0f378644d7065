"""The wiring of a functional model: which tensors every layer takes, in our words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rnnspec.interop.keras.oddities import Keys
from rnnspec.interop.keras.operations import flat, is_tensor
from rnnspec.interop.keras.parts import Part, Reference, shortest

if TYPE_CHECKING:
    from rnnspec.interop.keras.layers import LayerReader

__all__ = ["chain", "connect"]

# Arguments of a call that say nothing with these values.
IDLE_CALL: Mapping[str, tuple[Any, ...]] = {"training": (False, None), "initial_state": (None,), "constants": (None,)}


def connect(part: Part, config: Mapping[str, Any], reader: LayerReader, keys: Keys) -> None:
    """Writes inputs, outputs and the calls of every layer into the parts of a graph.

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


def chain(part: Part, heads: Sequence[tuple[Part, Sequence[Part]]]) -> None:
    """Connects a Sequential of Keras 1 that starts with a Merge: branches, the merge, and what comes after it.

    Args:
        part: The graph; its layers are all inputs, all branches, the merge and the rest, in this order.
        heads: Every branch with its inputs.
    """
    inputs = [one for _, own in heads for one in own]
    for branch, own in heads:
        branch.calls = [[(one.our_name, 0, 0) for one in own]]
    before = [branch for branch, _ in heads]
    for inside in part.inside[len(inputs) + len(heads) :]:
        inside.calls = [[(one.our_name, 0, 0) for one in before]]
        before = [inside]
    part.arguments["input_layers"] = [one.our_name for one in inputs]
    part.arguments["output_layers"] = before[0].our_name


class _Wiring:
    """One graph's wiring."""

    def __init__(self, part: Part, reader: LayerReader, keys: Keys) -> None:
        self.part = part
        self.reader = reader
        self.keys = keys
        self.names = {inside.name: inside.our_name for inside in reversed(part.inside)}

    def read(self, config: Mapping[str, Any]) -> None:
        calls: dict[str, list[list[Reference]]] = {}
        for index, (inside, entry) in enumerate(zip(self.part.inside, config["layers"], strict=True)):
            place = (*self.keys, "layers", index, "inbound_nodes")
            nodes = entry.get("inbound_nodes", [])
            if not isinstance(nodes, list):
                raise self.reader.refuse(f"the inbound_nodes of {inside.label} are no list", place)
            calls[inside.name] = [self._call(inside, node, (*place, number)) for number, node in enumerate(nodes)]
        ends = {
            name: [self._reference(item, (*self.keys, name)) for item in _listed(config.get(name))]
            for name in ("input_layers", "output_layers")
        }
        for name, references in ends.items():
            if not references:
                raise self.reader.refuse(f"{self.part.label} has no {name}", (*self.keys, name))
        inputs = {inside.name for inside in self.part.inside if inside.tag == "Input"}
        for reference in ends["input_layers"]:
            if reference[0] not in inputs:
                message = f"the input '{reference[0]}' of {self.part.label} is none of its InputLayers"
                raise self.reader.refuse(message, (*self.keys, "input_layers"))
            if any(reference[1:]):
                message = f"an input of {self.part.label} is a layer's only tensor, found {list(reference)!r:.60}"
                raise self.reader.refuse(message, (*self.keys, "input_layers"))
        taken = [item for nodes in calls.values() for call in nodes for item in call]
        if self.reader.dialect.generation == 3:  # it counts one way in calls, and another way in the outputs
            shifts, end_shifts = self._shifts(calls, taken), self._shifts(calls, ends["output_layers"], least=1)
        else:
            shifts = end_shifts = self._shifts(calls, [*taken, *ends["output_layers"]])
        for inside in self.part.inside:
            inside.calls = [[self._ours(item, shifts) for item in call] for call in calls[inside.name]]
        for name, references in ends.items():
            self.part.arguments[name] = shortest([self._ours(item, end_shifts) for item in references])

    def _ours(self, item: Reference, shifts: Mapping[str, int]) -> Reference:
        name, node, tensor = item
        return self.names.get(name, name), node - shifts.get(name, 0), tensor

    def _call(self, inside: Part, node: Any, keys: Keys) -> list[Reference]:
        """The tensors of one call, the initial states last."""
        if isinstance(node, Mapping):
            tensors = [self._keras_tensor(item, keys) for item in flat(node.get("args", []))]
            options = dict(node.get("kwargs") or {})
            states = list(flat(options.get("initial_state") or []))
            if all(isinstance(item, Mapping) for item in states):
                tensors += [self._keras_tensor(item, keys) for item in states]
                options["initial_state"] = None
            inside.masked_calls.append(any(is_tensor(item) for item in flat(options.pop("mask", None))))
        elif isinstance(node, list):
            items = [node] if node and isinstance(node[0], str) else node
            tensors, options = [], {}
            for item in items:
                tensors.append(self._reference(item, keys))
                options |= item[3] if len(item) > 3 and isinstance(item[3], Mapping) else {}
            if not any(flat(options.get("mask"))):
                options.pop("mask", None)
        else:
            raise self.reader.refuse("an inbound node is a list of tensors, or args and kwargs", keys)
        for name, value in options.items():
            if value not in IDLE_CALL.get(name, ()):
                raise self.reader.refuse(f"a layer is called with {name}={value!r:.60}, which is not known here", keys)
        return tensors

    def _keras_tensor(self, item: Any, keys: Keys) -> Reference:
        if not is_tensor(item):
            raise self.reader.refuse(f"a layer is called with {item!r:.60}, expected a tensor of the graph", keys)
        return self._reference(item["config"]["keras_history"], keys)

    def _reference(self, item: Any, keys: Keys) -> Reference:
        name, node, tensor, *_ = [*item, None, None, None] if isinstance(item, list) else [item, 0, 0]
        numbers = [value for value in (node, tensor) if isinstance(value, int) and not isinstance(value, bool)]
        if not isinstance(name, str) or len(numbers) != 2 or min(numbers) < 0:
            raise self.reader.refuse(f"a tensor is [layer, call, tensor], found {item!r:.60}", keys)
        return name, numbers[0], numbers[1]

    def _shifts(
        self, calls: Mapping[str, list[list[Reference]]], taken: Sequence[Reference], least: int | None = None
    ) -> dict[str, int]:
        """How much the calls of a nested model are numbered too high: some Keras count its own making as one.

        The last call is always taken by something, so its number tells; or the least number does, if it is given.
        """
        used: dict[str, set[int]] = {}
        for name, number, _ in taken:
            used.setdefault(name, set()).add(number)
        shifts = {}
        for inside in self.part.inside:
            if inside.is_model and inside.name in used:
                last = max(used[inside.name]) >= max(1, len(calls[inside.name]))
                first = least is not None and inside.tag == "graph" and min(used[inside.name]) >= least
                shifts[inside.name] = int(last or first)
        return shifts


def _listed(ends: Any) -> list[Any]:
    """The ends of a graph as a list; a single one may stand alone."""
    if isinstance(ends, Mapping):
        return [item for value in ends.values() for item in _listed(value)]
    if isinstance(ends, list):
        return [ends] if ends and isinstance(ends[0], str) and len(ends) == 3 else ends
    return []

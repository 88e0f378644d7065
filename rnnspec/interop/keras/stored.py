"""Which stored arrays belong to which layer: in groups with the layers' names, and in groups numbered by class."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rnnspec import registry
from rnnspec.errors import Problem, WeightsError
from rnnspec.interop.keras.hdf5 import Array, Group
from rnnspec.interop.keras.parts import GATES, Part
from rnnspec.interop.keras.report import Report
from rnnspec.interop.keras.sources import CONTAINERS, StoredWeights
from rnnspec.interop.keras.texts import DAMAGED

__all__ = ["Stored", "snake_case", "stored_arrays"]

Stored = list[tuple[Part, list[Array]]]
"""Layers with their arrays, in Keras's order."""

# How many of a layer's arrays an optimizer does not change: they come after those of all layers of a nested model.
FROZEN = {"BatchNormalization": 2}


def stored_arrays(model: Part, weights: StoredWeights, report: Report) -> Stored:
    """Finds the arrays of every layer.

    Args:
        model: The model as it was read.
        weights: The weights in their file.
        report: Where decisions are noted.

    Returns:
        Every layer with weights, with its arrays in the order in which this Keras keeps them.

    Raises:
        WeightsError: If the file has other layers than the model.
    """
    found = _named(model, weights, report) if weights.named else _numbered(model, weights.root, weights.file)
    return [(part, arrays) for part, arrays in found if arrays]


# Groups with the layers' names


def _named(model: Part, weights: StoredWeights, report: Report) -> Stored:
    names = _texts(weights.root, "layer_names")
    if len(set(names)) < len(names):
        raise WeightsError(Problem("the attribute layer_names names a layer twice", file=weights.file, hint=DAMAGED))
    groups = {name: _in_order(weights.root, name, weights.file) for name in names}
    filled = {name: arrays for name, arrays in groups.items() if arrays}
    parts = _units(model, groups)
    if all(part.name in groups for part in parts if _has_weights(part)):
        pairs = [(part, filled.pop(part.name, [])) for part in parts]
        if filled:
            raise _mismatch(weights.file, parts, list(filled))
    else:
        # Keras itself goes by the order where names differ: a model that was made anew has new numbers.
        wanting = [part for part in parts if _has_weights(part)]
        if len(wanting) != len(filled):
            raise _mismatch(weights.file, parts, list(filled))
        pairs = list(zip(wanting, filled.values(), strict=True))
        report.decide("the weights belong to the layers in their order: the file has other names than the model")
    return [item for part, arrays in pairs for item in _taken_apart(part, arrays, weights.file)]


def _units(model: Part, groups: dict[str, list[Array]]) -> list[Part]:
    """The layers that have a group of their own: Keras 1 writes the layers of nested models one by one."""
    units: list[Part] = []
    for part in model.inside:
        below = _units(part, groups) if part.holds_model and part.name not in groups else []
        flat = all(unit.name in groups for unit in below if _has_weights(unit))
        units += below if below and flat else [part]
    return units


def _has_weights(part: Part) -> bool:
    return any(sum(weight_count(leaf, part)) for leaf in part.leaves())


def _in_order(root: Group, name: str, file: str) -> list[Array]:
    """The arrays of one layer's group, in the order of its `weight_names`."""
    group = root.groups.get(name)
    if group is None:
        raise WeightsError(Problem(f"the weights have no group '{name}', which layer_names names", file=file))
    arrays = [group.find(weight) for weight in _texts(group, "weight_names")]
    if None in arrays:
        missing = _texts(group, "weight_names")[arrays.index(None)]
        raise WeightsError(Problem(f"the group '{name}' has no array '{missing}', which weight_names names", file=file))
    if len({id(array) for array in arrays}) < len(arrays):  # it would be read into memory as often
        message = f"the attribute weight_names of '{name}' names an array twice"
        raise WeightsError(Problem(message, file=file, hint=DAMAGED))
    return [array for array in arrays if array is not None]


def _texts(group: Group, name: str) -> list[str]:
    value = group.attributes.get(name, [])
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _taken_apart(part: Part, arrays: Sequence[Array], file: str) -> Stored:
    """The arrays of a nested model, which stand in one list: what is trained comes first."""
    if not part.holds_model:
        return [(part, list(arrays))]
    leaves = list(part.leaves())
    counts = [weight_count(leaf, part) for leaf in leaves]
    if sum(trained + frozen for trained, frozen in counts) != len(arrays):
        message = f"{part.label} needs {sum(map(sum, counts))} arrays, the file has {len(arrays)}"
        raise WeightsError(Problem(message, file=file))
    first, later = 0, sum(trained for trained, _ in counts)
    found: Stored = []
    for leaf, (trained, frozen) in zip(leaves, counts, strict=True):
        found.append((leaf, [*arrays[first : first + trained], *arrays[later : later + frozen]]))
        first, later = first + trained, later + frozen
    return found


def weight_count(part: Part, model: Part) -> tuple[int, int]:
    """How many arrays Keras keeps for a layer: those that are trained, and the others."""
    arguments = part.arguments
    if part.tag == "Bidirectional":
        trained, frozen = (2 * count for count in weight_count(part.inside[0], model))
    elif part.tag == "TimeDistributed":
        trained, frozen = weight_count(part.inside[0], model)
    elif part.gate_by_gate:
        trained, frozen = 3 * GATES[part.tag], 0
    elif part.tag in GATES:
        trained, frozen = 2 + (arguments.get("use_bias", True) is not False), 0
    elif part.tag in ("Dense", "Conv1D"):
        trained, frozen = 1 + (arguments.get("use_bias", True) is not False), 0
    elif part.tag in ("BatchNormalization", "LayerNormalization"):
        trained = sum(arguments.get(name, True) is not False for name in ("center", "scale"))
        frozen = FROZEN.get(part.tag, 0)
    else:
        trained, frozen = int(part.tag in ("Embedding", "PReLU")), 0
    return (trained, frozen) if part.trainable and model.trainable else (0, trained + frozen)


def _mismatch(file: str, parts: Sequence[Part], groups: Sequence[str]) -> WeightsError:
    ours = ", ".join(part.label for part in parts if _has_weights(part)) or "none"
    theirs = ", ".join(f"'{name}'" for name in groups) or "none"
    message = f"the weights are not this model's: it has weights in {ours}; the file has more or others, in {theirs}"
    return WeightsError(Problem(message, file=file))


# Groups numbered by class


def _numbered(model: Part, root: Group, file: str) -> Stored:
    """The arrays of all layers inside a part: of a model, a wrapper around one, or stacked cells."""
    if not model.is_model:
        return _numbered(model.inside[0], root.groups.get("layer", Group(root.name)), file)
    if "cell" in root.groups:
        root = root.groups["cell"]
    container = next((root.groups[name] for name in (*CONTAINERS, "cells") if name in root.groups), Group(root.name))
    by_class: dict[str, list[Group]] = {}
    for name in sorted(container.groups, key=_number):
        group = container.groups[name]
        if any(True for _ in group.all_arrays()):
            by_class.setdefault(_number(name)[0], []).append(group)
    found: Stored = []
    idle = set()
    for part in model.inside:
        stem = snake_case(part.keras_class)
        waiting = by_class.get(stem) or by_class.get(SECOND_NAMES.get(stem, ""))
        if not _has_weights(part) and not (waiting and registry.LAYERS.is_users(part.tag)):
            idle.add(stem)  # such a group may hold the state of random numbers
            continue
        if not waiting:
            raise WeightsError(Problem(f"the weights have no group for {part.label}", file=file))
        group = waiting.pop(0)
        found += _numbered(part, group, file) if part.holds_model else [(part, _of_layer(part, group))]
    left = [group.name for stem, groups in by_class.items() if stem not in idle for group in groups]
    if left:
        message = f"the weights are not this model's: no layer belongs to the groups {', '.join(left)}"
        raise WeightsError(Problem(message, file=file))
    return found


# Classes that were called otherwise when the weights were written.
SECOND_NAMES = {"model": "functional", "functional": "model"}


def _of_layer(part: Part, group: Group) -> list[Array]:
    """The arrays of one layer: its own, its cell's, or those of the layer inside."""
    if part.tag == "Bidirectional":
        halves = [group.groups.get(name, Group(group.name)) for name in ("forward_layer", "backward_layer")]
        return [array for half in halves for array in _of_layer(part.inside[0], half)]
    if part.tag == "TimeDistributed":
        return _of_layer(part.inside[0], group.groups.get("layer", Group(group.name)))
    holder = group.groups.get("cell", group)
    variables = holder.groups.get("vars", Group(group.name)).arrays
    return [variables[name] for name in sorted(variables, key=lambda name: (len(name), name))]


def _number(name: str) -> tuple[str, int]:
    """A group's class and number: `lstm_1` is the second of class `lstm`."""
    found = re.fullmatch(r"(.+?)_(\d{1,9})", name)
    return (found[1], int(found[2])) if found else (name, 0)


def snake_case(name: str) -> str:
    """The name of a class as Keras numbers groups by it: `p_re_lu`."""
    return registry.snake_case(re.sub(r"\W+", "", name))

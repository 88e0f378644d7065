"""A model's configuration in any Keras's words becomes the data for ours, with nested models and graphs."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rnnspec.errors import ConfigWarning
from rnnspec.interop.keras import graphs
from rnnspec.interop.keras.dialect import Dialect
from rnnspec.interop.keras.layers import LayerReader
from rnnspec.interop.keras.masks import settle_masks
from rnnspec.interop.keras.oddities import Keys
from rnnspec.interop.keras.operations import is_operation, mask_operations
from rnnspec.interop.keras.parts import Part
from rnnspec.interop.keras.report import Report
from rnnspec.nn import Graph

__all__ = ["MAX_LAYERS", "ModelReader"]

MAX_LAYERS = 2_000
"""Layers of a model, those of nested models among them."""
MAX_NESTED = 20
"""Models and wrappers inside each other."""

MAX_TENSORS = 20_000
"""What the calls of all layers take together; models inside models that are called twice are twice as much each."""

OPERATIONS = ("Add", "Subtract", "Multiply", "Maximum", "Minimum")
"""Operations of Keras 3 that do what the layer of that name does: `a + b`."""

MODELS = ("Sequential", "Model", "Functional", "Graph")


class ModelReader:
    """Reads models.

    Args:
        dialect: The Keras that wrote them.
        report: Where decisions and losses are noted.
    """

    def __init__(self, dialect: Dialect, report: Report) -> None:
        self.dialect = dialect
        self.report = report
        self.count = 0

    def model(self, config: Mapping[str, Any]) -> Part:
        """Reads a whole model.

        Args:
            config: Its `class_name` and `config`.

        Returns:
            The part.

        Raises:
            ConfigError: If it is no model that is known here, or anything in it is not.
        """
        self.layers = LayerReader(self.dialect, self.report, masked=_makes_masks(config))
        self.layers.part = self._part
        part = self._part(config, ())
        if not part.is_model:
            raise self.layers.refuse(f"the file holds the layer {part.keras_class} alone, expected a model", ())
        if (tensors := _tensors(part)) > MAX_TENSORS:
            message = f"the calls of the layers take {tensors} tensors, those of models called more than once counted"
            raise self.layers.refuse(f"{message} each time, at most {MAX_TENSORS} are read", ())
        if self.layers.masked:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConfigWarning)  # the config of the whole model tells it
                settle_masks(part, self.layers)
        return part

    def _part(self, entry: Any, keys: Keys) -> Part:
        class_name, config = self.layers.split(entry, keys)
        if keys.count("config") > MAX_NESTED:
            raise self.layers.refuse(f"more than {MAX_NESTED} models stand inside each other", keys)
        if class_name == "Sequential":
            return self._sequential(entry, keys)
        if class_name in MODELS[1:] or {"input_layers", "output_layers"} <= config.keys():
            return self._graph(class_name, config, keys)
        return self.layers.layer(entry, keys)

    def _sequential(self, entry: Mapping[str, Any], keys: Keys) -> Part:
        _, config = self.layers.split(entry, keys)
        part = _model("Sequential", config, str(config.get("name") or entry.get("name") or "sequential"), "Sequential")
        declared = config.get("build_input_shape")
        heads: list[tuple[Part, list[Part]]] = []
        for index, item in enumerate(self._listed("Sequential", config.get("layers"), keys)):
            place = (*keys, "config", "layers", index)
            if isinstance(item, Mapping) and item.get("class_name") == "InputLayer":
                _, arguments = self.layers.split(item, place)
                declared = arguments.get("batch_shape") or arguments.get("batch_input_shape") or declared
                continue
            if index == 0 and isinstance(item, Mapping) and item.get("class_name") == "Merge":
                heads = self._branches(item, place)
                part.tag = "graph"
                part.inside = [one for _, inputs in heads for one in inputs] + [branch for branch, _ in heads]
            part.inside.append(self._part(item, place))
        if not part.inside:
            raise self.layers.refuse("the Sequential has no layers", (*keys, "config", "layers"))
        first = part.first
        if declared is not None and not keys and first.tag != "graph":
            first.arguments["batch_input_shape"] = _closest(first.arguments.get("batch_input_shape"), declared)
        _rename(part, self.report)
        if heads:
            graphs.chain(part, heads)
        if not keys and not config.get("name"):
            del part.arguments["name"]  # up to Keras 2.2.2 a Sequential's name is not in its file
        return part

    def _branches(self, entry: Mapping[str, Any], keys: Keys) -> list[tuple[Part, list[Part]]]:
        """What a Merge of Keras 1 at the head of a Sequential joins: models, each with inputs of its own."""
        _, config = self.layers.split(entry, keys)
        place = (*keys, "config", "layers")
        heads = []
        for index, item in enumerate(self._listed("Merge", config.get("layers"), keys)):
            branch = self._part(item, (*place, index))
            shapes = _input_shapes(branch)
            if None in shapes:
                raise self.layers.refuse(f"{branch.label} does not tell the shape of its input", (*place, index))
            names = [f"{branch.name}_input_{number}" for number in range(len(shapes))]
            pairs = zip(names, shapes, strict=True)
            heads.append(
                (branch, [Part("Input", {"batch_input_shape": shape}, name, "InputLayer") for name, shape in pairs])
            )
        return heads

    def _graph(self, class_name: str, config: dict[str, Any], keys: Keys) -> Part:
        part = _model("graph", config, str(config.get("name") or "model"), class_name)
        listed = self._listed(class_name, config.get("layers"), keys)
        operations = mask_operations(listed, self.layers, (*keys, "config", "layers"))
        kept = [(index, item) for index, item in enumerate(listed) if index not in operations]
        for index, item in kept:
            part.inside.append(self._graph_layer(item, (*keys, "config", "layers", index)))
        _rename(part, self.report)
        graphs.connect(part, {**config, "layers": [item for _, item in kept]}, self.layers, keys)
        return part

    def _listed(self, class_name: str, layers: Any, keys: Keys) -> list[Any]:
        """The layers of a model, if they are not too many."""
        if not isinstance(layers, list):
            raise self.layers.refuse(f"a {class_name} has a list of layers", (*keys, "config", "layers"))
        self.count += len(layers)
        if self.count > MAX_LAYERS:
            message = f"the model has {self.count} layers or more, at most {MAX_LAYERS} are read"
            raise self.layers.refuse(message, (*keys, "config", "layers"))
        return layers

    def _graph_layer(self, item: Any, keys: Keys) -> Part:
        class_name, config = self.layers.split(item, keys)
        if is_operation(item) and class_name not in OPERATIONS:
            message = f"'{item.get('name')}' is the operation {class_name}, which is no layer; it is not known here"
            raise self.layers.refuse(message, keys)
        if class_name != "InputLayer":
            return self._part(item, keys)
        shape = config.get("batch_shape") or config.get("batch_input_shape")
        if not isinstance(shape, list):
            raise self.layers.refuse("an InputLayer needs a batch_input_shape", (*keys, "config"))
        name = str(config.get("name") or item.get("name"))
        return Part("Input", {"batch_input_shape": shape}, name, class_name)


def _model(tag: str, config: Mapping[str, Any], name: str, class_name: str) -> Part:
    """A model without its layers."""
    part = Part(tag, {}, name, class_name, trainable=config.get("trainable", True) is not False)
    if not part.trainable:
        part.arguments["trainable"] = False
    return part


def _input_shapes(part: Part) -> list[Sequence[int | None] | None]:
    """The shapes of a model's inputs, as its layers declare them."""
    first = part.first
    if first.tag == "graph":
        return [inside.arguments["batch_input_shape"] for inside in first.inside if inside.tag == "Input"]
    if first.tag == "Embedding" and "batch_input_shape" not in first.arguments:
        return [(None, first.arguments.get("input_length"))]
    return [first.arguments.get("batch_input_shape")]


def _closest(own: Any, declared: Any) -> Any:
    """A layer's own input shape, with what the model's says where it leaves a number free: an Embedding does."""
    if not (isinstance(own, list) and isinstance(declared, list) and len(own) == len(declared)):
        return declared if own is None else own
    return [known if free is None else free for free, known in zip(own, declared, strict=True)]


_EMPTY = Graph({}, [], ["x"], [("x", 0, 0)])


def _rename(model: Part, report: Report) -> None:
    """Gives a model and its layers names that modules can have: without dots, and none that a model uses itself."""
    model.arguments["name"] = model.name.replace(".", "_")
    taken = set(dir(_EMPTY))
    for part in model.inside:
        name = part.name.replace(".", "_")
        while name in taken:
            name += "_"
        taken.add(name)
        if name != part.name:
            report.decide(f"{part.label} is called '{name}' here")
        part.arguments["name"] = name


def _tensors(part: Part) -> int:
    """How many tensors the calls in a model take."""
    return sum(sum(map(len, inside.calls)) + max(1, len(inside.calls)) * _tensors(inside) for inside in part.inside)


def _makes_masks(config: Any) -> bool:
    """Whether any layer in a configuration makes a mask."""
    return any(
        entry.get("class_name") == "Masking" or (isinstance(entry.get("mask_zero"), bool) and entry["mask_zero"])
        for entry in _mappings(config)
    )


def _mappings(config: Any) -> Iterator[Mapping[str, Any]]:
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value

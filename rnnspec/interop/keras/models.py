"""A model's configuration in any Keras's words becomes the data for ours, with nested models and graphs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rnnspec.interop.keras import graphs
from rnnspec.interop.keras.dialect import Dialect
from rnnspec.interop.keras.layers import LayerReader
from rnnspec.interop.keras.oddities import Keys
from rnnspec.interop.keras.parts import Part
from rnnspec.interop.keras.report import Report
from rnnspec.nn import Sequential

__all__ = ["MAX_LAYERS", "ModelReader"]

MAX_LAYERS = 2_000
"""Layers of a model, those of nested models among them."""
MAX_NESTED = 20
"""Models and wrappers inside each other."""

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
        part = self._part(config, (), 0)
        if not part.is_model:
            raise self.layers.refuse(f"the file holds the layer {part.keras_class} alone, expected a model", ())
        return part

    def _part(self, entry: Any, keys: Keys, level: int) -> Part:
        class_name, config = self.layers.split(entry, keys)
        if level > MAX_NESTED:
            raise self.layers.refuse(f"more than {MAX_NESTED} models stand inside each other", keys)
        if class_name == "Sequential":
            return self._sequential(entry, keys, level)
        if class_name in MODELS[1:] or {"input_layers", "output_layers"} <= config.keys():
            return self._graph(class_name, config, keys, level)
        return self.layers.layer(entry, keys)

    def _sequential(self, entry: Mapping[str, Any], keys: Keys, level: int) -> Part:
        _, config = self.layers.split(entry, keys)
        part = Part("Sequential", {}, str(config.get("name") or entry.get("name") or "sequential"), "Sequential")
        part.trainable = config.get("trainable", True) is not False
        declared = config.get("build_input_shape")
        for index, item in enumerate(self._listed("Sequential", config.get("layers"), keys)):
            place = (*keys, "config", "layers", index)
            if isinstance(item, Mapping) and item.get("class_name") == "InputLayer":
                _, arguments = self.layers.split(item, place)
                declared = arguments.get("batch_shape") or arguments.get("batch_input_shape") or declared
                continue
            part.inside.append(self._part(item, place, level + 1))
        if not part.inside:
            raise self.layers.refuse("the Sequential has no layers", (*keys, "config", "layers"))
        if declared is not None and level == 0:
            _first_layer(part).arguments.setdefault("batch_input_shape", declared)
        _rename(part, self.report)
        return part

    def _graph(self, class_name: str, config: dict[str, Any], keys: Keys, level: int) -> Part:
        part = Part("graph", {}, str(config.get("name") or "model"), class_name)
        part.trainable = config.get("trainable", True) is not False
        for index, item in enumerate(self._listed(class_name, config.get("layers"), keys)):
            place = (*keys, "config", "layers", index)
            part.inside.append(self._graph_layer(item, place, level))
        _rename(part, self.report)
        graphs.connect(part, config, self.layers, keys)
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

    def _graph_layer(self, item: Any, keys: Keys, level: int) -> Part:
        class_name, config = self.layers.split(item, keys)
        if class_name != "InputLayer":
            return self._part(item, keys, level + 1)
        shape = config.get("batch_shape") or config.get("batch_input_shape")
        if not isinstance(shape, list):
            raise self.layers.refuse("an InputLayer needs a batch_input_shape", (*keys, "config"))
        name = str(config.get("name") or item.get("name"))
        return Part("Input", {"batch_input_shape": shape}, name, class_name)


def _first_layer(part: Part) -> Part:
    """The layer that a Sequential's input comes to first."""
    while part.tag == "Sequential":
        part = part.inside[0]
    return part


def _rename(model: Part, report: Report) -> None:
    """Gives a model and its layers names that modules can have: without dots, and none that a model uses itself."""
    model.arguments["name"] = model.name.replace(".", "_")
    taken = set(dir(Sequential()))
    for part in model.inside:
        name = part.name.replace(".", "_")
        while name in taken:
            name += "_"
        taken.add(name)
        if name != part.name:
            report.decide(f"{part.label} is called '{name}' here")
        part.arguments["name"] = name


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

"""Models, and the documents that describe one: one layer, a list of layers, or a mapping with `model`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, cast

from attrs import frozen

from rnnspec.config.base import Config
from rnnspec.config.checks import LayerName, Limit, show
from rnnspec.config.layer import LayerConfig, LayerLike
from rnnspec.config.tags import split_tag, tagged_config
from rnnspec.config.wrappers import WrapperConfig, graph_problems
from rnnspec.errors import ConfigError, Problem

EXPERIMENT_KEYS = ("model", "data", "loss", "optimizer", "metrics", "train")

MODEL = "Model"
"""JSON Schema's definition of a model in any of its forms."""

__all__ = ["MODEL", "SequentialConfig", "document", "model_config", "stateful_layers"]


@frozen(slots=False, eq=False, repr=False)
class SequentialConfig(Config):
    """A stack of layers, each fed by the one before.

    Args:
        layers: The layers, one at least: configs, names, or `{Name: {arguments}}`. Names are used once.
        name: Name of the model.
    """

    identifier: ClassVar[str] = "Sequential"

    layers: Annotated[Sequence[LayerLike], Limit("a list of layers", schema={"minItems": 1})]
    name: LayerName | None = None

    @property
    def stack(self) -> tuple[LayerConfig, ...]:
        """The layers, as configs."""
        return cast(tuple[LayerConfig, ...], self.layers)

    @classmethod
    def relations(cls, values: Mapping[str, Any]) -> list[Problem]:
        """Checks that there are layers, with different names, and none of a graph."""
        layers = values.get("layers")
        if layers is None:
            return []
        if not layers:
            return [Problem("a model needs at least one layer, found an empty list", ("layers",))]
        problems = []
        first_with: dict[str, int] = {}
        for index, layer in enumerate(layers):
            problems += [problem.under("layers", index) for problem in graph_problems(layer)]
            if layer.name is not None and first_with.setdefault(layer.name, index) != index:
                message = (
                    f"name must differ from layer to layer, found '{layer.name}' at layer {first_with[layer.name]} too"
                )
                problems.append(Problem(message, ("layers", index, layer.identifier, "name")))
        return problems


def model_config(value: Any) -> LayerConfig | SequentialConfig:
    """Makes a model's config from any of its forms.

    Args:
        value: A config, a list of layers, `{Sequential: {layers: [...]}}`, or one layer in any of its forms.

    Returns:
        The config.

    Raises:
        ConfigError: If the value has none of the forms, or anything in it is wrong.
    """
    from rnnspec.config import convert

    if isinstance(value, SequentialConfig):
        return value
    if isinstance(value, (list, tuple)):
        try:
            return cast(SequentialConfig, convert.structure({"layers": value}, SequentialConfig))
        except ConfigError as error:
            # In a bare list the paths start at the index.
            raise error.mapped(lambda problem: replace(problem, keys=problem.keys[1:])) from None
    if isinstance(value, Mapping) and (tag := split_tag(value, "a model")).name == SequentialConfig.identifier:
        return cast(SequentialConfig, convert.structure(tag.arguments, SequentialConfig, tag.argument_keys))
    layer = cast(LayerConfig, tagged_config(value, LayerConfig))
    if problems_of_layer := graph_problems(layer):
        raise ConfigError(*problems_of_layer)
    return layer


def stateful_layers(model: LayerConfig | SequentialConfig) -> list[LayerConfig]:
    """The stateful layers of a model, those inside wrappers too.

    Args:
        model: A model's config.

    Returns:
        Their configs, in order.
    """
    if isinstance(model, SequentialConfig):
        return [found for layer in model.stack for found in stateful_layers(layer)]
    if isinstance(model, WrapperConfig):
        return stateful_layers(model.inner)
    return [model] if getattr(model, "stateful", False) else []


def document(data: Any) -> Config:
    """Makes the config that a whole document describes; see `convert.from_dict`."""
    from rnnspec.config import convert

    if isinstance(data, Mapping) and not data.keys().isdisjoint(EXPERIMENT_KEYS):
        if data.keys() == {"model"}:
            return convert.call(model_config, data["model"], ("model",))
        from rnnspec.config.experiment import ExperimentConfig

        return cast(ExperimentConfig, convert.structure(data, ExperimentConfig))
    if not isinstance(data, (str, Mapping, list, tuple, Config)) or data == {}:
        raise ConfigError(f"expected a layer, a list of layers, or a mapping with model, found {show(data)}")
    return model_config(data)

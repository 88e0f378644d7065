"""Models, and the documents that describe one: one layer, a list of layers, or a mapping with `model`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, ClassVar, cast

from attrs import frozen

from rnnspec import shapes
from rnnspec.config.base import Config
from rnnspec.config.checks import Limit, show
from rnnspec.config.module import ModuleConfig, ModuleLike
from rnnspec.config.tags import split_tag, tagged_config
from rnnspec.config.wiring import name_problems
from rnnspec.config.wrappers import graph_problems
from rnnspec.errors import ConfigError, Key, MaskError, Problem

EXPERIMENT_KEYS = ("model", "data", "loss", "optimizer", "metrics", "train")

MODEL = "Model"
"""JSON Schema's definition of a model in any of its forms."""

__all__ = ["MODEL", "SequentialConfig", "document", "model_config"]


@frozen(slots=False, eq=False, repr=False)
class SequentialConfig(ModuleConfig):
    """A stack of layers, each fed by the one before; it may stand among the layers of a model.

    Args:
        layers: The layers, one at least: configs, names, or `{Name: {arguments}}`. Names are used once.
    """

    identifier: ClassVar[str] = "Sequential"

    layers: Annotated[Sequence[ModuleLike], Limit("a list of layers", schema={"minItems": 1})]

    @property
    def stack(self) -> tuple[ModuleConfig, ...]:
        """The layers, as configs."""
        return cast(tuple[ModuleConfig, ...], self.layers)

    @property
    def input_rank(self) -> int | None:  # type: ignore[override]  # a class's own, but for a model
        """That of the first layer."""
        return self.stack[0].input_rank

    def declared_input(self) -> shapes.Shape | None:
        """What the first layer declares."""
        return self.stack[0].declared_input()

    def default_input(self) -> shapes.Shape | None:
        """What the first layer starts with."""
        return self.stack[0].default_input()

    def fixed_sizes(self, input_shape: shapes.Shape) -> tuple[int | None, ...]:
        """What the first layer fixes."""
        return self.stack[0].fixed_sizes(input_shape)

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """What the layers make of it, one after another; all of them check their input."""
        return self.output_shapes(input_shape)[0]

    def output_shapes(self, input_shape: shapes.Shape) -> tuple[shapes.Shape | None, ...]:
        """The shapes of the last layer's outputs; see `compute_output_shape`."""
        from rnnspec.config.inference import infer

        inference = infer(self, input_shape)
        if inference.error is not None:
            raise inference.error.mapped(lambda problem: problem.under("layers"))
        return inference.layers[-1].output_shapes

    def output_mask(self, mask: bool | None) -> bool | None:
        """What the layers make of it, one after another."""
        for index, layer in enumerate(self.stack):
            try:
                mask = layer.output_mask(mask)
            except MaskError as error:
                raise error.mapped(
                    partial(_under, keys=("layers", index, layer.identifier), label=layer.label)
                ) from None
        return mask

    def stateful_layers(self) -> list[ModuleConfig]:
        """Those of all layers."""
        return [found for layer in self.stack for found in layer.stateful_layers()]

    @property
    def output_layer(self) -> ModuleConfig:
        """The last layer, or the one inside that."""
        return self.stack[-1].output_layer

    @property
    def several_outputs(self) -> str | None:
        """As the last layer."""
        return self.stack[-1].several_outputs

    @classmethod
    def relations(cls, values: Mapping[str, Any]) -> list[Problem]:
        """Checks that there are layers, with different names, and none of a graph."""
        layers = values.get("layers")
        if layers is None:
            return []
        if not layers:
            return [Problem("a model needs at least one layer, found an empty list", ("layers",))]
        inside = [problem.under("layers", i) for i, layer in enumerate(layers) for problem in graph_problems(layer)]
        return inside + name_problems(layers)


def _under(problem: Problem, keys: tuple[Key, ...], label: str) -> Problem:
    """The problem of a layer inside, named."""
    return replace(problem, message=f"{label}: {problem.message}").under(*keys)


def model_config(value: Any) -> ModuleConfig:
    """Makes a model's config from any of its forms.

    Args:
        value: A config, a list of layers, `{Sequential: {layers: [...]}}`, or one layer in any of its forms.

    Returns:
        The config.

    Raises:
        ConfigError: If the value has none of the forms, or anything in it is wrong.
    """
    from rnnspec.config import convert

    if isinstance(value, (list, tuple)):
        try:
            return cast(SequentialConfig, convert.structure({"layers": value}, SequentialConfig))
        except ConfigError as error:
            # In a bare list the paths start at the index.
            raise error.mapped(lambda problem: replace(problem, keys=problem.keys[1:])) from None
    if not isinstance(value, ModuleConfig):
        split_tag(value, "a model")  # refuses what is none, in these words
    model = cast(ModuleConfig, tagged_config(value, ModuleConfig))
    if problems := graph_problems(model, whole=True):
        raise ConfigError(*problems)
    return model


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

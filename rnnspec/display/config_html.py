"""Configs in notebooks: their arguments, a model's layers, the shapes that are known. No torch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from attrs import NOTHING, fields

from rnnspec.config.base import Config, same
from rnnspec.config.experiment import ExperimentConfig
from rnnspec.config.graph import GraphConfig
from rnnspec.config.inference import Inference, infer
from rnnspec.config.model import SequentialConfig
from rnnspec.config.module import ModuleConfig
from rnnspec.config.tags import Registered
from rnnspec.display.html import Item, Row, arguments, fragment, never_raises, table, text, title, words
from rnnspec.shapes import format_shape

__all__ = ["config_html"]


@never_raises
def config_html(config: Config) -> str:
    """Writes a config as an HTML fragment.

    Args:
        config: Any config.

    Returns:
        The fragment: the arguments that differ from their defaults marked, the others folded away; a model's layers;
        the shapes of input and output where they are known.
    """
    if isinstance(config, ExperimentConfig):
        rows = [Row((text(item.name), item.value), item.changed) for item in _items(config) if item.name != "model"]
        experiment = table("Experiment", ("argument", "value"), rows)
        return fragment(experiment, *_model(config.model, infer(config)))
    if isinstance(config, ModuleConfig):
        return fragment(*_model(config, infer(config)))
    return fragment(arguments(title(config.identifier), _items(config)))


def _model(config: ModuleConfig, inference: Inference) -> Iterator[str]:
    """A model: one layer, or a table of its layers; and its shapes."""
    if isinstance(config, (SequentialConfig, GraphConfig)):
        yield _layers(config, inference)
    else:
        yield arguments(title(config.label), _items(config))
    if inference.input_shape is not None and inference.output_shape is not None:
        shapes = format_shape(inference.input_shape), format_shape(inference.output_shape)
        yield f"<p>input {shapes[0]} &rarr; output {shapes[1]}</p>"
    for problem in inference.problems:
        yield f"<p>does not fit: {text(f'{problem.path}: {problem.message}', 1000)}</p>"


def _layers(config: SequentialConfig | GraphConfig, inference: Inference) -> str:
    rows = []
    found = {layer.keys[-2]: layer.output_shape for layer in inference.layers}
    for index, layer in enumerate(config.stack):
        known = found.get(index)
        shape = "not known" if known is None else format_shape(known)
        rows.append(Row((text(layer.label), text(_changed(layer)), shape)))
    return table(title(config.label), ("layer", "arguments", "output shape"), rows)


def _items(config: Config) -> list[Item]:
    """The arguments of a config."""
    found = []
    for name, value, default in _arguments(config):
        changed = default is NOTHING or not same(value, default)
        before = "" if default is NOTHING else _words(default)
        inner = isinstance(value, ModuleConfig)
        shown = arguments(title(value.label), _items(value)) if inner else text(_words(value))
        found.append(Item(name, shown, before, changed))
    return found


def _arguments(config: Config) -> Iterator[tuple[str, Any, Any]]:
    """Name, value and default of every argument; what a user registered has the arguments that were given."""
    if isinstance(config, Registered):
        yield from ((name, value, NOTHING) for name, value in config.arguments.items())
    for attribute in sorted(fields(type(config)), key=lambda attribute: attribute.inherited):  # its own come first
        if not isinstance(config, Registered) or attribute.name not in ("tag", "arguments"):
            yield attribute.name, getattr(config, attribute.name), cast(Any, attribute.default)


def _changed(config: Config) -> str:
    """The arguments that differ from their defaults, in a row: `units=64, dropout=0.2`."""
    items = (
        (name, value) for name, value, default in _arguments(config) if default is NOTHING or not same(value, default)
    )
    labelled = isinstance(config, ModuleConfig)
    return ", ".join(f"{name}={_words(value)}" for name, value in items if not labelled or name != "name")


def _words(value: Any) -> str:
    """A value in words; a config as `Orthogonal(gain=0.5)`, without its defaults."""
    if not isinstance(value, Config):
        return words(value)
    inside = _changed(value)
    return f"{value.identifier}({inside})" if inside else value.identifier

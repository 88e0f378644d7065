"""A config becomes a module: the only place where that happens.

The rule: `XConfig` builds `nn.X` (an initializer `nn.initializers.X`, a cell `engines.cells.X`, ...) with the same
argument names. A test compares the fields and defaults of all configs with the signatures.
"""

from __future__ import annotations

import inspect
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import torch
from attrs import fields

from rnnspec import nn
from rnnspec.config.base import Config, TaggedConfig
from rnnspec.config.cells import CellConfig
from rnnspec.config.checks import Reference
from rnnspec.config.constraints import ConstraintConfig
from rnnspec.config.experiment import ExperimentConfig
from rnnspec.config.graph import GraphConfig
from rnnspec.config.inference import infer
from rnnspec.config.initializers import InitializerConfig
from rnnspec.config.layer import LayerConfig
from rnnspec.config.model import SequentialConfig
from rnnspec.config.module import ModuleConfig
from rnnspec.config.regularizers import RegularizerConfig
from rnnspec.config.tags import Registered
from rnnspec.engines import cells
from rnnspec.errors import ConfigError, ConfigWarning, Error, Problem, ShapeError
from rnnspec.nn import constraints, initializers, regularizers
from rnnspec.nn.base import Layer
from rnnspec.nn.given import keep

if TYPE_CHECKING:
    from rnnspec.config.inference import Inference, LayerShapes

__all__ = ["build", "target"]

ROOMS: dict[type[TaggedConfig], ModuleType] = {
    LayerConfig: nn,
    CellConfig: cells,
    InitializerConfig: initializers,
    RegularizerConfig: regularizers,
    ConstraintConfig: constraints,
}
GRAPH_ARGUMENTS = ("inbound_nodes",)  # what a graph reads, not the module


def build(
    config: Config,
    input_shape: Sequence[int | None] | Sequence[Sequence[int | None]] | None = None,
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype | str | None = None,
    seed: int | None = None,
) -> torch.nn.Module:
    """Builds the module that a config describes, weights and all, in training mode.

    Args:
        config: A layer, a `SequentialConfig`, a `GraphConfig`, or an `ExperimentConfig`, whose model is built.
        input_shape: Shape of the input with the batch, None where free: `(None, 10, 64)`; without the batch only where
            the first layer fixes the rank. A list of them for a graph with several inputs. Not needed where the config
            declares it.
        device: Where the weights live; CUDA when it is available, else the CPU.
        dtype: Dtype of the weights, a torch dtype or its name; wins over the config's (`float32`).
        seed: Makes the initial weights reproducible, whatever was built before; torch's generator by default.

    Returns:
        The module: a layer of `rnnspec.nn`, a `rnnspec.nn.Sequential`, or a `rnnspec.nn.Graph`.

    Raises:
        ConfigError: If the config describes no model (`RecurrentConfig`), or device or dtype is unknown.
        ShapeError: If the input's shape is not known, or two layers do not fit; both are named, with file and line
            where the config came from a file.
        StateError: If a layer is stateful and the batch size is not fixed.
        MaskError: If a mask reaches a layer that cannot take one.
        WeightsError: If `weights` do not fit.
    """
    if not isinstance(cast(Any, config), Config):
        hint = "rnnspec.loads(text), rnnspec.load(path) or rnnspec.from_dict(data) makes one"
        raise ConfigError(Problem(f"build takes a config, found {type(config).__name__}", hint=hint))
    model = config.model if isinstance(config, ExperimentConfig) else config
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    maker = _Maker(_torch_device(device), _torch_dtype(dtype))
    source = getattr(config, "_source", None)
    with _located(source), _seeded(seed), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)  # the config has warned when it was made
        inference = infer(config, input_shape, required=True)
        inference.raise_error()
        return maker.make(model, inference)


def target(config: TaggedConfig) -> Any:
    """What a config builds: the class (or the function that a user registered).

    Args:
        config: The config.

    Returns:
        The class, from the room of the config's family.
    """
    if isinstance(config, Registered):
        return config.registry.find(config.tag)
    room = next(room for family, room in ROOMS.items() if isinstance(config, family))
    return getattr(room, config.identifier)


class _Maker:
    """Makes the objects of a model, all on one device.

    Args:
        device: The device.
        dtype: The dtype that wins over the configs', or None.
    """

    def __init__(self, device: torch.device, dtype: torch.dtype | None) -> None:
        self.device = device
        self.dtype = dtype

    def _model_layer(self, layer: LayerShapes) -> torch.nn.Module:
        """One layer of the model, built where its input's shape is known; errors name its place in the model."""
        try:
            module: torch.nn.Module = self._layer(layer.config)
            if isinstance(module, Layer) and layer.input_shape is not None:
                module.build(layer.input_shape)
        except Error as error:
            raise error.mapped(lambda problem: problem.under(*layer.keys)) from None
        return module

    def make(self, model: Config, inference: Inference) -> torch.nn.Module:
        """The whole model, all layers built whose input's shape is known."""
        layers = {layer.name: self._model_layer(layer) for layer in inference.layers}
        if isinstance(model, GraphConfig):
            graph = self._graph(model, layers)
            try:
                graph.build(inference.inputs if graph.takes_several else inference.input_shape)
            except ShapeError as error:  # of another call than the first: a layer's weights are shared
                paths = {layer.name: layer.keys for layer in inference.layers}
                raise error.mapped(
                    lambda found: replace(found, keys=(*paths[str(found.keys[0])], *found.keys[1:]))
                ) from None
            return graph
        if not isinstance(model, SequentialConfig):
            return next(iter(layers.values()))
        sequential = self._sequential(model, list(layers.values()))
        if inference.input_shape is not None:
            # A user's layer may know its output's shape where its config did not.
            sequential.build(inference.input_shape)
        return sequential

    def _made(self, value: Any) -> Any:
        """A config becomes its object; all else stays as it is."""
        if isinstance(value, ModuleConfig):
            return self._layer(value)
        if isinstance(value, Registered):
            return _registered(target(value), dict(value.arguments))
        if isinstance(value, TaggedConfig):
            return target(value)(**self._arguments(value))
        return value

    def _layer(self, config: ModuleConfig) -> Any:
        if isinstance(config, GraphConfig):
            return self._graph(config, dict(zip(config.wiring.names, map(self._layer, config.stack), strict=True)))
        if isinstance(config, SequentialConfig):
            return self._sequential(config, [self._layer(layer) for layer in config.stack])
        if isinstance(config, Registered):
            arguments = {**config.arguments, **config.beside(vars(config))}
            if "dtype" in arguments:
                arguments["dtype"] = _torch_dtype(arguments["dtype"])
            made = target(config)(**arguments)
            if type(made) is target(config):
                keep(made, (), arguments)  # for `config_of`: a torch module does not keep them itself
            return made.to(device=self.device, dtype=self.dtype)
        assert isinstance(config, LayerConfig)
        arguments = self._arguments(config)
        arguments["device"] = self.device
        arguments["dtype"] = self.dtype or _torch_dtype(config.dtype)
        return target(config)(**arguments)

    def _sequential(self, config: SequentialConfig, layers: list[torch.nn.Module]) -> nn.Sequential:
        return nn.Sequential(layers, name=config.name, trainable=config.trainable)

    def _graph(self, config: GraphConfig, layers: Mapping[str, torch.nn.Module]) -> nn.Graph:
        wiring = config.wiring
        nodes: dict[tuple[str, int], int] = {}  # a config numbers a layer's calls as it likes, a module as they run
        counts: Counter[str] = Counter()
        for call in wiring.calls:
            nodes[call.name, call.node] = counts[call.name]
            counts[call.name] += 1

        def renumbered(sources: Sequence[Reference]) -> list[Reference]:
            return [Reference(name, nodes.get((name, node), 0), tensor) for name, node, tensor in sources]

        return nn.Graph(
            # An Input passes on what it is given.
            {name: layer for name, layer in layers.items() if name not in wiring.inputs},
            [(call.name, renumbered(call.sources)) for call in wiring.calls],
            wiring.inputs,
            renumbered(wiring.outputs),
            name=config.name,
            trainable=config.trainable,
        )

    def _arguments(self, config: TaggedConfig) -> dict[str, Any]:
        names = (attribute.name for attribute in fields(type(config)) if attribute.name not in GRAPH_ARGUMENTS)
        return {name: self._made(getattr(config, name)) for name in names}


def _registered(thing: Any, arguments: dict[str, Any]) -> Any:
    """A user's class is called; a function, which does the work itself, gets its further arguments."""
    return thing(**arguments) if inspect.isclass(thing) else partial(thing, **arguments) if arguments else thing


def _torch_device(device: torch.device | str) -> torch.device:
    try:
        return torch.device(device)
    except RuntimeError as error:
        raise ConfigError(f"unknown device '{device}', expected cpu, cuda, cuda:1, ...") from error


def _torch_dtype(dtype: torch.dtype | str | None) -> torch.dtype | None:
    if not isinstance(dtype, str):
        return dtype
    found = getattr(torch, dtype, None)
    if not isinstance(found, torch.dtype):
        raise ConfigError(f"unknown dtype '{dtype}', expected a torch dtype or its name")
    return found


@contextmanager
def _seeded(seed: int | None) -> Iterator[None]:
    """Initial weights are drawn on the CPU, from the global generator: it is seeded here and set back after."""
    if seed is None:
        yield
        return
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


@contextmanager
def _located(source: Any) -> Iterator[None]:
    """Adds file, line and column to errors, where the config came from a file."""
    try:
        yield
    except Error as error:
        if source is None:
            raise
        raise error.mapped(source.locate) from None

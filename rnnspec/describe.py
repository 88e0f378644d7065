"""A module becomes its config: the factory's rule backwards.

`nn.X`, which keeps the arguments that it was made with, has the config `XConfig` of the same arguments; so has an
initializer, a cell, ... What a user registered has the registered name and its arguments.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from numbers import Number
from typing import Any, TypeVar, cast

import torch
from attrs import evolve, fields

from rnnspec import nn
from rnnspec.config.base import TaggedConfig
from rnnspec.config.cells import CellConfig
from rnnspec.config.checks import show
from rnnspec.config.constraints import ConstraintConfig
from rnnspec.config.core import InputConfig
from rnnspec.config.graph import GraphConfig
from rnnspec.config.initializers import InitializerConfig
from rnnspec.config.layer import LayerConfig
from rnnspec.config.model import SequentialConfig
from rnnspec.config.module import ModuleConfig
from rnnspec.config.regularizers import RegularizerConfig
from rnnspec.config.tags import Registered
from rnnspec.config.wrappers import BidirectionalConfig
from rnnspec.engines import activations
from rnnspec.engines.activations import Activation
from rnnspec.engines.cells import Cell
from rnnspec.errors import ConfigError, ConfigWarning, Key, Problem
from rnnspec.factory import ROOMS
from rnnspec.nn import constraints, initializers, regularizers
from rnnspec.nn.base import Layer
from rnnspec.nn.constraints import Constraint
from rnnspec.nn.distributions import Initializer
from rnnspec.nn.given import FAMILIES, NOT_KEPT, Argument, arguments_of
from rnnspec.nn.named import name_of
from rnnspec.nn.regularizers import Regularizer
from rnnspec.registry import ACTIVATIONS, FUNCTIONS, LAYERS, Registry

__all__ = ["config_of"]

OneKey = TypeVar("OneKey", bound=Key)

THINGS: dict[type, type[TaggedConfig]] = {
    Initializer: InitializerConfig,
    Regularizer: RegularizerConfig,
    Constraint: ConstraintConfig,
    Cell: CellConfig,
}
"""What an argument may hold, and the family of its config."""


def config_of(module: torch.nn.Module) -> ModuleConfig:
    """Finds the config that builds a layer or a model, however that was made: by `build`, or by hand.

    Attributes that were changed since count; weights do not. Where the input's shape is known, the config declares it,
    so that it can be built as it is (but for a user's layer, which need not take one).

    Args:
        module: A layer of `rnnspec.nn`, a `Sequential`, a `Graph`, or a layer that a user registered.

    Returns:
        The config.

    Raises:
        ConfigError: If something in it has no place in a config: a function that is not registered, a torch module, an
            argument that only Python has. It names all of them, with their paths.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)  # the module has warned when it was made
        if type(module) is nn.Sequential:
            return _sequential_config(module)
        if type(module) is nn.Graph:
            return _graph_config(module)
        return _with_input(_layer_config(module), module)


def _sequential_config(model: nn.Sequential) -> SequentialConfig:
    layers = _collected({index: partial(_layer_config, layer) for index, layer in enumerate(model)})
    stack = [_with_input(layer, model) if index == 0 else layer for index, layer in layers.items()]
    return SequentialConfig(stack, name=model.name, trainable=model.trainable)


def _graph_config(model: nn.Graph) -> GraphConfig:
    layers = _collected({name: partial(_layer_config, layer) for name, layer in model.named_children()})
    taken: dict[str, list[Any]] = {}
    for name, sources in model.calls:
        taken.setdefault(name, []).append(sources)
    shapes = dict(zip(model.input_names, model.input_shapes or (), strict=False))
    stack: list[ModuleConfig] = [InputConfig(name=name, batch_shape=shape) for name, shape in shapes.items() if shape]
    for name, layer in layers.items():
        calls = taken[name]
        stack.append(evolve(layer, name=name, inbound_nodes=calls[0] if len(calls) == 1 else calls))
    return GraphConfig(
        stack,
        input_layers=model.input_names,
        output_layers=model.output_tensors,
        name=model.name,
        trainable=model.trainable,
    )


def _collected(parts: Mapping[OneKey, Callable[[], Any]]) -> dict[OneKey, Any]:
    """Makes every part; what is wrong with any of them is raised together, each with the part's path."""
    found: dict[OneKey, Any] = {}
    problems: list[Problem] = []
    for key, make in parts.items():
        try:
            found[key] = make()
        except ConfigError as error:
            problems += [problem.under(key) for problem in error.problems]
    if problems:
        raise ConfigError(*problems)
    return found


def _with_input(config: ModuleConfig, module: torch.nn.Module) -> ModuleConfig:
    """Declares the shape of what comes in, where it is known and the config does not say it."""
    shape = getattr(module, "known_input_shape", None)
    if shape is None or not isinstance(config, LayerConfig) or isinstance(config, Registered):
        return config  # a model's layers have said it; a user's layer need not take one
    declared = config.declared_input() or config.default_input()
    if declared is not None and (declared[0] is not None or shape[0] is None):
        return config
    return evolve(config, input_shape=shape[1:]) if shape[0] is None else evolve(config, batch_input_shape=shape)


def _layer_config(module: Any) -> ModuleConfig:
    if type(module) is nn.Sequential:
        inside = partial(_collected, {"layers": partial(_sequential_config, module)})
        return cast(ModuleConfig, _collected({"Sequential": inside})["Sequential"]["layers"])
    if type(module) is nn.Graph:
        return cast(ModuleConfig, _collected({"graph": partial(_graph_config, module)})["graph"])
    tag = LAYERS.name_of(type(module))
    if tag is not None:
        make: Callable[[], TaggedConfig] = partial(_users_config, module, tag, LayerConfig)
    elif type(module).__name__ in LAYERS and getattr(nn, type(module).__name__, None) is type(module):
        tag = type(module).__name__
        make = partial(_house_config, module, LayerConfig.find(tag))
    else:
        raise _nameless(module)
    config = cast(LayerConfig, _collected({tag: make})[tag])
    if isinstance(config, BidirectionalConfig):
        return evolve(config, layer=evolve(config.inner, name=module.given_name))
    return config


def _nameless(module: Any) -> ConfigError:
    """The error of a module that has no config."""
    name = type(module).__name__
    if getattr(nn, name, None) is type(module):
        return ConfigError(f"{name} has no config, it does one step")
    hint = f"register it: rnnspec.register.layer({name})"
    return ConfigError(Problem(f"{name} is no layer that a config can name", hint=hint))


def _house_config(thing: Any, config_class: type[TaggedConfig]) -> TaggedConfig:
    """The config of an object of the house, by the rule."""
    known = {attribute.name for attribute in fields(config_class)}
    arguments = arguments_of(thing)
    if isinstance(thing, Layer):
        arguments |= _torch_arguments(thing, arguments)
    said = [one for one in arguments.values() if one.name in known or (one.changed and one.name != "device")]
    value_of = _lambda_value if isinstance(thing, nn.Lambda) else _value
    values = _collected({one.name: partial(value_of, one) for one in said})
    unknown = [name for name in values if name not in known]
    if unknown:
        raise ConfigError(*(_without_place(thing, arguments[name]) for name in unknown))
    return config_class(**values)


def _without_place(thing: Any, argument: Argument) -> Problem:
    message = f"the config of {type(thing).__name__} has no such argument, found {show(argument.value)}"
    return Problem(message, (argument.name,), hint=f"what a config builds has {show(argument.default)}")


def _torch_arguments(layer: Layer, arguments: Mapping[str, Argument]) -> dict[str, Argument]:
    """What only torch's own layers have, in a config's words: `input_size` and `batch_size` are parts of a shape."""
    weight = next((one for one in layer.parameters(recurse=False) if one.is_floating_point()), None)
    dtype = arguments["dtype"].value or torch.get_default_dtype()
    said: dict[str, Any] = {"dtype": dtype if weight is None else weight.dtype}
    sizes = {name: arguments[name] for name in ("input_size", "batch_size") if name in arguments}
    said |= dict.fromkeys(sizes)
    if any(size.given and size.changed for size in sizes.values()):
        shape = layer.known_input_shape or (sizes["batch_size"].value, None, None)
        said |= dict.fromkeys(("input_dim", "input_length", "input_shape"))
        said |= {"batch_input_shape": shape} if shape[0] is not None else {"input_shape": shape[1:]}
    return {name: replace(arguments[name], value=value) for name, value in said.items()}


def _users_config(thing: Any, tag: str, family: type[TaggedConfig]) -> TaggedConfig:
    """The config of an object whose class a user registered."""
    arguments = arguments_of(thing).values()
    said = [one for one in arguments if one.given or (one.changed and one.name not in ("device", "dtype"))]
    said = [one for one in said if one.name != "device"]
    return family.from_users_tag(tag, _collected({one.name: partial(_value, one) for one in said}))


def _value(argument: Argument) -> Any:
    """The value of an argument as a config has it."""
    value = argument.value
    if value is NOT_KEPT:
        hint = f"keep it as self.{argument.name}, or build the layer from a config"
        raise ConfigError(Problem("its value is not known, there is no attribute of this name", hint=hint))
    if isinstance(value, (list, tuple)):
        return [_value(replace(argument, value=item)) for item in value]
    if isinstance(value, Mapping):
        return {key: _value(replace(argument, value=item)) for key, item in value.items()}
    if isinstance(value, torch.dtype):
        return str(value).removeprefix("torch.")
    if value is None or isinstance(value, (str, Number)):
        return value
    ending = argument.name.rpartition("_")[2]
    if ending in FAMILIES:
        value = FAMILIES[ending][1](value)
    if isinstance(value, Activation):
        return _activation_name(value)
    for base, family in THINGS.items():
        if isinstance(value, base):
            return _named_config(value, family)
    if isinstance(value, torch.nn.Module):
        return _layer_config(value)
    raise ConfigError(f"a config holds plain data, found an object of class {type(value).__name__}")


def _lambda_value(argument: Argument) -> Any:
    """The value of an argument of a Lambda: a function is there by the name that a user registered it under."""
    value = argument.value
    if not callable(value):
        return _value(argument)
    name = FUNCTIONS.name_of(value)
    if name is None:
        raise _unregistered(FUNCTIONS, value)
    return name


def _named_config(thing: Any, family: type[TaggedConfig]) -> TaggedConfig:
    """The config of an initializer, a regularizer, a constraint or a cell."""
    if isinstance(thing, (initializers.Wrapped, regularizers.Wrapped, constraints.Wrapped)):
        thing = thing.function
    function, arguments = (thing.func, thing.keywords) if isinstance(thing, partial) else (thing, {})
    if (tag := family.registry.name_of(function)) is not None:
        return family.from_users_tag(tag, arguments)
    if (tag := family.registry.name_of(type(thing))) is not None:
        return _users_config(thing, tag, family)
    name = type(thing).__name__
    if getattr(ROOMS[family], name, None) is type(thing) and name in family.registry:
        return _house_config(thing, family.find(name))
    raise _unregistered(family.registry, function)


def _activation_name(activation: Activation) -> str:
    function = activation.function
    if getattr(getattr(activations, activation.name, None), "function", None) is function:
        return activation.name
    named = (ACTIVATIONS.name_of(thing) for thing in (activation, function, type(function)))
    found = next((name for name in named if name is not None), None)
    if found is None:
        raise _unregistered(ACTIVATIONS, function)
    return found


def _unregistered(registry: Registry, thing: Any) -> ConfigError:
    hint = f"register it with rnnspec.register.{registry.kind}"
    return ConfigError(Problem(f"the {registry.kind} {name_of(thing)} has no name in a config", hint=hint))

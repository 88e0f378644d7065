"""Plain data becomes configs: the cattrs converter and its hooks, and `from_dict`.

The hooks are strict: they convert nothing that would lose something, and refuse with `ExpectedError` or `ConfigError`.
Python calls are checked by the same hooks (`check`), so that there is one rule for every argument.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from numbers import Integral, Real
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from attrs import fields, resolve_types
from cattrs import Converter
from cattrs.cols import homogenous_tuple_structure_factory
from cattrs.errors import ClassValidationError
from cattrs.gen import make_dict_structure_fn, override

from rnnspec.config.base import Config
from rnnspec.config.checks import ExpectedError, Hook, Whole, show
from rnnspec.config.problems import problems_of
from rnnspec.errors import ConfigError, Key, Problem
from rnnspec.registry import did_you_mean

__all__ = ["call", "check", "from_dict", "hooks", "structure"]

Made = TypeVar("Made")


# Hooks for values


def _integer(value: Any, _: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise ExpectedError("an integer", value)
    return int(value)


def _number(value: Any, _: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ExpectedError("a number", value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or number != value:
        raise ExpectedError("a finite number", value)
    return number


def _boolean(value: Any, _: Any) -> bool:
    if not isinstance(value, bool):
        raise ExpectedError("true or false", value)
    return value


def _text(value: Any, _: Any) -> str:
    if not isinstance(value, str):
        raise ExpectedError("text", value)
    return str(value)


def _mapping(value: Any, _: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ExpectedError("a mapping of arguments", value)
    return dict(value)


def _choice_hook(type_: Any) -> Hook:
    choices = get_args(type_)
    *others, last = map(str, choices)
    expected = f"{', '.join(others)} or {last}"

    def choose(value: Any, _: Any) -> Any:
        for choice in choices:
            # 1 == True == 1.0, but only one of them was meant.
            if (
                value == choice
                and isinstance(value, type(choice))
                and isinstance(value, bool) == isinstance(choice, bool)
            ):
                return choice
        hint = did_you_mean(value, choices) if isinstance(value, str) and isinstance(choices[0], str) else None
        raise ExpectedError(expected, value, hint)

    return choose


def _sequence_hook(converter: Converter, type_: Any) -> Hook:
    structure_items = homogenous_tuple_structure_factory(type_, converter)

    def structure_sequence(value: Any, _: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            raise ExpectedError("a list", value)
        return structure_items(value, type_)

    return structure_sequence


def _annotated_hook(converter: Converter, type_: Any) -> Hook:
    inner, marker = get_args(type_)
    if isinstance(marker, Whole):
        return lambda value, _: marker.check(value)
    hook = converter.get_structure_hook(inner)
    wrapped: Hook = marker.wrap(lambda value: hook(value, inner))
    return wrapped


# Hooks for configs


_HOOKS: dict[Any, dict[str, Hook]] = {}


def hooks(cls: type[Config]) -> dict[str, Hook]:
    """The hook of every argument of a config class, by name; each accepts what it returned before."""
    if cls in _HOOKS:
        return _HOOKS[cls]
    resolve_types(cls)
    table = _HOOKS[cls] = {}
    for attribute in fields(cls):
        hook = CONVERTER.get_structure_hook(attribute.type)
        table[attribute.name] = (
            _null_is_default(hook, attribute.default) if isinstance(attribute.default, Config) else hook
        )
    return table


def _null_is_default(hook: Hook, default: Config) -> Hook:
    """Null where a config is the default means that default: `kernel_initializer: null`."""
    return lambda value, type_: default if value is None else hook(value, type_)


def _config_hook(cls: type[Config]) -> Hook:
    overrides = {name: override(struct_hook=hook) for name, hook in hooks(cls).items()}
    structure_arguments = make_dict_structure_fn(cls, CONVERTER, _cattrs_use_linecache=False, **overrides)  # type: ignore[arg-type]

    def structure_config(value: Any, _: Any) -> Any:
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            raise ConfigError(f"{cls.identifier} takes a mapping of arguments, found {show(value)}")
        try:
            return structure_arguments(value, cls)
        except ClassValidationError as error:
            raise _with_relations(error, cls, value) from None

    return structure_config


def _with_relations(error: ClassValidationError, cls: type[Config], data: Mapping[str, Any]) -> Exception:
    """Adds what is wrong between the arguments that are right on their own: cattrs makes no object to check it on."""
    located, others = error.group_exceptions()
    if any(isinstance(other, ConfigError) for other in others):
        return error  # The object itself has refused, so its relations were checked.
    failed = {note.name for _, note in located}
    values = {
        item.name: hooks(cls)[item.name](data[item.name], item.type) if item.name in data else item.default
        for item in fields(cls)
        if item.name not in failed
    }
    problems = cls.relations(values)
    return error.derive([*error.exceptions, ConfigError(*problems)]) if problems else error


def _is_config(type_: Any) -> bool:
    return inspect.isclass(type_) and issubclass(type_, Config)


def _origin_is(origin: Any) -> Callable[[Any], bool]:
    return lambda type_: get_origin(type_) is origin


def _make_converter() -> Converter:
    converter = Converter(detailed_validation=True, forbid_extra_keys=True)
    converter.register_structure_hook(int, _integer)
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(bool, _boolean)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook_func(_origin_is(Mapping), _mapping)
    converter.register_structure_hook_factory(_origin_is(Sequence), partial(_sequence_hook, converter))
    converter.register_structure_hook_factory(_origin_is(Literal), _choice_hook)
    converter.register_structure_hook_factory(_origin_is(Annotated), partial(_annotated_hook, converter))
    converter.register_structure_hook_factory(_is_config, _config_hook)
    return converter


CONVERTER = _make_converter()


# What others call


def check(config: Config) -> None:
    """Checks and normalises the arguments of a config that was just made; all mistakes are raised together.

    Args:
        config: The config.

    Raises:
        ConfigError: If any argument is wrong.
    """
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    cls = type(config)
    for attribute, hook in zip(fields(cls), hooks(cls).values(), strict=True):
        value = values[attribute.name] = getattr(config, attribute.name)
        if value is attribute.default:
            continue
        try:
            checked = hook(value, attribute.type)
        except Exception as error:
            problems += problems_of(error, (attribute.name,))
            del values[attribute.name]
        else:
            values[attribute.name] = checked
            object.__setattr__(config, attribute.name, checked)
    problems += cls.relations(values)
    if problems:
        raise ConfigError(*problems)


def call(function: Callable[[Any], Made], value: Any, keys: tuple[Key, ...] = ()) -> Made:
    """Calls something that takes a value apart, and words what it refuses.

    Args:
        function: What to call: a hook without its type, for example.
        value: The value.
        keys: The value's path.

    Returns:
        What the function returned.

    Raises:
        ConfigError: If the function refused the value.
    """
    try:
        return function(value)
    except Exception as error:
        raise ConfigError(*problems_of(error, keys)) from None


def structure(data: Any, type_: Any, keys: tuple[Key, ...] = ()) -> Any:
    """Makes an object of a type from plain data.

    Args:
        data: The data.
        type_: A config class, or one of the types of `checks`.
        keys: Path of the data, put before every path.

    Returns:
        The object.

    Raises:
        ConfigError: If anything is wrong; it names all mistakes with their paths.
    """
    return call(lambda value: CONVERTER.structure(value, type_), data, keys)


def from_dict(data: Any) -> Config:
    """Makes a config from plain data, the same as a YAML document gives.

    Args:
        data: One layer (`{"LSTM": {"units": 3}}`, or its name alone), a list of layers, or a mapping with `model`;
            `data`, `loss`, `optimizer`, `metrics` or `train` beside `model` make it an experiment.

    Returns:
        A layer's config, a `SequentialConfig`, or an `ExperimentConfig`.

    Raises:
        ConfigError: If anything is wrong; it names all mistakes with their paths.
    """
    from rnnspec.config.model import document

    return document(data)

"""The ways to write a nested config: an object, a name, `{Name: {arguments}}`, `{class_name: Name, config: {...}}`.

A name that a user registered becomes a config that keeps name and arguments as they are; the arguments are checked
against the signature of what was registered.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, cast

from attrs import frozen

from rnnspec.config.base import TaggedConfig, plain
from rnnspec.config.checks import Whole, show
from rnnspec.config.problems import missing_argument, unknown_argument
from rnnspec.errors import ConfigError, Key, Problem
from rnnspec.registry import closest

__all__ = ["Registered", "Tag", "signature_problems", "split_tag", "tagged", "tagged_config"]


@dataclass(frozen=True)
class Tag:
    """A nested config taken apart.

    Attributes:
        name: The tag.
        arguments: What stands under it; not checked.
        keys: Path of the tag.
        argument_keys: Path of the arguments.
        keras_form: Whether it was written as `{class_name:, config:}`.
    """

    name: str
    arguments: Any
    keys: tuple[Key, ...]
    argument_keys: tuple[Key, ...]
    keras_form: bool = False

    def refuse(self, error: ConfigError) -> ConfigError:
        """The error of an unknown tag, at the tag's place."""
        at_key = bool(self.keys) and not self.keras_form
        return error.mapped(lambda problem: replace(problem, keys=self.keys, at_key=at_key))


def split_tag(value: Any, expected: str) -> Tag:
    """Takes a nested config apart, without asking whether its tag exists.

    Args:
        value: The data.
        expected: What it should be, for messages: `a layer`.

    Returns:
        The parts.

    Raises:
        ConfigError: If the data has none of the forms.
    """
    if isinstance(value, str):
        return Tag(str(value), {}, (), ())
    if not isinstance(value, Mapping) or not value:
        raise ConfigError(f"{expected} is a name, or a mapping of one name to its arguments, found {show(value)}")
    if "class_name" in value:
        extra = [str(key) for key in value if key not in ("class_name", "config")]
        if extra:
            message = f"{expected} with class_name has only config beside it, found"
            raise ConfigError(*(Problem(f"{message} '{key}'", (key,), at_key=True) for key in extra))
        return Tag(str(value["class_name"]), value.get("config"), ("class_name",), ("config",), keras_form=True)
    if len(value) > 1:
        first, *others = map(str, value)
        names = ", ".join([first, *others])
        message = f"{expected} is a mapping of one name to its arguments, found {len(value)} keys: {names}"
        hint = f"indent {' and '.join(others)} under {first}" if next(iter(value.values())) is None else None
        raise ConfigError(Problem(message, hint=hint))
    ((name, arguments),) = value.items()
    return Tag(str(name), arguments, (name,), (name,))


def tagged_config(value: Any, family: type[TaggedConfig]) -> TaggedConfig:
    """Makes a nested config from any of its forms.

    Args:
        value: The config, or data.
        family: The base of what is allowed: `LayerConfig`.

    Returns:
        The config.

    Raises:
        ConfigError: If the value has none of the forms, there is no such tag, or its arguments are wrong.
    """
    from rnnspec.config import convert

    if isinstance(value, family):
        return value
    tag = split_tag(value, family.expected)
    cls, preset = (None, {}) if family.takes_as_it_is(tag.name) else _find(tag, family)

    def make(arguments: Any) -> TaggedConfig:
        if not isinstance(arguments, Mapping):
            raise ConfigError(f"{tag.name} takes a mapping of arguments, found {show(arguments)}")
        if cls is None:
            return family.from_users_tag(tag.name, arguments)
        return cast(TaggedConfig, convert.structure({**preset, **arguments}, cls))

    return convert.call(make, {} if tag.arguments is None else tag.arguments, tag.argument_keys)


def _find(tag: Tag, family: type[TaggedConfig]) -> tuple[type[TaggedConfig], Mapping[str, Any]]:
    presets = {**family.aliases, **family.keras_presets} if tag.keras_form else family.aliases
    name, preset = presets.get(tag.name, (tag.name, {}))
    try:
        return family.find(name), preset
    except ConfigError as error:
        raise tag.refuse(error) from None


def tagged(family: type[TaggedConfig]) -> Whole:
    """The marker for a field that takes a nested config of a family."""
    return Whole(partial(tagged_config, family=family))


# What users registered


def signature_problems(
    name: str, thing: Callable[..., Any], arguments: Mapping[str, Any], *, filled_in: str | None = None
) -> list[Problem]:
    """Checks arguments against the signature of what a user registered.

    Args:
        name: Its name.
        thing: The class or function.
        arguments: The arguments.
        filled_in: What a function is called with after a tensor, if it takes that: `generator`; None: with neither.

    Returns:
        A problem for each argument that it does not take, and for each that is missing; none where a function of C,
        such as `torch.abs`, does not tell what it takes.
    """
    try:
        parameters = list(inspect.signature(thing).parameters.values())
    except ValueError:
        return []
    if filled_in is not None and not inspect.isclass(thing):
        parameters = [parameter for parameter in parameters[1:] if parameter.name != filled_in]
    named = {p.name: p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    unknown = [str(key) for key in arguments if key not in named and not takes_any]
    # A required argument that was misspelled is not missing too.
    given = {*arguments, *(closest(key, named) for key in unknown)}
    missing = [p.name for p in named.values() if p.default is p.empty and p.name not in given]
    return [
        *(missing_argument(name, key) for key in missing),
        *(unknown_argument(name, key, named) for key in unknown),
    ]


@frozen(slots=False, eq=False, repr=False)
class Registered(TaggedConfig):
    """The base of configs for names that users registered.

    Args:
        tag: The registered name.
        arguments: The arguments for what was registered, kept as they are.
    """

    works_on_weight: ClassVar[bool] = False

    tag: str
    arguments: Mapping[str, Any] = {}

    @property
    def identifier(self) -> str:  # type: ignore[override]  # every instance has a tag of its own
        """The registered name."""
        return self.tag

    @classmethod
    def relations(cls, values: Mapping[str, Any]) -> list[Problem]:
        """Checks that the name is registered and takes these arguments."""
        if not {"tag", "arguments"} <= values.keys():
            return []
        tag = values["tag"]
        if not cls.registry.is_users(tag):
            return [Problem(f"no user registered the {cls.registry.kind} '{tag}'", ("tag",))]
        arguments = {**values["arguments"], **cls.beside(values)}
        filled_in = "generator" if cls.works_on_weight else None
        return signature_problems(tag, cls.registry.find(tag), arguments, filled_in=filled_in)

    @classmethod
    def beside(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The further arguments that were given, for families that have arguments of their own."""
        return {}

    def to_schema(self) -> dict[str, Any]:
        """Writes the config as YAML has it: `{name: {arguments}}`."""
        return {self.tag: plain({**self.arguments, **self.beside(vars(self))})}

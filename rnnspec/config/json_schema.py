"""The JSON Schema (draft 2020-12) of rnnspec's files, made from the config classes.

What the loader refuses beyond it: arguments that contradict each other, shapes, variables, two layers of one name.
A reference to a variable, a text with `${name}` in it, may stand for any value.
"""

from __future__ import annotations

import inspect
import json
import re
import types
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from attrs import NOTHING, fields

from rnnspec.config.base import Config, Preset, TaggedConfig, plain
from rnnspec.config.checks import NUMBERS, Limit, NameIn
from rnnspec.config.convert import hooks
from rnnspec.config.experiment import ExperimentConfig
from rnnspec.config.model import MODEL
from rnnspec.config.module import ModuleConfig, ModuleLike
from rnnspec.config.tags import Registered

__all__ = ["json_schema"]

Schema = dict[str, Any]

_TYPES: dict[Any, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    type(None): {"type": "null"},
    Any: {},
}
_VARIABLE = {"type": "string", "pattern": r"(^|[^$])\$\{", "description": "a reference to a variable: ${name}"}
_NUMBERS = {"anyOf": [{"type": "number"}, {"type": "array", "items": {"$ref": f"#/$defs/{NUMBERS}"}}]}
_VARS = {"type": ["object", "null"], "description": "Values by name; ${name} stands for one, wherever a value stands."}
_LAYERS = Annotated[Sequence[ModuleLike], Limit("a list of layers", schema={"minItems": 1})]
_ARGUMENT = re.compile(r"^        (\w+): (.*(?:\n {12}.*)*)", re.MULTILINE)


def json_schema() -> Schema:
    """Makes the schema of a file: a layer, a list of layers, or an experiment; what users registered is part of it.

    Returns:
        The schema as plain data.
    """
    return _Writer().document()


class _Writer:
    """Writes each config class once, under `$defs`."""

    def __init__(self) -> None:
        self._defs: Schema = {"Variable": _VARIABLE, NUMBERS: _NUMBERS}

    def document(self) -> Schema:
        """The schema of a file."""
        experiment = self._arguments(ExperimentConfig)
        experiment["properties"]["vars"] = _VARS
        tags = self._tags(ModuleConfig)
        # `vars` may stand beside one layer, and counts as no layer.
        two = {"if": {"required": ["vars"]}, "then": {"minProperties": 2}, "else": {"maxProperties": 1}}
        one = {**_one_key({**tags, "vars": _VARS}), "maxProperties": 2, **two}
        keras = self._keras_form(tags)
        keras["properties"]["vars"] = _VARS
        layer = {"if": {"required": ["class_name"]}, "then": keras, "else": one}
        self._defs |= {
            "Experiment": experiment,
            "OneLayer": layer,
            MODEL: {
                "description": "A layer, or a list of layers, each fed by the one before.",
                "if": {"type": "array"},
                "then": self._type(_LAYERS),
                "else": self._forms(tags, tags),
            },
        }
        sections = [{"required": [item.name]} for item in fields(ExperimentConfig)]
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "rnnspec",
            "description": "A layer, a list of layers, or an experiment.",
            "if": {"type": "object"},
            "then": {"if": {"anyOf": sections}, "then": _ref("Experiment"), "else": _ref("OneLayer")},
            "else": _ref(MODEL),
            "$defs": self._defs,
        }

    def _family(self, family: type[TaggedConfig]) -> Schema:
        """A nested config in any of its forms."""
        name = family.__name__.removesuffix("Config")
        if name not in self._defs:
            self._defs[name] = {}  # a layer may hold a layer
            tags = self._tags(family)
            keras = {**tags, **self._presets(family, family.keras_presets)}
            description = f"{family.expected[:1].upper()}{family.expected[1:]}."
            self._defs[name] = {"description": description, **self._forms(tags, tags, keras, family.open_names)}
        return _ref(name)

    def _forms(self, alone: Schema, tags: Schema, keras: Schema | None = None, others: str | None = None) -> Schema:
        """A name, `{Name: {arguments}}`, or `{class_name: Name, config: {...}}`.

        Args:
            alone: The tags that may be a name alone, each with its arguments, if these may be left out.
            tags: The tags of the second form.
            keras: Those of the third; as the second by default.
            others: A pattern of further names, of which nothing is known.

        Returns:
            The schema.
        """
        names: Schema = {"enum": [tag for tag, arguments in alone.items() if self._may_be_empty(arguments)]}
        return {
            "if": {"type": "string"},
            "then": _value(_or_pattern(names, others)),
            "else": {
                "if": {"type": "object", "required": ["class_name"]},
                "then": self._keras_form(keras or tags, others),
                "else": _one_key(tags, others),
            },
        }

    def _keras_form(self, tags: Schema, others: str | None = None) -> Schema:
        """`{class_name: Name, config: {arguments}}`."""
        choices: list[Schema] = []
        for tag, arguments in tags.items():
            then: Schema = {"properties": {"config": arguments}}
            if not self._may_be_empty(arguments):
                then["required"] = ["config"]
            choices.append({"if": {"properties": {"class_name": {"const": tag}}}, "then": then})
        names = _or_pattern({"enum": list(tags)}, others)
        properties = {"class_name": names, "config": True}
        return {"type": "object", "properties": properties, "additionalProperties": False, "allOf": choices}

    def _tags(self, family: type[TaggedConfig]) -> Schema:
        """Every name of a family with the schema of its arguments."""
        table = family.registry
        found = {tag: self._users(family, tag) for tag in table.names() if table.is_users(tag)}
        found |= {tag: self._config(family.find(tag)) for tag in table.names() if not table.is_users(tag)}
        return {**{tag: _value(found[tag]) for tag in table.names()}, **self._presets(family, family.aliases)}

    def _presets(self, family: type[TaggedConfig], presets: Mapping[str, Preset]) -> Schema:
        """Further names, some with defaults of their own."""
        return {
            alias: _value(self._config(family.find(tag), preset, alias) if preset else self._config(family.find(tag)))
            for alias, (tag, preset) in presets.items()
        }

    def _users(self, family: type[TaggedConfig], name: str) -> Schema:
        """The arguments of what a user registered, from its signature."""
        thing = family.registry.find(name)
        kind = next(cls for cls in Registered.__subclasses__() if issubclass(cls, family))
        parameters = list(inspect.signature(thing).parameters.values())
        if kind.works_on_weight and not inspect.isclass(thing):
            parameters = [item for item in parameters[1:] if item.name != "generator"]
        named = [item for item in parameters if item.kind in (item.POSITIONAL_OR_KEYWORD, item.KEYWORD_ONLY)]
        required = [item.name for item in named if item.default is item.empty]
        description = (inspect.getdoc(thing) or "").partition("\n")[0]
        found = _object({item.name: _default(item.default) for item in named}, required, description)
        return {**found, "additionalProperties": any(item.kind is item.VAR_KEYWORD for item in parameters)}

    def _may_be_empty(self, arguments: Schema) -> bool:
        """Whether a tag can stand without its arguments."""
        inner = arguments["else"]
        found = self._defs[inner["$ref"].rpartition("/")[2]] if "$ref" in inner else inner
        return "required" not in found

    def _config(self, cls: type[Config], preset: Mapping[str, Any] | None = None, alias: str = "") -> Schema:
        """The arguments of a config class; an alias has defaults of its own."""
        name = f"{cls.__name__}.{alias}" if alias else cls.__name__
        if name not in self._defs:
            # What stands here already is asked for by `_may_be_empty` while a layer in a layer is written.
            hooks(cls)  # names in annotations become types
            self._defs[name] = {"required": []} if any(item.default is NOTHING for item in fields(cls)) else {}
            self._defs[name] = self._arguments(cls, preset or {})
        return _ref(name)

    def _arguments(self, cls: type[Config], preset: Mapping[str, Any] | None = None) -> Schema:
        """The schema of a config's mapping of arguments."""
        hooks(cls)
        documented = _documented(cls)
        properties: Schema = {}
        required = []
        for attribute in fields(cls):
            default = (preset or {}).get(attribute.name, attribute.default)
            schema = self._type(attribute.type)
            if isinstance(attribute.default, Config):
                schema = _any_of([schema, _TYPES[type(None)]])
            if default is NOTHING:
                required.append(attribute.name)
            described = {"description": documented[attribute.name]} if attribute.name in documented else {}
            properties[attribute.name] = {**described, **_default(default), **_value(schema)}
        return _object(properties, required, _summary(cls))

    def _type(self, type_: Any) -> Schema:
        """The schema of a value of a field's type."""
        if type_ in _TYPES:
            return dict(_TYPES[type_])
        origin, inner = get_origin(type_), get_args(type_)
        if origin is Annotated:
            return self._annotated(*inner)
        if origin is Literal:
            return {"enum": list(inner)}
        if origin in (Union, types.UnionType):
            return _any_of([self._type(item) for item in inner])
        if origin is Sequence:
            return {"type": "array", "items": _value(self._type(inner[0]))}
        if origin is Mapping:
            return {"type": "object"}
        return self._config(type_)

    def _annotated(self, inner: Any, marker: Any) -> Schema:
        if isinstance(marker, NameIn):
            return {"enum": [*marker.registry.names(), *([None] if type(None) in get_args(inner) else [])]}
        if isinstance(marker, Limit):
            return {**self._type(inner), **marker.schema}
        if isinstance(marker.check, partial):  # `tagged`
            return self._family(marker.check.keywords["family"])
        return dict(marker.schema) or self._type(inner)


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _value(schema: Schema) -> Schema:
    """The same, or a reference to a variable."""
    return {"if": _ref("Variable"), "else": schema} if schema else {}


def _any_of(choices: list[Schema]) -> Schema:
    """One of several; types alone are written short."""
    if all(choice.keys() == {"type"} and isinstance(choice["type"], str) for choice in choices):
        return {"type": [choice["type"] for choice in choices]}
    null = _TYPES[type(None)]
    if len(choices) == 2 and null in choices:
        # Of `anyOf` a validator only tells that nothing fits.
        (other,) = (choice for choice in choices if choice != null)
        return {"if": null, "else": other}
    return {"anyOf": choices}


def _object(properties: Schema, required: list[str], description: str) -> Schema:
    """A mapping of arguments; nothing stands for an empty one."""
    found: Schema = {"description": description} if description else {}
    found |= {"type": "object" if required else ["object", "null"], "properties": properties}
    return {**found, **({"required": required} if required else {}), "additionalProperties": False}


def _one_key(tags: Schema, others: str | None = None) -> Schema:
    """`{Name: {arguments}}`."""
    found: Schema = {"type": "object", "minProperties": 1, "maxProperties": 1, "properties": tags}
    if others:
        found["patternProperties"] = {others: _value({"type": ["object", "null"]})}
    return {**found, "additionalProperties": False}


def _or_pattern(names: Schema, others: str | None) -> Schema:
    return {"anyOf": [names, {"type": "string", "pattern": others}]} if others else names


def _default(value: Any) -> Schema:
    """The default of an argument, where JSON can say it."""
    try:
        return {} if value in (NOTHING, inspect.Parameter.empty) else {"default": json.loads(json.dumps(plain(value)))}
    except (TypeError, ValueError):
        return {}


def _summary(cls: type[Config]) -> str:
    """The first sentences of a class's docstring."""
    return " ".join((inspect.getdoc(cls) or "").partition("\n\n")[0].split())


def _documented(cls: type[Config]) -> dict[str, str]:
    """What the docstrings of a class and its bases say of each argument."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        _, _, arguments = (base.__doc__ or "").partition("    Args:\n")
        found |= {name: " ".join(text.split()) for name, text in _ARGUMENT.findall(arguments.partition("\n\n")[0])}
    return found

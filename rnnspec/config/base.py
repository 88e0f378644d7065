"""What all configs share: frozen attrs objects that say what to build, and build nothing themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from attrs import fields, frozen

from rnnspec.errors import ConfigError, Problem
from rnnspec.registry import Registry

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Config", "Preset", "TaggedConfig", "plain", "same"]

Made = TypeVar("Made", bound="Config")


def plain(value: Any) -> Any:
    """Turns a config's value into plain data: dictionaries, lists, numbers, texts.

    Args:
        value: A config, an array, a container of these, or plain data.

    Returns:
        The data; nested configs as `{Tag: {arguments}}`, arrays and tuples as lists.
    """
    if isinstance(value, Config):
        return value.to_schema()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.tolist() if hasattr(value, "tolist") else value


@frozen(slots=False, eq=False, repr=False)
class Config:
    """The base of every config.

    A config is made by a Python call or from plain data (`from_dict`); both check every argument and report all
    mistakes at once. Nested configs may be given as an object, as a name, or as plain data. Two configs are equal if
    their `to_dict` are. `attrs.evolve(config, units=5)` makes a changed copy.

    Attributes:
        identifier: The name of what the config describes, as in YAML: `LSTM`.
    """

    identifier: ClassVar[str] = "config"

    def __new__(cls, *arguments: Any, **keywords: Any) -> Self:
        """Refuses arguments that there are none of, in the words in which a file's are refused."""
        names = [attribute.name for attribute in fields(cls)]
        unknown = [name for name in keywords if name not in names]
        if unknown:
            from rnnspec.config.problems import unknown_argument

            raise ConfigError(*(unknown_argument(cls.__name__, name, names) for name in unknown))
        return super().__new__(cls)

    def __attrs_post_init__(self) -> None:
        # The converter stands on this module, so it can only be imported once a config is made.
        from rnnspec.config import convert

        convert.check(self)
        self.warn()

    @classmethod
    def relations(cls, values: Mapping[str, Any]) -> list[Problem]:
        """Checks arguments against each other.

        Args:
            values: The arguments that are right on their own, defaults among them, by name; the others are absent.

        Returns:
            What is wrong, with paths that start at an argument's name.
        """
        return []

    def warn(self) -> None:
        """Warns about arguments that have no effect."""

    def to_dict(self) -> dict[str, Any]:
        """Writes every argument as plain data; a name of None is left out.

        Returns:
            The arguments by name; nested configs as `{Tag: {arguments}}`.
        """
        values = {attribute.name: getattr(self, attribute.name) for attribute in fields(type(self))}
        return {name: plain(value) for name, value in values.items() if name != "name" or value is not None}

    def to_schema(self) -> dict[str, Any]:
        """Writes the config as YAML has it.

        Returns:
            `{"LSTM": {arguments}}`.
        """
        return {self.identifier: self.to_dict()}

    def to_yaml(self) -> str:
        """Writes the config as YAML; that of a layer, a model or an experiment is a document for `rnnspec.loads`.

        Returns:
            The text, without the arguments that have their default values.
        """
        from rnnspec.yaml.load import dump

        return dump(self)

    def _repr_html_(self) -> str:
        """What a notebook shows: a table of the arguments."""
        from rnnspec.display.config_html import config_html

        return config_html(self)

    @classmethod
    def from_dict(cls: type[Made], data: Mapping[str, Any]) -> Made:
        """Makes a config from its arguments as plain data.

        Args:
            data: The arguments by name, as `to_dict` gives them; what is left out has its default.

        Returns:
            The config, of this class.

        Raises:
            ConfigError: If anything is wrong; it names all mistakes with their paths.
        """
        from rnnspec.config import convert

        return cast(Made, convert.structure(data, cls))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Config) or type(self) is not type(other):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    # Weights may be arrays, which have no hash.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        values = ((attribute, getattr(self, attribute.name)) for attribute in fields(type(self)))
        shown = [f"{attribute.name}={value!r}" for attribute, value in values if not same(value, attribute.default)]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __getstate__(self) -> dict[str, Any]:
        """What is kept beside the arguments (the place in a file) stays behind in copies and pickles."""
        return {attribute.name: getattr(self, attribute.name) for attribute in fields(type(self))}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


def same(value: Any, default: Any) -> bool:
    """Whether an argument says what its default says: of the same type and with equal data, arrays too."""
    return type(value) is type(default) and bool(plain(value) == plain(default))


Preset = tuple[str, Mapping[str, Any]]
"""What an alias stands for: a tag, and arguments whose defaults differ under this alias."""


class TaggedConfig(Config):
    """The base of configs that stand under a tag: layers, initializers, ...

    Attributes:
        expected: What messages call one of the family: `a layer`.
        registry: The family's names.
        aliases: Further names, each with its preset.
        open_names: A pattern of further names, which `from_users_tag` takes as they are; None for none.
        keras_presets: Presets of tags written as `{class_name: Tag, config: {...}}`, where Keras's defaults differ.
    """

    expected: ClassVar[str]
    registry: ClassVar[Registry]
    aliases: ClassVar[Mapping[str, Preset]] = {}
    keras_presets: ClassVar[Mapping[str, Preset]] = {}
    open_names: ClassVar[str | None] = None

    @classmethod
    def find(cls, name: str) -> type[TaggedConfig]:
        """The config class of a built-in name of this family."""
        found: type[TaggedConfig] = cls.registry.find(name)
        return found

    @classmethod
    def takes_as_it_is(cls, tag: str) -> bool:
        """Whether `from_users_tag` makes the config of a name: those that a user registered."""
        return cls.registry.is_users(tag)

    @classmethod
    def from_users_tag(cls, tag: str, arguments: Mapping[str, Any]) -> TaggedConfig:
        """Makes the config of a name that a user registered.

        Args:
            tag: The name.
            arguments: The arguments for what was registered.

        Returns:
            The config.

        Raises:
            ConfigError: If what was registered does not take these arguments.
        """
        raise NotImplementedError(f"{cls.__name__} has no names of users")

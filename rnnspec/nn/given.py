"""What an object was made with: the arguments of its call, and what has become of them since.

`Layer` keeps the arguments of every layer's call, whatever they are, so no layer need say anything of its own. An
object that keeps none (an initializer, a torch module) tells them by the attributes of the same name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from torch import Tensor, nn

from rnnspec.engines import activations
from rnnspec.engines.cells import Cell
from rnnspec.errors import ConfigError, Problem
from rnnspec.nn import constraints, initializers, regularizers
from rnnspec.nn.named import Named
from rnnspec.registry import ACTIVATIONS, CONSTRAINTS, INITIALIZERS, REGULARIZERS, Registry, did_you_mean

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["FAMILIES", "NOT_KEPT", "NO_DEFAULT", "Argument", "SelfDescribing", "arguments_of", "keep"]

FAMILIES: Mapping[str, tuple[Registry, Callable[[Any], Any]]] = {
    "activation": (ACTIVATIONS, activations.get),
    "initializer": (INITIALIZERS, initializers.get),
    "regularizer": (REGULARIZERS, regularizers.get),
    "constraint": (CONSTRAINTS, constraints.get),
}
"""How an argument's name ends, and what its value may name."""

TORCH_HABITS: Mapping[str, str] = {
    "batch_first": "the batch comes first, time_major=True puts time before it",
    "bias": "it is called use_bias here",
    "bidirectional": "wrap the layer: Bidirectional(LSTM(...))",
    "hidden_size": "it is called units here: LSTM(units, input_size=...)",
    "num_layers": "put the layers into a Sequential, all but the last one with return_sequences=True",
    "proj_size": "no cell here has a projection; a cell of your own may",
}
"""Arguments of torch.nn's recurrent modules, and what stands for them here."""

NOT_KEPT: Any = object()
"""Stands for the value of an argument of which nothing tells."""
NO_DEFAULT = inspect.Parameter.empty
"""Stands for the default of an argument that has none."""


@dataclass(frozen=True)
class Argument:
    """An argument of an object's class.

    Attributes:
        name: Its name.
        value: What it is now; `NOT_KEPT` if nothing tells.
        default: Its default; `NO_DEFAULT` if it has none.
        given: Whether the call that made the object is known and had it.
    """

    name: str
    value: Any
    default: Any
    given: bool = False

    @property
    def changed(self) -> bool:
        """Whether it has no default, or differs from it."""
        return self.default is NO_DEFAULT or not _same(self.value, self.default)


class SelfDescribing:
    """The base of layers: keeps the arguments that a layer is made with, and tells what it is."""

    def __new__(cls, *arguments: Any, **keywords: Any) -> Self:
        """Keeps them before `__init__` sees them, whatever arguments that takes."""
        if cls.__module__.startswith("rnnspec."):  # a user's class may take what it likes
            _refuse_unknown(cls, keywords)
        made = super().__new__(cls)
        keep(made, arguments, keywords)
        return made

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Says that the signature is that of `__init__`; Python 3.10 would take that of `__new__` for some classes."""
        super().__init_subclass__(**keywords)
        signature = inspect.signature(cls.__init__)
        cls.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])  # type: ignore[attr-defined]

    def to_yaml(self) -> str:
        """Writes the layer, or the whole model, as YAML that `rnnspec.loads` reads and `rnnspec.build` builds again.

        Returns:
            The text: the arguments that differ from their defaults, without weights; see `rnnspec.config_of`.

        Raises:
            ConfigError: If something in the layer has no place in a config; it names all of it.
        """
        from rnnspec.describe import config_of

        return config_of(cast(nn.Module, self)).to_yaml()

    def _repr_html_(self) -> str:
        """What a notebook shows: tables of sizes, weights and arguments, or of a model's layers."""
        from rnnspec.display.layer_html import layer_html

        return layer_html(cast(Any, self))


def _refuse_unknown(cls: type, keywords: Mapping[str, Any]) -> None:
    """Refuses arguments that a layer does not have, torch's among them, with what to write in their place."""
    taken = [name for name, _ in _parameters(cls, keywords)]
    problems = [
        Problem(f"{cls.__name__} has no argument '{name}'", hint=TORCH_HABITS.get(name) or did_you_mean(name, taken))
        for name in keywords
        if name not in taken
    ]
    if problems:
        raise ConfigError(*problems)


def keep(thing: Any, positional: tuple[Any, ...], named: Mapping[str, Any]) -> None:
    """Keeps the arguments of the call that makes an object, in an attribute that goes with it into copies and pickles.

    Args:
        thing: The object.
        positional: Its positional arguments.
        named: Its keyword arguments; `weights` are left out, the object has its own.
    """
    kept = {name: value for name, value in named.items() if name != "weights"}
    object.__setattr__(thing, "_made_with", (positional, kept))


def arguments_of(thing: Any) -> dict[str, Argument]:
    """The arguments of an object, in the order of its class's signature and its base classes'.

    An attribute of the same name tells the present value, where it is of a kind that can be compared.

    Args:
        thing: A layer, an initializer, a cell, ...

    Returns:
        The arguments by name.
    """
    given = _given(thing)
    return {
        name: Argument(name, _present(thing, name, given, default), default, name in (given or ()))
        for name, default in _parameters(type(thing), given or ())
        if name != "weights"
    }


def _parameters(cls: type, given: Container[str]) -> Iterator[tuple[str, Any]]:
    """The parameters of a class and their defaults.

    What it hands on as `**keywords` are those of its bases that are keywords only, and those that were given: the
    others may be what it fills in itself.
    """
    seen: set[str] = set()
    for base in cls.__mro__:
        if base is nn.Module:
            return
        if "__init__" not in vars(base) or base is object:
            continue
        parameters = list(inspect.signature(base.__init__).parameters.values())[1:]  # type: ignore[misc]
        own = not seen
        for one in parameters:
            shared = own or one.kind is one.KEYWORD_ONLY or one.name in given
            if one.kind is not one.VAR_KEYWORD and one.name not in seen and shared:
                yield one.name, () if one.kind is one.VAR_POSITIONAL else one.default
            seen.add(one.name)
        if not any(one.kind is one.VAR_KEYWORD for one in parameters):
            return


def _given(thing: Any) -> dict[str, Any] | None:
    """The arguments of the call that made an object, by name; None if it did not keep them."""
    if "_made_with" not in getattr(thing, "__dict__", {}):
        return None
    positional, named = thing._made_with
    signature = inspect.signature(type(thing).__init__)
    found = signature.bind_partial(thing, *positional, **named).arguments
    (_, *items) = found.items()
    given: dict[str, Any] = {}
    for name, value in items:
        given |= value if signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD else {name: value}
    return given


def _present(thing: Any, name: str, given: Mapping[str, Any] | None, default: Any) -> Any:
    """The present value of an argument."""
    said = default if given is None else given.get(name, default)
    holder = next((one for one in (thing, getattr(thing, "cell", None)) if hasattr(one, name)), None)
    found = getattr(holder, name, NOT_KEPT)
    if given is None:
        return NOT_KEPT if isinstance(found, Tensor) or inspect.ismethod(found) else found
    if _is_plain(found):
        return said if _same(found, said) else found
    if isinstance(found, (activations.Activation, Named, Cell, nn.Module)):
        return said if _stands_for(said, found, name) else found
    return said


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str))


def _same(value: Any, other: Any) -> bool:
    """Whether both say the same; a tuple and a list may."""
    if isinstance(value, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(value) == len(other) and all(map(_same, value, other))
    if _is_plain(value) and _is_plain(other):
        return isinstance(value, bool) == isinstance(other, bool) and bool(value == other)
    return value is other


def _stands_for(said: Any, found: Any, name: str) -> bool:
    """Whether an argument still says what an attribute holds: `relu` the object of that name."""
    if name == "cell":
        return isinstance(said, str) or said is found
    registry, get = FAMILIES.get(name.rpartition("_")[2], (None, None))
    if registry is None or get is None:
        return said is found
    # A name that a user registered stays, whatever a notebook has registered under it since.
    return (isinstance(said, str) and registry.is_users(said)) or bool(get(said) == found)

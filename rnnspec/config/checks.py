"""What the arguments of configs accept: types for the fields, and the markers in them that the converter reads.

A marker stands in a field's `Annotated` type and wraps the converter's hook for the type below it. So one table of
hooks serves Python calls and plain data alike (`convert.hooks`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Annotated, Any, Literal, NamedTuple

from rnnspec.registry import Registry

__all__ = [
    "Axis",
    "BatchShape",
    "DType",
    "ExpectedError",
    "Fraction",
    "Hook",
    "InboundNodes",
    "LayerName",
    "Limit",
    "NameIn",
    "NonNegativeInt",
    "NonNegativeNumber",
    "OneAxis",
    "OneSize",
    "PositiveInt",
    "PositiveNumber",
    "Rate",
    "Reference",
    "Seed",
    "Shape",
    "Tensors",
    "Weights",
    "Whole",
    "shortest_calls",
    "show",
]

Hook = Callable[[Any, Any], Any]
"""A hook of the converter: takes a value and its type, returns the checked value or raises."""

Check = Callable[[Any], Any]
"""The same for one type: takes a value."""


def show(value: Any) -> str:
    """Writes a value for messages, in YAML's words: `null`, `true`, `'3'`, `a list`."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, (list, tuple)):
        return "a list" if value else "an empty list"
    text = repr(str(value)) if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


class ExpectedError(ValueError):
    """A value is not what its argument takes; `convert.problems_of` adds the argument's name.

    Args:
        expected: What the argument takes, for example `a positive integer`.
        found: The value.
        hint: The likely fix.
    """

    def __init__(self, expected: str, found: Any, hint: str | None = None) -> None:
        super().__init__(expected, found)
        self.expected = expected
        self.found = found
        self.hint = hint


@dataclass(frozen=True)
class Limit:
    """A condition on values, and the words for all of them together.

    Attributes:
        expected: The words, for example `a positive integer`.
        holds: The condition on a value that the type below has accepted.
        schema: The condition in JSON Schema's words, as far as it can say it.
    """

    expected: str
    holds: Callable[[Any], bool] = lambda value: True
    schema: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def wrap(self, check: Check) -> Hook:
        """Returns a hook that words every refusal as `expected`."""

        def limited(value: Any, _: Any) -> Any:
            try:
                checked = check(value)
            except ExpectedError as error:
                raise ExpectedError(self.expected, value) from error
            if not self.holds(checked):
                raise ExpectedError(self.expected, value)
            return checked

        return limited


@dataclass(frozen=True)
class NameIn:
    """A name of a registry; what it names is not imported."""

    registry: Registry

    def wrap(self, check: Check) -> Hook:
        """Returns a hook that refuses unknown names."""

        def named(value: Any, _: Any) -> Any:
            try:
                name = check(value)
            except ExpectedError as error:
                raise ExpectedError(f"the name of an {self.registry.kind} or null", value) from error
            if name is not None:
                self.registry.require(name)
            return name

        return named


@dataclass(frozen=True)
class Whole:
    """A check that needs nothing of the type below.

    Attributes:
        check: Returns the checked value, or raises.
        schema: What it takes, in JSON Schema's words; that of the type below where it is empty.
    """

    check: Check
    schema: Mapping[str, Any] = field(default_factory=dict, compare=False)


def _array(value: Any) -> Any:
    """An array of numbers, kept as it is: NumPy's, or nested lists."""
    if not hasattr(value, "tolist"):
        if not isinstance(value, (list, tuple)):
            raise ExpectedError("a NumPy array or nested lists of numbers", value)
        _size(value)
    return value


def _size(nested: Any) -> tuple[int, ...]:
    """The shape of nested lists of numbers; raises where they are ragged or hold something else."""
    if not isinstance(nested, (list, tuple)):
        if isinstance(nested, bool) or not isinstance(nested, (int, float)):
            raise ExpectedError("a NumPy array or nested lists of numbers", nested)
        return ()
    sizes = {_size(item) for item in nested}
    if len(sizes) > 1:
        raise ExpectedError("an array, with rows of one length", nested)
    return (len(nested), *sizes.pop()) if sizes else (0,)


class Reference(NamedTuple):
    """A tensor of a graph: the name of a layer or an input, which of its calls, and which of the outputs of that."""

    name: str
    node: int = 0
    tensor: int = 0

    def __repr__(self) -> str:
        return repr(tuple(self))


def _references(value: Any) -> Any:
    """Polyaxon's references to other layers, each written as `(name, node index, tensor index)`."""
    if _is_reference(value):
        value = [value]
    if not isinstance(value, (list, tuple)) or not all(map(_is_reference, value)):
        raise ExpectedError("a layer's name, [name, node index, tensor index], or a list of these", value)
    return tuple(Reference(str(item)) if isinstance(item, str) else Reference(*item) for item in value)


def _calls(value: Any) -> Any:
    """What a layer of a graph takes in one call; a list of lists of references: in each of its calls."""
    if isinstance(value, (list, tuple)) and value and not any(map(_is_reference, value)):
        return tuple(_references(call) for call in value)
    return _references(value)


def shortest_calls(calls: Any) -> Any:
    """Writes references as people do: a name where it says all, no list around a single one.

    Args:
        calls: The references of a call, or of several calls, as a config has them.

    Returns:
        Data that are read as the same.
    """
    if calls and isinstance(calls[0][0], (list, tuple)):
        return [[_shortest(item) for item in call] for call in calls]
    short = [_shortest(item) for item in calls]
    return short[0] if len(short) == 1 else short


def _shortest(reference: Any) -> Any:
    name, node, tensor = reference
    return name if (node, tensor) == (0, 0) else [name, node, tensor]


def _axis(value: Any) -> Any:
    """An axis, or several."""
    axes = value if isinstance(value, (list, tuple)) else [value]
    if not axes or any(isinstance(axis, bool) or not isinstance(axis, int) for axis in axes):
        raise ExpectedError("an integer or a list of integers", value)
    return tuple(axes) if axes is value else value


def _alone(value: Any) -> Any:
    """An integer, which Keras may write as a list of its own."""
    found = value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value
    if isinstance(found, bool) or not isinstance(found, Integral):
        raise ExpectedError("an integer or a list of one", value)
    return int(found)


def _positive_alone(value: Any) -> Any:
    expected = "a positive integer or a list of one"
    try:
        found = _alone(value)
    except ExpectedError as error:
        raise ExpectedError(expected, value) from error
    if found < 1:
        raise ExpectedError(expected, value)
    return found


def _is_reference(value: Any) -> bool:
    if isinstance(value, str):
        return True
    return (
        isinstance(value, (list, tuple))
        and len(value) == 3
        and isinstance(value[0], str)
        and all(type(index) is int and index >= 0 for index in value[1:])
    )


NUMBERS = "Numbers"
"""JSON Schema's definition of a number, or nested lists of numbers."""

_REFERENCE = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "array",
            "prefixItems": [{"type": "string"}, *[{"type": "integer", "minimum": 0}] * 2],
            "minItems": 3,
            "maxItems": 3,
        },
    ]
}
_REFERENCES = {"anyOf": [_REFERENCE, {"type": "array", "items": _REFERENCE}]}
_CALLS = {"anyOf": [*_REFERENCES["anyOf"], {"type": "array", "items": {"type": "array", "items": _REFERENCE}}]}
_AXES = {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}, "minItems": 1}]}
_INTEGER, _POSITIVE = {"type": "integer"}, {"type": "integer", "minimum": 1}
_ONE_OF = {"type": "array", "minItems": 1, "maxItems": 1}
_NESTED = {"type": "array", "items": {"$ref": f"#/$defs/{NUMBERS}"}}

PositiveInt = Annotated[int, Limit("a positive integer", lambda value: value > 0, {"minimum": 1})]
NonNegativeInt = Annotated[int, Limit("an integer of 0 or more", lambda value: value >= 0, {"minimum": 0})]
Seed = Annotated[
    int | None,
    Limit(
        "an integer from 0 to 2**63 - 1 or null",
        lambda value: value is None or 0 <= value < 2**63,
        {"minimum": 0, "maximum": 2**63 - 1},
    ),
]
PositiveNumber = Annotated[float, Limit("a positive number", lambda value: value > 0, {"exclusiveMinimum": 0})]
NonNegativeNumber = Annotated[float, Limit("a number of 0 or more", lambda value: value >= 0, {"minimum": 0})]
Rate = Annotated[float, Limit("a number from 0 to 1", lambda value: 0 <= value <= 1, {"minimum": 0, "maximum": 1})]
Fraction = Annotated[
    float,
    Limit("a number from 0 to below 1", lambda value: 0 <= value < 1, {"minimum": 0, "exclusiveMaximum": 1}),
]
Size = Annotated[
    int | None, Limit("a positive integer or null", lambda value: value is None or value > 0, {"minimum": 1})
]
Shape = Annotated[Sequence[Size], Limit("a list of sizes, each a positive integer or null")]
BatchShape = Annotated[
    Sequence[Size],
    Limit(
        "a list of sizes, the batch's first, each a positive integer or null",
        lambda value: len(value) > 0,
        {"minItems": 1},
    ),
]
OneSize = Annotated[int, Whole(_positive_alone, {"anyOf": [_POSITIVE, {**_ONE_OF, "items": _POSITIVE}]})]
OneAxis = Annotated[int, Whole(_alone, {"anyOf": [_INTEGER, {**_ONE_OF, "items": _INTEGER}]})]
Axis = Annotated[int | Sequence[int], Whole(_axis, _AXES)]
LayerName = Annotated[
    str, Limit("a name without dots", lambda value: value != "" and "." not in value, {"pattern": "^[^.]+$"})
]
DType = Literal["float16", "bfloat16", "float32", "float64"]
Weights = Annotated[Sequence[Annotated[Any, Whole(_array, _NESTED)]], Limit("a list of arrays")]
Tensors = Annotated[str | Sequence[Any], Whole(_references, _REFERENCES)]
InboundNodes = Annotated[str | Sequence[Any], Whole(_calls, _CALLS)]

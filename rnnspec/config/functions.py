"""The Lambda layer, as in Keras 2.0.8: a function that a user registered. A config holds its name, never code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Annotated, Any, ClassVar

from attrs import frozen

from rnnspec import shapes
from rnnspec.config.checks import Check, ExpectedError, Hook, NameIn, Whole
from rnnspec.config.layer import LayerConfig
from rnnspec.config.tags import signature_problems
from rnnspec.errors import Problem
from rnnspec.registry import FUNCTIONS, did_you_mean

__all__ = ["LambdaConfig"]


def _function_name(value: Any) -> str:
    """The name of a registered function; anything that looks like code, Keras's bytecode too, is no name."""
    if not isinstance(value, str) or not (value in FUNCTIONS or value.isidentifier()):
        near = did_you_mean(value, FUNCTIONS.names()) if isinstance(value, str) else None
        code = "a config holds no code: write a function, register it with @rnnspec.register.function, give its name"
        raise ExpectedError("the name of a registered function", value, near or code)
    FUNCTIONS.require(value)
    return str(value)


def _output_shape(value: Any) -> Any:
    """A shape without the batch, or the name of a function that gives one."""
    if isinstance(value, str):
        return _function_name(value)
    expected = "a list of sizes, each a positive integer or null, or the name of a registered function"
    if not isinstance(value, (list, tuple)):
        raise ExpectedError(expected, value)
    for size in value:
        if size is not None and (isinstance(size, bool) or not isinstance(size, Integral) or size < 1):
            raise ExpectedError(expected, size)
    return tuple(size if size is None else int(size) for size in value)


@dataclass(frozen=True)
class FunctionIn(NameIn):
    """The name of a registered function."""

    def wrap(self, check: Check) -> Hook:
        """Returns a hook that refuses unknown names and code."""
        return lambda value, _: _function_name(value)


_SIZES = {"type": "array", "items": {"type": ["integer", "null"], "minimum": 1}}
FunctionName = Annotated[str, FunctionIn(FUNCTIONS)]
OutputShape = Annotated[Sequence[int | None] | str, Whole(_output_shape, {"anyOf": [_SIZES, {"type": "string"}]})]


@frozen(slots=False, eq=False, repr=False)
class LambdaConfig(LayerConfig):
    """Applies a function that was registered with `rnnspec.register.function`.

    A mask ends here, unless `mask` says what becomes of it; the function gets the mask if it takes an argument `mask`.

    Args:
        function: Its name. It takes a tensor, and returns one.
        output_shape: Shape of one output without the batch, None where it is free; or the name of a registered function
            from the input's shape to the output's, both with the batch. Found by trying when the layer is built, if it
            is not given; `rnnspec check` then does not know it.
        mask: The name of a registered function of the input and its mask, which returns the mask of the output.
        arguments: Further arguments of the function, by name.
    """

    identifier: ClassVar[str] = "Lambda"

    function: FunctionName
    output_shape: OutputShape | None = None
    mask: FunctionName | None = None
    arguments: Mapping[str, Any] | None = None

    @classmethod
    def relations(cls, values: Mapping[str, Any]) -> list[Problem]:
        """Checks the arguments against the function's signature."""
        if not {"function", "arguments"} <= values.keys():
            return []
        name = values["function"]
        problems = signature_problems(name, FUNCTIONS.find(name), values["arguments"] or {}, filled_in="mask")
        return [problem.under("arguments") for problem in problems]

    def compute_output_shape(self, input_shape: shapes.Shape) -> shapes.Shape | None:
        """What `output_shape` says."""
        if self.output_shape is None:
            return None
        shape = FUNCTIONS.find(self.output_shape) if isinstance(self.output_shape, str) else self.output_shape
        return shapes.stated(input_shape, shape)

    def output_mask(self, mask: bool | None) -> bool | None:
        """None leaves without `mask`; else the function decides."""
        return None if self.mask else False

"""The Lambda layer, as in Keras 2.0.8: a function of a tensor as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rnnspec import shapes
from rnnspec.errors import ConfigError, Error, Problem, ShapeError
from rnnspec.nn.base import Layer
from rnnspec.nn.named import name_of
from rnnspec.registry import FUNCTIONS
from rnnspec.shapes import Shape, format_shape

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnspec.nn.base import LayerArguments

__all__ = ["Lambda"]

Function = Callable[..., Any]

# What stands for a free size when a function is tried: a size that differs between the two trials follows from it.
TRIALS = (61, 83)


class Lambda(Layer):
    """A function as a layer.

    A mask ends here, unless `mask` says what becomes of it. The function gets the mask if it takes an argument `mask`.

    Args:
        function: Takes a tensor, and returns one; or the name of a registered function.
        output_shape: Shape of one output without the batch, None where it is free; or a function (or its name) from
            the input's shape to the output's, both with the batch. By default the function is tried on the meta device.
        mask: A function (or its name) of the input and its mask, which returns the mask of the output.
        arguments: Further arguments of the function, by name.
        **layer: See `Layer`.

    Raises:
        ConfigError: If one of these is of the wrong kind, or no function has that name.
    """

    def __init__(
        self,
        function: Function | str,
        output_shape: Sequence[int | None] | Function | str | None = None,
        mask: Function | str | None = None,
        arguments: Mapping[str, Any] | None = None,
        **layer: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**layer)
        if arguments is not None and not isinstance(arguments, Mapping):
            raise ConfigError(f"arguments must be a mapping of arguments, found {arguments!r}")
        self.function = _function("function", function)
        self.output_shape: Sequence[int | None] | Function | None = None
        if isinstance(output_shape, (list, tuple)):
            self.output_shape = tuple(output_shape)
        elif output_shape is not None:
            self.output_shape = _function("output_shape", output_shape)
        self.mask = None if mask is None else _function("mask", mask)
        self.arguments = dict(arguments or {})
        self._takes_mask = _takes_mask(self.function)
        self.build_declared()

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """What `output_shape` says, else what the function makes of two tensors without numbers.

        Args:
            input_shape: With the batch, None where free.

        Returns:
            The output's shape with the batch; a size is None if it follows from a free one.

        Raises:
            ShapeError: If the function fails on a tensor of this shape on the meta device.
        """
        if self.output_shape is not None:
            return shapes.stated(input_shape, self.output_shape)
        first, second = (self._try(input_shape, free) for free in TRIALS)
        return tuple(size if size == other else None for size, other in zip(first, second, strict=True))

    @torch.no_grad()
    def _try(self, input_shape: Shape, free: int) -> tuple[int, ...]:
        """The output's shape for an input whose free sizes are `free`."""
        shape = [free if size is None else size for size in input_shape]
        try:
            output = self.forward(torch.empty(shape, device="meta", dtype=self._dtype))
        except Error:
            raise
        except Exception as error:
            message = f"{self.label}: {name_of(self.function)} failed on an input of shape {format_shape(input_shape)}"
            hint = "give output_shape if it works on numbers: only its shape was asked for, on the meta device"
            raise ShapeError(Problem(f"{message}: {error}", hint=hint)) from error
        return tuple(output.shape)

    def compute_mask(self, x: Any, mask: Tensor | None) -> Tensor | None:
        """What the function `mask` returns; None without one."""
        if self.mask is None:
            return None
        found: Tensor | None = self.mask(x, mask)
        return found

    def forward(self, x: Any, mask: Tensor | None = None) -> Tensor:
        """Calls the function.

        Args:
            x: What it takes: a tensor.
            mask: `(batch, time)`; for a function that takes an argument `mask`.

        Returns:
            What it returned.

        Raises:
            ConfigError: If that is no tensor.
        """
        arguments = {**self.arguments, "mask": mask} if self._takes_mask else self.arguments
        output = self.function(x, **arguments)
        if not isinstance(output, Tensor):
            found = type(output).__name__
            raise ConfigError(f"{self.label}: {name_of(self.function)} must return a tensor, found {found}")
        return output

    def extra_repr(self) -> str:
        """The function's name, and its further arguments."""
        return ", ".join([name_of(self.function), *(f"{name}={value!r}" for name, value in self.arguments.items())])


def _function(argument: str, value: Any) -> Function:
    found = FUNCTIONS.find(value) if isinstance(value, str) else value
    if not callable(found):
        shape = "a shape, " if argument == "output_shape" else ""
        raise ConfigError(f"{argument} must be {shape}a function or the name of a registered one, found {value!r}")
    function: Function = found
    return function


def _takes_mask(function: Function) -> bool:
    """Whether a function has an argument `mask`; one of C, such as `torch.abs`, does not tell."""
    try:
        return "mask" in inspect.signature(function).parameters
    except ValueError:
        return False

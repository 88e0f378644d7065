"""The table of torch's transforms: a row is a test that every recurrent layer passes, and what torch.nn.LSTM does."""

from __future__ import annotations

import functools
import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from rnnspec import nn

FEATURES, UNITS = 2, 3
TORCH = "torch.nn.LSTM"
COMPILER = os.environ.get("CXX", "g++")
needs_a_compiler = pytest.mark.skipif(
    shutil.which(COMPILER) is None, reason=f"Inductor needs a C++ compiler, and there is no {COMPILER}: set CXX"
)
KINDS: dict[str, Callable[..., Any]] = {"LSTM": nn.LSTM, "GRU": nn.GRU, "SimpleRNN": nn.SimpleRNN}


@dataclass(frozen=True)
class Failure:
    """How torch.nn.LSTM fails in a row.

    Attributes:
        error: The class of the error; AssertionError where it raises none and the result is wrong.
        message: A part of its message.
        words: The same in words, as docs/torch.md says it.
    """

    error: type[Exception]
    message: str
    words: str


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        transform: What docs/torch.md calls it.
        test: The test's file and name.
        torch_lstm: How torch.nn.LSTM fails; None where it passes too.
    """

    transform: str
    test: str
    torch_lstm: Failure | None = None


ROWS: list[Row] = []


def row(
    transform: str, torch_lstm: Failure | None = None, *marks: Any, kinds: Sequence[str] = tuple(KINDS)
) -> Callable[[Callable[..., None]], Any]:
    """Makes a test of a check: it takes a `Subject`, and maybe fixtures; every layer passes it, torch.nn.LSTM as said.

    Args:
        transform: The row's first column.
        torch_lstm: How torch.nn.LSTM fails.
        *marks: Marks of the test.
        kinds: What passes it beside torch.nn.LSTM.
    """

    def test_of(check: Callable[..., None]) -> Any:
        @functools.wraps(check)
        def test(subject: Subject, **fixtures: Any) -> None:
            if subject.ours or torch_lstm is None:
                check(subject, **fixtures)
                return
            with pytest.raises(torch_lstm.error, match=re.escape(torch_lstm.message)):
                check(subject, **fixtures)

        name = f"{check.__module__}.py::{check.__name__}"
        ROWS.append(Row(transform, name, torch_lstm))
        for mark in marks:
            test = mark(test)
        return pytest.mark.parametrize("subject", [*kinds, TORCH], indirect=True)(test)

    return test_of


class Subject:
    """A layer in training mode with everything that its kind has, and calls that can be repeated.

    Ours have dropout, recurrent dropout and a mask; torch's has neither, so it is asked for less. Ours are held to
    float64; torch's runs in float32, where its own kernel takes over, unless a row needs more.

    Args:
        kind: A key of `KINDS`, or torch.nn.LSTM.
        dtype: Dtype of the weights and of the data.
    """

    def __init__(self, kind: str, dtype: torch.dtype | None = None) -> None:
        self.ours = kind != TORCH
        self.kind, self.dtype = kind, dtype or (torch.float64 if self.ours else torch.float32)
        self.recurrent = "recurrent_kernel" if self.ours else "weight_hh_l0"
        self.module = self.make()

    def double(self) -> Subject:
        """The same in float64."""
        return Subject(self.kind, torch.float64)

    def make(self) -> Any:
        """Another layer of the kind, with weights of its own."""
        if not self.ours:
            return torch.nn.LSTM(FEATURES, UNITS, batch_first=True, dtype=self.dtype)
        rates = {"dropout": 0.3, "recurrent_dropout": 0.3}
        return KINDS[self.kind](UNITS, input_size=FEATURES, return_sequences=True, dtype=self.dtype, **rates)

    def data(self, rows: int = 4, time: int = 5) -> tuple[Tensor, ...]:
        """An input and initial states, all of them differentiable."""
        states = 2 if self.kind in ("LSTM", TORCH) else 1
        shapes = [(rows, time, FEATURES), *[(rows, UNITS)] * states]
        return tuple(torch.randn(shape, dtype=self.dtype, requires_grad=True) for shape in shapes)

    def arguments(self, x: Tensor, *states: Tensor) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What the module is called with: the mask leaves out the first step of each row and its last but one."""
        if not self.ours:
            return (x, tuple(state.unsqueeze(0) for state in states)), {}
        steps = torch.arange(x.shape[-2], device=x.device)
        mask = ((steps != 0) & (steps != x.shape[-2] - 2)).expand(x.shape[:-1])
        return (x,), {"initial_state": list(states), "mask": mask}

    def __call__(self, x: Tensor, *states: Tensor, module: Any = None, weights: Any = None, seed: int = 1) -> Tensor:
        """Calls a module of the kind.

        Args:
            x: Input, `(batch, time, features)`.
            *states: Initial states.
            module: The module; the subject's own by default.
            weights: Weights for it, by name; its own by default.
            seed: What torch's generator is set to before, so that the same dropout masks are drawn; None sets nothing.

        Returns:
            The outputs, `(batch, time, units)`.
        """
        module = self.module if module is None else module
        arguments, options = self.arguments(x, *states)
        torch.manual_seed(seed)
        if weights is None:
            output = module(*arguments, **options)
        else:
            output = torch.func.functional_call(module, weights, arguments, options)
        return output if self.ours else output[0]


def weighted_sum(output: Tensor) -> Tensor:
    """A scalar in which every entry of an output has a weight of its own."""
    weights = torch.linspace(0.5, 1.5, output.numel(), dtype=output.dtype, device=output.device)
    return (output * weights.view(output.shape)).sum()


def gradients(output: Tensor, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Gradients of the weighted sum of an output, the output first."""
    return [output, *torch.autograd.grad(weighted_sum(output), list(inputs))]

"""The suite's own guards can fail: each is set off on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

FLOAT32 = torch.ones(2)
FLOAT64 = torch.ones(2, dtype=torch.float64)


def call_as(module: str, function: Callable[..., Any], *operands: Tensor) -> Any:
    """Calls a function from a frame that looks like code of that module."""
    return eval("function(*operands)", {"__name__": module, "function": function, "operands": operands})


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: torch.empty(3), id="empty"),
        pytest.param(lambda: torch.empty_like(FLOAT64), id="empty_like"),
        pytest.param(lambda: FLOAT32.new_empty(3), id="new_empty"),
        pytest.param(lambda: torch.ones(1).resize_(3)[1:], id="resize_"),
    ],
)
def test_uninitialised_memory_is_nan(make: Callable[[], Tensor]) -> None:
    assert make().isnan().all()


def test_uninitialised_integers_are_the_largest() -> None:
    assert torch.empty(2, dtype=torch.int64).tolist() == [2**63 - 1] * 2


@pytest.mark.parametrize("order", [1, -1])
def test_rnnspec_may_not_mix_two_floating_dtypes(order: int) -> None:
    with pytest.raises(AssertionError, match=r"^add mixes torch.float(32|64) with torch.float(64|32)$"):
        call_as("rnnspec.nn.base", torch.add, *(FLOAT32, FLOAT64)[::order])


@pytest.mark.parametrize(
    ("module", "function", "operands"),
    [
        pytest.param("tests", torch.add, (FLOAT32, FLOAT64), id="outside rnnspec"),
        pytest.param("rnnspec.nn.base", torch.add, (FLOAT32, torch.tensor(1.0, dtype=torch.float64)), id="scalar"),
        pytest.param("rnnspec.nn.base", torch.mul, (FLOAT32, torch.ones(2, dtype=torch.bool)), id="mask"),
        pytest.param("rnnspec.nn.base", Tensor.to, (FLOAT32, FLOAT64), id="conversion"),
    ],
)
def test_what_the_guard_lets_pass(module: str, function: Callable[..., Any], operands: tuple[Tensor, ...]) -> None:
    assert call_as(module, function, *operands).shape == (2,)


def test_autocast_keeps_its_own_rules() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert call_as("rnnspec.nn.base", torch.add, FLOAT32, FLOAT64).dtype == torch.float64


@pytest.mark.compiled
def test_the_marker_compiled_lifts_the_guard() -> None:
    assert call_as("rnnspec.nn.base", torch.add, FLOAT32, FLOAT64).dtype == torch.float64


@pytest.mark.parametrize("time", ["first", "second"])
def test_every_test_draws_the_same_numbers(time: str) -> None:
    assert torch.rand(1).item() == pytest.approx(0.4962566, abs=1e-6)

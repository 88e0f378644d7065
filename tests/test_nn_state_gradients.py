"""Gradients at the states of every step against a loop written by hand, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from recording_cases import CELLS, make, step
from torch import Tensor

from rnnspec import nn
from rnnspec.engines.cells import Cell
from rnnspec.errors import ShapeError
from rnnspec.nn.state_gradients import state_gradients

BATCH, TIME = 3, 5
MASK = torch.tensor([[1, 1, 0, 1, 1], [0, 1, 1, 1, 0], [1, 0, 0, 0, 0]]) == 1


def by_hand(
    cell: str, layer: Any, x: Tensor, loss: Callable[[Tensor], Tensor], mask: Tensor | None
) -> dict[str, Tensor]:
    """Runs each row in a loop, and asks torch for the gradient at each state; `loss` sees the rows' outputs stacked."""
    names, count = layer.cell.states, len(layer.cell.gates)
    kernels, recurrent = layer.kernel.chunk(count, 1), layer.recurrent_kernel.chunk(count, 1)
    bias = torch.zeros(2, 3 * count, dtype=x.dtype)
    bias[: layer.bias.dim()] = layer.bias.detach()
    biases, recurrent_biases = (part.chunk(count) for part in bias)
    seen: dict[tuple[int, int], list[Tensor]] = {}
    rows = []
    for b in range(len(x)):
        now = [torch.zeros(3, dtype=x.dtype) for _ in names]
        outputs = []
        for t in reversed(range(TIME)) if layer.go_backwards else range(TIME):
            if mask is None or mask[b, t]:
                projected = [x[b, t] @ kernels[k] + biases[k] for k in range(count)]
                _, now = step(cell, projected, now, lambda v, k: v @ recurrent[k] + recurrent_biases[k])
                seen[b, t] = now
            outputs.append(now[0])
        rows.append(torch.stack(outputs))
    states = [state for found in seen.values() for state in found]
    found = torch.autograd.grad(loss(torch.stack(rows)), states, allow_unused=True, materialize_grads=True)
    want = {name: torch.full((len(x), TIME, 3), torch.nan, dtype=x.dtype) for name in names}
    for number, (b, t) in enumerate(seen):
        for index, name in enumerate(names):
            want[name][b, t] = found[number * len(names) + index]
    return want


@pytest.mark.parametrize("masked", [False, True], ids=["no mask", "mask"])
@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize("cell", CELLS)
def test_the_gradients_equal_those_of_a_loop_by_hand(cell: str, backwards: bool, masked: bool) -> None:
    layer = make(cell, go_backwards=backwards, return_sequences=True)
    x, mask = torch.randn(BATCH, TIME, 2, dtype=torch.float64), MASK if masked else None

    for loss in (None, lambda output: output.square().mean()):
        gradients, kept = state_gradients(layer, x, loss, mask=mask)

        want = by_hand(cell, layer, x, loss or (lambda output: output[:, -1].sum()), mask)
        torch.testing.assert_close(gradients, want, rtol=1e-11, atol=1e-14, equal_nan=True)
        assert kept is mask


@pytest.mark.parametrize("cell", ["SimpleRNN", "LSTM", "GRU"])
def test_the_default_loss_is_the_last_output_in_either_form(cell: str) -> None:
    layer = make(cell)
    whole = make(cell, return_sequences=True, weights=layer.get_weights())
    x = torch.randn(BATCH, TIME, 2, dtype=torch.float64)

    torch.testing.assert_close(state_gradients(layer, x), state_gradients(whole, x))


def test_a_frozen_layer_has_gradients_too_and_gets_none_itself() -> None:
    layer = make("LSTM", trainable=False)
    x = torch.randn(BATCH, TIME, 2, dtype=torch.float64)

    with torch.no_grad():
        gradients, _ = state_gradients(layer, x)

    assert gradients["c"].abs().sum() > 0
    assert layer.kernel.grad is None
    assert layer.recorders == ()


def test_a_state_that_the_loss_does_not_reach_has_a_gradient_of_zero() -> None:
    gradients, _ = state_gradients(
        make("GRU", return_sequences=True),
        torch.randn(BATCH, TIME, 2, dtype=torch.float64),
        lambda output: output[:, 1].sum(),
    )

    assert not gradients["h"][:, 2:].any()
    assert gradients["h"][:, :2].any(dim=-1).all()


def test_a_state_that_nothing_reads_has_a_gradient_of_zero() -> None:
    class Counting(Cell):
        gates = ("h",)
        states = ("h", "count")

        def step(self, x: Any, states: Any, recur: Any, **weights: Any) -> Any:
            return torch.tanh(x[0] + recur(states[0], "h")), states[1] + 1

    gradients, _ = state_gradients(nn.RNN(Counting(), 3, input_size=2), torch.randn(BATCH, TIME, 2))

    assert torch.equal(gradients["count"], torch.zeros(BATCH, TIME, 3))


def test_without_timesteps_there_are_no_gradients() -> None:
    gradients, _ = state_gradients(make("LSTM"), torch.zeros(BATCH, 0, 2, dtype=torch.float64))

    assert {name: gradient.shape for name, gradient in gradients.items()} == {"h": (BATCH, 0, 3), "c": (BATCH, 0, 3)}


@pytest.mark.parametrize(
    ("loss", "found"),
    [(lambda output: output.sum(0), "shape (3,)"), (lambda output: 3.0, "float")],
    ids=["not a scalar", "not a tensor"],
)
def test_a_loss_that_is_no_scalar_is_refused(loss: Any, found: str) -> None:
    with pytest.raises(ShapeError) as caught:
        state_gradients(make("GRU"), torch.zeros(BATCH, TIME, 2, dtype=torch.float64), loss)
    assert str(caught.value) == f"the loss must give a scalar tensor, found {found}"

"""The step loop: masks, direction, dropout masks inside the products, dtypes, edges."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from rnnspec import nn, use_engine
from rnnspec.engines import cells
from rnnspec.engines.cells import Cell
from rnnspec.engines.request import Tensors
from rnnspec.engines.steps.sequence import RecurrentProduct, project
from rnnspec.errors import StateError

KINDS = [nn.SimpleRNN, nn.LSTM, nn.GRU]


@pytest.fixture
def tensors() -> Tensors:
    """Two gates of two units over two features, in numbers that can be multiplied by hand."""
    return Tensors(
        x=torch.tensor([[[1.0, 2.0]]]),
        states=(torch.tensor([[1.0, 3.0]]),),
        kernel=torch.tensor([[1.0, 0.0, 2.0, 0.0], [0.0, 1.0, 0.0, 2.0]]),
        recurrent_kernel=torch.tensor([[1.0, 0.0, 10.0, 0.0], [0.0, 1.0, 0.0, 10.0]]),
        bias=torch.tensor([[0.5, 0.5, 0.5, 0.5], [0.25, 0.25, 0.25, 0.25]]),
    )


def altered(tensors: Tensors, **changes: Any) -> Tensors:
    return Tensors(**{**vars(tensors), **changes})


@pytest.mark.parametrize(
    ("masks", "want"),
    [
        pytest.param(None, [1.5, 2.5, 2.5, 4.5], id="none"),
        pytest.param(([[2.0, 0.0]],), [2.5, 0.5, 4.5, 0.5], id="shared"),
        pytest.param(([[2.0, 0.0]], [[0.0, 2.0]]), [2.5, 0.5, 0.5, 8.5], id="one-a-gate"),
    ],
)
def test_the_projection_drops_the_input_before_the_product_and_never_the_bias(
    tensors: Tensors, masks: Any, want: list[float]
) -> None:
    given = None if masks is None else torch.tensor(masks)
    assert project(altered(tensors, input_masks=given), 2).flatten().tolist() == want


@pytest.mark.parametrize(
    ("masks", "want"),
    [
        pytest.param(None, [1.25, 3.25, 10.25, 30.25], id="none"),
        pytest.param(([[2.0, 0.0]],), [2.25, 0.25, 20.25, 0.25], id="shared"),
        pytest.param(([[2.0, 0.0]], [[0.0, 2.0]]), [2.25, 0.25, 0.25, 60.25], id="one-a-gate"),
    ],
)
def test_the_recurrent_product_is_the_same_for_all_gates_and_for_each_alone(
    tensors: Tensors, masks: Any, want: list[float]
) -> None:
    given = None if masks is None else torch.tensor(masks)
    recur = RecurrentProduct(altered(tensors, recurrent_masks=given), ("a", "b"))
    (h,) = tensors.states

    assert torch.cat(recur(h), dim=1).flatten().tolist() == want
    assert torch.cat(recur(h, "a", "b"), dim=1).flatten().tolist() == want
    assert torch.cat(recur(h, "b", "a"), dim=1).flatten().tolist() == want[2:] + want[:2]
    assert torch.cat([recur(h, "a"), recur(h, "b")], dim=1).flatten().tolist() == want


def test_a_bias_of_one_row_belongs_to_the_projection_alone(tensors: Tensors) -> None:
    one_row = altered(tensors, bias=torch.tensor([0.5, 0.5, 0.5, 0.5]))
    assert project(one_row, 2).flatten().tolist() == [1.5, 2.5, 2.5, 4.5]
    assert torch.cat(RecurrentProduct(one_row, ("a", "b"))(one_row.states[0]), dim=1).flatten().tolist() == [
        1,
        3,
        10,
        30,
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_at_a_masked_step_never_matters(kind: Any) -> None:
    """Not even a NaN reaches the output or a gradient."""
    layer = kind(3, input_size=2, return_sequences=True)
    mask = torch.tensor([[True, False, True], [False, True, False]])
    clean = torch.randn(2, 3, 2)
    dirty = clean.masked_fill(~mask.unsqueeze(-1), torch.nan).requires_grad_()

    y = layer(dirty, mask=mask)
    y.sum().backward()

    torch.testing.assert_close(y, layer(clean, mask=mask))
    assert (dirty.grad[~mask] == 0).all()
    assert (dirty.grad[mask] != 0).any()
    assert torch.isfinite(layer.kernel.grad).all()


@pytest.mark.parametrize(
    ("options", "first"),
    [
        pytest.param({}, 0.5, id="state"),
        pytest.param({"masked_start": "zeros"}, 0.0, id="zeros"),
        pytest.param({"unroll": True}, 0.0, id="unrolled"),
    ],
)
@pytest.mark.parametrize("go_backwards", [False, True])
def test_masked_steps_before_the_first_valid_one_emit_the_initial_state_or_zeros(
    options: Any, first: float, go_backwards: bool
) -> None:
    layer = nn.GRU(2, input_size=1, return_sequences=True, return_state=True, go_backwards=go_backwards, **options)
    mask = torch.tensor([[False, True, False, False]])
    mask = mask.flip(1) if go_backwards else mask
    initial = torch.full((1, 2), 0.5)

    y, h = layer(torch.ones(1, 4, 1), mask=mask, initial_state=initial)

    assert (y[0, 0] == first).all()
    assert (y[0, 1] != first).all()
    assert (y[0, 2:] == y[0, 1]).all()
    torch.testing.assert_close(h, y[:, 3])


@pytest.mark.parametrize("masked_start", ["state", "zeros"])
def test_a_row_without_a_valid_step_keeps_its_states(masked_start: Any) -> None:
    layer = nn.LSTM(2, input_size=1, return_state=True, masked_start=masked_start)
    initial = [torch.full((1, 2), 0.5), torch.full((1, 2), -0.5)]

    y, h, c = layer(torch.ones(1, 3, 1), mask=torch.zeros(1, 3), initial_state=initial)

    assert (y == (0.5 if masked_start == "state" else 0.0)).all()
    assert (h == 0.5).all()
    assert (c == -0.5).all()


@pytest.mark.parametrize("masked_start", ["state", "zeros"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_timesteps_give_an_empty_sequence_and_the_initial_states(kind: Any, masked_start: Any) -> None:
    options = {"input_size": 2, "masked_start": masked_start}
    layer = kind(3, return_sequences=True, return_state=True, **options)
    initial = [torch.randn(4, 3) for _ in layer.cell.states]
    x = torch.zeros(4, 0, 2)

    y, *states = layer(x, initial_state=initial)
    last = kind(3, **options)(x, initial_state=initial)

    assert y.shape == (4, 0, 3)
    assert all(torch.equal(state, want) for state, want in zip(states, initial, strict=True))
    assert torch.equal(last, initial[0])


@pytest.mark.parametrize("kind", KINDS)
def test_no_rows_and_one_step_work(kind: Any) -> None:
    layer = kind(3, input_size=2, return_sequences=True)
    assert layer(torch.zeros(0, 5, 2)).shape == (0, 5, 3)
    assert layer(torch.zeros(4, 1, 2)).shape == (4, 1, 3)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kind", KINDS)
def test_autocast_keeps_states_in_float32(kind: Any, dtype: torch.dtype) -> None:
    layer = kind(8, input_size=4, return_sequences=True, return_state=True, dropout=0.2, recurrent_dropout=0.2)
    layer.eval()
    x = torch.randn(2, 5, 4)

    with torch.autocast("cpu", dtype=dtype), use_engine("steps"):
        low, *states = layer(x)

    assert all(tensor.dtype == torch.float32 for tensor in (low, *states))
    full, *_ = layer(x)
    assert 0 < (low - full).abs().max() < 0.05


def test_a_layer_of_low_precision_stays_in_it() -> None:
    layer = nn.LSTM(3, input_size=2, return_state=True).to(torch.bfloat16)
    assert {tensor.dtype for tensor in layer(torch.zeros(1, 2, 2, dtype=torch.bfloat16))} == {torch.bfloat16}


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_never_reads_a_value_from_the_device(kind: Any) -> None:
    """Tensors of the meta device have no values, so a read would fail."""
    layer = kind(3, input_size=2, stateful=True, dropout=0.5, recurrent_dropout=0.5, return_state=True, device="meta")
    x, mask = torch.empty(4, 5, 2, device="meta"), torch.ones(4, 5, device="meta")
    for _ in range(2):
        y, *_ = layer(x, mask=mask)
    assert y.shape == (4, 3)


def test_a_strided_input_gives_the_same() -> None:
    layer = nn.LSTM(3, input_size=2)
    x = torch.randn(2, 5, 4).transpose(0, 2)[..., :2]
    assert not x.is_contiguous()
    torch.testing.assert_close(layer(x), layer(x.contiguous()))


def test_a_step_that_returns_too_few_states_is_an_error() -> None:
    class Forgetful(Cell):
        gates = ("h",)
        states = ("h", "c")

        def step(self, x: Any, states: Any, recur: Any, **weights: Any) -> Any:
            return (x[0],)

    with pytest.raises(StateError) as error:
        nn.RNN(Forgetful(), 3, input_size=2)(torch.zeros(1, 1, 2))
    assert str(error.value) == "Forgetful.step must return a tuple of 2 states, it returned 1"


def test_a_step_that_returns_a_tensor_is_an_error() -> None:
    class Bare(Cell):
        gates = ("h",)

        def step(self, x: Any, states: Any, recur: Any, **weights: Any) -> Any:
            return x[0]

    with pytest.raises(StateError) as error:
        nn.RNN(Bare(), 3, input_size=2)(torch.zeros(1, 1, 2))
    assert str(error.value) == "Bare.step must return a tuple of 1 state, it returned a Tensor"


def test_a_gate_that_there_is_none_of_is_an_error() -> None:
    class Astray(Cell):
        gates = ("z", "h")

        def step(self, x: Any, states: Any, recur: Any, **weights: Any) -> Any:
            return (recur(states[0], "g"),)

    with pytest.raises(StateError) as error:
        nn.RNN(Astray(), 3, input_size=2)(torch.zeros(1, 1, 2))
    assert str(error.value) == "there is no gate 'g', the cell's gates are z, h"


def test_the_loop_calls_the_cell_once_a_step_in_the_right_direction() -> None:
    seen: list[float] = []

    class Spy(cells.Cell):
        gates = ("h",)

        def step(self, x: Any, states: Any, recur: Any, **weights: Any) -> Any:
            seen.append(float(x[0].detach()))
            return (x[0],)

    x = torch.tensor([[[1.0], [2.0], [3.0]]])
    for go_backwards in (False, True):
        nn.RNN(Spy(), 1, kernel_initializer="ones", input_size=1, go_backwards=go_backwards)(x)
    assert seen == [1, 2, 3, 3, 2, 1]

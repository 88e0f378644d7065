"""Initial states and carried states: what wins, what is refused, and that an error changes nothing."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch

from rnnspec import nn
from rnnspec.errors import DTypeError, StateError

X = torch.randn(4, 5, 2, generator=torch.Generator().manual_seed(1))


def lstm(**options: Any) -> nn.LSTM:
    return nn.LSTM(3, **{"input_size": 2, **options})


def state(value: float) -> torch.Tensor:
    return torch.full((4, 3), value)


def values(layer: nn.LSTM) -> list[float]:
    """The carried states of a layer, each of one value."""
    return [found.unique().item() for found in layer.states]


@pytest.fixture
def stateful() -> nn.LSTM:
    return lstm(stateful=True, batch_size=4)


# Initial states


def test_an_initial_state_can_be_given_in_three_ways() -> None:
    layer = lstm()
    h, c = state(0.1), state(0.2)
    by_name = layer(X, initial_state=[h, c])
    assert torch.equal(layer(X, initial_state=(h, c)), by_name)
    assert torch.equal(layer([X, h, c]), by_name)
    assert torch.equal(layer([X, h, c], initial_state=[c, h]), by_name)
    assert torch.equal(layer([X], initial_state=[h, c]), by_name)
    assert not torch.equal(layer(X), by_name)
    gru = nn.GRU(3, input_size=2)
    assert torch.equal(gru(X, initial_state=h), gru(X, initial_state=[h]))


def test_an_initial_state_gets_a_gradient() -> None:
    h = state(0.1).requires_grad_()
    lstm()(X, initial_state=[h, state(0.0)]).sum().backward()
    assert h.grad is not None
    assert (h.grad != 0).all()


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        pytest.param([state(0.0)], StateError, "LSTM has 2 states (h, c), initial_state has 1", id="count"),
        pytest.param(state(0.0), StateError, "LSTM has 2 states (h, c), initial_state has 1", id="one-tensor"),
        pytest.param(
            [state(0.0), torch.zeros(4, 2)], StateError,
            "LSTM: the state 'c' in initial_state has shape (4, 2), expected (4, 3)", id="width",
        ),
        pytest.param(
            [torch.zeros(3, 3), state(0.0)], StateError,
            "LSTM: the state 'h' in initial_state has shape (3, 3), expected (4, 3)", id="batch",
        ),
        pytest.param(
            [state(0.0), state(0.0).double()], DTypeError,
            "LSTM: the state 'c' in initial_state has dtype torch.float64, the weights have torch.float32", id="dtype",
        ),
    ],
)  # fmt: skip
def test_an_initial_state_that_does_not_fit_is_an_error(given: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind) as error:
        lstm()(X, initial_state=given)
    assert str(error.value) == message


# Carried states


def test_a_stateful_layer_goes_on_where_the_call_before_ended(stateful: nn.LSTM) -> None:
    stateful.return_sequences = True
    whole = lstm(return_sequences=True, weights=stateful.get_weights())(X)
    chunks = [stateful(X[:, :2]), stateful(X[:, 2:3]), stateful(X[:, 3:])]
    torch.testing.assert_close(torch.cat(chunks, dim=1), whole)


def test_no_gradient_flows_from_call_to_call(stateful: nn.LSTM) -> None:
    first = X.clone().requires_grad_()
    stateful(first)
    assert not any(carried.requires_grad for carried in stateful.states)
    stateful(X).sum().backward()
    assert first.grad is None


def test_a_given_initial_state_wins_over_the_carried_one_and_the_final_states_are_kept(stateful: nn.LSTM) -> None:
    plain = lstm(weights=stateful.get_weights(), return_state=True)
    stateful(X)
    given = [state(0.3), state(0.4)]
    y, h, c = plain(X, initial_state=given)
    assert torch.equal(stateful(X, initial_state=given), y)
    assert torch.equal(stateful.states[0], h)
    assert torch.equal(stateful.states[1], c)


def test_states_are_kept_in_evaluation_and_under_inference_mode_too(stateful: nn.LSTM) -> None:
    stateful.eval()
    with torch.inference_mode():
        stateful(X)
        stateful(X)
    assert stateful.states[0].abs().min() > 0
    stateful.train()
    stateful(X).sum().backward()
    assert torch.isfinite(stateful.recurrent_kernel.grad).all()


def test_two_calls_before_one_backward_work(stateful: nn.LSTM) -> None:
    (stateful(X).sum() + stateful(X).sum()).backward()
    assert stateful.recurrent_kernel.grad.abs().sum() > 0


def test_a_layer_that_is_not_stateful_carries_nothing() -> None:
    layer = lstm()
    first = layer(X)
    assert torch.equal(layer(X), first)
    assert layer.states == [None, None]


def test_states_are_none_until_the_batch_size_is_known_then_zeros() -> None:
    layer = lstm(stateful=True)
    assert layer.states == [None, None]
    layer(X)
    assert [found.shape for found in layer.states] == [(4, 3), (4, 3)]
    assert values(lstm(stateful=True, batch_size=4)) == [0.0, 0.0]
    declared = nn.LSTM(3, stateful=True, batch_input_shape=(4, 5, 2))
    assert values(declared) == [0.0, 0.0]


def test_carried_states_move_with_the_layer_and_stay_out_of_its_state_dict(stateful: nn.LSTM) -> None:
    stateful(X)
    assert list(stateful.state_dict()) == ["kernel", "recurrent_kernel", "bias"]
    assert stateful.double().states[0].dtype == torch.float64
    twin = copy.deepcopy(stateful)
    twin.reset_states()
    assert stateful.states[0].abs().max() > 0


def test_reset_parameters_forgets_the_states(stateful: nn.LSTM) -> None:
    stateful(X)
    stateful.reset_parameters()
    assert values(stateful) == [0.0, 0.0]


def test_another_batch_size_is_an_error_that_names_both(stateful: nn.LSTM) -> None:
    want = "LSTM is stateful with a batch size of 4, the input has 2 rows; reset_states(batch_size=2) sets a new size"
    for initial in (None, [torch.zeros(2, 3)] * 2):
        with pytest.raises(StateError) as error:
            stateful(X[:2], initial_state=initial)
        assert str(error.value) == want
    stateful.reset_states(batch_size=2)
    assert stateful(X[:2]).shape == (2, 3)
    with pytest.raises(StateError):
        stateful(X)


# reset_states


def test_reset_states_sets_zeros_or_given_values(stateful: nn.LSTM) -> None:
    stateful.reset_states([state(0.5), state(0.25)])
    assert values(stateful) == [0.5, 0.25]
    stateful.reset_states((np.full((4, 3), 1.0), np.full((4, 3), 2.0)))
    assert values(stateful) == [1.0, 2.0]
    assert stateful.states[0].dtype == torch.float32
    stateful.reset_states()
    assert values(stateful) == [0.0, 0.0]
    gru = nn.GRU(3, input_size=2, stateful=True, batch_size=4)
    gru.reset_states(state(0.5))
    assert gru.states[0].unique().tolist() == [0.5]


def test_given_values_are_copied(stateful: nn.LSTM) -> None:
    given = [state(0.5), state(0.25)]
    stateful.reset_states(given)
    given[0].zero_()
    assert values(stateful) == [0.5, 0.25]


def test_reset_states_can_set_some_rows_alone(stateful: nn.LSTM) -> None:
    rows = torch.tensor([True, False, False, True])
    stateful.reset_states([state(1.0), state(2.0)])
    stateful.reset_states(rows=rows)
    assert stateful.states[0][:, 0].tolist() == [0, 1, 1, 0]
    assert stateful.states[1][:, 0].tolist() == [0, 2, 2, 0]
    stateful.reset_states([state(5.0), state(6.0)], rows=~rows)
    assert stateful.states[0][:, 0].tolist() == [0, 5, 5, 0]
    assert stateful.states[1][:, 0].tolist() == [0, 6, 6, 0]


def test_reset_states_works_before_the_layer_is_built_once_the_batch_size_is_known() -> None:
    layer = nn.LSTM(3, stateful=True, batch_size=4)
    layer.reset_states([state(0.5), state(0.25)])
    plain = lstm()
    layer.build((4, 5, 2))
    layer.set_weights(plain.get_weights())
    assert torch.equal(layer(X), plain(X, initial_state=[state(0.5), state(0.25)]))


@pytest.mark.parametrize(
    ("options", "arguments", "message"),
    [
        pytest.param(
            {}, {}, "LSTM is not stateful, it has no states to reset; make it with stateful=True", id="not-stateful"
        ),
        pytest.param(
            {"stateful": True}, {},
            "LSTM does not know its batch size yet: give batch_input_shape or batch_size, or call it once",
            id="unknown",
        ),
        pytest.param(
            {"stateful": True, "batch_size": 4, "name": "enc"}, {"states": [state(0.0)]},
            "LSTM 'enc' has 2 states (h, c), reset_states has 1", id="count",
        ),
        pytest.param(
            {"stateful": True, "batch_size": 4}, {"states": [state(0.0), np.zeros((4, 2))]},
            "LSTM: the state 'c' in reset_states has shape (4, 2), expected (4, 3)", id="shape",
        ),
        pytest.param(
            {"stateful": True, "batch_size": 4}, {"states": [[0.0], [0.0]]},
            "LSTM: reset_states takes arrays or tensors, found list", id="nested-lists",
        ),
        pytest.param(
            {"stateful": True, "batch_size": 4}, {"states": 0.0},
            "LSTM: reset_states takes arrays or tensors, found float", id="number",
        ),
        pytest.param(
            {"stateful": True, "batch_size": 4}, {"rows": torch.tensor([0, 1])},
            "LSTM: rows must be a boolean tensor of shape (4,), found torch.int64 of shape (2,)", id="rows",
        ),
        pytest.param(
            {"stateful": True, "batch_size": 4}, {"rows": torch.ones(4)},
            "LSTM: rows must be a boolean tensor of shape (4,), found torch.float32 of shape (4,)", id="rows-dtype",
        ),
        pytest.param(
            {"stateful": True, "batch_size": 4}, {"batch_size": 2, "rows": torch.ones(4).bool()},
            "LSTM: reset_states takes batch_size alone, without states or rows", id="both",
        ),
        pytest.param(
            {"stateful": True, "batch_size": 4}, {"batch_size": 2, "states": [state(0.0), state(0.0)]},
            "LSTM: reset_states takes batch_size alone, without states or rows", id="batch-size-and-states",
        ),
    ],
)  # fmt: skip
def test_a_wrong_reset_is_an_error_and_changes_nothing(options: Any, arguments: Any, message: str) -> None:
    layer = lstm(**options)
    if layer.batch_size is not None:
        layer.reset_states([state(0.5), state(0.25)])
    with pytest.raises(StateError) as error:
        layer.reset_states(**arguments)
    assert str(error.value) == message
    if layer.batch_size is not None:
        assert values(layer) == [0.5, 0.25]


def test_masked_rows_carry_their_own_last_valid_state(stateful: nn.LSTM) -> None:
    mask = torch.ones(4, 5, dtype=torch.bool)
    mask[1, 2:] = False
    stateful(X, mask=mask)
    alone = lstm(weights=stateful.get_weights(), return_state=True)
    _, h, c = alone(X[1:2, :2])
    torch.testing.assert_close(stateful.states[0][1:2], h)
    torch.testing.assert_close(stateful.states[1][1:2], c)

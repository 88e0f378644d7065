"""Bidirectional: equal to its two halves; states, masks, weights, dropout of both directions."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, strategies as st
from torch import Tensor

from rnnspec import nn
from rnnspec.errors import StateError, WeightsError
from rnnspec.nn import GRU, LSTM, Bidirectional, SimpleRNN

X = torch.randn(3, 5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
MASK = torch.tensor([[1, 1, 1, 1, 1], [0, 1, 0, 1, 1], [1, 1, 0, 0, 0]]).bool()
MERGED: dict[str | None, Callable[[Tensor, Tensor], Tensor]] = {
    "concat": lambda y, z: torch.cat([y, z], -1),
    "sum": lambda y, z: y + z,
    "mul": lambda y, z: y * z,
    "ave": lambda y, z: (y + z) / 2,
}
CELLS = pytest.mark.parametrize("cell", [SimpleRNN, LSTM, GRU], ids=lambda cell: cell.__name__)


def double(cell: Any, **options: Any) -> Any:
    return cell(4, dtype=torch.float64, **options)


def weighted(cell: Any, weights: Any, **options: Any) -> Any:
    return double(cell, weights=weights, input_size=2, **options)


@CELLS
@pytest.mark.parametrize("merge_mode", ["concat", "sum", "mul", "ave"])
@pytest.mark.parametrize("sequences", [True, False], ids=["sequence", "last"])
@pytest.mark.parametrize("mask", [None, MASK], ids=["no-mask", "mask"])
@pytest.mark.parametrize("backwards", [False, True], ids=["", "backwards"])
def test_bidirectional_equals_its_two_halves(
    cell: Any, merge_mode: Any, sequences: bool, mask: Tensor | None, backwards: bool
) -> None:
    """The backward half is an ordinary layer with its weights over the reversed input, its output reversed."""
    layer = Bidirectional(double(cell, return_sequences=sequences, go_backwards=backwards), merge_mode)
    layer.build((None, 5, 2))
    weights = layer.get_weights()
    half = len(weights) // 2
    ahead, behind = (weighted(cell, part, return_sequences=sequences) for part in (weights[:half], weights[half:]))
    flipped = None if mask is None else mask.flip(1)
    inputs = [(X, mask), (X.flip(1), flipped)]
    if backwards:
        inputs.reverse()
    y, z = (one(x, mask=its) for one, (x, its) in zip((ahead, behind), inputs, strict=True))
    expected = MERGED[merge_mode](y, z.flip(1) if sequences else z)

    torch.testing.assert_close(layer(X, mask=mask), expected, rtol=1e-12, atol=1e-12)
    assert layer.compute_output_shape((None, 5, 2)) == (None, *expected.shape[1:])


@given(
    cell=st.sampled_from([SimpleRNN, LSTM, GRU]),
    batch=st.integers(0, 4),
    timesteps=st.integers(0, 7),
    features=st.integers(1, 5),
    masked=st.booleans(),
)
def test_the_backward_half_equals_a_layer_over_the_reversed_input_at_any_shape(
    cell: Any, batch: int, timesteps: int, features: int, masked: bool
) -> None:
    x = torch.randn(batch, timesteps, features, dtype=torch.float64)
    mask = torch.rand(batch, timesteps) < 0.6 if masked else None
    layer = Bidirectional(double(cell, return_sequences=True, input_size=features))
    weights = layer.get_weights()
    options = {"input_size": features, "return_sequences": True}
    ahead = double(cell, weights=weights[: len(weights) // 2], **options)
    behind = double(cell, weights=weights[len(weights) // 2 :], **options)
    reversed_mask = None if mask is None else mask.flip(1)

    expected = torch.cat([ahead(x, mask=mask), behind(x.flip(1), mask=reversed_mask).flip(1)], dim=-1)

    torch.testing.assert_close(layer(x, mask=mask), expected, rtol=1e-12, atol=1e-12)


def test_merge_mode_none_gives_both_outputs() -> None:
    layer = Bidirectional(double(LSTM, return_sequences=True), None)
    y, z = layer(X)

    assert torch.equal(y, layer.forward_layer(X))
    assert torch.equal(z, layer.backward_layer(X).flip(1))
    assert layer.compute_output_shape((None, 5, 2)) == (None, 5, 4)


@CELLS
@pytest.mark.parametrize("merge_mode", ["concat", None])
def test_states_come_forward_first(cell: Any, merge_mode: Any) -> None:
    layer = Bidirectional(double(cell, return_state=True), merge_mode)
    returned = layer(X)
    y, *states = layer.forward_layer(X)
    z, *states_back = layer.backward_layer(X)
    merged = [torch.cat([y, z], -1)] if merge_mode else [y, z]

    for found, expected in zip(returned, [*merged, *states, *states_back], strict=True):
        assert torch.equal(found, expected)


@pytest.mark.parametrize("as_list", [False, True], ids=["keyword", "in-list"])
def test_initial_states_are_halved(as_list: bool) -> None:
    layer = Bidirectional(double(LSTM), "concat")
    layer.build((None, 5, 2))
    states = [torch.randn(3, 4, dtype=torch.float64) for _ in range(4)]
    output = layer([X, *states]) if as_list else layer(X, initial_state=states)

    ours = layer.forward_layer(X, initial_state=states[:2])
    theirs = layer.backward_layer(X, initial_state=states[2:])
    assert torch.equal(output, torch.cat([ours, theirs], -1))


def test_states_in_the_list_win() -> None:
    layer = Bidirectional(double(GRU))
    states = [torch.randn(3, 4, dtype=torch.float64) for _ in range(4)]

    assert torch.equal(layer([X, *states[:2]], initial_state=states[2:]), layer(X, initial_state=states[:2]))


@pytest.mark.parametrize(
    ("given", "count"),
    [(X[:, 0], 1), ([X[:, 0]] * 2, 2), ([X[:, 0]] * 5, 5)],
    ids=["one-tensor", "one-half", "too-many"],
)
def test_a_wrong_number_of_initial_states_is_an_error(given: Any, count: int) -> None:
    with pytest.raises(StateError) as caught:
        Bidirectional(double(LSTM), name="both")(X, initial_state=given)

    assert str(caught.value) == (
        "Bidirectional(LSTM) 'both' has 4 states (forward h, forward c, backward h, backward c), "
        f"initial_state has {count}"
    )


@pytest.mark.parametrize("backwards", [False, True], ids=["", "backwards"])
def test_the_mask_leaves_in_the_order_of_the_outputs(backwards: bool) -> None:
    sequence = Bidirectional(double(GRU, return_sequences=True, go_backwards=backwards))
    mask = sequence.compute_mask(X, MASK)

    assert mask is not None
    assert torch.equal(mask, MASK.flip(1) if backwards else MASK)
    assert sequence.compute_mask(X, None) is None
    assert Bidirectional(double(GRU)).compute_mask(X, MASK) is None


def test_the_twin_has_other_weights_unless_the_initializers_are_seeded() -> None:
    layer = Bidirectional(SimpleRNN(4, input_size=2))
    seeded = Bidirectional(SimpleRNN(4, kernel_initializer=nn.initializers.GlorotUniform(seed=1), input_size=2))

    assert not torch.equal(layer.forward_layer.kernel, layer.backward_layer.kernel)
    assert torch.equal(seeded.forward_layer.kernel, seeded.backward_layer.kernel)
    assert not layer.forward_layer.go_backwards
    assert layer.backward_layer.go_backwards


def test_weights_are_forward_then_backward() -> None:
    weights = GRU(4, input_size=2).get_weights() + GRU(4, input_size=2).get_weights()
    later, now = Bidirectional(GRU(4), weights=weights), Bidirectional(GRU(4, input_size=2), weights=weights)
    later(X.float())

    for layer in (later, now):
        assert all((found == given).all() for found, given in zip(layer.get_weights(), weights, strict=True))
        assert (layer.forward_layer.kernel.detach().numpy() == weights[0]).all()


def test_weights_of_the_inner_layer_are_the_forward_halfs() -> None:
    weights = GRU(4, input_size=2).get_weights()
    layer = Bidirectional(GRU(4, weights=weights))
    layer(X.float())

    assert (layer.get_weights()[0] == weights[0]).all()
    assert not (layer.get_weights()[3] == weights[0]).all()


def test_too_few_weights_are_an_error() -> None:
    with pytest.raises(WeightsError) as caught:
        Bidirectional(GRU(4, input_size=2), weights=[torch.zeros(2, 12)] * 5)

    assert str(caught.value) == ("GRU 'forward' has 3 weights (kernel, recurrent_kernel, bias), it was given 2")


def test_both_directions_drop_other_units_and_a_seed_reproduces_them() -> None:
    def call() -> tuple[Tensor, Tensor]:
        layer = Bidirectional(SimpleRNN(1, "linear", dropout=0.5, seed=3), None, input_shape=(1, 20))
        for part in (layer.forward_layer, layer.backward_layer):
            torch.nn.init.ones_(part.kernel)
        y, z = layer(torch.ones(8, 1, 20))
        return y, z

    (y, z), (y_again, z_again) = call(), call()

    assert torch.equal(y, y_again)
    assert torch.equal(z, z_again)
    assert not torch.equal(y, z)


def test_a_generator_reproduces_both_directions() -> None:
    layer = Bidirectional(double(LSTM, dropout=0.5, recurrent_dropout=0.5))
    first, second = (layer(X, generator=torch.Generator().manual_seed(1)) for _ in range(2))

    assert torch.equal(first, second)


def test_a_stateful_layer_carries_both_halves() -> None:
    layer = Bidirectional(double(GRU, stateful=True), batch_input_shape=(3, 5, 2))
    first, second = layer(X), layer(X)
    carried = [state for state in layer.states if state is not None]

    assert layer.stateful
    assert [state.shape for state in carried] == [(3, 4), (3, 4)]
    assert not torch.equal(first, second)
    layer.reset_states()
    assert torch.equal(layer(X), first)


def test_reset_states_takes_both_halves() -> None:
    layer = Bidirectional(double(LSTM, stateful=True), batch_input_shape=(3, 5, 2))
    values = [torch.full((3, 4), float(number), dtype=torch.float64) for number in range(4)]
    layer.reset_states(values)
    layer.reset_states(rows=torch.tensor([True, False, False]))

    for number, state in enumerate(layer.states):
        assert state is not None
        assert state[:, 0].tolist() == [0.0, float(number), float(number)]
    layer.reset_states(batch_size=2)
    assert [tuple(state.shape) for state in layer.states if state is not None] == [(2, 4)] * 4


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param([torch.ones(3, 4)], "Bidirectional(GRU) has 2 states, reset_states has 1", id="count"),
        pytest.param(torch.ones(3, 4), "Bidirectional(GRU) has 2 states, reset_states has 1", id="one-tensor"),
        pytest.param(
            [torch.ones(3, 4), torch.ones(3, 5)],
            "GRU 'backward': the state 'h' in reset_states has shape (3, 5), expected (3, 4)",
            id="second-half",
        ),
    ],
)
def test_a_reset_that_fails_changes_nothing(values: Any, message: str) -> None:
    layer = Bidirectional(double(GRU, stateful=True), batch_input_shape=(3, 5, 2))
    layer(X)
    before = copy.deepcopy(layer.states)
    with pytest.raises(StateError) as caught:
        layer.reset_states(values)

    assert str(caught.value) == message
    for old, new in zip(before, layer.states, strict=True):
        assert old is not None
        assert new is not None
        assert torch.equal(old, new)


def test_activity_losses_are_those_of_the_halves() -> None:
    layer = Bidirectional(double(GRU, activity_regularizer="l2"))
    output = layer(X)

    assert len(layer.losses) == 2
    assert sum(layer.losses).item() == pytest.approx(0.01 * output.square().sum().item())  # type: ignore[union-attr]

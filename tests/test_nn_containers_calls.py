"""Sequential at work: masks, states, draws, losses, constraints."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from rnnspec.errors import MaskError, StateError
from rnnspec.nn import (
    GRU,
    LSTM,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Masking,
    Sequential,
    SimpleRNN,
    TimeDistributed,
)

MASK = torch.tensor([[1, 1, 1, 0], [0, 1, 0, 1]]).bool()


# Masks


def test_masks_travel_to_the_layer_that_needs_them() -> None:
    model = Sequential([Embedding(9, 4, mask_zero=True), Dropout(0.5), Dense(3), GRU(2)]).eval()
    ids = torch.tensor([[3, 5, 0, 0], [0, 7, 8, 0]])
    x = model[2](model[0](ids))

    assert torch.equal(model(ids), model[3](x, mask=ids != 0))
    assert not torch.equal(model(ids), model[3](x))


def test_a_masked_row_equals_its_valid_steps() -> None:
    model = Sequential(
        [Masking(-1.0), Bidirectional(LSTM(3, return_sequences=True)), TimeDistributed(Dense(2)), SimpleRNN(2)]
    )
    x = torch.randn(1, 5, 4)
    padded = torch.cat([x, torch.full((1, 3, 4), -1.0)], 1)

    torch.testing.assert_close(model(padded), model(x))


def test_a_mask_may_come_with_the_input() -> None:
    model, x = Sequential([LSTM(3, return_sequences=True), GRU(2)]), torch.randn(2, 4, 3)

    expected = model[1](model[0](x, mask=MASK), mask=MASK)
    assert torch.equal(model(x, mask=MASK), expected)


def test_a_mask_ends_where_time_ends() -> None:
    model = Sequential([LSTM(3), torch.nn.ReLU(), Dense(2)])

    assert model.compute_mask(torch.randn(2, 4, 3), MASK) is None
    assert torch.equal(Sequential([Dense(2)]).compute_mask(torch.randn(2, 4, 3), MASK), MASK)  # type: ignore[arg-type]


def test_a_reversed_sequence_has_a_reversed_mask() -> None:
    first, second = LSTM(3, return_sequences=True, go_backwards=True), GRU(2)
    x = torch.randn(2, 4, 3)

    assert torch.equal(Sequential([first, second])(x, mask=MASK), second(first(x, mask=MASK), mask=MASK.flip(1)))


def test_a_model_in_a_model_hands_its_mask_on() -> None:
    inner = Sequential([Embedding(9, 4, mask_zero=True), Dense(3)])
    layer = GRU(2)
    model = Sequential([inner, layer])
    ids = torch.tensor([[3, 5, 0, 0], [0, 7, 8, 0]])

    assert model.output_shape == (None, 2)
    assert torch.equal(model(ids), layer(inner(ids), mask=ids != 0))


@pytest.mark.parametrize(
    ("layer", "label"),
    [(Flatten(name="flat"), "Flatten 'flat'"), (torch.nn.ReLU(), "ReLU")],
    ids=["layer", "torch-module"],
)
def test_a_layer_that_cannot_take_a_mask_says_so(layer: torch.nn.Module, label: str) -> None:
    with pytest.raises(MaskError) as caught:
        Sequential([Masking(), layer])(torch.zeros(2, 4, 3))

    assert str(caught.value).splitlines() == [
        f"{label} cannot take a mask, and one reached it from the layers before",
        "  hint: a recurrent layer with return_sequences=False before it ends the mask",
    ]


# States, draws, losses


def carried(model: Sequential) -> list[Any]:
    states = [state for layer in model.stateful_layers() for state in layer.states]
    return [None if state is None else state.tolist() for state in states]


def stateful() -> Sequential:
    return Sequential(
        [
            LSTM(2, return_sequences=True, stateful=True, batch_input_shape=(2, 4, 3)),
            Bidirectional(GRU(2, stateful=True)),
            Dense(1),
        ]
    )


def test_reset_states_reaches_every_stateful_layer_before_the_first_call() -> None:
    model, x = stateful(), torch.randn(2, 4, 3)
    model.reset_states()
    first, second = model(x), model(x)
    model.reset_states()

    assert model.stateful
    assert not torch.equal(first, second)
    assert torch.equal(model(x), first)


def test_reset_states_of_rows() -> None:
    model, x = stateful(), torch.randn(2, 4, 3)
    first, second = model(x), model(x)
    model.reset_states()
    model(x)
    model.reset_states(rows=torch.tensor([True, False]))
    mixed = model(x)

    assert torch.equal(mixed[0], first[0])
    assert torch.equal(mixed[1], second[1])


def test_reset_states_to_values_layer_by_layer() -> None:
    model = stateful()
    model.reset_states([torch.full((2, 2), float(number)) for number in range(4)])

    assert carried(model) == [[[float(number)] * 2] * 2 for number in range(4)]


def test_reset_states_to_a_new_batch_size() -> None:
    model = stateful()
    model.reset_states(batch_size=5)

    assert model(torch.randn(5, 4, 3)).shape == (5, 1)


@pytest.mark.parametrize(
    ("count", "width", "message"),
    [
        pytest.param(3, 2, "Sequential has 4 states, reset_states has 3", id="count"),
        pytest.param(
            4,
            3,
            "GRU 'backward': the state 'h' in reset_states has shape (2, 3), expected (2, 2)",
            id="last-one",
        ),
    ],
)
def test_a_reset_that_fails_changes_nothing(count: int, width: int, message: str) -> None:
    model = stateful()
    model(torch.randn(2, 4, 3))
    before = carried(model)
    with pytest.raises(StateError) as caught:
        model.reset_states([torch.ones(2, 2) for _ in range(count - 1)] + [torch.ones(2, width)])

    assert str(caught.value) == message
    assert carried(model) == before


def test_a_model_without_states_resets_nothing() -> None:
    model = Sequential([Dense(2, input_dim=3)])
    model.reset_states()

    assert not model.stateful
    with pytest.raises(StateError) as caught:
        model.reset_states([torch.ones(2, 2)])
    assert str(caught.value) == ("Sequential is not stateful, it has no states to reset; make it with stateful=True")


def test_one_generator_serves_all_layers() -> None:
    model = Sequential([Dropout(0.5), GRU(3, dropout=0.5), Sequential([Dropout(0.5)])])
    x = torch.randn(8, 4, 3)
    model(x)
    first, second, third = (model(x, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))

    assert torch.equal(first, second)
    assert not torch.equal(first, third)


def test_losses_of_all_layers_are_gathered() -> None:
    inner = TimeDistributed(Dense(2, activity_regularizer="l1", bias_regularizer="l2"))
    model = Sequential([GRU(3, kernel_regularizer="l2", return_sequences=True), inner])
    output = model(torch.randn(2, 4, 3))

    assert len(model.losses) == 3
    assert model.losses[-1].item() == pytest.approx(0.01 * output.abs().sum().item())


def test_constraints_of_all_layers_are_applied() -> None:
    layers = [GRU(3, kernel_constraint="non_neg", input_shape=(4, 3)), Dense(2, kernel_constraint="non_neg")]
    Sequential(layers).apply_constraints()

    for layer in layers:
        assert layer.get_weights()[0].min() >= 0.0


def test_reset_parameters_draws_torchs_modules_too() -> None:
    model = Sequential([Dense(3, input_dim=2), torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.ReLU())])
    before = copy.deepcopy(model)
    model.reset_parameters()

    for old, new in zip(before.parameters(), model.parameters(), strict=True):
        assert not torch.equal(old, new) or not new.any()


def test_a_layer_with_several_outputs_may_be_the_last() -> None:
    returned = Sequential([LSTM(3, return_state=True)])(torch.randn(2, 4, 3))

    assert [tuple(item.shape) for item in returned] == [(2, 3)] * 3


def test_the_first_layer_may_take_its_states_in_a_list() -> None:
    first, second = GRU(3, input_size=4), Dense(2)
    x, h = torch.randn(2, 5, 4), torch.randn(2, 3)

    assert torch.equal(Sequential([first, second])([x, h]), second(first(x, initial_state=h)))


@pytest.mark.compiled
def test_a_compiled_model_is_the_eager_one() -> None:
    model = Sequential(
        [
            Embedding(20, 4, mask_zero=True),
            Bidirectional(LSTM(4, return_sequences=True, dropout=0.2)),
            TimeDistributed(Dense(3)),
            GRU(2),
            Dropout(0.5),
            Dense(2, activation="softmax"),
        ]
    )
    ids = torch.randint(0, 20, (4, 3))
    model(ids)
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    outputs = []
    for call in (model, compiled):
        torch.manual_seed(1)
        outputs.append(call(ids))

    torch.testing.assert_close(outputs[1], outputs[0])

"""Dropout masks: their values, their independence, their seeds, and where they act."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import rnnspec
from rnnspec import nn
from rnnspec.errors import ShapeError
from rnnspec.nn import dropout
from rnnspec.nn.dropout import draw_seed, dropout_mask, drops, seeded_generator, variational_masks

SEED = torch.tensor([123456789, 987654321])
PINNED = [
    [[2.0, 0.0, 0.0, 2.0, 2.0, 0.0, 0.0, 0.0], [2.0, 0.0, 0.0, 2.0, 2.0, 0.0, 2.0, 0.0]],
    [[0.0, 2.0, 2.0, 2.0, 2.0, 0.0, 2.0, 0.0], [2.0, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0, 2.0]],
]


def mask_of(*shape: int, rate: float = 0.5, seed: Tensor = SEED, stream: int = 0, dtype: Any = torch.float64) -> Tensor:
    return dropout_mask(seed, rate, shape, stream=stream, dtype=dtype, device=torch.device("cpu"))


@pytest.mark.parametrize(("rate", "wanted"), [(0.0, False), (1e-9, True), (0.5, True), (0.999, True), (1.0, False)])
def test_a_rate_of_exactly_one_drops_nothing_as_in_keras_2(rate: float, wanted: bool) -> None:
    assert drops(rate) is wanted


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.75, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_mask_holds_zeros_and_the_inverse_of_the_kept_fraction(rate: float, dtype: torch.dtype) -> None:
    mask = mask_of(200, 500, rate=rate, dtype=dtype)
    assert mask.dtype == dtype
    assert mask.unique().tolist() == [0.0, torch.tensor(1.0, dtype=dtype).div(1.0 - rate).item()]
    assert (mask == 0).double().mean().item() == pytest.approx(rate, abs=0.005)


def test_the_numbers_of_a_mask_never_change() -> None:
    """Pinned: a run that is resumed with a later version drops the same units."""
    assert mask_of(2, 8).tolist() == PINNED[0]
    assert mask_of(2, 8, stream=1).tolist() == PINNED[1]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5, 0.999])
def test_the_librarys_masks_are_those_of_torchs_operations(
    rate: float, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = torch.tensor([0xFFFFFFFF, 12345])
    ours = mask_of(3, 257, rate=rate, seed=seed, stream=2, dtype=dtype)
    monkeypatch.setattr(dropout, "cpu_mask", lambda *_: None)

    assert torch.equal(ours, mask_of(3, 257, rate=rate, seed=seed, stream=2, dtype=dtype))


def test_a_mask_lies_where_it_is_asked_for_whatever_torchs_default_device_is() -> None:
    with torch.device("meta"):
        mask = mask_of(2, 8)
    assert mask.tolist() == PINNED[0]


def test_masks_are_independent_of_each_other() -> None:
    """Entries side by side, other streams and other seeds: no pair is correlated."""
    count = 40_000
    base = mask_of(count)
    others = {
        "stream 1": mask_of(count, stream=1),
        "stream 2": mask_of(count, stream=2),
        "next low word": mask_of(count, seed=SEED + torch.tensor([1, 0])),
        "next high word": mask_of(count, seed=SEED + torch.tensor([0, 1])),
        "neighbour": base.roll(1),
        "row of 64": base.roll(64),
    }
    for name, other in others.items():
        correlation = torch.corrcoef(torch.stack([base, other]))[0, 1].abs().item()
        assert correlation < 4 / count**0.5, name


def test_every_bit_of_the_seed_matters() -> None:
    base = mask_of(256)
    for word in (0, 1):
        for bit in range(32):
            flipped = SEED.clone()
            flipped[word] ^= 1 << bit
            assert 60 < (mask_of(256, seed=flipped) != base).sum() < 196, (word, bit)


def test_a_rows_masks_do_not_depend_on_how_many_rows_follow() -> None:
    few, many = (variational_masks(SEED, 0.5, torch.zeros(rows, 3), 7, 4, stream=1) for rows in (2, 5))
    assert len(few) == 4
    assert all(short.shape == (2, 7) for short in few)
    assert all(torch.equal(short, long[:2]) for short, long in zip(few, many, strict=True))
    assert not torch.equal(few[0], few[1])


@pytest.mark.compiled
def test_a_compiled_mask_is_the_eager_one() -> None:
    def mask(seed: Tensor) -> Tensor:
        return dropout_mask(seed, 0.3, (5, 4, 7), stream=2, dtype=torch.float32, device=torch.device("cpu"))

    compiled = torch.compile(mask, fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(SEED), mask(SEED))


def test_a_seed_is_two_words_from_the_generator_or_torchs_own() -> None:
    drawn = draw_seed(torch.Generator().manual_seed(5))
    assert drawn.shape == (2,)
    assert (drawn >= 0).all()
    assert (drawn < 2**32).all()
    assert torch.equal(drawn, draw_seed(torch.Generator().manual_seed(5)))
    torch.manual_seed(5)
    assert torch.equal(draw_seed(), drawn)
    many = torch.stack([draw_seed() for _ in range(200)])
    assert many.unique().numel() == many.numel()
    assert (many.max(dim=0).values > 0.9 * 2**32).all()


def test_a_layers_own_seed_makes_its_own_generator() -> None:
    assert seeded_generator(None) is None
    one, two = seeded_generator(7), seeded_generator(7)
    assert one is not None
    assert torch.equal(draw_seed(one), draw_seed(two))
    assert torch.equal(draw_seed(one), draw_seed(two))


def identity_layer(**options: Any) -> nn.SimpleRNN:
    """Returns its input times the mask at each step."""
    layer = nn.SimpleRNN(
        6,
        "linear",
        kernel_initializer="identity",
        recurrent_initializer="zeros",
        input_size=6,
        return_sequences=True,
        **options,
    )
    return layer.train()


ONES = torch.ones(3, 5, 6)


def test_masks_are_constant_over_time_and_differ_between_rows_and_calls() -> None:
    layer = identity_layer(dropout=0.5)
    first, second = layer(ONES), layer(ONES)
    assert set(first.unique().tolist()) == {0.0, 2.0}
    assert (first == first[:, :1]).all()
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first, second)


@pytest.mark.parametrize("options", [{"dropout": 0.0}, {"dropout": 1.0}, {"recurrent_dropout": 1.0}])
def test_rates_of_zero_and_one_leave_the_input_as_it_is(options: Any) -> None:
    assert torch.equal(identity_layer(**options)(ONES), ONES)


def test_nothing_is_dropped_or_drawn_outside_training() -> None:
    layer = identity_layer(dropout=0.5, recurrent_dropout=0.5).eval()
    before = torch.get_rng_state()
    assert torch.equal(layer(ONES), ONES)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_layer_without_rates_draws_nothing_in_training() -> None:
    before = torch.get_rng_state()
    identity_layer()(ONES)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_call_is_reproducible_from_torchs_seed_a_generator_or_the_layers_seed() -> None:
    layer = identity_layer(dropout=0.5)
    runs = []
    for _ in range(2):
        torch.manual_seed(3)
        runs.append((layer(ONES), layer(ONES, generator=torch.Generator().manual_seed(4))))
    assert torch.equal(runs[0][0], runs[1][0])
    assert torch.equal(runs[0][1], runs[1][1])
    assert torch.equal(identity_layer(dropout=0.5, seed=9)(ONES), identity_layer(dropout=0.5, seed=9)(ONES))
    seeded = identity_layer(dropout=0.5, seed=9)
    assert not torch.equal(seeded(ONES), seeded(ONES))


def test_the_calls_generator_wins_over_the_layers_seed() -> None:
    plain, seeded = identity_layer(dropout=0.5), identity_layer(dropout=0.5, seed=9)
    drawn = [layer(ONES, generator=torch.Generator().manual_seed(4)) for layer in (plain, seeded)]
    assert torch.equal(*drawn)


@pytest.mark.parametrize(("implementation", "count"), [(0, 4), (1, 4), (2, 1)])
def test_implementation_2_shares_one_mask_over_the_gates(implementation: Any, count: int) -> None:
    layer = nn.LSTM(3, input_size=2, dropout=0.5, recurrent_dropout=0.5, implementation=implementation)
    inputs, recurrent = layer.draw_masks(torch.zeros(4, 5, 2), torch.zeros(4, 3), None)
    assert inputs is not None
    assert recurrent is not None
    assert [mask.shape for mask in inputs] == [(4, 2)] * count
    assert [mask.shape for mask in recurrent] == [(4, 3)] * count


def test_a_simple_rnn_has_one_mask_of_each_kind() -> None:
    layer = nn.SimpleRNN(3, input_size=2, dropout=0.5)
    inputs, recurrent = layer.draw_masks(torch.zeros(4, 5, 2), torch.zeros(4, 3), None)
    assert inputs is not None
    assert len(inputs) == 1
    assert recurrent is None


def test_input_and_recurrent_masks_are_different_draws() -> None:
    layer = nn.SimpleRNN(64, input_size=64, dropout=0.5, recurrent_dropout=0.5)
    inputs, recurrent = layer.draw_masks(torch.zeros(4, 5, 64), torch.zeros(4, 64), None)
    assert inputs is not None
    assert recurrent is not None
    assert not torch.equal(inputs[0], recurrent[0])


def test_injected_masks_act_in_training_at_a_rate_above_zero_and_inside_the_block_alone() -> None:
    given = [torch.full((3, 6), 3.0)]
    layer = identity_layer(dropout=0.5)
    with rnnspec.dropout_masks(layer, inputs=given):
        assert (layer(ONES) == 3).all()
        assert (layer(ONES) == 3).all()
        with rnnspec.dropout_masks(layer, inputs=[torch.full((3, 6), 4.0)]):
            assert (layer(ONES) == 4).all()
        assert (layer(ONES) == 3).all()
        layer.eval()
        assert torch.equal(layer(ONES), ONES)
        layer.train()
    assert set(layer(ONES).unique().tolist()) == {0.0, 2.0}
    off = identity_layer()
    with rnnspec.dropout_masks(off, inputs=given):
        assert torch.equal(off(ONES), ONES)


def test_masks_that_are_not_injected_are_drawn_as_usual() -> None:
    layer = identity_layer(dropout=0.5, recurrent_dropout=0.5)
    with rnnspec.dropout_masks(layer, recurrent=[torch.ones(3, 6)]):
        assert set(layer(ONES).unique().tolist()) == {0.0, 2.0}


def test_injection_ends_after_an_error() -> None:
    layer = identity_layer(dropout=0.5)
    with pytest.raises(RuntimeError), rnnspec.dropout_masks(layer, inputs=[torch.full((3, 6), 3.0)]):
        raise RuntimeError
    assert set(layer(ONES).unique().tolist()) == {0.0, 2.0}


@pytest.mark.parametrize(
    ("kind", "masks", "message"),
    [
        pytest.param(
            nn.LSTM, {"inputs": [torch.ones(3, 6)] * 3},
            "LSTM: dropout_masks expected 1 or 4 masks (gates i, f, c, o) in inputs, found 3", id="count",
        ),
        pytest.param(
            nn.SimpleRNN, {"recurrent": []},
            "SimpleRNN: dropout_masks expected 1 mask in recurrent, found 0", id="none",
        ),
        pytest.param(
            nn.GRU, {"recurrent": [torch.ones(3, 6)] * 2 + [torch.ones(3, 5)]},
            "GRU: a dropout mask has shape (3, 5), expected (3, 6)", id="shape",
        ),
    ],
)  # fmt: skip
def test_injected_masks_that_do_not_fit_are_an_error(kind: Any, masks: Any, message: str) -> None:
    layer = kind(6, input_size=6, dropout=0.5, recurrent_dropout=0.5)
    with pytest.raises(ShapeError) as error, rnnspec.dropout_masks(layer, **masks):
        layer(ONES)
    assert str(error.value) == message


def test_implementation_2_takes_the_first_of_the_injected_masks() -> None:
    layer = nn.LSTM(6, input_size=6, dropout=0.5, implementation=2)
    masks = [torch.full((3, 6), float(number)) for number in range(1, 5)]
    with rnnspec.dropout_masks(layer, inputs=masks):
        first = layer(ONES)
    with rnnspec.dropout_masks(layer, inputs=masks[:1]):
        assert torch.equal(layer(ONES), first)

"""from_torch and to_torch: what is kept beside the weights, and every reason for which they refuse."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.utils import parametrizations, prune

import rnnspec
from rnnspec import nn
from rnnspec.engines.cells import Cell
from rnnspec.errors import ConfigError, WeightsError

TORCHS = {"recurrent_activation": "sigmoid"}  # what makes an LSTM one that torch.nn has too


def lstm(**options: Any) -> nn.LSTM:
    return nn.LSTM(2, input_size=3, **{**TORCHS, **options})


# What is kept


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_dtype_and_mode_are_kept_both_ways(dtype: torch.dtype, training: bool) -> None:
    theirs = torch.nn.LSTM(3, 2, num_layers=2, bidirectional=True, dropout=0.5, dtype=dtype).train(training)
    ours = rnnspec.from_torch(theirs)
    back = rnnspec.to_torch(ours)
    for model in (ours, back):
        assert {weight.dtype for weight in model.parameters()} == {dtype}
        assert {part.training for part in model.modules()} == {training}


def test_the_device_is_kept_both_ways() -> None:
    ours = rnnspec.from_torch(torch.nn.GRU(3, 2, device="meta"))
    assert ours.kernel.is_meta
    back = rnnspec.to_torch(ours)
    assert all(weight.is_meta for weight in back.parameters())


def test_frozen_weights_stay_frozen_both_ways() -> None:
    theirs = torch.nn.LSTM(3, 2, num_layers=2)
    theirs.weight_hh_l0.requires_grad_(False)
    for name in ("weight_ih_l1", "weight_hh_l1", "bias_ih_l1", "bias_hh_l1"):
        getattr(theirs, name).requires_grad_(False)
    ours = rnnspec.from_torch(theirs)
    first, second = ours
    assert [weight.requires_grad for weight in ours.parameters()] == [True, False, True, False, False, False]
    assert first.trainable
    assert not second.trainable
    back = rnnspec.to_torch(ours)
    assert [weight.requires_grad for weight in back.parameters()] == [w.requires_grad for w in theirs.parameters()]


def test_the_weights_are_copies_both_ways() -> None:
    theirs = torch.nn.RNN(3, 2)
    ours = rnnspec.from_torch(theirs)
    back = rnnspec.to_torch(ours)
    before = back.weight_ih_l0.clone()
    with torch.no_grad():
        theirs.weight_ih_l0.zero_()
        assert ours.kernel.abs().min() > 0
        ours.kernel.zero_()
    assert torch.equal(back.weight_ih_l0, before)


def test_no_random_number_is_drawn() -> None:
    theirs = torch.nn.LSTM(3, 2, num_layers=2, dropout=0.5)
    before = torch.get_rng_state()
    rnnspec.to_torch(rnnspec.from_torch(theirs))
    assert torch.equal(torch.get_rng_state(), before)


def test_dropout_stands_between_the_layers() -> None:
    ours = rnnspec.from_torch(torch.nn.GRU(3, 2, num_layers=3, dropout=0.25))
    assert [type(layer).__name__ for layer in ours] == ["GRU", "Dropout", "GRU", "Dropout", "GRU"]
    assert [layer.rate for layer in ours if isinstance(layer, nn.Dropout)] == [0.25, 0.25]
    assert ours.output_shape == (None, None, 2)


def test_what_is_returned_can_be_chosen() -> None:
    theirs = torch.nn.LSTM(3, 2, num_layers=2, bidirectional=True, batch_first=True)
    x = torch.randn(4, 5, 3)
    _, (h, c) = theirs(x)
    output, *states = rnnspec.from_torch(theirs, return_sequences=False, return_state=True)(x)
    torch.testing.assert_close(output, torch.cat([h[2], h[3]], dim=1))
    for got, want in zip(states, (h[2], c[2], h[3], c[3]), strict=True):
        torch.testing.assert_close(got, want)


def test_a_module_that_inherits_torchs_forward_is_taken() -> None:
    class Small(torch.nn.LSTM):
        def __init__(self) -> None:
            super().__init__(3, 2, batch_first=True)

    theirs, x = Small(), torch.randn(4, 5, 3)
    torch.testing.assert_close(rnnspec.from_torch(theirs)(x), theirs(x)[0])


@pytest.mark.parametrize(
    "layer",
    [
        pytest.param(lambda: lstm(return_sequences=False), id="last-output"),
        pytest.param(lambda: lstm(return_state=True), id="states"),
        pytest.param(lambda: lstm(kernel_regularizer="l2", kernel_constraint="max_norm"), id="regularized"),
        pytest.param(lambda: lstm(implementation=2, unroll=True, masked_start="zeros"), id="no-difference"),
        pytest.param(lambda: lstm(dropout=1.0, recurrent_dropout=1.0), id="dropout-of-1"),
        pytest.param(lambda: nn.RNN(nn.LSTM(1, **TORCHS).cell, 2, input_size=3), id="RNN-of-a-cell"),
        pytest.param(lambda: lstm(activation=torch.tanh, recurrent_activation=torch.sigmoid), id="functions"),
    ],
)
def test_what_makes_no_difference_to_torch_is_taken(layer: Any) -> None:
    ours, x = layer(), torch.randn(4, 5, 3)
    ours.return_sequences, ours.return_state = True, False
    theirs = rnnspec.to_torch(ours)
    torch.testing.assert_close(theirs(x)[0], ours(x))


# What is refused


class OwnForward(torch.nn.LSTM):
    """A user's variant."""

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(x)[0]


def pruned() -> torch.nn.Module:
    return prune.random_unstructured(torch.nn.LSTM(3, 2), "weight_hh_l0", amount=0.5)  # type: ignore[no-any-return]


def parametrized() -> torch.nn.Module:
    return parametrizations.weight_norm(torch.nn.GRUCell(3, 2), "weight_ih")


COMPUTED = (
    "which would be lost; make it a plain weight first, with remove of torch.nn.utils.prune or "
    "remove_parametrizations of torch.nn.utils.parametrize"
)


@pytest.mark.parametrize(
    ("module", "options", "kind", "message"),
    [
        pytest.param(
            lambda: torch.nn.Linear(2, 2), {}, ConfigError,
            "from_torch takes a torch.nn.LSTM, GRU or RNN or one of their cells, found Linear", id="Linear",
        ),
        pytest.param(
            lambda: None, {}, ConfigError,
            "from_torch takes a torch.nn.LSTM, GRU or RNN or one of their cells, found NoneType", id="None",
        ),
        pytest.param(
            lambda: OwnForward(3, 2), {}, ConfigError,
            "from_torch takes a torch.nn.LSTM, GRU or RNN or one of their cells, found OwnForward, "
            "which has a forward of its own", id="own-forward",
        ),
        pytest.param(
            lambda: torch.nn.LSTM(3, 4, proj_size=2), {}, ConfigError,
            "from_torch cannot take this torch.nn.LSTM, proj_size=2: the LSTM here has no projection of its output",
            id="proj_size",
        ),
        pytest.param(
            lambda: torch.nn.LSTM(3, 4, num_layers=2, proj_size=2, dropout=1.0), {}, ConfigError,
            "from_torch cannot take this torch.nn.LSTM, proj_size=2: the LSTM here has no projection of its output\n"
            "from_torch cannot take this torch.nn.LSTM, dropout=1.0: it drops all that the layers give, where a rate "
            "of 1 drops nothing here, as in Keras", id="both",
        ),
        pytest.param(
            lambda: torch.nn.GRUCell(3, 2), {"return_state": True}, ConfigError,
            "from_torch was given a torch.nn.GRUCell, which does one step: it returns no sequence and no state",
            id="cell-return_state",
        ),
        pytest.param(
            lambda: torch.nn.GRUCell(3, 2), {"return_sequences": False}, ConfigError,
            "from_torch was given a torch.nn.GRUCell, which does one step: it returns no sequence and no state",
            id="cell-return_sequences",
        ),
        pytest.param(
            pruned, {}, WeightsError,
            "torch.nn.LSTM computes its weight 'weight_hh_l0' from other parameters (weight_hh_l0_orig), " + COMPUTED,
            id="pruned",
        ),
        pytest.param(
            parametrized, {}, WeightsError,
            "torch.nn.ParametrizedGRUCell computes its weight 'weight_ih' from other parameters "
            "(parametrizations.weight_ih.original0, parametrizations.weight_ih.original1), " + COMPUTED,
            id="weight_norm",
        ),
    ],
)  # fmt: skip
def test_a_module_that_is_no_layer_here_is_refused(module: Any, options: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind) as error:
        rnnspec.from_torch(module(), **options)
    assert str(error.value) == message


class Own(Cell):
    """A user's cell."""

    gates = ("h",)

    def step(self, x: Any, states: Any, recur: Any, **weights: Tensor) -> Any:
        return (x[0],)


def half_pruned() -> nn.LSTM:
    return prune.random_unstructured(lstm(), "kernel", amount=0.5)  # type: ignore[no-any-return]


def stack(*layers: torch.nn.Module) -> nn.Sequential:
    return nn.Sequential(list(layers))


def torchs(units: int = 2, **options: Any) -> nn.LSTM:
    """A layer for the middle of a model."""
    return nn.LSTM(units, **{**TORCHS, "return_sequences": True, **options})


@pytest.mark.parametrize(
    ("layer", "reasons"),
    [
        pytest.param(
            lambda: nn.LSTM(2, input_size=3), ["LSTM: recurrent_activation='hard_sigmoid', torch.nn.LSTM has sigmoid"],
            id="hard_sigmoid",
        ),
        pytest.param(
            lambda: lstm(activation="relu", name="enc"), ["LSTM 'enc': activation='relu', torch.nn.LSTM has tanh"],
            id="activation",
        ),
        pytest.param(
            lambda: nn.SimpleRNN(2, "elu"), ["SimpleRNN: activation='elu', torch.nn.RNN has tanh or relu"], id="elu"
        ),
        pytest.param(
            lambda: nn.GRU(2, **TORCHS),
            ["GRU: reset_after=False, the reset of torch.nn.GRU acts after the matrix product"], id="reset-before",
        ),
        pytest.param(
            lambda: lstm(
                dropout=0.2, recurrent_dropout=0.3, initial_state="trainable", stateful=True, go_backwards=True
            ),
            [
                "LSTM: dropout=0.2, torch.nn.LSTM drops nothing of its input",
                "LSTM: recurrent_dropout=0.3, torch.nn.LSTM drops nothing of the recurrent product",
                "LSTM: initial_state='trainable', torch.nn.LSTM starts at zeros or at what it is given",
                "LSTM: stateful=True, torch.nn.LSTM carries no states from call to call",
                "LSTM: go_backwards=True, torch.nn.LSTM reads time backwards only beside a forward half",
            ],
            id="all-at-once",
        ),
        pytest.param(lambda: nn.RNN(Own(), 2), ["RNN: torch.nn has no cell Own"], id="own-cell"),
        pytest.param(
            lambda: nn.LSTMCell(2), ["LSTMCell: recurrent_activation='hard_sigmoid', torch.nn.LSTM has sigmoid"],
            id="cell",
        ),
        pytest.param(
            lambda: nn.Bidirectional(nn.LSTM(2), merge_mode=None),
            [
                "Bidirectional(LSTM): merge_mode=None, torch.nn concatenates the two directions",
                "Bidirectional(LSTM): recurrent_activation='hard_sigmoid', torch.nn.LSTM has sigmoid",
            ],
            id="merge_mode",
        ),
        pytest.param(
            lambda: nn.Bidirectional(lstm(go_backwards=True)),
            [
                "Bidirectional(LSTM): go_backwards=True, "
                "torch.nn.LSTM reads time backwards only beside a forward half",
            ],
            id="backwards-first",
        ),
        pytest.param(
            lambda: stack(torchs(), nn.Dense(3), torchs(dropout=0.5)),
            [
                "layer 1, Dense: torch.nn has recurrent layers and dropout between them alone",
                "layer 2, LSTM: dropout=0.5, torch.nn.LSTM drops nothing of its input",
            ],
            id="Dense",
        ),
        pytest.param(
            lambda: stack(nn.Dropout(0.1), torchs(), nn.Dropout(0.1), nn.Dropout(0.1), torchs(), nn.Dropout(0.1)),
            [
                f"layer {number}, Dropout: torch.nn has one dropout between two recurrent layers, and no other"
                for number in (0, 3, 5)
            ],
            id="dropout-elsewhere",
        ),
        pytest.param(
            lambda: stack(torchs(), nn.Dropout(0.1, noise_shape=(None, 1, None)), torchs()),
            ["layer 1, Dropout: noise_shape=(None, 1, None), torch.nn drops each entry on its own"], id="noise_shape",
        ),
        pytest.param(
            lambda: stack(torchs(), nn.Dropout(0.1), torchs(), torchs()),
            ["the layers differ in their dropout between them (0.1, 0.0), torch.nn has one for all"], id="two-rates",
        ),
        pytest.param(
            lambda: stack(torchs(), nn.Bidirectional(torchs(3, use_bias=False))),
            [
                "the layers differ in their directions (1, 2), torch.nn has one for all",
                "the layers differ in their units (2, 3), torch.nn has one for all",
                "the layers differ in their use_bias (True, False), torch.nn has one for all",
            ],
            id="sizes",
        ),
        pytest.param(
            lambda: stack(torchs(), nn.GRU(2, **TORCHS, reset_after=True, return_sequences=True)),
            ["the layers differ in their cell (LSTM, GRU), torch.nn has one for all"], id="cells",
        ),
        pytest.param(
            lambda: stack(nn.SimpleRNN(2, return_sequences=True), nn.SimpleRNN(2, "relu")),
            ["the layers differ in their activation (tanh, relu), torch.nn has one for all"], id="activations",
        ),
    ],
)  # fmt: skip
def test_a_layer_that_torch_has_not_is_refused_with_every_reason(layer: Any, reasons: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        rnnspec.to_torch(layer())
    assert str(error.value) == "\n".join(f"to_torch: {reason}" for reason in reasons)


@pytest.mark.parametrize(
    ("layer", "kind", "message"),
    [
        pytest.param(
            lambda: nn.Dense(2), ConfigError,
            "to_torch takes a recurrent layer, a Bidirectional or a Sequential of them, found Dense", id="Dense",
        ),
        pytest.param(
            nn.Sequential, ConfigError,
            "to_torch takes a recurrent layer, a Bidirectional or a Sequential of them, found Sequential", id="empty",
        ),
        pytest.param(
            lambda: stack(nn.Dropout(0.5)), ConfigError,
            "to_torch: layer 0, Dropout: torch.nn has one dropout between two recurrent layers, and no other",
            id="dropout-alone",
        ),
        pytest.param(
            torchs, WeightsError, "LSTM has no weights yet: give its input_shape, build it, or call it once",
            id="not-built",
        ),
        pytest.param(
            half_pruned, WeightsError,
            "LSTM computes its weight 'kernel' from other parameters (kernel_orig), " + COMPUTED, id="pruned",
        ),
    ],
)  # fmt: skip
def test_what_has_no_plain_weights_or_is_no_layer_is_refused(layer: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind) as error:
        rnnspec.to_torch(layer())
    assert str(error.value) == message

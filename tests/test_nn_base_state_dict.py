"""A state_dict of torch.nn's recurrent modules is refused, in words that name from_torch, and nothing changes."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from rnnspec import nn
from rnnspec.errors import WeightsError

HINT = "\n  hint: load it into that module, and rnnspec.from_torch(module) makes a layer of it"


def message(label: str, key: str) -> str:
    return (
        f"{label}: the state_dict has the weight '{key}' of a recurrent module of torch.nn, "
        f"whose shapes and order of gates are others{HINT}"
    )


def named(prefix: str, module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {prefix + key: value for key, value in module.state_dict().items()}


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "loose"])
@pytest.mark.parametrize(
    ("layer", "theirs", "label", "key"),
    [
        pytest.param(nn.LSTM(2, input_size=3), torch.nn.LSTM(3, 2), "LSTM", "weight_ih_l0", id="LSTM"),
        pytest.param(nn.LSTM(2, name="enc"), torch.nn.LSTM(3, 2), "LSTM 'enc'", "weight_ih_l0", id="not-built"),
        pytest.param(nn.GRU(2, input_size=3), torch.nn.GRU(3, 2), "GRU", "weight_ih_l0", id="GRU"),
        pytest.param(nn.SimpleRNN(2, input_size=3), torch.nn.RNN(3, 2), "SimpleRNN", "weight_ih_l0", id="SimpleRNN"),
        pytest.param(nn.LSTMCell(2, input_size=3), torch.nn.LSTMCell(3, 2), "LSTMCell", "weight_ih", id="cell"),
        pytest.param(
            nn.Bidirectional(nn.LSTM(2, input_size=3)), torch.nn.LSTM(3, 2, bidirectional=True), "Bidirectional(LSTM)",
            "weight_ih_l0", id="Bidirectional",
        ),
        pytest.param(
            nn.Sequential([nn.LSTM(2, input_size=3, return_sequences=True), nn.LSTM(2)]),
            torch.nn.LSTM(3, 2, num_layers=2), "Sequential", "weight_ih_l0", id="stacked",
        ),
    ],
)  # fmt: skip
def test_a_layer_refuses_the_weights_of_torchs_module(
    layer: Any, theirs: torch.nn.Module, label: str, key: str, strict: bool
) -> None:
    before = None if not layer.built else layer.get_weights()
    with pytest.raises(WeightsError) as error:
        layer.load_state_dict(theirs.state_dict(), strict=strict)
    assert str(error.value) == message(label, key)
    assert layer.built == (before is not None)
    for now, then in zip(layer.get_weights() if before else [], before or [], strict=True):
        assert (now == then).all()


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "loose"])
def test_a_model_refuses_them_under_a_prefix_before_any_layer_changes(strict: bool) -> None:
    dense, lstm = nn.Dense(3, input_shape=(None, 4), name="in"), nn.LSTM(2, name="enc")
    model = nn.Sequential([nn.Sequential([dense, lstm], name="inner"), nn.Dense(1)])
    given = {"inner.in.kernel": torch.ones(4, 3), "inner.in.bias": torch.ones(3)}
    given |= named("inner.enc.", torch.nn.LSTM(3, 2))
    before = model.get_weights()
    with pytest.raises(WeightsError) as error:
        model.load_state_dict(given, strict=strict)
    assert str(error.value) == message("LSTM 'enc'", "inner.enc.weight_ih_l0")
    assert all((now == then).all() for now, then in zip(model.get_weights(), before, strict=True))


def test_a_recurrent_module_of_torch_inside_a_model_still_takes_its_own() -> None:
    model = nn.Sequential([torch.nn.LSTM(3, 2, batch_first=True)])
    given = {key: torch.ones_like(value) for key, value in model.state_dict().items()}
    model.load_state_dict(given)
    assert all((value == 1).all() for value in model.state_dict().values())

"""What every layer has: weights that come later, losses, constraints, copies. Shown on the recurrent layers."""

from __future__ import annotations

import copy
import gc
import json
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from golden_cases import GOLDEN

import rnnspec
from rnnspec import nn
from rnnspec.errors import MaskError, WeightsError
from rnnspec.nn import constrained
from rnnspec.nn.base import Layer

X = torch.randn(4, 5, 2, generator=torch.Generator().manual_seed(1))
AUX = json.loads((GOLDEN / "tensorflow" / "aux.json").read_text())
AUX_ARRAYS = np.load(GOLDEN / "tensorflow" / "aux.npz")


# Weights


def test_weights_go_out_and_in_as_numpy_arrays() -> None:
    one, other = nn.LSTM(3, input_size=2), nn.LSTM(3, input_size=2)
    weights = one.get_weights()
    assert all(isinstance(weight, np.ndarray) for weight in weights)
    other.set_weights(weights)
    assert torch.equal(one(X), other(X))
    weights[0][:] = 0
    assert one.kernel.abs().max() > 0


@pytest.mark.parametrize(
    ("layer", "weights", "message"),
    [
        pytest.param(
            lambda: nn.LSTM(3, input_size=2), [np.zeros(1)],
            "LSTM has 3 weights (kernel, recurrent_kernel, bias), it was given 1", id="count",
        ),
        pytest.param(
            lambda: nn.GRU(2, input_size=1, name="enc"), [np.zeros((1, 6)), np.zeros((2, 5)), np.zeros(5)],
            "GRU 'enc': the weight 'recurrent_kernel' has shape (2, 6), it was given (2, 5)\n"
            "GRU 'enc': the weight 'bias' has shape (6,), it was given (5,)", id="shapes",
        ),
        pytest.param(
            lambda: nn.LSTM(3), [np.zeros(1)],
            "LSTM has no weights yet: give its input_shape, build it, or call it once", id="unbuilt",
        ),
        pytest.param(Layer, [np.zeros(1)], "Layer has 0 weights, it was given 1", id="none"),
    ],
)  # fmt: skip
def test_weights_that_do_not_fit_are_an_error_and_change_nothing(layer: Any, weights: Any, message: str) -> None:
    made = layer()
    before = [parameter.clone() for parameter in made.parameters()] if made.built else []
    with pytest.raises(WeightsError) as error:
        made.set_weights(weights)
    assert str(error.value) == message
    assert all(torch.equal(*pair) for pair in zip(before, made.parameters(), strict=bool(before)))


def test_initial_weights_that_do_not_fit_are_an_error_when_the_layer_is_built() -> None:
    layer = nn.LSTM(3, weights=[np.zeros(1)])
    with pytest.raises(WeightsError):
        layer(X)


def test_a_state_dict_is_strict_and_gives_an_unbuilt_layer_its_shapes() -> None:
    one, other = nn.LSTM(3, input_size=2), nn.LSTM(3)
    assert list(one.state_dict()) == ["kernel", "recurrent_kernel", "bias"]
    other.load_state_dict(one.state_dict())
    assert other.built
    assert torch.equal(one(X), other(X))
    with pytest.raises(RuntimeError, match="Missing key"):
        nn.LSTM(3, input_size=2).load_state_dict({"kernel": one.kernel})
    with pytest.raises(RuntimeError, match="size mismatch"):
        nn.LSTM(4, input_size=2).load_state_dict(one.state_dict())


def test_an_unbuilt_layer_has_no_state_dict() -> None:
    with pytest.raises(WeightsError) as error:
        nn.LSTM(3).state_dict()
    assert str(error.value) == "LSTM has no weights yet: give its input_shape, build it, or call it once"


def test_building_twice_keeps_the_weights() -> None:
    layer = nn.LSTM(3, input_size=2)
    before = layer.kernel.detach().clone()
    layer.build((None, None, 2))
    assert torch.equal(layer.kernel, before)


def test_the_meta_device_then_a_real_one_then_reset_parameters_gives_a_working_layer() -> None:
    layer = nn.LSTM(3, input_size=2, device="meta", stateful=True, batch_size=4)
    assert layer.kernel.is_meta
    layer.to_empty(device="cpu")
    layer.reset_parameters()
    assert torch.isfinite(layer(X)).all()
    assert layer.bias.tolist() == [0.0] * 3 + [1.0] * 3 + [0.0] * 6


def test_reset_parameters_draws_from_a_given_generator() -> None:
    one, other = nn.LSTM(3, input_size=2), nn.LSTM(3, input_size=2)
    for layer in (one, other):
        layer.reset_parameters(torch.Generator().manual_seed(5))
    assert torch.equal(one.kernel, other.kernel)
    assert torch.equal(one.recurrent_kernel, other.recurrent_kernel)


def test_device_and_dtype_are_those_of_the_arguments_of_torchs_defaults_or_of_a_later_move() -> None:
    assert nn.LSTM(3, input_size=2, dtype=torch.float64).kernel.dtype == torch.float64
    with torch.device("meta"):
        assert nn.LSTM(3, input_size=2).kernel.is_meta
    late = nn.LSTM(3).double()
    assert late(X.double()).dtype == torch.float64


def test_a_layer_that_is_not_trainable_gets_no_gradient() -> None:
    layer = nn.LSTM(3, input_size=2, trainable=False)
    assert not any(parameter.requires_grad for parameter in layer.parameters())
    x = X.clone().requires_grad_()
    layer(x).sum().backward()
    assert x.grad is not None


@pytest.mark.filterwarnings("ignore:LSTM. unit_forget_bias")
@pytest.mark.parametrize("entry", AUX["lstm_bias_after_build"], ids=lambda entry: json.dumps(entry["config"]))
def test_the_bias_after_the_build_is_that_of_keras_2_0_8_but_unit_forget_bias_forces_zeros(entry: Any) -> None:
    """golden/tensorflow/aux.json; its README says where we decided otherwise."""
    config = {"LSTM": {**entry["config"], "input_shape": [5, 1]}}
    forced = "bias_initializer" in entry["config"] and entry["config"].get("unit_forget_bias", True)
    want = [0, 0, 1, 1, 0, 0, 0, 0] if forced else entry["bias"]

    layer = rnnspec.build(rnnspec.from_dict(config), device="cpu")

    assert layer.bias.tolist() == want


# Losses


@pytest.mark.parametrize("entry", AUX["losses"], ids=lambda entry: f"{entry['key']}{entry['layer']}")
def test_losses_equal_those_of_keras_2_0_8(entry: Any) -> None:
    """golden/tensorflow/aux.json: the weight losses' sum, and the activity loss summed over every returned tensor."""
    regularizers = {
        name: getattr(nn.regularizers, tag)(**arguments)
        for name, value in entry["config"].items()
        if isinstance(value, dict)
        for tag, arguments in value.items()
    }
    layer = getattr(nn, entry["layer"])(**{**entry["config"], **regularizers})
    weights = [AUX_ARRAYS[entry["key"] + name] for name in ("kernel", "recurrent_kernel", "bias")]
    x = torch.tensor(AUX_ARRAYS[entry["key"] + "x"])
    layer.build(x.shape)
    layer.set_weights(weights)
    assert sum(layer.losses).item() == pytest.approx(entry["weight_loss"], rel=1e-5)

    layer(x)

    assert sum(layer.losses[3:]).item() == pytest.approx(entry["activity_loss"], rel=1e-5)
    assert len(layer.losses) == 4 + (len(layer.states) if layer.return_state else 0)


def test_losses_have_gradients_and_are_those_of_the_last_call() -> None:
    layer = nn.LSTM(3, input_size=2, kernel_regularizer="l2", activity_regularizer="l1")
    layer(X)
    layer(2 * X)
    assert len(layer.losses) == 2
    sum(layer.losses).backward()
    assert (layer.kernel.grad != 0).all()
    assert (layer.recurrent_kernel.grad != 0).any()


def test_a_regularizer_that_is_not_collected_adds_no_loss() -> None:
    silent = nn.regularizers.L2(0.1, collect=False)
    layer = nn.LSTM(3, input_size=2, kernel_regularizer=silent, activity_regularizer=silent, bias_regularizer="l2")
    layer(X)
    assert len(layer.losses) == 1


# Constraints


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam, torch.optim.RMSprop, torch.optim.LBFGS])
def test_constraints_act_after_the_step_of_any_optimizer(optimizer: Any) -> None:
    layer = nn.LSTM(
        3, input_size=2, kernel_constraint="max_norm", recurrent_constraint="unit_norm", bias_constraint="non_neg"
    )
    with torch.no_grad():
        layer.kernel.mul_(100)
        layer.bias.sub_(10)
    steps = optimizer(layer.parameters(), lr=0.1)

    def closure() -> torch.Tensor:
        steps.zero_grad()
        loss = layer(X).square().sum()
        loss.backward()
        return loss

    assert layer.kernel.norm(dim=0).max() > 3
    steps.step(closure)

    assert layer.kernel.norm(dim=0).max() <= 2.0001
    torch.testing.assert_close(layer.recurrent_kernel.norm(dim=0), torch.ones(12))
    assert layer.bias.min() == 0


def test_an_optimizer_constrains_its_own_weights_alone() -> None:
    one = nn.LSTM(3, input_size=2, kernel_constraint="unit_norm", recurrent_constraint="unit_norm")
    other = nn.LSTM(3, input_size=2, kernel_constraint="unit_norm")
    before = [one.recurrent_kernel.detach().clone(), other.kernel.detach().clone()]
    one(X).sum().backward()
    torch.optim.SGD([one.kernel], lr=0.1).step()
    torch.testing.assert_close(one.kernel.norm(dim=0), torch.ones(12))
    assert torch.equal(one.recurrent_kernel, before[0])
    assert torch.equal(other.kernel, before[1])


def test_apply_constraints_acts_on_all_weights_of_a_layer() -> None:
    layer = nn.LSTM(3, input_size=2, kernel_constraint="unit_norm", bias_constraint="unit_norm")
    layer.apply_constraints()
    torch.testing.assert_close(layer.kernel.norm(dim=0), torch.ones(12))
    torch.testing.assert_close(layer.bias.norm(), torch.tensor(1.0))


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))], ids=["copy", "pickle"]
)
def test_a_copy_keeps_its_constraints_and_leaves_the_last_calls_losses(duplicate: Any) -> None:
    layer = nn.LSTM(3, input_size=2, kernel_constraint="unit_norm", activity_regularizer="l2", dropout=0.5, seed=3)
    layer(X)
    twin = duplicate(layer)
    assert len(layer.losses) == 1
    assert twin.losses == []
    twin(X).sum().backward()
    torch.optim.SGD(twin.parameters(), lr=0.1).step()
    torch.testing.assert_close(twin.kernel.norm(dim=0), torch.ones(12))
    assert not torch.equal(layer.kernel, twin.kernel)


def test_a_layer_without_constraints_is_not_watched_and_a_dead_one_is_forgotten() -> None:
    gc.collect()
    before = len(constrained._layers)
    nn.LSTM(3, input_size=2)
    kept = nn.LSTM(3, input_size=2, kernel_constraint="unit_norm")
    assert len(constrained._layers) == before + 1
    del kept
    gc.collect()
    assert len(constrained._layers) == before


# Masks and shapes


def test_a_layer_without_support_for_masks_says_so() -> None:
    layer = Layer(name="odd")
    assert layer.compute_mask(X, None) is None
    with pytest.raises(MaskError) as error:
        layer.compute_mask(X, torch.ones(4, 5))
    assert str(error.value).splitlines() == [
        "Layer 'odd' cannot take a mask, and one reached it from the layers before",
        "  hint: a recurrent layer with return_sequences=False before it ends the mask",
    ]


def test_a_plain_layer_keeps_its_input_shape_and_is_built_by_it() -> None:
    layer = Layer(input_shape=(3,))
    layer.build_declared()
    assert layer.built
    assert layer.compute_output_shape((None, 3)) == (None, 3)
    assert layer.get_weights() == []

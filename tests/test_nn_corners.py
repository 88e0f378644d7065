"""Corners where a layer meets torch: memory that is shared, weights that come late, modes and moves."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import rnnspec
from rnnspec import nn
from rnnspec.errors import DTypeError, ShapeError, StateError, WeightsError

X = torch.randn(2, 4, 2, generator=torch.Generator().manual_seed(1))


def test_what_a_stateful_layer_returned_may_be_changed_in_place() -> None:
    layer = nn.LSTM(3, stateful=True, return_state=True, batch_input_shape=(2, 4, 2))
    with torch.no_grad():
        y, h, c = layer(X)
        kept = [state.clone() for state in layer.states if state is not None]
        for tensor in (y, h, c):
            tensor.zero_()
    assert all(torch.equal(*pair) for pair in zip(layer.states, kept, strict=True))


@pytest.mark.parametrize(
    ("layer", "file", "message"),
    [
        pytest.param(
            nn.Dense(2), nn.Dense(5, input_dim=3),
            "Dense: the weights in the state_dict do not fit: 'kernel' has shape (3, 5), it needs (3, 2); "
            "'bias' has shape (5,), it needs (2,)", id="Dense",
        ),
        pytest.param(
            nn.GRU(4), nn.LSTM(3, input_size=2),
            "GRU: the weights in the state_dict do not fit: 'recurrent_kernel' has shape (3, 12), it needs (4, 12)",
            id="GRU",
        ),
    ],
)  # fmt: skip
def test_an_unbuilt_layer_takes_no_weights_of_another_size(layer: Any, file: Any, message: str) -> None:
    with pytest.raises(WeightsError) as error:
        layer.load_state_dict(file.state_dict())
    assert str(error.value) == message


def test_an_unbuilt_cell_takes_its_weights_from_a_file() -> None:
    cell = nn.LSTMCell(3)
    cell.load_state_dict(nn.LSTM(3, input_size=2).state_dict())
    assert cell(torch.zeros(1, 2))[0].shape == (1, 3)


def test_hooks_of_a_model_in_a_model_are_called() -> None:
    inner = nn.Sequential([nn.Dense(2, input_dim=3)])
    called: list[Any] = []
    inner.register_forward_hook(lambda *_: called.append(1))
    nn.Sequential([inner, nn.Dense(1)])(torch.zeros(1, 3))
    assert called == [1]


def test_a_subclass_of_sequential_runs_its_own_forward() -> None:
    class Hundredfold(nn.Sequential):
        def forward(self, x: Any, mask: Any = None, generator: Any = None) -> Any:
            return 100 * super().forward(x, mask, generator)

    inner = Hundredfold([nn.Dense(1, input_dim=3, kernel_initializer="ones")])
    assert nn.Sequential([inner])(torch.ones(1, 3)).item() == 300


def test_trainable_can_be_set_later_and_reaches_what_is_inside() -> None:
    layer = nn.LSTM(3, input_size=2)
    layer.trainable = False
    assert not any(parameter.requires_grad for parameter in layer.parameters())
    late = nn.Dense(2)
    late.trainable = False
    late(torch.zeros(1, 3))
    assert not late.kernel.requires_grad
    model = nn.Sequential([nn.LSTM(3, input_size=2)])
    model.trainable = False
    assert not any(parameter.requires_grad for parameter in model.parameters())
    model.trainable = True
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_weights_that_no_memory_holds_are_named() -> None:
    config = rnnspec.loads("LSTM: {units: 100000000, input_shape: [10, 2]}")
    with pytest.raises(WeightsError) as error:
        rnnspec.build(config, device="cpu")
    assert str(error.value).splitlines()[0] == (
        "1:7: LSTM: LSTM: there is no memory for the weight 'recurrent_kernel' of shape (100000000, 400000000)"
    )


def test_a_constraint_along_an_axis_that_the_weight_lacks_is_an_error() -> None:
    constraint = nn.constraints.MaxNorm(axis=1)
    with pytest.raises(ShapeError) as error:
        nn.GRU(4, input_size=2, bias_constraint=constraint)
    assert str(error.value) == "GRU: the constraint of the weight 'bias' of shape (12,) has no axis 1 there"
    nn.GRU(4, input_size=2, bias_constraint=constraint, reset_after=True)


def test_an_unbuilt_layer_has_no_losses_and_disturbs_no_optimizer() -> None:
    layer = nn.LSTM(3, kernel_constraint="max_norm", kernel_regularizer="l2")
    other = nn.Dense(2, input_dim=2)
    optimizer = torch.optim.SGD([*layer.parameters(), *other.parameters()], lr=0.1)
    other(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    assert layer.losses == []


def test_a_model_that_inference_built_can_be_trained() -> None:
    model = nn.Sequential([nn.LSTM(3), nn.Dense(1)])
    with torch.inference_mode():
        model(X)
    model(X).sum().backward()
    assert model[0].kernel.grad is not None


@pytest.mark.parametrize("layer", [nn.LSTM(3, input_size=2), nn.Dense(3, input_dim=2)])
def test_autocast_leaves_float64_as_it_is_so_it_is_refused(layer: Any) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16), pytest.raises(DTypeError, match=r"the input has torch\.float64"):
        layer(X.double())


def test_bfloat16_weights_come_as_float32_arrays() -> None:
    layer = nn.LSTM(3, input_size=2, dtype=torch.bfloat16)
    weights = layer.get_weights()
    assert {weight.dtype.name for weight in weights} == {"float32"}
    layer.set_weights(weights)
    assert layer.kernel.dtype == torch.bfloat16


def test_a_negative_batch_size_is_refused_and_zero_is_not() -> None:
    layer = nn.LSTM(3, stateful=True, batch_input_shape=(2, 4, 2))
    with pytest.raises(StateError) as error:
        layer.reset_states(batch_size=-1)
    assert str(error.value) == "LSTM: batch_size must be 0 or more, found -1"
    layer.reset_states(batch_size=0)
    assert layer(X[:0]).shape == (0, 3)


def test_a_cell_has_a_plan() -> None:
    assert nn.LSTMCell(3, input_size=2).plan((4, 2)).engine == "cpu"
    assert nn.LSTMCell(3, input_size=2).plan(torch.zeros(4, 2)).engine == "cpu"


def test_time_distributed_holds_no_stateful_layer() -> None:
    with pytest.raises(StateError) as error:
        nn.TimeDistributed(nn.LSTM(2, stateful=True))
    assert str(error.value) == "TimeDistributed cannot hold a stateful layer, its steps are one batch; found LSTM"
    text = "TimeDistributed: {layer: {LSTM: {units: 2, stateful: true}}, batch_input_shape: [2, 3, 4, 5]}"
    with pytest.raises(StateError) as error:
        rnnspec.build(rnnspec.loads(text), device="cpu")
    assert str(error.value).splitlines()[0] == (
        "1:54: TimeDistributed.layer.LSTM.stateful: TimeDistributed cannot hold a stateful layer, "
        "its steps are one batch"
    )

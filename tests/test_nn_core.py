"""The layers around the recurrent ones: values, and the words of their errors."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from rnnspec.engines import activations
from rnnspec.errors import DTypeError, ShapeError
from rnnspec.nn import (
    Activation,
    ActivityRegularization,
    Dense,
    Dropout,
    Input,
    Masking,
    Sequential,
    SpatialDropout1D,
    Unmasking,
    regularizers,
)
from rnnspec.nn.base import Layer

# Input


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param({"shape": (10, 4)}, (None, 10, 4), id="shape"),
        pytest.param({"batch_shape": (8, None, 4)}, (8, None, 4), id="batch-shape"),
        pytest.param({"shape": (10, 4), "batch_shape": (8, 5, 4)}, (8, 5, 4), id="batch-shape-wins"),
        pytest.param({"input_shape": (10, 4)}, (None, 10, 4), id="input-shape"),
        pytest.param({"batch_input_shape": (8, 10, 4)}, (8, 10, 4), id="batch-input-shape"),
    ],
)
def test_input_declares_a_shape(arguments: dict[str, Any], expected: tuple[int | None, ...]) -> None:
    assert Input(**arguments).declared_input_shape == expected


def test_input_returns_what_comes_in() -> None:
    x = torch.randn(2, 10, 4)

    assert Input((None, 4))(x) is x


def test_input_fills_free_sizes_in() -> None:
    assert Input(batch_shape=(8, None, 4)).compute_output_shape((None, 5, None)) == (8, 5, 4)


def test_input_refuses_another_shape() -> None:
    with pytest.raises(ShapeError) as caught:
        Input((None, 4), name="x")(torch.zeros(2, 10, 5))

    assert str(caught.value) == "Input 'x' expects an input of shape (None, None, 4), found (2, 10, 5)"


def test_input_needs_a_shape() -> None:
    with pytest.raises(ShapeError) as caught:
        Input()

    assert str(caught.value) == "Input needs a shape or a batch_shape"


# Masking


def test_masking_masks_steps_that_hold_the_value_alone() -> None:
    x = torch.tensor([[[0.0, 0.0], [0.0, 1.0], [2.0, 0.0]], [[3.0, 3.0], [0.0, 0.0], [-0.0, 0.0]]])

    assert Masking().compute_mask(x, None).tolist() == [[False, True, True], [True, False, False]]
    assert torch.equal(Masking()(x), x)


@pytest.mark.parametrize("value", [-1.0, 0.1, torch.inf])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
def test_masked_steps_become_zero(value: float, dtype: torch.dtype) -> None:
    x = torch.tensor([[[value, value], [value, 0.0]]], dtype=dtype)

    assert Masking(value).compute_mask(x, None).tolist() == [[False, True]]
    assert torch.equal(Masking(value)(x), torch.tensor([[[0.0, 0.0], [value, 0.0]]], dtype=dtype))


def test_masking_replaces_a_mask_that_came_in() -> None:
    x = torch.ones(1, 3, 2)

    assert Masking().compute_mask(x, torch.zeros(1, 3, dtype=torch.bool)).tolist() == [[True, True, True]]


def test_unmasking_ends_a_mask() -> None:
    x = torch.ones(1, 3, 2)

    assert Unmasking()(x) is x
    assert Unmasking().compute_mask(x, torch.ones(1, 3, dtype=torch.bool)) is None


# Dense


def test_dense_is_an_affine_map_and_an_activation() -> None:
    layer = Dense(3, "relu", input_dim=2)
    layer.set_weights([torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), torch.tensor([-5.0, -7.0, -9.5])])

    assert layer(torch.tensor([[1.0, 1.0], [0.0, 2.0]])).tolist() == [[0.0, 0.0, 0.0], [3.0, 3.0, 2.5]]


def test_dense_acts_on_the_last_axis_of_any_rank() -> None:
    layer, x = Dense(3, input_shape=(4,)), torch.randn(2, 5, 6, 4)

    assert layer(x).shape == (2, 5, 6, 3)
    torch.testing.assert_close(layer(x)[:, 1, 2], layer(x[:, 1, 2]))


def test_dense_has_keras_initial_weights() -> None:
    kernel, bias = Dense(300, input_dim=200).get_weights()

    assert kernel.shape == (200, 300)
    assert abs(kernel).max() == pytest.approx((6 / 500) ** 0.5, rel=1e-3)
    assert (bias == 0.0).all()


def test_dense_without_a_bias_has_one_weight() -> None:
    layer = Dense(3, use_bias=False, input_dim=2)

    assert layer.bias is None
    assert list(layer.state_dict()) == ["kernel"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param({"input_dim": 5}, (None, 5), id="input-dim"),
        pytest.param({"input_shape": (7, 4), "input_dim": 5}, (None, 7, 4), id="input-shape-wins"),
        pytest.param({"batch_input_shape": (2, 4), "input_dim": 5}, (2, 4), id="batch-input-shape-wins"),
    ],
)
def test_dense_declares_its_input(arguments: dict[str, Any], expected: tuple[int | None, ...]) -> None:
    layer = Dense(3, **arguments)

    assert layer.declared_input_shape == expected
    assert layer.kernel.shape == (expected[-1], 3)


def test_dense_takes_weights_regularizers_and_constraints() -> None:
    layer = Dense(
        2,
        kernel_regularizer="l1",
        bias_regularizer="l2",
        activity_regularizer="l2",
        kernel_constraint="non_neg",
        bias_constraint="max_norm",
        weights=[torch.tensor([[1.0, -2.0]]), torch.tensor([3.0, 4.0])],
        input_dim=1,
    )
    layer(torch.tensor([[1.0]]))
    losses = [loss.item() for loss in layer.losses]
    layer.apply_constraints()

    assert losses == pytest.approx([0.03, 0.25, 0.2])
    assert layer.kernel.tolist() == [[1.0, 0.0]]
    assert layer.get_weights()[1].tolist() == pytest.approx([1.2, 1.6], rel=1e-6)


def test_dense_runs_under_autocast_in_its_dtype() -> None:
    layer = Dense(3, input_dim=2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(torch.randn(4, 2)).dtype == torch.bfloat16
        assert layer(torch.randn(4, 2, dtype=torch.bfloat16)).dtype == torch.bfloat16


# Activation


def test_activation_applies_its_function() -> None:
    x = torch.randn(2, 3)

    assert torch.equal(Activation("hard_sigmoid")(x), activations.hard_sigmoid(x))
    assert torch.equal(Activation(torch.sin)(x), torch.sin(x))
    assert Activation(None)(x) is x


# Dropout


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_dropout_of_nothing_or_of_all_is_no_dropout(rate: float) -> None:
    x = torch.randn(2, 3)

    assert Dropout(rate)(x) is x


def test_dropout_does_nothing_in_eval_mode() -> None:
    x = torch.randn(2, 3)

    assert Dropout(0.5).eval()(x) is x


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
def test_dropout_drops_and_scales(dtype: torch.dtype) -> None:
    output = Dropout(0.2)(torch.ones(100, 100, dtype=dtype))

    assert sorted(set(output.flatten().tolist())) == [0.0, torch.tensor(1 / 0.8, dtype=dtype).item()]
    assert (output == 0.0).double().mean().item() == pytest.approx(0.2, abs=0.02)


def test_dropout_draws_anew_each_call() -> None:
    layer, x = Dropout(0.5), torch.ones(8, 8)

    assert not torch.equal(layer(x), layer(x))


def test_a_seed_makes_the_sequence_of_masks_reproducible() -> None:
    x = torch.ones(8, 8)
    layers = Dropout(0.5, seed=3), Dropout(0.5, seed=3)
    first = [layers[0](x) for _ in range(2)]
    torch.rand(5)
    second = [layers[1](x) for _ in range(2)]

    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
    assert not torch.equal(first[0], first[1])


def test_a_generator_wins_over_the_seed() -> None:
    layer, x = Dropout(0.5, seed=3), torch.ones(8, 8)
    first, second = (layer(x, generator=torch.Generator().manual_seed(5)) for _ in range(2))

    assert torch.equal(first, second)
    assert not torch.equal(first, Dropout(0.5, seed=3)(x))


@pytest.mark.parametrize("noise", [(None, 1, None), (4, 1, 6), [None, 1, 6]], ids=str)
def test_noise_shape_shares_a_mask_along_an_axis(noise: Any) -> None:
    output = Dropout(0.5, noise_shape=noise)(torch.ones(4, 5, 6))

    assert torch.equal(output, output[:, :1].expand(4, 5, 6))
    assert 0 < int((output[:, 0] == 0.0).sum()) < 24


# SpatialDropout1D


def test_spatial_dropout_drops_whole_features() -> None:
    output = SpatialDropout1D(0.25)(torch.ones(40, 5, 30))

    assert torch.equal(output, output[:, :1].expand(40, 5, 30))
    assert sorted(set(output.flatten().tolist())) == [0.0, torch.tensor(1 / 0.75).item()]
    assert (output[:, 0] == 0.0).double().mean().item() == pytest.approx(0.25, abs=0.03)
    assert not torch.equal(output[0], output[1])


def test_spatial_dropout_is_dropout_with_a_noise_shape() -> None:
    x = torch.randn(4, 5, 6)
    ours, dropout = SpatialDropout1D(0.5, seed=3), Dropout(0.5, (None, 1, None), seed=3)

    assert torch.equal(ours(x), dropout(x))
    assert torch.equal(ours(x), dropout(x))


def test_spatial_dropout_ignores_a_noise_shape() -> None:
    x = torch.randn(4, 5, 6)

    assert torch.equal(SpatialDropout1D(0.5, (1, 1, 1), seed=3)(x), SpatialDropout1D(0.5, seed=3)(x))


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_spatial_dropout_of_nothing_or_of_all_is_no_dropout(rate: float) -> None:
    x = torch.randn(2, 3, 4)

    assert SpatialDropout1D(rate)(x) is x
    assert SpatialDropout1D(0.5).eval()(x) is x


# ActivityRegularization


def test_activity_regularization_adds_sums_that_are_not_divided_by_the_batch() -> None:
    layer, x = ActivityRegularization(0.5, 0.25), torch.tensor([[1.0, -2.0], [3.0, 0.0]], requires_grad=True)

    assert layer(x) is x
    (loss,) = layer.losses
    assert loss.item() == 0.5 * 6.0 + 0.25 * 14.0
    (gradient,) = torch.autograd.grad(loss, x)
    assert gradient.tolist() == [[0.5 + 0.5, -0.5 - 1.0], [0.5 + 1.5, 0.0]]


def test_activity_regularization_equals_an_activity_regularizer() -> None:
    x = torch.randn(4, 3)
    dense = Dense(2, activity_regularizer=regularizers.L1L2(0.1, 0.2), input_dim=3)
    model = Sequential([Dense(2, input_dim=3), ActivityRegularization(0.1, 0.2)])
    model.set_weights(dense.get_weights())

    assert torch.equal(model(x), dense(x))
    assert torch.equal(model.losses[0], dense.losses[0])


def test_activity_regularization_without_factors_adds_zero() -> None:
    layer = ActivityRegularization()
    layer(torch.ones(2, 3))

    assert [loss.item() for loss in layer.losses] == [0.0]


# Errors

X = torch.zeros(2, 3)


@pytest.mark.parametrize(
    ("layer", "x", "kind", "message"),
    [
        pytest.param(
            Dense(3, name="out"),
            torch.zeros(2),
            ShapeError,
            "Dense 'out' expects an input of shape (batch, ..., features), found (2,)",
            id="dense-rank",
        ),
        pytest.param(Dense(3, input_dim=4), X, ShapeError, "Dense expects 4 features, found 3", id="dense-features"),
        pytest.param(
            Dense(3, input_dim=3),
            X.double(),
            DTypeError,
            "Dense has weights of dtype torch.float32, the input has torch.float64",
            id="dense-dtype",
        ),
        pytest.param(
            Dense(3, input_dim=3),
            X.long(),
            DTypeError,
            "Dense has weights of dtype torch.float32, the input has torch.int64",
            id="dense-ids",
        ),
        pytest.param(
            Dropout(0.5, (None, 1, 4)),
            X,
            ShapeError,
            "Dropout: the noise_shape (None, 1, 4) does not fit an input of shape (2, 3)",
            id="noise-rank",
        ),
        pytest.param(
            Dropout(0.5, (2, 2)),
            X,
            ShapeError,
            "Dropout: the noise_shape (2, 2) does not fit an input of shape (2, 3)",
            id="noise-size",
        ),
        pytest.param(
            SpatialDropout1D(0.5, name="drop").eval(),
            X,
            ShapeError,
            "SpatialDropout1D 'drop': expected an input of rank 3, (batch, time, features), found (2, 3)",
            id="spatial-rank",
        ),
    ],
)
def test_an_input_that_does_not_fit(layer: Layer, x: Tensor, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        layer(x)

    assert str(caught.value) == message


def test_ids_are_refused_under_autocast_too() -> None:
    with pytest.raises(DTypeError), torch.autocast("cpu", dtype=torch.bfloat16):
        Dense(3, input_dim=3)(X.long())


def test_dense_cannot_be_built_without_a_number_of_features() -> None:
    with pytest.raises(ShapeError) as caught:
        Dense(3, input_shape=(10, None))

    assert str(caught.value) == "Dense: expected a known number of features, found (None, 10, None)"


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (Input((4,)), "Input()"),
        (Masking(0.5), "Masking(mask_value=0.5)"),
        (Dense(3), "Dense(? -> 3, activation=linear)"),
        (Dense(3, "relu", input_dim=2), "Dense(2 -> 3, activation=relu)"),
        (Activation("tanh"), "Activation(tanh)"),
        (Dropout(0.5), "Dropout(rate=0.5)"),
        (Dropout(0.5, (None, 1)), "Dropout(rate=0.5, noise_shape=(None, 1))"),
        (SpatialDropout1D(0.5), "SpatialDropout1D(rate=0.5)"),
        (ActivityRegularization(0.1), "ActivityRegularization(l1=0.1, l2=0.0)"),
    ],
    ids=str,
)
def test_repr(layer: Layer, text: str) -> None:
    assert repr(layer) == text

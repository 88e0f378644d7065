"""Both normalizations: values, moving averages and gradients against NumPy and torch's own, weights, errors."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from rnnspec.errors import DTypeError, ShapeError, WeightsError
from rnnspec.nn import LSTM, BatchNormalization, Dense, Embedding, LayerNormalization, Rescaling, Sequential

X = 2.0 * torch.randn(6, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) + 1.0
WEIGHTS = [np.array(row, dtype=float) for row in ([1, 2, -1, 0.5], [0.1, 0, -3, 2], [1, 0, -1, 2], [0.5, 1, 2, 4])]


def ready(**options: Any) -> BatchNormalization:
    """A layer whose four weights all matter."""
    return BatchNormalization(**options, weights=WEIGHTS, dtype=torch.float64, input_shape=(5, 4))


def test_a_call_in_training_normalizes_by_the_batch() -> None:
    x, (gamma, beta, *_) = X.numpy(), WEIGHTS
    mean, variance = x.mean((0, 1)), x.var((0, 1))
    expected = gamma * (x - mean) / np.sqrt(variance + 1e-3) + beta

    np.testing.assert_allclose(ready()(X).detach(), expected, rtol=1e-12, atol=1e-12)


def test_averages_move_towards_the_batch_by_what_momentum_leaves() -> None:
    layer, x = ready(momentum=0.9), X.numpy()
    for _ in range(2):
        layer(X)
    mean, variance = WEIGHTS[2:]
    for _ in range(2):
        mean, variance = 0.9 * mean + 0.1 * x.mean((0, 1)), 0.9 * variance + 0.1 * x.var((0, 1))

    np.testing.assert_allclose(layer.moving_mean, mean, rtol=1e-12)
    np.testing.assert_allclose(layer.moving_variance, variance, rtol=1e-12)


def test_a_call_in_evaluation_normalizes_by_the_averages_and_leaves_them() -> None:
    layer, (gamma, beta, mean, variance) = ready(epsilon=0.1).eval(), WEIGHTS
    expected = gamma * (X.numpy() - mean) / np.sqrt(variance + 0.1) + beta

    np.testing.assert_allclose(layer(X).detach(), expected, rtol=1e-12, atol=1e-12)
    assert all(np.array_equal(found, weight) for found, weight in zip(layer.get_weights(), WEIGHTS, strict=True))


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_values_and_gradients_are_those_of_torch(training: bool) -> None:
    ours, theirs = ready().train(training), torch.nn.BatchNorm1d(4, eps=1e-3, dtype=torch.float64).train(training)
    with torch.no_grad():
        pairs = (theirs.weight, theirs.bias, theirs.running_mean, theirs.running_var)
        for weight, value in zip(pairs, WEIGHTS, strict=True):
            assert weight is not None
            weight.copy_(torch.tensor(value))
    x = X.clone().requires_grad_()
    found, expected = ours(x), theirs(x.transpose(1, 2)).transpose(1, 2)

    torch.testing.assert_close(found, expected)
    assert ours.gamma is not None
    torch.testing.assert_close(
        torch.autograd.grad(found.pow(3).sum(), [x, ours.gamma]),
        torch.autograd.grad(expected.pow(3).sum(), [x, theirs.weight]),
    )


def test_the_gradients_in_training_are_right() -> None:
    layer = ready()

    def call(x: Tensor) -> Tensor:
        output: Tensor = copy.deepcopy(layer)(x)
        return output

    assert torch.autograd.gradcheck(call, (X.clone().requires_grad_(),))


@pytest.mark.parametrize(("axis", "kept"), [(-1, 2), (2, 2), ([2], 2), (1, 1), (-2, 1)], ids=str)
def test_the_features_may_be_at_any_axis(axis: Any, kept: int) -> None:
    layer, x = BatchNormalization(axis, dtype=torch.float64), X.numpy()
    others = (0, 3 - kept)
    expected = (x - x.mean(others, keepdims=True)) / np.sqrt(x.var(others, keepdims=True) + 1e-3)

    np.testing.assert_allclose(layer(X).detach(), expected, rtol=1e-12, atol=1e-12)
    assert layer.moving_mean.shape == (x.shape[kept],)


@pytest.mark.parametrize("shape", [(6, 4), (2, 3, 5, 4)], ids=str)
def test_an_input_may_have_any_rank(shape: tuple[int, ...]) -> None:
    x = torch.randn(shape, dtype=torch.float64)
    rows = x.reshape(-1, 4)
    layer = BatchNormalization(dtype=torch.float64)

    torch.testing.assert_close(layer(x).reshape(-1, 4), copy.deepcopy(layer)(rows))


def test_one_row_has_no_variance_and_gives_the_offset() -> None:
    layer = BatchNormalization(beta_initializer="ones")

    torch.testing.assert_close(layer(torch.tensor([[3.0, -2.0]])), torch.ones(1, 2), rtol=0.0, atol=1e-5)
    assert layer.moving_variance.tolist() == pytest.approx([0.99, 0.99])


def test_no_row_leaves_the_averages() -> None:
    layer = BatchNormalization()

    assert layer(torch.zeros(0, 3)).shape == (0, 3)
    assert layer.moving_mean.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("scale", [True, False])
def test_scale_and_offset_may_be_left_out(center: bool, scale: bool) -> None:
    layer = BatchNormalization(center=center, scale=scale, gamma_initializer="zeros", beta_initializer="ones")
    output = layer(X.float())

    names = ["gamma"] * scale + ["beta"] * center + ["moving_mean", "moving_variance"]
    assert list(layer.named_weights()) == names
    assert len(layer.get_weights()) == len(names)
    expected = torch.full_like(output, float(center))
    assert torch.equal(output, expected) == scale


def test_the_averages_are_weights_in_keras_order_and_no_parameters() -> None:
    model = Sequential([Dense(4, input_shape=(5, 4)), BatchNormalization(), Dense(1)])

    assert [name.partition(".")[2] for name in model.named_weights()] == [
        "kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance", "kernel", "bias",
    ]  # fmt: skip
    assert [name for name, _ in model.named_parameters()] == [
        "0.kernel", "0.bias", "1.gamma", "1.beta", "2.kernel", "2.bias",
    ]  # fmt: skip
    given = [np.full_like(weight, index) for index, weight in enumerate(model.get_weights())]
    model.set_weights(given)
    assert [weight.flat[0] for weight in model.get_weights()] == list(range(8))


def test_a_layer_that_is_not_trained_still_follows_its_batches() -> None:
    layer = BatchNormalization(trainable=False, input_shape=(5, 4), dtype=torch.float64)
    before = layer.moving_mean.clone()
    layer(X)

    assert not any(parameter.requires_grad for parameter in layer.parameters())
    assert not torch.equal(layer.moving_mean, before)


def test_every_weight_has_an_initializer_and_the_trained_ones_losses_and_constraints() -> None:
    layer = BatchNormalization(
        -1, 0.5, 0.0, True, True, "ones", "ones", "ones", "zeros", "l1", "l2",
        "non_neg", "max_norm", input_shape=(3,),
    )  # fmt: skip

    assert [weight.tolist() for weight in layer.get_weights()] == [[1.0] * 3] * 3 + [[0.0] * 3]
    assert [loss.item() for loss in layer.losses] == pytest.approx([0.03, 0.03])
    layer.set_weights([np.full(3, -2.0), np.full(3, -2.0), np.full(3, -2.0), np.full(3, -2.0)])
    layer.apply_constraints()
    assert layer.beta is not None
    assert layer.beta.tolist() == [0.0] * 3
    assert layer.moving_mean.tolist() == [-2.0] * 3


def test_reset_parameters_resets_the_averages() -> None:
    layer = ready()
    layer.reset_parameters()

    assert [weight.tolist() for weight in layer.get_weights()] == [[1.0] * 4, [0.0] * 4, [0.0] * 4, [1.0] * 4]


@pytest.mark.parametrize(
    ("axis", "shape"), [(-1, (None, 4)), (2, (None, None, 4)), (-2, (None, 4, None)), (1, (None, 4))], ids=str
)
def test_an_unbuilt_layer_takes_its_shape_from_a_state_dict(axis: int, shape: Any) -> None:
    layer = BatchNormalization(axis)
    layer.load_state_dict({name: torch.ones(4) for name in ("gamma", "beta", "moving_mean", "moving_variance")})

    assert layer.built
    assert layer.known_input_shape == shape


def test_a_layer_moves_and_is_copied_before_it_is_built() -> None:
    layer = copy.deepcopy(BatchNormalization()).to(torch.float64)

    assert layer(X).dtype == torch.float64
    assert layer.moving_mean.dtype == torch.float64


def test_a_mask_goes_on_and_masked_steps_count_in_the_mean() -> None:
    embedding, norm, lstm = Embedding(9, 4, mask_zero=True), BatchNormalization(), LSTM(3)
    ids = torch.tensor([[3, 5, 0], [2, 0, 0]])
    model = Sequential([embedding, norm, lstm])
    output = model(ids)
    mean = embedding(ids).mean((0, 1))

    torch.testing.assert_close(norm.moving_mean, 0.01 * mean)
    x = torch.nn.functional.batch_norm(embedding(ids).flatten(0, 1), None, None, training=True, eps=1e-3)
    torch.testing.assert_close(output, lstm(x.reshape(2, 3, 4), mask=ids != 0))


# LayerNormalization


@pytest.mark.parametrize(
    ("axis", "axes"), [(-1, (2,)), (1, (1,)), ([1, 2], (1, 2)), ((-1, -2), (1, 2)), ([2], (2,))], ids=str
)
def test_a_layer_normalizes_over_its_axes(axis: Any, axes: tuple[int, ...]) -> None:
    layer, x = LayerNormalization(axis, dtype=torch.float64), X.numpy()
    output = layer(X)
    shape = [x.shape[place] for place in (axis if isinstance(axis, (list, tuple)) else [axis])]
    assert [tuple(weight.shape) for weight in layer.named_weights().values()] == [tuple(shape)] * 2
    gamma, beta = (np.linspace(start, 2, np.prod(shape)).reshape(shape) for start in (-1, 0))
    layer.set_weights([gamma, beta])
    spread = [x.shape[place] if place in axes else 1 for place in range(3)]
    normed = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-3)

    np.testing.assert_allclose(output.detach(), normed, rtol=1e-12, atol=1e-12)
    expected = normed * gamma.reshape(spread) + beta.reshape(spread)
    np.testing.assert_allclose(layer(X).detach(), expected, rtol=1e-12, atol=1e-12)


def test_a_layer_normalizes_as_torchs_does_gradients_too() -> None:
    x = X.clone().requires_grad_()
    ours = LayerNormalization(epsilon=1e-5, dtype=torch.float64, weights=WEIGHTS[:2], input_shape=(5, 4))
    theirs = torch.nn.LayerNorm(4, dtype=torch.float64)
    theirs.load_state_dict({"weight": torch.tensor(WEIGHTS[0]), "bias": torch.tensor(WEIGHTS[1])})
    found, expected = ours(x), theirs(x)

    torch.testing.assert_close(found, expected)
    assert ours.gamma is not None
    torch.testing.assert_close(
        torch.autograd.grad(found.pow(3).sum(), [x, ours.gamma]),
        torch.autograd.grad(expected.pow(3).sum(), [x, theirs.weight]),
    )


@pytest.mark.parametrize("names", [[], ["gamma"], ["beta"], ["gamma", "beta"]], ids=str)
def test_a_layer_may_do_without_scale_and_offset(names: list[str]) -> None:
    layer = LayerNormalization(
        center="beta" in names, scale="gamma" in names, gamma_initializer="zeros", beta_initializer="ones"
    )
    output = layer(X.float())

    assert list(layer.named_weights()) == names
    assert torch.equal(output, torch.full_like(output, float("beta" in names))) == ("gamma" in names)


def test_a_layer_is_normal_in_training_and_in_evaluation() -> None:
    layer = LayerNormalization(dtype=torch.float64)

    assert torch.equal(layer(X), layer.eval()(X))


@pytest.mark.parametrize(("axis", "shape"), [(-1, (None, 3)), ([1, 2], (None, 3, 4)), (2, (None, None, 3))], ids=str)
def test_an_unbuilt_layer_normalization_takes_its_shape_from_a_state_dict(axis: Any, shape: Any) -> None:
    layer, sizes = LayerNormalization(axis), (3, 4) if isinstance(axis, list) else (3,)
    layer.load_state_dict({"gamma": torch.ones(sizes), "beta": torch.ones(sizes)})

    assert layer.known_input_shape == shape


# Errors


@pytest.mark.parametrize(
    ("layer", "x", "kind", "message"),
    [
        pytest.param(
            BatchNormalization(input_shape=(4,), name="b"), torch.zeros(2, 3), ShapeError,
            "BatchNormalization 'b': its gamma has the shape (4,), an input (2, 3) needs (3,)", id="features",
        ),
        pytest.param(
            BatchNormalization(3), torch.zeros(2, 3), ShapeError,
            "BatchNormalization: axis 3 is none of an input's, found (2, 3)", id="axis",
        ),
        pytest.param(
            BatchNormalization(0), torch.zeros(2, 3), ShapeError,
            "BatchNormalization: axis 0 is none of an input's, found (2, 3)\n  hint: the axis 0 is the batch's",
            id="batch",
        ),
        pytest.param(
            BatchNormalization(-2), torch.zeros(2, 3), ShapeError,
            "BatchNormalization: axis -2 is none of an input's, found (2, 3)\n  hint: the axis -2 is the batch's",
            id="batch-from-the-end",
        ),
        pytest.param(
            LayerNormalization([2, -1], center=False, scale=False, name="l"), torch.zeros(2, 3, 4), ShapeError,
            "LayerNormalization 'l': axis (2, -1) names one twice, found (2, 3, 4)", id="twice",
        ),
        pytest.param(
            LayerNormalization(input_shape=(4,)), torch.zeros(2, 3), ShapeError,
            "LayerNormalization: its gamma has the shape (4,), an input (2, 3) needs (3,)", id="layer-features",
        ),
        pytest.param(
            LayerNormalization(scale=False, input_shape=(4,)), torch.zeros(2, 4).double(), DTypeError,
            "LayerNormalization has weights of dtype torch.float32, the input has torch.float64", id="layer-dtype",
        ),
        pytest.param(
            BatchNormalization(input_shape=(4,)), torch.zeros(2, 4).double(), DTypeError,
            "BatchNormalization has weights of dtype torch.float32, the input has torch.float64", id="dtype",
        ),
    ],
)  # fmt: skip
def test_an_input_that_does_not_fit(layer: Any, x: Tensor, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        layer(x)

    assert str(caught.value) == message


def test_the_size_at_the_axis_must_be_known() -> None:
    with pytest.raises(ShapeError) as caught:
        BatchNormalization(1, input_shape=(None, 3))

    assert str(caught.value) == ("BatchNormalization: expected a known size at the axis 1, found (None, None, 3)")


def test_a_layer_without_its_weights_says_so() -> None:
    with pytest.raises(WeightsError, match="has no weights yet"):
        BatchNormalization(center=False, scale=False).get_weights()


def test_weights_that_do_not_fit() -> None:
    with pytest.raises(WeightsError) as caught:
        BatchNormalization(weights=WEIGHTS[:2], input_shape=(4,))

    names = "gamma, beta, moving_mean, moving_variance"
    assert str(caught.value) == f"BatchNormalization has 4 weights ({names}), it was given 2"


def test_repr() -> None:
    assert repr(LayerNormalization([1, 2])) == "LayerNormalization(axis=(1, 2), epsilon=0.001)"
    assert repr(BatchNormalization()) == "BatchNormalization(axis=-1, momentum=0.99, epsilon=0.001)"


# Rescaling


def test_rescaling_multiplies_and_adds() -> None:
    y = Rescaling(2, -0.5)(torch.tensor([[1.0, -3.0]]))
    assert y.tolist() == [[1.5, -6.5]]


def test_repr_of_rescaling() -> None:
    assert repr(Rescaling(2, 1.5)) == "Rescaling(scale=2.0, offset=1.5)"

"""The layers that are activations: values and gradients against the definitions and torch's own, errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from rnnspec.errors import DTypeError, ShapeError, WeightsError
from rnnspec.nn import ELU, GRU, Embedding, LeakyReLU, PReLU, ReLU, Sequential, Softmax, ThresholdedReLU
from rnnspec.nn.base import Layer

X = torch.tensor([-100.0, -2.0, -1.0, -0.25, 0.0, 0.25, 1.0, 1.5, 100.0], dtype=torch.float64)


def slopes(*shape: int) -> Tensor:
    """Slopes for a PReLU, all different."""
    return torch.linspace(-0.5, 1.5, math.prod(shape), dtype=torch.float64).reshape(shape)


def relu(x: float, most: float = math.inf, slope: float = 0.0, threshold: float = 0.0) -> float:
    """K.relu of Keras 2.2.4."""
    return min(x, most) if x > threshold else slope * (x - threshold)


# The definitions of Keras 2.0.8, number by number; of ReLU that of 2.2.4.
DEFINITIONS: dict[str, tuple[Layer, Callable[[float], float]]] = {
    "leaky-relu": (LeakyReLU(), lambda x: 0.3 * x if x < 0 else x),
    "leaky-relu-steep": (LeakyReLU(-2), lambda x: -2 * x if x < 0 else x),
    "leaky-relu-flat": (LeakyReLU(0), lambda x: max(x, 0.0)),
    "elu": (ELU(), lambda x: math.expm1(x) if x < 0 else x),
    "elu-alpha": (ELU(0.1), lambda x: 0.1 * math.expm1(x) if x < 0 else x),
    "thresholded-relu": (ThresholdedReLU(), lambda x: x if x > 1 else 0.0),
    "relu": (ReLU(), relu),
    "relu-6": (ReLU(6), lambda x: relu(x, most=6)),
    "relu-slope": (ReLU(negative_slope=0.2), lambda x: relu(x, slope=0.2)),
    "relu-threshold": (ReLU(threshold=1), lambda x: relu(x, threshold=1)),
    "relu-all": (ReLU(1.25, 0.1, 0.25), lambda x: relu(x, 1.25, 0.1, 0.25)),
    "relu-nothing": (ReLU(0), lambda x: 0.0),
    "thresholded-relu-below": (ThresholdedReLU(-1), lambda x: x if x > -1 else 0.0),
}


@pytest.mark.parametrize(("layer", "definition"), DEFINITIONS.values(), ids=DEFINITIONS)
def test_every_number_is_that_of_the_definition(layer: Layer, definition: Callable[[float], float]) -> None:
    expected = torch.tensor([definition(x) for x in X.tolist()], dtype=torch.float64)

    torch.testing.assert_close(layer(X), expected, rtol=1e-15, atol=0.0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize(
    ("layer", "peer"),
    [
        pytest.param(LeakyReLU(0.2), lambda x: functional.leaky_relu(x, 0.2), id="leaky-relu"),
        pytest.param(ELU(0.5), lambda x: functional.elu(x, 0.5), id="elu"),
        pytest.param(ThresholdedReLU(0.5), lambda x: functional.threshold(x, 0.5, 0.0), id="thresholded-relu"),
    ],
)
def test_values_and_gradients_are_those_of_torch(
    layer: Layer, peer: Callable[[Tensor], Tensor], dtype: torch.dtype
) -> None:
    x = torch.randn(20, 30).to(dtype).requires_grad_()
    ours, theirs = layer(x), peer(x)

    assert ours.dtype == dtype
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(
        torch.autograd.grad(ours.square().sum(), x), torch.autograd.grad(theirs.square().sum(), x)
    )


@pytest.mark.parametrize(
    ("layer", "derivative"),
    [
        # tf.nn.relu has the derivative 0 at 0, and LeakyReLU and PReLU are made of it; tf.nn.elu has 1 there.
        pytest.param(LeakyReLU(0.3), 0.0, id="leaky-relu"),
        pytest.param(PReLU("ones"), 0.0, id="prelu"),
        pytest.param(ReLU(6.0, 0.3), 0.0, id="relu"),
        pytest.param(ELU(), 1.0, id="elu"),
        pytest.param(ELU(0.5), 0.5, id="elu-alpha"),
        pytest.param(ThresholdedReLU(0.0), 0.0, id="thresholded-relu"),
    ],
)
def test_the_derivative_at_the_corner_is_that_of_keras(layer: Layer, derivative: float) -> None:
    x = torch.zeros(1, 1, requires_grad=True)
    layer(x).backward()

    assert x.grad is not None
    assert x.grad.item() == derivative


@pytest.mark.parametrize("axis", [-1, 1, 0, [2]], ids=str)
def test_softmax_sums_to_one_along_its_axis(axis: Any) -> None:
    x, place = torch.randn(2, 3, 4, dtype=torch.float64), axis[0] if isinstance(axis, list) else axis
    expected = x.exp() / x.exp().sum(place, keepdim=True)

    torch.testing.assert_close(Softmax(axis)(x), expected)


# PReLU


@pytest.mark.parametrize("features", [1, 3])
def test_prelu_over_the_features_equals_torchs(features: int) -> None:
    x = torch.randn(4, 5, features, dtype=torch.float64, requires_grad=True)
    layer = PReLU(shared_axes=1, dtype=torch.float64, input_shape=(None, features))
    layer.set_weights([slopes(1, features)])
    # torch counts the features on the second axis.
    weight = slopes(features).requires_grad_()
    theirs = functional.prelu(x.transpose(1, 2), weight).transpose(1, 2)
    ours = layer(x)

    assert torch.equal(ours, theirs)
    gradients = torch.autograd.grad(ours.square().sum(), [x, layer.alpha])
    expected = torch.autograd.grad(theirs.square().sum(), [x, weight])
    torch.testing.assert_close(gradients[0], expected[0])
    torch.testing.assert_close(gradients[1].flatten(), expected[1])


@pytest.mark.parametrize(
    ("shared", "shape"),
    [(None, (5, 3)), (1, (1, 3)), (2, (5, 1)), ([1, 2], (1, 1)), ((), (5, 3))],
    ids=["none", "time", "features", "both", "empty"],
)
def test_prelu_has_a_slope_at_every_place_that_is_not_shared(shared: Any, shape: tuple[int, ...]) -> None:
    x = torch.randn(4, 5, 3, dtype=torch.float64)
    layer = PReLU(shared_axes=shared, dtype=torch.float64)
    layer.build((None, 5, 3))
    layer.set_weights([slopes(*shape)])
    expected = x.clone()
    for row, time, feature in (x < 0).nonzero().tolist():
        place = time if shape[0] > 1 else 0, feature if shape[1] > 1 else 0
        expected[row, time, feature] *= slopes(*shape)[place]

    torch.testing.assert_close(layer(x), expected)


def test_prelu_starts_as_relu() -> None:
    layer = PReLU(input_shape=(3,))

    assert layer.alpha.tolist() == [0.0, 0.0, 0.0]
    assert layer(torch.tensor([[-1.0, 0.0, 2.0]])).tolist() == [[0.0, 0.0, 2.0]]


def test_the_gradients_of_prelu_are_right() -> None:
    layer = PReLU(shared_axes=1, dtype=torch.float64, input_shape=(None, 3))
    x = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)

    def call(x: Tensor, alpha: Tensor) -> Tensor:
        output: Tensor = torch.func.functional_call(layer, {"alpha": alpha}, (x,))  # type: ignore[no-untyped-call]
        return output

    alpha = slopes(1, 3).requires_grad_()
    assert torch.autograd.gradcheck(call, (x, alpha))
    assert torch.autograd.gradgradcheck(call, (x, alpha))


def test_prelu_takes_an_initializer_a_regularizer_and_a_constraint() -> None:
    layer = PReLU("ones", "l2", "non_neg", input_shape=(2,))
    assert [loss.item() for loss in layer.losses] == pytest.approx([0.02])

    layer.set_weights([torch.tensor([-1.0, 2.0])])
    layer.apply_constraints()
    assert layer.alpha.tolist() == [0.0, 2.0]


def test_slopes_that_are_shared_over_time_take_any_length() -> None:
    model = Sequential([GRU(3, return_sequences=True, input_shape=(None, 2)), PReLU(shared_axes=[1])])

    assert model.output_shape == (None, None, 3)
    assert [model(torch.randn(2, time, 2)).shape for time in (1, 7)] == [(2, 1, 3), (2, 7, 3)]


def test_an_unbuilt_prelu_takes_its_shape_from_a_state_dict() -> None:
    layer = PReLU(shared_axes=1)
    layer.load_state_dict({"alpha": slopes(1, 3)})

    assert layer.built
    assert layer.known_input_shape == (None, None, 3)
    assert layer(torch.randn(2, 7, 3)).shape == (2, 7, 3)


def test_a_state_dict_of_slopes_that_are_not_shared_is_refused() -> None:
    with pytest.raises(WeightsError) as caught:
        PReLU(shared_axes=1).load_state_dict({"alpha": slopes(5, 3)})

    message = "the weights in the state_dict do not fit: 'alpha' has shape (5, 3), it needs (1, 3)"
    assert str(caught.value) == f"PReLU: {message}"


@pytest.mark.parametrize(
    "layer", [LeakyReLU(), PReLU(shared_axes=1), ELU(), ThresholdedReLU(), Softmax(), ReLU()], ids=str
)
def test_a_mask_goes_on_to_the_next_layer(layer: Layer) -> None:
    embedding, gru = Embedding(9, 4, mask_zero=True), GRU(3)
    ids = torch.tensor([[3, 5, 0], [2, 0, 0]])
    model = Sequential([embedding, layer, gru])

    assert torch.equal(model(ids), gru(layer(embedding(ids)), mask=ids != 0))


# Errors

TWO_AXES = PReLU(input_shape=(5, 3), name="p")


@pytest.mark.parametrize(
    ("layer", "x", "kind", "message"),
    [
        pytest.param(
            TWO_AXES, torch.zeros(2, 6, 3), ShapeError,
            "PReLU 'p': its alpha has the shape (5, 3), an input (2, 6, 3) needs (6, 3)", id="size",
        ),
        pytest.param(
            TWO_AXES, torch.zeros(2, 3), ShapeError,
            "PReLU 'p': its alpha has the shape (5, 3), an input (2, 3) needs (3,)", id="rank",
        ),
        pytest.param(
            Softmax(3), torch.zeros(2, 3), ShapeError, "Softmax: axis 3 is none of an input's, found (2, 3)",
            id="softmax",
        ),
        pytest.param(
            PReLU(shared_axes=2), torch.zeros(2, 3), ShapeError,
            "PReLU: shared_axes holds the axis 2, which an input (2, 3) does not have", id="axis",
        ),
        pytest.param(
            TWO_AXES, torch.zeros(2, 5, 3).double(), DTypeError,
            "PReLU 'p' has weights of dtype torch.float32, the input has torch.float64", id="dtype",
        ),
    ],
)  # fmt: skip
def test_an_input_that_does_not_fit(layer: Layer, x: Tensor, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        layer(x)

    assert str(caught.value) == message


def test_slopes_over_a_free_length_must_be_shared() -> None:
    with pytest.raises(ShapeError) as caught:
        PReLU(input_shape=(None, 3))

    assert str(caught.value) == (
        "PReLU: expected a known size at every axis that is not shared, found (None, None, 3)\n"
        "  hint: share the slopes along the axis: shared_axes: [1]"
    )


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (LeakyReLU(), "LeakyReLU(alpha=0.3)"),
        (PReLU(), "PReLU()"),
        (PReLU(shared_axes=[1, 2]), "PReLU(shared_axes=(1, 2))"),
        (ELU(2), "ELU(alpha=2.0)"),
        (ThresholdedReLU(), "ThresholdedReLU(theta=1.0)"),
        (Softmax(), "Softmax(axis=-1)"),
        (ReLU(6), "ReLU(max_value=6.0, negative_slope=0.0, threshold=0.0)"),
    ],
    ids=str,
)
def test_repr(layer: Layer, text: str) -> None:
    assert repr(layer) == text
